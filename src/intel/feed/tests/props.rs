//! No reader panics for any bytes, and writing and reading back gives the same indicators.

use crate::engine::indicator::{
    Context, Direction, Indicator, Kind, Role, Scope, Severity, Timestamp, Tlp,
};
use crate::intel::feed::{Collected, Defanged, Format, Options, read, write_jsonl};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::sync::Arc;

/// Pieces that readers recognise, so that random text reaches deep into them.
const PIECES: &[&str] = &[
    "\n",
    "\r\n",
    ",",
    ";",
    "\t",
    "|",
    "\"",
    "'",
    "#",
    "# ",
    "### file: a/malware/b.txt\n",
    "{",
    "}",
    "[",
    "]",
    ":",
    "evil.example",
    "203.0.113.5",
    "203.0.113.0/24",
    "2001:db8::1",
    "http://x.example/",
    "||a.example^",
    "address=/a.example/",
    "a CNAME .",
    "0.0.0.0 a.example",
    "indicator",
    "type",
    "#fields\tindicator\tindicator_type\n",
    "Intel::ADDR",
    "\"objects\":[",
    "\"type\":\"indicator\"",
    "\"pattern\":\"[a:b = '",
    "']\"",
    "\"Event\":{",
    "\"Attribute\":[",
    "\"value\":",
    "\"indicators\":[",
    "\"list\":[",
    "regex",
    "/x/i",
    "\"wiresift\":1",
    "null",
    "true",
    "é",
    "\u{3002}",
    "%",
    "\\",
    " AND ",
    "0123456789abcdef0123456789abcdef",
    "YQ==",
    "$ORIGIN ",
    "32.1.zz.rpz-ip",
    "-",
    "*",
    "\u{0}",
];

fn mixed() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(PIECES).prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..8),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop_oneof![mixed(), vec(any::<u8>(), 0..200)]) {
        let mut options = Options::of_feed("p");
        let _ = read(&bytes, &options, &mut Collected::default());
        options.misp_all = true;
        options.zero_padded_decimal = true;
        options.defanged = Defanged::Yes;
        for &format in Format::ALL {
            options.format = Some(format);
            let _ = Collected::read(&bytes, &options);
        }
    }

    /// Also for anything that readers accept in nearly random text.
    #[test]
    fn whatever_is_read_can_be_written_and_read(bytes in mixed()) {
        for &format in Format::ALL {
            let mut options = Options::of_feed("p");
            options.format = Some(format);
            let Ok(first) = Collected::read(&bytes, &options) else { continue };
            if first.indicators.is_empty() {
                continue;
            }
            let mut lines = Vec::new();
            write_jsonl(&mut lines, &first.indicators).unwrap();
            let second = Collected::read(&lines, &Options::default()).unwrap();
            prop_assert_eq!(&first.indicators, &second.indicators, "{}", format);
        }
    }

    #[test]
    fn jsonl_round_trip(indicators in vec(indicator(), 1..5)) {
        let mut lines = Vec::new();
        write_jsonl(&mut lines, &indicators).unwrap();
        let got = Collected::read(&lines, &Options::default()).unwrap();
        prop_assert_eq!(got.summary.format, Format::Wiresift);
        prop_assert_eq!(&got.indicators, &indicators);
    }
}

fn indicator() -> impl Strategy<Value = Indicator> {
    let value = prop::sample::select(
        &[
            (Kind::Ip, "203.0.113.5"),
            (Kind::Net, "2001:DB8::/33"),
            (Kind::Endpoint, "[2001:db8::1]:443"),
            (Kind::Domain, "*.Evil.example"),
            (Kind::Domain, "m\u{fc}nchen.example"),
            (Kind::Url, "HTTP://Evil.example:80/a/../b?x=\"1\""),
            (Kind::UrlPath, "/a/Gate.php?x"),
            (Kind::Email, "Bad@Evil.example"),
            (Kind::Sha256, "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"),
            (Kind::Ssdeep, "3:aB:c"),
            (Kind::Regkey, "HKEY_LOCAL_MACHINE\\X"),
            (Kind::Opaque, "rule x { \n }"),
            (Kind::Filename, "caf\u{e9}.EXE"),
        ][..],
    );
    let scope = prop::sample::select(Scope::ALL);
    (value, scope, context()).prop_filter_map("no such value", |((kind, raw), scope, context)| {
        Indicator::new(kind, raw, scope, Arc::new(context)).ok()
    })
}

fn context() -> impl Strategy<Value = Context<'static>> {
    let text = || option::of(".{1,12}".prop_map(std::borrow::Cow::Owned));
    let texts = || vec(".{0,8}".prop_map(std::borrow::Cow::Owned), 0..3);
    let time = || option::of(any::<i64>().prop_map(Timestamp));
    let first = (".{1,8}", text(), text(), text(), text(), text(), text());
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let levels = (
        option::of(0u8..=100),
        option::of((1u8..=4).prop_map(|n| Severity::from_number(n).unwrap())),
        option::of((1u8..=5).prop_map(|n| Tlp::from_number(n).unwrap())),
        option::of(prop::sample::select(&[Direction::Source, Direction::Destination][..])),
    );
    let times = (time(), time(), time(), time(), time());
    let lists = (texts(), texts(), texts(), texts(), texts());
    (first, flags, levels, times, lists).prop_map(|(first, flags, levels, times, lists)| Context {
        feed: first.0.into(),
        collection: first.1,
        collection_id: first.2,
        id: first.3,
        name: first.4,
        description: first.5,
        proto: first.6,
        inactive: flags.0,
        internal: flags.1,
        role: if flags.2 { Role::Allow } else { Role::Alert },
        confidence: levels.0,
        severity: levels.1,
        tlp: levels.2,
        direction: levels.3,
        valid_from: times.0,
        valid_until: times.1,
        first_seen: times.2,
        last_seen: times.3,
        modified: times.4,
        tags: lists.0,
        malware: lists.1,
        adversary: lists.2,
        attack: lists.3,
        references: lists.4,
    })
}
