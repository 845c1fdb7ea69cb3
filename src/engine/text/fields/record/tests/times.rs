//! The time of the record around a hit.

use super::*;

/// Lines, what is hit in them, and the time that the line gives for it.
const TIMES: &[(&str, &str, &str)] = &[
    // An object inside a record is not a record.
    (
        r#"{"certificate":{"timestamp":"2020-01-01T00:00:00Z"},"@timestamp":"2026-06-24T04:15:41Z","h":"evil"}"#,
        "evil",
        "2026-06-24T04:15:41",
    ),
    (
        r#"{"certificate":{"timestamp":"2020-01-01T00:00:00Z","n":"evil"},"@timestamp":"2026-06-24T04:15:41Z"}"#,
        "evil",
        "2026-06-24T04:15:41",
    ),
    (
        r#"{"ts":1782274541.5,"answers":[{"time":"2020-01-01T00:00:00Z","n":"evil"}]}"#,
        "evil",
        "2026-06-24T04:15:41",
    ),
    // Records in an array, each with its own time.
    (
        r#"{"Records":[{"time":"2025-06-24T04:15:41Z","h":"ok"},{"time":"2026-06-24T04:15:41Z","h":"evil"}]}"#,
        "evil",
        "2026-06-24T04:15:41",
    ),
    (
        r#"{"time":"2027-01-01T00:00:00Z","Records":[{"eventTime":"2026-06-24T04:15:41Z","h":"evil"}]}"#,
        "evil",
        "2026-06-24T04:15:41",
    ),
    (
        r#"[{"time":"2025-06-24T04:15:41Z"},{"h":"evil","time":"2026-06-24T04:15:41Z"}]"#,
        "evil",
        "2026-06-24T04:15:41",
    ),
    (
        r#"{"hits":{"hits":[{"_source":{"@timestamp":"2026-06-24T04:15:41Z","d":{"h":"evil"}}}]}}"#,
        "evil",
        "2026-06-24T04:15:41",
    ),
    (
        r#"{"time":"2025-06-24T04:15:41Z","h":"ok"}{"time":"2026-06-24T04:15:41Z","h":"evil"}"#,
        "evil",
        "2026-06-24T04:15:41",
    ),
    // A record without a time has that of the record around it.
    (
        r#"{"time":"2026-06-24T04:15:41Z","Records":[{"h":"evil"},{"time":"2020-01-01T00:00:00Z"}]}"#,
        "evil",
        "2026-06-24T04:15:41",
    ),
    (r#"2026-06-24T04:15:41Z host app: {"h":"evil"}"#, "evil", "2026-06-24T04:15:41"),
    ("[1782274541] unbound[1:0] info: 192.0.2.1 evil. A IN", "evil", "2026-06-24T04:15:41"),
    ("<30>[1782274541] evil", "evil", "2026-06-24T04:15:41"),
    (
        r#"{"time":"2026-06-24 06:15:41","timezone":"+02:00","h":"evil"}"#,
        "evil",
        "2026-06-24T04:15:41",
    ),
    (
        r#"{"timezone":"Europe/Berlin","time":"2026-06-24 06:15:41","h":"evil"}"#,
        "evil",
        "2026-06-24T04:15:41",
    ),
    (
        r#"{"date":"2026-06-24","time":"00:15:41","tz":"America/New_York","h":"evil"}"#,
        "evil",
        "2026-06-24T04:15:41",
    ),
    // A time keeps its own zone. A zone of the DNS or of a firewall is not a time zone.
    (
        r#"{"time":"2026-06-24T04:15:41Z","timezone":"+02:00","h":"evil"}"#,
        "evil",
        "2026-06-24T04:15:41",
    ),
    (
        r#"{"time":"2026-06-24 04:15:41","zone":"EST-lan","h":"evil"}"#,
        "evil",
        "2026-06-24T04:15:41",
    ),
    (
        r#"{"time":"2026-06-24 04:15:41","geo":{"timezone":"+02:00"},"h":"evil"}"#,
        "evil",
        "2026-06-24T04:15:41",
    ),
    (
        "time=\"2026-06-24 01:15:41 America/Argentina/Buenos_Aires\" h=evil",
        "evil",
        "2026-06-24T04:15:41",
    ),
    ("[1234567] 24 Jun 2026 04:15:41.000 # evil", "evil", "2026-06-24T04:15:41"),
    (
        r#"2026-06-24T09:15:41Z host app: {"time":"2026-06-24T04:15:41Z","h":"evil"}"#,
        "evil",
        "2026-06-24T04:15:41",
    ),
    // Date and clock time in two fields, and a zone in a third.
    (r#"{"date":"2026-06-24","time":"04:15:41","h":"evil"}"#, "evil", "2026-06-24T04:15:41"),
    ("date=2026-06-24 time=05:15:41 tz=\"+0100\" dst=evil", "evil", "2026-06-24T04:15:41"),
    (r#"{"timestamp":"no time","time":1782274541123,"h":"evil"}"#, "evil", "2026-06-24T04:15:41"),
    (
        "Jun 24 09:00:00 h CEF:0|V|P|1|1|n|5|rt=1782274541123 dhost=evil",
        "evil",
        "2026-06-24T04:15:41",
    ),
    ("time=12ms 2026-06-24T04:15:41Z evil", "evil", ""),
];

#[test]
fn the_time_of_the_record_around_a_hit() {
    for (line, hit, want) in TIMES {
        let want = (!want.is_empty()).then(|| want.to_string());
        let got = time(line, hit);
        assert!(
            got == want
                || want.is_none() && got.is_some_and(|t| t.starts_with("2026-06-24T04:15:41")),
            "{line}"
        );
    }
    assert_eq!(time(r#"{"h":"evil"}"#, "evil"), None);
    assert_eq!(time("id=20260624 evil", "evil"), None);
}

/// All of these give the time 2026-06-24T04:15:41Z for `evil`.
const FORMATS: &[&str] = &[
    // CEF, whose values may contain blanks.
    "Jun 24 09:00:00 h CEF:0|V|P|1|1|n|5|rt=Jun 24 2026 04:15:41 dhost=evil",
    "CEF:0|V|P|1|1|n|5|rt=Jun 24 2026 06:15:41.123 CEST dhost=evil",
    "CEF:0|V|P|1|1|n|5|rt=Jun 24 2026 05:15:41.123 +0100 dhost=evil",
    "CEF:0|V|P|1|1|n|5|rt=\"Jun 24 2026 04:15:41\" dhost=evil",
    "CEF:0|V|P|1|1|n|5|rt='Jun 24 2026 04:15:41' dhost=evil",
    "CEF:0|V|P|1|1|n|5|dhost=evil rt=Jun 24 2026 04:15:41",
    "CEF:0|V|P|1|1|n|5|dhost=evil rt=Jun 24 04:15:41",
    "CEF:0|V|P|1|1|n|5|start=1782274541123 dhost=evil",
    "CEF:0|V|P|1|1|n|5|end=1782274541123 dhost=evil",
    "Jun 24 09:00:00 h CEF:0|V|P|1|1|n|5|start=Jun 24 2026 04:15:41 dhost=evil end=Jun 24 2026 05:00:00",
    "CEF:0|V|P|1|1|n|5|start=Jun 24 2026 03:15:41 dhost=evil rt=Jun 24 2026 04:15:41",
    // Seconds and fractions of a second.
    r#"{"timestamp":{"seconds":1782274541,"nanos":5},"h":"evil"}"#,
    r#"{"event":{"receiveTime":{"seconds":"1782274541","nanos":999999999}},"h":"evil"}"#,
    r#"{"createdAt":{"_seconds":1782274541,"_nanoseconds":5},"h":"evil"}"#,
    r#"{"instant":{"epochSecond":1},"ts":{"sec":1782274541,"usec":5},"h":"evil"}"#,
    // Several records in a row.
    r#"{"time":"2025-01-01T00:00:00Z"},{"time":"2026-06-24T04:15:41Z","h":"evil"}, {"time":"2025-01-01T00:00:00Z"}"#,
    r#"{"time":"2025-01-01T00:00:00Z"};{"time":"2026-06-24T04:15:41Z","h":"evil"}"#,
    r#"Jun 24 09:00:00 h a: {"time":"2025-01-01T00:00:00Z"} then {"time":"2026-06-24T04:15:41Z","h":"evil"}"#,
    // Records in cells with doubled quotes.
    r#"7,"{""time"":""2026-06-24T04:15:41Z"",""h"":""evil""}",x"#,
    // Lists align their colons.
    "TimeCreated  : 6/24/2026 4:15:41 AM\nId           : 3\nMessage      : x\n               h: evil",
    "Event[0]:\n  Date: 2026-06-24T04:15:41.123\n  Description: \nUtcTime: 2025-01-01 00:00:00\nh: evil",
    "__CURSOR=a\n__REALTIME_TIMESTAMP=1782274541123456\nMESSAGE=x evil",
    // LEEF, whose header may give the pattern of times.
    "LEEF:1.0|V|P|1|id|devTime=Jun 24 2026 04:15:41\tdst=evil",
    "LEEF:2.0|V|P|1|id|^|devTime=2026-06-24 04:15:41^dst=evil",
    "LEEF:2.0|V|P|1|id|0x5E|devTime=05/06/2026 04:15:41^devTimeFormat=dd/MM/yyyy HH:mm:ss^dst=x evil2",
    "LEEF:2.0|V|P|1|id|^|devTime=24.06.26 04:15^devTimeFormat=dd.MM.yy HH:mm^dst=evil",
    "LEEF:1.0|V|P|1|id|devTimeFormat=MMM dd yyyy HH:mm:ss.SSS Z\tdevTime=Jun 24 2026 06:15:41.123 +0200\tdst=evil",
    "LEEF:1.0|V|P|1|id|devTimeFormat=yyyy-MM-dd'T'HH:mm:ssXXX\tdevTime=2026-06-24T06:15:41+02:00\tdst=evil",
    "LEEF:1.0|V|P|1|id|devTimeFormat=yyyyMMddHHmmss\tdevTime=20260624041541\tdst=evil",
    "LEEF:1.0|V|P|1|id|devTimeFormat=EEE MMM dd hh:mm:ss a z yyyy\tdevTime=Wed Jun 24 04:15:41 AM UTC 2026\tdst=evil",
    // Objects that are named for a time, or that describe the record.
    r##"{"Event":{"System":{"EventID":3,"TimeCreated":{"#attributes":{"SystemTime":"2026-06-24T04:15:41.123Z"}}},"EventData":{"h":"evil"}}}"##,
    r##"{"Event":{"EventData":{"h":"evil"},"System":{"TimeCreated_attributes":{"SystemTime":"2026-06-24T04:15:41.123Z"}}}}"##,
    r#"{"t":{"$date":"2026-06-24T04:15:41.123+00:00"},"attr":{"remote":"evil"}}"#,
    r#"{"event":{"created":"2026-06-24T04:15:41Z"},"h":"evil"}"#,
    r#"{"event":{"created":"2020-06-24T04:15:41Z"},"@timestamp":"2026-06-24T04:15:41Z","h":"evil"}"#,
    r#"{"metadata":{"timestamp":1782274541123},"data":{"h":"evil"}}"#,
    "t=2026-06-24T04:15:41+0000 lvl=info h=evil",
    r#"{"t":"2026-06-24T05:15:41+0100","h":"evil"}"#,
    "<Event><System><TimeCreated SystemTime='2026-06-24T04:15:41.1234567Z'/></System><EventData><Data Name='q'>evil</Data></EventData></Event>",
    "<Event><EventData><Data>evil</Data></EventData><System><TimeCreated SystemTime=\"2026-06-24T04:15:41Z\"/></System></Event>",
    "<log><time>2026-06-24 04:15:41</time><h>evil</h></log>",
    "<row date=\"2026-06-24\" time=\"04:15:41\" h=\"evil\"/>",
    "UtcTime: 2026-06-24 04:15:41.123 QueryName: evil",
    // Many XML records in a line, each with its own time.
    "<Events><Event><System><TimeCreated SystemTime='2025-01-01T00:00:00Z'/></System><Data>x</Data></Event><Event><System><TimeCreated SystemTime='2026-06-24T04:15:41Z'/></System><Data>evil</Data></Event></Events>",
    "<Event><TimeCreated SystemTime='2026-06-24T04:15:41Z'/><Data>evil</Data></Event><Event><TimeCreated SystemTime='2025-01-01T00:00:00Z'/><Data>x</Data></Event>",
    "<row><time>2025-01-01T00:00:00Z</time></row><row><h>evil</h><time>2026-06-24T04:15:41Z</time></row>",
    // Records in strings of records.
    r#"{"log":"{\"time\":\"2026-06-24T04:15:41Z\",\"h\":\"evil\"}"}"#,
    r#"{"log":"{\"time\":\"2020-06-24T04:15:41Z\",\"h\":\"evil\"}","time":"2026-06-24T04:15:41Z"}"#,
    r#"{"_raw":"time=2026-06-24T04:15:41Z h=evil"}"#,
    r#"{"id":7,"message":"Jun 24 04:15:41 host evil"}"#,
    r#"{"expires":"2020-01-01T00:00:00Z","seen":"2026-06-24T04:15:41Z","h":"evil"}"#,
    r#"{"id":{"time":"2026-06-24T04:15:41.000Z"},"events":[{"p":"evil"}]}"#,
    r#"{"items":[{"id":{"time":"2026-06-24T04:15:41.000Z"},"events":[{"p":"evil"}]}]}"#,
    r#"{"ts":1.782274541123e9,"h":"evil"}"#,
    r#"{"t":{"$date":{"$numberLong":"1782274541123"}},"msg":"evil"}"#,
    r#"{"ContextTimeStamp":"1782274541.123","h":"evil"}"#,
    r#"{"streams":[{"stream":{},"values":[["1","ok"],["1782274541123456789","to evil"]]}]}"#,
    "receive_time=\"2026/06/24 05:15:41\" time_generated=\"2026/06/24 04:15:41\" q=evil",
    "Expires: Wed, 01 Jan 2020 00:00:00 GMT, at 2026-06-24 04:15:41 evil",
    r#"{"id":7,"message":"<Event><TimeCreated SystemTime=\"2026-06-24T04:15:41Z\"/><Data>evil</Data></Event>"}"#,
];

#[test]
fn times_in_every_format() {
    for line in FORMATS {
        let (hit, want) = match line.contains("evil2") {
            true => ("evil2", "2026-06-05T04:15:41"),
            false => ("evil", "2026-06-24T04:15:41"),
        };
        let got = time(line, hit);
        let want = if line.contains("04:15^") { "2026-06-24T04:15:00" } else { want };
        assert_eq!(got.as_deref(), Some(want), "{line}");
    }
}

#[test]
fn a_neighbouring_time_is_not_that_of_the_record() {
    for line in [
        r#"{"certificate":{"timestamp":"2020-01-01T00:00:00Z"},"h":"evil"}"#,
        r#"{"file":{"created":"2020-01-01T00:00:00Z"},"h":"evil"}"#,
        "<Events><Event><Data>evil</Data></Event><Event><TimeCreated SystemTime='2025-01-01T00:00:00Z'/></Event></Events>",
        r#"{"t":"12","h":"evil"}"#,
        r#"{"uptime":{"seconds":1782274541,"nanos":5},"h":"evil"}"#,
        "start=Jun 24 2026 04:15:41 h=evil",
        r#"{"expires":"2020-01-01T00:00:00Z","h":"evil"}"#,
        r#"{"h":"evil","not_valid_after":"2020-01-01T00:00:00Z","lastModified":"2020-01-01"}"#,
        r#"{"notBefore":"2020-01-01T00:00:00Z","updated_at":"2020-01-01T00:00:00Z","h":"evil"}"#,
        r#"{"user":{"created":"2020-01-01T00:00:00Z"},"h":"evil"}"#,
        r#"{"created":"2020-01-01T00:00:00Z","valid_until":"2030-01-01T00:00:00Z","h":"evil"}"#,
        "host=evil expires=\"2020-01-01T00:00:00Z\"",
        "Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT evil",
        "Expires: Wed, 01 Jan 2020 00:00:00 GMT evil",
        "certificate evil next_run: 2020-01-01 00:00:00",
        "t=5 h=evil",
    ] {
        assert_eq!(time(line, "evil"), None, "{line}");
    }
}

#[test]
fn the_day_that_a_header_names() {
    let head = "#Software: x\n#Version: 1.0\n#Date: 2026-06-24 00:00:00\n#Fields: time cs-host\n";
    for (head, want) in [(head, Some(())), (&head.replace("#Date", "#Data"), None)] {
        let line = "04:15:41 evil";
        let time = record(line, head).time(line.as_bytes(), 9, &clock());
        assert_eq!(time, want.map(|()| Timestamp(1_782_274_541_000_000)), "{head}");
    }
    // A time in the line itself takes precedence.
    let head = head.replace("Fields: ", "Fields: date ");
    let line = "2026-06-23 04:15:41 evil";
    let time = record(line, &head).time(line.as_bytes(), 20, &clock());
    assert_eq!(time, Some(Timestamp(1_782_188_141_000_000)));
}

#[test]
fn headers_after_something_and_with_one_known_name() {
    for (head, line) in [
        ("expires,host,timestamp\n", "2027-01-01T00:00:00Z,evil,1782274541"),
        ("name,expires,timestamp\n", "evil,2027-01-01T00:00:00Z,2026-06-24T04:15:41Z"),
        ("id,name,type,timestamp\r\n", "1,evil,x,1782274541"),
        ("id;name;type;timestamp\n", "1;evil;x;1782274541"),
        ("sep=,\r\nhost,expires,timestamp\r\n", "evil,2027-01-01T00:00:00Z,1782274541"),
        ("\u{feff}sep=;\nhost;expires;timestamp\n", "evil;2027-01-01T00:00:00Z;1782274541"),
        (
            "#TYPE System.Management.Automation.PSCustomObject\r\n\"host\",\"a\",\"time\"\r\n",
            "\"evil\",\"2027-01-01T00:00:00Z\",\"1782274541\"",
        ),
        ("\u{feff}#Fields: cs-host date time\n", "evil 2026-06-24 04:15:41"),
    ] {
        let at = line.find("evil").unwrap();
        let time = record(line, head).time(line.as_bytes(), at, &clock());
        assert_eq!(time, Some(Timestamp(1_782_274_541_000_000)), "{head}");
    }
}
