//! Events of MISP: feed directories, over HTTP or on disk (feed specification,
//! section 3.1), and servers, through `restSearch`.
//!
//! Each event is a document named by its UUID, and is replaced as a whole. The
//! manifest of a directory says which events exist and how new they are. A server
//! is asked, page by page, for what changed since the newest known event, and then
//! for its index, which shows what was deleted and what the pages missed.

use crate::engine::error::{Error, ErrorKind, Result};
use crate::engine::indicator::Timestamp;
use crate::intel::feed::client::ask::{Asker, is_name, parse};
use crate::intel::feed::client::{DocumentStore, WalkSummary};
use crate::intel::feed::fetch::{Access, Client, Clock, Request, Url};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The number of events to ask for per page.
const LIMIT: u32 = 50;

/// The limit of pages per walk, whatever the server claims.
const MAX_PAGES: u32 = 100_000;

/// The size limit of a file in a directory on disk, in bytes.
const MAX_FILE: u64 = 1 << 30;

/// The minimum number of events between two writes of a directory's cursor.
const NOTE_EVERY: usize = 50;

/// The source of events.
#[derive(Clone, Debug)]
pub enum Misp {
    /// A feed directory on a web server.
    Feed(Url),
    /// A feed directory on disk.
    Folder(PathBuf),
    /// A server.
    Server(Server),
}

/// A MISP server, and the events to subscribe to.
#[derive(Clone, Debug)]
pub struct Server {
    /// The base URL.
    pub url: Url,
    /// Limits the events to those with one of these tags; a leading `!` excludes
    /// events with the tag.
    pub tags: Vec<String>,
    /// The first walk asks for what changed since this time; by default for
    /// everything.
    pub since: Option<Timestamp>,
    /// Whether to include unpublished events.
    pub unpublished: bool,
    /// Whether to leave attributes that are not for detection on the server. By
    /// default they are fetched, as context for others.
    pub to_ids_only: bool,
}

/// The credentials for a server.
pub fn access(key: &str) -> Access {
    Access::default().header("Authorization", key)
}

/// The position of the walk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// The `ETag` of the manifest whose events are all stored.
    etag: Option<String>,
    /// Its `Last-Modified`.
    last_modified: Option<String>,
    /// The stored events, with their timestamps.
    events: BTreeMap<String, i64>,
    /// The newest timestamp of completed walks.
    newest: i64,
    /// The page of an unfinished walk, and the newest timestamp in it.
    walk: Option<(u32, i64)>,
}

/// An entry of a manifest or an index.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default)]
    uuid: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow, default)]
    published: Option<&'a RawValue>,
}

impl Entry<'_> {
    /// When the event was last changed, in seconds since 1970.
    fn time(&self) -> Option<i64> {
        self.timestamp.and_then(number)
    }

    /// Whether it says that it is not published. A missing member does not: feeds
    /// omit it.
    fn is_unpublished(&self) -> bool {
        self.published.is_some_and(|raw| matches!(raw.get().trim_matches('"'), "false" | "0"))
    }
}

/// Parses a number, possibly in quotes. MISP versions differ.
fn number(raw: &RawValue) -> Option<i64> {
    raw.get().trim_matches('"').parse().ok()
}

/// An event in its envelope.
#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(rename = "Event", borrow)]
    event: Entry<'a>,
}

/// The answer to a search, if it is not the bare list of events.
#[derive(Deserialize)]
struct Enveloped<'a> {
    #[serde(borrow)]
    response: Vec<&'a RawValue>,
}

impl Misp {
    /// See [`Exchange::walk`](super::Exchange::walk).
    pub(super) fn walk(
        &self,
        client: &Client,
        store: &mut dyn DocumentStore,
        clock: &dyn Clock,
    ) -> Result<WalkSummary> {
        let cursor = super::exchange::resumed(store);
        let mut walker = Walker { asker: Asker::new(client, clock), store, cursor };
        match self {
            Misp::Feed(_) | Misp::Folder(_) => walker.directory(self)?,
            Misp::Server(server) => walker.server(server)?,
        }
        Ok(walker.asker.walked)
    }
}

/// A file in a directory.
enum File {
    Unchanged,
    Missing,
    Here { bytes: Vec<u8>, etag: Option<String>, last_modified: Option<String> },
}

/// A walk over the events of a feed, a folder or a server. The cursor is saved as
/// it goes, so that a walk that stops halfway resumes there.
struct Walker<'a> {
    asker: Asker<'a>,
    store: &'a mut dyn DocumentStore,
    cursor: Cursor,
}

impl Walker<'_> {
    /// Saves the cursor.
    fn note(&mut self) -> Result<()> {
        let text = serde_json::to_string(&self.cursor)
            .map_err(|error| Error::io("write the cursor", error.into()))?;
        self.store.set_cursor(&text)
    }

    /// Stores an event, after checking that it is the requested one.
    fn put(&mut self, uuid: &str, time: i64, bytes: &[u8]) -> Result<()> {
        self.store.put(uuid, bytes)?;
        self.cursor.events.insert(uuid.to_string(), time);
        self.asker.walked.put += 1;
        Ok(())
    }

    /// Removes an event. It counts as removed only if the cursor knew it, but its
    /// document is deleted in any case, because a crash may have left one without
    /// the other.
    fn remove(&mut self, uuid: &str) -> Result<()> {
        if self.cursor.events.remove(uuid).is_some() {
            self.asker.walked.removed += 1;
        }
        self.store.remove(uuid)
    }

    /// Walks a feed: reads `manifest.json`, fetches the events that changed, and
    /// removes the rest.
    fn directory(&mut self, misp: &Misp) -> Result<()> {
        let (etag, last_modified) = (self.cursor.etag.clone(), self.cursor.last_modified.clone());
        let name = "manifest.json";
        let manifest = match self.file(misp, name, etag.as_deref(), last_modified.as_deref())? {
            File::Unchanged => return Ok(()),
            File::Missing => {
                return Err(Error::format("there is no manifest.json")
                    .at_path(misp.place(name))
                    .remedy("name the directory that contains it"));
            }
            File::Here { bytes, etag, last_modified } => {
                let listed: BTreeMap<String, Entry<'_>> =
                    parse(&bytes).map_err(|error| error.at_path(misp.place(name)))?;
                // A slash in a name could lead out of the directory.
                let listed = listed.into_iter().filter(|(uuid, _)| is_name(uuid));
                let listed: BTreeMap<String, i64> =
                    listed.map(|(uuid, entry)| (uuid, entry.time().unwrap_or(0))).collect();
                self.cursor.etag = None;
                self.cursor.last_modified = None;
                (listed, etag, last_modified)
            }
        };
        let (listed, etag, last_modified) = manifest;
        let complete = self.events_of(misp, &listed)?;
        self.only(listed.keys().cloned().collect())?;
        // If everything is stored, the next walk may ask whether the manifest
        // changed.
        if complete {
            (self.cursor.etag, self.cursor.last_modified) = (etag, last_modified);
        }
        self.note()
    }

    /// Fetches new and changed events. Returns whether all of them were there.
    fn events_of(&mut self, misp: &Misp, listed: &BTreeMap<String, i64>) -> Result<bool> {
        let mut complete = true;
        let mut since_note = 0;
        for (uuid, &time) in listed {
            // Compared for equality: a feed restored from a backup goes back in
            // time.
            if self.cursor.events.get(uuid) == Some(&time) {
                continue;
            }
            let name = format!("{uuid}.json");
            match self.file(misp, &name, None, None)? {
                File::Here { bytes, .. } => {
                    check(&bytes, uuid).map_err(|error| error.at_path(misp.place(&name)))?;
                    self.put(uuid, time, &bytes)?;
                }
                File::Missing | File::Unchanged => {
                    self.asker.walked.missing += 1;
                    complete = false;
                }
            }
            since_note += 1;
            // The cursor grows with the feed, so writing it after each event would
            // be quadratic.
            if since_note >= NOTE_EVERY.max(self.cursor.events.len() / 20) {
                since_note = 0;
                self.note()?;
            }
        }
        Ok(complete)
    }

    /// Removes every event that is not listed.
    fn only(&mut self, listed: BTreeSet<String>) -> Result<()> {
        for name in self.store.names()? {
            if !listed.contains(&name) {
                self.remove(&name)?;
            }
        }
        Ok(())
    }

    /// Fetches a file of a feed, or reads it from a folder. The two validators make
    /// the request conditional.
    fn file(
        &mut self,
        misp: &Misp,
        name: &str,
        etag: Option<&str>,
        last_modified: Option<&str>,
    ) -> Result<File> {
        match misp {
            Misp::Folder(folder) => read_file(&folder.join(name)),
            Misp::Feed(base) | Misp::Server(Server { url: base, .. }) => {
                let url = base.below(name);
                let mut request = Request::get(&url).accept("application/json");
                (request.etag, request.last_modified) = (etag, last_modified);
                let response = self.asker.ask(&request, &[304, 404])?;
                Ok(match response.status {
                    304 => File::Unchanged,
                    404 => File::Missing,
                    _ => File::Here {
                        bytes: response.body,
                        etag: response.etag,
                        last_modified: response.last_modified,
                    },
                })
            }
        }
    }

    /// Walks a server: searches for events changed since the newest one stored,
    /// page by page, then compares its index with what is stored, because a search
    /// does not return deleted events.
    fn server(&mut self, server: &Server) -> Result<()> {
        let (mut page, mut newest) = self.cursor.walk.unwrap_or((1, self.cursor.newest));
        let first = server.since.map_or(0, |time| time.0 / 1_000_000);
        let since = self.cursor.newest.max(first);
        loop {
            let published = self.cursor.newest == 0 && !server.unpublished;
            let asked = Search::new(server).since(since).published(published).page(page);
            let (events, last) = self.search(server, &asked, &mut newest)?;
            if last || events == 0 {
                break;
            }
            page += 1;
            if page > MAX_PAGES {
                return Err(Error::format("the server keeps returning pages")
                    .at_path(server.url.to_string()));
            }
            self.cursor.walk = Some((page, newest));
            self.note()?;
        }
        self.index(server, first, &mut newest)?;
        self.cursor.walk = None;
        self.cursor.newest = newest;
        self.note()
    }

    /// Fetches and stores a page of events. Returns the number of events, and
    /// whether there can be no more.
    fn search(
        &mut self,
        server: &Server,
        asked: &Search<'_>,
        newest: &mut i64,
    ) -> Result<(usize, bool)> {
        let url = server.url.below("events/restSearch");
        let body = serde_json::to_vec(asked)
            .map_err(|error| Error::io("save the search", error.into()))?;
        let mut request = Request::get(&url).accept("application/json");
        request.body = Some(&body);
        let response = self.asker.ask(&request, &[])?;
        let found = if response.body.trim_ascii_start().starts_with(b"[") {
            response.json()?
        } else {
            response.json::<Enveloped<'_>>()?.response
        };
        for raw in &found {
            let wrapped: Wrapped<'_> = parse(raw.get().as_bytes())?;
            let event = &wrapped.event;
            let Some(uuid) = event.uuid.as_deref().filter(|uuid| is_name(uuid)) else {
                return Err(Error::format("an event without a UUID").at_path(&response.url));
            };
            let time = event.time().unwrap_or(0);
            if event.is_unpublished() && !server.unpublished {
                self.remove(uuid)?;
            } else if self.cursor.events.get(uuid) != Some(&time) {
                self.put(uuid, time, raw.get().as_bytes())?;
            }
            *newest = time.max(*newest);
        }
        Ok((found.len(), found.len() < LIMIT as usize))
    }

    /// Compares what is stored with the index of the server.
    fn index(&mut self, server: &Server, first: i64, newest: &mut i64) -> Result<()> {
        let url = server.url.below("events/index");
        let mut request = Request::get(&url).accept("application/json");
        let body: &[u8] = if server.unpublished {
            br#"{"minimal":1}"#
        } else {
            br#"{"minimal":1,"published":1}"#
        };
        request.body = Some(body);
        let response = match self.asker.ask(&request, &[404, 405]) {
            Ok(response) => response,
            // A key may be allowed to search and nothing else.
            Err(error) if error.kind() == ErrorKind::Refused => return Ok(()),
            Err(error) => return Err(error),
        };
        if response.status != 200 {
            return Ok(());
        }
        let entries: Vec<Entry<'_>> = response.json()?;
        let mut listed = BTreeSet::new();
        let mut missed = Vec::new();
        for entry in &entries {
            let Some(uuid) = entry.uuid.as_deref().filter(|uuid| is_name(uuid)) else { continue };
            let time = entry.time().unwrap_or(0);
            listed.insert(uuid.to_string());
            // Only the search shows which of the others have the tags.
            if time > first && self.cursor.events.get(uuid).is_some_and(|known| *known < time) {
                missed.push(uuid.to_string());
            }
        }
        let gone: Vec<_> =
            self.cursor.events.keys().filter(|uuid| !listed.contains(*uuid)).cloned().collect();
        for uuids in [missed, gone].concat().chunks(LIMIT as usize) {
            self.again(server, uuids, newest)?;
        }
        Ok(())
    }

    /// Fetches events by name; those that are not returned are gone.
    fn again(&mut self, server: &Server, uuids: &[String], newest: &mut i64) -> Result<()> {
        // An event that is stored enters the cursor with its new time, so the old
        // times show which ones were not.
        let known: Vec<_> = uuids.iter().map(|uuid| self.cursor.events.remove(uuid)).collect();
        let asked = Search::new(server).uuids(uuids);
        let outcome = self.search(server, &asked, newest);
        for (uuid, time) in uuids.iter().zip(known) {
            if self.cursor.events.contains_key(uuid) {
                continue;
            }
            if let Some(time) = time {
                self.cursor.events.insert(uuid.clone(), time);
            }
            if outcome.is_ok() {
                self.remove(uuid)?;
            }
        }
        outcome.map(|_| ())
    }
}

/// The body of a `restSearch`.
#[derive(Serialize)]
struct Search<'a> {
    #[serde(rename = "returnFormat")]
    format: &'static str,
    page: u32,
    limit: u32,
    /// Events that changed in this second or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    uuid: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_ids: Option<u8>,
    /// Whether to include what was deleted inside an event.
    deleted: u8,
}

impl<'a> Search<'a> {
    /// The first page of everything.
    fn new(server: &'a Server) -> Self {
        Search {
            format: "json",
            page: 1,
            limit: LIMIT,
            timestamp: None,
            tags: &server.tags,
            uuid: &[],
            published: None,
            to_ids: server.to_ids_only.then_some(1),
            deleted: 0,
        }
    }

    /// Only events changed at or after this time. MISP compares with `>=`, so the
    /// last event is returned again.
    fn since(mut self, time: i64) -> Self {
        self.timestamp = (time > 0).then_some(time);
        self
    }

    /// Excludes unpublished events. Once events are stored, those that are no
    /// longer published must be included, so that they can be removed.
    fn published(mut self, only: bool) -> Self {
        self.published = only.then_some(true);
        self
    }

    /// The page to return, counted from 1.
    fn page(mut self, page: u32) -> Self {
        self.page = page;
        self
    }

    /// Only these events.
    fn uuids(mut self, uuids: &'a [String]) -> Self {
        self.uuid = uuids;
        self
    }
}

/// Checks that a document is the requested event.
fn check(bytes: &[u8], uuid: &str) -> Result<()> {
    let wrapped: Wrapped<'_> = parse(bytes)?;
    match wrapped.event.uuid {
        Some(own) if !own.eq_ignore_ascii_case(uuid) => {
            Err(Error::format("the event's UUID does not match its file name"))
        }
        _ => Ok(()),
    }
}

impl Misp {
    /// The path or URL of a file, for messages.
    fn place(&self, name: &str) -> String {
        match self {
            Misp::Folder(folder) => folder.join(name).display().to_string(),
            Misp::Feed(url) | Misp::Server(Server { url, .. }) => url.below(name).to_string(),
        }
    }
}

/// Reads a file of a folder, up to [`MAX_FILE`] bytes.
fn read_file(path: &std::path::Path) -> Result<File> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(File::Missing),
        Err(error) => return Err(Error::io("open", error).at_path(path)),
    };
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(file, MAX_FILE + 1), &mut bytes)
        .map_err(|error| Error::io("read", error).at_path(path))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Error::format("the file is too long for an event").at_path(path));
    }
    Ok(File::Here { bytes, etag: None, last_modified: None })
}
