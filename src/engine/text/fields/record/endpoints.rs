//! Finds the port of an address in another field of its record.

use super::Record;
use super::groups::{Groups, mate_of};
use crate::engine::text::fields::member::{Name, Scope};
use crate::engine::text::fields::names::{self, Side};
use std::ops::Range;

/// The maximum length of an address with a zone.
const MAX_ADDRESS: usize = 64;

impl Record {
    /// Finds the port of the address at `span` in a field of its own, and the names
    /// of both fields.
    pub fn port_in_other_field(
        &mut self,
        line: &[u8],
        span: Range<usize>,
    ) -> Option<(u16, String)> {
        let Some(number) = self.number_at(span.start) else {
            return self.port_by_place(line, span);
        };
        let member = self.members[number as usize];
        let value = member.span();
        let is_whole = value == span || value == (span.start.checked_sub(1)?..span.end + 1);
        if member.name == Name::None || !is_whole {
            if value.contains(&span.start) && !is_whole {
                let found = self.inner(line, number)?.port_in_other_field(line, span);
                let (port, fields) = found?;
                return Some((port, self.path_in(line, number, &fields)));
            }
            return self.port_by_place(line, span);
        }
        self.port_of(line, number).or_else(|| self.port_by_place(line, span))
    }

    fn port_of(&mut self, line: &[u8], number: u32) -> Option<(u16, String)> {
        self.index_endpoints(line);
        let member = self.members[number as usize];
        let side = self.side(line, number);
        let root = self.root(member);
        let endpoints = self.endpoints.as_ref()?;
        let mut ports = endpoints.of(root, port_key(side.words));
        if ports.is_empty() && side.words == names::destination() {
            // A port without a side belongs to the side that traffic goes to.
            ports = endpoints.of(root, port_key(names::NO_SIDE));
        }
        let anchors = endpoints.of(root, address_key(side, self.name(line, member.name)));
        let anchors = if anchors.is_empty() { &[number] } else { anchors };
        let port = mate_of(anchors, ports, number)?;
        let value = port_number(self.value(line, self.members[port as usize]))?;
        let field = format!("{}+{}", self.path(line, number)?, self.path(line, port)?);
        Some((value, field))
    }

    /// Finds the port in unnamed columns next to an address.
    fn port_by_place(&mut self, line: &[u8], span: Range<usize>) -> Option<(u16, String)> {
        if self.format.has_columns() {
            return None;
        }
        let text = self.text.clone();
        self.positions.port_in_other_field(line, &text, span)
    }

    pub(super) fn side(&self, line: &[u8], number: u32) -> Side {
        let member = self.members[number as usize];
        self.sides[member.scope as usize].with(self.name(line, member.name))
    }

    pub(super) fn index_endpoints(&mut self, line: &[u8]) {
        if self.endpoints.is_some() {
            return;
        }
        self.sides.clear();
        for at in 0..self.members.scopes.len() {
            let Scope { parent, opened, .. } = self.members.scopes[at];
            let side = match parent.filter(|_| !opened.is_element) {
                Some(parent) => self.sides[parent as usize].with(self.name(line, opened.key)),
                None => Side::none(),
            };
            self.sides.push(side);
        }
        let mut endpoints = Groups::default();
        let mut last = Name::None;
        for (number, member) in self.members.iter().enumerate() {
            if member.name == Name::None {
                continue;
            }
            let value = self.value(line, *member);
            let (number, root) = (number as u32, self.root(*member));
            if is_address(value) {
                // The values of an array are all of one field.
                if member.name != last {
                    let key = address_key(self.side(line, number), self.name(line, member.name));
                    endpoints.note(root, key, number);
                }
                last = member.name;
            } else if port_number(value).is_some() {
                let side = self.side(line, number);
                let key = port_key(side.words);
                // Of several names for the same, the first one counts.
                let is_same = |first: &u32| {
                    let first = self.members[*first as usize].name;
                    first != member.name && self.name(line, first) == self.name(line, member.name)
                };
                if side.is_port && endpoints.of(root, key).first().is_none_or(is_same) {
                    endpoints.note(root, key, number);
                }
            }
        }
        self.endpoints = Some(endpoints);
    }

    /// The port of the side that a request goes to.
    pub(super) fn server_port(&self, line: &[u8], scope: u32) -> Option<u16> {
        let root = self.members.scopes[scope as usize].root;
        let endpoints = self.endpoints.as_ref()?;
        let port = ["dst", "id.resp", "server", ""].iter().find_map(|side| {
            let words = Side::none().with(side.as_bytes()).words;
            endpoints.of(root, port_key(words)).first()
        });
        port_number(self.value(line, self.members[*port? as usize]))
    }
}

/// The key for ports of a side, and for addresses of a side and name, in one table:
/// `source.ip` and `destination.ip` in two objects have different ports.
fn port_key(words: u64) -> u64 {
    words << 1
}

fn address_key(side: Side, name: &[u8]) -> u64 {
    (names::hash_of(name) ^ side.words.rotate_left(17)) << 1 | 1
}

/// Whether a value looks like an address.
fn is_address(value: &[u8]) -> bool {
    let is_of_address = |b: &u8| b.is_ascii_hexdigit() || b".:[]%".contains(b);
    (3..MAX_ADDRESS).contains(&value.len())
        && value.iter().filter(|b| b".:".contains(b)).count() > 1
        && value.iter().all(is_of_address)
}

pub(super) fn port_number(text: &[u8]) -> Option<u16> {
    if !(1..=5).contains(&text.len()) || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok().filter(|&port| port != 0)
}
