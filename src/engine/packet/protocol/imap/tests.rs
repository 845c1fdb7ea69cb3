use super::side::{MAX_LINE, Side, split_literal};
use super::{client, server};
use crate::engine::indicator::Where;
use crate::engine::packet::contract::{ParseContext, Protocol as _, Step};
use crate::engine::packet::dispatch::ConnectionState;
use crate::engine::packet::payload::mail::tests::SAMPLE;
use crate::engine::packet::tests::converse;

fn literal(text: &str) -> String {
    format!("{{{}}}\r\n{text}", text.len())
}

/// A client that logs in, fetches and appends.
pub(in crate::engine::packet) fn client() -> Vec<u8> {
    let append = "From: ap@evil.example\r\n\r\n";
    let text = [
        "a1 CAPABILITY\r\na2 LOGIN \"c\\@evil.example\" no@x.example\r\n",
        &format!("a3 LOGIN {} {}\r\n", literal("d@evil.example"), literal("x")),
        "a4 SELECT INBOX\r\na5 FETCH 1:* (UID BODY[])\r\n",
        &format!("a6 APPEND {} (\\Seen) {}\r\n", literal("Sent"), literal(append)),
        "a7 IDLE\r\nDONE\r\n",
        // One that is refused, and the command that follows instead.
        "b1 APPEND No {70}\r\nb2 CREATE No\r\n",
        &format!("b3 REPLACE 4 No {}\r\n", literal("Sender: rp@evil.example\r\n\r\n")),
        "a8 STARTTLS\r\n",
    ];
    let mut text = text.concat().into_bytes();
    text.extend(crate::engine::packet::protocol::tls::tests::hello(Some("tls.example"), &[]));
    text
}

/// The server's responses.
pub(in crate::engine::packet) fn server() -> Vec<u8> {
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
    text.extend(crate::engine::packet::protocol::tls::tests::server_flight());
    text
}

#[test]
fn mails_and_mailboxes() {
    let (recorder, counters) = converse(1430, &client(), &server(), 1000);
    assert_eq!(counters.faults().count(), 0);
    let from =
        ["ap", "rp", "a", "i", "h", "a", "i", "z"].map(|name| format!("{name}@evil.example"));
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
fn announced_literals_are_read() {
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
    let packet = crate::engine::packet::tests::some_packet();
    let mut visitor = crate::engine::packet::tests::Recorder::default();
    let mut counters = crate::engine::packet::Counters::default();
    let mut shared = crate::engine::packet::contract::Shared::new(1 << 20, false);
    let mut state = ConnectionState::default();
    let mut context = ParseContext::new(&packet, &mut visitor, &mut counters, &mut shared);
    for (is_server, text) in [
        (true, "* 1 FETCH (BODY[1] {9"),
        (false, "a LOGIN {500}\r\nx"),
        (false, "a LOGIN x {1}\r\n"),
    ] {
        let mut side = Side::new(is_server);
        for _ in 0..20_000 {
            let mut rest = text.as_bytes();
            while !rest.is_empty() {
                let Step::Took(length) = side.step(rest, &mut state, &mut context) else {
                    panic!("{text}")
                };
                rest = &rest[length..];
            }
            assert!(side.weight() < 4 * MAX_LINE, "{text} {}", side.weight());
        }
    }
}

/// What is reported of an upload, and how many digests.
fn appended(client: &str) -> (Vec<String>, usize) {
    let (recorder, counters) = converse(1430, client.as_bytes(), &[], 7);
    assert_eq!(counters.faults().count(), 0);
    let from = recorder.at(Where::MailFrom).into_iter().map(str::to_owned).collect();
    (from, recorder.at(Where::FileHash).len())
}

const FILE: &str = "From: a@evil.example\r\nContent-Type: x/y\r\n\r\nbytes\r\n";

#[test]
fn a_literal_that_is_refused() {
    // RFC 3501, 6.3.11: the mailbox does not exist, and the client creates it.
    let offer = format!("a APPEND Sent (\\Seen) {{{}}}\r\n", FILE.len());
    let text = format!("{offer}b CREATE Sent\r\n{offer}{FILE}\r\nc NOOP\r\n");
    assert_eq!(appended(&text), (vec!["a@evil.example".to_owned()], 3));
    // One that does not wait for the server.
    let text = format!("a APPEND Sent {{{}+}}\r\nb NOOP\r\n{FILE}\r\n", FILE.len() + 8);
    assert_eq!(appended(&text).0, ["a@evil.example"]);
}

#[test]
fn mails_that_replace_others_and_parts_of_mails() {
    for command in ["REPLACE 4 Drafts", "UID REPLACE 4 Drafts (\\Seen)", "REPLACE 4 {1}\r\nx"] {
        let text = format!("a {command} {}\r\nb NOOP\r\n", literal(FILE));
        assert_eq!(appended(&text), (vec!["a@evil.example".to_owned()], 3), "{command}");
    }
    // RFC 4469: the second part is unknown.
    let text = format!("a APPEND Sent CATENATE (TEXT {} URL \"/x\")\r\nb NOOP\r\n", literal(FILE));
    assert_eq!(appended(&text), (vec!["a@evil.example".to_owned()], 0));
    let text = format!(
        "a APPEND Sent CATENATE (URL \"/x\" TEXT {} TEXT {})\r\n",
        literal("a\r\n"),
        literal(FILE)
    );
    assert_eq!(appended(&text), (vec!["a@evil.example".to_owned()], 0));
}

#[test]
fn a_literal_with_a_gap() {
    let text = format!("* OK ready\r\n* 1 FETCH (BODY[] {})\r\n", literal(FILE));
    let text =
        [text.as_bytes(), b"* 2 FETCH (BODY[] {25}\r\nFrom: b@evil.example\r\n\r\nx)\r\n"].concat();
    let end = memchr::memmem::find(&text, b"bytes").unwrap() + 7;
    for (from, to) in [(end - 5, end - 2), (end - 5, end)] {
        let segment = |at: usize, data: &[u8]| {
            let mut packet = crate::engine::packet::tests::tcp(1430, 40_000, 24, data);
            packet[24..28].copy_from_slice(&(at as u32).to_be_bytes());
            packet
        };
        let packets = [segment(0, &text[..from]), segment(to, &text[to..])];
        let (recorder, _) = crate::engine::packet::tests::decode_all(&packets);
        assert_eq!(recorder.at(Where::MailFrom), ["a@evil.example", "b@evil.example"]);
        assert!(recorder.at(Where::FileHash).is_empty());
    }
}

/// RFC 3501, 7.4.2: `BODY[]<0>` is a part, of a length that the client chose.
#[test]
fn a_part_is_no_whole_mail() {
    let digests = |items: &str| {
        let text = format!("* OK ready\r\n* 1 FETCH ({items} {})\r\n* OK\r\n", literal(FILE));
        let (recorder, _) = converse(1430, b"", text.as_bytes(), 9);
        assert_eq!(recorder.at(Where::MailFrom), ["a@evil.example"], "{items}");
        recorder.at(Where::FileHash).len()
    };
    // Nor are the words at its borders.
    let text = |item: &str| {
        let text = format!("* OK ready\r\n* 1 FETCH ({item} {})\r\n", literal("a.example b.exam"));
        converse(1430, b"", text.as_bytes(), 9).0.text_at(Where::MailBody)
    };
    assert_eq!(text("BODY[1]"), "a.example b.exam");
    assert_eq!(text("BODY[1]<0>"), "a.example ");
    assert_eq!(text("BODY[1]<7>"), " ");
    assert_eq!(text("BODY[]<7>"), " ");
    assert_eq!(digests("BODY[]"), 3);
    assert_eq!(digests("BODY[]<0>"), 0);
}
