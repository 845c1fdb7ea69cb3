//! Alerts end to end: what given indicators and inputs must yield, in what order and form.

mod cases;
mod determinism;
pub mod expected;
mod order;
mod selection;
mod spec_cases;
