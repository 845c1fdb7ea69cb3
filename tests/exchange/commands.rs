//! The commands of operators.

use super::process::{Exchange, account, database, operate};
use crate::harness::Dir;
use serde_json::json;

#[test]
fn a_list_becomes_pulses_and_follows_its_file() {
    let dir = Dir::new("exchange-import");
    let server = Exchange::start(&dir, &[]);
    let alice = account(&dir, "alice", "trusted");
    let import = |text: &str| {
        dir.create("list.txt", text);
        operate(&dir, &["import", "--author", "alice", "--name", "Our list", "list.txt"])
    };
    assert_eq!(
        import("one.example\ntwo.example\n"),
        "1 pulse created, 0 pulses changed, 2 values added, 0 values removed, 0 values skipped"
    );
    assert_eq!(
        import("two.example\nthree.example\n"),
        "0 pulses created, 1 pulse changed, 1 value added, 1 value removed, 0 values skipped"
    );
    let again = import("two.example\nthree.example\n");
    assert!(again.starts_with("0 pulses created, 0 pulses changed, 0 values added"), "{again}");
    let mine = server.get("/api/v1/pulses/my", &alice).expect(200).json();
    let values: Vec<&str> = mine["results"][0]["indicators"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["indicator"].as_str().unwrap())
        .collect();
    assert_eq!(values, ["two.example", "three.example"]);
    let long: String = (0..12_000).map(|at| format!("h{at}.long.example\n")).collect();
    let done = import(&long);
    assert!(done.starts_with("4 pulses created, 1 pulse changed, 12 000 values added"), "{done}");
}

#[test]
fn a_backup_is_whole_and_can_be_restored() {
    let dir = Dir::new("exchange-backup");
    let server = Exchange::start(&dir, &[]);
    let alice = account(&dir, "alice", "trusted");
    let body = json!({"name": "Kept pulse", "public": true}).to_string();
    server.ask("POST", "/api/v1/pulses/create", &alice, &body).expect(201);
    operate(&dir, &["backup", "copy.sqlite"]);
    let mut twice = dir.command();
    twice.args(["exchange", "backup", "--data", "x", "copy.sqlite"]);
    twice.run().expect(2).expect_stderr("the file exists");
    assert!(server.stop());
    let mut over = dir.command();
    over.args(["exchange", "restore", "--data", "x", "copy.sqlite"]);
    over.run().expect(2).expect_stderr("has a storage already");
    std::fs::remove_dir_all(dir.path().join("x")).unwrap();
    operate(&dir, &["restore", "copy.sqlite"]);
    assert!(operate(&dir, &["check"]).ends_with("sound"));
    let server = Exchange::start(&dir, &[]);
    let mine = server.get("/api/v1/pulses/my", &alice).expect(200).json();
    assert_eq!(mine["results"][0]["name"], "Kept pulse");
    server.kill();
    // Damage in the middle of the file is noticed.
    let path = database(&dir);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xaa);
    std::fs::write(&path, bytes).unwrap();
    let mut check = dir.command();
    check.args(["exchange", "check", "--data", "x"]);
    let run = check.run();
    assert_ne!(run.code, crate::harness::Code::Exit(0), "{}", run.report());
}

#[test]
fn a_demonstration_has_pulses() {
    let dir = Dir::new("exchange-demo");
    let server = Exchange::start(&dir, &["--demo", "--anonymous-read"]);
    let found = server.get("/api/v1/search/pulses?q=QuillRat", "").expect(200).json();
    assert_eq!(found["results"][0]["adversary"], "Paper Heron");
    // Green is for those with an account.
    let found = server.get("/api/v1/search/pulses?q=AnchorLock", "").expect(200).json();
    assert_eq!(found["count"], 0);
}

#[test]
fn the_first_account_is_taken_once() {
    let dir = Dir::new("exchange-first");
    let server = Exchange::start(&dir, &[]);
    let link = server.lines.iter().find_map(|line| line.strip_prefix("first account, once: "));
    let path = link.unwrap().split_once("/welcome").unwrap().1;
    let path = format!("/welcome{path}");
    // A program that looks at the link does not use it up.
    server.get(&path, "").expect(200);
    let page = String::from_utf8(server.ask("POST", &path, "", "").expect(200).body).unwrap();
    let key = page.split("<pre>").nth(1).unwrap().split('<').next().unwrap();
    let me = server.get("/api/v1/user/", key).expect(200).json();
    assert_eq!(me["username"], "admin");
    server.ask("POST", &path, "", "").expect(404);
}

#[test]
fn pulses_are_exported_to_files() {
    let dir = Dir::new("exchange-export");
    let server = Exchange::start(&dir, &[]);
    let alice = account(&dir, "alice", "trusted");
    let create = |body: serde_json::Value| {
        let answer = server.ask("POST", "/api/v1/pulses/create", &alice, &body.to_string());
        answer.expect(201).json()["id"].as_str().unwrap().to_string()
    };
    let open = create(json!({"name": "For everybody", "public": true,
        "indicators": [{"indicator": "open.example", "type": "domain"},
                       {"indicator": "203.0.113.9", "type": "IPv4"}]}));
    create(json!({"name": "For me alone", "public": false,
        "indicators": [{"indicator": "mine.example", "type": "domain"}]}));
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    operate(&dir, &["export", "public.jsonl"]);
    let lines: Vec<serde_json::Value> =
        read("public.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1);
    assert_eq!((&lines[0]["id"], &lines[0]["name"]), (&json!(open), &json!("For everybody")));
    assert_eq!(lines[0]["indicators"][0]["indicator"], "open.example");
    operate(&dir, &["export", "--scope", "all", "all.jsonl"]);
    assert_eq!(read("all.jsonl").lines().count(), 2);
    // What was written can be read as a feed.
    dir.command().args(["compile", "-q", "-o", "all.wsdb", "all.jsonl"]).run().expect(0);
    dir.command().args(["lookup", "--db", "all.wsdb", "mine.example"]).run().expect(0);
    let scope = format!("pulse/{open}");
    let csv =
        operate(&dir, &["export", "--scope", &scope, "--format", "csv", "--types", "IPv4", "-"]);
    assert!(csv.contains("203.0.113.9") && !csv.contains("open.example"), "{csv}");
    operate(&dir, &["export", "--scope", "user/alice", "--format", "database", "alice.wsdb"]);
    dir.command().args(["lookup", "--db", "alice.wsdb", "mine.example"]).run().expect(0);
    operate(&dir, &["export", "--format", "misp", "feed"]);
    let manifest: serde_json::Value = serde_json::from_str(&read("feed/manifest.json")).unwrap();
    let uuid = manifest.as_object().unwrap().keys().next().unwrap().clone();
    assert!(read(&format!("feed/{uuid}.json")).contains("open.example"));
    assert_eq!(read("feed/hashes.csv").lines().count(), 2);
    let fails = |words: &[&str], why: &str| {
        let mut export = dir.command();
        export.args(["exchange", "export", "--data", "x"]).args(words);
        export.run().expect(2).expect_stderr(why);
    };
    fails(&["public.jsonl"], "the output exists");
    fails(&["--format", "pdf", "a"], "unknown format");
    fails(&["--scope", "nobody", "a"], "expected all, public");
    fails(&["--scope", "user/nobody", "a"], "there is no user nobody");
    fails(&["--format", "database", "-"], "a database needs a file");
}

/// The link of the first account sets a password, too; with it somebody logs in over HTTP.
#[test]
fn the_first_account_logs_in() {
    let dir = Dir::new("exchange-log-in");
    let server = Exchange::start(&dir, &[]);
    let says = |line: &str| server.lines.iter().any(|of| of == line);
    assert!(says("log-in: by plain cookies, good on this machine alone"), "{:?}", server.lines);
    let link = server.lines.iter().find_map(|line| line.strip_prefix("first account, once: "));
    let path = format!("/welcome{}", link.unwrap().split_once("/welcome").unwrap().1);
    let password = |text: &str| json!({"password": text}).to_string();
    server.ask("POST", &path, "", &password("administrator1")).expect(400);
    server.ask("POST", &path, "", &password("tram velvet onion")).expect(200);
    server.ask("POST", &path, "", &password("tram velvet onion")).expect(404);
    let login = |text: &str| {
        let body = json!({"username": "admin", "password": text}).to_string();
        server.ask("POST", "/api/v2/login", "", &body)
    };
    login("tram velvet").expect(403);
    let token = login("tram velvet onion").expect(200).json()["csrf_token"].clone();
    assert_eq!(token.as_str().unwrap().len(), 64);
    // An operator ends sessions, and hands out a link for another password.
    let link = operate(&dir, &["user", "reset", "admin"]);
    let path = link.split(": ").nth(1).unwrap();
    server.ask("POST", path, "", &password("another velvet onion")).expect(200);
    login("tram velvet onion").expect(403);
    login("another velvet onion").expect(200);
    let mut wrong = dir.command();
    wrong.args(["exchange", "serve", "--data", "y", "--listen", "127.0.0.1:0"]);
    wrong.args(["--sign-up", "everybody"]);
    wrong.run().expect(2).expect_stderr("expected one of closed, invited, open");
}
