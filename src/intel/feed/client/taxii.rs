//! Collections of a TAXII 2.1 server (feed specification, section 2.3).
//!
//! Each page is stored as sent. Objects are combined when the pages are read: the
//! latest version of an object counts, and a revoked one does not. To keep the
//! pages of years from piling up, sixteen of a size are merged into one of the
//! next, without the versions that were replaced.
//!
//! A walk stores the time up to which everything is stored, and continues there
//! after an interruption. It does not store a `next`: some servers deliver each
//! page only once, so asking again would return the page after it. For the same
//! reason a page whose answer failed is not requested again by its `next`, and it
//! does no harm if the server has forgotten it.

use crate::engine::error::{Error, ErrorKind, Result};
use crate::engine::indicator::Timestamp;
use crate::intel::feed::client::ask::{Asker, Response, before, is_name, parse};
use crate::intel::feed::client::{DocumentStore, WalkSummary};
use crate::intel::feed::fetch::{Client, Clock, Request, Url, is_passing};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// The `Accept` header of every request.
const ACCEPT: &str = "application/taxii+json;version=2.1";

/// The number of objects to ask for per page. A server may return fewer.
const LIMIT: u32 = 1000;

/// The number of pages that are merged into one of the next level.
const FAN: usize = 16;

/// The size limit of a merged page, in bytes.
const MAX_MERGED: usize = 64 << 20;

/// The limit of pages per walk, whatever the server claims.
const MAX_PAGES: u32 = 1_000_000;

/// How often a walk may restart because the server forgot its position.
const RESTARTS: u32 = 20;

/// The statuses for a `next` that the server no longer knows. Some servers answer
/// differently from the specification.
const FORGOTTEN: [u16; 6] = [400, 404, 410, 416, 422, 500];

/// How long before our clock a walk ends if the server does not send times.
const MARGIN: Duration = Duration::from_secs(600);

/// A server, and the collections to subscribe to.
#[derive(Clone, Debug)]
pub struct Taxii {
    /// The server's discovery, or one of its API roots.
    pub server: Url,
    /// Collections by identifier, alias or title; empty for all that are readable.
    pub collections: Vec<String>,
    /// The first walk asks for what was added after this time; by default for
    /// everything.
    pub added_after: Option<Timestamp>,
}

/// The positions of the walks, by collection.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    collections: BTreeMap<String, PagePosition>,
}

/// The position of a collection's walk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct PagePosition {
    /// The `added_after` of the query.
    after: Option<String>,
    /// The time up to which added objects are stored, in an unfinished walk.
    last: Option<String>,
    /// The `next` of the last page, if there is more.
    #[serde(skip)]
    next: Option<String>,
    /// The number of the next page.
    page: u64,
}

/// The discovery, or an API root.
#[derive(Deserialize)]
struct Root {
    #[serde(default)]
    api_roots: Option<Vec<String>>,
    #[serde(default)]
    default: Option<String>,
}

/// The answer to `collections/` (TAXII 2.1, section 5.1).
#[derive(Deserialize)]
struct Collections {
    #[serde(default)]
    collections: Vec<Collection>,
}

/// A collection (TAXII 2.1, section 5.2).
#[derive(Clone, Debug, Deserialize)]
struct Collection {
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    alias: Option<String>,
    #[serde(default = "yes")]
    can_read: bool,
}

/// The default of `can_read`. The specification requires the member; some servers
/// omit it.
fn yes() -> bool {
    true
}

/// A page of objects. Anything may be missing from it.
#[derive(Default, Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    more: bool,
    #[serde(default)]
    next: Option<String>,
    #[serde(borrow, default)]
    objects: Vec<&'a RawValue>,
}

/// The parts of an object that merging needs.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    modified: Cow<'a, str>,
}

impl Taxii {
    /// See [`Exchange::walk`](super::Exchange::walk).
    pub(super) fn walk(
        &self,
        client: &Client,
        store: &mut dyn DocumentStore,
        clock: &dyn Clock,
    ) -> Result<WalkSummary> {
        let cursor = super::exchange::resumed(store);
        let mut walker = Walker { taxii: self, asker: Asker::new(client, clock), store, cursor };
        walker.run()?;
        Ok(walker.asker.walked)
    }
}

/// A walk over the collections of a server.
struct Walker<'a> {
    taxii: &'a Taxii,
    asker: Asker<'a>,
    store: &'a mut dyn DocumentStore,
    cursor: Cursor,
}

impl Walker<'_> {
    /// Finds the collections, forgets those no longer subscribed to, and walks
    /// each.
    fn run(&mut self) -> Result<()> {
        let found = self.find()?;
        self.forget(&found)?;
        for (collection, url) in &found {
            self.collection(collection, url)?;
        }
        Ok(())
    }

    /// Finds the collections to subscribe to, and the URLs of their objects.
    fn find(&mut self) -> Result<Vec<(Collection, Url)>> {
        let roots = self.roots()?;
        let mut all = Vec::new();
        let mut refused = None;
        for root in &roots {
            let response = match self.get(&root.below("collections/"), &[]) {
                Ok(response) => response,
                // Another root may be the one that is meant.
                Err(error) if error.kind() == ErrorKind::Refused => {
                    self.asker.walked.missing += 1;
                    refused = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            for collection in response.json::<Collections>()?.collections {
                if is_name(&collection.id) {
                    let url = root.below(&format!("collections/{}/objects/", collection.id));
                    all.push((collection, url));
                }
            }
        }
        match refused {
            Some(error) if all.is_empty() => Err(error),
            _ => self.select(all),
        }
    }

    /// The API roots of a server. The configured URL may be that of the discovery
    /// document or of a root.
    fn roots(&mut self) -> Result<Vec<Url>> {
        let server = self.taxii.server.clone();
        let response = self.get(&server.below(""), &[])?;
        let root: Root = response.json()?;
        // An API root has no list. A server with one root may only name it as the
        // default.
        let Some(listed) = root.api_roots.or(root.default.map(|root| vec![root])) else {
            return Ok(vec![server]);
        };
        let mut roots = Vec::new();
        for root in listed {
            let root = server.join(&root)?;
            if server.is_https() && !root.is_https() {
                return Err(Error::network(format!("the API root {root} is not https"))
                    .at_path(server.to_string())
                    .remedy("name the API root instead"));
            }
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        Ok(roots)
    }

    /// Selects the collections to subscribe to: those named in the configuration by
    /// identifier, title or alias, or all readable ones.
    fn select(&self, all: Vec<(Collection, Url)>) -> Result<Vec<(Collection, Url)>> {
        let wanted = &self.taxii.collections;
        let is = |collection: &Collection, name: &String| {
            collection.id == *name
                || collection.title == *name
                || collection.alias.as_ref() == Some(name)
        };
        if let Some(name) = wanted.iter().find(|name| !all.iter().any(|(c, _)| is(c, name))) {
            let titles: Vec<_> =
                all.iter().map(|(c, _)| format!("{} ({})", c.title, c.id)).collect();
            return Err(Error::usage(format!("there is no collection {name}"))
                .at_path(self.taxii.server.to_string())
                .remedy(format!("expected one of {}", titles.join(", "))));
        }
        let mut found = Vec::new();
        for (collection, url) in all {
            if !wanted.is_empty() && !wanted.iter().any(|name| is(&collection, name)) {
                continue;
            }
            if collection.can_read {
                found.push((collection, url));
            // A write-only collection is skipped, unless it was requested by name.
            } else if !wanted.is_empty() {
                return Err(Error::refused(format!("{} cannot be read", collection.title))
                    .at_path(self.taxii.server.to_string())
                    .remedy("ask its owner for access"));
            }
        }
        Ok(found)
    }

    /// Removes what is stored of collections that are no longer subscribed to.
    fn forget(&mut self, found: &[(Collection, Url)]) -> Result<()> {
        let is_found = |id: &str| found.iter().any(|(collection, _)| collection.id == id);
        let mut gone = 0;
        for name in self.store.names()? {
            if name.split_once('.').is_some_and(|(id, _)| !is_found(id)) {
                self.store.remove(&name)?;
                gone += 1;
            }
        }
        let known = self.cursor.collections.len();
        self.cursor.collections.retain(|id, _| is_found(id));
        self.asker.walked.removed += gone;
        if gone > 0 || known != self.cursor.collections.len() { self.note() } else { Ok(()) }
    }

    /// Sends a request with the media type of TAXII.
    fn get(&mut self, url: &Url, known: &[u16]) -> Result<Response> {
        self.asker.ask(&Request::get(url).accept(ACCEPT), known)
    }

    /// Saves the cursor.
    fn note(&mut self) -> Result<()> {
        let text = serde_json::to_string(&self.cursor)
            .map_err(|error| Error::io("write the cursor", error.into()))?;
        self.store.set_cursor(&text)
    }

    /// Walks a collection from where the last walk stopped.
    fn collection(&mut self, collection: &Collection, url: &Url) -> Result<()> {
        let id = &collection.id;
        let known = self.cursor.collections.get(id).cloned();
        let mut place = known.clone().unwrap_or_else(|| PagePosition {
            after: self.taxii.added_after.map(|time| time.to_string()),
            ..PagePosition::default()
        });
        restart(&mut place);
        let began = before(self.asker.now(), MARGIN).to_string();
        let mut restarts = 0;
        for _ in 0..MAX_PAGES {
            let mut page = url.clone();
            page.add("limit", &LIMIT.to_string());
            if let Some(after) = &place.after {
                page.add("added_after", after);
            }
            let response = match &place.next {
                None => self.get(&page, &[])?,
                Some(next) => {
                    page.add("next", next);
                    let request = Request::get(&page).accept(ACCEPT);
                    match self.asker.once(&request, &FORGOTTEN) {
                        Ok(response) if !FORGOTTEN.contains(&response.status) => response,
                        Err(error) if !is_passing(&error) => return Err(error),
                        failed => {
                            restarts += 1;
                            self.asker.walked.retries += 1;
                            if restarts > RESTARTS {
                                let what = "it does not return the next pages that it announces";
                                let at = page.to_string();
                                return Err(failed
                                    .err()
                                    .unwrap_or(Error::network(what).at_path(at)));
                            }
                            restart(&mut place);
                            continue;
                        }
                    }
                }
            };
            let more = self.page(id, &mut place, &response)?;
            if !more {
                let after = place.last.take().or_else(|| (place.page > 0).then(|| began.clone()));
                place.after = after.or(place.after);
                place.next = None;
            }
            if known.as_ref() != Some(&place) {
                self.cursor.collections.insert(id.clone(), place.clone());
                self.note()?;
            }
            if !more {
                return self.merge(id);
            }
        }
        Err(Error::format("the server keeps returning pages").at_path(url.to_string()))
    }

    /// Stores a page, and returns whether there is more.
    fn page(&mut self, id: &str, place: &mut PagePosition, response: &Response) -> Result<bool> {
        let envelope: Envelope<'_> = response.json()?;
        let (first, last) = &response.added;
        if !envelope.objects.is_empty() {
            self.store.put(&format!("{id}.0.{:08}", place.page), &response.body)?;
            self.asker.walked.put += 1;
            place.page += 1;
            place.last = later(place.last.take(), last.clone());
        }
        if !envelope.more {
            return Ok(false);
        }
        match (envelope.next, last) {
            (Some(next), _)
                if place.next.as_ref() == Some(&next) && envelope.objects.is_empty() =>
            {
                Err(Error::format("it keeps announcing more pages").at_path(&response.url))
            }
            (Some(next), _) => {
                place.next = Some(next);
                Ok(true)
            }
            (None, Some(last)) => {
                // More objects added at the same moment may be on the next page.
                // But a page full of a single moment must not be requested for
                // ever.
                let moved = first.as_ref() != Some(last);
                let after = if moved { just_before(last) } else { last.clone() };
                if place.after.as_ref() == Some(&after) {
                    return Err(
                        Error::format("it keeps announcing more pages").at_path(&response.url)
                    );
                }
                place.after = Some(after);
                place.next = None;
                Ok(true)
            }
            (None, None) => Err(Error::format("the response sets `more` without `next`")
                .at_path(&response.url)
                .remedy("the server violates section 5.4 of TAXII 2.1")),
        }
    }

    /// Merges the pages of each level while there are enough of them.
    fn merge(&mut self, id: &str) -> Result<()> {
        loop {
            let mut levels: BTreeMap<u32, Vec<(u64, String)>> = BTreeMap::new();
            for name in self.store.names()? {
                let mut parts = name.split('.');
                if parts.next() == Some(id)
                    && let Some(level) = parts.next().and_then(|text| text.parse().ok())
                    && let Some(number) = parts.next().and_then(|text| text.parse().ok())
                {
                    levels.entry(level).or_default().push((number, name));
                }
            }
            let Some((level, mut pages)) = levels.into_iter().find(|(_, p)| p.len() >= FAN) else {
                return Ok(());
            };
            pages.sort_unstable();
            pages.truncate(FAN);
            if !self.merge_into(id, level + 1, &pages)? {
                return Ok(());
            }
        }
    }

    /// Merges pages into one document of the given level. Returns whether it did: a
    /// document larger than [`MAX_MERGED`] would have to be rewritten with each
    /// merge, so it stays as it is.
    fn merge_into(&mut self, id: &str, level: u32, pages: &[(u64, String)]) -> Result<bool> {
        let mut documents = Vec::new();
        let mut len = 0;
        for (_, name) in pages {
            let document = self.store.get(name)?.unwrap_or_default();
            len += document.len();
            if len > MAX_MERGED {
                return Ok(false);
            }
            documents.push(document);
        }
        let merged = merged(&documents)?;
        // After a crash in between, both exist, which repeats objects but does not
        // change them.
        self.store.put(&format!("{id}.{level}.{:08}", pages[0].0), &merged)?;
        for (_, name) in pages {
            self.store.remove(name)?;
        }
        self.note()?;
        Ok(true)
    }
}

/// Merges the objects of pages, without versions that later ones replace.
fn merged(documents: &[Vec<u8>]) -> Result<Vec<u8>> {
    let envelopes: Vec<Envelope<'_>> =
        documents.iter().map(|document| parse(document)).collect::<Result<_>>()?;
    let objects: Vec<&RawValue> =
        envelopes.iter().flat_map(|envelope| envelope.objects.iter().copied()).collect();
    let mut latest: HashMap<String, (Option<Timestamp>, usize)> = HashMap::new();
    let mut keep = vec![true; objects.len()];
    for (at, object) in objects.iter().enumerate() {
        let head: Head<'_> = match parse(object.get().as_bytes()) {
            Ok(head) => head,
            // Reading the document will report what is wrong with it.
            Err(_) => continue,
        };
        if head.id.is_empty() {
            continue;
        }
        let modified = Timestamp::parse(&head.modified);
        match latest.get_mut(&*head.id) {
            Some((known, place)) if *known <= modified => {
                keep[*place] = false;
                (*known, *place) = (modified, at);
            }
            Some(_) => keep[at] = false,
            None => {
                latest.insert(head.id.into_owned(), (modified, at));
            }
        }
    }
    let mut out = br#"{"objects":["#.to_vec();
    let mut first = true;
    for object in objects.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(object, _)| object) {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        out.extend_from_slice(object.get().as_bytes());
    }
    out.extend_from_slice(b"]}");
    Ok(out)
}

/// Restarts after what is stored.
fn restart(place: &mut PagePosition) {
    place.next = None;
    if let Some(last) = &place.last {
        place.after = Some(just_before(last));
    }
}

/// The microsecond before a time, so that what was added at that very moment is
/// returned again.
fn just_before(time: &str) -> String {
    Timestamp::parse(time)
        .map_or_else(|| time.to_string(), |time| Timestamp(time.0 - 1).to_string())
}

/// The later of two times as text. A time that cannot be parsed counts as earlier.
fn later(known: Option<String>, new: Option<String>) -> Option<String> {
    match (known, new) {
        (Some(known), Some(new)) if Timestamp::parse(&known) >= Timestamp::parse(&new) => {
            Some(known)
        }
        (known, new) => new.or(known),
    }
}
