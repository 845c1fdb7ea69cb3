//! Forms: how values are written, and which are valid.

use super::problem::{Wrong, alternatives, quoted};
use crate::engine::settings::nearest;
use std::ops::RangeInclusive;
use std::path::Path;
use toml::Spanned;
use toml::de::DeValue;

mod network;
mod paths;
mod properties;
mod quantities;

pub(super) use network::{
    Host, Listen, ListenTcp, Mailbox, Network, Server, Target, Url, host_of, is_local,
};
pub(super) use paths::{FilePath, Pattern};
pub(super) use properties::Properties;
pub(super) use quantities::{Flag, Number, Size, Time, days, kib, mib, ms, seconds};

/// A value as written in the file.
pub(super) type Written<'v> = Spanned<DeValue<'v>>;

/// How a value is written.
pub(super) trait Form {
    /// What it means.
    type Value: Clone;

    /// Reads a value. Relative paths start at `base`.
    fn read(&self, value: &Written<'_>, base: &Path) -> Result<Self::Value, Vec<Wrong>>;

    /// Writes it in TOML, so that reading gives the same value.
    fn write(&self, value: &Self::Value) -> String;

    /// What it looks like, with its bounds, for the reference.
    fn about(&self) -> String;
}

/// The error for a value of another type.
pub(super) fn mistyped(value: &Written<'_>, expected: &str, example: &str) -> Vec<Wrong> {
    let what = format!("expected {expected}, found {}", type_of(value.get_ref()));
    vec![Wrong::new(value.span(), what, example)]
}

fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The text of a value.
pub(super) fn text_of<'v>(value: &'v Written<'_>, example: &str) -> Result<&'v str, Vec<Wrong>> {
    let text = value.get_ref().as_str();
    text.ok_or_else(|| mistyped(value, "a text", &format!("write \"{example}\"")))
}

/// A text as a basic string of TOML.
pub(super) fn write_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A text that has to pass a test.
pub(super) struct Text {
    /// What it is: "a host name".
    pub(super) what: &'static str,
    /// A valid example.
    pub(super) example: &'static str,
    /// Whether a text is valid.
    pub(super) is_right: fn(&str) -> bool,
}

impl Form for Text {
    type Value = String;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<String, Vec<Wrong>> {
        let text = text_of(value, self.example)?;
        if (self.is_right)(text) {
            return Ok(text.to_string());
        }
        let what = format!("invalid value {}: expected {}", quoted(text), self.what);
        Err(vec![Wrong::new(value.span(), what, format!("for example {}", self.example))])
    }

    fn write(&self, value: &String) -> String {
        write_text(value)
    }

    fn about(&self) -> String {
        self.what.trim_start_matches("a ").trim_start_matches("an ").to_string()
    }
}

/// Whether a text is not empty and contains no terminal control characters.
pub(super) fn is_plain(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= 4096 && !text.chars().any(char::is_control)
}

/// Any text of one line.
pub(super) fn line(what: &'static str, example: &'static str) -> Text {
    Text { what, example, is_right: is_plain }
}

/// Values that are written as names.
pub(super) trait Named: Copy + PartialEq + 'static {
    /// All of them.
    fn all() -> Vec<Self>;

    /// The name in the file.
    fn name(self) -> &'static str;
}

/// One of several names.
pub(super) struct Word<T>(pub(super) Vec<T>);

/// Any name of a type.
pub(super) fn word<T: Named>() -> Word<T> {
    Word(T::all())
}

impl<T: Named> Form for Word<T> {
    type Value = T;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<T, Vec<Wrong>> {
        let names: Vec<&str> = self.0.iter().map(|one| one.name()).collect();
        let text = text_of(value, names.first().unwrap_or(&""))?;
        if let Some(found) = self.0.iter().find(|one| one.name() == text) {
            return Ok(*found);
        }
        let what = format!("unknown value {}", quoted(text));
        let remedy = match nearest(text, names.iter().copied()) {
            Some(name) => format!("did you mean “{name}”?"),
            None => format!("expected {}", alternatives(&names)),
        };
        Err(vec![Wrong::new(value.span(), what, remedy)])
    }

    fn write(&self, value: &T) -> String {
        write_text(value.name())
    }

    fn about(&self) -> String {
        let names: Vec<String> = self.0.iter().map(|one| format!("`{}`", one.name())).collect();
        alternatives(&names)
    }
}

/// Enumerations that are written as words.
macro_rules! words {
    ($(
        $(#[$about:meta])*
        pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }
    )+) => { $(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// The name in the configuration.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        impl $crate::sensor::config::form::Named for $name {
            fn all() -> Vec<Self> {
                vec![$($name::$variant,)+]
            }

            fn name(self) -> &'static str {
                $name::name(self)
            }
        }
    )+ };
}
pub(super) use words;

/// A list, or a single member.
pub(super) struct List<F> {
    pub(super) of: F,
    /// The allowed number of members.
    pub(super) count: RangeInclusive<usize>,
    /// Whether a single member may be written without brackets.
    pub(super) takes_one: bool,
}

/// A list that may be empty.
pub(super) fn list<F: Form>(of: F) -> List<F> {
    List { of, count: 0..=10_000, takes_one: true }
}

/// A list with at least one member.
pub(super) fn some<F: Form>(of: F) -> List<F> {
    List { of, count: 1..=10_000, takes_one: true }
}

impl<F: Form> Form for List<F> {
    type Value = Vec<F::Value>;

    fn read(&self, value: &Written<'_>, base: &Path) -> Result<Self::Value, Vec<Wrong>> {
        let Some(array) = value.get_ref().as_array() else {
            if !self.takes_one {
                return Err(mistyped(value, "a list", "write it in brackets"));
            }
            return self.of.read(value, base).map(|one| vec![one]);
        };
        if !self.count.contains(&array.len()) {
            let (min, max) = (self.count.start(), self.count.end());
            let what = match array.len() < *min {
                true => format!("the list needs at least {min}"),
                false => format!("the list has more than {max} members"),
            };
            return Err(vec![Wrong::new(value.span(), what, "")]);
        }
        let (mut read, mut wrong) = (Vec::with_capacity(array.len()), Vec::new());
        for member in array.iter() {
            match self.of.read(member, base) {
                Ok(member) => read.push(member),
                Err(more) => wrong.extend(more),
            }
        }
        if wrong.is_empty() { Ok(read) } else { Err(wrong) }
    }

    fn write(&self, value: &Self::Value) -> String {
        let members: Vec<String> = value.iter().map(|member| self.of.write(member)).collect();
        format!("[{}]", members.join(", "))
    }

    fn about(&self) -> String {
        format!("list: {}", self.of.about())
    }
}
