//! The pages in a real browser: what axe-core finds, how wide they are, and what they load.

use super::reader::PASSWORD;
use crate::exchange::running::Running;
use crate::harness::Dir;
use crate::harness::browser::{Browser, Screen, axe};
use serde_json::json;
use wiresift::clock::Stopwatch;
use wiresift::exchange::accounts::hash_password;
use wiresift::exchange::serve;

/// The most bytes of what a first view loads.
const FIRST_VIEW: u64 = 150_000;

/// An exchange with invented pulses, and alerts of alice's sensors.
fn scene() -> (Running, String) {
    let running = Running::with(&["alice", "bob"], |settings| settings.anonymous_read = true);
    serve::fill(running.storage()).unwrap();
    let values: Vec<_> = (0..70)
        .map(|at| json!({"type": "hostname", "indicator": format!("h{at:02}.quill.evil.com"), "role": "command_and_control"}))
        .chain([
            json!({"type": "IPv4", "indicator": "192.0.2.14", "title": "Sends orders"}),
            json!({"type": "URL", "indicator": "http://invoice.evil.com/pay/2026.zip?id=1"}),
            json!({"type": "FileHash-SHA256", "indicator": "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea"}),
        ])
        .collect();
    let id = running.create(
        "bob",
        &json!({
            "name": "QuillRat returns with tax refunds", "TLP": "clear", "adversary": "Paper Heron",
            "description": "Since Monday, mails promise a **tax refund**. The archive has a script, which loads\n\n1. a loader that asks `h00.quill.evil.com`,\n2. the remote access tool *QuillRat*.\n\n> “Please open the attached form.”\n\nSee [the report](https://reports.example/heron).",
            "malware_families": ["QuillRat"], "tags": ["phishing", "rat", "tax"],
            "attack_ids": ["T1566", "T1566.001", "T1071.001"], "industries": ["Finance"],
            "targeted_countries": ["Germany"], "references": ["https://reports.example/heron"],
            "indicators": values,
        }),
    );
    let digest = hash_password(PASSWORD).unwrap();
    running
        .storage()
        .write(move |writes| {
            let alice = writes.account("alice")?;
            writes.set_password(alice, &digest)?;
            for (at, text) in ["We saw that, too, on two machines.", "Blocked. **Thank you!**"].iter().enumerate() {
                writes.comment(alice, &id, text)?;
                let body = json!({
                    "severity": 4 - at, "host": "sensor-1", "packet": {"src_ip": format!("10.0.0.{}", 5 + at)},
                    "indicators": [{"value": "h00.quill.evil.com", "sources": [{"feed": "otx", "collection": "QuillRat returns"}]}],
                });
                writes.add_alert(alice, &format!("a{at}"), &body.to_string())?;
            }
            Ok(())
        })
        .unwrap();
    let path = format!("/pulse/{id}");
    (running, path)
}

fn paths(pulse: &str) -> Vec<(&'static str, String)> {
    let below = |tab: &str| format!("{pulse}/{tab}");
    vec![
        ("home", "/".into()),
        ("browse", "/browse".into()),
        ("found", "/browse?q=quillrat&tag=phishing".into()),
        ("pulse", pulse.to_string()),
        ("comments", below("comments")),
        ("history", below("history")),
        ("related", below("related")),
        ("export", below("export")),
        ("suggest", below("suggest")),
        ("indicator", "/indicator/hostname/h00.quill.evil.com".into()),
        ("unknown", "/indicator/IPv4/203.0.113.9".into()),
        ("new", "/new".into()),
        ("missing", "/nowhere".into()),
        ("sign-in", "/sign-in".into()),
        ("sign-up", "/sign-up".into()),
        ("style", "/style".into()),
    ]
}

#[test]
fn pages_are_for_everybody_and_load_nothing_from_elsewhere() {
    let test = "pages_are_for_everybody_and_load_nothing_from_elsewhere";
    let dir = Dir::new("exchange-pages");
    let Some(axe) = axe(test) else { return };
    let Some(mut browser) = Browser::start(test, dir.path()) else { return };
    let (running, pulse) = scene();
    let wide = Screen { width: 1440, height: 900, is_dark: false };
    browser.open(&format!("{}/sign-in", running.url), wide);
    let (asked, complaints) = browser.take_traffic();
    assert!(asked.len() <= 4 && complaints.is_empty(), "{asked:?} {complaints:?}");
    sign_in(&mut browser);
    browser.wait();
    browser.take_traffic();
    let pictures = std::env::var_os("WIRESIFT_PICTURES").map(std::path::PathBuf::from);
    for (name, path) in paths(&pulse) {
        for (width, is_dark) in [(360, false), (1440, true), (1440, false), (360, true)] {
            let screen = Screen { width, height: 900, is_dark };
            browser.open(&format!("{}{path}", running.url), screen);
            let (asked, complaints) = browser.take_traffic();
            let asked: Vec<_> = asked.iter().filter(|url| !url.starts_with("data:")).collect();
            assert!(asked.len() <= 3, "{path}: {asked:?}");
            assert!(asked.iter().all(|url| url.starts_with(&running.url)), "{path}: {asked:?}");
            let complaints: Vec<_> = complaints.iter().filter(|_| name != "missing").collect();
            assert!(complaints.is_empty(), "{path}: {complaints:?}");
            let bytes = browser.evaluate(
                "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]\
                 .reduce((sum, of) => sum + of.encodedBodySize, 0)",
            );
            assert!(bytes.as_u64().unwrap() <= FIRST_VIEW, "{path}: {bytes} bytes");
            let overflow = browser.evaluate("document.documentElement.scrollWidth - innerWidth");
            assert!(overflow.as_i64().unwrap() <= 0, "{path} {screen:?}: {overflow} px too wide");
            if let Some(folder) = &pictures {
                browser.picture(&folder.join(format!("{name}-{width}-{is_dark}.png")));
            }
            let findings = browser.findings(&axe);
            assert!(findings.is_empty(), "{path} {screen:?}:\n{}", findings.join("\n"));
        }
    }
}

fn sign_in(browser: &mut Browser) {
    let fill = format!(
        "document.getElementById('username').value = 'alice'; \
         document.getElementById('password').value = '{PASSWORD}'; \
         document.querySelector('form[action=\"/sign-in\"] button').click(); null"
    );
    browser.evaluate(&fill);
    let waiting = Stopwatch::start();
    while browser.evaluate("document.querySelector('.who')?.textContent ?? ''") != "alice" {
        assert!(waiting.elapsed().as_secs() < 20, "nobody is signed in");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
