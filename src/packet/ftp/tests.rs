use super::*;
use crate::packet::tests::{decode, tcp};

/// What a client says who fetches a file and goes on to TLS.
pub(in crate::packet) fn client() -> Vec<u8> {
    let mut text = Vec::new();
    text.extend(b"USER me@evil.example\r\nPASS x\r\nTYPE I\r\nPASV\r\nRETR /pub/evil.exe\r\n");
    text.extend(b"EPSV\r\nSTOR loot.zip\r\nLIST -l\r\nDELE gone.txt\r\nAUTH TLS\r\n");
    text.extend(crate::packet::tls::tests::hello(Some("tls.example"), &[]));
    text
}

/// What its server says.
pub(in crate::packet) fn server() -> Vec<u8> {
    let mut text = Vec::new();
    text.extend(b"220-Welcome\r\n  to 227 Entering\r\n220 us\r\n331 x\r\n230 y\r\n200 z\r\n");
    text.extend(b"227 Entering Passive Mode (198,51,100,2,4,1).\r\n150 for it (9 bytes)\r\n226 ok\r\n");
    text.extend(b"229 Entering (|||1026|)\r\n150 go on\r\n226 ok\r\n234 go\r\n");
    text.extend(crate::packet::tls::tests::server_flight());
    text
}

#[test]
fn commands() {
    let (recorder, counters) = decode(&[tcp(40_000, 21, 24, &client())]);
    assert_eq!(recorder.at(Where::FtpUser), ["me@evil.example"]);
    let names = ["evil.exe", "/pub/evil.exe", "loot.zip", "gone.txt"];
    assert_eq!(recorder.at(Where::FileName), names);
    assert_eq!(recorder.at(Where::TlsSni), ["tls.example"]);
    assert_eq!(counters.faults().count(), 0);
    // On another port only behind a greeting: POP3 begins in the same way.
    let (recorder, _) = decode(&[tcp(40_000, 2121, 24, b"USER a@b.example\r\nRETR 1\r\n")]);
    assert!(recorder.seen.is_empty());
}

#[test]
fn answers() {
    assert_eq!(code(b"220 a"), Some((220, false)));
    assert_eq!(code(b"220-a"), Some((220, true)));
    assert_eq!(code(b"220"), Some((220, false)));
    assert_eq!(code(b"22 a"), None);
    assert_eq!(code(b"720 a"), None);
    assert_eq!(code(b"+20 a"), None);
    assert!(begins(b"227 Entering Passive"));
    assert!(begins(b"PORT 1,2") && !begins(b"PORTS"));
}
