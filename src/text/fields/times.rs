//! Times in the forms that logs write them (matching specification, section 8.5).
//!
//! A time is read from where it begins, byte by byte and never back: a date, a clock,
//! and what says how far both are from UTC. What is left open (the year of a syslog
//! line, the zone of a local time) the [`Clock`] says.

mod pattern;
mod reader;

pub(super) use pattern::by_pattern;

use crate::indicator::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use reader::{Day, Reader};

/// What a time is read by that does not say everything.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// The zone of times that name none; UTC if nobody says.
    pub zone: Option<TimeZone>,
    /// When the text was read: a time without a year is the latest one that is not
    /// behind this.
    pub now: Timestamp,
}

/// How far a time without a year may be ahead of the clock: a local time that is taken
/// for UTC is, by up to half a day and more.
const AHEAD_OF_ZONES: i64 = 14 * 3600 * 1_000_000;
/// The same where the zone was said: clocks differ a little.
const AHEAD: i64 = 300 * 1_000_000;

/// How far into a line a time is looked for.
const MAX_LEAD: usize = 256;

/// What the value of a field that is named for a time says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A whole time.
    Time(Timestamp),
    /// A date alone.
    Date(Date),
    /// A clock alone, with its distance from UTC if it says it.
    Clock(Time, Option<Offset>),
}

/// Reads the value of a field that is named for a time.
pub(super) fn value(text: &[u8], clock: &Clock) -> Option<Value> {
    let text = text.trim_ascii();
    let text =
        text.strip_prefix(b"/Date(").or_else(|| text.strip_prefix(b"\\/Date(")).unwrap_or(text);
    if let Some((time, len)) = epoch(text, 9)
        && !text.get(len).is_some_and(u8::is_ascii_alphanumeric)
    {
        return Some(Value::Time(time));
    }
    if let Some(time) = stamp(text, clock, true) {
        return Some(Value::Time(time));
    }
    let mut reader = Reader::new(text);
    if let Some(time) = reader.clock() {
        return reader.is_at_end().then(|| Value::Clock(time, reader.offset()));
    }
    let mut reader = Reader::new(text);
    let Day { year, month, day, .. } = reader.date().filter(|day| !day.is_ambiguous)?;
    let date = Date::new(year?, month, day).ok()?;
    // Behind a date of `key=value` comes the next pair.
    let is_whole = reader.is_at_end() && !b"-/.:".contains(&reader.peek());
    is_whole.then_some(Value::Date(date))
}

/// The time with its year that a text begins with.
pub(super) fn whole(text: &[u8], clock: &Clock) -> Option<Timestamp> {
    stamp(text, clock, false)
}

/// The day that a header names for the lines behind it.
pub(super) fn day(text: &[u8]) -> Option<Date> {
    let Day { year, month, day, .. } = Reader::new(text.trim_ascii()).date()?;
    Date::new(year?, month, day).ok()
}

/// A date and a clock that stand in two fields; `offset` may stand in a third.
pub(super) fn joined(
    date: Date,
    time: Time,
    offset: Option<Offset>,
    clock: &Clock,
) -> Option<Timestamp> {
    place(DateTime::from_parts(date, time), offset, clock)
}

/// A distance from UTC that stands by itself: `+0100`, `-08:00`, `CET`.
pub(super) fn offset(text: &[u8]) -> Option<Offset> {
    Reader::new(text.trim_ascii()).offset()
}

/// A zone that stands by itself and is all of a value: a distance from UTC or a place.
pub(super) fn zone(text: &[u8]) -> Option<TimeZone> {
    let text = text.trim_ascii();
    let mut reader = Reader::new(text);
    let zone = reader.offset().map(TimeZone::fixed).or_else(|| reader.place_name())?;
    // `(UTC+01:00) Amsterdam` of Windows has more behind it.
    (reader.at == text.len() || text.starts_with(b"(")).then_some(zone)
}

/// The time at the head of a line.
pub(super) fn leading(line: &[u8], clock: &Clock) -> Option<Timestamp> {
    let line = &line[..line.len().min(MAX_LEAD)];
    let start = head(line);
    let head = &line[start..];
    if let Some(time) = stamp(head, clock, true).or_else(|| whole_epoch(head)) {
        return Some(time);
    }
    // Elsewhere a time is one only with its year, and where a field may begin.
    let found = (start + 1..line.len()).find_map(|at| {
        let far = at - start;
        let begins = match line[at - 1] {
            b'[' => true,
            b',' | b';' | b'|' | b'\t' | b'"' | b'\'' => far < 128,
            b' ' | b'(' => far < 64,
            // A clock that a device does not trust, after its name.
            b'*' => far < 64 && line[..at].ends_with(b": *"),
            _ => false,
        };
        if !begins {
            return None;
        }
        stamp(&line[at..], clock, line[at - 1] == b'*').or_else(|| {
            // `type=SYSCALL msg=audit(1782274541.123:456):` of the Linux audit daemon.
            let is_audit = line[..at].ends_with(b"audit(");
            epoch(&line[at..], 10).filter(|_| is_audit).map(|(time, _)| time)
        })
    });
    found.or_else(|| start_of_flow(line))
}

/// The start of a flow that a line of AWS tells, eight columns behind its interface.
fn start_of_flow(line: &[u8]) -> Option<Timestamp> {
    let interface = memchr::memmem::find(line, b" eni-")? + 1;
    let mut columns = line[interface..].split(|&b| b == b' ');
    whole_epoch(columns.nth(8)?)
}

/// Where the time at the head of a line would begin: behind a mark of the encoding, a
/// priority with its version (RFC 5424), the number that Cisco's devices give a message, the
/// process of Redis, brackets and quotes.
fn head(line: &[u8]) -> usize {
    let mut at = usize::from(line.starts_with("\u{feff}".as_bytes())) * 3;
    let skip = |at: usize, bytes: &[u8]| {
        at + line[at..].iter().take_while(|byte| bytes.contains(byte)).count()
    };
    at = skip(at, b" \t");
    if line.get(at) == Some(&b'<') {
        let digits = line[at + 1..].iter().take(4).take_while(|b| b.is_ascii_digit()).count();
        if (1..=3).contains(&digits) && line.get(at + 1 + digits) == Some(&b'>') {
            at += digits + 2;
            if line[at..].starts_with(b"1 ") {
                at += 2;
            }
        }
    }
    at = behind_number(line, at).unwrap_or(at);
    // Cisco's devices mark a clock that they do not trust with a star or a dot.
    skip(at, b" \t[(\"'{*.:")
}

/// Where the time stands behind a number: `123: *Jun 24`, `1234:M 24 Jun`, `[1234] 24 Jun`.
fn behind_number(line: &[u8], start: usize) -> Option<usize> {
    let bracket = usize::from(line.get(start) == Some(&b'['));
    let digits = line[start + bracket..].iter().take(11).take_while(|b| b.is_ascii_digit()).count();
    let end = start + bracket + digits;
    let len = match line.get(end..)? {
        _ if !(1..=10).contains(&digits) => return None,
        // A process has seven digits at most; with more it is the time (Unbound).
        [b']', b' ', ..] if bracket > 0 && digits < 9 => 2,
        [b':', b' ', ..] if bracket == 0 => 2,
        [b':', role, b' ', ..] if bracket == 0 && role.is_ascii_uppercase() => 3,
        _ => return None,
    };
    Some(end + len)
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970 as a word of its own.
fn whole_epoch(text: &[u8]) -> Option<Timestamp> {
    let (time, len) = epoch(text, 10)?;
    let ends = text.get(len).is_none_or(|byte| b" \t,;|]\")".contains(byte));
    ends.then_some(time)
}

/// Seconds since 1970 that are all of a value, perhaps with a fraction.
pub(super) fn seconds(text: &[u8]) -> Option<Timestamp> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (time, len) = epoch(text, 9).filter(|_| digits <= 11)?;
    (len == text.len()).then_some(time)
}

/// A time since 1970 in the unit that its digits tell, at least `least` of them, and
/// how long it is.
fn epoch(text: &[u8], least: usize) -> Option<(Timestamp, usize)> {
    let digits = text.iter().take(20).take_while(|b| b.is_ascii_digit()).count();
    let whole: i64 = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
    let (micros, per_micro) = match digits {
        9..=11 if digits >= least => (whole.checked_mul(1_000_000)?, 1_000_000),
        13 => (whole * 1000, 1000),
        16 => (whole, 1),
        19 => return Some((Timestamp(whole / 1000), 19)),
        _ => return None,
    };
    if text.get(digits) != Some(&b'.') {
        return Some((Timestamp(micros), digits));
    }
    let fraction = &text[digits + 1..];
    let len = fraction.iter().take(20).take_while(|b| b.is_ascii_digit()).count();
    let mut unit = per_micro;
    let mut rest = 0;
    for byte in &fraction[..len] {
        unit /= 10;
        rest += i64::from(byte - b'0') * unit;
    }
    Some((Timestamp(micros + rest), digits + 1 + len))
}

/// The time at the beginning of a text. `yearless`: it may lack its year.
fn stamp(text: &[u8], clock: &Clock, yearless: bool) -> Option<Timestamp> {
    let mut reader = Reader::new(text);
    if let Some((year, month, day, time)) = reader.klog() {
        return match year {
            Some(year) => {
                place(DateTime::from_parts(Date::new(year, month, day).ok()?, time), None, clock)
            }
            None => yearless.then(|| latest(month, day, time, None, clock)).flatten(),
        };
    }
    let day = reader.date()?;
    let behind_date = reader.at;
    let mut time = reader.separated_clock(&day)?;
    let half = reader.half_of_day();
    if let Some(is_afternoon) = half {
        let hour = time.hour() % 12 + if is_afternoon { 12 } else { 0 };
        time = Time::new(hour, time.minute(), time.second(), time.subsec_nanosecond()).ok()?;
    }
    let (mut month, mut date) = (day.month, day.day);
    if day.is_ambiguous {
        // `06/05/2026` is told by what only Americans write, or Suricata; or by the day of
        // reading, which no time is behind.
        let is_american = half.is_some() || reader.text.get(behind_date) == Some(&b'-');
        if !is_american && month != date {
            (month, date) = only_past(day.year?, month, date, clock)?;
        }
    } else if month > 12 {
        std::mem::swap(&mut month, &mut date);
    }
    let mut offset = reader.offset();
    let mut region = offset.is_none().then(|| reader.region()).flatten();
    let year = match day.year {
        Some(year) => Some(year),
        None => reader.year_behind(),
    };
    if day.year.is_none() && offset.is_none() && region.is_none() {
        offset = reader.offset();
        region = offset.is_none().then(|| reader.region()).flatten();
    }
    let in_region = region.map(|zone| Clock { zone: Some(zone), now: clock.now });
    let clock = in_region.as_ref().unwrap_or(clock);
    match year {
        Some(year) => {
            let date = Date::new(year, month, date).ok()?;
            place(DateTime::from_parts(date, time), offset, clock)
        }
        None if yearless => latest(month, date, time, offset, clock),
        None => None,
    }
}

/// Which of two numbers is the month, if only one way around is in the past.
fn only_past(year: i16, one: i8, other: i8, clock: &Clock) -> Option<(i8, i8)> {
    let is_past = |month: i8, day: i8| {
        let date = Date::new(year, month, day).ok()?;
        let midnight = DateTime::from_parts(date, Time::midnight());
        place(midnight, None, clock).map(|at| at.0 <= clock.now.0.saturating_add(AHEAD_OF_ZONES))
    };
    match (is_past(one, other)?, is_past(other, one)?) {
        (true, false) => Some((one, other)),
        (false, true) => Some((other, one)),
        _ => None,
    }
}

/// A local time with its distance from UTC, or by the clock's zone.
fn place(civil: DateTime, offset: Option<Offset>, clock: &Clock) -> Option<Timestamp> {
    let time = match (offset, &clock.zone) {
        (Some(offset), _) => offset.to_timestamp(civil).ok()?,
        (None, Some(zone)) => zone.to_timestamp(civil).ok()?,
        (None, None) => Offset::UTC.to_timestamp(civil).ok()?,
    };
    Some(Timestamp(time.as_microsecond()))
}

/// The latest such day that is not in the future.
fn latest(
    month: i8,
    day: i8,
    time: Time,
    offset: Option<Offset>,
    clock: &Clock,
) -> Option<Timestamp> {
    let is_sure = clock.zone.is_some() || offset.is_some();
    let latest = clock.now.0.saturating_add(if is_sure { AHEAD } else { AHEAD_OF_ZONES });
    let newest = jiff::Timestamp::from_microsecond(latest.saturating_add(86_400_000_000)).ok()?;
    let year = Offset::UTC.to_datetime(newest).year();
    // The 29th of February may be eight years ago.
    (0..=8).find_map(|back| {
        let date = Date::new(year - back, month, day).ok()?;
        place(DateTime::from_parts(date, time), offset, clock).filter(|at| at.0 <= latest)
    })
}

#[cfg(test)]
mod tests;
