//! Nested codings, decoded as they stream.

use crate::engine::packet::Fault;
use crate::engine::packet::payload::coding::{Coding, InflateBudget, Spent};

/// Decodes nested codings, the outermost first. The output of each of them counts towards the
/// budget, because the next one must process it.
///
/// # Errors
///
/// The fault of a coding, of the receiver of the content, or that decoding costs too much.
pub(in crate::engine::packet) fn undo(
    codings: &mut [Coding],
    spent: &mut Spent,
    budget: &InflateBudget,
    data: &[u8],
    out: &mut dyn FnMut(&[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    if codings.is_empty() {
        return out(data);
    }
    spent.take(data.len());
    chain(codings, data, &mut |bytes| spent.give(bytes.len(), budget), out)
}

fn chain(
    codings: &mut [Coding],
    data: &[u8],
    pay: &mut dyn FnMut(&[u8]) -> Result<(), Fault>,
    out: &mut dyn FnMut(&[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let Some((first, rest)) = codings.split_first_mut() else { return out(data) };
    first.push(data, &mut |bytes| {
        pay(bytes)?;
        chain(rest, bytes, pay, out)
    })
}
