//! Statistics of packets, look-ups and alerts for `--stats`, as JSON and as text.
//!
//! Every drop has a reason, so that bytes read and values found can be reconciled.

use super::messages::say;
use serde_json::{Map, Value, json};
use wiresift::engine::{indicator::Kind, packet, scan};
use wiresift::sensor::run::Swaps;

/// Counts of frames, flows and drops.
pub(super) fn packets(packets: &packet::Counters) -> Value {
    let faults: Map<String, Value> =
        packets.faults().map(|(fault, count)| (fault.name().to_string(), json!(count))).collect();
    json!({
        "frames": packets.frames,
        "bytes": packets.bytes,
        "decoded": packets.packets,
        "flows": packets.flows,
        "evicted_flows": packets.evicted,
        "dropped": faults,
    })
}

/// Counts of values looked up, matched and suppressed.
pub(super) fn counters(counters: &scan::Counters) -> Map<String, Value> {
    let by_kind = |counts: &mut dyn Iterator<Item = (Kind, u64)>| {
        let map: Map<String, Value> =
            counts.map(|(kind, count)| (kind.name().to_string(), json!(count))).collect();
        Value::Object(map)
    };
    let mut suppressed = Map::new();
    let mut allowed = Map::new();
    for (reason, list, count) in counters.suppressed() {
        let sum = suppressed.get(reason.name()).and_then(Value::as_u64).unwrap_or(0) + count;
        suppressed.insert(reason.name().into(), json!(sum));
        if !list.is_empty() {
            allowed.insert(list.into(), json!(count));
        }
    }
    let mut object = Map::new();
    object.insert("seen".into(), by_kind(&mut counters.seen()));
    object.insert("matched".into(), by_kind(&mut counters.matches()));
    object.insert("suppressed".into(), Value::Object(suppressed));
    object.insert("allowed_by".into(), Value::Object(allowed));
    object
}

/// How often the database was reloaded, and how often a bad one was refused.
pub(super) fn swaps(swaps: &Swaps) -> Value {
    json!({ "swapped": swaps.taken, "kept": swaps.kept })
}

/// Prints the reloads, if there were any.
pub(super) fn say_swaps(swaps: &Swaps) {
    if *swaps != Swaps::default() {
        say(&format!("database   {:>9} reloaded, {} refused", swaps.taken, swaps.kept));
    }
}

/// Prints why packets or parts of them were not decoded.
pub(super) fn say_faults(packets: &packet::Counters) {
    for (fault, count) in packets.faults() {
        say(&format!("  dropped  {count:>9} {}", fault.name()));
    }
}

/// Prints the counts of values looked up, matched and suppressed.
pub(super) fn say_counters(counters: &scan::Counters) {
    for (kind, count) in counters.seen() {
        say(&format!("looked up  {count:>9} {kind}"));
    }
    for (kind, count) in counters.matches() {
        say(&format!("matched    {count:>9} {kind}"));
    }
    for (reason, list, count) in counters.suppressed() {
        let list = if list.is_empty() { String::new() } else { format!(" by {list}") };
        say(&format!("suppressed {count:>9} {reason}{list}"));
    }
}
