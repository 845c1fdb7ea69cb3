//! The consecutive blocks of a message.

use super::commands::{MAGIC, NT_CREATE_ANDX, OPEN_ANDX, READ_ANDX};
use super::commands::{SESSION_SETUP, TREE_CONNECT_ANDX, WRITE_ANDX};
use crate::engine::packet::bytes::{le16, le32};
use crate::engine::packet::protocol::smb::key::Key;
use crate::engine::packet::protocol::smb::message::text;
use crate::engine::progress::bound;

/// A message's header.
pub(in crate::engine::packet::protocol::smb) const HEADER: usize = 32;

/// Blocks of a message that are parsed. More than four are never useful.
const MAX_BLOCKS: u8 = bound(16, 3) as u8;

pub(super) const LOCKING: u8 = 0x24;
const LOG_OFF: u8 = 0x74;

/// The byte count follows the words.
const COUNT: usize = 2;

/// The AndX command that ends a chain.
const NOTHING: u8 = 0xff;
const IS_ANSWER: u8 = 0x80;
const IS_UNICODE: u16 = 0x8000;

/// Whether a message is a request or a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet::protocol::smb) enum MessageKind {
    Request,
    Response,
}

/// What a header says about all blocks, and the next command.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    pub(super) command: u8,
    pub(super) status: u32,
    is_answer: bool,
    is_unicode: bool,
    pub(super) tree: u32,
    /// Process and number of the request.
    pub(super) message: u64,
}

/// How far a message was parsed.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine::packet::protocol::smb) struct Chain {
    head: Head,
    /// The offset of the next block, from the beginning of the header.
    at: usize,
    blocks: u8,
    /// The file that it refers to.
    pub(super) key: Option<Key>,
}

impl Chain {
    pub(super) fn begin(message: &[u8]) -> Option<Chain> {
        let (process, number) = (le16(message, 26)?, le16(message, 30)?);
        let head = Head {
            command: *message.strip_prefix(MAGIC)?.first()?,
            status: le32(message, 5)?,
            is_answer: message.get(9)? & IS_ANSWER != 0,
            is_unicode: le16(message, 10)? & IS_UNICODE != 0,
            tree: u32::from(le16(message, 24)?),
            message: u64::from(process) << 16 | u64::from(number),
        };
        Some(Chain { head, at: HEADER, blocks: 0, key: None })
    }

    pub(super) fn kind(&self) -> MessageKind {
        if self.head.is_answer { MessageKind::Response } else { MessageKind::Request }
    }

    /// Continues after a block.
    pub(super) fn go_on(&mut self, block: &Block<'_>) {
        if let Some((command, at)) = block.next {
            (self.head.command, self.at) = (command, at);
            self.blocks = self.blocks.saturating_add(1);
        }
    }
}

/// A block: a count of words, the words, a count of bytes, the bytes.
#[derive(Clone, Copy)]
pub(super) struct Block<'m> {
    pub(super) head: Head,
    /// The part of it that has arrived.
    shown: &'m [u8],
    /// Its offset in the message.
    at: usize,
    /// Its length.
    pub(super) left: u64,
    /// The command and offset of the next one.
    pub(super) next: Option<(u8, usize)>,
    /// The offset of the next one is invalid.
    pub(super) is_astray: bool,
}

impl<'m> Block<'m> {
    /// Finds the end of a block; otherwise returns how many bytes are needed for that, which is
    /// more than are left if the block contradicts itself.
    pub(super) fn parse(shown: &'m [u8], left: u64, chain: &Chain) -> Result<Self, usize> {
        let Some(&words) = shown.first() else { return Err(1) };
        let head = chain.head;
        let mut block = Block { head, shown, at: chain.at, left, next: None, is_astray: false };
        let bytes_at = block.bytes_at();
        if bytes_at as u64 > left {
            // The last block of an error may lack the count of bytes.
            return if left == 1 { Ok(block) } else { Err(bytes_at) };
        }
        if !is_andx(head.command) || words < 2 {
            return Ok(block);
        }
        let (Some(&command), Some(offset)) = (shown.get(1), le16(shown, 3)) else { return Err(5) };
        let at = usize::from(offset);
        // An offset of 0 means none, too.
        if command == NOTHING || at == 0 {
            return Ok(block);
        }
        let length = at.checked_sub(chain.at).filter(|&length| length >= bytes_at);
        match length.map(|length| length as u64).filter(|&length| length < left) {
            Some(length) if chain.blocks < MAX_BLOCKS => {
                (block.next, block.left) = (Some((command, at)), length);
            }
            _ => block.is_astray = true,
        }
        Ok(block)
    }

    /// The part of it that has arrived.
    pub(super) fn bytes(&self) -> &'m [u8] {
        let max = usize::try_from(self.left).unwrap_or(usize::MAX);
        self.shown.get(..max).unwrap_or(self.shown)
    }

    /// The same up to an offset in it.
    pub(super) fn until(self, end: usize) -> Self {
        Block { left: self.left.min(end as u64), ..self }
    }

    /// The number of its words.
    pub(super) fn words(&self) -> usize {
        self.shown.first().map_or(0, |&words| usize::from(words))
    }

    /// The offset of its bytes.
    pub(super) fn bytes_at(&self) -> usize {
        1 + 2 * self.words() + COUNT
    }

    /// Converts an offset in the message to one in the block.
    pub(super) fn inside(&self, at: usize) -> Option<usize> {
        at.checked_sub(self.at)
    }

    /// A number at an offset after the count of words.
    pub(super) fn le16(&self, at: usize) -> Option<u16> {
        le16(self.shown, 1 + at).filter(|_| at + 2 <= 2 * self.words())
    }

    pub(super) fn le32(&self, at: usize) -> Option<u32> {
        le32(self.shown, 1 + at).filter(|_| at + 4 <= 2 * self.words())
    }

    /// An offset of 32 bits, or of 64 if there are as many words as `far`.
    pub(super) fn offset(&self, low: usize, far: usize, high: usize) -> Option<u64> {
        let high = if self.words() >= far { self.le32(high)? } else { 0 };
        Some(u64::from(high) << 32 | u64::from(self.le32(low)?))
    }

    /// A string up to its zero, or to the block's end; UTF-16 strings are at an even offset of
    /// the message. Also returns the offset after it.
    pub(super) fn string(&self, from: usize) -> (String, usize) {
        let bytes = self.bytes();
        if !self.head.is_unicode {
            let bytes = bytes.get(from..).unwrap_or_default();
            let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
            return (String::from_utf8_lossy(&bytes[..end]).into_owned(), from + end + 1);
        }
        let from = from + (self.at + from) % 2;
        let bytes = bytes.get(from..).unwrap_or_default();
        let end = bytes.chunks_exact(2).position(|unit| unit == [0, 0]);
        let end = end.map_or(bytes.len(), |end| 2 * end);
        (text(bytes.get(..end).unwrap_or_default()), from + end + 2)
    }
}

/// Whether a command contains the next one in its words.
fn is_andx(command: u8) -> bool {
    matches!(
        command,
        LOCKING
            | OPEN_ANDX
            | READ_ANDX
            | WRITE_ANDX
            | SESSION_SETUP
            | LOG_OFF
            | TREE_CONNECT_ANDX
            | NT_CREATE_ANDX
    )
}
