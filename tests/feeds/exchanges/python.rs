//! Real peers from PyPI, in a separate Python environment.

use crate::harness::missing;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// Environments are created one at a time.
static MAKING: Mutex<()> = Mutex::new(());

/// The Python of an environment with `packages`; it is created once, and kept in the target
/// directory. Without Python or a package index the test is skipped, with a message.
pub fn python(test: &str, packages: &[&str]) -> Option<PathBuf> {
    let _made = MAKING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let place =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python-{}", packages.join("-")));
    let python = place.join("bin/python");
    let ready = place.join("ready");
    if ready.exists() && run(Command::new(&python).arg("-c").arg("pass")).is_ok() {
        return Some(python);
    }
    let _ = std::fs::remove_dir_all(&place);
    let made = run(Command::new("python3").args(["-m", "venv"]).arg(&place)).and_then(|()| {
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run(Command::new(&python).args(install).args(["--timeout", "20"]).args(packages))
    });
    if let Err(why) = made {
        missing(test, &format!("{packages:?} cannot be had from PyPI: {why}"));
        return None;
    }
    std::fs::write(ready, "").unwrap();
    Some(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().last().unwrap_or("it failed").to_string())
}
