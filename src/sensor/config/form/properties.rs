//! Properties of librdkafka.

use super::{Form, Written, mistyped, write_text};
use crate::sensor::config::problem::{Wrong, quoted};
use std::collections::BTreeMap;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// The most properties.
const MOST: usize = 200;

/// The deepest nesting: `a.b = 1` without quotation marks is a table in a table.
const DEEPEST: usize = 8;

/// Names, or their beginnings, that can't be set here, and what to do instead.
const REFUSED: &[(&str, &str)] = &[
    ("acks", KEPT),
    ("allow.auto.create.topics", "create the topic on the brokers"),
    ("auto.commit.", KEPT),
    ("auto.offset.reset", "set from"),
    ("bootstrap.servers", "set brokers"),
    ("client.id", "it is wiresift, so that brokers can tell who it is"),
    ("compression.codec", "set compression"),
    ("compression.type", "set compression"),
    ("delivery.report.only.error", KEPT),
    ("delivery.timeout.ms", KEPT),
    ("enable.auto.commit", KEPT),
    ("enable.auto.offset.store", KEPT),
    ("enable.gapless.guarantee", KEPT),
    ("enable.idempotence", KEPT),
    ("enable.partition.eof", KEPT),
    ("enable.sasl.", AS_KEYS),
    ("enable.ssl.", AS_KEYS),
    ("group.id", "set group"),
    ("group.instance.id", "set instance"),
    ("group.protocol", KEPT),
    ("max.in.flight", KEPT),
    ("message.max.bytes", "set max_message"),
    ("message.send.max.retries", KEPT),
    ("message.timeout.ms", KEPT),
    ("metadata.broker.list", "set brokers"),
    ("plugin.library.paths", "it would load code into the process"),
    ("queuing.strategy", KEPT),
    ("request.required.acks", KEPT),
    ("retries", KEPT),
    ("sasl.", AS_KEYS),
    ("security.protocol", AS_KEYS),
    ("session.timeout.ms", "set session_timeout"),
    ("ssl.", AS_KEYS),
    ("ssl_", AS_KEYS),
    ("statistics.interval.ms", KEPT),
    ("test.", "it is for tests of the library"),
    ("transactional.id", KEPT),
];

const KEPT: &str = "it decides whether records are lost or sent twice";
const AS_KEYS: &str = "set tls, ca_file, client_cert, user, password_file and mechanism";

/// A table of properties, with their dotted names.
pub(in crate::sensor::config) struct Properties;

impl Form for Properties {
    type Value = Vec<(String, String)>;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<Self::Value, Vec<Wrong>> {
        let DeValue::Table(table) = value.get_ref() else {
            let remedy = "write { \"fetch.min.bytes\" = 1024 }";
            return Err(mistyped(value, "a table", remedy));
        };
        let (mut found, mut wrong) = (BTreeMap::new(), Vec::new());
        collect(table, "", 1, &mut found, &mut wrong);
        if found.len() > MOST {
            let what = format!("more than {MOST} properties");
            wrong.push(Wrong::new(value.span(), what, "remove some"));
        }
        if wrong.is_empty() { Ok(found.into_iter().collect()) } else { Err(wrong) }
    }

    fn write(&self, value: &Self::Value) -> String {
        let pair = |(name, value): &(String, String)| {
            format!("{} = {}", write_text(name), write_text(value))
        };
        let pairs: Vec<String> = value.iter().map(pair).collect();
        if pairs.is_empty() { "{}".into() } else { format!("{{ {} }}", pairs.join(", ")) }
    }

    fn about(&self) -> String {
        "table of texts and numbers".into()
    }
}

fn collect(
    table: &DeTable<'_>,
    before: &str,
    depth: usize,
    found: &mut BTreeMap<String, String>,
    wrong: &mut Vec<Wrong>,
) {
    for (key, value) in table.iter() {
        let name = format!("{before}{}", key.get_ref());
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_string(),
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::Table(inner) if depth < DEEPEST => {
                collect(inner, &format!("{name}."), depth + 1, found, wrong);
                continue;
            }
            _ => {
                wrong.extend(mistyped(value, "a text or a number", "write \"…\""));
                continue;
            }
        };
        match problem(&name, &text) {
            Some((what, remedy)) => wrong.push(Wrong::new(key.span(), what, remedy)),
            None => drop(found.insert(name, text)),
        }
    }
}

/// What is wrong with a property, and what to do about it.
fn problem(name: &str, text: &str) -> Option<(String, &'static str)> {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if name.is_empty() || name.len() > 100 || !name.bytes().all(is_letter) {
        let what = format!("invalid property {}", quoted(name));
        return Some((what, "expected a name such as fetch.min.bytes"));
    }
    if text.len() > 4096 || text.chars().any(char::is_control) {
        return Some((format!("invalid value of {name}"), "expected one line of text"));
    }
    let refused = REFUSED.iter().find(|(it, _)| match it.ends_with(['.', '_']) {
        true => name.starts_with(it),
        false => name == *it || name.starts_with(&format!("{it}.")),
    });
    refused.map(|(_, remedy)| (format!("property {name} cannot be set here"), *remedy))
}
