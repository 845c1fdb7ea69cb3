//! The body of a part that has no parts: text, a file, a mail, or several of them.

use super::Mail;
use super::entity::{Entity, Kind};
use super::text::Text;
use super::transfer::Transfer;
use crate::packet::file::File;
use crate::packet::stream::Context;
use crate::packet::{Fault, Visitor};

/// A body on its way.
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

    /// A body begins, in a mail that is inside of `depth` others.
    pub(super) fn begin<V: Visitor>(
        entity: Entity,
        protocol: &'static str,
        depth: u8,
        context: &mut Context<'_, '_, V>,
    ) -> Leaf {
        let file = entity.is_file().then(|| {
            File::begin(protocol, entity.name.as_deref(), context.packet, context.visitor)
        });
        let mut mail = None;
        if entity.kind == Kind::Mail {
            mail = Mail::inside(protocol, depth).map(Box::new);
            if mail.is_none() {
                context.counters.note(Fault::DeepMail);
            }
        }
        let is_text = match entity.kind {
            Kind::Text | Kind::Multipart => true,
            Kind::Mail => mail.is_none(),
            Kind::Html | Kind::Other => entity.is_html(),
        };
        let text = is_text.then(|| Text::new(protocol, entity.charset, entity.is_html()));
        Leaf { transfer: entity.transfer, text, file, mail }
    }

    pub(super) fn weight(&self) -> usize {
        self.transfer.weight()
            + self.text.as_ref().map_or(0, Text::weight)
            + self.file.as_ref().map_or(0, File::weight)
            + self.mail.as_ref().map_or(0, |mail| size_of::<Mail>() + mail.weight())
    }

    /// Takes the next bytes, as they were sent.
    pub(super) fn push<V: Visitor>(&mut self, data: &[u8], context: &mut Context<'_, '_, V>) {
        let is_hashed = self.file.as_ref().is_some_and(File::is_hashed);
        if data.is_empty() || (self.text.is_none() && self.mail.is_none() && !is_hashed) {
            return;
        }
        let Leaf { transfer, text, file, mail } = self;
        transfer.decode(data, &mut |bytes| show(bytes, text, file, mail, context));
    }

    /// Hands on the text that is there.
    pub(super) fn flush<V: Visitor>(&mut self, context: &mut Context<'_, '_, V>) {
        if let Some(text) = &mut self.text {
            text.flush(context);
        }
        if let Some(mail) = &mut self.mail {
            mail.flush(context);
        }
    }

    pub(super) fn gap<V: Visitor>(&mut self, length: u64, context: &mut Context<'_, '_, V>) {
        if let Some(text) = &mut self.text {
            text.gap(length, context);
        }
        if let Some(file) = &mut self.file {
            file.gap(length);
        }
        if let Some(mail) = &mut self.mail {
            mail.gap(length, context);
        }
    }

    pub(super) fn finish<V: Visitor>(mut self, is_whole: bool, context: &mut Context<'_, '_, V>) {
        let Leaf { transfer, text, file, mail } = &mut self;
        transfer.finish(&mut |bytes| show(bytes, text, file, mail, context));
        if let Some(text) = self.text {
            text.finish(context);
        }
        if let Some(file) = self.file {
            file.finish(is_whole, context.packet, context.visitor);
        }
        if let Some(mail) = self.mail {
            mail.finish(is_whole, context);
        }
    }
}

/// Shows decoded bytes to all that take them.
fn show<V: Visitor>(
    bytes: &[u8],
    text: &mut Option<Text>,
    file: &mut Option<File>,
    mail: &mut Option<Box<Mail>>,
    context: &mut Context<'_, '_, V>,
) {
    if let Some(text) = text {
        text.push(bytes, context);
    }
    if let Some(file) = file {
        file.update(bytes);
    }
    if let Some(mail) = mail {
        mail.take(bytes, context);
    }
}
