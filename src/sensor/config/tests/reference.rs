//! `docs/config.md` matches the code.

use super::*;

/// `WIRESIFT_BLESS=1 cargo test --lib config::tests::reference` renews the document.
#[test]
fn the_document_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config.md");
    let want = reference();
    if std::env::var_os("WIRESIFT_BLESS").is_some() {
        std::fs::write(&path, &want).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    for (line, (found, want)) in found.lines().zip(want.lines()).enumerate() {
        assert_eq!(found, want, "docs/config.md:{} (WIRESIFT_BLESS=1 renews it)", line + 1);
    }
    assert!(found == want, "docs/config.md is longer or shorter (WIRESIFT_BLESS=1 renews it)");
}

#[test]
fn every_key_says_what_it_does() {
    for table in schema() {
        let mut names = std::collections::HashSet::new();
        assert!(!table.about.is_empty());
        for key in &table.keys {
            let place = format!("{} {:?} {}", table.header, table.kind, key.name);
            assert!(names.insert(key.name.clone()), "{place} twice");
            assert!(key.text.len() >= 10 && key.text.ends_with('.'), "{place}: {}", key.text);
            assert!(key.text.starts_with(|c: char| !c.is_lowercase()), "{place}: {}", key.text);
            assert!(!key.form.is_empty(), "{place}");
        }
    }
}

/// The example at the top of the document is a configuration.
#[test]
fn the_example_is_right() {
    let document = reference();
    let example = document.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let config = right(example);
    assert_eq!((config.inputs.len(), config.sinks.len(), config.feeds), (2, 2, 1));
}

/// The keys of the feed tables are those that the other house reads. Its parser lists them in the
/// error about an unknown key.
#[cfg(feature = "fetch")]
#[test]
fn the_keys_of_feeds_are_those_of_their_parser() {
    use crate::intel::config::Config as Feeds;
    let listed = |text: &str| -> std::collections::BTreeSet<String> {
        let error = Feeds::parse(text, Path::new("wiresift.toml")).unwrap_err().to_string();
        let list = error.split("expected one of ").nth(1).unwrap_or_else(|| panic!("{error}"));
        list.split('`').skip(1).step_by(2).map(str::to_string).collect()
    };
    let ours = |header: &str, kind: Option<&str>| -> std::collections::BTreeSet<String> {
        let table = schema().into_iter().find(|it| it.header == header && it.kind == kind);
        table.unwrap().keys.into_iter().map(|key| key.name).collect()
    };
    assert_eq!(listed("[[feed]]\nno-such-key = 1\n"), ours("[[feed]]", None));
    let mut top = ours("", None);
    top.extend(ours("", Some("feeds")));
    top.extend(["feed", "daemon", "input", "sink"].map(str::to_string));
    assert_eq!(listed("no-such-key = 1\n"), top);
}

/// One file is parsed by both houses, whatever tables are in it.
#[cfg(feature = "fetch")]
#[test]
fn both_houses_take_the_same_file() {
    use crate::intel::config::Config as Feeds;
    let path = Path::new("/etc/wiresift/wiresift.toml");
    let feeds = |text: &str| Feeds::parse(text, path).unwrap_or_else(|error| panic!("{error}"));
    let document = reference();
    let example = document.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(feeds(example).feeds.len(), 1);
    let ours = right(super::every_key::ALL);
    let theirs = feeds(super::every_key::ALL);
    assert_eq!(
        (&theirs.state, &theirs.database, &theirs.allow),
        (&ours.state, &ours.database, &ours.allow)
    );
    assert_eq!(theirs.lists[0].path, Path::new("/etc/wiresift/lists"));
    let empty = (feeds(""), right(""));
    assert_eq!((empty.0.state, empty.0.database), (empty.1.state, empty.1.database));
}
