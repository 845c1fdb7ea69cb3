use super::super::Clock;
use super::*;
use crate::engine::indicator::Timestamp;
use proptest::prelude::*;

fn clock(now: &str) -> Clock {
    Clock { now: Timestamp::parse(now).unwrap(), ..Clock::default() }
}

fn read(frame: &str) -> Message<'_> {
    Message::parse(frame.as_bytes(), &clock("2026-11-29T12:00:00Z"))
}

fn shown(part: Option<&[u8]>) -> &str {
    part.map_or("-", |part| str::from_utf8(part).unwrap())
}

fn parts<'m>(message: &Message<'m>) -> [&'m str; 5] {
    let Message { host, app, procid, msgid, text, .. } = *message;
    [host, app, procid, msgid, Some(text)].map(shown)
}

fn at(text: &str) -> Option<Timestamp> {
    Some(Timestamp::parse(text).unwrap())
}

#[test]
fn rfc_5424() {
    // The examples of section 6.5.
    let message = read(
        "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 \
         [exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"]\
         [examplePriority@32473 class=\"high\"] \u{feff}An application event",
    );
    assert_eq!((message.facility, message.severity), (20, 5));
    assert_eq!(message.time, at("2003-10-11T22:14:15.003Z"));
    let want = ["mymachine.example.com", "evntslog", "-", "ID47", "An application event"];
    assert_eq!(parts(&message), want);
    let values: Vec<_> = message
        .values()
        .map(|(id, name, value)| {
            [id, name, &value].map(|part| String::from_utf8_lossy(part).into_owned())
        })
        .collect();
    let want = [
        ["exampleSDID@32473", "iut", "3"],
        ["exampleSDID@32473", "eventSource", "Application"],
        ["exampleSDID@32473", "eventID", "1011"],
        ["examplePriority@32473", "class", "high"],
    ];
    assert_eq!(values, want);
    let message = read("<34>1 2003-10-11T22:14:15.003-07:00 h su - ID47 - 'su root' failed");
    assert_eq!(message.time, at("2003-10-12T05:14:15.003Z"));
    assert_eq!(parts(&message), ["h", "su", "-", "ID47", "'su root' failed"]);
}

#[test]
fn data_without_text_with_escapes_and_broken() {
    let message = read(r#"<34>1 - h a 7 - [x@1 a="b\\\"c\]d\e" f=""][y]"#);
    assert_eq!(parts(&message), ["h", "a", "7", "-", ""]);
    let values: Vec<_> = message.values().map(|(_, _, value)| value.into_owned()).collect();
    assert_eq!(values, [br#"b\"c]d\e"#.to_vec(), b"".to_vec()]);
    // Elements that never end, or are not followed by a space, are text.
    for text in ["[x@1 a=\"b", "[x@1 a=\"b\"]evil.example", "text and no data"] {
        let frame = format!("<34>1 - h a - - {text}");
        let message = read(&frame);
        assert_eq!((shown(Some(message.text)), message.values().count()), (text, 0));
    }
    // A bracket inside a value does not end the element.
    let message = read(r#"<34>1 - h a - - [x@1 a="]"] t"#);
    assert_eq!(shown(Some(message.text)), "t");
}

#[test]
fn rfc_3164_and_what_is_made_of_it() {
    for (frame, time, want) in [
        // rsyslog's default.
        (
            "<13>Nov 29 10:00:00 web1 sshd[4711]: from 192.0.2.7",
            "2026-11-29T10:00:00Z",
            ["web1", "sshd", "4711", "from 192.0.2.7"],
        ),
        // Its ForwardFormat.
        (
            "<13>2026-11-29T11:00:00.5+01:00 web1 app: x",
            "2026-11-29T10:00:00.5Z",
            ["web1", "app", "-", "x"],
        ),
        ("<13>2026-11-29T10:00:00 web1 app: x", "2026-11-29T10:00:00Z", ["web1", "app", "-", "x"]),
        ("<13>Nov  9 10:00:00 ::1 app: x", "2026-11-09T10:00:00Z", ["::1", "app", "-", "x"]),
        ("<13>Nov 29 10:00:00 app[1]: x", "2026-11-29T10:00:00Z", ["-", "app", "1", "x"]),
        // No tag: the host name may be a word of the text, and stays in it.
        (
            "<13>Nov 29 10:00:00 evil.example was asked for",
            "2026-11-29T10:00:00Z",
            ["evil.example", "-", "-", "evil.example was asked for"],
        ),
        (
            "<189>29: *Nov 29 10:00:00.123: %SYS-5-CONFIG_I: Configured",
            "2026-11-29T10:00:00.123Z",
            ["-", "%SYS-5-CONFIG_I", "-", "Configured"],
        ),
        (
            "<166>Nov 29 2025 10:00:00: %ASA-6-302013: Built",
            "2025-11-29T10:00:00Z",
            ["-", "%ASA-6-302013", "-", "Built"],
        ),
        ("<13>Nov 29 10:00:00 2024 h a: x", "2024-11-29T10:00:00Z", ["h", "a", "-", "x"]),
    ] {
        let message = read(frame);
        let [host, app, procid, _, text] = parts(&message);
        assert_eq!([host, app, procid, text], want, "{frame}");
        assert_eq!(message.time, at(time), "{frame}");
    }
}

#[test]
fn nothing_is_lost_of_what_is_no_header() {
    for (frame, text) in [
        ("no priority", "no priority"),
        ("<192>Nov 29 10:00:00 h a: x", "<192>Nov 29 10:00:00 h a: x"),
        ("<>x", "<>x"),
        ("<1234>x", "<1234>x"),
        ("<13", "<13"),
        ("<13>date=2026-11-29 dst=192.0.2.7", "date=2026-11-29 dst=192.0.2.7"),
        ("<13>app[1]: x", "app[1]: x"),
        ("<13>1 - evil.example", "1 - evil.example"),
        ("<13>1 yesterday h a - - - x", "1 yesterday h a - - - x"),
        ("<13>Nov 31 10:00:00 h a: x", "Nov 31 10:00:00 h a: x"),
        ("<13>Nov 30 25:00:00 h a: x", "Nov 30 25:00:00 h a: x"),
        ("<13>", ""),
        ("\u{feff}x", "x"),
    ] {
        assert_eq!(shown(Some(read(frame).text)), text, "{frame}");
    }
    let message = read("no priority");
    assert_eq!((message.facility, message.severity), (DEFAULT_FACILITY, DEFAULT_SEVERITY));
    assert_eq!(shown(read("<13>app[1]: x").app), "app");
}

#[test]
fn years_that_are_left_out() {
    for (now, stamp, want) in [
        ("2026-01-01T00:10:00Z", "Dec 31 23:59:00", "2025-12-31T23:59:00Z"),
        ("2025-12-31T23:59:00Z", "Jan  1 00:10:00", "2026-01-01T00:10:00Z"),
        ("2026-11-29T12:00:00Z", "Nov 30 11:59:59", "2026-11-30T11:59:59Z"),
        ("2026-11-29T12:00:00Z", "Nov 30 12:00:01", "2025-11-30T12:00:01Z"),
        ("2026-11-29T12:00:00Z", "Feb 29 12:00:01", "2024-02-29T12:00:01Z"),
        ("1903-11-29T12:00:00Z", "Feb 29 12:00:01", "1896-02-29T12:00:01Z"),
        ("2026-11-29T12:00:00Z", "Nov 29 10:00:60", "2026-11-29T10:00:59Z"),
    ] {
        let frame = format!("<13>{stamp} h a: x");
        assert_eq!(Message::parse(frame.as_bytes(), &clock(now)).time, at(want), "{stamp}");
    }
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let clock = Clock { zone, ..clock("2026-11-29T12:00:00Z") };
    let message = Message::parse(b"<13>Jul  1 12:00:00 h a: x", &clock);
    assert_eq!(message.time, at("2026-07-01T10:00:00Z"));
}

/// The slow reference for well-formed headers: one expression for each form.
fn slow(frame: &str) -> Option<[String; 6]> {
    let new = regex::Regex::new(
        r#"^<(\d{1,3})>\d{1,3} - (\S+) (\S+) (\S+) (\S+) (-|(?:\[[^\s\]"]+(?: [^\s="]+="(?:[^"\\]|\\.)*")*\])+)(?: \u{feff}?(?s:(.*)))?$"#,
    )
    .unwrap();
    let old = regex::Regex::new(
        r"^<(\d{1,3})>Nov 29 10:00:00 ([A-Za-z0-9.-]+) ([^\s\[:]+)(?:\[([^\]]+)\])?: ?(?s:(.*))$",
    )
    .unwrap();
    let text = |part: Option<regex::Match<'_>>| {
        let text = part.map_or("-", |part| part.as_str());
        if text.is_empty() { "-".to_string() } else { text.to_string() }
    };
    if let Some(found) = new.captures(frame) {
        let data = text(found.get(6));
        return Some([
            text(found.get(2)),
            text(found.get(3)),
            text(found.get(4)),
            text(found.get(5)),
            data,
            text(found.get(7)),
        ]);
    }
    let found = old.captures(frame)?;
    let procid = text(found.get(4));
    let [host, app, rest] = [2, 3, 5].map(|group| text(found.get(group)));
    Some([host, app, procid, "-".into(), "-".into(), rest])
}

fn well_formed() -> impl Strategy<Value = String> {
    let word = "[a-zA-Z0-9.@-]{1,9}";
    let value = r#"([a-z \[=]|\\\\|\\"|\\\])*"#;
    let element =
        (word, prop::collection::vec((word, value), 0..3)).prop_map(|(id, parameters)| {
            let parameters = parameters.iter().map(|(name, value)| format!(" {name}=\"{value}\""));
            format!("[{id}{}]", parameters.collect::<String>())
        });
    let data = prop_oneof![
        Just("-".to_string()),
        prop::collection::vec(element, 1..3).prop_map(|elements| elements.concat()),
    ];
    let new = (0..192u8, [word; 4], data, proptest::option::of("[a-z \u{feff}\\[\"]{0,20}"));
    let new = new.prop_map(|(priority, [host, app, procid, msgid], data, text)| {
        let text = text.map(|text| format!(" {text}")).unwrap_or_default();
        format!("<{priority}>1 - {host} {app} {procid} {msgid} {data}{text}")
    });
    let old = (0..192u8, "[a-z0-9.-]{1,9}", "[a-z/]{1,9}", "(\\[[0-9]{1,5}\\])?", "[a-z .:]{0,20}");
    let old = old.prop_map(|(priority, host, app, procid, text)| {
        format!("<{priority}>Nov 29 10:00:00 {host} {app}{procid}: {text}")
    });
    prop_oneof![new, old]
}

proptest! {
    #[test]
    fn the_slow_twin_agrees(frame in well_formed()) {
        let message = read(&frame);
        let [host, app, procid, msgid, text] = parts(&message);
        let data = str::from_utf8(message.data).unwrap();
        let found = [host, app, procid, msgid, data, text];
        let found = found.map(|part| if part.is_empty() { "-" } else { part }.to_string());
        prop_assert_eq!(Some(found), slow(&frame), "{}", frame);
    }

    #[test]
    fn anything_is_a_message(
        frame in prop::collection::vec(prop_oneof![
            3 => prop::sample::select(&b"<13>1 - -[]\"\\=: Nov29"[..]),
            1 => any::<u8>(),
        ], 0..80),
    ) {
        let message = Message::parse(&frame, &Clock::default());
        prop_assert!(message.facility < 24 && message.severity < 8);
        let values: usize = message.values().map(|(_, _, value)| value.len()).sum();
        prop_assert!(values + message.text.len() <= frame.len());
    }
}
