//! Warning lists: what is known good, or known to be shared by strangers, as whoever
//! keeps such a list writes it down (section 3.3 of the matching specification).

use super::{Kind, Value};
use ipnet::IpNet;

/// A list of values that indicators had better not be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WarningList {
    /// Its short name, such as that of its file: `public-dns-v4`.
    pub id: String,
    /// Its title.
    pub name: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// The kinds of indicators that it is held against; all, if there are none.
    pub kinds: Vec<Kind>,
    /// Whether it says itself which kinds it is about. One that names none that are
    /// known here is held against nothing.
    pub is_limited: bool,
    /// What is on it.
    pub entries: Vec<WarningEntry>,
    /// Entries that could not be read.
    pub unreadable: u64,
}

/// One entry, by what it is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WarningEntry {
    /// The whole value.
    Whole(Value),
    /// A name, and every name below it.
    Below(Box<str>),
    /// Networks of at least its length inside of it.
    Net(IpNet),
    /// A part of the value, in any case of letters.
    Part(Box<str>),
    /// A regular expression that is found in the value.
    Regex(Box<str>),
}

impl WarningList {
    /// Whether it is held against indicators of this kind.
    pub fn is_about(&self, kind: Kind) -> bool {
        !self.is_limited || self.kinds.contains(&kind)
    }
}
