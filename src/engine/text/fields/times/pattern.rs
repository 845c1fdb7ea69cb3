//! Reads times by a pattern in the record, as in LEEF (`devTimeFormat`): the
//! letters of Java's `SimpleDateFormat`.

use super::reader::Reader;
use super::{Clock, latest, place};
use crate::engine::indicator::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// The parts of a time read so far.
#[derive(Default)]
struct Parts {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    hour: Option<i8>,
    minute: Option<i8>,
    second: Option<i8>,
    nanos: Option<i32>,
    is_afternoon: Option<bool>,
    offset: Option<Offset>,
}

/// Reads a time by its pattern. Both may be followed by other text.
pub(in crate::engine::text::fields) fn by_pattern(
    text: &[u8],
    pattern: &[u8],
    clock: &Clock,
) -> Option<Timestamp> {
    let mut parts = Parts::default();
    let mut reader = Reader::new(text);
    let mut at = 0;
    while let Some(&letter) = pattern.get(at) {
        if letter == b'\'' {
            at += 1;
            continue;
        }
        let len = pattern[at..].iter().take_while(|b| **b == letter).count();
        let is_quoted = pattern[..at].iter().filter(|b| **b == b'\'').count() % 2 == 1;
        let is_read = match letter.is_ascii_alphabetic() && !is_quoted {
            true => {
                let is_joined = pattern.get(at + len).is_some_and(u8::is_ascii_alphabetic);
                parts.read(letter, len, is_joined, &mut reader).is_some()
            }
            false => (0..len).all(|_| reader.take(letter).is_some()),
        };
        if !is_read {
            break;
        }
        at += len;
    }
    parts.time(clock)
}

impl Parts {
    /// Reads what a letter repeated this often stands for. `is_joined` says that
    /// digits follow.
    fn read(
        &mut self,
        letter: u8,
        len: usize,
        is_joined: bool,
        reader: &mut Reader<'_>,
    ) -> Option<()> {
        let digits = if is_joined { len..=len } else { 1..=len.max(4) };
        let two = if is_joined { 2..=2 } else { 1..=2 };
        let mut small = |slot: &mut Option<i8>| {
            let number = i8::try_from(fixed(reader, two.clone())?).ok()?;
            *slot = slot.or(Some(number));
            Some(())
        };
        match letter {
            b'y' | b'u' => {
                let year = fixed(reader, if is_joined { len..=len } else { 2..=4 })?;
                let year = if year < 100 { year + 2000 } else { year };
                self.year = self.year.or(Some(year));
            }
            b'M' | b'L' if len > 2 => self.month = self.month.or(Some(reader.month_name()?)),
            b'M' | b'L' => small(&mut self.month)?,
            b'd' => small(&mut self.day)?,
            b'H' | b'h' | b'k' | b'K' => small(&mut self.hour)?,
            b'm' => small(&mut self.minute)?,
            b's' => small(&mut self.second)?,
            b'S' => {
                let from = reader.at;
                fixed(reader, digits)?;
                let text = &reader.text[from..reader.at];
                let digit = |at: usize| text.get(at).map_or(0, |b| i32::from(b - b'0'));
                self.nanos = Some((0..9).fold(0, |n, at| n * 10 + digit(at)));
            }
            b'E' => drop(reader.word()?),
            b'a' => self.is_afternoon = Some(reader.half_of_day()?),
            b'z' | b'Z' | b'X' | b'x' => self.offset = Some(reader.offset()?),
            _ => return None,
        }
        Some(())
    }

    fn time(self, clock: &Clock) -> Option<Timestamp> {
        let mut hour = self.hour? % 24;
        if let Some(is_afternoon) = self.is_afternoon {
            hour = hour % 12 + if is_afternoon { 12 } else { 0 };
        }
        let second = self.second.unwrap_or(0).min(59);
        let time = Time::new(hour, self.minute?, second, self.nanos.unwrap_or(0)).ok()?;
        match self.year {
            Some(year) => {
                let date = Date::new(year, self.month?, self.day?).ok()?;
                place(DateTime::from_parts(date, time), self.offset, clock)
            }
            None => latest(self.month?, self.day?, time, self.offset, clock),
        }
    }
}

/// Reads a number with this many digits, even if more follow.
fn fixed(reader: &mut Reader<'_>, digits: std::ops::RangeInclusive<usize>) -> Option<i16> {
    let rest = reader.text.get(reader.at..)?;
    let max = *digits.end();
    let len = rest.iter().take(max).take_while(|b| b.is_ascii_digit()).count();
    if len < *digits.start() {
        return None;
    }
    reader.at += len;
    Some(
        rest[..len]
            .iter()
            .fold(0i16, |n, b| n.saturating_mul(10).saturating_add(i16::from(b - b'0'))),
    )
}
