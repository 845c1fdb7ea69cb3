//! Elements, attributes and text: HTML that is well-formed and escaped by construction.

use crate::engine::error::escape_text;
use std::fmt::Write as _;

/// An attribute: its name is part of the program, its value may come from anywhere.
pub(super) type Attribute<'a> = (&'static str, &'a str);

/// A document that is being written.
#[derive(Debug, Default)]
pub(super) struct Markup {
    out: String,
}

impl Markup {
    /// A document of which nothing is written yet, except that it is HTML.
    pub(super) fn document() -> Markup {
        Markup { out: "<!DOCTYPE html>\n".to_string() }
    }

    /// An element with whatever `inside` writes.
    pub(super) fn element(
        &mut self,
        tag: &'static str,
        attributes: &[Attribute<'_>],
        inside: impl FnOnce(&mut Markup),
    ) {
        self.open(tag, attributes);
        self.out.push('>');
        inside(self);
        let _ = write!(self.out, "</{tag}>");
        if is_block(tag) {
            self.out.push('\n');
        }
    }

    /// An element with a text.
    pub(super) fn text_in(&mut self, tag: &'static str, attributes: &[Attribute<'_>], text: &str) {
        self.element(tag, attributes, |inside| inside.text(text));
    }

    /// An element without anything inside: a shape, or an element that HTML never closes.
    pub(super) fn empty(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) {
        self.open(tag, attributes);
        self.out.push_str(if is_void(tag) { ">\n" } else { "/>" });
    }

    /// A text. Characters that control a terminal or turn text around are escaped.
    pub(super) fn text(&mut self, text: &str) {
        escape(&escape_text(text), &mut self.out);
    }

    /// A style sheet that is part of the program: browsers take it literally, so it must not be
    /// escaped.
    pub(super) fn style(&mut self, sheet: &'static str) {
        let _ = writeln!(self.out, "<style>{sheet}</style>");
    }

    /// What was written.
    pub(super) fn into_string(self) -> String {
        self.out
    }

    fn open(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) {
        let _ = write!(self.out, "<{tag}");
        for (name, value) in attributes {
            let _ = write!(self.out, " {name}=\"");
            escape(&escape_text(value), &mut self.out);
            self.out.push('"');
        }
    }
}

/// Elements after which a line ends, so that the file can be read.
fn is_block(tag: &str) -> bool {
    !matches!(
        tag,
        "a" | "b" | "code" | "em" | "span" | "strong" | "td" | "text" | "th" | "title" | "tspan"
    )
}

/// Elements that HTML never closes.
fn is_void(tag: &str) -> bool {
    matches!(tag, "meta" | "br" | "hr" | "col")
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_written_becomes_markup() {
        let mut page = Markup::default();
        let hostile = "\"'><script>alert(1)</script>\u{202e}&amp;\u{1b}[2J";
        page.text_in("p", &[("class", hostile)], hostile);
        page.empty("circle", &[("r", hostile)]);
        let page = page.into_string();
        assert!(
            !page.contains("<script") && !page.contains('\u{1b}') && !page.contains('\u{202e}')
        );
        assert!(page.contains("&quot;&#39;&gt;&lt;script&gt;") && page.contains("&amp;amp;"));
        assert_eq!(page.matches('<').count(), 3, "{page}");
    }
}
