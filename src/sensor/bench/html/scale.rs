//! Values to coordinates, and the ticks of axes.

/// A scale from values to coordinates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    /// The coordinates of both ends.
    at: (f64, f64),
    is_log: bool,
}

impl Scale {
    /// Equal differences are equal distances.
    pub(super) fn linear(values: (f64, f64), at: (f64, f64)) -> Scale {
        Scale { from: values.0, to: values.1.max(values.0 + f64::EPSILON), at, is_log: false }
    }

    /// Equal ratios are equal distances; whole powers of ten at both ends. What is below the first
    /// is drawn there.
    pub(super) fn log(values: (f64, f64), at: (f64, f64)) -> Scale {
        let from = values.0.max(f64::MIN_POSITIVE).log10().floor();
        let to = values.1.max(f64::MIN_POSITIVE).log10().ceil().max(from + 1.0);
        Scale { from, to, at, is_log: true }
    }

    /// Where a value is.
    pub(super) fn place(&self, value: f64) -> f64 {
        let value = if self.is_log { value.max(f64::MIN_POSITIVE).log10() } else { value };
        let share = ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        self.at.0 + share * (self.at.1 - self.at.0)
    }

    /// The values of ticks: powers of ten, or up to six round values.
    pub(super) fn ticks(&self) -> Vec<f64> {
        if self.is_log {
            let step = (((self.to - self.from) / 6.0).ceil() as usize).max(1);
            let exponents = (self.from as i32..=self.to as i32).step_by(step);
            return exponents.map(|exponent| 10f64.powi(exponent)).collect();
        }
        let step = round_step((self.to - self.from) / 5.0);
        let first = (self.from / step).ceil() as i64;
        let last = (self.to / step + 1e-9).floor() as i64;
        (first..=last.min(first + 12)).map(|tick| tick as f64 * step).collect()
    }
}

/// The next of 1, 2 and 5, times a power of ten.
fn round_step(step: f64) -> f64 {
    if step <= 0.0 || !step.is_finite() {
        return 1.0;
    }
    let power = 10f64.powf(step.log10().floor());
    let of = step / power;
    power
        * if of <= 1.0 {
            1.0
        } else if of <= 2.0 {
            2.0
        } else if of <= 5.0 {
            5.0
        } else {
            10.0
        }
}

/// A coordinate, with as few digits as a screen shows.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_placed_and_ticks_are_round() {
        let linear = Scale::linear((0.0, 87.0), (0.0, 100.0));
        assert_eq!((linear.place(0.0), linear.place(87.0), linear.place(1e9)), (0.0, 100.0, 100.0));
        assert_eq!(linear.ticks(), [0.0, 20.0, 40.0, 60.0, 80.0]);
        let log = Scale::log((3.0, 4_000.0), (100.0, 0.0));
        assert_eq!((log.place(1.0), log.place(100.0), log.place(0.0)), (100.0, 50.0, 100.0));
        assert_eq!(log.ticks(), [1.0, 10.0, 100.0, 1000.0, 10_000.0]);
        // Nothing to show is no reason to divide by zero.
        for scale in [Scale::linear((0.0, 0.0), (0.0, 9.0)), Scale::log((0.0, 0.0), (0.0, 9.0))] {
            assert!(scale.place(0.0).is_finite() && scale.ticks().iter().all(|it| it.is_finite()));
            assert!(scale.ticks().len() < 20);
        }
        assert_eq!([px(3.0), px(3.06)], ["3", "3.1"]);
    }
}
