//! Handwritten bundles.

use crate::engine::indicator::{Kind, Reason, Role, Scope, Timestamp, Tlp};
use crate::intel::feed::{Collected, Format, Options};

const BUNDLE: &str = r#"{"type":"bundle","id":"bundle--1","objects":[
 {"type":"relationship","id":"relationship--1","relationship_type":"indicates",
  "source_ref":"indicator--1","target_ref":"malware--1"},
 {"type":"relationship","id":"relationship--2","relationship_type":"indicates",
  "source_ref":"indicator--1","target_ref":"intrusion-set--1"},
 {"type":"relationship","id":"relationship--3","relationship_type":"indicates",
  "source_ref":"indicator--1","target_ref":"attack-pattern--1"},
 {"type":"indicator","id":"indicator--1","modified":"2024-01-02T00:00:00Z",
  "pattern":"[domain-name:value = 'Evil.example']","pattern_type":"stix","name":"c2",
  "valid_from":"2024-01-01T00:00:00Z","valid_until":"2025-01-01T00:00:00Z","confidence":80,
  "object_marking_refs":["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
                         "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]},
 {"type":"indicator","id":"indicator--1","modified":"2024-01-01T00:00:00Z",
  "pattern":"[domain-name:value = 'old.example']","pattern_type":"stix"},
 {"type":"indicator","id":"indicator--2","pattern":"[url:value = 'http://evil.example/']",
  "pattern_type":"stix","revoked":true},
 {"type":"indicator","id":"indicator--3","pattern":"[ipv4-addr:value = '203.0.113.5']",
  "pattern_type":"stix","indicator_types":["benign"]},
 {"type":"indicator","id":"indicator--4","pattern":"rule x {}","pattern_type":"yara"},
 {"type":"indicator","id":"indicator--5","pattern_type":"stix",
  "pattern":"[domain-name:value = 'a.example' AND ipv4-addr:value = '203.0.113.6']"},
 {"type":"malware","id":"malware--1","name":"Evil","aliases":["Wicked"]},
 {"type":"intrusion-set","id":"intrusion-set--1","name":"Bear"},
 {"type":"attack-pattern","id":"attack-pattern--1","name":"x",
  "external_references":[{"source_name":"mitre-attack","external_id":"T1059"}]},
 {"type":"report","id":"report--1","name":"The report","object_refs":["indicator--1"]}]}"#;

#[test]
fn a_bundle_is_resolved_whole() {
    let got = Collected::read(BUNDLE.as_bytes(), &Options::of_feed("stix")).unwrap();
    assert_eq!(got.summary.format, Format::Stix);
    let found: Vec<_> = got.indicators.iter().map(|i| (i.kind, i.value.to_string())).collect();
    assert_eq!(
        found,
        [
            (Kind::Domain, "evil.example".into()),
            (Kind::Url, "http://evil.example/".into()),
            (Kind::Ip, "203.0.113.5".into()),
            (Kind::Opaque, "rule x {}".into()),
            (
                Kind::Opaque,
                "[domain-name:value = 'a.example' AND ipv4-addr:value = '203.0.113.6']".into()
            ),
        ]
    );
    let context = &got.indicators[0].context;
    assert_eq!(context.malware, ["Evil", "Wicked"]);
    assert_eq!(context.adversary, ["Bear"]);
    assert_eq!(context.attack, ["T1059"]);
    assert_eq!(context.collection.as_deref(), Some("The report"));
    assert_eq!(context.tlp, Some(Tlp::Amber));
    assert_eq!(context.confidence, Some(80));
    assert_eq!(context.valid_until, Timestamp::parse("2025-01-01"));
    assert_eq!(got.indicators[0].scope, Scope::Exact);
    assert!(got.indicators[1].context.inactive);
    assert_eq!(got.indicators[2].context.role, Role::Allow);
    let reasons: Vec<_> = got.rejects.iter().map(|r| r.reason).collect();
    assert_eq!(reasons, [Reason::Ignored, Reason::UnsupportedPattern]);
    assert_eq!(got.rejects[1].detail.as_deref(), Some("AND of different objects"));
}

#[test]
fn what_is_revoked_says_nothing() {
    for (id, left) in
        [("malware--1", "Bear"), ("intrusion-set--1", "Evil"), ("relationship--2", "Evil")]
    {
        let gone = format!(r#""id":"{id}","revoked":true,"modified":"2024-02-01T00:00:00Z""#);
        let bundle = BUNDLE.replacen(&format!(r#""id":"{id}""#), &gone, 1);
        let got = Collected::read(bundle.as_bytes(), &Options::of_feed("stix")).unwrap();
        let context = &got.indicators[0].context;
        let names: Vec<_> = context.malware.iter().chain(&context.adversary).take(1).collect();
        assert_eq!(names, [left], "{id}");
        assert!(context.malware.is_empty() || context.adversary.is_empty(), "{id}");
    }
    let report = BUNDLE.replacen(r#""id":"report--1""#, r#""id":"report--1","revoked":true"#, 1);
    let got = Collected::read(report.as_bytes(), &Options::of_feed("stix")).unwrap();
    assert_eq!(got.indicators[0].context.collection, None);
    // A later version that is revoked replaces an earlier one that was not.
    let again = BUNDLE.replacen(
        r#""objects":["#,
        r#""objects":[{"type":"indicator","id":"indicator--1","modified":"2024-03-01T00:00:00Z",
            "pattern":"[domain-name:value = 'evil.example']","revoked":true},"#,
        1,
    );
    let got = Collected::read(again.as_bytes(), &Options::of_feed("stix")).unwrap();
    let same: Vec<_> = got.indicators.iter().filter(|i| i.kind == Kind::Domain).collect();
    assert!(same.len() == 1 && same[0].context.inactive);
}

#[test]
fn envelopes_and_switches() {
    let envelope = r#"{"more":false,"objects":[{"type":"indicator","id":"indicator--1",
        "pattern":"[domain-name:value = 'a.example']","pattern_type":"stix"}]}"#;
    let options = Options { stix_domain_subtree: true, ..Options::default() };
    let got = Collected::read(envelope.as_bytes(), &options).unwrap();
    assert_eq!(got.indicators[0].scope, Scope::Subtree);
    // An empty page of TAXII is legal.
    assert_eq!(Collected::read(b"{}", &Options::default()).unwrap().indicators.len(), 0);
}

#[test]
fn what_opencti_keeps_out_of_detection() {
    let indicator = |more: &str| {
        format!(
            r#"{{"type":"indicator","id":"indicator--{:08x}-0000-4000-8000-000000000000","pattern_type":"stix",
                "pattern":"[domain-name:value = 'evil.example']"{more}}}"#,
            more.len()
        )
    };
    let read = |more: &str, all: bool| {
        let text = format!(r#"{{"type":"bundle","objects":[{}]}}"#, indicator(more));
        let options = Options { misp_all: all, ..Options::of_feed("t") };
        Collected::read(text.as_bytes(), &options).unwrap()
    };
    for kept in [
        r#","x_opencti_detection":false"#,
        r#","x_opencti_detection":"false""#,
        r#","extensions":{"extension-definition--x":{"extension_type":"property-extension","detection":false}}"#,
    ] {
        let got = read(kept, false);
        assert!(got.indicators.is_empty(), "{kept}");
        assert_eq!(got.rejects[0].reason, Reason::NotForDetection, "{kept}");
        assert_eq!(read(kept, true).values(), ["evil.example"], "{kept}");
    }
    for meant in [
        "",
        r#","x_opencti_detection":true"#,
        r#","extensions":{"extension-definition--x":{"detection":true}}"#,
    ] {
        assert_eq!(read(meant, false).values(), ["evil.example"], "{meant}");
    }
}
