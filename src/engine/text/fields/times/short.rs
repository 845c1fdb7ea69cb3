//! Dates with a year of two digits, if the text next to them leaves no doubt.

use super::reader::{Day, Reader};

impl Reader<'_> {
    /// Reads `260624  4:15:41` of MySQL.
    pub(super) fn short(&mut self) -> Option<Day> {
        let digit = |at: usize| i16::from(self.text[self.at + at] - b'0');
        let two = |at: usize| digit(at) * 10 + digit(at + 1);
        let (year, month, day) = (2000 + two(0), two(2) as i8, two(4) as i8);
        let mut ahead = Reader { at: self.at + 6, ..Reader::new(self.text) };
        let is_certain = ahead.blanks() > 0 && ahead.clock().is_some() && ahead.has_seconds();
        self.at += 6;
        is_certain.then_some(Day { year: Some(year), month, day, is_ambiguous: false })
    }

    /// Whether the clock time that was read includes seconds.
    fn has_seconds(&self) -> bool {
        let clock = &self.text[..self.at];
        let start = clock.iter().rposition(|b| !b.is_ascii_digit() && *b != b':');
        clock[start.map_or(0, |at| at + 1)..].iter().filter(|b| **b == b':').count() == 2
    }

    /// Whether a date with a year of two digits has two digits everywhere and a
    /// clock time with seconds: `24.06.26 04:15:41`, and `06/24/26 04:15:41`, which
    /// can only be in this order.
    pub(super) fn has_whole_clock(&self, from: usize, first: i8, second: i8) -> bool {
        let mut ahead = Reader { at: self.at, ..Reader::new(self.text) };
        let is_padded = self.at - from == 8;
        let is_certain = match self.text.get(from + 2) {
            Some(b'.') => second <= 12,
            Some(b'/') => first <= 12 && second > 12,
            _ => false,
        };
        let clock = self.text.get(self.at + 1..self.at + 9);
        let is_clock = clock.is_some_and(|clock| clock[2] == b':' && clock[5] == b':');
        is_padded && is_certain && is_clock && ahead.blanks() == 1 && ahead.clock().is_some()
    }
}
