use super::*;
use crate::packet::Counters;
use crate::packet::tests::{Recorder, decode, tcp};

/// What a client says who sends two mails, and goes on to TLS.
pub(in crate::packet) fn client() -> Vec<u8> {
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
    text.extend(crate::packet::tls::tests::hello(Some("tls.example"), &[]));
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
fn an_alert_tells_the_envelope_so_far() {
    let (recorder, _) = seen(
        b"EHLO a.example\r\nMAIL FROM:<b@c.example>\r\nRCPT TO:<d@e.example>\r\nRSET\r\n\
          MAIL FROM:<>\r\nRCPT TO:<f@g.example>\r\nEHLO h.example\r\n",
    );
    let envelopes: Vec<_> = recorder
        .places
        .iter()
        .map(|place| match &place.protocol {
            Some(crate::indicator::Protocol::Smtp(smtp)) => (
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
