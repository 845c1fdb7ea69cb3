//! Feeds and logs for the benchmarks: made from `testdata/logs` and a fixed seed, the same on
//! every machine, with a known set of hits.
//!
//! The lines were written by real programs. Each round over them renames every address and host
//! name, so that no cache is warm by accident. Renamed addresses are in separate blocks and
//! renamed names contain a mark that no indicator of [`feed`] has; so the planted hits are the
//! only ones, whatever the feed's size.
#![allow(dead_code, reason = "each bench uses a part of it")]

use regex::Regex;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use wiresift::engine::compile::Compiler;
use wiresift::engine::indicator::{Context, Indicator, Kind, Scope, Severity, Timestamp};
use wiresift::engine::scan;
use wiresift::{Database, Scanner};

/// The first indicators of every feed: planted hits are among them.
pub(crate) const PLANTED: usize = 512;
/// Occurs in every renamed host name, and in no indicator.
const MARK: &str = "-zq";
/// First octet of renamed public addresses, and of no indicator.
const BENIGN: u8 = 17;
const TLDS: [&str; 12] =
    ["com", "net", "org", "info", "ru", "cn", "de", "xyz", "top", "online", "io", "shop"];
const SYLLABLES: [&str; 32] = [
    "ba", "lo", "mi", "ter", "pan", "sky", "net", "zor", "eki", "uma", "dra", "fin", "gol", "hex",
    "jun", "kra", "lin", "mor", "nov", "oki", "pra", "que", "rol", "sen", "tor", "ulo", "vex",
    "wim", "xal", "yor", "zen", "cor",
];

/// Whether this is a measurement: `cargo bench`. Otherwise everything runs once, on less, and
/// only the counts matter: `cargo test --bench NAME`.
pub(crate) fn is_measured() -> bool {
    std::env::args().any(|word| word == "--bench")
}

/// The size of a benchmark's text.
pub(crate) fn corpus_bytes() -> usize {
    if is_measured() { 4 << 20 } else { 256 << 10 }
}

/// SplitMix64, seeded by a counter.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x5851_f42d_4c95_7f2d))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn pick<'t>(&mut self, words: &[&'t str]) -> &'t str {
        words[self.below(words.len() as u64) as usize]
    }

    fn word(&mut self, syllables: u64) -> String {
        (0..syllables).map(|_| self.pick(&SYLLABLES)).collect()
    }

    fn hex(&mut self, digits: usize) -> String {
        let mut hex = String::with_capacity(digits + 16);
        while hex.len() < digits {
            write!(hex, "{:016x}", self.next()).unwrap();
        }
        hex.truncate(digits);
        hex
    }
}

/// A listed value and its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) kind: Kind,
    pub(crate) value: String,
}

/// The first `size` indicators of an endless list in the proportions of real feeds
/// (68% domains, 25% IPv4, hashes, URLs, networks, e-mails). A smaller feed is the
/// beginning of a bigger one.
pub(crate) fn feed(size: usize) -> Vec<Listed> {
    (0..size as u64).map(listed).collect()
}

/// The indicator with this number.
pub(crate) fn listed(number: u64) -> Listed {
    let mut numbers = Numbers::new(number);
    let share = if number < PLANTED as u64 {
        // Every kind is among the planted ones.
        [0, 0, 0, 700, 700, 935, 945, 955, 965, 975, 990, 998][(number % 12) as usize]
    } else {
        numbers.below(1000)
    };
    let (kind, value) = match share {
        0..680 => (Kind::Domain, listed_name(&mut numbers)),
        680..930 => (Kind::Ip, listed_address(&mut numbers)),
        930..940 => (Kind::Md5, numbers.hex(32)),
        940..950 => (Kind::Sha1, numbers.hex(40)),
        950..960 => (Kind::Sha256, numbers.hex(64)),
        960..987 => {
            let (host, tld) = (numbers.word(2), numbers.pick(&TLDS));
            let (folder, file) = (numbers.word(2), numbers.word(3));
            (Kind::Url, format!("http://dl{number}x-{host}.{tld}/{folder}/{file}.php"))
        }
        987..995 => {
            let (user, host, tld) = (numbers.word(2), numbers.word(2), numbers.pick(&TLDS));
            (Kind::Email, format!("{user}@mx{number}x-{host}.{tld}"))
        }
        _ => {
            let [a, b, c] = prefix(&mut numbers);
            (Kind::Net, format!("{a}.{b}.{}.0/23", c & 254))
        }
    };
    Listed { kind, value }
}

fn listed_name(numbers: &mut Numbers) -> String {
    let (syllables, tld) = (3 + numbers.below(3), numbers.pick(&TLDS));
    let name = numbers.word(syllables);
    match numbers.below(10) {
        0..3 => format!("{}.{name}.{tld}", numbers.pick(&["cdn", "login", "update", "a", "mail"])),
        _ => format!("{name}.{tld}"),
    }
}

/// One of some thousands of /24 networks: real lists are clustered, too.
fn prefix(numbers: &mut Numbers) -> [u8; 3] {
    let mut cluster = Numbers::new(1 << 40 | numbers.below(60_000));
    let first = [23, 37, 45, 62, 77, 91, 103, 146, 178, 185][cluster.below(10) as usize];
    [first, 1 + cluster.below(254) as u8, cluster.below(256) as u8]
}

fn listed_address(numbers: &mut Numbers) -> String {
    let [a, b, c] = prefix(numbers);
    format!("{a}.{b}.{c}.{}", 1 + numbers.below(254))
}

/// Compiles a feed; every indicator has one of three contexts.
pub(crate) fn database(feed: &[Listed]) -> Database {
    let contexts = [Severity::Low, Severity::Medium, Severity::High].map(|severity| {
        Arc::new(Context {
            severity: Some(severity),
            confidence: Some(80),
            tags: vec!["bench".into(), "synthetic".into()],
            malware: vec!["Kestrel".into()],
            description: Some("Made for the benches; seen nowhere.".into()),
            references: vec!["https://reports.example/kestrel".into()],
            ..Context::of_feed("bench")
        })
    });
    let mut compiler = Compiler::default();
    for (number, Listed { kind, value }) in feed.iter().enumerate() {
        let context = Arc::clone(&contexts[number % contexts.len()]);
        let scope = if *kind == Kind::Domain { Scope::Subtree } else { Scope::Exact };
        let indicator = Indicator::new(*kind, value, scope, context).unwrap();
        assert_eq!(compiler.add(indicator), None, "{value}");
    }
    Database::from_bytes(compiler.into_bytes(Timestamp(0)).unwrap()).unwrap()
}

/// The logs from which a corpus is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    /// nginx and Suricata, one JSON object a line.
    Json,
    /// Zeek, columns with tabs.
    Tsv,
    /// sshd, BIND, Postfix, nginx, squid, mixed.
    Mix,
}

impl Log {
    pub(crate) const ALL: [Log; 3] = [Log::Json, Log::Tsv, Log::Mix];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Log::Json => "json",
            Log::Tsv => "tsv",
            Log::Mix => "mix",
        }
    }

    fn files(self) -> &'static [&'static str] {
        match self {
            Log::Json => &["nginx_access.json", "suricata_eve.json"],
            Log::Tsv => &["zeek_conn.log", "zeek_dns.log"],
            Log::Mix => &[
                "auth.log",
                "mail.log",
                "named_query.log",
                "nginx_access.log",
                "nginx_error.log",
                "nginx_proxied.log",
                "squid_access.log",
                "squid_combined.log",
            ],
        }
    }
}

/// An indicator planted in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plant {
    pub(crate) line: u64,
    pub(crate) indicator: String,
}

/// A text and all its hits for any [`feed`] with at least [`PLANTED`] indicators.
pub(crate) struct Corpus {
    pub(crate) text: Vec<u8>,
    pub(crate) plants: Vec<Plant>,
}

/// A log of about `bytes` bytes with a hit in one of `every` lines.
pub(crate) fn corpus(log: Log, bytes: usize, every: u64) -> Corpus {
    let files: Vec<Vec<Line>> = log.files().iter().map(|name| lines(name)).collect();
    let mut writer = Writer {
        text: Vec::with_capacity(bytes + (64 << 10)),
        plants: Vec::new(),
        line: 0,
        round: 0,
        every,
        due: 1,
        numbers: Numbers::new(every),
    };
    while writer.text.len() < bytes {
        if log == Log::Tsv {
            writer.tables(&files, bytes);
        } else {
            writer.round += 1;
            for line in files.iter().flatten() {
                writer.line(line);
            }
        }
    }
    Corpus { text: writer.text, plants: writer.plants }
}

/// What can be renamed in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    V4,
    /// Before `.in-addr.arpa`.
    ReversedV4,
    V6,
    Name,
}

/// A line in pieces: unchanged text, and the token after it that is renamed.
struct Line {
    pieces: Vec<(String, Option<(Token, String)>)>,
    /// The pieces whose token is separate, so that anything can replace it.
    alone: Vec<usize>,
    is_header: bool,
}

fn lines(name: &str) -> Vec<Line> {
    let token = Regex::new(
        r"(?x)
        \b (?<v4> [0-9]{1,3} (?: \. [0-9]{1,3} ){3} ) \b
        | \b (?<v6> 2001:db8: [0-9a-f:]* [0-9a-f] ) \b
        | \b (?<name> (?: [a-zA-Z0-9_-]+ \. )+ (?: example | test | invalid ) ) \b",
    )
    .unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/logs").join(name);
    let bytes = std::fs::read(&path).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    text.lines()
        .filter(|line| !line.starts_with("#close"))
        .map(|line| split(line, &token))
        .collect()
}

fn split(line: &str, token: &Regex) -> Line {
    let mut pieces = Vec::new();
    let mut alone = Vec::new();
    let mut at = 0;
    for found in token.captures_iter(line) {
        let whole = found.get(0).unwrap();
        let kind = match (found.name("v4"), found.name("v6")) {
            (Some(_), _) if line[whole.end()..].starts_with(".in-addr") => Token::ReversedV4,
            (Some(_), _) => Token::V4,
            (_, Some(_)) => Token::V6,
            _ => Token::Name,
        };
        let around =
            (line[..whole.start()].chars().next_back(), line[whole.end()..].chars().next());
        let opens = matches!(around.0, None | Some(' ' | '\t' | '"' | '('));
        let closes = matches!(around.1, None | Some(' ' | '\t' | '"' | ')'));
        if kind != Token::V6 && opens && closes {
            alone.push(pieces.len());
        }
        pieces.push((line[at..whole.start()].into(), Some((kind, whole.as_str().to_string()))));
        at = whole.end();
    }
    pieces.push((line[at..].into(), None));
    Line { pieces, alone, is_header: line.starts_with('#') }
}

struct Writer {
    text: Vec<u8>,
    plants: Vec<Plant>,
    line: u64,
    round: u64,
    every: u64,
    due: u64,
    numbers: Numbers,
}

impl Writer {
    /// Each table with its header and some rounds of its rows.
    fn tables(&mut self, files: &[Vec<Line>], bytes: usize) {
        for table in files {
            for line in table.iter().filter(|line| line.is_header) {
                self.line(line);
            }
            for _ in 0..64 {
                if self.text.len() >= bytes {
                    return;
                }
                self.round += 1;
                for line in table.iter().filter(|line| !line.is_header) {
                    self.line(line);
                }
            }
        }
    }

    fn line(&mut self, line: &Line) {
        self.line += 1;
        let planted = self.plant(line);
        for (at, (constant, token)) in line.pieces.iter().enumerate() {
            self.text.extend_from_slice(constant.as_bytes());
            match (token, &planted) {
                (_, Some((place, value))) if *place == at => {
                    self.text.extend_from_slice(value.as_bytes());
                }
                (Some((kind, value)), _) => {
                    let renamed = rename(*kind, value, self.round);
                    self.text.extend_from_slice(renamed.as_bytes());
                }
                (None, _) => {}
            }
        }
        self.text.push(b'\n');
    }

    /// The piece of the line to replace, and the indicator, if one is due.
    fn plant(&mut self, line: &Line) -> Option<(usize, String)> {
        if self.line < self.due || line.alone.is_empty() || line.is_header {
            return None;
        }
        let block = (self.line.max(self.due) - 1) / self.every + 1;
        self.due = (block * self.every + 1 + self.numbers.below(self.every)).max(self.line + 1);
        let place = line.alone[self.numbers.below(line.alone.len() as u64) as usize];
        let Listed { kind, value } = listed(self.numbers.below(PLANTED as u64));
        let observed = match kind {
            Kind::Net => value.replace(".0/23", &format!(".{}", 1 + self.numbers.below(254))),
            Kind::Domain if self.numbers.below(2) == 0 => format!("www.{value}"),
            _ => value.clone(),
        };
        self.plants.push(Plant { line: self.line, indicator: value });
        Some((place, observed))
    }
}

/// The same value is always renamed in the same way within a round.
fn rename(kind: Token, value: &str, round: u64) -> String {
    let seed = value.bytes().fold(round, |seed, byte| {
        (seed ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut numbers = Numbers::new(seed);
    match kind {
        Token::V4 => {
            let first = if value.starts_with("192.0.2.") { 10 } else { BENIGN };
            let [b, c] = [numbers.below(256), numbers.below(256)];
            format!("{first}.{b}.{c}.{}", 1 + numbers.below(254))
        }
        Token::ReversedV4 => {
            let [b, c, d] = [(); 3].map(|()| numbers.below(256));
            format!("{d}.{c}.{b}.{BENIGN}")
        }
        Token::V6 => {
            let [a, b, c] = [(); 3].map(|()| numbers.below(0xffff) + 1);
            format!("2001:db8:{a:x}:{b:x}::{c:x}")
        }
        Token::Name => {
            let mut labels: Vec<String> = value.split('.').map(str::to_string).collect();
            let count = labels.len();
            labels[count - 1] = numbers.pick(&TLDS).into();
            write!(labels[count - 2], "{MARK}{:04x}", numbers.below(0x10000)).unwrap();
            labels.join(".")
        }
    }
}

/// Checks that a scan of the text finds, line by line, what was planted, or panics.
pub(crate) fn assert_hits(database: &Database, corpus: &Corpus) {
    let mut scanner = Scanner::default();
    let mut found = Vec::new();
    let core = 0..corpus.text.len();
    let origin = scan::Origin::new("corpus");
    scanner.scan_text(database, &corpus.text, core, &origin, |hit| {
        let wiresift::engine::indicator::Place::Log(place) = &hit.place else { unreachable!() };
        found.push(Plant { line: place.line, indicator: hit.matches[0].value.clone() });
    });
    for (at, (found, planted)) in found.iter().zip(&corpus.plants).enumerate() {
        assert_eq!(found, planted, "hit {at}");
    }
    assert_eq!(found.len(), corpus.plants.len());
}
