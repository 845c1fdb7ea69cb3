//! The walk over an OTX account, against the double.

use super::double::{Account, Double, KEY, id, indicator, pulse};
use super::{assert_no_secret, client, url, values, walk_with_crashes};
use crate::harness::document_store::{Memory, StillClock};
use crate::harness::server::Reply;
use serde_json::{Value, json};
use std::time::Duration;
use wiresift::intel::feed::client::{DocumentStore, Exchange, WalkSummary, otx};
use wiresift::intel::feed::fetch::Client;
use wiresift::{ErrorKind, Result};

const NOW: &str = "2026-03-01T12:00:00Z";
const HALF_AN_HOUR: Duration = Duration::from_secs(1800);

/// An account with a store and a clock.
struct Rig {
    double: Double,
    exchange: Exchange,
    client: Client,
    memory: Memory,
    clock: StillClock,
}

impl Rig {
    fn new(pulses: Vec<Value>) -> Rig {
        let double = Double::start(NOW, pulses);
        let server = url(&double.server.url(""));
        let client = client(&server, otx::access(KEY));
        let exchange = Exchange::Otx(otx::Otx { server, lookback: None });
        Rig { double, exchange, client, memory: Memory::default(), clock: StillClock::at(NOW) }
    }

    fn walk(&mut self) -> Result<WalkSummary> {
        self.exchange.walk(&self.client, &mut self.memory, &self.clock)
    }

    fn later(&self, time: Duration) {
        self.clock.pass(time);
        self.double.account().pass(time);
    }

    /// What is stored is what the account contains.
    #[track_caller]
    fn assert_same(&self) {
        assert_same(&self.memory, &self.double.account());
    }
}

#[track_caller]
fn assert_same(memory: &Memory, account: &Account) {
    let mut want: Vec<String> = account.subscribed.iter().cloned().collect();
    let authors = account
        .pulses
        .iter()
        .filter(|pulse| account.authors.contains(pulse["author_name"].as_str().unwrap()));
    want.extend(authors.map(id));
    want.sort();
    want.dedup();
    let have = memory.names().unwrap();
    let missing: Vec<_> = want.iter().filter(|id| !have.contains(id)).collect();
    let left: Vec<_> = have.iter().filter(|id| !want.contains(id)).collect();
    assert!(missing.is_empty() && left.is_empty(), "missing {missing:?}, left {left:?}");
    for name in have {
        let kept: Value = serde_json::from_slice(&memory.documents[&name]).unwrap();
        let pulse = account.pulses.iter().find(|pulse| id(pulse) == name).unwrap();
        assert_eq!(kept["indicators"], pulse["indicators"], "{name}");
        assert_eq!(kept["revision"], pulse["revision"], "{name}");
    }
}

/// Pulses of successive minutes, the first the oldest.
fn pulses(count: usize) -> Vec<Value> {
    let modified = |number| {
        format!("2026-02-{:02}T{:02}:{:02}:00", 1 + number / 1440, number / 60 % 24, number % 60)
    };
    (0..count).map(|number| pulse(number, &modified(number), 1 + number % 4)).collect()
}

fn name(number: usize) -> String {
    format!("{number:024x}")
}

#[test]
fn a_first_walk_takes_everything_and_the_next_what_changed() {
    let mut rig = Rig::new(pulses(120));
    rig.double.account().inline = 2;
    let walked = rig.walk().unwrap();
    rig.assert_same();
    assert_eq!((walked.put, walked.removed, walked.retries), (120, 0, 0));
    let targets = rig.double.server.take_targets();
    let pages = targets.iter().filter(|t| t.contains("/pulses/subscribed?limit=50&page=")).count();
    assert_eq!(pages, 3, "{targets:#?}");
    assert!(!targets.iter().any(|target| target.contains("modified_since")));

    // Nothing new: only the newest pulses are requested, and returned again.
    rig.later(HALF_AN_HOUR);
    let walked = rig.walk().unwrap();
    rig.assert_same();
    assert_eq!(walked.put, 11);
    let targets = rig.double.server.take_targets();
    let since = "modified_since=2026-02-01T01%3A49%3A00.000000";
    assert!(targets.iter().any(|target| target.contains(since)), "{targets:#?}");

    // A pulse with fewer indicators replaces the old one.
    rig.later(HALF_AN_HOUR);
    rig.double.account().modify(&name(7), |pulse| pulse["indicators"] = json!([indicator(7, 9)]));
    rig.double.account().pulses.push(pulse(500, "2026-03-01T12:59:00", 1300));
    rig.double.account().subscribed.insert(name(500));
    let before = values(&rig.exchange, &rig.memory);
    assert!(before.contains(&"h0.p7.example".to_string()));
    rig.walk().unwrap();
    rig.assert_same();
    let after = values(&rig.exchange, &rig.memory);
    assert!(
        after.contains(&"h9.p7.example".to_string())
            && after.contains(&"h1299.p500.example".to_string())
    );
    assert!(!after.contains(&"h0.p7.example".to_string()));
}

#[test]
fn events_bring_and_take() {
    let mut rig = Rig::new(pulses(60));
    rig.walk().unwrap();
    {
        let mut account = rig.double.account();
        account.pulses.extend((100..104).map(|n| pulse(n, "2020-01-01T00:00:00", 2)));
        account.pulses.push(pulse(105, "2020-01-01T00:00:00", 2));
    }
    rig.later(HALF_AN_HOUR);
    {
        let mut account = rig.double.account();
        account.delete(&name(3));
        // Unsubscribed, and subscribed again: the last counts.
        account.happens("unsubscribe", "pulse", &name(4));
        account.happens("subscribe", "pulse", &name(4));
        account.subscribed.remove(&name(5));
        account.happens("unsubscribe", "pulse", &name(5));
        // An old pulse, which `modified_since` does not return.
        account.subscribed.insert(name(100));
        account.happens("subscribe", "pulse", &name(100));
        // An author, with old pulses.
        let author = format!("author{}", 105 % 7);
        account.happens("subscribe", "user", &author);
        account.authors.insert(author);
        account.happens("subscribe", "group", "12");
        account.happens("subscribe", "pulse", "../../etc/passwd");
        // One that was subscribed to but no longer exists.
        account.happens("subscribe", "pulse", &name(999));
    }
    let walked = rig.walk().unwrap();
    rig.assert_same();
    assert_eq!(walked.removed, 2);

    rig.later(HALF_AN_HOUR);
    let author = format!("author{}", 105 % 7);
    {
        let mut account = rig.double.account();
        account.authors.clear();
        account.happens("unsubscribe", "user", &author);
    }
    rig.walk().unwrap();
    rig.assert_same();
    // Other pulses of the author have their own subscriptions.
    assert!(!rig.memory.documents.contains_key(&name(105)));
    assert!(rig.memory.documents.contains_key(&name(7)));
}

#[test]
fn pages_shrink_when_the_server_takes_too_long() {
    let mut rig = Rig::new(pulses(180));
    let mut pages = 0;
    rig.double.hook(move |_, asked| {
        pages += usize::from(asked.path().ends_with("/subscribed"));
        let limit = asked.query("limit");
        let slow = asked.path().ends_with("/subscribed")
            && (pages > 2 && limit.as_deref() == Some("50")
                || pages > 5 && limit.as_deref() == Some("20"));
        slow.then(|| Reply::status(504))
    });
    let walked = rig.walk().unwrap();
    rig.assert_same();
    assert_eq!((walked.put, walked.retries), (180, 2));
    let asked = rig.double.server.asked();
    let limits: Vec<String> = asked
        .iter()
        .filter(|asked| asked.path().ends_with("/subscribed"))
        .map(|asked| format!("{}/{}", asked.query("limit").unwrap(), asked.query("page").unwrap()))
        .collect();
    let twenties = ["50/1", "50/2", "50/3", "20/6", "20/7", "20/8"];
    assert_eq!(limits, [&twenties[..], &["10/15", "10/16", "10/17", "10/18"]].concat());
    assert_eq!(rig.clock.slept(), [Duration::from_secs(1); 2]);
}

#[test]
fn failures_pass_and_waits_are_kept() {
    let mut rig = Rig::new(pulses(60));
    let mut asks = 0;
    rig.double.hook(move |_, _| {
        asks += 1;
        Some(match asks {
            2 => Reply::new(429, &[("Retry-After", "77")], "{}"),
            3 => Reply::raw(""),
            4 => Reply::json("{\"count\":60,").cut(0),
            6 => Reply::json("x".repeat(1000)).cut(100),
            8 => Reply::status(502),
            9 => Reply::new(503, &[("Retry-After", "Sun, 01 Mar 2026 13:00:00 GMT")], ""),
            _ => return None,
        })
    });
    // A page that is complete HTTP but not JSON ends the walk; the next one continues.
    let error = rig.walk().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Format);
    assert_eq!(rig.clock.slept(), [77, 2].map(Duration::from_secs));
    let error = rig.walk().unwrap_err();
    assert!(error.to_string().contains("asks to wait 35"), "{error}");
    assert_eq!(rig.clock.slept()[0], Duration::from_secs(1));
    let walked = rig.walk().unwrap();
    rig.assert_same();
    assert_eq!(walked.retries, 0);
}

#[test]
fn a_refused_key_ends_it_at_once() {
    let mut rig = Rig::new(pulses(5));
    let wrong = "f00d-wrong-key-f00d";
    rig.client = client(&url(&rig.double.server.url("")), otx::access(wrong));
    rig.double.hook(move |_, asked| {
        // The key must not be stored, even if the server repeats it.
        let key = asked.header("x-otx-api-key").unwrap();
        Some(Reply::new(403, &[], format!(r#"{{"detail":"no such key: {key}"}}"#)))
    });
    let error = rig.walk().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("no such key: ***"), "{error}");
    assert!(error.to_string().contains("check the key or password"), "{error}");
    assert_no_secret(&error, &[wrong]);
    assert!(!format!("{:?}", rig.client).contains(wrong));
    assert_eq!((rig.double.server.asked().len(), rig.clock.slept().len()), (1, 0));
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let mut rig = Rig::new(pulses(5));
    rig.double.hook(|_, asked| asked.path().ends_with("/subscribed").then(|| Reply::status(504)));
    let error = rig.walk().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let waits = [1, 2, 4, 8, 16].map(Duration::from_secs);
    assert_eq!(rig.clock.slept(), waits);
    // Pages that always announce another one.
    rig.double.hook(|_, asked| {
        let page =
            json!({"count": 5, "next": "/x", "results": [pulse(1, "2026-01-01T00:00:00", 1)]});
        asked.path().ends_with("/subscribed").then(|| Reply::json(page.to_string()))
    });
    assert!(rig.walk().unwrap_err().to_string().contains("the server keeps returning pages"));
}

#[test]
fn a_walk_goes_on_after_a_crash_wherever_it_was() {
    for step in [1, 2, 3, 7, 19, 50, 53] {
        let mut rig = Rig::new(pulses(160));
        rig.double.account().inline = 3;
        let more = |tries: usize| 60 + step * (1 + tries % 3);
        let memory = std::mem::take(&mut rig.memory);
        let (crashes, memory) =
            walk_with_crashes(&rig.exchange, &rig.client, memory, &rig.clock, more);
        rig.memory = memory;
        rig.assert_same();
        let pages = rig.double.server.take_targets();
        let first =
            pages.iter().filter(|t| t.contains("limit=50&page=1") && t.contains("subscribed"));
        assert!(crashes > 0 && first.count() == 1, "{step}: {crashes} {pages:#?}");

        // And a later one, with news.
        rig.later(HALF_AN_HOUR);
        {
            let mut account = rig.double.account();
            account.delete(&name(100));
            for number in 0..80 {
                account.modify(&name(number), |pulse| {
                    pulse["indicators"] = json!([indicator(number, 5)])
                });
            }
        }
        let memory = std::mem::take(&mut rig.memory);
        let (_, memory) = walk_with_crashes(&rig.exchange, &rig.client, memory, &rig.clock, more);
        rig.memory = memory;
        rig.assert_same();
    }
}

/// From time to time the account changes, between any two responses.
#[test]
fn pages_that_change_while_they_are_walked_lose_nothing() {
    for seed in 1..=30_u64 {
        let mut rig = Rig::new(pulses(170));
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut next = move |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % below as u64) as usize
        };
        let mut changes = 0;
        rig.double.hook(move |account, _| {
            account.pass(Duration::from_secs(1));
            if changes >= 12 || next(2) == 0 {
                return None;
            }
            changes += 1;
            let alive: Vec<String> = account.subscribed.iter().cloned().collect();
            let one = alive[next(alive.len())].clone();
            match next(5) {
                0 => account.delete(&one),
                1 => {
                    account.subscribed.remove(&one);
                    account.happens("unsubscribe", "pulse", &one);
                }
                2 => account.modify(&one, |pulse| pulse["indicators"] = json!([indicator(1, 77)])),
                3 => {
                    let now = account.now.to_string();
                    let new = pulse(1000 + changes, now.trim_end_matches('Z'), 2);
                    account.subscribed.insert(id(&new));
                    account.pulses.push(new);
                }
                _ => {
                    let old = pulse(2000 + changes, "2026-02-01T01:00:30", 2);
                    let old_id = id(&old);
                    account.subscribed.insert(old_id.clone());
                    account.pulses.push(old);
                    account.happens("subscribe", "pulse", &old_id);
                }
            }
            None
        });
        rig.walk().unwrap();
        rig.double.account().hook = None;
        // Changes during the first walk are seen by the second one at the latest.
        rig.later(HALF_AN_HOUR);
        rig.walk().unwrap();
        rig.assert_same();
    }
}

#[test]
fn a_pulse_from_the_future_hides_nothing() {
    let mut rig = Rig::new(vec![pulse(1, "2099-01-01T00:00:00", 1)]);
    rig.walk().unwrap();
    rig.later(HALF_AN_HOUR);
    rig.double.account().pulses.push(pulse(2, "2026-03-01T12:20:00", 1));
    rig.double.account().subscribed.insert(name(2));
    rig.walk().unwrap();
    rig.assert_same();
}

#[test]
fn inactive_expired_and_redacted_indicators_do_not_match() {
    let mut p = pulse(1, "2026-03-01T00:00:00", 5);
    p["indicators"][1]["is_active"] = json!(0);
    p["indicators"][2]["is_active"] = json!(false);
    p["indicators"][3]["access_type"] = json!("redacted");
    p["indicators"][4]["expiration"] = json!("2026-02-01T00:00:00");
    let mut rig = Rig::new(vec![p]);
    rig.walk().unwrap();
    assert_eq!(values(&rig.exchange, &rig.memory), ["h0.p1.example", "h4.p1.example"]);
    let mut found = wiresift::intel::feed::Collected::default();
    let options = wiresift::intel::feed::Options::of_feed("otx");
    let summary = rig.exchange.read(&rig.memory, &options, &mut found).unwrap();
    assert_eq!(summary.rejects[&wiresift::engine::indicator::Reason::Redacted], 1);
    let until = found.indicators.last().unwrap().context.valid_until;
    assert_eq!(until, wiresift::engine::indicator::Timestamp::parse("2026-02-01T00:00:00Z"));
}
