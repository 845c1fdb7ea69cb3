//! A mail about a batch of alerts, for people: plain text, the most severe first.

use super::reading::{Reading, level};
use crate::engine::error::is_harmful;
use crate::engine::indicator::Timestamp;
use crate::sensor::spool::RecordRef;
use std::fmt::Write as _;

/// The maximum number of alerts that are listed; the rest is a number at the end.
const MAX_TOLD: usize = 100;

/// The maximum number of characters in a line.
const MAX_LINE: usize = 300;

/// The subject: how many, and how severe.
pub(super) fn subject(batch: &[RecordRef<'_>]) -> String {
    let worst = batch.iter().map(|record| record.severity).max().unwrap_or_default();
    let first = batch.iter().find(|record| record.severity == worst);
    let alert = first.and_then(|record| Reading::of(record.json));
    let what = alert.map_or_else(String::new, |alert| format!(": {}", alert.headline()));
    let more = match batch.len() {
        0 | 1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    clean(&format!("[wiresift] {} alert{what}{more}", level(worst)), 150)
}

/// The text, in lines that end in LF.
pub(super) fn text(batch: &[RecordRef<'_>]) -> String {
    let mut order: Vec<&RecordRef<'_>> = batch.iter().collect();
    order.sort_by_key(|record| std::cmp::Reverse(record.severity));
    let mut text = String::new();
    let counts = (1..=4).rev().filter_map(|severity| {
        let count = batch.iter().filter(|record| record.severity.clamp(1, 4) == severity).count();
        (count > 0).then(|| format!("{count} {}", level(severity)))
    });
    let _ = writeln!(text, "{}: {}\n", plural(batch.len()), counts.collect::<Vec<_>>().join(", "));
    for record in order.iter().take(MAX_TOLD) {
        write_alert(record, &mut text);
    }
    let more = batch.len().saturating_sub(MAX_TOLD);
    if more > 0 {
        let _ = writeln!(text, "… and {more} more, see the other sinks of the sensor.");
    }
    text
}

fn plural(count: usize) -> String {
    if count == 1 { "1 alert".into() } else { format!("{count} alerts") }
}

fn write_alert(record: &RecordRef<'_>, text: &mut String) {
    let level = level(record.severity).to_uppercase();
    let Some(alert) = Reading::of(record.json) else {
        let _ =
            writeln!(text, "{level}  an alert that can't be read\n    id     {}\n", record.hex());
        return;
    };
    let _ = writeln!(text, "{level}  {}", clean(&alert.headline(), MAX_LINE));
    let repeats = match alert.repeats() {
        0 => String::new(),
        count => format!("{count} times more"),
    };
    for (name, value) in [
        ("time", Timestamp::to_string(&record.time)),
        ("at", alert.place()),
        ("host", alert.host.to_string()),
        ("feeds", alert.feeds().join(", ")),
        ("malware", alert.malware().join(", ")),
        ("line", alert.text().to_string()),
        ("repeat", repeats),
        ("id", record.hex()),
    ] {
        if !value.is_empty() {
            let _ = writeln!(text, "    {name:<7}  {}", clean(&value, MAX_LINE));
        }
    }
    text.push('\n');
}

/// A line without control, invisible or line-ending characters, cut to the maximum length.
fn clean(line: &str, max: usize) -> String {
    let mut out: String =
        line.chars().take(max).map(|c| if is_harmful(c) { ' ' } else { c }).collect();
    if line.chars().nth(max).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::spool::Record;

    #[test]
    fn the_worst_comes_first_and_nothing_steers() {
        let json = r#"{"seen":{"kind":"domain","value":"a.example","where":"dns.query"},
            "host":"s1","indicators":[{"sources":[{"feed":"otx\r\nBcc: x","malware":["Emotet"]}]}],
            "log":{"path":"dns.log","line":3,"text":"GET http://a.example\n\u202e"}}"#;
        let low = Record::new([1; 16], 1, Timestamp(0), json.as_bytes());
        let high = Record::new([2; 16], 3, Timestamp(0), b"?");
        let batch = [RecordRef::of(&low, Timestamp(0)), RecordRef::of(&high, Timestamp(0))];
        assert_eq!(subject(&batch), "[wiresift] high alert and 1 more");
        let one = "[wiresift] low alert: domain a[.]example in dns.query";
        assert_eq!(subject(&batch[..1]), one);
        let want = "\
2 alerts: 1 high, 1 low

HIGH  an alert that can't be read
    id     02020202020202020202020202020202

LOW  domain a[.]example in dns.query
    time     1970-01-01T00:00:00.000000Z
    at       dns.log:3
    host     s1
    feeds    otx  Bcc: x
    malware  Emotet
    line     GET http://a.example  \n    id       01010101010101010101010101010101

";
        assert_eq!(text(&batch), want);
        // A repeat record without an alert says what its alerts have in common.
        let bare =
            r#"{"repeat":{"count":7,"key":{"local":"web1"},"values":["http://a.example/x"]}}"#;
        let bare = Record::new([3; 16], 2, Timestamp(0), bare.as_bytes());
        let bare = [RecordRef::of(&bare, Timestamp(0))];
        assert_eq!(subject(&bare), "[wiresift] medium alert: hxxp://a[.]example/x");
        assert!(text(&bare).contains("MEDIUM  hxxp://a[.]example/x\n"), "{}", text(&bare));
        let many = vec![batch[0]; 150];
        assert!(text(&many).ends_with("… and 50 more, see the other sinks of the sensor.\n"));
    }
}
