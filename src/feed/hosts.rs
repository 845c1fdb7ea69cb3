//! Hosts files: an address that leads nowhere, and the names that are sent there.

use crate::feed::intake::Intake;
use crate::feed::lines::{self, Line, Lines};
use crate::indicator::{Kind, Scope, address};
use std::net::IpAddr;
use std::sync::Arc;

/// Names that every hosts file has for the machine itself.
const OWN_NAMES: &[&str] =
    &["localhost", "localhost.localdomain", "local", "broadcasthost", "0.0.0.0", "127.0.0.1"];

/// Reads a hosts file. Every name behind an address is an indicator, exact; the
/// address and the names of the machine itself are not.
pub(super) fn read(text: &str, intake: &mut Intake<'_>) {
    let scope = intake.domain_scope(Scope::Exact);
    let context = Arc::new(intake.base());
    for (number, line) in Lines::new(text) {
        let Line::Value(line, _) = lines::parse(line) else { continue };
        intake.at_line(number);
        let mut words = line.split_ascii_whitespace();
        let Some(first) = words.next() else { continue };
        let names = if is_address(first) { words } else { line.split_ascii_whitespace() };
        for name in names.take_while(|name| !name.starts_with('#')) {
            if !OWN_NAMES.contains(&name) && !name.starts_with("ip6-") {
                intake.typed(Kind::Domain, name, scope, &context);
            }
        }
    }
}

fn is_address(word: &str) -> bool {
    address::parse_ip(word).is_ok()
}

/// Whether a line is an entry that sends a name nowhere; for detection.
pub(super) fn is_entry(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let address = words.next().and_then(|word| address::parse_ip(word).ok());
    let nowhere = match address {
        Some(IpAddr::V4(v4)) => v4.is_unspecified() || v4.is_loopback() || v4.is_broadcast(),
        Some(IpAddr::V6(v6)) => {
            v6.is_unspecified() || v6.is_loopback() || matches!(v6.segments()[0], 0xfe80..=0xffff)
        }
        None => false,
    };
    nowhere && words.next().is_some_and(|name| !name.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use crate::feed::{Collected, Format, Options};
    use crate::indicator::Scope;

    #[test]
    fn names_behind_addresses() {
        let text = b"127.0.0.1 localhost\n::1 ip6-localhost\n0.0.0.0 Evil.example www.evil.example # two\n\
                     0.0.0.0 0.0.0.0\n127.0.0.1\tbad.example\n0.0.0.0 not_a..name\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Hosts);
        assert_eq!(got.values(), ["evil.example", "www.evil.example", "bad.example"]);
        assert!(got.indicators.iter().all(|i| i.scope == Scope::Exact));
        assert_eq!(got.rejects.len(), 1);
    }
}
