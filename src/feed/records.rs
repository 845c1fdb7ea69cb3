//! Other JSON: objects with a value and a type, one a line or in an array; arrays
//! of bare values.

use crate::error::{Error, Result};
use crate::feed::columns::{self, Column};
use crate::feed::intake::{Contexts, Intake, Shared};
use crate::feed::json::{self, Object};
use crate::feed::lines::Lines;
use crate::feed::types::{self, Type};
use crate::indicator::{Kind, Reason, Scope};
use serde_json::Value;

/// The members that may hold the records of a document.
const LISTS: &[&str] =
    &["indicators", "data", "results", "iocs", "objects", "items", "records", "entries", "list"];

/// Reads records. Their members are named as the columns of a table are.
pub(super) fn read(text: &str, intake: &mut Intake<'_>) -> Result<()> {
    let mut reader = Reader { contexts: Contexts::new() };
    documents(text, &mut reader, intake)?;
    let summary = intake.summary();
    if summary.indicators == 0 && summary.rejected() > 0 {
        return Err(Error::format("no record of this JSON holds an indicator").remedy(
            "a record needs a member such as indicator, value, domain or sha256; \
             name the format with --as if it is another",
        ));
    }
    Ok(())
}

fn documents(text: &str, reader: &mut Reader, intake: &mut Intake<'_>) -> Result<()> {
    if is_lines(text) {
        for (number, line) in Lines::new(text) {
            let line = line.trim().trim_end_matches(',');
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            intake.at_line(number);
            match serde_json::from_str(line) {
                Ok(record) => reader.value(&record, intake),
                Err(error) => intake.reject(line, Reason::Malformed, Some(error.to_string())),
            }
        }
        return Ok(());
    }
    reader.value(&json::parse(text)?, intake);
    Ok(())
}

/// Whether every line is a document of its own, judged by the first.
fn is_lines(text: &str) -> bool {
    let first = Lines::new(text).map(|(_, line)| line.trim()).find(|line| !line.is_empty());
    first.is_some_and(|line| {
        line.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok()
    })
}

struct Reader {
    contexts: Contexts,
}

impl Reader {
    fn value(&mut self, value: &Value, intake: &mut Intake<'_>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.value(value, intake)),
            Value::Object(record) => self.record(record, intake),
            Value::String(text) => {
                let context = self.contexts.get("", || intake.base());
                intake.guessed(text, intake.domain_scope(Scope::Subtree), context);
            }
            other => intake.reject(&other.to_string(), Reason::Malformed, None),
        }
    }

    fn record(&mut self, record: &Object, intake: &mut Intake<'_>) {
        let list = LISTS.iter().find_map(|name| {
            record.get(*name).filter(|value| value.as_array().is_some_and(|list| !list.is_empty()))
        });
        let untyped = record.iter().find(|(name, value)| {
            Column::from_name(name) == Some(Column::Value(None)) && json::as_text(value).is_some()
        });
        if let (Some(list), None) = (list, untyped) {
            return self.value(list, intake);
        }
        let context = self.context(record, intake);
        if let Some(value) = untyped.and_then(|(_, value)| json::as_text(value)) {
            return put(&value, kind_of(record), &context, intake);
        }
        let mut found = false;
        for (name, value) in record {
            let Some(Column::Value(Some((kind, scope)))) = Column::from_name(name) else {
                continue;
            };
            if kind.is_string() {
                // The name of a file, an AS number: details of what stands beside.
                continue;
            }
            for value in json::each(value).iter().filter_map(json::as_text) {
                found = true;
                put(&value, Some(Type::Of(kind, scope)), &context, intake);
            }
        }
        if !found {
            let text = Value::Object(record.clone()).to_string();
            intake.reject(&text, Reason::Malformed, Some("no member holds a value".into()));
        }
    }

    fn context(&mut self, record: &Object, intake: &Intake<'_>) -> Shared {
        let mut parts: Vec<(Column, String)> = Vec::new();
        let mut key = String::new();
        for (name, value) in record {
            let Some(column) = Column::from_name(name).filter(|column| column.is_context()) else {
                continue;
            };
            let text = match value {
                Value::Bool(truth) => truth.to_string(),
                Value::Array(_) => {
                    let texts = json::each(value).iter().filter_map(json::as_text);
                    texts.collect::<Vec<_>>().join(",")
                }
                other => json::as_text(other).unwrap_or_default().into_owned(),
            };
            if !text.is_empty() {
                key.push_str(name);
                key.push('\x1f');
                key.push_str(&text);
                key.push('\x1f');
                parts.push((column, text));
            }
        }
        let make = || {
            let mut context = intake.base();
            for (column, text) in &parts {
                columns::apply(&mut context, *column, text);
            }
            context
        };
        Shared::clone(self.contexts.get(&key, make))
    }
}

fn kind_of(record: &Object) -> Option<Type> {
    let (_, name) =
        record.iter().find(|(name, _)| Column::from_name(name) == Some(Column::Type))?;
    types::by_name(&json::as_text(name)?)
}

fn put(value: &str, meaning: Option<Type>, context: &Shared, intake: &mut Intake<'_>) {
    let Some(meaning) = meaning else {
        intake.guessed(value, intake.domain_scope(Scope::Subtree), context);
        return;
    };
    match meaning.of_value(value) {
        Some((kind, scope)) => {
            let scope = if kind == Kind::Domain { intake.domain_scope(scope) } else { scope };
            intake.typed(kind, value, scope, context);
        }
        None => intake.reject(value, Reason::Ignored, None),
    }
}

#[cfg(test)]
mod tests {
    use crate::feed::{Collected, Format, Options};
    use crate::indicator::{Severity, Tlp};

    #[test]
    fn lines_arrays_and_wrappers() {
        let lines = br#"{"indicator":"evil.example","type":"domain","source":"s","severity":"high"}
{"indicator":"203.0.113.5","type":"ipv4","tags":["tlp:red","x"]}
not json
{"colour":"red"}
"#;
        let got = Collected::read(lines, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Json);
        assert_eq!(got.values(), ["evil.example", "203.0.113.5"]);
        assert_eq!(got.indicators[0].context.severity, Some(Severity::High));
        assert_eq!(got.indicators[1].context.tlp, Some(Tlp::Red));
        assert_eq!(got.rejects.iter().map(|r| r.line).collect::<Vec<_>>(), [Some(3), Some(4)]);
        let wrapped = br#"{"data":[{"ioc":"evil.example"},{"sha256":"x","domain":"b.example"}]}"#;
        let got = Collected::read(wrapped, &Options::default()).unwrap();
        assert_eq!(got.values(), ["evil.example", "b.example"]);
        let bare = br#"["evil.example", "203.0.113.5", 5]"#;
        let got = Collected::read(bare, &Options::default()).unwrap();
        assert_eq!(got.values(), ["evil.example", "203.0.113.5"]);
        assert_eq!(got.rejects.len(), 1);
    }
}
