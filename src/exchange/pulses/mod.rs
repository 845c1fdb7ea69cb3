//! Pulses: types, limits and validation. Nothing here does I/O or reads a clock.
//!
//! A [`Draft`] is what somebody asks for, already validated; a [`Pulse`] and its [`Indicator`]s
//! are what the storage answers with. Values are normalised by the engine, so that an exchange
//! and a sensor cannot disagree about what a value is.

mod draft;
mod id;
mod indicator;
mod likeness;
mod limits;
mod patch;
mod pulse;
mod stamp;
mod text;
mod types;
mod validate;

pub use draft::{Draft, IndicatorDraft};
pub use id::{PulseId, value_id};
pub use indicator::{Indicator, State};
pub use likeness::Likeness;
pub use limits::{
    MAX_DESCRIPTION, MAX_INDICATORS, MAX_LIST, MAX_NAME, MAX_REFERENCE, MAX_TAG, MAX_VALUE,
    MIN_NAME,
};
pub use patch::{Edit, ListPatch, Patch};
pub use pulse::{Author, Counts, GroupRef, Lists, Pulse, Revision};
pub use stamp::{naive, naive_micros, parse_time};
pub use text::{clean_line, clean_text};
pub use types::Type;
pub(in crate::exchange) use validate::reversed_host;
pub use validate::{Invalid, Warning, is_too_wide, normalise};
