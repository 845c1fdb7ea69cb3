//! Joins rows with equal keys.

use crate::engine::compile::arena::{self, Arena};
use crate::engine::database::{Contents, Keyed, Posting, StringSections, lay_out};
use crate::{Error, Result};

/// Strings of one kind, sorted and without duplicates, with their postings.
pub(super) struct Table {
    keyed: Keyed,
    arena: Arena,
    pub(super) rows: Vec<(arena::StringSpan, Posting)>,
}

impl Table {
    pub(super) fn new(
        keyed: Keyed,
        (arena, rows): (Arena, Vec<(arena::StringSpan, Posting)>),
    ) -> Self {
        Table { keyed, arena, rows }
    }

    pub(super) fn lay_out(&self) -> Result<StringSections> {
        lay_out(self.keyed, self.rows.iter().map(|(at, p)| (self.arena.key(*at), *p)))
    }
}

/// Joins rows with equal keys into one with all their claims.
pub(super) struct Joiner {
    pub(super) contents: Contents,
    pub(super) renumber: Vec<u32>,
}

impl Joiner {
    fn posting(&mut self, claims: &mut Vec<u32>) -> Posting {
        for claim in claims.iter_mut() {
            *claim = self.renumber[*claim as usize];
        }
        claims.sort_unstable();
        claims.dedup();
        let posting = self.contents.posting(claims);
        claims.clear();
        posting
    }

    /// Joins `rows`, which are sorted by `key`.
    pub(super) fn join<R, K: PartialEq>(
        &mut self,
        rows: Vec<R>,
        key: impl Fn(&R) -> K,
        claim: impl Fn(&R) -> u32,
    ) -> Vec<(K, Posting)> {
        let mut joined = Vec::with_capacity(rows.len());
        let mut claims = Vec::new();
        let mut rows = rows.into_iter().peekable();
        while let Some(row) = rows.next() {
            claims.push(claim(&row));
            let key_of_row = key(&row);
            if rows.peek().is_none_or(|next| key(next) != key_of_row) {
                joined.push((key_of_row, self.posting(&mut claims)));
            }
        }
        joined
    }

    /// Joins the strings of a sorted arena.
    pub(super) fn join_arena(
        &mut self,
        mut arena: Arena,
    ) -> Result<(Arena, Vec<(arena::StringSpan, Posting)>)> {
        if arena.lost() > 0 {
            return Err(Error::usage(format!("{} values of one kind do not fit", arena.lost()))
                .remedy("a kind can hold 4 GiB of text; split the feeds over several databases"));
        }
        let mut joined = Vec::with_capacity(arena.len());
        let mut claims = Vec::new();
        for at in 0..arena.len() {
            claims.push(arena.claim(at));
            let place = arena.place(at);
            let last = at + 1 == arena.len() || arena.key(arena.place(at + 1)) != arena.key(place);
            if last {
                joined.push((place, self.posting(&mut claims)));
            }
        }
        arena.forget_rows();
        Ok((arena, joined))
    }
}
