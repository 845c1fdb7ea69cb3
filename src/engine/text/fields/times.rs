//! Times in the forms in which logs write them (matching specification, section
//! 8.5).
//!
//! A time is read from its beginning, byte by byte and never back: a date, a clock
//! time, and a UTC offset. The [`Clock`] supplies what is missing: the year of a
//! syslog line, the zone of a local time.

mod pattern;
mod reader;
mod short;

pub(super) use pattern::by_pattern;

use crate::engine::indicator::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use reader::{Day, Reader};

/// The context for reading times that are incomplete.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// The zone of times without one; UTC by default.
    pub zone: Option<TimeZone>,
    /// When the text was read. A time without a year is the latest one not after
    /// this.
    pub now: Timestamp,
}

/// How far a time without a year may be ahead of the clock: a local time read as
/// UTC is off by up to half a day or more.
const AHEAD_OF_ZONES: i64 = 14 * 3600 * 1_000_000;
/// The same if the zone is known: clocks differ slightly.
const AHEAD: i64 = 300 * 1_000_000;

/// How far into a line to search for a time.
const MAX_LEAD: usize = 256;

/// The meaning of a value in a field named for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A complete time.
    Time(Timestamp),
    /// A date alone.
    Date(Date),
    /// A clock time alone, with its UTC offset if it has one.
    Clock(Time, Option<Offset>),
}

/// Reads the value of a field named for a time.
pub(super) fn value(text: &[u8], clock: &Clock) -> Option<Value> {
    let text = text.trim_ascii();
    let text =
        text.strip_prefix(b"/Date(").or_else(|| text.strip_prefix(b"\\/Date(")).unwrap_or(text);
    if let Some(time) = scientific(text) {
        return Some(Value::Time(time));
    }
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
    // In `key=value`, the next pair follows a date.
    let is_whole = reader.is_at_end() && !b"-/.:".contains(&reader.peek());
    is_whole.then_some(Value::Date(date))
}

/// Reads the time, including its year, at the start of a text.
pub(super) fn whole(text: &[u8], clock: &Clock) -> Option<Timestamp> {
    stamp(text, clock, false)
}

/// The day that a header gives for the lines after it.
pub(super) fn day(text: &[u8]) -> Option<Date> {
    let Day { year, month, day, .. } = Reader::new(text.trim_ascii()).date()?;
    Date::new(year?, month, day).ok()
}

/// Joins a date and a clock time from two fields; `offset` may come from a third.
pub(super) fn joined(
    date: Date,
    time: Time,
    offset: Option<Offset>,
    clock: &Clock,
) -> Option<Timestamp> {
    place(DateTime::from_parts(date, time), offset, clock)
}

/// Reads a UTC offset on its own: `+0100`, `-08:00`, `CET`.
pub(super) fn offset(text: &[u8]) -> Option<Offset> {
    Reader::new(text.trim_ascii()).offset()
}

/// Reads a zone that is the whole value: a UTC offset or a place.
pub(super) fn zone(text: &[u8]) -> Option<TimeZone> {
    let text = text.trim_ascii();
    let mut reader = Reader::new(text);
    let zone = reader.offset().map(TimeZone::fixed).or_else(|| reader.place_name())?;
    // `(UTC+01:00) Amsterdam` of Windows has more text.
    (reader.at == text.len() || text.starts_with(b"(")).then_some(zone)
}

/// The name before a time: `Last-Modified: Wed, `, `expires="`; empty if there is
/// none.
pub(super) fn name_before(head: &[u8]) -> &[u8] {
    let mut head = head.trim_ascii_end();
    if let Some(rest) = head.strip_suffix(b",") {
        // A weekday, which begins a time, too.
        let letters = rest.iter().rev().take_while(|b| b.is_ascii_alphabetic()).count();
        head = if (3..=9).contains(&letters) { &rest[..rest.len() - letters] } else { rest };
    }
    let is_sign = |b: &u8| b" \t\"'\\".contains(b);
    let end = head.iter().rposition(|b| !is_sign(b)).map_or(0, |last| last + 1);
    let Some(head) = head[..end].strip_suffix(b":").or(head[..end].strip_suffix(b"=")) else {
        return b"";
    };
    let end = head.iter().rposition(|b| !is_sign(b)).map_or(0, |last| last + 1);
    let is_key = |b: &&u8| b.is_ascii_alphanumeric() || b"_-.".contains(b);
    let len = head[..end].iter().rev().take_while(is_key).count();
    &head[end - len..end]
}

/// Reads nanoseconds since 1970 that are the whole value.
pub(super) fn nanoseconds(text: &[u8]) -> Option<Timestamp> {
    let (time, len) = epoch(text, 19)?;
    (len == text.len() && len == 19).then_some(time)
}

/// The time at the start of a line. `is_other` says whether a time at a place is
/// not an event's.
pub(super) fn leading(
    line: &[u8],
    clock: &Clock,
    is_other: impl Fn(usize) -> bool,
) -> Option<Timestamp> {
    let line = &line[..line.len().min(MAX_LEAD)];
    let start = head(line);
    let head = &line[start..];
    if let Some(time) = stamp(head, clock, true).or_else(|| whole_epoch(head))
        && !is_other(start)
    {
        return Some(time);
    }
    // Elsewhere, a time must include its year and be where a field may begin.
    let found = (start + 1..line.len()).find_map(|at| {
        let far = at - start;
        let begins = match line[at - 1] {
            b'[' => true,
            b',' | b';' | b'|' | b'\t' | b'"' | b'\'' => far < 128,
            b' ' | b'(' => far < 64,
            // An untrusted clock of a device, after its name.
            b'*' => far < 64 && line[..at].ends_with(b": *"),
            _ => false,
        };
        if !begins {
            return None;
        }
        let found = stamp(&line[at..], clock, line[at - 1] == b'*').filter(|_| !is_other(at));
        found.or_else(|| {
            // `type=SYSCALL msg=audit(1782274541.123:456):` of the Linux audit
            // daemon.
            let is_audit = line[..at].ends_with(b"audit(");
            epoch(&line[at..], 10).filter(|_| is_audit).map(|(time, _)| time)
        })
    });
    found.or_else(|| start_of_flow(line))
}

/// The start of a flow in an AWS flow log, eight columns after its interface.
fn start_of_flow(line: &[u8]) -> Option<Timestamp> {
    let interface = memchr::memmem::find(line, b" eni-")? + 1;
    let mut columns = line[interface..].split(|&b| b == b' ');
    whole_epoch(columns.nth(8)?)
}

/// Where the time at the start of a line would begin: after a byte order mark, a
/// priority with its version (RFC 5424), the message number of Cisco devices, the
/// process of Redis, brackets and quotes.
fn head(line: &[u8]) -> usize {
    let mut at = usize::from(line.starts_with("\u{feff}".as_bytes())) * 3;
    let skip = |at: usize, bytes: &[u8]| {
        let mut at = at;
        loop {
            at += line[at..].iter().take_while(|byte| bytes.contains(byte)).count();
            match colour(&line[at..]) {
                0 => return at,
                len => at += len,
            }
        }
    };
    // A file that was truncated while it was written to contains NULs.
    at = skip(at, b" \t\0");
    if line[at..].starts_with(b"####<") {
        return at + 5;
    }
    if line.get(at) == Some(&b'<') {
        let digits = line[at + 1..].iter().take(4).take_while(|b| b.is_ascii_digit()).count();
        if (1..=3).contains(&digits) && line.get(at + 1 + digits) == Some(&b'>') {
            at += digits + 2;
            if line[at..].starts_with(b"1 ") {
                at += 2;
            }
        }
    }
    at = after_number(line, at).unwrap_or(at);
    // Cisco devices mark an untrusted clock with a star or a dot.
    skip(at, b" \t[(\"'{*.:<-")
}

/// The length of a colour code, possibly escaped, or 0.
fn colour(text: &[u8]) -> usize {
    const STARTS: [&[u8]; 6] = [b"\x1b[", b"\\u001b[", b"\\u001B[", b"\\x1b[", b"\\033[", b"#033["];
    let Some(start) = STARTS.iter().find(|start| text.starts_with(start)) else { return 0 };
    let rest = &text[start.len()..];
    let len = rest.iter().take(16).take_while(|b| b.is_ascii_digit() || **b == b';').count();
    if rest.get(len).is_some_and(u8::is_ascii_alphabetic) { start.len() + len + 1 } else { 0 }
}

/// Where the time after a number begins: `123: *Jun 24`, `1234:M 24 Jun`, `[1234]
/// 24 Jun`.
fn after_number(line: &[u8], start: usize) -> Option<usize> {
    let bracket = usize::from(line.get(start) == Some(&b'['));
    let digits = line[start + bracket..].iter().take(11).take_while(|b| b.is_ascii_digit()).count();
    let end = start + bracket + digits;
    let len = match line.get(end..)? {
        _ if !(1..=10).contains(&digits) => return None,
        // A process number has at most seven digits; a longer one is the time
        // (Unbound).
        [b']', b' ', ..] if bracket > 0 && digits < 9 => 2,
        [b':', b' ', ..] if bracket == 0 => 2,
        // `1234:20260624:041541.123` of Zabbix.
        [b':', rest @ ..] if bracket == 0 && is_compact(rest) => 1,
        [b':', role, b' ', ..] if bracket == 0 && role.is_ascii_uppercase() => 3,
        _ => return None,
    };
    Some(end + len)
}

/// `20260624:041541`
fn is_compact(text: &[u8]) -> bool {
    text.len() > 14
        && text[8] == b':'
        && text[..8].iter().chain(&text[9..15]).all(u8::is_ascii_digit)
}

/// Reads seconds, milliseconds, microseconds or nanoseconds since 1970 that are a
/// word.
fn whole_epoch(text: &[u8]) -> Option<Timestamp> {
    let (time, len) = epoch(text, 10)?;
    let ends = text.get(len).is_none_or(|byte| b" \t,;|]\")".contains(byte));
    ends.then_some(time)
}

/// Reads seconds since 1970 that are the whole value, possibly with a fraction.
pub(super) fn seconds(text: &[u8]) -> Option<Timestamp> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (time, len) = epoch(text, 9).filter(|_| digits <= 11)?;
    (len == text.len()).then_some(time)
}

/// Reads seconds since 1970, or fractions of them by their size, as
/// `1.782274541123e9`.
fn scientific(text: &[u8]) -> Option<Timestamp> {
    let (sign, 8..=24) = (text.iter().position(|b| b.eq_ignore_ascii_case(&b'e'))?, text.len())
    else {
        return None;
    };
    let is_number = |b: &u8| b.is_ascii_digit() || b".+".contains(b);
    if text.get(1) != Some(&b'.') || !text[..sign].iter().chain(&text[sign + 1..]).all(is_number) {
        return None;
    }
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let per_unit = match number {
        1e8..1e11 => 1e6,
        1e11..1e14 => 1e3,
        1e14..1e17 => 1.0,
        1e17..9e18 => 1e-3,
        _ => return None,
    };
    Some(Timestamp((number * per_unit).round() as i64))
}

/// Reads a time since 1970 in the unit that its digits suggest, at least `least` of
/// them. Also returns its length.
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

/// Reads the time at the beginning of a text. `yearless` says that it may lack its
/// year.
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
    let after_date = reader.at;
    let mut time = reader.separated_clock(&day)?;
    let half = reader.half_of_day();
    if let Some(is_afternoon) = half {
        let hour = time.hour() % 12 + if is_afternoon { 12 } else { 0 };
        time = Time::new(hour, time.minute(), time.second(), time.subsec_nanosecond()).ok()?;
    }
    let (mut month, mut date) = (day.month, day.day);
    if day.is_ambiguous {
        // The order in `06/05/2026` follows from what only Americans write, or
        // Suricata; or from the day of reading, which no time is after.
        let is_american = half.is_some() || reader.text.get(after_date) == Some(&b'-');
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
        None => reader.year_after(),
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

/// Which of two numbers is the month, if only one order is in the past.
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

/// Applies the UTC offset of a local time, or the clock's zone.
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
