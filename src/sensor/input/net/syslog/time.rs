//! Times in syslog headers.
//!
//! RFC 3164 times have neither year nor zone (`Nov 29 10:00:00`). The year is the latest that does
//! not put the message more than a day in the future: usually the current year, and the previous
//! one for a message from December that is read in January. The zone is configured with the input.

use crate::engine::indicator::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// The meaning of times without a year, or without a zone.
#[derive(Clone, Debug)]
pub struct Clock {
    /// When the message was received.
    pub now: Timestamp,
    /// The zone of senders that send none.
    pub zone: TimeZone,
}

impl Default for Clock {
    /// The epoch, and UTC.
    fn default() -> Self {
        Clock { now: Timestamp(0), zone: TimeZone::UTC }
    }
}

/// A time at the beginning of a header, and its length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) time: Timestamp,
    pub(super) length: usize,
}

/// How far a sender's clock may be ahead of ours, in microseconds.
const AHEAD: i64 = 24 * 3600 * 1_000_000;

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// Reads the time at the beginning: RFC 3339, or `Nov 29 10:00:00` with the additions of
/// appliances: a sequence number before it, an asterisk, a year, a fraction.
pub(super) fn header_time(rest: &[u8], clock: &Clock) -> Option<Found> {
    if let Some(found) = rfc3339(rest, clock) {
        return Some(found);
    }
    let before = sequence_len(rest);
    let star = usize::from(matches!(rest.get(before), Some(b'*' | b'.')));
    let mut reader = Reader { rest: rest.get(before + star..)?, taken: before + star };
    let month = MONTHS.iter().position(|name| reader.rest.starts_with(*name))?;
    reader.skip(3);
    reader.spaces()?;
    let day = reader.number(2)?;
    reader.spaces()?;
    let year = reader.year();
    let time = reader.time_of_day()?;
    let year = year.or_else(|| reader.year_after());
    let date = |year: i16| Date::new(year, month as i8 + 1, day as i8).ok();
    let time = match year {
        Some(year) => stamp(date(year)?, time, clock)?,
        None => without_year(date, time, clock)?,
    };
    Some(Found { time, length: reader.taken })
}

/// `29: ` or `000029: `, the sequence numbers of Cisco devices.
fn sequence_len(rest: &[u8]) -> usize {
    let digits = rest.iter().take(12).take_while(|byte| byte.is_ascii_digit()).count();
    let is_sequence = digits > 0 && rest.get(digits..).is_some_and(|rest| rest.starts_with(b": "));
    if is_sequence { digits + 2 } else { 0 }
}

/// RFC 3339, and the same without a zone.
fn rfc3339(rest: &[u8], clock: &Clock) -> Option<Found> {
    let length = rest.iter().take(40).position(|&byte| byte == b' ').unwrap_or(rest.len().min(40));
    let word = str::from_utf8(rest.get(..length)?).ok()?;
    if length < 19 || !word.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let time = match word.parse::<jiff::Timestamp>() {
        Ok(time) => Timestamp(time.as_microsecond()),
        Err(_) => {
            let civil = word.parse::<DateTime>().ok()?;
            stamp(civil.date(), civil.time(), clock)?
        }
    };
    Some(Found { time, length })
}

/// The latest year in which the time is at most a day in the future.
fn without_year(
    date: impl Fn(i16) -> Option<Date>,
    time: Time,
    clock: &Clock,
) -> Option<Timestamp> {
    let now = jiff::Timestamp::from_microsecond(clock.now.0).ok()?;
    let this = clock.zone.to_datetime(now).year();
    // The longest gap without a 29th of February is eight years (1896 to 1904).
    let years = (0..=9).map(|back| this.saturating_add(1).saturating_sub(back));
    years
        .filter_map(|year| stamp(date(year)?, time, clock))
        .find(|time| time.0 <= clock.now.0.saturating_add(AHEAD))
}

fn stamp(date: Date, time: Time, clock: &Clock) -> Option<Timestamp> {
    let civil = DateTime::from_parts(date, time);
    let time = clock.zone.to_ambiguous_timestamp(civil).compatible().ok()?;
    Some(Timestamp(time.as_microsecond()))
}

/// Reads from the beginning.
struct Reader<'b> {
    rest: &'b [u8],
    taken: usize,
}

impl Reader<'_> {
    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
        self.taken += count;
    }

    /// At least one space.
    fn spaces(&mut self) -> Option<()> {
        let count = self.rest.iter().take_while(|&&byte| byte == b' ').count();
        self.skip(count);
        (count > 0).then_some(())
    }

    /// A number of one to `max` digits.
    fn number(&mut self, max: usize) -> Option<i32> {
        let digits = self.rest.iter().take(max).take_while(|byte| byte.is_ascii_digit()).count();
        let number = self.rest.iter().take(digits);
        let number = number.fold(0, |number, digit| 10 * number + i32::from(digit - b'0'));
        self.skip(digits);
        (digits > 0).then_some(number)
    }

    fn byte(&mut self, wanted: u8) -> Option<()> {
        let is_there = self.rest.first() == Some(&wanted);
        self.skip(usize::from(is_there));
        is_there.then_some(())
    }

    /// `2026 ` in the place of a time of day.
    fn year(&mut self) -> Option<i16> {
        let year = four_digits(self.rest)?;
        if self.rest.get(4) != Some(&b' ') {
            return None;
        }
        self.skip(4);
        self.spaces()?;
        Some(year)
    }

    /// ` 2026` after the time of day, as written by `ctime`.
    fn year_after(&mut self) -> Option<i16> {
        let year = four_digits(self.rest.strip_prefix(b" ")?)?;
        if !matches!(self.rest.get(5), None | Some(b' ' | b':')) || !(1970..2200).contains(&year) {
            return None;
        }
        self.skip(5);
        Some(year)
    }

    /// `10:00:00`, with or without a fraction.
    fn time_of_day(&mut self) -> Option<Time> {
        let hour = self.number(2)?;
        self.byte(b':')?;
        let minute = self.number(2)?;
        self.byte(b':')?;
        let second = self.number(2)?;
        let mut nanos = 0;
        if self.rest.first() == Some(&b'.') && self.rest.get(1).is_some_and(u8::is_ascii_digit) {
            self.skip(1);
            let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            for at in 0..9 {
                let digit = self.rest.get(at).filter(|_| at < digits).map_or(0, |d| d - b'0');
                nanos = 10 * nanos + i32::from(digit);
            }
            self.skip(digits);
        }
        if second > 60 {
            return None;
        }
        // A leap second counts as the second before.
        Time::new(hour as i8, minute as i8, second.min(59) as i8, nanos).ok()
    }
}

fn four_digits(rest: &[u8]) -> Option<i16> {
    let digits = rest.get(..4).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    Some(digits.iter().fold(0, |year, digit| 10 * year + i16::from(digit - b'0')))
}
