//! Estimates from paired measurements, without assumptions about how noise is distributed.
//!
//! A busy machine delays some runs a lot and none of them negatively, so means and their standard
//! errors say little. The Hodges–Lehmann estimate is the median of all pairwise means (Walsh
//! averages). Its interval inverts Wilcoxon's signed-rank test: it holds every difference that the
//! test does not reject at 5%.

use super::report::Interval;

/// The largest number of pairs for which the distribution is computed.
pub(super) const MAX_PAIRS: usize = 200;

/// Half of the error that the interval allows.
const TAIL: f64 = 0.025;

/// The Hodges–Lehmann estimate of the median with its 95% interval. `None` with fewer than six
/// samples, of which there is no such interval, or with more than [`MAX_PAIRS`].
pub(super) fn estimate(samples: &[f64]) -> Option<Interval> {
    let critical = critical(samples.len())?;
    let mut walsh = Vec::with_capacity(samples.len() * (samples.len() + 1) / 2);
    for (at, a) in samples.iter().enumerate() {
        walsh.extend(samples[at..].iter().map(|b| f64::midpoint(*a, *b)));
    }
    walsh.sort_unstable_by(f64::total_cmp);
    let middle = walsh.len() / 2;
    let median = match walsh.len() % 2 {
        0 => f64::midpoint(walsh[middle - 1], walsh[middle]),
        _ => walsh[middle],
    };
    Some(Interval { median, low: walsh[critical], high: walsh[walsh.len() - 1 - critical] })
}

/// The largest sum of ranks that the test rejects at 2.5% on one side, for `n` pairs.
fn critical(n: usize) -> Option<usize> {
    if n > MAX_PAIRS {
        return None;
    }
    // The number of sets of ranks with each sum, as a share of all 2^n sets.
    let most = n * (n + 1) / 2;
    let mut shares = vec![0.0; most + 1];
    shares[0] = 1.0;
    for rank in 1..=n {
        for sum in (0..=rank * (rank + 1) / 2).rev() {
            let with = if sum >= rank { shares[sum - rank] } else { 0.0 };
            shares[sum] = (shares[sum] + with) / 2.0;
        }
    }
    let mut below = 0.0;
    let rejected = shares.iter().take_while(|share| {
        below += **share;
        below <= TAIL
    });
    rejected.count().checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn critical_values_are_those_of_the_tables() {
        // Wilcoxon, Wilcox, Critical Values (1970): two-sided 5%.
        let table = [
            (6, 0),
            (7, 2),
            (8, 3),
            (9, 5),
            (10, 8),
            (11, 10),
            (12, 13),
            (13, 17),
            (14, 21),
            (15, 25),
            (16, 29),
            (17, 34),
            (18, 40),
            (19, 46),
            (20, 52),
            (21, 58),
            (22, 65),
            (23, 73),
            (24, 81),
            (25, 89),
            (30, 137),
            (40, 264),
            (50, 434),
        ];
        for (n, want) in table {
            assert_eq!(critical(n), Some(want), "{n} pairs");
        }
        assert!((0..6).all(|n| critical(n).is_none()));
    }

    /// The two-sided signed-rank test of `samples - shift` by all sign patterns.
    fn is_rejected(samples: &[f64], shift: f64) -> bool {
        let n = samples.len();
        let mut by_size: Vec<f64> = samples.iter().map(|sample| sample - shift).collect();
        by_size.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
        let ranks = by_size.iter().zip(1..).filter(|(sample, _)| **sample > 0.0);
        let seen: usize = ranks.map(|(_, rank)| rank).sum();
        let extreme = seen.min(n * (n + 1) / 2 - seen);
        let as_extreme = (0u32..1 << n).filter(|signs| {
            let sum: usize = (0..n).filter(|bit| signs >> bit & 1 == 1).map(|bit| bit + 1).sum();
            sum <= extreme
        });
        as_extreme.count() as f64 / f64::from(1u32 << n) <= TAIL
    }

    #[test]
    fn the_interval_holds_what_the_test_does_not_reject() {
        let mut state = 7u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as f64 / f64::from(1u32 << 31)
        };
        for n in 6..=10 {
            for _ in 0..6 {
                let samples: Vec<f64> = (0..n).map(|_| random() * 10.0 - 3.0).collect();
                let Interval { median, low, high } = estimate(&samples).unwrap();
                assert!(low <= median && median <= high);
                let small = 1e-7;
                for inside in [low + small, median, high - small] {
                    assert!(!is_rejected(&samples, inside), "{samples:?} {inside}");
                }
                for outside in [low - small, high + small] {
                    assert!(is_rejected(&samples, outside), "{samples:?} {outside}");
                }
            }
        }
    }

    #[test]
    #[expect(clippy::approx_constant, reason = "a measurement that happens to be near π")]
    fn a_worked_example() {
        // Hollander and Wolfe, Nonparametric Statistical Methods, table 3.1: depression before and
        // after tranquillisers. The estimate is -0.46, the 96.1% interval (-0.786, -0.010).
        let before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30];
        let after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
        let differences: Vec<f64> = after.iter().zip(before).map(|(a, b)| a - b).collect();
        let Interval { median, low, high } = estimate(&differences).unwrap();
        assert!((median + 0.46).abs() < 1e-9, "{median}");
        assert!((low + 0.786).abs() < 1e-9 && (high + 0.010).abs() < 1e-9, "{low} {high}");
        assert_eq!(estimate(&[1.0; 5]), None);
    }
}
