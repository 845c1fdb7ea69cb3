//! The configuration: where to find it, and its parts for the sensor and the feeds.

use crate::cli::database::CONFIG;
use crate::cli::messages::say;
use rustix::fs::fstat;
use std::path::{Path, PathBuf};
use wiresift::intel::config::{self as feeds, Subscription};
use wiresift::sensor::config::{Built, Config, Problems};
use wiresift::{Error, Result};

/// Where packages install it.
const INSTALLED: &str = "/etc/wiresift/wiresift.toml";

/// Finds the configuration: the given one, or else that of this folder, or that of this machine.
///
/// # Errors
///
/// None is found.
pub(super) fn find(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = named {
        return Ok(path.to_path_buf());
    }
    let found = [CONFIG, INSTALLED].iter().map(Path::new).find(|path| path.exists());
    found.map(Path::to_path_buf).ok_or_else(|| {
        Error::usage(format!(
            "no configuration: there is no {CONFIG} in this folder, and no {INSTALLED}"
        ))
        .remedy("create one with `wiresift run --setup`, or name one with --config FILE")
    })
}

/// The contents of a configuration, for both houses.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) sensor: Config,
    pub(super) intel: feeds::Config,
}

impl Files {
    /// Reads the file. Problems with its contents are returned as lines, all of them.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub(super) fn read(path: &Path) -> Result<Result<Files, Vec<String>>> {
        let opened = Config::open(path);
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                return Err(opened.err().unwrap_or(Error::io("read", error).at_path(path)));
            }
        };
        match (Files::parse(&text, path), opened) {
            // The contents are valid, so it was rejected for its size.
            (Ok(_), Err(error)) => Err(error),
            (parsed, _) => Ok(parsed),
        }
    }

    /// Parses the text of a configuration.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Files, Vec<String>> {
        match (Config::parse(text, path), feeds::Config::parse(text, path)) {
            (Ok(sensor), Ok(intel)) => Ok(Files { sensor, intel }),
            (Ok(_), Err(error)) => Err(vec![format!("{error}")]),
            (Err(problems), Ok(_)) => Err(lines(&problems)),
            (Err(problems), Err(error)) => {
                let mut lines = lines(&problems);
                // Invalid TOML gives both the same error.
                if text.parse::<toml_edit::DocumentMut>().is_ok() {
                    lines.push(format!("{error}"));
                }
                Err(lines)
            }
        }
    }

    /// The feeds that are fetched and compiled.
    pub(super) fn enabled(&self) -> impl Iterator<Item = &Subscription> {
        self.intel.feeds.iter().filter(|feed| feed.enabled)
    }

    /// Whether the service fetches feeds itself.
    pub(super) fn updates(&self) -> bool {
        self.sensor.daemon.update && self.enabled().next().is_some()
    }

    /// Warnings to print at each start.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = self.sensor.warnings();
        warnings.extend(self.intel.warnings());
        warnings
    }
}

fn lines(problems: &Problems) -> Vec<String> {
    let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    if problems.more() > 0 {
        lines.push(format!("and {} more", problems.more()));
    }
    lines
}

/// Prints problems, one per line.
pub(super) fn say_problems(problems: &Problems) {
    lines(problems).iter().for_each(|line| say(line));
}

/// What this build and this process support.
pub(super) fn built() -> Built {
    Built {
        kafka: cfg!(feature = "kafka"),
        kafka_tls: cfg!(feature = "kafka-tls"),
        // The command is only built with interfaces.
        live: true,
        prints_to_journal: prints_to_journal(),
    }
}

/// Whether standard output is the journal: then systemd sets `JOURNAL_STREAM` to its device and
/// inode (systemd.exec(5)).
fn prints_to_journal() -> bool {
    let named = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    let found = fstat(std::io::stdout()).map(|of| format!("{}:{}", of.st_dev, of.st_ino));
    found.is_ok_and(|found| found == named)
}

/// The folder that contains a path.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A command line that uses this configuration, to copy and paste.
pub(super) fn command(rest: &str, config: &Path) -> String {
    if config == Path::new(CONFIG) {
        return format!("wiresift {rest}");
    }
    let path = config.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,".contains(c);
    let path = match path.chars().all(is_plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', r"'\''")),
    };
    format!("wiresift {rest} --config {path}")
}
