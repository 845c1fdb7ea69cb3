//! How the score of an indicator decays with time.
//!
//! The formula is that of MISP (`Polynomial.php`; Mokaddem and others, arXiv 1902.03914): a base
//! score that falls to 0 at the end of a lifetime, faster at first if the decay speed is large.

use crate::engine::indicator::Timestamp;

/// The base score of an indicator without confidence.
pub(super) const USUAL_BASE: u8 = 80;

/// Below this score an indicator has decayed.
const THRESHOLD: f64 = 30.0;

/// Microseconds of a day.
const DAY: f64 = 86_400e6;

/// Days from one time to another; 0 if that is earlier.
pub(super) fn days_between(from: Timestamp, to: Timestamp) -> f64 {
    to.0.saturating_sub(from.0).max(0) as f64 / DAY
}

/// The score of an indicator `days` after it was last confirmed. `is_phishing` selects the model
/// with a lifetime of three days.
pub(super) fn score(base: u8, days: f64, is_phishing: bool) -> f64 {
    let (lifetime, speed) = if is_phishing { (3.0, 2.3) } else { (120.0, 2.0_f64) };
    (f64::from(base) * (1.0 - (days / lifetime).powf(1.0 / speed))).max(0.0)
}

/// Whether that score is below the threshold.
pub(super) fn has_decayed(base: u8, days: f64, is_phishing: bool) -> bool {
    score(base, days, is_phishing) < THRESHOLD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crosses_the_threshold_when_the_formula_says() {
        assert!(!has_decayed(80, 46.8, false) && has_decayed(80, 46.95, false));
        assert!((score(80, 46.875, false) - 30.0).abs() < 1e-9);
        assert!(score(100, 0.0, true) == 100.0 && score(100, 3.0, true) == 0.0);
        assert!(score(80, 500.0, false) == 0.0);
        assert!(days_between(Timestamp(5), Timestamp(0)) == 0.0);
    }
}
