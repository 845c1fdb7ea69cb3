//! What can be verified without starting: files and folders, variables, the features of this build.

use super::form::is_local;
use super::input::{
    Done, InputKind, KafkaAccess, WITH_KAFKA, WITH_TLS, WITHOUT_KAFKA, WITHOUT_TLS,
};
use super::problem::Problems;
use super::sink::{SinkKind, is_https};
use super::{Config, Input, Sink};
use crate::engine::error::escape_file_name;
use crate::sensor::secret::Credential;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// What this build and this process support.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Built {
    /// Kafka: the feature `kafka`.
    pub kafka: bool,
    /// Kafka with TLS and users: the feature `kafka-tls`.
    pub kafka_tls: bool,
    /// Interfaces: the feature `live`.
    pub live: bool,
    /// Whether standard output goes to the journal, as that of a systemd unit does.
    pub prints_to_journal: bool,
}

impl Config {
    /// Checks what can be checked without starting: that files and folders exist, that variables
    /// are set, that time zones are known, that this build has the required features. It opens only
    /// time zones, so permissions are left to the caller.
    pub fn check(&self, built: Built) -> Problems {
        let mut checks = Checks { config: self, built, problems: Problems::default() };
        checks.top();
        self.active_inputs().for_each(|input| checks.input(input));
        self.active_sinks().for_each(|sink| checks.sink(sink));
        checks.problems.sort();
        checks.problems
    }

    /// Warnings for each start: connections without encryption, certificates that are not verified,
    /// and secrets that other users can read.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for sink in self.active_sinks() {
            let name = &sink.name;
            if sink.tls().is_some_and(|tls| tls.insecure) {
                warnings.push(format!(
                    "{name}: any certificate is accepted, so the alerts can be intercepted \
                     (set ca_file instead of insecure)"
                ));
            }
            if let Some((what, host)) = in_the_clear(sink)
                && !is_local(host)
            {
                warnings.push(format!("{name}: alerts are sent {what}, without encryption"));
            }
        }
        for (name, credential) in self.credentials() {
            if let Credential::File(path) = credential
                && let Ok(metadata) = std::fs::metadata(path)
                && metadata.permissions().mode() & 0o007 != 0
            {
                let path = escape_file_name(path.as_os_str());
                warnings.push(format!(
                    "{name}: every user of this machine can read its secret in {path} (fix it with \
                     chmod 600)"
                ));
            }
        }
        warnings
    }

    /// Where secrets of enabled tables are, with the names of inputs and sinks.
    pub fn credentials(&self) -> Vec<(&str, &Credential)> {
        let mut found: Vec<(&str, &Credential)> = Vec::new();
        for input in self.active_inputs() {
            let own: Vec<&Credential> = match &input.kind {
                InputKind::Hec(hec) => hec.token.iter().collect(),
                InputKind::Kafka(kafka) => kafka.access.password.iter().collect(),
                _ => Vec::new(),
            };
            found.extend(own.into_iter().map(|one| (&*input.name, one)));
        }
        for sink in self.active_sinks() {
            let own: Vec<&Credential> = match &sink.kind {
                SinkKind::Webhook(to) => to.url_secret.iter().chain(&to.key).collect(),
                SinkKind::Mail(to) => to.password.iter().collect(),
                SinkKind::Elasticsearch(to) => to.key.iter().chain(&to.password).collect(),
                SinkKind::Splunk(to) => to.token.iter().collect(),
                SinkKind::Kafka(to) => to.access.password.iter().collect(),
                SinkKind::Exchange(to) => to.key.iter().collect(),
                _ => Vec::new(),
            };
            found.extend(own.into_iter().map(|one| (&*sink.name, one)));
        }
        found
    }
}

/// How a sink sends data in plain text, and to which host.
fn in_the_clear(sink: &Sink) -> Option<(&'static str, &str)> {
    match &sink.kind {
        SinkKind::Syslog(to) if !to.address.is_tls() => {
            Some(("as plain syslog", &to.address.place()?.host))
        }
        SinkKind::Webhook(to) => over_http(to.url.as_deref()?),
        SinkKind::Elasticsearch(to) => over_http(&to.url),
        SinkKind::Splunk(to) => over_http(&to.url),
        SinkKind::Exchange(to) => over_http(&to.url),
        SinkKind::Mail(to) if to.tls == super::MailTls::Never => Some(("by mail", &to.server.host)),
        SinkKind::Kafka(to) if !to.access.tls => {
            Some(("to Kafka", &to.access.brokers.first()?.host))
        }
        _ => None,
    }
}

fn over_http(url: &str) -> Option<(&'static str, &str)> {
    (!is_https(url)).then(|| ("over plain http", super::form::host_of(url)))
}

/// Whether a path names a descriptor of this process, such as `/dev/stdout`.
fn is_descriptor(path: &Path) -> bool {
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    let link = std::fs::read_link(path).unwrap_or_default();
    folder.is_some_and(|folder| folder.starts_with("/proc")) || link.starts_with("/proc")
}

/// What is being checked.
struct Checks<'c> {
    config: &'c Config,
    built: Built,
    problems: Problems,
}

impl Checks<'_> {
    fn wrong(&mut self, of: &'static str, name: &str, key: &str, what: &str, remedy: &str) {
        let config = self.config;
        self.problems.add_with(|| config.problem(of, name, key, what, remedy));
    }

    /// Something does not exist, but may appear later.
    fn absent(&mut self, (of, name, key): (&'static str, &str, &str), what: &str, remedy: &str) {
        let config = self.config;
        self.problems.add_with(|| {
            let problem = config.problem(of, name, key, what, remedy);
            super::Problem { may_pass: true, ..problem }
        });
    }

    fn top(&mut self) {
        let config = self.config;
        if config.active_inputs().next().is_none() {
            let remedy = "add an [[input]]; `wiresift run --setup` writes one";
            self.wrong("", "", "", "no input is enabled", remedy);
        }
        if config.active_sinks().next().is_none() {
            self.wrong("", "", "", "no sink is enabled, so alerts would be lost", "add a [[sink]]");
        }
        if !config.database.exists() && config.feeds == 0 {
            let what = format!(
                "the database {} does not exist, and there is no feed",
                config.database.display()
            );
            let remedy = "run `wiresift feed add` to subscribe to feeds, or `wiresift compile` to create a database";
            self.absent(("", "", "database"), &what, remedy);
        }
        for path in &config.allow {
            self.file("", "", "allow", path);
        }
    }

    fn input(&mut self, input: &Input) {
        let name = &*input.name;
        match &input.kind {
            InputKind::Syslog(syslog) => {
                self.zone(name, &syslog.timezone);
                self.server_tls(name, &syslog.tls);
                syslog.listen.iter().for_each(|at| self.socket(name, "listen", at));
            }
            InputKind::Hec(hec) => {
                self.server_tls(name, &hec.tls);
                self.secrets("input", name, "token", &hec.token);
            }
            InputKind::Eve(eve) => self.folder_of("input", name, "path", &eve.path),
            InputKind::Kafka(kafka) => {
                self.kafka("input", name, &kafka.access);
                self.client_tls("input", name, &kafka.access.trust);
                self.secrets("input", name, "password", kafka.access.password.as_slice());
            }
            InputKind::Tap(_) if !self.built.live => {
                let remedy = "use a build with the feature live";
                self.wrong("input", name, "kind", "this build cannot listen to interfaces", remedy);
            }
            InputKind::Tap(tap) => tap.interfaces.iter().for_each(|it| self.interface(name, it)),
            InputKind::Captures(captures) => {
                self.folder("input", name, "folder", &captures.folder);
                if let (Done::Move, Some(folder)) = (captures.done, &captures.move_to) {
                    self.folder("input", name, "move_to", folder);
                }
            }
            InputKind::Journal(journal) => {
                if let Some(folder) = &journal.directory {
                    self.folder("input", name, "directory", folder);
                }
                self.journal_loop(name);
            }
            InputKind::Files(_) => {}
        }
    }

    /// Alerts that are printed to the journal would be read from there, and cause more alerts.
    fn journal_loop(&mut self, name: &str) {
        let config = self.config;
        let prints = config.active_sinks().any(|sink| match &sink.kind {
            SinkKind::Stdout(_) => true,
            SinkKind::File(to) => {
                ["/dev/stdout", "/dev/stderr"].iter().any(|at| to.path == Path::new(at))
            }
            _ => false,
        });
        if prints && self.built.prints_to_journal {
            let what = "standard output goes to the journal, which is read again";
            self.wrong("input", name, "kind", what, "write alerts to a file");
        }
    }

    fn sink(&mut self, sink: &Sink) {
        let name = &*sink.name;
        match &sink.kind {
            SinkKind::File(to) => self.alert_file(name, &to.path),
            SinkKind::Unix(to) => self.folder_of("sink", name, "path", &to.path),
            SinkKind::Kafka(to) => {
                self.kafka("sink", name, &to.access);
                self.secrets("sink", name, "password", to.access.password.as_slice());
            }
            SinkKind::Webhook(to) => {
                self.secrets("sink", name, "url", to.url_secret.as_slice());
                self.secrets("sink", name, "key", &to.key);
            }
            SinkKind::Mail(to) => self.secrets("sink", name, "password", to.password.as_slice()),
            SinkKind::Elasticsearch(to) => {
                self.secrets("sink", name, "key", to.key.as_slice());
                self.secrets("sink", name, "password", to.password.as_slice());
            }
            SinkKind::Splunk(to) => self.secrets("sink", name, "token", to.token.as_slice()),
            SinkKind::Exchange(to) => self.secrets("sink", name, "key", to.key.as_slice()),
            SinkKind::Stdout(_) | SinkKind::Syslog(_) => {}
        }
        if let Some(tls) = sink.tls() {
            self.client_tls("sink", name, tls);
        }
    }

    fn kafka(&mut self, of: &'static str, name: &str, access: &KafkaAccess) {
        let key = if access.tls { "tls" } else { "user" };
        let needs_tls = access.tls || access.user.is_some();
        if !self.built.kafka {
            self.wrong(of, name, "kind", WITHOUT_KAFKA, WITH_KAFKA);
        } else if needs_tls && !self.built.kafka_tls {
            self.wrong(of, name, key, WITHOUT_TLS, WITH_TLS);
        }
    }

    fn zone(&mut self, name: &str, zone: &str) {
        if !["local", "UTC"].contains(&zone) && jiff::tz::TimeZone::get(zone).is_err() {
            let what = format!("unknown time zone “{zone}”");
            let remedy = "expected local, UTC, or a name such as Europe/Berlin";
            self.wrong("input", name, "timezone", &what, remedy);
        }
    }

    fn interface(&mut self, name: &str, interface: &str) {
        let path = Path::new("/sys/class/net");
        if interface != "any" && path.exists() && !path.join(interface).exists() {
            let what = format!("no such interface: {interface}");
            let remedy = "run `wiresift tap --list-interfaces` for a list";
            self.absent(("input", name, "interfaces"), &what, remedy);
        }
    }

    fn socket(&mut self, name: &str, key: &str, address: &super::Address) {
        if let super::Address::Unix(path) | super::Address::UnixDatagram(path) = address {
            self.folder_of("input", name, key, path);
        }
    }

    fn server_tls(&mut self, name: &str, tls: &super::ServerTls) {
        let files = [
            ("tls_cert", &tls.tls_cert),
            ("tls_key", &tls.tls_key),
            ("tls_client_ca", &tls.tls_client_ca),
        ];
        self.files("input", name, &files);
    }

    fn client_tls(&mut self, of: &'static str, name: &str, tls: &super::ClientTls) {
        let files = [
            ("ca_file", &tls.ca_file),
            ("client_cert", &tls.client_cert),
            ("client_key", &tls.client_key),
        ];
        self.files(of, name, &files);
    }

    fn files(&mut self, of: &'static str, name: &str, files: &[(&str, &Option<PathBuf>)]) {
        for (key, path) in files {
            if let Some(path) = path {
                self.file(of, name, key, path);
            }
        }
    }

    fn secrets(&mut self, of: &'static str, name: &str, key: &str, secrets: &[Credential]) {
        for secret in secrets {
            match secret {
                Credential::Env(variable) if std::env::var_os(variable).is_none() => {
                    let what = format!("the variable {variable} is not set");
                    let remedy = "set it for this process: it holds the secret";
                    self.wrong(of, name, &format!("{key}_env"), &what, remedy);
                }
                Credential::Env(_) => {}
                Credential::File(path) => self.file(of, name, &format!("{key}_file"), path),
            }
        }
    }

    fn file(&mut self, of: &'static str, name: &str, key: &str, path: &Path) {
        if !path.exists() {
            let what = format!("{key}: no such file: {}", path.display());
            self.absent((of, name, key), &what, "create it or correct the path");
        }
    }

    fn folder(&mut self, of: &'static str, name: &str, key: &str, path: &Path) {
        if !path.is_dir() {
            let what = format!("{key}: no such folder: {}", path.display());
            self.absent((of, name, key), &what, "create it or correct the path");
        }
    }

    /// A file for alerts, or a device or a terminal that keeps none.
    fn alert_file(&mut self, name: &str, path: &Path) {
        let kind = std::fs::metadata(path).map(|found| found.file_type());
        let what = match kind {
            // Whoever started the process reads it.
            Ok(kind) if !kind.is_file() && !kind.is_dir() && is_descriptor(path) => return,
            Ok(kind) if kind.is_char_device() => return,
            Ok(kind) if kind.is_fifo() => "a named pipe",
            Ok(kind) if kind.is_socket() => "a socket",
            Ok(kind) if kind.is_block_device() => "a disk",
            _ => return self.folder_of("sink", name, "path", path),
        };
        let what = format!("path: {} is {what}, which cannot keep alerts", path.display());
        let remedy = "set it to a file, or use kind = \"stdout\" or kind = \"unix\"";
        self.wrong("sink", name, "path", &what, remedy);
    }

    /// The folder of an output file.
    fn folder_of(&mut self, of: &'static str, name: &str, key: &str, path: &Path) {
        if path.is_dir() {
            let what = format!("{key}: {} is a folder", path.display());
            self.wrong(of, name, key, &what, "set it to a file in that folder");
            return;
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            self.folder(of, name, key, folder);
        }
    }
}
