//! Settings for a feed that its file does not contain.

use crate::engine::error::{Error, Result};
use crate::engine::indicator::{Context, Role, Scope, Severity, Tlp};
use crate::intel::feed::Format;
use crate::intel::feed::table::columns::Column;
use std::borrow::Cow;

/// Whether values are defanged, that is, written so that they cannot be clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Defanged {
    /// Refang values of network kinds that show a sign of it, except in formats
    /// that only programs write.
    #[default]
    Auto,
    /// Refang in every format.
    Yes,
    /// Take every value literally.
    No,
}

/// How to read a feed.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The name of the subscription. If empty, [`open()`](super::open()) uses the
    /// file name without extensions.
    pub feed: String,
    /// The format; by default it is detected from the content.
    pub format: Option<Format>,
    /// Whether to refang values.
    pub defanged: Defanged,
    /// The roles of columns, for tables whose header does not say so.
    pub columns: Columns,
    /// The delimiter of a table; by default it is detected.
    pub delimiter: Option<char>,
    /// It describes internal networks, so the guard for private addresses does not
    /// apply.
    pub internal: bool,
    /// Everything in it is known good and keeps hits from alerting.
    pub allow: bool,
    /// The scope of names, overriding the format's rule. A spelling that is
    /// explicit (`*.name`, `.name`) keeps its own scope.
    pub domain_scope: Option<Scope>,
    /// Include MISP attributes whose `to_ids` is false.
    pub misp_all: bool,
    /// STIX `domain-name:value = 'x'` includes subdomains of `x`.
    pub stix_domain_subtree: bool,
    /// Read `010.001.000.001` as decimal instead of rejecting it.
    pub zero_padded_decimal: bool,
    /// The confidence of indicators without one, 0 to 100.
    pub confidence: Option<u8>,
    /// The severity of indicators without one.
    pub severity: Option<Severity>,
    /// The TLP of indicators without one.
    pub tlp: Option<Tlp>,
    /// Labels for every indicator, before those of the feed.
    pub tags: Vec<String>,
    /// Files in folders to skip, by name or by path below the folder.
    pub exclude: Vec<glob::Pattern>,
}

impl Options {
    /// Options with only a name.
    pub fn of_feed(feed: impl Into<String>) -> Self {
        Options { feed: feed.into(), ..Options::default() }
    }

    /// Whether to skip a file in a folder; `path` is relative to the folder.
    pub(super) fn excludes(&self, path: &std::path::Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let fits = |pattern: &glob::Pattern| pattern.matches(&name) || pattern.matches_path(path);
        self.exclude.iter().any(fits)
    }

    /// The context that every indicator of the feed starts with.
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

/// The position of a column: by name in the header, or by number from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ColumnRef {
    Name(String),
    Number(usize),
}

/// A mapping of columns, written as `indicator=2,type=ioc_type`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns(pub(super) Vec<(Column, ColumnRef)>);

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
                     first_seen, last_seen, modified, port, start, end, netmask, status, or a kind such as \
                     domain or sha256",
                )
            })?;
            let place = place.trim();
            let place = match place.parse::<usize>() {
                Ok(0) => {
                    return Err(Error::usage("invalid column 0: columns are numbered from 1"));
                }
                Ok(number) => ColumnRef::Number(number),
                Err(_) => ColumnRef::Name(place.to_string()),
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
    fn column_mappings_are_read() {
        let columns: Columns = "indicator=2, type=ioc_type".parse().unwrap();
        assert_eq!(
            columns.0,
            [
                (Column::Value(None), ColumnRef::Number(2)),
                (Column::Type, ColumnRef::Name("ioc_type".into()))
            ]
        );
        for bad in ["indicator", "nonsense=1", "indicator=0"] {
            assert!(bad.parse::<Columns>().is_err(), "{bad}");
        }
    }
}
