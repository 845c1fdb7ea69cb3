//! A first `wiresift.toml` from four answers: what to watch, which feeds, where alerts go, how
//! loud.

use super::form::write_text;

/// What to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watching {
    /// Logs: paths and patterns.
    Logs(Vec<String>),
    /// The journal of this machine.
    Journal,
    /// Syslog over the network: `udp://…` and so on.
    Syslog(Vec<String>),
    /// Suricata, by a socket.
    Suricata(String),
    /// Network interfaces.
    Interfaces(Vec<String>),
    /// A folder of captures.
    Captures(String),
}

/// A feed: the keys and values of its table, in TOML, and what is said above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedAnswer {
    /// Lines of comment.
    pub comment: Vec<String>,
    /// Keys, and values in TOML.
    pub members: Vec<(String, String)>,
}

/// Where alerts go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alerting {
    /// Into a file.
    File(String),
    /// To standard output.
    Stdout,
    /// To a receiver of syslog: `tls://siem.example.net`.
    Syslog(String),
    /// To a webhook that takes JSON.
    Webhook(String),
    /// To Slack, whose URL is in a file.
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
        /// Who gets it.
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

/// How loud it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loudness {
    /// Only what is bad, and rarely twice.
    Quiet,
    /// Everything once an hour.
    #[default]
    Normal,
    /// Every alert.
    Loud,
}

/// The four answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// What to watch.
    pub watch: Vec<Watching>,
    /// Which feeds.
    pub feeds: Vec<FeedAnswer>,
    /// Where alerts go.
    pub alerts: Vec<Alerting>,
    /// How loud.
    pub loudness: Loudness,
}

/// What stands at the top.
const HEAD: &str = "\
# What `wiresift run` does: which feeds it subscribes to, what it reads, where alerts go.
#
#   wiresift run --check    says what would run, and what is wrong
#   wiresift feed list      shows how the feeds are doing
#
# All keys are in docs/config.md. What is commented out shows the default, or a proposal.

# What feeds sent and what was read so far; and the database that is made from the feeds.
# state = \"wiresift-state\"
# database = \"wiresift.wsdb\"

[daemon]
# host = \"sensor-1\"               # what this sensor is called in alerts
# metrics = \"127.0.0.1:9750\"      # Prometheus metrics and health checks; \"off\" for none
# spool_size = \"1G\"               # what may wait on disk while a receiver is away
";

/// Writes a configuration with comments.
pub fn setup(answers: &Answers) -> String {
    let mut out = HEAD.to_string();
    out.push_str(suppression(answers.loudness));
    let mut kinds = Vec::new();
    for watching in &answers.watch {
        let table = input(watching);
        put(&mut out, "input", &table, &mut kinds);
    }
    let mut kinds = Vec::new();
    for alerting in &answers.alerts {
        let mut table = sink(alerting);
        if answers.loudness == Loudness::Quiet {
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

fn suppression(loudness: Loudness) -> &'static str {
    match loudness {
        Loudness::Quiet => {
            "\n# Repeated alerts come as one record at the end of a window.\n[suppress]\nwindow = \
             \"1d\"\n# home = [\"192.0.2.0/24\"]        # our networks beside the private ones\n"
        }
        Loudness::Normal => {
            "\n# Repeated alerts come as one record at the end of a window.\n[suppress]\nwindow = \
             \"1h\"\n# home = [\"192.0.2.0/24\"]        # our networks beside the private ones\n"
        }
        Loudness::Loud => {
            "\n# Every alert goes out, also what only repeats another one.\n\
                           [suppress]\nenabled = false\n"
        }
    }
}

fn text_list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| write_text(text)).collect();
    format!("[{}]", texts.join(", "))
}

fn input(watching: &Watching) -> Written {
    let table = |comment, kind, keys, hints| Written { comment, kind, keys, hints };
    match watching {
        Watching::Logs(patterns) => table(
            "Logs, through rotation of any kind.",
            "files",
            vec![("patterns", text_list(patterns))],
            &["exclude = [\"*.gz\"]", "from = \"end\"   # not what is there already"],
        ),
        Watching::Journal => table(
            "The journal of this machine.",
            "journal",
            vec![],
            &[
                "units = [\"sshd.service\"]",
                "since = \"24h\"   # how far back the first start goes",
            ],
        ),
        Watching::Syslog(listen) => {
            let mut keys = vec![("listen", text_list(listen))];
            if listen.iter().any(|address| address.starts_with("tls:")) {
                keys.push(("tls_cert", "\"/etc/wiresift/server.pem\"".into()));
                keys.push(("tls_key", "\"/etc/wiresift/server.key\"".into()));
            }
            table("Syslog over the network.", "syslog", keys, &["timezone = \"Europe/Berlin\""])
        }
        Watching::Suricata(path) => table(
            "Suricata: eve-log with filetype unix_stream and this filename.",
            "eve",
            vec![("path", write_text(path))],
            &[],
        ),
        Watching::Interfaces(names) => table(
            "Packets. Needs CAP_NET_RAW.",
            "tap",
            vec![("interfaces", text_list(names))],
            &["filter = \"not port 22\""],
        ),
        Watching::Captures(folder) => table(
            "Captures, as they appear in a folder.",
            "captures",
            vec![("folder", write_text(folder))],
            &["done = \"delete\"   # keep, move or delete"],
        ),
    }
}

fn sink(alerting: &Alerting) -> Written {
    let table = |comment, kind, keys, hints| Written { comment, kind, keys, hints };
    match alerting {
        Alerting::File(path) => table(
            "A file with an alert in each line.",
            "file",
            vec![
                ("path", write_text(path)),
                ("rotate_size", "\"100M\"".into()),
                ("keep", "10".into()),
            ],
            &["format = \"json\"   # or eve, ecs, ocsf, zeek, cef, syslog, text"],
        ),
        Alerting::Stdout => table("Standard output.", "stdout", vec![], &["format = \"json\""]),
        Alerting::Syslog(address) => table(
            "A receiver of syslog.",
            "syslog",
            vec![("address", write_text(address))],
            &["ca_file = \"/etc/wiresift/ca.pem\""],
        ),
        Alerting::Webhook(url) => table(
            "A webhook.",
            "webhook",
            vec![("url", write_text(url))],
            &["key_file = \"/etc/wiresift/webhook.key\"   # signs what is posted"],
        ),
        Alerting::Slack { url_file } => table(
            "Slack. Its URL is a secret, and therefore in a file of its own.",
            "webhook",
            vec![("form", "\"slack\"".into()), ("url_file", write_text(url_file))],
            &[],
        ),
        Alerting::Mail { server, from, to } => table(
            "Mail, one for the alerts of ten minutes.",
            "mail",
            vec![
                ("server", write_text(server)),
                ("from", write_text(from)),
                ("to", text_list(to)),
                ("batch_age", "\"10m\"".into()),
            ],
            &["user = \"wiresift\"", "password_file = \"/etc/wiresift/mail.password\""],
        ),
        Alerting::Elasticsearch(url) => table(
            "Elasticsearch or OpenSearch.",
            "elasticsearch",
            vec![("url", write_text(url))],
            &["index = \"wiresift-alerts\"", "key_file = \"/etc/wiresift/elasticsearch.key\""],
        ),
        Alerting::Splunk { url, token_env } => table(
            "Splunk, by its HTTP Event Collector.",
            "splunk",
            vec![("url", write_text(url)), ("token_env", write_text(token_env))],
            &["index = \"security\""],
        ),
    }
}
