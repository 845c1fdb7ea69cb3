//! Intelligence: subscribes to feeds, fetches, reads and stores them, and compiles
//! a database.
//!
//! ```
//! use wiresift::intel::feed::{self, Collected, Options};
//!
//! let list = b"# botnet\n203.0.113.9\nhxxp://evil[.]example/x\n256.1.1.1\n";
//! let mut collected = Collected::default();
//! feed::read(list, &Options::of_feed("mine"), &mut collected)?;
//! assert_eq!(collected.indicators.len(), 2);
//! // What is not an indicator is never dropped silently.
//! assert_eq!(collected.rejects[0].line, Some(4));
//! # Ok::<(), wiresift::Error>(())
//! ```

#[cfg(feature = "fetch")]
pub mod config;
pub mod feed;
#[cfg(feature = "fetch")]
pub mod store;
#[cfg(feature = "fetch")]
pub mod subscribe;
