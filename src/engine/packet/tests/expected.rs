//! Real captures compared with what independent tools found in them.
//!
//! Every `must` row whose place belongs to what is decoded must be found, or be listed in the
//! table of exceptions with the reason; an exception that is no longer needed fails, too. A row
//! requires the observed value in the file, at a place of its sort.

use super::text;
use crate::engine::indicator::{Observable, Timestamp, Where, address, digest, url};
use crate::engine::packet::{Config, Decoder, Frame, Packet, ProtocolFacts, Visitor};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// File, place, and why it isn't found. An empty place matches all.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    // Never: tshark takes the client's preface for a request of HTTP/1, because of its form, and
    // what follows it for a file.
    ("doh_clear.pcap", "file.http:object4(448)", "the preface of HTTP/2"),
    ("http2_multi_headers.pcap", "file.http:object5(64)", "the preface of HTTP/2"),
    ("http2_nghttp2.pcap", "file.http:object4(1354)", "the preface of HTTP/2"),
    // Never: tshark takes a form for a file, wiresift the files in it.
    ("http_post_upload.pcap", "file.http:UploadHandleServlet(449)", "a form"),
    // Never: responses of HTTP/0.9 have no head, and tshark takes each segment for a file.
    ("mpls_vlan_mixed.pcap", "file.http:%2f(1)(1428)", "a segment"),
    ("mpls_vlan_mixed.pcap", "file.http:%2f(2)(1428)", "a segment"),
    ("mpls_vlan_mixed.pcap", "file.http:%2f(3)(573)", "a segment"),
    // Never: without a host it is not a URL that a feed could contain. The request is reported
    // with its destination address.
    ("http_retransmissions.pcap", "http.uri", "a request without Host"),
];

/// What a capture contains: sort of place and canonical value.
#[derive(Default)]
struct Shown(BTreeSet<(&'static str, String)>);

impl Visitor for Shown {
    fn flow_opened(&mut self, packet: &Packet<'_>) -> bool {
        self.0.insert(("ip", canonical(&packet.src.to_string())));
        self.0.insert(("ip", canonical(&packet.dst.to_string())));
        false
    }

    fn seen(
        &mut self,
        observable: Observable<'_>,
        at: Where,
        _: &Packet<'_>,
        _: ProtocolFacts<'_>,
    ) {
        let sort = match at {
            Where::DnsQuery | Where::DnsAnswer => "dns",
            Where::TlsSni => "tls.sni",
            Where::TlsCert => "x509.san",
            Where::SmtpFrom => "smtp.mail",
            Where::SmtpTo => "smtp.rcpt",
            Where::MailFrom | Where::MailTo => "imf",
            Where::HttpHost => "http.host",
            Where::HttpUrl => "http.uri",
            Where::FileHash => "file",
            _ => return,
        };
        let value = match observable {
            Observable::Address(address, _) => address.to_string(),
            Observable::Digest(_, bytes) => digest::encode(bytes),
            _ => text(observable),
        };
        self.0.insert((sort, canonical(&value)));
    }
}

/// One spelling for equivalent values.
fn canonical(value: &str) -> String {
    if value.contains("://") {
        return url::parse(value).map_or_else(|_| value.to_owned(), |url| url.key().to_owned());
    }
    if let Ok(address) = address::parse_ip(value) {
        return address.to_string();
    }
    value.to_ascii_lowercase().trim_end_matches('.').to_owned()
}

/// The sort of a row's place, if it is decoded.
fn sort(place: &str) -> Option<&'static str> {
    match place {
        "ip.src" | "ip.dst" | "ipv6.src" | "ipv6.dst" => Some("ip"),
        "ip.src.inner" | "ip.dst.inner" | "ipv6.src.inner" | "ipv6.dst.inner" => Some("ip"),
        "tls.sni" => Some("tls.sni"),
        "x509.san" => Some("x509.san"),
        "smtp.mail" => Some("smtp.mail"),
        "smtp.rcpt" => Some("smtp.rcpt"),
        _ if place.starts_with("imf.") => Some("imf"),
        "http.host" => Some("http.host"),
        "http.uri" => Some("http.uri"),
        _ if place.starts_with("file.http:") => Some("file"),
        _ if place.starts_with("dns.") => Some("dns"),
        _ => None,
    }
}

/// Numbers, places and values.
#[derive(Default)]
struct Numbered(BTreeSet<(u64, &'static str, String)>);

impl Visitor for Numbered {
    fn flow_opened(&mut self, packet: &Packet<'_>) -> bool {
        self.flow_continued(packet);
        true
    }

    fn flow_continued(&mut self, packet: &Packet<'_>) {
        self.0.insert((packet.number, "ip.src", packet.src.to_string()));
        self.0.insert((packet.number, "ip.dst", packet.dst.to_string()));
    }

    fn seen(&mut self, what: Observable<'_>, at: Where, packet: &Packet<'_>, _: ProtocolFacts<'_>) {
        let value = match what {
            Observable::Address(address, _) => address.to_string(),
            Observable::Digest(_, bytes) => digest::encode(bytes),
            _ => text(what),
        };
        self.0.insert((packet.number, at.name(), canonical(&value)));
    }
}

/// Fingerprints of the real captures, and of recorded ones, as computed by Wireshark: file,
/// packet, place, MD5.
const FINGERPRINTS: &str = include_str!("fingerprints.tsv");

#[test]
fn fingerprints_of_real_captures() {
    let Some(pcaps) = pcaps() else { return };
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/captures");
    let mut shown: BTreeMap<&str, Numbered> = BTreeMap::new();
    let mut missing = Vec::new();
    for row in FINGERPRINTS.lines() {
        let [file, number, place, value] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        let shown = shown.entry(file).or_insert_with(|| {
            let mut shown = Numbered::default();
            let folder = [&pcaps, &ours].into_iter().find(|folder| folder.join(file).is_file());
            decode_file(&folder.expect(file).join(file), &mut shown);
            shown
        });
        let (number, value) = (number.parse().unwrap(), value.to_owned());
        if !shown.0.iter().any(|found| *found == (number, place, value.clone())) {
            missing.push(row);
        }
    }
    assert!(missing.is_empty(), "not found:\n{}", missing.join("\n"));
}

/// Attachments of mails: capture, name, SHA-256, as extracted by Python's `email` from the
/// streams that Wireshark reassembles.
const ATTACHMENTS: [[&str; 3]; 3] = [
    [
        "smtp_attachments.pcap",
        "NEWS.txt",
        "ac04c5d2cd8fa9a2670c959806f5181a56b3e9bb1cc7da150af98ba074c86b55",
    ],
    ["smtp_zip.pcap", "a.zip", "61479904e443b354d4427a51b990c696f731e341e4c63328e07c1a92658ba591"],
    [
        "mail.pcap",
        "invoice-7731.zip",
        "85ad8616839827337ed183487a499fbca74ef47dce30399e520a3a67249a3580",
    ],
];

#[test]
fn attachments_of_real_captures() {
    let Some(pcaps) = pcaps() else { return };
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/captures");
    for [file, name, sha256] in ATTACHMENTS {
        let folder = [&pcaps, &ours].into_iter().find(|folder| folder.join(file).is_file());
        let mut shown = Numbered::default();
        decode_file(&folder.expect(file).join(file), &mut shown);
        let all: Vec<_> = shown.0.iter().map(|(_, at, value)| (*at, &value[..])).collect();
        assert!(all.contains(&("file.hash", sha256)), "{file}: {all:?}");
        assert!(all.contains(&("file.name", &name.to_ascii_lowercase())), "{file}: {all:?}");
    }
}

/// Recorded captures, in which the packet's number counts too: it is the one that completed the
/// observable.
#[test]
fn observables_of_recorded_captures() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/captures");
    let table = std::fs::read_to_string(captures.join("EXPECTED.tsv")).unwrap();
    let mut shown: BTreeMap<&str, Numbered> = BTreeMap::new();
    let (mut asked, mut missing) = (0, Vec::new());
    for row in table.lines().skip_while(|row| row.starts_with('#')) {
        let fields: Vec<&str> = row.split('\t').collect();
        let [file, number, place, value] = fields[..] else { continue };
        let Ok(number) = number.parse() else { continue };
        // Compressed ones; the target of CONNECT, which is not a URL.
        if file.ends_with(".gz") || (place == "http.url" && !value.contains("://")) {
            continue;
        }
        asked += 1;
        let shown = shown.entry(file).or_insert_with(|| {
            let mut shown = Numbered::default();
            decode_file(&captures.join(file), &mut shown);
            shown
        });
        let place = Where::ALL.iter().find(|at| at.name() == place).unwrap().name();
        let value = match value.rsplit_once(':') {
            Some((host, port)) if place == "http.host" && port.parse::<u16>().is_ok() => host,
            _ => value,
        };
        let value = canonical(value.trim_matches(['[', ']']));
        if !shown.0.contains(&(number, place, value)) {
            missing.push(row);
        }
    }
    assert!(asked > 800, "the table is not what it was: {asked}");
    assert!(missing.is_empty(), "not found:\n{}", missing.join("\n"));
}

pub(super) fn pcaps() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/pcaps");
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: no real captures at {}", path.display());
    None
}

/// Passes every packet of a capture to a visitor.
pub(super) fn decode_file<V: Visitor>(path: &Path, visitor: &mut V) -> Decoder {
    let bytes = std::fs::read(path).unwrap();
    let mut decoder = Decoder::new(Config::default());
    let capture = crate::sensor::input::capture::Capture::new(&bytes).unwrap();
    for packet in capture.map_while(Result::ok) {
        let frame = Frame {
            number: packet.number,
            time: Timestamp(packet.time),
            is_timed: true,
            linktype: packet.linktype,
            length: packet.length,
            data: packet.data,
        };
        decoder.frame(&frame, visitor);
    }
    decoder.finish(visitor);
    decoder
}

#[test]
fn observables_of_real_captures() {
    let Some(pcaps) = pcaps() else { return };
    let table = std::fs::read_to_string(pcaps.join("expected/distinct.tsv")).unwrap();
    let mut shown: BTreeMap<&str, Shown> = BTreeMap::new();
    let mut unused: BTreeSet<_> =
        EXCEPTIONS.iter().map(|&(file, place, _)| (file, place)).collect();
    let (mut asked, mut excepted, mut missing) = (0, 0, Vec::new());
    for row in table.lines() {
        let fields: Vec<&str> = row.split('\t').collect();
        let [file, _, observed, _, place, "must", ..] = fields[..] else { continue };
        let Some(sort) = sort(place) else { continue };
        asked += 1;
        let shown = shown.entry(file).or_insert_with(|| {
            let mut shown = Shown::default();
            decode_file(&pcaps.join(file), &mut shown);
            shown
        });
        if shown.0.contains(&(sort, canonical(observed))) {
            continue;
        }
        let exception = EXCEPTIONS.iter().find(|exception| {
            exception.0 == file && (exception.1.is_empty() || exception.1 == place)
        });
        if let Some(&(file, place, _)) = exception {
            unused.remove(&(file, place));
            excepted += 1;
        } else {
            missing.push(format!("{file}\t{place}\t{observed}"));
        }
    }
    eprintln!(
        "{asked} rows asked for, {} found, {excepted} excepted",
        asked - excepted - missing.len()
    );
    assert!(asked > 300, "the table is not what it was");
    assert!(missing.is_empty(), "not found:\n{}", missing.join("\n"));
    assert!(unused.is_empty(), "found after all: {unused:?}");
}
