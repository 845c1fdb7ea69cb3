//! The wire format of each receiver, against test servers that behave like real ones on bad days.

mod collectors;
mod mails;
mod server;
mod streams;

use super::*;
use crate::engine::alert::Format;
use crate::engine::indicator::Timestamp;
use crate::sensor::halt::Halt;
use crate::sensor::spool::{Batch, Limits, Record, RecordRef, Sink, Spool, Stored};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Sunday, 29 November 2026, 12:00.
const NOW: Timestamp = Timestamp(1_795_953_600_000_000);

/// A clock that only advances when it is waited for.
#[derive(Debug, Default)]
pub(super) struct StillClock(Mutex<Duration>);

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp(NOW.0 + self.uptime().as_micros() as i64)
    }

    fn uptime(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn wait(&self, time: Duration, halt: &Halt) {
        if !halt.is_set() {
            *self.0.lock().unwrap() += time;
        }
    }
}

/// The usual timeouts, and a clock that is never waited for.
fn pace() -> Pace {
    Pace::new(Arc::new(StillClock::default()), Halt::default(), Timeouts::default())
}

/// For tests that get no response.
fn hurried() -> Pace {
    let timeouts = Timeouts { request: Duration::from_millis(500), ..Timeouts::default() };
    Pace::new(Arc::new(StillClock::default()), Halt::default(), timeouts)
}

/// A record in all formats.
fn record(number: u8, text: &str) -> Record {
    let json = format!(
        "{{\"severity\":3,\"host\":\"s1\",\"seen\":{{\"kind\":\"domain\",\"value\":\"{text}\"}}}}"
    );
    let syslog = format!(
        "<161>1 2026-11-24T02:24:37Z s1 wiresift - ioc-domain [ioc@32473 id=\"{number}\"] \u{feff}{text}"
    );
    Record::new([number; 16], 3, NOW, json.as_bytes())
        .form(Format::Ecs, format!("{{\"message\":\"{text}\"}}").as_bytes())
        .form(Format::Syslog, syslog.as_bytes())
}

/// The records as read from a spool.
pub(super) fn stored(folder: &tempfile::TempDir, records: &[Record]) -> Batch {
    let sinks = [("a".to_string(), Sink::default())];
    let (spool, _) = Spool::open(folder.path(), Limits::default(), sinks).unwrap();
    for record in records {
        assert_eq!(spool.append(record, NOW, true).unwrap(), Stored::Yes);
    }
    let mut batch = Batch::default();
    spool.read(spool.cursor("a"), usize::MAX, usize::MAX, &mut batch);
    batch
}

/// Some records as read from a spool, named by letters.
fn batch(letters: &str) -> Batch {
    let folder = tempfile::tempdir().unwrap();
    let records: Vec<Record> =
        letters.bytes().map(|letter| record(letter, &char::from(letter).to_string())).collect();
    stored(&folder, &records)
}

fn deliver(to: &mut dyn Deliver, batch: &Batch) -> Outcome {
    let records: Vec<RecordRef<'_>> = batch.records().collect();
    let outcome = to.deliver(&records);
    assert_eq!(outcome.verdicts.len(), records.len());
    outcome
}

/// `d` for delivered, `a` for again, `r` for refused.
fn short(outcome: &Outcome) -> String {
    let letter = |verdict: &Verdict| match verdict {
        Verdict::Delivered => 'd',
        Verdict::Again => 'a',
        Verdict::Refused { .. } => 'r',
    };
    outcome.verdicts.iter().map(letter).collect()
}

#[track_caller]
fn class(outcome: &Outcome) -> Class {
    outcome.error.as_ref().expect("there is an error").class
}

/// A self-signed certificate for localhost, and its key; `None` where there is no openssl.
fn certificate(folder: &Path, name: &str) -> Option<(PathBuf, PathBuf)> {
    let (cert, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=wiresift test", "-addext"])
        .arg("subjectAltName=DNS:localhost,IP:127.0.0.1")
        .args(["-out".as_ref(), cert.as_os_str(), "-keyout".as_ref(), key.as_os_str()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no openssl to create a certificate");
        return None;
    }
    Some((cert, key))
}
