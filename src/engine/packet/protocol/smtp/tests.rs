use super::*;
use crate::engine::packet::Counters;
use crate::engine::packet::tests::{Recorder, decode, tcp};

/// The data of a client that sends two mails, and continues with TLS.
pub(in crate::engine::packet) fn client() -> Vec<u8> {
    let mut text = Vec::new();
    text.extend(b"EHLO mail.evil.example\r\nMAIL FROM:<a@evil.example> SIZE=9\r\n");
    text.extend(b"RCPT TO:<b@x.example>\r\nrcpt to:<c@x.example>\r\nDATA\r\n");
    text.extend(b"Received: from h (h [192.0.2.7])\r\n\tby x\r\nFrom: A <A@evil.example>\r\n");
    text.extend(b"To: b@x.example,\r\n c@x.example\r\nSubject: x\r\n\r\n");
    text.extend(b"RCPT TO:<no@x.example>\r\nFrom: no@x.example\r\n..\r\n.\r\n");
    text.extend(b"MAIL FROM:<>\r\nRCPT TO:<d@x.example>\r\nBDAT 59\r\n");
    let chunk = b"Sender: e@evil.example\r\nCc: d@x.example\r\n\r\nTo: no@x.ex\r\n.\r\n";
    assert_eq!(chunk.len(), 59);
    text.extend(chunk);
    text.extend(b"BDAT 23 LAST\r\nTo: no@x.exa\r\nDATA\r\n.\r\nSTARTTLS\r\n");
    text.extend(crate::engine::packet::protocol::tls::tests::hello(Some("tls.example"), &[]));
    text
}

fn seen(text: &[u8]) -> (Recorder, Counters) {
    decode(&[tcp(40_000, 2525, 24, text)])
}

#[test]
fn envelopes_and_headers() {
    let (recorder, counters) = seen(&client());
    assert_eq!(recorder.at(Where::SmtpHelo), ["mail.evil.example"]);
    assert_eq!(recorder.at(Where::SmtpFrom), ["a@evil.example"]);
    assert_eq!(recorder.at(Where::SmtpTo), ["b@x.example", "c@x.example", "d@x.example"]);
    assert_eq!(recorder.at(Where::SmtpHeader), ["192.0.2.7"]);
    assert_eq!(recorder.text_at(Where::SmtpHeader), "x\n");
    let text = "RCPT TO:<no@x.example>\r\nFrom: no@x.example\r\n.\r\n\
        To: no@x.ex\r\n.\r\nTo: no@x.exa\r\nDATA\r\n.\r\n";
    assert_eq!(recorder.text_at(Where::MailBody), text);
    assert_eq!(recorder.at(Where::MailFrom), ["A@evil.example", "e@evil.example"]);
    assert_eq!(recorder.at(Where::MailTo), ["b@x.example", "c@x.example", "d@x.example"]);
    assert_eq!(recorder.at(Where::TlsSni), ["tls.example"]);
    assert_eq!(counters.faults().count(), 0);
}

#[test]
fn an_alert_reports_the_envelope_so_far() {
    let (recorder, _) = seen(
        b"EHLO a.example\r\nMAIL FROM:<b@c.example>\r\nRCPT TO:<d@e.example>\r\nRSET\r\n\
          MAIL FROM:<>\r\nRCPT TO:<f@g.example>\r\nEHLO h.example\r\n",
    );
    let envelopes: Vec<_> = recorder
        .places
        .iter()
        .map(|place| match &place.protocol {
            Some(crate::engine::indicator::Protocol::Smtp(smtp)) => (
                smtp.helo.as_deref().unwrap_or_default(),
                smtp.from.as_deref().unwrap_or_default(),
                smtp.to.join(","),
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    let want = [
        ("a.example", "", ""),
        ("a.example", "b@c.example", ""),
        ("a.example", "b@c.example", "d@e.example"),
        ("a.example", "", "f@g.example"),
        ("h.example", "", ""),
    ];
    assert_eq!(envelopes, want.map(|(helo, from, to)| (helo, from, to.to_owned())));
}

#[test]
fn names_of_clients() {
    for (line, want) in [
        ("HELO [192.0.2.5]\r\n", vec!["192.0.2.5"]),
        ("ehlo [IPv6:2001:db8::5]\r\n", vec!["2001:db8::5"]),
        ("LHLO a.example\n", vec!["a.example"]),
        ("EHLO a b\r\n", vec![]),
        ("EHLOa.example\r\n", vec![]),
    ] {
        assert_eq!(seen(line.as_bytes()).0.at(Where::SmtpHelo), want, "{line}");
    }
}

#[test]
fn a_refused_mail_and_one_that_breaks_off() {
    let (recorder, _) = seen(b"MAIL FROM:<a@b.example>\r\nDATA\r\nMAIL FROM:<c@d.example>\r\n");
    assert_eq!(recorder.at(Where::SmtpFrom), ["a@b.example", "c@d.example"]);
    let (_, counters) = seen(b"EHLO a.example\r\nDATA\r\nFrom: a@b.ex");
    assert_eq!(counters.fault(Fault::SplitMail), 1);
}

/// RFC 3030: chunks are one mail up to the last of them. A command in between ends it.
#[test]
fn chunks_of_a_mail_that_is_given_up() {
    for command in ["RSET", "MAIL FROM:<c@d.example>", "EHLO a.example"] {
        let text = format!(
            "EHLO a.example\r\nBDAT 30\r\nContent-Type: x/y\r\n\r\nbytes\r\n\r\n{command}\r\n\
             BDAT 28 LAST\r\nSubject: a\r\n\r\nhttp://b/ \r\n\r\nQUIT\r\n"
        );
        let (recorder, counters) = seen(text.as_bytes());
        assert!(recorder.at(Where::FileHash).is_empty(), "{command}");
        assert_eq!(recorder.text_at(Where::SmtpHeader), "a\n", "{command}");
        assert_eq!(recorder.text_at(Where::MailBody), "http://b/ \r\n\r\n", "{command}");
        assert_eq!(counters.faults().count(), 0);
    }
}

/// RFC 6531: non-ASCII addresses. RFC 4954: long lines.
#[test]
fn addresses_beyond_ascii_and_long_lines() {
    let text = format!(
        "EHLO a.example\r\nAUTH X {}\r\nMAIL FROM:<ä@bücher.example> SMTPUTF8\r\nRCPT TO:<\"a b\"@c.example>\r\n",
        "A".repeat(12_000)
    );
    let (recorder, _) = seen(text.as_bytes());
    assert_eq!(recorder.at(Where::SmtpFrom), ["ä@bücher.example"]);
    assert_eq!(recorder.at(Where::SmtpTo), ["\"a b\"@c.example"]);
}

/// The next mail of a connection with missing bytes.
#[test]
fn a_mail_after_a_gap() {
    let segment = |at: usize, data: &[u8]| {
        let mut packet = tcp(40_000, 2525, 24, data);
        packet[24..28].copy_from_slice(&(at as u32).to_be_bytes());
        packet
    };
    let packets = [
        segment(0, b"EHLO a.example\r\n"),
        segment(100, b"mail from:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"),
    ];
    let (recorder, _) = crate::engine::packet::tests::decode_all(&packets);
    assert_eq!(recorder.at(Where::SmtpFrom), ["a@b.example"]);
    assert_eq!(recorder.at(Where::SmtpTo), ["c@d.example"]);
    // A gap that is the rest of a chunk.
    let packets = [
        segment(0, b"EHLO a.example\r\nBDAT 9 LAST\r\nA: b"),
        segment(38, b"MAIL FROM:<a@b.example>\r\n"),
    ];
    assert_eq!(
        crate::engine::packet::tests::decode_all(&packets).0.at(Where::SmtpFrom),
        ["a@b.example"]
    );
}
