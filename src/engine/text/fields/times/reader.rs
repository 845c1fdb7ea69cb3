//! Reads dates, clocks and zones, byte by byte and never back.

use jiff::civil::Time;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use std::sync::LazyLock;

/// The zones of the IANA database by name. It is compiled in, because the sender
/// chooses the names, and they must not cause files to be read.
static REGIONS: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
/// The beginnings of IANA zone names that denote a place, or an offset
/// (`Etc/GMT-2`).
const AREAS: &[&[u8]] = &[
    b"Africa",
    b"America",
    b"Antarctica",
    b"Arctic",
    b"Asia",
    b"Atlantic",
    b"Australia",
    b"Brazil",
    b"Canada",
    b"Chile",
    b"Etc",
    b"Europe",
    b"Indian",
    b"Mexico",
    b"Pacific",
    b"US",
];
/// The length limit of a zone's name.
const MAX_REGION: usize = 40;

/// Months, which may be written in full or as their first three letters.
const MONTHS: &[&[u8]] = &[
    b"january",
    b"february",
    b"march",
    b"april",
    b"may",
    b"june",
    b"july",
    b"august",
    b"september",
    b"october",
    b"november",
    b"december",
];

/// Names of zones in logs, with their offsets from UTC in minutes. Ambiguous names
/// of which none is dominant (IST) are omitted.
const ZONES: &[(&[u8], i32)] = &[
    (b"Z", 0),
    (b"UTC", 0),
    (b"GMT", 0),
    (b"UT", 0),
    (b"WET", 0),
    (b"WEST", 60),
    (b"BST", 60),
    (b"CET", 60),
    (b"MEZ", 60),
    (b"CEST", 120),
    (b"MESZ", 120),
    (b"EET", 120),
    (b"SAST", 120),
    (b"EEST", 180),
    (b"MSK", 180),
    (b"SGT", 480),
    (b"HKT", 480),
    (b"AWST", 480),
    (b"JST", 540),
    (b"KST", 540),
    (b"ACST", 570),
    (b"AEST", 600),
    (b"ACDT", 630),
    (b"AEDT", 660),
    (b"NZST", 720),
    (b"NZDT", 780),
    (b"BRT", -180),
    (b"ADT", -180),
    (b"AST", -240),
    (b"EDT", -240),
    (b"EST", -300),
    (b"CDT", -300),
    (b"CST", -360),
    (b"MDT", -360),
    (b"MST", -420),
    (b"PDT", -420),
    (b"PST", -480),
    (b"AKDT", -480),
    (b"AKST", -540),
    (b"HST", -600),
];

/// A day as read.
pub(super) struct Day {
    pub(super) year: Option<i16>,
    /// Above 12 if day and month are swapped.
    pub(super) month: i8,
    pub(super) day: i8,
    /// Whether month and day could be swapped.
    pub(super) is_ambiguous: bool,
}

/// Reads forward through a text.
pub(super) struct Reader<'t> {
    pub(super) text: &'t [u8],
    pub(super) at: usize,
    /// Whether the clock time contained dots, as in Db2, whose zone is in minutes.
    pub(super) is_dotted: bool,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Reader { text, at: 0, is_dotted: false }
    }

    pub(super) fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    pub(super) fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == byte).then(|| self.at += 1)
    }

    pub(super) fn is_at_end(&self) -> bool {
        !self.peek().is_ascii_alphanumeric()
    }

    /// Reads a number with this many digits, and no more.
    pub(super) fn number(&mut self, digits: std::ops::RangeInclusive<usize>) -> Option<i16> {
        let rest = self.text.get(self.at..)?;
        let len = rest.iter().take(5).take_while(|b| b.is_ascii_digit()).count();
        if !digits.contains(&len) {
            return None;
        }
        self.at += len;
        Some(rest[..len].iter().fold(0i16, |n, b| n.saturating_mul(10) + i16::from(b - b'0')))
    }

    pub(super) fn small(&mut self) -> Option<i8> {
        self.number(1..=2).and_then(|n| i8::try_from(n).ok())
    }

    pub(super) fn blanks(&mut self) -> usize {
        let from = self.at;
        while self.peek() == b' ' && self.at - from < 3 {
            self.at += 1;
        }
        self.at - from
    }

    /// Reads a word, of which the first three letters count.
    pub(super) fn word(&mut self) -> Option<[u8; 3]> {
        let rest = self.text.get(self.at..)?;
        let len = rest.iter().take(10).take_while(|b| b.is_ascii_alphabetic()).count();
        let word = rest.get(..len)?.first_chunk::<3>()?;
        self.at += len;
        Some(word.map(|b| b.to_ascii_lowercase()))
    }

    pub(super) fn month_name(&mut self) -> Option<i8> {
        let from = self.at;
        self.word()?;
        let word = &self.text[from..self.at];
        let is_word = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let month = MONTHS.iter().position(|name| is_word(&name[..3]) || is_word(name));
        month.map(|at| at as i8 + 1)
    }

    /// The number of digits that follow, at most `max`.
    fn digits(&self, max: usize) -> usize {
        self.text[self.at..].iter().take(max).take_while(|b| b.is_ascii_digit()).count()
    }

    /// Reads a year of four digits, or of two if nothing else can follow.
    fn year(&mut self) -> Option<i16> {
        let year = match self.digits(5) {
            2 => self.number(2..=2)? + 2000,
            _ => self.number(4..=4)?,
        };
        (1970..=2200).contains(&year).then_some(year)
    }

    fn weekday(&mut self) {
        let from = self.at;
        let is_day = self.word().is_some_and(|word| {
            [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"].contains(&&word)
        });
        if !is_day {
            self.at = from;
            return;
        }
        let _ = self.take(b',');
        self.blanks();
    }

    pub(super) fn date(&mut self) -> Option<Day> {
        self.weekday();
        if self.peek().is_ascii_alphabetic() {
            return self.month_first();
        }
        match self.digits(18) {
            4 => self.year_first(),
            // Directly followed by its clock time, possibly with milliseconds.
            8 | 14 | 17 => self.compact(),
            6 => self.short(),
            1 | 2 => self.day_first(),
            _ => None,
        }
    }

    /// Reads `2026-06-24`, with one of three separators, and `2026 Jun 24` of
    /// Cisco's NX-OS.
    fn year_first(&mut self) -> Option<Day> {
        let year = self.number(4..=4).filter(|year| (1970..=2200).contains(year))?;
        let separator = self.peek();
        let is_name = self.text.get(self.at + 1).is_some_and(u8::is_ascii_alphabetic);
        // Sophos UTM writes `2026:06:24-04:15:41`.
        if !(b"-/.:".contains(&separator) || separator == b' ' && is_name) {
            return None;
        }
        self.at += 1;
        let month = match self.peek().is_ascii_alphabetic() {
            true => self.month_name()?,
            false => self.small()?,
        };
        self.take(separator)?;
        self.blanks();
        let day = self.small()?;
        Some(Day { year: Some(year), month, day, is_ambiguous: false })
    }

    /// Reads `20260624` before `T041541` or `041541`.
    fn compact(&mut self) -> Option<Day> {
        let digit = |at: usize| i16::from(self.text[self.at + at] - b'0');
        let two = |at: usize| (digit(at) * 10 + digit(at + 1)) as i8;
        let year = i16::from(two(0)) * 100 + i16::from(two(2));
        let (month, day) = (two(4), two(6));
        self.at += 8;
        (1970..=2200).contains(&year).then_some(())?;
        Some(Day { year: Some(year), month, day, is_ambiguous: false })
    }

    /// Reads `Jun 24`, `Jun 24 2026`, `Jun 24, 2026`, and `jun/24/2026` and
    /// `jun/24` of MikroTik.
    fn month_first(&mut self) -> Option<Day> {
        let month = self.month_name()?;
        let separator = self.peek();
        if b"/-".contains(&separator) {
            self.at += 1;
            let day = self.small()?;
            let year = match self.take(separator) {
                Some(()) => Some(self.year()?),
                None => None,
            };
            return Some(Day { year, month, day, is_ambiguous: false });
        }
        let _ = self.take(b'.');
        self.blanks();
        let day = self.small()?;
        let _ = self.take(b',');
        let after = self.at;
        let year = match self.blanks() {
            0 => None,
            _ => self.number(4..=4).filter(|year| (1970..=2200).contains(year)),
        };
        if year.is_none() {
            self.at = after;
        }
        Some(Day { year, month, day, is_ambiguous: false })
    }

    /// Reads `24/Jun/2026`, `24-Jun-2026`, `24 Jun 2026`, `24 Jun` of Redis,
    /// `24.06.2026`, `24/06/2026`, `06/24` of Snort, and `06/24/26` of Snort and
    /// Windows' DHCP.
    fn day_first(&mut self) -> Option<Day> {
        let from = self.at;
        let first = self.small()?;
        let separator = self.peek();
        if !b"/-. ".contains(&separator) {
            return None;
        }
        self.at += 1;
        if self.peek().is_ascii_alphabetic() {
            let month = self.month_name()?;
            let after = self.at;
            self.take(separator)?;
            let is_clock = separator == b' ' && self.text.get(self.at + 2) == Some(&b':');
            let year = if is_clock { None } else { Some(self.year()?) };
            if is_clock {
                self.at = after;
            }
            return Some(Day { year, month, day: first, is_ambiguous: false });
        }
        let second = self.small()?;
        if separator == b'/' && self.peek() == b'-' {
            return Some(Day { year: None, month: first, day: second, is_ambiguous: false });
        }
        if separator == b' ' {
            return None;
        }
        self.take(separator)?;
        let is_short = self.digits(3) == 2;
        let year = Some(self.year()?);
        // Joined to a clock time by a comma or a dash, it is a date, even with a
        // year of two digits.
        let is_joined = b"/.".contains(&separator) && b",-".contains(&self.peek());
        let is_certain = is_short && !is_joined && self.has_certain_clock(separator);
        if is_short && !is_joined && !is_certain && !self.has_whole_clock(from, first, second) {
            return None;
        }
        if separator == b'.' {
            return Some(Day { year, month: second, day: first, is_ambiguous: false });
        }
        // A number above 12 shows the order, and `stamp` swaps them. Americans
        // write no zero before a month.
        let is_padded = self.text.get(from) == Some(&b'0');
        let is_ambiguous = first <= 12 && second <= 12 && (!is_short || is_certain && is_padded);
        Some(Day { year, month: first, day: second, is_ambiguous })
    }

    /// Whether a clock time of a kind that follows dates with years of two digits
    /// comes next: of twelve hours (`6/24/26 4:15:41 AM`), or of WebSphere
    /// (`6/24/26 4:15:41:123 CEST`).
    fn has_certain_clock(&self, separator: u8) -> bool {
        let mut ahead = Reader { text: self.text, at: self.at, is_dotted: false };
        if !b"/.".contains(&separator) || ahead.blanks() == 0 || ahead.clock().is_none() {
            return false;
        }
        let has_millis = self.text.get(ahead.at - 4) == Some(&b':');
        has_millis || separator == b'/' && ahead.half_of_day().is_some()
    }

    /// Reads the clock time after a date, and what is between them.
    pub(super) fn separated_clock(&mut self, day: &Day) -> Option<Time> {
        let from = self.at;
        while self.at - from < 4 && b"Tt _-\t;,\"|'@:[]".contains(&self.peek()) {
            self.at += 1;
        }
        let is_joined = self.at == from;
        let is_compact =
            is_joined || matches!(self.text.get(from), Some(b'T' | b't' | b'-' | b'_' | b':'));
        let digits = self.digits(10);
        if day.year.is_some() && is_compact && (digits == 6 || is_joined && digits == 9) {
            return self.compact_clock(digits);
        }
        if is_joined {
            return None;
        }
        if matches!(self.text.get(from), Some(b'-' | b'_'))
            && self.text.get(self.at + 2) == Some(&b'.')
        {
            self.is_dotted = true;
            return self.clock_with(b'.');
        }
        // `2026-06-24 04.15.41`, which is not an address.
        if day.year.is_some()
            && let [_, _, b'.', _, _, b'.', b'0'..=b'9', b'0'..=b'9', rest @ ..] =
                &self.text[self.at..]
            && !matches!(rest, [b'0'..=b'9' | b'.', ..])
        {
            return self.clock_with(b'.');
        }
        self.clock()
    }

    /// Reads `041541`, with a fraction, or `041541123`.
    fn compact_clock(&mut self, digits: usize) -> Option<Time> {
        let text = &self.text[self.at..self.at + digits];
        let two = |at: usize| ((text[at] - b'0') * 10 + text[at + 1] - b'0') as i8;
        let (hour, minute, second) = (two(0), two(2), two(4).min(59));
        self.at += digits;
        let nanos = match digits {
            9 => text[6..].iter().fold(0, |n, b| n * 10 + i32::from(b - b'0')) * 1_000_000,
            _ => self.fraction(),
        };
        Time::new(hour, minute, second, nanos).ok()
    }

    /// Reads `04:15:41.123`; the seconds may be missing.
    pub(super) fn clock(&mut self) -> Option<Time> {
        self.clock_with(b':')
    }

    fn clock_with(&mut self, separator: u8) -> Option<Time> {
        let hour = self.small()?;
        self.take(separator)?;
        let minute = self.number(2..=2)? as i8;
        let mut second = 0;
        let mut nanos = 0;
        if self.peek() == separator && self.text.get(self.at + 1).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
            // A leap second counts as the second before it.
            second = (self.number(2..=2)? as i8).min(59);
            nanos = self.fraction();
        }
        Time::new(hour, minute, second, nanos).ok()
    }

    /// Reads digits after a dot, three or six after a comma, or three after a
    /// colon, in nanoseconds.
    pub(super) fn fraction(&mut self) -> i32 {
        let separator = self.peek();
        if !b".,:".contains(&separator) {
            return 0;
        }
        let rest = &self.text[self.at + 1..];
        let len = rest.iter().take(20).take_while(|b| b.is_ascii_digit()).count();
        let is_other = match separator {
            b',' => len != 3 && len != 6,
            b':' => len != 3 || rest.get(len) == Some(&b':'),
            _ => len == 0,
        };
        if is_other {
            return 0;
        }
        self.at += 1 + len;
        (0..9).fold(0, |n, at| n * 10 + rest[..len].get(at).map_or(0, |b| i32::from(b - b'0')))
    }

    /// Reads `AM` or `PM`; true for the latter.
    pub(super) fn half_of_day(&mut self) -> Option<bool> {
        let from = self.at;
        self.blanks();
        let rest = &self.text[self.at..];
        let letters: Vec<u8> = rest.iter().take(4).filter(|b| **b != b'.').copied().collect();
        let is_afternoon = match letters.first()?.to_ascii_lowercase() {
            b'a' => false,
            b'p' => true,
            _ => {
                self.at = from;
                return None;
            }
        };
        let dotted = rest.get(1) == Some(&b'.');
        let len = if dotted { 4 } else { 2 };
        let is_half = letters.get(1).is_some_and(|b| b.eq_ignore_ascii_case(&b'm'))
            && !rest.get(len).is_some_and(u8::is_ascii_alphanumeric);
        self.at = if is_half { self.at + len } else { from };
        is_half.then_some(is_afternoon)
    }

    /// Reads the UTC offset of a time, with or without a blank before it.
    pub(super) fn offset(&mut self) -> Option<Offset> {
        let from = self.at;
        let has_blank = self.blanks() > 0;
        let offset = match self.peek() {
            b'+' | b'-' => self.signed(has_blank, false),
            b'(' | b'[' => {
                self.at += 1;
                match self.peek() {
                    b'+' | b'-' => self.signed(false, false),
                    _ => self.zone_name(),
                }
            }
            _ => self.zone_name(),
        };
        if offset.is_none() {
            self.at = from;
        }
        offset
    }

    /// Reads `+01:00`, `+0100`, and without a blank `+01`; `+1` after the name of a
    /// zone, and `+060` after a clock time with dots.
    fn signed(&mut self, has_blank: bool, is_named: bool) -> Option<Offset> {
        let is_west = self.peek() == b'-';
        self.at += 1;
        let rest = &self.text[self.at..];
        let digits = rest.iter().take(5).take_while(|b| b.is_ascii_digit()).count();
        let two = |at: usize| i32::from(rest[at] - b'0') * 10 + i32::from(rest[at + 1] - b'0');
        let is_pair = |at: usize| {
            rest.get(at..at + 2).is_some_and(|pair| pair.iter().all(u8::is_ascii_digit))
                && !rest.get(at + 2).is_some_and(u8::is_ascii_digit)
        };
        let (hours, minutes, len) = match digits {
            4 => (two(0), two(2), 4),
            2 if rest.get(2) == Some(&b':') && is_pair(3) => (two(0), two(3), 5),
            3 if self.is_dotted => {
                let minutes = rest[..3].iter().fold(0, |n, b| n * 10 + i32::from(b - b'0'));
                (minutes / 60, minutes % 60, 3)
            }
            // After a blank, as in PostgreSQL: a word of its own before the
            // process.
            2 if !has_blank || ends_zone(&rest[2..]) => (two(0), 0, 2),
            1 if is_named && rest.get(1) == Some(&b':') && is_pair(2) => {
                (i32::from(rest[0] - b'0'), two(2), 4)
            }
            1 if is_named => (i32::from(rest[0] - b'0'), 0, 1),
            _ => return None,
        };
        if hours > 14 || minutes > 59 {
            return None;
        }
        self.at += len;
        let seconds = (hours * 60 + minutes) * 60;
        Offset::from_seconds(if is_west { -seconds } else { seconds }).ok()
    }

    fn zone_name(&mut self) -> Option<Offset> {
        let rest = self.text.get(self.at..)?;
        let len = rest.iter().take(6).take_while(|b| b.is_ascii_alphanumeric()).count();
        let (name, minutes) = ZONES.iter().find(|(name, _)| *name == &rest[..len])?;
        self.at += len;
        // `UTC+1`, `GMT+01:00`.
        let is_utc = [&b"UTC"[..], b"GMT"].contains(name) && b"+-".contains(&self.peek());
        if is_utc {
            let after = self.at;
            if let Some(offset) = self.signed(false, true) {
                return Some(offset);
            }
            self.at = after;
        }
        Offset::from_seconds(minutes * 60).ok()
    }

    /// Reads the name of a zone by its place, with or without a blank before it:
    /// `Europe/Berlin` of PHP, `[Europe/Berlin]` of Java (RFC 9557, section 4.1).
    pub(super) fn region(&mut self) -> Option<TimeZone> {
        let from = self.at;
        let blanks = self.blanks();
        let opens = b"([".contains(&self.peek());
        self.at += usize::from(opens);
        let zone = if opens || blanks > 0 { self.place_name() } else { None };
        if zone.is_none() {
            self.at = from;
        }
        zone
    }

    /// Reads the name of a zone by its place, at the current position.
    pub(super) fn place_name(&mut self) -> Option<TimeZone> {
        let rest = self.text.get(self.at..)?;
        let area = rest.iter().take(11).take_while(|b| b.is_ascii_alphabetic()).count();
        if rest.get(area) != Some(&b'/') || !AREAS.contains(&&rest[..area]) {
            return None;
        }
        let is_part = |b: &&u8| b.is_ascii_alphanumeric() || b"/_+-".contains(b);
        let len = rest.iter().take(MAX_REGION + 1).take_while(is_part).count();
        let name = std::str::from_utf8(&rest[..len]).ok().filter(|_| len <= MAX_REGION)?;
        let zone = REGIONS.get(name).ok()?;
        self.at += len;
        Some(zone)
    }

    /// Reads the year at the end of `Wed Jun 24 04:15:41 2026`.
    pub(super) fn year_after(&mut self) -> Option<i16> {
        let from = self.at;
        let year = match self.blanks() {
            0 => None,
            _ => self.number(4..=4).filter(|year| (1970..=2200).contains(year)),
        };
        let year = year.filter(|_| self.is_at_end() && self.peek() != b':');
        if year.is_none() {
            self.at = from;
        }
        year
    }

    /// Reads `I0624 04:15:41.123456`, as Kubernetes programs write it, also with
    /// the year.
    pub(super) fn klog(&mut self) -> Option<(Option<i16>, i8, i8, Time)> {
        let (letter, rest) = self.text.split_first()?;
        let digits = rest.iter().take(9).take_while(|b| b.is_ascii_digit()).count();
        let is_klog =
            b"IWEF".contains(letter) && [4, 8].contains(&digits) && rest.get(digits) == Some(&b' ');
        if !is_klog {
            return None;
        }
        let two = |at: usize| ((rest[at] - b'0') * 10 + rest[at + 1] - b'0') as i8;
        let year = (digits == 8).then(|| i16::from(two(0)) * 100 + i16::from(two(2)));
        self.at = 2 + digits;
        self.blanks();
        Some((year, two(digits - 4), two(digits - 2), self.clock()?))
    }
}

/// Whether the time ends with a zone before this, or PostgreSQL's process follows.
fn ends_zone(rest: &[u8]) -> bool {
    rest.first().is_none_or(|b| b"],\"'".contains(b)) || rest.starts_with(b" [")
}
