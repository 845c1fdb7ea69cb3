//! What was acknowledged survives `kill -9`.

use super::process::{Exchange, account, operate, try_ask};
use crate::harness::Dir;
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How often the server is killed. `WIRESIFT_KILLS` sets another number.
fn kills() -> u64 {
    std::env::var("WIRESIFT_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

#[test]
fn nothing_acknowledged_is_lost() {
    let dir = Dir::new("exchange-durable");
    let server = Exchange::start(&dir, &[]);
    let alice = account(&dir, "alice", "trusted");
    server.kill();
    let acknowledged: Mutex<Vec<String>> = Mutex::default();
    let removed: Mutex<Vec<String>> = Mutex::default();
    for round in 0..kills() {
        let server = Exchange::start(&dir, &[]);
        let ends = AtomicBool::new(false);
        thread::scope(|scope| {
            for writer in 0..4 {
                let (address, alice, ends) = (&server.address, &alice, &ends);
                let (acknowledged, removed) = (&acknowledged, &removed);
                scope.spawn(move || {
                    let mut count = 0;
                    while !ends.load(Ordering::Relaxed) {
                        count += 1;
                        let id = write(address, alice, &format!("{round}-{writer}-{count}"));
                        let Some(id) = id else { continue };
                        let target = format!("/api/v1/pulses/{id}/delete");
                        if count % 3 == 0 {
                            // Unacknowledged, it may be there or not.
                            if try_ask(address, ("GET", &target), alice, "")
                                .is_ok_and(|answer| answer.status == 200)
                            {
                                removed.lock().unwrap().push(id);
                            }
                        } else {
                            acknowledged.lock().unwrap().push(id);
                        }
                    }
                });
            }
            // Under load, and not at the same moment in each round.
            let count = || acknowledged.lock().unwrap().len() + removed.lock().unwrap().len();
            let before = count();
            for _ in 0..1000 {
                if count() >= before + 12 {
                    break;
                }
                thread::sleep(Duration::from_millis(10));
            }
            thread::sleep(Duration::from_millis(round * 37 % 200));
            let id = rustix::process::Pid::from_raw(server.id() as i32).unwrap();
            rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
            ends.store(true, Ordering::Relaxed);
        });
        server.kill();
        assert!(operate(&dir, &["check"]).ends_with("sound"));
    }
    let server = Exchange::start(&dir, &[]);
    let (kept, gone) = (acknowledged.into_inner().unwrap(), removed.into_inner().unwrap());
    assert!(kept.len() > 20 && !gone.is_empty(), "{} kept, {} gone", kept.len(), gone.len());
    for id in &kept {
        let pulse = server.get(&format!("/api/v1/pulses/{id}"), &alice).expect(200).json();
        assert_eq!(pulse["indicators"].as_array().unwrap().len(), 20, "{id}");
    }
    for id in &gone {
        server.get(&format!("/api/v1/pulses/{id}"), &alice).expect(404);
    }
    assert_rising(&server, &alice);
}

/// Creates a pulse. `None` if nobody says that it was stored.
fn write(address: &str, key: &str, name: &str) -> Option<String> {
    let indicators: Vec<Value> = (0..20)
        .map(|at| json!({"indicator": format!("h{at}.p{name}.example"), "type": "hostname"}))
        .collect();
    let body = json!({"name": format!("Pulse {name}"), "indicators": indicators}).to_string();
    let answer = try_ask(address, ("POST", "/api/v1/pulses/create"), key, &body).ok()?;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    Some(answer.json()["id"].as_str()?.to_string())
}

/// Every pulse has its own time of change, over all restarts.
fn assert_rising(server: &Exchange, key: &str) {
    let mut target = "/api/v1/pulses/my?limit=50".to_string();
    let mut times: Vec<String> = Vec::new();
    loop {
        let page = server.get(&target, key).expect(200).json();
        for pulse in page["results"].as_array().unwrap() {
            times.push(pulse["modified"].as_str().unwrap().to_string());
        }
        let Some(next) = page["next"].as_str() else { break };
        target = next.split_once(&server.address).unwrap().1.to_string();
    }
    assert!(times.windows(2).all(|pair| pair[0] > pair[1]), "{times:?}");
}
