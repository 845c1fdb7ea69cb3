//! Lists with one value a line: plain, hosts files, Squid's `dstdomain`, and sets of nftables.
//!
//! Values are sorted, and each is there once, whatever pulses have it. Nothing that people wrote
//! is in the comments: programs guess formats from them.

use super::sorted::Sorter;
use super::source::{About, Out, Renderer, machine_value};
use super::text::is_line;
use crate::engine::error::Result;
use crate::engine::indicator::domain::{Suffix, public_suffix};
use crate::exchange::pulses::{Indicator, Pulse, Type};
use ipnet::IpNet;

/// The types of a plain list unless others are asked for: those whose values show what they are.
const PLAIN: &[Type] = &[
    Type::IPv4,
    Type::IPv6,
    Type::Cidr,
    Type::Domain,
    Type::Hostname,
    Type::Url,
    Type::Email,
    Type::Md5,
    Type::Sha1,
    Type::Sha256,
    Type::Cve,
];

/// A kind of list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Values.
    Plain,
    /// `0.0.0.0 name`.
    Hosts,
    /// `.name` for a domain with all below it, `name` for a host.
    Squid,
    /// Two named sets of addresses.
    Nftables,
}

/// Writes a list.
pub(super) struct List<'a> {
    about: &'a About,
    style: Style,
    sorter: Option<Sorter>,
}

impl<'a> List<'a> {
    pub(super) fn new(about: &'a About, style: Style) -> Self {
        List { about, style, sorter: Some(Sorter::new()) }
    }

    fn takes(&self, kind: Type) -> bool {
        match self.style {
            Style::Plain if self.about.types.is_empty() => PLAIN.contains(&kind),
            Style::Plain => self.about.takes(kind) && !kind.is_rule(),
            Style::Hosts | Style::Squid => {
                matches!(kind, Type::Domain | Type::Hostname) && self.about.takes(kind)
            }
            Style::Nftables => {
                matches!(kind, Type::IPv4 | Type::IPv6 | Type::Cidr) && self.about.takes(kind)
            }
        }
    }

    /// What to sort a value by, and to find it in again.
    fn key(&self, kind: Type, value: &str) -> String {
        match self.style {
            Style::Plain | Style::Hosts => value.to_string(),
            // Labels from the right, so that a domain comes right before what is below it.
            Style::Squid => {
                let mut labels: Vec<&str> = value.split('.').collect();
                labels.reverse();
                let has_below = kind == Type::Domain && public_suffix(value) == Suffix::None;
                let mark = if has_below { "" } else { "\u{1}" };
                format!("{}\u{1}{mark}", labels.join("\u{1}"))
            }
            Style::Nftables => format!("{}{value}", if value.contains(':') { '6' } else { '4' }),
        }
    }
}

/// Whether a name has only characters that every resolver and proxy reads as part of it.
pub(super) fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// Whether a name may be blocked: no top-level domain, and no suffix below which strangers have
/// names. The author of a pulse can ask for it; no list does it.
pub(super) fn is_blockable(name: &str) -> bool {
    is_host_name(name) && public_suffix(name) != Suffix::Icann
}

/// Whether a value is a network wider than those that the engine compiles.
pub(super) fn is_too_wide(kind: Type, value: &str) -> bool {
    kind == Type::Cidr
        && value.parse::<IpNet>().is_ok_and(|net| match net {
            IpNet::V4(net) => net.prefix_len() < 8,
            IpNet::V6(net) => net.prefix_len() < 16,
        })
}

impl Renderer for List<'_> {
    fn begin(&mut self, out: &mut Out<'_>) -> Result<()> {
        let note = match self.style {
            Style::Plain | Style::Nftables => "",
            Style::Hosts => {
                "\n# Hosts files know whole names only: names below a domain are not blocked."
            }
            Style::Squid => "\n# acl wiresift dstdomain \"/path/to/this/file\"",
        };
        out.put(&format!("# wiresift exchange{note}\n"))
    }

    fn indicator(&mut self, _: &mut Out<'_>, _: &Pulse, indicator: &Indicator) -> Result<()> {
        match indicator.is_exported() {
            true => self.value(indicator.kind, machine_value(indicator)),
            false => Ok(()),
        }
    }

    fn needs_only_values(&self) -> bool {
        // Of these the spelling counts, too.
        !self.takes(Type::FilePath) && !self.takes(Type::Mutex)
    }

    fn value(&mut self, kind: Type, value: &str) -> Result<()> {
        if !self.takes(kind) {
            return Ok(());
        }
        let is_name = matches!(kind, Type::Domain | Type::Hostname);
        // Readers take a line that begins so for a comment or for something else.
        let is_clear = is_line(value) && !value.starts_with(['#', ';', '!', '/', '$', '[']);
        let is_path = kind == Type::Uri && is_line(value);
        if !is_clear && !is_path || is_name && !is_blockable(value) || is_too_wide(kind, value) {
            return Ok(());
        }
        let key = self.key(kind, value);
        match &mut self.sorter {
            Some(sorter) => sorter.push(key.as_bytes()),
            None => Ok(()),
        }
    }

    fn finish(&mut self, out: &mut Out<'_>) -> Result<()> {
        let Some(sorter) = self.sorter.take() else { return Ok(()) };
        match self.style {
            Style::Plain => sorter.finish(&mut |line| {
                out.bytes(line)?;
                out.put("\n")
            }),
            Style::Hosts => sorter.finish(&mut |line| {
                out.put("0.0.0.0 ")?;
                out.bytes(line)?;
                out.put("\n")
            }),
            Style::Squid => squid(sorter, out),
            Style::Nftables => nftables(sorter, out),
        }
    }
}

/// Squid refuses lists in which one entry covers another.
fn squid(sorter: Sorter, out: &mut Out<'_>) -> Result<()> {
    let mut covering: Option<Vec<u8>> = None;
    sorter.finish(&mut |key| {
        if covering.as_ref().is_some_and(|domain| key.starts_with(domain)) {
            return Ok(());
        }
        let is_domain = !key.ends_with(b"\x01\x01");
        let labels = String::from_utf8_lossy(key);
        let mut labels: Vec<&str> = labels.trim_end_matches('\u{1}').split('\u{1}').collect();
        labels.reverse();
        let name = labels.join(".");
        if is_domain {
            covering = Some(key.to_vec());
            return out.put(&format!(".{name}\n"));
        }
        out.put(&format!("{name}\n"))
    })
}

/// Two sets in a table of their own; `auto-merge` because networks may overlap.
fn nftables(sorter: Sorter, out: &mut Out<'_>) -> Result<()> {
    out.put("table inet wiresift {\n")?;
    let mut open: Option<u8> = None;
    let mut seen = [false; 2];
    sorter.finish(&mut |key| {
        let (family, value) = (key[0], &key[1..]);
        if open == Some(family) {
            out.put(",\n\t\t\t")?;
        } else {
            if open.replace(family).is_some() {
                out.put("\n\t\t}\n\t}\n")?;
            }
            seen[usize::from(family == b'6')] = true;
            out.put(&set(family))?;
            out.put("\t\telements = {\n\t\t\t")?;
        }
        out.bytes(value)
    })?;
    if open.is_some() {
        out.put("\n\t\t}\n\t}\n")?;
    }
    // Rules refer to both sets, so both are there.
    for (is_there, family) in seen.into_iter().zip([b'4', b'6']) {
        if !is_there {
            out.put(&set(family))?;
            out.put("\t}\n")?;
        }
    }
    out.put("}\n")
}

/// The head of a set.
fn set(family: u8) -> String {
    let family = family as char;
    format!(
        "\tset indicators{family} {{\n\t\ttype ipv{family}_addr\n\t\tflags interval\n\t\tauto-merge\n"
    )
}
