//! Which hosts began a contact, in all lines of a text, whether they alert or not.
//!
//! Lines that alert are few, and parsed. All others are only looked at around the fields that say
//! who began a contact; a line is parsed if it names a host that is not known to have begun one.

use super::parties::Lines;
use memchr::memmem::Finder;
use std::net::IpAddr;
use std::ops::Range;

/// The column of Zeek that says who began a contact.
const COLUMN: &str = "id.orig_h";

/// Bytes between a name and its value.
const MAX_BETWEEN: usize = 8;

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
    /// Notes the hosts that began a contact.
    pub(super) fn openers(&mut self) {
        self.named_openers(b"orig_h", |_| true);
        // Only flows of Suricata say who began them.
        let flow = Finder::new(b"\"flow\"");
        self.named_openers(b"src_ip", |line| flow.find(line).is_some());
        if self.sections().have_column(COLUMN) {
            self.column_openers();
        }
    }

    /// How many lines describe others.
    pub(super) fn headings(&self) -> u64 {
        let text = &self.text[self.core.clone()];
        let is_heading = |line: &[u8]| {
            let word = line.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
            HEADINGS.iter().any(|heading| heading.as_bytes() == word)
        };
        let first = text.strip_prefix(b"#").is_some_and(is_heading);
        let others = memchr::memmem::find_iter(text, b"\n#");
        u64::from(first) + others.filter(|at| is_heading(&text[at + 2..])).count() as u64
    }

    /// Looks for members with a name, in lines that may say who began a contact.
    fn named_openers(&mut self, name: &[u8], may_say: impl Fn(&[u8]) -> bool) {
        let (text, core) = (self.text, self.core.clone());
        for at in Finder::new(name).find_iter(&text[core.clone()]) {
            let at = core.start + at + name.len();
            let between = text[at..].iter().take(MAX_BETWEEN);
            let is_between = |byte: &&u8| b"\\\":=\t ".contains(byte);
            let value = at + between.take_while(is_between).count();
            if self.is_new(&text[value..]) {
                let line = self.line(value);
                if may_say(&text[line.clone()]) {
                    self.note(line);
                }
            }
        }
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
        let began = parties.into_iter().filter(|party| party.began == Some(true));
        self.reader.openers.extend(began.map(|party| party.host));
    }
}

#[cfg(test)]
mod tests {
    use super::super::parties::LineParties;
    use crate::engine::scan::{Home, Origin};

    fn openers(text: &str) -> (Vec<String>, u64) {
        let (mut reader, home) = (LineParties::default(), Home::default());
        let origin = Origin { layout: layout(text), ..Origin::new("x") };
        let mut lines = reader.open(text.as_bytes(), 0..text.len(), &origin, &home);
        let headings = lines.headings();
        lines.openers();
        let mut openers: Vec<_> = reader.take_openers().iter().map(ToString::to_string).collect();
        openers.sort();
        (openers, headings)
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
        let zeek = "#separator \\x09\n#fields\tts\tid.orig_h\tid.resp_h\n\
            1\t10.0.0.1\t10.0.0.2\n2\tfd00::7\t10.0.0.1\n#a comment\n#close\tx\n";
        assert_eq!(openers(zeek), (vec!["10.0.0.1".to_string(), "fd00::7".to_string()], 3));
    }
}
