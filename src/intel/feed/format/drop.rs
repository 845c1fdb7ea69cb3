//! Spamhaus DROP: networks with the number of their listing, as text or as JSON
//! lines.

use crate::engine::indicator::{Kind, Reason, Scope};
use crate::intel::feed::contexts::{Contexts, owned};
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::{self, Line, Lines};

/// Reads lines of the form `NETWORK ; SBLnnn`, or `{"cidr":"…","sblid":"…"}`.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) {
    let mut contexts = Contexts::new();
    for (number, line) in Lines::new(text) {
        intake.at_line(number);
        let (net, listing) = match lines::parse(line) {
            Line::Value(line, _) if line.starts_with('{') => match json(line) {
                Some((net, listing)) => (net, listing),
                // The last line describes the file.
                None if line.contains("\"metadata\"") => continue,
                None => {
                    intake.reject(line, Reason::Malformed, None);
                    continue;
                }
            },
            Line::Value(net, listing) => (net.to_string(), listing.unwrap_or("").to_string()),
            _ => continue,
        };
        let context = contexts.get(&listing, || {
            let mut context = intake.base();
            context.id = owned(&listing);
            context
        });
        intake.typed(Kind::Net, &net, Scope::Exact, context);
    }
}

/// Reads a line of the JSON edition: a network and its listing. The last line holds metadata and has no network.
fn json(line: &str) -> Option<(String, String)> {
    let record: serde_json::Value = serde_json::from_str(line).ok()?;
    let net = record.get("cidr")?.as_str()?.to_string();
    let listing = record.get("sblid").and_then(|id| id.as_str()).unwrap_or("").to_string();
    Some((net, listing))
}

/// Whether a line is `NETWORK ; SBLnnn`; for detection.
pub(in crate::intel::feed) fn is_entry(line: &str) -> bool {
    line.split_once(';').is_some_and(|(net, listing)| {
        let listing = listing.trim();
        crate::engine::indicator::address::parse_net(net.trim()).is_ok()
            && listing.starts_with("SBL")
    })
}

#[cfg(test)]
mod tests {
    use crate::intel::feed::{Collected, Format, Options};

    #[test]
    fn text_and_json_are_read() {
        let text = b"; Spamhaus DROP List\n203.0.113.0/24 ; SBL1\n198.51.100.0/25 ; SBL2\n";
        let json = br#"{"cidr":"203.0.113.0/24","sblid":"SBL1","rir":"x"}
{"cidr":"198.51.100.0/25","sblid":"SBL2","rir":"x"}
{"type":"metadata","timestamp":1}
"#;
        for form in [&text[..], &json[..]] {
            let got = Collected::read(form, &Options::default()).unwrap();
            assert_eq!(got.summary.format, Format::Drop);
            assert_eq!(got.values(), ["203.0.113.0/24", "198.51.100.0/25"]);
            assert_eq!(got.indicators[1].context.id.as_deref(), Some("SBL2"));
            assert!(got.rejects.is_empty());
        }
    }
}
