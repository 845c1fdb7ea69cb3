use super::command::begins;
use super::control::code;
use crate::engine::indicator::Where;
use crate::engine::packet::tests::{decode, tcp};

/// The data of a client that fetches a file and continues with TLS.
pub(in crate::engine::packet) fn client() -> Vec<u8> {
    let mut text = Vec::new();
    text.extend(b"USER me@evil.example\r\nPASS x\r\nTYPE I\r\nPASV\r\nRETR /pub/evil.exe\r\n");
    text.extend(b"EPSV\r\nSTOR loot.zip\r\nLIST -l\r\nDELE gone.txt\r\nAUTH TLS\r\n");
    text.extend(crate::engine::packet::protocol::tls::tests::hello(Some("tls.example"), &[]));
    text
}

/// The data of its server.
pub(in crate::engine::packet) fn server() -> Vec<u8> {
    let mut text = Vec::new();
    text.extend(b"220-Welcome\r\n  to 227 Entering\r\n220 us\r\n331 x\r\n230 y\r\n200 z\r\n");
    text.extend(
        b"227 Entering Passive Mode (198,51,100,2,4,1).\r\n150 for it (9 bytes)\r\n226 ok\r\n",
    );
    text.extend(b"229 Entering (|||1026|)\r\n150 go on\r\n226 ok\r\n234 go\r\n");
    text.extend(crate::engine::packet::protocol::tls::tests::server_flight());
    text
}

#[test]
fn users_and_paths_of_commands_are_reported() {
    let (recorder, counters) = decode(&[tcp(40_000, 21, 24, &client())]);
    assert_eq!(recorder.at(Where::FtpUser), ["me@evil.example"]);
    let names = ["evil.exe", "/pub/evil.exe", "loot.zip", "gone.txt"];
    assert_eq!(recorder.at(Where::FileName), names);
    assert_eq!(recorder.at(Where::TlsSni), ["tls.example"]);
    assert_eq!(counters.faults().count(), 0);
    // On another port only after a greeting: POP3 begins in the same way.
    let (recorder, _) = decode(&[tcp(40_000, 2121, 24, b"USER a@b.example\r\nRETR 1\r\n")]);
    assert!(recorder.at(Where::FtpUser).is_empty() && recorder.at(Where::FileName).is_empty());
}

#[test]
fn codes_of_replies_are_read() {
    assert_eq!(code(b"220 a"), Some((220, false)));
    assert_eq!(code(b"220-a"), Some((220, true)));
    assert_eq!(code(b"220"), Some((220, false)));
    assert_eq!(code(b"22 a"), None);
    assert_eq!(code(b"720 a"), None);
    assert_eq!(code(b"+20 a"), None);
    assert!(begins(b"227 Entering Passive"));
    assert!(begins(b"PORT 1,2") && !begins(b"PORTS"));
    assert!(begins(b"FEAT\r\n") && begins(b"TYPE A\r\n") && !begins(b"TYPE ABC\r\n"));
}

/// Segments of both connections of a transfer, each side with its own sequence numbers.
#[derive(Default)]
struct Wire {
    next: std::collections::HashMap<(bool, u16), u32>,
    packets: Vec<Vec<u8>>,
}

impl Wire {
    /// The client's ports are 40000 and 40001, the server's 21 and 1025.
    fn send(&mut self, to_server: bool, is_data: bool, flags: u8, payload: &[u8]) {
        let (client, server) = if is_data { (40_001, 1025) } else { (40_000, 21) };
        let (src, dst) = if to_server { (client, server) } else { (server, client) };
        let seq = self.next.entry((to_server, src)).or_insert(1000);
        let mut bytes = [u16::to_be_bytes(src), u16::to_be_bytes(dst)].concat();
        bytes.extend(seq.to_be_bytes());
        bytes.extend([0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0]);
        bytes.extend(payload);
        *seq += payload.len() as u32 + u32::from(flags & 3 != 0);
        use crate::engine::packet::tests::{CLIENT, SERVER, ipv4};
        let (from, to) = if to_server { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
        self.packets.push(ipv4(from, to, 6, &bytes));
    }
}

/// MD5, size and name of the reported files.
fn files(wire: &Wire) -> Vec<(String, u64, String)> {
    let (recorder, _) = crate::engine::packet::tests::decode_all(&wire.packets);
    let rows = recorder.seen.iter().zip(&recorder.places);
    rows.filter(|((at, text), _)| *at == Where::FileHash && text.starts_with("Md5"))
        .map(|((_, text), place)| {
            let Some(crate::engine::indicator::Protocol::File(file)) = &place.protocol else {
                panic!()
            };
            (text.clone(), file.size.unwrap(), file.name.clone().unwrap_or_default())
        })
        .collect()
}

fn transfer(is_passive: bool, command: &str, size: u64, end: u8, lost: bool) -> Wire {
    let mut wire = Wire::default();
    let mut say = |to_server, text: &str| wire.send(to_server, false, 24, text.as_bytes());
    say(false, "220 us\r\n");
    say(true, "TYPE I\r\n");
    if is_passive {
        // Behind address translation: the server sends its internal address.
        say(true, "PASV\r\n");
        say(false, "227 Entering Passive Mode (10,0,0,1,4,1)\r\n");
    } else {
        say(true, "PORT 192,0,2,1,156,65\r\n");
    }
    say(true, &format!("{command}\r\n"));
    say(false, &format!("150 go ({size} bytes)\r\n"));
    let to_server = command.starts_with('S');
    wire.send(is_passive, true, 2, &[]);
    wire.send(!is_passive, true, 18, &[]);
    wire.send(to_server, true, 24, b"GET / HTTP/1.1\r\n");
    if lost {
        *wire.next.get_mut(&(to_server, if to_server { 40_001 } else { 1025 })).unwrap() += 3;
    }
    wire.send(to_server, true, 24, b"Host: a.example\r\n\r\n");
    wire.send(to_server, true, 16 | end, &[]);
    wire.send(!to_server, true, 17, &[]);
    wire
}

#[test]
fn files_on_their_own_connections() {
    let whole = 35;
    for is_passive in [true, false] {
        for command in ["RETR pub/a.bin", "STOR a.bin", "stor a.bin"] {
            let command = if command.starts_with('s') { "STOR  a.bin " } else { command };
            let reported = files(&transfer(is_passive, command, whole, 1, false));
            let [(_, size, name)] = &reported[..] else { panic!("{command}: {reported:?}") };
            assert_eq!((*size, &**name), (whole, "a.bin"));
        }
    }
    // Truncated, another size, without FIN, with lost bytes, not a file.
    assert!(files(&transfer(true, "RETR a.bin", whole + 1, 1, false)).is_empty());
    assert!(files(&transfer(true, "RETR a.bin", whole, 4, false)).is_empty());
    assert!(files(&transfer(true, "RETR a.bin", whole + 3, 1, true)).is_empty());
    assert!(files(&transfer(true, "REST 5\r\nRETR a.bin", whole, 1, false)).is_empty());
    assert!(files(&transfer(true, "LIST", whole, 1, false)).is_empty());
    // Its data is not parsed as another protocol.
    let wire = transfer(true, "RETR a.bin", whole, 1, false);
    assert!(decode(&wire.packets).0.at(Where::HttpHost).is_empty());
}

/// In ASCII mode, the default, there are two forms of line ends.
#[test]
fn text_is_reported_in_both_forms() {
    use md5::Digest as _;
    let md5 = |text: &str| format!("Md5 {:?}", <[u8; 16]>::from(md5::Md5::digest(text)));
    let sent = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let reported = |kind: &str| {
        let reported = files(&transfer(true, &format!("{kind}RETR a.txt"), 35, 1, false));
        reported.into_iter().map(|(digest, size, _)| (digest, size)).collect::<Vec<_>>()
    };
    let local = sent.replace('\r', "");
    assert_eq!(reported(""), [(md5(sent), 35)]);
    assert_eq!(reported("TYPE A\r\n"), [(md5(sent), 35), (md5(&local), 32)]);
    assert_eq!(reported("TYPE A\r\nTYPE I\r\n"), [(md5(sent), 35)]);
}

/// A server that closes the data connection properly before it has sent everything.
#[test]
fn a_transfer_that_is_broken_off_is_no_file() {
    let fetch = |sized: &str, path: &str, between: &[(bool, &str)]| {
        let mut wire = Wire::default();
        let mut say = |to_server, text: &str| wire.send(to_server, false, 24, text.as_bytes());
        say(false, "220 us\r\n");
        say(true, &format!("TYPE I\r\nSIZE {path}\r\n"));
        say(false, &format!("200 ok\r\n{sized}\r\n"));
        say(true, "PASV\r\n");
        say(false, "227 Entering Passive Mode (198,51,100,2,4,1)\r\n");
        say(true, "RETR a.bin\r\n");
        say(false, "150 go\r\n");
        wire.send(true, true, 2, &[]);
        wire.send(false, true, 18, &[]);
        wire.send(false, true, 24, b"0123456789");
        for (to_server, text) in between {
            wire.send(*to_server, false, 24, text.as_bytes());
        }
        wire.send(false, true, 17, &[]);
        files(&wire).len()
    };
    assert_eq!(fetch("213 10", "a.bin", &[]), 1);
    assert_eq!(fetch("213 11", "a.bin", &[]), 0);
    assert_eq!(fetch("550 no", "a.bin", &[]), 1);
    // The size of another file is ignored.
    assert_eq!(fetch("213 11", "b.bin", &[]), 1);
    assert_eq!(fetch("213 10", "a.bin", &[(true, "ABOR\r\n")]), 0);
    assert_eq!(fetch("550 no", "a.bin", &[(false, "426 broken off\r\n")]), 0);
}

#[test]
fn unrelated_columns_are_not_announced() {
    // An attacker's client announces the server's web port, and another client's.
    let mut wire = Wire::default();
    wire.send(false, false, 24, b"220 us\r\n227 go (198,51,100,2,4,1)\r\n");
    let mut other = transfer(true, "RETR a.bin", 35, 1, false).packets.split_off(6);
    for packet in &mut other {
        for at in [12, 16] {
            if packet[at..at + 4] == crate::engine::packet::tests::CLIENT.octets() {
                packet[at + 3] = 77;
            }
        }
    }
    wire.packets.extend(other);
    assert!(files(&wire).is_empty());
    assert_eq!(decode(&wire.packets).0.at(Where::HttpHost), ["a.example"]);
}

/// As lftp does: it sends before the server does, and requests the file before it knows where the
/// connection will be.
#[test]
fn a_client_that_waits_for_nothing() {
    let mut wire = Wire::default();
    let mut say = |to_server, text: &str| wire.send(to_server, false, 24, text.as_bytes());
    say(true, "FEAT\r\n");
    say(false, "220 us\r\n211-Features:\r\n PASV\r\n211 End\r\n");
    say(true, "TYPE I\r\nSIZE a.bin\r\nPASV\r\nRETR a.bin\r\n");
    say(false, "200 ok\r\n213 3\r\n227 Entering Passive Mode (198,51,100,2,4,1).\r\n");
    say(false, "150 go\r\n");
    wire.send(true, true, 2, &[]);
    wire.send(false, true, 18, &[]);
    wire.send(false, true, 24, b"abc");
    wire.send(false, true, 17, &[]);
    // Not on its port.
    for packet in &mut wire.packets {
        for at in [20, 22] {
            if packet[at..at + 2] == [0, 21] {
                packet[at..at + 2].copy_from_slice(&2121_u16.to_be_bytes());
            }
        }
    }
    let [(_, size, name)] = &files(&wire)[..] else { panic!("{:?}", files(&wire)) };
    assert_eq!((*size, &**name), (3, "a.bin"));
}

/// The time of a file has the response code of a size, and the size may come after all requests.
#[test]
fn lengths_and_times() {
    let fetch = |asked: &str, answered: &str| {
        let mut wire = Wire::default();
        let mut say = |to_server, text: &str| wire.send(to_server, false, 24, text.as_bytes());
        say(false, "220 us\r\n");
        say(true, &format!("TYPE I\r\n{asked}"));
        say(false, answered);
        say(false, "227 Entering Passive Mode (198,51,100,2,4,1).\r\n150 go\r\n");
        say(true, "RETR a.bin\r\n");
        wire.send(true, true, 2, &[]);
        wire.send(false, true, 18, &[]);
        wire.send(false, true, 24, b"abc");
        wire.send(false, true, 17, &[]);
        files(&wire).len()
    };
    let (time, size) = ("213 20261124190207\r\n", "213 3\r\n");
    let both = "SIZE a.bin\r\nMDTM a.bin\r\nPASV\r\n";
    assert_eq!(fetch(both, &[size, time].concat()), 1);
    assert_eq!(fetch(both, &["213 4\r\n", time].concat()), 0);
    assert_eq!(fetch(both, &["550 no\r\n", "213 7\r\n"].concat()), 1);
    assert_eq!(fetch("MDTM a.bin\r\nSIZE a.bin\r\nPASV\r\n", &[time, size].concat()), 1);
    let all = "SIZE a.bin\r\nPASV\r\nRETR a.bin\r\n";
    assert_eq!(fetch(all, size), 1);
    assert_eq!(fetch(all, "213 4\r\n"), 0);
}

/// An aborted transfer is not a file, even if its size is unknown.
#[test]
fn an_interrupted_text() {
    for abort in [&b"ABOR\r\n"[..], b"\xff\xf4\xff\xf2ABOR\r\n", b"NOOP\r\n"] {
        let mut wire = Wire::default();
        let mut say = |to_server, text: &[u8]| wire.send(to_server, false, 24, text);
        say(false, b"220 us\r\n");
        say(true, b"TYPE A\r\nPASV\r\n");
        say(false, b"227 Entering Passive Mode (198,51,100,2,4,1).\r\n");
        say(true, b"RETR a.txt\r\n");
        say(false, b"150 go\r\n");
        wire.send(true, true, 2, &[]);
        wire.send(false, true, 18, &[]);
        wire.send(false, true, 24, b"one\r\n");
        wire.send(true, false, 24, abort);
        wire.send(false, true, 17, &[]);
        wire.send(false, false, 24, b"226 ok\r\n");
        assert_eq!(files(&wire).len(), if abort == b"NOOP\r\n" { 2 } else { 0 });
    }
}

/// A receiver that closes first did not get all of the file, unless it has the announced size.
#[test]
fn a_client_that_closes_the_connection() {
    for (size, is_first, want) in
        [("", true, 0), ("", false, 1), (" (3 bytes)", true, 1), (" (4 bytes)", false, 0)]
    {
        let mut wire = Wire::default();
        let mut say = |to_server, text: &str| wire.send(to_server, false, 24, text.as_bytes());
        say(false, "220 us\r\n");
        say(true, "TYPE I\r\nPASV\r\n");
        say(false, "227 Entering Passive Mode (198,51,100,2,4,1).\r\n");
        say(true, "RETR a.bin\r\n");
        say(false, &format!("150 go{size}\r\n"));
        wire.send(true, true, 2, &[]);
        wire.send(false, true, 18, &[]);
        wire.send(false, true, 24, b"abc");
        wire.send(true, true, 17, &[]);
        // What it has received: everything, or also the FIN, which the capture shows later.
        let ack = 1004 + u32::from(!is_first);
        let last = wire.packets.last_mut().unwrap();
        last[28..32].copy_from_slice(&ack.to_be_bytes());
        wire.send(false, true, 17, &[]);
        assert_eq!(files(&wire).len(), want, "{size} {is_first}");
    }
}
