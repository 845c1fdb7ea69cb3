//! Observables of the real captures compared with what the installed tshark finds in them.
//!
//! Both sides are sets of values for each capture and sort. Whatever only one of them finds must
//! be listed in `tests/captures/tshark/differences.tsv` with the reason; an unlisted difference
//! fails the test, and so does a row without a difference. If tshark is not installed, or has
//! other fields than 4.0, the test is skipped.

use crate::harness::{Dir, missing, project, shared, skip};
use regex::Regex;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Sorts of observables and the corresponding fields of tshark.
const FIELDS: &[(&str, &[&str])] = &[
    ("ip", &["ip.src", "ip.dst", "ipv6.src", "ipv6.dst"]),
    (
        "dns",
        &[
            "dns.qry.name",
            "dns.resp.name",
            "dns.cname",
            "dns.ns",
            "dns.ptr.domain_name",
            "dns.mx.mail_exchange",
            "dns.srv.target",
            "dns.soa.mname",
            "dns.soa.rname",
            "dns.rrsig.signers_name",
            "dns.nsec.next_domain_name",
            "dns.a",
            "dns.aaaa",
            "dns.svcb.svcparam.ipv4hint.ip",
            "dns.svcb.svcparam.ipv6hint.ip",
        ],
    ),
    ("sni", &["tls.handshake.extensions_server_name"]),
    ("host", &["http.host", "http2.headers.authority"]),
    ("url", &["http.request.full_uri", "http2.request.full_uri"]),
    (
        "mail",
        &[
            "smtp.req.parameter",
            "imf.from",
            "imf.to",
            "imf.cc",
            "imf.sender",
            "imf.reply_to",
            "imf.return_path",
        ],
    ),
    ("ja3", &["tls.handshake.ja3"]),
    ("ja3s", &["tls.handshake.ja3s"]),
    ("hassh", &["ssh.kex.hassh", "ssh.kex.hasshserver"]),
];

/// Protocols whose files tshark exports. It would also export mails as a whole.
const EXPORTED: [&str; 4] = ["http", "smb", "tftp", "ftp-data"];

/// Capture, sort, value.
type Seen = BTreeSet<(String, &'static str, String)>;

/// Capture and number of a packet.
type Numbered = (String, u64);

/// The sort of a place; `None` for those for which tshark has no field.
fn sort(place: &str) -> Option<&'static str> {
    Some(match place {
        "ip.src" | "ip.dst" => "ip",
        "dns.query" | "dns.answer" => "dns",
        "tls.sni" | "quic.sni" => "sni",
        "http.host" => "host",
        "http.url" => "url",
        "smtp.from" | "smtp.to" | "mail.from" | "mail.to" => "mail",
        "tls.ja3" => "ja3",
        "tls.ja3s" => "ja3s",
        "ssh.hassh" | "ssh.hassh_server" => "hassh",
        "file.hash" => "file",
        _ => return None,
    })
}

/// Runs tshark over a capture. For damaged captures it fails after its output.
fn tshark(capture: &Path, args: &[String]) -> String {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(capture).args(args);
    String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
}

/// Whether tshark is installed, and supports all the fields.
fn has_tshark(test: &str) -> bool {
    let Ok(known) = Command::new("tshark").args(["-G", "fields"]).output() else {
        missing(test, "tshark is not installed");
        return false;
    };
    let known = String::from_utf8_lossy(&known.stdout);
    let known: BTreeSet<&str> = known.lines().filter_map(|line| line.split('\t').nth(2)).collect();
    let fields = FIELDS.iter().flat_map(|(_, fields)| fields.iter());
    let missing: Vec<_> = fields.chain([&"communityid"]).filter(|f| !known.contains(**f)).collect();
    if !missing.is_empty() {
        skip(test, &format!("this tshark has no {missing:?}"));
    }
    missing.is_empty()
}

/// One spelling for equivalent values. Names of the root are left out.
fn canonical(sort: &str, field: &str, value: &str) -> Option<String> {
    let value = value.to_ascii_lowercase();
    let value = value.trim_end_matches('.');
    Some(match (sort, field) {
        _ if value.is_empty() || value == "<root>" => return None,
        // RFC 1035, 8: the first label of a mailbox is its local part.
        (_, "dns.soa.rname") => value.replacen('.', "@", 1),
        ("host", _) => match value.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() && !host.ends_with(':') => {
                host.trim_matches(['[', ']']).to_owned()
            }
            _ => value.trim_matches(['[', ']']).to_owned(),
        },
        _ => value.to_owned(),
    })
}

/// What tshark finds, and the Community ID of each packet.
fn theirs(pcaps: &[PathBuf]) -> (Seen, BTreeMap<Numbered, String>) {
    let columns: Vec<(&str, &str)> = FIELDS
        .iter()
        .flat_map(|(sort, fields)| fields.iter().map(|field| (*sort, *field)))
        .collect();
    let mut args: Vec<String> =
        ["--enable-protocol", "communityid", "-T", "fields", "-E", "occurrence=a"]
            .map(String::from)
            .into();
    args.extend(
        ["-E", "aggregator=|", "-e", "frame.number", "-e", "communityid"].map(String::from),
    );
    args.extend(columns.iter().flat_map(|(_, field)| ["-e".to_owned(), (*field).to_owned()]));
    let address = Regex::new(r#"[^\s<>,;:"']+@[^\s<>,;:"']+"#).unwrap();
    let (mut seen, mut communities) = (Seen::new(), BTreeMap::new());
    for pcap in pcaps {
        let name = name(pcap);
        for line in tshark(pcap, &args).lines() {
            let mut values = line.split('\t');
            let Some(Ok(number)) = values.next().map(str::parse) else { continue };
            communities.insert((name.clone(), number), values.next().unwrap_or_default().into());
            for ((sort, field), values) in columns.iter().zip(values) {
                for value in values.split('|').filter_map(|value| canonical(sort, field, value)) {
                    if *sort == "mail" {
                        let found = address.find_iter(&value).map(|found| found.as_str().into());
                        seen.extend(found.map(|value: String| (name.clone(), *sort, value)));
                    } else {
                        seen.insert((name.clone(), *sort, value));
                    }
                }
            }
        }
        seen.extend(exported(pcap).into_iter().map(|digest| (name.clone(), "file", digest)));
    }
    (seen, communities)
}

/// SHA-256 of the files that tshark exports, without empty ones.
fn exported(pcap: &Path) -> Vec<String> {
    let folder = Dir::new("exported");
    let mut args = vec!["-Q".to_owned()];
    for protocol in EXPORTED {
        let to = folder.path().join(protocol);
        args.extend(["--export-objects".to_owned(), format!("{protocol},{}", to.display())]);
    }
    tshark(pcap, &args);
    let files = walkdir::WalkDir::new(folder.path()).into_iter().map(Result::unwrap);
    files
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| std::fs::read(entry.path()).unwrap())
        .filter(|bytes| !bytes.is_empty())
        .map(|bytes| {
            Sha256::digest(&bytes).iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").unwrap();
                hex
            })
        })
        .collect()
}

/// What wiresift finds.
fn ours(pcaps: &[PathBuf]) -> Seen {
    let dir = Dir::new("observables");
    let mut command = dir.command();
    command.args(["scan", "--observables"]).args(pcaps);
    let mut seen = Seen::new();
    for found in command.run().json_lines() {
        let Some(sort) = sort(found["where"].as_str().unwrap()) else { continue };
        if sort == "file" && found["kind"] != "sha256" {
            continue;
        }
        let pcap = name(Path::new(found["packet"]["path"].as_str().unwrap()));
        let value = canonical(sort, "", found["value"].as_str().unwrap());
        seen.extend(value.map(|value| (pcap, sort, value)));
    }
    seen
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The Community IDs in alerts: there is an alert for the addresses of every flow.
fn our_communities(pcaps: &[PathBuf], seen: &Seen) -> Vec<(Numbered, String)> {
    let dir = Dir::new("communities");
    let addresses: BTreeSet<&str> =
        seen.iter().filter(|(_, sort, _)| *sort == "ip").map(|(.., value)| &**value).collect();
    let list: String = addresses.iter().flat_map(|address| [address, "\n"]).collect();
    dir.create("list.txt", list);
    dir.command().args(["compile", "-q", "-o", "db", "--internal", "list.txt"]).run().expect(0);
    let mut command = dir.command();
    command.args(["scan", "--db", "db", "--format", "json"]).args(pcaps);
    let reported = |alert: &Value| {
        let packet = &alert["packet"];
        let path = name(Path::new(packet["path"].as_str()?));
        let id = packet["community_id"].as_str()?.to_owned();
        Some(((path, packet["number"].as_u64()?), id))
    };
    command.run().json_lines().iter().filter_map(reported).collect()
}

fn captures(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_capture =
        |path: &PathBuf| path.extension().is_some_and(|end| end == "pcap" || end == "pcapng");
    let mut files: Vec<PathBuf> = files.filter(is_capture).collect();
    files.sort();
    files
}

#[test]
fn every_difference_from_tshark_is_explained() {
    const TEST: &str = "every_difference_from_tshark_is_explained";
    let Some(folder) = shared(TEST, "data/pcaps") else { return };
    if !has_tshark(TEST) {
        return;
    }
    let pcaps = captures(&folder);
    let (ours, (theirs, communities)) = (ours(&pcaps), theirs(&pcaps));
    assert!(ours.intersection(&theirs).count() > 400, "there was more to agree on");

    let mut differences: BTreeSet<String> = BTreeSet::new();
    let row = |side: &str, (pcap, sort, value): &(String, &str, String)| {
        format!("{pcap}\t{sort}\t{value}\t{side}")
    };
    differences.extend(theirs.difference(&ours).map(|seen| row("tshark", seen)));
    differences.extend(ours.difference(&theirs).map(|seen| row("wiresift", seen)));

    // tshark prints one Community ID per packet, wiresift that of the alert's flow.
    let reported = our_communities(&pcaps, &ours);
    assert!(reported.len() > 300, "{} Community IDs", reported.len());
    for (packet, id) in reported {
        let theirs = communities.get(&packet).map(|ids| ids.split('|'));
        if !theirs.is_some_and(|mut ids| ids.any(|their| their == id)) {
            let (pcap, number) = packet;
            let what = (pcap, "community_id", format!("{number} {id}"));
            differences.insert(row("wiresift", &what));
        }
    }

    let table =
        std::fs::read_to_string(project().join("tests/captures/tshark/differences.tsv")).unwrap();
    let explained: BTreeSet<String> = table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| match line.rsplit_once('\t') {
            Some((row, why)) if !why.is_empty() => row.to_owned(),
            _ => panic!("no reason: {line}"),
        })
        .collect();
    let list = |rows: Vec<&String>| rows.into_iter().map(|r| format!("{r}\n")).collect::<String>();
    let new = list(differences.difference(&explained).collect());
    let gone = list(explained.difference(&differences).collect());
    assert!(new.is_empty() && gone.is_empty(), "unexplained:\n{new}\nno difference:\n{gone}");
}

/// Files in our own recordings: those that tshark exports are those on the disks.
#[test]
fn tshark_exports_what_was_carried() {
    const TEST: &str = "tshark_exports_what_was_carried";
    if !has_tshark(TEST) {
        return;
    }
    let captures = project().join("testdata/captures");
    let table = std::fs::read_to_string(captures.join("TRANSFERS.tsv")).unwrap();
    // tshark supports responses to PASV, but not all of those to EPSV. A file that is read from
    // the middle on is exported as a whole one.
    for (capture, known, made_up) in
        [("ftp_old.pcap", 10, 0), ("tftp.pcap", 21, 0), ("smb1.pcap", 11, 1), ("smb2.pcap", 4, 0)]
    {
        let carried: BTreeSet<&str> = table
            .lines()
            .filter(|row| row.split('\t').next() == Some(capture))
            .filter_map(|row| row.rsplit('\t').next())
            .collect();
        let exported = exported(&captures.join(capture));
        let agreed = exported.iter().filter(|digest| carried.contains(&***digest)).count();
        assert_eq!((agreed, exported.len() - agreed), (known, made_up), "{capture}");
    }
}
