//! Alerts and sightings that sensors report.
//!
//! Alerts are seen by their own account alone. Sightings are counts by indicator and day, which
//! others see only as a sum; they say nothing about where something was seen.

mod reports;

pub use reports::ROUTES;
