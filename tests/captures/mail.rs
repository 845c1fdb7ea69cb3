//! Mails in a capture: observables in their text and their files are reported in the place of the
//! packet.

use crate::harness::{Dir, project, raw_ip_capture};
use std::collections::BTreeSet;

/// A capture of the client side of a connection, in segments of this many bytes.
fn capture(stream: &[u8], unit: usize) -> Vec<u8> {
    let packets = stream.chunks(unit).enumerate().map(|(at, data)| {
        let mut packet = vec![0x45, 0];
        packet.extend((40 + data.len() as u16).to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2]);
        packet.extend([0x9c, 0x40, 0, 25]);
        packet.extend(((at * unit) as u32).to_be_bytes());
        packet.extend([0, 0, 0, 0, 0x50, 24, 0, 0, 0, 0, 0, 0]);
        packet.extend(data);
        packet
    });
    raw_ip_capture(packets)
}

const MAIL: &str = "EHLO a.example\r\nDATA\r\nSubject: see http://s.evil.example/\r\n\
    Received: from r.evil.example by b.example\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\n\r\nhttp://t.evil.example/x and again http://t.evil.example/x\r\n\
    --b\r\nContent-Type: text/html\r\n\r\n<a href='http://t.evil.example/x'>u&#64;evil.example</a>\r\n\
    --b\r\nContent-Disposition: attachment; filename=a.bin\r\nContent-Type: a/b\r\n\
    Content-Transfer-Encoding: base64\r\n\r\naGFsbG8=\r\n--b--\r\n.\r\nQUIT\r\n";

/// Kind, value and place of every record.
fn reported(lines: &[serde_json::Value], seen: &str) -> BTreeSet<String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut all = BTreeSet::new();
    for line in lines {
        let seen = if seen.is_empty() { line } else { &line[seen] };
        let row = ["kind", "value", "where"].map(|name| text(&seen[name])).join(" ");
        let packet = &line["packet"]["number"];
        // Nothing is reported twice in one place.
        assert!(all.insert(format!("{packet} {row}")), "{row}");
    }
    all
}

#[test]
fn mails_in_a_capture() {
    let dir = Dir::new("mail");
    dir.create(
        "list.txt",
        "evil.example\nhttp://t.evil.example/x\nu@evil.example\n\
         598d4c200461b81522a3328565c25f7c\n",
    );
    dir.command().args(["compile", "-q", "-o", "db", "list.txt"]).run().expect(0);
    let want: BTreeSet<String> = [
        "domain s.evil.example url.host",
        "domain r.evil.example smtp.header",
        "url http://t.evil.example/x mail.body",
        "domain t.evil.example url.host",
        "email u@evil.example mail.body",
        "domain evil.example email.domain",
        "md5 598d4c200461b81522a3328565c25f7c file.hash",
    ]
    .map(str::to_owned)
    .into();
    for unit in [1400, 90, 7] {
        dir.create("a.pcap", capture(MAIL.as_bytes(), unit));
        let command = ["scan", "--db", "db", "--format", "json", "a.pcap"];
        let run = dir.command().args(command).run().expect(0);
        let all = reported(&run.json_lines(), "seen");
        let without_packets = |all: &BTreeSet<String>| -> BTreeSet<String> {
            all.iter().filter_map(|row| Some(row.split_once(' ')?.1.to_owned())).collect()
        };
        let got = without_packets(&all);
        let missing: Vec<_> = want.difference(&got).collect();
        assert!(missing.is_empty(), "{unit}: {missing:?} of {got:?}");
        let run = dir.command().args(["scan", "--observables", "a.pcap"]).run().expect(0);
        let seen = without_packets(&reported(&run.json_lines(), ""));
        assert!(seen.contains("url http://t.evil.example/x mail.body"), "{seen:?}");
        assert!(seen.contains("filename a.bin file.name"), "{seen:?}");
    }
}

#[test]
fn what_follows_from_several_fields_of_a_packet_is_reported_once() {
    let dir = Dir::new("mail-once");
    let indicators = project().join("testdata/indicators");
    let mut compile = dir.command();
    compile.args(["compile", "-q", "--internal", "-o", "db"]).arg(indicators).run().expect(0);
    // Its mails have the same domain in From and in Message-Id.
    let path = project().join("testdata/captures/mail.pcap");
    let mut scan = dir.command();
    let alerts = scan
        .args(["scan", "--db", "db", "--format", "json"])
        .arg(path)
        .run()
        .expect(0)
        .json_lines();
    let mut ids = BTreeSet::new();
    for alert in &alerts {
        assert!(ids.insert(alert["id"].as_str().unwrap()), "twice: {alert}");
    }
    let domains = alerts.iter().filter(|alert| {
        (&alert["seen"]["value"], &alert["seen"]["where"])
            == (&"oldlace.example".into(), &"email.domain".into())
    });
    let mut packets: Vec<u64> =
        domains.map(|alert| alert["packet"]["number"].as_u64().unwrap()).collect();
    packets.dedup();
    assert!(packets.contains(&15) && packets.contains(&36), "{packets:?}");
}
