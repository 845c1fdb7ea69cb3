//! What the formats say about when an indicator was modified, read from the files in
//! `testdata/indicators`.

use super::Got;
use crate::engine::indicator::{Context, Timestamp};
use crate::intel::feed::{Collected, Options};
use std::path::Path;

fn read(name: &str) -> Got {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/indicators").join(name);
    Collected::read(&std::fs::read(path).unwrap(), &Options::of_feed("f")).unwrap()
}

/// The context of a value.
fn of<'c>(found: &'c Got, value: &str) -> &'c Context<'static> {
    let indicator = found.indicators.iter().find(|it| it.value.to_string() == value);
    &indicator.unwrap_or_else(|| panic!("no {value}")).context
}

#[test]
fn every_indicator_of_stix_has_its_own_time() {
    let found = read("stix_bundle.json");
    let bundle = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/indicators/stix_bundle.json"),
    );
    let bundle: serde_json::Value = serde_json::from_str(&bundle.unwrap()).unwrap();
    for indicator in &found.indicators {
        let id = indicator.context.id.as_deref();
        let versions = bundle["objects"].as_array().unwrap().iter();
        let versions = versions.filter(|object| object["id"].as_str() == id);
        // Of several versions of an object the newest counts.
        let newest = versions.filter_map(|it| it["modified"].as_str().and_then(Timestamp::parse));
        let want = newest.max();
        assert!(want.is_some() && indicator.context.modified == want, "{id:?} {want:?}");
    }
    assert!(!found.indicators.is_empty());
}

#[test]
fn an_attribute_of_misp_has_its_own_time_or_that_of_its_event() {
    let found = read("misp_event.json");
    let saved = Some(Timestamp::from_seconds(1_795_435_200));
    assert_eq!(of(&found, "203.0.113.66").modified, saved);
    let event = r#"{"Event":{"info":"x","date":"2026-11-20","timestamp":"1795435200","Attribute":[
        {"type":"domain","value":"a.example","to_ids":true,"timestamp":"1795435300"},
        {"type":"domain","value":"b.example","to_ids":true,"timestamp":"0"},
        {"type":"domain","value":"c.example","to_ids":true}]}}"#;
    let found = Collected::read(event.as_bytes(), &Options::of_feed("f")).unwrap();
    let later = Some(Timestamp::from_seconds(1_795_435_300));
    let times = ["a.example", "b.example", "c.example"].map(|name| of(&found, name).modified);
    assert_eq!(times, [later, saved, saved]);
}

#[test]
fn indicators_of_otx_have_the_time_of_their_pulse() {
    let found = read("otx_pulses.json");
    let context = of(&found, "203.0.113.99");
    assert_eq!(context.modified, Timestamp::parse("2026-11-24T00:00:00Z"));
    assert_eq!(context.first_seen, Timestamp::parse("2026-11-20T00:00:00Z"));
}
