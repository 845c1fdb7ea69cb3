//! Rules, datasets and IP reputation for Suricata.
//!
//! Names, fingerprints, digests and addresses are in lists that a few rules refer to, so that a
//! million of them load quickly. Suricata has no buffer with a whole URL, so each URL is a rule.
//! Datasets know whole names only: names below a domain are not found.

use super::list::{is_host_name, is_too_wide};
use super::sorted::Sorter;
use super::source::{About, Out, Renderer, machine_value};
use super::text::{is_line, shortened, suricata};
use crate::engine::error::Result;
use crate::exchange::pulses::{Indicator, Pulse, Type};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

/// The first `sid` of the rules that refer to lists.
const FIRST_SID: u64 = 41_000_000;

/// The `sid`s that each scope has.
const SIDS: u64 = 32;

/// The first `sid` of the rules for URLs, to which the number of the indicator is added.
const FIRST_URL_SID: u64 = 1_000_000_000;

/// The category of IP reputation, the same as in OTX's lists for Suricata.
const CATEGORY: u8 = 41;

/// The score of each address.
const SCORE: u8 = 127;

/// The name of the category; a constant, because Suricata has no escapes in it.
const SHORT_NAME: &str = "Wiresift";

/// The protocols whose files are looked at.
const FILE_PROTOCOLS: [&str; 4] = ["http", "smtp", "smb", "ftp-data"];

/// The file with the categories of IP reputation.
pub(super) fn categories() -> String {
    format!("{CATEGORY},{SHORT_NAME},Addresses from a wiresift exchange\n")
}

/// A list that rules refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// Names, for a dataset of strings.
    Names,
    /// JA3 fingerprints, for a dataset of strings.
    Ja3,
    /// MD5 digests of files.
    Md5,
    /// SHA-1 digests of files.
    Sha1,
    /// SHA-256 digests of files.
    Sha256,
    /// Addresses and networks, for IP reputation.
    Addresses,
}

impl Values {
    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Values::Names => "names",
            Values::Ja3 => "ja3",
            Values::Md5 => "md5",
            Values::Sha1 => "sha1",
            Values::Sha256 => "sha256",
            Values::Addresses => "addresses",
        }
    }

    /// The name of its file, in which scopes don't overwrite each other.
    fn file(self, about: &About) -> String {
        format!("wiresift-{}-{}.lst", about.number, self.name())
    }

    /// The line for an indicator.
    fn line(self, indicator: &Indicator) -> Option<String> {
        let value = machine_value(indicator);
        match (self, indicator.kind) {
            (Values::Names, Type::Domain | Type::Hostname) if is_host_name(value) => {
                Some(STANDARD.encode(value))
            }
            (Values::Ja3, Type::Ja3) if is_hex(value) => Some(STANDARD.encode(value)),
            (Values::Md5, Type::Md5)
            | (Values::Sha1, Type::Sha1)
            | (Values::Sha256, Type::Sha256)
                if is_hex(value) =>
            {
                Some(value.to_string())
            }
            (Values::Addresses, Type::IPv4 | Type::IPv6 | Type::Cidr)
                if is_line(value) && !is_too_wide(indicator.kind, value) =>
            {
                Some(format!("{value},{CATEGORY},{SCORE}"))
            }
            _ => None,
        }
    }
}

fn is_hex(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Writes a list that rules refer to.
pub(super) struct List<'a> {
    about: &'a About,
    values: Values,
    sorter: Option<Sorter>,
}

impl<'a> List<'a> {
    pub(super) fn new(about: &'a About, values: Values) -> Self {
        List { about, values, sorter: Some(Sorter::new()) }
    }
}

impl Renderer for List<'_> {
    fn indicator(&mut self, _: &mut Out<'_>, _: &Pulse, indicator: &Indicator) -> Result<()> {
        if indicator.is_exported()
            && self.about.takes(indicator.kind)
            && let (Some(line), Some(sorter)) = (self.values.line(indicator), &mut self.sorter)
        {
            return sorter.push(line.as_bytes());
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Out<'_>) -> Result<()> {
        let Some(sorter) = self.sorter.take() else { return Ok(()) };
        sorter.finish(&mut |line| {
            out.bytes(line)?;
            out.put("\n")
        })
    }
}

/// Writes the rules.
pub(super) struct Rules<'a> {
    about: &'a About,
}

impl<'a> Rules<'a> {
    pub(super) fn new(about: &'a About) -> Self {
        Rules { about }
    }

    /// The rules that refer to lists: protocol, what it is about, and what is matched.
    fn of_lists(&self) -> Vec<(&'static str, &'static str, String)> {
        let dataset = |values: Values| {
            let name = format!("wiresift-{}-{}", self.about.number, values.name());
            format!("dataset:isset,{name},type string,load {}", values.file(self.about))
        };
        let names = |buffer: &str| format!("{buffer}; to_lowercase; {}", dataset(Values::Names));
        let mut rules = vec![
            ("dns", "name in a DNS query", names("dns.query")),
            ("tls", "name in a TLS handshake", names("tls.sni")),
            ("http", "name of a web server", names("http.host")),
            ("tls", "JA3 fingerprint", format!("ja3.hash; {}", dataset(Values::Ja3))),
            ("ip", "address", format!("iprep:any,{SHORT_NAME},>,0")),
        ];
        for values in [Values::Md5, Values::Sha1, Values::Sha256] {
            for protocol in FILE_PROTOCOLS {
                let matched = format!("file{}:{}", values.name(), values.file(self.about));
                rules.push((protocol, "file", matched));
            }
        }
        rules
    }
}

impl Renderer for Rules<'_> {
    fn begin(&mut self, out: &mut Out<'_>) -> Result<()> {
        out.put("# wiresift exchange\n")?;
        out.put("# Datasets know whole names only: names below a domain are not found.\n")?;
        let title = suricata(shortened(&self.about.title, 100));
        let first = FIRST_SID + u64::from(self.about.number) * SIDS;
        for (sid, (protocol, what, matched)) in (first..).zip(self.of_lists()) {
            out.put(&format!(
                "alert {protocol} any any -> any any (msg:\"wiresift {title} {what}\"; {matched}; \
                 classtype:trojan-activity; sid:{sid}; rev:1;)\n"
            ))?;
        }
        Ok(())
    }

    fn indicator(&mut self, out: &mut Out<'_>, pulse: &Pulse, indicator: &Indicator) -> Result<()> {
        if !indicator.is_exported()
            || !self.about.takes(indicator.kind)
            || indicator.kind != Type::Url
        {
            return Ok(());
        }
        let sid = u64::try_from(indicator.id).ok().and_then(|id| FIRST_URL_SID.checked_add(id));
        let Some(sid) = sid.filter(|sid| *sid <= u64::from(u32::MAX)) else { return Ok(()) };
        let Some((host, path)) = parts(machine_value(indicator)) else { return Ok(()) };
        let name = suricata(shortened(&pulse.name, 100));
        out.put(&format!(
            "alert http any any -> any any (msg:\"wiresift {name} URL\"; \
             http.host; content:\"{}\"; bsize:{}; http.uri.raw; content:\"{}\"; bsize:{}; \
             reference:url,{}; classtype:trojan-activity; sid:{sid}; rev:{};)\n",
            content(host),
            host.len(),
            content(path),
            path.len(),
            reference(&self.about.page(pulse)),
            pulse.revision,
        ))
    }
}

/// The host of a normalised URL, and its path with the query.
fn parts(url: &str) -> Option<(&str, &str)> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let at = rest.find('/')?;
    let (host, path) = rest.split_at(at);
    let host = match host.strip_prefix('[') {
        // The brackets are part of the host that Suricata sees.
        Some(_) => &host[..=host.find(']')?],
        None => host.split(':').next()?,
    };
    (!host.is_empty()).then_some((host, path))
}

/// A pattern that means the text and nothing else: whatever is not a letter, a digit or of a few
/// other characters is written in hexadecimal.
fn content(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"./-_=&?%~".contains(&byte);
    let mut out = String::with_capacity(text.len());
    let mut is_hex = false;
    for byte in text.bytes() {
        if is_plain(byte) == is_hex {
            out.push('|');
            is_hex = !is_hex;
        } else if is_hex {
            out.push(' ');
        }
        if is_hex {
            let _ = write!(out, "{byte:02x}");
        } else {
            out.push(byte as char);
        }
    }
    if is_hex {
        out.push('|');
    }
    out
}

/// A URL for the keyword `reference`, which has no quotes and no scheme.
fn reference(url: &str) -> String {
    let url = url.split_once("://").map_or(url, |(_, rest)| rest);
    url.chars()
        .filter(|char| char.is_ascii_alphanumeric() || "./-_~%:".contains(*char))
        .collect::<String>()
        .replace(':', "\\:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert_eq!(content("/gate.php?x=1"), "/gate.php?x=1");
        assert_eq!(content("a;\"b|\\"), "a|3b 22|b|7c 5c|");
        assert_eq!(content("é"), "|c3 a9|");
        assert_eq!(reference("https://x.example:8443/pulse/1"), "x.example\\:8443/pulse/1");
    }

    #[test]
    fn urls() {
        assert_eq!(parts("http://evil.example/a?b"), Some(("evil.example", "/a?b")));
        assert_eq!(parts("http://evil.example:8080/"), Some(("evil.example", "/")));
        assert_eq!(parts("http://[2001:db8::1]:80/x"), Some(("[2001:db8::1]", "/x")));
        assert_eq!(parts("http://evil.example"), None);
        assert_eq!(parts("/x"), None);
    }
}
