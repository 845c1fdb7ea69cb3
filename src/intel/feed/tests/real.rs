//! Every file of the real feeds, and what an independent reader found in them.
//!
//! The feeds are next to the project and not part of it; without them the tests print that and
//! pass.

use crate::engine::indicator::{Indicator, Kind, Value, domain, url};
use crate::intel::feed::{Collected, Limits, Options, inflate, open, read, write_jsonl};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Kinds and values.
type Rows = BTreeSet<(String, String)>;

fn feeds() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/feeds");
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is absent, so the real feeds are not read", path.display());
    None
}

/// Files that are not feeds, and the message for each.
const NO_FEEDS: &[(&str, &str)] = &[
    ("talos-stix/2022_05_mustang-panda.json.gz", "STIX 1.x"),
    ("warninglists/schema.json", "JSON Schema"),
    ("eset-malware-ioc/nukesped_lazarus_README.adoc", "unknown"),
];

#[test]
fn every_file_is_read() {
    let Some(feeds) = feeds() else { return };
    let mut files = 0;
    for folder in std::fs::read_dir(&feeds).unwrap().map(|entry| entry.unwrap().path()) {
        if folder.ends_with("expected") || folder.ends_with("unified") {
            continue;
        }
        let mut got = Collected::default();
        // Some of ESET's events mark nothing as usable for detection.
        let options = Options { misp_all: true, ..Options::default() };
        for report in open(&folder, &options, &Limits::default(), &mut got) {
            let name = report.path.strip_prefix(&feeds).unwrap().to_string_lossy().into_owned();
            let expected = NO_FEEDS
                .iter()
                .find(|(file, _)| *file == name)
                .map(|(_, what)| *what)
                .or_else(|| name.ends_with("LICENSE").then_some("unknown"));
            files += 1;
            match (expected, report.outcome) {
                (None, Ok(summary)) => {
                    assert!(summary.indicators > 0, "{name}");
                    eprintln!(
                        "{name}: {} {} {:?}",
                        summary.format, summary.indicators, summary.rejects
                    );
                }
                (Some(what), Err(error)) => {
                    assert!(error.to_string().contains(what), "{error}");
                    eprintln!("{error}");
                }
                (None, Err(error)) => panic!("{error}"),
                (Some(what), Ok(summary)) => panic!("{name}: {what}, but was read: {summary:?}"),
            }
        }
    }
    assert!(files > 80, "only {files} files");
}

/// The kind and value of an indicator in the independent reader's terms: `None` for kinds that it
/// does not support.
fn row(indicator: &Indicator) -> Option<(String, String)> {
    let value = indicator.value.to_string();
    let kind = match (indicator.kind, &indicator.value) {
        (Kind::Ip, Value::Net(net)) if net.addr().is_ipv4() => "ipv4",
        (Kind::Ip, _) => "ipv6",
        (Kind::Net, _) => "cidr",
        // It takes the address of `address:port`.
        (Kind::Endpoint, Value::Endpoint(ip, _)) => {
            let kind = if ip.is_ipv4() { "ipv4" } else { "ipv6" };
            return Some((kind.into(), ip.to_string()));
        }
        (Kind::Domain, _) => "domain",
        (Kind::Email, _) => "email",
        (Kind::Md5, _) => "md5",
        (Kind::Sha1, _) => "sha1",
        (Kind::Sha256, _) => "sha256",
        (Kind::Url, _) => {
            let key = url::parse(&value).map(|url| url.key().to_string()).unwrap_or(value);
            return Some(("url".into(), key));
        }
        _ => return None,
    };
    Some((kind.into(), value))
}

/// The rows of an expected list; URLs go through our canonical form, since the
/// reader only lower-cases scheme and host.
fn expected(path: &Path) -> Rows {
    let bytes = std::fs::read(path).unwrap();
    let text = String::from_utf8(inflate(&bytes, 1 << 30).unwrap().into_owned()).unwrap();
    text.lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(kind, value)| {
            let value = match kind {
                "url" => url::parse(value).map_or(value.into(), |url| url.key().to_string()),
                _ => value.to_string(),
            };
            (kind.to_string(), value)
        })
        .collect()
}

/// What we find in a feed, and separately what was written with a leading dot.
fn rows(path: &Path) -> (Rows, Rows) {
    let mut got = Collected::default();
    // The independent reader ignores `to_ids`.
    let options = Options { misp_all: true, ..Options::default() };
    for report in open(path, &options, &Limits::default(), &mut got) {
        report.outcome.unwrap();
    }
    let dotted = |i: &&Indicator| i.raw.as_deref().is_some_and(|raw| raw.starts_with('.'));
    let dotted = got.indicators.iter().filter(dotted);
    let dotted = dotted.map(|i| ("dotted".to_string(), i.value.to_string())).collect();
    (got.indicators.iter().filter_map(row).collect(), dotted)
}

#[test]
fn an_independent_reader_agrees() {
    let Some(feeds) = feeds() else { return };
    let mut compared = 0;
    for list in
        std::fs::read_dir(feeds.join("expected")).unwrap().map(|entry| entry.unwrap().path())
    {
        let name = list.file_name().unwrap().to_string_lossy().into_owned();
        let Some(name) = name.strip_suffix(".tsv.gz") else { continue };
        let path = feed_of(&feeds, name).unwrap_or_else(|| panic!("no file for {name}"));
        if name.contains("mustang-panda") {
            // STIX 1.1.1: the list is empty, and we refuse the file.
            assert!(expected(&list).is_empty());
            continue;
        }
        let ((got, dotted), want) = (rows(&path), expected(&list));
        let known = got.union(&dotted).cloned().collect();
        let unexplained: Vec<_> = got
            .symmetric_difference(&want)
            .filter(|(kind, value)| explained(name, kind, value, &known, &want).is_none())
            .collect();
        let both = got.intersection(&want).count();
        let (more, missing) = (got.len() - both, want.len() - both);
        eprintln!("{name}: {both} agree, {more} more and {missing} fewer, explained");
        assert!(unexplained.is_empty(), "{name}: {unexplained:?}");
        compared += 1;
    }
    assert!(compared >= 28, "only {compared} lists");
}

#[test]
fn an_independent_count_agrees() {
    let Some(feeds) = feeds() else { return };
    let counts = std::fs::read_to_string(feeds.join("expected/counts.tsv")).unwrap();
    let mut compared = 0;
    for line in counts.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let list = cells[0].replace('/', "__");
        let list = list.trim_end_matches(".gz").trim_end_matches(".zst");
        if feeds.join(format!("expected/{list}.tsv.gz")).is_file() || cells[1] == "total" {
            continue;
        }
        compared += 1;
        let (rows, _) = rows(&feeds.join(cells[0]));
        let ours = |kind: &str| rows.iter().filter(|(k, _)| k == kind).count() as i64;
        let kinds = ["ipv4", "ipv6", "cidr", "domain", "url", "email", "md5", "sha1", "sha256"];
        let more: Vec<i64> = kinds
            .iter()
            .zip(&cells[3..])
            .map(|(kind, theirs)| ours(kind) - theirs.parse::<i64>().unwrap())
            .collect();
        eprintln!("{}: {more:?} more than the other reader", cells[0]);
        let want = match cells[0] {
            // Names below top-level domains that contain digits, which it rejects.
            "domain-lists/blocklistproject_phishing-nl.txt.gz" => [0, 0, 0, 22, 0, 0, 0, 0, 0],
            // Our canonical form merges URLs that differ in `:80`, in escapes or in the case of
            // the host.
            "unified/indicators.csv.gz" => [0, 0, 0, 0, -135, 0, 0, 0, 0],
            // `http://ADDRESS` is the address (it says URL); expressions and names with a leading
            // dot are names (it omits them); URLs are distinguished without their scheme;
            // `[v6]:port` is read.
            "maltrail/malware.txt.zst" => [34358, 3, 0, 53, -47672, 0, 0, 0, 0],
            "maltrail/malicious.txt.zst" => [6926, 3, 0, 13, -9653, 0, 0, 0, 0],
            _ => [0; 9],
        };
        assert_eq!(more, want, "{}", cells[0]);
    }
    assert_eq!(compared, 5);
}

/// Why we differ from the independent reader, if we are right.
fn explained(name: &str, kind: &str, value: &str, got: &Rows, want: &Rows) -> Option<&'static str> {
    let has = |set: &BTreeSet<_>, kind: &str, value: &str| {
        set.contains(&(kind.to_string(), value.to_string()))
    };
    if value.starts_with("smb://") {
        return Some("the other reader knows http, https and ftp only; MISP lists smb URLs, too");
    }
    if name.contains("badiis") && value.starts_with("now.asmkpo.com") {
        return Some("`name:80` of type url: the root there to us, a name to the other reader");
    }
    if !name.starts_with("maltrail__") {
        return None;
    }
    let host = value.strip_suffix('/').unwrap_or(value);
    if kind == "url" && (has(got, "ipv4", host) || has(got, "domain", host))
        || kind == "ipv4" && has(want, "url", &format!("{value}/"))
    {
        return Some("Maltrail drops the scheme, and what is left without a path is the host");
    }
    if kind == "domain" && value.contains(['\\', '[', '(']) {
        return Some("an expression, which the other reader leaves out");
    }
    if kind == "domain" && has(got, "dotted", value) {
        return Some("written with a leading dot, which the other reader leaves out");
    }
    None
}

/// The feed for `FOLDER__NAME`, with any compression.
fn feed_of(feeds: &Path, name: &str) -> Option<PathBuf> {
    let path = feeds.join(name.replacen("__", "/", 1));
    ["", ".gz", ".zst"]
        .iter()
        .map(|end| PathBuf::from(format!("{}{end}", path.display())))
        .find(|path| path.is_file())
}

#[test]
fn every_delegated_top_level_domain_is_known() {
    let Some(feeds) = feeds() else { return };
    let mut got = Collected::default();
    let list = feeds.join("warninglists/tlds.json.gz");
    for report in open(&list, &Options::default(), &Limits::default(), &mut got) {
        report.outcome.unwrap();
    }
    let unknown: Vec<_> =
        got.values().into_iter().filter(|tld| !domain::is_known_tld(tld.as_bytes())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn what_is_written_reads_back() {
    let Some(feeds) = feeds() else { return };
    let mut files = 0;
    for folder in [
        "formats",
        "otx",
        "eset-malware-ioc",
        "talos-stix",
        "cti-examples",
        "hosts",
        "signature-base",
        "amnesty-stix2",
        "ipsum",
    ] {
        let mut first = Collected::default();
        let options = Options { misp_all: true, ..Options::default() };
        open(&feeds.join(folder), &options, &Limits::default(), &mut first);
        let mut lines = Vec::new();
        write_jsonl(&mut lines, &first.indicators).unwrap();
        let mut second = Collected::default();
        let summary = read(&lines, &Options::default(), &mut second).unwrap();
        assert_eq!(summary.rejected(), 0, "{:?}", second.rejects.first());
        for (one, other) in first.indicators.iter().zip(&second.indicators) {
            assert_eq!(one, other);
        }
        assert_eq!(first.indicators.len(), second.indicators.len());
        files += first.indicators.len();
    }
    assert!(files > 100_000);
}
