//! Alerts in every format, compared with independent implementations of the contract.

mod golden;
mod hits;
mod oracle;
mod properties;
mod repeats;
mod schema;

use super::{Alert, Encoder, Format};
use crate::engine::indicator::Timestamp;
use crate::engine::scan::Hit;

/// When the inputs of the tests were read: 2026-11-24T02:30:00Z.
const READ_AT: Timestamp = Timestamp::from_seconds(1_795_487_400);

/// The output of `format` for `hit`, without header and footer.
fn encoded(hit: &Hit<'_>, origin: &super::Provenance, format: Format) -> String {
    let mut out = Vec::new();
    Encoder::new(format).encode(&Alert::new(hit, origin, READ_AT), &mut out);
    String::from_utf8(out).expect("every format is UTF-8")
}
