//! What people write: a subset of Markdown, without HTML and without pictures.
//!
//! Two walls: the events of the parser are filtered, and what they become is sanitised. Links of
//! those who are new are shown as text.

use maud::{Markup, PreEscaped};
use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};
use std::sync::LazyLock;

/// How deep quotes and lists may be within each other.
const MAX_DEPTH: usize = 8;

/// What may be in the result.
static WALL: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut wall = ammonia::Builder::empty();
    wall.add_tags([
        "p",
        "em",
        "strong",
        "code",
        "pre",
        "ul",
        "ol",
        "li",
        "blockquote",
        "a",
        "br",
        "hr",
    ])
    .add_tag_attributes("a", ["href"])
    .add_tag_attributes("ol", ["start"])
    .add_url_schemes(["http", "https"])
    .url_relative(ammonia::UrlRelative::Deny)
    .link_rel(Some("nofollow noopener noreferrer"));
    wall
});

/// A text as HTML. Without `has_links`, links are text.
pub(super) fn prose(text: &str, has_links: bool) -> Markup {
    let mut filter = Filter { has_links, depth: 0, link: None };
    let events = Parser::new_ext(text, Options::empty()).flat_map(|event| filter.pass(event));
    let mut html = String::with_capacity(text.len() * 5 / 4);
    pulldown_cmark::html::push_html(&mut html, events);
    PreEscaped(WALL.clean(&html).to_string())
}

/// A text without its markup, for where there is little room.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for event in Parser::new_ext(text, Options::empty()) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                plain.push_str(&text);
            }
            // The end of what is emphasised, or links, is no end of a word.
            Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Link) => {}
            Event::SoftBreak | Event::HardBreak | Event::End(_) => plain.push(' '),
            _ => {}
        }
    }
    plain
}

/// The filter of events.
struct Filter {
    has_links: bool,
    /// Quotes and lists that are open.
    depth: usize,
    /// Where the link leads that is open.
    link: Option<String>,
}

impl Filter {
    fn pass<'t>(&mut self, event: Event<'t>) -> Vec<Event<'t>> {
        match event {
            Event::Html(text) | Event::InlineHtml(text) => vec![Event::Text(text)],
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::SoftBreak => vec![Event::HardBreak],
            other => vec![other],
        }
    }

    fn start<'t>(&mut self, tag: Tag<'t>) -> Vec<Event<'t>> {
        match tag {
            Tag::Heading { .. } => {
                vec![Event::Start(Tag::Paragraph), Event::Start(Tag::Strong)]
            }
            Tag::Link { dest_url, .. } => {
                self.link = Some(dest_url.to_string());
                if self.has_links && is_web(&dest_url) {
                    vec![Event::Start(link(dest_url))]
                } else {
                    vec![]
                }
            }
            Tag::Image { .. } | Tag::HtmlBlock => vec![],
            Tag::BlockQuote(_) | Tag::List(_) | Tag::Item => {
                self.depth += 1;
                if self.depth <= MAX_DEPTH { vec![Event::Start(tag)] } else { vec![] }
            }
            other => vec![Event::Start(other)],
        }
    }

    fn end<'t>(&mut self, tag: TagEnd) -> Vec<Event<'t>> {
        match tag {
            TagEnd::Heading(_) => vec![Event::End(TagEnd::Strong), Event::End(TagEnd::Paragraph)],
            TagEnd::Link => {
                let Some(url) = self.link.take() else { return vec![] };
                // Where a link leads is said beside it, whatever its text claims.
                let target = CowStr::from(format!(" ({})", beginning(&url)));
                match self.has_links && is_web(&url) {
                    true => vec![Event::End(TagEnd::Link), Event::Text(target)],
                    false => vec![Event::Text(target)],
                }
            }
            TagEnd::Image | TagEnd::HtmlBlock => vec![],
            TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item => {
                let is_shown = self.depth <= MAX_DEPTH;
                self.depth = self.depth.saturating_sub(1);
                if is_shown { vec![Event::End(tag)] } else { vec![] }
            }
            other => vec![Event::End(other)],
        }
    }
}

fn link(to: CowStr<'_>) -> Tag<'_> {
    Tag::Link { link_type: LinkType::Inline, dest_url: to, title: "".into(), id: "".into() }
}

fn is_web(url: &str) -> bool {
    let url = url.to_ascii_lowercase();
    url.starts_with("https://") || url.starts_with("http://")
}

/// The host of a URL, or the beginning of whatever it is.
fn beginning(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    host.chars().take(64).collect()
}

/// A link to a page of somebody else, if it is one; otherwise the text.
pub(super) fn reference(text: &str) -> Markup {
    match is_web(text) {
        true => maud::html! { a href=(text) rel="nofollow noopener noreferrer" { bdi { (text) } } },
        false => maud::html! { bdi { (text) } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_little_markup_is_left() {
        for (text, want) in [
            ("*a* **b** `c`", "<p><em>a</em> <strong>b</strong> <code>c</code></p>\n"),
            ("# big", "<p><strong>big</strong></p>\n"),
            (
                "[x](https://a.example/y)",
                "<p><a href=\"https://a.example/y\" rel=\"nofollow noopener noreferrer\">x</a> (a.example)</p>\n",
            ),
            ("[x](javascript:alert(1))", "<p>x (javascript:alert(1))</p>\n"),
            ("![alt](https://a.example/x.png)", "<p>alt</p>\n"),
            ("a <b onclick=x>c</b>", "<p>a &lt;b onclick=x&gt;c&lt;/b&gt;</p>\n"),
        ] {
            assert_eq!(prose(text, true).0, want, "{text}");
        }
        assert!(prose("<script>alert(1)</script>", true).0.contains("&lt;script"));
        assert_eq!(prose("[x](https://a.example/y)", false).0, "<p>x (a.example)</p>\n");
    }

    #[test]
    fn little_room_takes_no_markup() {
        assert_eq!(plain("# A\n*b*, [c](https://x.example).\n\n`d` <i>").trim(), "A b, c. d <i>");
    }

    #[test]
    fn bombs_are_small() {
        for text in [">".repeat(64 << 10), "* ".repeat(32 << 10), "[".repeat(64 << 10)] {
            let watch = crate::clock::Stopwatch::start();
            let html = prose(&text, true).0;
            assert!(html.len() < 1 << 20, "{}", html.len());
            assert!(watch.elapsed().as_secs() < 5, "{:?}", watch.elapsed());
        }
    }
}
