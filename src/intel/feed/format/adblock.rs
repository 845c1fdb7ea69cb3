//! Filter lists of ad blockers and DNS filters, as far as they block whole names.

use crate::engine::indicator::guess::{Guess, guess};
use crate::engine::indicator::{Context, Kind, Reason, Role, Scope, address};
use crate::intel::feed::format::hosts;
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::Lines;
use std::collections::HashSet;
use std::sync::Arc;

/// Reads `||name^` as a name with its subdomains, and `@@||name^` as known good.
/// Lists for DNS filters also contain plain names, which only mean themselves, and
/// lines of hosts files. Filters with a path, a wildcard, an option that restricts
/// them, or an element to hide say less than a name would, and are rejected.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) {
    let base = intake.base();
    let allow = Arc::new(Context { role: Role::Allow, ..base.clone() });
    let block = Arc::new(base);
    let taken_back: HashSet<String> =
        Lines::new(text).filter_map(|(_, line)| bad_filter(line.trim())).collect();
    for (number, line) in Lines::new(text) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['!', '#', '[']) && !line.starts_with("##") {
            continue;
        }
        intake.at_line(number);
        let (filter, context) = match line.strip_prefix("@@") {
            Some(rest) => (rest, &allow),
            None => (line, &block),
        };
        if taken_back.contains(line) {
            let detail = "a filter with $badfilter cancels it";
            intake.reject(line, Reason::Withdrawn, Some(detail.into()));
            continue;
        }
        match parse(filter) {
            Ok(Filter::Subtree(name)) => {
                let scope = intake.domain_scope(Scope::Subtree);
                intake.typed(Kind::Domain, name, scope, context);
            }
            // The plain text of an exception matches anywhere in a URL.
            Ok(Filter::Exact(name)) if filter.len() == line.len() => {
                let scope = intake.domain_scope(Scope::Exact);
                intake.typed(Kind::Domain, name, scope, context);
            }
            Ok(Filter::Hosts(entry)) if filter.len() == line.len() => {
                let scope = intake.domain_scope(Scope::Exact);
                hosts::entry(entry, false, scope, context, intake);
            }
            Ok(_) => intake.reject(line, Reason::NotBlocked, Some("an exception".into())),
            Err(detail) => intake.reject(line, Reason::NotBlocked, Some(detail.into())),
        }
    }
}

/// What a filter blocks entirely.
enum Filter<'f> {
    /// A name and its subdomains.
    Subtree(&'f str),
    /// A name only.
    Exact(&'f str),
    /// A line of a hosts file.
    Hosts(&'f str),
}

/// Returns what a filter blocks entirely, or why it does not.
fn parse(filter: &str) -> Result<Filter<'_>, &'static str> {
    if ["##", "#@#", "#?#", "#$#", "#%#", "$$"].iter().any(|mark| filter.contains(mark)) {
        return Err("it hides parts of pages");
    }
    if filter.len() > 1
        && filter.starts_with('/')
        && (filter.ends_with('/') || filter.contains("/$"))
    {
        return Err("a regular expression");
    }
    let plain = filter.split_once([' ', '\t']).map_or(filter, |(first, _)| first);
    if plain.len() < filter.len() && address::parse_ip(plain).is_ok() {
        return Ok(Filter::Hosts(filter));
    }
    // A comment needs a blank before it: `##` and `#@#` are cosmetic filters.
    let plain = filter.split_once(" #").map_or(filter, |(before, _)| before.trim_end());
    let (pattern, options) = plain.split_once('$').unwrap_or((plain, ""));
    if let Some(option) = options.split(',').find(|option| !is_whole(option)) {
        return Err(match option.trim().trim_start_matches('~').split('=').next() {
            Some("badfilter") => "it cancels another filter",
            Some("dnsrewrite") => "it redirects the name",
            _ => "its options restrict it",
        });
    }
    let (name, is_subtree) = match (pattern.strip_prefix("||"), pattern.strip_prefix('|')) {
        (Some(rest), _) => (rest, true),
        (None, Some(rest)) => (rest, false),
        // Lists for DNS filters contain plain names; for an ad blocker, the same text is a pattern.
        (None, None) if !pattern.ends_with('^') => {
            let is_plain =
                pattern.contains('.') && !pattern.contains(['/', '*', '^', '|', ':', '@', '=']);
            return if is_plain { Ok(Filter::Exact(pattern)) } else { Err("a pattern") };
        }
        _ => return Err("a pattern"),
    };
    let name = name.strip_suffix('|').unwrap_or(name).strip_suffix('^').ok_or("a pattern")?;
    // `||*.name^` is the same as `||name^` without the name itself.
    let stem = name.strip_prefix("*.").unwrap_or(name);
    if stem.is_empty() || stem.contains(['/', '*', '^', '|', '?']) {
        return Err("a pattern");
    }
    Ok(if is_subtree { Filter::Subtree(name) } else { Filter::Exact(name) })
}

/// Whether an option keeps or widens the meaning of a filter. All others restrict
/// it.
fn is_whole(option: &str) -> bool {
    match option.trim().split_once('=') {
        None => matches!(option.trim(), "" | "all" | "doc" | "document" | "important"),
        Some(("dnsrewrite", answer)) => {
            let answer = answer.split(';').next().unwrap_or(answer);
            matches!(answer, "NXDOMAIN" | "REFUSED" | "SERVFAIL")
                || address::parse_ip(answer).is_ok_and(hosts::is_nowhere)
        }
        Some(_) => false,
    }
}

/// The filter that one with `$badfilter` cancels.
fn bad_filter(line: &str) -> Option<String> {
    let (pattern, options) = line.split_once('$')?;
    let mut rest: Vec<&str> = options.split(',').map(str::trim).collect();
    let place = rest.iter().position(|option| *option == "badfilter")?;
    rest.remove(place);
    Some(if rest.is_empty() { pattern.into() } else { format!("{pattern}${}", rest.join(",")) })
}

/// Whether a line can only be a filter of this syntax; for detection.
pub(in crate::intel::feed) fn is_entry(line: &str) -> bool {
    line.starts_with("||")
        || line.starts_with("@@||")
        || line.starts_with('|') && line.ends_with('^')
}

/// Whether a line may occur between filters; for detection.
pub(in crate::intel::feed) fn may_be_between_entries(line: &str) -> bool {
    is_entry(line)
        || line.starts_with("@@")
        || line.starts_with('/') && line.ends_with('/')
        || hosts::is_entry(line)
        || matches!(guess(line, Scope::Exact), Ok(Guess::One(Kind::Domain | Kind::Ip, ..)))
}

#[cfg(test)]
mod tests {
    use crate::engine::indicator::{Reason, Role, Scope};
    use crate::intel::feed::{Collected, Format, Options};

    #[test]
    fn whole_names_only() {
        let text = b"[Adblock Plus 2.0]\n! Title: x\n||evil.example^\n||bad.example^$all\n\
                     ||ads.example^$third-party\n||x.example/path\n@@||good.example^\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Adblock);
        assert_eq!(got.values(), ["evil.example", "bad.example", "good.example"]);
        assert_eq!(got.indicators[2].context.role, Role::Allow);
        assert_eq!(got.rejects.len(), 2);
    }

    #[test]
    fn lists_for_dns() {
        let text = b"! Title: x\n||a.example^\nb.example\n||*.c.example^\n0.0.0.0 d.example # why\n\
            |e.example^\n||f.example^$important\n||g.example^$dnsrewrite=NXDOMAIN\nh.example # why\n\
            ||t1.example^$dnstype=AAAA\n||t2.example^$badfilter\n||t2.example^\n\
            ||t3.*^\n/^ads[0-9]+\\./\nt4.example##.ad\n@@t5.example\n\
            ||t6.example^$dnsrewrite=192.0.2.1\n192.0.2.10 t7.example\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Adblock);
        let found: Vec<_> = got.indicators.iter().map(|i| (i.value.to_string(), i.scope)).collect();
        let want = [
            ("a.example", Scope::Subtree),
            ("b.example", Scope::Exact),
            ("c.example", Scope::SubtreeNoApex),
            ("d.example", Scope::Exact),
            ("e.example", Scope::Exact),
            ("f.example", Scope::Subtree),
            ("g.example", Scope::Subtree),
            ("h.example", Scope::Exact),
        ];
        assert_eq!(found, want.map(|(name, scope)| (name.to_string(), scope)));
        let reported: Vec<_> = got.rejects.iter().map(|r| (r.line.unwrap(), r.reason)).collect();
        let mut want: Vec<_> = (10..=18).map(|line| (line, Reason::NotBlocked)).collect();
        want[2].1 = Reason::Withdrawn;
        assert_eq!(reported, want);
    }
}
