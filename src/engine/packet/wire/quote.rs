//! The packets that ICMP's errors quote (RFC 792, RFC 4443): what somebody tried to send, and
//! could not. Where no more was captured than the error, the quote alone tells whom it was for.
//!
//! A quote counts where its flow was not seen otherwise. It adds nothing to flows that were,
//! and is never a part of a stream: anybody can write one.

use super::link::Net;
use super::transport::{ICMP, ICMPV6};

/// What stands before the quote.
const HEADER: usize = 8;

/// Whether an ICMP message is an error.
#[inline]
pub(in crate::engine::packet) fn is_error(proto: u8, message: &[u8]) -> bool {
    match (proto, message.first()) {
        // Unreachable, source quench, redirect, time exceeded, a problem with a parameter.
        (ICMP, Some(3..=5 | 11 | 12)) => true,
        // Unreachable, too big, time exceeded, a problem with a parameter.
        (ICMPV6, Some(1..=4)) => true,
        _ => false,
    }
}

/// The packet that an error quotes, as far as it goes.
pub(in crate::engine::packet) fn of(proto: u8, message: &[u8]) -> Option<(Net, &[u8])> {
    let net = if proto == ICMP { Net::V4 } else { Net::V6 };
    let quote = message.get(HEADER..).filter(|quote| !quote.is_empty())?;
    is_error(proto, message).then_some((net, quote))
}
