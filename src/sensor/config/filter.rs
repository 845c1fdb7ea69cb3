//! Which alerts a sink gets.

use super::field::{Optional, Or};
use super::form::{Form, Named, Number, Text, Word, Written, list, text_of, word, write_text};
use super::problem::{Wrong, alternatives, listed, quoted};
use super::reader::Reader;
use super::table::table;
use crate::engine::indicator::{Kind, Severity};
use crate::engine::settings::nearest;
use std::path::Path;

table! {
    /// Which alerts a sink gets: those that meet every key, and are not excluded.
    pub struct Filter {
        /// The minimum severity.
        min_severity: Option<Severity> = Optional(severity());
        /// The minimum confidence of a feed; feeds without a confidence never reach it.
        min_confidence: Option<u8> = Optional(Number::of(0..=100));
        /// Kinds of the observable or of an indicator that it matched: `ip`, `domain`, `url`…, or
        /// `hash` for all file hashes. All kinds if empty.
        kinds: Vec<Kind> = Or(list_of_kinds(), Vec::new());
        /// Names of feeds, with wildcards, ignoring case. All feeds if empty.
        feeds: Vec<String> = Or(list(pattern("urlhaus")), Vec::new());
        /// Tags of the indicator, with wildcards, ignoring case. No condition if empty.
        tags: Vec<String> = Or(list(pattern("phish*")), Vec::new());
        /// Names of inputs, with wildcards, ignoring case. All inputs if empty.
        inputs: Vec<String> = Or(list(pattern("web-*")), Vec::new());
        /// Excluded kinds of the observable or of an indicator.
        exclude_kinds: Vec<Kind> = Or(list_of_kinds(), Vec::new());
        /// Excluded feeds: alerts are sent if another feed has the indicator, too.
        exclude_feeds: Vec<String> = Or(list(pattern("test-*")), Vec::new());
        /// Excluded tags.
        exclude_tags: Vec<String> = Or(list(pattern("tor")), Vec::new());
        /// Excluded inputs.
        exclude_inputs: Vec<String> = Or(list(pattern("test-*")), Vec::new());
    }
}

impl Named for Severity {
    fn all() -> Vec<Self> {
        vec![Severity::Low, Severity::Medium, Severity::High, Severity::Critical]
    }

    fn name(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

fn severity() -> Word<Severity> {
    word()
}

/// A name pattern.
fn pattern(example: &'static str) -> Text {
    let is_right = |text: &str| {
        super::form::is_plain(text) && text.len() <= 256 && glob::Pattern::new(text).is_ok()
    };
    Text { what: "name, with `*`, `?` and `[…]` as wildcards", example, is_right }
}

/// Kinds of indicators, by name or by a word for several.
struct Kinds;

/// The kinds that a word stands for.
fn kinds_of(word: &str) -> Option<Vec<Kind>> {
    let all = Kind::ALL.iter().copied();
    let is_file = |kind: &Kind| (Kind::Md5..=Kind::Cdhash).contains(kind);
    let is_certificate = |kind: &Kind| (Kind::CertMd5..=Kind::CertSha256).contains(kind);
    match word {
        "hash" => Some(all.filter(|kind| kind.digest_len().is_some() && is_file(kind)).collect()),
        "cert" => Some(all.filter(is_certificate).collect()),
        _ => Kind::from_name(word).map(|kind| vec![kind]),
    }
}

/// The kinds that one word in the file stands for.
fn read_kinds(value: &Written<'_>) -> Result<Vec<Kind>, Vec<Wrong>> {
    let text = text_of(value, "domain")?;
    kinds_of(text).ok_or_else(|| {
        let mut names: Vec<&str> = vec!["hash", "cert"];
        names.extend(Kind::ALL.iter().map(|kind| kind.name()));
        let remedy = match nearest(text, names.iter().copied()) {
            Some(name) => format!("did you mean “{name}”?"),
            None => format!("expected {}", alternatives(&names)),
        };
        vec![Wrong::new(value.span(), format!("unknown kind {}", quoted(text)), remedy)]
    })
}

impl Form for Kinds {
    type Value = Vec<Kind>;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<Vec<Kind>, Vec<Wrong>> {
        let Some(array) = value.get_ref().as_array() else { return read_kinds(value) };
        let (mut kinds, mut wrong) = (Vec::new(), Vec::new());
        for member in array.iter() {
            match read_kinds(member) {
                Ok(more) => kinds.extend(more),
                Err(more) => wrong.extend(more),
            }
        }
        // In the order of their numbers, whatever the order in the file, without duplicates.
        kinds.sort();
        kinds.dedup();
        if wrong.is_empty() { Ok(kinds) } else { Err(wrong) }
    }

    fn write(&self, value: &Vec<Kind>) -> String {
        let names: Vec<String> = value.iter().map(|kind| write_text(kind.name())).collect();
        format!("[{}]", names.join(", "))
    }

    fn about(&self) -> String {
        "list: kind of indicator".into()
    }
}

fn list_of_kinds() -> Kinds {
    Kinds
}

impl Filter {
    /// Reports filters that let nothing through.
    pub(super) fn check(&self, reader: &mut Reader<'_, '_>) {
        let names = |kinds: &[Kind]| kinds.iter().map(|kind| kind.name().to_string()).collect();
        let pairs: [(&str, Vec<String>, Vec<String>); 4] = [
            ("kinds", names(&self.kinds), names(&self.exclude_kinds)),
            ("feeds", self.feeds.clone(), self.exclude_feeds.clone()),
            ("tags", self.tags.clone(), self.exclude_tags.clone()),
            ("inputs", self.inputs.clone(), self.exclude_inputs.clone()),
        ];
        for (key, wanted, excluded) in pairs {
            if !wanted.is_empty() && wanted.iter().all(|name| excluded.contains(name)) {
                let other = format!("exclude_{key}");
                let what = format!("{other} excludes everything that {key} allows");
                reader.wrong(&other, &what, "no alert would remain");
            }
        }
    }

    /// The filter in plain English, to append to the description of a sink.
    pub(super) fn describe(&self) -> String {
        let mut parts = Vec::new();
        if let Some(min) = self.min_severity {
            parts.push(format!("severity {} or more", min.name()));
        }
        if let Some(min) = self.min_confidence {
            parts.push(format!("confidence {min} or more"));
        }
        let names = |kinds: &[Kind]| -> Vec<String> {
            kinds.iter().map(|kind| kind.name().to_string()).collect()
        };
        let (kinds, without) = (names(&self.kinds), names(&self.exclude_kinds));
        let lists = [
            ("kinds", &kinds),
            ("feeds", &self.feeds),
            ("tags", &self.tags),
            ("inputs", &self.inputs),
            ("not the kinds", &without),
            ("not the feeds", &self.exclude_feeds),
            ("not the tags", &self.exclude_tags),
            ("not the inputs", &self.exclude_inputs),
        ];
        for (what, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
            parts.push(format!("{what} {}", listed(names)));
        }
        if parts.is_empty() { String::new() } else { format!("; only {}", parts.join(", ")) }
    }
}
