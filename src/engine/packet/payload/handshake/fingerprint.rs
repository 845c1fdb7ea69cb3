//! JA3, JA3S and JA4: what a client offers, and a server chooses, as a fingerprint.
//!
//! Reserved values that only keep servers tolerant (GREASE, RFC 8701) are left out, as the
//! specifications demand.

use super::hello::{
    ALPN, GROUPS, Hello, POINT_FORMATS, SIGNATURES, SUPPORTED_VERSIONS, ServerHello,
};
use crate::engine::packet::bytes::be16;
use md5::{Digest, Md5};
use sha2::Sha256;
use std::fmt::Write as _;

const SERVER_NAME: u16 = 0;

/// 0x0a0a, 0x1a1a … 0xfafa.
fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

/// The numbers of a list without GREASE.
fn numbers(list: &[u8]) -> impl Iterator<Item = u16> {
    list.chunks_exact(2).filter_map(|pair| be16(pair, 0)).filter(|&value| !is_grease(value))
}

/// Adds numbers with dashes between them.
fn dashed(text: &mut String, numbers: impl Iterator<Item = u16>) {
    for (at, number) in numbers.enumerate() {
        let dash = if at == 0 { "" } else { "-" };
        // Writing to a String can't fail.
        let _ = write!(text, "{dash}{number}");
    }
}

/// The input of JA3's MD5: version, ciphers, extensions, groups, point formats.
fn ja3_text(hello: &Hello<'_>) -> String {
    let value = |wanted| hello.extensions.into_iter().find(|&(kind, _)| kind == wanted);
    let mut text = format!("{},", hello.legacy_version);
    dashed(&mut text, numbers(hello.ciphers));
    text.push(',');
    dashed(&mut text, hello.extensions.map(|(kind, _)| kind).filter(|&kind| !is_grease(kind)));
    text.push(',');
    let groups = value(GROUPS).and_then(|(_, value)| value.get(2..)).unwrap_or_default();
    dashed(&mut text, numbers(groups));
    text.push(',');
    let formats = value(POINT_FORMATS).and_then(|(_, value)| value.get(1..)).unwrap_or_default();
    dashed(&mut text, formats.iter().map(|&format| u16::from(format)));
    text
}

pub(in crate::engine::packet) fn ja3(hello: &Hello<'_>) -> [u8; 16] {
    Md5::digest(ja3_text(hello)).into()
}

pub(in crate::engine::packet) fn ja3s(hello: &ServerHello<'_>) -> [u8; 16] {
    let mut text = format!("{},{},", hello.legacy_version, hello.cipher);
    dashed(&mut text, hello.extensions.map(|(kind, _)| kind));
    Md5::digest(text).into()
}

/// The first 12 hex digits of the SHA-256 of a text; zeros for none.
fn short_hash(text: &str) -> String {
    if text.is_empty() {
        return "000000000000".to_owned();
    }
    let digest = Sha256::digest(text);
    digest.iter().take(6).fold(String::with_capacity(12), |mut hash, byte| {
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}

/// Numbers in hex with commas between them.
fn listed(numbers: &[u16]) -> String {
    let texts: Vec<String> = numbers.iter().map(|number| format!("{number:04x}")).collect();
    texts.join(",")
}

/// The first and last character of the first application protocol; if one is not an ASCII letter
/// or digit, those of its hex digits, as in the specification and Wireshark. FoxIO's own programs
/// write a 9 instead, and a 0 after a single character.
fn ends(protocol: Option<&[u8]>) -> [char; 2] {
    let Some((&first, &last)) = protocol.and_then(|p| p.first().zip(p.last())) else {
        return ['0', '0'];
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(first), char::from(last)];
    }
    let digit = |nibble| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    [digit(first >> 4), digit(last & 0x0f)]
}

/// The highest version offered, even if it is unknown, like that of a draft.
fn offered(hello: &Hello<'_>) -> u16 {
    let list = hello.extensions.into_iter().find(|&(kind, _)| kind == SUPPORTED_VERSIONS);
    let versions = list.and_then(|(_, value)| value.get(1..)).unwrap_or_default();
    numbers(versions).max().unwrap_or(hello.legacy_version)
}

pub(in crate::engine::packet) fn ja4(hello: &Hello<'_>, transport: u8) -> String {
    let version = match offered(hello) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    };
    let mut ciphers: Vec<u16> = numbers(hello.ciphers).collect();
    let kinds = || hello.extensions.map(|(kind, _)| kind).filter(|&kind| !is_grease(kind));
    let (count, has_name) = (kinds().count(), kinds().any(|kind| kind == SERVER_NAME));
    let name = if has_name { 'd' } else { 'i' };
    let [first, last] = ends(hello.alpn().next());
    ciphers.sort_unstable();
    let mut extensions: Vec<u16> =
        kinds().filter(|kind| !matches!(*kind, SERVER_NAME | ALPN)).collect();
    extensions.sort_unstable();
    let mut list = listed(&extensions);
    let signatures = hello.extensions.into_iter().find(|&(kind, _)| kind == SIGNATURES);
    let signatures = signatures.and_then(|(_, value)| value.get(2..)).unwrap_or_default();
    let signatures: Vec<u16> = numbers(signatures).collect();
    if !list.is_empty() && !signatures.is_empty() {
        list.push('_');
        list.push_str(&listed(&signatures));
    }
    format!(
        "{}{version}{name}{:02}{:02}{first}{last}_{}_{}",
        char::from(transport),
        ciphers.len().min(99),
        count.min(99),
        short_hash(&listed(&ciphers)),
        short_hash(&list),
    )
}
