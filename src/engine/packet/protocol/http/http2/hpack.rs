//! HPACK (RFC 7541): from header blocks to fields, incrementally.
//!
//! Every byte is processed once, however a block is split into frames and segments. Nothing is
//! refused for its length: a string that is too long is skipped, and a table that is too large is
//! kept in part. What is unknown for this reason, or because the bytes are missing, or were sent
//! before the capture began, is `None` in the [`Field`].
//!
//! The encoder announces its table size at the beginning of a block, within what the other side
//! has allowed (RFC 7541, 4.2 and 6.3; RFC 9113, 4.3.1); anything else breaks the block. As long
//! as neither is known, any size is accepted, and ours is the largest that is kept: entries that
//! the encoder has evicted are never referred to, and later ones have the same index in both.

mod huffman;
mod table;

pub(super) use table::Field;

use crate::engine::progress::{Walk, bound};
use huffman::Huffman;
use table::{MAX_TABLE, Table};

/// The longest name or value that is kept.
const MAX_STRING: usize = bound(64 << 10, 160);

/// Larger buffers are freed at the end of a block.
const MAX_KEPT: usize = bound(4 << 10, 32);

/// A block that contradicts itself. Nothing after that position can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// The first byte of a representation.
    #[default]
    Start,
    /// The rest of its number.
    Index,
    /// The first byte of a string.
    Length,
    /// The rest of its length.
    MoreLength,
    /// The string.
    Text,
}

/// The representation of a field (RFC 7541, 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Indexed,
    /// A literal, and a new entry of the table.
    Added,
    /// A literal only.
    Plain,
    /// Not a field, but a new size of the table.
    Resize,
}

/// Decodes the header blocks of one direction of a connection.
#[derive(Debug)]
pub(super) struct Decoder {
    table: Table,
    stage: Stage,
    form: Form,
    /// A number that is being decoded, and how far.
    number: usize,
    shift: u32,
    /// Whether the string is a value and not a name.
    is_value: bool,
    is_coded: bool,
    /// Bytes of the string that are still to come.
    left: usize,
    huffman: Huffman,
    name: Text,
    value: Text,
    /// The size of the encoder's table, if it is known.
    size: Option<usize>,
    /// The allowed size, if it is known.
    limit: Option<usize>,
    /// The next block must begin with a smaller size.
    must_shrink: bool,
    /// The block has begun with something other than a size.
    has_fields: bool,
}

/// A name or a value. One that is too long is dropped, and counts as too long.
#[derive(Debug, Default)]
struct Text {
    bytes: Vec<u8>,
    is_known: bool,
}

impl Text {
    fn set(&mut self, text: Option<&[u8]>) {
        self.bytes.clear();
        self.bytes.extend_from_slice(text.unwrap_or_default());
        self.is_known = text.is_some();
    }

    fn get(&self) -> Option<&[u8]> {
        self.is_known.then_some(&self.bytes)
    }
}

impl Decoder {
    /// A decoder without known state: it may begin in the middle of a connection.
    pub(super) fn midstream() -> Self {
        Decoder {
            table: Table::new(MAX_TABLE),
            stage: Stage::Start,
            form: Form::Indexed,
            number: 0,
            shift: 0,
            is_value: false,
            is_coded: false,
            left: 0,
            huffman: Huffman::default(),
            name: Text::default(),
            value: Text::default(),
            size: None,
            limit: None,
            must_shrink: false,
            has_fields: false,
        }
    }

    /// A decoder from the beginning of a connection, with a table of this many bytes.
    pub(super) fn fresh(size: usize) -> Self {
        let (size, max) = (Some(size), size.min(MAX_TABLE));
        Decoder { table: Table::new(max), size, limit: size, ..Decoder::midstream() }
    }

    /// Sets the allowed table size from here on; `None` if it is unknown.
    pub(super) fn allow(&mut self, limit: Option<usize>) {
        self.limit = limit;
        self.must_shrink = self.size.zip(limit).is_some_and(|(size, limit)| size > limit);
    }

    /// Decodes the next part of a block, and passes on the fields that end in it.
    pub(super) fn push(
        &mut self,
        part: &[u8],
        found: &mut impl FnMut(Field<'_>),
    ) -> Result<(), Broken> {
        let mut walk = Walk::over(part);
        while let Some((rest, &byte)) = walk.rest().and_then(|rest| Some((rest, rest.first()?))) {
            let mut taken = 1;
            match self.stage {
                Stage::Start => self.start(byte, found)?,
                Stage::Index => {
                    if self.more(byte)? {
                        self.index(found)?;
                    }
                }
                Stage::Length => {
                    self.is_coded = byte & 0x80 != 0;
                    if self.prefix(byte, 7) {
                        self.begin_text(found)?;
                    } else {
                        self.stage = Stage::MoreLength;
                    }
                }
                Stage::MoreLength => {
                    if self.more(byte)? {
                        self.begin_text(found)?;
                    }
                }
                Stage::Text => {
                    taken = rest.len().min(self.left);
                    self.text(rest.get(..taken).unwrap_or(rest), found)?;
                }
            }
            walk.take(taken);
        }
        if walk.is_stuck() { Err(Broken) } else { Ok(()) }
    }

    /// Ends the block; false if it is incomplete.
    pub(super) fn end(&mut self) -> bool {
        for text in [&mut self.name, &mut self.value] {
            if text.bytes.capacity() > MAX_KEPT {
                text.bytes = Vec::new();
            }
        }
        self.has_fields = false;
        std::mem::take(&mut self.stage) == Stage::Start
    }

    /// A part of a block is missing: what follows is decoded as far as possible.
    pub(super) fn forget(&mut self) {
        self.table.forget();
        self.table.resize(MAX_TABLE);
        (self.size, self.limit, self.must_shrink) = (None, None, false);
        (self.stage, self.huffman) = (Stage::Start, Huffman::default());
    }

    pub(super) fn weight(&self) -> usize {
        self.table.weight() + self.name.bytes.capacity() + self.value.bytes.capacity()
    }

    fn start(&mut self, byte: u8, found: &mut impl FnMut(Field<'_>)) -> Result<(), Broken> {
        let (form, bits) = match byte {
            0x80.. => (Form::Indexed, 7),
            0x40.. => (Form::Added, 6),
            0x20.. => (Form::Resize, 5),
            _ => (Form::Plain, 4),
        };
        if form == Form::Resize {
            if self.has_fields {
                return Err(Broken);
            }
        } else if self.must_shrink {
            return Err(Broken);
        } else {
            self.has_fields = true;
        }
        self.form = form;
        if self.prefix(byte, bits) {
            return self.index(found);
        }
        self.stage = Stage::Index;
        Ok(())
    }

    /// Decodes the beginning of a number (RFC 7541, 5.1). Returns whether it is complete.
    fn prefix(&mut self, byte: u8, bits: u32) -> bool {
        let max = (1 << bits) - 1;
        self.number = usize::from(byte & max);
        self.shift = 0;
        self.number < usize::from(max)
    }

    /// The next byte of a number. Returns whether it is the last one.
    fn more(&mut self, byte: u8) -> Result<bool, Broken> {
        // 2^28 is more than any valid number here.
        if self.shift >= 28 {
            return Err(Broken);
        }
        self.number += usize::from(byte & 0x7f) << self.shift;
        self.shift += 7;
        Ok(byte & 0x80 == 0)
    }

    /// The number of a representation is complete.
    fn index(&mut self, found: &mut impl FnMut(Field<'_>)) -> Result<(), Broken> {
        self.stage = Stage::Start;
        match (self.form, self.number) {
            (Form::Indexed, 0) => return Err(Broken),
            (Form::Indexed, index) => found(self.table.get(index)),
            (Form::Resize, size) if self.limit.is_some_and(|limit| size > limit) => {
                return Err(Broken);
            }
            (Form::Resize, size) => {
                self.table.resize(size);
                (self.size, self.must_shrink) = (Some(size), false);
            }
            (_, 0) => (self.is_value, self.stage) = (false, Stage::Length),
            (_, index) => {
                self.name.set(self.table.get(index).name);
                (self.is_value, self.stage) = (true, Stage::Length);
            }
        }
        Ok(())
    }

    fn begin_text(&mut self, found: &mut impl FnMut(Field<'_>)) -> Result<(), Broken> {
        let text = if self.is_value { &mut self.value } else { &mut self.name };
        text.set(Some(&[]));
        self.left = self.number;
        self.stage = Stage::Text;
        if self.left == 0 { self.text(&[], found) } else { Ok(()) }
    }

    /// The next bytes of a string.
    fn text(&mut self, data: &[u8], found: &mut impl FnMut(Field<'_>)) -> Result<(), Broken> {
        let text = if self.is_value { &mut self.value } else { &mut self.name };
        let out = &mut text.bytes;
        if self.is_coded {
            self.huffman.push(data, out, MAX_STRING + 1)?;
        } else {
            let room = MAX_STRING + 1 - out.len().min(MAX_STRING + 1);
            out.extend_from_slice(data.get(..room).unwrap_or(data));
        }
        self.left -= data.len();
        if self.left > 0 {
            return Ok(());
        }
        if self.is_coded {
            self.huffman.end()?;
        }
        text.is_known = out.len() <= MAX_STRING;
        if !self.is_value {
            (self.is_value, self.stage) = (true, Stage::Length);
            return Ok(());
        }
        self.stage = Stage::Start;
        let field = Field { name: self.name.get(), value: self.value.get() };
        found(field);
        if self.form == Form::Added {
            let length = self.name.bytes.len() + self.value.bytes.len();
            let may_be_larger = self.size.is_none_or(|size| size > MAX_TABLE);
            self.table.insert(field, length, may_be_larger);
        }
        Ok(())
    }
}

// A string that is too long to be kept does not fit into a table either.
const _: () = assert!(MAX_STRING >= MAX_TABLE);

#[cfg(test)]
mod tests;
