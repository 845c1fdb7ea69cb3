//! Filter lists of ad blockers, as far as they block whole names.

use crate::feed::intake::Intake;
use crate::feed::lines::Lines;
use crate::indicator::{Context, Kind, Reason, Role, Scope};
use std::sync::Arc;

/// Reads `||name^` filters as names with everything below, `@@||name^` as known
/// good. Filters with a path, a wildcard, an option that narrows them, or an
/// element to hide say less than a name would, and are rejected.
pub(super) fn read(text: &str, intake: &mut Intake<'_>) {
    let scope = intake.domain_scope(Scope::Subtree);
    let base = intake.base();
    let allow = Arc::new(Context { role: Role::Allow, ..base.clone() });
    let block = Arc::new(base);
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
        match name_of(filter) {
            Some(name) => {
                intake.typed(Kind::Domain, name, scope, context);
            }
            None => intake.reject(line, Reason::Ignored, Some("no filter of a whole name".into())),
        }
    }
}

/// The name that a filter blocks as a whole.
pub(super) fn name_of(filter: &str) -> Option<&str> {
    let rest = filter.strip_prefix("||")?;
    let (name, options) = rest.split_once('^')?;
    let options = options.strip_prefix('|').unwrap_or(options);
    // These options widen or keep what the filter says; others narrow it.
    let whole = options.is_empty()
        || options.strip_prefix('$').is_some_and(|list| {
            list.split(',').all(|o| matches!(o, "all" | "doc" | "document" | "important"))
        });
    (whole && !name.is_empty() && !name.contains(['/', '*'])).then_some(name)
}

#[cfg(test)]
mod tests {
    use crate::feed::{Collected, Format, Options};
    use crate::indicator::Role;

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
}
