//! Matches the lines of a log against a database, and prints alerts as JSON.
//!
//! ```sh
//! cargo run --example match_log -- target/urlhaus.wsdb testdata/logs/nginx_access.log
//! ```

#![allow(clippy::disallowed_macros, reason = "a program whose output is all that it does")]

use std::process::ExitCode;
use wiresift::{
    Alert, Database, Encoder, Error, Format, Origin, Provenance, Result, Scanner, clock,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, log] = &arguments[..] else {
        eprintln!("usage: match_log DATABASE LOG");
        return ExitCode::from(2);
    };
    match run(database, log) {
        Ok(0) => ExitCode::from(1),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("match_log: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(database: &str, log: &str) -> Result<u64> {
    let database = Database::open(database)?;
    let text = std::fs::read(log).map_err(|error| Error::io("read", error).at_path(log))?;
    let provenance = Provenance { database: database.build_id(), ..Provenance::default() };
    let encoder = Encoder::new(Format::Json);
    let mut scanner = Scanner::default();
    let (mut alerts, mut out) = (0, Vec::new());
    // A line without a time of its own is matched against what is valid now.
    let read_at = clock::now();
    scanner.scan_text(&database, &text, 0..text.len(), &Origin::new(log), |hit| {
        encoder.encode(&Alert::new(&hit, &provenance, read_at), &mut out);
        alerts += 1;
    });
    print!("{}", String::from_utf8_lossy(&out));
    Ok(alerts)
}
