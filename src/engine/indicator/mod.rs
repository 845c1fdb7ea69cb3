//! What feeds claim and what we observe: kinds, indicators, observables, places,
//! and the normalisation that both sides share.
//!
//! ```
//! use wiresift::engine::indicator::{address, domain, url};
//!
//! assert_eq!(domain::normalise("MÜNCHEN.example").unwrap(), "xn--mnchen-3ya.example");
//! assert_eq!(url::parse("HTTP://Evil.Example:80/a/../b").unwrap().to_string(), "http://evil.example/b");
//! assert!(address::parse_ip("203.000.113.008").is_err());
//! ```
//!
//! Feeds and scanners only meet here. Indicators and observables go through the
//! same functions ([`address`], [`domain`], [`url`], [`email`], [`digest`]), so
//! that they cannot disagree about what a value is. Nothing in this room does I/O
//! or reads a clock.

pub mod address;
mod context;
pub mod digest;
pub mod domain;
pub mod email;
pub mod fold;
pub mod gram;
pub mod guess;
mod kind;
mod observable;
mod place;
mod reason;
pub mod refang;
mod timestamp;
pub mod url;
mod value;
mod warning;
pub mod words;

pub use context::{Context, Direction, Role, Severity, Tlp};
pub(crate) use context::{Numbered, context_members};
pub use kind::{Kind, Scope};
pub use observable::{Observable, Quality, Where};
pub use place::{
    Dns, File, Flow, Ftp, Http, LogPlace, PacketPlace, Place, Protocol, Sender, Smb, Smtp, Ssh,
    Tls, Tunnel,
};
pub use reason::Reason;
pub use timestamp::Timestamp;
pub use value::{Indicator, Value};
pub use warning::{WarningEntry, WarningList};
