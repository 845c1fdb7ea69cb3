//! Any bytes as the configuration of the daemon.

use std::path::Path;
use wiresift::sensor::config::Config;

/// A valid configuration is the same after it was written out; an invalid one has messages, one
/// problem per line.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let path = Path::new("wiresift.toml");
    match Config::parse(&text, path) {
        Ok(config) => {
            let written = config.to_toml();
            // A text of the maximum length may become longer when it is written out.
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
