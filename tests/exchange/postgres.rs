//! The exchange on PostgreSQL: all of its other tests, and what only several processes can show.

use super::process::{Exchange, try_ask};
use crate::harness::postgres::{CLUSTER, Cluster};
use crate::harness::{Dir, missing};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What tests nothing of the storage, needs heavier programs, or looks into the file of SQLite.
const OTHERS: &[&str] = &[
    "exchange::postgres",
    "exchange::migrations",
    "exchange::sdk",
    "exchange::commands::a_backup_is_whole_and_can_be_restored",
];

/// How long the processes are written to. `WIRESIFT_SECONDS` sets another number.
fn seconds() -> u64 {
    std::env::var("WIRESIFT_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(8)
}

/// A cluster for a test, if PostgreSQL is there.
pub fn cluster(test: &str) -> Option<Cluster> {
    let cluster = Cluster::start();
    if cluster.is_none() {
        missing(test, "no PostgreSQL 15 or later: `make test-peers` installs it");
    }
    cluster
}

#[test]
fn the_other_tests_pass_on_postgres_too() {
    let Some(cluster) = cluster("tests of the exchange on PostgreSQL") else { return };
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("exchange::").env(CLUSTER, cluster.path()).env_remove("RUST_TEST_THREADS");
    for name in OTHERS {
        command.args(["--skip", name]);
    }
    let run = command.output().unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{text}\n{}", String::from_utf8_lossy(&run.stderr));
    let passed = text.split("test result: ok. ").nth(1).and_then(|rest| rest.split(' ').next());
    let passed: usize = passed.unwrap().parse().unwrap();
    assert!(passed >= 25, "{text}");
    // They have used the cluster.
    let count = "SELECT COUNT(*) FROM pg_database WHERE datname LIKE 't%' AND NOT datistemplate";
    assert!(cluster.query("postgres", count).parse::<usize>().unwrap() >= 10);
}

#[test]
fn commands_say_what_is_different() {
    let Some(cluster) = cluster("commands with PostgreSQL") else { return };
    let url = cluster.create("commands");
    let dir = Dir::new("exchange-postgres");
    let run = |words: &[&str], url: &str| {
        let mut command = dir.command();
        command.args(["exchange", words[0], "--data", "x", "--database", url]).args(&words[1..]);
        command.run()
    };
    run(&["user", "add", "alice"], &url).expect(0);
    let sound = run(&["check"], &url).expect(0).text();
    assert!(sound.trim().ends_with("commands: sound"), "{sound}");
    run(&["backup", "copy"], &url).expect(2).expect_stderr("pg_dump");
    run(&["restore", "copy"], &url).expect(2).expect_stderr("pg_restore");
    let gone = url.replace("/commands?", "/nowhere?");
    run(&["user", "list"], &gone).expect(2).expect_stderr("\"nowhere\" does not exist");
    run(&["user", "list"], "mysql://x/y").expect(2).expect_stderr("expected one like postgres://");
    assert!(!dir.path().join("x/exchange.sqlite").exists());
}

/// What several writers have been told.
#[derive(Default)]
struct Told {
    created: Mutex<Vec<String>>,
    changed: Mutex<Vec<(String, String)>>,
}

/// Two processes on one database: whoever polls either of them with the last time that it has
/// seen gets everything, also while one of them is killed and comes back.
#[test]
#[expect(clippy::disallowed_methods, reason = "bounds a loop")]
fn two_processes_lose_nothing() {
    let Some(cluster) = cluster("two processes on PostgreSQL") else { return };
    let url = cluster.create("two");
    let dir = Dir::new("exchange-two");
    let flags = ["--database", &url];
    let first = Exchange::start(&dir, &flags);
    let key = {
        let mut add = dir.command();
        add.args(["exchange", "user", "--data", "x", "--database", &url, "add", "alice"]);
        add.args(["--role", "trusted"]).run().expect(0);
        let mut add = dir.command();
        add.args(["exchange", "key", "--data", "x", "--database", &url, "add", "alice"]);
        add.run().expect(0).text().trim().to_string()
    };
    let stays = Exchange::start(&dir, &flags);
    let address = Mutex::new(first.address.clone());
    let (told, ends) = (Told::default(), AtomicBool::new(false));
    let seen: Vec<HashSet<(String, String)>> = thread::scope(|scope| {
        let (told, ends, key, address, stays) = (&told, &ends, &key, &address, &stays);
        let of = move |is_first: bool| match is_first {
            true => address.lock().unwrap().clone(),
            false => stays.address.clone(),
        };
        for writer in 0..4 {
            scope.spawn(move || {
                let mut count = 0;
                while !ends.load(Ordering::Relaxed) {
                    count += 1;
                    write(&of(writer % 2 == 0), key, &format!("{writer}-{count}"), told);
                }
            });
        }
        let pollers: Vec<_> = [true, false]
            .map(|is_first| scope.spawn(move || poll(&|| of(is_first), key, ends)))
            .into();
        let from = Instant::now();
        let (mut process, limit) = (first, Duration::from_secs(seconds()));
        // A machine that does much else takes longer to write enough.
        let has_enough =
            || told.created.lock().unwrap().len() > 20 && told.changed.lock().unwrap().len() > 5;
        while from.elapsed() < limit || !has_enough() && from.elapsed() < limit * 20 {
            thread::sleep(limit / 5);
            process.kill();
            process = Exchange::start(&dir, &flags);
            *address.lock().unwrap() = process.address.clone();
        }
        ends.store(true, Ordering::Relaxed);
        pollers.into_iter().map(|poller| poller.join().unwrap()).collect()
    });
    let (created, changed) =
        (told.created.into_inner().unwrap(), told.changed.into_inner().unwrap());
    assert!(created.len() > 20 && changed.len() > 5, "{} {}", created.len(), changed.len());
    let mut stamps = HashSet::new();
    for seen in &seen {
        let ids: HashSet<&str> = seen.iter().map(|(id, _)| id.as_str()).collect();
        for id in &created {
            assert!(ids.contains(id.as_str()), "{id} was acknowledged and never polled");
        }
        for (id, modified) in &changed {
            // A later change may have come before the poll.
            let newest = seen.iter().filter(|(of, _)| of == id).map(|(_, at)| at).max().unwrap();
            assert!(newest >= modified, "{id} of {modified}: {newest}");
        }
    }
    for (_, modified) in &changed {
        assert!(stamps.insert(modified), "two changes of {modified}");
    }
    let mut check = dir.command();
    check.args(["exchange", "check", "--data", "x", "--database", &url]);
    check.run().expect(0);
}

/// Creates a pulse, and changes it once. What is not acknowledged may be there or not.
fn write(address: &str, key: &str, name: &str, told: &Told) {
    let indicators: Vec<Value> = (0..5)
        .map(|at| json!({"indicator": format!("h{at}.p{name}.example"), "type": "hostname"}))
        .collect();
    let body = json!({"name": format!("Pulse {name}"), "indicators": indicators}).to_string();
    let Ok(answer) = try_ask(address, ("POST", "/api/v1/pulses/create"), key, &body) else {
        // It is being killed.
        thread::sleep(Duration::from_millis(20));
        return;
    };
    if answer.status != 201 {
        return;
    }
    let id = answer.json()["id"].as_str().unwrap().to_string();
    told.created.lock().unwrap().push(id.clone());
    let body = json!({"description": name}).to_string();
    let target = format!("/api/v1/pulses/{id}");
    if let Ok(answer) = try_ask(address, ("PATCH", &target), key, &body)
        && answer.status == 200
    {
        let modified = answer.json()["modified"].as_str().unwrap().to_string();
        told.changed.lock().unwrap().push((id, modified));
    }
}

/// Asks for what is newer than the newest that was seen, until the writers have ended and there is
/// nothing more. Returns what was seen, and when it had changed.
fn poll(address: &dyn Fn() -> String, key: &str, ends: &AtomicBool) -> HashSet<(String, String)> {
    let (mut seen, mut since) = (HashSet::new(), String::new());
    loop {
        // All writers have their answers when this is set and a poll begins a while later.
        let is_last = ends.load(Ordering::Relaxed);
        if is_last {
            thread::sleep(Duration::from_secs(2));
        }
        let before = seen.len();
        // The newest come first; so the time of the first page is the next one to ask from.
        let (mut page, mut newest) = (1, since.clone());
        loop {
            let target =
                format!("/api/v1/pulses/subscribed?limit=50&modified_since={since}&page={page}");
            let Ok(answer) = try_ask(&address(), ("GET", &target), key, "") else {
                // Killed between two pages: from the beginning.
                (page, newest) = (1, since.clone());
                thread::sleep(Duration::from_millis(20));
                continue;
            };
            let answer = answer.expect(200).json();
            for pulse in answer["results"].as_array().unwrap() {
                let modified = pulse["modified"].as_str().unwrap().to_string();
                newest = newest.max(modified.clone());
                seen.insert((pulse["id"].as_str().unwrap().to_string(), modified));
            }
            if answer["next"].is_null() {
                break;
            }
            page += 1;
        }
        since = newest;
        if is_last && seen.len() == before {
            return seen;
        }
    }
}
