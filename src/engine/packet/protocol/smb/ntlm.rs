//! NTLM: the names that client and server send during a logon ([MS-NLMP]).

use super::message::{Facts, text};
use crate::engine::indicator::Where;
use crate::engine::packet::bytes::{le16, le32};
use crate::engine::packet::contract::ParseContext;
use crate::engine::packet::payload::names;
use crate::engine::packet::{ProtocolFacts, Visitor};
use crate::engine::progress::bound;

const MAGIC: &[u8] = b"NTLMSSP\0";

const CHALLENGE: u32 = 2;
const AUTHENTICATE: u32 = 3;

/// Names in a challenge's target information that are DNS names: host, domain, forest.
const DNS_NAMES: [u16; 3] = [3, 4, 5];
const MAX_PAIRS: usize = bound(16, 3);

/// Reports the hosts and domains in an NTLM token anywhere in a message.
pub(super) fn report<V: Visitor>(
    message: &[u8],
    command: &'static str,
    context: &mut ParseContext<'_, '_, V>,
) {
    let Some(at) = memchr::memmem::find(message, MAGIC) else { return };
    let token = message.get(at..).unwrap_or_default();
    match le32(token, 8) {
        Some(CHALLENGE) => challenge(token, command, context),
        Some(AUTHENTICATE) => {
            // Domain and workstation. Usually short names, which are reported as well.
            for field in [28, 44] {
                if let Some(bytes) = payload(token, field) {
                    report_name(bytes, command, context);
                }
            }
        }
        _ => {}
    }
}

/// The bytes whose length and offset are at a position.
fn payload(token: &[u8], at: usize) -> Option<&[u8]> {
    let (bytes, from) = (le16(token, at)?, le32(token, at + 4)?);
    token.get(from as usize..)?.get(..usize::from(bytes))
}

fn challenge<V: Visitor>(
    token: &[u8],
    command: &'static str,
    context: &mut ParseContext<'_, '_, V>,
) {
    let mut rest = payload(token, 40).unwrap_or_default();
    for _ in 0..MAX_PAIRS {
        let Some((kind, bytes)) = le16(rest, 0).zip(le16(rest, 2)) else { return };
        let Some((value, after)) =
            rest.get(4..).and_then(|rest| rest.split_at_checked(usize::from(bytes)))
        else {
            return;
        };
        if DNS_NAMES.contains(&kind) {
            report_name(value, command, context);
        }
        rest = after;
    }
}

fn report_name<V: Visitor>(
    bytes: &[u8],
    command: &'static str,
    context: &mut ParseContext<'_, '_, V>,
) {
    let name = text(bytes);
    let facts = Facts { command, name: None };
    let protocol_facts = ProtocolFacts::Message(&facts);
    let to = (&mut *context.visitor, &mut *context.counters);
    names::report_host(name.as_bytes(), Where::SmbHost, context.packet, to, protocol_facts);
}
