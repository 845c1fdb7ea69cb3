//! What the sensor counts, and how it is monitored: Prometheus, `/status`, health, systemd.
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
//! Every metric is a row of one table ([`Family`]): its name, type, labels and help. The values of
//! labels are closed sets, written in the table or given by the configuration ([`Sets`]); paths,
//! addresses and indicators are never labels, because each would become a time series. Per-file
//! information is on `/status`.
//!
//! All series of a family exist from the start, so that a rate over the first failure is correct. A
//! value is an atomic number: counting takes no lock.
//!
//! Written by hand: `prometheus-client` would add eight crates, for a text format that has not
//! changed since 2014.
//!
//! | path | response |
//! | --- | --- |
//! | `/metrics` | the page for Prometheus |
//! | `/status` | JSON: what is running, and its progress |
//! | `/-/healthy` | 200 while every worker makes progress |
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
pub use health::{Heartbeat, Heartbeats, MAX_SILENCE, NotReadyReason, Readiness};
pub use registry::{Counter, Gauge, Histogram, Metrics};
pub use serve::{Operation, Pages};
pub use status::{
    DatabaseStatus, FailedReload, FileStatus, InputStatus, PartitionStatus, SinkStatus, Status,
};
pub use systemd::{Systemd, Watchdog};
