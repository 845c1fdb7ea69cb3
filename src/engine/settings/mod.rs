//! Syntax that settings share: times and sizes, a bound on brackets, and suggestions for misspelt
//! names.
//!
//! ```
//! use std::time::Duration;
//! use wiresift::engine::settings::{duration, nearest, size};
//!
//! assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
//! assert_eq!(size("64M"), Ok(64 << 20));
//! assert_eq!(nearest("patern", ["path", "pattern"]), Some("pattern"));
//! ```

mod names;
mod nesting;
mod units;

pub use names::{did_you_mean, nearest, similar};
pub use nesting::check_bounds;
pub use units::{duration, duration_text, size, size_text};
