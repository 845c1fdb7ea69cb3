use crate::engine::indicator::Where;
use crate::engine::packet::payload::mail::tests::SAMPLE;
use crate::engine::packet::tests::converse;

/// A client that lists and fetches.
pub(in crate::engine::packet) fn client() -> Vec<u8> {
    let mut text = b"CAPA\r\nUSER c@evil.example\r\nPASS no@x.example\r\nSTAT\r\nLIST\r\n".to_vec();
    text.extend(b"RETR 1\r\nTOP 2 5\r\nRETR 3\r\nDELE 1\r\nSTLS\r\n");
    text.extend(crate::engine::packet::protocol::tls::tests::hello(Some("tls.example"), &[]));
    text
}

/// The server's responses.
pub(in crate::engine::packet) fn server() -> Vec<u8> {
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
    text.extend(b"--b\r\nContent-Type: x/y\r\n\r\nonly the fir\r\n.\r\n+OK\r\n");
    text.extend(FILE);
    text.extend(b"-ERR no\r\n+OK begin\r\n");
    text.extend(crate::engine::packet::protocol::tls::tests::server_flight());
    text
}

#[test]
fn mails_and_mailboxes() {
    let (recorder, counters) = converse(1100, &client(), &server(), 1000);
    assert_eq!(counters.faults().count(), 0);
    let from = ["a@evil.example", "i@evil.example", "t@evil.example"];
    assert_eq!(recorder.at(Where::MailFrom), from);
    assert_eq!(recorder.at(Where::MailTo), ["c@evil.example", "b@x.example", "c@x.example"]);
    assert_eq!(recorder.at(Where::FileName).len(), 6);
    // Three each, and none of the part that TOP returns.
    assert_eq!(recorder.at(Where::FileHash).len(), 15);
    assert_eq!(recorder.at(Where::TlsSni), ["tls.example"]);
    assert!(!recorder.at(Where::TlsCert).is_empty());
}

/// A mail that is one file, and its digests.
const FILE: &[u8] = b"Content-Type: application/x; name=a.bin\r\n\r\nbytes\r\n.\r\n";

fn digests(client: &[u8], server: &[&[u8]]) -> usize {
    let (recorder, _) = converse(1100, client, &server.concat(), 1000);
    recorder.at(Where::FileHash).len()
}

/// RFC 1939, section 7: TOP returns the headers and a number of lines.
#[test]
fn only_what_was_asked_for_as_a_whole_has_a_digest() {
    const OK: &[u8] = b"+OK yes\r\n";
    let user = b"USER a\r\nPASS b\r\n";
    let [retr, top] = [&b"RETR 1\r\n"[..], b"TOP 1 9\r\n"].map(|line| [&user[..], line].concat());
    assert_eq!(digests(&retr, &[OK, OK, OK, OK, FILE]), 3);
    assert_eq!(digests(&top, &[OK, OK, OK, OK, FILE]), 0);
    // Both pipelined, one of which is refused.
    let both = b"USER a\r\nPASS b\r\nTOP 1 9\r\nRETR 1\r\nRETR 2\r\nTOP 2 9\r\n";
    assert_eq!(digests(both, &[OK, OK, OK, OK, FILE, b"-ERR\r\n", OK, FILE, OK, FILE]), 3);
    // The continuation of AUTH has no separate response, but an unknown command has one.
    let auth = b"USER a\r\nAUTH LOGIN\r\nYQ==\r\nYg==\r\nXTND\r\nTOP 1 9\r\nRETR 1\r\n";
    let server = [OK, OK, b"+ \r\n+ \r\n", OK, b"-ERR\r\n", OK, FILE, OK, FILE];
    assert_eq!(digests(auth, &server), 3);
    // The commands were not captured, or not all of them.
    assert_eq!(digests(b"", &[OK, OK, OK, OK, FILE]), 0);
    assert_eq!(digests(&retr, &[OK, OK, OK, OK, OK, FILE]), 0);
    let server = [OK, OK, OK, FILE, OK, FILE];
    assert_eq!(digests(&[&retr[..], b"TOP 1 9\r\n"].concat(), &server), 0);
}

#[test]
fn a_mail_that_begins_with_no_header() {
    let client = b"USER a\r\nRETR 1\r\n";
    let (recorder, _) = converse(1100, client, b"+OK yes\r\n+OK\r\n+OK\r\nno header\r\n.\r\n", 9);
    assert_eq!(recorder.text_at(Where::MailBody), "no header\r\n");
}

#[test]
fn what_is_none_of_it() {
    // FTP begins with USER, too, and Redis responds with +OK.
    for (port, client, server) in [
        (21, &b"USER a@b.example\r\n"[..], &b"220 x\r\n"[..]),
        (6379, b"*1\r\n", b"+OK\r\n$5\r\nA: b\r\n"),
    ] {
        let (mut recorder, _) = converse(port, client, server, 5);
        recorder.seen.retain(|(at, _)| *at != Where::FtpUser);
        assert_eq!((recorder.seen.len(), recorder.texts.len()), (0, 0), "{port}");
    }
}
