use super::*;
use crate::Result;
use crate::engine::indicator::{Scope, Severity, Tlp};
use crate::intel::feed::Format;
use std::path::Path;
use std::time::Duration;

fn parse(text: &str) -> Result<Config> {
    Config::parse(text, Path::new("/etc/wiresift/wiresift.toml"))
}

#[test]
fn all_members_are_read() {
    let config = parse(
        r#"
        state = "state"
        database = "/var/lib/iocs.wsdb"
        interval = "1h"
        [[feed]]
        name = "one"
        url = "https://example.net/{key}/list.csv"
        format = "csv"
        columns = "indicator=2"
        key_env = "ONE_KEY"
        interval = "90s"
        timeout = "5s"
        max_size = "64M"
        confidence = 70
        severity = "high"
        tlp = "amber+strict"
        tags = ["a", "b"]
        scope = "subtree"
        lifetime = "30d"
        allow = ["kind:domain"]
        deny = ["example.org", "tag:x"]
        [[feed]]
        name = "two"
        enabled = false
        path = "lists"
        "#,
    );
    let config = config.unwrap();
    assert_eq!(config.state, Path::new("/etc/wiresift/state"));
    assert_eq!(config.database, Path::new("/var/lib/iocs.wsdb"));
    let one = config.feed("one").unwrap();
    assert_eq!(one.options.format, Some(Format::Table));
    assert_eq!(one.options.severity, Some(Severity::High));
    assert_eq!(one.options.tlp, Some(Tlp::AmberStrict));
    assert_eq!(one.options.domain_scope, Some(Scope::Subtree));
    assert_eq!(one.interval, Duration::from_secs(90));
    assert_eq!(one.lifetime, Some(Duration::from_secs(30 * 86400)));
    assert_eq!(one.max_size, 64 << 20);
    assert_eq!(one.access.key, Some(Credential::Env("ONE_KEY".into())));
    assert_eq!(one.origin.shown(), "https://example.net/{key}/list.csv");
    let two = config.feed("two").unwrap();
    assert!(!two.enabled);
    assert_eq!(two.origin, Origin::Path("/etc/wiresift/lists".into()));
    assert_eq!(two.interval, Duration::from_secs(3600));
    assert!(config.feed("three").unwrap_err().to_string().contains("expected one of one, two"));
    assert_ne!(one.reading(), two.reading());
}

#[test]
fn errors_name_line_and_remedy() {
    let feed = "[[feed]]\nname = \"x\"\n";
    for (text, want) in [
        ("nonsense = 1", "wiresift.toml:1: unknown field `nonsense`"),
        ("[[feed]]\nname = 7\n", "wiresift.toml:2: invalid type"),
        ("[[feed]\n", "wiresift.toml:1: "),
        (feed, "0 of url, path and command are set (set exactly one of them)"),
        (&format!("{feed}url = \"ftp://example.net/\""), "expected https:// or http://"),
        (&format!("{feed}url = \"https://me:pw@example.net/\""), "contains a user or password"),
        (&format!("{feed}path = \"a\"\ncommand = [\"b\"]"), "2 of url, path and command"),
        (&format!("{feed}path = \"a\"\nkind = \"rss\""), "list, stix, otx, taxii, misp, allow"),
        (&format!("{feed}path = \"a\"\nformat = \"docx\""), "auto, lines, csv"),
        (&format!("{feed}path = \"a\"\nconfidence = 101"), "0 to 100"),
        (&format!("{feed}path = \"a\"\ninterval = \"soon\""), "interval: "),
        (&format!("{feed}path = \"a\"\ndeny = [\"kind:dragon\"]"), "unknown kind of indicator"),
        (&format!("{feed}path = \"a\"\nkey_env = \"A\"\nkey_file = \"b\""), "remove one of them"),
        (&format!("{feed}url = \"http://h/{{key}}\""), "no credential is set"),
        (&format!("{feed}path = \"a\"\n{feed}path = \"b\""), "wiresift.toml:4: two feeds"),
        ("[[feed]]\nname = \"../x\"\npath = \"a\"", "invalid feed name"),
        ("[[feed]]\nname = \"Ä\"\npath = \"a\"", "invalid feed name"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(want), "{text}\n{error}\n{want}");
    }
}

#[test]
fn edits_keep_what_is_there() {
    let path = Path::new("wiresift.toml");
    let text = "# mine\nstate = \"s\" # here\n\n# about a\n[[feed]]\nname = \"a\"\npath = \"a\"\n";
    let members = [("name", "b"), ("path", "b")].map(|(n, v)| (n.to_string(), edit::value(v)));
    let added = edit::add(text, path, &members, &["about b".into()]).unwrap();
    assert_eq!(added, format!("{text}\n# about b\n[[feed]]\nname = \"b\"\npath = \"b\"\n"));
    assert!(edit::add(&added, path, &members, &[]).unwrap_err().to_string().contains("two feeds"));
    let disabled = edit::enable(&added, path, "a", false).unwrap();
    assert!(disabled.contains("path = \"a\"\nenabled = false\n"), "{disabled}");
    assert_eq!(edit::enable(&disabled, path, "a", true).unwrap(), added);
    assert_eq!(edit::remove(&added, path, "b").unwrap(), text);
    assert!(edit::remove(text, path, "c").is_err());
    let first = edit::add("# head\n", path, &members, &[]).unwrap();
    assert_eq!(first, "# head\n\n[[feed]]\nname = \"b\"\npath = \"b\"\n");
    assert_eq!(edit::remove(&first, path, "b").unwrap(), "# head\n");
    let inline = "feed = [{ name = \"a\", path = \"b\" }]\n";
    assert!(edit::enable(inline, path, "a", false).unwrap().contains("enabled = false"));
    assert_eq!(parse(&edit::remove(inline, path, "a").unwrap()).unwrap().feeds.len(), 0);
    assert_eq!(edit::value("7").as_integer(), Some(7));
    assert_eq!(edit::value("2G").as_str(), Some("2G"));
}

#[test]
fn the_catalogue_is_a_configuration() {
    let mut text = String::new();
    let path = Path::new("wiresift.toml");
    for entry in catalogue::all() {
        let members = entry.members();
        text = edit::add(&text, path, &members, &entry.comment())
            .unwrap_or_else(|error| panic!("{}: {error}", entry.name));
        for said in [&entry.about, &entry.expected, &entry.licence] {
            assert!(!said.is_empty() && said.len() < 110, "{}: {said}", entry.name);
        }
    }
    let config = parse(&text).unwrap();
    assert!(config.feeds.len() >= 60, "{}", config.feeds.len());
    for feed in &config.feeds {
        let Origin::Url(url) = &feed.origin else { panic!("{}", feed.name) };
        let is_known = url.starts_with("https://") || feed.name == "vxvault";
        assert!(is_known && feed.enabled, "{}", feed.name);
        assert_eq!(feed.access.key.is_some(), catalogue::find(&feed.name).unwrap().needs_key());
    }
    // No key occurs twice in the file.
    let file = include_str!("catalogue.toml");
    assert_eq!(file.matches("[[entry]]").count(), config.feeds.len());
}

#[test]
fn secrets_come_from_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    std::fs::write(&path, "s3cret \nrest").unwrap();
    assert_eq!(Credential::File(path.clone()).reveal().unwrap(), "s3cret");
    std::fs::write(&path, "\n").unwrap();
    assert!(Credential::File(path).reveal().unwrap_err().to_string().contains("empty"));
    let unset = Credential::Env("WIRESIFT_UNSET_IN_TESTS".into()).reveal().unwrap_err();
    assert!(unset.to_string().contains("WIRESIFT_UNSET_IN_TESTS"));
}

#[test]
fn brackets_are_bounded_and_strings_have_as_many_as_they_like() {
    let parse = |text: &str| Config::parse(text, Path::new("wiresift.toml"));
    for deep in ["a = [\n".repeat(100), "[".repeat(100), "a = ".to_string() + &"{x=".repeat(100)] {
        let error = parse(&deep).unwrap_err().to_string();
        assert!(error.contains("brackets are nested more than"), "{error}");
    }
    let error = parse(&"a = [\n".repeat(100)).unwrap_err().to_string();
    assert!(error.contains("wiresift.toml:33"), "{error}");
    let open = "[".repeat(100);
    for fine in [
        format!("# {open}\nstate = \"x\""),
        format!("state = \"{open}\""),
        format!("state = '{open}'"),
        format!("state = \"\"\"\n\\\"{open}\n\"\"\""),
        format!("state = '''{open}\n'''"),
        format!("state = \"a\\\"{open}\""),
        "[[feed]]\nname='a'\nurl='https://a.example/x'\ntags=[\"a\", \"b\"]\n".to_string(),
    ] {
        assert!(parse(&fine).is_ok(), "{fine}: {:?}", parse(&fine).err());
    }
    assert!(parse(&"#\n".repeat(3 << 20)).unwrap_err().to_string().contains("longer than"));
}
