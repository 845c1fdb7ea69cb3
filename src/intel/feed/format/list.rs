//! Lists with one value per line, each of a guessed kind, and Squid's variant.

use crate::engine::indicator::guess::{Guess, guess};
use crate::engine::indicator::{Kind, Reason, Scope, Timestamp};
use crate::intel::feed::contexts::{Contexts, Shared, owned};
use crate::intel::feed::format::hosts;
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::{self, Line, Lines};
use crate::intel::feed::several;
use std::sync::Arc;

/// Reads a list. Names include their subdomains unless the options say otherwise. A
/// comment after a value becomes its description.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) {
    let scope = intake.domain_scope(Scope::Subtree);
    let plain = Arc::new(intake.base());
    let mut contexts = Contexts::new();
    // Decided once for the whole list, so that the order of its lines does not matter.
    intake.trust_names(is_of_names(text));
    for (number, line) in Lines::new(text) {
        let line = line.trim();
        if let Line::Value(value, comment) = lines::parse(line) {
            intake.at_line(number);
            if let Some(entry) = hosts::stray_entry(value) {
                let scope = intake.domain_scope(Scope::Exact);
                hosts::entry(&entry, false, scope, &plain, intake);
                continue;
            }
            if intake.options.allow
                && let Some((value, terms)) = value.split_once([' ', '\t'])
            {
                let entry = Allowed { value, terms, comment };
                entry.put(scope, &mut contexts, intake);
                continue;
            }
            // `a.example ; b.example`: what looks like a comment is the next value.
            let more = comment.filter(|text| {
                line[value.len()..].trim_start().starts_with(';') && several::is_values(text)
            });
            if let Some(more) = more {
                intake.guessed_each(value, scope, &plain);
                intake.guessed_each(more, scope, &plain);
                continue;
            }
            let context = match comment {
                Some(comment) => described(&mut contexts, comment, intake),
                None => &plain,
            };
            intake.guessed_each(value, scope, context);
        }
    }
}

/// An entry of an allow list with terms after its value: `until=2027-01-31`, or
/// with a time of day.
struct Allowed<'l> {
    value: &'l str,
    terms: &'l str,
    comment: Option<&'l str>,
}

impl Allowed<'_> {
    /// Takes it. If the terms cannot be read, the entry allows nothing: a misspelt expiry must
    /// not mean for ever.
    fn put(&self, scope: Scope, contexts: &mut Contexts, intake: &mut Intake<'_>) {
        let Allowed { value, terms, comment } = *self;
        let mut until = None;
        for term in terms.split_whitespace() {
            let end = term.strip_prefix("until=").and_then(Timestamp::parse);
            // A second expiry is probably a mistake, and it is not clear which one is meant.
            if end.is_none() || until.is_some() {
                let detail = format!("invalid term “{term}”: expected until=2027-01-31, once");
                return intake.reject(value, Reason::Malformed, Some(detail));
            }
            until = end;
        }
        let key = format!("{terms}\0{}", comment.unwrap_or_default());
        let context = contexts.get(&key, || {
            let mut context = intake.base();
            context.valid_until = until;
            context.description = comment.and_then(owned);
            context
        });
        intake.guessed(value, scope, context);
    }
}

/// Whether it is a list of names. Then an unusual top-level domain (OpenNIC's, a
/// company's own) counts as one, and not as a file's extension.
fn is_of_names(text: &str) -> bool {
    const SAMPLE: usize = 200;
    let mut counts = (0, 0);
    for (_, line) in Lines::new(text) {
        if let Line::Value(value, _) = lines::parse(line) {
            let is_name = matches!(guess(value, Scope::Exact), Ok(Guess::One(Kind::Domain, ..)));
            counts = (counts.0 + usize::from(is_name), counts.1 + 1);
        }
        if counts.1 == SAMPLE {
            break;
        }
    }
    counts.1 > 0 && counts.0 * 10 >= counts.1 * 9
}

/// Reads a Squid `dstdomain` list: `.name` includes subdomains, a bare name does
/// not.
pub(in crate::intel::feed) fn read_squid(text: &str, intake: &mut Intake<'_>) {
    let context = Arc::new(intake.base());
    for (number, line) in Lines::new(text) {
        if let Line::Value(value, _) = lines::parse(line) {
            intake.at_line(number);
            intake.guessed(value, Scope::Exact, &context);
        }
    }
}

/// The base context with a description.
pub(in crate::intel::feed) fn described<'c>(
    contexts: &'c mut Contexts,
    text: &str,
    intake: &Intake<'_>,
) -> &'c Shared {
    contexts.get(text, || {
        let mut context = intake.base();
        context.description = owned(text);
        context
    })
}

#[cfg(test)]
mod tests {
    use crate::engine::indicator::{Kind, Scope};
    use crate::intel::feed::{Collected, Format, Options, read};

    #[test]
    fn a_mixed_list() {
        let mut options = Options::of_feed("mine");
        options.format = Some(Format::Lines);
        let text = "# a list\r\n198.51.100.7 # scanner\r\nhxxp://evil[.]example/x\r\n\
                    *.bad.example\r\nu@evil.example\r\n198.51.100.0-198.51.100.2\r\nwhat is this\r\n";
        let got = Collected::read(text.as_bytes(), &options).unwrap();
        let found: Vec<_> =
            got.indicators.iter().map(|i| (i.kind, i.value.to_string(), i.scope)).collect();
        assert_eq!(found.len(), 6);
        assert_eq!(found[1], (Kind::Url, "http://evil.example/x".into(), Scope::Exact));
        assert_eq!(found[2], (Kind::Domain, "bad.example".into(), Scope::SubtreeNoApex));
        assert_eq!(got.indicators[0].context.description.as_deref(), Some("scanner"));
        assert_eq!(got.indicators[1].context.feed, "mine");
        assert_eq!(got.rejects.len(), 1);
        assert_eq!(got.rejects[0].line, Some(7));
        // Ranges keep their original text.
        assert_eq!(got.indicators[4].raw.as_deref(), Some("198.51.100.0-198.51.100.2"));
    }

    #[test]
    fn allow_lists_have_ends_and_reasons() {
        let options = Options { allow: true, ..Options::of_feed("mine") };
        let text = "good.example until=2027-01-31 # our own proxy\n\
                    198.51.100.7\tuntil=2027-01-31T12:00:00Z\n\
                    ever.example # why\n\
                    bad.example until=soon\n\
                    worse.example for ever\n";
        let got = Collected::read(text.as_bytes(), &options).unwrap();
        let found: Vec<_> = got
            .indicators
            .iter()
            .map(|i| {
                let until = i.context.valid_until.map(|until| until.to_string());
                (i.value.to_string(), until, i.context.description.as_deref())
            })
            .collect();
        let until = |text: &str| Some(text.to_string());
        assert_eq!(
            found,
            [
                (
                    "good.example".into(),
                    until("2027-01-31T00:00:00.000000Z"),
                    Some("our own proxy")
                ),
                ("198.51.100.7".into(), until("2027-01-31T12:00:00.000000Z"), None),
                ("ever.example".into(), None, Some("why")),
            ]
        );
        let rejected: Vec<_> = got.rejects.iter().map(|r| (r.line, &*r.value)).collect();
        assert_eq!(rejected, [(Some(4), "bad.example"), (Some(5), "worse.example")]);
        // In other lists, values have no terms.
        let got =
            Collected::read(b"good.example until=2027-01-31\nb.example\n", &Options::default());
        assert!(
            got.is_err() || got.unwrap().indicators.iter().all(|i| i.context.valid_until.is_none())
        );
    }

    #[test]
    fn lists_of_squid_are_read() {
        let text = b".evil.example\n.bad.example\nplain.example\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Squid);
        let scopes: Vec<_> = got.indicators.iter().map(|i| i.scope).collect();
        assert_eq!(scopes, [Scope::Subtree, Scope::Subtree, Scope::Exact]);
        assert!(read(b"", &Options::default(), &mut Collected::default()).is_err());
    }
}
