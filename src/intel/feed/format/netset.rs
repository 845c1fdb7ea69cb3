//! FireHOL's netsets and ipsets: addresses and networks below a block of comments
//! that describes the list.

use crate::engine::indicator::{Context, Kind, Scope};
use crate::intel::feed::contexts::{owned, push_once};
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::{self, Line, Lines};
use crate::intel::feed::table::columns;
use std::sync::Arc;

/// Reads a netset. Its name becomes the collection, its category a label.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) {
    let context = Arc::new(header(text, intake.base()));
    for (number, line) in Lines::new(text) {
        if let Line::Value(value, _) = lines::parse(line) {
            intake.at_line(number);
            if value.contains('-') {
                intake.guessed(value, Scope::Exact, &context);
            } else {
                intake.typed(Kind::Net, value, Scope::Exact, &context);
            }
        }
    }
}

/// Reads the header of FireHOL's lists: a line with the list's name, then `Name :
/// value` pairs.
fn header(text: &str, mut context: Context<'static>) -> Context<'static> {
    for (_, line) in Lines::new(text).take(60) {
        let Line::Comment(comment) = lines::parse(line) else { continue };
        match comment.split_once(':').map(|(name, value)| (name.trim(), value.trim())) {
            Some(("Category", category)) => columns::add_tag(&mut context, category),
            Some(("Maintainer URL" | "List source URL", url)) => {
                push_once(&mut context.references, url);
            }
            _ if context.collection.is_none()
                && !comment.is_empty()
                && !comment.contains(char::is_whitespace) =>
            {
                context.collection = owned(comment);
            }
            _ => {}
        }
    }
    context
}

/// Whether the comments at the top are those of a netset; for detection.
pub(in crate::intel::feed) fn is_netset(text: &str) -> bool {
    Lines::new(text).take(60).any(|(_, line)| {
        matches!(lines::parse(line), Line::Comment(comment)
            if comment.contains("hash:net") || comment.contains("hash:ip")
                || comment.starts_with("This File Date"))
    })
}

#[cfg(test)]
mod tests {
    use crate::intel::feed::{Collected, Format, Options};

    #[test]
    fn header_and_networks() {
        let text = b"#\n# firehol_level1\n#\n# ipv4 hash:net ipset\n#\n# Category        : attacks\n\
                     # This File Date  : now\n#\n0.0.0.0/8\n203.0.113.5\n203.0.113.0/24\nx.example\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Netset);
        assert_eq!(got.values()[..3], ["0.0.0.0/8", "203.0.113.5", "203.0.113.0/24"]);
        assert_eq!(got.indicators[0].context.collection.as_deref(), Some("firehol_level1"));
        assert_eq!(got.indicators[0].context.tags, ["attacks"]);
    }
}
