//! What a scan of a corpus finds, counted by groups.
//!
//! One scan of the whole set answers for every group, because an alert names all its sources.
//! Hits come in the order of the inputs; nothing that is counted depends on that order, except
//! that those of one line follow each other.

use super::event_ids::EventIds;
use super::groups::Groups;
use super::masks::{EMPTY, MaskId, Masks};
use super::times::Times;
use crate::engine::database::Database;
use crate::engine::indicator::{Kind, PacketPlace, Place, Scope, Timestamp};
use crate::engine::scan::{HeldBack, Hit};
use hashbrown::{Equivalent, HashMap, HashSet};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// A home address in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Party {
    /// The address.
    pub host: IpAddr,
    /// Whether it began the contact; `None` if the record does not say who did.
    pub began: Option<bool>,
}

/// What identifies an entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct EntryKey {
    kind: Kind,
    scope: Scope,
    value: Box<str>,
}

/// The same, borrowed.
#[derive(Hash)]
struct EntryOf<'a> {
    kind: Kind,
    scope: Scope,
    value: &'a str,
}

impl Equivalent<EntryKey> for EntryOf<'_> {
    fn equivalent(&self, key: &EntryKey) -> bool {
        (self.kind, self.scope, self.value) == (key.kind, key.scope, &*key.value)
    }
}

/// The same for an observable.
#[derive(Hash)]
struct SeenOf<'a>(Kind, &'a str);

impl Equivalent<(Kind, Box<str>)> for SeenOf<'_> {
    fn equivalent(&self, key: &(Kind, Box<str>)) -> bool {
        (self.0, self.1) == (key.0, &*key.1)
    }
}

/// What an entry did.
#[derive(Clone, Debug)]
pub(super) struct EntryTally {
    pub(super) kind: Kind,
    pub(super) scope: Scope,
    pub(super) value: Box<str>,
    /// Alerts, by the groups that were sources.
    pub(super) alerts: BTreeMap<MaskId, u64>,
    /// Hosts that began the contact, and those of which nobody knows.
    pub(super) began: HashSet<u32>,
    pub(super) unknown: HashSet<u32>,
    pub(super) last_hit: Option<Timestamp>,
    /// The times of hits.
    pub(super) times: Times,
}

/// A record with alerts, of which more may come.
#[derive(Clone, Debug, Default)]
struct OpenEvent {
    mask: MaskId,
    hosts: Vec<u32>,
}

/// What a corpus shows.
#[derive(Debug)]
pub struct Tally {
    pub(super) groups: Arc<Groups>,
    pub(super) masks: Masks,
    numbers: HashMap<EntryKey, u32>,
    pub(super) entries: Vec<EntryTally>,
    /// Alerts, by their entries and the groups of each.
    pub(super) alerts: HashMap<Vec<(u32, MaskId)>, u64>,
    pub(super) observables: HashMap<(Kind, Box<str>), MaskId>,
    hosts: HashMap<IpAddr, u32>,
    /// The groups of all events of each host.
    pub(super) host_masks: Vec<MaskId>,
    /// Records with alerts, by the groups of these.
    pub(super) events: BTreeMap<MaskId, u64>,
    pub(super) event_ids: EventIds,
    pub(super) events_without_host: u64,
    /// Lines that are no records, but describe some.
    pub(super) headings: u64,
    /// Packets with alerts that are in no flow.
    pub(super) lone_packets: u64,
    /// Observables that met entries which did not alert, by group and reason.
    pub(super) held_back: BTreeMap<(u32, &'static str), u64>,
    /// All addresses of the home networks.
    pub(super) met: BTreeSet<IpAddr>,
    /// Those that began a contact, in records of any kind.
    pub(super) began: BTreeSet<IpAddr>,
    /// The earliest and the latest time of a record.
    pub(super) span: Option<(Timestamp, Timestamp)>,
    line: Option<(Arc<str>, u64, OpenEvent)>,
    capture: Option<Arc<str>>,
    flows: HashMap<u64, OpenEvent>,
    /// Reused for each alert.
    buffer: Vec<u32>,
}

impl Tally {
    /// Begins to count for these groups.
    pub(super) fn new(groups: Arc<Groups>) -> Tally {
        Tally {
            groups,
            masks: Masks::default(),
            numbers: HashMap::new(),
            entries: Vec::new(),
            alerts: HashMap::new(),
            observables: HashMap::new(),
            hosts: HashMap::new(),
            host_masks: Vec::new(),
            events: BTreeMap::new(),
            event_ids: EventIds::default(),
            events_without_host: 0,
            headings: 0,
            lone_packets: 0,
            held_back: BTreeMap::new(),
            met: BTreeSet::new(),
            began: BTreeSet::new(),
            span: None,
            line: None,
            capture: None,
            flows: HashMap::new(),
            buffer: Vec::new(),
        }
    }

    /// Counts a hit. `parties` are the home addresses in its record.
    pub fn add(&mut self, hit: &Hit<'_>, parties: &[Party]) {
        let mask = self.alert(hit);
        let time = match &hit.place {
            Place::Log(place) => place.time,
            Place::Packet(place) => place.is_timed.then_some(place.time),
        };
        time.into_iter().for_each(|time| self.saw_time(time));
        self.event_ids.add(&hit.place, record(&hit.place));
        let mut event = self.take_event(&hit.place);
        event.mask = self.masks.union(event.mask, mask);
        for party in parties {
            let next = self.host_masks.len() as u32;
            let host = *self.hosts.entry(party.host).or_insert(next);
            if host == next {
                self.host_masks.push(EMPTY);
            }
            if !event.hosts.contains(&host) {
                event.hosts.push(host);
            }
            if party.began == Some(true) && !self.began.contains(&party.host) {
                self.began.insert(party.host);
            }
            self.reached(hit, host, party.began);
        }
        self.put_event(&hit.place, event);
    }

    /// Notes that the corpus has a record of this time.
    pub fn saw_time(&mut self, time: Timestamp) {
        let (first, last) = self.span.unwrap_or((time, time));
        self.span = Some((first.min(time), last.max(time)));
    }

    /// An input ends.
    pub fn ends(&mut self) {
        if let Some((_, _, event)) = self.line.take() {
            self.close(event);
        }
        let flows = std::mem::take(&mut self.flows);
        flows.into_values().for_each(|event| self.close(event));
        self.capture = None;
    }

    /// Alerts by group and kind of the entry.
    pub fn alerts_by_kind(&self) -> BTreeMap<(u32, Kind), u64> {
        let mut alerts: BTreeMap<(u32, Kind), u64> = BTreeMap::new();
        for entry in &self.entries {
            for (mask, count) in &entry.alerts {
                for group in self.masks.groups(*mask) {
                    *alerts.entry((*group, entry.kind)).or_default() += count;
                }
            }
        }
        alerts
    }

    /// Adds hosts that were met in records of any kind.
    pub fn met(&mut self, hosts: BTreeSet<IpAddr>) {
        self.met.extend(hosts);
    }

    /// Adds hosts that began a contact in records of any kind.
    pub fn began(&mut self, hosts: BTreeSet<IpAddr>) {
        self.began.extend(hosts);
    }

    /// Counts lines that are no records, but describe some: the header of a Zeek log.
    pub fn headings(&mut self, count: u64) {
        self.headings += count;
    }

    /// Counts what a scanner held back against a database.
    pub fn held_back(&mut self, database: &Database, held: &HeldBack) {
        let group_of = |context| self.groups.number(&database.context(context)?);
        let held_back = &mut self.held_back;
        let mut groups: BTreeMap<u32, Option<&'static str>> = BTreeMap::new();
        for (claims, count) in held.iter() {
            groups.clear();
            for (context, reason) in claims {
                let Some(group) = group_of(*context) else { continue };
                let reason = reason.map(|reason| reason.name());
                // A group that alerts is not held back, whatever its other claims are.
                let known = groups.entry(group).or_insert(reason);
                *known = known.and(reason).and(*known);
            }
            for (group, reason) in &groups {
                if let Some(reason) = reason {
                    *held_back.entry((*group, *reason)).or_default() += count;
                }
            }
        }
    }

    /// Counts an alert, and returns its groups.
    fn alert(&mut self, hit: &Hit<'_>) -> MaskId {
        let mut met = Vec::with_capacity(hit.matches.len());
        let mut mask = EMPTY;
        let time = hit_time(&hit.place);
        for found in &hit.matches {
            let mut groups = std::mem::take(&mut self.buffer);
            groups.clear();
            groups.extend(found.sources.iter().filter_map(|source| self.groups.number(source)));
            let of_entry = self.masks.of(&mut groups);
            self.buffer = groups;
            let number = self.entry(found.kind, found.scope, &found.value);
            let entry = &mut self.entries[number as usize];
            *entry.alerts.entry(of_entry).or_default() += 1;
            entry.last_hit = entry.last_hit.max(time);
            time.into_iter().for_each(|time| entry.times.add(time));
            met.push((number, of_entry));
            mask = self.masks.union(mask, of_entry);
        }
        met.sort_unstable();
        *self.alerts.entry(met).or_default() += 1;
        let seen = SeenOf(hit.seen.kind, &hit.seen.value);
        match self.observables.get_mut(&seen) {
            Some(of_seen) => *of_seen = self.masks.union(*of_seen, mask),
            None => {
                self.observables.insert((hit.seen.kind, hit.seen.value.as_str().into()), mask);
            }
        }
        mask
    }

    /// The number of an entry.
    fn entry(&mut self, kind: Kind, scope: Scope, value: &str) -> u32 {
        if let Some(number) = self.numbers.get(&EntryOf { kind, scope, value }) {
            return *number;
        }
        let number = self.entries.len() as u32;
        self.numbers.insert(EntryKey { kind, scope, value: value.into() }, number);
        self.entries.push(EntryTally {
            kind,
            scope,
            value: value.into(),
            alerts: BTreeMap::new(),
            began: HashSet::new(),
            unknown: HashSet::new(),
            last_hit: None,
            times: Times::default(),
        });
        number
    }

    /// Notes that the entries of a hit reached a host.
    fn reached(&mut self, hit: &Hit<'_>, host: u32, began: Option<bool>) {
        for found in &hit.matches {
            let number = self.entry(found.kind, found.scope, &found.value);
            let entry = &mut self.entries[number as usize];
            match began {
                Some(true) => {
                    entry.began.insert(host);
                }
                Some(false) => {}
                None => {
                    entry.unknown.insert(host);
                }
            }
        }
    }

    /// The event of a place, empty if it is a new one.
    fn take_event(&mut self, place: &Place) -> OpenEvent {
        match place {
            Place::Log(place) => match self.line.take() {
                Some((path, line, event)) if line == place.line && *path == *place.path => event,
                Some((_, _, event)) => {
                    self.close(event);
                    OpenEvent::default()
                }
                None => OpenEvent::default(),
            },
            Place::Packet(place) => {
                if self.capture.as_ref().is_none_or(|path| *path != place.path) {
                    let flows = std::mem::take(&mut self.flows);
                    flows.into_values().for_each(|event| self.close(event));
                    self.capture = Some(Arc::clone(&place.path));
                }
                self.flows.remove(&packet_record(place)).unwrap_or_default()
            }
        }
    }

    /// Puts an event back, since more alerts may follow.
    fn put_event(&mut self, place: &Place, event: OpenEvent) {
        match place {
            Place::Log(place) => self.line = Some((Arc::clone(&place.path), place.line, event)),
            Place::Packet(place) => {
                let is_new = self.flows.insert(packet_record(place), event).is_none();
                debug_assert!(is_new);
            }
        }
    }

    /// Counts an event to which nothing more comes.
    fn close(&mut self, event: OpenEvent) {
        *self.events.entry(event.mask).or_default() += 1;
        self.events_without_host += u64::from(event.hosts.is_empty());
        for host in event.hosts {
            let mask = self.masks.union(self.host_masks[host as usize], event.mask);
            self.host_masks[host as usize] = mask;
        }
    }
}

/// What tells a record from others of its input.
fn record(place: &Place) -> u64 {
    match place {
        Place::Log(place) => place.line,
        Place::Packet(place) => packet_record(place),
    }
}

/// The same for a packet: its flow, or itself if it is in none.
fn packet_record(place: &PacketPlace) -> u64 {
    match place.flow_id {
        // Identifiers of flows use fewer bits.
        0 => 1 << 63 | place.number,
        flow => flow,
    }
}

/// When something was seen.
fn hit_time(place: &Place) -> Option<Timestamp> {
    match place {
        Place::Log(place) => place.time,
        Place::Packet(place) => Some(place.time),
    }
}

/// The home addresses in a packet, and which of them opened the flow.
pub fn parties_of(place: &PacketPlace, is_home: impl Fn(IpAddr) -> bool) -> Vec<Party> {
    let began = |is_source: bool| place.to_server.map(|to_server| to_server == is_source);
    let ends = [(place.src, true), (place.dst, false)];
    ends.into_iter()
        .filter_map(|(address, is_source)| Some(Party { host: address?, began: began(is_source) }))
        .filter(|party| is_home(party.host))
        .collect()
}
