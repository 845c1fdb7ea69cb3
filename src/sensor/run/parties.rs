//! Which hosts are in the lines that alert, and which of them began the contact.

use crate::engine::indicator::{Kind, Observable, Timestamp, Where};
use crate::engine::scan::{Home, Origin};
use crate::engine::text::fields::{Clock, Record, Sections};
use crate::engine::text::{Extractor, Visitor};
use crate::sensor::bench::Party;
use hashbrown::HashSet;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

/// How much of a line is looked at on each side of a hit. A longer line is no record.
pub(super) const AROUND: usize = 64 << 10;

/// How many lines of a text are asked for their time, if fewer are not in the order of their times.
/// Parsing a line takes between one and twenty microseconds, scanning a mebibyte some thousand.
const LOOKS: usize = 64;

/// How many lines are asked first.
const FEW_LOOKS: usize = 6;

/// What reads lines, reused for all of them.
#[derive(Debug, Default)]
pub(super) struct LineParties {
    extractor: Extractor,
    record: Record,
    /// Hosts that are known to have begun a contact.
    pub(super) openers: HashSet<IpAddr>,
    /// Those of them that the scanner does not know yet.
    pub(super) new_openers: Vec<IpAddr>,
}

/// The lines of one text.
pub(super) struct Lines<'l> {
    pub(super) reader: &'l mut LineParties,
    pub(super) text: &'l [u8],
    pub(super) core: Range<usize>,
    origin: &'l Origin,
    pub(super) home: &'l Home,
    sections: Option<Sections>,
    /// Where lines begin with `#`, from the core on.
    pub(super) marks: Option<Vec<usize>>,
    /// The last line that was asked for.
    known: Range<usize>,
    found: Vec<Vec<Party>>,
}

impl LineParties {
    /// Takes the hosts of which it was not known that they began a contact.
    pub(super) fn take_openers(&mut self) -> std::vec::Drain<'_, IpAddr> {
        self.new_openers.drain(..)
    }

    /// Begins with a text, of which `core` is scanned.
    pub(super) fn open<'l>(
        &'l mut self,
        text: &'l [u8],
        core: Range<usize>,
        origin: &'l Origin,
        home: &'l Home,
    ) -> Lines<'l> {
        let (sections, marks, found) = (None, None, Vec::new());
        Lines { reader: self, text, core, origin, home, sections, marks, known: 0..0, found }
    }
}

impl Lines<'_> {
    /// The parties of every line that was asked for.
    pub(super) fn into_found(self) -> Vec<Vec<Party>> {
        self.found
    }

    /// The number of a line without parties.
    pub(super) fn nowhere(&mut self) -> usize {
        self.known = 0..0;
        self.found.push(Vec::new());
        self.found.len() - 1
    }

    /// The number of the line around a place of the text.
    pub(super) fn around(&mut self, place: u64) -> usize {
        let at = usize::try_from(place).unwrap_or(usize::MAX);
        if at >= self.text.len() {
            return self.nowhere();
        }
        if !self.known.contains(&at) {
            self.known = self.line(at);
            let parties = self.parties(self.known.clone());
            self.found.push(parties);
        }
        self.found.len() - 1
    }

    /// The earliest and the latest time of the first line, the last line, and lines in between at
    /// equal distances: a few if these are in order, and many if they are not, as in logs that
    /// were joined.
    pub(super) fn times(
        &mut self,
        zone: Option<&jiff::tz::TimeZone>,
    ) -> Option<(Timestamp, Timestamp)> {
        let clock = Clock { zone: zone.cloned(), now: self.origin.read_at };
        let few = self.times_of(FEW_LOOKS, &clock);
        match few.is_sorted() {
            true => Some((*few.first()?, *few.last()?)),
            false => {
                let many = self.times_of(LOOKS, &clock);
                let all = || few.iter().chain(&many).copied();
                Some((all().min()?, all().max()?))
            }
        }
    }

    /// The times of so many lines, at equal distances, in their order.
    fn times_of(&mut self, looks: usize, clock: &Clock) -> Vec<Timestamp> {
        // The last byte may be the newline of the last line.
        let bytes = self.text[self.core.clone()].trim_ascii_end().len();
        let Some(last) = bytes.checked_sub(1) else { return Vec::new() };
        let (mut times, mut end) = (Vec::with_capacity(looks), 0);
        for look in 0..looks {
            let at = self.core.start + last * look / (looks - 1);
            // Several places may be in one line.
            if look > 0 && at < end {
                continue;
            }
            let line = self.line(at);
            end = line.end.max(at + 1);
            self.read(&line);
            times.extend(self.reader.record.time_of_line(&self.text[line], clock));
        }
        times
    }

    /// The line around a place, or as much of it as is looked at.
    pub(super) fn line(&self, at: usize) -> Range<usize> {
        let floor = at.saturating_sub(AROUND);
        let start = memchr::memrchr(b'\n', &self.text[floor..at]).map_or(floor, |n| floor + n + 1);
        let limit = (at + AROUND).min(self.text.len());
        let end = memchr::memchr(b'\n', &self.text[at..limit]).map_or(limit, |n| at + n);
        start..end
    }

    /// Parses a line into the record.
    fn read(&mut self, line: &Range<usize>) {
        let format = Arc::clone(self.sections().at(line.start));
        self.reader.record.read(&self.text[line.clone()], &format);
    }

    /// How the lines name their fields.
    pub(super) fn sections(&mut self) -> &Sections {
        let is_marked = !self.marks().is_empty();
        let (text, core, origin) = (self.text, &self.core, self.origin);
        // Without a line that begins with `#`, no header is in the text.
        self.sections.get_or_insert_with(|| match is_marked {
            true => origin.layout.sections(text, core),
            false => origin.layout.sections(b"", &(0..0)),
        })
    }

    /// Where lines begin with `#`, from the core on.
    pub(super) fn marks(&mut self) -> &[usize] {
        let (text, start) = (self.text, self.core.start);
        self.marks.get_or_insert_with(|| {
            let all = memchr::memchr_iter(b'#', &text[start..]).map(|at| start + at);
            // A mark of the byte order may be before the first line.
            all.filter(|at| *at <= start + 3 || text[at - 1] == b'\n').collect()
        })
    }

    /// The home addresses in a line.
    pub(super) fn parties(&mut self, line: Range<usize>) -> Vec<Party> {
        self.read(&line);
        let text = &self.text[line];
        let mut watch = Watch { home: self.home, found: Vec::new() };
        self.reader.extractor.extract(text, 0..text.len(), &mut watch);
        let is_flow = self.reader.record.has_member(text, "event_type", "flow");
        let mut parties: Vec<Party> = watch
            .found
            .into_iter()
            .map(|(host, at)| {
                let field = self.reader.record.field(text, at);
                Party { host, began: field.and_then(|field| began(&field, is_flow)) }
            })
            .collect();
        // If the record says who began the contact, it was nobody else.
        if parties.iter().any(|party| party.began.is_some()) {
            parties.iter_mut().for_each(|party| party.began = party.began.or(Some(false)));
        }
        // Of an address in several fields the one that began counts.
        parties.sort_unstable_by(|a, b| a.host.cmp(&b.host).then(b.began.cmp(&a.began)));
        parties.dedup_by_key(|party| party.host);
        parties
    }
}

/// Whether the address in a field began the contact, if the name of the field says so: that of
/// Zeek's logs, and of Suricata's flows. The source of other events of Suricata is the sender of
/// a packet.
fn began(field: &str, is_flow: bool) -> Option<bool> {
    match field {
        "id.orig_h" | "flow.src_ip" => Some(true),
        "id.resp_h" | "flow.dest_ip" => Some(false),
        "src_ip" if is_flow => Some(true),
        "dest_ip" if is_flow => Some(false),
        _ => None,
    }
}

/// Takes home addresses.
struct Watch<'w> {
    home: &'w Home,
    found: Vec<(IpAddr, usize)>,
}

impl Visitor for Watch<'_> {
    fn may_hold_name(&self, _: &[u8], _: usize) -> bool {
        false
    }

    fn may_hold_url(&self, _: &[u8]) -> bool {
        false
    }

    fn may_end_in(&self, _: &[u8]) -> bool {
        false
    }

    fn may_hold_v4(&self, address: u32) -> bool {
        self.home.contains(std::net::Ipv4Addr::from_bits(address).into())
    }

    fn wants(&self, _: Kind) -> bool {
        false
    }

    fn seen(&mut self, observable: Observable<'_>, _: Where, span: Range<usize>) {
        if let Observable::Address(address, _) = observable
            && self.home.contains(address)
        {
            self.found.push((address, span.start));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parties(text: &str) -> Vec<(String, Option<bool>)> {
        let (mut reader, origin, home) =
            (LineParties::default(), Origin::new("x"), Home::default());
        let mut lines = reader.open(text.as_bytes(), 0..text.len(), &origin, &home);
        let line = lines.around(text.find('@').unwrap() as u64);
        let found = lines.into_found().swap_remove(line);
        found.into_iter().map(|party| (party.host.to_string(), party.began)).collect()
    }

    #[test]
    fn who_began_the_contact_is_known_where_the_log_says_so() {
        let host = |text: &str, began| (text.to_string(), began);
        let zeek = "{\"x\":1}\n{\"id.orig_h\":\"10.0.0.7\",\"id.resp_h\":\"10.0.0.1\",\"q\":\"@\"}\n10.9.9.9\n";
        assert_eq!(parties(zeek), [host("10.0.0.1", Some(false)), host("10.0.0.7", Some(true))]);
        let nested =
            "{\"id\":{\"orig_h\":\"8.8.8.8\",\"resp_h\":\"10.0.0.1\"},\"q\":\"@ 10.0.0.2\"}";
        let others = [host("10.0.0.1", Some(false)), host("10.0.0.2", Some(false))];
        assert_eq!(parties(nested), others);
        let flow = "{\"event_type\":\"flow\",\"src_ip\":\"10.0.0.7\",\"dest_ip\":\"192.0.2.1\",\"q\":\"@\"}";
        assert_eq!(parties(flow), [host("10.0.0.7", Some(true))]);
        // Python's json.dumps puts blanks after colons, and other writers before them.
        for colon in [": ", " : ", ":\t"] {
            assert_eq!(parties(&flow.replace(':', colon)), [host("10.0.0.7", Some(true))]);
        }
        let of_other = "{\"a\":{\"event_type\":\"flow\"},\"src_ip\":\"10.0.0.7\",\"q\":\"@\"}";
        assert_eq!(parties(of_other), [host("10.0.0.7", None)]);
        let alert = "{\"event_type\":\"alert\",\"src_ip\":\"10.0.0.7\",\"dest_ip\":\"10.0.0.8\",\"q\":\"@\"}";
        assert_eq!(parties(alert), [host("10.0.0.7", None), host("10.0.0.8", None)]);
        let text = "@ from 10.0.0.7 and 10.0.0.7 and fd00::7 to 192.0.2.1";
        assert_eq!(parties(text), [host("10.0.0.7", None), host("fd00::7", None)]);
        assert_eq!(parties("@ nobody"), []);
    }

    #[test]
    fn times_are_those_of_the_earliest_and_the_latest_line() {
        let span = |text: &str| {
            let (mut reader, origin, home) =
                (LineParties::default(), Origin::new("x"), Home::default());
            let mut lines = reader.open(text.as_bytes(), 0..text.len(), &origin, &home);
            lines.times(None).map(|(first, last)| (first.to_string(), last.to_string()))
        };
        let line = |day: u32| format!("2026-11-{day:02}T00:00:00Z evil.example\n");
        let of = |days: &[u32]| days.iter().map(|day| line(*day)).collect::<String>();
        let want = |first: u32, last: u32| {
            let time = |day| format!("2026-11-{day:02}T00:00:00.000000Z");
            Some((time(first), time(last)))
        };
        assert_eq!(span(&of(&[3, 4, 5])), want(3, 5));
        // Rotated logs, joined in the wrong order.
        assert_eq!(span(&of(&[12, 13, 2, 3, 20, 11])), want(2, 20));
        assert_eq!(span(&of(&[7])), want(7, 7));
        assert_eq!([span(""), span("\n\n"), span("no time\n")], [None, None, None]);
    }

    /// The time of a line as a whole is that of an alert in it, whatever writes it how.
    #[test]
    fn times_of_json_are_those_of_its_members() {
        let span = |text: &str| {
            let (mut reader, origin, home) =
                (LineParties::default(), Origin::new("x"), Home::default());
            let mut lines = reader.open(text.as_bytes(), 0..text.len(), &origin, &home);
            lines.times(None).map(|(first, last)| (first.to_string(), last.to_string()))
        };
        let want = |first: &str, last: &str| Some((first.to_string(), last.to_string()));
        let zeek = "{\"ts\":1774000000.5,\"query\":\"a.example\"}\n\
            {\"ts\":1774172800.5,\"query\":\"b.example\"}\n";
        let both = want("2026-03-20T09:46:40.500000Z", "2026-03-22T09:46:40.500000Z");
        assert_eq!(span(zeek), both);
        assert_eq!(span(&zeek.replace(':', ": ")), both);
        let at = "2026-03-20T09:46:40.000000Z";
        for line in [
            "{\"first\":\"2020-01-01T00:00:00Z\",\"ts\":1774000000}",
            "{\"time\":1774000000}",
            "{\"_index\":\"zeek\",\"_source\":{\"ts\":1774000000.0,\"query\":\"a.example\"}}",
            "{\"timestamp\":\"2026-03-20T09:46:40Z\",\"x\":{\"ts\":1600000000}}",
            "2020-01-01T00:00:00Z host zeek: {\"ts\":1774000000,\"query\":\"a.example\"}",
            "2026-03-20T09:46:40Z host app: {\"query\":\"a.example\"}",
        ] {
            assert_eq!(span(line), want(at, at), "{line}");
        }
        assert_eq!(span("{\"query\":\"a.example\",\"port\":53}\n"), None);
    }

    #[test]
    fn a_line_is_read_once_for_all_its_hits() {
        let text = "a 10.0.0.1 b\nc 10.0.0.2 d\n";
        let (mut reader, origin, home) =
            (LineParties::default(), Origin::new("x"), Home::default());
        let mut lines = reader.open(text.as_bytes(), 0..text.len(), &origin, &home);
        let of = [0, 3, 11, 13, 20, 900].map(|place| lines.around(place));
        assert_eq!(of, [0, 0, 0, 1, 1, 2]);
        assert_eq!(lines.into_found().len(), 3);
    }
}
