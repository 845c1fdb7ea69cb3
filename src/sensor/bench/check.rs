//! What became of a threshold, as people read it.

use super::fields;
use std::fmt;

/// A number that is not in a report.
pub(super) const MISSING: &str = "a report does not have it";

/// What became of a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is not met.
    Fine,
    /// It is met: the report is worse than allowed.
    Met,
    /// It cannot be said, and why. That is no failure: costs differ between machines, and a share
    /// of nothing is none.
    NotComparable(&'static str),
    /// It cannot be said, and why. That is a failure, since it might be met.
    Unknown(&'static str),
}

/// A threshold and both numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The expression.
    pub expression: String,
    /// The name of its field.
    pub field: String,
    /// Whether there is a baseline.
    pub has_baseline: bool,
    /// The value in the baseline.
    pub old: Option<f64>,
    /// The value now.
    pub new: Option<f64>,
    /// What became of it.
    pub outcome: Outcome,
}

impl Check {
    /// Why it cannot be said, with what is to be done about it.
    fn reason(&self, why: &str) -> String {
        if why != MISSING {
            return why.to_string();
        }
        let who = match (self.has_baseline, self.old, self.new) {
            (false, ..) => "this run does not have it",
            (true, None, None) => "neither report has it",
            (true, None, Some(_)) => "the baseline does not have it",
            (true, Some(_), _) => "this run does not have it",
        };
        match fields::need(&self.field) {
            Some(need) => format!("{who}; it needs {need}"),
            None => who.to_string(),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number =
            |value: Option<f64>| value.map_or("unknown".into(), |value| format!("{value}"));
        match (self.old, self.new) {
            (None, now) if !self.has_baseline || now.is_some() => {
                write!(f, "{}: {} now", self.expression, number(now))?;
            }
            (old, new) => {
                write!(f, "{}: {} before, {} now", self.expression, number(old), number(new))?;
            }
        }
        match self.outcome {
            Outcome::Fine => Ok(()),
            Outcome::Met => f.write_str(": the threshold is met"),
            Outcome::NotComparable(why) => write!(f, ": not comparable: {}", self.reason(why)),
            Outcome::Unknown(why) => write!(f, ": cannot be computed: {}", self.reason(why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_with_its_remedy() {
        let check = |field: &str, has_baseline, old, new| Check {
            expression: format!("{field}>1"),
            field: field.into(),
            has_baseline,
            old,
            new,
            outcome: Outcome::Unknown(MISSING),
        };
        for (check, want) in [
            (
                check("novelty", false, None, None),
                "novelty>1: unknown now: cannot be computed: this run does not have it; it needs \
                 the ledger of the feeds (--config)",
            ),
            (
                check("precision", true, None, Some(0.5)),
                "precision>1: 0.5 now: cannot be computed: the baseline does not have it; it needs \
                 --verdicts",
            ),
            (
                check("popular_values", true, Some(3.0), None),
                "popular_values>1: 3 before, unknown now: cannot be computed: this run does not \
                 have it; it needs --popular",
            ),
            (
                check("bytes_alone", true, None, None),
                "bytes_alone>1: unknown before, unknown now: cannot be computed: neither report \
                 has it; it needs --cost=feeds",
            ),
            (
                check("live", true, None, None),
                "live>1: unknown before, unknown now: cannot be computed: neither report has it",
            ),
        ] {
            assert_eq!(check.to_string(), want);
        }
    }
}
