//! The views, a file each.

pub(super) mod look;
pub(super) mod pulse;
mod pulse_parts;
pub(super) mod sign;
pub(super) mod talk;
