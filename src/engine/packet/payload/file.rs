//! Transferred files: named, counted and hashed as they stream.
//!
//! Nothing of a file is kept but the state of its digests, and only of those that the visitor
//! wants. A digest is only reported if every byte of the file was seen: that of a part matches no
//! file. If text is sent with other line ends than it has on disk, the digests of both forms are
//! reported ([`lines`]).

mod digests;
mod lines;

pub use digests::{Digested, Digests};
pub(in crate::engine::packet) use lines::Returns;

use crate::engine::indicator::{Kind, Observable, Where};
use crate::engine::packet::view::{
    Attachment, AttachmentSink, FileFacts, Packet, ProtocolFacts, Visitor,
};
use crate::engine::progress::bound;
use lines::Lines;

/// The longest name that is kept for alerts about the digests.
const MAX_NAME: usize = bound(1 << 10, 24);

/// A file in transfer.
#[derive(Debug)]
pub(in crate::engine::packet) struct File {
    protocol: &'static str,
    name: Option<Box<[u8]>>,
    url: Option<Box<[u8]>>,
    size: u64,
    has_gap: bool,
    digests: Option<Box<Digests>>,
    /// Its other form, if it may have one.
    lines: Option<Box<Lines>>,
    /// The visitor's receiver, if it opens the file.
    attachment_sink: Option<Box<dyn AttachmentSink>>,
}

impl File {
    /// A file begins. Its name, if it has one, is reported at once.
    pub(in crate::engine::packet) fn begin<V: Visitor>(
        protocol: &'static str,
        name: Option<&[u8]>,
        packet: &Packet<'_>,
        visitor: &mut V,
    ) -> File {
        File::begin_at(protocol, name.unwrap_or_default(), &[], packet, visitor)
    }

    /// The same with the URL of the file; an empty one is unknown.
    pub(in crate::engine::packet) fn begin_at<V: Visitor>(
        protocol: &'static str,
        name: &[u8],
        url: &[u8],
        packet: &Packet<'_>,
        visitor: &mut V,
    ) -> File {
        let name = Some(name).filter(|name| !name.is_empty());
        let url = Some(url).filter(|url| !url.is_empty());
        if let Some(name) = name {
            let facts = FileFacts { protocol, name: Some(name), url, size: None, is_whole: None };
            let protocol_facts = ProtocolFacts::File(facts);
            visitor.seen(
                Observable::Text(Kind::Filename, name),
                Where::FileName,
                packet,
                protocol_facts,
            );
        }
        let digests = Digests::wanted(visitor);
        // The name is kept for the digests: without them it is not needed again.
        let kept = name.filter(|_| digests.is_some());
        let name = kept.map(|name| name.get(..MAX_NAME).unwrap_or(name).into());
        let url = url.filter(|_| digests.is_some()).map(Into::into);
        let lines = None;
        File { protocol, name, url, size: 0, has_gap: false, digests, lines, attachment_sink: None }
    }

    /// Sets the name, which was reported elsewhere.
    pub(in crate::engine::packet) fn known_as(mut self, name: Option<&[u8]>) -> File {
        if self.digests.is_some() {
            self.name = name.map(|name| name.get(..MAX_NAME).unwrap_or(name).into());
        }
        self
    }

    /// Another form of a file: with its name and URL.
    pub(in crate::engine::packet) fn known_like(mut self, other: &File) -> File {
        (self.name, self.url) = (other.name.clone(), other.url.clone());
        self
    }

    /// The file is text whose lines may end differently on disk. Digests of both forms are
    /// reported, each with the size of its form.
    pub(in crate::engine::packet) fn with_lines(
        mut self,
        returns: Returns,
        visitor: &impl Visitor,
    ) -> File {
        if self.digests.is_some() {
            let digests = Digests::wanted(visitor);
            self.lines = digests.map(|digests| Box::new(Lines::new(returns, digests)));
        }
        self
    }

    /// Offers the file to the visitor.
    pub(in crate::engine::packet) fn shown(
        mut self,
        attachment: &Attachment<'_>,
        visitor: &mut impl Visitor,
    ) -> File {
        self.attachment_sink = visitor.attached(attachment);
        self
    }

    /// Whether any digest is wanted. Otherwise the bytes are not needed.
    pub(in crate::engine::packet) fn is_hashed(&self) -> bool {
        self.digests.is_some()
    }

    /// Whether the visitor opens it.
    pub(in crate::engine::packet) fn is_shown(&self) -> bool {
        self.attachment_sink.is_some()
    }

    /// Whether its bytes are needed.
    pub(in crate::engine::packet) fn is_read(&self) -> bool {
        self.is_hashed() || self.attachment_sink.is_some()
    }

    /// The next bytes.
    pub(in crate::engine::packet) fn update(&mut self, data: &[u8]) {
        self.size += data.len() as u64;
        if let Some(digests) = &mut self.digests {
            digests.update(data);
        }
        if let Some(lines) = &mut self.lines {
            lines.update(data);
        }
        if let Some(attachment_sink) = &mut self.attachment_sink {
            attachment_sink.take(data);
        }
    }

    /// Bytes are missing.
    pub(in crate::engine::packet) fn gap(&mut self, length: u64) {
        if length > 0 {
            (self.has_gap, self.digests, self.lines) = (true, None, None);
        }
    }

    /// The file has ended; `is_whole` unless it was cut off.
    pub(in crate::engine::packet) fn finish<V: Visitor>(
        self,
        is_whole: bool,
        packet: &Packet<'_>,
        visitor: &mut V,
    ) {
        if let Some(attachment_sink) = self.attachment_sink {
            attachment_sink.end(is_whole && !self.has_gap);
        }
        let Some(digests) = self.digests.filter(|_| is_whole && !self.has_gap) else { return };
        let other = self.lines.and_then(|lines| lines.finish());
        for (digests, size) in [Some((digests, self.size)), other].into_iter().flatten() {
            let protocol_facts = ProtocolFacts::File(FileFacts {
                protocol: self.protocol,
                name: self.name.as_deref(),
                url: self.url.as_deref(),
                size: Some(size),
                is_whole: Some(true),
            });
            let mut seen = |kind, digest: &[u8]| {
                visitor.seen(
                    Observable::Digest(kind, digest),
                    Where::FileHash,
                    packet,
                    protocol_facts,
                );
            };
            let Digested { md5, sha1, sha256 } = digests.finish();
            md5.iter().for_each(|digest| seen(Kind::Md5, digest));
            sha1.iter().for_each(|digest| seen(Kind::Sha1, digest));
            sha256.iter().for_each(|digest| seen(Kind::Sha256, digest));
        }
    }

    /// Bytes that are held for it.
    pub(in crate::engine::packet) fn weight(&self) -> usize {
        let digests = if self.digests.is_some() { size_of::<Digests>() } else { 0 };
        let texts = [&self.name, &self.url].into_iter().flatten().map(|text| text.len());
        let lines = if self.lines.is_some() { size_of::<(Lines, Digests)>() } else { 0 };
        let attachment_sink =
            self.attachment_sink.as_ref().map_or(0, |attachment_sink| attachment_sink.weight());
        digests + lines + attachment_sink + texts.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::packet::tests::some_packet;
    use md5::{Digest as _, Md5};

    /// Records what is reported.
    #[derive(Default)]
    struct Recorder {
        lines: Vec<String>,
    }

    impl Visitor for Recorder {
        fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
            false
        }

        fn seen(
            &mut self,
            what: Observable<'_>,
            at: Where,
            _: &Packet<'_>,
            protocol_facts: ProtocolFacts<'_>,
        ) {
            let ProtocolFacts::File(file) = protocol_facts else { panic!("{protocol_facts:?}") };
            assert_eq!(file.name, Some(&b"a.exe"[..]));
            self.lines.push(match what {
                Observable::Digest(kind, digest) => {
                    assert_eq!((file.size, file.is_whole), (Some(3), Some(true)));
                    let digest = crate::engine::indicator::digest::encode(digest);
                    format!("{} {digest} {}", kind.name(), at.name())
                }
                Observable::Text(kind, text) => {
                    format!("{} {} {}", kind.name(), String::from_utf8_lossy(text), at.name())
                }
                other => panic!("{other:?}"),
            });
        }
    }

    fn carry(pieces: &[&[u8]], gap: u64, is_whole: bool) -> Vec<String> {
        let mut recorder = Recorder::default();
        let packet = some_packet();
        let mut file = File::begin("http", Some(b"a.exe"), &packet, &mut recorder);
        for piece in pieces {
            file.update(piece);
        }
        file.gap(gap);
        file.finish(is_whole, &packet, &mut recorder);
        recorder.lines
    }

    /// RFC 1321, appendix A.5, and the examples of FIPS 180.
    #[test]
    fn published_digests_in_any_pieces() {
        let want = [
            "filename a.exe file.name",
            "md5 900150983cd24fb0d6963f7d28e17f72 file.hash",
            "sha1 a9993e364706816aba3e25717850c26c9cd0d89d file.hash",
            "sha256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad file.hash",
        ];
        assert_eq!(carry(&[b"abc"], 0, true), want);
        assert_eq!(carry(&[b"a", b"", b"bc"], 0, true), want);
    }

    /// Sizes and MD5 of both forms of a text.
    fn forms(pieces: &[&[u8]], returns: Returns) -> Vec<(u64, String)> {
        #[derive(Default)]
        struct Sizes(Vec<(u64, String)>);
        impl Visitor for Sizes {
            fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
                false
            }
            fn wants(&self, kind: Kind) -> bool {
                kind == Kind::Md5
            }
            fn seen(
                &mut self,
                what: Observable<'_>,
                _: Where,
                _: &Packet<'_>,
                protocol_facts: ProtocolFacts<'_>,
            ) {
                let (ProtocolFacts::File(file), Observable::Digest(_, digest)) =
                    (protocol_facts, what)
                else {
                    panic!("{protocol_facts:?}")
                };
                let digest = crate::engine::indicator::digest::encode(digest).to_string();
                self.0.push((file.size.unwrap(), digest));
            }
        }
        let (mut recorder, packet) = (Sizes::default(), some_packet());
        let file = File::begin("ftp", None, &packet, &mut recorder).with_lines(returns, &recorder);
        let mut file = file;
        for piece in pieces {
            file.update(piece);
        }
        file.finish(true, &packet, &mut recorder);
        recorder.0
    }

    fn md5(text: &[u8]) -> (u64, String) {
        let digest = crate::engine::indicator::digest::encode(&Md5::digest(text)).to_string();
        (text.len() as u64, digest)
    }

    #[test]
    fn text_has_two_forms() {
        for (sent, returns, kept) in [
            (&b"a\r\nb\r\n"[..], Returns::Bare, &b"a\nb\n"[..]),
            (b"\r\r\n\r", Returns::Bare, b"\r\n\r"),
            (b"a\r\0b\r\n", Returns::Bare, b"a\r\0b\n"),
            (b"a\r\0b\r\n", Returns::Padded, b"a\rb\n"),
            (b"\r\0\n\r\rx\r\0", Returns::Padded, b"\r\n\r\rx\r"),
        ] {
            let want = [md5(sent), md5(kept)];
            assert_eq!(forms(&[sent], returns), want, "{sent:?}");
            let bytes: Vec<&[u8]> = sent.chunks(1).collect();
            assert_eq!(forms(&bytes, returns), want, "{sent:?}");
        }
        for same in [&b"a\nb\n"[..], b"\r", b"a\rb"] {
            assert_eq!(forms(&[same], Returns::Padded), [md5(same)], "{same:?}");
        }
    }

    #[test]
    fn a_part_has_no_digest() {
        assert_eq!(carry(&[b"abc"], 1, true), ["filename a.exe file.name"]);
        assert_eq!(carry(&[b"abc"], 0, false), ["filename a.exe file.name"]);
    }
}
