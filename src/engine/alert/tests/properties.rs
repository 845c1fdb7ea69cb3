//! Properties that hold for every alert.

use super::hits::{any_hit, any_text, origin, samples};
use super::{Alert, Encoder, Format, READ_AT, encoded, oracle};
use crate::engine::alert::{DEFAULT_SEVERITY, Provenance, is_own, own_format};
use crate::engine::indicator::{Place, Severity, Timestamp};
use proptest::prelude::*;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect(text)
}

#[test]
fn json_says_what_the_contract_wants() {
    for (name, hit) in samples() {
        let value = parsed(&encoded(&hit, &origin(), Format::Json));
        assert_eq!(value, oracle::record(&hit, &origin(), READ_AT), "{name}");
    }
}

#[test]
fn what_others_wrote_is_not_ours() {
    let zeek = "#separator \\x09\n#path\tintel\n#fields\tts\n1.0\tC1\t192.0.2.1\t1\t192.0.2.2\t2\tx\tIntel::ADDR\tConn::IN_RESP\tzeek\tIntel::ADDR\tfeed\n";
    for text in [
        "\n",
        "GET http://bad.example/ HTTP/1.1\n",
        "{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}\n",
        "{\"timestamp\":\"2026-11-24T00:00:00\",\"event_type\":\"alert\",\"alert\":{}}\n",
        "<13>1 2026-11-24T00:00:00Z host app - - - wiresift - ioc\n",
        "CEF:0|other|wiresift|1|\n",
        "HIGH temperature in the rack\n  at noon\n",
        "HIGH domain in trouble\nat noon\n",
        "log:7\n",
        zeek,
    ] {
        assert!(!is_own(text.as_bytes()), "{text}");
    }
    assert!(is_own(b"") && is_own(zeek.replace("\tzeek\t", "\twiresift\t").as_bytes()));
}

/// Checks that a line is CEF with an extension that can be parsed.
pub(super) fn is_cef(line: &str) {
    let header = regex::Regex::new(r"^CEF:0\|(?:(?:[^|\\]|\\[|\\])*\|){6}").unwrap();
    let found = header.find(line).unwrap_or_else(|| panic!("{line:?}"));
    let extension = &line[found.end()..].trim_end_matches('\n');
    assert!(!extension.contains('\n'), "{line:?}");
    // Every unescaped `=` follows a key, and each key occurs once.
    let keys = regex::Regex::new(r"(?:^| )([A-Za-z0-9]+)=").unwrap();
    let unescaped = extension.replace("\\\\", "").replace("\\=", "");
    let mut names: Vec<&str> =
        keys.captures_iter(&unescaped).map(|c| c.get(1).unwrap().as_str()).collect();
    assert_eq!(names.len(), unescaped.matches('=').count(), "{line:?}");
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}

/// Checks that a line has the form of RFC 5424.
pub(super) fn is_syslog(line: &str) {
    let form = regex::Regex::new(
        "^<(16[1245])>1 [0-9T:.-]+Z (?:sensor-1|-) wiresift - [!-~]{1,32} \
         \\[ioc@32473(?: [a-zA-Z]{1,32}=\"(?:[^\"\\\\\\]]|\\\\[\"\\\\\\]])*\")+\\] \u{feff}[^\n]*\n$",
    );
    assert!(form.unwrap().is_match(line), "{line:?}");
}

/// The names of an object's members, in their order.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Walk;
        impl<'de> Visitor<'de> for Walk {
            type Value = Names;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_map(Walk)
    }
}

#[test]
fn the_members_come_in_the_order_of_the_contract() {
    let order = [
        "schema",
        "id",
        "time",
        "time_source",
        "severity",
        "seen",
        "indicators",
        "log",
        "packet",
        "dns",
        "tls",
        "http",
        "file",
        "database",
        "host",
    ];
    for (name, hit) in samples() {
        let text = encoded(&hit, &origin(), Format::Json);
        let Names(names) = serde_json::from_str(&text).unwrap();
        let places: Vec<_> =
            names.iter().map(|name| order.iter().position(|known| known == name)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{name}: {names:?}");
    }
}

proptest! {
    #[test]
    fn json_parses_back_to_the_record(hit in any_hit(), host in any_text(), database in any_text()) {
        let origin = Provenance { database, built: READ_AT, host: Some(host) };
        let value = parsed(&encoded(&hit, &origin, Format::Json));
        prop_assert_eq!(value, oracle::record(&hit, &origin, READ_AT));
    }

    #[test]
    fn nothing_steers_a_terminal_or_breaks_a_line(hit in any_hit(), host in any_text()) {
        let origin = Provenance { host: Some(host), ..origin() };
        for &format in Format::ALL {
            let text = encoded(&hit, &origin, format);
            prop_assert!(text.ends_with('\n'), "{}: {:?}", format, text);
            let harmless = |c: char| !c.is_control() || c == '\n' || (c == '\t' && format == Format::Zeek);
            prop_assert!(text.chars().all(harmless), "{}: {:?}", format, text);
            prop_assert!(!text.contains(['\u{2028}', '\u{2029}']), "{}", format);
            if format != Format::Text {
                prop_assert_eq!(text.matches('\n').count(), 1, "{}: {:?}", format, text);
            }
        }
    }

    #[test]
    fn outputs_of_ours_are_known_and_records_begin_at_the_margin(hit in any_hit(), colour: bool) {
        // On a sensor, its name may be in each record.
        let origin = Provenance { host: None, ..origin() };
        let alert = Alert::new(&hit, &origin, READ_AT);
        let colour_code = regex::Regex::new("\x1b\\[[0-9;]*m").unwrap();
        for &format in Format::ALL {
            let encoder = Encoder::new(format).colour(colour && format == Format::Text).width(Some(72));
            let mut out = Vec::new();
            encoder.begin(READ_AT, &mut out);
            encoder.encode(&alert, &mut out);
            let text = String::from_utf8_lossy(&out);
            prop_assert_eq!(own_format(&out), Some(format), "{}: {}", format, text);
            let text = String::from_utf8(out).unwrap();
            let plain = colour_code.replace_all(&text, "");
            let records = plain.lines().filter(|line| !line.starts_with([' ', '#']));
            prop_assert_eq!(records.count(), 1, "{}: {}", format, text);
        }
    }

    #[test]
    fn colour_only_adds_colour(hit in any_hit()) {
        let origin = origin();
        let alert = Alert::new(&hit, &origin, READ_AT);
        let mut coloured = Vec::new();
        Encoder::new(Format::Text).colour(true).encode(&alert, &mut coloured);
        let coloured = String::from_utf8(coloured).unwrap();
        let plain = regex::Regex::new("\x1b\\[[0-9;]*m").unwrap().replace_all(&coloured, "").into_owned();
        prop_assert_eq!(plain, encoded(&hit, &origin, Format::Text));
    }

    #[test]
    fn zeek_lines_have_the_columns_of_the_header(hit in any_hit()) {
        let line = encoded(&hit, &origin(), Format::Zeek);
        let columns: Vec<&str> = line.trim_end_matches('\n').split('\t').collect();
        prop_assert_eq!(columns.len(), 15);
        prop_assert!(columns.iter().all(|column| !column.is_empty()), "{:?}", line);
        prop_assert!(columns[0].parse::<f64>().is_ok());
        if matches!(hit.place, Place::Log(_)) {
            prop_assert_eq!(&columns[1..6], ["-"; 5]);
            prop_assert!(columns[8].starts_with("Log::IN_"));
        }
    }

    #[test]
    fn cef_splits_back(hit in any_hit()) {
        is_cef(&encoded(&hit, &origin(), Format::Cef));
    }

    #[test]
    fn syslog_has_its_form(hit in any_hit()) {
        is_syslog(&encoded(&hit, &origin(), Format::Syslog));
    }

    #[test]
    fn envelopes_of_others_are_json(hit in any_hit()) {
        let origin = origin();
        let uid = Alert::new(&hit, &origin, READ_AT).uid();
        let ecs = parsed(&encoded(&hit, &origin, Format::Ecs));
        prop_assert_eq!(&ecs["event"]["id"], &*uid);
        prop_assert_eq!(&ecs["wiresift"]["seen"]["value"], &*hit.seen.value);
        let sources: usize = hit.matches.iter().map(|m| m.sources.len()).sum();
        prop_assert_eq!(ecs["threat"]["enrichments"].as_array().unwrap().len(), sources);
        let ocsf = parsed(&encoded(&hit, &origin, Format::Ocsf));
        prop_assert_eq!(&ocsf["finding_info"]["uid"], &*uid);
        prop_assert_eq!(ocsf["osint"].as_array().unwrap().len(), sources);
        prop_assert!(ocsf["time"].is_i64());
    }

    #[test]
    fn encoders_append(hit in any_hit()) {
        let origin = origin();
        for &format in Format::ALL {
            let mut out = b"before".to_vec();
            Encoder::new(format).encode(&Alert::new(&hit, &origin, READ_AT), &mut out);
            let want = format!("before{}", encoded(&hit, &origin, format));
            prop_assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }
}

/// A parser keeps the last of two members with the same name, and loses the other.
#[test]
fn no_member_comes_twice() {
    for (name, hit) in samples() {
        for format in [Format::Json, Format::Eve, Format::Ecs, Format::Ocsf] {
            let text = encoded(&hit, &origin(), format);
            // Characters that control a terminal are escaped, and parsing returns the original
            // text.
            let again = crate::engine::error::escape_json(&parsed(&text).to_string()).len();
            assert_eq!(again + 1, text.len(), "{name} {format}: {text}");
        }
    }
}

#[test]
fn the_highest_severity_counts_and_silence_is_medium() {
    let (origin, mut hit) = (origin(), samples().remove(1).1);
    assert_eq!(Alert::new(&hit, &origin, READ_AT).severity(), Severity::High);
    for met in &mut hit.matches {
        met.sources.iter_mut().for_each(|source| source.severity = None);
    }
    assert_eq!(Alert::new(&hit, &origin, READ_AT).severity(), DEFAULT_SEVERITY);
    assert_eq!(DEFAULT_SEVERITY, Severity::Medium);
}

#[test]
fn a_line_without_a_time_has_the_time_of_its_reading() {
    let origin = origin();
    for (name, hit) in samples() {
        let alert = Alert::new(&hit, &origin, READ_AT);
        assert_eq!(alert.time() == READ_AT, name == "field", "{name}");
        assert_eq!(alert.time_source().name() == "read", name == "field", "{name}");
    }
    let (_, mut hit) = samples().remove(4);
    for (time, want) in [(i64::MIN, "0000-01-01T"), (i64::MAX, "9999-12-30T")] {
        let Place::Log(log) = &mut hit.place else { panic!("not a log") };
        log.time = Some(Timestamp(time));
        let alert = Alert::new(&hit, &origin, READ_AT);
        assert!(alert.time().to_string().starts_with(want), "{}", alert.time());
    }
}

#[test]
fn an_observation_keeps_its_identifier() {
    let (mine, other) = (origin(), Provenance { database: "other".into(), ..origin() });
    let mut uids = Vec::new();
    for (_, hit) in samples() {
        let uid = Alert::new(&hit, &mine, READ_AT).uid();
        assert_eq!(Alert::new(&hit, &other, Timestamp(READ_AT.0 + 1)).uid(), uid);
        assert!(!uids.contains(&uid));
        uids.push(uid);
    }
}

#[test]
fn names_lead_back() {
    for &format in Format::ALL {
        assert_eq!(Format::from_name(format.name()), Some(format));
    }
    assert_eq!(Format::from_name("xml"), None);
}

/// The last line of the `text` format for a hit in `line`, at `column`.
fn excerpt(line: &str, column: u64) -> String {
    let (_, mut hit) = samples().remove(4);
    let Place::Log(log) = &mut hit.place else { panic!("not a log") };
    (log.text, log.column) = (line.into(), column);
    let text = encoded(&hit, &origin(), Format::Text);
    text.lines().last().unwrap().to_owned()
}

#[test]
fn excerpts_show_the_match() {
    let value = "cdn.evil.example";
    assert_eq!(excerpt(&format!("to {value}!"), 4), format!("  | to {value}!"));
    let long = format!("{}{value}{}", "é".repeat(300), "ü".repeat(300));
    let shown = excerpt(&long, 601);
    assert!(shown.contains(&format!("é{value}ü")), "{shown}");
    assert!(shown.starts_with("  | ...é") && shown.ends_with("ü..."), "{shown}");
    assert!(shown.chars().count() < 140, "{shown}");
    // Invalid bytes before the match were replaced, which moved it.
    assert!(excerpt(&long, 301).contains(&format!("é{value}ü")));
    // The line was cut before the match.
    let shown = excerpt(&"x".repeat(1024), 5000);
    assert!(shown.starts_with("  | xxx") && shown.ends_with("x..."), "{shown}");
    // The column is inside a character.
    assert_eq!(excerpt("éé", 2), "  | éé");
}

#[test]
fn people_are_not_drowned_in_sources() {
    let (_, mut hit) = samples().remove(3);
    let source = hit.matches[0].sources[0].clone();
    hit.matches[0].sources = vec![source; 300];
    let text = encoded(&hit, &origin(), Format::Text);
    assert!(text.lines().count() < 20 && text.contains("and 295 more sources"), "{text}");
}
