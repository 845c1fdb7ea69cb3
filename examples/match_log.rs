//! Matches the lines of a log against a database, and prints alerts as JSON.
//!
//! ```sh
//! cargo run --example match_log -- target/urlhaus.wsdb testdata/logs/nginx_access.log
//! ```

#![allow(clippy::disallowed_macros, reason = "a program whose output is all that it does")]

use std::process::ExitCode;
use wiresift::engine::alert::{Encoder, Format, Origin as Sensor};
use wiresift::engine::indicator::Timestamp;
use wiresift::engine::scan::Origin;
use wiresift::{Alert, Database, Error, Result, Scanner};

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
    let sensor = Sensor { database: database.build_id(), ..Sensor::default() };
    let encoder = Encoder::new(Format::Json);
    let mut scanner = Scanner::default();
    let (mut alerts, mut out) = (0, Vec::new());
    // Validity for lines without a time is checked at this time.
    let read_at = Timestamp::from_seconds(0);
    scanner.scan_text(&database, &text, 0..text.len(), &Origin::new(log), |hit| {
        encoder.encode(&Alert::new(&hit, &sensor, read_at), &mut out);
        alerts += 1;
    });
    print!("{}", String::from_utf8_lossy(&out));
    Ok(alerts)
}
