//! Responses of receivers: each record has an outcome, whatever the response.

use wiresift::engine::indicator::Timestamp;
use wiresift::sensor::deliver::{Elasticsearch, Splunk, Verdict, retry_after};

/// The first two bytes choose the status and the number of records; the rest is the response.
pub fn run(data: &[u8]) {
    let Some(([status, count], answer)) = data.split_first_chunk::<2>() else { return };
    let status = [200, 201, 400, 401, 403, 404, 413, 429, 500, 503][usize::from(*status) % 10];
    let count = usize::from(*count) % 8;
    let outcomes =
        [Elasticsearch::outcome(status, answer, count), Splunk::outcome(status, answer, count)];
    for outcome in outcomes.into_iter().flatten() {
        assert_eq!(outcome.verdicts.len(), count);
        // A record that was not delivered has a reason.
        let is_well = outcome.verdicts.iter().all(|verdict| *verdict == Verdict::Delivered);
        assert!(is_well || outcome.error.is_some());
    }
    let text = String::from_utf8_lossy(answer);
    if let Some(pause) = retry_after(&text, Timestamp::from_seconds(1_795_478_400)) {
        assert!(pause.as_secs() <= 600);
    }
}
