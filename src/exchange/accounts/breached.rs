//! Passwords that are guessed first, recognised without a list of millions.
//!
//! Lists of breached passwords are long because the same few words are varied: another case, a
//! digit for a letter, a year or an exclamation mark at the end, twice the same. So those
//! variations are undone, and what is left is looked for among some 320 stems
//! (`stems.txt`: written down by hand from what the published rankings of the most frequent
//! passwords have in common, in English and German). What is nothing but stems, digits and signs,
//! a walk on the keyboard, or a repetition, counts as breached. All of it works offline, and no
//! part of a password leaves the process.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The stems, one a line, sorted.
const STEMS: &str = include_str!("stems.txt");

/// Rows of keyboards, and other orders that fingers know.
const ROWS: [&str; 8] = [
    "1234567890",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjklöä",
    "zxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
];

/// Letters that must remain after stems are taken away, for a password that is none of them.
const FREE: usize = 5;

/// Whether a password is among the first that are guessed. `own` are words of its owner: its
/// name, the parts of its address.
pub(super) fn is_breached(password: &str, own: &[&str]) -> bool {
    let lower = password.to_lowercase();
    is_repetition(&lower) || is_walk(&lower) || is_of_stems(&lower, own)
}

/// Whether a text is one part again and again, of at most six characters, or written twice.
fn is_repetition(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let repeats = |length: usize| chars.iter().enumerate().all(|(at, c)| *c == chars[at % length]);
    (1..=6.min(chars.len() / 2)).any(repeats)
}

/// Whether three quarters of a text are steps along a row, forwards or backwards.
fn is_walk(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let steps = chars.windows(2).filter(|pair| is_step(pair[0], pair[1])).count();
    chars.len() > 1 && steps * 4 >= (chars.len() - 1) * 3
}

fn is_step(from: char, to: char) -> bool {
    if from == to {
        return true;
    }
    ROWS.iter().any(|row| {
        let place = |c: char| row.chars().position(|of| of == c);
        let end = row.chars().count();
        match (place(from), place(to)) {
            // From 0 the digits go on with 1.
            (Some(from), Some(to)) => from.abs_diff(to) == 1 || from.abs_diff(to) + 1 == end,
            _ => false,
        }
    })
}

/// Whether hardly anything is left when stems, digits and signs are taken away, with the digits
/// and signs read as the letters that they stand for, or as nothing.
fn is_of_stems(text: &str, own: &[&str]) -> bool {
    let read: String = text.chars().map(letter_of).filter(|c| c.is_alphabetic()).collect();
    let bare: String = text.chars().filter(|c| c.is_alphabetic()).collect();
    [read, bare].iter().any(|letters| letters_left(letters, own) < FREE)
}

/// The letter that a digit or a sign stands for.
fn letter_of(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        c => c,
    }
}

/// How many letters remain at least when stems are taken away; stems do not overlap.
fn letters_left(letters: &str, own: &[&str]) -> usize {
    let chars: Vec<char> = letters.chars().collect();
    let own: Vec<String> = own.iter().map(|word| word.to_lowercase()).collect();
    // For each place, the fewest letters that remain before it.
    let mut left = vec![0; chars.len() + 1];
    for end in 1..=chars.len() {
        left[end] = left[end - 1] + 1;
        for start in end.saturating_sub(16)..end {
            let word: String = chars[start..end].iter().collect();
            let is_own = word.len() >= 3 && own.contains(&word);
            if is_own || is_stem(&word) {
                left[end] = left[end].min(left[start]);
            }
        }
    }
    left[chars.len()]
}

fn is_stem(word: &str) -> bool {
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| STEMS.lines().collect());
    word.len() >= 3 && KNOWN.contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_are_sorted_and_plain() {
        let stems: Vec<&str> = STEMS.lines().collect();
        assert!(stems.is_sorted() && stems.len() > 250, "{}", stems.len());
        assert!(stems.iter().all(|stem| stem.bytes().all(|b| b.is_ascii_lowercase())));
    }

    #[test]
    fn variations_of_what_leaked_are_recognised() {
        for password in [
            "password1234",
            "P@ssw0rd2024!",
            "passwordpassword",
            "Welcome2Company!",
            "Summer2025!!",
            "123456789012",
            "098765432109",
            "qwertyuiop123",
            "1qaz2wsx3edc",
            "zxcvbnm,./12",
            "abcabcabcabc",
            "aaaaaaaaaaaa",
            "ILoveYou!2023",
            "letmein12345",
            "Alice-alice-1999",
            "adminADMIN2026",
            "trustno1trustno1",
            "!!!!1111!!!!",
        ] {
            assert!(is_breached(password, &["Alice"]), "{password}");
        }
        for password in [
            "correct horse battery",
            "gT7#pLq9vXz2",
            "tram velvet onion",
            "passwords are no fun",
            "Dreiundzwanzig Zebras",
            "пароль из деревни",
        ] {
            assert!(!is_breached(password, &["Alice"]), "{password}");
        }
    }
}
