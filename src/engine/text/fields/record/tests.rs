mod endpoints;
mod times;
mod urls;

use super::*;
use proptest::prelude::*;
use serde_json::Value as Json;

/// 2026-11-28T12:00:00Z
const NOW: Timestamp = Timestamp(1_795_867_200_000_000);

fn clock() -> Clock {
    Clock { zone: None, now: NOW }
}

fn record(line: &str, head: &str) -> Record {
    let mut record = Record::default();
    record.read(line.as_bytes(), &Arc::new(Format::of_head(head.as_bytes())));
    record
}

fn field(line: &str, hit: &str) -> Option<String> {
    record(line, "").field(line.as_bytes(), line.find(hit).unwrap())
}

fn time(line: &str, hit: &str) -> Option<String> {
    let at = line.find(hit).unwrap();
    let time = record(line, "").time(line.as_bytes(), at, &clock());
    time.map(|time| time.to_string()[..19].to_string())
}

fn port(line: &str, head: &str, hit: &str) -> Option<(u16, String)> {
    let at = line.find(hit).unwrap();
    record(line, head).port_in_other_field(line.as_bytes(), at..at + hit.len())
}

fn url(line: &str, head: &str, hit: &str) -> Option<(String, String)> {
    let at = line.find(hit).unwrap();
    let v6 = hit.contains(':').then(|| format!("[{hit}]"));
    let is_address = v6.is_some() || hit.as_bytes()[0].is_ascii_digit();
    let host = HostSeen { text: v6.as_deref().unwrap_or(hit), is_address };
    let split = record(line, head).url_in_other_field(line.as_bytes(), at..at + hit.len(), &host);
    split.map(|SplitUrl { url, field }| (url, field))
}

#[test]
fn fields_of_json() {
    let line = r#"{"a":1,"dns":{"rrname":"evil.example","answers":[{"rdata":"192.0.2.1"}]},"id.resp_h":"192.0.2.2"}"#;
    assert_eq!(field(line, "evil").as_deref(), Some("dns.rrname"));
    assert_eq!(field(line, "192.0.2.1").as_deref(), Some("dns.answers.rdata"));
    assert_eq!(field(line, "192.0.2.2").as_deref(), Some("id.resp_h"));
    assert_eq!(field("{\"a\": \"x\\\"y evil", "evil").as_deref(), Some("a"));
    assert_eq!(field("{evil}", "evil"), None);
    assert_eq!(field(r#"{"a":{"evil":1}}"#, "evil").as_deref(), Some("a"));
    assert_eq!(field(r#"{"a":["x","evil"]}"#, "evil").as_deref(), Some("a"));
    assert_eq!(field(r#"host x {"a":"evil"} "#, "evil").as_deref(), Some("a"));
    assert_eq!(field(r#"{"a":"b"}{"c":"evil"}"#, "evil").as_deref(), Some("c"));
    let long = format!("{{\"{}\":\"evil\"}}", "k".repeat(2000));
    assert_eq!(field(&long, "evil"), None);
}

#[test]
fn fields_of_columns_and_pairs() {
    let head = "#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\n#types\ttime\n1.0\tC\t192.0.2.1\n";
    let line = "1692697398.855000\tCx\t192.0.2.1";
    let mut zeek = record(line, head);
    assert_eq!(zeek.field(line.as_bytes(), 21).as_deref(), Some("id.orig_h"));
    let time = zeek.time(line.as_bytes(), 21, &clock());
    assert_eq!(time, Some(Timestamp(1_692_697_398_855_000)));
    assert_eq!(field("a=1 src=192.0.2.1 b=2", "192").as_deref(), Some("src"));
    assert_eq!(field("msg=\"to evil.example now\"", "evil").as_deref(), Some("msg"));
    assert_eq!(field("msg=\"say \\\"x\\\" evil.example\" a=b", "evil").as_deref(), Some("msg"));
    assert_eq!(field("<Data Name='evil.example'/>", "evil").as_deref(), Some("Name"));
    assert_eq!(field("[2026-06-24 04:15:41] dst=192.0.2.1", "192").as_deref(), Some("dst"));
    assert_eq!(field("GET /x?host=evil.example", "evil"), None);
    let cef = "CEF:0|V|P|1|1|n|5|act=x msg=lookup of evil.example now";
    assert_eq!(field(cef, "evil").as_deref(), Some("msg"));
    let cef = format!("{cef} dst=192.0.2.1 request=/a?b=c rt=Jun 24 2026 04:15:41");
    assert_eq!(field(&cef, "192").as_deref(), Some("dst"));
    assert_eq!(field(&cef, "now").as_deref(), Some("msg"));
    assert_eq!(field(&cef, "b=c").as_deref(), Some("request"));
    let line = "2026-06-24T04:15:41Z,to evil.example";
    let two = record(line, "ts,msg\n");
    assert_eq!(two.field(line.as_bytes(), 24).as_deref(), Some("msg"));
    assert_eq!(field("to evil.example", "evil"), None);
}

#[test]
fn heads_of_tables() {
    for head in [
        "a.example,b.example,203.0.113.8\n",
        "x,y,z\n",
        "evil.example\n",
        "{\"a\":1}\n",
        "one two three host\n",
        "sep=,\nx,y,z\n",
        "alice,logged in at,time\n",
        "evil.example,seen,time\n",
        "seen,time\n",
        "what is the time\n",
    ] {
        assert_eq!(Format::of_head(head.as_bytes()), Format::default(), "{head}");
    }
}

/// The words that the random texts consist of.
const WORDS: &[&str] = &[
    "<a>",
    "</a>",
    "<Data Name='dst'>",
    "<b x=\"",
    "\"/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "'",
    "dst=",
    "dst: ",
    "192.0.2.1",
    " ",
    "443",
    ",",
    "tcp",
    "{\"host\":\"",
    "\\\"",
    "\\\\\\\"",
    "\\t",
    "{\\\"uri\\\":",
    "/g",
    "LEEF:2.0|V|P|1|i|^|",
    "^",
    "time=",
    "2026-06-24 04:15:41",
    "Jun 24 ",
    "devTimeFormat=MMM dd",
    "->",
    "[\"",
    "('",
    "}",
    "]",
];

/// The paths to all scalars whose text contains a mark, determined the slow way.
fn paths(value: &Json, path: &str, out: &mut Vec<(String, String)>) {
    match value {
        Json::Object(members) => {
            for (key, value) in members {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                paths(value, &path, out);
            }
        }
        Json::Array(values) => values.iter().for_each(|value| paths(value, path, out)),
        Json::String(text) => out.push((text.clone(), path.to_string())),
        _ => {}
    }
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i32>().prop_map(Json::from),
        "[a-z \"\\\\/{}\\[\\]:,=]{0,8}".prop_map(Json::String),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::Array),
            prop::collection::vec(("[a-z_.]{1,6}", inner), 0..5)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Strings in a line are found at the same paths by a JSON parser and by the record.
    #[test]
    fn json_as_a_parser_reads_it(value in json(), spaces in any::<bool>()) {
        // Every string gets a number of its own, by which it is found.
        fn number(value: &mut Json, next: &mut usize) {
            match value {
                Json::Object(members) => members.values_mut().for_each(|v| number(v, next)),
                Json::Array(values) => values.iter_mut().for_each(|v| number(v, next)),
                Json::String(text) => {
                    *text = format!("N{next:03}{text}");
                    *next += 1;
                }
                _ => {}
            }
        }
        let mut value = Json::Object([("root".to_string(), value)].into_iter().collect());
        number(&mut value, &mut 0);
        let line = if spaces { serde_json::to_string_pretty(&value).unwrap().replace('\n', " ") } else { value.to_string() };
        let mut want = Vec::new();
        paths(&value, "", &mut want);
        let record = record(&line, "");
        for (text, path) in want {
            let at = line.find(&text[..4]).unwrap();
            prop_assert_eq!(record.field(line.as_bytes(), at), Some(path), "{} in {}", text, line);
        }
    }

    /// Cells are those of the CSV that was written.
    #[test]
    fn columns_as_they_were_written(cells in prop::collection::vec("[a-z,;\" ]{0,8}", 3..8)) {
        let quoted: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        let line = quoted.join(",");
        let names = ["time", "host", "url", "dst", "sport", "dport", "query", "x"];
        let head = format!("{}\n", names[..cells.len()].join(","));
        let record = record(&line, &head);
        let mut at = 0;
        for (cell, name) in quoted.iter().zip(names) {
            let field = record.field(line.as_bytes(), at + 1);
            prop_assert_eq!(field.as_deref(), Some(name), "{}", line);
            at += cell.len() + 1;
        }
    }

    /// Nothing panics, and the results do not depend on which hit asks first.
    #[test]
    fn any_line(
        line in "[\\[\\]{}\",:=a-e0-9 ./\\\\]{0,120}",
        words in prop::collection::vec(prop::sample::select(WORDS), 0..24),
        bytes in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        let words = words.concat();
        for line in [line.as_bytes(), words.as_bytes(), &bytes[..]] {
            for head in [&b""[..], b"#fields\tts\thost\turi\n", b"#Fields: date time cs-host\n", b"time,host,uri\n"] {
                let format = Arc::new(Format::of_head(head));
                let mut record = Record::default();
                record.read(line, &format);
                let mut before = 0;
                for member in record.members.iter() {
                    prop_assert!(member.start >= before && member.end >= member.start);
                    prop_assert!(member.end as usize <= line.len());
                    before = member.start;
                }
                for at in 0..line.len() {
                    let _ = record.field(line, at);
                    let _ = record.time(line, at, &clock());
                    let _ = record.port_in_other_field(line, at..(at + 3).min(line.len()));
                    let host = HostSeen { text: "x", is_address: at % 2 == 0 };
                    let _ = record.url_in_other_field(line, at..(at + 3).min(line.len()), &host);
                }
            }
        }
    }
}
