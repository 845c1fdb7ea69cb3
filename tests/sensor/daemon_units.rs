//! Everything that installs the sensor as a service, and monitors it: units, the first
//! configuration, the dashboard, the alert rules. `daemon_package` runs them.

use crate::harness::{Dir, missing, project};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use wiresift::sensor::config::{Address, Config, InputKind, SinkKind};
use wiresift::sensor::metrics::Family;

/// The highest exposure level that the unit may have, in tenths (`systemd-analyze security`).
const MAX_EXPOSURE: &str = "20";

/// Metrics on the page that are not rows of the table.
const OTHER_METRICS: [&str; 1] = ["wiresift_build_info"];

fn packaging(name: &str) -> String {
    let path = project().join("packaging").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs a program with root's folders in its path. Returns `None`, with a loud message, if it is
/// not installed.
fn run(test: &str, program: &str, arguments: &[&str], folder: &Path) -> Option<(bool, String)> {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.args(["-c", "command -v \"$0\" >&2 || exit 127; exec 2>&1 \"$0\" \"$@\"", program]);
    let run = command.args(arguments).env("PATH", path).current_dir(folder).output().unwrap();
    if run.status.code() == Some(127) {
        missing(test, &format!("{program} is not installed"));
        return None;
    }
    Some((run.status.success(), String::from_utf8_lossy(&run.stdout).into_owned()))
}

/// The values of a key in a unit, in order.
fn values<'u>(unit: &'u str, key: &str) -> Vec<&'u str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

/// A folder with the units, and our binary instead of the installed one.
fn units() -> (Dir, Vec<String>) {
    let dir = Dir::new("units");
    let service = packaging("wiresift.service");
    let binary = env!("CARGO_BIN_EXE_wiresift");
    dir.create("wiresift.service", service.replace("/usr/bin/wiresift", binary));
    let mut names = vec!["wiresift.service".to_string()];
    for kind in ["udp", "tcp"] {
        let name = format!("wiresift-syslog-{kind}.socket");
        dir.create(&name, packaging(&format!("sockets/{name}")));
        names.push(name);
    }
    (dir, names)
}

#[test]
fn systemd_understands_the_units() {
    let (dir, names) = units();
    let paths = names.iter().map(|name| format!("./{name}"));
    let arguments: Vec<String> =
        ["verify", "--man=no"].map(String::from).into_iter().chain(paths).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let test = "systemd_understands_the_units";
    let Some((is_right, said)) = run(test, "systemd-analyze", &arguments, dir.path()) else {
        return;
    };
    let about_ours = said.lines().find(|line| line.contains("wiresift"));
    assert!(is_right && about_ours.is_none(), "{said}");
}

#[test]
fn the_service_is_hardly_exposed() {
    let (dir, names) = units();
    let threshold = format!("--threshold={MAX_EXPOSURE}");
    let arguments =
        ["security", "--offline=true", "--no-pager", &threshold, &format!("./{}", names[0])];
    let test = "the_service_is_hardly_exposed";
    let Some((is_right, said)) = run(test, "systemd-analyze", &arguments, dir.path()) else {
        return;
    };
    assert!(said.contains("Overall exposure level"), "{said}");
    assert!(is_right, "more than {MAX_EXPOSURE} tenths:\n{said}");
}

#[test]
fn the_unit_lets_through_what_the_daemon_needs() {
    let unit = packaging("wiresift.service");
    let filters = values(&unit, "SystemCallFilter").join(" ");
    // The sandbox, and sockets passed by systemd.
    for call in ["capset", "seccomp", "landlock_create_ruleset", "landlock_add_rule"] {
        assert!(filters.contains(call), "{call} is refused: {filters}");
    }
    for call in ["landlock_restrict_self", "pidfd_open", "pidfd_getfd"] {
        assert!(filters.contains(call), "{call} is refused: {filters}");
    }
    assert_eq!(values(&unit, "Type"), ["notify"]);
    // `run` exits with it if another start would be of no use.
    assert_eq!(values(&unit, "RestartPreventExitStatus"), ["78"]);
    assert_eq!(values(&unit, "SupplementaryGroups"), ["adm systemd-journal"]);
}

/// The proposals of a configuration, enabled: lines that begin with `#` and no space.
fn with_proposals(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let proposal = line.strip_prefix('#').filter(|rest| {
            rest.starts_with('[') || rest.starts_with(|first: char| first.is_ascii_lowercase())
        });
        out += proposal.unwrap_or(line);
        out.push('\n');
    }
    out
}

fn parse(text: &str) -> Config {
    let path = Path::new("/etc/wiresift/wiresift.toml");
    let feeds = wiresift::intel::config::Config::parse(text, path);
    assert!(feeds.is_ok(), "{}", feeds.unwrap_err());
    Config::parse(text, path).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

#[test]
fn the_first_configuration_is_right_and_so_are_its_proposals() {
    let text = packaging("wiresift.toml");
    let config = parse(&text);
    assert_eq!((config.inputs.len(), config.sinks.len(), config.feeds), (1, 1, 0));
    let all = parse(&with_proposals(&text));
    assert_eq!((all.inputs.len(), all.sinks.len(), all.feeds), (5, 5, 1));
    assert_eq!(all.allow.len(), 1);
}

#[test]
fn the_files_speak_of_the_same_places() {
    let unit = packaging("wiresift.service");
    let config = parse(&packaging("wiresift.toml"));
    let [start] = values(&unit, "ExecStart")[..] else { panic!("one ExecStart") };
    assert!(start.contains(config.path.to_str().unwrap()), "{start}");
    assert_eq!(values(&unit, "StateDirectory"), ["wiresift"]);
    assert!(config.state.starts_with("/var/lib/wiresift"), "{config:?}");
    assert!(config.database.starts_with("/var/lib/wiresift"), "{config:?}");
    assert_eq!(values(&unit, "LogsDirectory"), ["wiresift"]);
    let SinkKind::File(file) = &config.sinks[0].kind else { panic!("{:?}", config.sinks[0]) };
    let pattern = format!("{}/*.json", file.path.parent().unwrap().display());
    assert!(packaging("wiresift.logrotate").contains(&pattern), "no {pattern}");
    // Only one of the two may rotate it.
    assert!(file.rotate_size.is_none() && file.rotate_age.is_none());
    let user = values(&unit, "User")[0];
    assert!(packaging("wiresift.sysusers").contains(&format!("\nu {user} ")));
    assert!(packaging("wiresift.logrotate").contains(&format!("su {user} {user}")));
}

#[test]
fn the_sockets_are_those_of_the_configuration() {
    let all = parse(&with_proposals(&packaging("wiresift.toml")));
    let syslog = all.inputs.iter().find_map(|input| match &input.kind {
        InputKind::Syslog(syslog) => Some(&syslog.listen),
        _ => None,
    });
    let mut names = BTreeSet::new();
    for kind in ["udp", "tcp"] {
        let socket = packaging(&format!("sockets/wiresift-syslog-{kind}.socket"));
        assert_eq!(values(&socket, "Service"), ["wiresift.service"]);
        let listens = [values(&socket, "ListenDatagram"), values(&socket, "ListenStream")].concat();
        assert_eq!(listens, ["514"]);
        names.insert(format!("systemd:{}", values(&socket, "FileDescriptorName")[0]));
    }
    let listened: BTreeSet<String> = syslog.unwrap().iter().map(Address::to_string).collect();
    assert_eq!(listened, names);
}

#[test]
fn the_user_and_the_folders_are_made() {
    let dir = Dir::new("sysusers");
    dir.create("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    dir.create("etc/group", "root:x:0:\nadm:x:4:\n");
    let test = "the_user_and_the_folders_are_made";
    let root = format!("--root={}", dir.path().display());
    let files = project().join("packaging");
    if !rustix::process::geteuid().is_root() {
        return crate::harness::skip(test, "only root can make users");
    }
    let users = files.join("wiresift.sysusers");
    let arguments = [&root, users.to_str().unwrap()];
    let Some((is_right, said)) = run(test, "systemd-sysusers", &arguments, &files) else { return };
    assert!(is_right, "{said}");
    let groups = std::fs::read_to_string(dir.path().join("etc/group")).unwrap();
    assert!(groups.contains("adm:x:4:wiresift\n"), "{groups}");
    let users = std::fs::read_to_string(dir.path().join("etc/passwd")).unwrap();
    let user = users.lines().find(|line| line.starts_with("wiresift:")).unwrap();
    assert!(user.contains(":/var/lib/wiresift:") && user.ends_with("/nologin"), "{user}");
    let folders = files.join("wiresift.tmpfiles");
    let arguments = ["--create", &root, folders.to_str().unwrap()];
    let Some((is_right, said)) = run(test, "systemd-tmpfiles", &arguments, &files) else { return };
    assert!(is_right, "{said}");
    for folder in ["var/lib/wiresift", "var/log/wiresift"] {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let metadata = std::fs::metadata(dir.path().join(folder)).unwrap();
        let number = metadata.uid().to_string();
        assert_eq!(user.split(':').nth(2), Some(&*number), "{folder}");
        assert_eq!(metadata.permissions().mode() & 0o7777, 0o750, "{folder}");
    }
}

#[test]
fn logrotate_rotates_the_alerts() {
    let dir = Dir::new("logrotate");
    let own = packaging("wiresift.logrotate")
        .replace("/var/log/wiresift", dir.path().to_str().unwrap())
        .replace("su wiresift wiresift", "")
        .replace("create 0640 wiresift wiresift", "create 0640");
    let path = dir.create("rotate.conf", own);
    let arguments = ["--force", "--state", "state", path.to_str().unwrap()];
    for round in 1..=3 {
        dir.create("alerts.json", format!("{{\"round\": {round}}}\n"));
        let test = "logrotate_rotates_the_alerts";
        let Some((is_right, said)) = run(test, "logrotate", &arguments, dir.path()) else { return };
        assert!(is_right, "{said}");
    }
    let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
    assert_eq!(read("alerts.json"), b"");
    assert_eq!(read("alerts.json.1"), b"{\"round\": 3}\n");
    // A file that may still be written to is not compressed.
    assert!(dir.path().join("alerts.json.2.gz").exists());
    assert!(dir.path().join("alerts.json.3.gz").exists());
}

/// A document in JSON.
fn dashboard() -> Value {
    let text = std::fs::read(project().join("docs/grafana.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn panels(dashboard: &Value) -> &Vec<Value> {
    dashboard["panels"].as_array().unwrap()
}

/// The queries of a dashboard.
fn queries(dashboard: &Value) -> Vec<String> {
    let targets = panels(dashboard).iter().filter_map(|panel| panel["targets"].as_array());
    let annotations = dashboard["annotations"]["list"].as_array().unwrap();
    targets
        .flatten()
        .chain(annotations)
        .map(|target| target["expr"].as_str().unwrap().to_string())
        .collect()
}

/// Our metrics in a text.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_');
    let ours = words.filter(|word| word.starts_with("wiresift_"));
    ours.map(|word| word.strip_suffix("_bucket").unwrap_or(word).to_string()).collect()
}

fn known() -> BTreeSet<String> {
    let families = Family::ALL.iter().map(|family| family.name());
    families.chain(OTHER_METRICS).map(str::to_string).collect()
}

#[test]
fn the_dashboard_shows_every_metric_and_no_other() {
    let shown = metrics_in(&queries(&dashboard()).join("\n"));
    let known = known();
    let unknown: Vec<_> = shown.difference(&known).collect();
    assert!(unknown.is_empty(), "docs/grafana.json asks for {unknown:?}");
    let forgotten: Vec<_> = known.difference(&shown).collect();
    assert!(forgotten.is_empty(), "docs/grafana.json does not show {forgotten:?}");
}

#[test]
fn the_dashboard_is_importable() {
    let dashboard = dashboard();
    assert!(dashboard["id"].is_null() && dashboard["uid"].is_string());
    let mut ids = BTreeSet::new();
    let mut cells: BTreeMap<(u64, u64), &str> = BTreeMap::new();
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: the id is taken");
        let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{title} is too wide");
        for cell in (at("x")..at("x") + at("w"))
            .flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
        {
            let other = cells.insert(cell, title);
            assert_eq!(other, None, "{title} lies on another panel");
        }
        if panel["type"] != "row" {
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
            assert!(panel["description"].is_string(), "{title} is not explained");
        }
    }
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names: Vec<_> = variables.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["datasource", "job", "instance"]);
}

#[test]
fn rules_are_about_metrics_that_there_are() {
    let text = std::fs::read_to_string(project().join("docs/prometheus.rules.yml")).unwrap();
    let used = metrics_in(&text);
    let known = known();
    let unknown: Vec<_> = used.difference(&known).collect();
    assert!(unknown.is_empty() && used.len() >= 10, "{unknown:?} of {used:?}");
}

/// Prometheus reads the rules, and each query of the dashboard with Grafana's variables filled in.
#[test]
fn prometheus_understands_rules_and_queries() {
    let dir = Dir::new("promtool");
    let mut rules = "groups:\n- name: dashboard\n  rules:\n".to_string();
    for (at, query) in queries(&dashboard()).into_iter().enumerate() {
        let plain = query.replace("$__rate_interval", "5m").replace("$__range", "1d");
        let plain =
            plain.replace("$__interval", "1m").replace("$job", ".*").replace("$instance", ".*");
        assert!(!plain.contains('$'), "{query}");
        rules += &format!("  - record: query:{at}\n    expr: {}\n", Value::from(plain));
    }
    dir.create("dashboard.yml", rules);
    let own = project().join("docs/prometheus.rules.yml");
    let test = "prometheus_understands_rules_and_queries";
    for file in [own.to_str().unwrap(), "dashboard.yml"] {
        let Some((is_right, said)) = run(test, "promtool", &["check", "rules", file], dir.path())
        else {
            return;
        };
        assert!(is_right, "{said}");
    }
}
