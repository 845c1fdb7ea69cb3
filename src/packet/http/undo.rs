//! Codings upon each other, undone as they stream.

use crate::packet::Fault;
use crate::packet::coding::{Coding, FREE_OUTPUT, MOST_RATIO};

/// How far a body was unpacked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Undone {
    taken: u64,
    given: u64,
}

/// Undoes codings upon each other, the outermost first. Each has its bound; this
/// is the one on all of them.
pub(super) fn undo(
    codings: &mut [Coding],
    undone: &mut Undone,
    data: &[u8],
    out: &mut dyn FnMut(&[u8]),
) -> Result<(), Fault> {
    if codings.is_empty() {
        out(data);
        return Ok(());
    }
    undone.taken += data.len() as u64;
    let most = FREE_OUTPUT + undone.taken.saturating_mul(MOST_RATIO);
    chain(codings, data, &mut |bytes| {
        undone.given += bytes.len() as u64;
        if undone.given > most {
            return Err(Fault::CodingBomb);
        }
        out(bytes);
        Ok(())
    })
}

fn chain(
    codings: &mut [Coding],
    data: &[u8],
    out: &mut dyn FnMut(&[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let Some((first, rest)) = codings.split_first_mut() else { return out(data) };
    let mut inner = Ok(());
    first.push(data, &mut |bytes| {
        if inner.is_ok() {
            inner = chain(rest, bytes, out);
        }
    })?;
    inner
}
