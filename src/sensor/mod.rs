//! The sensor: reads inputs for the engine, writes its alerts to sinks, and runs the
//! threads in between.
//!
//! ```
//! use wiresift::sensor::input::{Contents, Input, expand};
//!
//! let folder = tempfile::tempdir().unwrap();
//! std::fs::write(folder.path().join("a.log"), "GET http://evil.example/\n").unwrap();
//! std::fs::write(folder.path().join("b.log"), b"7z\xbc\xaf\x27\x1c\0\x04").unwrap();
//! // A folder is searched in the order of names; what a file is, its first bytes say.
//! let targets = expand([folder.path()]).targets;
//! assert_eq!(Input::open(&targets[0])?.contents(), Contents::Text);
//! assert_eq!(Input::open(&targets[1])?.contents(), Contents::Closed("7z"));
//! # Ok::<(), wiresift::Error>(())
//! ```

pub mod bench;
pub mod checkpoint;
#[cfg(feature = "daemon")]
pub mod config;
#[cfg(feature = "daemon")]
pub mod deliver;
pub mod halt;
#[cfg(feature = "daemon")]
pub mod http;
pub mod input;
#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(feature = "daemon")]
pub mod listen;
#[cfg(feature = "daemon")]
pub mod metrics;
#[cfg(feature = "daemon")]
pub mod outlet;
pub mod run;
#[cfg(feature = "daemon")]
pub mod secret;
pub mod sink;
#[cfg(feature = "daemon")]
pub mod spool;
