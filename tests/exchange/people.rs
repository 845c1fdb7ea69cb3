//! Accounts of people: log-in and sessions, sign-up, second factors.

use super::inside::Inside;
use serde_json::{Value, json};
use wiresift::exchange::accounts::{Role, hash_password, is_solved};
use wiresift::exchange::http::Method;
use wiresift::exchange::site::SignUp;
use wiresift::exchange::storage::NewAccount;

const PASSWORD: &str = "correct horse battery";

/// A site with an account that has a password.
fn site(change: impl FnOnce(&mut wiresift::exchange::site::Settings)) -> Inside {
    let inside = Inside::new(change);
    let digest = hash_password(PASSWORD).unwrap();
    let new = NewAccount {
        name: "alice".into(),
        email: String::new(),
        role: Role::Member,
        password: Some(digest),
    };
    inside.site.storage.write(move |writes| writes.create_account(&new)).unwrap();
    inside
}

/// A browser: it keeps the cookie, and says that its requests come from a page of the site.
struct Browser<'i> {
    inside: &'i Inside,
    cookie: String,
    token: String,
}

impl<'i> Browser<'i> {
    fn new(inside: &'i Inside) -> Browser<'i> {
        Browser { inside, cookie: String::new(), token: String::new() }
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("sec-fetch-site", "same-origin".to_string())];
        if !self.cookie.is_empty() {
            headers.push(("cookie", format!("session={}", self.cookie)));
        }
        if !self.token.is_empty() {
            headers.push(("x-csrf-token", self.token.clone()));
        }
        headers
    }

    fn ask(&mut self, method: Method, target: &str, body: &Value) -> (u16, Value) {
        let told = self.inside.ask_with(method, target, &self.headers(), &body.to_string());
        if let Some(set) = told.header("set-cookie") {
            assert!(set.contains("; HttpOnly; SameSite=Lax") && set.contains("; Path=/"), "{set}");
            let value = set.strip_prefix("session=").unwrap().split(';').next().unwrap();
            self.cookie = value.to_string();
        }
        let body = told.json();
        if let Some(token) = body["csrf_token"].as_str() {
            self.token = token.to_string();
        }
        (told.status, body)
    }

    fn log_in(&mut self, password: &str, code: &str) -> (u16, Value) {
        let body = json!({"username": "Alice", "password": password, "code": code});
        self.ask(Method::Post, "/api/v2/login", &body)
    }

    fn get(&mut self, target: &str) -> (u16, Value) {
        self.ask(Method::Get, target, &json!({}))
    }
}

#[test]
fn a_session_begins_and_ends() {
    let inside = site(|_| {});
    let mut alice = Browser::new(&inside);
    assert_eq!(alice.get("/api/v2/session").0, 403);
    assert_eq!(alice.log_in(PASSWORD, "").0, 200);
    let (_, session) = alice.get("/api/v2/session");
    assert_eq!((&session["username"], &session["role"]), (&json!("alice"), &json!("member")));
    assert_eq!(session["csrf_token"], json!(alice.token));
    let first = alice.cookie.clone();
    // Another log-in has another secret, and the old one is good for nothing.
    assert_eq!(alice.log_in(PASSWORD, "").0, 200);
    assert_ne!(alice.cookie, first);
    let mut old = Browser { cookie: first, ..Browser::new(&inside) };
    assert_eq!(old.get("/api/v2/session").0, 403);
    // Sessions of other browsers are listed, and end one by one.
    let mut other = Browser::new(&inside);
    assert_eq!(other.log_in(PASSWORD, "").0, 200);
    let (_, list) = alice.get("/api/v2/sessions");
    let list = list["results"].as_array().unwrap().clone();
    assert_eq!(list.len(), 2, "{list:?}");
    let foreign = list.iter().find(|of| of["is_current"] == false).unwrap();
    let target = format!("/api/v2/sessions/{}", foreign["id"]);
    assert_eq!(alice.ask(Method::Delete, &target, &json!({})).0, 200);
    assert_eq!(other.get("/api/v2/session").0, 403);
    let token = alice.cookie.clone();
    assert_eq!(alice.ask(Method::Post, "/api/v2/logout", &json!({})).0, 200);
    assert_eq!(alice.cookie, "");
    alice.cookie = token;
    assert_eq!(alice.get("/api/v2/session").0, 403);
}

#[test]
fn wrong_names_and_passwords_answer_alike() {
    let inside = site(|_| {});
    let answers: Vec<_> = [("alice", "wrong horse battery"), ("nobody", PASSWORD), ("", "")]
        .map(|(name, password)| {
            let body = json!({"username": name, "password": password}).to_string();
            let told = inside.ask_with(Method::Post, "/api/v2/login", &[], &body);
            (told.status, told.body.clone(), told.header("set-cookie").is_some())
        })
        .into();
    assert_eq!(answers[0].0, 403);
    assert!(answers.iter().all(|of| *of == answers[0] && !of.2), "{answers:?}");
}

#[test]
fn passwords_are_not_guessed_quickly() {
    let inside = site(|settings| {
        settings.logins_per_address = 5;
        settings.logins_per_account = 10;
        settings.behind_proxy = true;
    });
    let attempt = |address: &str, password: &str| {
        let body = json!({"username": "alice", "password": password}).to_string();
        // The proxy's field is the last one, whatever a client wrote before.
        let headers = [
            ("x-forwarded-for", "203.0.113.9".to_string()),
            ("x-forwarded-for", format!("192.0.2.77, {address}")),
        ];
        inside.ask_with(Method::Post, "/api/v2/login", &headers, &body).status
    };
    let one: Vec<u16> = (0..6).map(|_| attempt("198.51.100.1", "x")).collect();
    assert_eq!(one, [403, 403, 403, 403, 403, 429]);
    let two: Vec<u16> = (0..5).map(|_| attempt("198.51.100.2", "x")).collect();
    assert_eq!(two, [403; 5]);
    // Ten for the account, from wherever: even the right one has to wait.
    assert_eq!(attempt("198.51.100.3", PASSWORD), 429);
}

/// A page of somebody else makes the browser send the cookie; it gets nothing done with it.
#[test]
fn other_sites_change_nothing() {
    let inside = site(|_| {});
    let mut alice = Browser::new(&inside);
    alice.log_in(PASSWORD, "");
    let (cookie, token) = (format!("session={}", alice.cookie), alice.token.clone());
    let body = json!({"name": "Forged pulse"}).to_string();
    let create = |headers: &[(&'static str, &str)]| {
        let mut all = vec![("cookie", cookie.clone())];
        all.extend(headers.iter().map(|(name, value)| (*name, (*value).to_string())));
        inside.ask_with(Method::Post, "/api/v1/pulses/create", &all, &body).status
    };
    let own = ("origin", "http://127.0.0.1:8080");
    for headers in [
        &[][..],
        &[own],
        &[("x-csrf-token", token.as_str())],
        &[own, ("x-csrf-token", "0000")],
        &[("origin", "https://evil.example"), ("x-csrf-token", &token)],
        &[("sec-fetch-site", "cross-site"), own, ("x-csrf-token", &token)],
    ] {
        assert_eq!(create(headers), 403, "{headers:?}");
    }
    assert_eq!(create(&[own, ("x-csrf-token", &token)]), 201);
    // What changes something by GET, as clients of OTX want it, never goes by cookie.
    let get = |target: &str| {
        let headers = [("cookie", cookie.clone()), ("sec-fetch-site", "same-origin".into())];
        inside.ask_with(Method::Get, target, &headers, "").status
    };
    assert_eq!(get("/api/v1/users/wiresift/unsubscribe"), 403);
    assert_eq!(get("/api/v1/pulses/my"), 200);
    // Programs that speak TAXII are no browsers.
    assert_eq!(get("/taxii2/"), 401);
    // Log-in itself is not forged either.
    let headers = [("sec-fetch-site", "cross-site".to_string())];
    let login = json!({"username": "alice", "password": PASSWORD}).to_string();
    assert_eq!(inside.ask_with(Method::Post, "/api/v2/login", &headers, &login).status, 403);
}

#[test]
fn a_new_password_ends_other_sessions() {
    let inside = site(|_| {});
    let (mut alice, mut other) = (Browser::new(&inside), Browser::new(&inside));
    alice.log_in(PASSWORD, "");
    other.log_in(PASSWORD, "");
    let before = alice.cookie.clone();
    let mut change = |old: &str, new: &str| {
        let body = json!({"password": old, "new_password": new});
        alice.ask(Method::Post, "/api/v2/password", &body)
    };
    assert_eq!(change("wrong horse battery", "tram velvet onion").0, 403);
    for bad in ["short", "Alice-alice-1999", "Passw0rd!2026"] {
        let (status, body) = change(PASSWORD, bad);
        assert_eq!((status, body["errors"]["password"].is_array()), (400, true), "{bad}: {body}");
    }
    assert_eq!(change(PASSWORD, "tram velvet onion").0, 200);
    assert_ne!(alice.cookie, before);
    assert_eq!(alice.get("/api/v2/session").0, 200);
    assert_eq!(other.get("/api/v2/session").0, 403);
    assert_eq!(other.log_in(PASSWORD, "").0, 403);
    assert_eq!(other.log_in("tram velvet onion", "").0, 200);
}

/// A role that is changed, and an account that is suspended, count with the next request.
#[test]
fn roles_and_suspensions_take_effect_at_once() {
    let inside = site(|_| {});
    let mut alice = Browser::new(&inside);
    alice.log_in(PASSWORD, "");
    assert_eq!(alice.get("/api/v2/audit").0, 403);
    let set = |role| {
        let change = move |writes: &wiresift::exchange::storage::Writes<'_>| {
            let user = writes.account("alice")?;
            writes.set_role(user, role)
        };
        inside.site.storage.write(change).unwrap();
    };
    set(Role::Moderator);
    assert_eq!(alice.get("/api/v2/audit").0, 200);
    set(Role::Member);
    assert_eq!(alice.get("/api/v2/audit").0, 403);
    let (_, judge) = inside.account("judge", Role::Moderator);
    let told = inside.ask(Method::Post, "/api/v2/users/alice/suspend", &judge, "");
    assert_eq!(told.status, 200, "{}", told.body);
    assert_eq!(alice.get("/api/v2/session").0, 403);
    let told = inside.ask(Method::Post, "/api/v2/users/alice/resume", &judge, "");
    assert_eq!(told.status, 200, "{}", told.body);
    // The session is over for good.
    assert_eq!(alice.get("/api/v2/session").0, 403);
    assert_eq!(alice.log_in(PASSWORD, "").0, 200);
}

/// The code of an app now, as the app works it out (RFC 6238) of the text that people type.
fn code(secret: &str) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String =
        secret.chars().map(|c| format!("{:05b}", alphabet.find(c).unwrap())).collect();
    let bytes: Vec<u8> = (0..bits.len() / 8)
        .map(|at| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).unwrap())
        .collect();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&bytes).unwrap();
    mac.update(&(wiresift::clock::now().0.div_euclid(30_000_000)).to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let word = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

#[test]
fn a_second_factor() {
    let inside = site(|_| {});
    let mut alice = Browser::new(&inside);
    alice.log_in(PASSWORD, "");
    let start = |alice: &mut Browser<'_>, password: &str| {
        alice.ask(Method::Post, "/api/v2/second_factor", &json!({"password": password}))
    };
    assert_eq!(start(&mut alice, "wrong horse battery").0, 403);
    let (status, body) = start(&mut alice, PASSWORD);
    assert_eq!(status, 201, "{body}");
    let secret = body["secret"].as_str().unwrap().to_string();
    // Nobody is asked for a code before one was given.
    assert_eq!(Browser::new(&inside).log_in(PASSWORD, "").0, 200);
    let confirm = "/api/v2/second_factor/confirm";
    assert_eq!(alice.ask(Method::Post, confirm, &json!({"code": "x"})).0, 400);
    let first = code(&secret);
    let (status, body) = alice.ask(Method::Post, confirm, &json!({"code": first}));
    assert_eq!(status, 200, "{body}");
    let recovery = body["recovery_codes"][0].as_str().unwrap().to_string();
    let mut other = Browser::new(&inside);
    let (status, body) = other.log_in(PASSWORD, "");
    assert_eq!((status, body["errors"]["code"].is_array()), (403, true), "{body}");
    // A wrong password is told like before: whoever guesses does not learn that there is a code.
    assert_eq!(other.log_in("wrong horse battery", "").1["errors"], Value::Null);
    assert_eq!(other.log_in(PASSWORD, &first).0, 403, "each code is good once");
    assert_eq!(other.log_in(PASSWORD, &recovery.to_lowercase()).0, 200);
    assert_eq!(Browser::new(&inside).log_in(PASSWORD, &recovery).0, 403);
    let left = other.get("/api/v2/second_factor").1;
    assert_eq!(left, json!({"is_in_use": true, "recovery_codes": 9}));
    let remove = "/api/v2/second_factor/remove";
    assert_eq!(other.ask(Method::Post, remove, &json!({"password": PASSWORD})).0, 200);
    assert_eq!(Browser::new(&inside).log_in(PASSWORD, "").0, 200);
}

fn sign_up(inside: &Inside, body: &Value) -> (u16, Value) {
    let told = inside.ask_with(Method::Post, "/api/v2/sign-up", &[], &body.to_string());
    (told.status, told.json())
}

#[test]
fn nobody_signs_up_unless_the_operator_says_so() {
    let inside = site(|_| {});
    let body = json!({"username": "bob", "password": PASSWORD});
    assert_eq!(sign_up(&inside, &body).0, 403);
    assert_eq!(inside.get("/api/v2/sign-up", "").json(), json!({"sign_up": "closed"}));
    let (_, carol) = inside.account("carol", Role::Trusted);
    assert_eq!(inside.ask(Method::Post, "/api/v2/invitations", &carol, "").status, 403);
}

#[test]
fn an_invitation_is_good_once() {
    let inside = site(|settings| settings.sign_up = SignUp::Invited);
    let (_, carol) = inside.account("carol", Role::Trusted);
    let (_, dave) = inside.account("dave", Role::Member);
    assert_eq!(inside.ask(Method::Post, "/api/v2/invitations", &dave, "").status, 403);
    let invite = || inside.ask(Method::Post, "/api/v2/invitations", &carol, "").json();
    let made = invite();
    let secret = made["invitation"].as_str().unwrap();
    let body = |name: &str, invitation: &str| json!({"username": name, "password": PASSWORD, "invitation": invitation});
    assert_eq!(sign_up(&inside, &body("bob", "")).0, 403);
    assert_eq!(sign_up(&inside, &body("bob", &"0".repeat(64))).0, 403);
    // What is refused for another reason does not use it up.
    for name in ["admin", "Wiresift", "alice", "b"] {
        assert_eq!(sign_up(&inside, &body(name, secret)).0, 400, "{name}");
    }
    assert_eq!(sign_up(&inside, &body("bob", secret)).0, 201);
    assert_eq!(sign_up(&inside, &body("eve", secret)).0, 403);
    let list = inside.get("/api/v2/invitations", &carol).json();
    assert_eq!(list["results"][0]["taken_by"], "bob");
    let login = json!({"username": "bob", "password": PASSWORD}).to_string();
    assert_eq!(inside.ask_with(Method::Post, "/api/v2/login", &[], &login).status, 200);
    // A revoked one, and one of somebody who is suspended, are good for nothing.
    let made = invite();
    let target = format!("/api/v2/invitations/{}", made["id"]);
    assert_eq!(inside.ask(Method::Delete, &target, &carol, "").status, 200);
    let secret = made["invitation"].as_str().unwrap();
    assert_eq!(sign_up(&inside, &body("eve", secret)).0, 403);
    // The link is a form that needs no scripts.
    let made = invite();
    let path = made["link"].as_str().unwrap().strip_prefix("http://127.0.0.1:8080").unwrap();
    assert_eq!(inside.get(path, "").status, 200);
    let kind = [("content-type", "application/x-www-form-urlencoded".to_string())];
    let form = "username=eve&password=correct+horse+battery&email=";
    let told = inside.ask_with(Method::Post, path, &kind, form);
    assert!(told.status == 200 && told.body.contains("<b>eve</b>"), "{}", told.body);
    assert_eq!(inside.get(path, "").status, 404);
}

#[test]
fn open_sign_up_costs_work() {
    let inside = site(|settings| {
        settings.sign_up = SignUp::Open;
        settings.puzzle_bits = 10;
    });
    let puzzle =
        || inside.get("/api/v2/sign-up", "").json()["puzzle"].as_str().unwrap().to_string();
    let solved = |puzzle: &str, name: &str| {
        let mut nonces = (0..).map(|n: u32| n.to_string());
        nonces.find(|nonce| is_solved(puzzle, name, nonce, 10)).unwrap()
    };
    let body = |name: &str, puzzle: &str, nonce: &str| json!({"username": name, "password": PASSWORD, "puzzle": puzzle, "nonce": nonce});
    let one = puzzle();
    let nonce = solved(&one, "bob");
    let (status, told) = sign_up(&inside, &body("bob", &one, ""));
    assert_eq!((status, told["errors"]["puzzle"].is_array()), (400, true), "{told}");
    assert_eq!(sign_up(&inside, &body("bob", &"00".repeat(40), &nonce)).0, 400);
    assert_eq!(sign_up(&inside, &body("bob", &one, &nonce)).0, 201);
    // The same solution makes no second account: it is bound to the name.
    assert_eq!(sign_up(&inside, &body("bob", &one, &nonce)).0, 400);
    let (mut status, mut name) = (201, 0);
    // One name in a thousand would do by accident.
    while status == 201 && name < 3 {
        name += 1;
        status = sign_up(&inside, &body(&format!("eve{name}"), &one, &nonce)).0;
    }
    assert_eq!(status, 400);
}

#[test]
fn no_cookie_crosses_a_network_without_tls() {
    let inside = site(|settings| settings.base = "http://192.0.2.1:8080".into());
    let login = json!({"username": "alice", "password": PASSWORD}).to_string();
    let told = inside.ask_with(Method::Post, "/api/v2/login", &[], &login);
    assert!(told.status == 403 && told.body.contains("without TLS"), "{}", told.body);
    let inside = site(|settings| settings.base = "https://x.example".into());
    let told = inside.ask_with(Method::Post, "/api/v2/login", &[], &login);
    let set = told.header("set-cookie").unwrap();
    assert!(set.starts_with("__Host-session=") && set.ends_with("; Secure"), "{set}");
}
