//! MISP warning lists: known good values, matched in five modes (feed
//! specification, section 3.3).

use crate::engine::error::{Error, Result};
use crate::engine::indicator::digest::kind_of_len;
use crate::engine::indicator::guess::{Guess, guess};
use crate::engine::indicator::{
    self, Indicator, Kind, Reason, Role, Scope, WarningEntry, WarningList, address, domain,
};
use crate::intel::feed::contexts::Shared;
use crate::intel::feed::format::loki;
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::MAX_VALUE;
use crate::intel::feed::{Collected, Format, Options, detect, json, lines};
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;

/// Reads a list as a feed. Every entry has [`Role::Allow`].
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) -> Result<()> {
    let document = json::parse(text)?;
    let Value::Object(list) = &document else {
        return Err(
            Error::format("a warning list is an object").remedy("give the list.json of one list")
        );
    };
    let mode = json::text(list, "type").unwrap_or_default();
    let mut context = intake.base();
    context.role = Role::Allow;
    context.collection = json::own(list, "name");
    context.description = json::own(list, "description");
    let context = Arc::new(context);
    let attributes = json::array(list, "matching_attributes");
    let kinds = pattern_kinds(attributes);
    let only_digests = !attributes.is_empty() && attributes.iter().all(is_digest);
    for entry in json::array(list, "list") {
        let Some(entry) = json::as_text(entry) else { continue };
        match &*mode {
            "cidr" => {
                intake.typed(Kind::Net, &entry, Scope::Exact, &context);
            }
            "hostname" => hostname(&entry, &context, intake),
            "string" if only_digests => digest(&entry, &context, intake),
            "string" => string(&entry, &context, intake),
            "substring" => {
                patterns(&format!("*{entry}*"), Scope::Wildcard, &kinds, &context, intake)
            }
            "regex" => regex(&entry, &kinds, &context, intake),
            other => return Err(unknown_mode(other)),
        }
    }
    Ok(())
}

/// Reads a list to check incoming indicators against: a MISP warning list, or a
/// list in any other format, whose names include their subdomains. `id` is its
/// short name.
///
/// # Errors
///
/// Like [`read()`](super::read()) for a feed, and for an unknown mode.
pub fn read_warninglist(bytes: &[u8], id: &str) -> Result<WarningList> {
    detect::refuse(bytes)?;
    let text = lines::text(bytes);
    if !json::starts(&text) || detect::of_text(&text)? != Format::Warninglist {
        return plain(bytes, id);
    }
    let document = json::parse(&text)?;
    let Value::Object(list) = &document else {
        return Err(Error::format("a warning list is an object"));
    };
    let mode = json::text(list, "type").unwrap_or_default();
    if !["cidr", "hostname", "string", "substring", "regex"].contains(&&*mode) {
        return Err(unknown_mode(&mode));
    }
    let attributes = json::array(list, "matching_attributes");
    let mut found = WarningList {
        id: id.to_string(),
        name: json::own(list, "name").map(Cow::into_owned),
        description: json::own(list, "description").map(Cow::into_owned),
        kinds: limits(attributes),
        is_limited: !attributes.is_empty(),
        ..WarningList::default()
    };
    let only_digests = !attributes.is_empty() && attributes.iter().all(is_digest);
    for entry in json::array(list, "list") {
        let entry = json::as_text(entry);
        match entry.and_then(|entry| warning_entry(&mode, entry.trim(), only_digests)) {
            Some(entry) => found.entries.push(entry),
            None => found.unreadable += 1,
        }
    }
    Ok(found)
}

/// Reads an entry of a list according to its mode; `None` if it cannot be one.
fn warning_entry(mode: &str, entry: &str, only_digests: bool) -> Option<WarningEntry> {
    if entry.is_empty() || entry.len() > MAX_VALUE {
        return None;
    }
    let whole = |kind| -> Option<WarningEntry> {
        let context = Shared::default();
        let indicator = Indicator::new(kind, entry, Scope::Exact, context).ok()?;
        Some(WarningEntry::Whole(indicator.value))
    };
    let below = |name: &str| -> Option<WarningEntry> {
        let name = domain::normalise(name.trim_matches('.')).ok()?;
        Some(WarningEntry::Below(name.into()))
    };
    match mode {
        "cidr" => Some(WarningEntry::Net(address::parse_net(entry).ok()?)),
        // MISP compares a host with the entry and its parents, so subdomains are included.
        "hostname" => below(entry),
        "substring" => (entry.len() >= MIN_PART).then(|| WarningEntry::Part(entry.into())),
        "regex" => Some(WarningEntry::Regex(translate(entry).ok()?.into())),
        _ if only_digests => whole(kind_of_len(entry.len()).unwrap_or(Kind::Ssdeep)),
        // Some lists of names write this, with which MISP itself would find
        // nothing.
        _ if entry.starts_with('.') => below(entry),
        _ => match guess(entry, Scope::Exact) {
            Ok(Guess::One(_, value, _)) => Some(WarningEntry::Whole(value)),
            Ok(Guess::Nets(nets)) => match &nets[..] {
                [net] => Some(WarningEntry::Net(*net)),
                _ => None,
            },
            Err(Reason::SingleLabel | Reason::UnknownTld) => whole(Kind::Domain),
            Err(_) => Some(WarningEntry::Whole(indicator::Value::Text(entry.into()))),
        },
    }
}

/// Reads a list in another format.
fn plain(bytes: &[u8], id: &str) -> Result<WarningList> {
    let options =
        Options { allow: true, domain_scope: Some(Scope::Subtree), ..Options::of_feed(id) };
    let mut collected = Collected::default();
    super::read(bytes, &options, &mut collected)?;
    let entry = |indicator: Indicator| match (indicator.scope, indicator.value) {
        (Scope::Wildcard | Scope::Regex, _) => None,
        (_, indicator::Value::Net(net)) => Some(WarningEntry::Net(net)),
        (Scope::Subtree | Scope::SubtreeNoApex, indicator::Value::Text(name)) => {
            Some(WarningEntry::Below(name))
        }
        (_, value) => Some(WarningEntry::Whole(value)),
    };
    let total = collected.indicators.len();
    let entries: Vec<_> = collected.indicators.into_iter().filter_map(entry).collect();
    let unreadable = (total - entries.len() + collected.rejects.len()) as u64;
    Ok(WarningList { id: id.to_string(), entries, unreadable, ..WarningList::default() })
}

/// Shorter parts of values occur in too many of them: `.co` is part of every second domain.
const MIN_PART: usize = 4;

/// The kinds that a list applies to, according to its attributes. Attributes that are never matched
/// are ignored.
fn limits(attributes: &[Value]) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    for attribute in attributes.iter().filter_map(Value::as_str) {
        // `domain|ip` applies to both.
        for part in attribute.split('|') {
            let of_part: &[Kind] = match part {
                "ip" | "ip-src" | "ip-dst" => &[Kind::Ip, Kind::Net, Kind::Endpoint],
                "domain" | "hostname" => &[Kind::Domain],
                "url" | "link" => &[Kind::Url],
                "uri" => &[Kind::Url, Kind::UrlPath],
                "filename" => &[Kind::Filename],
                name if name.contains("email") => &[Kind::Email],
                name => {
                    kinds.extend(Kind::from_name(name));
                    &[]
                }
            };
            kinds.extend_from_slice(of_part);
        }
    }
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// The error for a list of an unknown type.
fn unknown_mode(mode: &str) -> Error {
    Error::format(format!("unknown type of warning list “{mode}”"))
        .remedy("expected cidr, hostname, string, substring and regex")
}

/// A host entry, which includes subdomains.
fn hostname(entry: &str, context: &Shared, intake: &mut Intake<'_>) {
    let name = entry.trim().trim_matches('.');
    if name.contains('/') {
        intake.guessed(name, Scope::Exact, context);
    } else {
        intake.typed(Kind::Domain, name, Scope::Subtree, context);
    }
}

/// A whole value of any kind. A leading dot includes subdomains. A single label is a top-level
/// domain and exact, because allowing all of `com` is never intended.
fn string(entry: &str, context: &Shared, intake: &mut Intake<'_>) {
    match guess(entry, Scope::Exact) {
        Err(Reason::SingleLabel | Reason::UnknownTld) => {
            intake.typed(Kind::Domain, entry, Scope::Exact, context);
        }
        _ => {
            intake.guessed(entry, Scope::Exact, context);
        }
    }
}

/// An entry of a list that is only about files. There `3::` is the ssdeep of an
/// empty file and not an address.
fn digest(entry: &str, context: &Shared, intake: &mut Intake<'_>) {
    let kind = kind_of_len(entry.len()).unwrap_or(Kind::Ssdeep);
    intake.typed(kind, entry, Scope::Exact, context);
}

/// Whether an attribute's type is a file's digest, with or without its name.
fn is_digest(attribute: &Value) -> bool {
    let name = attribute.as_str().unwrap_or("");
    let name = name.strip_prefix("filename|").unwrap_or(name);
    name == "malware-sample"
        || Kind::from_name(name).is_some_and(|kind| (Kind::Md5..=Kind::Impfuzzy).contains(&kind))
}

/// The kinds to check a pattern against, according to the list's attributes.
fn pattern_kinds(attributes: &[Value]) -> Vec<Kind> {
    let mut kinds = Vec::new();
    let mut add = |kind| {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    };
    for attribute in attributes.iter().filter_map(Value::as_str) {
        match attribute {
            name if name.contains("email") => add(Kind::Email),
            "domain" | "hostname" | "domain|ip" | "hostname|port" => add(Kind::Domain),
            "url" | "uri" | "link" => add(Kind::Url),
            name if name.contains("filename") => add(Kind::Filename),
            _ => {}
        }
    }
    if kinds.is_empty() { vec![Kind::Domain, Kind::Url, Kind::Email] } else { kinds }
}

/// Passes on a pattern once for each kind.
fn patterns(
    pattern: &str,
    scope: Scope,
    kinds: &[Kind],
    context: &Shared,
    intake: &mut Intake<'_>,
) {
    for &kind in kinds {
        intake.typed(kind, pattern, scope, context);
    }
}

/// Passes on a regular expression, or rejects what cannot be translated.
fn regex(entry: &str, kinds: &[Kind], context: &Shared, intake: &mut Intake<'_>) {
    match translate(entry) {
        Ok(pattern) => patterns(&pattern, Scope::Regex, kinds, context, intake),
        Err(reason) => intake.reject(entry, reason, None),
    }
}

/// Converts PCRE with delimiters and flags (`/…/i`) to our syntax. `g` has no
/// meaning here.
fn translate(entry: &str) -> Result<String, Reason> {
    let entry = entry.trim();
    let (body, flags) = match entry.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) {
        Some((body, flags)) => (body, flags),
        None => (entry, ""),
    };
    let flags: String = flags.chars().filter(|flag| *flag != 'g').collect();
    if !flags.chars().all(|flag| matches!(flag, 'i' | 'm' | 's' | 'x' | 'u')) {
        return Err(Reason::BadPattern);
    }
    // Rust rejects escapes of characters that need none.
    let body = body.replace("\\/", "/").replace("\\@", "@");
    let flags: String = flags.chars().filter(|flag| *flag != 'u').collect();
    let pattern = if flags.is_empty() { body } else { format!("(?{flags}){body}") };
    loki::check_regex(&pattern)?;
    Ok(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intel::feed::{Collected, Format, Options};

    fn read_list(mode: &str, list: &str, attributes: &str) -> Collected {
        let text = format!(
            r#"{{"name":"L","description":"d","version":1,"type":"{mode}","list":{list},
                "matching_attributes":{attributes}}}"#
        );
        let got = Collected::read(text.as_bytes(), &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Warninglist);
        assert!(got.indicators.iter().all(|i| i.context.role == Role::Allow));
        Collected { indicators: got.indicators.clone(), rejects: got.rejects.clone() }
    }

    #[test]
    fn every_mode_of_a_list_is_read() {
        let found = |got: &Collected| -> Vec<(Kind, String, Scope)> {
            got.indicators.iter().map(|i| (i.kind, i.value.to_string(), i.scope)).collect()
        };
        let e = Scope::Exact;
        assert_eq!(
            found(&read_list("cidr", r#"["FE80::/10","1.0.0.1"]"#, "[]")),
            [(Kind::Net, "fe80::/10".into(), e), (Kind::Ip, "1.0.0.1".into(), e)]
        );
        assert_eq!(
            found(&read_list("hostname", r#"[".Dyn.example"]"#, "[]")),
            [(Kind::Domain, "dyn.example".into(), Scope::Subtree)]
        );
        let got = read_list("string", r#"["COM",".google.ad","bit.ly","3::"]"#, "[]");
        assert_eq!(
            found(&got),
            [
                (Kind::Domain, "com".into(), e),
                (Kind::Domain, "google.ad".into(), Scope::Subtree),
                (Kind::Domain, "bit.ly".into(), e),
                (Kind::Ip, "3::".into(), e),
            ]
        );
        assert_eq!(
            found(&read_list("string", r#"["3::"]"#, r#"["md5","filename|md5"]"#)),
            [(Kind::Ssdeep, "3::".into(), e)]
        );
        assert_eq!(
            found(&read_list("substring", r#"["@x.example"]"#, r#"["email-src"]"#)),
            [(Kind::Email, "*@x.example*".into(), Scope::Wildcard)]
        );
        assert_eq!(
            found(&read_list("regex", r#"["/^(noc|soc)\\@.*$/i","/(?=x)y/"]"#, r#"["email-dst"]"#)),
            [(Kind::Email, "(?i)^(noc|soc)@.*$".into(), Scope::Regex)]
        );
    }
}
