//! OTX pulses: a single one, an array, a page of the API, or a page of its flat
//! export (feed specification, sections 1.3 to 1.5).

use crate::engine::error::Result;
use crate::engine::indicator::{Context, Kind, Reason, Scope, Tlp};
use crate::intel::feed::contexts::{Contexts, push_once};
use crate::intel::feed::intake::Intake;
use crate::intel::feed::json::{self, Object};
use crate::intel::feed::table::columns;
use crate::intel::feed::types;
use serde_json::Value;

/// Reads pulses.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) -> Result<()> {
    for document in json::parse_all(text)? {
        let results = match &document {
            // A page of the API wraps its results; exports contain them directly.
            Value::Object(page) if page.contains_key("results") => json::array(page, "results"),
            other => json::each(other),
        };
        for result in results {
            match result {
                Value::Object(pulse) if pulse.contains_key("indicators") => {
                    read_pulse(pulse, intake)
                }
                Value::Object(indicator) if indicator.contains_key("indicator") => {
                    let base = intake.base();
                    read_indicator(indicator, &base, &mut Contexts::new(), intake);
                }
                other => intake.reject(
                    &other.to_string(),
                    Reason::Malformed,
                    Some("neither a pulse nor an indicator".into()),
                ),
            }
        }
    }
    Ok(())
}

/// Reads the indicators of a pulse.
fn read_pulse(pulse: &Object, intake: &mut Intake<'_>) {
    let base = context_of_pulse(pulse, intake.base());
    let mut contexts = Contexts::new();
    for indicator in json::array(pulse, "indicators") {
        match indicator {
            Value::Object(indicator) => read_indicator(indicator, &base, &mut contexts, intake),
            other => intake.reject(&other.to_string(), Reason::Malformed, None),
        }
    }
}

/// The context that the indicators of a pulse share.
fn context_of_pulse(pulse: &Object, mut context: Context<'static>) -> Context<'static> {
    context.collection = json::own(pulse, "name");
    context.collection_id = json::own(pulse, "id");
    // Indicators of a pulse have no such time of their own.
    context.modified = json::time(pulse, "modified");
    // Both spellings occur.
    let tlp = json::text(pulse, "tlp").or_else(|| json::text(pulse, "TLP"));
    context.tlp = tlp.and_then(|name| Tlp::from_name(&name)).or(context.tlp);
    for tag in texts(pulse, "tags") {
        columns::add_tag(&mut context, &tag);
    }
    for name in texts(pulse, "malware_families") {
        push_once(&mut context.malware, &name);
    }
    for name in texts(pulse, "adversary") {
        push_once(&mut context.adversary, &name);
    }
    for id in texts(pulse, "attack_ids") {
        push_once(&mut context.attack, &id);
    }
    for link in texts(pulse, "references") {
        push_once(&mut context.references, &link);
    }
    context
}

/// The texts of an array; for objects, their `display_name`, `name` or `id`.
fn texts(object: &Object, name: &str) -> Vec<String> {
    json::array(object, name)
        .iter()
        .filter_map(|value| match value {
            // Only the identifier of a technique, without its title.
            Value::Object(entry) if name == "attack_ids" => json::text(entry, "id"),
            Value::Object(entry) => json::text(entry, "display_name")
                .or_else(|| json::text(entry, "name"))
                .or_else(|| json::text(entry, "id")),
            other => json::as_text(other),
        })
        .map(|text| text.into_owned())
        .collect()
}

/// Reads an indicator. Rules (YARA, Snort) and unknown types are stored as opaque,
/// so that a lookup finds them.
fn read_indicator(
    indicator: &Object,
    base: &Context<'static>,
    contexts: &mut Contexts,
    intake: &mut Intake<'_>,
) {
    let value = json::text(indicator, "indicator").unwrap_or_default();
    let kind = json::text(indicator, "type").unwrap_or_default();
    // The source hides the value, so there is nothing to match.
    if json::text(indicator, "access_type").is_some_and(|t| t.eq_ignore_ascii_case("redacted")) {
        intake.reject(&value, Reason::Redacted, None);
        return;
    }
    // A wiresift exchange shows what is on a warning list and nobody confirmed, and says so.
    if json::truth(indicator, "is_flagged") == Some(true) {
        intake.reject(&value, Reason::NotForDetection, Some("on a warning list".into()));
        return;
    }
    let context = contexts.get(&key(indicator), || context_of(indicator, base)).clone();
    let name = types::squeeze(&kind);
    if matches!(&*name, "yara" | "nids" | "osquery" | "snort" | "sigma") {
        // For rules, `indicator` is only an identifier.
        let content = json::text(indicator, "content").unwrap_or(value);
        intake.typed(Kind::Opaque, &content, Scope::Exact, &context);
        return;
    }
    match types::by_name(&kind).and_then(|meaning| meaning.of_value(&value)) {
        Some((kind, scope)) => {
            let scope = if kind == Kind::Domain { intake.domain_scope(scope) } else { scope };
            intake.typed(kind, &value, scope, &context);
        }
        // An unknown type is stored for `lookup` and reported, not dropped silently.
        None => {
            intake.typed(Kind::Opaque, &value, Scope::Exact, &context);
            intake.reject(&value, Reason::Ignored, Some(format!("unknown type {kind}")));
        }
    }
}

/// The parts of an indicator that distinguish its context from others in the pulse.
fn key(indicator: &Object) -> String {
    let mut key = String::new();
    for name in ["id", "title", "description", "expiration", "is_active", "created", "role"] {
        key.push_str(&json::text(indicator, name).unwrap_or_default());
        // A separator that no member contains, so that different members give different keys.
        key.push('\x1f');
    }
    if json::truth(indicator, "is_active") == Some(false) {
        key.push('0');
    }
    key
}

/// The context of an indicator: the pulse's, with what the indicator adds.
fn context_of(indicator: &Object, base: &Context<'static>) -> Context<'static> {
    let mut context = base.clone();
    context.id = json::own(indicator, "id").or_else(|| json::own(indicator, "_id"));
    context.name = json::own(indicator, "title");
    context.description = json::own(indicator, "description");
    context.first_seen = json::time(indicator, "created");
    context.valid_until = json::time(indicator, "expiration");
    // A missing member says nothing, so the indicator stays active.
    context.inactive = json::truth(indicator, "is_active") == Some(false);
    if let Some(role) = json::text(indicator, "role") {
        push_once(&mut context.tags, &format!("role:{role}"));
    }
    context
}

#[cfg(test)]
mod tests {
    use crate::engine::indicator::{Kind, Reason, Scope, Timestamp, Tlp};
    use crate::intel::feed::{Collected, Format, Options};

    const PULSE: &str = r#"{"id":"5b43a33f9e96026328f1a3d0","name":"P","tlp":"green","tags":["t"],
        "malware_families":[{"id":"x","display_name":"Evil"}],"adversary":"","attack_ids":["T1059"],
        "references":["http://ref.example"],"indicators":[
        {"id":1,"indicator":"Evil.example","type":"domain","is_active":1,"expiration":null},
        {"id":2,"indicator":"www.evil.example","type":"hostname","is_active":0},
        {"id":3,"indicator":"203.0.113.5","type":"IPv4","expiration":"2023-08-22T09:43:18"},
        {"id":4,"indicator":"/a/gate.php","type":"URI"},
        {"id":5,"indicator":"r","type":"YARA","content":"rule r {}"},
        {"id":6,"indicator":"*","type":"domain","access_type":"redacted"},
        {"id":7,"indicator":"z","type":"Novel"},
        {"id":8,"indicator":"9.9.9.9","type":"IPv4","is_flagged":true}]}"#;

    #[test]
    fn pulses_pages_and_exports() {
        let array = format!("[{PULSE}]");
        let page = format!(r#"{{"count":1,"next":null,"previous":null,"results":[{PULSE}]}}"#);
        for form in [PULSE, &array, &page] {
            let got = Collected::read(form.as_bytes(), &Options::of_feed("otx")).unwrap();
            assert_eq!(got.summary.format, Format::Otx);
            let found: Vec<_> = got.indicators.iter().map(|i| (i.kind, i.scope)).collect();
            assert_eq!(
                found,
                [
                    (Kind::Domain, Scope::Subtree),
                    (Kind::Domain, Scope::Exact),
                    (Kind::Ip, Scope::Exact),
                    (Kind::UrlPath, Scope::PathAnyHost),
                    (Kind::Opaque, Scope::Exact),
                    (Kind::Opaque, Scope::Exact)
                ]
            );
            let context = &got.indicators[0].context;
            assert_eq!(context.collection.as_deref(), Some("P"));
            assert_eq!(context.tlp, Some(Tlp::Green));
            assert_eq!(context.malware, ["Evil"]);
            assert_eq!(context.attack, ["T1059"]);
            assert!(context.adversary.is_empty());
            assert!(got.indicators[1].context.inactive);
            assert_eq!(
                got.indicators[2].context.valid_until,
                Timestamp::parse("2023-08-22T09:43:18Z")
            );
            let reasons: Vec<_> = got.rejects.iter().map(|r| r.reason).collect();
            assert_eq!(reasons, [Reason::Redacted, Reason::Ignored, Reason::NotForDetection]);
        }
        let export =
            r#"{"next":null,"results":[{"id":1,"indicator":"a.example","type":"domain"}]}"#;
        let got = Collected::read(export.as_bytes(), &Options::default()).unwrap();
        assert_eq!(got.values(), ["a.example"]);
    }
}
