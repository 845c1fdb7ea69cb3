//! Which hosts began a contact, in all lines of a text, whether they alert or not.
//!
//! Lines that alert are few, and parsed. Of all others the scan notes where a host is in a field that
//! may say who began a contact; such a line is parsed if the host is not known to have begun one.

use super::parties::Lines;
use crate::engine::scan::opener_field;
use memchr::memmem::Finder;
use std::net::IpAddr;
use std::ops::Range;

/// The column of Zeek that says who began a contact.
const COLUMN: &str = "id.orig_h";

/// The longest address in text.
const MAX_ADDRESS: usize = 45;

/// The first words of lines that describe the others: those of Zeek, and of the W3C format.
const HEADINGS: [&str; 17] = [
    "separator",
    "set_separator",
    "empty_field",
    "unset_field",
    "path",
    "open",
    "close",
    "fields",
    "types",
    "Version:",
    "Fields:",
    "Software:",
    "Start-Date:",
    "End-Date:",
    "Date:",
    "Remark:",
    "GMT-Offset:",
];

impl Lines<'_> {
    /// Notes the hosts that began a contact; `places` are those where some may have.
    pub(super) fn openers(&mut self, places: &[usize]) {
        // Only flows of Suricata say who began them.
        let flow = Finder::new(b"\"flow\"");
        for place in places {
            if !self.is_new(&self.text[*place..]) {
                continue;
            }
            let line = self.line(*place);
            let is_flow = || flow.find(&self.text[line.clone()]).is_some();
            if opener_field(self.text, *place) != Some(b"src_ip") || is_flow() {
                self.note(line);
            }
        }
        if self.sections().have_column(COLUMN) {
            self.column_openers();
        }
    }

    /// How many lines describe others.
    pub(super) fn headings(&mut self) -> u64 {
        let (text, end) = (self.text, self.core.end);
        let is_heading = |at: &&usize| {
            let line = &text[**at + 1..end];
            let word = line.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
            HEADINGS.iter().any(|heading| heading.as_bytes() == word)
        };
        let is_first = |at: usize| at == 0 || text[at - 1] == b'\n';
        let marks = self.marks().iter().filter(|at| **at < end && is_first(**at));
        marks.filter(is_heading).count() as u64
    }

    /// Looks at a column of each line.
    fn column_openers(&mut self) {
        let (text, mut at) = (self.text, self.core.start);
        while at < self.core.end {
            let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |end| at + end);
            if let Some((column, separator)) = self.sections().at(at).column_of(COLUMN)
                && let Some(cell) = text[at..end].split(|byte| *byte == separator).nth(column)
                && self.is_new(cell)
            {
                self.note(at..end.min(at + super::parties::AROUND));
            }
            at = end + 1;
        }
    }

    /// Whether a text begins with a host that is not known yet.
    fn is_new(&self, text: &[u8]) -> bool {
        let is_of_address = |byte: &&u8| byte.is_ascii_hexdigit() || matches!(**byte, b'.' | b':');
        let len = text.iter().take(MAX_ADDRESS).take_while(is_of_address).count();
        let address = std::str::from_utf8(&text[..len]).ok().and_then(|it| it.parse().ok());
        address.is_some_and(|address: IpAddr| {
            self.home.contains(address) && !self.reader.openers.contains(&address)
        })
    }

    /// Notes who began the contact of a line.
    fn note(&mut self, line: Range<usize>) {
        let parties = self.parties(line);
        for party in parties.into_iter().filter(|party| party.began == Some(true)) {
            if self.reader.openers.insert(party.host) {
                self.reader.new_openers.push(party.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parties::LineParties;
    use crate::engine::indicator::Timestamp;
    use crate::engine::scan::{Home, Options, Origin, Scanner};
    use crate::{Compiler, Database};
    use std::sync::Arc;

    fn openers(text: &str) -> (Vec<String>, u64) {
        let (mut reader, home) = (LineParties::default(), Arc::new(Home::default()));
        let origin = Origin { layout: layout(text), ..Origin::new("x") };
        let empty = Compiler::default().into_bytes(Timestamp(0)).unwrap();
        let database = Database::from_bytes(empty).unwrap();
        let mut scanner = Scanner::new(Options::default().survey(Some(Arc::clone(&home))));
        scanner.scan_text(&database, text.as_bytes(), 0..text.len(), &origin, |_| {});
        let mut lines = reader.open(text.as_bytes(), 0..text.len(), &origin, &home);
        let headings = lines.headings();
        lines.openers(&scanner.take_opener_places());
        let mut openers: Vec<_> = reader.take_openers().map(|host| host.to_string()).collect();
        openers.sort();
        (openers, headings)
    }

    /// Parses every line.
    fn openers_of_lines(text: &str) -> Vec<String> {
        let (mut reader, home) = (LineParties::default(), Home::default());
        let origin = Origin { layout: layout(text), ..Origin::new("x") };
        let mut lines = reader.open(text.as_bytes(), 0..text.len(), &origin, &home);
        let mut found = std::collections::BTreeSet::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let parties = lines.parties(start..start + line.trim_end().len());
            let began = parties.iter().filter(|party| party.began == Some(true));
            found.extend(began.map(|party| party.host.to_string()));
            start += line.len();
        }
        found.into_iter().collect()
    }

    fn layout(text: &str) -> crate::engine::text::fields::Layout {
        let format = crate::engine::text::fields::Format::of_head(text.as_bytes());
        crate::engine::text::fields::Layout::Fixed(format.into())
    }

    #[test]
    fn hosts_that_begin_contacts_are_those_of_the_fields() {
        let json = "{\"id.orig_h\":\"10.0.0.1\",\"id.resp_h\":\"10.0.0.2\"}\n\
            {\"id\": {\"orig_h\": \"10.0.0.3\", \"resp_h\": \"10.0.0.4\"}}\n\
            {\"id.orig_h\":\"8.8.8.8\",\"id.resp_h\":\"10.0.0.5\"}\n\
            {\"event_type\":\"flow\",\"src_ip\":\"10.0.0.6\",\"dest_ip\":\"10.0.0.7\"}\n\
            {\"event_type\":\"dns\",\"src_ip\":\"10.0.0.8\",\"dest_ip\":\"10.0.0.9\"}\n\
            {\"event_type\":\"alert\",\"src_ip\":\"10.0.1.1\",\"flow\":{\"src_ip\":\"10.0.1.2\"}}\n\
            10.0.1.3 says orig_h 10.0.1.4\n";
        assert_eq!(openers(json).0, ["10.0.0.1", "10.0.0.3", "10.0.0.6", "10.0.1.2"]);
        assert_eq!(openers(&json.replace(':', ": ")).0, openers(json).0);
        let v6 = "{\"id.orig_h\":\"fd00::7\",\"id.resp_h\":\"fd00::1\"}\n";
        assert_eq!(openers(v6).0, ["fd00::7"]);
        // A record in a string of another.
        let quoted = "{\"message\":\"{\\\"id.orig_h\\\":\\\"10.0.0.1\\\"}\"}\n";
        assert_eq!(openers(quoted).0, openers_of_lines(quoted));
        let zeek = "#separator \\x09\n#fields\tts\tid.orig_h\tid.resp_h\n\
            1\t10.0.0.1\t10.0.0.2\n2\tfd00::7\t10.0.0.1\n#a comment\n#close\tx\n";
        assert_eq!(openers(zeek), (vec!["10.0.0.1".to_string(), "fd00::7".to_string()], 3));
        // Whatever the scan notes, parsing each line says the same.
        for text in [json, v6, zeek, quoted] {
            assert_eq!(openers(text).0, openers_of_lines(text), "{text}");
        }
    }
}
