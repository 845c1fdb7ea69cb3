//! The real captures of `../shared/data/pcaps` against what independent programs
//! find in them.

use crate::alerts::expected::{
    Columns, Compiled, Expected, Hit, Rule, alerts, expected, first_column,
};
use crate::harness::shared;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

const BY_FILE: Columns = Columns { is_log: false, place: 2, indicator: 3, level: 5 };
const BY_PACKET: Columns = Columns { is_log: false, place: 3, indicator: 4, level: 6 };

/// What the decoder does not support yet. A rule must be removed when its gap is closed: it then
/// explains nothing, and the test fails.
const LATER: &[Rule] = &[
    Rule {
        name: "later_file_hashes",
        because: "files over HTTP/2, FTP and SMB are not put together and hashed yet",
        explains: |d| {
            let is_http1 = |at: &str| at.starts_with("file.http:") && !d.hit.file.contains("http2");
            let is_file = |at: &str| at.starts_with("file.") && !is_http1(at);
            d.missing.is_some_and(|missing| is_file(&missing.at))
        },
    },
    Rule {
        name: "later_http2",
        because: "HTTP/2, and DNS inside it, are not read yet",
        explains: |d| d.missing.is_some() && d.hit.file == "doh_clear.pcap",
    },
];

const RULES: &[Rule] = &[
    Rule {
        name: "private_suffix",
        because: "6.2 rule 6: a subtree entry that equals a private public suffix, or a name \
                  that anybody can register below, is held to the exact name",
        explains: |d| d.missing.is_some() && d.is_downgraded && !d.is_missing_at("x509.san"),
    },
    Rule {
        name: "files_of_no_one",
        because: "the files in a form are files, the form is none; and of an answer of HTTP/0.9 \
                  tshark takes each segment for a file",
        explains: |d| {
            let files = [
                ("http_post_upload.pcap", "file.http:UploadHandleServlet(449)"),
                ("mpls_vlan_mixed.pcap", "file.http:%2f(1)(1428)"),
                ("mpls_vlan_mixed.pcap", "file.http:%2f(2)(1428)"),
                ("mpls_vlan_mixed.pcap", "file.http:%2f(3)(573)"),
            ];
            files.iter().any(|(file, at)| d.hit.file == *file && d.is_missing_at(at))
        },
    },
    Rule {
        name: "url_without_host",
        because: "6.3: a URL has a host; `http:///exhmedmx` of a request without a Host header \
                  is rejected at compile",
        explains: |d| d.is_missing_at("http.uri") && d.is_rejected,
    },
    Rule {
        name: "domain_of_a_mailbox",
        because: "6.4: the domain of an address is tested, too, here that of the mailbox in a \
                  SOA record",
        explains: |d| d.unexpected.is_some_and(|alerted| alerted.at == "email.domain"),
    },
    Rule {
        name: "leading_dot",
        because: "6.2 rule 4: `.l.google.com` is the name and everything below it; the table \
                  does not take it for a name",
        explains: |d| {
            let dotted = format!(".{}", d.hit.indicator);
            d.unexpected.is_some() && d.spellings.contains(&dotted)
        },
    },
];

#[test]
fn the_expected_hits_of_the_captures() {
    let Some(pcaps) = shared("the_expected_hits_of_the_captures", "data/pcaps") else { return };
    let names = first_column(&pcaps.join("expected/counts.tsv"));
    let table = expected(&pcaps.join("expected/distinct.tsv"), &BY_FILE);
    let list = pcaps.join("expected/indicators.csv");
    check(&pcaps, &names, &list, &table, &[LATER, RULES]);
}

/// The real feeds, 1.8 million indicators, in the captures in which they have hits.
#[test]
fn the_real_feeds_in_the_captures() {
    let Some(data) = shared("the_real_feeds_in_the_captures", "data") else { return };
    let pcaps = data.join("pcaps");
    let table = expected(&pcaps.join("expected/expected_unified_feed.tsv.gz"), &BY_PACKET);
    let names: BTreeSet<&String> = table.keys().map(|hit| &hit.file).collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
    let list = data.join("feeds/unified/indicators.csv.gz");
    check(&pcaps, &names, &list, &table, &[]);
}

fn check(
    pcaps: &Path,
    names: &[String],
    list: &Path,
    table: &BTreeMap<Hit, Expected>,
    rules: &[&[Rule]],
) {
    let files: Vec<_> = names.iter().map(|name| pcaps.join(name)).collect();
    let compiled = Compiled::new(list);
    // Damaged captures among them are no reason to fail: their readable part is used.
    let run = compiled.scan(&files);
    let alerts = alerts(&run.json_lines());
    let rules: Vec<Rule> = rules
        .iter()
        .flat_map(|rules| rules.iter())
        .map(|rule| Rule { name: rule.name, because: rule.because, explains: rule.explains })
        .collect();
    compiled.compare(&alerts, table, &HashMap::new(), &rules);
}
