//! Postings: the claims of an entry.

use super::layout::u32_at;
use crate::engine::indicator::url::Scheme;
use crate::engine::indicator::{Kind, Scope};

/// Either the number of a single claim, with the top bit set, or the position of a
/// list in the section of sets. Most indicators have one claim, which takes four
/// bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Posting(pub(super) u32);

/// Marks a single claim, so that most postings need no list.
const LONE: u32 = 1 << 31;

impl Posting {
    pub(super) fn lone(claim: u32) -> Self {
        Posting(claim | LONE)
    }

    pub(super) fn list(place: u32) -> Self {
        Posting(place)
    }
}

/// What one source claims about a value: its kind, its scope, and the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Claim {
    /// The number of the context.
    pub(crate) context: u32,
    /// The kind of the indicator.
    pub(crate) kind: Kind,
    /// How far it reaches.
    pub(crate) scope: Scope,
    /// Scheme of a URL.
    pub(crate) scheme: Scheme,
}

/// The size of a row of claims, in bytes.
pub(super) const CLAIM_ROW: usize = 8;

impl Claim {
    pub(super) fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.context.to_le_bytes());
        out.extend_from_slice(&[self.kind as u8, self.scope as u8, self.scheme as u8, 0]);
    }

    fn read(bytes: &[u8], number: u32) -> Option<Claim> {
        let at = usize::try_from(number).ok()?.checked_mul(CLAIM_ROW)?;
        let row = bytes.get(at..at + CLAIM_ROW)?;
        Some(Claim {
            context: u32_at(row, 0)?,
            kind: Kind::from_number(row[4])?,
            scope: Scope::from_number(row[5])?,
            scheme: Scheme::from_number(row[6])?,
        })
    }
}

/// The sections of claims and of sets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Postings<'a> {
    pub(super) claims: &'a [u8],
    pub(super) sets: &'a [u8],
}

impl<'a> Postings<'a> {
    /// The claims of `posting`, in the order of their contexts.
    pub(super) fn claims(self, posting: Posting) -> impl Iterator<Item = Claim> + use<'a> {
        let lone = posting.0 & LONE != 0;
        let place = posting.0 as usize;
        let len = if lone { 1 } else { u32_at(self.sets, place * 4).unwrap_or(0) };
        (0..len).map_while(move |at| {
            let number = if lone {
                posting.0 & !LONE
            } else {
                u32_at(self.sets, (place + 1 + at as usize) * 4)?
            };
            Claim::read(self.claims, number)
        })
    }

    /// Whether `posting` refers to claims.
    pub(super) fn is_sound(self, posting: Posting) -> bool {
        let claims = self.claims.len() / CLAIM_ROW;
        if posting.0 & LONE != 0 {
            return ((posting.0 & !LONE) as usize) < claims;
        }
        let place = posting.0 as usize;
        u32_at(self.sets, place * 4)
            .is_some_and(|len| len > 0 && (place + 1 + len as usize) * 4 <= self.sets.len())
    }

    /// Checks every claim and every list.
    pub(super) fn check(self, contexts: usize) -> Option<()> {
        let claims = self.claims.len() / CLAIM_ROW;
        (self.claims.len() == claims * CLAIM_ROW && self.sets.len().is_multiple_of(4))
            .then_some(())?;
        for number in 0..claims {
            let claim = Claim::read(self.claims, number as u32)?;
            ((claim.context as usize) < contexts).then_some(())?;
        }
        let mut place = 0;
        while place * 4 < self.sets.len() {
            let len = u32_at(self.sets, place * 4)? as usize;
            (len > 0).then_some(())?;
            for at in 0..len {
                let number = u32_at(self.sets, (place + 1 + at) * 4)?;
                ((number as usize) < claims).then_some(())?;
            }
            place += 1 + len;
        }
        Some(())
    }
}
