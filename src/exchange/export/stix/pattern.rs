//! Indicators as patterns.

use crate::exchange::export::source::machine_value;
use crate::exchange::export::text::push_stix;
use crate::exchange::pulses::{Indicator, Type};

/// A pattern and its language.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) language: &'static str,
    pub(super) text: String,
}

/// The pattern of an indicator; `None` for a vulnerability, which is an object of its own, and
/// for rules without text.
pub(super) fn of(indicator: &Indicator) -> Option<Pattern> {
    if indicator.kind.is_rule() {
        let language = match indicator.kind {
            Type::Yara => "yara",
            Type::Nids => "snort",
            Type::Osquery => "osquery",
            _ => "sigma",
        };
        let text = indicator.content.trim();
        return (!text.is_empty()).then(|| Pattern { language, text: text.to_string() });
    }
    let value = machine_value(indicator);
    let text = match indicator.kind {
        Type::IPv4 => equal("ipv4-addr:value", value),
        Type::IPv6 => equal("ipv6-addr:value", value),
        // The value of an address object may be a network.
        Type::Cidr if value.contains(':') => equal("ipv6-addr:value", value),
        Type::Cidr => equal("ipv4-addr:value", value),
        Type::Domain | Type::Hostname => equal("domain-name:value", value),
        Type::Url => equal("url:value", value),
        Type::Uri => equal("network-traffic:extensions.'http-request-ext'.request_value", value),
        Type::Email => equal("email-addr:value", value),
        Type::Md5 => equal("file:hashes.MD5", value),
        Type::Sha1 => equal("file:hashes.'SHA-1'", value),
        Type::Sha256 => equal("file:hashes.'SHA-256'", value),
        Type::Pehash => equal("file:hashes.PEHASH", value),
        Type::Imphash => equal("file:extensions.'windows-pebinary-ext'.imphash", value),
        Type::FilePath => path(value),
        Type::Mutex => equal("mutex:name", value),
        Type::Ja3 => equal("network-traffic:x_ja3_hash", value),
        Type::Certificate => equal("x509-certificate:hashes.'SHA-1'", value),
        Type::Bitcoin => equal("cryptocurrency-wallet:value", value),
        Type::Cve | Type::Yara | Type::Nids | Type::Osquery | Type::Correlation => return None,
    };
    Some(Pattern { language: "stix", text: format!("[{text}]") })
}

fn equal(path: &str, value: &str) -> String {
    let mut text = format!("{path} = ");
    push_stix(&mut text, value);
    text
}

/// A file's name, and its folder if there is one.
fn path(value: &str) -> String {
    match value.rsplit_once(['\\', '/']) {
        Some((folder, name)) if !folder.is_empty() && !name.is_empty() => {
            let folder = equal("file:parent_directory_ref.path", folder);
            format!("{folder} AND {}", equal("file:name", name))
        }
        _ => equal("file:name", value),
    }
}
