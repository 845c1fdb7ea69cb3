//! The benches of the exchange, small: what they count has to be right before it is measured.

use crate::harness::{Dir, missing};
use std::path::Path;
use std::process::Command;

#[test]
fn every_measurement_checks_its_answers() {
    let test = "exchange::bench::every_measurement_checks_its_answers";
    let wiresift = Path::new(env!("CARGO_BIN_EXE_wiresift"));
    let load = wiresift.with_file_name("examples").join("exchange_load");
    if !load.exists() {
        return missing(
            test,
            "build it with: cargo build --features exchange --example exchange_load",
        );
    }
    let dir = Dir::new("exchange-bench");
    let output = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/exchange/measure.py"))
        // All but TAXII, which needs a package.
        .args(["--small", "--only", "pulses,nothing,sync,lookup,search,export,pollers,growth"])
        .arg("--wiresift")
        .arg(wiresift)
        .arg("--load")
        .arg(load)
        .arg("--folder")
        .arg(dir.path())
        .output();
    let Ok(output) = output else { return missing(test, "python3 is not installed") };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.matches("scaled: ").count(), 8, "{said}");
}
