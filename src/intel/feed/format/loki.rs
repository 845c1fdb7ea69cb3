//! The lists of signature-base, as the scanner LOKI reads them: `value;comment` or
//! `value;score`, and `regex;score[;exclusion]` for file names.

use crate::engine::indicator::{Indicator, Kind, Reason, Scope, Value};
use crate::intel::feed::contexts::Contexts;
use crate::intel::feed::format::list;
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::{self, Line, Lines};
use crate::intel::feed::table::columns;
use std::sync::Arc;

/// Reads `value;comment`. A comment that consists of digits is a score.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) {
    let scope = intake.domain_scope(Scope::Subtree);
    let plain = Arc::new(intake.base());
    let mut contexts = Contexts::new();
    for (number, line) in Lines::new(text) {
        let Line::Value(line, after) = lines::parse(line) else { continue };
        intake.at_line(number);
        let (value, comment) = match line.split_once(';') {
            Some((value, comment)) => (value, comment.trim()),
            None => (line, after.unwrap_or("")),
        };
        let context = if comment.is_empty() {
            &plain
        } else if let Some(score) = score(comment) {
            contexts.get(comment, || {
                let mut context = intake.base();
                context.confidence = Some(score);
                context
            })
        } else {
            list::described(&mut contexts, comment, intake)
        };
        intake.guessed(value, scope, context);
    }
}

/// A score as confidence, if the remark is only a number.
fn score(text: &str) -> Option<u8> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| columns::confidence(text)).flatten()
}

/// Reads `regex;score[;exclusion]`. An expression that contains a folder applies to
/// paths. One with an exclusion matches more than the list means, so it is stored
/// but never matched.
pub(in crate::intel::feed) fn read_names(text: &str, intake: &mut Intake<'_>) {
    let mut contexts = Contexts::new();
    let mut about = String::new();
    for (number, line) in Lines::new(text) {
        let line = line.trim();
        if line.is_empty() {
            // A blank line ends the block that a comment describes.
            about.clear();
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            about = comment.trim().to_string();
            continue;
        }
        intake.at_line(number);
        // From the right, because the pattern may contain semicolons.
        let mut parts = line.rsplitn(3, ';');
        let (last, middle, first) = (parts.next(), parts.next(), parts.next());
        let (pattern, score, exclusion) = match (first, middle, last) {
            (None, Some(pattern), Some(score)) => (pattern, score, None),
            (Some(pattern), Some(score), Some(not)) if is_score(score) => {
                (pattern, score, Some(not))
            }
            (Some(_), _, Some(score)) if is_score(score) => {
                (&line[..line.len() - score.len() - 1], score, None)
            }
            _ => {
                intake.reject(line, Reason::Malformed, Some("no score after the pattern".into()));
                continue;
            }
        };
        // Such an entry lowers the score of other matches, so it is not an indicator.
        if score.trim().starts_with('-') {
            intake.reject(line, Reason::Ignored, Some("its score lowers that of others".into()));
            continue;
        }
        let context = contexts.get(&format!("{score}\x1f{about}"), || {
            let mut context = intake.base();
            context.confidence = columns::confidence(score);
            context.description = crate::intel::feed::contexts::owned(&about);
            context
        });
        put_name(pattern, exclusion, line, Arc::clone(context), intake);
    }
}

/// Passes on an expression for file names.
fn put_name(
    pattern: &str,
    exclusion: Option<&str>,
    line: &str,
    context: crate::intel::feed::contexts::Shared,
    intake: &mut Intake<'_>,
) {
    if exclusion.is_some() {
        let value = Value::Text(line.into());
        intake.put(Indicator {
            kind: Kind::Opaque,
            value,
            scope: Scope::Exact,
            raw: None,
            context,
        });
        intake.reject(line, Reason::UnsupportedPattern, Some("it has an exclusion".into()));
        return;
    }
    if let Err(reason) = check_regex(pattern) {
        intake.reject(pattern, reason, None);
        return;
    }
    let in_folder = pattern.contains("\\\\") || pattern.contains('/');
    let kind = if in_folder { Kind::Filepath } else { Kind::Filename };
    intake.typed(kind, pattern, Scope::Regex, &context);
}

/// Whether a text is a score. Negative scores exist, too.
fn is_score(text: &str) -> bool {
    let digits = text.trim().trim_start_matches('-');
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Checks that an expression can be matched in linear time.
///
/// # Errors
///
/// [`Reason::BadPattern`], or [`Reason::MatchesEverything`] for an empty one.
pub(in crate::intel::feed) fn check_regex(pattern: &str) -> Result<(), Reason> {
    if pattern.is_empty() || matches!(pattern, ".*" | ".+" | "." | "^.*$" | "^" | "$") {
        return Err(Reason::MatchesEverything);
    }
    regex_automata::util::syntax::parse(pattern).map(|_| ()).map_err(|_| Reason::BadPattern)
}

/// Whether a line is `value;comment`; for detection.
pub(in crate::intel::feed) fn is_entry(line: &str) -> bool {
    line.split_once(';').is_some_and(|(value, _)| {
        let value = crate::engine::indicator::refang::refang(value.trim());
        crate::engine::indicator::guess::guess(&value, Scope::Exact).is_ok()
    })
}

/// Whether a line is `regex;score`; for detection.
pub(in crate::intel::feed) fn is_name_entry(line: &str) -> bool {
    line.split(';').nth(1).is_some_and(is_score) && line.contains('\\') && !is_entry(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intel::feed::{Collected, Format, Options};

    #[test]
    fn values_with_comments_and_scores() {
        let text =
            b"# LOKI CUSTOM EVIL HASHES\n0123456789abcdef0123456789abcdef;Panda - http://x\n\
                     203.0.113.5;65\nevil[.]example;other\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Loki);
        assert_eq!(got.indicators[0].context.description.as_deref(), Some("Panda - http://x"));
        assert_eq!(got.indicators[1].context.confidence, Some(65));
        assert_eq!(got.values()[2], "evil.example");
    }

    #[test]
    fn names_of_files() {
        let text = br"# LOKI File Name Characteristics
# APT X
\\svcsstat\.exe;70
(?i)mimikatz;80
\\x\.exe;55;(\\WhatsApp|y)
(?=look)\\ahead;60
\\fine\\y;-50
";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::LokiNames);
        let kinds: Vec<_> = got.indicators.iter().map(|i| (i.kind, i.scope)).collect();
        assert_eq!(
            kinds,
            [
                (Kind::Filepath, Scope::Regex),
                (Kind::Filename, Scope::Regex),
                (Kind::Opaque, Scope::Exact)
            ]
        );
        assert_eq!(got.indicators[0].context.description.as_deref(), Some("APT X"));
        let reasons: Vec<_> = got.rejects.iter().map(|r| r.reason).collect();
        assert_eq!(reasons, [Reason::UnsupportedPattern, Reason::BadPattern, Reason::Ignored]);
    }
}
