//! DNS response policy zones: names, and what a resolver does about them.

use crate::engine::indicator::{Context, Kind, Reason, Role, Scope};
use crate::intel::feed::contexts::Shared;
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::Lines;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Reads `name CNAME .` and its variants. `*.name` covers subdomains, a name with
/// `rpz-ip` is a network in answers, and `rpz-passthru.` marks known good names.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) {
    let base = intake.base();
    let allow = Arc::new(Context { role: Role::Allow, ..base.clone() });
    let block = Arc::new(base);
    let mut origin = String::new();
    for (number, line) in Lines::new(text) {
        // A semicolon starts a comment anywhere in a zone file, and no name contains one.
        let line = line.split_once(';').map_or(line, |(before, _)| before);
        let mut words = line.split_ascii_whitespace();
        let Some(owner) = words.next() else { continue };
        intake.at_line(number);
        if owner == "$ORIGIN" {
            origin = words.next().unwrap_or("").trim_matches('.').to_string();
            continue;
        }
        let Some((record, data)) = record(words) else { continue };
        // An indented line has no owner of its own; `@` is the zone itself (SOA, NS).
        if line.starts_with([' ', '\t']) || owner.starts_with(['$', '@']) {
            continue;
        }
        let context = match data {
            "rpz-passthru." => &allow,
            "rpz-tcp-only." => {
                intake.reject(owner, Reason::NotBlocked, Some("it is only forced to TCP".into()));
                continue;
            }
            // `CNAME .` and `CNAME *.` deny the name, other data redirects it to a page with an
            // explanation.
            _ if matches!(record, "CNAME" | "A" | "AAAA") => &block,
            _ => {
                intake.reject(
                    owner,
                    Reason::NotBlocked,
                    Some(format!("a record of type {record}")),
                );
                continue;
            }
        };
        put(owner, &origin, context, intake);
    }
}

/// The type and data of a record whose owner was read.
fn record<'a>(words: impl Iterator<Item = &'a str>) -> Option<(&'a str, &'a str)> {
    let mut words =
        words.skip_while(|w| w.eq_ignore_ascii_case("IN") || w.bytes().all(|b| b.is_ascii_digit()));
    Some((words.next()?, words.next().unwrap_or("")))
}

/// Passes on a record's owner. Addresses are encoded in labels with a suffix for
/// the trigger (draft-vixie-dnsop-dns-rpz, section 4); the triggers for name
/// servers and clients cannot be observed in traffic.
fn put(owner: &str, origin: &str, context: &Shared, intake: &mut Intake<'_>) {
    let name = owner.trim_end_matches('.');
    // Owners may be relative to the zone or complete.
    let name = match name.strip_suffix(origin) {
        Some(rest) if !origin.is_empty() => rest.trim_end_matches('.'),
        _ => name,
    };
    let trigger =
        ["rpz-ip", "rpz-client-ip", "rpz-nsip", "rpz-nsdname"].into_iter().find_map(|t| {
            let at = name.find(&format!(".{t}"))?;
            Some((t, &name[..at]))
        });
    match trigger {
        Some(("rpz-ip", labels)) => match network(labels) {
            Some(net) => {
                intake.typed(Kind::Net, &net, Scope::Exact, context);
            }
            None => intake.reject(owner, Reason::BadNetwork, None),
        },
        Some((trigger, _)) => {
            intake.reject(owner, Reason::Ignored, Some(format!("{trigger} cannot be observed")));
        }
        None => {
            intake.typed(Kind::Domain, name, intake.domain_scope(Scope::Exact), context);
        }
    }
}

/// Decodes `24.0.2.0.192` (192.0.2.0/24) and `128.1.zz.db8.2001` (2001:db8::1).
fn network(labels: &str) -> Option<String> {
    let mut parts = labels.split('.');
    let length: u8 = parts.next()?.parse().ok()?;
    let mut groups: Vec<&str> = parts.collect();
    // Labels are in reverse order, as in reverse DNS.
    groups.reverse();
    let address: IpAddr = match groups.iter().position(|group| *group == "zz") {
        Some(at) => {
            let v6 = format!("{}::{}", groups[..at].join(":"), groups[at + 1..].join(":"));
            v6.parse::<Ipv6Addr>().ok()?.into()
        }
        None if groups.len() == 8 => groups.join(":").parse::<Ipv6Addr>().ok()?.into(),
        None => groups.join(".").parse::<Ipv4Addr>().ok()?.into(),
    };
    Some(format!("{address}/{length}"))
}

/// Whether a line is a record of a policy zone; for detection.
pub(in crate::intel::feed) fn is_entry(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let owner = words.next();
    matches!(owner, Some("$TTL" | "$ORIGIN"))
        || record(words).is_some_and(|(record, data)| {
            record == "SOA"
                || record == "CNAME" && (matches!(data, "." | "*.") || data.starts_with("rpz-"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intel::feed::{Collected, Format, Options};

    #[test]
    fn triggers_and_actions() {
        let text = b"$TTL 60\n@ IN SOA localhost. root.localhost. 1 2 3 4 5\n  IN NS localhost.\n\
            evil.example CNAME .\n*.evil.example CNAME .\nbad.example 60 IN CNAME *.\n\
            good.example CNAME rpz-passthru.\n24.0.2.0.192.rpz-ip CNAME .\nns.x.rpz-nsdname CNAME .\n\
            walled.example A 192.0.2.1\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Rpz);
        assert_eq!(
            got.values(),
            [
                "evil.example",
                "evil.example",
                "bad.example",
                "good.example",
                "192.0.2.0/24",
                "walled.example"
            ]
        );
        assert_eq!(got.indicators[1].scope, Scope::SubtreeNoApex);
        assert_eq!(got.indicators[3].context.role, Role::Allow);
        assert_eq!(network("128.1.zz.db8.2001").as_deref(), Some("2001:db8::1/128"));
        assert_eq!(network("128.1.zz").as_deref(), Some("::1/128"));
        assert_eq!(network("32.zz.db8.2001").as_deref(), Some("2001:db8::/32"));
        assert_eq!(network("128.8.7.6.5.4.3.2.1").as_deref(), Some("1:2:3:4:5:6:7:8/128"));
        assert_eq!(network("24.1.2"), None);
        assert_eq!(got.rejects.len(), 1);
    }
}
