//! Files of Zeek's intelligence framework: tab-separated, with a `#fields` line and
//! `-` for null.

use crate::engine::error::{Error, Result};
use crate::engine::indicator::{Context, Kind, Reason, Role, Scope};
use crate::intel::feed::contexts::{Contexts, is_nothing};
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::Lines;
use crate::intel::feed::table::columns::{self, Column};
use crate::intel::feed::types;
use std::borrow::Cow;

/// The relevant columns.
#[derive(Default)]
struct Fields<'a> {
    names: Vec<&'a str>,
    indicator: usize,
    kind: usize,
}

/// Reads a file. Names are exact, as Zeek compares them.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) -> Result<()> {
    let mut fields: Option<Fields<'_>> = None;
    let mut contexts = Contexts::new();
    let mut key = String::new();
    for (number, line) in Lines::new(text) {
        if let Some(header) = line.strip_prefix("#fields") {
            // A file of several concatenated ones has several headers; each applies to the rows
            // after it.
            fields = Some(header_of(header).ok_or_else(|| {
                Error::format("the #fields line names no indicator and indicator_type")
                    .at_line(number)
                    .remedy("expected #fields, indicator and indicator_type, separated by tabs")
            })?);
            continue;
        }
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let Some(fields) = &fields else {
            return Err(Error::format("there are values before the #fields line")
                .at_line(number)
                .remedy("separate #fields and the names of the columns with single tabs"));
        };
        intake.at_line(number);
        // Zeek knows no quotes in these files: every tab ends a column.
        let row: Vec<Cow<'_, str>> = line.split('\t').map(decoded).collect();
        let (Some(value), Some(kind)) = (row.get(fields.indicator), row.get(fields.kind)) else {
            intake.reject(line, Reason::Malformed, Some("too few columns".into()));
            continue;
        };
        // Rows that differ only in the indicator share a context.
        key.clear();
        for (at, text) in row.iter().enumerate() {
            if at != fields.indicator && at != fields.kind {
                key.push_str(text);
                key.push('\t');
            }
        }
        let context = contexts.get(&key, || context_of(fields, &row, intake.base())).clone();
        // Zeek's policy script `frameworks/intel/removal` removes such items.
        if context.inactive {
            intake.reject(value, Reason::Withdrawn, Some("meta.remove".into()));
        } else if let Some((kind, scope)) = kind_of(kind, value) {
            let scope = if kind == Kind::Domain { intake.domain_scope(scope) } else { scope };
            intake.typed(kind, value, scope, &context);
        } else {
            intake.reject(value, Reason::Ignored, Some(format!("unknown type {kind}")));
        }
    }
    Ok(())
}

/// A column with its `\xHH` decoded; Zeek knows no other escapes (`get_unescaped_string` in its
/// `util.cc`).
fn decoded(column: &str) -> Cow<'_, str> {
    if !column.contains("\\x") {
        return Cow::Borrowed(column);
    }
    let mut bytes = Vec::with_capacity(column.len());
    let mut rest = column.as_bytes();
    while let [first, after @ ..] = rest {
        let digit = |at: usize| (*after.get(at)? as char).to_digit(16);
        match (first, after.first(), digit(1), digit(2)) {
            (b'\\', Some(b'x'), Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &after[3..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads the names in `#fields`. Zeek separates columns by tabs only.
fn header_of(header: &str) -> Option<Fields<'_>> {
    let names: Vec<&str> = header.trim_start_matches(['\t', ' ']).split('\t').collect();
    let place = |name: &str| names.iter().position(|n| n.trim() == name);
    Some(Fields { indicator: place("indicator")?, kind: place("indicator_type")?, names })
}

/// The kind that a type such as `Intel::DOMAIN` means.
fn kind_of(name: &str, value: &str) -> Option<(Kind, Scope)> {
    match name.trim() {
        // Other formats call names of accounts many things; only Zeek has this one.
        "Intel::USER_NAME" => Some((Kind::User, Scope::Exact)),
        name => types::by_name(name)?.of_value(value),
    }
}

/// The context of a row, from its `meta.` columns.
fn context_of(
    fields: &Fields<'_>,
    row: &[Cow<'_, str>],
    mut context: Context<'static>,
) -> Context<'static> {
    for (name, text) in fields.names.iter().zip(row) {
        if is_nothing(text) {
            continue;
        }
        match *name {
            "indicator" | "indicator_type" => {}
            "meta.whitelist" if *text == "T" => context.role = Role::Allow,
            "meta.remove" if *text == "T" => context.inactive = true,
            name => {
                // `meta.url` is a link and not a value, so look up the whole name
                // first.
                let column = Column::from_name(name)
                    .or_else(|| Column::from_name(name.strip_prefix("meta.")?))
                    .filter(|column| column.is_context());
                if let Some(column) = column {
                    columns::apply(&mut context, column, text);
                }
            }
        }
    }
    context
}

#[cfg(test)]
mod tests {
    use crate::engine::indicator::{Kind, Role, Scope};
    use crate::intel::feed::{Collected, Format, Options};

    #[test]
    fn escapes_of_zeek() {
        for (column, want) in [
            ("a\\x2db", "a-b"),
            ("C:\\x5cx41", "C:\\x41"),
            ("\\x4", "\\x4"),
            ("\\n\\\\", "\\n\\\\"),
            ("\\xc3\\xa9", "é"),
        ] {
            assert_eq!(super::decoded(column), want);
        }
    }

    #[test]
    fn kinds_and_meta() {
        let text = b"#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.url\tmeta.whitelist\n\
            203.0.113.5\tIntel::ADDR\tlist\tscanner\thttp://ref.example/1\tF\n\
            203.0.113.0/24\tIntel::SUBNET\tlist\t-\t-\t-\n\
            Evil.example\tIntel::DOMAIN\tlist\t-\t-\tF\n\
            evil.example/x\tIntel::URL\tlist\t-\t-\tF\n\
            0123456789abcdef0123456789abcdef01234567\tIntel::CERT_HASH\tlist\t-\t-\tF\n\
            good.example\tIntel::DOMAIN\tlist\t-\t-\tT\n\
            x\tIntel::NONSENSE\tlist\t-\t-\tF\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Zeek);
        let kinds: Vec<_> = got.indicators.iter().map(|i| i.kind).collect();
        assert_eq!(
            kinds,
            [Kind::Ip, Kind::Net, Kind::Domain, Kind::Url, Kind::CertSha1, Kind::Domain]
        );
        let first = &got.indicators[0].context;
        assert_eq!(first.collection.as_deref(), Some("list"));
        assert_eq!(first.description.as_deref(), Some("scanner"));
        assert_eq!(first.references, ["http://ref.example/1"]);
        assert_eq!(got.indicators[2].scope, Scope::Exact);
        assert_eq!(got.indicators[5].context.role, Role::Allow);
        assert_eq!(got.rejects.len(), 1);
    }
}
