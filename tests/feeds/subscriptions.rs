//! Subscriptions end to end: the command line, the store on disk, servers on loopback that behave
//! well and badly, and kills at any moment.

use crate::feeds::exchanges::double::{Double, pulse};
use crate::harness::server::{Part, Reply, Server};
use crate::harness::{Dir, Run};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use wiresift::Database;
use wiresift::engine::indicator::Timestamp;

/// A configuration with these feeds, each the text of a `[[feed]]`.
fn configure(dir: &Dir, feeds: &[String]) {
    let text: String = feeds.iter().map(|feed| format!("[[feed]]\n{feed}\n")).collect();
    dir.create("wiresift.toml", text);
}

fn update(dir: &Dir, more: &[&str]) -> Run {
    dir.command().args(["feed", "update", "--compile"]).args(more).run()
}

/// The entry of a feed in `feed list`.
fn listed(dir: &Dir, name: &str) -> Value {
    let lines = dir.command().args(["feed", "list", "--json"]).run().json_lines();
    lines.into_iter().find(|line| line["feed"] == name).unwrap()
}

/// Which of some values the database contains.
#[track_caller]
fn hits(dir: &Dir, values: &[&str]) -> Vec<bool> {
    let run = dir.command().args(["lookup", "--db", "wiresift.wsdb", "--json"]).args(values).run();
    let lines = run.json_lines();
    assert_eq!(lines.len(), values.len(), "{}", run.report());
    lines.iter().map(|line| line["matches"].as_array().is_some_and(|m| !m.is_empty())).collect()
}

/// A server whose one document can be changed.
fn list(first: Reply) -> (Server, Arc<Mutex<Reply>>) {
    let reply = Arc::new(Mutex::new(first));
    let own = Arc::clone(&reply);
    (Server::start(move |_| own.lock().unwrap().clone()), reply)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

#[test]
fn a_list_is_fetched_once_for_each_change() {
    let dir = Dir::new("feed-etag");
    let text = Arc::new(Mutex::new("evil.example\nbad.example\n".to_string()));
    let own = Arc::clone(&text);
    let server = Server::start(move |asked| {
        let text = own.lock().unwrap();
        let etag = format!("\"{}\"", text.len());
        match asked.header("if-none-match") {
            Some(known) if known == etag => Reply::status(304),
            _ => Reply::new(200, &[("ETag", &etag)], text.as_bytes()),
        }
    });
    configure(&dir, &[format!("name = \"net\"\nurl = \"{}\"\nconfidence = 70", server.url("/l"))]);
    update(&dir, &[]).expect(0).expect_stderr("net: 2 indicators (+2 -0)");
    assert_eq!(hits(&dir, &["evil.example", "bad.example", "good.example"]), [true, true, false]);
    let before = fs::metadata(dir.path().join("wiresift.wsdb")).unwrap();

    update(&dir, &[]).expect(0).expect_stderr("1 feed unchanged").expect_stderr("is up to date");
    let after = fs::metadata(dir.path().join("wiresift.wsdb")).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());

    *text.lock().unwrap() = "evil.example\nworse.example\nworst.example\n".into();
    let run = dir.command().args(["feed", "update", "--dry-run"]).run().expect(0);
    run.expect_stderr("net: would be 3 indicators (+2 -1)");
    assert_eq!(listed(&dir, "net")["indicators"], 2);
    update(&dir, &[]).expect(0).expect_stderr("net: 3 indicators (+2 -1)");
    // What was removed from the list is gone.
    assert_eq!(hits(&dir, &["evil.example", "bad.example", "worst.example"]), [true, false, true]);
    let asked: Vec<_> =
        server.asked().iter().map(|a| a.header("if-none-match").is_some()).collect();
    assert_eq!(asked, [false, true, true, true]);
}

#[test]
fn documents_may_be_packed() {
    let dir = Dir::new("feed-packed");
    let server = Server::start(|asked| match asked.path() {
        "/coding" => Reply::new(200, &[("Content-Encoding", "gzip")], gzip(b"one.example\n")),
        "/file.gz" => Reply::new(200, &[], gzip(b"two.example\n")),
        "/chunked" => Reply::parts(
            200,
            &[("Transfer-Encoding", "chunked")],
            vec![Part::Bytes(b"6\r\nthree.\r\n8\r\nexample\n\r\n0\r\n\r\n".to_vec())],
        ),
        "/moved" => Reply::redirect(302, "/file.gz"),
        _ => Reply::status(404),
    });
    let feed =
        |name: &str, path: &str| format!("name = \"{name}\"\nurl = \"{}\"", server.url(path));
    configure(
        &dir,
        &[feed("a", "/coding"), feed("b", "/file.gz"), feed("c", "/chunked"), feed("d", "/moved")],
    );
    update(&dir, &[]).expect(0);
    assert_eq!(hits(&dir, &["one.example", "two.example", "three.example"]), [true; 3]);
}

#[test]
fn what_goes_wrong_leaves_the_last_good_copy() {
    let dir = Dir::new("feed-wrong");
    let good = Reply::new(200, &[], "evil.example\nbad.example\n");
    let (server, reply) = list(good.clone());
    dir.create("other.txt", "other.example\n");
    let shared = format!(
        "name = \"net\"\nurl = \"{}\"\nmax_size = \"64K\"\ntimeout = \"0.7s\"",
        server.url("/list")
    );
    configure(&dir, &[shared, "name = \"disk\"\npath = \"other.txt\"".into()]);
    update(&dir, &[]).expect(0);
    let many = "x.example\n".repeat(10_000);
    let slow = vec![
        Part::Bytes(b"evil.example\n".to_vec()),
        Part::Wait(Duration::from_secs(20)),
        Part::Bytes(b"bad.example\n".to_vec()),
    ];
    let cases: Vec<(&str, Reply, &str)> = vec![
        ("an error", Reply::status(500), "answered 500"),
        ("nothing there", Reply::status(404), "answered 404"),
        ("a page", Reply::new(200, &[], "<!DOCTYPE html><html><body>no</body></html>"), "HTML"),
        ("nothing", Reply::new(200, &[], ""), "empty"),
        ("cut off", good.clone().cut(5), "cut off"),
        (
            "shorter than declared",
            Reply::parts(
                200,
                &[("Content-Length", "1000")],
                vec![Part::Bytes(b"a.example\n".into())],
            ),
            "cut off",
        ),
        ("longer than allowed", Reply::new(200, &[], &many), "65536"),
        ("packed, and longer", Reply::new(200, &[], gzip(many.as_bytes())), "65536"),
        ("without an end", Reply::parts(200, &[], vec![Part::Endless]), "65536"),
        ("too slow", Reply::parts(200, &[], slow), "wiresift: net: "),
        ("never", good.clone().late(Duration::from_secs(20)), "wiresift: net: "),
        (
            "elsewhere",
            Reply::redirect(302, "ftp://example.net/list"),
            "other than an http or https URL",
        ),
        ("in a circle", Reply::redirect(302, "/list"), "redirects"),
        ("no HTTP", Reply::raw("evil.example\n"), "wiresift: net: "),
        ("damaged", Reply::new(200, &[], &gzip(b"evil.example\n")[..20]), "wiresift: net: "),
        ("binary", Reply::new(200, &[], [0u8, 159, 146, 150].repeat(50)), "binary"),
    ];
    for (at, (what, bad, want)) in cases.into_iter().enumerate() {
        *reply.lock().unwrap() = bad;
        dir.create("other.txt", format!("other.example\nother{at}.example\n"));
        let run = update(&dir, &[]).expect(2).expect_stderr(want);
        let run = run.expect_stderr("keeping the 2 previous indicators");
        // The others continue.
        run.expect_stderr("disk: 2 indicators (+1");
        assert_eq!(
            hits(&dir, &["evil.example", "bad.example", "other.example"]),
            [true; 3],
            "{what}"
        );
        let state = listed(&dir, "net");
        assert_eq!(state["failures"], at as u64 + 1, "{what}");
        assert_eq!(state["indicators"], 2, "{what}");
        assert!(state["status"].as_str().unwrap().starts_with("failed"), "{what}: {state}");
    }
    dir.command().args(["feed", "list"]).run().expect(1).expect_stdout("failed 16 times");
    *reply.lock().unwrap() = good;
    update(&dir, &[]).expect(0);
    dir.command().args(["feed", "list"]).run().expect(0);
    let folder = dir.path().join("wiresift-state/feeds/net/documents");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
}

#[test]
fn a_server_that_asks_for_patience_or_refuses_is_left_alone() {
    let dir = Dir::new("feed-patience");
    let (server, reply) = list(Reply::new(429, &[("Retry-After", "3600")], ""));
    configure(&dir, &[format!("name = \"net\"\nurl = \"{}\"", server.url("/"))]);
    update(&dir, &[]).expect(2).expect_stderr("429");
    dir.command().args(["feed", "update"]).run().expect(0).expect_stderr("asked for no requests");
    assert_eq!(server.take_targets().len(), 1);
    // It is fetched again if it is named.
    *reply.lock().unwrap() = Reply::status(403);
    dir.command().args(["feed", "update", "net"]).run().expect(2).expect_stderr("403");
    dir.command().args(["feed", "update"]).run().expect(0).expect_stderr("stopped");
    *reply.lock().unwrap() = Reply::new(200, &[], "evil.example\n");
    dir.command().args(["feed", "enable", "net"]).run().expect(0);
    dir.command().args(["feed", "update", "net"]).run().expect(0).expect_stderr("net: 1 indicator");
    assert_eq!(server.take_targets().len(), 2);
}

#[test]
fn what_changes_too_much_waits() {
    let dir = Dir::new("feed-held");
    let write = |from: usize, to: usize| {
        let text: String = (from..to).map(|n| format!("n{n}.example\n")).collect();
        dir.create("list.txt", text);
    };
    configure(&dir, &["name = \"disk\"\npath = \"list.txt\"\ntags = [\"mine\"]".into()]);
    write(0, 100);
    update(&dir, &[]).expect(0);
    // Up to half of it may be removed.
    write(0, 50);
    update(&dir, &[]).expect(0).expect_stderr("+0 -50");
    write(0, 24);
    let run = update(&dir, &[]).expect(2);
    run.expect_stderr("held back: it shrank from 50 to 24 indicators; keeping the 50 previous");
    assert_eq!(hits(&dir, &["n10.example", "n40.example"]), [true, true]);
    let run = dir.command().args(["feed", "list"]).run().expect(1);
    run.expect_stdout("held back: it shrank from 50 to 24");
    // The update is held as long as the feed stays the same, and no longer if the feed is
    // restored.
    update(&dir, &[]).expect(2).expect_stderr("held back");
    let since = listed(&dir, "disk")["held"]["since"].clone();
    assert!(Timestamp::parse(since.as_str().unwrap()).is_some());
    write(0, 50);
    update(&dir, &[]).expect(0);
    assert_eq!(listed(&dir, "disk")["held"], Value::Null);
    write(0, 24);
    update(&dir, &["--accept"]).expect(0).expect_stderr("disk: 24 indicators (+0 -26)");
    assert_eq!(hits(&dir, &["n10.example", "n40.example"]), [true, false]);
    write(0, 240);
    update(&dir, &[]).expect(2).expect_stderr("it grew from 24 to 240 indicators");
    assert_eq!(hits(&dir, &["n100.example"]), [false]);
    update(&dir, &["--accept"]).expect(0).expect_stderr("disk: 240 indicators (+216 -0)");
    assert_eq!(hits(&dir, &["n100.example"]), [true]);
    // After a change of the feed's settings a smaller number is expected.
    configure(&dir, &["name = \"disk\"\npath = \"list.txt\"\nallow = [\"n7.example\"]".into()]);
    dir.command().args(["compile", "--config"]).run().expect(0).expect_stderr("239 filtered");
    assert_eq!(hits(&dir, &["n7.example", "n100.example"]), [true, false]);
}

#[test]
fn what_the_owner_says_stands_in_the_alert() {
    let dir = Dir::new("feed-options");
    dir.create("list.txt", "evil.example\nbad.example\n198.51.100.7\n");
    let run = |words: &[&str]| dir.command().arg("feed").args(words).run();
    let add = [
        "add",
        "ours",
        "--path",
        "list.txt",
        "--confidence",
        "85",
        "--severity",
        "critical",
        "--tlp",
        "red",
        "--tag",
        "mine",
        "--deny",
        "bad.example",
        "--lifetime",
        "30d",
        "--scope",
        "exact",
    ];
    let dry = [&add[..], &["--dry-run"]].concat();
    run(&dry).expect(0).expect_stdout("deny = [\"bad.example\"]");
    assert!(!dir.path().join("wiresift.toml").exists());
    run(&add).expect(0);
    run(&add).expect(2).expect_stderr(
        "already subscribed to “ours” (wiresift.toml:4); to add it again under another name: --name \
         NAME",
    );
    update(&dir, &[]).expect(0).expect_stderr("1 filtered");
    let found =
        dir.command().args(["lookup", "--db", "wiresift.wsdb", "--json", "evil.example"]).run();
    let text = found.expect(0).text();
    for part in ["\"ours\"", "85", "red", "mine", "valid_until"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(hits(&dir, &["x.evil.example", "bad.example"]), [false, false]);
    run(&["show", "ours"]).expect(0).expect_stdout("1 filtered").expect_stdout("last success");
    run(&["disable", "ours"]).expect(0);
    dir.command().args(["compile", "--config"]).run().expect(0);
    assert_eq!(hits(&dir, &["evil.example"]), [false]);
    run(&["enable", "ours"]).expect(0);
    dir.command().args(["compile", "--config"]).run().expect(0);
    assert_eq!(hits(&dir, &["evil.example"]), [true]);
    run(&["remove", "ours", "--dry-run"]).expect(0).expect_stderr("would remove ours");
    run(&["remove", "ours"]).expect(0);
    assert!(!dir.path().join("wiresift-state/feeds/ours").exists());
    run(&["show", "ours"]).expect(2).expect_stderr("unknown feed “ours”");
    run(&["show", "urlhauss"]).expect(2).expect_stderr("did you mean “urlhaus”");
    run(&["add", "urlhauss"]).expect(2).expect_stderr("did you mean “urlhaus”");
    run(&["add", "spamhaus"]).expect(2).expect_stderr("“spamhaus-drop”");
    run(&["add", "nonsense"]).expect(2).expect_stderr("no public feed is named “nonsense”");
    run(&["add", "urlhaus", "--name", "uhaus"]).expect(0).expect_stderr("licence: CC0");
    for command in ["remove", "enable", "disable", "show"] {
        run(&[command, "uhauss"])
            .expect(2)
            .expect_stderr("unknown feed “uhauss”; did you mean “uhaus”");
    }
    run(&["list", "--catalogue"]).expect(0).expect_stdout("spamhaus-drop");
}

#[test]
fn commands_are_feeds() {
    let dir = Dir::new("feed-command");
    let feed = |name: &str, script: &str, more: &str| {
        format!("name = \"{name}\"\ncommand = [\"sh\", \"-c\", '''{script}''']\n{more}")
    };
    configure(
        &dir,
        &[
            feed("good", "echo evil.example; echo words >&2", ""),
            feed("fails", "echo bad.example; echo why it fails >&2; exit 3", ""),
            feed("hangs", "echo bad.example; sleep 60", "timeout = \"0.3s\""),
            feed("floods", "yes bad.example", "max_size = \"1M\""),
            feed("leaves", "echo left.example; sleep 60 &", "timeout = \"20s\""),
            "name = \"missing\"\ncommand = [\"wiresift-is-not-there\"]".into(),
        ],
    );
    let run = update(&dir, &[]).expect(2);
    let run = run.expect_stderr("good: 1 indicator").expect_stderr("leaves: 1 indicator");
    let run = run.expect_stderr("why it fails").expect_stderr("takes longer than 0.3 s");
    run.expect_stderr("prints more than 1048576 bytes").expect_stderr("wiresift-is-not-there");
    assert_eq!(hits(&dir, &["evil.example", "left.example", "bad.example"]), [true, true, false]);
}

#[test]
fn bundles_and_folders() {
    let dir = Dir::new("feed-folder");
    let bundle = |name: &str| {
        format!(
            r#"{{"type":"bundle","id":"bundle--1","objects":[{{"type":"indicator","spec_version":"2.1",
            "id":"indicator--a932fcc6-e032-476c-826f-cb970a5a1ade","created":"2024-01-01T00:00:00Z",
            "modified":"2024-01-01T00:00:00Z","valid_from":"2024-01-01T00:00:00Z",
            "pattern_type":"stix","pattern":"[domain-name:value = '{name}']"}}]}}"#
        )
    };
    dir.create("bundles/a.json", bundle("one.example"));
    dir.create("bundles/b.json", bundle("two.example"));
    configure(&dir, &["name = \"stix\"\nkind = \"stix\"\npath = \"bundles\"".into()]);
    update(&dir, &[]).expect(0).expect_stderr("stix: 2 indicators");
    // An unreadable document keeps its previous version.
    dir.create("bundles/a.json", "{");
    dir.create("bundles/b.json", bundle("three.example"));
    update(&dir, &[]).expect(2).expect_stderr("a.json");
    dir.command().args(["feed", "list"]).run().expect(1);
    fs::remove_file(dir.path().join("bundles/a.json")).unwrap();
    update(&dir, &[]).expect(0);
    let values = ["one.example", "two.example", "three.example"];
    assert_eq!(hits(&dir, &values), [false, false, true]);
}

#[test]
fn misp_events_come_and_go() {
    let dir = Dir::new("feed-misp");
    let event = |id: &str, stamp: u32, name: &str| {
        dir.create(
            &format!("misp/{id}.json"),
            format!(
                r#"{{"Event":{{"uuid":"{id}","info":"x","timestamp":"{stamp}","Attribute":[
                {{"type":"domain","value":"{name}","to_ids":true,"timestamp":"{stamp}"}}]}}}}"#
            ),
        );
    };
    let manifest = |events: &[(&str, u32)]| {
        let rows: Vec<String> = events
            .iter()
            .map(|(id, stamp)| format!(r#""{id}":{{"info":"x","timestamp":{stamp}}}"#))
            .collect();
        dir.create("misp/manifest.json", format!("{{{}}}", rows.join(",")));
    };
    let (one, two) =
        ("5b23c8f2-0000-4000-8000-000000000001", "5b23c8f2-0000-4000-8000-000000000002");
    event(one, 1_700_000_000, "one.example");
    event(two, 1_700_000_000, "two.example");
    manifest(&[(one, 1_700_000_000), (two, 1_700_000_000)]);
    configure(&dir, &["name = \"misp\"\nkind = \"misp\"\npath = \"misp\"".into()]);
    update(&dir, &[]).expect(0).expect_stderr("misp: 2 indicators");
    event(one, 1_700_000_100, "new.example");
    manifest(&[(one, 1_700_000_100)]);
    update(&dir, &[]).expect(0).expect_stderr("misp: 1 indicator (+1 -2)");
    let values = ["one.example", "two.example", "new.example"];
    assert_eq!(hits(&dir, &values), [false, false, true]);
}

#[test]
fn pulses_come_and_go_and_the_key_is_never_shown() {
    let dir = Dir::new("feed-otx");
    let now = wiresift::clock::now().to_string();
    let modified = "2024-03-01T10:00:00.000000";
    let pulses = (0..6).map(|number| pulse(number, modified, 5)).collect();
    let double = Double::start(&now, pulses);
    let key = crate::feeds::exchanges::double::KEY;
    configure(
        &dir,
        &[format!(
            "name = \"otx\"\nkind = \"otx\"\nurl = \"{}\"\nkey_env = \"OTX_KEY\"\n\n[[feed]]\nname = \
         \"refused\"\nkind = \"otx\"\nurl = \"{}\"\nkey_file = \"key\"",
            double.server.url(""),
            double.server.url("")
        )],
    );
    dir.create("key", "another-secret-of-ours\n");
    let run = |words: &[&str]| {
        let mut command = dir.command();
        command.args(["feed", "update", "--compile"]).args(words).env("OTX_KEY", key).run()
    };
    let first = run(&[]).expect(2).expect_stderr("otx: 30 indicators").expect_stderr("refused: ");
    assert_eq!(listed(&dir, "otx")["documents"], 6);
    let gone = {
        let mut account = double.account();
        let gone = crate::feeds::exchanges::double::id(&account.pulses[0]);
        account.pass(Duration::from_secs(1800));
        account.delete(&gone);
        gone
    };
    let second = run(&["otx"]).expect(0).expect_stderr("otx: 25 indicators (+0 -5)");
    assert_eq!(listed(&dir, "otx")["documents"], 5, "{gone}");
    let unset = dir.command().args(["feed", "update", "otx"]).run().expect(2);
    let unset = unset.expect_stderr("environment variable OTX_KEY is not set");
    fs::remove_file(dir.path().join("key")).unwrap();
    for run in [first, second, unset] {
        for stream in [&run.stdout, &run.stderr] {
            assert_no_secret("a stream", stream, &[key, "another-secret-of-ours"]);
        }
    }
    assert_no_secret_below(dir.path(), &[key, "another-secret-of-ours"]);
    assert_no_secret_below(dir.cache(), &[key, "another-secret-of-ours"]);
}

#[track_caller]
fn assert_no_secret(what: &str, bytes: &[u8], secrets: &[&str]) {
    for secret in secrets {
        let at = memchr::memmem::find(bytes, secret.as_bytes());
        assert!(at.is_none(), "{what} has {secret} in it");
    }
}

/// Searches every file.
#[track_caller]
fn assert_no_secret_below(folder: &Path, secrets: &[&str]) {
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        assert_no_secret("a name", entry.path().as_os_str().as_encoded_bytes(), secrets);
        if entry.file_type().is_file() {
            let bytes = fs::read(entry.path()).unwrap();
            assert_no_secret(&entry.path().display().to_string(), &bytes, secrets);
        }
    }
}

/// Servers that repeat in every possible place what was sent to them.
#[test]
fn secrets_are_in_no_file_and_no_message() {
    const KEY: &str = "s3cr3t+key/of=ours";
    let dir = Dir::new("feed-secrets");
    let server = Server::start(|asked| {
        let sent =
            asked.headers.iter().find(|(name, _)| name == "auth-key" || name == "authorization");
        let sent = sent.map_or("", |(_, value)| &**value);
        match asked.path() {
            "/header" => Reply::new(500, &[], format!("your key {sent} is bad")),
            "/basic" => Reply::new(400, &[], format!("{{\"title\":\"{sent} and {KEY}\"}}")),
            "/bearer" => Reply::redirect(302, &format!("ftp://example.net/{sent}")),
            "/good" if sent.contains(KEY) => Reply::new(200, &[], "evil.example\n"),
            path => Reply::new(404, &[], format!("there is no {path}")),
        }
    });
    let feed = |name: &str, path: &str, more: &str| {
        format!("name = \"{name}\"\nurl = \"{}\"\nkey_env = \"KEY\"\n{more}", server.url(path))
    };
    configure(
        &dir,
        &[
            feed("header", "/header", "key_header = \"Auth-Key\""),
            feed("basic", "/basic", "user = \"me\""),
            feed("bearer", "/bearer", ""),
            feed("url", "/{key}/list?key={key}", ""),
            feed("good", "/good", ""),
        ],
    );
    let encoded = "s3cr3t%2Bkey%2Fof%3Dours";
    let basic = "bWU6czNjcjN0K2tleS9vZj1vdXJz";
    let secrets = [KEY, encoded, basic, "s3cr3t"];
    let run = dir.command().args(["feed", "update", "--compile"]).env("KEY", KEY).run().expect(2);
    let run = run.expect_stderr("good: 1 indicator");
    assert!(server.take_targets().iter().any(|target| target.contains(encoded)));
    let list = dir.command().args(["feed", "list"]).run();
    let show = dir.command().args(["feed", "show", "url"]).run();
    let debug = dir.command().args(["feed", "list", "--json"]).env("KEY", KEY).run();
    for run in [&run, &list, &show, &debug] {
        assert_no_secret("stdout", &run.stdout, &secrets);
        assert_no_secret("stderr", &run.stderr, &secrets);
    }
    assert_no_secret_below(dir.path(), &secrets);
    assert_no_secret_below(dir.cache(), &secrets);
}

#[test]
fn a_second_writer_waits() {
    let dir = Dir::new("feed-lock");
    dir.create("list.txt", "evil.example\n");
    configure(&dir, &["name = \"disk\"\npath = \"list.txt\"".into()]);
    update(&dir, &[]).expect(0);
    let store = wiresift::intel::store::Store::at(&dir.path().join("wiresift-state"));
    let lock = store.try_lock().unwrap().unwrap();
    let waiting = dir.command().args(["feed", "update"]).start();
    thread::sleep(Duration::from_millis(400));
    drop(lock);
    assert!(waiting.wait_with_output().unwrap().status.success());
}

/// The service notices changes of the configuration, and ends on a signal.
#[test]
fn the_service_goes_on() {
    let dir = Dir::new("feed-service");
    dir.create("list.txt", "evil.example\n");
    configure(&dir, &["name = \"disk\"\npath = \"list.txt\"\ninterval = \"0.1s\"".into()]);
    let mut service = dir.command();
    let mut service = service.args(["feed", "update", "--compile", "--every", "0.1s"]).start();
    let has = |name: &str| {
        let path = dir.path().join("wiresift.wsdb");
        path.exists() && hits(&dir, &[name])[0]
    };
    let came = |name: &str| {
        (0..200).any(|_| {
            thread::sleep(Duration::from_millis(50));
            has(name)
        })
    };
    assert!(came("evil.example"));
    dir.create("list.txt", "evil.example\nnew.example\n");
    assert!(came("new.example"));
    // A configuration that is temporarily broken changes nothing.
    let text = fs::read_to_string(dir.path().join("wiresift.toml")).unwrap();
    dir.create("wiresift.toml", "[[feed]");
    thread::sleep(Duration::from_millis(300));
    dir.create("more.txt", "more.example\n");
    dir.create("wiresift.toml", format!("{text}[[feed]]\nname = \"more\"\npath = \"more.txt\"\n"));
    assert!(came("more.example"));
    let pid = rustix::process::Pid::from_child(&service);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(service.wait().unwrap().success());
}

/// Killed at any moment, 200 times: the store opens, the published database is complete, and the
/// next update completes with the contents of the feeds.
#[test]
fn killed_at_any_moment() {
    const ROUNDS: u64 = 200;
    let dir = Dir::new("feed-kill");
    let feeds = ["a", "b", "c", "d"];
    let config = feeds.map(|name| format!("name = \"{name}\"\npath = \"{name}.txt\""));
    configure(&dir, &config);
    let write = |round: u64| {
        for (at, feed) in feeds.iter().enumerate() {
            let mut text = String::new();
            for line in 0..400 {
                writeln!(text, "{feed}{line}-{}.example", (round + line + at as u64) % 7).unwrap();
            }
            // Sources are replaced atomically.
            let part = dir.create("part", text);
            fs::hard_link(&part, dir.path().join("new")).unwrap();
            fs::remove_file(&part).unwrap();
            let _ = fs::remove_file(dir.path().join(format!("{feed}.txt")));
            fs::hard_link(dir.path().join("new"), dir.path().join(format!("{feed}.txt"))).unwrap();
            fs::remove_file(dir.path().join("new")).unwrap();
        }
    };
    write(0);
    update(&dir, &[]).expect(0);
    let path = dir.path().join("wiresift.wsdb");
    // The moments are spread over the duration of a complete run, which the runs themselves
    // determine.
    let mut span = 60_000;
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut ended = 0;
    for round in 1..=ROUNDS {
        write(round);
        let mut child = dir.command().args(["feed", "update", "--compile", "-q"]).start();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        thread::sleep(Duration::from_micros(random % span));
        let is_over = child.try_wait().unwrap().is_some();
        ended += u64::from(is_over);
        span = if is_over { (span * 9 / 10).max(1000) } else { span * 11 / 10 };
        child.kill().unwrap();
        child.wait().unwrap();
        Database::open(&path).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let store = wiresift::intel::store::Store::at(&dir.path().join("wiresift-state"));
        for feed in feeds {
            store.feed_dir(feed).index().unwrap_or_else(|error| panic!("round {round}: {error}"));
            assert!(store.feed_dir(feed).accepted().is_some(), "round {round}: {feed}");
        }
        if round % 20 == 0 {
            update(&dir, &[]).expect(0);
            let name = |feed: &str, line: u64, at: u64| {
                format!("{feed}{line}-{}.example", (round + line + at) % 7)
            };
            let values = [name("a", 0, 0), name("d", 399, 3), name("a", 0, 1)];
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            assert_eq!(hits(&dir, &values), [true, true, false], "round {round}");
            let summary = Database::open(&path).unwrap().summary().clone();
            assert_eq!(summary.indicators, 1600, "round {round}");
        }
    }
    // Some must have been killed before their end.
    assert!(ended < ROUNDS * 9 / 10, "{ended} of {ROUNDS} were over before they were killed");
    let left = walkdir::WalkDir::new(dir.path().join("wiresift-state")).into_iter();
    let parts = left.flatten().filter(|e| e.file_name().to_string_lossy().starts_with(".part-"));
    assert_eq!(parts.count(), 0);
}

/// Warning lists and allow lists of the configuration, for all feeds and for one.
#[test]
fn lists_of_the_configuration() {
    let dir = Dir::new("feed-lists");
    dir.create("a.txt", "evil.example\ngood.example\nfine.example\n");
    dir.create("b.txt", "bad.example\nfine.example\n");
    dir.create(
        "fine.json",
        r#"{"name":"fine","description":"x","version":1,"type":"string",
        "list":["fine.example"],"matching_attributes":[]}"#,
    );
    dir.create("allow.txt", "good.example\n");
    let feeds = "[[feed]]\nname = \"a\"\npath = \"a.txt\"\nsuppress = [\"fine.json\"]\n\
                 [[feed]]\nname = \"b\"\npath = \"b.txt\"\n";
    dir.create("wiresift.toml", format!("allow = [\"allow.txt\"]\n{feeds}"));
    update(&dir, &[]).expect(0);
    let sources = |value: &str| {
        let run = dir.command().args(["lookup", "--db", "wiresift.wsdb", "--json", value]).run();
        let line = run.json_lines().remove(0);
        let sources = line["matches"].as_array().unwrap().iter().flat_map(|found| {
            found["sources"].as_array().unwrap().iter().map(|source| source["feed"].clone())
        });
        sources.map(|feed| feed.as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(sources("evil.example"), ["a"]);
    assert_eq!(sources("fine.example"), ["b"]);
    assert!(sources("good.example").is_empty());
    update(&dir, &[]).expect(0).expect_stderr("is up to date");
    // A changed list gives another database.
    dir.create("allow.txt", "bad.example\n");
    update(&dir, &[]).expect(0).expect_no_stderr("is up to date");
    assert_eq!(sources("good.example"), ["a"]);
    assert!(sources("bad.example").is_empty());
    // If a list is missing, suppressed indicators must not alert.
    fs::remove_file(dir.path().join("allow.txt")).unwrap();
    update(&dir, &[]).expect(2).expect_stderr("allow.txt");
    assert!(sources("bad.example").is_empty());
}

#[test]
fn a_service_knows_when_the_next_feed_is_due() {
    let dir = Dir::new("feed_next_due");
    dir.create("list.txt", "evil.example\n");
    let config = |rest: &str| {
        let text = format!("[[feed]]\nname = \"own\"\npath = \"list.txt\"\n{rest}\n");
        let path = dir.create("wiresift.toml", text);
        wiresift::intel::config::Config::open(&path).unwrap()
    };
    let next_due = wiresift::intel::subscribe::next_due;
    let now = wiresift::clock::now();
    assert_eq!(next_due(&config("interval = \"10h\""), now), Some(now));
    dir.command().args(["feed", "update"]).run().expect(0);
    let after = wiresift::clock::now();
    // A tenth less than the interval.
    let due = next_due(&config("interval = \"10h\""), after).unwrap();
    let hours = 3_600_000_000;
    assert!((now.0 + 9 * hours..=after.0 + 9 * hours).contains(&due.0), "{now} {due} {after}");
    let late = wiresift::engine::indicator::Timestamp(now.0 + 20 * hours);
    assert_eq!(next_due(&config("interval = \"10h\""), late), Some(late));
    // The clock was set back: the attempt seems to be in the future.
    let early = wiresift::engine::indicator::Timestamp(now.0 - hours);
    assert_eq!(next_due(&config("interval = \"10h\""), early), Some(early));
    assert_eq!(next_due(&config("enabled = false"), now), None);
}
