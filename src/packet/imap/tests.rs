use super::*;
use crate::indicator::Where;
use crate::packet::mail::tests::SAMPLE;
use crate::packet::tests::converse;

fn literal(text: &str) -> String {
    format!("{{{}}}\r\n{text}", text.len())
}

/// A client that logs in, fetches and appends.
pub(in crate::packet) fn client() -> Vec<u8> {
    let append = "From: ap@evil.example\r\n\r\n";
    let text = [
        "a1 CAPABILITY\r\na2 LOGIN \"c\\@evil.example\" no@x.example\r\n",
        &format!("a3 LOGIN {} {}\r\n", literal("d@evil.example"), literal("x")),
        "a4 SELECT INBOX\r\na5 FETCH 1:* (UID BODY[])\r\n",
        &format!("a6 APPEND {} (\\Seen) {}\r\n", literal("Sent"), literal(append)),
        "a7 IDLE\r\nDONE\r\na8 STARTTLS\r\n",
    ];
    let mut text = text.concat().into_bytes();
    text.extend(crate::packet::tls::tests::hello(Some("tls.example"), &[]));
    text
}

/// What the server says to it.
pub(in crate::packet) fn server() -> Vec<u8> {
    let (one, two) = SAMPLE.split_at(1000);
    let structure = format!("* 4 FETCH (BODYSTRUCTURE ({}) ", "\"x\" NIL ".repeat(4000));
    let text = [
        "* OK ready\r\n* CAPABILITY IMAP4rev1\r\na1 OK\r\na2 NO\r\n+ go on\r\na3 OK\r\n",
        "* 3 EXISTS\r\na4 OK\r\n",
        &format!("* 1 FETCH (UID 5 BODY[] {} FLAGS ())\r\n", literal(SAMPLE)),
        &format!(
            "* 2 FETCH (BODY[HEADER.FIELDS (FROM)] {}",
            literal("From: h@evil.example\r\n\r\n")
        ),
        &format!(
            " BODY[1] {} ENVELOPE (NIL {}))\r\n",
            literal("part\r\n"),
            literal("no@x.example")
        ),
        &format!("* 3 FETCH (BODY[]<0> {})\r\na5 OK\r\n", literal(one)),
        &format!("* 3 FETCH (BODY[]<1000> {})\r\n", literal(two)),
        &format!("{structure}BODY[HEADER] {})\r\n", literal("From: z@evil.example\r\n\r\n")),
        "a6 OK\r\n* 9 FETCH (RFC822.SIZE 5)\r\na8 OK begin TLS\r\n",
    ];
    let mut text = text.concat().into_bytes();
    text.extend(crate::packet::tls::tests::server_flight());
    text
}

#[test]
fn mails_and_mailboxes() {
    let (recorder, counters) = converse(1430, &client(), &server(), 1000);
    assert_eq!(counters.faults().count(), 0);
    let from = ["ap", "a", "i", "h", "a", "i", "z"].map(|name| format!("{name}@evil.example"));
    assert_eq!(recorder.at(Where::MailFrom), from);
    assert_eq!(recorder.at(Where::MailTo)[..2], ["c@evil.example", "d@evil.example"]);
    assert_eq!(recorder.at(Where::MailTo).len(), 6);
    assert_eq!(recorder.at(Where::FileName).len(), 10);
    assert_eq!(recorder.at(Where::FileHash).len(), 24);
    assert!(recorder.text_at(Where::MailBody).contains("part\r\n"));
    assert!(!recorder.text_at(Where::MailBody).contains("no@x"));
    assert_eq!(recorder.at(Where::TlsSni), ["tls.example"]);
    assert!(!recorder.at(Where::TlsCert).is_empty());
}

#[test]
fn what_a_client_begins_with() {
    for (text, want) in [
        ("a CAPABILITY\r\n", Some(true)),
        ("0.1 login x y\r\n", Some(true)),
        ("A001 UID FETCH 1 X\r\n", Some(true)),
        ("a", None),
        ("a ", None),
        ("a CAP", None),
        ("a LOGINS", Some(false)),
        ("GET / HTTP/1.1\r\n", Some(false)),
        ("{\"a\":1}", Some(false)),
    ] {
        assert_eq!(client::is_command(text.as_bytes()), want, "{text}");
    }
    assert_eq!(server::is_greeting(b"* OK"), None);
    assert_eq!(server::is_greeting(b"* OK ready"), Some(true));
    assert_eq!(server::is_greeting(b"* OKAY"), Some(false));
}

#[test]
fn literals() {
    for (line, text, size) in [
        ("x {12}", "x ", Some(12)),
        ("x {0+}", "x ", Some(0)),
        ("x (~{7}", "x (", Some(7)),
        ("x {a}", "x {a}", None),
        ("x {99999999999999999999999}", "x {99999999999999999999999}", None),
        ("x }", "x }", None),
    ] {
        assert_eq!(split_literal(line.as_bytes()), (text.as_bytes(), size), "{line}");
    }
}

#[test]
fn endless_lines_and_words_stay_small() {
    let packet = crate::packet::tests::some_packet();
    let mut visitor = crate::packet::tests::Recorder::default();
    let mut counters = crate::packet::Counters::default();
    let mut shared = crate::packet::stream::Shared::new(1 << 20, false);
    let mut context = Context::new(&packet, &mut visitor, &mut counters, &mut shared);
    for (is_server, text) in [
        (true, "* 1 FETCH (BODY[1] {9"),
        (false, "a LOGIN {500}\r\nx"),
        (false, "a LOGIN x {1}\r\n"),
    ] {
        let mut side = Side::new(is_server);
        for _ in 0..20_000 {
            let mut rest = text.as_bytes();
            while !rest.is_empty() {
                let Step::Took(length) = side.step(rest, &mut context) else { panic!("{text}") };
                rest = &rest[length..];
            }
            assert!(side.weight() < 4 * MOST_LINE, "{text} {}", side.weight());
        }
    }
}
