//! Both languages say the same, and nothing that nobody asks for.

use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const FILES: [&str; 2] = [include_str!("../texts/en.ftl"), include_str!("../texts/de.ftl")];

/// The messages of a file, with the names of their arguments.
fn messages(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let argument = regex::Regex::new(r"\$([a-z]+)").unwrap();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (head, rest) = line.split_once(" =").unwrap_or(("", line));
        if !head.is_empty() && !line.starts_with(' ') {
            last = head.to_string();
            assert!(found.insert(last.clone(), BTreeSet::new()).is_none(), "twice: {last}");
        }
        let names = argument.captures_iter(rest).map(|of| of[1].to_string());
        found.get_mut(&last).unwrap().extend(names);
    }
    found
}

/// The texts of all files of this room.
fn code(folder: &Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            code(&path, all);
        } else if path.extension().is_some_and(|of| of == "rs") {
            all.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn languages_have_the_same_messages_and_all_are_used() {
    for text in FILES {
        let resource = FluentResource::try_new(text.to_string());
        assert!(resource.is_ok(), "{:?}", resource.err().map(|(_, errors)| errors));
    }
    let [english, german] = FILES.map(messages);
    for (key, arguments) in &english {
        assert_eq!(Some(arguments), german.get(key), "{key}");
    }
    for key in german.keys() {
        assert!(english.contains_key(key), "{key} is only in German");
    }
    let mut all = String::new();
    code(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/exchange/page"), &mut all);
    for key in english.keys() {
        assert!(all.contains(&format!("\"{key}\"")), "nobody says {key}");
    }
    // What is said exists: a missing text is shown as its key.
    let said = regex::Regex::new(r#"\.(?:say|fill)\(\s*"([a-z0-9-]+)""#).unwrap();
    for of in said.captures_iter(&all) {
        assert!(english.contains_key(&of[1]), "there is no text {}", &of[1]);
    }
}

#[test]
fn numbers_and_days() {
    let (english, german) = (Language::English.texts(), Language::German.texts());
    assert_eq!(english.count(1_234_567), "1,234,567");
    assert_eq!(german.count(12_345), "12.345");
    assert_eq!(english.count(999), "999");
    let day = Timestamp::parse("2026-03-09T00:00:00Z").unwrap();
    assert_eq!((english.day(day).as_str(), german.day(day).as_str()), ("9 Mar 2026", "09.03.2026"));
    let many = english.fill("count-subscribers", &[("count", 12_345.into())]);
    assert_eq!(many, "12,345 subscribers");
    assert_eq!(english.fill("count-subscribers", &[("count", 1.into())]), "1 subscriber");
    assert_eq!(german.fill("count-subscribers", &[("count", 1.into())]), "1 Abonnent");
}

#[test]
fn browsers_say_what_they_prefer() {
    let of = |header: &str, chosen: Option<&str>| {
        let mut headers = hyper::HeaderMap::new();
        headers.insert("accept-language", header.parse().unwrap());
        let request = Request {
            method: crate::exchange::http::Method::Get,
            target: "/".into(),
            headers,
            body: Vec::new(),
            peer: [127, 0, 0, 1].into(),
        };
        Language::of(&request, chosen)
    };
    assert_eq!(of("de-AT,de;q=0.9,en;q=0.8", None), Language::German);
    assert_eq!(of("fr, en;q=0.8, de;q=0.9", None), Language::German);
    assert_eq!(of("fr", None), Language::English);
    assert_eq!(of("de;q=0, en;q=0.1", None), Language::English);
    assert_eq!(of("de;q=x", None), Language::English);
    assert_eq!(of("de", Some("en")), Language::English);
    assert_eq!(of("de", Some("xx")), Language::German);
}
