//! The exchange, over HTTP: real clients, and programs that read its exports.

mod exports;
mod running;
mod taxii;
