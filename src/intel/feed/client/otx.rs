//! The pulses of an OTX account over DirectConnect (feed specification, section 1).
//!
//! A walk asks for the events since the last one (deleted, unsubscribed,
//! subscribed), then for the subscribed pulses modified since, and then for the
//! events again, because pulses change while pages are walked. Pulses come newest
//! first. One that is modified meanwhile is therefore on the first page of the next
//! walk, which starts ten minutes before the newest pulse of this one. One that is
//! deleted meanwhile shifts the others, one of them to a page already read. The
//! `count` of the pages reveals that, and the walk goes back; or the events do, and
//! it starts again.
//!
//! A pulse is stored as sent and replaced as a whole: a deleted indicator is only
//! visible by its absence.

use crate::engine::error::{Error, ErrorKind, Result};
use crate::engine::indicator::Timestamp;
use crate::intel::feed::client::ask::{Asker, Response, before, is_name, naive, parse};
use crate::intel::feed::client::{DocumentStore, WalkSummary};
use crate::intel::feed::fetch::{Access, Client, Clock, Request, Url};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Duration;

/// The number of pulses to ask for per page; fewer if the server takes too long.
const LIMITS: [u32; 3] = [50, 20, 10];

/// How long before the newest known pulse a walk starts.
const MARGIN: Duration = Duration::from_secs(600);

/// The number of indicators to ask for per page of a long pulse.
const INDICATORS: u32 = 1000;

/// How often a walk goes back or starts again because pulses are removed.
const RESTARTS: u32 = 20;

/// The limit of pages of any list, whatever the server claims.
const MAX_PAGES: u32 = 100_000;

/// The limit of events per poll. More than that means that something is wrong.
const MAX_EVENTS: usize = 1 << 20;

/// An account.
#[derive(Clone, Debug)]
pub struct Otx {
    /// The server, or the root of its API.
    pub server: Url,
    /// How far back the first walk goes; by default to the beginning.
    pub lookback: Option<Duration>,
}

/// The credentials.
pub fn access(key: &str) -> Access {
    Access::default().header("X-OTX-API-KEY", key)
}

/// The position of the walk.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// The newest `modified` of completed walks.
    watermark: Option<String>,
    /// When the last completed walk began. Events since then are new.
    events: Option<String>,
    /// The unfinished walk.
    walk: Option<Walk>,
}

/// A walk over the subscribed pulses.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Walk {
    /// When it began.
    began: String,
    /// The `modified_since` of its pages.
    since: Option<String>,
    /// The next page, from 1.
    page: u32,
    limit: u32,
    /// The number of pulses according to the last page.
    count: Option<u64>,
    /// The newest `modified` so far.
    newest: Option<String>,
    /// The last removal that was known when the first page was requested.
    loss: Option<Moment>,
}

/// The time of an event, and its name: the order of events.
type Moment = (String, usize, String);

/// A page of anything.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    results: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    next: Option<&'a RawValue>,
    #[serde(default)]
    count: Option<u64>,
}

impl Page<'_> {
    /// Whether no page follows.
    fn is_last(&self) -> bool {
        self.results.is_empty()
            || self.next.is_none_or(|next| matches!(next.get(), "null" | "\"\""))
    }
}

/// The parts of a pulse that a walk needs.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    modified: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    revision: Option<&'a RawValue>,
    #[serde(default)]
    more_indicators: Option<bool>,
}

/// The author of a pulse.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Author {
    author_name: Option<String>,
    author: Option<AuthorId>,
    author_id: Option<Id>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AuthorId {
    username: Option<String>,
    id: Option<Id>,
}

/// A number or a text.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(u64),
}

impl Id {
    /// The identifier as text. Pulses have hexadecimal ones, users numbers.
    fn text(self) -> String {
        match self {
            Id::Text(text) => text,
            Id::Number(number) => number.to_string(),
        }
    }
}

/// An event of `pulses/events`: a user subscribed, unsubscribed or deleted something.
#[derive(Deserialize)]
struct Event {
    id: Option<Id>,
    action: String,
    object_type: String,
    object_id: Id,
    #[serde(default)]
    created: Option<String>,
}

/// Something that happened to a pulse or an author.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Update {
    /// The event's own name, or a substitute.
    id: String,
    created: String,
    change: Change,
}

/// What happened. `Came` means it is subscribed to now, `Went` that it no longer
/// is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Change {
    PulseCame(String),
    PulseWent(String),
    AuthorCame(String),
    AuthorWent(String),
}

impl Update {
    /// Its position among other events. Numeric names are ordered by value.
    fn moment(&self) -> Moment {
        (self.created.clone(), self.id.len(), self.id.clone())
    }
}

impl Change {
    /// Interprets an event. `None` for actions that do not change what is
    /// subscribed to, and for identifiers that cannot be the name of a stored
    /// document.
    fn of(event: &Event) -> Option<Change> {
        let id = event.object_id.clone().text();
        match (event.object_type.as_str(), event.action.as_str()) {
            ("pulse", "subscribe") => is_name(&id).then_some(Change::PulseCame(id)),
            ("pulse", "unsubscribe" | "delete") => is_name(&id).then_some(Change::PulseWent(id)),
            ("user", "subscribe") => Some(Change::AuthorCame(id)),
            ("user", "unsubscribe" | "delete") => Some(Change::AuthorWent(id)),
            _ => None,
        }
    }

    /// What it is about. Only the last event about the same thing counts.
    fn object(&self) -> (bool, &str) {
        match self {
            Change::PulseCame(id) | Change::PulseWent(id) => (true, id),
            Change::AuthorCame(id) | Change::AuthorWent(id) => (false, id),
        }
    }

    /// Whether something was removed. Removals shift the pages that follow.
    fn is_loss(&self) -> bool {
        matches!(self, Change::PulseWent(_) | Change::AuthorWent(_))
    }
}

impl Otx {
    /// See [`Exchange::walk`](super::Exchange::walk).
    pub(super) fn walk(
        &self,
        client: &Client,
        store: &mut dyn DocumentStore,
        clock: &dyn Clock,
    ) -> Result<WalkSummary> {
        let cursor = super::exchange::resumed(store);
        let mut walker = Walker {
            otx: self,
            asker: Asker::new(client, clock),
            store,
            cursor,
            seen: HashMap::new(),
            applied: HashSet::new(),
        };
        walker.run()?;
        Ok(walker.asker.walked)
    }

    /// The URL of an endpoint. The configured server may or may not include
    /// `/api/v1`.
    fn url(&self, path: &str) -> Url {
        if self.server.target().contains("/api/") {
            return self.server.below(path);
        }
        self.server.below(&format!("api/v1/{path}"))
    }
}

/// A walk over the subscribed pulses.
struct Walker<'a> {
    otx: &'a Otx,
    asker: Asker<'a>,
    store: &'a mut dyn DocumentStore,
    cursor: Cursor,
    /// The version of each pulse stored by this walk.
    seen: HashMap<String, String>,
    /// The events applied by this walk.
    applied: HashSet<Update>,
}

impl Walker<'_> {
    /// Applies the events, then reads the pages, and repeats if pulses were removed
    /// meanwhile.
    fn run(&mut self) -> Result<()> {
        let loss = self.apply_events()?;
        match self.cursor.walk.clone() {
            // It is not known which pages the removed pulses were on.
            Some(walk) if loss > walk.loss => self.begin(walk.began, walk.since, loss)?,
            Some(_) => {}
            None => {
                let since = match (self.time_of(&self.cursor.watermark), self.otx.lookback) {
                    (Some(watermark), _) => Some(before(watermark, MARGIN)),
                    (None, Some(lookback)) => Some(before(self.asker.now(), lookback)),
                    (None, None) => None,
                };
                self.begin(naive(self.asker.now()), since.map(naive), loss)?;
            }
        }
        for _ in 0..RESTARTS {
            self.pages()?;
            let loss = self.apply_events()?;
            match self.cursor.walk.clone() {
                Some(walk) if loss > walk.loss => self.begin(walk.began, walk.since, loss)?,
                _ => return self.end(),
            }
        }
        Err(Error::network("pulses are removed faster than their pages can be read")
            .remedy("the next update continues"))
    }

    /// Parses a time of the server. It has no zone and means UTC.
    fn time_of(&self, text: &Option<String>) -> Option<Timestamp> {
        text.as_deref().and_then(Timestamp::parse)
    }

    /// Starts over at the first page. `loss` is the last removal already applied.
    fn begin(&mut self, began: String, since: Option<String>, loss: Option<Moment>) -> Result<()> {
        // The watermark must not pass pulses newer than those that were read.
        let newest = self.cursor.walk.take().and_then(|walk| walk.newest);
        self.cursor.walk =
            Some(Walk { began, since, page: 1, limit: LIMITS[0], count: None, newest, loss });
        self.note()
    }

    /// Finishes a walk and moves the watermark to the newest pulse that was seen.
    fn end(&mut self) -> Result<()> {
        let Some(walk) = self.cursor.walk.take() else { return Ok(()) };
        // A time in the future would hide everything until then.
        let newest = self.time_of(&walk.newest).map(|time| time.min(self.asker.now()));
        let known = self.time_of(&self.cursor.watermark);
        self.cursor.watermark = newest.max(known).map(naive);
        self.cursor.events = Some(walk.began);
        self.note()
    }

    /// Saves the cursor.
    fn note(&mut self) -> Result<()> {
        let text = serde_json::to_string(&self.cursor)
            .map_err(|error| Error::io("write the cursor", error.into()))?;
        self.store.set_cursor(&text)
    }

    /// Walks the remaining pages.
    fn pages(&mut self) -> Result<()> {
        let mut backs = 0;
        while let Some(mut walk) = self.cursor.walk.take() {
            let outcome = self.page(&mut walk);
            // Remember the limit that worked.
            self.cursor.walk = Some(walk.clone());
            let response = outcome?;
            let page: Page<'_> = response.json()?;
            for pulse in &page.results {
                self.pulse(pulse, Some(&mut walk))?;
            }
            let last = page.is_last();
            let shrunk = walk.count.zip(page.count).map_or(0, |(was, is)| was.saturating_sub(is));
            walk.count = page.count;
            if shrunk > 0 && walk.page > 1 {
                backs += 1;
                if backs > RESTARTS {
                    return Err(Error::network("pulses are removed faster than they can be read"));
                }
                let pages = shrunk.div_ceil(u64::from(walk.limit)).min(u64::from(walk.page - 1));
                walk.page -= u32::try_from(pages).unwrap_or(walk.page - 1);
            } else if last {
                return self.note();
            } else {
                walk.page += 1;
            }
            if endless(walk.page, walk.limit, page.count) {
                return Err(
                    Error::format("the server keeps returning pages").at_path(&response.url)
                );
            }
            self.cursor.walk = Some(walk);
            self.note()?;
        }
        Ok(())
    }

    /// Fetches a page, or a smaller one if the server takes too long. The new page
    /// begins at or before the old one.
    fn page(&mut self, walk: &mut Walk) -> Result<Response> {
        let otx = self.otx;
        self.asker.persist(|asker| {
            let mut url = otx.url("pulses/subscribed");
            url.add("limit", &walk.limit.to_string());
            url.add("page", &walk.page.to_string());
            if let Some(since) = &walk.since {
                url.add("modified_since", since);
            }
            let request = Request::get(&url).accept("application/json");
            let outcome = asker.once(&request, &[]);
            let too_much =
                |error: &Error| matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Format);
            let smaller = LIMITS.iter().find(|limit| **limit < walk.limit);
            match (outcome, smaller) {
                (Err(error), Some(&smaller)) if too_much(&error) => {
                    walk.page = (walk.page - 1) * walk.limit / smaller + 1;
                    walk.limit = smaller;
                    // Retry an answer that is too long, too.
                    Err(if error.kind() == ErrorKind::Format {
                        Error::network(error.to_string())
                    } else {
                        error
                    })
                }
                (outcome, _) => outcome,
            }
        })
    }

    /// Stores a pulse, unless this walk already has.
    fn pulse(&mut self, raw: &RawValue, walk: Option<&mut Walk>) -> Result<()> {
        let head: Head<'_> = parse(raw.get().as_bytes())?;
        let modified = head.modified.as_deref().unwrap_or("");
        if let Some(walk) = walk
            && Timestamp::parse(modified) > walk.newest.as_deref().and_then(Timestamp::parse)
        {
            walk.newest = Some(modified.to_string());
        }
        if !is_name(&head.id) {
            return Err(Error::format("a pulse with an invalid identifier"));
        }
        let version = format!("{modified} {}", head.revision.map_or("", RawValue::get));
        if self.seen.get(&*head.id) == Some(&version) {
            return Ok(());
        }
        if head.more_indicators == Some(true) {
            match self.whole(raw, &head.id)? {
                Some(whole) => self.store.put(&head.id, &whole)?,
                // It was removed in the meantime.
                None => return self.remove(&head.id),
            }
        } else {
            self.store.put(&head.id, raw.get().as_bytes())?;
        }
        self.asker.walked.put += 1;
        self.seen.insert(head.id.into_owned(), version);
        Ok(())
    }

    /// Removes a pulse, if it is stored.
    fn remove(&mut self, id: &str) -> Result<()> {
        self.seen.remove(id);
        if self.store.get(id)?.is_some() {
            self.asker.walked.removed += 1;
            self.store.remove(id)?;
        }
        Ok(())
    }

    /// Fetches the remaining indicators of a pulse of which the page had the first.
    fn whole(&mut self, raw: &RawValue, id: &str) -> Result<Option<Vec<u8>>> {
        let members: Members<'_> = parse(raw.get().as_bytes())?;
        let mut whole = b"{".to_vec();
        for (name, value) in &members.0 {
            if !matches!(&**name, "indicators" | "more_indicators") {
                whole.extend_from_slice(serde_json::Value::from(&**name).to_string().as_bytes());
                whole.push(b':');
                whole.extend_from_slice(value.get().as_bytes());
                whole.push(b',');
            }
        }
        whole.extend_from_slice(b"\"indicators\":[");
        let mut first = true;
        let mut known: HashSet<String> = HashSet::new();
        let mut count = None;
        let mut page = 1;
        loop {
            let mut url = self.otx.url(&format!("pulses/{id}/indicators"));
            url.add("limit", &INDICATORS.to_string());
            url.add("include_inactive", "0");
            url.add("page", &page.to_string());
            let response =
                self.asker.ask(&Request::get(&url).accept("application/json"), &[404])?;
            if response.status == 404 {
                return Ok(None);
            }
            let indicators: Page<'_> = response.json()?;
            for indicator in &indicators.results {
                if !known.insert(indicator.get().to_string()) {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    whole.push(b',');
                }
                whole.extend_from_slice(indicator.get().as_bytes());
            }
            // One was removed, which shifted another to a page already read.
            let shrunk = count.zip(indicators.count).is_some_and(|(was, is)| is < was);
            count = indicators.count;
            if shrunk && page > 1 {
                page -= 1;
            } else if indicators.is_last() {
                break;
            } else {
                page += 1;
            }
            if endless(page, INDICATORS, count) {
                return Err(
                    Error::format("the server keeps returning pages").at_path(&response.url)
                );
            }
        }
        whole.extend_from_slice(b"]}");
        Ok(Some(whole))
    }

    /// Applies what happened since the last walk, and returns when something was
    /// last removed.
    fn apply_events(&mut self) -> Result<Option<Moment>> {
        let since = match (&self.cursor.walk, &self.cursor.events) {
            (_, Some(events)) => with_margin(events),
            (Some(walk), None) => with_margin(&walk.began),
            (None, None) => naive(before(self.asker.now(), MARGIN)),
        };
        let updates = self.events(&since)?;
        let loss = updates.iter().rfind(|update| update.change.is_loss()).map(Update::moment);
        if self.cursor.walk.is_none() && self.cursor.events.is_none() {
            // The first walk has nothing to remove, and will meet what was added.
            self.applied.extend(updates);
            return Ok(loss);
        }
        for update in updates {
            if self.applied.contains(&update) {
                continue;
            }
            match &update.change {
                Change::PulseCame(id) => self.fetch(id)?,
                Change::PulseWent(id) => self.remove(id)?,
                Change::AuthorCame(author) => self.fetch_author(author)?,
                Change::AuthorWent(author) => {
                    self.remove_author(author)?;
                    // Some pulses may be subscribed to individually.
                    self.fetch_author(author)?;
                }
            }
            self.applied.insert(update);
        }
        Ok(loss)
    }

    /// The events since a time, the oldest first, and only the last for each pulse
    /// and author.
    fn events(&mut self, since: &str) -> Result<Vec<Update>> {
        let mut last: HashMap<(bool, String), Update> = HashMap::new();
        let mut page = 1;
        loop {
            let mut url = self.otx.url("pulses/events");
            url.add("limit", &LIMITS[0].to_string());
            url.add("page", &page.to_string());
            url.add("since", since);
            let response = self.asker.ask(&Request::get(&url).accept("application/json"), &[])?;
            let events: Page<'_> = response.json()?;
            for raw in &events.results {
                let Ok(event) = parse::<Event>(raw.get().as_bytes()) else { continue };
                let Some(change) = Change::of(&event) else { continue };
                let created = event.created.unwrap_or_default();
                let id = event.id.map_or_else(|| created.clone(), Id::text);
                let (pulse, object) = change.object();
                let key = (pulse, object.to_string());
                let update = Update { id, created, change };
                let newer = |known: &Update| update.moment() > known.moment();
                if last.get(&key).is_none_or(newer) {
                    last.insert(key, update);
                }
            }
            if events.is_last() {
                break;
            }
            page += 1;
            if endless(page, LIMITS[0], events.count) || last.len() > MAX_EVENTS {
                return Err(
                    Error::format("the server keeps returning events").at_path(&response.url)
                );
            }
        }
        let mut updates: Vec<Update> = last.into_values().collect();
        updates.sort_by_cached_key(Update::moment);
        Ok(updates)
    }

    /// Fetches a pulse that was newly subscribed to.
    fn fetch(&mut self, id: &str) -> Result<()> {
        let url = self.otx.url(&format!("pulses/{id}"));
        let response = self.asker.ask(&Request::get(&url).accept("application/json"), &[404])?;
        if response.status == 404 {
            return self.remove(id);
        }
        self.pulse(response.json()?, None)
    }

    /// Fetches all pulses of an author who was newly subscribed to.
    fn fetch_author(&mut self, author: &str) -> Result<()> {
        let mut page = 1;
        loop {
            let mut url = self.otx.url("pulses/subscribed");
            url.add("limit", &LIMITS[1].to_string());
            url.add("page", &page.to_string());
            url.add("author_name", author);
            let response = self.asker.ask(&Request::get(&url).accept("application/json"), &[])?;
            let pulses: Page<'_> = response.json()?;
            for pulse in &pulses.results {
                self.pulse(pulse, None)?;
            }
            if pulses.is_last() {
                return Ok(());
            }
            page += 1;
            if endless(page, LIMITS[1], pulses.count) {
                return Err(
                    Error::format("the server keeps returning pages").at_path(&response.url)
                );
            }
        }
    }

    /// Removes the pulses of an author, given by name or number.
    fn remove_author(&mut self, author: &str) -> Result<()> {
        for name in self.store.names()? {
            let Some(pulse) = self.store.get(&name)? else { continue };
            let wrote: Author = parse(&pulse).unwrap_or_default();
            let by = wrote.author.unwrap_or_default();
            let names = [
                wrote.author_name,
                wrote.author_id.map(Id::text),
                by.username,
                by.id.map(Id::text),
            ];
            if names.iter().flatten().any(|name| name == author) {
                self.remove(&name)?;
            }
        }
        Ok(())
    }
}

/// Whether a list has far more pages than its own count allows.
fn endless(page: u32, limit: u32, count: Option<u64>) -> bool {
    let pages = count.map_or(u64::from(MAX_PAGES), |count| count / u64::from(limit) + 20);
    u64::from(page) > pages.min(u64::from(MAX_PAGES))
}

/// The margin before a time, or the text itself if it is not a time.
fn with_margin(text: &str) -> String {
    Timestamp::parse(text).map_or_else(|| text.to_string(), |time| naive(before(time, MARGIN)))
}

/// The members of an object, in order, as sent.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}
