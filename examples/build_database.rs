//! Compiles a feed into a database.
//!
//! ```sh
//! cargo run --example build_database -- testdata/indicators/urlhaus.csv target/urlhaus.wsdb
//! ```

#![allow(clippy::disallowed_macros, reason = "a program whose output is all that it does")]

use std::path::Path;
use std::process::ExitCode;
use wiresift::feed::{self, Collected, Limits, Options};
use wiresift::{Compiler, Result};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [feed, database] = &arguments[..] else {
        eprintln!("usage: build_database FEED DATABASE");
        return ExitCode::from(2);
    };
    match build(Path::new(feed), Path::new(database)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("build_database: {error}");
            ExitCode::from(2)
        }
    }
}

fn build(feed: &Path, database: &Path) -> Result<()> {
    // The format is detected; the caller chooses the name that is shown in alerts.
    let mut collected = Collected::default();
    for file in feed::open(feed, &Options::of_feed("mine"), &Limits::default(), &mut collected) {
        file.outcome?;
    }
    for reject in &collected.rejects {
        eprintln!("rejected: {} ({})", reject.value, reject.reason);
    }
    let mut compiler = Compiler::default();
    for indicator in collected.indicators {
        compiler.add(indicator);
    }
    let (summary, _) = compiler.publish(database, wiresift::clock::now())?;
    println!("{} distinct values in {}", summary.total(), database.display());
    Ok(())
}
