//! Any bytes as what people hand to `bench`: popular names, verdicts, a former report, a threshold.

use wiresift::engine::indicator::domain;
use wiresift::sensor::bench::{Judged, Popular, Threshold, json, read_report};

/// What is read is in normal form, and sorted; a report that was written can be read.
pub fn run(bytes: &[u8]) {
    if let Ok(popular) = Popular::parse(bytes) {
        let names: Vec<_> = popular.names().collect();
        assert!(!names.is_empty() && names.is_sorted());
        for (_, name) in names {
            assert_eq!(domain::normalise(name).as_deref(), Ok(name));
        }
    }
    if let Ok(judged) = Judged::parse(bytes) {
        assert!(judged.values().count() > 0);
        assert!(judged.values().all(|(value, said)| judged.of(value) == Some(said)));
    }
    if let Ok(report) = read_report(bytes) {
        let written = json(&report).unwrap();
        let again = read_report(written.as_bytes()).unwrap();
        assert_eq!(again.groups.len(), report.groups.len());
        for text in ["events_lost>0", "group:a.live<-50%", "flagged_new>0"] {
            let _ = Threshold::parse(text).unwrap().check(Some(&report), &again);
        }
    }
    let _ = Threshold::parse(&String::from_utf8_lossy(bytes));
}
