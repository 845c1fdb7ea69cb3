//! The normalised form of a feed's documents, so that compiling need not parse them
//! again.
//!
//! A file consists of a header with checksums, a table of [`Segment`]s, one per
//! document, and their payloads. A payload is a sequence of records: a context, the
//! number of an earlier context, or an indicator with the context that precedes it.
//! When a document changes, its segment is rebuilt and all others are copied.
//!
//! Reading is safe for any bytes: checksums are verified first, then every length
//! against the remaining bytes.

use crate::engine::indicator::{
    Context, Direction, Indicator, Kind, Reason, Role, Scope, Severity, Timestamp, Tlp, Value,
};
use crate::intel::feed::{Filter, Reject, Sink, Summary};
use crate::{Error, Result};
use hashbrown::{HashMap, HashSet};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::sync::Arc;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

const MAGIC: &[u8; 8] = b"wsnormal";

/// The version of the format. A file of another version is rebuilt.
pub(super) const VERSION: u32 = 1;

/// `{ magic [8], version u32, zero u32, reading u64, table length u64, table checksum u64,
/// payload length u64, payload checksum u64, checksum of all before u64 }`
pub(super) const HEADER: usize = 64;

/// The tag of a context. Tags of indicators are greater.
const CONTEXT: u8 = 0;
const AGAIN: u8 = 255;

/// How a value is encoded, in the three bits above those of the scope.
mod form {
    pub(super) const TEXT: u8 = 0;
    pub(super) const NET4: u8 = 1;
    pub(super) const NET6: u8 = 2;
    pub(super) const ENDPOINT4: u8 = 3;
    pub(super) const ENDPOINT6: u8 = 4;
    pub(super) const HEX: u8 = 5;
}

/// The result of reading one document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// The document's name.
    pub name: String,
    /// A hash of its contents.
    pub hash: u128,
    /// The number of its indicators.
    pub indicators: u64,
    /// The number of its rejected values, by reason.
    pub rejects: BTreeMap<Reason, u64>,
    payload: Vec<u8>,
}

/// A row of the table, with the position of its payload after the table.
#[derive(Clone, Debug)]
struct Row {
    head: Segment,
    place: Range<usize>,
}

/// All segments of a feed.
#[derive(Clone, Debug, Default)]
pub struct Normal {
    /// A hash of how the documents were read.
    pub reading: u64,
    rows: Vec<Row>,
    payload: Vec<u8>,
    payload_length: u64,
    payload_sum: u64,
}

impl Normal {
    /// Parses a file: its table and, if `whole`, its payload.
    ///
    /// # Errors
    ///
    /// The bytes are damaged, or of another version.
    pub fn parse(bytes: &[u8], whole: bool) -> Result<Normal> {
        let damaged = || {
            Error::format("the normalised form is damaged, or has another version")
                .remedy("rebuild it from the documents with `wiresift feed update`")
        };
        let (mut normal, table) = header(bytes).ok_or_else(damaged)?;
        let body = bytes.get(HEADER..).unwrap_or_default();
        let (table_length, table_sum) = table;
        let table = body.get(..table_length).filter(|table| xxh3_64(table) == table_sum);
        normal.rows =
            rows(table.ok_or_else(damaged)?, normal.payload_length).ok_or_else(damaged)?;
        if whole {
            let payload = body.get(table_length..).unwrap_or_default();
            let is_whole = payload.len() as u64 == normal.payload_length
                && xxh3_64(payload) == normal.payload_sum;
            if !is_whole {
                return Err(damaged());
            }
            normal.payload = payload.to_vec();
        }
        Ok(normal)
    }

    /// The length of header and table of a file that begins like this.
    pub(super) fn table_end(head: &[u8]) -> Option<usize> {
        header(head).and_then(|(_, (length, _))| HEADER.checked_add(length))
    }

    /// Joins segments, and returns the file's bytes in pieces.
    pub(super) fn lay_out<'s>(
        reading: u64,
        segments: &[(&'s Segment, &'s [u8])],
    ) -> (Vec<u8>, Vec<&'s [u8]>) {
        let mut table = Vec::new();
        table.extend_from_slice(&(segments.len() as u32).to_le_bytes());
        let mut sum = Xxh3Default::new();
        let mut length = 0u64;
        for (segment, payload) in segments {
            put_text(&mut table, &segment.name);
            table.extend_from_slice(&segment.hash.to_le_bytes());
            table.extend_from_slice(&segment.indicators.to_le_bytes());
            put_number(&mut table, segment.rejects.len() as u64);
            for (reason, count) in &segment.rejects {
                put_text(&mut table, reason.name());
                put_number(&mut table, *count);
            }
            put_number(&mut table, payload.len() as u64);
            sum.update(payload);
            length += payload.len() as u64;
        }
        let mut head = Vec::with_capacity(HEADER + table.len());
        head.extend_from_slice(MAGIC);
        head.extend_from_slice(&VERSION.to_le_bytes());
        head.extend_from_slice(&[0; 4]);
        for word in [reading, table.len() as u64, xxh3_64(&table), length, sum.digest()] {
            head.extend_from_slice(&word.to_le_bytes());
        }
        let own = xxh3_64(&head);
        head.extend_from_slice(&own.to_le_bytes());
        head.extend_from_slice(&table);
        (head, segments.iter().map(|(_, payload)| *payload).collect())
    }

    /// Identifies the indicators with their order and contexts: two forms with the
    /// same identity compile to the same database.
    pub fn identity(&self) -> (u64, u64) {
        (self.payload_length, self.payload_sum)
    }

    /// The segments, without their payloads.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = &Segment> {
        self.rows.iter().map(|row| &row.head)
    }

    /// Finds the segment of a document with these contents, and its payload.
    pub(super) fn find(&self, name: &str, hash: u128) -> Option<(&Segment, &[u8])> {
        let row = self.rows.iter().find(|row| row.head.name == name && row.head.hash == hash)?;
        Some((&row.head, self.payload.get(row.place.clone())?))
    }

    /// Finds the last segment of a document with this name, whatever its contents.
    pub(super) fn find_name(&self, name: &str) -> Option<(&Segment, &[u8])> {
        let row = self.rows.iter().find(|row| row.head.name == name)?;
        Some((&row.head, self.payload.get(row.place.clone())?))
    }

    /// The number of indicators.
    pub fn indicators(&self) -> u64 {
        self.segments().map(|segment| segment.indicators).sum()
    }

    /// The number of rejected values, by reason.
    pub fn rejects(&self) -> BTreeMap<Reason, u64> {
        let mut all = BTreeMap::new();
        for (reason, count) in self.segments().flat_map(|segment| &segment.rejects) {
            *all.entry(*reason).or_default() += count;
        }
        all
    }

    /// Passes every indicator to `take`.
    ///
    /// # Errors
    ///
    /// A payload is damaged in spite of its checksum.
    pub fn each(&self, mut take: impl FnMut(Indicator)) -> Result<()> {
        for row in &self.rows {
            let payload = self.payload.get(row.place.clone()).unwrap_or_default();
            each(payload, &mut take).ok_or_else(|| {
                Error::format(format!("the segment {:?} is inconsistent", row.head.name))
            })?;
        }
        Ok(())
    }

    /// A hash of each distinct indicator, regardless of its context.
    pub fn keys(&self) -> HashSet<u64> {
        let mut keys = HashSet::with_capacity(self.indicators().min(1 << 24) as usize);
        for row in &self.rows {
            let mut records = Records(self.payload.get(row.place.clone()).unwrap_or_default());
            while let Some(Some(record)) = records.next() {
                if let Record::Indicator(bytes, ..) = record {
                    keys.insert(xxh3_64(bytes));
                }
            }
        }
        keys
    }
}

impl Segment {
    /// The payload of the segment.
    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }
}

/// Parses the header, and returns the length and checksum of the table after it.
fn header(bytes: &[u8]) -> Option<(Normal, (usize, u64))> {
    let head = bytes.get(..HEADER)?;
    let word = |at: usize| {
        head.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
    };
    let is_ours = head.starts_with(MAGIC)
        && word(8) == u64::from(VERSION)
        && xxh3_64(&head[..HEADER - 8]) == word(HEADER - 8);
    let normal = Normal {
        reading: word(16),
        payload_length: word(40),
        payload_sum: word(48),
        ..Normal::default()
    };
    Some((normal, (usize::try_from(word(24)).ok()?, word(32)))).filter(|_| is_ours)
}

fn rows(mut table: &[u8], payload_length: u64) -> Option<Vec<Row>> {
    let count = u32::from_le_bytes(*take_array(&mut table)?);
    let mut rows = Vec::with_capacity((count as usize).min(table.len() / 32));
    let mut at = 0usize;
    for _ in 0..count {
        let name = take_text(&mut table)?.to_string();
        let hash = u128::from_le_bytes(*take_array(&mut table)?);
        let indicators = u64::from_le_bytes(*take_array(&mut table)?);
        let mut rejects = BTreeMap::new();
        for _ in 0..take_number(&mut table)? {
            let reason = Reason::from_name(take_text(&mut table)?);
            let count = take_number(&mut table)?;
            // A reason from a later version still means a rejected value.
            *rejects.entry(reason.unwrap_or(Reason::Malformed)).or_default() += count;
        }
        let end = at.checked_add(usize::try_from(take_number(&mut table)?).ok()?)?;
        let head = Segment { name, hash, indicators, rejects, payload: Vec::new() };
        rows.push(Row { head, place: at..end });
        at = end;
    }
    (table.is_empty() && at as u64 == payload_length).then_some(rows)
}

/// Builds the segment of one document: applies filters and lifetimes, and encodes
/// records.
#[derive(Debug)]
pub struct SegmentBuilder<'f> {
    filter: &'f Filter,
    /// The lifetime of an undated indicator in microseconds, and its start.
    lifetime: Option<(i64, Timestamp)>,
    segment: Segment,
    numbers: HashMap<Arc<Context<'static>>, u32>,
    /// The last context as received, as encoded, and its number.
    last: Option<(Arc<Context<'static>>, Arc<Context<'static>>, u32)>,
    current: Option<u32>,
}

impl<'f> SegmentBuilder<'f> {
    /// Starts a segment. `lifetime` is in microseconds. It counts from the
    /// indicator's own time, or else from the given one.
    pub fn new(
        name: &str,
        hash: u128,
        filter: &'f Filter,
        lifetime: Option<(i64, Timestamp)>,
    ) -> Self {
        let segment = Segment { name: name.to_string(), hash, ..Segment::default() };
        SegmentBuilder {
            filter,
            lifetime,
            segment,
            numbers: HashMap::new(),
            last: None,
            current: None,
        }
    }

    /// Finishes the segment.
    pub fn finish(self) -> Segment {
        self.segment
    }

    /// Like [`Self::finish`], with the counts of the reader checked against what
    /// was received.
    pub fn finish_as(self, summary: &Summary) -> Segment {
        debug_assert!(self.segment.indicators <= summary.indicators);
        self.segment
    }

    /// Encodes the context unless it was before, and returns its number.
    fn number(&mut self, context: &Arc<Context<'static>>) -> u32 {
        if let Some((seen, _, number)) = &self.last
            && Arc::ptr_eq(seen, context)
        {
            return *number;
        }
        let written = self.with_lifetime(context);
        let number = match self.numbers.get(&written) {
            Some(&number) => number,
            None => {
                let number = self.numbers.len() as u32;
                self.segment.payload.push(CONTEXT);
                let mut bytes = Vec::new();
                encode_context(&written, &mut bytes);
                put_number(&mut self.segment.payload, bytes.len() as u64);
                self.segment.payload.extend_from_slice(&bytes);
                self.numbers.insert(Arc::clone(&written), number);
                self.current = Some(number);
                number
            }
        };
        self.last = Some((Arc::clone(context), written, number));
        number
    }

    fn with_lifetime(&self, context: &Arc<Context<'static>>) -> Arc<Context<'static>> {
        let Some((span, base)) = self.lifetime else { return Arc::clone(context) };
        if context.valid_until.is_some() {
            return Arc::clone(context);
        }
        let from = context.last_seen.or(context.first_seen).or(context.valid_from).unwrap_or(base);
        let until = Some(Timestamp(from.0.saturating_add(span)));
        Arc::new(Context { valid_until: until, ..Context::clone(context) })
    }
}

impl Sink for SegmentBuilder<'_> {
    fn indicator(&mut self, indicator: Indicator, _: Option<u64>) {
        if !self.filter.is_empty() && !self.filter.takes(&indicator) {
            *self.segment.rejects.entry(Reason::Filtered).or_default() += 1;
            return;
        }
        let number = self.number(&indicator.context);
        if self.current != Some(number) {
            self.segment.payload.push(AGAIN);
            put_number(&mut self.segment.payload, u64::from(number));
            self.current = Some(number);
        }
        encode_indicator(&indicator, &mut self.segment.payload);
        self.segment.indicators += 1;
    }

    fn reject(&mut self, reject: Reject) {
        *self.segment.rejects.entry(reject.reason).or_default() += 1;
    }
}

fn encode_indicator(indicator: &Indicator, out: &mut Vec<u8>) {
    let head = |form: u8| [indicator.kind as u8, indicator.scope as u8 | form << 3];
    match &indicator.value {
        Value::Net(IpNet::V4(net)) => {
            out.extend_from_slice(&head(form::NET4));
            out.extend_from_slice(&net.addr().octets());
            out.push(net.prefix_len());
        }
        Value::Net(IpNet::V6(net)) => {
            out.extend_from_slice(&head(form::NET6));
            out.extend_from_slice(&net.addr().octets());
            out.push(net.prefix_len());
        }
        Value::Endpoint(IpAddr::V4(address), port) => {
            out.extend_from_slice(&head(form::ENDPOINT4));
            out.extend_from_slice(&address.octets());
            out.extend_from_slice(&port.to_le_bytes());
        }
        Value::Endpoint(IpAddr::V6(address), port) => {
            out.extend_from_slice(&head(form::ENDPOINT6));
            out.extend_from_slice(&address.octets());
            out.extend_from_slice(&port.to_le_bytes());
        }
        Value::Text(text) => match unhex(text) {
            Some((bytes, length)) => {
                out.extend_from_slice(&head(form::HEX));
                out.push(length as u8);
                out.extend_from_slice(&bytes[..length]);
            }
            None => {
                out.extend_from_slice(&head(form::TEXT));
                put_text(out, text);
            }
        },
    }
}

/// Decodes a digest, if encoding it again gives the same text.
fn unhex(text: &str) -> Option<([u8; 64], usize)> {
    let text = text.as_bytes();
    if !(32..=128).contains(&text.len()) || !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 64];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some((bytes, text.len() / 2))
}

fn hex(bytes: &[u8]) -> Box<str> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text.into()
}

/// A record of a payload.
enum Record<'p> {
    Context(&'p [u8]),
    Again(usize),
    /// The bytes of the whole record, and of the value.
    Indicator(&'p [u8], Kind, Scope, u8, &'p [u8]),
}

/// The rest of a payload.
struct Records<'p>(&'p [u8]);

impl<'p> Records<'p> {
    /// Reads the next record: `Some(None)` at the end, `None` if the bytes are
    /// invalid.
    fn next(&mut self) -> Option<Option<Record<'p>>> {
        let all = self.0;
        let Some(&first) = all.first() else { return Some(None) };
        self.0 = &all[1..];
        if first == CONTEXT {
            let length = usize::try_from(take_number(&mut self.0)?).ok()?;
            return Some(Some(Record::Context(take(&mut self.0, length)?)));
        }
        if first == AGAIN {
            return Some(Some(Record::Again(usize::try_from(take_number(&mut self.0)?).ok()?)));
        }
        let kind = Kind::from_number(first)?;
        let second = *take(&mut self.0, 1)?.first()?;
        let scope = Scope::from_number(second & 7)?;
        let form = second >> 3;
        let length = match form {
            form::NET4 => 5,
            form::NET6 => 17,
            form::ENDPOINT4 => 6,
            form::ENDPOINT6 => 18,
            form::HEX => usize::from(*take(&mut self.0, 1)?.first()?),
            form::TEXT => usize::try_from(take_number(&mut self.0)?).ok()?,
            _ => return None,
        };
        let value = take(&mut self.0, length)?;
        let record = &all[..all.len() - self.0.len()];
        Some(Some(Record::Indicator(record, kind, scope, form, value)))
    }
}

fn each(payload: &[u8], take: &mut impl FnMut(Indicator)) -> Option<()> {
    let mut records = Records(payload);
    let mut contexts: Vec<Arc<Context<'static>>> = Vec::new();
    let mut current: Option<Arc<Context<'static>>> = None;
    while let Some(record) = records.next()? {
        match record {
            Record::Context(bytes) => {
                let context = Arc::new(decode_context(bytes)?);
                contexts.push(Arc::clone(&context));
                current = Some(context);
            }
            Record::Again(number) => current = Some(Arc::clone(contexts.get(number)?)),
            Record::Indicator(_, kind, scope, form, value) => {
                let value = decode_value(form, value)?;
                let context = Arc::clone(current.as_ref()?);
                take(Indicator { kind, value, scope, raw: None, context });
            }
        }
    }
    Some(())
}

fn decode_value(form: u8, mut bytes: &[u8]) -> Option<Value> {
    let bytes = &mut bytes;
    Some(match form {
        form::NET4 => {
            let address = Ipv4Addr::from(*take_array::<4>(bytes)?);
            Value::Net(Ipv4Net::new(address, *bytes.first()?).ok()?.trunc().into())
        }
        form::NET6 => {
            let address = Ipv6Addr::from(*take_array::<16>(bytes)?);
            Value::Net(Ipv6Net::new(address, *bytes.first()?).ok()?.trunc().into())
        }
        form::ENDPOINT4 => {
            let address = Ipv4Addr::from(*take_array::<4>(bytes)?);
            Value::Endpoint(address.into(), u16::from_le_bytes(*take_array(bytes)?))
        }
        form::ENDPOINT6 => {
            let address = Ipv6Addr::from(*take_array::<16>(bytes)?);
            Value::Endpoint(address.into(), u16::from_le_bytes(*take_array(bytes)?))
        }
        form::HEX => Value::Text(hex(bytes)),
        _ => Value::Text(std::str::from_utf8(bytes).ok()?.into()),
    })
}

/// Flags for the members that a context has, in this order.
fn encode_context(context: &Context<'_>, out: &mut Vec<u8>) {
    let Context {
        feed,
        collection,
        collection_id,
        id,
        name,
        description,
        confidence,
        severity,
        tlp,
        valid_from,
        valid_until,
        first_seen,
        last_seen,
        inactive,
        role,
        internal,
        direction,
        proto,
        tags,
        malware,
        adversary,
        attack,
        references,
    } = context;
    put_text(out, feed);
    for text in [collection, collection_id, id, name, description, proto] {
        match text {
            Some(text) => {
                out.push(1);
                put_text(out, text);
            }
            None => out.push(0),
        }
    }
    // 255 stands for none.
    out.push(confidence.unwrap_or(255));
    out.push(severity.map_or(0, |severity| severity as u8));
    out.push(tlp.map_or(0, |tlp| tlp as u8));
    out.push(direction.map_or(0, |direction| direction as u8));
    out.push(u8::from(*inactive) | u8::from(*internal) << 1 | (*role as u8) << 2);
    for time in [valid_from, valid_until, first_seen, last_seen] {
        match time {
            Some(time) => {
                out.push(1);
                out.extend_from_slice(&time.0.to_le_bytes());
            }
            None => out.push(0),
        }
    }
    for texts in [tags, malware, adversary, attack, references] {
        put_number(out, texts.len() as u64);
        texts.iter().for_each(|text| put_text(out, text));
    }
}

fn decode_context(mut bytes: &[u8]) -> Option<Context<'static>> {
    let from = &mut bytes;
    let own = |text: &str| Cow::<'static, str>::Owned(text.to_string());
    let feed = own(take_text(from)?);
    let mut texts = [const { None }; 6];
    for text in &mut texts {
        *text = match take_array::<1>(from)? {
            [0] => None,
            [1] => Some(own(take_text(from)?)),
            _ => return None,
        };
    }
    let [collection, collection_id, id, name, description, proto] = texts;
    let [confidence, severity, tlp, direction, flags] = *take_array::<5>(from)?;
    let mut times = [None; 4];
    for time in &mut times {
        *time = match take_array::<1>(from)? {
            [0] => None,
            [1] => Some(Timestamp(i64::from_le_bytes(*take_array(from)?))),
            _ => return None,
        };
    }
    let mut lists = [const { Vec::new() }; 5];
    for list in &mut lists {
        for _ in 0..take_number(from)? {
            list.push(own(take_text(from)?));
        }
    }
    let [tags, malware, adversary, attack, references] = lists;
    let is_known = confidence <= 100 || confidence == 255;
    (bytes.is_empty() && is_known && flags < 8).then_some(())?;
    Some(Context {
        feed,
        collection,
        collection_id,
        id,
        name,
        description,
        confidence: Some(confidence).filter(|c| *c <= 100),
        severity: Severity::from_number(severity),
        tlp: Tlp::from_number(tlp),
        valid_from: times[0],
        valid_until: times[1],
        first_seen: times[2],
        last_seen: times[3],
        inactive: flags & 1 != 0,
        role: if flags & 4 != 0 { Role::Allow } else { Role::Alert },
        internal: flags & 2 != 0,
        direction: match direction {
            1 => Some(Direction::Source),
            2 => Some(Direction::Destination),
            _ => None,
        },
        proto,
        tags,
        malware,
        adversary,
        attack,
        references,
    })
}

/// Encodes a number in groups of seven bits, the lowest first (LEB128).
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn take<'b>(from: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
    let (head, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(head)
}

fn take_array<'b, const N: usize>(from: &mut &'b [u8]) -> Option<&'b [u8; N]> {
    let (head, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(head)
}

fn take_number(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..63).step_by(7) {
        let [byte] = *take_array(from)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn take_text<'b>(from: &mut &'b [u8]) -> Option<&'b str> {
    let length = usize::try_from(take_number(from)?).ok()?;
    std::str::from_utf8(take(from, length)?).ok()
}
