//! Collections of objects that others wrote: which versions of them a filter means.

use super::library::{Added, Wanted};
use super::query::{Filter, Version};
use crate::engine::indicator::Timestamp;
use hashbrown::HashMap;
use serde_json::Value;

/// The most bytes of an identifier.
const MAX_ID: usize = 256;

/// What is known about a stored version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The identifier.
    pub id: String,
    /// The version, as text.
    pub version: String,
    /// The version of STIX.
    pub spec: &'static str,
    /// When it was added.
    pub added: Timestamp,
}

impl Head {
    /// What an object says about itself; it was added at `added`.
    ///
    /// # Errors
    ///
    /// It is not an object of STIX: why.
    pub fn of(object: &Value, added: Timestamp) -> Result<Head, Added> {
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let fails = |message: &str| Added {
            id: text("id").unwrap_or("").chars().take(MAX_ID).collect(),
            version: added.to_string(),
            message: Some(message.into()),
            is_failure: true,
        };
        let (Some(id), Some(kind)) = (text("id"), text("type")) else {
            return Err(fails("it has no id or no type"));
        };
        let is_id = |id: &str| id.len() <= MAX_ID && id.bytes().all(|b| b.is_ascii_graphic());
        if !is_id(id) || id.split_once("--").is_none_or(|(of, _)| of != kind) {
            return Err(fails("its id is not its type, two hyphens and a UUID"));
        }
        let times = [text("modified"), text("created")];
        if times.into_iter().flatten().any(|time| Timestamp::parse(time).is_none()) {
            return Err(fails("created or modified is not a time"));
        }
        let version = times.into_iter().flatten().next();
        // Only observables have no times, and they came with STIX 2.1.
        let spec = match (version, text("spec_version")) {
            (None, _) | (_, Some("2.1")) => "2.1",
            _ => "2.0",
        };
        let version = version.map_or_else(|| added.to_string(), str::to_string);
        Ok(Head { id: id.to_string(), version, spec, added })
    }

    /// The type of the object.
    fn kind(&self) -> &str {
        self.id.split("--").next().unwrap_or("")
    }

    /// The version as a time.
    fn time(&self) -> Timestamp {
        Timestamp::parse(&self.version).unwrap_or(self.added)
    }
}

/// The positions of the heads that are wanted, in the order of adding, one more than the limit
/// at most; and whether there is any version of the object that is asked for.
pub fn select(heads: &[Head], wanted: &Wanted<'_>) -> (Vec<usize>, bool) {
    let filter = wanted.filter;
    let is_object = |head: &Head| wanted.object.is_none_or(|id| head.id == id);
    let is_known = heads.iter().any(is_object);
    let of_object = (0..heads.len()).filter(|&at| {
        let head = &heads[at];
        is_object(head) && filter.takes_id(&head.id) && filter.takes_type(head.kind())
    });
    let chosen = of_version(heads, &of_spec(heads, of_object.collect(), filter), filter);
    let mut found: Vec<usize> = chosen
        .into_iter()
        .filter(|&at| wanted.after.is_none_or(|position| heads[at].added > position.after))
        .collect();
    found.sort_unstable_by_key(|&at| heads[at].added);
    found.truncate(wanted.limit + 1);
    (found, is_known)
}

/// Those of the wanted versions of STIX; by default the newest that an object is there in.
fn of_spec(heads: &[Head], mut found: Vec<usize>, filter: &Filter) -> Vec<usize> {
    if !filter.spec_versions.is_empty() {
        found.retain(|&at| filter.takes_only_spec(heads[at].spec));
        return found;
    }
    let mut newest: HashMap<&str, &str> = HashMap::new();
    for &at in &found {
        let head = &heads[at];
        let spec = newest.entry(&head.id).or_insert(head.spec);
        *spec = (*spec).max(head.spec);
    }
    found.retain(|&at| newest.get(&*heads[at].id) == Some(&heads[at].spec));
    found
}

/// Those of the wanted versions of their objects.
fn of_version(heads: &[Head], found: &[usize], filter: &Filter) -> Vec<usize> {
    if filter.versions.contains(&Version::All) {
        return found.to_vec();
    }
    let mut ends: HashMap<&str, (usize, usize)> = HashMap::new();
    for &at in found {
        let (first, last) = ends.entry(&heads[at].id).or_insert((at, at));
        let key = |at: usize| (heads[at].time(), heads[at].added);
        if key(at) < key(*first) {
            *first = at;
        }
        if key(at) > key(*last) {
            *last = at;
        }
    }
    let is_last = [Version::Last];
    let versions = if filter.versions.is_empty() { &is_last[..] } else { &filter.versions };
    let is_wanted = |at: usize| {
        let (first, last) = ends.get(&*heads[at].id).copied().unwrap_or((at, at));
        versions.iter().any(|version| match version {
            Version::First => at == first,
            Version::Last => at == last,
            Version::At(time) => heads[at].time() == *time,
            Version::All => true,
        })
    };
    found.iter().copied().filter(|&at| is_wanted(at)).collect()
}

/// Whether a version of an object is there already. One without `modified` never changes, so any
/// version of it is the same.
pub fn is_there(heads: &[Head], head: &Head, object: &Value) -> bool {
    let is_fixed = object.get("modified").is_none();
    heads.iter().any(|known| known.id == head.id && (is_fixed || known.time() == head.time()))
}
