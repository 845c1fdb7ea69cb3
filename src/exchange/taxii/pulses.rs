//! Pulses as collections.
//!
//! A collection is a selection of pulses. Its objects are those that a pulse or an indicator
//! stands for, in the order of the stamps that the storage gave: a pulse becomes the identity of
//! its author, the topics and a report, an indicator becomes one object and its relationships.
//! The storage leaves room after each stamp, so that each of these objects has a time of its own.
//! When a pulse or indicator changes, its objects move to the end, as new versions; there is
//! never more than one version of an object.

use super::library::{Collection, Entry, Page, Wanted};
use super::media::STIX_21;
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::Viewer;
use crate::exchange::export::{self, Author, Topic, Uuid};
use crate::exchange::pulses::{Indicator, Pulse, State};
use crate::exchange::storage::{
    ENTRY_ROOM, IndicatorQuery, PULSE_ROOM, PulseQuery, Selection, ValueHit, View, Which,
};
use hashbrown::HashMap;
use serde_json::Value;
use std::collections::VecDeque;
use std::rc::Rc;

/// Stamps that are looked at for one page. A filter that hardly anything passes gets a page
/// with little in it, and the position to continue from.
const MAX_STAMPS: usize = 20_000;

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
        pulses: HashMap::new(),
        page: Page::default(),
        bytes: 0,
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
    /// The pulses of indicators, by key.
    pulses: HashMap<i64, Option<Rc<OfPulse>>>,
    page: Page,
    bytes: usize,
}

/// A pulse, and what is the same for all its indicators.
struct OfPulse {
    pulse: Pulse,
    topics: Vec<Topic>,
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

    fn next(&mut self) -> Option<Stamped> {
        self.waiting.pop_front()
    }
}

impl Reader<'_> {
    fn read(&mut self) -> Result<()> {
        let after = self.wanted.after.map_or(0, |after| after.0);
        // What was added before that time is not looked at, and may be there.
        self.page.is_known = self.wanted.after.is_some();
        // The position may be within the objects of one stamp.
        let takes = |kinds: &[&str]| kinds.iter().any(|kind| self.takes(kind));
        let mut pulses = Queue::new(after.saturating_sub(PULSE_ROOM), takes(&OF_PULSES));
        let mut hits = Queue::new(after.saturating_sub(ENTRY_ROOM), takes(&OF_INDICATORS));
        for _ in 0..MAX_STAMPS {
            if pulses.is_empty() {
                let found = self.pulses_after(pulses.last)?;
                pulses.fill(found.into_iter().map(|pulse| Stamped::Pulse(Box::new(pulse))));
            }
            if hits.is_empty() {
                let found =
                    self.view.changes(self.viewer, self.selection, Timestamp(hits.last), BATCH)?;
                hits.fill(found.into_iter().map(|hit| Stamped::Indicator(Box::new(hit))));
            }
            let is_pulse = match (pulses.first(), hits.first()) {
                (None, None) => return Ok(()),
                (Some(pulse), Some(hit)) => pulse < hit,
                (first, _) => first.is_some(),
            };
            let next = if is_pulse { pulses.next() } else { hits.next() };
            let Some(next) = next else { return Ok(()) };
            if !self.put(&next, after)? {
                return Ok(());
            }
            self.page.resume = Some(Timestamp(after.max(next.last())));
        }
        self.page.has_more = true;
        self.page.is_known = true;
        Ok(())
    }

    fn pulses_after(&self, stamp: i64) -> Result<Vec<Pulse>> {
        let query = PulseQuery {
            selection: self.selection,
            since: Some(Timestamp(stamp + 1)),
            is_ascending: true,
            limit: BATCH,
            ..PulseQuery::default()
        };
        self.view.pulses(self.viewer, &query)
    }

    /// Puts the objects of a stamp on the page. Returns whether there is room for more.
    fn put(&mut self, stamped: &Stamped, after: i64) -> Result<bool> {
        match stamped {
            Stamped::Pulse(pulse) => self.put_pulse(pulse, after),
            Stamped::Indicator(hit) => self.put_indicator(hit, after),
        }
    }

    fn put_pulse(&mut self, pulse: &Pulse, after: i64) -> Result<bool> {
        let by = Author { home: self.home, name: &pulse.author.name };
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
        let by = Author { home: self.home, name: &of.pulse.author.name };
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
            _ if self.wanted.is_update => true,
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
            self.page.resume = None;
            return false;
        }
        let body = if self.wanted.has_bodies { object.to_string() } else { String::new() };
        self.bytes += body.len();
        let (id, version) = (id.to_string(), version.to_string());
        self.page.entries.push(Entry { added: Timestamp(added), id, version, spec: "2.1", body });
        true
    }

    fn takes(&self, kind: &str) -> bool {
        self.wanted.filter.takes_type(kind)
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
    fn is_latest(&self, pulse: &Pulse) -> Result<bool> {
        let query = PulseQuery {
            selection: self.selection,
            author: Some(pulse.author.id),
            limit: 1,
            ..PulseQuery::default()
        };
        let newest = self.view.pulses(self.viewer, &query)?;
        Ok(newest.first().is_none_or(|newest| newest.key == pulse.key))
    }

    /// The identifiers of all objects of a pulse.
    fn refs(&self, pulse: &Pulse, topics: &[Topic]) -> Result<Vec<String>> {
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
        let query = PulseQuery::of(Selection::Pulse(key));
        let found = self.view.pulses(self.viewer, &query)?.into_iter().next();
        let found = found.map(|pulse| Rc::new(OfPulse { topics: self.topics_of(&pulse), pulse }));
        self.pulses.insert(key, found.clone());
        Ok(found)
    }
}
