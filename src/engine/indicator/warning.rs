//! Warning lists: values that are known to be good or shared by strangers, as their
//! maintainers write them (matching specification, section 3.3).

use super::{Kind, Value};
use ipnet::IpNet;

/// A list of values that make bad indicators.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WarningList {
    /// Its short name, such as that of its file: `public-dns-v4`.
    pub id: String,
    /// Its title.
    pub name: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// The kinds of indicators to check; empty for all.
    pub kinds: Vec<Kind>,
    /// Whether the list restricts the kinds. If it only names kinds that are
    /// unknown here, it applies to none.
    pub is_limited: bool,
    /// The entries.
    pub entries: Vec<WarningEntry>,
    /// The number of entries that could not be parsed.
    pub unreadable: u64,
}

/// An entry, by how it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WarningEntry {
    /// The whole value.
    Whole(Value),
    /// A name, and every name below it.
    Below(Box<str>),
    /// Networks inside this one.
    Net(IpNet),
    /// A part of the value, ignoring case.
    Part(Box<str>),
    /// A regular expression that matches anywhere in the value.
    Regex(Box<str>),
}

impl WarningList {
    /// Whether indicators of this kind are checked.
    pub fn is_about(&self, kind: Kind) -> bool {
        !self.is_limited || self.kinds.contains(&kind)
    }
}
