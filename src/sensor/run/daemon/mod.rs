//! `wiresift run`: inputs, matching and sinks as `wiresift.toml` has them, in one process.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `service` | [`Service`]: what the caller provides, and [`Served`]: what came of it |
//! | `sinks`, `convert` | what the configuration says of a sink, as what sends its alerts |
//! | `serve` | [`serve()`]: from the configuration to running threads, and back |

mod convert;
mod serve;
mod service;
mod sinks;

pub use serve::serve;
pub use service::{Allow, Served, Service, Update};
