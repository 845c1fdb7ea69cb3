//! `wiresift run --setup`: asks four questions, and writes a configuration with comments.
//!
//! Each answer is checked inside a configuration by the parser that will read it, so the result is
//! valid.

use super::files::{self, Files};
use super::questions::{Dialogue, words};
use crate::cli::database::CONFIG;
use crate::cli::interfaces::interfaces;
use crate::cli::messages::name;
use crate::cli::outcome::Outcome;
use std::io::{BufReader, IsTerminal, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use wiresift::engine::settings::did_you_mean;
use wiresift::intel::config::{self as feeds, catalogue, edit};
use wiresift::sensor::config::{
    Answers, Config, FeedAnswer, SinkAnswer, Verbosity, WatchAnswer, setup as written,
};
use wiresift::{Error, Result};

/// Feeds of the catalogue to begin with: few false alarms, no credentials, permissive terms.
const START: [&str; 6] = ["feodo", "ipsum-5", "spamhaus-drop", "sslbl", "threatfox", "urlhaus"];

/// The usual logs of Linux systems.
const LOGS: [&str; 3] = ["/var/log/**/*.log", "/var/log/syslog", "/var/log/messages"];

/// Asks the questions, and writes the file.
pub(super) fn run(path: Option<&Path>, force: bool) -> Result<Outcome> {
    let path = path.unwrap_or(Path::new(CONFIG));
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Error::usage("--setup is interactive and needs a terminal")
            .remedy("to write a configuration by hand, see config.md of the documentation"));
    }
    // Refuse before asking, so that no answers are lost.
    refuse_existing(path, force)?;
    let (mut input, mut output) = (BufReader::new(std::io::stdin()), std::io::stdout());
    let mut dialogue = Dialogue { input: &mut input, output: &mut output };
    dialogue.say(&format!(
        "This creates {}. Press Enter to accept the default in brackets.",
        name(path)
    ))?;
    let mut asking = Asking { dialogue, path, answers: Answers::default() };
    asking.watch()?;
    asking.feeds()?;
    asking.alerts()?;
    asking.verbosity()?;
    let text = written(&asking.answers);
    if let Err(lines) = Files::parse(&text, path) {
        return Err(Error::usage(format!(
            "the answers contradict each other: {}",
            lines.join("; ")
        )));
    }
    save(path, &text, force)?;
    let has_feeds = !asking.answers.feeds.is_empty();
    asking.dialogue.say("")?;
    asking.dialogue.say(&format!("Wrote {}. Next:", name(path)))?;
    for line in next(path, has_feeds) {
        asking.dialogue.say(&format!("  {line}"))?;
    }
    Ok(Outcome::Yes)
}

/// Refuses to overwrite a file without `force`. A dangling link counts as a file.
fn refuse_existing(path: &Path, force: bool) -> Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(_) if path.is_dir() => {
            Err(Error::usage("it is a folder").at_path(path).remedy("name a file in it"))
        }
        Ok(_) if !force => Err(Error::usage("a configuration already exists")
            .at_path(path)
            .remedy("replace it with --force, or write another one with --config FILE")),
        _ => Ok(()),
    }
}

/// Writes the file completely or not at all. Only replaces a file with `force`.
fn save(path: &Path, text: &str, force: bool) -> Result<()> {
    if force && path.exists() {
        return edit::save(path, text);
    }
    let write = || {
        // The group may read it, because the service runs as a user of its own; nobody else, because
        // it names receivers and internal hosts.
        let mut part = tempfile::Builder::new()
            .prefix(".wiresift-")
            .permissions(std::fs::Permissions::from_mode(0o640))
            .tempfile_in(files::folder_of(path))?;
        part.write_all(text.as_bytes())?;
        // Set again, because the umask restricts the mode of a new file.
        part.as_file().set_permissions(std::fs::Permissions::from_mode(0o640))?;
        part.as_file().sync_all()?;
        // Unlike a check beforehand, this also fails if the file appeared in the meantime.
        part.persist_noclobber(path).map(drop).map_err(|e| e.error)
    };
    write().map_err(|e: std::io::Error| Error::io("write", e).at_path(path))
}

/// The commands to run next.
fn next(path: &Path, has_feeds: bool) -> [String; 3] {
    let second = match has_feeds {
        true => files::command("feed update --compile", path),
        false => "wiresift compile -o wiresift.wsdb LIST…".to_string(),
    };
    [files::command("run --check", path), second, files::command("run", path)]
}

/// The questions in progress.
struct Asking<'a> {
    dialogue: Dialogue<'a>,
    path: &'a Path,
    answers: Answers,
}

impl Asking<'_> {
    /// Asks for one part of an answer. `make` builds it from the text, and it is accepted if a
    /// configuration with it is valid.
    fn part<T>(
        &mut self,
        question: &str,
        default: &str,
        make: impl Fn(&str) -> T,
        wrap: impl Fn(T) -> Answers,
    ) -> Result<T>
    where
        T: Clone,
    {
        let path = self.path;
        self.dialogue.ask(question, default, |answer| {
            if answer.is_empty() {
                return Err("there is no default: expected an answer".into());
            }
            let value = make(answer);
            // The parser decides, in a configuration with nothing but this part: its messages are then
            // about what was just typed.
            is_right(&wrap(value.clone()), path).map(|()| value)
        })
    }

    fn watch(&mut self) -> Result<()> {
        let choices = [
            "log files",
            "this machine's journal",
            "syslog over the network",
            "Suricata's EVE output, through a socket",
            "network interfaces",
            "a folder that receives captures",
        ];
        let chosen = self.dialogue.choose("1. What should be watched?", &choices, 1, true)?;
        for choice in chosen {
            let watch_answer = self.watch_answer(choice)?;
            self.answers.watch.push(watch_answer);
        }
        Ok(())
    }

    /// Asks for the details of one kind of input.
    fn watch_answer(&mut self, choice: usize) -> Result<WatchAnswer> {
        let wrap = |watch_answer| Answers { watch: vec![watch_answer], ..Answers::default() };
        let (question, default, make): (_, String, fn(&str) -> WatchAnswer) = match choice {
            0 => ("paths and patterns", logs(), |answer| WatchAnswer::Logs(list(answer))),
            1 => return Ok(WatchAnswer::Journal),
            2 => ("addresses", "udp://0.0.0.0:514 tcp://0.0.0.0:514".into(), |answer| {
                WatchAnswer::Syslog(list(answer))
            }),
            3 => (
                "path of the socket, as in eve-log's filename",
                "/run/wiresift/eve.sock".into(),
                |path| WatchAnswer::Suricata(path.into()),
            ),
            4 => {
                let known = interfaces();
                // The loopback interface rarely carries the traffic of interest.
                let first = known.iter().find(|name| *name != "lo");
                let default = first.cloned().unwrap_or_else(|| "any".into());
                self.dialogue.say(&format!("  available: {}", known.join(", ")))?;
                ("interfaces", default, |answer| WatchAnswer::Interfaces(list(answer)))
            }
            _ => ("the folder", "captures".into(), |answer| WatchAnswer::Captures(answer.into())),
        };
        self.part(question, &default, make, wrap)
    }

    fn feeds(&mut self) -> Result<()> {
        let start = format!("a starter set: {}", START.join(", "));
        let choices = [
            &*start,
            "others from the catalogue (`wiresift feed list --catalogue`)",
            "a list of your own: a file or a folder",
            "none for now",
        ];
        let chosen = self.dialogue.choose("2. Which feeds?", &choices, 1, true)?;
        let mut names: Vec<String> = Vec::new();
        for choice in chosen {
            match choice {
                0 => names.extend(START.map(String::from)),
                1 => names.extend(self.dialogue.ask("names", "", known_feeds)?),
                2 => {
                    let own = self.own_list()?;
                    self.answers.feeds.push(own);
                }
                _ => {}
            }
        }
        // Both choices of feeds may name the same feed, which a configuration must not contain
        // twice.
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        for entry in names.iter().filter_map(|name| catalogue::find(name)) {
            // Feeds with a key fail until it is set, so point it out now.
            if let Some(variable) = entry.more.get("key_env").and_then(|value| value.as_str()) {
                let words =
                    format!("  {} needs a key in the environment variable {variable}", entry.name);
                self.dialogue.say(&words)?;
            }
            let members = entry.members().into_iter();
            self.answers.feeds.push(FeedAnswer {
                comment: entry.comment(),
                members: members.map(|(key, value)| (key, value.to_string())).collect(),
            });
        }
        Ok(())
    }

    /// Asks for a local list, whose path is relative to the configuration.
    fn own_list(&mut self) -> Result<FeedAnswer> {
        let folder = files::folder_of(self.path).to_path_buf();
        let path = self.path;
        self.dialogue.ask("the file or folder", "", |answer| {
            if answer.is_empty() || !folder.join(answer).exists() {
                return Err(format!("{} does not exist", folder.join(answer).display()));
            }
            let text = |text: &str| toml_edit::Value::from(text).to_string();
            let own = FeedAnswer {
                comment: vec!["Our own list.".into()],
                members: vec![("name".into(), text("own")), ("path".into(), text(answer))],
            };
            let answers = Answers { feeds: vec![own.clone()], ..Answers::default() };
            is_right(&answers, path).map(|()| own)
        })
    }

    fn alerts(&mut self) -> Result<()> {
        let choices = [
            "a file, one alert per line",
            "standard output",
            "a syslog receiver",
            "a webhook",
            "Slack",
            "mail",
            "Elasticsearch or OpenSearch",
            "Splunk",
        ];
        let chosen = self.dialogue.choose("3. Where should alerts go?", &choices, 1, true)?;
        for choice in chosen {
            let sink_answer = self.sink_answer(choice)?;
            self.answers.alerts.push(sink_answer);
        }
        Ok(())
    }

    /// Asks for the details of one kind of sink.
    fn sink_answer(&mut self, choice: usize) -> Result<SinkAnswer> {
        let wrap = |sink_answer| Answers { alerts: vec![sink_answer], ..Answers::default() };
        let (question, default, make): (_, &str, fn(&str) -> SinkAnswer) = match choice {
            0 => {
                let is_installed = self.path.starts_with("/etc");
                let file =
                    if is_installed { "/var/log/wiresift/alerts.json" } else { "alerts.json" };
                ("the file", file, |answer| SinkAnswer::File(answer.into()))
            }
            1 => return Ok(SinkAnswer::Stdout),
            2 => ("its address, such as tls://siem.example.net:6514", "", |answer| {
                SinkAnswer::Syslog(answer.into())
            }),
            3 => ("its URL", "", |answer| SinkAnswer::Webhook(answer.into())),
            4 => (
                "a file that contains its URL, which is a secret",
                "/etc/wiresift/slack.url",
                |file| SinkAnswer::Slack { url_file: file.into() },
            ),
            5 => return self.mail(),
            6 => ("its URL, such as https://es.example.net:9200", "", |answer| {
                SinkAnswer::Elasticsearch(answer.into())
            }),
            _ => ("its URL, such as https://splunk.example.net:8088", "", |answer| {
                SinkAnswer::Splunk { url: answer.into(), token_env: "SPLUNK_TOKEN".into() }
            }),
        };
        if choice == 7 {
            self.dialogue.say("  its token is read from the environment variable SPLUNK_TOKEN")?;
        }
        self.part(question, default, make, wrap)
    }

    /// Asks for the three parts of a mail sink one by one, so that an error concerns a single
    /// answer.
    fn mail(&mut self) -> Result<SinkAnswer> {
        let wrap = |sink_answer| Answers { alerts: vec![sink_answer], ..Answers::default() };
        // The other parts are not known yet, so placeholders make the answer complete.
        let mail = |server: &str, from: &str, to: &str| SinkAnswer::Mail {
            server: server.into(),
            from: from.into(),
            to: list(to),
        };
        const EXAMPLE_ADDRESS: &str = "wiresift@example.net";
        let asked = |part| match part {
            SinkAnswer::Mail { server, from, to } => (server, from, to),
            _ => Default::default(),
        };
        let make = |answer: &str| mail(answer, EXAMPLE_ADDRESS, EXAMPLE_ADDRESS);
        let server = self.part("the mail server, such as mail.example.net:587", "", make, wrap)?;
        let server = asked(server).0;
        let make = |answer: &str| mail(&server, answer, EXAMPLE_ADDRESS);
        let from = asked(self.part("the sender's address", "", make, wrap)?).1;
        let make = |answer: &str| mail(&server, &from, answer);
        self.part("recipients", &from, make, wrap)
    }

    fn verbosity(&mut self) -> Result<()> {
        let choices = [
            "quiet: only high and critical alerts; repeats once a day",
            "normal: all alerts; repeats once an hour",
            "loud: every alert, including repeats",
        ];
        let chosen = self.dialogue.choose("4. How many alerts do you want?", &choices, 2, false)?;
        self.answers.verbosity = match chosen.first() {
            Some(0) => Verbosity::SevereOnly,
            Some(2) => Verbosity::All,
            _ => Verbosity::Normal,
        };
        Ok(())
    }
}

/// Checks whether a configuration with these answers is valid. The error says why not.
fn is_right(answers: &Answers, path: &Path) -> Result<(), String> {
    let text = written(answers);
    if let Err(problems) = Config::parse(&text, path) {
        let first = problems.iter().next();
        return Err(first.map_or(String::new(), |problem| match &*problem.remedy {
            "" => problem.what.clone(),
            remedy => format!("{} ({remedy})", problem.what),
        }));
    }
    match feeds::Config::parse(&text, path) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.without_place().to_string()),
    }
}

fn list(answer: &str) -> Vec<String> {
    words(answer).map(String::from).collect()
}

/// The logs that exist on this machine, as a default answer.
fn logs() -> String {
    let is_there = |path: &&&str| path.contains('*') || PathBuf::from(path).exists();
    LOGS.iter().filter(is_there).copied().collect::<Vec<_>>().join(" ")
}

/// Parses the names of feeds in the catalogue.
fn known_feeds(answer: &str) -> Result<Vec<String>, String> {
    let names = list(answer);
    if names.is_empty() {
        return Err("expected names, such as openphish tor-exits".into());
    }
    if let Some(name) = names.iter().find(|name| catalogue::find(name).is_none()) {
        let all = catalogue::all().iter().map(|entry| &*entry.name);
        return Err(format!("the catalogue has no “{name}”{}", did_you_mean(name, all)));
    }
    Ok(names)
}
