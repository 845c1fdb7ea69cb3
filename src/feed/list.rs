//! Lists of one value a line, its kind guessed each time; and Squid's variant.

use crate::feed::intake::{Contexts, Intake, Shared};
use crate::feed::lines::{self, Line, Lines};
use crate::indicator::Scope;
use std::sync::Arc;

/// Reads a list. Names reach below themselves unless the options say otherwise; a
/// comment behind a value becomes its description.
pub(super) fn read(text: &str, intake: &mut Intake<'_>) {
    let scope = intake.domain_scope(Scope::Subtree);
    let plain = Arc::new(intake.base());
    let mut contexts = Contexts::new();
    for (number, line) in Lines::new(text) {
        if let Line::Value(value, comment) = lines::parse(line) {
            intake.at_line(number);
            let context = match comment {
                Some(comment) => described(&mut contexts, comment, intake),
                None => &plain,
            };
            intake.guessed(value, scope, context);
        }
    }
}

/// Reads a Squid `dstdomain` list: `.name` reaches below, a bare name does not.
pub(super) fn read_squid(text: &str, intake: &mut Intake<'_>) {
    let context = Arc::new(intake.base());
    for (number, line) in Lines::new(text) {
        if let Line::Value(value, _) = lines::parse(line) {
            intake.at_line(number);
            intake.guessed(value, Scope::Exact, &context);
        }
    }
}

/// The base context with a description.
pub(super) fn described<'c>(
    contexts: &'c mut Contexts,
    text: &str,
    intake: &Intake<'_>,
) -> &'c Shared {
    contexts.get(text, || {
        let mut context = intake.base();
        context.description = super::intake::owned(text);
        context
    })
}

#[cfg(test)]
mod tests {
    use crate::feed::{Collected, Format, Options, read};
    use crate::indicator::{Kind, Scope};

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
        // Ranges keep what they were.
        assert_eq!(got.indicators[4].raw.as_deref(), Some("198.51.100.0-198.51.100.2"));
    }

    #[test]
    fn squid() {
        let text = b".evil.example\n.bad.example\nplain.example\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Squid);
        let scopes: Vec<_> = got.indicators.iter().map(|i| i.scope).collect();
        assert_eq!(scopes, [Scope::Subtree, Scope::Subtree, Scope::Exact]);
        assert!(read(b"", &Options::default(), &mut Collected::default()).is_err());
    }
}
