//! Chooses the place at which a scan searches for a string: its anchor.
//!
//! An anchor is [`STRIDE`] adjacent windows, so a scan that looks at every
//! [`STRIDE`]th window hits one of them. It is chosen where text rarely matches by
//! chance, and where no JSON encoder writes escapes, so that one anchor finds the
//! string in plain text and in JSON alike. A string without such a place gets an
//! anchor for each form that JSON may give it.

use crate::engine::indicator::gram::{ANCHOR, GRAM, MAX_PLACE, STRIDE, at as window_at, is_plain};
use crate::engine::indicator::{Kind, words};
use hashbrown::HashMap;

/// A window by which a string is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) gram: u32,
    /// The position of the window in the string, after the hive of a registry key.
    pub(super) place: u16,
    /// Whether `place` refers to the JSON-escaped form of the string.
    pub(super) escaped: bool,
}

/// Chooses anchors, and counts how often each window was chosen.
#[derive(Debug, Default)]
pub(super) struct Chooser {
    used: HashMap<u32, u32>,
}

impl Chooser {
    /// The anchors of a string; empty if it is too short.
    pub(super) fn choose(&mut self, kind: Kind, text: &str) -> Vec<Anchor> {
        let hive = match kind {
            Kind::Regkey => words::hive(text).map_or(0, |(short, _)| short.len()),
            _ => 0,
        };
        let body = &text[hive..];
        let mut anchors = Vec::new();
        if body.len() < ANCHOR {
            return anchors;
        }
        if let Some(place) = self.best(body.as_bytes(), true) {
            self.take(body.as_bytes(), place, false, &mut anchors);
            return anchors;
        }
        if let Some(place) = self.best(body.as_bytes(), false) {
            self.take(body.as_bytes(), place, false, &mut anchors);
        }
        for form in escaped_forms(body) {
            if let Some(place) = self.best(form.as_bytes(), false) {
                self.take(form.as_bytes(), place, true, &mut anchors);
            }
        }
        anchors
    }

    /// The place of the anchor that occurs least often in text. `plain` restricts
    /// it to places without escapes.
    fn best(&self, body: &[u8], plain: bool) -> Option<usize> {
        body.windows(ANCHOR)
            .take(MAX_PLACE)
            .enumerate()
            .filter(|(_, run)| !plain || run.iter().all(|&b| is_plain(b)))
            .min_by_key(|(_, run)| run.windows(GRAM).map(|w| self.cost(w)).max())
            .map(|(place, _)| place)
    }

    /// The cost of a window: the logarithm of its frequency, in halves of a power
    /// of two.
    fn cost(&self, window: &[u8]) -> u32 {
        let Some(gram) = window_at(window, 0) else { return u32::MAX };
        let used = self.used.get(&gram).copied().unwrap_or(0);
        let lower = window.to_ascii_lowercase();
        let is_word = FREQUENT.iter().any(|word| memchr::memmem::find(word, &lower).is_some());
        let bytes: u32 = lower.iter().map(|&b| cost(b)).sum();
        bytes + if is_word { WORD } else { 0 } + 2 * (used + 1).ilog2()
    }

    fn take(&mut self, body: &[u8], place: usize, escaped: bool, anchors: &mut Vec<Anchor>) {
        for place in place..place + STRIDE {
            let Some(gram) = window_at(body, place) else { continue };
            *self.used.entry(gram).or_default() += 1;
            anchors.push(Anchor { gram, place: place as u16, escaped });
        }
    }
}

/// The cost of a byte by its frequency in logs, in halves of a power of two.
fn cost(byte: u8) -> u32 {
    match byte {
        b' ' | b'e' | b'0' | b'1' => 12,
        b't' | b'a' | b'i' | b'o' | b's' | b'r' | b'n' | b'2' => 11,
        b'c' | b'd' | b'l' | b'.' | b'-' | b'3'..=b'5' | b':' | b'"' | b'/' => 10,
        b'm' | b'p' | b'u' | b'h' | b'g' | b'6'..=b'9' | b'_' | b',' => 9,
        b'b' | b'f' | b'y' | b'v' | b'w' | b'k' | b'=' | b'(' | b')' | b'\\' => 8,
        b'x' | b'j' | b'q' | b'z' | b';' | b'[' | b']' | b'{' | b'}' | b'%' | b'&' | b'+' => 6,
        _ => 4,
    }
}

/// The additional cost of a window in one of the words below.
const WORD: u32 = 14;

/// Words that are frequent in logs of endpoints and web servers.
static FREQUENT: &[&[u8]] = &[
    b"microsoft",
    b"software",
    b"windows",
    b"currentversion",
    b"system32",
    b"syswow64",
    b"users",
    b"user-agent",
    b"programdata",
    b"program files (x86)",
    b"appdata",
    b"roaming",
    b"local",
    b"temp",
    b"public",
    b"documents",
    b"desktop",
    b"downloads",
    b"services",
    b"controlset",
    b"mozilla/5.0 (windows nt 10.0; win64; x64) wow64",
    b"(windows nt 6.1; trident/",
    b"(x11; linux x86_64",
    b"(macintosh; intel mac os x",
    b"group",
    b"applewebkit/537.36 (khtml, like gecko)",
    b"compatible; msie",
    b"safari/537.36",
    b"chrome/",
    b"firefox/",
    b"https://www.",
    b".com",
    b".exe",
    b".dll",
    b".php",
    b".html",
    b"library",
    b"/usr/local/bin",
    b"/usr/share/",
    b"/usr/lib/",
    b"/etc/",
    b"/home/",
    b"/var/log",
    b"global\\",
    b"2019-2020-2021-2022-2023-2024-2025-2026-2027",
    b"0000000000",
    b"127.0.0.1",
    b"192.168.",
];

/// The forms of a string that differ from it in JSON: with or without escaped
/// slashes, with or without characters beyond ASCII.
fn escaped_forms(text: &str) -> Vec<String> {
    let mut forms: Vec<String> = Vec::new();
    for (slashes, beyond) in [(false, false), (true, false), (false, true), (true, true)] {
        let form = escape(text, slashes, beyond);
        if form != text && !forms.contains(&form) {
            forms.push(form);
        }
    }
    forms
}

fn escape(text: &str, slashes: bool, beyond: bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '\\' | '"' => out.extend(['\\', char]),
            '/' if slashes => out.push_str("\\/"),
            char if char.is_control() || beyond && !char.is_ascii() => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(kind: Kind, text: &str) -> Vec<(u16, bool)> {
        let anchors = Chooser::default().choose(kind, text);
        anchors.iter().map(|anchor| (anchor.place, anchor.escaped)).collect()
    }

    #[test]
    fn rare_and_plain_places() {
        // `Microsoft` and `.exe` are everywhere; `q7zkx` is not.
        let anchored = places(Kind::Filepath, "c:\\microsoft\\q7zkx.exe");
        assert_eq!(anchored, [(13, false), (14, false), (15, false)]);
        // After the hive, and counted from there.
        let anchored = places(Kind::Regkey, "hklm\\zzqqxj");
        assert_eq!(anchored, [(1, false), (2, false), (3, false)]);
        assert_eq!(places(Kind::Mutex, "abcde"), []);
        assert_eq!(places(Kind::Regkey, "hklm\\abcd"), []);
    }

    #[test]
    fn forms_where_no_place_is_plain() {
        assert_eq!(
            escaped_forms("a\\b/ü"),
            ["a\\\\b/ü", "a\\\\b\\/ü", "a\\\\b/\\u00fc", "a\\\\b\\/\\u00fc"]
        );
        assert_eq!(escaped_forms("plain"), Vec::<String>::new());
        let anchored = places(Kind::Filepath, "c:\\a\\b\\c\\d");
        assert_eq!(anchored.iter().filter(|(_, escaped)| *escaped).count(), STRIDE);
        assert_eq!(anchored.iter().filter(|(_, escaped)| !*escaped).count(), STRIDE);
    }

    #[test]
    fn crowded_windows_are_left() {
        let mut chooser = Chooser::default();
        let first = chooser.choose(Kind::Mutex, "zqxzqnnnnnjjkjj");
        for _ in 0..100 {
            chooser.choose(Kind::Mutex, "zqxzqnnnnn");
        }
        let then = chooser.choose(Kind::Mutex, "zqxzqnnnnnjjkjj");
        assert_ne!(first, then);
    }
}
