//! What a set and its groups cost: from measurements to the report.
//!
//! The caller scans the same text with the set, with a copy of it, and with the set without
//! each group, in rounds. The difference between the set and its copy is what noise alone gives.
//! A group whose difference is not larger than that is reported as below the noise.

use super::ranks::estimate;
use super::report::{Cost, GroupCost, Interval, KindCost, Passes, Report};
use super::subset::Subset;
use super::{Bench, advice};
use crate::engine::indicator::Kind;
use crate::engine::scan::FilterCounts;
use std::collections::BTreeMap;

/// The share of its time by which a set may differ from its copy until costs are unreliable.
const MAX_AA: f64 = 0.01;

/// The bytes that costs are given for.
const MIB: f64 = 1_048_576.0;

/// What is known of a database without measuring time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Its size.
    pub bytes: u64,
    /// How far the candidates of the text get; `None` without a text.
    pub filters: Option<FilterCounts>,
}

/// Databases that were measured in turns: nanoseconds, by round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The set.
    pub set: Vec<u64>,
    /// A copy of it.
    pub copy: Vec<u64>,
    /// Its parts.
    pub parts: Vec<(Subset, Vec<u64>)>,
}

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// The machine.
    pub machine: String,
    /// Bytes that were scanned for each time.
    pub bytes: u64,
    /// Rounds.
    pub rounds: u64,
    /// What databases weigh: the whole set, and parts of it.
    pub weights: BTreeMap<Subset, Weight>,
    /// Times. If not all databases fit into memory at once, there are several blocks.
    pub blocks: Vec<Block>,
    /// Alerts by group and kind, if kinds were measured.
    pub alerts: BTreeMap<(u32, Kind), u64>,
}

impl Measured {
    /// The differences between one database and another, by round, in nanoseconds a MiB.
    fn difference(&self, a: &[u64], b: &[u64]) -> Option<Interval> {
        let scale = MIB / self.bytes.max(1) as f64;
        let rounds = a.iter().zip(b).map(|(a, b)| (*a as f64 - *b as f64) * scale);
        estimate(&rounds.collect::<Vec<_>>())
    }

    /// The time of the set.
    fn set(&self) -> Option<Interval> {
        let all: Vec<u64> =
            self.blocks.iter().flat_map(|block| block.set.iter().copied()).collect();
        // More rounds would not make it more precise than anybody needs.
        let all = &all[..all.len().min(super::ranks::MAX_PAIRS)];
        self.difference(all, &vec![0; all.len()])
    }

    /// What noise alone gives: of several blocks the one with most.
    fn noise(&self) -> Option<Interval> {
        let all = self.blocks.iter().filter_map(|it| self.difference(&it.set, &it.copy));
        let reach = |it: &Interval| it.low.abs().max(it.high.abs());
        all.max_by(|a, b| reach(a).total_cmp(&reach(b)))
    }

    /// What a part costs: how much longer the set takes than the set without it.
    fn part(&self, subset: Subset) -> Option<Interval> {
        self.blocks.iter().find_map(|block| {
            let (_, times) = block.parts.iter().find(|(of, _)| *of == subset)?;
            self.difference(&block.set, times)
        })
    }

    /// How much less there is in a part.
    fn less(&self, subset: Subset, of: impl Fn(&Weight) -> Option<u64>) -> Option<i64> {
        let whole = of(self.weights.get(&Subset::Whole)?)?;
        let part = of(self.weights.get(&subset)?)?;
        Some(whole as i64 - part as i64)
    }
}

/// Whether a cost cannot be distinguished from noise.
fn is_below(cost: &Interval, noise: &Interval) -> bool {
    let half = (noise.high - noise.low) / 2.0;
    (cost.low <= 0.0 && cost.high >= 0.0) || cost.median.abs() < half
}

impl Bench<'_> {
    /// Adds what was measured to a report, and what it suggests.
    pub fn fill_cost(&self, report: &mut Report, measured: &Measured) {
        let (set, noise) = (measured.set(), measured.noise());
        let is_below = |cost: Option<Interval>| Some(is_below(&cost?, &noise?));
        for (number, group) in (0..).zip(&mut report.groups) {
            let without = Subset::Without(number);
            let ns_per_mib = measured.part(without);
            let filters = |weight: &Weight| Some(weight.filters?.passed);
            group.cost = Some(GroupCost {
                bytes_alone: measured.weights.get(&Subset::Alone(number)).map(|it| it.bytes),
                bytes_marginal: measured.less(without, |weight| Some(weight.bytes)),
                passes_marginal: measured.less(without, filters),
                ns_per_mib,
                below_noise: is_below(ns_per_mib),
            });
        }
        let whole = measured.weights.get(&Subset::Whole);
        report.cost = Some(Cost {
            machine: measured.machine.clone(),
            threads: 1,
            rounds: measured.rounds,
            bytes: measured.bytes,
            ns_per_mib: set,
            aa: noise,
            unreliable: set
                .zip(noise)
                .is_some_and(|(set, aa)| aa.median.abs() > MAX_AA * set.median),
            passes: whole.and_then(|it| it.filters).map(passes),
            kinds: self.kind_costs(measured, &is_below),
        });
        if measured.blocks.is_empty() {
            report
                .notes
                .push("no log was read: the time that groups cost is measured on logs".into());
        }
        advice::advise(report);
    }

    fn kind_costs(
        &self,
        measured: &Measured,
        is_below: &dyn Fn(Option<Interval>) -> Option<bool>,
    ) -> Option<Vec<KindCost>> {
        let is_kind = |subset: &Subset| matches!(subset, Subset::WithoutKind(..));
        if !measured.weights.keys().any(is_kind) {
            return None;
        }
        let kinds = self.kinds().into_iter().map(|((group, kind), values)| {
            let ns_per_mib = measured.part(Subset::WithoutKind(group, kind));
            KindCost {
                group: self.groups.name(group).to_string(),
                kind: kind.name().to_string(),
                values,
                alerts: measured.alerts.get(&(group, kind)).copied().unwrap_or(0),
                ns_per_mib,
                below_noise: is_below(ns_per_mib),
            }
        });
        let mut kinds: Vec<_> = kinds.collect();
        let cost = |it: &KindCost| it.ns_per_mib.map_or(f64::NEG_INFINITY, |cost| cost.median);
        kinds.sort_by(|a, b| {
            let name = |it: &KindCost| (it.group.clone(), it.kind.clone());
            cost(b).total_cmp(&cost(a)).then_with(|| name(a).cmp(&name(b)))
        });
        Some(kinds)
    }
}

fn passes(counts: FilterCounts) -> Passes {
    let FilterCounts { asked, passed, walked, met } = counts;
    Passes { asked, passed, walked, met }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers as noise has them: mostly near zero, sometimes large.
    struct Noise(u64);

    impl Noise {
        fn next(&mut self) -> u64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let random = self.0 >> 40;
            if random.is_multiple_of(16) { random % 400_000 } else { random % 20_000 }
        }

        fn times(&mut self, base: u64, rounds: usize) -> Vec<u64> {
            (0..rounds).map(|_| base + self.next()).collect()
        }
    }

    fn measured(noise: &mut Noise, extra: u64) -> Measured {
        let base = 2_000_000;
        let set = noise.times(base + extra, 21);
        let copy = noise.times(base + extra, 21);
        let parts = vec![(Subset::Without(0), noise.times(base, 21))];
        let blocks = vec![Block { set, copy, parts }];
        Measured { bytes: 1 << 20, rounds: 21, blocks, ..Measured::default() }
    }

    #[test]
    fn what_costs_nothing_is_below_the_noise_and_what_costs_is_not() {
        let mut noise = Noise(1);
        let below = |extra: u64, noise: &mut Noise| {
            let all = (0..200).filter(|_| {
                let measured = measured(noise, extra);
                is_below(&measured.part(Subset::Without(0)).unwrap(), &measured.noise().unwrap())
            });
            all.count()
        };
        // The test errs in 5% of cases, and the width of A/A makes that fewer.
        let (without, with) = (below(0, &mut noise), below(40_000, &mut noise));
        assert!(without >= 190, "{without} of 200");
        // 2% of the time.
        assert!(with <= 20, "{with} of 200");
        let cost = measured(&mut noise, 40_000).part(Subset::Without(0)).unwrap();
        assert!(cost.low < 40_000.0 && cost.high > 40_000.0, "{cost:?}");
    }

    #[test]
    fn the_noisiest_block_decides() {
        let quiet = Block { set: vec![10; 8], copy: vec![10; 8], parts: vec![] };
        let loud = Block { set: (10..18).collect(), copy: vec![10; 8], parts: vec![] };
        let blocks = vec![quiet, loud];
        let measured = Measured { bytes: 1 << 20, blocks, ..Measured::default() };
        assert_eq!(measured.noise().unwrap().median, 3.5);
        assert_eq!(Measured::default().noise(), None);
    }
}
