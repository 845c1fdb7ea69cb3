//! Configuration lines of dnsmasq that block names.

use crate::engine::indicator::{Kind, Reason, Scope};
use crate::intel::feed::format::hosts;
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::{self, Line, Lines};
use std::net::IpAddr;
use std::sync::Arc;

/// The directives with names between slashes.
const DIRECTIVES: &[&str] = &["address", "server", "local"];

/// Reads `address=/name/…`, `server=/name/` and `local=/name/`, possibly with
/// several names. dnsmasq also blocks their subdomains. A name that is forwarded to
/// another server, or resolved to a real host, is not blocked.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) {
    let scope = intake.domain_scope(Scope::Subtree);
    let context = Arc::new(intake.base());
    let addresses = Lines::new(text).filter_map(|(_, line)| match parse(line)? {
        ("address", _, target) => target.parse().ok(),
        _ => None,
    });
    let is_sinkhole = hosts::has_sinkhole(addresses);
    for (number, line) in Lines::new(text) {
        let Line::Value(value, _) = lines::parse(line) else { continue };
        intake.at_line(number);
        let Some((directive, names, target)) = parse(value) else {
            intake.reject(value, Reason::NotBlocked, Some("not a directive about names".into()));
            continue;
        };
        if let Some(detail) = elsewhere(directive, target, is_sinkhole) {
            intake.reject(value, Reason::NotBlocked, Some(detail));
            continue;
        }
        for name in names.split('/').filter(|name| !name.is_empty()) {
            intake.typed(Kind::Domain, name, scope, &context);
        }
    }
}

/// Where a directive sends names, or `None` if it blocks them.
fn elsewhere(directive: &str, target: &str, is_sinkhole: bool) -> Option<String> {
    let address: Option<IpAddr> = target.split('#').next().and_then(|t| t.parse().ok());
    match directive {
        _ if target.is_empty() => None,
        "address" if target == "#" || is_sinkhole => None,
        "address" => match address {
            Some(address) if hosts::is_nowhere(address) => None,
            _ => Some(format!("it is sent to {target}")),
        },
        _ if target == "#" => Some("it is resolved as usual".into()),
        // The unspecified address is not a host, so the name is blocked.
        _ if address.is_some_and(|address| address.is_unspecified()) => None,
        _ => Some(format!("it is resolved by {target}")),
    }
}

/// Splits a directive into its name, the part between the first and last slash, and
/// the rest.
fn parse(line: &str) -> Option<(&'static str, &str, &str)> {
    let (directive, rest) = line.trim().split_once('=')?;
    let directive = DIRECTIVES.iter().find(|known| **known == directive.trim())?;
    let (names, target) = rest.trim().strip_prefix('/')?.rsplit_once('/')?;
    Some((directive, names, target.trim()))
}

/// Whether a line is a directive about names; for detection.
pub(in crate::intel::feed) fn is_entry(line: &str) -> bool {
    parse(line).is_some()
}

#[cfg(test)]
mod tests {
    use crate::engine::indicator::Reason;
    use crate::intel::feed::{Collected, Format, Options};

    #[test]
    fn directives_that_block_are_read() {
        let text = b"# x\naddress=/evil.example/0.0.0.0\nserver=/a.example/b.example/\n\
                     local=/c.example/\ncache-size=1\naddress=/d.example/#\naddress=/e.example/::\n\
                     server=/corp.example/192.0.2.53\nserver=/good.example/#\n\
                     address=/nas.example/192.0.2.10\nserver=/f.example/127.0.0.1#5353\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Dnsmasq);
        assert_eq!(
            got.values(),
            ["evil.example", "a.example", "b.example", "c.example", "d.example", "e.example"]
        );
        assert!(got.rejects.iter().all(|reject| reject.reason == Reason::NotBlocked));
        let lines: Vec<_> = got.rejects.iter().filter_map(|reject| reject.line).collect();
        assert_eq!(lines, [5, 8, 9, 10, 11]);
        // A list that sends all its names to one host blocks them.
        let text = b"address=/a.example/192.0.2.1\naddress=/b.example/192.0.2.1\n";
        assert_eq!(Collected::read(text, &Options::default()).unwrap().values().len(), 2);
    }
}
