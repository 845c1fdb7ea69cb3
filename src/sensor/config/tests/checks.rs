//! What can be verified without starting.

use super::*;

impl Built {
    pub(super) fn default_for_tests() -> Built {
        Built { kafka: false, kafka_tls: false, live: false, prints_to_journal: true }
    }
}

const EVERYTHING: Built =
    Built { kafka: true, kafka_tls: true, live: true, prints_to_journal: false };

#[test]
fn what_is_there_is_fine() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["in", "done", "out"] {
        std::fs::create_dir(root.join(name)).unwrap();
    }
    for name in ["allow.txt", "key", "ca.pem", "iocs.wsdb"] {
        std::fs::write(root.join(name), "x").unwrap();
    }
    let text = "database = \"iocs.wsdb\"\nallow = [\"allow.txt\"]\n\
                [[input]]\nkind = \"captures\"\nfolder = \"in\"\ndone = \"move\"\nmove_to = \"done\"\n\
                [[input]]\nkind = \"syslog\"\nlisten = \"udp://127.0.0.1:5514\"\ntimezone = \"Asia/Tokyo\"\n\
                [[sink]]\nkind = \"file\"\npath = \"out/alerts.json\"\n\
                [[sink]]\nkind = \"splunk\"\nurl = \"https://s\"\ntoken_file = \"key\"\nca_file = \"ca.pem\"\n";
    let config = Config::parse(text, &root.join("wiresift.toml")).unwrap();
    assert_eq!(config.check(EVERYTHING).to_string(), "");
    assert_eq!(config.credentials().len(), 1);
}

#[test]
fn what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wiresift.toml");
    let text = "allow = [\"allow.txt\"]\n\
                [[input]]\nkind = \"captures\"\nfolder = \"in\"\n\
                [[input]]\nkind = \"syslog\"\nlisten = \"unix:/nowhere/x\"\ntimezone = \"Mars/Olympus\"\n\
                [[input]]\nkind = \"tap\"\ninterfaces = \"none7\"\n\
                [[input]]\nkind = \"kafka\"\nbrokers = \"k\"\ntopics = \"t\"\n\
                [[input]]\nkind = \"hec\"\nlisten = \"tcp://127.0.0.1:5088\"\ntoken_env = \"WIRESIFT_UNSET_IN_TESTS\"\n\
                [[sink]]\nkind = \"file\"\npath = \"out/alerts.json\"\n\
                [[sink]]\nkind = \"splunk\"\nurl = \"https://s\"\ntoken_file = \"key\"\nca_file = \"ca.pem\"\n";
    let config = Config::parse(text, &path).unwrap();
    let problems = config.check(Built { kafka: false, ..EVERYTHING }).to_string();
    for want in [
        "wiresift.toml:1:1: allow: no such file",
        "the database",
        ":4:1: input “captures”: folder: no such folder",
        ":7:1: input “syslog”: listen: no such folder: /nowhere",
        ":8:1: input “syslog”: unknown time zone “Mars/Olympus”",
        "input “kafka”: this wiresift was built without the feature kafka (build it with",
        "input “hec”: the variable WIRESIFT_UNSET_IN_TESTS is not set",
        "path: no such folder",
        "token_file: no such file",
        "ca_file: no such file",
    ] {
        assert!(problems.contains(want), "{problems}\n{want}");
    }
    if Path::new("/sys/class/net").exists() {
        assert!(problems.contains("input “tap”: no such interface: none7"), "{problems}");
    }
    let problems = config.check(Built { live: false, ..EVERYTHING }).to_string();
    assert!(problems.contains("input “tap”: this build cannot listen to interfaces"), "{problems}");
    let with_tls = right(
        "[[sink]]\nkind = \"kafka\"\nbrokers = \"k\"\ntopic = \"t\"\ntls = true\n\
         [[input]]\nkind = \"kafka\"\nbrokers = \"k\"\ntopics = \"a\"\n[[feed]]\n",
    );
    let problems = with_tls.check(Built { kafka_tls: false, ..EVERYTHING }).to_string();
    let want = "sink “kafka”: this wiresift was built without the feature kafka-tls";
    assert!(problems.contains(want) && !problems.contains("input"), "{problems}");
    // Disabled tables may lack anything.
    let off =
        right("[[input]]\nkind = \"tap\"\nenabled = false\ninterfaces = \"none7\"\n[[feed]]\n");
    let problems = off.check(EVERYTHING).to_string();
    assert!(problems.contains("no input is enabled"), "{problems}");
    assert!(!problems.contains("none7"), "{problems}");
}

#[test]
fn alerts_in_the_journal_are_not_read_back() {
    let config = right("[[input]]\nkind = \"journal\"\n[[feed]]\n");
    assert!(config.check(EVERYTHING).is_empty());
    let problems = config.check(Built { prints_to_journal: true, ..EVERYTHING }).to_string();
    assert!(problems.contains("standard output goes to the journal"), "{problems}");
}

#[test]
fn what_is_not_safe_warns() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "x").unwrap();
    let mode = |mode| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let text = "[[sink]]\nkind = \"splunk\"\nurl = \"https://s\"\ntoken_file = \"key\"\ninsecure = true\n\
                [[sink]]\nkind = \"elasticsearch\"\nurl = \"http://e\"\n\
                [[sink]]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9\"\n\
                [[sink]]\nkind = \"syslog\"\naddress = \"udp://h\"\n";
    let config = Config::parse(text, &folder.path().join("wiresift.toml")).unwrap();
    mode(0o604);
    let warnings = config.warnings();
    assert_eq!(warnings.len(), 4, "{warnings:?}");
    assert!(warnings[0].starts_with("splunk: any certificate is accepted"));
    assert!(warnings[1].starts_with("elasticsearch: alerts are sent over plain http"));
    assert!(warnings[2].starts_with("syslog: alerts are sent as plain syslog"));
    assert!(warnings[3].contains("every user of this machine can read its secret"));
    mode(0o640);
    assert_eq!(config.warnings().len(), 3);
}

#[test]
fn it_is_described_in_plain_english() {
    let lines = right(super::every_key::ALL).describe().join("\n");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/config/every_key.txt");
    if std::env::var_os("WIRESIFT_BLESS").is_some() {
        std::fs::write(&golden, format!("{lines}\n")).unwrap();
    }
    let want = std::fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(format!("{lines}\n"), want, "{} differs", golden.display());
    let lines = right("[[input]]\nkind = \"journal\"\n[[feed]]\n").describe().join("\n");
    assert!(
        lines.contains("input journal (journal): follows the journal of this machine"),
        "{lines}"
    );
    assert!(lines.contains("feeds: 1, fetched and compiled by this process"), "{lines}");
    assert!(
        lines.contains("the first alert with the same indicator, where and local in 1h at once"),
        "{lines}"
    );
}

#[test]
fn files_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wiresift.toml");
    let missing = Config::open(&path).unwrap_err().to_string();
    assert!(missing.contains("run `wiresift run --setup` to create one"), "{missing}");
    std::fs::write(&path, "[daemon]\nthreads = 3\n").unwrap();
    assert_eq!(Config::open(&path).unwrap().daemon.threads, 3);
    std::fs::write(&path, "[daemon]\nthreads = x\n").unwrap();
    let error = Config::open(&path).unwrap_err().to_string();
    assert!(error.contains("wiresift.toml:2: "), "{error}");
}
