//! Files in real captures, compared with what Wireshark exports from them.

use super::expected::{decode_file, pcaps};
use crate::engine::indicator::{Kind, Observable, Protocol, Where, digest};
use crate::engine::packet::{Fault, Packet, ProtocolFacts, Visitor};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Capture, protocol, name, MD5 and size of `tshark --export-objects`.
const TRANSFERS: &str = include_str!("transfers.tsv");

/// What `testdata/record/transfers.sh` found on the disks between which it transferred files:
/// capture, protocol, name, size, MD5, SHA-1, SHA-256. A row for each transfer, and two for text.
const CARRIED: &str = include_str!("../../../../testdata/captures/TRANSFERS.tsv");

/// What is reported of files: protocol, name, MD5, size.
#[derive(Default)]
struct Files {
    reported: Vec<(String, String, String, u64)>,
    names: BTreeSet<String>,
    texts: Vec<String>,
    hosts: BTreeSet<(Where, String)>,
}

impl Visitor for Files {
    fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
        false
    }

    fn seen(
        &mut self,
        what: Observable<'_>,
        at: Where,
        _: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        match (what, protocol_facts.protocol()) {
            (Observable::Digest(Kind::Md5, md5), Some(Protocol::File(file))) => {
                assert_eq!((at, file.is_whole), (Where::FileHash, Some(true)));
                if !["ftp", "smb", "tftp"].contains(&file.protocol) {
                    return;
                }
                let name = file.name.unwrap_or_default();
                self.reported.push((
                    file.protocol.into(),
                    name,
                    digest::encode(md5),
                    file.size.unwrap(),
                ));
            }
            (Observable::Text(Kind::Filename, name), _) => {
                self.names.insert(String::from_utf8_lossy(name).into_owned());
            }
            (Observable::Name(_) | Observable::Address(..) | Observable::Email(_), _) => {
                self.hosts.insert((at, super::text(what)));
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &[u8], at: Where, _: &Packet<'_>, _: ProtocolFacts<'_>) {
        if at == Where::LogText {
            self.texts.push(String::from_utf8_lossy(text).into_owned());
        }
    }
}

fn captured(file: &str) -> Option<Files> {
    let mut files = Files::default();
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/captures").join(file);
    let path = if ours.is_file() { ours } else { pcaps()?.join(file) };
    decode_file(&path, &mut files);
    Some(files)
}

#[test]
fn files_of_real_captures() {
    let captures: BTreeSet<&str> =
        TRANSFERS.lines().filter_map(|row| row.split('\t').next()).collect();
    for capture in captures {
        let Some(files) = captured(capture) else { continue };
        let mut reported = files.reported.clone();
        let mut missing = Vec::new();
        for row in TRANSFERS.lines().filter(|row| row.split('\t').next() == Some(capture)) {
            let [_, protocol, name, md5, size] = row.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{row}");
            };
            let size: u64 = size.parse().unwrap();
            let want = (protocol.to_owned(), name.to_owned(), md5.to_owned(), size);
            if !files.reported.contains(&want) {
                missing.push(row);
            }
            assert!(files.names.contains(name), "{row}");
            reported.retain(|file| *file != want);
        }
        assert!(missing.is_empty(), "not found:\n{}", missing.join("\n"));
        assert!(reported.is_empty(), "{capture}: also {reported:?}");
    }
}

/// All reports about files in the captures of old and new programs, and nothing else.
#[test]
fn files_of_recorded_programs() {
    #[derive(Default)]
    struct Rows(BTreeMap<(String, String, u64, String), u32>);
    impl Rows {
        fn add(&mut self, protocol: &str, name: Option<&str>, size: Option<u64>, digest: &str) {
            let name = name.unwrap_or_default().to_owned();
            let key = (protocol.to_owned(), name, size.unwrap(), digest.to_owned());
            *self.0.entry(key).or_default() += 1;
        }
    }
    impl Visitor for Rows {
        fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
            false
        }

        fn seen(
            &mut self,
            what: Observable<'_>,
            _: Where,
            _: &Packet<'_>,
            protocol_facts: ProtocolFacts<'_>,
        ) {
            let Observable::Digest(_, bytes) = what else { return };
            let Some(Protocol::File(file)) = protocol_facts.protocol() else { return };
            self.add(file.protocol, file.name.as_deref(), file.size, &digest::encode(bytes));
        }
    }
    let mut want: BTreeMap<&str, Rows> = BTreeMap::new();
    for row in CARRIED.lines() {
        let [capture, protocol, name, size, digests @ ..] =
            &row.split('\t').collect::<Vec<_>>()[..]
        else {
            panic!("{row}")
        };
        assert_eq!(digests.len(), 3, "{row}");
        for digest in digests {
            let rows = want.entry(capture).or_default();
            rows.add(protocol, Some(name), size.parse().ok(), digest);
        }
    }
    assert_eq!(want.len(), 6);
    for (capture, want) in want {
        let mut reported = Rows::default();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/captures");
        let decoder = decode_file(&folder.join(capture), &mut reported);
        assert_eq!(reported.0, want.0, "{capture}");
        assert_eq!(decoder.counters().faults().collect::<Vec<_>>(), [], "{capture}");
    }
}

#[test]
fn what_wireshark_does_not_export() {
    // Without the size in the response; that of `SIZE` was 16,557.
    let Some(files) = captured("ftp_retr.pcap") else { return };
    let [(_, name, _, size)] = &files.reported[..] else { panic!("{:?}", files.reported) };
    assert_eq!((&**name, *size), ("README", 16_557));
    let files = captured("ftp_file_157k.pcap").unwrap();
    assert!(files.hosts.contains(&(Where::FtpUser, "dlpuser@dlptest.com".into())));
    let files = captured("syslog_udp.pcap").unwrap();
    assert_eq!(files.texts, ["<133>Apr  5 12:56:51 robin: Hello, syslog!"]);
    let files = captured("smb1_eicar.pcap").unwrap();
    assert!(files.hosts.contains(&(Where::SmbHost, "192.168.1.3".into())));
    let files = captured("malware_sofacy.pcap").unwrap();
    let names: Vec<_> = files.hosts.iter().filter(|(at, _)| *at == Where::DhcpHost).collect();
    assert!(!names.is_empty());
    let files = captured("socks_https.pcap").unwrap();
    assert!(files.hosts.iter().any(|(at, _)| *at == Where::SocksHost));
}

/// No protocol is recognised where there is none.
#[test]
fn nothing_is_made_up() {
    let Some(pcaps) = pcaps() else { return };
    for entry in std::fs::read_dir(pcaps).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() || !name.contains(".pcap") || TRANSFERS.contains(&name) {
            continue;
        }
        let mut files = Files::default();
        let decoder = decode_file(&path, &mut files);
        let ours = files
            .reported
            .iter()
            .filter(|(protocol, ..)| ["ftp", "smb", "tftp"].contains(&&**protocol));
        assert!(ours.count() == usize::from(name == "ftp_retr.pcap"), "{name}");
        assert_eq!(files.texts.len(), usize::from(name == "syslog_udp.pcap"), "{name}");
        for fault in [Fault::BadSmb, Fault::DarkSmb, Fault::BadDhcp, Fault::TransferLost] {
            assert_eq!(decoder.counters().fault(fault), 0, "{name} {fault:?}");
        }
    }
}

proptest! {
    /// Datagrams of TFTP and DHCP, changed and truncated.
    #[test]
    fn changed_datagrams_do_not_panic(
        which in prop::sample::subsequence(vec![0_usize, 1, 2, 3, 4, 5], 1..6),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut dhcp = vec![2; 236];
        dhcp.extend(b"\x63\x82\x53\x63\x0c\x04host\x51\x13\x05\0\0\x06laptop\x07example\0\x34\x01\x03\xff");
        let samples: [&[u8]; 6] = [
            b"\0\x01a.bin\0octet\0blksize\x008\0",
            b"\0\x06blksize\x008\0tsize\x009\0",
            b"\0\x03\0\x01contents",
            b"\0\x03\0\x02end",
            &dhcp,
            b"\x03abc\0\x27\0\x0d\x01\x02pc\x07example\0\0\x18\0\x09\x07example\0",
        ];
        let mut packets = Vec::new();
        for at in which {
            let mut payload = samples[at].to_vec();
            for (place, value) in &changes {
                let place = place.index(payload.len());
                payload[place] = *value;
            }
            payload.truncate(1 + cut.index(2 * payload.len()));
            packets.push(super::udp(if at == 5 { 546 } else { 4000 }, if at == 5 { 547 } else { 69 }, &payload));
        }
        super::decode_all(&packets);
    }
}
