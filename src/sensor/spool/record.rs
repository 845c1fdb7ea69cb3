//! A record: an alert in every format that some sink wants.
//!
//! In the log, integers in little endian:
//!
//! ```text
//! u32 length of the body │ u32 CRC-32 of the body, xor that of the length │ body
//! body = id[16] │ severity u8 │ time i64 │ stored i64 │ u32 length │ JSON │ form…
//! form = u8 length │ name of the format │ u32 length │ bytes
//! ```

use crate::engine::alert::Format;
use crate::engine::indicator::Timestamp;

/// The longest body of a record, in bytes. Alerts are a few KiB; one from hundreds of sources with
/// long descriptions can reach a megabyte.
pub const MAX_RECORD: usize = crate::engine::progress::bound(8 << 20, 1 << 10);

/// Length and checksum.
pub(super) const HEAD: usize = 8;

/// The fixed part of a body, before its JSON.
const FIXED: usize = 16 + 1 + 8 + 8 + 4;

/// An alert on its way to the sinks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its unique identifier, by which receivers drop duplicates. Shown by [`hex`].
    pub id: [u8; 16],
    /// From 1, low, to 4, critical.
    pub severity: u8,
    /// When it happened.
    pub time: Timestamp,
    /// The record of `docs/alert.schema.json`, one object without a newline.
    pub json: Vec<u8>,
    /// The same in other formats, each once, without a newline.
    pub forms: Vec<(Format, Vec<u8>)>,
}

impl Record {
    /// A record with only its JSON; a trailing newline is removed.
    pub fn new(id: [u8; 16], severity: u8, time: Timestamp, json: &[u8]) -> Self {
        Record { id, severity, time, json: line(json).to_vec(), forms: Vec::new() }
    }

    /// Adds another encoding; a trailing newline is removed.
    #[must_use]
    pub fn form(mut self, format: Format, bytes: &[u8]) -> Self {
        self.forms.push((format, line(bytes).to_vec()));
        self
    }

    /// Appends head and body; if the record is too long, appends nothing and returns false.
    pub(super) fn encode(&self, stored: Timestamp, out: &mut Vec<u8>) -> bool {
        let names = self.forms.iter().map(|(format, _)| format.name());
        let forms = names.zip(&self.forms).map(|(name, (_, bytes))| 5 + name.len() + bytes.len());
        let length = FIXED + self.json.len() + forms.sum::<usize>();
        if length > MAX_RECORD {
            return false;
        }
        let start = out.len();
        out.extend((length as u32).to_le_bytes());
        out.extend([0; 4]);
        out.extend(self.id);
        out.push(self.severity);
        out.extend(self.time.0.to_le_bytes());
        out.extend(stored.0.to_le_bytes());
        push(out, &self.json);
        for (format, bytes) in &self.forms {
            out.push(format.name().len() as u8);
            out.extend(format.name().as_bytes());
            push(out, bytes);
        }
        let crc = checksum(&out[start..]);
        out[start + 4..start + HEAD].copy_from_slice(&crc.to_le_bytes());
        true
    }
}

fn line(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\n").unwrap_or(bytes)
}

fn push(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u32).to_le_bytes());
    out.extend(bytes);
}

/// The checksum of a record's body and of its length.
fn checksum(record: &[u8]) -> u32 {
    let (length, body) = (&record[..4], &record[HEAD..]);
    crc32fast::hash(body) ^ crc32fast::hash(length)
}

/// A record as stored in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// See [`Record::id`].
    pub id: [u8; 16],
    /// From 1, low, to 4, critical.
    pub severity: u8,
    /// When it happened.
    pub time: Timestamp,
    /// When it was appended to the log.
    pub stored: Timestamp,
    /// The record of `docs/alert.schema.json`, without a newline.
    pub json: &'a [u8],
    forms: &'a [u8],
}

impl<'a> RecordRef<'a> {
    /// A record that is in no log, for callers that have one in memory: it has no other formats.
    pub fn of(record: &'a Record, stored: Timestamp) -> Self {
        let Record { id, severity, time, json, .. } = record;
        RecordRef { id: *id, severity: *severity, time: *time, stored, json, forms: &[] }
    }

    /// Its bytes in a format: the JSON, or what the producer added.
    pub fn form(&self, format: Format) -> Option<&'a [u8]> {
        if format == Format::Json {
            return Some(self.json);
        }
        let mut rest = self.forms;
        while let Some((name, bytes, after)) = form(rest) {
            if name == format.name().as_bytes() {
                return Some(bytes);
            }
            rest = after;
        }
        None
    }

    /// The id in hexadecimal digits.
    pub fn hex(&self) -> String {
        hex(&self.id)
    }

    /// An owned copy.
    pub fn to_record(&self) -> Record {
        let forms = Format::ALL.iter().filter(|format| **format != Format::Json);
        let forms = forms.filter_map(|format| Some((*format, self.form(*format)?.to_vec())));
        let RecordRef { id, severity, time, json, .. } = *self;
        Record { id, severity, time, json: json.to_vec(), forms: forms.collect() }
    }
}

/// An id as 32 hexadecimal digits, as receivers see it.
pub fn hex(id: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*id))
}

/// What is at the beginning of some bytes of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next<'a> {
    /// A record, and its length with its head.
    Whole(RecordRef<'a>, usize),
    /// An incomplete record, of which this many bytes are needed.
    Short(usize),
    /// Not a record, or a damaged one.
    Bad,
}

/// Reads the record at the beginning of `bytes`, which come from a disk and may be anything.
pub(super) fn next(bytes: &[u8]) -> Next<'_> {
    let Some((length, rest)) = number(bytes) else { return Next::Short(HEAD) };
    if !(FIXED..=MAX_RECORD).contains(&length) {
        return Next::Bad;
    }
    let Some((crc, body)) = number(rest) else { return Next::Short(HEAD + length) };
    let Some(body) = body.get(..length) else { return Next::Short(HEAD + length) };
    if checksum(&bytes[..HEAD + length]) as usize != crc {
        return Next::Bad;
    }
    fields(body).map_or(Next::Bad, |record| Next::Whole(record, HEAD + length))
}

/// A record that [`next`] has already checked.
pub(super) fn again(bytes: &[u8]) -> Option<RecordRef<'_>> {
    fields(bytes.get(HEAD..)?)
}

/// The fields of a body. Anything after the forms is ignored, so that later versions can add to it.
fn fields(body: &[u8]) -> Option<RecordRef<'_>> {
    let (id, rest) = body.split_first_chunk::<16>()?;
    let (severity, rest) = rest.split_first()?;
    let (time, rest) = rest.split_first_chunk::<8>()?;
    let (stored, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = number(rest)?;
    let (json, forms) = rest.split_at_checked(length)?;
    Some(RecordRef {
        id: *id,
        severity: *severity,
        time: Timestamp(i64::from_le_bytes(*time)),
        stored: Timestamp(i64::from_le_bytes(*stored)),
        json,
        forms,
    })
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number) as usize, rest))
}

/// The form at the beginning of some bytes: its name, its bytes, and the remaining bytes.
fn form(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let (length, rest) = number(rest)?;
    let (bytes, rest) = rest.split_at_checked(length)?;
    Some((name, bytes, rest))
}
