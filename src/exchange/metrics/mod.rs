//! What a server counts about itself, for Prometheus.
//!
//! Every room that does something worth counting has a handle to one [`Metrics`]. Labels are
//! patterns of routes and words of this program: nothing that a user wrote is in them, and no
//! name of a pulse, account or group.

mod counted;
mod families;
mod page;

pub use counted::{Counter, Gauge, Histogram};
pub use families::{Metrics, OfRoute, Sizes};
