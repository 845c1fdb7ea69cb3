//! Keys: what repeated alerts have in common, as bytes.

use super::bytes::{Reader, put_bytes};
use super::{AlertFacts, Config, Member};
use std::fmt::Write as _;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// The longest member of a key. A longer one is cut, and ends with a digest of the whole.
pub(super) const MAX_MEMBER: usize = 512;

/// The maximum number of members of a key, including future ones.
pub(super) const MAX_MEMBERS: usize = 16;

/// The longest key: every member at its maximum length, with the lengths.
pub(super) const MAX_KEY: usize = MAX_MEMBERS * (MAX_MEMBER + 4);

/// Appends the members of the key, each after its length.
pub(super) fn write_key(config: &Config, facts: &AlertFacts<'_>, key: &mut Vec<u8>) {
    key.clear();
    let mut text = String::new();
    for &member in &config.key {
        text.clear();
        // Writing to a string does not fail.
        let _ = match member {
            Member::Indicator => write!(text, "{} {}", facts.indicator.0, facts.indicator.1),
            Member::Where => write!(text, "{}", facts.place),
            Member::Local => write!(text, "{}", facts.local),
            Member::Remote => facts.remote.map_or(Ok(()), |ip| write!(text, "{ip}")),
            Member::SrcPort => facts.src_port.map_or(Ok(()), |port| write!(text, "{port}")),
            Member::DstPort => facts.dst_port.map_or(Ok(()), |port| write!(text, "{port}")),
            Member::Value => write!(text, "{}", facts.value),
            Member::Input => write!(text, "{}", facts.input),
        };
        put_bytes(key, shorten(&mut text, MAX_MEMBER).as_bytes());
    }
}

/// Cuts a text that is too long, so that different ones stay different.
fn shorten(text: &mut String, max: usize) -> &str {
    if text.len() > max {
        let digest = xxh3_128(text.as_bytes());
        text.truncate(text.floor_char_boundary(max - 40));
        let _ = write!(text, "…{digest:032x}");
    }
    text
}

/// The members of a key with their texts. A key is written by [`write_key`] or checked by
/// [`is_key`]; if it is invalid nevertheless, the invalid part is left out.
pub(super) fn members(of: &[Member], key: &[u8]) -> Vec<(Member, String)> {
    let mut reader = Reader::new(key);
    let texts = of.iter().map_while(|&member| {
        let text = reader.bytes(MAX_MEMBER)?;
        Some((member, String::from_utf8_lossy(text).into_owned()))
    });
    texts.collect()
}

/// Whether these bytes are a key with this number of members.
pub(super) fn is_key(count: usize, key: &[u8]) -> bool {
    let mut reader = Reader::new(key);
    let is_text = |text: Option<&[u8]>| text.is_some_and(|text| str::from_utf8(text).is_ok());
    (0..count).all(|_| is_text(reader.bytes(MAX_MEMBER))) && reader.is_empty()
}

/// The hash of a key, by which its window is found.
pub(super) fn hash(key: &[u8]) -> u64 {
    xxh3_64(key)
}

/// The identifier of a repeat record: key and start of the window. If that is ambiguous, also the
/// number of windows evicted before it, and the part of the window.
pub(super) fn repeat_id(key: &[u8], start: i64, evicted: u64, part: u32) -> u128 {
    let mut text = key.to_vec();
    text.extend_from_slice(&start.to_le_bytes());
    if evicted > 0 || part > 0 {
        text.extend_from_slice(&evicted.to_le_bytes());
        text.extend_from_slice(&part.to_le_bytes());
    }
    xxh3_128(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::indicator::Kind;

    #[test]
    fn members_are_kept_apart() {
        let config = Config { key: Member::ALL.to_vec(), ..Config::default() };
        let mut facts = AlertFacts::of_indicator(Kind::Ip, "192.0.2.7");
        (facts.local, facts.place) = ("ab".into(), "c".into());
        let mut one = Vec::new();
        write_key(&config, &facts, &mut one);
        assert!(is_key(Member::ALL.len(), &one) && !is_key(7, &one) && !is_key(9, &one));
        let texts: Vec<String> = members(Member::ALL, &one).into_iter().map(|(_, t)| t).collect();
        assert_eq!(texts, ["ip 192.0.2.7", "c", "ab", "", "", "", "192.0.2.7", ""]);
        (facts.local, facts.place) = ("a".into(), "bc".into());
        let mut two = Vec::new();
        write_key(&config, &facts, &mut two);
        assert_ne!(one, two);
    }

    #[test]
    fn long_members_are_cut_and_stay_different() {
        let config = Config { key: vec![Member::Value], ..Config::default() };
        let mut keys = ["é".repeat(400) + "a", "é".repeat(400) + "b"].map(|value| {
            let (mut facts, mut key) = (AlertFacts::of_indicator(Kind::Url, "x"), Vec::new());
            facts.value = &value;
            write_key(&config, &facts, &mut key);
            assert!(is_key(1, &key) && key.len() <= MAX_MEMBER + 2, "{}", key.len());
            key
        });
        keys.sort();
        assert_ne!(keys[0], keys[1]);
    }
}
