//! Messages for people in a channel: `{"text": …}` of Slack's incoming webhooks.

use super::reading::{Reading, level};
use crate::sensor::spool::RecordRef;
use std::fmt::Write as _;

/// The maximum number of alerts with a line of their own; the rest is a number at the end.
const MAX_LINES: usize = 20;

/// The maximum number of characters in a line: Slack shows 4,000 of a message, and hides the rest.
const MAX_LINE: usize = 180;

/// The message about a batch.
pub(super) fn body(batch: &[RecordRef<'_>]) -> Vec<u8> {
    let mut text = String::new();
    for record in batch.iter().take(MAX_LINES) {
        line(record, &mut text);
    }
    let more = batch.len().saturating_sub(MAX_LINES);
    if more > 0 {
        let _ = writeln!(text, "… and {more} more");
    }
    serde_json::json!({ "text": text.trim_end() }).to_string().into_bytes()
}

fn line(record: &RecordRef<'_>, text: &mut String) {
    let Some(alert) = Reading::of(record.json) else {
        let _ = writeln!(text, "*{}* alert {}", level(record.severity), record.hex());
        return;
    };
    let feeds = alert.feeds().join(", ");
    let malware = alert.malware().join(", ");
    let mut line = alert.headline();
    // A repeat record without an alert names no feed.
    match (feeds.is_empty(), malware.is_empty()) {
        (true, true) => {}
        (false, true) => drop(write!(line, " ({feeds})")),
        (_, false) => drop(write!(line, " ({feeds}: {malware})")),
    }
    let place = alert.place();
    if !place.is_empty() {
        let _ = write!(line, " at {place}");
    }
    if alert.repeats() > 0 {
        let _ = write!(line, ", {} times more", alert.repeats());
    }
    let _ = writeln!(text, "*{}* {}", alert.level(), escaped(&line));
}

/// Three characters are special in Slack
/// (<https://api.slack.com/reference/surfaces/formatting#escaping>). Text from feeds and logs must
/// neither create links nor notify people; backquotes and stars only change its appearance, and are
/// left as they are.
fn escaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for (count, char) in line.chars().enumerate() {
        if count >= MAX_LINE {
            out.push('…');
            break;
        }
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            char if crate::engine::error::is_harmful(char) => out.push(' '),
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::indicator::Timestamp;
    use crate::sensor::spool::Record;

    fn text(json: &str, count: usize) -> String {
        let record = Record::new([7; 16], 4, Timestamp(0), json.as_bytes());
        let batch = vec![RecordRef::of(&record, Timestamp(0)); count];
        let body: serde_json::Value = serde_json::from_slice(&body(&batch)).unwrap();
        body["text"].as_str().unwrap().to_string()
    }

    #[test]
    fn lines_say_what_and_where_and_mention_no_user() {
        let json = r#"{"severity":4,"seen":{"kind":"domain","value":"<!channel>&\u001b.example","where":"dns.query"},
            "indicators":[{"sources":[{"feed":"otx","malware":["Emotet"]},{"feed":"otx"},{"feed":"b"}]}],
            "log":{"path":"dns.log","line":7},"repeat":{"count":3}}"#;
        assert_eq!(
            text(json, 1),
            "*critical* domain &lt;!channel&gt;&amp; [.]example in dns.query (otx, b: Emotet) \
             at dns.log:7, 3 times more"
        );
        let bare = r#"{"severity":3,"repeat":{"count":41,"key":{"indicator":"domain evil.example","where":"dns"},
            "values":["a.evil.example"],"places":["dns.log:9"]}}"#;
        assert_eq!(
            text(bare, 1),
            "*high* domain evil[.]example in dns at dns.log:9, 41 times more"
        );
        let many = text(json, 25);
        assert_eq!(many.lines().count(), 21);
        assert!(many.ends_with("… and 5 more"), "{many}");
        assert_eq!(text("[1]", 1), "*critical* alert 07070707070707070707070707070707");
        let long = format!(r#"{{"seen":{{"value":"{}"}}}}"#, "ü".repeat(5000));
        assert!(text(&long, 20).chars().count() <= 4000);
    }
}
