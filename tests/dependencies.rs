//! The budget of crates. Licences and advisories are cargo-deny's (`make licences`).

use std::path::Path;

/// Locked packages with all features, ours included.
const BUDGET: usize = 320;

#[test]
fn the_lock_file_stays_within_the_budget() {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    let lock = std::fs::read_to_string(lock).unwrap();
    let packages = lock.lines().filter(|line| *line == "[[package]]").count();
    assert!(
        packages <= BUDGET,
        "{packages} packages are locked, and the budget is {BUDGET}: \
         `cargo tree -e normal` shows who brought them"
    );
}
