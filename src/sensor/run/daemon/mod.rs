//! `wiresift run`: inputs, matching and sinks as `wiresift.toml` has them, in one process.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `service` | [`Service`]: what the caller provides, and [`Served`]: what came of it |
//! | `serve` | [`serve()`]: from the configuration to running threads, and back |

mod serve;
mod service;

pub use serve::serve;
pub use service::{Allow, Served, Service, Update};
