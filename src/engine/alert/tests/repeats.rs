//! What the daemon adds to alerts, and the repeat records for alerts that were held back.

use super::hits::{any_hit, any_repeat, any_text, handling, origin, repeat, samples};
use super::properties::{is_cef, is_syslog};
use super::{Alert, Encoder, Format, READ_AT, oracle, schema};
use crate::engine::alert::{Handling, is_own, write_repeat};
use crate::engine::indicator::{Place, Severity};
use crate::engine::scan::Hit;
use crate::engine::suppress::Repeat;
use proptest::prelude::*;
use serde_json::Value;

const OBJECTS: [Format; 4] = [Format::Json, Format::Eve, Format::Ecs, Format::Ocsf];

fn encoded(hit: &Hit<'_>, handling: &Handling<'_>, format: Format) -> String {
    let (origin, mut out) = (origin(), Vec::new());
    let alert = Alert::new(hit, &origin, READ_AT);
    Encoder::new(format).encode(&alert.handled(handling), &mut out);
    String::from_utf8(out).unwrap()
}

fn repeated(alert: &[u8], repeat: &Repeat, format: Format) -> String {
    let mut out = Vec::new();
    write_repeat(format, alert, repeat, &mut out);
    String::from_utf8(out).unwrap()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect(text)
}

fn relayed() -> Hit<'static> {
    samples().into_iter().find(|(name, _)| *name == "relayed").unwrap().1
}

#[test]
fn every_format_names_the_sender_and_our_side() {
    let (hit, handling) = (relayed(), handling());
    for (format, parts) in [
        (Format::Text, &["resolver-1 dnsmasq 10.0.0.53"][..]),
        (
            Format::Cef,
            &[
                " shost=resolver-1 deviceProcessName=dnsmasq src=10.0.0.53 ",
                " flexString2Label=Local flexString2=resolver-1 WiresiftInput=edge act=suppressed ",
            ],
        ),
        (
            Format::Syslog,
            &[
                " host=\"resolver-1\" app=\"dnsmasq\" peer=\"10.0.0.53\" ",
                " input=\"edge\" local=\"resolver-1\" suppressed=\"true\"]",
            ],
        ),
    ] {
        let text = encoded(&hit, &handling, format);
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
    let ecs = parsed(&encoded(&hit, &handling, Format::Ecs));
    assert_eq!(ecs["log"]["syslog"]["hostname"], "resolver-1");
    assert_eq!(ecs["log"]["syslog"]["appname"], "dnsmasq");
    assert_eq!(ecs["host"]["hostname"], "resolver-1");
    assert_eq!(ecs["related"]["hosts"][1], "resolver-1");
    assert_eq!(ecs["related"]["ip"][0], "10.0.0.53");
    let ocsf = parsed(&encoded(&hit, &handling, Format::Ocsf));
    assert_eq!(ocsf["status_id"], 3);
    assert_eq!(ocsf["evidences"][0]["device"]["hostname"], "resolver-1");
    assert_eq!(ocsf["evidences"][0]["process"]["name"], "dnsmasq");
    let eve = parsed(&encoded(&hit, &handling, Format::Eve));
    for ours in [&ecs["wiresift"], &ocsf["unmapped"], &eve["alert"]["context"]["ioc"]] {
        assert_eq!(ours["log"]["peer"], "10.0.0.53");
        assert_eq!((&ours["input"], &ours["local"]), (&"edge".into(), &"resolver-1".into()));
        assert_eq!(ours["suppressed"], true);
    }
}

/// The record no longer contains the alert's identifier, and has the repeat's wherever it was.
#[test]
fn every_format_has_the_identifier_and_the_counts() {
    let (hit, handling, mut repeat) = (relayed(), handling(), repeat());
    repeat.is_partial = true;
    let origin = origin();
    let uid = Alert::new(&hit, &origin, READ_AT).uid();
    for &format in Format::ALL {
        let before = encoded(&hit, &handling, format);
        let text = repeated(before.as_bytes(), &repeat, format);
        assert!(!text.contains(&uid), "{text}");
        assert_eq!(text.matches(&repeat.uid()).count(), before.matches(&uid).count(), "{text}");
        assert!(!text.contains("suppressed"), "{text}");
        assert_eq!(
            text.contains("partial"),
            !matches!(format, Format::Text | Format::Zeek | Format::Cef)
        );
        assert_eq!(text == before, format == Format::Zeek, "{text}");
    }
    let cef = repeated(encoded(&hit, &handling, Format::Cef).as_bytes(), &repeat, Format::Cef);
    assert!(cef.ends_with(" cnt=59 start=1795483537000 end=1795487077000\n"), "{cef}");
    let syslog =
        repeated(encoded(&hit, &handling, Format::Syslog).as_bytes(), &repeat, Format::Syslog);
    assert!(
        syslog.contains(" count=\"59\" first=\"2026-11-24T01:25:37.000000Z\" last="),
        "{syslog}"
    );
    assert!(syslog.ends_with(" (59 more until 2026-11-24T02:24:37.000000Z)\n"), "{syslog}");
    let text = repeated(encoded(&hit, &handling, Format::Text).as_bytes(), &repeat, Format::Text);
    assert!(text.ends_with("\n  … and 59 more until 2026-11-24T02:24:37.000000Z\n"), "{text}");
    let ocsf =
        parsed(&repeated(encoded(&hit, &handling, Format::Ocsf).as_bytes(), &repeat, Format::Ocsf));
    assert_eq!((&ocsf["count"], &ocsf["status_id"]), (&59.into(), &1.into()));
    assert_eq!(ocsf["start_time"], 1_795_483_537_000i64);
    assert_eq!(ocsf["end_time"], 1_795_487_077_000i64);
}

/// The severity in each format, after the repeat raised it from low.
#[test]
fn the_severity_is_the_higher_one() {
    let mut hit = relayed();
    let of_source = regex::Regex::new("\"severity\":[1-4],\"valid").unwrap();
    let osint = regex::Regex::new("\"confidence_id\":3,\"severity_id\":[1-5]").unwrap();
    for (has, repeats, want) in [(1, 3, 3), (3, 1, 3), (4, 4, 4), (2, 4, 4)] {
        let [has, repeats, want] = [has, repeats, want].map(|n| Severity::from_number(n).unwrap());
        let mut want_hit = relayed();
        for (hit, severity) in [(&mut hit, has), (&mut want_hit, want)] {
            let sources = hit.matches.iter_mut().flat_map(|m| &mut m.sources);
            sources.for_each(|source| source.severity = None);
            hit.matches[0].sources[0].severity = Some(severity);
        }
        let repeat = Repeat { severity: repeats, ..repeat() };
        let all = |hit: &Hit<'_>, format| {
            let text = repeated(encoded(hit, &handling(), format).as_bytes(), &repeat, format);
            // The source's own severity stays.
            of_source.replace(&text, "").into_owned()
        };
        for &format in Format::ALL {
            let texts =
                [&hit, &want_hit].map(|hit| osint.replace(&all(hit, format), "").into_owned());
            assert_eq!(texts[0], texts[1], "{has:?} {repeats:?}");
        }
        let mut coloured = Vec::new();
        let origin = origin();
        let alert = Alert::new(&hit, &origin, READ_AT);
        Encoder::new(Format::Text).colour(true).encode(&alert, &mut coloured);
        let text = repeated(&coloured, &repeat, Format::Text);
        let name = format!("m{}\u{1b}[0m", format!("{want:?}").to_uppercase());
        assert!(text.starts_with("\u{1b}[") && text.contains(&name), "{text}");
    }
}

/// All alerts of a window were too long to keep.
#[test]
fn a_repeat_record_needs_no_alert() {
    let (ours, suricata) = (schema::ours(), schema::suricata());
    proptest!(|(repeat in any_repeat())| {
        for &format in Format::ALL {
            let text = repeated(b"", &repeat, format);
            prop_assert!(text.ends_with('\n') && !text.starts_with('\n'), "{}: {:?}", format, text);
            match format {
                Format::Json => ours.check_text(&text),
                Format::Eve => suricata.iter().for_each(|schema| schema.check_text(&text)),
                Format::Ecs => prop_assert_eq!(&parsed(&text)["event"]["id"], &*repeat.uid()),
                Format::Ocsf => prop_assert_eq!(parsed(&text)["count"].as_u64(), Some(repeat.count)),
                Format::Cef => is_cef(&text),
                Format::Syslog => is_syslog(&text),
                Format::Zeek => prop_assert_eq!(text.split('\t').count(), 15, "{:?}", text),
                Format::Text => prop_assert_eq!(text.lines().count(), 2, "{:?}", text),
            }
            let steers = |c: char| c.is_control() && c != '\n' && (c != '\t' || format != Format::Zeek);
            prop_assert!(!text.contains(steers), "{}: {:?}", format, text);
            prop_assert!(format == Format::Zeek || is_own(text.as_bytes()) || format == Format::Text);
        }
    });
}

#[test]
fn repeats_keep_the_contract_whatever_they_are_given() {
    let (ours, suricata) = (schema::ours(), schema::suricata());
    proptest!(|(hit in any_hit(), input in any_text(), local in any_text(), repeat in any_repeat())| {
        let handling = Handling { input: &input, local: &local, is_suppressed: repeat.count % 2 == 0 };
        ours.check_text(&encoded(&hit, &handling, Format::Json));
        let json = encoded(&hit, &handling, Format::Json);
        ours.check_text(&repeated(json.as_bytes(), &repeat, Format::Json));
        if let Some(schema) = &suricata {
            let eve = encoded(&hit, &handling, Format::Eve);
            schema.check_text(&repeated(eve.as_bytes(), &repeat, Format::Eve));
        }
    });
}

proptest! {
    #[test]
    fn json_is_what_the_slow_way_makes(
        hit in any_hit(), input in any_text(), local in any_text(), held: bool, repeat in any_repeat()
    ) {
        let handling = Handling { input: &input, local: &local, is_suppressed: held };
        let text = encoded(&hit, &handling, Format::Json);
        let want = oracle::handled(oracle::record(&hit, &origin(), READ_AT), &handling);
        prop_assert_eq!(parsed(&text), want);
        let again = repeated(text.as_bytes(), &repeat, Format::Json);
        prop_assert_eq!(parsed(&again), oracle::repeated(parsed(&text), &repeat));
        // A second time changes nothing: there is one `repeat`, not two.
        prop_assert_eq!(&repeated(again.as_bytes(), &repeat, Format::Json), &again);
    }

    #[test]
    fn repeats_keep_their_form(hit in any_hit(), local in any_text(), repeat in any_repeat()) {
        let handling = Handling { input: &local, local: &local, is_suppressed: true };
        let of = |format| repeated(encoded(&hit, &handling, format).as_bytes(), &repeat, format);
        is_cef(&of(Format::Cef));
        is_syslog(&of(Format::Syslog));
        let (ecs, ocsf, eve) = (parsed(&of(Format::Ecs)), parsed(&of(Format::Ocsf)), parsed(&of(Format::Eve)));
        let context = &eve["alert"]["context"]["ioc"];
        let record = parsed(&of(Format::Json));
        prop_assert_eq!(&context["severity"], &record["severity"]);
        for (id, counts) in [
            (&ecs["event"]["id"], &ecs["wiresift"]["repeat"]),
            (&ocsf["finding_info"]["uid"], &ocsf["unmapped"]["repeat"]),
            (&ocsf["metadata"]["uid"], &ocsf["unmapped"]["repeat"]),
            (&context["id"], &context["repeat"]),
        ] {
            prop_assert_eq!(id, &*repeat.uid());
            prop_assert_eq!(counts, &record["repeat"]);
        }
        for &format in Format::ALL {
            let text = of(format);
            let harmless = |c: char| !c.is_control() || c == '\n' || (c == '\t' && format == Format::Zeek);
            prop_assert!(text.chars().all(harmless), "{}: {:?}", format, text);
            prop_assert!(format == Format::Text || text.matches('\n').count() == 1, "{:?}", text);
        }
    }

    #[test]
    fn what_is_no_alert_is_passed_on(bytes: Vec<u8>, format in proptest::sample::select(Format::ALL.to_vec())) {
        let mut out = b"before\n".to_vec();
        write_repeat(format, &bytes, &repeat(), &mut out);
        prop_assert!(out.starts_with(b"before\n") && out.ends_with(b"\n"));
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        prop_assert!(out[7..].starts_with(bytes), "{:?}", out);
    }

    /// Truncated anywhere, or with one byte changed.
    #[test]
    fn damaged_alerts_are_passed_on(
        hit in any_hit(), cut: prop::sample::Index, byte: u8, repeat in any_repeat()
    ) {
        for &format in Format::ALL {
            let text = encoded(&hit, &handling(), format);
            let mut bytes = text.into_bytes();
            let at = cut.index(bytes.len());
            let mut out = Vec::new();
            write_repeat(format, &bytes[..at], &repeat, &mut out);
            bytes[at] = byte;
            write_repeat(format, &bytes, &repeat, &mut out);
            prop_assert!(out.len() > 2 && out.ends_with(b"\n"));
            if OBJECTS.contains(&format) {
                // A truncated object is not an object.
                let first = out.split(|byte| *byte == b'\n').next().unwrap();
                prop_assert!(at == 0 || at == bytes.len() - 1 || first == &bytes[..at]);
            }
        }
    }
}

#[test]
fn what_a_flow_says_of_time_gives_way() {
    let flow = samples().into_iter().find(|(name, _)| *name == "flow").unwrap().1;
    assert!(matches!(flow.place, Place::Packet(_)));
    let cef = repeated(encoded(&flow, &handling(), Format::Cef).as_bytes(), &repeat(), Format::Cef);
    is_cef(&cef);
    assert!(cef.contains(" start=1795483537000 end=1795487077000 "), "{cef}");
}
