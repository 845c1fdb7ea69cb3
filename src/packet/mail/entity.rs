//! What the headers of a mail, or of a part of one, say about its body
//! (RFC 2045, RFC 2183).

use super::charset::Charset;
use super::params::Params;
use super::transfer::Transfer;
use crate::progress::bound;

/// The longest boundary: RFC 2046 (5.1.1) allows 70 characters.
const MOST_BOUNDARY: usize = bound(256, 16);

/// Names of one file that are told: each header may give it in two forms.
const MOST_NAMES: usize = bound(8, 3);

/// How names of pages end.
const PAGES: [&[u8]; 5] = [b".htm", b".html", b".xhtml", b".shtml", b".svg"];

/// What a body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Text,
    Html,
    Multipart,
    Mail,
    Other,
}

/// What is known of a body.
#[derive(Debug, Default)]
pub(super) struct Entity {
    pub(super) kind: Kind,
    pub(super) boundary: Option<Box<[u8]>>,
    /// Parts are mails unless they say otherwise.
    pub(super) is_digest: bool,
    pub(super) transfer: Transfer,
    pub(super) charset: Charset,
    /// Lines that end with a blank go on in the next one, without the blank (RFC 3676).
    pub(super) is_joined: bool,
    pub(super) is_attachment: bool,
    /// What it is called as a file, the best name first. Mail programs differ in which they
    /// show.
    pub(super) names: Vec<Vec<u8>>,
}

impl Entity {
    /// That of a part of a multipart.
    pub(super) fn of_part(is_digest: bool) -> Entity {
        Entity { kind: if is_digest { Kind::Mail } else { Kind::Text }, ..Entity::default() }
    }

    /// Takes a header into account.
    pub(super) fn header(&mut self, name: &[u8], value: &[u8]) {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        if is("Content-Type") {
            self.content_type(&Params::of(value));
        } else if is("Content-Transfer-Encoding") {
            let word = value.split(|&b| b == b';' || b <= b' ' || b == b'(').next();
            self.transfer = Transfer::named(word.unwrap_or_default());
        } else if is("Content-Disposition") {
            let params = Params::of(value);
            self.is_attachment = params.first.eq_ignore_ascii_case(b"attachment");
            let names = std::mem::take(&mut self.names);
            self.add_names(params.all("filename"));
            self.add_names(names);
        }
    }

    fn content_type(&mut self, params: &Params<'_>) {
        let first = params.first;
        let is = |names: &[&str]| names.iter().any(|n| first.eq_ignore_ascii_case(n.as_bytes()));
        let starts = |name: &str| {
            first.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        };
        self.kind = match () {
            () if starts("text/") && !is(&["text/html", "text/xml"]) => Kind::Text,
            () if starts("multipart/") => Kind::Multipart,
            () if starts("text/") => Kind::Html,
            () if is(&["application/xhtml+xml", "image/svg+xml"]) => Kind::Html,
            () if is(&["message/rfc822", "message/global", "message/news"]) => Kind::Mail,
            () if starts("message/") => Kind::Text,
            // What has no type that makes sense is text (RFC 2045, 5.2).
            () if !first.contains(&b'/') => Kind::Text,
            () => Kind::Other,
        };
        self.is_digest = is(&["multipart/digest"]);
        let boundary = params.get("boundary").unwrap_or_default();
        let boundary = boundary.trim_ascii_end();
        self.boundary = (1..=MOST_BOUNDARY).contains(&boundary.len()).then(|| Box::from(boundary));
        self.charset = Charset::named(&params.get("charset").unwrap_or_default());
        let has = |name: &str, value: &[u8]| {
            params.get(name).is_some_and(|given| given.trim_ascii().eq_ignore_ascii_case(value))
        };
        self.is_joined = self.kind == Kind::Text && has("delsp", b"yes") && has("format", b"flowed");
        self.add_names(params.all("name"));
    }

    fn add_names(&mut self, names: Vec<Vec<u8>>) {
        for name in names {
            if !name.is_empty() && self.names.len() < MOST_NAMES && !self.names.contains(&name) {
                self.names.push(name);
            }
        }
    }

    /// Whether the body is a file by itself.
    pub(super) fn is_file(&self) -> bool {
        self.kind == Kind::Other || self.is_attachment || !self.names.is_empty()
    }

    /// Whether it can be read as HTML, as a page that is attached.
    pub(super) fn is_html(&self) -> bool {
        let is_page = |name: &Vec<u8>| {
            let name = name.to_ascii_lowercase();
            PAGES.iter().any(|end| name.ends_with(end))
        };
        self.kind == Kind::Html || (self.kind == Kind::Other && self.names.iter().any(is_page))
    }

    pub(super) fn weight(&self) -> usize {
        self.names.iter().map(|name| name.capacity() + size_of::<Vec<u8>>()).sum::<usize>()
            + self.boundary.as_ref().map_or(0, |b| b.len())
    }
}
