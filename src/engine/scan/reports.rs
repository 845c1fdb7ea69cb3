//! Report mode: text with defanged values, refanged, and a map from each byte back
//! to the original.
//!
//! Reports are prose about indicators. There `evil[.]example` means the domain; in a log it cannot.

use crate::engine::indicator::refang::{phrases, refang};
use std::borrow::Cow;
use std::ops::Range;

/// A refanged text.
#[derive(Debug, Default)]
pub(super) struct Refanged {
    pub(super) text: String,
    /// Pairs of a place in `text` and the place in the source that it and what
    /// follows came from, until the next pair.
    spots: Vec<(usize, usize)>,
}

impl Refanged {
    /// Refangs each word and phrase of each line. Working by line keeps the map
    /// right where a phrase could span a break.
    pub(super) fn new(source: &[u8]) -> Self {
        let mut refanged = Refanged::default();
        let mut at = 0;
        for line in source.split_inclusive(|&b| b == b'\n') {
            refanged.line(&as_text(line), at);
            at += line.len();
        }
        refanged
    }

    /// Refangs a line that is at `at` in the source.
    fn line(&mut self, line: &str, at: usize) {
        let mut done = 0;
        for (range, phrase) in phrases(line) {
            self.push(&line[done..range.start], &line[done..range.start], at + done);
            self.push(&refang(&phrase), &line[range.clone()], at + range.start);
            done = range.end;
        }
        self.push(&line[done..], &line[done..], at + done);
    }

    /// Appends `text`, which is `source` at `at` in the original. Their common head
    /// and tail map to themselves; the middle is mapped byte by byte as far as
    /// there are bytes.
    fn push(&mut self, text: &str, source: &str, at: usize) {
        let first = self.text.len();
        self.spot(first, at);
        let (text_len, source_len) = (text.len(), source.len());
        let is_same = |(one, other): &(u8, u8)| one == other;
        let head = text.bytes().zip(source.bytes()).take_while(is_same).count();
        let tail = text.bytes().rev().zip(source.bytes().rev()).take_while(is_same).count();
        let tail = tail.min(text_len.min(source_len) - head);
        if text_len > source_len {
            // Refanging mostly shortens. Only here is the text longer than its
            // source.
            (head..text_len - tail).for_each(|place| {
                self.spot(first + place, at + place.min(source_len - tail));
            });
        }
        self.spot(first + text_len - tail, at + source_len - tail);
        self.text.push_str(text);
    }

    /// Records where a place comes from, unless the last pair already implies it.
    fn spot(&mut self, place: usize, source: usize) {
        let goes_on = self
            .spots
            .last()
            .is_some_and(|(last, from)| source.checked_sub(*from) == place.checked_sub(*last));
        if !goes_on {
            self.spots.push((place, source));
        }
    }

    /// The span of the source that a span of the text comes from.
    pub(super) fn source(&self, span: &Range<usize>) -> Range<usize> {
        let of = |place: usize| {
            let after = self.spots.partition_point(|(at, _)| *at <= place);
            after.checked_sub(1).map_or(place, |last| {
                let (at, source) = self.spots[last];
                source + (place - at)
            })
        };
        let start = of(span.start);
        start..(of(span.end.saturating_sub(1)) + 1).max(start)
    }
}

/// Converts bytes to text of the same length, so that offsets stay valid. Invalid
/// bytes become U+001A, which separates values.
fn as_text(line: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(line) {
        return Cow::Borrowed(text);
    }
    let chunks = line.utf8_chunks();
    Cow::Owned(chunks.fold(String::with_capacity(line.len()), |mut text, chunk| {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '\u{1a}'));
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The refanged values of a line, and where they were.
    #[test]
    fn values_and_their_places() {
        for (line, value, stood) in [
            ("C2: evil-site [.] example", "evil-site.example", "evil-site [.] example"),
            ("C2: evil-site [dot] example,", "evil-site.example", "evil-site [dot] example"),
            ("C2: evil-site (DOT) example", "evil-site.example", "evil-site (DOT) example"),
            ("C2: evil-site dot example (see)", "evil-site.example", "evil-site dot example"),
            ("C2: evil-site [.]example", "evil-site.example", "evil-site [.]example"),
            ("C2: evil-site[.] example", "evil-site.example", "evil-site[.] example"),
            ("a evil[.]example b", "evil.example", "evil[.]example"),
            ("to 203 dot 0 dot 113 dot 5", "203.0.113.5", "203 dot 0 dot 113 dot 5"),
            ("203 [.] 0 [.] 113 [.] 5", "203.0.113.5", "203 [.] 0 [.] 113 [.] 5"),
            ("mail: u at mail dot example", "u@mail.example", "u at mail dot example"),
            ("from bad.guy at mail.example now", "bad.guy@mail.example", "bad.guy at mail.example"),
            ("u [at] mail [dot] example", "u@mail.example", "u [at] mail [dot] example"),
            ("u @ mail[.]example", "u@mail.example", "u @ mail[.]example"),
            ("hxxp:// evil[.]example/a", "http://evil.example/a", "hxxp:// evil[.]example/a"),
            ("hxxp ://evil[.]example/a", "http://evil.example/a", "hxxp ://evil[.]example/a"),
            ("h**p : // evil[.]example/a", "http://evil.example/a", "h**p : // evil[.]example/a"),
            ("meow://evil[.]example/a", "http://evil.example/a", "meow://evil[.]example/a"),
            (
                "hxxp:\\\\evil[.]example\\gate.php?a=1",
                "http://evil.example/gate.php?a=1",
                "hxxp:\\\\evil[.]example\\gate.php?a=1",
            ),
        ] {
            let refanged = Refanged::new(line.as_bytes());
            let at = refanged.text.find(value);
            let at = at.unwrap_or_else(|| panic!("{line}: {}", refanged.text));
            assert_eq!(&line[refanged.source(&(at..at + value.len()))], stood, "{line}");
        }
    }

    /// Sentences stay unchanged.
    #[test]
    fn sentences_are_left_alone() {
        for line in [
            "we met at noon. look at this dot there",
            "hosted at evil.example since May",
            "see it at http://evil.example/x",
            "the dot is at the end",
            "http and https, both",
            "a\tb  c \r\n\n at dot",
        ] {
            assert_eq!(Refanged::new(line.as_bytes()).text, line);
        }
    }

    proptest! {
        /// The number of lines stays the same, and positions ascend within the text.
        #[test]
        fn lines_and_positions_are_kept(pieces in prop::collection::vec(prop_oneof![
            Just(" "), Just("dot"), Just(" dot "), Just("[.]"), Just(" at "), Just("@"), Just("evil"),
            Just("example"), Just("hxxp"), Just("://"), Just(":\\\\"), Just("\n"), Just("é"), Just("\u{200b}"),
            Just("."), Just("203"), Just("[:]//"), Just("\t"),
        ], 0..40)) {
            let line = pieces.concat();
            let refanged = Refanged::new(line.as_bytes());
            prop_assert_eq!(refanged.text.matches('\n').count(), line.matches('\n').count());
            let mut last = 0;
            for at in 0..refanged.text.len() {
                let source = refanged.source(&(at..at + 1));
                prop_assert!(source.start >= last && source.end <= line.len(), "{at} {source:?} {line:?}");
                last = source.start;
            }
        }
    }
}
