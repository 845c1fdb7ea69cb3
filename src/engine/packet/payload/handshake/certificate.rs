//! X.509 certificates: the names in subject and subject alternative names.
//!
//! Only the DER on the way to the names is parsed, and nothing is verified: a certificate that a
//! host received is an observable, valid or not.

use crate::engine::indicator::{Observable, address};
use crate::engine::packet::bytes::is_printable;
use crate::engine::progress::bound;
use std::net::IpAddr;

const BOOLEAN: u8 = 0x01;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// Context tags of the certificate's version and extensions.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// id-at-commonName and id-ce-subjectAltName.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

/// Names of one certificate that are reported.
const MAX_NAMES: usize = bound(1024, 4);

/// The parsed parts of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) struct Parsed<'a> {
    pub(in crate::engine::packet) subject: Option<&'a [u8]>,
    pub(in crate::engine::packet) issuer: Option<&'a [u8]>,
    /// The list of alternative names, without its wrapping.
    alternatives: &'a [u8],
}

/// A name of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) enum Name<'a> {
    Is(Observable<'a>),
    /// One that can't be written as text.
    Odd,
}

/// Consecutive values; iterates over tags and contents.
#[derive(Clone, Copy)]
struct Values<'a>(&'a [u8]);

impl<'a> Iterator for Values<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = bytes.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
                (length, rest)
            }
            // Of indefinite length, or longer than anything expected here.
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, value))
    }
}

impl<'a> Values<'a> {
    /// The next value, if it has this tag.
    fn tagged(&mut self, wanted: u8) -> Option<&'a [u8]> {
        self.next().filter(|&(tag, _)| tag == wanted).map(|(_, value)| value)
    }
}

/// Parses a certificate.
pub(in crate::engine::packet) fn parse(der: &[u8]) -> Option<Parsed<'_>> {
    let mut fields = Values(Values(Values(der).tagged(SEQUENCE)?).tagged(SEQUENCE)?);
    // The version is optional; the serial number follows, then the algorithm.
    if fields.next()?.0 == VERSION {
        fields.next()?;
    }
    fields.tagged(SEQUENCE)?;
    let issuer = common_name(fields.tagged(SEQUENCE)?);
    fields.tagged(SEQUENCE)?;
    let subject = common_name(fields.tagged(SEQUENCE)?);
    fields.tagged(SEQUENCE)?;
    let extensions = fields.find(|&(tag, _)| tag == EXTENSIONS);
    let alternatives = extensions
        .and_then(|(_, value)| Values(value).tagged(SEQUENCE))
        .and_then(alternative_names)
        .unwrap_or_default();
    Some(Parsed { subject, issuer, alternatives })
}

/// The first common name of a distinguished name.
fn common_name(name: &[u8]) -> Option<&[u8]> {
    let sets = Values(name).filter(|&(tag, _)| tag == SET);
    let attributes = sets.flat_map(|(_, set)| Values(set)).filter(|&(tag, _)| tag == SEQUENCE);
    attributes
        .filter_map(|(_, attribute)| {
            let mut parts = Values(attribute);
            let kind = parts.tagged(OBJECT)?;
            let (_, value) = parts.next()?;
            (kind == COMMON_NAME).then_some(value)
        })
        .next()
}

/// The alternative names of a list of extensions.
fn alternative_names(extensions: &[u8]) -> Option<&[u8]> {
    Values(extensions).filter(|&(tag, _)| tag == SEQUENCE).find_map(|(_, extension)| {
        let mut parts = Values(extension);
        if parts.tagged(OBJECT)? != ALTERNATIVE_NAMES {
            return None;
        }
        let (mut tag, mut value) = parts.next()?;
        if tag == BOOLEAN {
            (tag, value) = parts.next()?;
        }
        (tag == OCTETS).then(|| Values(value).tagged(SEQUENCE)).flatten()
    })
}

impl<'a> Parsed<'a> {
    /// The names that the certificate is valid for: its alternative names, and the common name of
    /// its subject if it is not one of them and looks like a host.
    pub(in crate::engine::packet) fn names(&self) -> impl Iterator<Item = Name<'a>> {
        let list = self.alternatives;
        let is_listed =
            move |name: &[u8]| Values(list).any(|(_, other)| other.eq_ignore_ascii_case(name));
        let subject = self.subject.filter(|name| is_host(name) && !is_listed(name));
        let alternatives = Values(list).take(MAX_NAMES).filter_map(|(tag, value)| match tag {
            // rfc822Name, dNSName, uniformResourceIdentifier, iPAddress.
            0x81 => Some(text(value, Observable::Email(value))),
            0x82 => Some(host(value)),
            0x86 => Some(text(value, Observable::Url(value))),
            0x87 => octets(value).map(|ip| Name::Is(Observable::Address(ip, None))),
            _ => None,
        });
        subject.map(host).into_iter().chain(alternatives)
    }
}

fn text<'a>(value: &[u8], observable: Observable<'a>) -> Name<'a> {
    if is_printable(value) && !value.is_empty() { Name::Is(observable) } else { Name::Odd }
}

/// A host name or address. A wildcard is reported as its parent.
fn host(value: &[u8]) -> Name<'_> {
    let name = value.strip_prefix(b"*.").unwrap_or(value);
    match address::ip_of(name) {
        Some(ip) => Name::Is(Observable::Address(ip, None)),
        None => text(name, Observable::Name(name)),
    }
}

fn octets(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => value.first_chunk::<4>().map(|&octets| IpAddr::from(octets)),
        16 => value.first_chunk::<16>().map(|&octets| IpAddr::from(octets)),
        _ => None,
    }
}

/// Common names are free text: those of authorities are titles.
fn is_host(name: &[u8]) -> bool {
    name.contains(&b'.')
        && name.iter().all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'*'))
}

#[cfg(test)]
pub(in crate::engine::packet) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn der(tag: u8, value: &[u8]) -> Vec<u8> {
        let length = value.len();
        let head = match length {
            0..0x80 => vec![tag, length as u8],
            0x80..0x100 => vec![tag, 0x81, length as u8],
            _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
        };
        [head, value.to_vec()].concat()
    }

    fn name(common: &str) -> Vec<u8> {
        let attribute = [der(OBJECT, COMMON_NAME), der(0x0c, common.as_bytes())].concat();
        let country = [der(OBJECT, &[0x55, 4, 6]), der(0x13, b"AQ")].concat();
        let sets = [country, attribute].map(|set| der(SET, &der(SEQUENCE, &set)));
        der(SEQUENCE, &sets.concat())
    }

    /// A certificate without its signature.
    pub(in crate::engine::packet) fn certificate(
        version: bool,
        subject: &str,
        alternatives: Option<&[u8]>,
    ) -> Vec<u8> {
        let mut fields = if version { der(VERSION, &der(2, &[2])) } else { Vec::new() };
        fields.extend(der(2, &[1, 2, 3]));
        fields.extend(der(SEQUENCE, b""));
        fields.extend(name("An Authority"));
        fields.extend(der(SEQUENCE, b""));
        fields.extend(name(subject));
        fields.extend(der(SEQUENCE, b""));
        if let Some(names) = alternatives {
            let value = der(OCTETS, &der(SEQUENCE, names));
            let other = [der(OBJECT, &[0x55, 0x1d, 0x0f]), der(OCTETS, b"x")].concat();
            let names = [der(OBJECT, ALTERNATIVE_NAMES), der(BOOLEAN, &[255]), value].concat();
            let both = [der(SEQUENCE, &other), der(SEQUENCE, &names)].concat();
            fields.extend(der(EXTENSIONS, &der(SEQUENCE, &both)));
        }
        der(SEQUENCE, &der(SEQUENCE, &fields))
    }

    #[test]
    fn subject_and_alternatives() {
        let names = [
            der(0x82, b"*.evil.example"),
            der(0x82, b"other.example"),
            der(0x87, &[192, 0, 2, 1]),
            der(0x81, b"root@evil.example"),
            der(0x86, b"https://evil.example/"),
            der(0x82, b"a b"),
            der(0x88, b"oid"),
        ];
        let bytes = certificate(true, "evil.example", Some(&names.concat()));
        let parsed = parse(&bytes).unwrap();
        assert_eq!(parsed.subject, Some(&b"evil.example"[..]));
        assert_eq!(parsed.issuer, Some(&b"An Authority"[..]));
        let got: Vec<Name<'_>> = parsed.names().collect();
        let want = [
            Name::Is(Observable::Name(b"evil.example")),
            Name::Is(Observable::Name(b"evil.example")),
            Name::Is(Observable::Name(b"other.example")),
            Name::Is(Observable::Address(IpAddr::from([192, 0, 2, 1]), None)),
            Name::Is(Observable::Email(b"root@evil.example")),
            Name::Is(Observable::Url(b"https://evil.example/")),
            Name::Odd,
        ];
        assert_eq!(got, want);
    }

    #[test]
    fn old_ones_and_broken_ones() {
        let bytes = certificate(false, "evil.example", None);
        let got: Vec<_> = parse(&bytes).unwrap().names().collect();
        assert_eq!(got, [Name::Is(Observable::Name(b"evil.example"))]);
        let bytes = certificate(true, "evil.example", Some(&der(0x82, b"EVIL.example")));
        assert_eq!(parse(&bytes).unwrap().names().count(), 1);
        let title = certificate(true, "Some Root G2", None);
        assert_eq!(parse(&title).unwrap().names().count(), 0);
        for end in 0..bytes.len() {
            assert_eq!(parse(&bytes[..end]), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            at in any::<prop::sample::Index>(),
            value: u8,
        ) {
            let _ = parse(&bytes).map(|parsed| parsed.names().count());
            let mut changed = certificate(true, "a.example", Some(&der(0x82, b"b.example")));
            let at = at.index(changed.len());
            changed[at] = value;
            let _ = parse(&changed).map(|parsed| parsed.names().count());
        }
    }
}
