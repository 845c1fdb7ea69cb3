//! What requests name, and what responses say about opened files.

use super::chain::Block;
use super::commands::{
    CREATE, CREATE_NEW, NT_CREATE_ANDX, NT_TRANSACT, OPEN, OPEN_ANDX, TREE_CONNECT_ANDX,
};
use crate::engine::packet::bytes::{le16, le32, le64};
use crate::engine::packet::protocol::smb::message::text;

const CREATE_DIRECTORY: u8 = 0x00;
const DELETE_DIRECTORY: u8 = 0x01;
const DELETE: u8 = 0x06;
const RENAME: u8 = 0x07;
const QUERY_INFORMATION: u8 = 0x08;
const SET_INFORMATION: u8 = 0x09;
const CHECK_DIRECTORY: u8 = 0x10;
pub(super) const TRANSACTION2: u8 = 0x32;
pub(super) const TREE_CONNECT: u8 = 0x70;
const NT_RENAME: u8 = 0xa5;

/// The format byte before a name in the oldest commands.
const ASCII: u8 = 4;

/// What a request names.
pub(super) struct Named {
    pub(super) command: &'static str,
    pub(super) names: Vec<String>,
    pub(super) is_share: bool,
    pub(super) is_opened: bool,
    /// A file's new length.
    pub(super) size: Option<(u16, u64)>,
}

/// A file that was opened.
pub(super) struct Opened {
    pub(super) fid: u16,
    pub(super) size: u64,
    pub(super) is_pipe: bool,
}

/// Whether requests of a command may name something.
pub(super) fn is_naming(command: u8) -> bool {
    matches!(
        command,
        CREATE_DIRECTORY
            | DELETE_DIRECTORY
            | OPEN
            | CREATE
            | CREATE_NEW
            | DELETE
            | RENAME
            | QUERY_INFORMATION
            | SET_INFORMATION
            | CHECK_DIRECTORY
            | OPEN_ANDX
            | TRANSACTION2
            | TREE_CONNECT
            | TREE_CONNECT_ANDX
            | NT_TRANSACT
            | NT_CREATE_ANDX
            | NT_RENAME
    )
}

/// Names in a request, if it has any. `None` if it contradicts itself.
pub(super) fn request(block: &Block<'_>) -> Option<Option<Named>> {
    let plain = |command, names: Vec<String>| Named {
        command,
        names,
        is_share: false,
        is_opened: false,
        size: None,
    };
    let named = match block.head.command {
        NT_CREATE_ANDX => Named {
            is_opened: true,
            ..plain("nt_create_andx", vec![block.string(block.bytes_at()).0])
        },
        OPEN_ANDX => {
            Named { is_opened: true, ..plain("open_andx", vec![block.string(block.bytes_at()).0]) }
        }
        OPEN => Named { is_opened: true, ..plain("open", old(block, 1)) },
        CREATE | CREATE_NEW => Named { is_opened: true, ..plain("create", old(block, 1)) },
        CREATE_DIRECTORY => plain("create_directory", old(block, 1)),
        DELETE_DIRECTORY => plain("delete_directory", old(block, 1)),
        CHECK_DIRECTORY => plain("check_directory", old(block, 1)),
        DELETE => plain("delete", listed(old(block, 1))),
        RENAME | NT_RENAME => plain("rename", listed(old(block, 2))),
        QUERY_INFORMATION => plain("query_information", old(block, 1)),
        SET_INFORMATION => plain("set_information", old(block, 1)),
        TREE_CONNECT => Named { is_share: true, ..plain("tree_connect", old(block, 1)) },
        TREE_CONNECT_ANDX => {
            let password = usize::from(block.le16(6)?);
            let path = block.string(block.bytes_at() + password).0;
            Named { is_share: true, ..plain("tree_connect_andx", vec![path]) }
        }
        TRANSACTION2 => return transaction(block),
        NT_TRANSACT => return create(block),
        _ => return Some(None),
    };
    Some(Some(named))
}

/// The first names of an old command, each after its format byte.
fn old(block: &Block<'_>, max: usize) -> Vec<String> {
    let mut names = Vec::new();
    let mut at = block.bytes_at();
    while names.len() < max && block.bytes().get(at) == Some(&ASCII) {
        let (name, after) = block.string(at + 1);
        names.push(name);
        at = after;
    }
    names
}

/// File names, without wildcard patterns.
fn listed(mut names: Vec<String>) -> Vec<String> {
    names.retain(|name| !name.contains(['*', '?', '<', '>', '"']));
    names
}

/// A part of a transaction, whose length and offset are in its words.
fn part<'m>(block: &Block<'m>, length: u32, at: u32) -> Option<(&'m [u8], usize)> {
    let from = block.inside(at as usize)?;
    Some((block.bytes().get(from..)?.get(..length as usize)?, from))
}

/// [MS-CIFS], 2.2.6.
fn transaction(block: &Block<'_>) -> Option<Option<Named>> {
    const OPEN2: u16 = 0;
    const FIND_FIRST2: u16 = 1;
    const QUERY_PATH: u16 = 5;
    const SET_PATH: u16 = 6;
    const SET_FILE: u16 = 8;
    const CREATE_DIRECTORY: u16 = 0x0d;
    // Without a setup word it continues another one.
    let Some(what) = block.le16(28) else { return Some(None) };
    let is_set_file = what == SET_FILE;
    let (command, name_at) = match what {
        OPEN2 => ("open2", 28),
        FIND_FIRST2 => ("find_first2", 12),
        QUERY_PATH => ("query_path_information", 6),
        SET_PATH => ("set_path_information", 6),
        CREATE_DIRECTORY => ("create_directory", 4),
        SET_FILE => ("set_file_information", 0),
        _ => return Some(None),
    };
    let (parameters, from) = part(block, block.le16(18)?.into(), block.le16(20)?.into())?;
    let mut named =
        Named { command, names: vec![], is_share: false, is_opened: what == OPEN2, size: None };
    if is_set_file {
        let (fid, level) = (le16(parameters, 0)?, le16(parameters, 2)?);
        let (data, _) = part(block, block.le16(22)?.into(), block.le16(24)?.into())?;
        set_file(fid, level, data, &mut named)?;
    } else {
        // The name ends with the parameters.
        let end = from + parameters.len();
        let name = block.until(end).string(from + name_at).0;
        named.names = listed(vec![name]);
        // Without a name nothing was opened.
        named.is_opened &= !named.names.is_empty();
    }
    Some(Some(named))
}

/// A file's length or name is changed: the levels of [MS-CIFS], 2.2.8.4, and those that map to
/// classes of [MS-FSCC] (2.2.2.3.5 of [MS-SMB]).
fn set_file(fid: u16, level: u16, data: &[u8], named: &mut Named) -> Option<()> {
    const END_OF_FILE: u16 = 0x104;
    const CLASS_END_OF_FILE: u16 = 1000 + 20;
    const CLASS_RENAME: u16 = 1000 + 10;
    match level {
        END_OF_FILE | CLASS_END_OF_FILE => named.size = Some((fid, le64(data, 0)?)),
        CLASS_RENAME => {
            let bytes = le32(data, 8)? as usize;
            named.names = vec![text(data.get(12..)?.get(..bytes)?)];
        }
        _ => {}
    }
    Some(())
}

/// NT_TRANSACT_CREATE ([MS-CIFS], 2.2.7.1).
fn create(block: &Block<'_>) -> Option<Option<Named>> {
    const FUNCTION: u16 = 1;
    if block.le16(36) != Some(FUNCTION) {
        return Some(None);
    }
    let (parameters, from) = part(block, block.le32(19)?, block.le32(23)?)?;
    let bytes = le32(parameters, 44)? as usize;
    let end = (from + parameters.len()).min(from + 54 + bytes);
    let name = block.until(end).string(from + 53).0;
    let command = "nt_transact_create";
    let named = Named { command, names: vec![name], is_share: false, is_opened: true, size: None };
    Some(Some(named))
}

/// What a response says about the opened file. `None` if it contradicts itself.
pub(super) fn opened(block: &Block<'_>) -> Option<Opened> {
    let wide = |at| Some(u64::from(block.le32(at)?) | u64::from(block.le32(at + 4)?) << 32);
    let of = |fid, size: u32| Opened { fid, size: size.into(), is_pipe: false };
    Some(match block.head.command {
        NT_CREATE_ANDX => {
            Opened { fid: block.le16(5)?, size: wide(55)?, is_pipe: block.le16(63)? != 0 }
        }
        OPEN_ANDX => of(block.le16(4)?, block.le32(12)?),
        OPEN => of(block.le16(0)?, block.le32(8)?),
        TRANSACTION2 => {
            let (parameters, _) = part(block, block.le16(6)?.into(), block.le16(8)?.into())?;
            of(le16(parameters, 0)?, le32(parameters, 8)?)
        }
        NT_TRANSACT => {
            let (parameters, _) = part(block, block.le32(11)?, block.le32(15)?)?;
            let is_pipe = le16(parameters, 64)? != 0;
            Opened { fid: le16(parameters, 2)?, size: le64(parameters, 56)?, is_pipe }
        }
        // It is new, or empty.
        _ => of(block.le16(0)?, 0),
    })
}
