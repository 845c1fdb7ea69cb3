//! The encoding of a commit: a sequence of members, each a kind, a length, and that many bytes.
//!
//! ```text
//! 1 file       a FileRecord
//! 2 forgotten  stream 8
//! 3 output     device | inode | flags 1 | generation 8 | born 8 | length | tail 8 | path
//!              flags: 1 has a generation, 2 has a time of birth, 4 and 8 what follows
//! 4 suppress   is there 1 | key, with its length | value
//! 5 cursor     is there 1 | name, with its length | position
//! 6 other      is there 1 | name, with its length | value
//! ```
//!
//! Numbers are LEB128 where no width is given, otherwise little-endian.

use super::state::{Output, Rest};
use crate::sensor::input::tail::{Fields, FileRecord, Key, put_bytes, put_number};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// The longest record of a commit: what its head can express. A commit with a million suppression
/// entries has hundreds of megabytes if several failed before it.
pub(super) const MAX_RECORD: usize = u32::MAX as usize;

/// The approximate number of bytes of a member besides its texts: kind, lengths, and the presence
/// byte.
pub(super) const AROUND: usize = 8;

/// A member of a commit.
pub(super) enum Member<'a> {
    File(FileRecord),
    Forgotten(u64),
    Output(Output),
    Suppress(&'a [u8], Option<&'a [u8]>),
    Cursor(&'a str, Option<u64>),
    Other(&'a str, Option<&'a [u8]>),
}

/// Appends a member.
pub(super) fn put_member(out: &mut Vec<u8>, member: Member<'_>) {
    let mut body = Vec::new();
    let kind = match member {
        Member::File(file) => {
            file.encode(&mut body);
            1
        }
        Member::Forgotten(id) => {
            body.extend_from_slice(&id.to_le_bytes());
            2
        }
        Member::Output(output) => {
            put_output(&mut body, &output);
            3
        }
        Member::Suppress(key, value) => return put_suppress(out, key, value),
        Member::Cursor(name, position) => {
            let mut value = Vec::new();
            position.into_iter().for_each(|it| put_number(&mut value, it));
            put_entry(&mut body, name.as_bytes(), position.is_some().then_some(&value[..]));
            5
        }
        Member::Other(name, value) => {
            put_entry(&mut body, name.as_bytes(), value);
            6
        }
    };
    out.push(kind);
    put_bytes(out, &body);
}

/// Like the other members, but without its own buffer: there may be millions.
fn put_suppress(out: &mut Vec<u8>, key: &[u8], value: Option<&[u8]>) {
    let mut length = Vec::with_capacity(10);
    put_number(&mut length, key.len() as u64);
    let body = 1 + length.len() + key.len() + value.map_or(0, <[u8]>::len);
    out.push(4);
    put_number(out, body as u64);
    put_entry(out, key, value);
}

fn put_entry(out: &mut Vec<u8>, key: &[u8], value: Option<&[u8]>) {
    out.push(u8::from(value.is_some()));
    put_bytes(out, key);
    out.extend_from_slice(value.unwrap_or_default());
}

fn put_output(out: &mut Vec<u8>, output: &Output) {
    let Output { path, key, length, tail, rest } = output;
    let rest = match rest {
        Rest::Own => 0,
        Rest::Foreign => 4,
        Rest::Mixed => 8,
    };
    put_number(out, key.device);
    put_number(out, key.inode);
    out.push(u8::from(key.generation.is_some()) | u8::from(key.born.is_some()) << 1 | rest);
    out.extend_from_slice(&key.generation.unwrap_or_default().to_le_bytes());
    out.extend_from_slice(&key.born.unwrap_or_default().to_le_bytes());
    put_number(out, *length);
    out.extend_from_slice(&tail.to_le_bytes());
    out.extend_from_slice(path.as_os_str().as_bytes());
}

/// The members, one after the other. One that is incomplete or of an unknown kind is `None`, and the
/// last.
pub(super) fn members(bytes: &[u8]) -> impl Iterator<Item = Option<Member<'_>>> {
    let mut fields = Fields(bytes);
    std::iter::from_fn(move || {
        if fields.0.is_empty() {
            return None;
        }
        let member = read_member(&mut fields);
        if member.is_none() {
            fields.0 = &[];
        }
        Some(member)
    })
}

fn read_member<'a>(fields: &mut Fields<'a>) -> Option<Member<'a>> {
    let kind = fields.byte()?;
    let body = fields.bytes(MAX_RECORD)?;
    Some(match kind {
        1 => Member::File(FileRecord::decode(body)?),
        2 => Member::Forgotten(u64::from_le_bytes(body.try_into().ok()?)),
        3 => Member::Output(read_output(body)?),
        4 => {
            let (key, value) = read_entry(body)?;
            Member::Suppress(key, value)
        }
        5 => {
            let (name, value) = read_entry(body)?;
            let position = value.map(read_position);
            if position == Some(None) {
                return None;
            }
            Member::Cursor(std::str::from_utf8(name).ok()?, position.flatten())
        }
        6 => {
            let (name, value) = read_entry(body)?;
            Member::Other(std::str::from_utf8(name).ok()?, value)
        }
        _ => return None,
    })
}

fn read_position(value: &[u8]) -> Option<u64> {
    let mut fields = Fields(value);
    fields.number().filter(|_| fields.0.is_empty())
}

fn read_entry(body: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let mut fields = Fields(body);
    let is_there = fields.byte()?;
    let key = fields.bytes(MAX_RECORD)?;
    match is_there {
        0 => fields.0.is_empty().then_some((key, None)),
        1 => Some((key, Some(fields.0))),
        _ => None,
    }
}

fn read_output(body: &[u8]) -> Option<Output> {
    let mut fields = Fields(body);
    let (device, inode) = (fields.number()?, fields.number()?);
    let flags = fields.byte()?;
    let rest = match flags & !3 {
        0 => Rest::Own,
        4 => Rest::Foreign,
        8 => Rest::Mixed,
        _ => return None,
    };
    let (generation, born) = (fields.u64()?, fields.i64()?);
    let generation = (flags & 1 != 0).then_some(generation);
    let born = (flags & 2 != 0).then_some(born);
    let (length, tail) = (fields.number()?, fields.u64()?);
    let path = PathBuf::from(OsStr::from_bytes(fields.0));
    Some(Output { path, key: Key { device, inode, generation, born }, length, tail, rest })
}
