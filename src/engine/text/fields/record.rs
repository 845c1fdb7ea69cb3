//! A line as a record: its members, the objects that contain them, and its times.
//!
//! A line is parsed once, at its first hit. Hits then use binary search, so many
//! hits in one line cost no more than hits in separate lines. A value may itself be
//! a record (JSON in a JSON string, pairs in a message); it is parsed once, when a
//! hit in it asks.

mod endpoints;
mod groups;
mod moments;
mod requests;
mod undone;
mod urls;

pub use requests::url_before_request;
pub use urls::{HostSeen, SplitUrl};

use super::columns::Format;
use super::json;
use super::member::{Member, Members, Name, Scope};
use super::names::{self, Side};
use super::positions::Positions;
use super::times::{self, Clock};
use crate::engine::indicator::Timestamp;
use groups::Groups;
use hashbrown::HashMap;
use moments::Moment;
use std::ops::Range;
use std::sync::Arc;
use urls::Parts;

/// The maximum length of a field's name to report.
const MAX_FIELD: usize = 1024;
/// The number of members to search for a time with an unknown name.
const MAX_UNNAMED: usize = 64;
/// How many bytes before a time to look for its name.
const MAX_BEFORE: usize = 64;
/// The maximum depth of records in records.
const MAX_NEST: u8 = 3;

/// How far into a text the header before a CEF event may extend.
const MAX_CEF_HEAD: usize = 256;

/// A parsed line, or a text in it.
#[derive(Debug, Default)]
pub struct Record {
    format: Arc<Format>,
    /// The range of the text in the line.
    text: Range<usize>,
    /// The number of JSON strings that contain it.
    nest: u8,
    /// The number of cells with doubled quotes that contain it.
    cells: u8,
    members: Members,
    /// Each of these is built when first needed.
    moments: Option<Vec<Moment>>,
    leading: Option<Option<Timestamp>>,
    endpoints: Option<Groups>,
    sides: Vec<Side>,
    parts: Option<[Vec<Parts>; 2]>,
    requests: Groups,
    request: Option<Option<(usize, Range<usize>)>>,
    /// The total length of the paths of all URLs that were joined.
    built: usize,
    positions: Positions,
    /// The records in values, by the number of the member.
    inner: HashMap<u32, Box<Record>>,
    /// Whether names are from `key=value`.
    is_pairs: bool,
}

impl Record {
    /// Parses a line.
    pub fn read(&mut self, line: &[u8], format: &Arc<Format>) {
        self.begin(0..line.len(), 0);
        self.format = Arc::clone(format);
        let start = json::begins(line, &self.text, 0);
        if format.has_columns() && !line.starts_with(b"#") && start != Some(0) {
            format.read(line, &mut self.members);
            return;
        }
        self.read_text(line, start);
    }

    /// Starts over, reusing allocations.
    fn begin(&mut self, text: Range<usize>, nest: u8) {
        self.members.begin(nest);
        self.sides.clear();
        self.inner.clear();
        self.requests.clear();
        self.positions.clear();
        (self.moments, self.leading) = (None, None);
        (self.endpoints, self.parts, self.request) = (None, None, None);
        (self.built, self.is_pairs) = (0, false);
        (self.text, self.nest) = (text, nest);
    }

    /// Reads pairs, and JSON where it begins.
    fn read_text(&mut self, line: &[u8], json: Option<usize>) {
        let (text, nest) = (self.text.clone(), self.nest);
        self.is_pairs = json != Some(text.start);
        self.members.is_cef = self.is_pairs && is_cef(&line[text.clone()]);
        let mut at = text.start;
        let mut next = json;
        // Several records may follow each other, with anything between them.
        while let Some(start) = next {
            self.read_pairs(line, at..start, nest);
            at = json::read(line, start..text.end, nest, &mut self.members).max(start + 1);
            next = json::object(line, at.min(text.end)..text.end, nest);
        }
        if at < text.end {
            self.read_pairs(line, at..text.end, nest);
        }
    }

    /// The record in the value of a member, if it may be one.
    fn inner(&mut self, line: &[u8], number: u32) -> Option<&mut Record> {
        let member = self.members[number as usize];
        let depth = self.members.scopes[member.scope as usize].opened.undone;
        let is_text = !self.value(line, member).is_empty();
        if depth > MAX_NEST || self.nest >= MAX_NEST || !is_text {
            return None;
        }
        let inner = self.inner.entry(number).or_insert_with(|| {
            let is_quoted = member.start > 0 && line[member.start as usize - 1] == b'"';
            if is_quoted
                && self.cells < MAX_NEST
                && let Some(inner) = Record::of_cell(line, member.span(), depth)
            {
                return Box::new(Record { cells: self.cells + 1, ..inner });
            }
            let nest = depth.max(self.nest + u8::from(is_quoted));
            let mut inner = Box::new(Record { cells: self.cells, ..Record::default() });
            inner.begin(member.span(), nest);
            inner.read_text(line, json::begins(line, &member.span(), nest));
            inner
        });
        Some(inner)
    }

    /// The number of the member that contains a byte.
    fn number_at(&self, at: usize) -> Option<u32> {
        let after = self.members.partition_point(|member| member.start as usize <= at);
        let number = after.checked_sub(1)?;
        let member = self.members[number];
        (at < member.end as usize || at == member.start as usize).then_some(number as u32)
    }

    fn name<'a>(&'a self, line: &'a [u8], name: Name) -> &'a [u8] {
        match name {
            Name::None => b"",
            Name::Key(start, end) => line.get(start as usize..end as usize).unwrap_or_default(),
            Name::Column(at) => self.format.column(at),
        }
    }

    fn value<'a>(&self, line: &'a [u8], member: Member) -> &'a [u8] {
        line.get(member.span()).unwrap_or_default()
    }

    fn root(&self, member: Member) -> u32 {
        self.members.scopes[member.scope as usize].root
    }

    /// The name of the field that contains the byte at `at`: a path of keys in JSON
    /// (`dns.rrname`), a column of a Zeek log (`id.resp_h`), a key of `key=value`.
    pub fn field(&self, line: &[u8], at: usize) -> Option<String> {
        let number = self.number_at(at)?;
        let member = self.members[number as usize];
        // A label directly before an address (`ip6:2001:db8::1`) is not a field.
        let is_label = match member.name {
            Name::Key(_, end) => member.start == end + 1 && line.get(end as usize) == Some(&b':'),
            _ => false,
        };
        if is_label { None } else { self.path(line, number) }
    }

    /// Where the table cell that contains the byte at `at` ends.
    pub fn cell_end(&self, at: usize) -> Option<usize> {
        let member = self.members[self.number_at(at)? as usize];
        matches!(member.name, Name::Column(_)).then_some(member.end as usize)
    }

    fn path(&self, line: &[u8], number: u32) -> Option<String> {
        let member = self.members[number as usize];
        let mut names = vec![member.name];
        let mut scope = Some(member.scope);
        while let Some(at) = scope {
            let Scope { parent, opened, .. } = self.members.scopes[at as usize];
            if !opened.is_tag {
                names.push(opened.key);
            }
            scope = parent;
        }
        let names = names.iter().rev().map(|name| self.name(line, *name));
        let names: Vec<&[u8]> = names.filter(|name| !name.is_empty()).collect();
        let len: usize = names.iter().map(|name| name.len() + 1).sum();
        let is_named = (1..=MAX_FIELD).contains(&len);
        is_named.then(|| String::from_utf8_lossy(&names.join(&b'.')).into_owned())
    }

    /// The names of two fields in the record that is the value of a member.
    fn path_in(&self, line: &[u8], number: u32, fields: &str) -> String {
        match self.path(line, number) {
            Some(path) => {
                let named: Vec<_> =
                    fields.split('+').map(|name| format!("{path}.{name}")).collect();
                named.join("+")
            }
            None => fields.to_string(),
        }
    }

    /// The time of the record around the byte at `at`.
    pub fn time(&mut self, line: &[u8], at: usize, clock: &Clock) -> Option<Timestamp> {
        if self.moments.is_none() {
            self.moments = Some(self.moments(line, clock));
        }
        let number = self.number_at(at);
        if let Some(time) = number.and_then(|number| self.time_before(line, number)) {
            return Some(time);
        }
        let scope = number.map_or(0, |number| self.members[number as usize].scope);
        if let Some(time) = self.time_of(line, scope) {
            return Some(time);
        }
        // In JSON, what looks like a leading time belongs to any member.
        let inner = |record: &mut Self| record.inner(line, number?)?.time(line, at, clock);
        if !self.is_pairs {
            return inner(self).or_else(|| self.leading(line, clock));
        }
        self.leading(line, clock).or_else(|| inner(self))
    }

    /// The time of the line as a whole: the one that a hit in its outermost object gets, or, if
    /// that has none, a hit in an object inside it.
    pub fn time_of_line(&mut self, line: &[u8], clock: &Clock) -> Option<Timestamp> {
        let parent = |member: &&Member| self.members.scopes[member.scope as usize].parent;
        let outermost = self.members.iter().find(|member| parent(member) == Some(0));
        let outermost = outermost.map(|member| member.start as usize);
        let inner = self.members.iter().filter(|member| parent(member).is_some());
        let inner: Vec<usize> =
            inner.take(MAX_UNNAMED).map(|member| member.start as usize).collect();
        // Outside of every object there is only the text before the first one.
        let places = outermost.into_iter().chain([0]).chain(inner);
        places.into_iter().find_map(|at| self.time(line, at, clock))
    }

    /// Whether a member of the outermost object has this name and this value.
    pub fn has_member(&self, line: &[u8], name: &str, value: &str) -> bool {
        self.members.iter().any(|member| {
            self.name(line, member.name) == name.as_bytes()
                && self.value(line, *member) == value.as_bytes()
                && self.members.scopes[member.scope as usize].parent.unwrap_or_default() == 0
        })
    }

    /// The time at the start of the text. XML and JSON have none: in JSON it is the
    /// first time in a member of the outermost object, under any name.
    fn leading(&mut self, line: &[u8], clock: &Clock) -> Option<Timestamp> {
        if let Some(known) = self.leading {
            return known;
        }
        let text = line.get(self.text.clone()).unwrap_or_default();
        let begins = text.trim_ascii_start();
        let is_xml = matches!(begins, [b'<', b'A'..=b'Z' | b'a'..=b'z' | b'?', ..]);
        let found = match self.is_pairs || self.format.has_columns() {
            // `<Jun 24, 2026 4:15:41 AM UTC>` of WebLogic is not an element.
            true if is_xml => times::whole(&begins[1..], clock),
            true => times::leading(text, clock, |at| self.is_other_time(line, at)),
            false => self.unnamed_time(line, clock),
        };
        self.leading = Some(found);
        found
    }

    fn unnamed_time(&self, line: &[u8], clock: &Clock) -> Option<Timestamp> {
        let is_in_line = |scope: &Scope| scope.parent == Some(0);
        if self.members.scopes.iter().filter(|scope| is_in_line(scope)).nth(1).is_some() {
            // With several records, each would have its own.
            return None;
        }
        let is_outermost = |member: &&Member| {
            self.members.scopes[member.scope as usize].parent.unwrap_or_default() == 0
        };
        let outermost = self.members.iter().take(MAX_UNNAMED).filter(is_outermost);
        outermost.into_iter().find_map(|member| {
            let name = self.name(line, member.name);
            let is_of_thing = || {
                names::time_rank(name) == Some(names::CREATED_RANK)
                    && self.describes_thing(line, member.scope)
            };
            if names::is_other_time(name) || is_of_thing() {
                return None;
            }
            let value = self.value(line, *member);
            let number = || times::seconds(value).filter(|_| names::ends_as_time(name));
            times::whole(value, clock).or_else(number)
        })
    }

    /// Whether the member around a place, or the text before it, says that a time
    /// is not an event's.
    fn is_other_time(&self, line: &[u8], at: usize) -> bool {
        let place = self.text.start + at;
        let member = self.number_at(place).map(|number| self.members[number as usize].name);
        if let Some(name) = member.filter(|name| *name != Name::None) {
            return names::is_other_time(self.name(line, name));
        }
        let head = &line[place.saturating_sub(MAX_BEFORE).max(self.text.start)..place];
        names::is_other_time(times::name_before(head))
    }

    /// The time directly before the text at a place, in nanoseconds:
    /// `["1782274541123456789","…"]` of Loki.
    fn time_before(&self, line: &[u8], number: u32) -> Option<Timestamp> {
        let member = self.members[number as usize];
        let before = self.members[number.checked_sub(1)? as usize];
        let is_pair = before.scope == member.scope
            && before.name == member.name
            && before.end - before.start == 19
            && before.start > 1
            && line.get(before.start as usize - 2..before.start as usize) == Some(b"[\"");
        if is_pair { times::nanoseconds(self.value(line, before)) } else { None }
    }
}

/// Whether a text is an event in ArcSight's format, possibly after the header of a
/// message.
fn is_cef(text: &[u8]) -> bool {
    memchr::memmem::find(&text[..text.len().min(MAX_CEF_HEAD)], b"CEF:").is_some()
}

#[cfg(test)]
mod tests;
