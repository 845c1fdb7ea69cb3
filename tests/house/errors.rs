//! Messages of errors follow one form.

use crate::harness::source::Source;

/// `Display` of an I/O error writes "cannot " before what was refused.
#[test]
fn io_errors_say_cannot_once() {
    let mut found = Vec::new();
    for file in &Source::read().files {
        let text = std::fs::read_to_string(format!("src/{}", file.name)).unwrap();
        for (at, _) in text.match_indices("Error::io(") {
            let argument = text[at + "Error::io(".len()..].trim_start();
            if argument.starts_with("\"cannot ") {
                let line = text[..at].lines().count();
                found.push(format!("src/{}:{line}", file.name));
            }
        }
    }
    assert!(found.is_empty(), "give a verb phrase without “cannot”: {found:?}");
}
