//! The body of a part that has no parts: text, a file, a mail, or several of these.

use super::Mail;
use super::entity::Entity;
use super::text::Text;
use super::transfer::Transfer;
use crate::engine::indicator::{Kind, Observable, Where};
use crate::engine::packet::payload::file::File;
use crate::engine::packet::payload::names;
use crate::engine::packet::view::Report;
use crate::engine::packet::view::{Attachment, FileFacts};
use crate::engine::packet::{Fault, ProtocolFacts, Visitor};

/// A body in transfer.
#[derive(Debug)]
pub(super) struct Leaf {
    transfer: Transfer,
    text: Option<Text>,
    file: Option<File>,
    mail: Option<Box<Mail>>,
}

impl Leaf {
    /// The text around the parts of a multipart.
    pub(super) fn around(protocol: &'static str) -> Leaf {
        Leaf {
            transfer: Transfer::Plain,
            text: Some(Text::plain(protocol)),
            file: None,
            mail: None,
        }
    }

    /// A body begins, in a mail that is nested in `depth` others.
    pub(super) fn begin<V: Visitor>(
        entity: Entity,
        protocol: &'static str,
        depth: u8,
        to: &mut Report<'_, '_, V>,
    ) -> Leaf {
        let mut mail = None;
        if entity.is_mail() {
            mail = Mail::inside(protocol, depth).map(Box::new);
        }
        let is_text = entity.is_text() || entity.is_mail() && mail.is_none();
        // A mail that is nested too deeply may still be opened separately.
        let is_deep = entity.is_mail() && mail.is_none();
        let file = (entity.is_file() || is_deep).then(|| {
            let path = entity.names.first().map(|path| &path[..]);
            let name =
                path.map(|path| Some(names::last(path)).filter(|n| !n.is_empty()).unwrap_or(path));
            let file = File::begin(protocol, name, to.packet, to.visitor);
            let is_reported = is_text || matches!(entity.transfer, Transfer::Plain);
            let name = name.unwrap_or_default();
            match mail {
                Some(_) => file,
                None => file.shown(&Attachment { name, depth, is_reported }, to.visitor),
            }
        });
        if is_deep && !file.as_ref().is_some_and(File::is_shown) {
            to.counters.note(Fault::DeepMail);
        }
        report_names(&entity, protocol, file.is_some(), to);
        let text = is_text.then(|| {
            Text::new(protocol, entity.charset, entity.is_html()).with_lines(entity.lines)
        });
        let mut transfer = entity.transfer;
        if file.is_none() {
            transfer.go_on();
        }
        Leaf { transfer, text, file, mail }
    }

    pub(super) fn weight(&self) -> usize {
        self.transfer.weight()
            + self.text.as_ref().map_or(0, Text::weight)
            + self.file.as_ref().map_or(0, File::weight)
            + self.mail.as_ref().map_or(0, |mail| size_of::<Mail>() + mail.weight())
    }

    /// Takes the next bytes, as they were sent.
    pub(super) fn push<V: Visitor>(&mut self, data: &[u8], to: &mut Report<'_, '_, V>) {
        let is_read = self.file.as_ref().is_some_and(File::is_read);
        if data.is_empty() || (self.text.is_none() && self.mail.is_none() && !is_read) {
            return;
        }
        let Leaf { transfer, text, file, mail } = self;
        transfer.decode(data, &mut |bytes| show(bytes, text, file, mail, to));
    }

    /// Passes on the available text.
    pub(super) fn flush<V: Visitor>(&mut self, to: &mut Report<'_, '_, V>) {
        if let Some(text) = &mut self.text {
            text.flush(to);
        }
        if let Some(mail) = &mut self.mail {
            mail.flush(to);
        }
    }

    pub(super) fn gap<V: Visitor>(&mut self, length: u64, to: &mut Report<'_, '_, V>) {
        self.transfer.gap();
        if let Some(text) = &mut self.text {
            text.gap(length, to);
        }
        if let Some(file) = &mut self.file {
            file.gap(length);
        }
        if let Some(mail) = &mut self.mail {
            mail.gap(length, to);
        }
    }

    pub(super) fn finish<V: Visitor>(mut self, is_whole: bool, to: &mut Report<'_, '_, V>) {
        let Leaf { transfer, text, file, mail } = &mut self;
        transfer.finish(&mut |bytes| show(bytes, text, file, mail, to));
        if let Some(text) = self.text {
            text.finish(is_whole, to);
        }
        if let Some(file) = self.file {
            file.finish(is_whole, to.packet, to.visitor);
        }
        if let Some(mail) = self.mail {
            mail.finish(is_whole, to);
        }
    }
}

/// Reports the names of a file other than the one it was begun with, if it was: with folders, and
/// from other parameters.
pub(super) fn report_names<V: Visitor>(
    entity: &Entity,
    protocol: &'static str,
    is_begun: bool,
    to: &mut Report<'_, '_, V>,
) {
    for (at, path) in entity.names.iter().enumerate() {
        let name = names::last(path);
        let facts = FileFacts { protocol, name: Some(name), url: None, size: None, is_whole: None };
        let protocol_facts = ProtocolFacts::File(facts);
        if !is_begun || at > 0 {
            names::report(path, to.packet, to.visitor, protocol_facts);
        } else if !name.is_empty() && name.len() < path.len() {
            let path = Observable::Text(Kind::Filepath, path);
            to.visitor.seen(path, Where::FileName, to.packet, protocol_facts);
        }
    }
}

/// Passes decoded bytes to all their receivers.
fn show<V: Visitor>(
    bytes: &[u8],
    text: &mut Option<Text>,
    file: &mut Option<File>,
    mail: &mut Option<Box<Mail>>,
    to: &mut Report<'_, '_, V>,
) {
    if let Some(text) = text {
        text.push(bytes, to);
    }
    if let Some(file) = file {
        file.update(bytes);
    }
    if let Some(mail) = mail {
        mail.take(bytes, to);
    }
}
