//! Goes through everything that a database lists, for judging a set as a whole.

use super::{DIGESTS, Database};
use crate::engine::database::digests::Digests;
use crate::engine::database::layout::Section;
use crate::engine::database::patterns;
use crate::engine::database::posting::Posting;
use crate::engine::database::transducer::Transducer;
use crate::engine::indicator::url::Scheme;
use crate::engine::indicator::{Kind, Value, digest};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A listed value, as its structure has it. The claims of its posting say which kinds and
/// scopes it is listed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "sensor"), allow(dead_code, reason = "only benchmarks list values"))]
pub(crate) enum Listed<'a> {
    /// An address or a network.
    Net(IpNet),
    /// An address with a port.
    Endpoint(IpAddr, u16),
    /// A name.
    Name(&'a str),
    /// A URL without its scheme, which the claims have.
    Url(&'a str),
    /// The path of a URL, at any host.
    Path(&'a str),
    /// An e-mail address.
    Email(&'a str),
    /// A string that is compared as a whole.
    Word(Kind, &'a str),
    /// A digest.
    Digest(&'a [u8]),
    /// A wildcard or a regular expression.
    Pattern(&'a str),
}

#[cfg_attr(not(feature = "sensor"), allow(dead_code, reason = "only benchmarks list values"))]
impl Listed<'_> {
    /// The value, in the form that alerts show. `scheme` is that of the claim.
    pub(crate) fn value(&self, scheme: Scheme) -> Value {
        match *self {
            Listed::Net(net) => Value::Net(net),
            Listed::Endpoint(address, port) => Value::Endpoint(address, port),
            Listed::Url(key) => Value::Text([scheme.prefix(), key].concat().into()),
            Listed::Name(text)
            | Listed::Path(text)
            | Listed::Email(text)
            | Listed::Word(_, text)
            | Listed::Pattern(text) => Value::Text(text.into()),
            Listed::Digest(bytes) => Value::Text(digest::encode(bytes).into()),
        }
    }
}

#[cfg_attr(not(feature = "sensor"), allow(dead_code, reason = "only benchmarks list values"))]
impl Database {
    /// Passes on every listed value with its posting, each once, in an order that only depends
    /// on the contents. What the guards withheld is not listed.
    pub(crate) fn each_value(&self, found: &mut dyn FnMut(Listed<'_>, Posting)) {
        for net in self.nets4().rows::<u32>() {
            if let Ok(value) = Ipv4Net::new(Ipv4Addr::from_bits(net.address), net.length) {
                found(Listed::Net(value.into()), net.posting);
            }
        }
        for net in self.nets6().rows::<u128>() {
            if let Ok(value) = Ipv6Net::new(Ipv6Addr::from_bits(net.address), net.length) {
                found(Listed::Net(value.into()), net.posting);
            }
        }
        for (address, port, posting) in self.endpoints().rows() {
            found(Listed::Endpoint(address, port), posting);
        }
        for (len, section) in DIGESTS {
            let table = Digests::open(self.bytes(section), len);
            for (bytes, posting) in table.into_iter().flat_map(Digests::rows) {
                found(Listed::Digest(bytes), posting);
            }
        }
        self.each_key(found);
        let patterns = self.bytes(Section::Patterns);
        for number in 0..(patterns.len() / patterns::PATTERN_ROW) as u32 {
            let row = patterns::row(patterns, number);
            if let Some((Some(text), posting)) = row.map(|(text, p)| (self.strings().get(text), p))
            {
                found(Listed::Pattern(text), posting);
            }
        }
    }

    /// What the transducers list.
    fn each_key(&self, found: &mut dyn FnMut(Listed<'_>, Posting)) {
        let mut name = Vec::new();
        for section in
            [Section::Domains, Section::Urls, Section::Paths, Section::Emails, Section::Words]
        {
            let Some(transducer) = Transducer::open(self.bytes(section)) else { continue };
            transducer.each(&mut |key, value| {
                let Some(posting) = self.posting_of(Some(value)) else { return };
                let (kind, key) = match (section, key) {
                    (Section::Domains, key) => {
                        name.clear();
                        name.extend(key.iter().rev());
                        (Kind::Domain, &name[..])
                    }
                    (Section::Words, [kind, key @ ..]) => {
                        let Some(kind) = Kind::from_number(*kind) else { return };
                        (kind, key)
                    }
                    (_, key) => (Kind::Opaque, key),
                };
                let Ok(text) = std::str::from_utf8(key) else { return };
                let listed = match section {
                    Section::Domains => Listed::Name(text),
                    Section::Urls => Listed::Url(text),
                    Section::Paths => Listed::Path(text),
                    Section::Emails => Listed::Email(text),
                    _ => Listed::Word(kind, text),
                };
                found(listed, posting);
            });
        }
    }
}
