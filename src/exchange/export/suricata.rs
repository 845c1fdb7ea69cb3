//! Rules, datasets and IP reputation for Suricata.
//!
//! Values are in datasets and in a reputation list, not in rules, so that a million of them load
//! quickly; the rules are few, and each has its `sid` for as long as its scope exists. Datasets
//! know whole names only: names below a domain are not found.

use super::sorted::Sorter;
use super::source::{About, Out, Renderer, machine_value};
use super::text::{is_line, shortened, suricata};
use crate::engine::error::Result;
use crate::exchange::pulses::{Indicator, Pulse, Type};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The first `sid` of ours.
const FIRST_SID: u64 = 41_000_000;

/// The `sid`s that each scope has.
const SIDS: u64 = 16;

/// The category of IP reputation, the same as in OTX's lists for Suricata, and its score.
const CATEGORY: u8 = 41;
const SCORE: u8 = 127;

/// The name of the category; a constant, because Suricata has no escape in it.
const SHORT_NAME: &str = "Wiresift";

/// A dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dataset {
    /// Names.
    Names,
    /// URLs without scheme and host.
    Urls,
    /// MD5 digests of files.
    Md5,
    /// SHA-256 digests of files.
    Sha256,
    /// JA3 fingerprints.
    Ja3,
    /// Senders of mails.
    Senders,
}

impl Dataset {
    /// Every dataset.
    pub(super) const ALL: [Dataset; 6] = [
        Dataset::Names,
        Dataset::Urls,
        Dataset::Md5,
        Dataset::Sha256,
        Dataset::Ja3,
        Dataset::Senders,
    ];

    /// The name of its file, without the ending.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Dataset::Names => "names",
            Dataset::Urls => "urls",
            Dataset::Md5 => "md5",
            Dataset::Sha256 => "sha256",
            Dataset::Ja3 => "ja3",
            Dataset::Senders => "senders",
        }
    }

    /// Suricata's type of its entries.
    const fn of(self) -> &'static str {
        match self {
            Dataset::Md5 => "md5",
            Dataset::Sha256 => "sha256",
            _ => "string",
        }
    }

    /// The entry for an indicator.
    fn entry(self, indicator: &Indicator) -> Option<String> {
        let value = machine_value(indicator);
        let text = |text: &str| Some(STANDARD.encode(text));
        match (self, indicator.kind) {
            (Dataset::Names, Type::Domain | Type::Hostname) | (Dataset::Senders, Type::Email) => text(value),
            // Suricata looks at host and path apart; a dataset can only have both joined by a
            // transformation, so the rule joins them.
            (Dataset::Urls, Type::Url) => text(value.split_once("://")?.1),
            (Dataset::Ja3, Type::Ja3) => text(value),
            (Dataset::Md5, Type::Md5) | (Dataset::Sha256, Type::Sha256) => Some(value.to_string()),
            _ => None,
        }
    }
}
