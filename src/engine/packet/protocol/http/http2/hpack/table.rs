//! The tables of HPACK (RFC 7541, 2.3 and appendix A).

use crate::engine::progress::bound;
use std::collections::VecDeque;

/// The largest table that is kept. Encoders may use 4 KiB unless the other side offers more;
/// browsers offer 64 KiB.
pub(super) const MAX_TABLE: usize = bound(64 << 10, 160);

/// Bytes of evicted entries are removed from the front when there are more than this.
const MAX_GONE: usize = bound(1024, 48);

/// The size of an entry besides its name and value (RFC 7541, 4.1).
const OVERHEAD: usize = 32;

/// A field; what is unknown is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine::packet) struct Field<'a> {
    pub(in crate::engine::packet) name: Option<&'a [u8]>,
    pub(in crate::engine::packet) value: Option<&'a [u8]>,
}

/// The position of an entry: the value follows the name.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: usize,
    name: usize,
    value: usize,
    has_name: bool,
    has_value: bool,
}

impl Entry {
    fn size(&self) -> usize {
        OVERHEAD + self.name + self.value
    }
}

/// The dynamic table: the latest of the encoder's entries. Its own table may be larger, or have
/// begun before the capture; an index that is not here is unknown, and one that is here means the
/// same in both.
#[derive(Debug)]
pub(super) struct Table {
    /// The latest first.
    entries: VecDeque<Entry>,
    /// Their bytes, the oldest first, after those of evicted entries.
    bytes: Vec<u8>,
    size: usize,
    max: usize,
}

impl Table {
    pub(super) fn new(max: usize) -> Self {
        Table { entries: VecDeque::new(), bytes: Vec::new(), size: 0, max }
    }

    /// The field of an index from 1.
    pub(super) fn get(&self, index: usize) -> Field<'_> {
        let Some(at) = index.checked_sub(1) else { return Field::default() };
        if let Some(&(name, value)) = STATIC.get(at) {
            return Field { name: Some(name), value: Some(value) };
        }
        let Some(entry) = self.entries.get(at - STATIC.len()) else { return Field::default() };
        let middle = entry.at + entry.name;
        let name = self.bytes.get(entry.at..middle);
        let value = self.bytes.get(middle..middle + entry.value);
        Field { name: name.filter(|_| entry.has_name), value: value.filter(|_| entry.has_value) }
    }

    /// Adds an entry of `length` bytes. One that does not fit evicts all others (RFC 7541, 4.4);
    /// if it may fit into a larger table, it is kept without its bytes.
    pub(super) fn insert(&mut self, field: Field<'_>, length: usize, may_be_larger: bool) {
        let mut field = field;
        if OVERHEAD + length > self.max {
            self.evict(self.max);
            if !may_be_larger {
                return;
            }
            field = Field::default();
        }
        let (name, value) = (field.name.unwrap_or_default(), field.value.unwrap_or_default());
        let entry = Entry {
            at: self.bytes.len(),
            name: name.len(),
            value: value.len(),
            has_name: field.name.is_some(),
            has_value: field.value.is_some(),
        };
        self.evict(entry.size());
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(value);
        self.entries.push_front(entry);
        self.size += entry.size();
        self.tidy();
    }

    /// The encoder changes the size.
    pub(super) fn resize(&mut self, max: usize) {
        self.max = max.min(MAX_TABLE);
        self.evict(0);
    }

    /// Drops all entries, because they may be outdated.
    pub(super) fn forget(&mut self) {
        self.entries.clear();
        self.bytes.clear();
        self.size = 0;
    }

    pub(super) fn weight(&self) -> usize {
        self.bytes.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// Makes room for an entry.
    fn evict(&mut self, size: usize) {
        while self.size + size > self.max
            && let Some(entry) = self.entries.pop_back()
        {
            self.size -= entry.size();
        }
    }

    /// Removes the bytes of evicted entries from the front, from time to time.
    fn tidy(&mut self) {
        let first = self.entries.back().map_or(self.bytes.len(), |entry| entry.at);
        if first > MAX_GONE && first > self.bytes.len() / 2 {
            self.bytes.drain(..first);
            for entry in &mut self.entries {
                entry.at -= first;
            }
        }
    }

    /// The size as the RFC defines it, for its examples.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.size
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// Appendix A.
pub(super) const STATIC: [(&[u8], &[u8]); 61] = [
    (b":authority", b""),
    (b":method", b"GET"),
    (b":method", b"POST"),
    (b":path", b"/"),
    (b":path", b"/index.html"),
    (b":scheme", b"http"),
    (b":scheme", b"https"),
    (b":status", b"200"),
    (b":status", b"204"),
    (b":status", b"206"),
    (b":status", b"304"),
    (b":status", b"400"),
    (b":status", b"404"),
    (b":status", b"500"),
    (b"accept-charset", b""),
    (b"accept-encoding", b"gzip, deflate"),
    (b"accept-language", b""),
    (b"accept-ranges", b""),
    (b"accept", b""),
    (b"access-control-allow-origin", b""),
    (b"age", b""),
    (b"allow", b""),
    (b"authorization", b""),
    (b"cache-control", b""),
    (b"content-disposition", b""),
    (b"content-encoding", b""),
    (b"content-language", b""),
    (b"content-length", b""),
    (b"content-location", b""),
    (b"content-range", b""),
    (b"content-type", b""),
    (b"cookie", b""),
    (b"date", b""),
    (b"etag", b""),
    (b"expect", b""),
    (b"expires", b""),
    (b"from", b""),
    (b"host", b""),
    (b"if-match", b""),
    (b"if-modified-since", b""),
    (b"if-none-match", b""),
    (b"if-range", b""),
    (b"if-unmodified-since", b""),
    (b"last-modified", b""),
    (b"link", b""),
    (b"location", b""),
    (b"max-forwards", b""),
    (b"proxy-authenticate", b""),
    (b"proxy-authorization", b""),
    (b"range", b""),
    (b"referer", b""),
    (b"refresh", b""),
    (b"retry-after", b""),
    (b"server", b""),
    (b"set-cookie", b""),
    (b"strict-transport-security", b""),
    (b"transfer-encoding", b""),
    (b"user-agent", b""),
    (b"vary", b""),
    (b"via", b""),
    (b"www-authenticate", b""),
];
