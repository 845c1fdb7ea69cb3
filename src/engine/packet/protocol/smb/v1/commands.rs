//! The commands of SMB1 ([MS-CIFS], 2.2.2.1).

pub(in crate::engine::packet::protocol::smb) const MAGIC: &[u8] = b"\xffSMB";

pub(super) const OPEN: u8 = 0x02;
pub(super) const CREATE: u8 = 0x03;
pub(super) const CLOSE: u8 = 0x04;
pub(super) const READ: u8 = 0x0a;
pub(super) const WRITE: u8 = 0x0b;
pub(super) const CREATE_NEW: u8 = 0x0f;
pub(super) const LOCK_AND_READ: u8 = 0x13;
pub(super) const WRITE_AND_UNLOCK: u8 = 0x14;
pub(super) const READ_RAW: u8 = 0x1a;
pub(super) const WRITE_RAW: u8 = 0x1d;
pub(super) const WRITE_COMPLETE: u8 = 0x20;
pub(super) const WRITE_AND_CLOSE: u8 = 0x2c;
pub(super) const OPEN_ANDX: u8 = 0x2d;
pub(super) const READ_ANDX: u8 = 0x2e;
pub(super) const WRITE_ANDX: u8 = 0x2f;
pub(super) const SESSION_SETUP: u8 = 0x73;
pub(super) const TREE_CONNECT_ANDX: u8 = 0x75;
pub(super) const NT_TRANSACT: u8 = 0xa0;
pub(super) const NT_CREATE_ANDX: u8 = 0xa2;
