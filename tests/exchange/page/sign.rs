//! Signing in, up and out; language and colours; pages about what did not work.

use super::reader::{PASSWORD, Reader, account};
use crate::exchange::inside::Inside;
use wiresift::exchange::accounts::Role;
use wiresift::exchange::http::Method;
use wiresift::exchange::site::SignUp;

#[test]
fn in_and_out() {
    let inside = Inside::new(|_| {});
    account(&inside, "alice", Role::Member);
    let mut alice = Reader::new(&inside);
    // Who has to sign in first comes back to where it was.
    alice.get("/pulse/6b0d6827f00df00df00df00d");
    assert_eq!(alice.page.texts("h1"), ["Sign in"]);
    let page = alice.submit("/sign-in", &[("username", "alice"), ("password", "wrong horse")]);
    assert_eq!(page.status, 403);
    assert!(page.text().contains("invalid user name or password"), "{}", page.text());
    assert_eq!(page.attributes("#username", "value"), ["alice"]);
    assert_eq!(page.attributes("#password", "value"), [""; 0]);
    let page = alice.submit("/sign-in", &[("username", "alice"), ("password", PASSWORD)]);
    assert_eq!((page.status, page.path.as_str()), (404, "/pulse/6b0d6827f00df00df00df00d"));
    assert_eq!(page.texts(".who"), ["alice"]);
    let page = alice.submit("/sign-out", &[]);
    assert_eq!(page.texts(".notice"), ["You are signed out."]);
    assert!(page.texts(".who").is_empty());
}

#[test]
fn nobody_is_sent_to_another_site() {
    let inside = Inside::new(|_| {});
    account(&inside, "alice", Role::Member);
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example"] {
        let mut alice = Reader::new(&inside);
        alice.get(&format!("/sign-in?next={}", wiresift::exchange::http::encode(next)));
        assert_eq!(alice.page.attributes("input[name=next]", "value"), ["/"]);
    }
}

#[test]
fn forms_of_others_change_nothing() {
    let inside = Inside::new(|_| {});
    let (_, key) = inside.account("bob", Role::Member);
    let id = inside.create(&key, &serde_json::json!({"name": "Some pulse"}));
    let mut alice = Reader::signed_in(&inside, "alice");
    alice.get(&format!("/pulse/{id}"));
    let path = format!("/pulse/{id}/subscribe");
    // Without the token of the session, as a page of somebody else would send it.
    let told = alice.post_bare(&path, "want=1", "same-origin");
    assert_eq!(told, 403);
    let token = alice.page.attributes("input[name=csrf_token]", "value")[0].clone();
    assert_eq!(alice.post_bare(&path, &format!("want=1&csrf_token={token}"), "cross-site"), 403);
    assert_eq!(alice.post_bare(&path, &format!("want=1&csrf_token={token}"), "same-origin"), 303);
}

#[test]
fn accounts_by_invitation_and_by_a_puzzle() {
    let inside = Inside::new(|_| {});
    let mut eve = Reader::new(&inside);
    eve.get("/sign-up");
    assert!(eve.page.text().contains("Nobody can sign up here"), "{}", eve.page.text());
    let inside = Inside::new(|settings| settings.sign_up = SignUp::Invited);
    let (_, carol) = inside.account("carol", Role::Trusted);
    let made = inside.ask(Method::Post, "/api/v2/invitations", &carol, "").json();
    let mut eve = Reader::new(&inside);
    eve.get("/sign-up");
    let fields = |name, invitation| {
        [("username", name), ("password", "tram velvet onion"), ("invitation", invitation)]
    };
    let page = eve.submit("/sign-up", &fields("eve", "0"));
    assert_eq!(page.status, 403);
    let secret = made["invitation"].as_str().unwrap();
    let page = eve.submit("/sign-up", &fields("a", secret));
    assert_eq!((page.status, page.attributes("#username", "aria-invalid").len()), (400, 1));
    assert_eq!(page.texts("#username-error").len(), 1);
    let page = eve.submit("/sign-up", &fields("eve", secret));
    assert_eq!(page.texts(".notice"), ["Your account exists. Sign in with your password."]);
    let inside = Inside::new(|settings| {
        settings.sign_up = SignUp::Open;
        settings.puzzle_bits = 8;
    });
    let mut bob = Reader::new(&inside);
    bob.get("/sign-up");
    let puzzle = bob.page.attributes("input[name=puzzle]", "value")[0].clone();
    let solved = (0..)
        .map(|n: u32| n.to_string())
        .find(|nonce| wiresift::exchange::accounts::is_solved(&puzzle, "bob", nonce, 8));
    let fields =
        [("username", "bob"), ("password", PASSWORD), ("nonce", solved.as_deref().unwrap())];
    let page = bob.submit("/sign-up", &fields);
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(page.path, "/sign-in?done=signed-up");
}

#[test]
fn language_and_colours_stay() {
    let inside = Inside::new(|_| {});
    let mut reader = Reader::new(&inside);
    reader.headers.push(("accept-language", "de-DE,de;q=0.9".to_string()));
    assert_eq!(reader.get("/sign-in").texts("h1"), ["Anmelden"]);
    let page = reader.submit("/look", &[("language", "en"), ("colours", "dark")]);
    assert_eq!((page.path.as_str(), page.texts("h1")), ("/sign-in", vec!["Sign in".to_string()]));
    assert_eq!(page.attributes("html", "data-colours"), ["dark"]);
    assert_eq!(reader.get("/sign-in").attributes("html", "lang"), ["en"]);
}

#[test]
fn failures_are_pages_that_say_what_to_do() {
    let inside = Inside::new(|settings| settings.anonymous_read = true);
    let mut reader = Reader::new(&inside);
    for path in ["/nowhere", "/pulse/6b0d6827f00df00df00df00d", "/pulse/x", "/assets/x.css"] {
        let page = reader.get(path);
        assert_eq!((page.status, page.texts("h1")), (404, vec!["Not here".to_string()]), "{path}");
    }
    // Programs get what they understand.
    let told = inside.get("/api/v1/nowhere", "");
    assert_eq!((told.status, told.json()["status"].as_str()), (404, Some("error")));
    assert_eq!(inside.get("/nowhere", "").json()["status"], "error");
    let inside = Inside::new(|settings| settings.per_address = 2);
    let mut reader = Reader::new(&inside);
    for _ in 0..2 {
        assert_eq!(reader.get("/sign-in").status, 200);
    }
    let page = reader.get("/sign-in");
    assert_eq!((page.status, page.texts("h1")), (429, vec!["A little too fast".to_string()]));
    assert!(page.header("retry-after").is_some());
    // The parts of a page cost nothing.
    for kind in ["link[rel=stylesheet]", "script"] {
        let name = if kind == "script" { "src" } else { "href" };
        let path = reader.page.attributes(kind, name)[0].clone();
        let told = inside.get(&path, "");
        assert_eq!(told.status, 200);
        assert!(told.header("cache-control").unwrap().contains("immutable"));
    }
}
