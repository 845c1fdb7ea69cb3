//! Packet sockets that share the packets of an interface.
//!
//! The kernel gives each packet to one socket of a group, chosen by a hash over addresses and ports
//! that is the same for both directions (`PACKET_FANOUT_HASH`, packet(7)). IPv4 fragments are
//! reassembled first (`PACKET_FANOUT_FLAG_DEFRAG`), because all but the first lack the ports and
//! would go to another socket. IPv6 fragments are not: the addresses bring those of one packet
//! together, but maybe not to where the rest of their flow goes.
//!
//! libpcap does not support groups, and no crate wraps this option, so it is set on libpcap's
//! descriptor here. This file contains all the `unsafe` of the tap.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// How packets are distributed.
const MODE: libc::c_uint = libc::PACKET_FANOUT_HASH | libc::PACKET_FANOUT_FLAG_DEFRAG;

/// Creates a group of one socket and returns its number, which no other group in this network
/// namespace has (Linux 4.12).
pub(super) fn found(socket: BorrowedFd<'_>) -> io::Result<u16> {
    set(socket, (MODE | libc::PACKET_FANOUT_FLAG_UNIQUEID) << 16)?;
    Ok((get(socket)? & 0xffff) as u16)
}

/// Adds a socket that is bound to the same interface to a group.
pub(super) fn join(socket: BorrowedFd<'_>, group: u16) -> io::Result<()> {
    set(socket, MODE << 16 | libc::c_uint::from(group))
}

fn set(socket: BorrowedFd<'_>, value: libc::c_uint) -> io::Result<()> {
    // SAFETY: the descriptor is open for as long as it is borrowed; the kernel reads
    // `size` bytes from `value`, which is that long and outlives the call.
    let status = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_FANOUT,
            (&raw const value).cast(),
            size_of_val(&value) as libc::socklen_t,
        )
    };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn get(socket: BorrowedFd<'_>) -> io::Result<libc::c_uint> {
    let mut value: libc::c_uint = 0;
    let mut size = size_of_val(&value) as libc::socklen_t;
    // SAFETY: the descriptor is open for as long as it is borrowed; the kernel writes
    // at most `size` bytes to `value`, which is that long, and their number to `size`.
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_FANOUT,
            (&raw mut value).cast(),
            &raw mut size,
        )
    };
    if status == 0 { Ok(value) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn another_kind_of_socket_is_refused() {
        let socket = std::os::unix::net::UnixDatagram::unbound().unwrap();
        assert!(found(socket.as_fd()).is_err());
        assert!(join(socket.as_fd(), 1).is_err());
        assert!(get(socket.as_fd()).is_err());
    }
}
