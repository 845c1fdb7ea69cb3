//! The configuration of the daemon, from any bytes.

use std::path::Path;
use wiresift::sensor::config::Config;

/// What is a configuration is one when it is written out, and the same; what is none says why,
/// each problem on a line of its own.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let path = Path::new("wiresift.toml");
    match Config::parse(&text, path) {
        Ok(config) => {
            let written = config.to_toml();
            // A text at the limit of its length may be longer when it is written out.
            if let Ok(again) = Config::parse(&written, path) {
                assert!(config.changes(&again).is_empty());
            }
            assert!(!config.describe().is_empty());
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            assert!(problems.iter().all(|problem| problem.to_string().lines().count() == 1));
        }
    }
}
