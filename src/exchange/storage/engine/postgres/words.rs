//! Words as SQLite's tokenizer `unicode61` finds them, and what PostgreSQL makes of them.
//!
//! PostgreSQL's own parser takes addresses, names of hosts and numbers apart in its own way, and
//! depends on the locale of the cluster. So the lexemes are made here: a search answers the same
//! whichever database is behind it.

use super::super::session::Words;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// The last position that a `tsvector` has; words after it have the same.
const MAX_POSITION: usize = 16_383;

/// The most positions of one lexeme.
const MAX_PLACES: usize = 255;

/// The most bytes of a lexeme; longer words are not found.
const MAX_LEXEME: usize = 1024;

/// Between columns, so that no phrase spans two.
const GAP: usize = 100;

/// The words of a text, in lower case and without diacritics.
pub(super) fn lexemes(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c))
        .map(|word| {
            let plain = word.nfd().filter(|c| !is_combining_mark(*c));
            plain.flat_map(char::to_lowercase).collect::<String>()
        })
        .filter(|word| !word.is_empty() && word.len() <= MAX_LEXEME)
}

/// A `tsvector` as text: each lexeme with its positions and weights.
pub(super) fn vector(words: Words<'_>) -> String {
    let mut places: BTreeMap<String, Vec<(usize, &str)>> = BTreeMap::new();
    let mut at = 0;
    for (text, weight) in [(words.name, "A"), (words.labels, "B"), (words.text, "")] {
        for lexeme in lexemes(text) {
            at += 1;
            let known = places.entry(lexeme).or_default();
            if known.len() < MAX_PLACES {
                known.push((at.min(MAX_POSITION), weight));
            }
        }
        at += GAP;
    }
    let mut out = String::new();
    for (lexeme, places) in &places {
        let _ = write!(out, "'{lexeme}'");
        for (nth, (at, weight)) in places.iter().enumerate() {
            let _ = write!(out, "{}{at}{weight}", if nth == 0 { ':' } else { ',' });
        }
        out.push(' ');
    }
    out
}

/// A `tsquery` as text: all terms, the words of each in a row; only where they have a weight, if
/// there is one.
pub(super) fn query(terms: &[String], weight: &str) -> String {
    let phrase = |term: &String| {
        let words: Vec<String> = lexemes(term).map(|word| suffixed(&word, weight)).collect();
        words.join(" <-> ")
    };
    let phrases = terms.iter().map(phrase).filter(|phrase| !phrase.is_empty());
    phrases.map(|phrase| format!("({phrase})")).collect::<Vec<_>>().join(" & ")
}

/// A word of a query, and the weight that it must have.
fn suffixed(word: &str, weight: &str) -> String {
    match weight {
        "" => format!("'{word}'"),
        weight => format!("'{word}':{weight}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_unicode61() {
        let of = |text: &str| lexemes(text).collect::<Vec<_>>();
        assert_eq!(
            of("Side-Loading, https://www.Google.com/a"),
            ["side", "loading", "https", "www", "google", "com", "a"]
        );
        assert_eq!(
            of("CVE-2024-1234 É\u{301}te e\u{301} Straße 1e5"),
            ["cve", "2024", "1234", "ete", "e", "straße", "1e5"]
        );
        assert_eq!(of("'; --\\ \u{0}"), Vec::<String>::new());
    }

    #[test]
    fn vectors_and_queries_are_written() {
        let words = Words { name: "Red red", labels: "apt", text: "of red" };
        assert_eq!(vector(words), "'apt':103B 'of':204 'red':1A,2A,205 ");
        let terms = ["google.com".to_string(), "!!".into(), "x".into()];
        assert_eq!(query(&terms, ""), "('google' <-> 'com') & ('x')");
        assert_eq!(query(&terms[2..], "A"), "('x':A)");
        assert_eq!(query(&["--".to_string()], "B"), "");
        let long = "a ".repeat(20_000);
        let vector = vector(Words { name: "", labels: "", text: &long });
        assert_eq!(vector.matches(',').count(), 254);
    }
}
