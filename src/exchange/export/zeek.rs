//! Files of Zeek's intelligence framework.
//!
//! Zeek compares whole strings. The URLs that it sees have no scheme, so those here have none,
//! and names below a domain are not found: the second line of the file says so.

use super::source::{About, Out, Renderer, machine_value};
use super::text::{is_line, shortened, zeek};
use crate::engine::error::Result;
use crate::exchange::pulses::{Indicator, Pulse, Type};

/// The most characters of a description.
const MAX_DESCRIPTION: usize = 200;

/// Writes such a file.
pub(super) struct Zeek<'a> {
    about: &'a About,
    /// The columns of the pulse.
    source: String,
    page: String,
}

impl<'a> Zeek<'a> {
    pub(super) fn new(about: &'a About) -> Self {
        Zeek { about, source: String::new(), page: String::new() }
    }
}

impl Renderer for Zeek<'_> {
    fn begin(&mut self, out: &mut Out<'_>) -> Result<()> {
        out.put("#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.url\n")?;
        out.put("# Zeek compares whole names: those below a domain are not found.\n")
    }

    fn pulse(&mut self, _: &mut Out<'_>, pulse: &Pulse) -> Result<()> {
        // Zeek keeps one description for each source, so each pulse is one.
        self.source = format!("pulse {} by {}", pulse.id, zeek(&pulse.author.name));
        self.page = zeek(&self.about.page(pulse)).into_owned();
        Ok(())
    }

    fn indicator(&mut self, out: &mut Out<'_>, pulse: &Pulse, indicator: &Indicator) -> Result<()> {
        let kind = indicator.kind;
        let value = machine_value(indicator);
        if !indicator.is_exported() || !self.about.takes(kind) || !is_line(value) {
            return Ok(());
        }
        let (name, value) = match kind {
            Type::IPv4 | Type::IPv6 => ("ADDR", value),
            Type::Cidr => ("SUBNET", value),
            Type::Domain | Type::Hostname => ("DOMAIN", value),
            Type::Url => ("URL", value.split_once("://").map_or(value, |(_, rest)| rest)),
            Type::Email => ("EMAIL", value),
            Type::Md5 | Type::Sha1 | Type::Sha256 => ("FILE_HASH", value),
            Type::Certificate => ("CERT_HASH", value),
            Type::FilePath if !value.contains(['/', '\\']) => ("FILE_NAME", value),
            _ => return Ok(()),
        };
        let about = if indicator.title.trim().is_empty() { "" } else { ": " };
        let about = format!("{}{about}{}", pulse.name, indicator.title.trim());
        let about = shortened(&about, MAX_DESCRIPTION);
        let (value, about) = (zeek(value), zeek(about));
        out.put(&format!("{value}\tIntel::{name}\t{}\t{about}\t{}\n", self.source, self.page))
    }
}
