//! Hosts files: an address that leads nowhere, and the names sent there.

use crate::engine::indicator::{Kind, Reason, Scope, address};
use crate::intel::feed::contexts::Shared;
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::{self, Line, Lines};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

/// Names of the machine itself, which every hosts file has.
const OWN_NAMES: &[&str] =
    &["localhost", "localhost.localdomain", "local", "broadcasthost", "0.0.0.0", "127.0.0.1"];

/// The number of lines to inspect to find where a list sends its names.
const SAMPLE: usize = 1000;

/// Reads a hosts file. Every name after an address is an indicator, without
/// subdomains. Addresses, names of the machine itself, and names sent to a real
/// host are not, unless the list sends all its names to that host.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) {
    let scope = intake.domain_scope(Scope::Exact);
    let context = Arc::new(intake.base());
    let addresses = Lines::new(text).filter_map(|(_, line)| target(line));
    let is_sinkhole = has_sinkhole(addresses);
    for (number, line) in Lines::new(text) {
        let Line::Value(line, _) = lines::parse(line) else { continue };
        intake.at_line(number);
        entry(line, is_sinkhole, scope, &context, intake);
    }
}

/// Reads the names of one entry.
pub(in crate::intel::feed) fn entry(
    line: &str,
    is_sinkhole: bool,
    scope: Scope,
    context: &Shared,
    intake: &mut Intake<'_>,
) {
    let mut words = line.split_ascii_whitespace();
    let Some(first) = words.next() else { return };
    let address = address::parse_ip(first).ok();
    let names = if address.is_some() { words } else { line.split_ascii_whitespace() };
    let elsewhere = address.filter(|address| !is_sinkhole && !is_nowhere(*address));
    for name in names.take_while(|name| !name.starts_with('#')) {
        if OWN_NAMES.contains(&name) || name.starts_with("ip6-") {
            continue;
        }
        if let Some(address) = elsewhere {
            intake.reject(name, Reason::NotBlocked, Some(format!("it is sent to {address}")));
        } else if name.contains(['/', ':', '*', '@', '?']) {
            // A resolver would not find these either.
            let detail = "a hosts file contains plain names, not URLs, ports or patterns";
            intake.reject(name, Reason::BadDomain, Some(detail.into()));
        } else if name.contains('.') {
            intake.typed(Kind::Domain, name, scope, context);
        } else {
            intake.reject(name, Reason::SingleLabel, None);
        }
    }
}

/// The address that an entry sends its first name to, unless that is a name of the
/// machine itself.
fn target(line: &str) -> Option<IpAddr> {
    let Line::Value(line, _) = lines::parse(line) else { return None };
    let mut words = line.split_ascii_whitespace();
    let address = address::parse_ip(words.next()?).ok()?;
    let name = words.next()?;
    (!OWN_NAMES.contains(&name) && !name.starts_with("ip6-")).then_some(address)
}

/// Whether a list blocks by sending names to a host, judged by the target of most
/// names.
pub(in crate::intel::feed) fn has_sinkhole(addresses: impl Iterator<Item = IpAddr>) -> bool {
    let (mut nowhere, mut elsewhere) = (0, 0);
    for address in addresses.take(SAMPLE) {
        *(if is_nowhere(address) { &mut nowhere } else { &mut elsewhere }) += 1;
    }
    elsewhere > nowhere
}

/// Whether names sent to this address are blocked.
pub(in crate::intel::feed) fn is_nowhere(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_unspecified() || v4.is_loopback() || v4.is_broadcast(),
        IpAddr::V6(v6) => {
            v6.is_unspecified() || v6.is_loopback() || matches!(v6.segments()[0], 0xfe80..=0xffff)
        }
    }
}

/// A line of a hosts file in another list: an address that leads nowhere, and names
/// after it, separated by blanks or the list's separator. `None` if an address
/// follows, which makes it a mask or a value like any other.
pub(in crate::intel::feed) fn stray_entry(line: &str) -> Option<Cow<'_, str>> {
    // Check the first byte first: few lines begin like this.
    if !matches!(line.as_bytes().first(), Some(b'0' | b'1' | b'2' | b':' | b'f' | b'F')) {
        return None;
    }
    const SEPARATORS: [char; 3] = [',', ';', '|'];
    let line = match line.contains(SEPARATORS) {
        true => Cow::Owned(line.replace(SEPARATORS, " ")),
        false => Cow::Borrowed(line),
    };
    let mut words = line.split_ascii_whitespace();
    let address = address::parse_ip(words.next()?).ok()?;
    let name = words.next()?;
    let is_address = address::parse_ip(name).is_ok() && !OWN_NAMES.contains(&name);
    (is_nowhere(address) && !is_address && !name.bytes().all(|b| b.is_ascii_digit()))
        .then_some(line)
}

/// Whether a line is an entry that blocks a name; for detection.
pub(in crate::intel::feed) fn is_entry(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let address = words.next().and_then(|word| address::parse_ip(word).ok());
    address.is_some_and(is_nowhere) && words.next().is_some_and(|name| !name.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use crate::engine::indicator::{Reason, Scope};
    use crate::intel::feed::{Collected, Format, Options};

    #[test]
    fn names_after_addresses() {
        let text = b"127.0.0.1 localhost\n::1 ip6-localhost\n0.0.0.0 Evil.example www.evil.example # two\n\
                     0.0.0.0 0.0.0.0\n127.0.0.1\tbad.example\n0.0.0.0 not_a..name\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Hosts);
        assert_eq!(got.values(), ["evil.example", "www.evil.example", "bad.example"]);
        assert!(got.indicators.iter().all(|i| i.scope == Scope::Exact));
        assert_eq!(got.rejects.len(), 1);
    }

    #[test]
    fn what_cannot_be_used_is_reported() {
        let options = Options { format: Some(Format::Hosts), ..Options::default() };
        let text = b"0.0.0.0 evil.example\n0.0.0.0 http://a.example/\n0.0.0.0 b.example:80\n\
                     0.0.0.0 *.c.example\n192.0.2.10 corp.example\n";
        let got = Collected::read(text, &options).unwrap();
        assert_eq!(got.values(), ["evil.example"]);
        let reported: Vec<_> = got.rejects.iter().map(|r| (r.line, &*r.value, r.reason)).collect();
        assert_eq!(
            reported,
            [
                (Some(2), "http://a.example/", Reason::BadDomain),
                (Some(3), "b.example:80", Reason::BadDomain),
                (Some(4), "*.c.example", Reason::BadDomain),
                (Some(5), "corp.example", Reason::NotBlocked),
            ]
        );
        // A list that sends all its names to one host blocks them.
        let text = b"127.0.0.1 localhost\n192.0.2.1 a.example\n192.0.2.1 b.example\n";
        assert_eq!(Collected::read(text, &options).unwrap().values(), ["a.example", "b.example"]);
    }
}
