//! Each format, read back: by our own readers where they know it, and otherwise by a reader of
//! its grammar that is written here. Names are hostile.

use super::{About, Format, Source, Visit, misp_event};
use crate::engine::error::Result;
use crate::engine::indicator::{Kind, Timestamp, Tlp};
use crate::exchange::accounts::UserId;
use crate::exchange::pulses::{
    Author, Counts, Indicator, Lists, Pulse, PulseId, State, Type, normalise,
};
use crate::intel::feed::{self, Collected, Options};
use std::collections::BTreeSet;

/// Names that break out of one grammar or another.
const HOSTILE: &[&str] = &[
    "plain",
    "x\"; sid:1; content:\"|00|\"; reference:url,evil.example;",
    "x\\",
    "x';-- \\' OR 'a'='a",
    "=cmd|' /C calc'!A0",
    "+1\t-1\r\n@SUM(A1)",
    "]]></Content><IndicatorItem>&amp;<!--",
    "evil\nalert ip any any -> any any (sid:1;)",
    "\nunrelated.example CNAME .\n",
    "tab\there\tIntel::ADDR",
    "$(id) `id` %s%n {{7*7}} \u{202e}cod.exe",
    "-",
    "#fields\tindicator\tindicator_type",
    ";comment # comment // comment",
    "LOKI IPsum [Adblock",
    "ünïcödé 名前 😀",
    "\u{0}\u{1}\u{7f}\u{85}\u{2028}",
];

/// An indicator of each type, and hosts of each kind.
const VALUES: &[(Type, &str)] = &[
    (Type::IPv4, "203.0.113.7"),
    (Type::IPv6, "2001:db8::7"),
    (Type::Cidr, "198.51.100.0/24"),
    (Type::Cidr, "2001:db8:1::/48"),
    (Type::Domain, "Evil.example"),
    (Type::Domain, "münchen.example"),
    (Type::Hostname, "www.bad.example"),
    (Type::Url, "http://evil.example:8080/Gate.php?a=1;b=\"2\"|c\\d"),
    (Type::Url, "https://bad.example/x,y"),
    (Type::Uri, "/gate/x.php"),
    (Type::Email, "bad.guy@evil.example"),
    (Type::Md5, "0123456789ABCDEF0123456789abcdef"),
    (Type::Sha1, "0123456789abcdef0123456789abcdef01234567"),
    (Type::Sha256, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    (Type::Pehash, "1123456789abcdef0123456789abcdef01234567"),
    (Type::Imphash, "2123456789abcdef0123456789abcdef"),
    (Type::FilePath, "C:\\x41\\It's\\evil.exe"),
    (Type::FilePath, "evil.exe"),
    (Type::Mutex, "Global\\a'b,c"),
    (Type::Cve, "CVE-2024-1234"),
    (Type::Ja3, "3123456789abcdef0123456789abcdef"),
    (Type::Certificate, "4123456789abcdef0123456789abcdef01234567"),
];

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn indicator(id: i64, kind: Type, value: &str, words: &str) -> Indicator {
    let (kind, norm) = normalise(kind, value).unwrap_or_else(|_| (kind, value.to_string()));
    Indicator {
        id,
        kind,
        value: value.into(),
        norm,
        created: time("2026-11-01T00:00:00Z"),
        changed: Timestamp(time("2026-11-02T00:00:00Z").0 + id * 16),
        expiration: Some(time("2027-01-01T00:00:00Z")),
        state: State::Active,
        is_suppressed: false,
        role: None,
        title: words.into(),
        description: words.into(),
        content: String::new(),
    }
}

fn pulse(key: i64, words: &str) -> Pulse {
    let list = vec![words.to_string()];
    Pulse {
        key,
        id: PulseId::new(time("2026-11-01T00:00:00Z"), key.to_be_bytes()),
        name: words.into(),
        description: words.into(),
        author: Author { id: UserId(1), name: words.into() },
        created: time("2026-11-01T00:00:00Z"),
        modified: Timestamp(time("2026-11-03T00:00:00Z").0 + key * 256),
        revision: 3,
        is_public: true,
        tlp: Tlp::Green,
        adversary: words.into(),
        lists: Lists {
            tags: list.clone(),
            references: list.clone(),
            malware_families: list.clone(),
            attack_ids: vec!["T1059".into()],
            ..Lists::default()
        },
        groups: Vec::new(),
        cloned_from: None,
        is_from_api: true,
        is_held: false,
        counts: Counts::default(),
        is_subscribing: false,
        is_subscribed_to_author: false,
        is_following_author: false,
        vote: 0,
    }
}

struct Fixed(Vec<(Pulse, Vec<Indicator>)>);

impl Source for Fixed {
    fn each(&self, visit: &mut dyn Visit) -> Result<()> {
        for (pulse, indicators) in &self.0 {
            visit.pulse(pulse)?;
            for indicator in indicators {
                visit.indicator(pulse, indicator)?;
            }
        }
        Ok(())
    }
}

/// A pulse with all values, whose every text is `words`; and others with what must not be seen.
fn source(words: &str) -> Fixed {
    let mut all: Vec<Indicator> =
        (1..).zip(VALUES).map(|(id, (kind, value))| indicator(id, *kind, value, words)).collect();
    let hidden = |id, value: &str, change: fn(&mut Indicator)| {
        let mut indicator = indicator(id, Type::Domain, value, words);
        change(&mut indicator);
        indicator
    };
    all.push(hidden(100, "inactive.example", |of| of.state = State::Inactive));
    all.push(hidden(101, "removed.example", |of| of.state = State::Removed));
    all.push(hidden(102, "suppressed.example", |of| of.is_suppressed = true));
    let mut rule = indicator(103, Type::Yara, "rule_name", words);
    rule.content = "rule x { condition: false }".into();
    all.push(rule);
    Fixed(vec![(pulse(7, words), all), (pulse(8, words), Vec::new())])
}

fn about(words: &str) -> About {
    About {
        exchange: "wiresift exchange".into(),
        home: "https://exchange.example".into(),
        title: words.into(),
        number: 5,
        generation: 1_234_567,
        built: time("2026-11-30T00:00:00Z"),
        types: Vec::new(),
    }
}

fn render(format: Format, words: &str) -> String {
    let mut out = Vec::new();
    format.render(&about(words), &source(words), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What our reader finds: kinds and values.
fn read_back(text: &str, format: feed::Format) -> BTreeSet<(Kind, String)> {
    let mut found = Collected::default();
    let options = Options { format: Some(format), ..Options::of_feed("x") };
    feed::read(text.as_bytes(), &options, &mut found).unwrap();
    let rejects: Vec<_> = found.rejects.iter().map(|reject| format!("{reject:?}")).collect();
    assert!(found.rejects.is_empty(), "{rejects:#?}\n{text}");
    found.indicators.iter().map(|of| (of.kind, of.value.to_string())).collect()
}

/// The values of some types, as the engine has them.
fn values(kinds: &[Type]) -> BTreeSet<(Kind, String)> {
    let of = |(kind, value): &(Type, &str)| {
        let scope = crate::engine::indicator::Scope::Exact;
        let read =
            crate::engine::indicator::Indicator::new(kind.kind(), value, scope, Default::default());
        let read = read.unwrap();
        (read.kind, read.value.to_string())
    };
    VALUES.iter().filter(|(kind, _)| kinds.contains(kind)).map(of).collect()
}

const ADDRESSES: &[Type] = &[Type::IPv4, Type::IPv6, Type::Cidr];
const NAMES: &[Type] = &[Type::Domain, Type::Hostname];
const FILES: &[Type] = &[Type::Md5, Type::Sha1, Type::Sha256];

#[test]
fn lists_are_read_back() {
    for words in HOSTILE {
        let want =
            values(&[ADDRESSES, NAMES, FILES, &[Type::Url, Type::Email, Type::Cve]].concat());
        let list = render(Format::List, words);
        assert_eq!(read_back(&list, feed::Format::Lines), want, "{words}");
        assert_eq!(feed::Format::detect(list.as_bytes()).unwrap(), feed::Format::Lines);
        // The comments are the same whatever people wrote.
        assert_eq!(list, render(Format::List, "plain"), "{words}");
        let hosts = render(Format::Hosts, words);
        assert_eq!(read_back(&hosts, feed::Format::Hosts), values(NAMES), "{words}");
        let squid = render(Format::Squid, words);
        assert_eq!(read_back(&squid, feed::Format::Squid), values(NAMES), "{words}");
        let nftables = render(Format::Nftables, words);
        assert_eq!(nftables, render(Format::Nftables, "plain"), "{words}");
    }
    let nftables = render(Format::Nftables, "x");
    assert!(nftables.contains("198.51.100.0/24,\n\t\t\t203.0.113.7\n"), "{nftables}");
    assert_eq!(nftables.matches('{').count(), nftables.matches('}').count());
}

#[test]
fn squid_has_no_entry_below_another() {
    let names =
        ["a.evil.example", "evil.example", "evil-2.example", "www.b.example", "b.example.org"];
    let mut all: Vec<Indicator> =
        (1..).zip(names).map(|(id, name)| indicator(id, Type::Hostname, name, "x")).collect();
    all[1].kind = Type::Domain;
    // Below it are the names of strangers.
    all.push(indicator(9, Type::Domain, "github.io", "x"));
    all.push(indicator(10, Type::Domain, "co.uk", "x"));
    let mut out = Vec::new();
    Format::Squid.render(&about("x"), &Fixed(vec![(pulse(1, "x"), all)]), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [".evil.example", "b.example.org", "evil-2.example", "github.io", "www.b.example"]
    );
}

/// Fields of a table, with quotes as in RFC 4180.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut is_quoted) =
        (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if is_quoted && chars.peek() == Some(&'"') => field.push(chars.next().unwrap()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(std::mem::take(&mut field)),
            '\r' if !is_quoted && chars.peek() == Some(&'\n') => {
                chars.next();
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            other => field.push(other),
        }
    }
    assert!(!is_quoted && row.is_empty() && field.is_empty(), "{text}");
    rows
}

#[test]
fn tables_are_read_back() {
    for words in HOSTILE {
        let table = rows(&render(Format::Csv, words));
        assert_eq!(table[0].len(), 13);
        assert_eq!(table.len(), VALUES.len() + 2, "{words}");
        for (row, (kind, value)) in table[1..].iter().zip(VALUES) {
            assert_eq!((&*row[0], &*row[1]), (*value, kind.name()), "{words}");
            assert_eq!((&*row[2], &*row[9], &*row[12]), (*words, *words, *words));
            assert_eq!((&*row[5], &*row[7], &*row[11]), ("2026-11-01T00:00:00", "1", "green"));
        }
        for row in &rows(&render(Format::Spreadsheet, words))[1..] {
            for field in row {
                let first = field.trim_start().chars().next();
                assert!(!matches!(first, Some('=' | '+' | '-' | '@')), "{field}");
            }
        }
    }
    // And by our reader, but for what it leaves to others (values of no kind).
    let mut found = Collected::default();
    let text = render(Format::Csv, "plain");
    feed::read(text.as_bytes(), &Options::of_feed("x"), &mut found).unwrap();
    let read: BTreeSet<(Kind, String)> =
        found.indicators.iter().map(|of| (of.kind, of.value.to_string())).collect();
    for value in values(&[ADDRESSES, NAMES, FILES, &[Type::Url, Type::Email, Type::Mutex]].concat())
    {
        assert!(read.contains(&value), "{value:?} in {read:?}");
    }
    let first = &found.indicators[0].context;
    assert_eq!((first.tlp, &*first.tags), (Some(Tlp::Green), &["plain".into()][..]));
}

#[test]
fn zeek_has_five_columns() {
    for words in HOSTILE {
        let text = render(Format::Zeek, words);
        let mut lines = text.lines();
        assert_eq!(
            lines.next(),
            Some("#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.url")
        );
        for line in lines.filter(|line| !line.starts_with('#')) {
            let columns: Vec<&str> = line.split('\t').collect();
            assert_eq!(columns.len(), 5, "{line}");
            assert!(
                columns[1].starts_with("Intel::") && columns.iter().all(|it| !it.is_empty()),
                "{line}"
            );
            assert_eq!(
                columns[4], "https://exchange.example/pulse/6ae681000000000000000007",
                "{line}"
            );
        }
        let mut want =
            values(&[ADDRESSES, NAMES, FILES, &[Type::Email, Type::Certificate]].concat());
        want.insert((Kind::Filename, "evil.exe".into()));
        // Without scheme, as Zeek has them.
        let read = read_back(&text, feed::Format::Zeek);
        let (urls, others): (BTreeSet<_>, BTreeSet<_>) =
            read.into_iter().partition(|(kind, _)| *kind == Kind::Url);
        assert_eq!(others, want, "{words}");
        assert_eq!(urls.len(), 2);
    }
}

#[test]
fn zones_have_nothing_else() {
    for words in HOSTILE {
        let zone = render(Format::Rpz, words);
        assert_eq!(zone, render(Format::Rpz, "plain"), "{words}");
        assert_eq!(read_back(&zone, feed::Format::Rpz), values(&[ADDRESSES, NAMES].concat()));
    }
    let zone = render(Format::Rpz, "x");
    assert!(zone.starts_with("$TTL 300\n@ SOA localhost. root.localhost. 1234567 "), "{zone}");
    assert!(
        zone.contains("\n*.evil.example CNAME .\n") && !zone.contains("*.www.bad.example"),
        "{zone}"
    );
}

/// A rule: its head, and its options.
fn rule(line: &str) -> (Vec<&str>, Vec<(String, String)>) {
    let (head, options) = line.split_once(" (").unwrap();
    let options = options.strip_suffix(')').unwrap();
    let mut parts = vec![String::new()];
    let mut chars = options.chars();
    while let Some(char) = chars.next() {
        match char {
            // Suricata splits at any semicolon without a backslash before it.
            '\\' => {
                let last = parts.last_mut().unwrap();
                last.push('\\');
                last.push(chars.next().unwrap());
            }
            ';' => parts.push(String::new()),
            other => parts.last_mut().unwrap().push(other),
        }
    }
    assert_eq!(parts.pop().unwrap().trim(), "", "{line}");
    let option = |part: &String| {
        let (name, value) = part.trim().split_once(':').unwrap_or((part.trim(), ""));
        (name.to_string(), value.to_string())
    };
    (head.split(' ').collect(), parts.iter().map(option).collect())
}

#[test]
fn rules_have_the_grammar_of_suricata() {
    const KEYWORDS: &[&str] = &[
        "msg",
        "dns.query",
        "tls.sni",
        "http.host",
        "http.uri.raw",
        "ja3.hash",
        "to_lowercase",
        "dataset",
        "iprep",
        "filemd5",
        "filesha1",
        "filesha256",
        "content",
        "bsize",
        "reference",
        "classtype",
        "sid",
        "rev",
    ];
    for words in HOSTILE {
        let text = render(Format::SuricataRules, words);
        let mut sids = BTreeSet::new();
        let rules: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(rules.len(), 17 + 2, "{words}");
        for line in rules {
            let (head, options) = rule(line);
            assert_eq!((head.len(), head[0], head[4]), (7, "alert", "->"), "{line}");
            for (name, value) in &options {
                assert!(KEYWORDS.contains(&&**name), "{name} in {line}");
                let quotes = value.replace("\\\"", "").matches('"').count();
                let is_text = matches!(&**name, "msg" | "content");
                assert_eq!(quotes, if is_text { 2 } else { 0 }, "{line}");
                if name == "content" {
                    assert_eq!(value.matches('|').count() % 2, 0, "{line}");
                }
            }
            let value = |name: &str| options.iter().find(|(of, _)| of == name).unwrap().1.clone();
            let sid: u64 = value("sid").parse().unwrap();
            assert!(sid >= 41_000_000 && sid <= u64::from(u32::MAX) && sids.insert(sid), "{line}");
            assert_eq!(options.iter().filter(|(name, _)| name == "sid").count(), 1, "{line}");
        }
        let names = render(Format::SuricataNames, words);
        assert_eq!(read_back(&names, feed::Format::Dataset), values(NAMES));
        let addresses = render(Format::SuricataAddresses, words);
        assert_eq!(read_back(&addresses, feed::Format::Iprep), values(ADDRESSES));
    }
    // Four after the first of the scope, which has 32.
    assert!(
        render(Format::SuricataRules, "x")
            .contains("iprep:any,Wiresift,>,0; classtype:trojan-activity; sid:41000164;")
    );
    assert_eq!(render(Format::SuricataCategories, "x").lines().count(), 1);
}

#[test]
fn bundles_are_read_back() {
    for words in HOSTILE {
        let text = render(Format::Stix, words);
        let bundle: serde_json::Value = serde_json::from_str(&text).unwrap();
        let objects = bundle["objects"].as_array().unwrap();
        let ids: BTreeSet<&str> =
            objects.iter().map(|object| object["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), objects.len(), "{words}");
        for object in objects {
            let refs = object["object_refs"].as_array().into_iter().flatten();
            let refs = refs.chain([
                &object["source_ref"],
                &object["target_ref"],
                &object["created_by_ref"],
            ]);
            for id in refs.filter_map(serde_json::Value::as_str) {
                assert!(ids.contains(id), "{id}");
            }
        }
        let mut found = Collected::default();
        feed::read(text.as_bytes(), &Options::of_feed("x"), &mut found).unwrap();
        let read: BTreeSet<(Kind, String)> =
            found.indicators.iter().map(|of| (of.kind, of.value.to_string())).collect();
        let mut want: BTreeSet<(Kind, String)> = values(Type::ALL);
        want.remove(&(Kind::Cve, "CVE-2024-1234".into()));
        // A name without a folder is one.
        want.retain(|(kind, value)| *kind != Kind::Filepath || value.contains('\\'));
        want.insert((Kind::Filename, "evil.exe".into()));
        want.insert((Kind::Opaque, "rule x { condition: false }".into()));
        assert_eq!(read, want, "{words}");
        let context = &found.indicators[0].context;
        let is_name = !words.trim().is_empty() && words.trim() == *words;
        // Our reader takes a lone hyphen for nothing.
        if is_name && *words != "-" {
            assert_eq!(context.malware, [*words]);
            assert_eq!(context.adversary, [*words]);
            assert_eq!(context.collection.as_deref(), Some(*words));
        }
        assert_eq!((context.tlp, &*context.attack), (Some(Tlp::Green), &["T1059".into()][..]));
        assert_eq!(context.valid_until, Some(time("2027-01-01T00:00:00Z")));
    }
    // The same names for the same things, whenever it is made.
    assert_eq!(render(Format::Stix, "x"), render(Format::Stix, "x"));
}

#[test]
fn events_are_read_back() {
    for words in HOSTILE {
        let mut all = source(words);
        all.0.truncate(1);
        let mut out = Vec::new();
        misp_event(&about(words), &all, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let event: serde_json::Value = serde_json::from_str(&text).unwrap();
        let event = &event["Event"];
        let attributes = event["Attribute"].as_array().unwrap();
        let of = |value: &str| attributes.iter().find(|of| of["value"] == value).unwrap();
        assert_eq!(
            (of("removed.example")["deleted"].clone(), of("inactive.example")["to_ids"].clone()),
            (true.into(), false.into())
        );
        let mut found = Collected::default();
        feed::read(text.as_bytes(), &Options::of_feed("x"), &mut found).unwrap();
        let read: BTreeSet<(Kind, String)> =
            found.indicators.iter().map(|of| (of.kind, of.value.to_string())).collect();
        let mut want = values(Type::ALL);
        want.remove(&(Kind::Cve, "CVE-2024-1234".into()));
        want.retain(|(kind, _)| *kind != Kind::Filepath);
        want.insert((Kind::Opaque, "rule x { condition: false }".into()));
        let (paths, others): (BTreeSet<_>, BTreeSet<_>) =
            read.into_iter().partition(|(kind, _)| *kind == Kind::Filename);
        assert_eq!((others, paths.len()), (want, 2), "{words}");
        // Manifest and hashes agree with it.
        let manifest: serde_json::Value =
            serde_json::from_str(&render(Format::MispManifest, words)).unwrap();
        let entry = &manifest[event["uuid"].as_str().unwrap()];
        for name in ["info", "date", "analysis", "threat_level_id", "timestamp", "Orgc", "Tag"] {
            assert_eq!(entry[name], event[name], "{name}");
        }
        let hashes = render(Format::MispHashes, words);
        assert_eq!(hashes.lines().count(), attributes.len());
        assert!(hashes.lines().all(|line| line.len() == 32 + 1 + 36));
    }
    let index = render(Format::MispIndex, "x");
    assert!(index.lines().all(|line| line.len() == 36 + 1 + 24) && index.lines().count() == 2);
}

#[test]
fn documents_are_well_formed() {
    for words in HOSTILE {
        let text = render(Format::OpenIoc, words);
        let mut open = Vec::new();
        for tag in text.split('<').skip(1) {
            let (tag, content) = tag.split_once('>').unwrap();
            assert!(
                !content.contains('>') && !content.chars().any(|c| c.is_control() && c != '\n'),
                "{text}"
            );
            match tag.strip_prefix('/') {
                _ if tag.starts_with('?') || tag.ends_with('/') => {}
                Some(name) => assert_eq!(open.pop(), Some(name), "{text}"),
                None => open.push(tag.split(' ').next().unwrap()),
            }
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        }
        assert!(open.is_empty(), "{text}");
        let items = text.matches("<IndicatorItem ").count();
        // All but hashes of programs, CVE, JA3 and certificates, for which it has no terms.
        assert_eq!(items, VALUES.len() + 1 - 5, "{text}");
    }
}

#[test]
fn databases_find_what_was_exported() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("exchange.wsdb");
    let words = HOSTILE[1];
    Format::Database.write(&about(words), &source(words), &path).unwrap();
    let database = crate::engine::database::Database::open(&path).unwrap();
    let mut scanner = crate::engine::scan::Scanner::default();
    let text = b"www.evil.example 203.0.113.7 removed.example suppressed.example inactive.example";
    let origin = crate::engine::scan::Origin::new("log");
    let mut hits = Vec::new();
    scanner.scan_text(&database, text, 0..text.len(), &origin, |hit| {
        hits.push((
            hit.seen.value.to_string(),
            hit.matches[0].sources[0].collection.clone().map(|name| name.into_owned()),
        ));
    });
    let found: Vec<&str> = hits.iter().map(|(value, _)| &**value).collect();
    assert_eq!(found, ["www.evil.example", "203.0.113.7"]);
    assert!(hits.iter().all(|(_, collection)| collection.as_deref() == Some(words)));
}

#[test]
fn only_the_types_that_are_asked_for() {
    let types = vec![Type::Mutex, Type::Domain];
    let about = About { types, ..about("x") };
    for format in Format::ALL.iter().filter(|format| **format != Format::Database) {
        let mut out = Vec::new();
        format.render(&about, &source("x"), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains("203.0.113.7"), "{format:?}");
    }
    let mut out = Vec::new();
    Format::List.render(&about, &source("x"), &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap().lines().skip(1).collect::<Vec<_>>(),
        ["Global\\a'b,c", "evil.example", "xn--mnchen-3ya.example"]
    );
}

#[test]
fn nothing_is_an_empty_file() {
    for format in Format::ALL.iter().filter(|format| **format != Format::Database) {
        let mut out = Vec::new();
        format.render(&about("x"), &Fixed(Vec::new()), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let is_json = matches!(format, Format::Stix | Format::MispManifest);
        assert!(!is_json || serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
    }
    assert_eq!(Format::of_path("suricata/rules"), Some(Format::SuricataRules));
    assert_eq!(Format::of_path("../list"), None);
}
