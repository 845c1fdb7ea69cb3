//! How many columns of a terminal a text takes, and how it is shortened.

/// Characters that take no column of their own (marks that combine, joiners, selectors).
const NARROW: &[(u32, u32)] = &[
    (0x0300, 0x036f),
    (0x0483, 0x0489),
    (0x0591, 0x05bd),
    (0x0610, 0x061a),
    (0x064b, 0x065f),
    (0x0e31, 0x0e31),
    (0x0e34, 0x0e3a),
    (0x0e47, 0x0e4e),
    (0x1ab0, 0x1aff),
    (0x1dc0, 0x1dff),
    (0x200b, 0x200f),
    (0x2060, 0x2064),
    (0x20d0, 0x20ff),
    (0xfe00, 0xfe0f),
    (0xfe20, 0xfe2f),
];

/// Characters that take two columns (wide and fullwidth of UAX #11, by blocks).
const WIDE: &[(u32, u32)] = &[
    (0x1100, 0x115f),
    (0x231a, 0x231b),
    (0x23e9, 0x23f3),
    (0x2614, 0x2615),
    (0x2648, 0x2653),
    (0x26bd, 0x26be),
    (0x2705, 0x2705),
    (0x274c, 0x274e),
    (0x2753, 0x2757),
    (0x2795, 0x2797),
    (0x2b1b, 0x2b1c),
    (0x2b50, 0x2b55),
    (0x2e80, 0x303e),
    (0x3041, 0xa4cf),
    (0xa960, 0xa97f),
    (0xac00, 0xd7a3),
    (0xf900, 0xfaff),
    (0xfe10, 0xfe19),
    (0xfe30, 0xfe6f),
    (0xff00, 0xff60),
    (0xffe0, 0xffe6),
    (0x16fe0, 0x1b2ff),
    (0x1f18e, 0x1f19a),
    (0x1f200, 0x1f64f),
    (0x1f680, 0x1f6ff),
    (0x1f7e0, 0x1f7eb),
    (0x1f900, 0x1f9ff),
    (0x1fa70, 0x1faff),
    (0x20000, 0x3fffd),
];

/// The columns of a character.
fn of_char(c: char) -> usize {
    let is_in = |ranges: &[(u32, u32)]| {
        let at = ranges.partition_point(|(_, last)| *last < c as u32);
        ranges.get(at).is_some_and(|(first, _)| *first <= c as u32)
    };
    match c {
        '\0'..='\u{2ff}' => 1,
        _ if is_in(NARROW) => 0,
        _ if is_in(WIDE) => 2,
        _ => 1,
    }
}

/// The columns of a text.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(of_char).sum()
}

/// A text of at most `most` columns: its beginning and its end, if it is longer.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_string();
    }
    let tail = (most - 1) / 2;
    let head = taken(text.chars(), most - 1 - tail);
    let tail: String = taken(text.chars().rev(), tail).chars().rev().collect();
    format!("{head}…{tail}")
}

/// As many characters as fit.
fn taken(chars: impl Iterator<Item = char>, most: usize) -> String {
    let mut columns = 0;
    chars
        .take_while(|c| {
            columns += of_char(*c);
            columns <= most
        })
        .collect()
}

/// Names of at most `most` columns, of which no two are equal: those that would be are told apart
/// by their numbers, from 1.
pub(super) fn distinct(names: &[String], most: usize) -> Vec<String> {
    let short: Vec<String> = names.iter().map(|name| shortened(name, most)).collect();
    let mut counts = std::collections::HashMap::new();
    for name in &short {
        *counts.entry(name.clone()).or_insert(0) += 1;
    }
    let numbered = |(number, (name, short)): (usize, (&String, String))| {
        if counts.get(&short).is_none_or(|count| *count == 1) {
            return short;
        }
        let number = format!("…#{number}");
        taken(name.chars(), most - width(&number)) + &number
    };
    (1..).zip(names.iter().zip(short)).map(numbered).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_take_two_columns_and_marks_none() {
        assert_eq!(["abc", "フィード", "e\u{301}", "🦀", "…"].map(width), [3, 8, 1, 2, 1]);
        let ranges = [NARROW, WIDE];
        assert!(ranges.iter().all(|all| all.windows(2).all(|two| two[0].1 < two[1].0)));
    }

    #[test]
    fn shortened_names_stay_distinct() {
        assert_eq!(shortened("abcdefghij", 10), "abcdefghij");
        assert_eq!(shortened("abcdefghijk", 10), "abcde…hijk");
        assert!(width(&shortened("フィードフィードフィード", 10)) <= 10);
        let name = |middle: &str| format!("partner-feed-{middle}-of-indicators");
        let names = [name("a"), name("b"), "c".into()];
        assert_eq!(distinct(&names, 12), ["partner-f…#1", "partner-f…#2", "c"]);
        let ends = ["partner-feed-of-names".to_string(), "partner-feed-of-urls".into()];
        assert_eq!(distinct(&ends, 12), ["partne…names", "partne…-urls"]);
    }
}
