//! Parts of a compilation, which share its strings and their order.
//!
//! To find out what each of sixteen feeds costs, `bench` compiles a set sixteen times without one of
//! them. Each time the same strings were copied, checked and sorted again; here they are taken over
//! in the order that they have.

use super::Compiler;
use crate::engine::database::Claim;
use crate::engine::indicator::{Context, Kind, Role};
use std::sync::Arc;

/// Which claims are in a part, and what became of their numbers.
struct Kept {
    /// The new number of each claim, if it is in the part.
    claims: Vec<Option<u32>>,
    /// The context of each claim of the part, by its new number.
    contexts: Vec<u32>,
    /// The values of each claim of the part.
    counts: Vec<u64>,
}

impl Kept {
    /// The new number of the claim of a value.
    fn claim(&mut self, number: u32) -> Option<u32> {
        let new = self.claims[number as usize]?;
        self.counts[new as usize] += 1;
        Some(new)
    }
}

impl Compiler {
    /// Sorts what was added, for [`Self::part`]. Nothing can be added afterwards.
    pub(crate) fn sort(&mut self) {
        self.nets4.sort_unstable();
        self.nets6.sort_unstable();
        self.endpoints.sort_unstable();
        self.patterns.sort_unstable();
        self.withheld.sort_unstable();
        for arena in self.arenas() {
            arena.sort_and_share();
        }
        self.digests.values_mut().for_each(super::Arena::sort_and_share);
    }

    fn arenas(&mut self) -> [&mut super::Arena; 5] {
        [&mut self.domains, &mut self.urls, &mut self.paths, &mut self.emails, &mut self.words]
    }

    /// What would have been compiled if only the claims had been added that `keeps` accepts by
    /// their context and their kind. No guard or list is asked again.
    pub(crate) fn part(&self, keeps: &dyn Fn(&Context<'static>, Kind) -> bool) -> Compiler {
        let mut part = Compiler { options: self.options.clone(), ..Compiler::default() };
        part.set_subscribed(self.subscribed.clone());
        let mut kept = self.kept(keeps, &mut part);
        let nets4 = self.nets4.iter();
        part.nets4 = nets4.filter_map(|&(a, l, c)| Some((a, l, kept.claim(c)?))).collect();
        let nets6 = self.nets6.iter();
        part.nets6 = nets6.filter_map(|&(a, l, c)| Some((a, l, kept.claim(c)?))).collect();
        let endpoints = self.endpoints.iter();
        part.endpoints = endpoints.filter_map(|&(end, c)| Some((end, kept.claim(c)?))).collect();
        for (len, arena) in &self.digests {
            let arena = arena.part(&mut |claim| kept.claim(claim));
            if arena.len() > 0 {
                part.digests.insert(*len, arena);
            }
        }
        part.domains = self.domains.part(&mut |claim| kept.claim(claim));
        part.urls = self.urls.part(&mut |claim| kept.claim(claim));
        part.paths = self.paths.part(&mut |claim| kept.claim(claim));
        part.emails = self.emails.part(&mut |claim| kept.claim(claim));
        part.words = self.words.part(&mut |claim| kept.claim(claim));
        for (kind, scope, text, claim) in &self.patterns {
            if let Some(claim) = kept.claim(*claim) {
                part.patterns.push((*kind, *scope, text.clone(), claim));
            }
        }
        part.count_kept(&kept);
        // What is withheld is no indicator of the part.
        for (kind, scope, reason, text, claim) in &self.withheld {
            if let Some(claim) = kept.claim(*claim) {
                part.withheld.push((*kind, *scope, *reason, text.clone(), claim));
            }
        }
        part
    }

    /// Numbers the claims of a part and their contexts, in the order of the whole.
    fn kept(&self, keeps: &dyn Fn(&Context<'static>, Kind) -> bool, part: &mut Compiler) -> Kept {
        let mut claims: Vec<(u32, Claim)> = self.claims.iter().map(|(c, n)| (*n, *c)).collect();
        claims.sort_unstable_by_key(|(number, _)| *number);
        let mut contexts: Vec<Option<u32>> = vec![None; self.feed_of_context.len()];
        let mut kept = Kept { claims: vec![None; claims.len()], contexts: vec![], counts: vec![] };
        for (number, claim) in claims {
            let (context, ..) = &self.feed_of_context[claim.context as usize];
            if !keeps(context, claim.kind) {
                continue;
            }
            let of_part = *contexts[claim.context as usize].get_or_insert_with(|| {
                let next = part.feed_of_context.len() as u32;
                part.feed_of_context.push((Arc::clone(context), 0, 0));
                part.contexts.insert(Arc::clone(context), next);
                next
            });
            let new = part.claims.len() as u32;
            part.claims.insert(Claim { context: of_part, ..claim }, new);
            kept.claims[number as usize] = Some(new);
            kept.contexts.push(of_part);
        }
        kept.counts = vec![0; kept.contexts.len()];
        kept
    }

    /// Counts the indicators of a part, in which each claim of a value is one.
    fn count_kept(&mut self, kept: &Kept) {
        for (context, count) in kept.contexts.iter().zip(&kept.counts) {
            let (of, indicators, _) = &mut self.feed_of_context[*context as usize];
            *indicators += count;
            self.indicators += count;
            self.allowed += if of.role == Role::Allow { *count } else { 0 };
        }
    }
}
