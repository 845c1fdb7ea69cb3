//! The packets that ICMP errors quote (RFC 792, RFC 4443), which could not be delivered. If
//! nothing but the error was captured, the quote is the only evidence of the packet's
//! destination.
//!
//! A quote counts if its flow was not seen otherwise. It adds nothing to other flows, and is
//! never part of a stream: anyone can forge one.

use super::link::Net;
use super::transport::{ICMP, ICMPV6};

/// The header before the quote.
const HEADER: usize = 8;

/// Whether an ICMP message is an error.
#[inline]
pub(in crate::engine::packet) fn is_error(proto: u8, message: &[u8]) -> bool {
    match (proto, message.first()) {
        // Unreachable, source quench, redirect, time exceeded, parameter problem.
        (ICMP, Some(3..=5 | 11 | 12)) => true,
        // Unreachable, too big, time exceeded, parameter problem.
        (ICMPV6, Some(1..=4)) => true,
        _ => false,
    }
}

/// The packet that an error quotes, as far as it is included.
pub(in crate::engine::packet) fn of(proto: u8, message: &[u8]) -> Option<(Net, &[u8])> {
    let net = if proto == ICMP { Net::V4 } else { Net::V6 };
    let quote = message.get(HEADER..).filter(|quote| !quote.is_empty())?;
    is_error(proto, message).then_some((net, quote))
}
