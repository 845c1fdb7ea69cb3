//! API roots in memory, for tests: what medallion reads from its data file.

use super::library::{Added, Collection, Discovery, Entry, Library, Page, Wanted};
use super::media::STIX_21;
use super::query::Filter;
use super::stored::{Head, is_there, select};
use crate::engine::indicator::Timestamp;
use crate::exchange::http::Failure;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// API roots in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    discovery: Value,
    roots: BTreeMap<String, Root>,
    /// The last time that was given to an object.
    last: Timestamp,
}

#[derive(Debug, Default)]
struct Root {
    title: String,
    collections: Vec<Stored>,
    statuses: BTreeMap<String, Value>,
}

#[derive(Debug)]
struct Stored {
    collection: Collection,
    heads: Vec<Head>,
    bodies: Vec<String>,
}

impl Memory {
    /// Reads a data file of medallion. Objects without an entry in the manifest of their
    /// collection are left out.
    pub fn of(data: &Value) -> Memory {
        let mut contents =
            Contents { discovery: data["/discovery"].clone(), ..Contents::default() };
        for (name, root) in data.as_object().into_iter().flatten() {
            if !name.starts_with('/') {
                contents.roots.insert(name.clone(), root_of(root));
            }
        }
        let times = contents.roots.values().flat_map(|root| &root.collections);
        contents.last =
            times.flat_map(|of| &of.heads).map(|head| head.added).max().unwrap_or_default();
        Memory(Arc::new(Mutex::new(contents)))
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the clock: what is added from now on was added after `now`.
    pub fn tick(&self, now: Timestamp) {
        let mut contents = self.lock();
        contents.last = contents.last.max(now);
    }
}

fn root_of(root: &Value) -> Root {
    let array = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let statuses = array(&root["status"]).into_iter().filter_map(|status| {
        let id = status["id"].as_str()?.to_string();
        Some((id, status))
    });
    Root {
        title: root["information"]["title"].as_str().unwrap_or("").to_string(),
        collections: array(&root["collections"]).iter().filter_map(stored_of).collect(),
        statuses: statuses.collect(),
    }
}

fn stored_of(of: &Value) -> Option<Stored> {
    let text = |name: &str| of[name].as_str().map(str::to_string);
    let media = of["media_types"].as_array().into_iter().flatten();
    let collection = Collection {
        id: text("id")?,
        title: text("title")?,
        description: text("description"),
        alias: text("alias"),
        can_read: of["can_read"].as_bool()?,
        can_write: of["can_write"].as_bool()?,
        media_types: media.filter_map(|name| Some(name.as_str()?.to_string())).collect(),
    };
    let mut stored = Stored { collection, heads: Vec::new(), bodies: Vec::new() };
    let rows: Vec<&Value> = of["manifest"].as_array().into_iter().flatten().collect();
    let mut last = Timestamp::default();
    for object in of["objects"].as_array().into_iter().flatten() {
        let version = object.get("modified").or_else(|| object.get("created"));
        let row =
            rows.iter().find(|row| row["id"] == object["id"] && Some(&row["version"]) == version);
        let added = row.and_then(|row| Timestamp::parse(row["date_added"].as_str()?));
        let Some(head) = added.and_then(|added| Head::of(object, added).ok()) else { continue };
        last = last.max(head.added);
        stored.heads.push(head);
        stored.bodies.push(object.to_string());
    }
    Some(stored)
}

impl Contents {
    fn stored(&mut self, root: &str, id: &str) -> Result<&mut Stored, Failure> {
        let collections = self.roots.get_mut(root).map(|root| &mut root.collections);
        collections
            .and_then(|all| all.iter_mut().find(|stored| stored.collection.id == id))
            .ok_or_else(Failure::not_found)
    }
}

impl Library for Memory {
    fn discovery(&self) -> Discovery {
        let contents = self.lock();
        let text = |name: &str| contents.discovery[name].as_str().unwrap_or("").to_string();
        let addresses = contents.discovery["api_roots"].as_array().map(|roots| {
            roots.iter().filter_map(|root| Some(root.as_str()?.to_string())).collect()
        });
        Discovery {
            title: text("title"),
            description: text("description"),
            contact: Some(text("contact")).filter(|contact| !contact.is_empty()),
            roots: contents.roots.keys().cloned().collect(),
            default: contents.roots.keys().next().cloned(),
            addresses,
        }
    }

    fn title(&self, root: &str) -> Option<String> {
        Some(self.lock().roots.get(root)?.title.clone())
    }

    fn collections(&self, root: &str) -> Result<Vec<Collection>, Failure> {
        let contents = self.lock();
        let root = contents.roots.get(root).ok_or_else(Failure::not_found)?;
        Ok(root.collections.iter().map(|stored| stored.collection.clone()).collect())
    }

    fn collection(&self, root: &str, name: &str) -> Result<Option<Collection>, Failure> {
        let is_it = |of: &Collection| of.id == name || of.alias.as_deref() == Some(name);
        Ok(self.collections(root)?.into_iter().find(is_it))
    }

    fn objects(&self, root: &str, of: &Collection, wanted: &Wanted<'_>) -> Result<Page, Failure> {
        let mut contents = self.lock();
        let stored = contents.stored(root, &of.id)?;
        let (mut found, is_known) = select(&stored.heads, wanted);
        let has_more = found.len() > wanted.limit;
        found.truncate(wanted.limit);
        let entry = |at: usize| {
            let Head { id, version, spec, added } = stored.heads[at].clone();
            let body = if wanted.has_bodies { stored.bodies[at].clone() } else { String::new() };
            Entry { added, id, version, spec, body }
        };
        let entries = found.into_iter().map(entry).collect();
        Ok(Page { entries, has_more, resume: None, is_known })
    }

    fn add(&self, root: &str, to: &Collection, objects: Vec<Value>) -> Result<Vec<Added>, Failure> {
        let mut contents = self.lock();
        let mut outcome = Vec::with_capacity(objects.len());
        for object in objects {
            let added = Timestamp(contents.last.0 + 1);
            let head = match Head::of(&object, added) {
                Ok(head) => head,
                Err(failure) => {
                    outcome.push(failure);
                    continue;
                }
            };
            let stored = contents.stored(root, &to.id)?;
            let is_old = is_there(&stored.heads, &head, &object);
            outcome.push(Added {
                id: head.id.clone(),
                version: head.version.clone(),
                message: is_old.then(|| "it was there already".into()),
                is_failure: false,
            });
            if !is_old {
                stored.heads.push(head);
                stored.bodies.push(object.to_string());
                contents.last = added;
            }
        }
        Ok(outcome)
    }

    fn delete(
        &self,
        root: &str,
        of: &Collection,
        id: &str,
        filter: &Filter,
    ) -> Result<bool, Failure> {
        let mut contents = self.lock();
        let stored = contents.stored(root, &of.id)?;
        let limit = stored.heads.len();
        let wanted =
            Wanted { filter, object: Some(id), after: None, limit, has_bodies: false, since: None };
        let (mut found, _) = select(&stored.heads, &wanted);
        found.sort_unstable();
        for at in found.iter().rev() {
            stored.heads.remove(*at);
            stored.bodies.remove(*at);
        }
        Ok(!found.is_empty())
    }

    fn keep_status(&self, root: &str, id: &str, status: &Value) -> Result<(), Failure> {
        let mut contents = self.lock();
        let root = contents.roots.get_mut(root).ok_or_else(Failure::not_found)?;
        root.statuses.insert(id.to_string(), status.clone());
        Ok(())
    }

    fn status(&self, root: &str, id: &str) -> Result<Option<Value>, Failure> {
        Ok(self.lock().roots.get(root).and_then(|root| root.statuses.get(id).cloned()))
    }
}

/// A small library, for tests and fuzzing: the root `root` with an empty collection.
pub fn example() -> Memory {
    Memory::of(&json!({
        "/discovery": {"title": "Example"},
        "root": {"information": {"title": "Example"}, "collections": [{
            "id": "365fed99-08fa-4dcd-a1b3-fb247eb41d01", "title": "Objects", "alias": "objects",
            "can_read": true, "can_write": true, "media_types": [STIX_21],
        }]},
    }))
}
