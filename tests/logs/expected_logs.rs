//! The real logs of `../shared/data/logs` compared with what an independent reader finds in them.

use crate::alerts::expected::{
    Columns, Compiled, Expected, Hit, Rule, alerts, expected, file_of, first_column, read,
};
use crate::harness::shared;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

const COLUMNS: Columns = Columns { is_log: true, place: 1, indicator: 4, level: 6 };

const RULES: &[Rule] = &[
    PRIVATE_SUFFIX,
    Rule {
        name: "maximal_run",
        because: "6.2 rules 4 and 7: a name goes on over `.` and label characters, so \
                  `Microsoft.Office.OneNote_2015` does not hold microsoft.office",
        explains: |d| d.is_missing_at("text") && !stands_alone(d.line, &d.hit.indicator),
    },
    Rule {
        name: "user_information",
        because: "6.3: what stands before the last `@` of an authority is a user's name, so \
                  `https://a%40b@host/` holds no address a%40b@host",
        explains: |d| {
            d.is_missing_at("text") && d.line.contains(&format!("://{}/", d.hit.indicator))
        },
    },
    Rule {
        name: "dot_segments",
        because: "6.3: dot segments are removed; the table compares the spellings",
        explains: |d| {
            let dotted = |text: &str| ["/./", "/../"].iter().any(|piece| text.contains(piece));
            d.hit.indicator.contains("://")
                && (d.missing.is_some() && dotted(&d.hit.indicator)
                    || d.unexpected.is_some_and(|alerted| dotted(&alerted.raw)))
        },
    },
    REVERSE_NAME,
    Rule {
        name: "encoded_url",
        because: "6.3: text is also read once decoded, so `?to=http%3A%2F%2F` holds a URL",
        explains: |d| d.unexpected.is_some_and(|alerted| alerted.raw.contains("%3A%2F%2F")),
    },
    Rule {
        name: "relaxed_url",
        because: "6.3: query, trailing slash and http for https are relaxed, each flagged",
        explains: |d| {
            let flags = ["query_ignored", "slash_ignored", "scheme_differs"];
            d.unexpected.is_some_and(|alerted| {
                alerted.quality.iter().any(|flag| flags.contains(&flag.as_str()))
            })
        },
    },
    Rule {
        name: "default_port",
        because: "6.3: the scheme's own port is dropped; the table compares the spellings",
        explains: |d| {
            let Some(alerted) = d.unexpected else { return false };
            let ported = |text: &str| text.contains(":80/") || text.contains(":443/");
            ported(&alerted.raw) || d.spellings.iter().any(|spelling| ported(spelling))
        },
    },
    Rule {
        name: "empty_path",
        because: "6.3: the empty path is `/`; the table compares the spellings",
        explains: |d| {
            d.unexpected.is_some_and(|alerted| format!("{}/", alerted.raw) == alerted.value)
        },
    },
    Rule {
        name: "mapped_address",
        because: "6.1 rule 3: ::ffff:a.b.c.d is a.b.c.d, on the indicator's side, too",
        explains: |d| {
            d.unexpected.is_some()
                && d.spellings.iter().any(|spelling| spelling.starts_with("::ffff:"))
        },
    },
    Rule {
        name: "address_behind_a_key",
        because: "6.1 rule 7, 8.4: `en0+:2607:f140::1` is a name, a mark, a colon, and an address, \
                  and `en0:2607:f140::1` a label and an address",
        explains: |d| {
            d.unexpected.is_some_and(|alerted| {
                ["+:", "-:", "!:", "en0:"]
                    .iter()
                    .any(|key| d.line.contains(&format!("{key}{}", alerted.raw)))
            })
        },
    },
    Rule {
        name: "url_in_two_fields",
        because: "8.2: host and path in two fields of a record are a URL, which the table has not",
        explains: |d| d.unexpected.is_some_and(|alerted| alerted.field.contains('+')),
    },
];

const PRIVATE_SUFFIX: Rule = Rule {
    name: "private_suffix",
    because: "6.2 rule 6: a subtree entry that equals a private public suffix, or a name that \
              anybody can register below, is held to the exact name",
    explains: |d| d.missing.is_some() && d.is_downgraded,
};

const REVERSE_NAME: Rule = Rule {
    name: "reverse_name",
    because: "6.1 rule 8: a reverse name yields the address, which the table does not derive",
    explains: |d| d.unexpected.is_some_and(|a| a.at == "ptr" && a.raw.ends_with(".arpa")),
};

/// Whether a line contains a name that no label character or dot continues.
fn stands_alone(line: &str, name: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || "_-".contains(c);
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        let mut after = after.chars();
        let (first, second) = (after.next(), after.next());
        let goes_on_after =
            first.is_some_and(goes_on) || first == Some('.') && second.is_some_and(goes_on);
        !goes_on_after && !before.ends_with(|c| goes_on(c) || c == '.')
    })
}

#[test]
fn the_expected_hits_of_the_logs() {
    let Some(logs) = shared("the_expected_hits_of_the_logs", "data/logs") else { return };
    let names = first_column(&logs.join("expected/counts.tsv"));
    let table = expected(&logs.join("expected/expected.tsv.gz"), &COLUMNS);
    check(&logs, &names, &logs.join("expected/indicators.csv"), &table, RULES);
}

/// The real feeds, 1.8 million indicators, in the logs in which they have hits.
#[test]
fn the_real_feeds_in_the_logs() {
    let Some(data) = shared("the_real_feeds_in_the_logs", "data") else { return };
    let logs = data.join("logs");
    let table = expected(&logs.join("expected/expected_unified_feed.tsv.gz"), &COLUMNS);
    let names: BTreeSet<&String> = table.keys().map(|hit| &hit.file).collect();
    let names: Vec<String> = names.into_iter().map(|name| format!("{name}.gz")).collect();
    let list = data.join("feeds/unified/indicators.csv.gz");
    check(&logs, &names, &list, &table, &[PRIVATE_SUFFIX, REVERSE_NAME]);
}

fn check(
    logs: &Path,
    names: &[String],
    list: &Path,
    table: &BTreeMap<Hit, Expected>,
    rules: &[Rule],
) {
    let files = named(logs, names);
    let compiled = Compiled::new(list);
    let alerts = alerts(&compiled.scan(&files).expect(0).json_lines());
    let reported: HashSet<&Hit> = alerts.iter().map(|(hit, _)| hit).collect();
    let missing = table.iter().filter(|(hit, e)| e.is_must && !reported.contains(hit));
    let unexpected = alerts.iter().filter(|(hit, _)| !table.contains_key(hit));
    let differing: HashSet<(String, String)> = missing
        .map(|(hit, _)| hit)
        .chain(unexpected.map(|(hit, _)| hit))
        .map(|hit| (hit.file.clone(), hit.place.clone()))
        .collect();
    compiled.compare(&alerts, table, &lines_of(&files, &differing), rules);
}

/// The files with these names, in any folder.
fn named(logs: &Path, names: &[String]) -> Vec<PathBuf> {
    let all = walkdir::WalkDir::new(logs).min_depth(2).sort_by_file_name();
    let all: Vec<PathBuf> = all.into_iter().map(|entry| entry.unwrap().into_path()).collect();
    let find = |name: &String| match all.iter().find(|path| path.ends_with(name)) {
        Some(path) => path.clone(),
        None => panic!("there is no {name}"),
    };
    names.iter().map(find).collect()
}

/// The lines that differences refer to, in lower case.
fn lines_of(
    files: &[PathBuf],
    wanted: &HashSet<(String, String)>,
) -> HashMap<(String, String), String> {
    let mut lines = HashMap::new();
    for path in files {
        let file = file_of(path.to_str().unwrap());
        if !wanted.iter().any(|(name, _)| *name == file) {
            continue;
        }
        for (at, line) in read(path).split(|&b| b == b'\n').enumerate() {
            let place = (file.clone(), (at + 1).to_string());
            if wanted.contains(&place) {
                lines.insert(place, String::from_utf8_lossy(line).to_lowercase());
            }
        }
    }
    lines
}

#[test]
fn names_that_stand_alone() {
    assert!(stands_alone("a b.example. c", "b.example"));
    assert!(!stands_alone("b.example.org xb.example b.examplex", "b.example"));
}
