//! Pulses as collections.
//!
//! A collection is a selection of pulses. Its objects are those that a pulse or an indicator
//! stands for, in the order of the stamps that the storage gave: a pulse becomes the identity of
//! its author, the topics and a report, an indicator becomes one object and its relationships.
//! The storage leaves room after each stamp, so that each of these objects has a time of its own.
//! When a pulse or indicator changes, its objects move to the end, as new versions; there is
//! never more than one version of an object.

use super::library::{Collection, Entry, Page, Position, Wanted};
use super::media::STIX_21;
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{GroupId, UserId, Viewer};
use crate::exchange::export::{self, Author, Lead, Topic, Uuid};
use crate::exchange::pulses::{Indicator, Pulse, PulseId, State};
use crate::exchange::storage::{
    Among, ENTRY_ROOM, IndicatorQuery, PULSE_ROOM, PulseQuery, Selection, ValueHit, View, Which,
};
use hashbrown::HashMap;
use serde_json::Value;
use std::collections::VecDeque;
use std::rc::Rc;

/// Stamps that are looked at for one page. A filter that hardly anything passes gets a page
/// with little in it, and the position to continue from.
const MAX_STAMPS: usize = 20_000;

/// Subscriptions that are looked at for one page.
const MAX_LATE: usize = 1000;

/// Stamps that are read at once.
const BATCH: usize = 500;

/// The size of a page in bytes, after which it ends. A report names all its objects.
const MAX_BYTES: usize = 8 << 20;

/// The types of objects that pulses become.
const OF_PULSES: [&str; 5] = ["identity", "malware", "intrusion-set", "attack-pattern", "report"];

/// The types of objects that indicators become.
const OF_INDICATORS: [&str; 3] = ["indicator", "vulnerability", "relationship"];

/// A collection of pulses.
pub(super) fn collection(alias: &str, title: String, description: &str) -> Collection {
    Collection {
        id: Uuid::of(&["collection", alias]).to_string(),
        title,
        description: Some(description.to_string()),
        alias: Some(alias.to_string()),
        can_read: true,
        can_write: false,
        media_types: vec![STIX_21.to_string()],
    }
}

/// A part of a collection of pulses.
pub(super) fn page(
    view: &View<'_>,
    (viewer, selection): (Viewer, Selection),
    home: &str,
    wanted: &Wanted<'_>,
) -> Result<Page> {
    let mut reader = Reader {
        view,
        viewer,
        selection,
        home,
        wanted,
        among: among(wanted),
        pulses: HashMap::new(),
        latest: HashMap::new(),
        page: Page::default(),
        bytes: 0,
        seen: 0,
        late: None,
    };
    reader.read()?;
    Ok(reader.page)
}

/// Reads a page.
struct Reader<'a> {
    view: &'a View<'a>,
    viewer: Viewer,
    selection: Selection,
    home: &'a str,
    wanted: &'a Wanted<'a>,
    /// The pulses that have objects which are asked for by their identifiers.
    among: Option<Among>,
    /// The pulses of indicators, by key.
    pulses: HashMap<i64, Option<Rc<OfPulse>>>,
    /// The newest pulse of each author.
    latest: HashMap<UserId, Option<i64>>,
    page: Page,
    bytes: usize,
    /// How many stamps were looked at.
    seen: usize,
    /// What is being read because it has come into the collection.
    late: Option<Late>,
}

/// A pulse, and what is the same for all its indicators.
struct OfPulse {
    pulse: Pulse,
    topics: Vec<Topic>,
}

/// Pulses that came into the collection at some time, because the caller subscribed to them: all
/// of their objects that are older were added at that time.
#[derive(Clone, Copy)]
struct Late {
    stamp: i64,
    selection: Selection,
    /// The time of the last object that was put on the page, if it were not late.
    inner: i64,
}

/// The pulses that objects with these identifiers belong to. `None` if any may do.
fn among(wanted: &Wanted<'_>) -> Option<Among> {
    let ids: Vec<&str> = match wanted.object {
        Some(id) => vec![id],
        None if wanted.filter.ids.is_empty() => return None,
        None => wanted.filter.ids.iter().map(String::as_str).collect(),
    };
    let mut among = Among::default();
    for lead in ids.into_iter().filter_map(Lead::of) {
        match lead {
            Lead::Author(number) => among.authors.push(number),
            Lead::Pulse(end) => among.ends.push(end),
        }
    }
    Some(among)
}

/// Whether objects of a type are wanted.
fn takes_type(wanted: &Wanted<'_>, kind: &str) -> bool {
    let is_of = |id: &str| id.split_once("--").is_some_and(|(of, _)| of == kind);
    let ids = &wanted.filter.ids;
    wanted.filter.takes_type(kind)
        && wanted.object.is_none_or(is_of)
        && (ids.is_empty() || ids.iter().any(|id| is_of(id)))
}

/// What has a stamp.
enum Stamped {
    Pulse(Box<Pulse>),
    Indicator(Box<ValueHit>),
}

impl Stamped {
    fn stamp(&self) -> i64 {
        match self {
            Stamped::Pulse(pulse) => pulse.modified.0,
            Stamped::Indicator(hit) => hit.indicator.changed.0,
        }
    }

    /// The last time that an object of it may have.
    fn last(&self) -> i64 {
        let room = match self {
            Stamped::Pulse(_) => PULSE_ROOM,
            Stamped::Indicator(_) => ENTRY_ROOM,
        };
        self.stamp() + room - 1
    }
}

/// Stamps in order, read batch by batch.
struct Queue {
    waiting: VecDeque<Stamped>,
    /// The last stamp that was read.
    last: i64,
    is_done: bool,
}

impl Queue {
    fn new(after: i64, is_wanted: bool) -> Queue {
        Queue { waiting: VecDeque::new(), last: after, is_done: !is_wanted }
    }

    /// Whether the next batch is to be read.
    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.is_done
    }

    fn fill(&mut self, batch: impl Iterator<Item = Stamped>) {
        self.waiting.extend(batch);
        self.is_done = self.waiting.len() < BATCH;
        self.last = self.waiting.back().map_or(self.last, Stamped::stamp);
    }

    fn first(&self) -> Option<i64> {
        self.waiting.front().map(Stamped::stamp)
    }
}

/// The pulses and indicators of a selection, in the order of their stamps.
struct Stream {
    selection: Selection,
    pulses: Queue,
    hits: Queue,
}

impl Stream {
    /// What may have objects after a time: the time may be within those of one stamp.
    fn new(selection: Selection, after: i64, wanted: &Wanted<'_>) -> Stream {
        let takes = |kinds: &[&str]| kinds.iter().any(|kind| takes_type(wanted, kind));
        Stream {
            selection,
            pulses: Queue::new(after.saturating_sub(PULSE_ROOM), takes(&OF_PULSES)),
            hits: Queue::new(after.saturating_sub(ENTRY_ROOM), takes(&OF_INDICATORS)),
        }
    }

    /// The next stamp.
    fn first(&mut self, reader: &Reader<'_>) -> Result<Option<i64>> {
        let (view, viewer) = (reader.view, reader.viewer);
        if self.pulses.is_empty() {
            let query = PulseQuery {
                selection: self.selection,
                since: Some(Timestamp(self.pulses.last + 1)),
                among: reader.among.clone(),
                has_deleted: reader.wanted.since.is_some() && reader.late.is_none(),
                is_ascending: true,
                limit: BATCH,
                ..PulseQuery::default()
            };
            let found = view.pulses(viewer, &query)?;
            self.pulses.fill(found.into_iter().map(|pulse| Stamped::Pulse(Box::new(pulse))));
        }
        if self.hits.is_empty() {
            let after = Timestamp(self.hits.last);
            let of = (self.selection, reader.among.as_ref());
            let found = view.changes(viewer, of, (after, BATCH))?;
            self.hits.fill(found.into_iter().map(|hit| Stamped::Indicator(Box::new(hit))));
        }
        let (pulse, hit) = (self.pulses.first(), self.hits.first());
        Ok(pulse.map_or(hit, |pulse| Some(hit.map_or(pulse, |hit| hit.min(pulse)))))
    }

    fn next(&mut self) -> Option<Stamped> {
        let is_pulse = match (self.pulses.first(), self.hits.first()) {
            (Some(pulse), Some(hit)) => pulse < hit,
            (pulse, _) => pulse.is_some(),
        };
        if is_pulse { self.pulses.waiting.pop_front() } else { self.hits.waiting.pop_front() }
    }
}

impl Reader<'_> {
    fn read(&mut self) -> Result<()> {
        let after = self.wanted.after.map_or(0, |position| position.after.0);
        let mut inner = self.wanted.after.and_then(|position| position.inner);
        // What was added before that time is not looked at, and may be there.
        self.page.is_known = self.wanted.after.is_some();
        let mut late = self.late_ones(after)?;
        let mut stream = Stream::new(self.selection, after, self.wanted);
        loop {
            let first = stream.first(self)?;
            let next_late = late.front().map(|late| late.stamp);
            if let Some(stamp) = next_late.filter(|late| first.is_none_or(|first| *late < first)) {
                let from = inner.take().filter(|_| stamp == after + 1).unwrap_or(0);
                if let Some(late) = late.pop_front()
                    && !self.read_late(Late { inner: from, ..late })?
                {
                    return Ok(());
                }
                continue;
            }
            let Some(next) = stream.next() else { return Ok(()) };
            if !self.put(&next, after)? {
                return Ok(());
            }
            let resume = Position { after: Timestamp(after.max(next.last())), inner: None };
            if self.is_enough(resume) {
                return Ok(());
            }
        }
    }

    /// Notes that a stamp was looked at. Returns whether that is enough for one page.
    fn is_enough(&mut self, resume: Position) -> bool {
        self.seen += 1;
        if self.seen < MAX_STAMPS {
            return false;
        }
        self.page.has_more = true;
        self.page.is_known = true;
        self.page.resume = Some(resume);
        true
    }

    /// What has come into the collection since the client has been here, the oldest first. One
    /// that has nothing yet gets all of it anyway.
    fn late_ones(&self, after: i64) -> Result<VecDeque<Late>> {
        let (Some(_), Some(user)) = (self.wanted.since, self.viewer.user()) else {
            return Ok(VecDeque::new());
        };
        if !matches!(self.selection, Selection::Subscribed | Selection::Group(_)) {
            return Ok(VecDeque::new());
        }
        let since = Some(Timestamp(after + 1));
        let (_, found) = self.view.happenings(user, since, (MAX_LATE, 0))?;
        let mut late = VecDeque::new();
        for happening in found.into_iter().filter(|happening| happening.is_subscribe) {
            let selection = match happening.object {
                "pulse" => match PulseId::parse(&happening.object_id) {
                    Some(id) => {
                        let pulse = self.view.pulse(self.viewer, &id)?;
                        pulse.map(|pulse| Selection::Pulse(pulse.key))
                    }
                    None => None,
                },
                "user" => {
                    let user = self.view.user(self.viewer, &happening.object_id)?;
                    user.map(|user| Selection::Author(user.id))
                }
                _ => happening.object_id.parse().ok().map(|id| Selection::Group(GroupId(id))),
            };
            let is_of_all = self.selection == Selection::Subscribed;
            if let Some(selection) = selection.filter(|of| is_of_all || *of == self.selection) {
                late.push_back(Late { stamp: happening.created.0, selection, inner: 0 });
            }
        }
        Ok(late)
    }

    /// Puts on the page what has come late. Returns whether there is room for more.
    fn read_late(&mut self, late: Late) -> Result<bool> {
        let since = self.wanted.since.unwrap_or_default();
        let mut stream = Stream::new(late.selection, late.inner, self.wanted);
        self.late = Some(late);
        while stream.first(self)?.is_some_and(|stamp| stamp <= since.0) {
            let Some(next) = stream.next() else { break };
            let has_room = self.put(&next, late.inner)?;
            let done = self.late.map_or(0, |late| late.inner);
            let after = Timestamp(late.stamp - 1);
            if !has_room {
                self.page.resume = Some(Position { after, inner: Some(done) });
                return Ok(false);
            }
            if self.is_enough(Position { after, inner: Some(next.last()) }) {
                return Ok(false);
            }
        }
        self.late = None;
        Ok(true)
    }

    /// Puts the objects of a stamp on the page. Returns whether there is room for more.
    fn put(&mut self, stamped: &Stamped, after: i64) -> Result<bool> {
        match stamped {
            Stamped::Pulse(pulse) if !self.is_left_out(pulse) => self.put_pulse(pulse, after),
            Stamped::Pulse(_) => Ok(true),
            Stamped::Indicator(hit) => self.put_indicator(hit, after),
        }
    }

    /// Whether the caller has unsubscribed from a pulse whose author it is subscribed to.
    fn is_left_out(&self, pulse: &Pulse) -> bool {
        let is_of_author =
            self.late.is_some_and(|late| matches!(late.selection, Selection::Author(_)));
        is_of_author && !pulse.is_subscribing
    }

    fn put_pulse(&mut self, pulse: &Pulse, after: i64) -> Result<bool> {
        let by = Author::of(self.home, pulse);
        let stamp = pulse.modified.0;
        if self.takes("identity") && stamp > after && self.is_latest(pulse)? {
            let identity = export::author(by);
            if !self.put_object(stamp, identity) {
                return Ok(false);
            }
        }
        let topics = self.topics_of(pulse);
        for (number, topic) in (1..).zip(&topics) {
            let added = stamp + number;
            if added > after && self.takes(topic.kind()) && self.takes_id(topic.id()) {
                let object = topic.object(pulse, by);
                if !self.put_object(added, object) {
                    return Ok(false);
                }
            }
        }
        let added = stamp + PULSE_ROOM - 1;
        if added <= after || !self.takes("report") || !self.takes_id(&export::report_id(pulse)) {
            return Ok(true);
        }
        let report = export::report(pulse, by, &self.refs(pulse, &topics)?);
        Ok(self.put_object(added, report))
    }

    fn put_indicator(&mut self, hit: &ValueHit, after: i64) -> Result<bool> {
        let indicator = &hit.indicator;
        if !self.is_shown(indicator) {
            return Ok(true);
        }
        let Some(of) = self.pulse_of(hit.pulse)? else { return Ok(true) };
        if self.is_left_out(&of.pulse) {
            return Ok(true);
        }
        let by = Author::of(self.home, &of.pulse);
        let stamp = indicator.changed.0;
        if stamp > after
            && self.takes_id(&export::indicator_id(&of.pulse, indicator))
            && let Some(object) = export::indicator(&of.pulse, by, indicator)
            && !self.put_object(stamp, object)
        {
            return Ok(false);
        }
        if !self.takes("relationship") {
            return Ok(true);
        }
        for (number, topic) in (1..ENTRY_ROOM).zip(&of.topics) {
            if stamp + number > after
                && let Some(relation) = export::relation(&of.pulse, by, indicator, topic)
                && self.takes_id(&relation.id)
                && !self.put_object(stamp + number, relation.object)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a client has to know of an indicator: it is to be matched, or the client may
    /// have it and has to forget it.
    fn is_shown(&self, of: &Indicator) -> bool {
        match of.state {
            _ if export::was_never_shown(of) => false,
            _ if self.wanted.since.is_some() && self.late.is_none() => true,
            State::Removed => false,
            State::Active | State::Inactive => of.is_exported(),
        }
    }

    /// Adds an object, if it passes the filters. Returns whether there is room for more.
    fn put_object(&mut self, added: i64, object: Value) -> bool {
        let text = |name: &str| object[name].as_str().unwrap_or("");
        let (id, version) = (text("id"), text("modified"));
        let filter = self.wanted.filter;
        let time = Timestamp::parse(version).unwrap_or_default();
        if !self.takes_id(id) || !filter.takes_type(text("type")) {
            return true;
        }
        self.page.is_known = true;
        if !filter.takes_only_version(time) || !filter.takes_only_spec("2.1") {
            return true;
        }
        let is_full = self.page.entries.len() >= self.wanted.limit || self.bytes > MAX_BYTES;
        if is_full {
            self.page.has_more = true;
            return false;
        }
        let body = if self.wanted.has_bodies { object.to_string() } else { String::new() };
        self.bytes += body.len();
        let (id, version) = (id.to_string(), version.to_string());
        let added = match &mut self.late {
            Some(late) => {
                late.inner = added;
                late.stamp
            }
            None => added,
        };
        self.page.entries.push(Entry { added: Timestamp(added), id, version, spec: "2.1", body });
        true
    }

    fn takes(&self, kind: &str) -> bool {
        takes_type(self.wanted, kind)
    }

    fn takes_id(&self, id: &str) -> bool {
        self.wanted.object.is_none_or(|wanted| wanted == id) && self.wanted.filter.takes_id(id)
    }

    /// The topics that there is room for.
    fn topics_of(&self, pulse: &Pulse) -> Vec<Topic> {
        let mut topics = export::topics(pulse);
        topics.truncate(usize::try_from(PULSE_ROOM - 2).unwrap_or(0));
        topics
    }

    /// Whether no other pulse of its author in this collection is newer: that one brings the
    /// identity.
    fn is_latest(&mut self, pulse: &Pulse) -> Result<bool> {
        if let Some(latest) = self.latest.get(&pulse.author.id) {
            return Ok(latest.is_none_or(|latest| latest == pulse.key));
        }
        let query = PulseQuery {
            selection: self.selection,
            author: Some(pulse.author.id),
            limit: 1,
            ..PulseQuery::default()
        };
        let newest = self.view.pulses(self.viewer, &query)?;
        let newest = newest.first().map(|newest| newest.key);
        self.latest.insert(pulse.author.id, newest);
        Ok(newest.is_none_or(|newest| newest == pulse.key))
    }

    /// The identifiers of all objects of a pulse.
    fn refs(&self, pulse: &Pulse, topics: &[Topic]) -> Result<Vec<String>> {
        if pulse.is_deleted() {
            return Ok(Vec::new());
        }
        let query = IndicatorQuery { which: Which::Exported, ..IndicatorQuery::default() };
        let indicators = self.view.indicators(pulse.key, &query)?;
        let mut refs: Vec<String> = topics.iter().map(|topic| topic.id().to_string()).collect();
        refs.extend(indicators.iter().map(|of| export::indicator_id(pulse, of)));
        Ok(refs)
    }

    /// The pulse of an indicator.
    fn pulse_of(&mut self, key: i64) -> Result<Option<Rc<OfPulse>>> {
        if let Some(known) = self.pulses.get(&key) {
            return Ok(known.clone());
        }
        let query = PulseQuery { has_deleted: true, ..PulseQuery::of(Selection::Pulse(key)) };
        let found = self.view.pulses(self.viewer, &query)?.into_iter().next();
        let found = found.map(|pulse| Rc::new(OfPulse { topics: self.topics_of(&pulse), pulse }));
        self.pulses.insert(key, found.clone());
        Ok(found)
    }
}
