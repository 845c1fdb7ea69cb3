//! The time of a record: that of its outermost object with one.

use super::Record;
use crate::engine::indicator::Timestamp;
use crate::engine::text::fields::member::{Member, Name, Scope};
use crate::engine::text::fields::names::{self, TimePart};
use crate::engine::text::fields::times::{self, Clock, Value};
use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};
use std::collections::HashMap;

/// The weakest name of a time that counts in `key=value`, which may be free text.
const MAX_PAIR_RANK: u8 = names::RECEIVED_RANK;
/// The weakest name that counts in CEF, which defines all names (`start`, `end`).
const MAX_CEF_RANK: u8 = 14;
/// The rank of a time joined from a date and a clock time, and of a date alone.
const JOINED_RANK: u8 = 7;
const DATE_RANK: u8 = 20;
/// How much weaker a time in an object for times is (`event.created`).
const INNER_RANK: u8 = 30;
/// The maximum length of a time without quotes.
const MAX_TIME: usize = 64;

/// What is known of the time of a scope.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moment {
    best: Option<(u8, Timestamp)>,
    date: Option<Date>,
    clock: Option<(Time, Option<Offset>)>,
    offset: Option<Offset>,
    /// Seconds since 1970, and the microseconds to add.
    seconds: Option<Timestamp>,
    micros: i64,
    /// The time to be read by a pattern in another field, and that pattern.
    patterned: Option<Member>,
    pattern: Option<Member>,
}

impl Moment {
    fn offer(&mut self, rank: u8, time: Timestamp) {
        if self.best.is_none_or(|best| rank < best.0) {
            self.best = Some((rank, time));
        }
    }

    /// Joins a date and a clock time, or seconds and fractions, from two fields.
    fn join(&mut self, clock: &Clock) {
        if let (None, Some(Timestamp(seconds))) = (self.best, self.seconds) {
            self.best = Some((DATE_RANK, Timestamp(seconds.saturating_add(self.micros))));
        }
        let Some(date) = self.date else { return };
        let (rank, time, offset) = match self.clock {
            Some((time, offset)) => (JOINED_RANK, time, offset),
            None => (DATE_RANK, Time::midnight(), None),
        };
        if self.best.is_none_or(|best| rank < best.0)
            && let Some(time) = times::joined(date, time, offset.or(self.offset), clock)
        {
            self.best = Some((rank, time));
        }
    }
}

impl Record {
    /// The time of a scope: the outermost of its record, and that of the nearest
    /// record if an array contains several. Unless its name says so, an array
    /// contains parts of a record, and the time around it counts.
    pub(super) fn time_of(&self, line: &[u8], scope: u32) -> Option<Timestamp> {
        let moments = self.moments.as_ref()?;
        let mut found: Option<Timestamp> = None;
        let mut is_record = false;
        let mut outermost = None;
        let mut next = Some(scope);
        while let Some(at) = next {
            let Scope { parent, opened, .. } = self.members.scopes[at as usize];
            if let Some((_, time)) = moments[at as usize].best {
                outermost = Some(time);
            }
            if opened.is_element {
                if outermost.is_some() && !is_record {
                    found = outermost;
                    is_record = names::holds_records(self.name(line, opened.key));
                }
                outermost = None;
            }
            next = parent;
        }
        found
    }

    /// What the members say about the time of each scope.
    pub(super) fn moments(&self, line: &[u8], clock: &Clock) -> Vec<Moment> {
        let mut moments = vec![Moment::default(); self.members.scopes.len()];
        // Hardly any record has a zone in a field of its own.
        let mut zones: HashMap<u32, Clock> = HashMap::new();
        for member in self.members.iter() {
            let moment = &mut moments[member.scope as usize];
            if let Some(zone) = self.read_member(line, *member, moment, clock) {
                zones.entry(member.scope).or_insert(Clock { zone: Some(zone), now: clock.now });
            }
        }
        if !zones.is_empty() {
            self.read_in_zones(line, &mut moments, &zones);
        }
        if let Some(moment) = moments.first_mut() {
            // Lines of a log whose header gives the day.
            let day = self.format.day().filter(|_| moment.clock.is_some());
            moment.date = moment.date.or(day);
        }
        for (moment, scope) in moments.iter_mut().zip(0..) {
            let clock = zones.get(&scope).unwrap_or(clock);
            if moment.best.is_some_and(|(rank, _)| rank == names::CREATED_RANK)
                && self.describes_thing(line, scope)
            {
                moment.best = None;
            }
            self.read_pattern(line, moment, clock);
            moment.join(clock);
        }
        self.hand_up(line, &mut moments);
        moments
    }

    /// Whether a member of a scope gives a lifetime. The scope then describes a thing, and the time
    /// of its creation is not that of an event.
    pub(super) fn describes_thing(&self, line: &[u8], scope: u32) -> bool {
        self.members.iter().filter(|member| member.scope == scope).any(|member| {
            let name = self.name(line, member.name);
            names::is_other_time(name) && !names::is_of_change(name)
        })
    }

    /// Reads times again in scopes that name their zone, possibly after them. A
    /// time with its own zone keeps it.
    fn read_in_zones(&self, line: &[u8], moments: &mut [Moment], zones: &HashMap<u32, Clock>) {
        for scope in zones.keys() {
            moments[*scope as usize] = Moment::default();
        }
        for member in self.members.iter() {
            if let Some(clock) = zones.get(&member.scope) {
                self.read_member(line, *member, &mut moments[member.scope as usize], clock);
            }
        }
    }

    /// Reads what a member says about the time of its scope. Returns the zone, if
    /// it is one.
    fn read_member(
        &self,
        line: &[u8],
        member: Member,
        moment: &mut Moment,
        clock: &Clock,
    ) -> Option<TimeZone> {
        let name = self.name(line, member.name);
        if name.is_empty() {
            return None;
        }
        let Some(rank) = names::time_rank(name) else {
            if let Some(part) = names::time_part(name).filter(|_| !self.is_free(member)) {
                self.read_part(line, member, part, moment);
                return None;
            }
            if names::is_zone(name) {
                let text = self.value(line, member);
                moment.offset = times::offset(text);
                return times::zone(text);
            }
            if names::is_time_pattern(name) {
                moment.pattern = Some(member);
            }
            return None;
        };
        let max = if self.members.is_cef { MAX_CEF_RANK } else { MAX_PAIR_RANK };
        if self.is_free(member) && rank > max {
            return None;
        }
        if names::has_pattern(name) {
            moment.patterned = Some(member);
        }
        match times::value(self.time_text(line, member), clock) {
            Some(Value::Time(time)) => moment.offer(rank, time),
            Some(Value::Date(date)) => moment.date = moment.date.or(Some(date)),
            Some(Value::Clock(time, offset)) => {
                moment.clock = moment.clock.or(Some((time, offset)));
            }
            _ => {}
        }
        None
    }

    /// Reads a member that contains a part of a time.
    fn read_part(&self, line: &[u8], member: Member, part: TimePart, moment: &mut Moment) {
        let value = self.value(line, member);
        let number = || -> Option<i64> {
            let number: i64 = std::str::from_utf8(value).ok()?.parse().ok()?;
            (0..1_000_000_000).contains(&number).then_some(number)
        };
        match part {
            TimePart::Seconds => moment.seconds = moment.seconds.or(times::seconds(value)),
            TimePart::Micros => moment.micros = number().unwrap_or(0).min(999_999),
            TimePart::Nanos => moment.micros = number().unwrap_or(0) / 1000,
        }
    }

    /// Whether a member is a pair in a text, where names mean less.
    fn is_free(&self, member: Member) -> bool {
        self.is_pairs && member.scope == 0 && matches!(member.name, Name::Key(..))
    }

    /// The value of a member; a blank does not end it if it is a time (CEF, LEEF).
    fn time_text<'a>(&self, line: &'a [u8], member: Member) -> &'a [u8] {
        let is_quoted = member.start > 0 && b"\"'".contains(&line[member.start as usize - 1]);
        if !self.is_free(member) || is_quoted {
            return self.value(line, member);
        }
        let end = (member.start as usize + MAX_TIME).min(self.text.end).min(line.len());
        line.get(member.start as usize..end).unwrap_or_default()
    }

    /// Reads the time of LEEF by the pattern in another field.
    fn read_pattern(&self, line: &[u8], moment: &mut Moment, clock: &Clock) {
        let (Some(time), Some(pattern)) = (moment.patterned, moment.pattern) else { return };
        let (text, pattern) = (self.time_text(line, time), self.time_text(line, pattern));
        if let Some(at) = times::by_pattern(text, pattern, clock) {
            let rank = names::time_rank(self.name(line, time.name)).unwrap_or(DATE_RANK);
            moment.best = moment.best.filter(|best| best.0 < rank);
            moment.offer(rank, at);
        }
    }

    /// Objects named for a time, or for describing a record, pass their time to the
    /// object around them (`"t":{"$date":…}`, `System.TimeCreated.SystemTime`),
    /// unless it has one.
    fn hand_up(&self, line: &[u8], moments: &mut [Moment]) {
        // Objects come after those that contain them.
        for at in (1..self.members.scopes.len()).rev() {
            let Scope { parent, opened, .. } = self.members.scopes[at];
            let Some((rank, time)) = moments[at].best else { continue };
            let Some(parent) = parent.filter(|_| !opened.is_element) else { continue };
            let key = self.name(line, opened.key);
            let rank = match names::time_rank(key) {
                Some(rank) => Some(rank),
                None => names::describes_its_record(key).then(|| rank.saturating_add(INNER_RANK)),
            };
            if let Some(rank) = rank {
                moments[parent as usize].offer(rank, time);
            }
        }
    }
}
