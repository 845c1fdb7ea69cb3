//! What an author's indicators turned out to be worth, and what its votes weigh.

use crate::engine::indicator::Timestamp;

/// The last indicators of an author that its reputation is counted over.
pub const SAMPLE: i64 = 1000;

/// The parts of a reputation: counts over the last [`SAMPLE`] public indicators of an author.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reputation {
    /// How many there are.
    pub indicators: u64,
    /// Of them, those that somebody else published, too, within 30 days after.
    pub corroborated: u64,
    /// Of them, those that were accepted as false positives.
    pub false_positives: u64,
    /// Suggested changes of others' pulses that were accepted.
    pub accepted_edits: u64,
    /// When it was counted; the beginning of time if it never was.
    pub computed: Timestamp,
}

/// What a vote of an account weighs, in thousandths: nothing on its first day, one after 90 days,
/// and up to five times that for somebody whose edits were accepted and whose indicators others
/// confirmed. A crowd of new accounts weighs nothing.
pub fn weight(created: Timestamp, now: Timestamp, of: &Reputation) -> i64 {
    const DAY: i64 = 86_400_000_000;
    let days = (now.0.saturating_sub(created.0) / DAY).clamp(0, 90);
    let edits = i64::try_from(of.accepted_edits.min(20)).unwrap_or(20);
    let share = |part: u64| match of.indicators {
        0 => 0,
        // Of few indicators, each says little.
        all => i64::try_from(part.min(all) * 2000 / all.max(20)).unwrap_or(0),
    };
    let worth = 1000 + edits * 100 + share(of.corroborated) - share(of.false_positives);
    days * worth.clamp(0, 5000) / 90
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_weigh_by_age_edits_and_corroboration() {
        const DAY: i64 = 86_400_000_000;
        let at = |days: i64, of: Reputation| weight(Timestamp(0), Timestamp(days * DAY), &of);
        let nobody = Reputation::default();
        assert_eq!(
            [at(0, nobody), at(9, nobody), at(90, nobody), at(900, nobody)],
            [0, 100, 1000, 1000]
        );
        let known = Reputation { indicators: 100, corroborated: 50, accepted_edits: 40, ..nobody };
        assert_eq!(at(90, known), 4000);
        let wrong = Reputation { indicators: 100, false_positives: 50, ..nobody };
        assert_eq!(at(90, wrong), 0);
        // One lucky indicator is not a share of all.
        assert_eq!(at(90, Reputation { indicators: 1, corroborated: 1, ..nobody }), 1100);
    }
}
