//! What somebody sends to the inbox becomes a draft: a pulse that only its author sees, to be
//! looked at and published.

use crate::engine::indicator::{Indicator, Kind, Scope, Timestamp, Tlp};
use crate::exchange::pulses::{
    Draft, IndicatorDraft, Lists, MAX_INDICATORS, MAX_LIST, MAX_NAME, MAX_TAG, MIN_NAME, Type,
    clean_line, clean_text,
};
use crate::intel::feed::{Collected, Format, Options, read};
use hashbrown::HashSet;
use serde_json::{Value, json};

/// The draft of a pulse with what objects say. `None` if they have no indicators.
pub(super) fn draft(objects: &[Value], now: Timestamp) -> Option<Draft> {
    let bundle = json!({"type": "bundle", "objects": objects}).to_string();
    let options = Options { format: Some(Format::Stix), ..Options::of_feed("inbox") };
    let mut found = Collected::default();
    // A damaged object is reported as rejected; the others are read.
    read(bundle.as_bytes(), &options, &mut found).ok()?;
    let mut seen = HashSet::new();
    let drafts = found.indicators.iter().filter_map(of_indicator).chain(vulnerabilities(objects));
    let indicators: Vec<IndicatorDraft> = drafts
        .filter(|draft| seen.insert((draft.kind, draft.norm.clone())))
        .take(MAX_INDICATORS)
        .collect();
    if indicators.is_empty() {
        return None;
    }
    let report = objects.iter().find(|object| matches!(kind(object), "report" | "grouping"));
    let text = |name: &str| report.and_then(|report| report[name].as_str()).unwrap_or("");
    let tlp = found.indicators.iter().filter_map(|of| of.context.tlp).max();
    Some(Draft {
        name: name(text("name"), now),
        description: clean_text(text("description")).chars().take(8192).collect(),
        is_public: false,
        tlp: tlp.unwrap_or(Tlp::Amber),
        adversary: names(objects, &["intrusion-set", "threat-actor"])
            .into_iter()
            .next()
            .unwrap_or_default(),
        lists: Lists {
            malware_families: names(objects, &["malware"]),
            tags: vec!["taxii".into()],
            ..Lists::default()
        },
        groups: Vec::new(),
        indicators,
    })
}

/// The type of an object.
fn kind(object: &Value) -> &str {
    object["type"].as_str().unwrap_or("")
}

/// A name for the pulse: that of the report, if it can be one.
fn name(of_report: &str, now: Timestamp) -> String {
    let name: String = clean_line(of_report).unwrap_or_default().chars().take(MAX_NAME).collect();
    if name.chars().count() >= MIN_NAME {
        return name;
    }
    format!(
        "TAXII submission of {}",
        now.to_string().get(..16).unwrap_or("today").replace('T', " ")
    )
}

/// The names of objects of some types, each once.
fn names(objects: &[Value], kinds: &[&str]) -> Vec<String> {
    let mut names = Vec::new();
    for object in objects.iter().filter(|object| kinds.contains(&kind(object))) {
        let name = clean_line(object["name"].as_str().unwrap_or("")).unwrap_or_default();
        let is_new = !name.is_empty() && !names.contains(&name);
        if is_new && name.chars().count() <= MAX_TAG && names.len() < MAX_LIST {
            names.push(name);
        }
    }
    names
}

/// The vulnerabilities, which STIX has no patterns for.
fn vulnerabilities(objects: &[Value]) -> impl Iterator<Item = IndicatorDraft> {
    objects
        .iter()
        .filter(|object| kind(object) == "vulnerability")
        .filter_map(|object| IndicatorDraft::new(Type::Cve, object["name"].as_str()?).ok())
}

fn of_indicator(of: &Indicator) -> Option<IndicatorDraft> {
    let kind = type_of(of)?;
    let mut draft = IndicatorDraft::new(kind, &of.value.to_string()).ok()?;
    let context = &of.context;
    let line = |text: Option<&str>| clean_line(text.unwrap_or("")).unwrap_or_default();
    draft.title = line(context.name.as_deref()).chars().take(512).collect();
    draft.description =
        clean_text(context.description.as_deref().unwrap_or("")).chars().take(1024).collect();
    draft.is_active = !context.inactive;
    if let Some(end) = context.valid_until {
        draft.expiry = Some(end).into();
    }
    Some(draft)
}

/// The type of an indicator; `None` if pulses have none for it.
fn type_of(of: &Indicator) -> Option<Type> {
    Some(match of.kind {
        Kind::Ip => Type::IPv4,
        Kind::Net => Type::Cidr,
        Kind::Domain if of.scope == Scope::Exact => Type::Hostname,
        Kind::Domain if of.scope == Scope::Subtree => Type::Domain,
        Kind::Url if of.scope == Scope::Exact => Type::Url,
        Kind::UrlPath => Type::Uri,
        Kind::Email if of.scope == Scope::Exact => Type::Email,
        Kind::Md5 => Type::Md5,
        Kind::Sha1 => Type::Sha1,
        Kind::Sha256 => Type::Sha256,
        Kind::Pehash => Type::Pehash,
        Kind::Imphash => Type::Imphash,
        Kind::Filename | Kind::Filepath if of.scope == Scope::Exact => Type::FilePath,
        Kind::Mutex => Type::Mutex,
        Kind::Cve => Type::Cve,
        Kind::Ja3 => Type::Ja3,
        Kind::CertSha1 => Type::Certificate,
        Kind::Btc => Type::Bitcoin,
        _ => return None,
    })
}
