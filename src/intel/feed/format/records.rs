//! Other JSON: objects with a value and a type, one per line or in an array, and
//! arrays of bare values.

mod members;

use crate::engine::error::{Error, Result};
use crate::engine::indicator::{Kind, Reason, Scope};
use crate::engine::progress::bound;
use crate::intel::feed::contexts::{Contexts, Shared};
use crate::intel::feed::format::standing::{Gone, Standing};
use crate::intel::feed::format::stix;
use crate::intel::feed::format::table::{REVERSED, is_port};
use crate::intel::feed::intake::Intake;
use crate::intel::feed::json::{self, Object};
use crate::intel::feed::lines::{self, Lines};
use crate::intel::feed::live::{self, Live};
use crate::intel::feed::several;
use crate::intel::feed::table::columns::{self, Column};
use crate::intel::feed::table::headings::{self, Heading};
use crate::intel::feed::table::layout::{Detail, Layout};
use crate::intel::feed::table::{nets, sampling::is_pattern};
use crate::intel::feed::types::{self, Type};
use members::{
    ABOUT, Member, PARTS, has_objects, is_inner, is_list, is_list_name, is_part, list_gone,
    members_of, word_of,
};
use serde_json::Value;
use std::borrow::Cow;

/// Reads records. Their members are named like the columns of a table.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) -> Result<()> {
    let mut reader =
        Reader { contexts: Contexts::new(), names: Vec::new(), layout: Layout::default() };
    documents(text, &mut reader, intake)?;
    let summary = intake.summary();
    let malformed = summary.rejects.get(&Reason::Malformed).copied().unwrap_or(0);
    // Withdrawn or filtered records are a normal feed; only what is not understood at all, an error
    // message of an API for example, must not replace the last good copy.
    if summary.indicators == 0 && malformed > 0 && malformed == summary.rejected() {
        return Err(Error::format("no record of this JSON holds an indicator").remedy(
            "a record needs a member such as indicator, value, domain or sha256; \
             if it is another format, name it: --as FORMAT, or format in wiresift.toml",
        ));
    }
    Ok(())
}

/// Reads a document per line, or one for the whole text.
fn documents(text: &str, reader: &mut Reader, intake: &mut Intake<'_>) -> Result<()> {
    if is_lines(text) {
        for (number, line) in Lines::new(text) {
            // Some exports print an array one record per line, with the commas.
            let line = line.trim().trim_end_matches(',');
            if line.is_empty() || line.starts_with('#') || line.starts_with("//") {
                continue;
            }
            intake.at_line(number);
            match json::parse_record(line) {
                Ok(record) => reader.value(&record, None, intake),
                Err(error) => intake.reject(line, Reason::Malformed, Some(error.to_string())),
            }
        }
        return Ok(());
    }
    reader.value(&json::parse(text)?, None, intake);
    Ok(())
}

/// Whether every line is a document, judged by the first.
fn is_lines(text: &str) -> bool {
    let first = Lines::new(text)
        .map(|(_, line)| line.trim())
        .find(|line| !line.is_empty() && !line.starts_with(['#', '/']));
    first.is_some_and(|line| {
        line.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok()
    })
}

/// A record: its members, and whether its values are valid.
struct Record<'r> {
    members: &'r [Member<'r>],
    standing: Standing<'r>,
}

impl Record<'_> {
    /// The text of a member; `None` if it is not text.
    fn text(&self, at: usize) -> Option<Cow<'_, str>> {
        json::as_text(self.members[at].1)
    }
}

/// Reads records one after another.
struct Reader {
    contexts: Contexts,
    /// The names of the last record's members, and their roles: most records have
    /// the same members as the one before.
    names: Vec<String>,
    layout: Layout,
}

impl Reader {
    /// Reads a value of a list: a record, a list, or a bare value. `gone` is set if
    /// a list around it is one of withdrawn values.
    fn value(&mut self, value: &Value, gone: Option<&Gone>, intake: &mut Intake<'_>) {
        match (value, gone) {
            (Value::Array(values), _) => {
                values.iter().for_each(|value| self.value(value, gone, intake));
            }
            (Value::Object(record), _) => self.record(record, gone, intake),
            (value, Some((reason, detail))) => {
                let text = json::as_text(value).unwrap_or_default();
                intake.reject(&text, *reason, Some(detail.clone()));
            }
            (Value::String(text), None) => {
                let context = Shared::clone(self.contexts.get("", || intake.base()));
                intake.guessed_each(text, intake.domain_scope(Scope::Subtree), &context);
            }
            (other, None) => intake.reject(&other.to_string(), Reason::Malformed, None),
        }
    }

    /// Reads a record: the lists in it, or else its pattern, network or values.
    fn record(&mut self, object: &Object, gone: Option<&Gone>, intake: &mut Intake<'_>) {
        let members = members_of(object);
        self.learn(&members);
        if self.has_lists(&members) {
            return self.lists(&members, gone, intake);
        }
        let own = self.gone(&members, intake);
        let gone = gone.or(own.as_ref());
        let context = self.context(&members, intake);
        let record = Record { members: &members, standing: Standing { gone, context: &context } };
        if self.pattern(&record, intake) {
            return;
        }
        let has_values = self.own_values(&record, intake);
        let has_nested = self.nested(&members, gone, intake);
        if !has_values && !has_nested {
            self.without_values(object, &members, gone, intake);
        }
    }

    /// Takes the values of a record itself. False if it has none.
    fn own_values(&self, record: &Record<'_>, intake: &mut Intake<'_>) -> bool {
        let Record { members, standing } = record;
        let is_net = self.network(record, intake);
        let first = |at: usize| {
            json::each(members[at].1).iter().find_map(json::as_text).unwrap_or_default()
        };
        let others = self.layout.other_cells(is_net, first);
        let is_url = !others.has_url && self.url(record, intake);
        let mut found = is_net || is_url;
        for (at, meaning) in self.values(members) {
            // The first address of a network is not a separate indicator.
            if is_net && matches!(meaning, Some((Kind::Ip | Kind::Net, _))) {
                continue;
            }
            if is_url && self.layout.joint().is_some_and(|joint| joint.covers(at)) {
                continue;
            }
            for value in json::each(members[at].1).iter().filter_map(json::as_text) {
                found = true;
                match self.layout.detail(at, meaning, &value, &others) {
                    Some(Detail::Same) => {}
                    _ if standing.rejects(&value, intake) => {}
                    Some(Detail::Known(why)) => {
                        let detail = format!("{}: {why}", members[at].0);
                        intake.reject(&value, Reason::LeftOut, Some(detail));
                    }
                    None => self.put(&value, meaning, record, intake),
                }
            }
        }
        found
    }

    /// Reads what a record without values of its own has in it.
    fn without_values(
        &mut self,
        object: &Object,
        members: &[Member<'_>],
        gone: Option<&Gone>,
        intake: &mut Intake<'_>,
    ) {
        // Records keyed by their identifiers, as in ThreatFox and URLhaus.
        let nested = |value: &Value| value.is_object() || value.is_array();
        if !members.is_empty() && members.iter().all(|(_, value)| nested(value)) {
            // Contacts, authors and reporters have addresses and domains, which are not indicators.
            for (name, value) in members.iter().filter(|(name, _)| !headings::is_people(name)) {
                let list = list_gone(name);
                self.value(value, gone.or(list.as_ref()), intake);
            }
            return;
        }
        let mut parts = members.iter().filter(|(name, value)| is_part(name, value)).peekable();
        if parts.peek().is_some() {
            parts.for_each(|(_, value)| self.value(value, gone, intake));
            return;
        }
        if members.is_empty() && object.keys().any(|name| is_list_name(name)) {
            // An answer about changes that has none.
            return;
        }
        let text = Value::Object(object.clone()).to_string();
        let reason = gone.map_or(Reason::Malformed, |(reason, _)| *reason);
        intake.reject(&text, reason, Some("no member holds a value".into()));
    }

    /// Determines the roles of the members, unless they are the same as in the last
    /// record.
    fn learn(&mut self, members: &[Member<'_>]) {
        let is_known = self.names.len() == members.len()
            && self.names.iter().zip(members).all(|(known, (name, _))| known == name);
        if is_known {
            return;
        }
        let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
        self.names = names.iter().map(|name| name.to_string()).collect();
        self.layout = Layout::of_names(&names);
        // If a record names its indicator, only that counts.
        self.layout.is_strict = true;
    }

    /// The members with values, and what their names mean.
    fn values(&self, members: &[Member<'_>]) -> Vec<(usize, Option<(Kind, Scope)>)> {
        let values = &self.layout.values;
        let is_meant = |at: &&usize| {
            let texts = || json::each(members[**at].1).iter().map(json::as_text);
            !self.layout.names_value()
                && texts().all(|text| text.is_some_and(|text| several::is_values(&text)))
        };
        let hostile = self.layout.hostile.iter().filter(is_meant).map(|&at| (at, None));
        // A file's name or an AS number describes the value next to it.
        let is_detail =
            |kind: Option<(Kind, Scope)>| kind.is_some_and(|(kind, _)| kind.is_string());
        values.iter().copied().filter(|(_, kind)| !is_detail(*kind)).chain(hostile).collect()
    }

    /// Whether a record contains lists of records, and no value itself.
    fn has_lists(&self, members: &[Member<'_>]) -> bool {
        let has_value = self.layout.values.iter().any(|&(at, kind)| {
            kind.is_none() && !members[at].1.is_array() && json::as_text(members[at].1).is_some()
        });
        !has_value && members.iter().any(is_list)
    }

    /// Reads the lists in a record. Lists named after removals count as removed;
    /// lists next to them are valid.
    fn lists(&mut self, members: &[Member<'_>], gone: Option<&Gone>, intake: &mut Intake<'_>) {
        let context = self.context(members, intake);
        let record = Record { members, standing: Standing { gone, context: &context } };
        let values = self.values(members);
        let is_other_list = |at: usize| members[at].1.is_array() && !is_list(&members[at]);
        for &(at, meaning) in values.iter().filter(|(at, _)| is_other_list(*at)) {
            for value in json::each(members[at].1).iter().filter_map(json::as_text) {
                if !record.standing.rejects(&value, intake) {
                    self.put(&value, meaning, &record, intake);
                }
            }
        }
        // If nothing is named like a list, anything with parts is one.
        let is_live = |member: &Member<'_>| is_list(member) && list_gone(member.0).is_none();
        let is_other = |name: &str, value: &Value| {
            (value.is_object() || has_objects(value))
                && !headings::is_people(name)
                && !is_inner(name)
                && !ABOUT.contains(&&*types::squeeze(name))
        };
        let are_others = !members.iter().any(is_live);
        for member in members {
            let (name, value) = *member;
            if is_list(member) {
                let list = list_gone(name);
                self.value(value, gone.or(list.as_ref()), intake);
            } else if are_others && is_other(name, value) {
                self.value(value, gone, intake);
            }
        }
    }

    /// Why a record is no longer valid, according to itself or to an object that
    /// describes it.
    fn gone(&self, members: &[Member<'_>], intake: &Intake<'_>) -> Option<Gone> {
        let verdict = |name: &str, live: Live, value: &Value| {
            // One label among many means less than a single one.
            let words: Vec<_> = json::each(value).iter().filter_map(word_of).collect();
            let word = words.join(", ");
            let reason = live.verdict(&word).filter(|reason| intake.drops(*reason))?;
            Some((reason, format!("its {name} is “{}”", lines::cut(&word, 40))))
        };
        let own = |&(at, live): &(usize, Live)| verdict(members[at].0, live, members[at].1);
        let about = |(name, value): &Member<'_>| {
            let object = value.as_object().filter(|_| ABOUT.contains(&&*types::squeeze(name)))?;
            object.iter().find_map(|(name, value)| {
                verdict(name, live::by_name(&types::squeeze(name))?, value)
            })
        };
        let kinds = self.layout.kind.map_or(&[][..], |at| json::each(members[at].1));
        let mut words = kinds.iter().filter_map(word_of);
        if let Some(word) = words.find(|word| live::is_allowed(&types::squeeze(word))) {
            let detail = format!("its type is “{}”", lines::cut(&word, 40));
            return Some((Reason::Withdrawn, detail));
        }
        self.layout.live.iter().find_map(own).or_else(|| members.iter().find_map(about))
    }

    /// Reads objects in a record whose names are those of values: `hashes`,
    /// `files`. If the record names its indicator, and in other objects, values are
    /// rejected with a reason.
    fn nested(
        &mut self,
        members: &[Member<'_>],
        gone: Option<&Gone>,
        intake: &mut Intake<'_>,
    ) -> bool {
        let has_text = |at: &usize| json::as_text(members[*at].1).is_some();
        let is_named = self.layout.named().iter().any(has_text);
        let mut found = false;
        for (name, value) in members.iter().filter(|(name, value)| is_part(name, value)) {
            let is_values = match headings::of(name) {
                Heading::Role(Column::Value(_)) | Heading::Hostile => true,
                _ => PARTS.contains(&&*types::squeeze(name)),
            };
            if is_values && !is_named {
                let list = list_gone(name);
                self.value(value, gone.or(list.as_ref()), intake);
                found = true;
            } else if is_values {
                let mut left = MAX_REPORTED;
                report(name, value, &mut left, intake);
            }
        }
        found
    }

    /// Compiles the STIX pattern of a record, which replaces all other values.
    fn pattern(&self, record: &Record<'_>, intake: &mut Intake<'_>) -> bool {
        let pattern = self.layout.pattern.and_then(|at| record.text(at));
        let Some(pattern) = pattern.filter(|text| is_pattern(text)) else { return false };
        if !record.standing.rejects(&pattern, intake) {
            stix::put_pattern(&pattern, record.standing.context, intake);
        }
        true
    }

    /// Reads the URL that two members form.
    fn url(&self, record: &Record<'_>, intake: &mut Intake<'_>) -> bool {
        let text = |at: usize| record.text(at).unwrap_or_default();
        let port = self.layout.port.map(text).filter(|port| is_port(port));
        let url = self.layout.joint().and_then(|joint| joint.text(port.as_deref(), text));
        url.inspect(|url| record.standing.take(url, intake)).is_some()
    }

    /// Reads the network that several members form.
    fn network(&self, record: &Record<'_>, intake: &mut Intake<'_>) -> bool {
        let Some(parts) = self.layout.nets else { return false };
        let at = |at: Option<usize>| at.and_then(|at| record.text(at)).unwrap_or_default();
        let start = at(Some(parts.start));
        let text = parts.text(&start, &at(parts.end), &at(parts.length));
        let is_reversed =
            |text: &&String| record.standing.gone.is_none() && nets::is_reversed(text);
        if let Some(text) = text.as_ref().filter(is_reversed) {
            intake.reject(text, Reason::BadNetwork, Some(REVERSED.into()));
            return true;
        }
        let fits = |text: &String| {
            nets::is_network(text) && (!parts.is_unsure || nets::is_plausible(text))
        };
        text.filter(fits).inspect(|text| record.standing.take(text, intake)).is_some()
    }

    /// Passes on a value of a record. Its kind comes from the member's name or from
    /// a member that names the type; an address with a port becomes an endpoint.
    fn put(
        &self,
        value: &str,
        meaning: Option<(Kind, Scope)>,
        record: &Record<'_>,
        intake: &mut Intake<'_>,
    ) {
        let context = record.standing.context;
        let name = || word_of(record.members[self.layout.kind?].1);
        let own = || name().and_then(|name| types::by_name(&name));
        let meaning = meaning.map(|(kind, scope)| Type::Of(kind, scope)).or_else(own);
        let port = self.layout.port.and_then(|at| record.text(at)).filter(|port| is_port(port));
        match (meaning, port) {
            (Some(Type::Of(Kind::Ip, scope)), Some(port)) => {
                let endpoint = match value.contains(':') {
                    true => format!("[{value}]:{port}"),
                    false => format!("{value}:{port}"),
                };
                intake.typed(Kind::Endpoint, &endpoint, scope, context);
            }
            (meaning, _) => put(value, meaning, context, intake),
        }
    }

    /// The context of a record. Most records of a feed share a few contexts, so
    /// they are looked up by their text before they are built.
    fn context(&mut self, members: &[Member<'_>], intake: &Intake<'_>) -> Shared {
        let mut parts: Vec<(Column, Cow<'_, str>, bool)> = Vec::new();
        let mut key = String::new();
        for &(at, column) in &self.layout.context {
            let (name, value) = members[at];
            let is_list = value.is_array();
            for value in json::each(value) {
                let Some(text) = word_of(value) else { continue };
                key.push_str(name);
                key.push('\x1f');
                key.push_str(&text);
                key.push(if is_list { '\x1e' } else { '\x1f' });
                parts.push((column, text, is_list));
            }
        }
        let make = || {
            let mut context = intake.base();
            for (column, text, is_list) in &parts {
                match is_list {
                    true => columns::apply_item(&mut context, *column, text),
                    false => columns::apply(&mut context, *column, text),
                }
            }
            context
        };
        Shared::clone(self.contexts.get(&key, make))
    }
}

/// The maximum number of values in an object to report as rejected.
const MAX_REPORTED: usize = bound(64, 4);

/// Rejects the values in an object next to the value of its record.
fn report(name: &str, value: &Value, left: &mut usize, intake: &mut Intake<'_>) {
    match value {
        Value::Object(object) => {
            object.values().for_each(|value| report(name, value, left, intake));
        }
        Value::Array(list) => list.iter().for_each(|value| report(name, value, left, intake)),
        Value::String(text) if *left > 0 && several::is_values(text) => {
            *left -= 1;
            let detail = format!("{name}: another member of the record is called the indicator");
            intake.reject(text, Reason::LeftOut, Some(detail));
        }
        _ => {}
    }
}

/// Passes on a value of a known type, or guesses its kind.
fn put(value: &str, meaning: Option<Type>, context: &Shared, intake: &mut Intake<'_>) {
    let Some(meaning) = meaning else {
        intake.guessed_each(value, intake.domain_scope(Scope::Subtree), context);
        return;
    };
    match meaning.of_value(value) {
        Some((kind, scope)) => {
            let scope = if kind == Kind::Domain { intake.domain_scope(scope) } else { scope };
            intake.typed_each(kind, value, scope, context);
        }
        None => intake.reject(value, Reason::Ignored, None),
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::indicator::{Severity, Tlp};
    use crate::intel::feed::{Collected, Format, Options};

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
        let keyed = br#"{"7":[{"ioc_value":"evil.example","ioc_type":"domain"}]}"#;
        assert_eq!(Collected::read(keyed, &Options::default()).unwrap().values(), ["evil.example"]);
        let bare = br#"["evil.example", "203.0.113.5", 5]"#;
        let got = Collected::read(bare, &Options::default()).unwrap();
        assert_eq!(got.values(), ["evil.example", "203.0.113.5"]);
        assert_eq!(got.rejects.len(), 1);
    }
}
