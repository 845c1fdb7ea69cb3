//! Hostile text in every field that somebody can fill, in every view.

use super::reader::Reader;
use crate::exchange::inside::Inside;
use serde_json::json;
use wiresift::exchange::accounts::Role;
use wiresift::exchange::http::Method;

/// Texts that want to be more than texts.
fn texts() -> Vec<String> {
    vec![
        "<script>alert(1)</script>".into(),
        "\"><img src=x onerror=alert(1)>".into(),
        "</textarea></title><svg onload=alert(1)>".into(),
        "{{7*7}} ${7*7} <%= 7 %>".into(),
        "אבג دهش ابجد 🧿🏴".into(),
        "[click](javascript:alert(1)) ![x](http://evil.example/x.png)".into(),
        "javascript:alert(1)".into(),
        "<a href=//evil.example style=position:fixed>x</a>".into(),
    ]
}

#[test]
fn in_every_field_of_every_view() {
    let inside = Inside::new(|_| {});
    let (_, bob) = inside.account("bob", Role::Member);
    let mut alice = Reader::signed_in(&inside, "alice");
    for text in texts() {
        let name: String = text.chars().take(60).collect();
        let body = json!({
            "name": format!("x {name}"), "description": text, "TLP": "green", "tags": [name],
            "adversary": text, "malware_families": [name], "industries": [name],
            "targeted_countries": ["Germany"], "references": [text],
            "indicators": [
                {"type": "domain", "indicator": "a.example", "title": text, "description": text, "role": text},
                {"type": "Mutex", "indicator": text},
                {"type": "FilePath", "indicator": text},
                {"type": "YARA", "indicator": "rule", "content": text, "title": text},
            ],
        });
        let id = inside.create(&bob, &body);
        let patch = json!({"description": "y", "adversary": "z", "reason": text}).to_string();
        let told = inside.ask(Method::Patch, &format!("/api/v1/pulses/{id}"), &bob, &patch);
        assert_eq!(told.status, 200, "{}", told.body);
        let path = format!("/pulse/{id}");
        alice.get(&format!("{path}/comments"));
        let page = alice.submit(&format!("{path}/comments"), &[("text", &text)]);
        assert_eq!(page.status, 200, "{}", page.text());
        for view in
            ["", "/comments", "/history", "/related", "/export", "/report", "/suggest", "/clone"]
        {
            // Each page is checked for scripts, handlers, and what it loads.
            let page = alice.get(&format!("{path}{view}"));
            assert_eq!(page.status, 200, "{path}{view}: {}", page.text());
        }
        alice.get(&format!("{path}/suggest"));
        let page =
            alice.submit(&format!("{path}/suggest"), &[("description", &text), ("reason", "")]);
        assert_eq!((page.status, page.texts("#description").join("").trim()), (400, text.trim()));
        let find = wiresift::exchange::http::encode(&text).into_owned();
        let page =
            alice.get(&format!("{path}?find={find}&q={find}&type={find}&done={find}&after={find}"));
        assert_eq!(page.status, 200);
    }
}

#[test]
fn long_words_and_controls() {
    let inside = Inside::new(|_| {});
    let (_, bob) = inside.account("bob", Role::Member);
    let word = "ä".repeat(32 << 10);
    let ansi = "\u{1b}[31mred\u{1b}[0m \u{202e}evil\u{202c} \u{0}";
    let id = inside.create(&bob, &json!({"name": "Long words", "description": word}));
    let other = inside.create(&bob, &json!({"name": "Controls", "description": ansi}));
    let mut alice = Reader::signed_in(&inside, "alice");
    let page = alice.get(&format!("/pulse/{id}"));
    assert!(page.body.contains(&word));
    let page = alice.get(&format!("/pulse/{other}"));
    assert!(!page.body.contains(['\u{1b}', '\u{202e}', '\u{0}']), "{}", page.body);
    alice.get(&format!("/pulse/{id}/comments"));
    let path = format!("/pulse/{id}/comments");
    let page = alice.submit(&path, &[("text", &"x".repeat(9 << 10))]);
    assert_eq!((page.status, page.texts("#text-error").len()), (400, 1));
    let page = alice.submit(&path, &[("text", &"x".repeat(300 << 10))]);
    assert_eq!(page.status, 413);
}
