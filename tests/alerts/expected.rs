//! Alerts against what independent programs found in the same files.
//!
//! The comparison is that of `../shared/data/score.py`: a hit is a file, a place in
//! it (the line of a log, the observed value of a capture) and an indicator. Every
//! `must` hit has to be among the alerts, and every pair of an alert and an
//! indicator has to be a `must` or a `may` hit. Whatever differs is explained by one
//! of the [`Rule`]s of the test, each with its reason; a difference without an
//! explanation fails the test, and so does a rule that explains nothing.

use crate::harness::records::{indicators, text};
use crate::harness::{Dir, Run};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use wiresift::engine::indicator::url;

/// Where a hit is, and of which indicator.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hit {
    /// The last part of the path, without `.gz`.
    pub file: String,
    /// The line, or the observed value.
    pub place: String,
    /// The indicator's value.
    pub indicator: String,
}

/// A hit found by the other program.
pub struct Expected {
    pub is_must: bool,
    /// Where it was seen, in that program's terms.
    pub at: String,
}

/// What an alert says besides the hit.
pub struct Alerted {
    pub value: String,
    pub raw: String,
    pub at: String,
    pub field: String,
    pub quality: Vec<String>,
}

/// A disagreement between the two.
pub struct Difference<'a> {
    pub hit: &'a Hit,
    /// A `must` hit that no alert reports.
    pub missing: Option<&'a Expected>,
    /// A pair that the other program did not find.
    pub unexpected: Option<&'a Alerted>,
    /// The line of the log, in lower case.
    pub line: &'a str,
    /// The indicator as the list spells it, in lower case.
    pub spellings: &'a [String],
    /// Whether the compiler reports that it only matches the exact name.
    pub is_downgraded: bool,
    /// Whether the compiler reports that it rejects the indicator.
    pub is_rejected: bool,
}

impl Difference<'_> {
    /// Whether it is a missing hit, seen in this place.
    pub fn is_missing_at(&self, at: &str) -> bool {
        self.missing.is_some_and(|missing| missing.at == at)
    }
}

/// Why a difference is not an error.
pub struct Rule {
    pub name: &'static str,
    /// The reason, with the section of the specification if there is one.
    pub because: &'static str,
    pub explains: fn(&Difference<'_>) -> bool,
}

/// A list of indicators, compiled.
pub struct Compiled {
    pub dir: Dir,
    /// Maps our value of an indicator to the spellings of the list, in lower case.
    spellings: HashMap<String, Vec<String>>,
    downgraded: HashSet<String>,
    rejected: HashSet<String>,
}

impl Compiled {
    /// Compiles `list`, a CSV file with the value in the first column.
    pub fn new(list: &Path) -> Compiled {
        let dir = Dir::new("expected");
        let mut compile = dir.command();
        compile.args(["compile", "-o", "db", "--rejects", "rejects.tsv", "--internal"]);
        compile.arg(list).run().expect(0);
        let (mut downgraded, mut rejected) = (HashSet::new(), HashSet::new());
        for row in fs::read_to_string(dir.path().join("rejects.tsv")).unwrap().lines().skip(1) {
            let cells: Vec<&str> = row.split('\t').collect();
            let list =
                if cells[3] == "downgraded_to_exact" { &mut downgraded } else { &mut rejected };
            list.insert(canonical(cells[2]));
        }
        let mut spellings: HashMap<String, Vec<String>> = HashMap::new();
        for row in String::from_utf8(read(list)).unwrap().lines().skip(1) {
            let mut fields = row.rsplitn(4, ',').collect::<Vec<_>>();
            let value = fields.pop().unwrap().trim_matches('"');
            let lower = value.to_lowercase();
            let mut ours = vec![canonical(value), canonical(value.trim_start_matches('.'))];
            ours.extend(url::parse(value).map(|url| canonical(&url.to_string())));
            ours.sort_unstable();
            ours.dedup();
            for ours in ours.into_iter().filter(|ours| *ours != lower) {
                spellings.entry(ours).or_default().push(lower.clone());
            }
        }
        Compiled { dir, spellings, downgraded, rejected }
    }

    /// Scans files.
    pub fn scan(&self, files: &[PathBuf]) -> Run {
        let mut scan = self.dir.command();
        scan.args(["scan", "--db", "db", "--format", "json"]).args(files).run()
    }

    /// Compares alerts with the expected ones, and fails if no rule explains a difference.
    pub fn compare(
        &self,
        alerts: &[(Hit, Alerted)],
        expected: &BTreeMap<Hit, Expected>,
        lines: &HashMap<(String, String), String>,
        rules: &[Rule],
    ) {
        let reported: HashSet<&Hit> = alerts.iter().map(|(hit, _)| hit).collect();
        let missing = expected
            .iter()
            .filter(|(hit, expected)| expected.is_must && !reported.contains(hit))
            .map(|(hit, expected)| (hit, Some(expected), None));
        let unexpected = alerts
            .iter()
            .filter(|(hit, _)| !expected.contains_key(hit))
            .map(|(hit, alerted)| (hit, None, Some(alerted)));
        let mut explained = vec![0; rules.len()];
        let mut unexplained = Vec::new();
        for (hit, missing, unexpected) in missing.chain(unexpected) {
            let line = lines.get(&(hit.file.clone(), hit.place.clone()));
            let difference = Difference {
                hit,
                missing,
                unexpected,
                line: line.map_or("", String::as_str),
                spellings: self.spellings.get(&hit.indicator).map_or(&[], Vec::as_slice),
                is_downgraded: self.downgraded.contains(&hit.indicator),
                is_rejected: self.rejected.contains(&hit.indicator),
            };
            match rules.iter().position(|rule| (rule.explains)(&difference)) {
                Some(rule) => explained[rule] += 1,
                None => unexplained.push(describe(&difference)),
            }
        }
        let idle = rules.iter().zip(&explained).filter(|(_, count)| **count == 0);
        let idle: Vec<String> =
            idle.map(|(rule, _)| format!("{}: {}", rule.name, rule.because)).collect();
        let musts = expected.values().filter(|expected| expected.is_must).count();
        assert!(musts > 0 && !alerts.is_empty(), "nothing was compared");
        assert!(
            unexplained.is_empty(),
            "{} of {musts} expected hits and {} pairs differ without an explanation:\n{}",
            unexplained.len(),
            alerts.len(),
            unexplained.iter().take(40).cloned().collect::<Vec<_>>().join("\n")
        );
        assert!(
            idle.is_empty(),
            "rules that explain nothing any more, to be taken out:\n{}",
            idle.join("\n")
        );
    }
}

fn describe(difference: &Difference<'_>) -> String {
    let Hit { file, place, indicator } = difference.hit;
    match (difference.missing, difference.unexpected) {
        (Some(missing), _) => format!("missing    {file} {place} {indicator} ({})", missing.at),
        (_, Some(alerted)) => format!(
            "unexpected {file} {place} {indicator} (raw {}, at {}, {:?})",
            alerted.raw, alerted.at, alerted.quality
        ),
        _ => String::new(),
    }
}

/// The hits of records, each with the contents of its record.
pub fn alerts(records: &[Value]) -> Vec<(Hit, Alerted)> {
    let mut alerts = Vec::new();
    for record in records {
        let value = text(record, "/seen/value");
        let raw = record.pointer("/seen/raw").and_then(Value::as_str).unwrap_or(value);
        let (path, place) = match record.pointer("/log/line") {
            Some(line) => (text(record, "/log/path"), line.to_string()),
            None => (text(record, "/packet/path"), canonical(value)),
        };
        for met in indicators(record) {
            let hit = Hit {
                file: file_of(path),
                place: place.clone(),
                indicator: canonical(text(met, "/value")),
            };
            let flags = [&record["seen"], met].map(|part| part["quality"].as_array());
            let flags = flags.into_iter().flatten().flatten().filter_map(Value::as_str);
            let alerted = Alerted {
                value: value.to_string(),
                raw: raw.to_string(),
                at: text(record, "/seen/where").to_string(),
                field: text(record, "/seen/field").to_string(),
                quality: flags.map(str::to_string).collect(),
            };
            alerts.push((hit, alerted));
        }
    }
    alerts
}

/// Reads a table of hits: `file line kind observed indicator where must|may` of logs,
/// the columns of packets for captures.
pub fn expected(table: &Path, columns: &Columns) -> BTreeMap<Hit, Expected> {
    let mut expected: BTreeMap<Hit, Expected> = BTreeMap::new();
    for row in String::from_utf8(read(table)).unwrap().lines() {
        let cells: Vec<&str> = row.split('\t').collect();
        let place = cells[columns.place];
        let hit = Hit {
            file: file_of(cells[0]),
            place: if columns.is_log { place.to_string() } else { canonical(place) },
            indicator: canonical(cells[columns.indicator]),
        };
        let is_must = cells[columns.level] == "must";
        let at = cells[columns.level - 1].to_string();
        if is_must || !expected.contains_key(&hit) {
            expected.insert(hit, Expected { is_must, at });
        }
    }
    expected
}

/// The columns of a table of hits.
pub struct Columns {
    pub is_log: bool,
    pub place: usize,
    pub indicator: usize,
    /// `must` or `may`; the column before it is the place.
    pub level: usize,
}

/// The first column of a table with a header, without duplicates.
pub fn first_column(table: &Path) -> Vec<String> {
    let text = fs::read_to_string(table).unwrap();
    let mut names: Vec<String> =
        text.lines().skip(1).map(|row| row.split('\t').next().unwrap().to_string()).collect();
    names.dedup();
    names
}

/// A file, decompressed if necessary.
pub fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
    plain
}

pub fn file_of(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap();
    name.strip_suffix(".gz").unwrap_or(name).to_string()
}

/// One spelling for equivalent values, as in `score.py`.
pub fn canonical(value: &str) -> String {
    let low = value.trim().to_lowercase();
    if low.contains("://") {
        return canonical_url(&low);
    }
    if let Ok(net) = low.parse::<ipnet::IpNet>() {
        let net = net.trunc();
        let whole = net.prefix_len() == net.max_prefix_len();
        return if whole { net.addr().to_string() } else { net.to_string() };
    }
    match low.trim_matches(['[', ']']).parse::<std::net::IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => low.trim_end_matches('.').to_string(),
    }
}

fn canonical_url(low: &str) -> String {
    let (scheme, rest) = low.split_once("://").unwrap();
    let rest = rest.split('#').next().unwrap();
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap();
    let port = match scheme {
        "http" => ":80",
        "https" => ":443",
        "ftp" => ":21",
        _ => "\n",
    };
    let host = host.strip_suffix(port).unwrap_or(host).trim_end_matches('.');
    let path = decode_unreserved(path);
    let path = if path.starts_with('/') { path } else { format!("/{path}") };
    let path = path.trim_end_matches('.');
    format!("{scheme}://{host}{}", path.strip_suffix('?').unwrap_or(path))
}

fn decode_unreserved(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.filter(|code| code.is_ascii_alphanumeric() || b"-._~".contains(code)) {
            Some(code) => {
                out.push(char::from(code.to_ascii_lowercase()));
                rest = &rest[at + 3..];
            }
            None => {
                out.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    out + rest
}

#[test]
fn canonical_values() {
    for (value, canon) in [
        ("EVIL.example.", "evil.example"),
        ("198.51.100.77/24", "198.51.100.0/24"),
        ("198.51.100.7/32", "198.51.100.7"),
        ("::FFFF:198.51.100.7", "198.51.100.7"),
        ("2001:DB8::0:1", "2001:db8::1"),
        ("HTTP://u@Evil.example:80", "http://evil.example/"),
        ("https://e.example:80/%41%2f%7E?#x", "https://e.example:80/a%2f~"),
    ] {
        assert_eq!(canonical(value), canon);
    }
}
