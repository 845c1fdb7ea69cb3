//! Opens everything that a start would open, and leaves it unchanged.
//!
//! Receivers over the network are connected to, and sent nothing.
//!
//! `sensor::config` has already reported missing files, with their lines, so only existing ones are
//! opened here. A service that runs with the same state keeps its sockets and files open; a check
//! that finds them in use is not a problem.

use super::files::{Files, folder_of};
use super::sockets;
use crate::cli::messages::{name, plural};
use crate::cli::table::age;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use wiresift::clock::now;
use wiresift::engine::settings::duration_text;
use wiresift::intel::config::Origin;
use wiresift::intel::subscribe;
use wiresift::sensor::checkpoint::StateDir;
use wiresift::sensor::config::{
    CapturesInput, ClientTls, Config, Done, FilesInput, Input, InputKind, JournalInput,
    KafkaAccess, Sink, SinkKind, TapInput,
};
use wiresift::sensor::deliver::TlsSettings;
use wiresift::sensor::input::{Target, expand};
use wiresift::sensor::run::daemon::Reached;
use wiresift::sensor::run::{self, Listening};
use wiresift::sensor::secret::Credential;
use wiresift::sensor::sink::FileSink;
use wiresift::{Error, Result};

/// The maximum number of unreadable files to list.
const MAX_NAMED: usize = 3;

/// The results.
#[derive(Debug, Default)]
pub(super) struct Probe {
    /// What could be opened.
    pub(super) good: Vec<String>,
    /// Notes that are not problems.
    pub(super) notes: Vec<String>,
    /// Problems.
    pub(super) problems: Vec<String>,
    /// The process that runs with this state, if any.
    pub(super) holder: Option<u32>,
}

impl Probe {
    /// Opens everything.
    pub(super) fn of(files: &Files) -> Probe {
        let config = &files.sensor;
        // Asked first: the messages about sockets depend on it.
        let mut probe =
            Probe { holder: StateDir::holder(&config.daemon_state()), ..Probe::default() };
        if let Some(pid) = probe.holder {
            probe.note(format!(
                "process {pid} runs with this state: the addresses it listens on are in use"
            ));
        }
        probe.database(files);
        probe.folder_is_writable("state", &config.daemon_state());
        if files.updates() {
            probe.folder_is_writable("feeds", &files.intel.state);
            probe.folder_is_writable("database", folder_of(&config.database));
        }
        probe.feeds(files);
        config.active_inputs().for_each(|input| probe.input(input));
        config.active_sinks().for_each(|sink| probe.sink(sink));
        probe.receivers(config);
        probe.secrets(config);
        sockets::all(config, &mut probe);
        probe
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Records the result of opening something.
    pub(super) fn take(&mut self, of: &str, outcome: Result<impl Display>) {
        match outcome {
            Ok(what) => self.good.push(format!("{of}: {what}")),
            Err(error) => self.problems.push(format!("{of}: {error}")),
        }
    }

    /// Loads the database and the allow lists. A missing database is only a problem if the service
    /// will not create it.
    fn database(&mut self, files: &Files) {
        let config = &files.sensor;
        let path = &config.database;
        if !path.exists() {
            if files.updates() {
                self.note(format!(
                    "the database {} does not exist yet: the first start fetches the feeds",
                    name(path)
                ));
            } else if files.enabled().next().is_some() {
                self.take("database", Err::<&str, _>(missing_database(path)));
            }
        } else {
            let opened = run::open_database(path);
            if let (Ok(database), Some(max_age)) = (&opened, config.daemon.max_age) {
                let old = now().0.saturating_sub(database.built().0);
                if old > i64::try_from(max_age.as_micros()).unwrap_or(i64::MAX) {
                    self.note(format!(
                        "the database is older than max_age ({}): the service would not be ready",
                        duration_text(max_age)
                    ));
                }
            }
            self.take(
                "database",
                opened.map(|database| {
                    let values = plural(database.summary().total(), "value");
                    format!("{}, {values}, {} old", name(path), age(now(), database.built()))
                }),
            );
        }
        let there: Vec<PathBuf> = config.allow.iter().filter(|it| it.exists()).cloned().collect();
        // Missing lists are already reported; compiling the others also checks their contents.
        if !there.is_empty() {
            let compiled = subscribe::compile_allow_lists(&there, &|_| {});
            let values = compiled.map(|it| it.map_or(0, |database| database.summary().total()));
            self.take("allow lists", values.map(|count| plural(count, "value")));
        }
    }

    /// Checks what feeds need from this machine: credentials and local files. Servers are not
    /// contacted.
    fn feeds(&mut self, files: &Files) {
        for feed in files.enabled() {
            let of = format!("feed {}", feed.name);
            if let Some(key) = &feed.access.key {
                self.take(&of, key.reveal().map(|_| "its credential can be read"));
            }
            if let Origin::Path(path) = &feed.origin {
                self.take(&of, readable(path).map(|()| name(path).into_owned()));
            }
        }
    }

    /// Checks a folder that is created if it is missing: then its nearest existing ancestor must be
    /// writable.
    fn folder_is_writable(&mut self, of: &str, folder: &Path) {
        let there = folder.ancestors().find(|it| it.exists() || it.as_os_str().is_empty());
        let there = there.filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let written = writable(there).map(|()| match there == folder {
            true => format!("{} can be written", name(folder)),
            false => format!("{} can be created", name(folder)),
        });
        self.take(of, written);
    }

    /// Checks what an input reads. Inputs with listening sockets are checked by [`sockets`].
    fn input(&mut self, input: &Input) {
        let of = format!("input {}", input.name);
        match &input.kind {
            InputKind::Files(files) => self.files(&of, files),
            InputKind::Journal(journal) => self.journal(&of, journal),
            InputKind::Tap(tap) => self.tap(&of, tap),
            InputKind::Captures(captures) => self.captures(&of, captures),
            InputKind::Kafka(kafka) => {
                self.client_tls(&of, &kafka.access.trust, kafka.access.tls);
                self.kafka(&of, &kafka.access, &kafka.topics);
            }
            InputKind::Syslog(_) | InputKind::Hec(_) | InputKind::Eve(_) => {}
        }
    }

    /// Checks the files that the patterns match at the moment.
    fn files(&mut self, of: &str, input: &FilesInput) {
        let exclude: Vec<glob::Pattern> = input
            .exclude
            .iter()
            .filter_map(|pattern| glob::Pattern::new(&pattern.to_string_lossy()).ok())
            .collect();
        let is_left_out = |path: &Path| {
            let file = path.file_name().map(OsString::from).unwrap_or_default();
            exclude.iter().any(|pattern| match pattern.as_str().contains('/') {
                true => pattern.matches_path(path),
                false => pattern.matches(&file.to_string_lossy()),
            })
        };
        // A pattern that matches nothing may be a mistake on a command line. Here, files may come.
        let (unmatched, others): (Vec<&PathBuf>, Vec<&PathBuf>) =
            input.patterns.iter().partition(|pattern| is_unmatched(pattern));
        for pattern in &unmatched {
            self.note(format!("{of}: {}: no file matches yet", name(pattern)));
        }
        let found = expand(others);
        for error in &found.errors {
            let is_missing =
                error.io_error().is_some_and(|it| it.kind() == std::io::ErrorKind::NotFound);
            match is_missing {
                true => self.note(format!("{of}: {error}; it is read once it exists")),
                false => self.problems.push(format!("{of}: {error}")),
            }
        }
        let (mut count, mut refused) = (0, Vec::new());
        for target in found.targets {
            let Target::Path(path) = target else { continue };
            // Opening a pipe would block until there is a writer.
            if is_left_out(&path) || !path.is_file() {
                continue;
            }
            match readable(&path) {
                Ok(()) => count += 1,
                Err(error) => refused.push(error),
            }
        }
        if count == 0 && refused.is_empty() && !unmatched.is_empty() {
            return;
        }
        if count == 0 && refused.is_empty() {
            return self.note(format!("{of}: no file matches yet"));
        }
        let more = refused.len().saturating_sub(MAX_NAMED) as u64;
        for error in refused.into_iter().take(MAX_NAMED) {
            self.problems.push(format!("{of}: {error}"));
        }
        if more > 0 {
            self.problems.push(format!("{of}: {} cannot be read", plural(more, "more file")));
        }
        self.good.push(format!("{of}: {} can be read", plural(count, "file")));
    }

    /// Checks the program that reads the journal, and the folder of the journal if one is set.
    fn journal(&mut self, of: &str, input: &JournalInput) {
        let found = program(&input.program).ok_or_else(|| {
            Error::usage(format!("program {} not found", input.program))
                .remedy("install systemd's journalctl, or set program to its path")
        });
        self.take(of, found.map(|path| name(&path).into_owned()));
        if let Some(folder) = input.directory.as_deref().filter(|folder| folder.is_dir()) {
            self.take(of, listed(folder).map(|()| name(folder).into_owned()));
        }
    }

    /// Opens the interfaces with their filter, which also checks the privileges.
    fn tap(&mut self, of: &str, tap: &TapInput) {
        let listening = Listening {
            filter: tap.filter.clone(),
            is_promiscuous: tap.promiscuous,
            snaplen: tap.snaplen,
            ring: usize::try_from(tap.ring).unwrap_or(usize::MAX),
        };
        // A missing interface may appear later, and the tap waits for it.
        let is_there =
            |name: &str| name == "any" || Path::new("/sys/class/net").join(name).exists();
        for interface in tap.interfaces.iter().filter(|name| is_there(name)) {
            let opened = listening.check(interface);
            self.take(of, opened.map(|()| format!("can listen on {interface}")));
        }
    }

    /// Checks the folders of captures, with the permissions that processed files require.
    fn captures(&mut self, of: &str, input: &CapturesInput) {
        if !input.folder.is_dir() {
            return;
        }
        let opened = listed(&input.folder).and_then(|()| match input.done {
            Done::Keep => Ok(()),
            // Moving and deleting files changes the folder, which requires write permission.
            Done::Move | Done::Delete => writable(&input.folder),
        });
        self.take(of, opened.map(|()| name(&input.folder).into_owned()));
        if let Some(folder) = input.move_to.as_deref().filter(|folder| folder.is_dir()) {
            self.take(of, writable(folder).map(|()| name(folder).into_owned()));
        }
    }

    /// Asks the brokers for topics. A topic may be created later, and the service waits for it.
    #[cfg(feature = "kafka")]
    fn kafka(&mut self, of: &str, access: &KafkaAccess, topics: &[String]) {
        let missing = run::daemon::missing_topics(access, topics);
        if let Ok(missing) = &missing {
            for topic in missing {
                self.note(format!("{of}: the topic {topic} does not exist yet"));
            }
        }
        self.take(of, missing.map(|_| "a broker answers"));
    }

    /// The configuration has reported what this build lacks.
    #[cfg(not(feature = "kafka"))]
    fn kafka(&mut self, _: &str, _: &KafkaAccess, _: &[String]) {}

    /// Connects to the receivers of sinks. One that is away is no problem: alerts wait for it.
    fn receivers(&mut self, config: &Config) {
        for Reached { sink, outcome } in run::daemon::receivers(config) {
            match outcome {
                Ok(what) => self.good.push(format!("sink {sink}: {what}")),
                Err(error) => self.note(format!(
                    "sink {sink}: its receiver cannot be reached: {error}; alerts wait in the \
                     spool until it can"
                )),
            }
        }
    }

    /// Checks the local side of a sink.
    fn sink(&mut self, sink: &Sink) {
        let of = format!("sink {}", sink.name);
        match &sink.kind {
            SinkKind::File(file) if file.path.is_file() => {
                let opened = OpenOptions::new().append(true).open(&file.path);
                let opened = opened.map_err(|e| explained("append to", e, &file.path));
                self.take(&of, opened.map(|_| format!("{} can be written", name(&file.path))));
            }
            SinkKind::File(file) if file.path.exists() => {
                let opened = FileSink::of_stream(&file.path);
                self.take(&of, opened.map(|_| format!("{} can be written", name(&file.path))));
            }
            // The file does not exist yet, so its folder must allow creating it.
            SinkKind::File(file) if folder_of(&file.path).is_dir() => {
                self.folder_is_writable(&of, folder_of(&file.path));
            }
            _ => {}
        }
        if let Some(tls) = sink.tls() {
            self.client_tls(&of, tls, true);
        }
    }

    /// Checks the certificates, if they exist.
    fn client_tls(&mut self, of: &str, tls: &ClientTls, is_used: bool) {
        let client = tls.client_cert.clone().zip(tls.client_key.clone());
        let named = [&tls.ca_file, &tls.client_cert, &tls.client_key];
        let named: Vec<&PathBuf> = named.into_iter().flatten().collect();
        if !is_used || named.is_empty() || !named.iter().all(|path| path.exists()) {
            return;
        }
        let settings = TlsSettings { ca_file: tls.ca_file.clone(), client, insecure: tls.insecure };
        self.take(of, settings.check().map(|()| "its certificates can be used"));
    }

    /// Checks the credentials that exist.
    fn secrets(&mut self, config: &Config) {
        for (of, credential) in config.credentials() {
            let is_there = match credential {
                Credential::Env(name) => std::env::var_os(name).is_some(),
                Credential::File(path) => path.exists(),
            };
            if is_there {
                let read = credential.read().map(|_| format!("{credential} can be read"));
                self.take(of, read);
            }
        }
    }
}

fn missing_database(path: &Path) -> Error {
    Error::usage("the database does not exist")
        .at_path(path)
        .remedy("create it with `wiresift feed update --compile`")
}

/// Finds the program that would be started.
fn program(word: &str) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        let access = rustix::fs::access(path, rustix::fs::Access::EXEC_OK);
        path.is_file() && access.is_ok()
    };
    if word.contains('/') {
        return Some(PathBuf::from(word)).filter(is_program);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(word)).find(is_program)
}

/// Checks whether a file or a folder can be read.
fn readable(path: &Path) -> Result<()> {
    if path.is_dir() {
        return listed(path);
    }
    File::open(path).map(drop).map_err(|error| explained("read", error, path))
}

fn listed(folder: &Path) -> Result<()> {
    fs::read_dir(folder).map(drop).map_err(|error| explained("list", error, folder))
}

/// Checks whether a folder is writable by creating a file in it, unnamed where the system supports
/// that.
fn writable(folder: &Path) -> Result<()> {
    if !folder.is_dir() {
        return Err(Error::usage("not a folder").at_path(folder));
    }
    tempfile::tempfile_in(folder).map(drop).map_err(|error| explained("write to", error, folder))
}

/// An I/O error, with a remedy if permission is denied.
fn explained(what: &'static str, error: std::io::Error, path: &Path) -> Error {
    let is_denied = error.kind() == std::io::ErrorKind::PermissionDenied;
    let error = Error::io(what, error).at_path(path);
    if !is_denied {
        return error;
    }
    error.remedy(format!(
        "user {} has no permission: run as another user, or change the owner, group or mode",
        rustix::process::geteuid().as_raw()
    ))
}

/// Whether a path is a valid pattern with wildcards that no file matches.
fn is_unmatched(path: &Path) -> bool {
    let Some(pattern) = path.to_str().filter(|text| text.contains(['*', '?', '['])) else {
        return false;
    };
    !path.exists() && glob::glob(pattern).is_ok_and(|mut found| found.next().is_none())
}
