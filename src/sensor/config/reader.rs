//! Reads one table from TOML: every key is asked for, and keys that were not asked for are unknown.

use super::problem::{Problems, Source, Wrong, alternatives, quoted};
use crate::engine::settings::nearest;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Names that people use for secrets that do not belong in the file.
const SECRETS: [&str; 12] = [
    "password",
    "passwd",
    "pass",
    "secret",
    "token",
    "tokens",
    "key",
    "keys",
    "api_key",
    "apikey",
    "signing_key",
    "credential",
];

/// Keys of other programs, or of other tables, and what they are called here.
const KNOWN_AS: &[(&str, &str)] = &[
    ("address", "listen"),
    ("bind", "listen"),
    ("bind", "metrics"),
    ("bootstrap_servers", "brokers"),
    ("bpf", "filter"),
    ("ca", "ca_file"),
    ("cafile", "ca_file"),
    ("dir", "folder"),
    ("directory", "folder"),
    ("endpoint", "url"),
    ("file", "path"),
    ("files", "patterns"),
    ("glob", "patterns"),
    ("group_id", "group"),
    ("host", "address"),
    ("host", "server"),
    ("hosts", "brokers"),
    ("include", "patterns"),
    ("listen", "metrics"),
    ("max_size", "rotate_size"),
    ("path", "folder"),
    ("path", "patterns"),
    ("paths", "patterns"),
    ("port", "listen"),
    ("read_from", "from"),
    ("recipients", "to"),
    ("sender", "from"),
    ("severity", "min_severity"),
    ("smtp", "server"),
    ("spool", "spool_size"),
    ("start_at", "from"),
    ("type", "kind"),
    ("uri", "url"),
    ("units", "matches"),
    ("window", "batch_age"),
    ("workers", "threads"),
];

/// What the readers of a configuration share.
pub(super) struct Parsing<'s> {
    pub(super) source: &'s Source,
    /// The folder that relative paths start at.
    pub(super) base: &'s Path,
    pub(super) problems: Problems,
}

impl Parsing<'_> {
    pub(super) fn add(&mut self, at: usize, what: &str, remedy: &str) {
        let source = self.source;
        self.problems.add_with(|| source.problem(Some(at), what, remedy));
    }
}

/// A table that is being read.
pub(super) struct Reader<'r, 's> {
    keys: BTreeMap<&'r str, (Range<usize>, &'r Spanned<DeValue<'r>>)>,
    asked: BTreeSet<String>,
    /// The offset of the table.
    at: usize,
    /// Its name in messages.
    what: String,
    pub(super) parsing: &'r mut Parsing<'s>,
}

impl<'r, 's> Reader<'r, 's> {
    pub(super) fn new(
        table: &'r DeTable<'r>,
        at: usize,
        what: impl Into<String>,
        parsing: &'r mut Parsing<'s>,
    ) -> Self {
        let keys = table.iter().map(|(key, value)| (&**key.get_ref(), (key.span(), value)));
        Reader { keys: keys.collect(), asked: BTreeSet::new(), at, what: what.into(), parsing }
    }

    /// Gives it a better name for messages.
    pub(super) fn call(&mut self, what: String) {
        self.what = what;
    }

    /// The value of a key.
    pub(super) fn value(&mut self, key: &str) -> Option<&'r Spanned<DeValue<'r>>> {
        self.asked.insert(key.to_string());
        self.keys.get(key).map(|(_, value)| *value)
    }

    /// Whether the table contains a key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// The position of a key, or of the table.
    pub(super) fn at(&self, key: &str) -> usize {
        self.keys.get(key).map_or(self.at, |(span, _)| span.start)
    }

    /// The positions of the keys.
    pub(super) fn places(&self) -> impl Iterator<Item = (&'r str, usize)> {
        self.keys.iter().map(|(key, (span, _))| (*key, span.start))
    }

    /// Reports a problem with a key, or with a missing one.
    pub(super) fn wrong(&mut self, key: &str, what: &str, remedy: &str) {
        let what = format!("{}: {what}", self.what);
        self.parsing.add(self.at(key), &what, remedy);
    }

    /// Reports a problem with the value of a key.
    pub(super) fn wrong_value(&mut self, key: &str, wrong: Wrong) {
        let what = format!("{}: {key}: {}", self.what, wrong.what);
        self.parsing.add(wrong.span.start, &what, &wrong.remedy);
    }

    /// Whether the table contains a secret, which is reported as such.
    pub(super) fn has_secret(&self) -> bool {
        SECRETS.iter().any(|key| self.keys.contains_key(key))
    }

    /// Reports two keys that exclude each other.
    pub(super) fn conflict(&mut self, one: &str, other: &str, why: &str) {
        self.wrong(other, &format!("{one} and {other} are both set"), why);
    }

    /// Reports the keys that were not asked for. `elsewhere` says which kinds have such a key.
    pub(super) fn finish(self, elsewhere: impl Fn(&str) -> Option<String>) {
        let unknown: Vec<(&str, usize)> =
            self.places().filter(|(key, _)| !self.asked.contains(*key)).collect();
        for (key, at) in unknown {
            let (what, remedy) = match self.secret(key) {
                Some(remedy) => ("a secret does not belong in this file".to_string(), remedy),
                None => (format!("unknown key {}", quoted(key)), self.advice(key, elsewhere(key))),
            };
            let what = format!("{}: {what}", self.what);
            self.parsing.add(at, &what, &remedy);
        }
    }

    /// How to give the location of a secret, if this key would contain one.
    fn secret(&self, key: &str) -> Option<String> {
        let is_asked = |key: &&str| self.asked.contains(&format!("{key}_env"));
        let own = [key, key.trim_end_matches('s')].into_iter().find(is_asked);
        let any = SECRETS.contains(&key).then(|| SECRETS.into_iter().find(is_asked)).flatten();
        own.or(any).map(|name| {
            format!("set {name}_env to a variable, or {name}_file to a file that contains it")
        })
    }

    fn advice(&self, key: &str, elsewhere: Option<String>) -> String {
        let asked = || self.asked.iter().map(String::as_str);
        let known = KNOWN_AS.iter().find(|(word, name)| *word == key && self.asked.contains(*name));
        match known.map(|(_, name)| *name).or_else(|| nearest(key, asked())) {
            Some(name) => format!("did you mean “{name}”?"),
            None => elsewhere.unwrap_or_else(|| {
                let names: Vec<&str> = asked().collect();
                format!("expected {}", alternatives(&names))
            }),
        }
    }
}
