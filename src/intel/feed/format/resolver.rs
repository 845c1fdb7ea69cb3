//! Zones in the configuration of a resolver, unbound or BIND, that block names.
//!
//! The same directives also define a company's own zones, and forward names to
//! other servers. A zone blocks if it answers with nothing; any other is rejected
//! with the reason.

use crate::engine::indicator::{Kind, Reason, Scope, address};
use crate::intel::feed::format::hosts;
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::{self, Line, Lines};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The meaning of a line.
enum Directive<'t> {
    /// `local-zone: "name" type`
    Zone(&'t str, &'t str),
    /// `local-data: "name A address"`: whether the name is blocked by it; `None`
    /// for other records.
    Data(&'t str, Option<bool>),
    /// The start of a BIND `zone`, with the rest of the line.
    Bind(&'t str, &'t str),
    /// A section of unbound whose names are forwarded.
    Section(&'t str),
    /// `name: "…"` in a section.
    Name(&'t str),
    /// A setting of the section before.
    Part,
    /// Anything else.
    Other,
}

/// Reads zones. Those of unbound and BIND include subdomains.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) {
    let scope = intake.domain_scope(Scope::Subtree);
    let exact = intake.domain_scope(Scope::Exact);
    let context = Arc::new(intake.base());
    let known = Known::of(text);
    let mut section = "";
    let mut open: Option<Bind<'_>> = None;
    for (number, line) in Lines::new(text) {
        let Line::Value(line, _) = lines::parse(line) else { continue };
        if let Some(zone) = &mut open {
            zone.take(line);
        } else {
            intake.at_line(number);
            match directive(line) {
                Directive::Zone(name, kind) => match known.verdict(name, kind) {
                    None => {
                        intake.typed(Kind::Domain, name, scope, &context);
                    }
                    Some(why) => intake.reject(name, Reason::NotBlocked, Some(why)),
                },
                // Data that belongs to a zone is judged with the zone.
                Directive::Data(name, _) if known.zones.contains(&key(name)) => {}
                Directive::Data(name, Some(true)) => {
                    intake.typed(Kind::Domain, name, exact, &context);
                }
                Directive::Data(name, _) => {
                    intake.reject(name, Reason::NotBlocked, Some("it has data of its own".into()));
                }
                Directive::Bind(name, rest) => {
                    let mut zone = Bind { name, kind: "", file: "", is_over: false };
                    zone.take(rest);
                    open = Some(zone);
                }
                Directive::Section(name) => section = name,
                Directive::Name(name) => {
                    let detail = format!("it is in a {section}");
                    intake.reject(name, Reason::NotBlocked, Some(detail));
                }
                Directive::Part => {}
                Directive::Other => {
                    intake.reject(line, Reason::NotBlocked, Some("not a zone".into()));
                }
            }
        }
        if let Some(zone) = open.take_if(|zone| zone.is_over) {
            match zone.verdict(&known) {
                None => {
                    intake.typed(Kind::Domain, zone.name, scope, &context);
                }
                Some(why) => intake.reject(zone.name, Reason::NotBlocked, Some(why)),
            }
        }
    }
    if let Some(zone) = open {
        intake.reject(zone.name, Reason::Malformed, Some("its zone does not end".into()));
    }
}

/// What other parts of the file say about its names.
struct Known {
    /// The names of local zones.
    zones: HashSet<String>,
    /// Names with real data, and their parents.
    served: HashSet<String>,
    /// The number of BIND zones per file.
    files: HashMap<String, u32>,
}

impl Known {
    /// Reads all declarations first: whether a zone blocks depends on lines that
    /// may come after it.
    fn of(text: &str) -> Known {
        let (mut zones, mut served) = (HashSet::new(), HashSet::new());
        let mut files = HashMap::new();
        for (_, line) in Lines::new(text) {
            let Line::Value(line, _) = lines::parse(line) else { continue };
            match directive(line) {
                Directive::Zone(name, _) => {
                    zones.insert(key(name));
                }
                // Names have at most 253 bytes, and so a bounded number of parents.
                Directive::Data(name, data) if data != Some(true) && name.len() <= 253 => {
                    let name = key(name);
                    let mut rest = &*name;
                    while served.insert(rest.to_string())
                        && let Some((_, parent)) = rest.split_once('.')
                    {
                        rest = parent;
                    }
                }
                _ => {}
            }
            if let Some(file) = setting(line, "file") {
                *files.entry(file.to_string()).or_default() += 1;
            }
        }
        Known { zones, served, files }
    }

    /// Why a local zone does not block; `None` if it does.
    fn verdict(&self, name: &str, kind: &str) -> Option<String> {
        match kind {
            "deny" | "refuse" | "always_nxdomain" | "always_nodata" | "always_null"
            | "always_refuse" | "always_deny" | "inform_deny" => None,
            "static" | "redirect" if !self.served.contains(&key(name)) => None,
            "static" | "redirect" => Some("it has data of its own".into()),
            kind => Some(format!("its zone is {kind}")),
        }
    }
}

/// A zone of BIND.
struct Bind<'t> {
    name: &'t str,
    kind: &'t str,
    file: &'t str,
    is_over: bool,
}

impl<'t> Bind<'t> {
    /// Reads a line of the zone's declaration, which may extend over several.
    fn take(&mut self, line: &'t str) {
        self.kind = setting(line, "type").unwrap_or(self.kind);
        self.file = setting(line, "file").unwrap_or(self.file);
        self.is_over |= line.contains('}');
    }

    /// Why the zone does not block: it is forwarded, or served from a file of its
    /// own.
    fn verdict(&self, known: &Known) -> Option<String> {
        if !matches!(self.kind, "master" | "primary") {
            return Some(format!("its zone is of type {}", self.kind));
        }
        let file = self.file.to_ascii_lowercase();
        // Words in the names of empty zone files, as administrators and generators
        // name them.
        const EMPTY: &[&str] =
            &["null", "block", "empty", "sink", "nxdomain", "hole", "malware", "dummy", "bad"];
        let is_shared = known.files.get(self.file).copied().unwrap_or(0) > 1;
        let is_empty = file.is_empty() || EMPTY.iter().any(|word| file.contains(word));
        (!is_shared && !is_empty).then(|| format!("it is served from {}", self.file))
    }
}

/// The word after a setting's name, anywhere on the line, without quotes.
fn setting<'t>(line: &'t str, name: &str) -> Option<&'t str> {
    line.split([';', '{']).find_map(|part| {
        let rest = part.trim().strip_prefix(name)?;
        rest.starts_with([' ', '\t']).then(|| rest.trim().trim_matches('"'))
    })
}

/// A name as it is compared: in lower case, without the root's dot.
fn key(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Interprets a line of unbound's or BIND's configuration.
fn directive(line: &str) -> Directive<'_> {
    if let Some(rest) = line.strip_prefix("zone")
        && let Some(rest) = rest.trim_start().strip_prefix('"')
        && let Some((name, rest)) = rest.split_once('"')
    {
        return Directive::Bind(name, rest);
    }
    let Some((word, rest)) = line.split_once(':') else { return Directive::Other };
    let rest = rest.trim();
    match word.trim() {
        "local-zone" => {
            let (name, kind) = rest.rsplit_once([' ', '\t']).unwrap_or((rest, ""));
            Directive::Zone(name.trim().trim_matches('"'), kind.trim_matches('"'))
        }
        "local-data" => data(rest.trim_matches(['"', '\''])),
        "name" => Directive::Name(rest.trim_matches('"')),
        section @ ("forward-zone" | "stub-zone" | "auth-zone" | "view" | "server") => {
            Directive::Section(section)
        }
        part if part.starts_with("forward-") || part.starts_with("stub-") => Directive::Part,
        _ => Directive::Other,
    }
}

/// `name [ttl] [IN] A address`
fn data(text: &str) -> Directive<'_> {
    let mut words = text.split_ascii_whitespace();
    let name = words.next().unwrap_or("");
    let mut words =
        words.skip_while(|w| w.eq_ignore_ascii_case("IN") || w.bytes().all(|b| b.is_ascii_digit()));
    let is_address =
        |record: &str| record.eq_ignore_ascii_case("A") || record.eq_ignore_ascii_case("AAAA");
    let address = words
        .next()
        .filter(|record| is_address(record))
        .and_then(|_| words.next())
        .and_then(|word| address::parse_ip(word).ok());
    Directive::Data(name, address.map(hosts::is_nowhere))
}

/// Whether a line belongs to such a configuration; for detection.
pub(in crate::intel::feed) fn is_entry(line: &str) -> bool {
    match directive(line) {
        Directive::Other => {
            setting(line, "type").or(setting(line, "file")).is_some() || line == "};"
        }
        Directive::Name(_) => line.starts_with("name: "),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::indicator::Reason;
    use crate::intel::feed::{Collected, Format, Options};

    #[test]
    fn zones_of_unbound_are_read() {
        let text = b"server:\n  local-zone: \"a.example\" always_nxdomain\n\
            local-zone: \"b.example.\" redirect\nlocal-data: \"b.example A 0.0.0.0\"\n\
            local-zone: \"c.example\" static\nlocal-zone: c2.example refuse\n\
            local-data: \"d.example 60 IN A 127.0.0.1\"\n\
            local-zone: \"corp.example\" static\nlocal-data: \"x.corp.example A 192.0.2.7\"\n\
            local-zone: \"t.example\" transparent\n\
            forward-zone:\n  name: \"f.example\"\n  forward-addr: 192.0.2.53\n\
            stub-zone:\n  name: \"s.example\"\n  stub-addr: 192.0.2.53\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Resolver);
        let want = ["a.example", "b.example", "c.example", "c2.example", "d.example"];
        assert_eq!(got.values(), want);
        let reported: Vec<_> = got.rejects.iter().map(|r| (&*r.value, r.reason)).collect();
        let want = ["corp.example", "x.corp.example", "t.example", "f.example", "s.example"];
        assert_eq!(reported, want.map(|name| (name, Reason::NotBlocked)));
    }

    #[test]
    fn zones_of_bind_are_read() {
        let text = b"zone \"a.example\" { type master; file \"/etc/bind/x.zone\"; };\n\
            zone \"b.example\" IN {\n  type primary;\n  file \"/etc/bind/x.zone\";\n};\n\
            zone \"c.example\" {type master; file \"null.zone\";};\n\
            zone \"corp.example\" { type master; file \"corp.db\"; };\n\
            zone \"f.example\" { type forward; forwarders { 192.0.2.53; }; };\n\
            zone \"s.example\" { type slave; masters { 192.0.2.1; }; file \"null.zone\"; };\n\
            zone \"cut.example\" {\n  type master;\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Resolver);
        assert_eq!(got.values(), ["a.example", "b.example", "c.example"]);
        let reported: Vec<_> = got.rejects.iter().map(|r| (&*r.value, r.reason)).collect();
        assert_eq!(
            reported,
            [
                ("corp.example", Reason::NotBlocked),
                ("f.example", Reason::NotBlocked),
                ("s.example", Reason::NotBlocked),
                ("cut.example", Reason::Malformed),
            ]
        );
    }
}
