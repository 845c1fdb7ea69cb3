//! Logs: the matches in their lines, against a naive oracle and independent readers.

mod expected_logs;
mod implementations;
pub mod oracle;
