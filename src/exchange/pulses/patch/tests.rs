//! Bodies of creations and changes.

use super::*;
use crate::exchange::pulses::{Draft, Type};
use serde_json::json;

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

#[test]
fn a_creation_as_the_sdk_sends_it() {
    let body = json!({
        "name": "Test Pulse", "description": "", "public": false, "TLP": "red", "tags": ["a", "a", "b"],
        "references": [], "group_ids": null, "adversary": null, "malware_families": ["X"],
        "indicators": [
            {"indicator": "8.8.8.8", "type": "IPv4", "status": "success", "validation": []},
            {"indicator": "EVIL.example", "type": "Domain"},
            {"indicator": "evil.example", "type": "domain"},
        ],
    });
    let draft = Draft::from_json(&body, NOW).unwrap();
    assert_eq!((draft.tlp, draft.is_public), (Tlp::Red, false));
    assert_eq!(draft.lists.tags, ["a", "b"]);
    let got: Vec<_> = draft.indicators.iter().map(|it| (it.kind, it.norm.as_str())).collect();
    assert_eq!(got, [(Type::IPv4, "8.8.8.8"), (Type::Domain, "evil.example")]);
    let expiry = draft.indicators[0].expiry.at(Type::IPv4, NOW).unwrap();
    assert_eq!(expiry.0 - NOW.0, 30 * 86_400_000_000);
}

#[test]
fn what_is_refused_names_its_field() {
    let with = |change: fn(&mut Value)| {
        let mut body = json!({"name": "Test Pulse", "public": true});
        change(&mut body);
        Draft::from_json(&body, NOW).unwrap_err().errors.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(with(|body| body["name"] = json!("abcd")), ["name"]);
    assert_eq!(with(|body| body["name"] = json!("a".repeat(65))), ["name"]);
    assert_eq!(with(|body| body["name"] = json!("evil\nname")), ["name"]);
    assert_eq!(with(|body| body["TLP"] = json!("red")), ["TLP"]);
    assert_eq!(with(|body| body["TLP"] = json!("purple")), ["TLP"]);
    assert_eq!(with(|body| body["tags"] = json!("x")), ["tags"]);
    assert_eq!(with(|body| body["group_ids"] = json!(["x"])), ["group_ids"]);
    let wrong = json!([{"indicator": "a.example", "type": "domain"}, {"type": "IPv4"}]);
    let body = json!({"name": "Test Pulse", "indicators": wrong});
    let invalid = Draft::from_json(&body, NOW).unwrap_err();
    assert_eq!(invalid.detail(), "indicators[1]: the indicator is missing");
    assert!(Draft::from_json(&json!([]), NOW).is_err());
}

#[test]
fn a_patch_adds_removes_and_replaces() {
    let body = json!({
        "description": "new", "tags": {"add": ["c"], "remove": ["a"]}, "industries": ["x"],
        "indicators": {
            "add": [{"indicator": "a.example", "type": "hostname"}],
            "edit": [{"id": 7, "expiration": "", "title": "Expired", "is_active": 1}],
            "remove": [{"id": 8}, 9, "10"],
        },
    });
    let patch = Patch::from_json(&body, NOW).unwrap();
    let mut lists = Lists { tags: vec!["a".into(), "b".into()], ..Lists::default() };
    assert!(patch.apply_lists(&mut lists));
    assert_eq!((lists.tags, lists.industries), (vec!["b".into(), "c".into()], vec!["x".into()]));
    assert_eq!(patch.remove, [8, 9, 10]);
    assert_eq!(patch.edit[0].expiry, Some(Expiry::Never));
    assert_eq!(patch.add.len(), 1);
    assert!(Patch::from_json(&json!({"indicators": {"edit": [{}]}}), NOW).is_err());
    assert!(Patch::from_json(&json!({"indicators": []}), NOW).is_err());
}
