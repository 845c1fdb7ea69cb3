//! Points in time, small enough for the hot path.

use std::fmt;

/// Microseconds since 1970-01-01T00:00:00Z. All times are UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Converts whole seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Timestamp(seconds.saturating_mul(1_000_000))
    }

    /// Parses the forms that feeds use: RFC 3339 with `Z` or an offset, a naive
    /// date and time with `T` or a space (UTC is implied), a date, each with an
    /// optional ` UTC`, epoch seconds, possibly with a fraction, and epoch
    /// milliseconds and microseconds. Also `2026/01/31`, `31.01.2026`, and
    /// `31/01/2026` or `01/31/2026` if only one of the two is a valid date.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_suffix(" UTC").or_else(|| text.strip_suffix(" GMT")).unwrap_or(text);
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Some(Timestamp(time.as_microsecond()));
        }
        if let Ok(time) = text.parse::<jiff::civil::DateTime>() {
            let time = jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?;
            return Some(Timestamp(time.as_microsecond()));
        }
        Self::parse_epoch(text).or_else(|| Self::parse_date(text))
    }

    /// Parses a date as people write it, optionally with a time of day. With
    /// slashes, the day or the month may come first; an ambiguous date is rejected.
    fn parse_date(text: &str) -> Option<Self> {
        let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
        if !(8..=10).contains(&date.len()) {
            return None;
        }
        let separator = date.chars().find(|c| !c.is_ascii_digit())?;
        let mut numbers = date.split(separator);
        let mut next = || numbers.next().filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
        let (first, second, third) = (next()?, next()?, next()?);
        if numbers.next().is_some() {
            return None;
        }
        let number = |text: &str| text.parse::<i16>().ok();
        let (a, b, c) = (number(first)?, number(second)?, number(third)?);
        let (year, month, day) = match separator {
            '/' if first.len() == 4 => (a, b, c),
            _ if third.len() != 4 => return None,
            '.' => (c, b, a),
            '/' | '-' if a > 12 || a == b => (c, b, a),
            '/' | '-' if b > 12 => (c, a, b),
            _ => return None,
        };
        let time = if time.is_empty() { "00:00:00" } else { time };
        let plain = format!("{year:04}-{month:02}-{day:02}T{time}");
        let civil = plain.parse::<jiff::civil::DateTime>().ok()?;
        let time = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
        Some(Timestamp(time.as_microsecond()))
    }

    /// Parses epoch seconds with an optional fraction. Requires nine digits, so
    /// that a year or a small number is never taken for a time.
    fn parse_epoch(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        // Today, milliseconds have 13 digits and microseconds 16.
        let unit = match whole.len() {
            13 => 1000,
            16 => 1,
            _ => 0,
        };
        if unit > 0 && fraction.is_empty() && whole.bytes().all(|b| b.is_ascii_digit()) {
            return Some(Timestamp(whole.parse::<i64>().ok()? * unit));
        }
        if !(9..=12).contains(&whole.len())
            || !whole.bytes().all(|b| b.is_ascii_digit())
            || !fraction.bytes().all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let mut micros = 0;
        for at in 0..6 {
            micros = micros * 10 + i64::from(fraction.as_bytes().get(at).map_or(0, |b| b - b'0'));
        }
        Some(Timestamp(whole.parse::<i64>().ok()? * 1_000_000 + micros))
    }
}

/// RFC 3339 in UTC with six decimals, as in alerts.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time:.6}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_notation() {
        let want = Timestamp(1_692_697_398_855_000);
        for text in [
            "2023-08-22T09:43:18.855Z",
            "2023-08-22T09:43:18.855000",
            "2023-08-22 09:43:18.855",
            "2023-08-22T11:43:18.855+02:00",
            "1692697398.855",
            " 2023-08-22 09:43:18.855 UTC ",
        ] {
            assert_eq!(Timestamp::parse(text), Some(want), "{text}");
        }
        assert_eq!(Timestamp::parse("2023-08-22"), Some(Timestamp(1_692_662_400_000_000)));
        for (text, plain) in [
            ("1692697398855", "2023-08-22T09:43:18.855Z"),
            ("1692697398855000", "2023-08-22T09:43:18.855Z"),
            ("31/01/2026", "2026-01-31"),
            ("01/31/2026", "2026-01-31"),
            ("01/01/2026", "2026-01-01"),
            ("2026/01/31", "2026-01-31"),
            ("31.1.2026", "2026-01-31"),
            ("31-01-2026 10:20:30", "2026-01-31T10:20:30Z"),
            ("1/31/2026 10:20", "2026-01-31T10:20:00Z"),
        ] {
            assert!(Timestamp::parse(plain).is_some(), "{plain}");
            assert_eq!(Timestamp::parse(text), Timestamp::parse(plain), "{text}");
        }
        for text in [
            "01/02/2026",
            "32/01/2026",
            "13/13/2026",
            "1/2/26",
            "10.20.30.40",
            "1.2.2026.5",
            "//2026",
            "é/1/2026",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
        for text in ["", "never", "2023", "12.5", "2023-13-01", "99999999999999999999"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
        assert_eq!(want.to_string(), "2023-08-22T09:43:18.855000Z");
    }
}
