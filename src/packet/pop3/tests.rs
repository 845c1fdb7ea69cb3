use super::*;
use crate::packet::mail::tests::SAMPLE;
use crate::packet::tests::converse;

/// A client that lists and fetches.
pub(in crate::packet) fn client() -> Vec<u8> {
    let mut text = b"CAPA\r\nUSER c@evil.example\r\nPASS no@x.example\r\nSTAT\r\nLIST\r\n".to_vec();
    text.extend(b"RETR 1\r\nTOP 2 5\r\nSTLS\r\n");
    text.extend(crate::packet::tls::tests::hello(Some("tls.example"), &[]));
    text
}

/// What the server says to it.
pub(in crate::packet) fn server() -> Vec<u8> {
    let mut text = b"+OK ready <1@pop.example>\r\n+OK\r\nUSER\r\nSTLS\r\n.\r\n".to_vec();
    text.extend(
        b"+OK\r\n+OK\r\n+OK 2 320\r\n+OK list\r\n1 120\r\n2 200\r\n.\r\n+OK 120 octets\r\n",
    );
    for line in SAMPLE.split_inclusive('\n') {
        if line.starts_with('.') {
            text.push(b'.');
        }
        text.extend(line.as_bytes());
    }
    text.extend(
        b".\r\n+OK\r\nFrom: t@evil.example\r\nContent-Type: multipart/x; boundary=b\r\n\r\n",
    );
    text.extend(b"--b\r\nContent-Type: x/y\r\n\r\nonly the fir\r\n.\r\n-ERR no\r\n+OK begin\r\n");
    text.extend(crate::packet::tls::tests::server_flight());
    text
}

#[test]
fn mails_and_mailboxes() {
    let (recorder, counters) = converse(1100, &client(), &server(), 1000);
    assert_eq!(counters.faults().count(), 0);
    let from = ["a@evil.example", "i@evil.example", "t@evil.example"];
    assert_eq!(recorder.at(Where::MailFrom), from);
    assert_eq!(recorder.at(Where::MailTo), ["c@evil.example", "b@x.example", "c@x.example"]);
    assert_eq!(recorder.at(Where::FileName).len(), 4);
    // Three each, and none of the part that TOP shows.
    assert_eq!(recorder.at(Where::FileHash).len(), 12);
    assert_eq!(recorder.at(Where::TlsSni), ["tls.example"]);
    assert!(!recorder.at(Where::TlsCert).is_empty());
}

#[test]
fn what_is_none_of_it() {
    // FTP begins with USER, too, and Redis answers with +OK.
    for (port, client, server) in [
        (21, &b"USER a@b.example\r\n"[..], &b"220 x\r\n"[..]),
        (6379, b"*1\r\n", b"+OK\r\n$5\r\nA: b\r\n"),
    ] {
        let (mut recorder, _) = converse(port, client, server, 5);
        recorder.seen.retain(|(at, _)| *at != Where::FtpUser);
        assert_eq!((recorder.seen.len(), recorder.texts.len()), (0, 0), "{port}");
    }
}
