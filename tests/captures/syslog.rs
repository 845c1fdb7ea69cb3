//! Syslog on the wire: its text is searched like a line of a log, and reported in the place of
//! the packet.

use crate::harness::{Dir, raw_ip_capture};

fn datagram(text: &str) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend((28 + text.len() as u16).to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2]);
    packet.extend([0x9c, 0x40, 0x02, 0x02]);
    packet.extend((8 + text.len() as u16).to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(text.as_bytes());
    packet
}

#[test]
fn names_in_datagrams_alert() {
    let dir = Dir::new("syslog");
    dir.create("list.txt", "evil.example\n203.0.113.9\n");
    let texts = [
        "<34>1 2026-01-02T03:04:05Z host app - - - GET http://a.evil.example/x",
        "<13>Oct 11 22:14:15 host sshd: Failed password from 203.0.113.9 port 22",
        "<13>nothing to see",
    ];
    dir.create("a.pcap", raw_ip_capture(texts.into_iter().map(datagram)));
    dir.command().args(["compile", "-q", "-o", "db", "list.txt"]).run().expect(0);
    let scan = dir.command().args(["scan", "--db", "db", "--format", "json", "a.pcap"]).run();
    let reported: Vec<_> = scan
        .expect(0)
        .json_lines()
        .iter()
        .map(|alert| {
            let seen = &alert["seen"];
            let text = |name: &str| seen[name].as_str().unwrap().to_owned();
            let number = alert["packet"]["number"].as_u64().unwrap();
            (number, text("kind"), text("value"), text("where"))
        })
        .collect();
    let want = [(1, "domain", "a.evil.example", "url.host"), (2, "ip", "203.0.113.9", "log.text")];
    let want = want.map(|(n, kind, value, at)| (n, kind.into(), value.into(), at.into()));
    assert_eq!(reported, want);
}
