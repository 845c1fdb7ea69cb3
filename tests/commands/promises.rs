//! Promises of the commands beyond single cases: exit codes, validity, allow lists, pipes,
//! reproducible builds, completions and man pages.

use crate::harness::records::{indicators, text};
use crate::harness::{Dir, Run};
use serde_json::{Value, json};
use std::fs;
use std::io::Read;

/// Compiles `feed.jsonl` and whatever else the arguments name.
fn compile(dir: &Dir, args: &[&str]) -> Run {
    dir.command().args(["compile", "-o", "db"]).args(args).run()
}

fn scan(dir: &Dir, args: &[&str]) -> Run {
    dir.command().args(["scan", "--db", "db", "--format", "json"]).args(args).run()
}

fn stats(run: &Run) -> Value {
    let stderr = String::from_utf8_lossy(&run.stderr);
    let object = stderr.lines().find(|line| line.starts_with('{'));
    serde_json::from_str(object.unwrap_or_else(|| panic!("no stats\n{}", run.report()))).unwrap()
}

/// The feeds of a record's indicators.
fn feeds(record: &Value) -> Vec<String> {
    let sources = indicators(record).iter().filter_map(|met| met["sources"].as_array()).flatten();
    sources.map(|source| text(source, "/feed").to_string()).collect()
}

#[test]
fn exit_codes_are_those_of_grep() {
    let dir = Dir::new("exit-codes");
    dir.create("list.txt", "evil.example\n");
    dir.create("bad.log", "to evil.example\n");
    dir.create("good.log", "to good.example\n");
    dir.create("empty.log", "");
    compile(&dir, &["list.txt"]).expect(0);
    scan(&dir, &["bad.log"]).expect(0);
    scan(&dir, &["good.log"]).expect(1);
    scan(&dir, &["empty.log"]).expect(1);
    scan(&dir, &["good.log", "bad.log"]).expect(0);
    scan(&dir, &["-q", "bad.log"]).expect(0);
    scan(&dir, &["-q", "good.log"]).expect(1);
    scan(&dir, &["absent.log"]).expect(2);
    scan(&dir, &["bad.log", "absent.log"]).expect(2);
    dir.command().args(["lookup", "--db", "db", "evil.example"]).run().expect(0);
    dir.command().args(["lookup", "--db", "db", "good.example"]).run().expect(1);
    dir.command().args(["inspect", "db"]).run().expect(0);
    dir.command().args(["verify", "db"]).run().expect(0);
}

#[test]
fn what_people_try_first_is_understood_or_answered() {
    let dir = Dir::new("first-tries");
    dir.create("list.txt", "evil.example\n");
    dir.create("bad.log", "to evil.example\nto evil.example\n");
    dir.create("good.log", "to good.example\n");
    compile(&dir, &["list.txt"]).expect(0);
    // If both are given, -l wins, as in grep.
    for both in [&["-l", "-c"][..], &["-c", "-l"], &["-lc"]] {
        let run = scan(&dir, &[both, &["good.log", "bad.log"]].concat()).expect(0);
        assert_eq!(run.text(), "bad.log\n");
    }
    for (args, message) in [
        (&["-m", "0", "bad.log"][..], "nothing would be read"),
        (&["absent[1].log"], "no such file, and as a pattern it matches no file"),
        (&["absent*.log"], "write a literal `*`"),
        (&["--since", "tomorrow", "bad.log"], "today, yesterday"),
        (&["-A", "3", "bad.log"], "there are no context lines"),
        (&["-rn", "bad.log"], "folders are always searched recursively"),
        (&["-v", "bad.log"], "only matching lines are reported"),
    ] {
        scan(&dir, args).expect(2).expect_stderr(message);
    }
    // Lines without a date are from today.
    for (since, status) in
        [("today", 0), ("yesterday", 0), ("2h", 0), ("2001-01-01", 0), ("9999-01-01", 1)]
    {
        scan(&dir, &["--since", since, "bad.log"]).expect(status);
    }
    let run = scan(&dir, &["--summary", "-o", "out.json", "bad.log", "-"]).expect(0);
    assert!(run.text().contains("bad.log"), "{}", run.report());
    // A database among feeds is skipped, whatever its name.
    std::fs::create_dir(dir.path().join("feeds")).unwrap();
    for name in ["feeds/old.wsdb", "feeds/other"] {
        std::fs::copy(dir.path().join("db"), dir.path().join(name)).unwrap();
    }
    dir.create("feeds/list.txt", "evil.example\n");
    compile(&dir, &["feeds"]).expect(0).expect_stderr("skipped 2 files that are not feeds");
    compile(&dir, &["feeds/other"]).expect(2).expect_stderr("pass it as --db");
}

#[test]
fn feeds_that_cannot_be_added_name_the_argument() {
    let dir = Dir::new("feed-add-wrong");
    for (args, message) in [
        (&["--url", "ftp://a.example/"][..], "--url: expected https:// or http://"),
        (&["--url", "https://a b/"], "--url: contains spaces"),
        (
            &["--url", "https://a.example/", "--interval", "3parsecs"],
            "--interval: expected seconds",
        ),
        (
            &["--url", "https://a.example/", "--set", "max_size=lots"],
            "--set max_size: expected a number",
        ),
        (&["--url", "https://a.example/", "--set", "nonsense=1"], "--set nonsense: unknown field"),
        (
            &["--url", "https://a.example/", "--severity", "awful"],
            "--severity: unknown value “awful”",
        ),
        (&["--path", "x", "--kind", "nope"], "--kind: unknown kind"),
    ] {
        let all = [&["feed", "add", "mine"], args].concat();
        let run = dir.command().args(all).run().expect(2).expect_stderr(message);
        // The file does not exist, so the message must not name a line.
        assert!(
            !String::from_utf8_lossy(&run.stderr).contains("wiresift.toml"),
            "{}",
            run.report()
        );
    }
    assert!(!dir.path().join("wiresift.toml").exists());
    // If the file itself is wrong, that is reported.
    dir.create("wiresift.toml", "[[feed]]\nname = \"x\"\nurl = \"ftp://x/\"\n");
    let args = ["feed", "add", "mine", "--url", "https://a.example/"];
    dir.command().args(args).run().expect(2).expect_stderr("wiresift.toml:1: url: expected https:");
}

/// The same address from seven sources (case T25 of the matching specification).
#[test]
fn only_live_sources_are_reported() {
    let dir = Dir::new("t25");
    let at = "2026-11-24T12:00:00Z";
    let pulse = |id: &str, indicator: Value| {
        json!({"id": id, "name": id, "modified": "2026-11-01T00:00:00", "TLP": "green",
               "indicators": [indicator]})
        .to_string()
    };
    dir.create(
        "otx_expired.json",
        pulse(
            "5f0000000000000000000001",
            json!({"id": 1, "indicator": "203.0.113.50",
            "type": "IPv4", "expiration": "2026-11-23T12:00:00", "is_active": 1}),
        ),
    );
    dir.create(
        "otx_inactive.json",
        pulse(
            "5f0000000000000000000002",
            json!({"id": 2, "indicator": "203.0.113.50",
            "type": "IPv4", "expiration": null, "is_active": 0}),
        ),
    );
    let event = |info: &str, uuid: &str, to_ids: bool| {
        json!({"Event": {"uuid": uuid, "info": info, "date": "2026-11-01", "Attribute": [
            {"uuid": uuid, "type": "ip-dst", "category": "Network activity",
             "value": "203.0.113.50", "to_ids": to_ids}]}})
        .to_string()
    };
    let uuid = |n: u32| format!("5f0c0c0c-0000-4000-8000-{n:012}");
    dir.create("misp_info.json", event("not for detection", &uuid(1), false));
    dir.create("misp_live.json", event("live", &uuid(2), true));
    let bundle = |n: u32, members: Value| {
        let mut indicator = json!({"type": "indicator", "spec_version": "2.1",
            "id": format!("indicator--{}", uuid(n)), "created": "2026-11-01T00:00:00Z",
            "modified": "2026-11-01T00:00:00Z", "pattern_type": "stix",
            "pattern": "[ipv4-addr:value = '203.0.113.50']",
            "valid_from": "2026-11-01T00:00:00Z"});
        indicator.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        json!({"type": "bundle", "id": format!("bundle--{}", uuid(n)), "objects": [indicator]})
            .to_string()
    };
    dir.create("stix_until.json", bundle(3, json!({"valid_until": at})));
    dir.create("stix_revoked.json", bundle(4, json!({"revoked": true})));
    dir.create("ipsum.txt", "# IPsum\n203.0.113.50\t7\n");
    let inputs = [
        "otx_expired.json",
        "otx_inactive.json",
        "misp_info.json",
        "misp_live.json",
        "stix_until.json",
        "stix_revoked.json",
        "ipsum.txt",
    ];
    compile(&dir, &[&["--internal"][..], &inputs].concat()).expect(0);
    dir.create("flow.log", format!("{at} flow to 203.0.113.50\n"));
    // At the time of the line, which is the end of one of them.
    let records = scan(&dir, &["flow.log"]).expect(0).json_lines();
    assert_eq!(records.len(), 1);
    let mut live = feeds(&records[0]);
    live.sort();
    assert_eq!(live, ["ipsum", "misp_live"]);
    // A moment before, it is valid.
    let records = scan(&dir, &["flow.log", "--at", "2026-11-24T11:59:59Z"]).json_lines();
    assert_eq!(feeds(&records[0]).len(), 3);
    let message = dir.command().args(["lookup", "--db", "db", "--at", at, "203.0.113.50"]).run();
    message.expect(0).expect_stdout("ipsum").expect_stdout("misp_live");
}

/// A DNS reply (case T17 of the matching specification).
#[test]
fn answers_of_a_reply() {
    let dir = Dir::new("t17");
    dir.create("list.txt", "evil.example\n203.0.113.5\n");
    compile(&dir, &["--internal", "list.txt"]).expect(0);
    dir.create("reply.pcap", reply());
    let records = scan(&dir, &["reply.pcap"]).expect(0).json_lines();
    let mut seen: Vec<String> = records
        .iter()
        .map(|record| [text(record, "/seen/where"), text(record, "/seen/value")].join(" "))
        .collect();
    seen.sort();
    assert_eq!(seen, ["dns.answer 203.0.113.5", "dns.answer x.evil.example"]);
}

/// A capture of one frame: 192.0.2.53 resolves good.example with a CNAME and an A.
fn reply() -> Vec<u8> {
    let name = |name: &str| -> Vec<u8> {
        let mut out = Vec::new();
        for label in name.split('.') {
            out.push(label.len() as u8);
            out.extend_from_slice(label.as_bytes());
        }
        out.push(0);
        out
    };
    let mut dns = vec![0x12, 0x34, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0];
    dns.extend(name("good.example"));
    dns.extend([0, 1, 0, 1]);
    for (owner, kind, data) in
        [("good.example", 5u8, name("x.evil.example")), ("x.evil.example", 1, vec![203, 0, 113, 5])]
    {
        dns.extend(name(owner));
        dns.extend([0, kind, 0, 1, 0, 0, 0, 60, 0, data.len() as u8]);
        dns.extend(data);
    }
    let mut udp = vec![0, 53, 0xc0, 1];
    udp.extend((dns.len() as u16 + 8).to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(dns);
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
    frame.extend((udp.len() as u16 + 20).to_be_bytes());
    frame.extend([0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 53, 192, 0, 2, 10]);
    frame.extend(udp);
    let mut pcap = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65535, 1] {
        pcap.extend(word.to_le_bytes());
    }
    for word in [1_795_478_400, 0, frame.len() as u32, frame.len() as u32] {
        pcap.extend(word.to_le_bytes());
    }
    pcap.extend(frame);
    pcap
}

#[test]
fn validity_is_judged_at_the_time_of_the_line() {
    let dir = Dir::new("validity");
    let row = json!({"wiresift": 1, "kind": "domain", "value": "evil.example", "scope": "exact",
        "feed": "timed", "valid_from": "2026-11-10T00:00:00Z",
        "valid_until": "2026-11-20T00:00:00Z"});
    dir.create("feed.jsonl", format!("{row}\n"));
    compile(&dir, &["feed.jsonl"]).expect(0);
    let log = "2026-11-09T23:59:59Z evil.example\n2026-11-10T00:00:00Z evil.example\n\
        2026-11-19T23:59:59Z evil.example\n2026-11-20T00:00:00Z evil.example\n";
    dir.create("a.log", log);
    let lines = |run: &Run| -> Vec<u64> {
        run.json_lines().iter().map(|record| record["log"]["line"].as_u64().unwrap()).collect()
    };
    let run = scan(&dir, &["a.log", "--stats=json"]).expect(0);
    assert_eq!(lines(&run), [2, 3]);
    assert_eq!(stats(&run)["suppressed"]["expired"], 2);
    let run = scan(&dir, &["a.log", "--at", "2026-11-15"]).expect(0);
    assert_eq!(lines(&run), [1, 2, 3, 4]);
    scan(&dir, &["a.log", "--at", "2026-11-20T00:00:00Z"]).expect(1);
    let args = ["lookup", "--db", "db", "--at", "2026-12-01", "evil.example"];
    dir.command().args(args).run().expect(1).expect_stdout("expired");
}

#[test]
fn allow_lists_are_counted_wherever_they_are_given() {
    let dir = Dir::new("allow");
    dir.create("list.txt", "evil.example\n203.0.113.5\n198.51.100.7\n");
    dir.create("good.txt", "evil.example\n203.0.113.0/24\n");
    dir.create("a.log", "x.evil.example evil.example 203.0.113.5 198.51.100.7\n");
    compile(&dir, &["--internal", "list.txt"]).expect(0);
    let check = |run: Run| {
        let values: Vec<String> =
            run.json_lines().iter().map(|record| text(record, "/seen/value").to_string()).collect();
        assert_eq!(values, ["198.51.100.7"], "{}", run.report());
        let stats = stats(&run);
        assert_eq!(stats["suppressed"]["allowed"], 3, "{stats}");
        assert_eq!(stats["allowed_by"], json!({"good": 3}), "{stats}");
    };
    check(scan(&dir, &["--allow", "good.txt", "--stats=json", "a.log"]).expect(0));
    compile(&dir, &["--internal", "list.txt", "--allow", "good.txt"]).expect(0);
    check(scan(&dir, &["--stats=json", "a.log"]).expect(0));
    scan(&dir, &["--allow", "absent.txt", "a.log"]).expect(2).expect_stderr("absent.txt");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = Dir::new("broken-pipe");
    dir.create("list.txt", "evil.example\n");
    dir.create("a.log", "to evil.example\n".repeat(60_000));
    compile(&dir, &["list.txt"]).expect(0);
    let mut command = dir.command();
    command.args(["scan", "--db", "db", "--format", "json", "a.log"]);
    let mut child = command.start();
    let mut first = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{status:?}");
    for args in [&["--help"][..], &["completions", "bash"], &["man"]] {
        let mut child = dir.command().args(args).start();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn the_same_feeds_give_the_same_database() {
    let dir = Dir::new("reproducible");
    dir.create("a.txt", "evil.example\n203.0.113.5\n198.51.100.0/24\n");
    dir.create("b.txt", "bad.example\nevil.example\n2001:db8::1\n");
    let build = |inputs: [&str; 2], epoch: &str| {
        let mut command = dir.command();
        command.args(["compile", "-q", "--internal", "-o", "db"]).args(inputs);
        command.env("SOURCE_DATE_EPOCH", epoch).run().expect(0);
        let info = dir.command().args(["inspect", "db", "--json"]).run().expect(0).json_lines();
        let member = |name: &str| text(&info[0], name).to_string();
        (fs::read(dir.path().join("db")).unwrap(), member("/id"), member("/built"))
    };
    let (bytes, id, built) = build(["a.txt", "b.txt"], "1795478400");
    assert!(built.starts_with("2026-11-24T00:00:00"), "{built}");
    let (again, ..) = build(["a.txt", "b.txt"], "1795478400");
    assert!(bytes == again, "two builds differ");
    let (turned, turned_id, _) = build(["b.txt", "a.txt"], "1795478400");
    assert!(id == turned_id && bytes == turned, "the order of the feeds shows");
    let (_, later, _) = build(["a.txt", "b.txt"], "1795478401");
    assert_eq!(id, later, "the build id names what is in it, not when it was made");
}

#[test]
fn completions_and_man_pages() {
    let dir = Dir::new("completions");
    for (shell, word) in [
        ("bash", "_CLAP_COMPLETE_INDEX"),
        ("zsh", "#compdef wiresift"),
        ("fish", "complete --keep-order --exclusive --command wiresift"),
        ("elvish", "edit:completion:arg-completer[wiresift]"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        dir.command().args(["completions", shell]).run().expect(0).expect_stdout(word);
    }
    dir.create(
        "wiresift.toml",
        "[[feed]]\nname = \"ours\"\nkind = \"list\"\npath = \"iocs.txt\"\n",
    );
    for (words, wanted, unwanted) in [
        (&["sc"][..], "scan", "compile"),
        (&["scan", "--kind", "cert-s"], "cert-sha1", "domain"),
        (&["compile", "--as", "mi"], "misp", "otx"),
        (&["feed", "add", "urlh"], "urlhaus", "ours"),
        (&["feed", "update", ""], "ours", "urlhaus"),
        (&["tap", "-i", "l"], "lo", "any"),
    ] {
        let run = dir
            .command()
            .env("COMPLETE", "bash")
            .env("_CLAP_IFS", "\n")
            .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
            .args(["--", "wiresift"])
            .args(words)
            .run()
            .expect(0);
        let text = run.text();
        let values: Vec<&str> = text.lines().map(str::trim).collect();
        assert!(values.contains(&wanted), "{words:?}: {values:?}");
        assert!(!values.contains(&unwanted), "{words:?}: {values:?}");
    }
    dir.command().arg("man").run().expect(0).expect_stdout(".TH wiresift 1");
    fs::create_dir(dir.path().join("man")).unwrap();
    dir.command().args(["man", "man"]).run().expect(0);
    for page in ["wiresift", "wiresift-compile", "wiresift-scan", "wiresift-lookup"] {
        let page = fs::read_to_string(dir.path().join(format!("man/{page}.1"))).unwrap();
        assert!(page.contains(".SH NAME"), "{page}");
    }
    dir.command().args(["man", "absent/folder"]).run().expect(2).expect_stderr("absent/folder: ");
}
