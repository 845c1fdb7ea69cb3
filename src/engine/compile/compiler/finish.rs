//! Turns what was collected into the contents of a database.

use super::Compiler;
use super::joiner::{Joiner, Table};
use super::refused::Refused;
use crate::engine::compile::arena::Arena;
use crate::engine::database::{Claim, Contents, FeedSummary, Keyed, StringSections, Summary};
use crate::engine::indicator::{Context, Kind, Scope, Timestamp};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Runs two halves of some work, in parallel if possible. This room starts no
/// threads; the caller provides this.
pub type Together<'t> = &'t dyn Fn(&mut (dyn FnMut() + Send), &mut (dyn FnMut() + Send));

fn one_after_the_other(a: &mut (dyn FnMut() + Send), b: &mut (dyn FnMut() + Send)) {
    a();
    b();
}

impl Compiler {
    /// Writes the database and moves it into place atomically. Returns its summary
    /// and its size in bytes.
    ///
    /// # Errors
    ///
    /// The directory cannot be written or the disk is full. The old database is
    /// then kept.
    pub fn publish(self, path: &Path, built: Timestamp) -> Result<(Summary, u64)> {
        self.publish_with(path, built, &one_after_the_other)
    }

    /// Like [`Self::publish`], with `together` running halves of the work, in
    /// parallel if possible. The resulting bytes are the same.
    ///
    /// # Errors
    ///
    /// Like [`Self::publish`].
    pub fn publish_with(
        self,
        path: &Path,
        built: Timestamp,
        together: Together<'_>,
    ) -> Result<(Summary, u64)> {
        let (contents, summary) = self.contents(together)?;
        let size = contents.publish(path, built, &summary)?;
        Ok((summary, size))
    }

    /// Returns the database as bytes, for tests and for lists on the command line.
    ///
    /// # Errors
    ///
    /// There is more than the format can hold.
    pub fn into_bytes(self, built: Timestamp) -> Result<Vec<u8>> {
        let (contents, summary) = self.contents(&one_after_the_other)?;
        contents.into_bytes(built, &summary)
    }

    fn contents(mut self, together: Together<'_>) -> Result<(Contents, Summary)> {
        let mut summary = self.summary();
        for Refused { value, reason, feed, .. } in self.refused.take() {
            let context = self.number_of(Arc::new(Context::of_feed(feed.into_string())));
            self.withhold((Kind::Opaque, Scope::Exact, reason), &value, context);
        }
        let (contexts, claims, renumber) = self.canonical_claims()?;
        let contents = Contents::new(contexts.iter().map(|c| &**c), claims);
        let mut joiner = Joiner { contents, renumber };
        let mut count = |name: &str, values: usize| {
            if values > 0 {
                *summary.values.entry(name.into()).or_default() += values as u64;
            }
        };

        self.finish_addresses(&mut joiner, &mut count);
        // Names are about half of the work.
        let mut names = std::mem::take(&mut self.domains);
        let mut others = [
            ("url", Keyed::Urls, std::mem::take(&mut self.urls)),
            ("url_path", Keyed::Paths, std::mem::take(&mut self.paths)),
            ("email", Keyed::Emails, std::mem::take(&mut self.emails)),
            ("word", Keyed::Words, std::mem::take(&mut self.words)),
        ];
        let digests = &mut self.digests;
        together(&mut || names.sort(), &mut || {
            digests.values_mut().for_each(Arena::sort);
            others.iter_mut().for_each(|(_, _, arena)| arena.sort());
        });
        for (len, arena) in std::mem::take(&mut self.digests) {
            let (arena, rows) = joiner.join_arena(arena)?;
            let rows: Vec<_> = rows.iter().map(|(at, p)| (arena.key(*at), *p)).collect();
            count(&format!("digest-{len}"), rows.len());
            joiner.contents.digests(len, &rows);
        }
        let names = Table::new(Keyed::Domains, joiner.join_arena(names)?);
        count("domain", names.rows.len());
        let mut tables = Vec::new();
        for (name, keyed, arena) in others {
            let table = Table::new(keyed, joiner.join_arena(arena)?);
            count(name, table.rows.len());
            tables.push(table);
        }
        let (mut first, mut rest) = (Ok(StringSections::default()), Vec::new());
        together(&mut || first = names.lay_out(), &mut || {
            rest = tables.iter().map(Table::lay_out).collect();
        });
        joiner.contents.add(first?);
        for table in rest {
            joiner.contents.add(table?);
        }
        self.finish_patterns(&mut joiner, &mut count);
        Ok((joiner.contents, summary))
    }

    fn finish_addresses(&mut self, joiner: &mut Joiner, count: &mut impl FnMut(&str, usize)) {
        self.nets4.sort_unstable();
        let nets = joiner.join(std::mem::take(&mut self.nets4), |&(a, l, _)| (a, l), |n| n.2);
        let nets: Vec<_> = nets.into_iter().map(|((a, l), p)| (a, l, p)).collect();
        count("ip", nets.iter().filter(|n| n.1 == 32).count());
        count("net", nets.iter().filter(|n| n.1 < 32).count());
        joiner.contents.nets4(&nets);

        self.nets6.sort_unstable();
        let nets = joiner.join(std::mem::take(&mut self.nets6), |&(a, l, _)| (a, l), |n| n.2);
        let nets: Vec<_> = nets.into_iter().map(|((a, l), p)| (a, l, p)).collect();
        count("ip", nets.iter().filter(|n| n.1 == 128).count());
        count("net", nets.iter().filter(|n| n.1 < 128).count());
        joiner.contents.nets6(&nets);

        self.endpoints.sort_unstable();
        let rows = joiner.join(std::mem::take(&mut self.endpoints), |e| e.0, |e| e.1);
        count("endpoint", rows.len());
        joiner.contents.endpoints(&rows);
    }

    fn finish_patterns(&mut self, joiner: &mut Joiner, count: &mut impl FnMut(&str, usize)) {
        self.patterns.sort_unstable();
        let rows = joiner.join(
            std::mem::take(&mut self.patterns),
            |(kind, scope, text, _)| (*kind, *scope, text.clone()),
            |row| row.3,
        );
        count("pattern", rows.len());
        let rows: Vec<_> = rows.iter().map(|((k, s, text), p)| (*k, *s, &**text, *p)).collect();
        joiner.contents.patterns(&rows);
        self.withheld.sort_unstable();
        let rows = joiner.join(
            std::mem::take(&mut self.withheld),
            |(kind, scope, reason, text, _)| (*kind, *scope, *reason, text.clone()),
            |row| row.4,
        );
        for ((kind, scope, reason, text), posting) in rows {
            joiner.contents.withheld((kind, scope, reason), &text, posting);
        }
    }

    fn summary(&self) -> Summary {
        let mut feeds: BTreeMap<String, FeedSummary> = BTreeMap::new();
        for (context, indicators, guarded) in &self.feed_of_context {
            if *indicators == 0 {
                continue;
            }
            let feed = feeds.entry(context.feed.to_string()).or_default();
            feed.indicators += indicators;
            feed.guarded += guarded;
            feed.inactive += if context.inactive { *indicators } else { 0 };
            if let Some(Timestamp(until)) = context.valid_until {
                feed.first_expiry = Some(feed.first_expiry.map_or(until, |t| t.min(until)));
                feed.last_expiry = Some(feed.last_expiry.map_or(until, |t| t.max(until)));
            }
        }
        Summary {
            compiler: concat!("wiresift ", env!("CARGO_PKG_VERSION")).into(),
            indicators: self.indicators,
            allowed: self.allowed,
            guarded: self.guarded.iter().map(|(r, n)| (r.name().to_string(), *n)).collect(),
            subscribed: self.subscribed.clone(),
            feeds,
            values: BTreeMap::new(),
        }
    }

    /// Sorts contexts and claims, so that their order does not depend on that of
    /// the input. Returns the new number of each claim.
    #[expect(clippy::type_complexity, reason = "three parts of one answer")]
    fn canonical_claims(&mut self) -> Result<(Vec<Arc<Context<'static>>>, Vec<Claim>, Vec<u32>)> {
        let mut contexts: Vec<(Arc<Context<'static>>, u32)> =
            std::mem::take(&mut self.contexts).into_iter().collect();
        contexts.sort_unstable();
        let mut context_numbers = vec![0u32; contexts.len()];
        for (new, (_, old)) in contexts.iter().enumerate() {
            context_numbers[*old as usize] = new as u32;
        }
        let mut claims: Vec<(Claim, u32)> = std::mem::take(&mut self.claims)
            .into_iter()
            .map(|(claim, old)| {
                (Claim { context: context_numbers[claim.context as usize], ..claim }, old)
            })
            .collect();
        claims.sort_unstable();
        if claims.len() >= 1 << 31 {
            return Err(Error::usage("more than two billion different claims")
                .remedy("split the feeds over several databases"));
        }
        let mut renumber = vec![0u32; claims.len()];
        for (new, (_, old)) in claims.iter().enumerate() {
            renumber[*old as usize] = new as u32;
        }
        let contexts = contexts.into_iter().map(|(context, _)| context).collect();
        Ok((contexts, claims.into_iter().map(|(claim, _)| claim).collect(), renumber))
    }
}
