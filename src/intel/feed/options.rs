//! What the owner of a feed says about it, beside the file itself.

use crate::engine::error::{Error, Result};
use crate::engine::indicator::{Context, Role, Scope, Severity, Tlp};
use crate::intel::feed::Format;
use crate::intel::feed::table::columns::Column;
use std::borrow::Cow;

/// Whether values are written in a way that keeps them from being clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Defanged {
    /// Undo it wherever a value of a network kind shows a mark of it, but in
    /// formats that only programs write.
    #[default]
    Auto,
    /// Undo it in every format.
    Yes,
    /// Take every value as it stands.
    No,
}

/// How to read one feed.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The subscription's name. When empty, [`open()`](super::open()) takes the
    /// file's name without its extensions.
    pub feed: String,
    /// The format, where it shall not be found from the content.
    pub format: Option<Format>,
    /// Whether to undo defanging.
    pub defanged: Defanged,
    /// Which column is what, for tables whose header does not say so.
    pub columns: Columns,
    /// What separates the columns of a table, where it shall not be found.
    pub delimiter: Option<char>,
    /// Meant for our own networks: no private-address guard.
    pub internal: bool,
    /// Everything in it is known good: hits are kept from alerting.
    pub allow: bool,
    /// How far names reach, instead of the format's own rule. A spelling that
    /// says so itself (`*.name`, `.name`) stays as it is.
    pub domain_scope: Option<Scope>,
    /// Take MISP attributes whose `to_ids` is false, too.
    pub misp_all: bool,
    /// STIX `domain-name:value = 'x'` reaches below `x`, too.
    pub stix_domain_subtree: bool,
    /// Read `010.001.000.001` as decimal instead of rejecting it.
    pub zero_padded_decimal: bool,
    /// The confidence of indicators whose feed gives none, 0 to 100.
    pub confidence: Option<u8>,
    /// The severity of indicators whose feed gives none.
    pub severity: Option<Severity>,
    /// The TLP of indicators whose feed gives none.
    pub tlp: Option<Tlp>,
    /// Labels of every indicator, before those of the feed.
    pub tags: Vec<String>,
    /// Files of a folder that are left out: by their name, or by their path below it.
    pub exclude: Vec<glob::Pattern>,
}

impl Options {
    /// The options of a feed that has only a name.
    pub fn of_feed(feed: impl Into<String>) -> Self {
        Options { feed: feed.into(), ..Options::default() }
    }

    /// Whether a file of a folder is left out; `path` is below the folder.
    pub(super) fn excludes(&self, path: &std::path::Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let fits = |pattern: &glob::Pattern| pattern.matches(&name) || pattern.matches_path(path);
        self.exclude.iter().any(fits)
    }

    /// The context that every indicator of the feed starts from.
    pub(super) fn base(&self) -> Context<'static> {
        Context {
            feed: Cow::Owned(self.feed.clone()),
            confidence: self.confidence,
            severity: self.severity,
            tlp: self.tlp,
            tags: self.tags.iter().map(|tag| Cow::Owned(tag.clone())).collect(),
            internal: self.internal,
            role: if self.allow { Role::Allow } else { Role::Alert },
            ..Context::default()
        }
    }
}

/// Where a column stands: by its name in the header, or by its number from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Name(String),
    Number(usize),
}

/// A mapping of columns, written `indicator=2,type=ioc_type`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns(pub(super) Vec<(Column, Place)>);

impl Columns {
    /// Whether nothing is mapped.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::str::FromStr for Columns {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut columns = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (role, place) = part.split_once('=').ok_or_else(|| {
                Error::usage(format!("the column mapping “{part}” has no “=”"))
                    .remedy("write ROLE=COLUMN, as in indicator=2,type=ioc_type")
            })?;
            let column = Column::from_name(role).ok_or_else(|| {
                Error::usage(format!("unknown column role “{}”", role.trim())).remedy(
                    "roles are indicator, type, feed, source, description, confidence, severity, \
                     tlp, tags, malware, adversary, reference, valid_from, valid_until, \
                     first_seen, last_seen, port, start, end, netmask, status, or a kind such as \
                     domain or sha256",
                )
            })?;
            let place = place.trim();
            let place = match place.parse::<usize>() {
                Ok(0) => {
                    return Err(Error::usage("columns are numbered from 1, and 0 was given"));
                }
                Ok(number) => Place::Number(number),
                Err(_) => Place::Name(place.to_string()),
            };
            columns.push((column, place));
        }
        Ok(Columns(columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings() {
        let columns: Columns = "indicator=2, type=ioc_type".parse().unwrap();
        assert_eq!(
            columns.0,
            [
                (Column::Value(None), Place::Number(2)),
                (Column::Type, Place::Name("ioc_type".into()))
            ]
        );
        for bad in ["indicator", "nonsense=1", "indicator=0"] {
            assert!(bad.parse::<Columns>().is_err(), "{bad}");
        }
    }
}
