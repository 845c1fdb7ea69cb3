//! The records of a payload: a context, the number of an earlier one, or an indicator under the
//! last of these.

use super::bytes::{put_text, take, take_array, take_number};
use super::contexts;
use crate::engine::indicator::{Context, Indicator, Kind, Scope, Value};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// The tag of a context. Tags of indicators are greater.
pub(super) const CONTEXT: u8 = 0;
pub(super) const AGAIN: u8 = 255;

/// How a value is encoded, in the three bits above those of the scope.
mod form {
    pub(super) const TEXT: u8 = 0;
    pub(super) const NET4: u8 = 1;
    pub(super) const NET6: u8 = 2;
    pub(super) const ENDPOINT4: u8 = 3;
    pub(super) const ENDPOINT6: u8 = 4;
    pub(super) const HEX: u8 = 5;
}

/// Appends an indicator; its context is that of the records before it.
pub(super) fn encode_indicator(indicator: &Indicator, out: &mut Vec<u8>) {
    let head = |form: u8| [indicator.kind as u8, indicator.scope as u8 | form << 3];
    match &indicator.value {
        Value::Net(IpNet::V4(net)) => {
            out.extend_from_slice(&head(form::NET4));
            out.extend_from_slice(&net.addr().octets());
            out.push(net.prefix_len());
        }
        Value::Net(IpNet::V6(net)) => {
            out.extend_from_slice(&head(form::NET6));
            out.extend_from_slice(&net.addr().octets());
            out.push(net.prefix_len());
        }
        Value::Endpoint(IpAddr::V4(address), port) => {
            out.extend_from_slice(&head(form::ENDPOINT4));
            out.extend_from_slice(&address.octets());
            out.extend_from_slice(&port.to_le_bytes());
        }
        Value::Endpoint(IpAddr::V6(address), port) => {
            out.extend_from_slice(&head(form::ENDPOINT6));
            out.extend_from_slice(&address.octets());
            out.extend_from_slice(&port.to_le_bytes());
        }
        Value::Text(text) => match unhex(text) {
            Some((bytes, length)) => {
                out.extend_from_slice(&head(form::HEX));
                out.push(length as u8);
                out.extend_from_slice(&bytes[..length]);
            }
            None => {
                out.extend_from_slice(&head(form::TEXT));
                put_text(out, text);
            }
        },
    }
}

/// Decodes a digest, if encoding it again gives the same text.
fn unhex(text: &str) -> Option<([u8; 64], usize)> {
    let text = text.as_bytes();
    if !(32..=128).contains(&text.len()) || !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 64];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some((bytes, text.len() / 2))
}

fn hex(bytes: &[u8]) -> Box<str> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text.into()
}

/// A record of a payload.
pub(super) enum Record<'p> {
    Context(&'p [u8]),
    Again(usize),
    /// The bytes of the whole record, and of the value.
    Indicator(&'p [u8], Kind, Scope, u8, &'p [u8]),
}

/// The rest of a payload.
pub(super) struct Records<'p>(pub(super) &'p [u8]);

impl<'p> Records<'p> {
    /// Reads the next record: `Some(None)` at the end, `None` if the bytes are
    /// invalid.
    pub(super) fn next(&mut self) -> Option<Option<Record<'p>>> {
        let all = self.0;
        let Some(&first) = all.first() else { return Some(None) };
        self.0 = &all[1..];
        if first == CONTEXT {
            let length = usize::try_from(take_number(&mut self.0)?).ok()?;
            return Some(Some(Record::Context(take(&mut self.0, length)?)));
        }
        if first == AGAIN {
            return Some(Some(Record::Again(usize::try_from(take_number(&mut self.0)?).ok()?)));
        }
        let kind = Kind::from_number(first)?;
        let second = *take(&mut self.0, 1)?.first()?;
        let scope = Scope::from_number(second & 7)?;
        let form = second >> 3;
        let length = match form {
            form::NET4 => 5,
            form::NET6 => 17,
            form::ENDPOINT4 => 6,
            form::ENDPOINT6 => 18,
            form::HEX => usize::from(*take(&mut self.0, 1)?.first()?),
            form::TEXT => usize::try_from(take_number(&mut self.0)?).ok()?,
            _ => return None,
        };
        let value = take(&mut self.0, length)?;
        let record = &all[..all.len() - self.0.len()];
        Some(Some(Record::Indicator(record, kind, scope, form, value)))
    }
}

/// Passes every indicator to `take`. Returns `None` if the bytes are invalid.
pub(super) fn each(payload: &[u8], take: &mut impl FnMut(Indicator)) -> Option<()> {
    let mut records = Records(payload);
    let mut contexts: Vec<Arc<Context<'static>>> = Vec::new();
    let mut current: Option<Arc<Context<'static>>> = None;
    while let Some(record) = records.next()? {
        match record {
            Record::Context(bytes) => {
                let context = Arc::new(contexts::decode(bytes)?);
                contexts.push(Arc::clone(&context));
                current = Some(context);
            }
            Record::Again(number) => current = Some(Arc::clone(contexts.get(number)?)),
            Record::Indicator(_, kind, scope, form, value) => {
                let value = decode_value(form, value)?;
                let context = Arc::clone(current.as_ref()?);
                take(Indicator { kind, value, scope, raw: None, context });
            }
        }
    }
    Some(())
}

fn decode_value(form: u8, mut bytes: &[u8]) -> Option<Value> {
    let bytes = &mut bytes;
    Some(match form {
        form::NET4 => {
            let address = Ipv4Addr::from(*take_array::<4>(bytes)?);
            Value::Net(Ipv4Net::new(address, *bytes.first()?).ok()?.trunc().into())
        }
        form::NET6 => {
            let address = Ipv6Addr::from(*take_array::<16>(bytes)?);
            Value::Net(Ipv6Net::new(address, *bytes.first()?).ok()?.trunc().into())
        }
        form::ENDPOINT4 => {
            let address = Ipv4Addr::from(*take_array::<4>(bytes)?);
            Value::Endpoint(address.into(), u16::from_le_bytes(*take_array(bytes)?))
        }
        form::ENDPOINT6 => {
            let address = Ipv6Addr::from(*take_array::<16>(bytes)?);
            Value::Endpoint(address.into(), u16::from_le_bytes(*take_array(bytes)?))
        }
        form::HEX => Value::Text(hex(bytes)),
        _ => Value::Text(std::str::from_utf8(bytes).ok()?.into()),
    })
}
