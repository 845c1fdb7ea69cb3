//! Logs: the matches in their lines, against a naive oracle and independent readers.

mod expected_logs;
pub mod oracle;
mod ways;
