//! A new pulse: looked at first, then published, or kept as a draft.

use super::reader::Reader;
use crate::exchange::inside::Inside;
use serde_json::json;
use wiresift::exchange::accounts::Role;

#[test]
fn pasted_looked_at_and_published() {
    let inside = Inside::new(|_| {});
    let (_, bob) = inside.account("bob", Role::Member);
    inside.create(
        &bob,
        &json!({"name": "Known already", "indicators": [{"type": "IPv4", "indicator": "192.0.2.7"}]}),
    );
    let mut alice = Reader::signed_in(&inside, "alice");
    alice.get("/new");
    let filled = [
        ("name", "Invoice lures"),
        ("description", "Card 4111 1111 1111 1111 was paid with."),
        ("values", "192[.]0[.]2[.]7\nnothing here\n8.8.8.8"),
        ("tags", "phishing, invoice"),
        ("do", "check"),
    ];
    let page = alice.submit("/new", &filled);
    assert_eq!(page.status, 200, "{}", page.text());
    let text = page.text();
    for part in [
        "2 addresses",
        "In one line there was no value",
        "Some values are on warning lists",
        "50 percent of your values",
        "private data",
        "Everybody with an account",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // What may harm somebody has to be confirmed; nothing typed is lost.
    let page = alice.submit("/new", &[("do", "publish")]);
    assert_eq!(
        (page.status, page.attributes("#name", "value")),
        (400, vec!["Invoice lures".into()])
    );
    let confirm = page.attributes("input[name=confirm]", "value")[0].clone();
    assert_eq!(confirm, "a card number");
    let page = alice.submit("/new", &[("do", "publish"), ("confirm", &confirm)]);
    assert_eq!((page.status, page.texts("h1")), (200, vec!["Invoice lures".to_string()]));
    assert_eq!(page.texts(".notice"), ["Published."]);
    assert_eq!(page.texts("tbody .value").len(), 2);
}

#[test]
fn drafts_are_for_their_author_alone() {
    let inside = Inside::new(|_| {});
    let mut alice = Reader::signed_in(&inside, "alice");
    alice.get("/new");
    let page = alice.submit("/new", &[("name", "x"), ("do", "draft")]);
    assert_eq!((page.status, page.texts("#name-error").len()), (400, 1));
    let page = alice.submit("/new", &[("name", "Not ready yet"), ("do", "draft")]);
    assert_eq!(page.texts("h1"), ["Not ready yet"]);
    let path = page.path.split('?').next().unwrap().to_string();
    let mut bob = Reader::signed_in(&inside, "bob");
    assert_eq!(bob.get(&path).status, 404);
    let page = alice.submit(&format!("{path}/publish"), &[]);
    assert_eq!(page.texts(".notice"), ["Published."], "{}", page.text());
    assert_eq!(bob.get(&path).status, 200);
}
