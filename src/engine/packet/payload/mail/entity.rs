//! What the headers of a mail, or of a part of one, say about its body
//! (RFC 2045, RFC 2183).

use super::charset::Charset;
use super::flowed::Lines;
use super::params::Params;
use super::transfer::Transfer;
use crate::engine::progress::bound;

/// The longest boundary: RFC 2046 (5.1.1) allows 70 characters.
const MAX_BOUNDARY: usize = bound(256, 16);

/// Names of one file that are reported: each header may give it in two forms.
const MAX_NAMES: usize = bound(8, 3);

/// Suffixes of names of web pages.
const PAGES: [&[u8]; 6] = [b".htm", b".html", b".xhtml", b".shtml", b".svg", b".hta"];

/// Suffixes of names of mails, and of pages that are saved as mails.
const MAILS: [&[u8]; 3] = [b".eml", b".mht", b".mhtml"];

/// Suffixes of names of text and of scripts.
const TEXTS: [&[u8]; 21] = [
    b".txt",
    b".csv",
    b".tsv",
    b".log",
    b".json",
    b".xml",
    b".md",
    b".ics",
    b".vcf",
    b".url",
    b".website",
    b".js",
    b".jse",
    b".vbs",
    b".wsf",
    b".ps1",
    b".bat",
    b".cmd",
    b".sh",
    b".iqy",
    b".rtf",
];

/// Types under `application` that are text.
const TEXT_TYPES: [&str; 9] = [
    "application/json",
    "application/ld+json",
    "application/xml",
    "application/javascript",
    "application/x-javascript",
    "application/ecmascript",
    "application/x-sh",
    "application/x-ndjson",
    "application/rtf",
];

/// The type of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Text,
    Html,
    Multipart,
    Mail,
    Other,
}

/// What is known about a body.
#[derive(Debug, Default)]
pub(super) struct Entity {
    pub(super) kind: Kind,
    pub(super) boundary: Option<Box<[u8]>>,
    /// Parts are mails by default.
    pub(super) is_digest: bool,
    pub(super) transfer: Transfer,
    pub(super) charset: Charset,
    /// How lines continue.
    pub(super) lines: Lines,
    pub(super) is_attachment: bool,
    /// It is a file, and text.
    is_of_text: bool,
    /// Its names as a file, the best first. Mail programs differ in which one they show.
    pub(super) names: Vec<Vec<u8>>,
}

impl Entity {
    /// The entity of a part of a multipart.
    pub(super) fn of_part(is_digest: bool) -> Entity {
        Entity { kind: if is_digest { Kind::Mail } else { Kind::Text }, ..Entity::default() }
    }

    /// Processes a header.
    pub(super) fn header(&mut self, name: &[u8], value: &[u8]) {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        if is("Content-Type") {
            self.content_type(&Params::of(value));
        } else if is("Content-Transfer-Encoding") {
            let named = Transfer::named(Params::of(value).word());
            // Of two, the one that changes anything counts: some programs use the first, some the
            // last.
            if !named.is_plain() || self.transfer.is_plain() {
                self.transfer = named;
            }
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
            // Without a valid type it is text (RFC 2045, 5.2).
            () if !first.contains(&b'/') => Kind::Text,
            () => Kind::Other,
        };
        self.is_digest = is(&["multipart/digest"]);
        self.is_of_text = is(&TEXT_TYPES);
        let boundary = params.get("boundary").unwrap_or_default();
        let boundary = boundary.trim_ascii_end();
        self.boundary = (1..=MAX_BOUNDARY).contains(&boundary.len()).then(|| Box::from(boundary));
        self.charset = Charset::named(&params.get("charset").unwrap_or_default());
        let has = |name: &str, value: &[u8]| {
            params.get(name).is_some_and(|given| given.trim_ascii().eq_ignore_ascii_case(value))
        };
        self.lines = match () {
            () if self.kind != Kind::Text => Lines::Whole,
            () if has("delsp", b"yes") && has("format", b"flowed") => Lines::Flowed,
            () if is(&["text/calendar", "text/vcard", "text/x-vcard", "text/directory"]) => {
                Lines::Folded
            }
            () => Lines::Whole,
        };
        self.add_names(params.all("name"));
    }

    fn add_names(&mut self, names: Vec<Vec<u8>>) {
        for name in names {
            if !name.is_empty() && self.names.len() < MAX_NAMES && !self.names.contains(&name) {
                self.names.push(name);
            }
        }
    }

    /// Whether the body is a separate file.
    pub(super) fn is_file(&self) -> bool {
        self.kind == Kind::Other || self.is_attachment || !self.names.is_empty()
    }

    /// Whether it can be read as HTML, like an attached page.
    pub(super) fn is_html(&self) -> bool {
        self.kind == Kind::Html || (self.kind == Kind::Other && self.is_called(&PAGES))
    }

    /// Whether it is a mail, by its type or its name.
    pub(super) fn is_mail(&self) -> bool {
        self.kind == Kind::Mail || (self.kind == Kind::Other && self.is_called(&MAILS))
    }

    /// Whether it can be read as text, by its type or its name.
    pub(super) fn is_text(&self) -> bool {
        match self.kind {
            Kind::Text | Kind::Multipart => true,
            Kind::Mail => false,
            Kind::Html | Kind::Other => self.is_html() || self.is_of_text || self.is_called(&TEXTS),
        }
    }

    fn is_called(&self, ends: &[&[u8]]) -> bool {
        let mut names = self.names.iter().map(|name| name.to_ascii_lowercase());
        names.any(|name| ends.iter().any(|end| name.ends_with(end)))
    }

    pub(super) fn weight(&self) -> usize {
        self.names.iter().map(|name| name.capacity() + size_of::<Vec<u8>>()).sum::<usize>()
            + self.boundary.as_ref().map_or(0, |b| b.len())
    }
}
