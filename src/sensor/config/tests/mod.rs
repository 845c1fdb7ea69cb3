//! Tests of the room.

use super::*;
use std::path::Path;

mod checks;
mod errors;
mod every_key;
mod properties;
mod reference;
mod reload;
mod setups;

/// Parses a valid text.
fn right(text: &str) -> Config {
    match Config::parse(text, Path::new("/etc/wiresift/wiresift.toml")) {
        Ok(config) => config,
        Err(problems) => panic!("{text}\n{problems}"),
    }
}

/// Parses an invalid text.
fn wrong(text: &str) -> Problems {
    let parsed = Config::parse(text, Path::new("wiresift.toml"));
    parsed.err().unwrap_or_else(|| panic!("nothing is wrong with\n{text}"))
}

/// Parses one input.
fn input(keys: &str) -> Input {
    right(&format!("[[input]]\n{keys}")).inputs.remove(0)
}

/// Parses one sink.
fn sink(keys: &str) -> Sink {
    right(&format!("[[sink]]\n{keys}")).sinks.remove(0)
}
