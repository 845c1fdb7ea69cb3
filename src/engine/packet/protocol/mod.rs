//! The protocols, one folder or file each. They are independent of each other and of the caller.

pub(super) mod dhcp;
pub mod dns;
pub mod ftp;
pub mod http;
pub(super) mod imap;
pub(super) mod plain;
pub(super) mod pop3;
pub(super) mod proxy;
pub(super) mod quic;
pub mod smb;
pub mod smtp;
pub(super) mod socks;
pub mod ssh;
pub(super) mod syslog;
pub(super) mod tftp;
pub mod tls;
