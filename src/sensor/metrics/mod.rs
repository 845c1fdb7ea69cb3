//! What the sensor counts, and how others watch it: Prometheus, `/status`, health, systemd.
//!
//! ```
//! use wiresift::sensor::metrics::{Family, Metrics, Sets};
//!
//! let metrics = Metrics::new(Sets { inputs: vec!["syslog".to_string()], ..Sets::default() });
//! metrics.counter(Family::Lines, &["syslog"]).add(3);
//! let page = metrics.page();
//! assert!(page.contains("wiresift_lines_total{input=\"syslog\"} 3\n"));
//! ```
//!
//! Every metric is a row of one table ([`Family`]): its name, what it is, its labels, its help.
//! The values of labels are closed sets, written in the table or given by the configuration
//! ([`Sets`]); no path, no address and no indicator is ever one, or a sensor would make a time
//! series of each. What is known of each file is on `/status`.
//!
//! All series of a family exist from the start, so that a rate over the first failure is
//! right. A value is an atomic number: counting takes no lock.
//!
//! Written by hand: `prometheus-client` would be eight crates more, for a page of text whose
//! format has not changed since 2014.
//!
//! | path | answers |
//! | --- | --- |
//! | `/metrics` | the page for Prometheus |
//! | `/status` | JSON: what runs, and how far it is |
//! | `/-/healthy` | 200 while every worker moves |
//! | `/-/ready` | 200 while alerts can be found and sent |

mod families;
mod health;
mod page;
mod process;
mod registry;
mod serve;
mod status;
mod systemd;
#[cfg(test)]
mod tests;

pub use families::{Family, Sets};
pub use health::{Heart, Hearts, MAX_SILENCE, Obstacle, Readiness};
pub use registry::{Counter, Gauge, Histogram, Metrics};
pub use serve::{Operation, Pages};
pub use status::{DatabaseStatus, FileStatus, InputStatus, SinkStatus, Status};
pub use systemd::{Systemd, Watchdog};
