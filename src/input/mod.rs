//! Bytes and where they came from. Knows nothing of indicators.

pub mod capture;
