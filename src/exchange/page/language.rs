//! Texts, numbers and times in the language of whoever reads.
//!
//! The texts of a language are one file of Fluent (<https://projectfluent.org>). English is
//! complete; another language has the same messages with the same arguments, which a test holds.

use crate::engine::indicator::Timestamp;
use crate::exchange::http::Request;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::fmt;
use std::sync::LazyLock;

macro_rules! languages {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal;)*) => {
        /// A language that pages are written in.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(super) enum Language { #[default] $($(#[$doc])* $variant,)* }

        impl Language {
            /// Every language; the first is the one for those whose language there is not.
            pub(super) const ALL: &'static [Language] = &[$(Language::$variant,)*];

            /// Its code (BCP 47).
            pub(super) const fn code(self) -> &'static str {
                match self { $(Language::$variant => $code,)* }
            }

            /// Its own name.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Language::$variant => $name,)* }
            }

            /// Its texts.
            pub(super) fn texts(self) -> &'static Texts {
                match self {
                    $(Language::$variant => {
                        static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
                            Texts::new(Language::$variant, include_str!(concat!("texts/", $code, ".ftl")))
                        });
                        &TEXTS
                    })*
                }
            }
        }
    };
}

languages! {
    /// English.
    English = "en", "English";
    /// German.
    German = "de", "Deutsch";
}

impl Language {
    /// The language with this code.
    pub(super) fn from_code(code: &str) -> Option<Language> {
        Language::ALL.iter().copied().find(|of| of.code().eq_ignore_ascii_case(code))
    }

    /// The language of a request: that of a cookie, otherwise the best one that the browser asks
    /// for (RFC 9110, section 12.5.4).
    pub(super) fn of(request: &Request, chosen: Option<&str>) -> Language {
        let accepted = || {
            let wanted = request.header("accept-language")?;
            let mut best: Option<(Language, f32)> = None;
            for choice in wanted.split(',').take(20) {
                let mut parts = choice.split(';');
                let code = parts.next().unwrap_or_default().trim();
                let weight = parts.find_map(|part| part.trim().strip_prefix("q="));
                let weight: f32 = weight.map_or(Some(1.0), |it| it.parse().ok())?;
                let found = code.split('-').next().and_then(Language::from_code);
                if let Some(found) = found.filter(|_| weight > 0.0)
                    && best.is_none_or(|(_, most)| weight > most)
                {
                    best = Some((found, weight));
                }
            }
            best.map(|(language, _)| language)
        };
        chosen.and_then(Language::from_code).or_else(accepted).unwrap_or_default()
    }

    /// What is between groups of three digits.
    const fn separator(self) -> char {
        match self {
            Language::English => ',',
            Language::German => '.',
        }
    }
}

/// An argument of a text.
pub(super) enum Arg<'a> {
    /// A count: it decides between one and many, and is written in groups of three digits.
    Count(u64),
    /// A text. What people write is kept apart from the sentence, whatever its direction.
    Text(&'a str),
}

impl From<u64> for Arg<'_> {
    fn from(count: u64) -> Self {
        Arg::Count(count)
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Arg::Text(text)
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(text: &'a String) -> Self {
        Arg::Text(text)
    }
}

/// The texts of a language.
pub(super) struct Texts {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts").field("language", &self.language).finish_non_exhaustive()
    }
}

impl Texts {
    fn new(language: Language, text: &str) -> Texts {
        let mut bundle =
            FluentBundle::new_concurrent(vec![language.code().parse().unwrap_or_default()]);
        // Texts of people are isolated below; numbers need no marks.
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(match language {
            Language::English => |value, _| grouped(Language::English, value),
            Language::German => |value, _| grouped(Language::German, value),
        }));
        // What of the file is wrong, a test finds.
        let resource = FluentResource::try_new(text.to_string());
        let resource = resource.unwrap_or_else(|(rest, _)| rest);
        let _ = bundle.add_resource(resource);
        Texts { language, bundle }
    }

    /// The language.
    pub(super) fn language(&self) -> Language {
        self.language
    }

    /// A text without arguments.
    pub(super) fn say(&self, key: &str) -> String {
        self.fill(key, &[])
    }

    /// A text with arguments. One that does not exist is its key, which tests look for.
    pub(super) fn fill(&self, key: &str, arguments: &[(&'static str, Arg<'_>)]) -> String {
        let message = self.bundle.get_message(key).and_then(|message| message.value());
        let Some(pattern) = message else { return key.to_string() };
        let mut all = FluentArgs::with_capacity(arguments.len());
        for (name, value) in arguments {
            match value {
                Arg::Count(count) => all.set(*name, *count as f64),
                Arg::Text(text) => all.set(*name, format!("\u{2068}{text}\u{2069}")),
            }
        }
        let mut errors = Vec::new();
        self.bundle.format_pattern(pattern, Some(&all), &mut errors).into_owned()
    }

    /// A count in groups of three digits.
    pub(super) fn count(&self, count: u64) -> String {
        in_groups(self.language, count)
    }

    /// Several things, as a list in a sentence.
    pub(super) fn list(&self, all: &[String]) -> String {
        match all {
            [] => String::new(),
            [one] => one.clone(),
            [head @ .., last] => format!("{} {} {last}", head.join(", "), self.say("and")),
        }
    }

    /// A day: `30 Nov 2026`, `30.11.2026`.
    pub(super) fn day(&self, time: Timestamp) -> String {
        let text = time.to_string();
        let parts = (text.get(..4), text.get(5..7), text.get(8..10));
        let (Some(year), Some(month), Some(day)) = parts else { return text };
        match self.language {
            Language::German => format!("{day}.{month}.{year}"),
            Language::English => {
                const MONTHS: [&str; 12] = [
                    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
                    "Dec",
                ];
                let name =
                    month.parse::<usize>().ok().and_then(|at| MONTHS.get(at.wrapping_sub(1)));
                format!("{} {} {year}", day.trim_start_matches('0'), name.unwrap_or(&month))
            }
        }
    }
}

/// A number of Fluent in groups of digits.
fn grouped(language: Language, value: &FluentValue<'_>) -> Option<String> {
    match value {
        FluentValue::Number(number) if number.value >= 0.0 => {
            Some(in_groups(language, number.value as u64))
        }
        _ => None,
    }
}

fn in_groups(language: Language, count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(language.separator());
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
