//! A first `wiresift.toml` from four answers: what to watch, which feeds, where alerts go, how
//! many.

use super::form::write_text;

/// What to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchAnswer {
    /// Logs: paths and patterns.
    Logs(Vec<String>),
    /// The journal of this machine.
    Journal,
    /// Syslog over the network: `udp://…` and so on.
    Syslog(Vec<String>),
    /// Suricata, through a socket.
    Suricata(String),
    /// Network interfaces.
    Interfaces(Vec<String>),
    /// A folder of captures.
    Captures(String),
}

/// A feed: the keys and values of its table, in TOML, and the comment above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedAnswer {
    /// Comment lines.
    pub comment: Vec<String>,
    /// Keys, and values in TOML.
    pub members: Vec<(String, String)>,
}

/// Where alerts go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkAnswer {
    /// Into a file.
    File(String),
    /// To standard output.
    Stdout,
    /// To a syslog receiver: `tls://siem.example.net`.
    Syslog(String),
    /// To a webhook that accepts JSON.
    Webhook(String),
    /// To Slack, with its URL in a file.
    Slack {
        /// The file.
        url_file: String,
    },
    /// By mail.
    Mail {
        /// The server.
        server: String,
        /// The sender.
        from: String,
        /// The recipients.
        to: Vec<String>,
    },
    /// To Elasticsearch or OpenSearch.
    Elasticsearch(String),
    /// To Splunk, with a token in a variable.
    Splunk {
        /// The collector.
        url: String,
        /// The variable.
        token_env: String,
    },
}

/// How many alerts to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Only severe ones, and rarely twice.
    SevereOnly,
    /// Each alert at most once an hour.
    #[default]
    Normal,
    /// Every alert.
    All,
}

/// The four answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// What to watch.
    pub watch: Vec<WatchAnswer>,
    /// Which feeds.
    pub feeds: Vec<FeedAnswer>,
    /// Where alerts go.
    pub alerts: Vec<SinkAnswer>,
    /// How many alerts.
    pub verbosity: Verbosity,
}

/// The beginning of the file.
const HEAD: &str = "\
# What `wiresift run` does: which feeds it subscribes to, what it reads, where alerts go.
#
#   wiresift run --check    reports what would run, and all errors
#   wiresift feed list      shows how the feeds are doing
#
# All keys are in config.md of the documentation. What is commented out shows the default, or
# a proposal.

# The data of feeds and the progress of inputs; and the database that is compiled from the feeds.
# state = \"wiresift-state\"
# database = \"wiresift.wsdb\"

[daemon]
# host = \"sensor-1\"               # the name of this sensor in alerts
# metrics = \"127.0.0.1:9750\"      # Prometheus metrics and health checks; \"off\" for none
# spool_size = \"1G\"               # how much may wait on disk while a receiver is unreachable
";

/// Writes a configuration with comments.
pub fn setup(answers: &Answers) -> String {
    let mut out = HEAD.to_string();
    out.push_str(suppression(answers.verbosity));
    let mut kinds = Vec::new();
    for answer in &answers.watch {
        let table = input(answer);
        put(&mut out, "input", &table, &mut kinds);
    }
    let mut kinds = Vec::new();
    for answer in &answers.alerts {
        let mut table = sink(answer);
        if answers.verbosity == Verbosity::SevereOnly {
            table.keys.push(("min_severity", "\"high\"".into()));
        }
        put(&mut out, "sink", &table, &mut kinds);
    }
    for feed in &answers.feeds {
        out.push('\n');
        comment(&mut out, &feed.comment);
        out.push_str("[[feed]]\n");
        for (key, value) in &feed.members {
            out.push_str(&format!("{key} = {}\n", value.trim()));
        }
    }
    out
}

/// A table to write.
struct Written {
    comment: &'static str,
    kind: &'static str,
    keys: Vec<(&'static str, String)>,
    /// Proposals, commented out.
    hints: &'static [&'static str],
}

/// Writes a table. The second one of a kind gets a name: that of the first is the kind.
fn put(out: &mut String, header: &str, table: &Written, kinds: &mut Vec<&'static str>) {
    let count = 1 + kinds.iter().filter(|kind| **kind == table.kind).count();
    kinds.push(table.kind);
    out.push_str(&format!("\n# {}\n[[{header}]]\n", table.comment));
    if count > 1 {
        out.push_str(&format!("name = \"{}-{count}\"\n", table.kind));
    }
    out.push_str(&format!("kind = \"{}\"\n", table.kind));
    for (key, value) in &table.keys {
        out.push_str(&format!("{key} = {value}\n"));
    }
    for hint in table.hints {
        out.push_str(&format!("# {hint}\n"));
    }
}

/// Comments of any text: each line of it is one.
fn comment(out: &mut String, lines: &[String]) {
    for line in lines.iter().flat_map(|line| line.lines()) {
        let plain: String = line.chars().filter(|c| !c.is_control()).collect();
        out.push_str(&format!("# {plain}\n"));
    }
}

fn suppression(verbosity: Verbosity) -> &'static str {
    match verbosity {
        Verbosity::SevereOnly => {
            "\n# Repeated alerts come as one record at the end of a window.\n[suppress]\nwindow = \
             \"1d\"\n# home = [\"192.0.2.0/24\"]        # your networks, in addition to the private ones\n"
        }
        Verbosity::Normal => {
            "\n# Repeated alerts come as one record at the end of a window.\n[suppress]\nwindow = \
             \"1h\"\n# home = [\"192.0.2.0/24\"]        # your networks, in addition to the private ones\n"
        }
        Verbosity::All => {
            "\n# Every alert is sent, including repeats.\n\
                           [suppress]\nenabled = false\n"
        }
    }
}

fn text_list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| write_text(text)).collect();
    format!("[{}]", texts.join(", "))
}

fn input(answer: &WatchAnswer) -> Written {
    let table = |comment, kind, keys, hints| Written { comment, kind, keys, hints };
    match answer {
        WatchAnswer::Logs(patterns) => table(
            "Logs, through rotation of any kind.",
            "files",
            vec![("patterns", text_list(patterns))],
            &["exclude = [\"*.gz\"]", "from = \"end\"   # skip what exists already"],
        ),
        WatchAnswer::Journal => table(
            "The journal of this machine.",
            "journal",
            vec![],
            &[
                "units = [\"sshd.service\"]",
                "since = \"24h\"   # how far back the first start goes",
            ],
        ),
        WatchAnswer::Syslog(listen) => {
            let mut keys = vec![("listen", text_list(listen))];
            if listen.iter().any(|address| address.starts_with("tls:")) {
                keys.push(("tls_cert", "\"/etc/wiresift/server.pem\"".into()));
                keys.push(("tls_key", "\"/etc/wiresift/server.key\"".into()));
            }
            table("Syslog over the network.", "syslog", keys, &["timezone = \"Europe/Berlin\""])
        }
        WatchAnswer::Suricata(path) => table(
            "Suricata: set eve-log to filetype unix_stream and this filename.",
            "eve",
            vec![("path", write_text(path))],
            &[],
        ),
        WatchAnswer::Interfaces(names) => table(
            "Packets. Requires CAP_NET_RAW.",
            "tap",
            vec![("interfaces", text_list(names))],
            &["filter = \"not port 22\""],
        ),
        WatchAnswer::Captures(folder) => table(
            "Captures that appear in a folder.",
            "captures",
            vec![("folder", write_text(folder))],
            &["done = \"delete\"   # keep, move or delete"],
        ),
    }
}

fn sink(answer: &SinkAnswer) -> Written {
    let table = |comment, kind, keys, hints| Written { comment, kind, keys, hints };
    match answer {
        SinkAnswer::File(path) => table(
            "A file with one alert per line.",
            "file",
            vec![
                ("path", write_text(path)),
                ("rotate_size", "\"100M\"".into()),
                ("keep", "10".into()),
            ],
            &["format = \"json\"   # or eve, ecs, ocsf, zeek, cef, syslog, text"],
        ),
        SinkAnswer::Stdout => table("Standard output.", "stdout", vec![], &["format = \"json\""]),
        SinkAnswer::Syslog(address) => table(
            "A syslog receiver.",
            "syslog",
            vec![("address", write_text(address))],
            &["ca_file = \"/etc/wiresift/ca.pem\""],
        ),
        SinkAnswer::Webhook(url) => table(
            "A webhook.",
            "webhook",
            vec![("url", write_text(url))],
            &["key_file = \"/etc/wiresift/webhook.key\"   # signs what is posted"],
        ),
        SinkAnswer::Slack { url_file } => table(
            "Slack. Its URL is a secret, so it is in a separate file.",
            "webhook",
            vec![("form", "\"slack\"".into()), ("url_file", write_text(url_file))],
            &[],
        ),
        SinkAnswer::Mail { server, from, to } => table(
            "Mail, with the alerts of ten minutes each.",
            "mail",
            vec![
                ("server", write_text(server)),
                ("from", write_text(from)),
                ("to", text_list(to)),
                ("batch_age", "\"10m\"".into()),
            ],
            &["user = \"wiresift\"", "password_file = \"/etc/wiresift/mail.password\""],
        ),
        SinkAnswer::Elasticsearch(url) => table(
            "Elasticsearch or OpenSearch.",
            "elasticsearch",
            vec![("url", write_text(url))],
            &["index = \"wiresift-alerts\"", "key_file = \"/etc/wiresift/elasticsearch.key\""],
        ),
        SinkAnswer::Splunk { url, token_env } => table(
            "Splunk, through its HTTP Event Collector.",
            "splunk",
            vec![("url", write_text(url)), ("token_env", write_text(token_env))],
            &["index = \"security\""],
        ),
    }
}
