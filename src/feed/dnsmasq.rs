//! Configuration of dnsmasq that sends names nowhere.

use crate::feed::intake::Intake;
use crate::feed::lines::{self, Line, Lines};
use crate::indicator::{Kind, Reason, Scope};
use std::sync::Arc;

/// The directives that take names between slashes.
const DIRECTIVES: &[&str] = &["address=", "server=", "local="];

/// Reads `address=/name/…`, `server=/name/` and `local=/name/`; several names may
/// stand between the slashes. dnsmasq answers for everything below, too.
pub(super) fn read(text: &str, intake: &mut Intake<'_>) {
    let scope = intake.domain_scope(Scope::Subtree);
    let context = Arc::new(intake.base());
    for (number, line) in Lines::new(text) {
        let Line::Value(value, _) = lines::parse(line) else { continue };
        intake.at_line(number);
        let Some(names) = names_of(value) else {
            intake.reject(value, Reason::Ignored, Some("no directive about names".into()));
            continue;
        };
        for name in names.split('/').filter(|name| !name.is_empty()) {
            intake.typed(Kind::Domain, name, scope, &context);
        }
    }
}

/// What stands between the first and the last slash of a directive.
pub(super) fn names_of(line: &str) -> Option<&str> {
    let rest = DIRECTIVES.iter().find_map(|directive| line.strip_prefix(directive))?;
    let (names, _) = rest.strip_prefix('/')?.rsplit_once('/')?;
    Some(names)
}

#[cfg(test)]
mod tests {
    use crate::feed::{Collected, Format, Options};

    #[test]
    fn directives() {
        let text = b"# x\naddress=/evil.example/0.0.0.0\nserver=/a.example/b.example/\n\
                     local=/c.example/\ncache-size=1\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Dnsmasq);
        assert_eq!(got.values(), ["evil.example", "a.example", "b.example", "c.example"]);
        assert_eq!(got.rejects.len(), 1);
    }
}
