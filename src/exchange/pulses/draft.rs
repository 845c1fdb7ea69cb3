//! Pulses and indicators that somebody asks to be stored, read from JSON and validated.

use super::{
    Invalid, Lists, MAX_DESCRIPTION, MAX_INDICATORS, MAX_LIST, MAX_NAME, MAX_REFERENCE, MAX_TAG,
    MIN_NAME, Type, clean_line, clean_text, normalise, parse_time,
};
use crate::engine::indicator::{Timestamp, Tlp};
use crate::exchange::accounts::GroupId;
use serde_json::{Map, Value};

/// A pulse to be created.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Whether everybody with an account may see it.
    pub is_public: bool,
    /// Its TLP.
    pub tlp: Tlp,
    /// The actor.
    pub adversary: String,
    /// Its lists.
    pub lists: Lists,
    /// The groups to share it with, in the order given.
    pub groups: Vec<GroupId>,
    /// Its indicators; of the same type and value there is only one.
    pub indicators: Vec<IndicatorDraft>,
}

/// When an indicator ends, as asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::exchange) enum Expiry {
    /// As usual for its type.
    Usual,
    /// Never.
    Never,
    /// At that time.
    At(Timestamp),
}

impl From<Option<Timestamp>> for Expiry {
    fn from(time: Option<Timestamp>) -> Expiry {
        time.map_or(Expiry::Never, Expiry::At)
    }
}

impl Expiry {
    /// The time that was asked for.
    pub(in crate::exchange) fn at_all(self) -> Option<Timestamp> {
        match self {
            Expiry::At(time) => Some(time),
            Expiry::Never | Expiry::Usual => None,
        }
    }

    /// The time, for an indicator of type `of` that is added at `now`.
    pub(in crate::exchange) fn at(self, of: Type, now: Timestamp) -> Option<Timestamp> {
        match self {
            Expiry::Never => None,
            Expiry::At(time) => Some(time),
            Expiry::Usual => of.default_days().map(|days| Timestamp(now.0 + days * 86_400_000_000)),
        }
    }
}

/// An indicator to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct IndicatorDraft {
    /// What it is.
    pub kind: Type,
    /// As written.
    pub value: String,
    /// Normalised.
    pub norm: String,
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: String,
    /// The text of a rule.
    pub content: String,
    /// Its role.
    pub role: Option<String>,
    /// When it ends.
    pub(in crate::exchange) expiry: Expiry,
    /// Whether it is to be matched.
    pub is_active: bool,
    /// Whether it is on a warning list, so that it is kept out of exports.
    pub is_flagged: bool,
    /// Of the digest of a file, other digests of the same file.
    pub siblings: Vec<(Type, String)>,
}

impl IndicatorDraft {
    /// An indicator without anything but its value.
    ///
    /// # Errors
    ///
    /// Why it is not a value of this type.
    pub fn new(kind: Type, value: &str) -> Result<IndicatorDraft, String> {
        let (kind, norm) = normalise(kind, value)?;
        Ok(IndicatorDraft {
            kind,
            value: value.trim().to_string(),
            norm,
            title: String::new(),
            description: String::new(),
            content: String::new(),
            role: None,
            expiry: Expiry::Usual,
            is_active: true,
            is_flagged: false,
            siblings: Vec::new(),
        })
    }

    /// Reads an indicator of a body. Unknown members are ignored: clients send back what
    /// `validate` answered.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn from_json(value: &Value, now: Timestamp) -> Result<IndicatorDraft, String> {
        let Value::Object(members) = value else {
            return Err("expected an object with “indicator” and “type”".into());
        };
        let name = text_of(members, "type")?.ok_or("the type is missing")?;
        let kind = Type::from_name(name).ok_or_else(|| unknown_type(name))?;
        let value = text_of(members, "indicator")?.ok_or("the indicator is missing")?;
        let mut draft = IndicatorDraft::new(kind, value)?;
        draft.title = line_of(members, "title")?.unwrap_or_default();
        draft.description = prose_of(members, "description")?.unwrap_or_default();
        draft.content = prose_of(members, "content")?.unwrap_or_default();
        draft.role = line_of(members, "role")?.filter(|role| !role.is_empty());
        if let Some(expiry) = expiry_of(members, now)? {
            draft.expiry = expiry;
        }
        draft.is_active = flag_of(members, "is_active")?.unwrap_or(true);
        draft.siblings = siblings_of(members, &draft)?;
        Ok(draft)
    }
}

/// The other digests of a file: of the member `hashes`, as STIX has it, and of a title or a
/// description such as `MD5 of 0f3a…`, as pulses of OTX have it.
fn siblings_of(
    members: &Map<String, Value>,
    draft: &IndicatorDraft,
) -> Result<Vec<(Type, String)>, String> {
    let mut found: Vec<(Type, String)> = Vec::new();
    if !draft.kind.is_file_digest() {
        return Ok(found);
    }
    if let Some(Value::Object(hashes)) = members.get("hashes") {
        for (name, value) in hashes {
            let kind = match name.to_ascii_uppercase().as_str() {
                "MD5" => Type::Md5,
                "SHA-1" | "SHA1" => Type::Sha1,
                "SHA-256" | "SHA256" => Type::Sha256,
                _ => continue,
            };
            let value = value.as_str().ok_or("hashes: expected texts")?;
            found.push(normalise(kind, value).map_err(|why| format!("hashes: {why}"))?);
        }
    }
    for text in [&draft.title, &draft.description] {
        let mut words = text.split_whitespace();
        let is_such = matches!(words.next(), Some("MD5" | "SHA1" | "SHA256"));
        if let (true, Some("of"), Some(digest), None) =
            (is_such, words.next(), words.next(), words.next())
        {
            let kinds = [Type::Md5, Type::Sha1, Type::Sha256];
            found.extend(kinds.into_iter().filter_map(|kind| normalise(kind, digest).ok()));
        }
    }
    found.retain(|of| of.0 != draft.kind);
    found.dedup();
    Ok(found)
}

fn unknown_type(name: &str) -> String {
    let known: Vec<&str> = Type::ALL.iter().map(|of| of.name()).collect();
    let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
    format!("unknown type “{shown}”: expected one of {}", known.join(", "))
}

/// `expiration`: a time, or nothing, which means never. The default if it is absent.
pub(super) fn expiry_of(
    members: &Map<String, Value>,
    now: Timestamp,
) -> Result<Option<Expiry>, String> {
    match members.get("expiration") {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(Expiry::Never)),
        Some(Value::String(text)) => {
            let time = parse_time(text, now).map_err(|why| format!("expiration: {why}"))?;
            Ok(Some(time.map_or(Expiry::Never, Expiry::At)))
        }
        Some(_) => Err("expiration: expected a time".into()),
    }
}

/// A member that is a text; null counts as absent.
pub(super) fn text_of<'m>(
    members: &'m Map<String, Value>,
    name: &str,
) -> Result<Option<&'m str>, String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{name}: expected a text")),
    }
}

/// A member that is one line.
pub(super) fn line_of(members: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    let Some(text) = text_of(members, name)? else { return Ok(None) };
    let line = clean_line(text).map_err(|why| format!("{name}: {why}"))?;
    if line.chars().count() > 512 {
        return Err(format!("{name}: at most 512 characters are allowed"));
    }
    Ok(Some(line))
}

/// A member that is a text of several lines.
pub(super) fn prose_of(members: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    let Some(text) = text_of(members, name)? else { return Ok(None) };
    if text.len() > MAX_DESCRIPTION {
        return Err(format!("{name}: at most {MAX_DESCRIPTION} bytes are allowed"));
    }
    Ok(Some(clean_text(text)))
}

/// A member that is true or false, or 1 or 0.
pub(super) fn flag_of(members: &Map<String, Value>, name: &str) -> Result<Option<bool>, String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(Value::Number(number)) if number.as_u64() == Some(0) => Ok(Some(false)),
        Some(Value::Number(number)) if number.as_u64() == Some(1) => Ok(Some(true)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(_) => Err(format!("{name}: expected true or false")),
    }
}

impl Draft {
    /// Reads the body of a creation.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn from_json(body: &Value, now: Timestamp) -> Result<Draft, Invalid> {
        let Value::Object(members) = body else {
            return Err(Invalid::of("body", "expected a JSON object"));
        };
        let mut invalid = Invalid::default();
        let name = take(&mut invalid, "name", name_of(members)).flatten();
        if name.is_none() && invalid.errors.is_empty() {
            invalid.add("name", "the name is missing");
        }
        let description = take(&mut invalid, "description", prose_of(members, "description"));
        let is_public = take(&mut invalid, "public", flag_of(members, "public")).flatten();
        let tlp = take(&mut invalid, "TLP", tlp_of(members)).flatten().unwrap_or(Tlp::Green);
        let adversary = take(&mut invalid, "adversary", line_of(members, "adversary"));
        let lists = lists_of(members, &mut invalid);
        let groups = take(&mut invalid, "group_ids", groups_of(members.get("group_ids")));
        let indicators = indicators_of(members.get("indicators"), now, &mut invalid);
        let is_public = is_public.unwrap_or(tlp <= Tlp::Green);
        if let Err(message) = check_tlp(tlp, is_public) {
            invalid.add("TLP", message);
        }
        let draft = Draft {
            name: name.unwrap_or_default(),
            description: description.flatten().unwrap_or_default(),
            is_public,
            tlp,
            adversary: adversary.flatten().unwrap_or_default(),
            lists,
            groups: groups.unwrap_or_default(),
            indicators,
        };
        invalid.unless_empty(draft)
    }
}

/// The value, or its error as a message about a field.
pub(super) fn take<T>(invalid: &mut Invalid, field: &str, result: Result<T, String>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(message) => {
            let prefix = format!("{field}: ");
            invalid.add(field, message.strip_prefix(&prefix).unwrap_or(&message));
            None
        }
    }
}

/// Amber and red are for some, so they cannot be for everybody.
pub(super) fn check_tlp(tlp: Tlp, is_public: bool) -> Result<(), String> {
    if is_public && tlp > Tlp::Green {
        return Err(format!("a public pulse cannot be {}", tlp.name()));
    }
    Ok(())
}

/// The name of a pulse.
pub(super) fn name_of(members: &Map<String, Value>) -> Result<Option<String>, String> {
    let Some(name) = text_of(members, "name")? else { return Ok(None) };
    let name = clean_line(name)?;
    if !(MIN_NAME..=MAX_NAME).contains(&name.chars().count()) {
        return Err(format!("expected {MIN_NAME} to {MAX_NAME} characters"));
    }
    Ok(Some(name))
}

/// `TLP`, or `tlp`.
pub(super) fn tlp_of(members: &Map<String, Value>) -> Result<Option<Tlp>, String> {
    for name in ["TLP", "tlp"] {
        if let Some(text) = text_of(members, name)? {
            let expected = "expected white, green, amber, amber+strict or red";
            return Tlp::from_name(text).map(Some).ok_or_else(|| expected.to_string());
        }
    }
    Ok(None)
}

/// The longest entry of a list of that name.
const fn longest(name: &str) -> usize {
    // References are URLs, the others are names.
    if name.len() == "references".len() && name.as_bytes()[0] == b'r' {
        MAX_REFERENCE
    } else {
        MAX_TAG
    }
}

/// The entries of a list: texts, or objects that have a name, as other endpoints answer them.
pub(super) fn entries_of(name: &str, value: Option<&Value>) -> Result<Vec<String>, String> {
    let list = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err("expected a list of texts".into()),
    };
    if list.len() > MAX_LIST {
        return Err(format!("{} entries: at most {MAX_LIST} are allowed", list.len()));
    }
    let mut entries: Vec<String> = Vec::with_capacity(list.len());
    for entry in list {
        let text = match entry {
            Value::String(text) => text.as_str(),
            Value::Object(members) => {
                let named = if name == "attack_ids" { "id" } else { "display_name" };
                text_of(members, named)?.ok_or("expected a list of texts")?
            }
            _ => return Err("expected a list of texts".into()),
        };
        let line = clean_line(text)?;
        if line.len() > longest(name) && line.chars().count() > longest(name) {
            return Err(format!("an entry has more than {} characters", longest(name)));
        }
        if !line.is_empty() && !entries.contains(&line) {
            entries.push(line);
        }
    }
    Ok(entries)
}

/// The lists of a pulse by their names.
pub(super) fn lists_mut(lists: &mut Lists) -> [(&'static str, &mut Vec<String>); 7] {
    [
        ("tags", &mut lists.tags),
        ("references", &mut lists.references),
        ("targeted_countries", &mut lists.targeted_countries),
        ("industries", &mut lists.industries),
        ("malware_families", &mut lists.malware_families),
        ("attack_ids", &mut lists.attack_ids),
        ("extract_source", &mut lists.extract_source),
    ]
}

fn lists_of(members: &Map<String, Value>, invalid: &mut Invalid) -> Lists {
    let mut lists = Lists::default();
    for (name, list) in lists_mut(&mut lists) {
        *list = take(invalid, name, entries_of(name, members.get(name))).unwrap_or_default();
    }
    lists
}

/// The numbers of groups, without repetition.
pub(super) fn groups_of(value: Option<&Value>) -> Result<Vec<GroupId>, String> {
    let list = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err("expected a list of numbers".into()),
    };
    let mut groups = Vec::new();
    if list.len() > MAX_LIST {
        return Err(format!("{} groups: at most {MAX_LIST} are allowed", list.len()));
    }
    for entry in list {
        let number = entry.as_i64().or_else(|| entry.as_str()?.parse().ok());
        let group = GroupId(number.ok_or("expected a list of numbers")?);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    Ok(groups)
}

/// The indicators of a body. Only the first few errors are reported.
pub(super) fn indicators_of(
    value: Option<&Value>,
    now: Timestamp,
    invalid: &mut Invalid,
) -> Vec<IndicatorDraft> {
    let list = match value {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(list)) => list,
        Some(_) => {
            invalid.add("indicators", "expected a list of objects");
            return Vec::new();
        }
    };
    if list.len() > MAX_INDICATORS {
        let message = format!("{} indicators: at most {MAX_INDICATORS} are allowed", list.len());
        invalid.add("indicators", message);
        return Vec::new();
    }
    let mut drafts = Vec::with_capacity(list.len());
    let mut seen = std::collections::HashSet::with_capacity(list.len());
    let mut wrong = 0;
    for (at, entry) in list.iter().enumerate() {
        match IndicatorDraft::from_json(entry, now) {
            Ok(draft) => {
                if seen.insert((draft.kind, draft.norm.clone())) {
                    drafts.push(draft);
                }
            }
            Err(message) if wrong < 20 => {
                wrong += 1;
                invalid.add(&format!("indicators[{at}]"), message);
            }
            Err(_) => {}
        }
    }
    drafts
}
