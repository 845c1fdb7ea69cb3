//! What the guards withheld from the structures, so that `lookup` can explain why a
//! value does not match.

use super::contexts::Strings;
use super::layout::u32_at;
use super::posting::Posting;
use crate::engine::indicator::{Kind, Reason, Scope};

/// `{ kind u8, scope u8, reason u8, zero u8, string u32, posting u32 }`
pub(super) const ROW: usize = 12;

/// An indicator that was withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Withheld<'a> {
    pub(crate) kind: Kind,
    pub(crate) scope: Scope,
    pub(crate) reason: Reason,
    pub(crate) value: &'a str,
    pub(crate) posting: Posting,
}

/// Appends a row.
pub(super) fn push(out: &mut Vec<u8>, row: (Kind, Scope, Reason, u32, Posting)) {
    let (kind, scope, reason, string, posting) = row;
    let reason = Reason::ALL.iter().position(|r| *r == reason).unwrap_or(0) as u8;
    out.extend_from_slice(&[kind as u8, scope as u8, reason, 0]);
    out.extend_from_slice(&string.to_le_bytes());
    out.extend_from_slice(&posting.0.to_le_bytes());
}

fn read<'a>(row: &[u8], strings: Strings<'a>) -> Option<Withheld<'a>> {
    Some(Withheld {
        kind: Kind::from_number(*row.first()?)?,
        scope: Scope::from_number(*row.get(1)?)?,
        reason: *Reason::ALL.get(usize::from(*row.get(2)?))?,
        value: strings.get(u32_at(row, 4)?)?,
        posting: Posting(u32_at(row, 8)?),
    })
}

/// Every row.
pub(super) fn rows<'a>(
    section: &'a [u8],
    strings: Strings<'a>,
) -> impl Iterator<Item = Withheld<'a>> {
    section.chunks_exact(ROW).filter_map(move |row| read(row, strings))
}

/// Checks every row.
pub(super) fn check(
    section: &[u8],
    strings: Strings<'_>,
    is_posting: impl Fn(Posting) -> bool,
) -> Option<()> {
    section.len().is_multiple_of(ROW).then_some(())?;
    for row in section.chunks_exact(ROW) {
        is_posting(read(row, strings)?.posting).then_some(())?;
    }
    Some(())
}
