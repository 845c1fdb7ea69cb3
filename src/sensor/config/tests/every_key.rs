//! Every kind with all its keys; what is written is read back.

use super::*;
use crate::engine::alert::Format;
use crate::engine::indicator::{Kind, Severity};
use std::path::PathBuf;
use std::time::Duration;

/// Every table with every key, and no key with its default value.
pub(super) const ALL: &str = include_str!("every_key.toml");

/// Keys of the same type that several kinds have.
const SHARED: [&str; 11] = [
    "ca_file",
    "client_cert",
    "client_key",
    "insecure",
    "tls_client_ca",
    "batch_records",
    "batch_size",
    "batch_age",
    "spool_size",
    "connect_timeout",
    "timeout",
];

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn every_key_of_every_table_is_read_and_written() {
    let config = right(ALL);
    for table in schema() {
        if table.kind == Some("feeds") || table.header == "[[feed]]" {
            continue;
        }
        let own = sections(table.header, table.kind);
        let all = sections(table.header, None);
        for key in &table.keys {
            let place = format!("{} {:?} {}", table.header, table.kind, key.name);
            let head = format!("\n{} = ", key.name);
            let sections = if SHARED.contains(&&*key.name) { &all } else { &own };
            let values: Vec<&str> = sections
                .iter()
                .flat_map(|section| section.split(&head).skip(1))
                .filter_map(|rest| rest.lines().next())
                .collect();
            assert!(!values.is_empty(), "{place} is missing");
            if let Fallback::Value(default) = &key.fallback {
                let differs = values.iter().any(|value| *value != default);
                assert!(differs, "{place} is at its default");
            }
        }
    }
    let written = config.to_toml();
    let again = right(&written);
    assert_eq!(again.to_toml(), written);
    assert!(config.changes(&again).is_empty(), "{:?}", config.changes(&again));
    assert_eq!((again.inputs, again.sinks), (config.inputs, config.sinks));
    assert_eq!((again.daemon, again.suppress), (config.daemon, config.suppress));
}

/// The tables of the file with this header and kind.
fn sections(header: &str, kind: Option<&str>) -> Vec<String> {
    let all = ALL.split("\n\n").map(|section| format!("\n{section}\n"));
    let is_kind = |section: &String| {
        kind.is_none_or(|kind| section.contains(&format!("\nkind = \"{kind}\"\n")))
    };
    let is_table = |section: &String| match header {
        "" => !section.contains("\n["),
        header => section.contains(&format!("\n{header}\n")),
    };
    all.filter(is_table).filter(is_kind).collect()
}

#[test]
fn an_empty_file_works() {
    for text in ["", "# nothing\n", "[daemon]\n[suppress]\n", "input = []\nsink = []"] {
        let config = right(text);
        assert_eq!(config.database, Path::new("/etc/wiresift/wiresift.wsdb"));
        assert_eq!(config.state, Path::new("/etc/wiresift/wiresift-state"));
        assert_eq!(config.daemon_state(), Path::new("/etc/wiresift/wiresift-state/daemon"));
        assert_eq!(config.sinks.len(), 1);
        assert_eq!((config.suppress.window, config.suppress.first), (seconds(3600), 1));
        assert_eq!((config.daemon.spool_size, config.daemon.sandbox), (1 << 30, true));
        assert_eq!(config.daemon.metrics.as_ref().unwrap().to_string(), "127.0.0.1:9750");
        assert!(config.inputs.is_empty() && config.daemon.update);
        // Written out, it is the same.
        assert!(config.changes(&right(&config.to_toml())).is_empty());
    }
}

#[test]
fn relative_paths_start_at_the_folder_of_the_file() {
    let text = "state = \"s\"\nallow = [\"a\"]\n[[input]]\nkind = \"files\"\n\
                patterns = [\"logs/*.log\", \"/x/*.log\"]\nexclude = [\"*.gz\", \"old/*\"]\n";
    for (path, state, first) in [
        ("wiresift.toml", "s", "logs/*.log"),
        ("conf/wiresift.toml", "conf/s", "conf/logs/*.log"),
        ("/etc/[w]/wiresift.toml", "/etc/[w]/s", "/etc/[[]w[]]/logs/*.log"),
    ] {
        let config = Config::parse(text, Path::new(path)).unwrap();
        let InputKind::Files(files) = &config.inputs[0].kind else { panic!() };
        assert_eq!(
            (config.state.as_path(), &config.allow[0]),
            (Path::new(state), &config.state.with_file_name("a"))
        );
        assert_eq!(files.patterns, [first, "/x/*.log"].map(PathBuf::from));
        assert_eq!(files.exclude[0], Path::new("*.gz"));
        assert_eq!(files.exclude[1], Path::new(&first.replace("logs/*.log", "old/*")));
        assert_eq!(config.database.parent(), Path::new(path).parent());
    }
}

#[test]
fn values_mean_what_they_say() {
    let InputKind::Files(files) =
        input("kind = \"files\"\npatterns = \"/a\"\nfrom = \"end\"\nrotate_wait = \"1.5m\"").kind
    else {
        panic!()
    };
    assert_eq!((files.from, files.rotate_wait, files.max_open), (From::End, seconds(90), None));
    let InputKind::Journal(journal) = input("kind = \"journal\"\nsince = \"24h\"").kind else {
        panic!()
    };
    assert_eq!(journal.since, JournalSince::Ago(seconds(86_400)));
    let InputKind::Syslog(syslog) =
        input("kind = \"syslog\"\nlisten = [\"udp://0.0.0.0:514\", \"tcp://[::]:601\", \"unix:///run/s\", \"systemd:syslog\"]").kind
    else {
        panic!()
    };
    let texts: Vec<String> = syslog.listen.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["udp://0.0.0.0:514", "tcp://[::]:601", "unix:/run/s", "systemd:syslog"]);
    let SinkKind::Syslog(to) = sink("kind = \"syslog\"\naddress = \"tls://siem.example\"").kind
    else {
        panic!()
    };
    assert_eq!(to.address.to_string(), "tls://siem.example:6514");
    let hashes = sink("kind = \"stdout\"\nkinds = [\"hash\", \"domain\"]\nmin_severity = \"high\"");
    assert!(
        hashes.filter.kinds.contains(&Kind::Sha256) && hashes.filter.kinds.contains(&Kind::Domain)
    );
    assert!(
        !hashes.filter.kinds.contains(&Kind::CertSha256)
            && !hashes.filter.kinds.contains(&Kind::Ip)
    );
    assert_eq!(hashes.filter.min_severity, Some(Severity::High));
    let SinkKind::File(file) = sink("kind = \"file\"\npath = \"a.json\"\nformat = \"eve\"").kind
    else {
        panic!()
    };
    assert_eq!((file.format, file.path), (Format::Eve, PathBuf::from("/etc/wiresift/a.json")));
    // Hexadecimal numbers and underscores are TOML, too.
    let tap = "kind = \"tap\"\ninterfaces = \"eth0\"\nsnaplen = 0x1_00";
    let InputKind::Tap(tap) = input(tap).kind else { panic!() };
    assert_eq!(tap.snaplen, 256);
}

#[test]
fn kinds_have_defaults_of_their_own() {
    let elastic = sink("kind = \"elasticsearch\"\nurl = \"https://e\"");
    let mail = sink("kind = \"mail\"\nserver = \"m\"\nfrom = \"a@b\"\nto = \"c@d\"");
    let batch =
        |sink: &Sink| sink.delivery().map(|it| (it.batch_records, it.batch_size, it.batch_age));
    assert_eq!(batch(&elastic), Some((1000, 5 << 20, seconds(1))));
    assert_eq!(batch(&mail), Some((1000, 1 << 20, seconds(600))));
    assert_eq!(batch(&sink("kind = \"stdout\"")), None);
    assert!(elastic.tls().is_some_and(|tls| !tls.insecure));
}

#[test]
fn feeds_are_passed_over() {
    let text = "interval = \"1h\"\nallow_wide = true\nsuppress = [\"lists\"]\nwarninglists = [\"w\"]\n\
                annotate = []\n[[feed]]\nname = \"x\"\nwhatever = 7\n[[feed]]\n";
    assert_eq!(right(text).feeds, 2);
    // `suppress` is either a list of the feeds, or our table, which may contain the list.
    let config = right("[suppress]\nlists = [\"lists\"]\nwindow = \"2h\"\n");
    assert_eq!(config.suppress.window, seconds(7200));
}
