//! The views, a file each.

pub(super) mod browse;
pub(super) mod home;
pub(super) mod indicator;
pub(super) mod look;
pub(super) mod new;
pub(super) mod pulse;
mod pulse_parts;
pub(super) mod sign;
pub(super) mod talk;
mod verdict;
