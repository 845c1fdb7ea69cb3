//! Feature sets and dependencies: how many packages each set of features includes, which must not
//! be among them, and their licences.
//!
//! The test runs `cargo tree` and `cargo metadata` without network access. The rules for licences
//! and banned crates are those of `deny.toml`, so that they also apply without cargo-deny.

use crate::harness::project;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Locked packages with all features, including this one.
const LOCKED: usize = 380;

/// A set of features: the maximum number of packages that it builds into the program, and what it
/// must not include.
struct Wall {
    flags: &'static [&'static str],
    most: usize,
    banned: &'static [&'static str],
}

const WALLS: &[Wall] = &[
    Wall {
        flags: &["--no-default-features"],
        most: 100,
        banned: &["tokio", "clap", "pcap", "ureq", "rustls", "toml", "evtx"],
    },
    Wall {
        flags: &["--no-default-features", "--features", "fetch"],
        most: 200,
        banned: &["tokio", "clap", "pcap", "evtx"],
    },
    Wall {
        flags: &["--no-default-features", "--features", "sensor"],
        most: 200,
        banned: &["tokio", "clap", "pcap", "ureq", "rustls"],
    },
    Wall {
        flags: &["--no-default-features", "--features", "daemon"],
        most: 200,
        banned: &["tokio", "clap", "pcap", "hyper"],
    },
    Wall {
        flags: &["--no-default-features", "--features", "kafka"],
        most: 220,
        banned: &["tokio", "clap", "pcap", "openssl-sys"],
    },
    Wall { flags: &[], most: 380, banned: &["tokio", "axum", "hyper", "rdkafka"] },
    Wall {
        flags: &["--no-default-features", "--features", "exchange"],
        most: 200,
        banned: &["clap", "pcap", "time", "chrono", "openssl-sys"],
    },
    Wall {
        flags: &["--no-default-features", "--features", "postgres"],
        most: 240,
        banned: &["clap", "pcap", "time", "chrono", "openssl-sys", "native-tls"],
    },
    Wall { flags: &["--all-features"], most: 380, banned: &["time", "actix-web", "diesel"] },
];

#[test]
fn features_bring_what_they_need_and_no_more() {
    for wall in WALLS {
        let mut arguments = vec!["tree", "-e", "normal", "--prefix", "none", "-f", "{p}"];
        arguments.extend(wall.flags);
        let text = cargo(&arguments);
        let packages: BTreeSet<&str> =
            text.lines().map(|line| line.trim_end_matches(" (*)").trim()).collect();
        let count = packages.iter().filter(|name| !name.is_empty()).count();
        assert!(
            count <= wall.most,
            "{:?} brings {count} packages, and {} is the most: `cargo tree -e normal {}`",
            wall.flags,
            wall.most,
            wall.flags.join(" ")
        );
        for banned in wall.banned {
            let has = |name: &&&str| name.split(' ').next() == Some(banned);
            let found = packages.iter().find(has);
            assert!(found.is_none(), "{:?} brings {found:?}", wall.flags);
        }
    }
}

#[test]
fn the_lock_file_stays_within_the_budget() {
    let lock = std::fs::read_to_string(project().join("Cargo.lock")).unwrap();
    let packages = lock.lines().filter(|line| *line == "[[package]]").count();
    assert!(
        packages <= LOCKED,
        "{packages} packages are locked, and the budget is {LOCKED}: \
         `cargo tree -e normal` shows who brought them"
    );
}

#[test]
fn licences_and_bans_are_those_of_deny_toml() {
    let rules = Rules::read();
    let metadata: serde_json::Value = serde_json::from_str(&cargo(&[
        "metadata",
        "--format-version=1",
        "--all-features",
        "--filter-platform",
        &target(),
    ]))
    .unwrap();
    let nodes: Vec<_> = metadata["resolve"]["nodes"].as_array().unwrap().iter().collect();
    let packages = metadata["packages"].as_array().unwrap();
    let named: BTreeMap<&str, &serde_json::Value> =
        packages.iter().map(|package| (package["id"].as_str().unwrap(), package)).collect();
    let name = |id: &str| named[id]["name"].as_str().unwrap().to_string();
    assert!(nodes.len() > 50, "only {} packages", nodes.len());
    let mut wrong = Vec::new();
    for node in nodes {
        let id = node["id"].as_str().unwrap();
        let licence = named[id]["license"].as_str().unwrap_or("none");
        if !rules.takes(licence) && rules.exceptions.get(&name(id)) != Some(&licence.to_string()) {
            wrong.push(format!("{}: the licence {licence} is not in deny.toml", name(id)));
        }
        for dependency in node["deps"].as_array().unwrap() {
            let of = name(dependency["pkg"].as_str().unwrap());
            let by = name(id);
            if rules.banned.get(&of).is_some_and(|wrappers| !wrappers.contains(&by)) {
                wrong.push(format!("{of} is banned, and {by} brings it"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The rules of `deny.toml` for licences and crates.
struct Rules {
    licences: BTreeSet<String>,
    /// Licences of single crates.
    exceptions: BTreeMap<String, String>,
    /// Banned crates, and those that may depend on them nevertheless.
    banned: BTreeMap<String, Vec<String>>,
}

impl Rules {
    fn read() -> Rules {
        let text = std::fs::read_to_string(project().join("deny.toml")).unwrap();
        let table: toml::Table = text.parse().unwrap();
        let words = |value: &toml::Value| -> Vec<String> {
            let words = value.as_array().unwrap().iter();
            words.map(|word| word.as_str().unwrap().to_string()).collect()
        };
        let banned = table["bans"]["deny"].as_array().unwrap().iter().map(|row| {
            let wrappers = row.get("wrappers").map(words).unwrap_or_default();
            (row["crate"].as_str().unwrap().to_string(), wrappers)
        });
        let exceptions = table["licenses"]["exceptions"].as_array().unwrap().iter().map(|row| {
            let [licence] = words(&row["allow"]).try_into().unwrap();
            (row["crate"].as_str().unwrap().to_string(), licence)
        });
        Rules {
            licences: words(&table["licenses"]["allow"]).into_iter().collect(),
            exceptions: exceptions.collect(),
            banned: banned.collect(),
        }
    }

    /// Whether a licence expression (SPDX 2.3, annex D; old crates use `/` for OR) can be
    /// satisfied by the allowed licences.
    fn takes(&self, expression: &str) -> bool {
        let text = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut at = 0;
        self.any(&words, &mut at) && at == words.len()
    }

    fn any(&self, words: &[&str], at: &mut usize) -> bool {
        let mut takes = self.all(words, at);
        while words.get(*at) == Some(&"OR") {
            *at += 1;
            takes |= self.all(words, at);
        }
        takes
    }

    fn all(&self, words: &[&str], at: &mut usize) -> bool {
        let mut takes = self.one(words, at);
        while words.get(*at) == Some(&"AND") {
            *at += 1;
            takes &= self.one(words, at);
        }
        takes
    }

    fn one(&self, words: &[&str], at: &mut usize) -> bool {
        let Some(word) = words.get(*at) else { return false };
        *at += 1;
        if *word == "(" {
            let takes = self.any(words, at);
            *at += usize::from(words.get(*at) == Some(&")"));
            return takes;
        }
        let mut licence = (*word).to_string();
        if words.get(*at) == Some(&"WITH") {
            licence = format!("{licence} WITH {}", words.get(*at + 1).unwrap_or(&""));
            *at += 2;
        }
        self.licences.contains(&licence)
    }
}

#[test]
fn licence_expressions_are_read() {
    let rules = Rules {
        licences: ["MIT", "Apache-2.0 WITH LLVM-exception"].map(str::to_string).into(),
        exceptions: BTreeMap::new(),
        banned: BTreeMap::new(),
    };
    for taken in [
        "MIT",
        "MIT/GPL-3.0",
        "GPL-3.0 OR MIT",
        "(GPL-3.0 OR MIT) AND MIT",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(rules.takes(taken), "{taken}");
    }
    for refused in ["GPL-3.0", "MIT AND GPL-3.0", "Apache-2.0", "", "MIT MIT"] {
        assert!(!rules.takes(refused), "{refused}");
    }
}

/// The output of cargo for this project, without network access.
fn cargo(arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--locked", "--offline"])
        .current_dir(project())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "cargo {arguments:?}: {errors}");
    String::from_utf8(run.stdout).unwrap()
}

/// The target that the tests are built for.
fn target() -> String {
    let run = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names its host").to_string()
}
