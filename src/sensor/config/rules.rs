//! Relations between tables.

use super::address::Address;
use super::form::is_local;
use super::input::InputKind;
use super::problem::{Problems, alternatives};
use super::sink::SinkKind;
use super::{Config, Input, Sink};
use crate::engine::settings::nearest;
use glob::{MatchOptions, Pattern};
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

/// How file patterns match paths.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// Reports tables that are valid on their own but contradict each other.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    addresses(config, problems);
    outputs(config, problems);
    loops(config, problems);
    names(config, problems);
}

/// Where an input listens.
fn listens(input: &Input) -> Vec<Address> {
    match &input.kind {
        InputKind::Syslog(syslog) => syslog.listen.clone(),
        InputKind::Hec(hec) => hec.listen.clone(),
        InputKind::Eve(eve) => vec![Address::Unix(eve.path.clone())],
        _ => Vec::new(),
    }
}

/// The socket of an address: TLS uses TCP.
fn socket(address: &Address) -> String {
    match address {
        Address::Tls(place) => format!("tcp://{place}"),
        Address::UnixDatagram(path) => format!("unix:{}", path.display()),
        address => address.to_string(),
    }
}

fn addresses(config: &Config, problems: &mut Problems) {
    let mut taken: HashMap<String, &str> = HashMap::new();
    let metrics = config.daemon.metrics.as_ref().map(|place| format!("tcp://{place}"));
    for input in config.active_inputs() {
        let key = if matches!(input.kind, InputKind::Eve(_)) { "path" } else { "listen" };
        for address in listens(input) {
            let socket = socket(&address);
            let by = match taken.get(&socket) {
                Some(name) => format!("input “{name}” listens on it, too"),
                None if metrics.as_ref() == Some(&socket) => "metrics are served on it".to_string(),
                None => {
                    taken.insert(socket, &input.name);
                    continue;
                }
            };
            let what = format!("{address} is already in use ({by})");
            problems.add_with(|| {
                config.problem("input", &input.name, key, &what, "use another address")
            });
        }
    }
}

fn outputs(config: &Config, problems: &mut Problems) {
    let mut taken: HashMap<String, &str> = HashMap::new();
    for sink in config.active_sinks() {
        let (output, key) = match &sink.kind {
            SinkKind::File(file) => (plain(&file.path).display().to_string(), "path"),
            SinkKind::Stdout(_) => ("standard output".to_string(), "kind"),
            _ => continue,
        };
        if let Some(other) = taken.get(&output) {
            let what = format!("{output} is also the output of sink “{other}”");
            problems.add_with(|| {
                let remedy = "write to another file";
                config.problem("sink", &sink.name, key, &what, remedy)
            });
        } else {
            taken.insert(output, &sink.name);
        }
    }
}

/// Reports alerts that would be read again, and cause more alerts.
fn loops(config: &Config, problems: &mut Problems) {
    for sink in config.active_sinks() {
        let reader = config.active_inputs().find(|input| reads(input, sink));
        if let Some(input) = reader {
            let key = if matches!(sink.kind, SinkKind::File(_)) { "path" } else { "address" };
            let what = format!("its alerts would be read again by input “{}”", input.name);
            let remedy = "send them elsewhere, or exclude them from the input";
            problems.add_with(|| config.problem("sink", &sink.name, key, &what, remedy));
        }
    }
}

/// Whether an input reads what a sink writes.
fn reads(input: &Input, sink: &Sink) -> bool {
    match (&input.kind, &sink.kind) {
        (InputKind::Files(files), SinkKind::File(file)) => {
            let path = plain(&file.path);
            let fits = |pattern: &Path| matches(&plain(pattern), &path);
            let is_excluded = files.exclude.iter().any(|pattern| {
                let name = file.path.file_name().map(Path::new);
                fits(pattern) || name.is_some_and(|name| matches(pattern, name))
            });
            files.patterns.iter().any(|pattern| fits(pattern)) && !is_excluded
        }
        (InputKind::Syslog(syslog), SinkKind::Syslog(to)) => {
            syslog.listen.iter().any(|at| is_same_place(at, &to.address))
        }
        (InputKind::Kafka(from), SinkKind::Kafka(to)) => {
            let has = |broker| from.access.brokers.contains(broker);
            to.access.brokers.iter().any(has) && from.topics.contains(&to.topic)
        }
        _ => false,
    }
}

/// A path without `.` and `..`: two ways of writing one path compare equal. Links are found when
/// files are opened.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(plain.components().next_back(), Some(Component::Normal(_))) =>
            {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// Whether a path matches a pattern, or is in the folder that it names.
fn matches(pattern: &Path, path: &Path) -> bool {
    let Some(text) = pattern.to_str() else { return false };
    let Ok(glob) = Pattern::new(text) else { return false };
    glob.matches_path_with(path, OPTIONS)
        || path
            .ancestors()
            .skip(1)
            .any(|folder| !folder.as_os_str().is_empty() && glob.matches_path_with(folder, OPTIONS))
}

/// Whether data sent to one address arrives at the other, on this machine.
fn is_same_place(listen: &Address, to: &Address) -> bool {
    let is_same_kind = std::mem::discriminant(listen) == std::mem::discriminant(to);
    match (listen.place(), to.place()) {
        (Some(listen), Some(to)) if is_same_kind && listen.port == to.port => {
            listen.host == to.host || is_local(&to.host)
        }
        _ => false,
    }
}

/// Checks the names of inputs in filters.
fn names(config: &Config, problems: &mut Problems) {
    let inputs: Vec<&str> = config.inputs.iter().map(|input| &*input.name).collect();
    for sink in &config.sinks {
        let filter = &sink.filter;
        for (key, names) in [("inputs", &filter.inputs), ("exclude_inputs", &filter.exclude_inputs)]
        {
            let is_known = |name: &String| {
                // Names of inputs are in lower case, and filters ignore case.
                let pattern = Pattern::new(&name.to_lowercase());
                pattern.is_ok_and(|pattern| inputs.iter().any(|input| pattern.matches(input)))
            };
            for name in names.iter().filter(|name| !is_known(name)) {
                let remedy = match nearest(name, inputs.iter().copied()) {
                    Some(near) => format!("did you mean “{near}”?"),
                    None if inputs.is_empty() => "there are no inputs".to_string(),
                    None => format!("expected {}", alternatives(&inputs)),
                };
                let what = format!("unknown input “{name}”");
                problems.add_with(|| config.problem("sink", &sink.name, key, &what, &remedy));
            }
        }
    }
}
