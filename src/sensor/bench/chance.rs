//! Shares, and how likely something is by chance alone.

/// The probability that at least `k` of `n` hosts are compromised if each one is with
/// probability `rate`: the upper tail of a binomial distribution.
pub(super) fn tail(n: u64, k: u64, rate: f64) -> f64 {
    if k == 0 {
        return 1.0;
    }
    if k > n || rate <= 0.0 {
        return 0.0;
    }
    if rate >= 1.0 {
        return 1.0;
    }
    // The first term by logarithms, because the factors over- and underflow; then each from the
    // one before it.
    let choose: f64 = (1..=k).map(|i| ((n - k + i) as f64 / i as f64).ln()).sum();
    let first = choose + k as f64 * rate.ln() + (n - k) as f64 * (-rate).ln_1p();
    let odds = rate / (1.0 - rate);
    let (mut term, mut sum, mut at) = (1.0, 1.0, k);
    while at < n {
        term *= (n - at) as f64 / (at + 1) as f64 * odds;
        sum += term;
        at += 1;
        let is_falling = (n - at) as f64 * odds < (at + 1) as f64;
        if is_falling && term < sum * 1e-17 {
            break;
        }
    }
    (first + f64::ln(sum)).exp().min(1.0)
}

/// A share; `None` of nothing.
pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Wilson's 95% interval for a share of `good` in `all`; `None` if there is nothing.
pub(super) fn wilson(good: u64, all: u64) -> Option<(f64, f64)> {
    const Z: f64 = 1.959_963_984_540_054;
    if all == 0 {
        return None;
    }
    let m = all as f64;
    let p = good as f64 / m;
    let half = Z * (p * (1.0 - p) / m + Z * Z / (4.0 * m * m)).sqrt();
    let (middle, scale) = (p + Z * Z / (2.0 * m), 1.0 + Z * Z / m);
    Some((((middle - half) / scale).max(0.0), ((middle + half) / scale).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, term by term.
    fn naive(n: u64, k: u64, rate: f64) -> f64 {
        let choose = |j: u64| (1..=j).map(|i| (n - j + i) as f64 / i as f64).product::<f64>();
        let term = |j: u64| choose(j) * rate.powi(j as i32) * (1.0 - rate).powi((n - j) as i32);
        (k..=n).map(term).sum()
    }

    #[test]
    fn tails_are_those_of_the_definition() {
        assert!((tail(12, 10, 0.05) / 5.87e-12 - 1.0).abs() < 0.001);
        assert!((tail(12, 2, 0.05) - 0.118).abs() < 0.001);
        for n in 0..40 {
            for k in 0..=n {
                for rate in [0.001, 0.05, 0.5, 0.9] {
                    let (fast, slow) = (tail(n, k, rate), naive(n, k, rate));
                    assert!((fast - slow).abs() <= 1e-9 * slow.max(1e-300), "{n} {k} {rate}");
                }
            }
        }
        assert!(tail(5, 6, 0.05) == 0.0 && tail(5, 0, 0.05) == 1.0 && tail(0, 0, 0.05) == 1.0);
        assert!(tail(1_000_000, 50_000, 0.05) > 0.4 && tail(1_000_000, 60_000, 0.05) < 1e-100);
    }

    #[test]
    fn intervals_of_wilson() {
        let (low, high) = wilson(9, 10).unwrap();
        assert!((low - 0.5958).abs() < 1e-3 && (high - 0.9821).abs() < 1e-3);
        let (low, high) = wilson(0, 5).unwrap();
        assert!(low == 0.0 && high > 0.4);
        assert_eq!(wilson(0, 0), None);
    }
}
