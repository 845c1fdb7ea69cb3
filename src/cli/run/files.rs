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

/// A configuration as far as it is valid.
pub(super) struct Parsed {
    /// The part of the sensor, or what is wrong with it.
    pub(super) sensor: Result<Config, Problems>,
    /// The valid part of the feeds.
    pub(super) intel: feeds::Config,
    /// What is wrong with the feeds, and not with a line that the sensor reads: both read some.
    of_feeds: Vec<Error>,
}

impl Parsed {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub(super) fn read(path: &Path) -> Result<Parsed> {
        let opened = Config::open(path);
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                return Err(opened.err().unwrap_or(Error::io("read", error).at_path(path)));
            }
        };
        let parsed = Parsed::of(&text, path);
        match opened {
            // The contents are valid, so it was rejected for its size.
            Err(error) if parsed.sensor.is_ok() => Err(error),
            _ => Ok(parsed),
        }
    }

    /// Parses a text.
    fn of(text: &str, path: &Path) -> Parsed {
        let sensor = Config::parse(text, path);
        let (intel, mut of_feeds) = feeds::Config::parse_valid(text, path);
        if let Err(problems) = &sensor {
            let has = |line: u64| {
                problems.iter().any(|it| it.place.is_some_and(|place| place.line as u64 == line))
            };
            of_feeds.retain(|error| !error.line().is_some_and(has));
        }
        Parsed { sensor, intel, of_feeds }
    }

    /// What is wrong with the feeds, one line each.
    pub(super) fn of_feeds(&self) -> Vec<String> {
        self.of_feeds.iter().map(ToString::to_string).collect()
    }

    /// Both parts, or all problems, one line each.
    pub(super) fn whole(self) -> Result<Files, Vec<String>> {
        let of_feeds = self.of_feeds();
        match self.sensor {
            Ok(sensor) if of_feeds.is_empty() => Ok(Files { sensor, intel: self.intel }),
            Ok(_) => Err(of_feeds),
            Err(problems) => Err([lines(&problems), of_feeds].concat()),
        }
    }
}

impl Files {
    /// Reads the file. Problems with its contents are returned as lines, all of them.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub(super) fn read(path: &Path) -> Result<Result<Files, Vec<String>>> {
        Parsed::read(path).map(Parsed::whole)
    }

    /// Parses the text of a configuration.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Files, Vec<String>> {
        Parsed::of(text, path).whole()
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
