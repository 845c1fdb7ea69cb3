//! Suricata's datasets, datareps and IP reputation.

use crate::engine::indicator::{Kind, Reason, Scope, address, digest};
use crate::intel::feed::contexts::Contexts;
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::Lines;
use crate::intel::feed::table::columns;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

/// Reads a dataset or datarep: one entry per line, whose type follows from its
/// form. A reputation after a comma becomes the confidence.
pub(in crate::intel::feed) fn read_dataset(text: &str, intake: &mut Intake<'_>) {
    let scope = intake.domain_scope(Scope::Exact);
    let plain = Arc::new(intake.base());
    let mut contexts = Contexts::new();
    for (number, line) in Lines::new(text) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        intake.at_line(number);
        let (entry, worth) = line.split_once(',').unwrap_or((line, ""));
        let context = match worth.trim() {
            "" => &plain,
            worth => contexts.get(worth, || {
                let mut context = intake.base();
                context.confidence =
                    // Reputations of datareps go up to 65,535; those above 100 count as certain.
                    worth.parse::<u16>().ok().map(|w| w.min(100) as u8).or(context.confidence);
                context
            }),
        };
        // Hex digits are also valid Base64, so the form with a fixed length is tried first.
        let binary = digest::kind_of_len(entry.len()).filter(|_| is_hex(entry));
        if let Some(kind) = binary {
            intake.typed(kind, entry, Scope::Exact, context);
        } else if address::parse_net(entry).is_ok() {
            intake.typed(Kind::Net, entry, Scope::Exact, context);
        } else if let Some(text) = decoded(entry) {
            let context = Arc::clone(context);
            intake.guessed(&text, scope, &context);
        } else {
            intake.reject(entry, Reason::Malformed, Some("neither base64 nor hex".into()));
        }
    }
}

/// Whether a text consists of hexadecimal digits.
fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Decodes a string entry: Base64 of text.
fn decoded(entry: &str) -> Option<String> {
    let bytes = STANDARD.decode(entry.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
}

/// Whether a line is an entry of a dataset of strings; for detection.
pub(in crate::intel::feed) fn is_string_entry(line: &str) -> bool {
    let entry = line.split(',').next().unwrap_or(line);
    // Short words are often valid Base64 by accident.
    entry.len() >= 8 && !is_hex(entry) && decoded(entry).is_some()
}

/// Reads an IP reputation file: `address,category,score`. The names of the
/// categories are in another file, so here they are numbers.
pub(in crate::intel::feed) fn read_iprep(text: &str, intake: &mut Intake<'_>) {
    let mut contexts = Contexts::new();
    for (number, line) in Lines::new(text) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with("ip,") {
            continue;
        }
        intake.at_line(number);
        let Some((address, rest)) = line.split_once(',') else {
            intake.reject(line, Reason::Malformed, Some("no category and score".into()));
            continue;
        };
        let context = contexts.get(rest, || {
            let mut context = intake.base();
            if let Some((category, score)) = rest.split_once(',') {
                columns::add_tag(&mut context, &format!("category:{}", category.trim()));
                if let Ok(score) = score.trim().parse::<u16>() {
                    // Scores range from 0 to 127.
                    context.confidence = Some((u32::from(score.min(127)) * 100 / 127) as u8);
                }
            }
            context
        });
        intake.typed(Kind::Net, address, Scope::Exact, context);
    }
}

/// Whether a line is `address,category,score`; for detection.
pub(in crate::intel::feed) fn is_iprep_entry(line: &str) -> bool {
    let mut parts = line.split(',').map(str::trim);
    let address = parts.next().is_some_and(|net| address::parse_net(net).is_ok());
    let within = |part: Option<&str>, max: u16| {
        part.and_then(|text| text.parse::<u16>().ok()).is_some_and(|n| n <= max)
    };
    address && within(parts.next(), 60) && within(parts.next(), 127) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use crate::intel::feed::{Collected, Format, Options};

    #[test]
    fn datasets_are_read() {
        let text = b"ZXZpbC5leGFtcGxl,80\nYmFkLmV4YW1wbGU=\n!!\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Dataset);
        assert_eq!(got.values(), ["evil.example", "bad.example"]);
        assert_eq!(got.indicators[0].context.confidence, Some(80));
        assert_eq!(got.rejects.len(), 1);
    }

    #[test]
    fn reputation_lists_are_read() {
        let text = b"203.0.113.5,1,127\n203.0.113.0/24,2,64\n2001:db8::1,2,1\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Iprep);
        let confidence: Vec<_> = got.indicators.iter().map(|i| i.context.confidence).collect();
        assert_eq!(confidence, [Some(100), Some(50), Some(0)]);
        assert_eq!(got.indicators[1].context.tags, ["category:2"]);
    }
}
