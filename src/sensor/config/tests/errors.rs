//! What is wrong, where, and how to fix it.

use super::*;

/// Folders of errors: `NAME.toml`, and the expected messages in `NAME.out`. `WIRESIFT_BLESS=1 cargo
/// test --lib config::tests::errors` renews the latter.
#[test]
fn golden_errors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/config/errors");
    let mut count = 0;
    let mut entries: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries.iter().filter(|path| path.extension().is_some_and(|it| it == "toml")) {
        let text = std::fs::read_to_string(path).unwrap();
        let name = Path::new(path.file_name().unwrap());
        let problems = match Config::parse(&text, name) {
            Ok(config) => config.check(Built::default_for_tests()),
            Err(problems) => problems,
        };
        let got = format!("{problems}\n");
        let golden = path.with_extension("out");
        if std::env::var_os("WIRESIFT_BLESS").is_some() {
            std::fs::write(&golden, &got).unwrap();
        }
        let want = std::fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(got, want, "{}", path.display());
        count += 1;
    }
    assert!(count >= 8, "{count}");
}

#[test]
fn places_are_those_of_lines_and_columns() {
    let problems = wrong("\"ä\" = 1\n\n[[input]]\n  kind = \"files\"\n  patterns = [\"a\", 7]\n");
    let places: Vec<_> = problems.iter().map(|problem| problem.place.unwrap()).collect();
    assert_eq!(places, [Location { line: 1, column: 1 }, Location { line: 5, column: 20 }]);
    let second = problems.iter().nth(1).unwrap();
    assert_eq!(second.what, "input “files”: patterns: expected a text, found a number");
    let first = problems.iter().next().unwrap();
    assert!(first.to_string().starts_with("wiresift.toml:1:1: unknown key “ä” at the top"));
    // Columns are characters.
    let problems = wrong("[daemon]\nhost = \"grün\"\nthreads = 9_999\n");
    assert_eq!(problems.iter().next().unwrap().place, Some(Location { line: 2, column: 8 }));
    assert_eq!(problems.iter().nth(1).unwrap().place, Some(Location { line: 3, column: 11 }));
}

#[test]
fn all_errors_come_at_once_and_are_bounded() {
    let text = "[[input]]\nkind = \"tap\"\n".repeat(200);
    let problems = wrong(&text);
    assert_eq!((problems.iter().count(), problems.more()), (50, 150));
    assert!(problems.to_string().ends_with("\nand 150 more"));
    let error = crate::Error::from(problems).to_string();
    assert!(error.starts_with("wiresift.toml:1: input “tap”: interfaces is missing"), "{error}");
    assert!(error.contains(", and 199 more (add interfaces = …)"), "{error}");
    assert_eq!(wrong(&"x = [\n".repeat(100)).iter().count(), 1);
}

#[test]
fn secrets_are_not_repeated() {
    let secret = "hunter2-hunter2";
    for keys in [
        format!("kind = \"splunk\"\nurl = \"https://s\"\ntoken = \"{secret}\""),
        format!("kind = \"splunk\"\nurl = \"https://s\"\ntoken_env = \"{secret}\""),
        format!("kind = \"splunk\"\nurl = \"https://me:{secret}@s\"\ntoken_env = \"T\""),
        format!("kind = \"webhook\"\nurl = \"https://hooks.slack.com/services/{secret}\""),
        format!("kind = \"webhook\"\nurl = \"https://h\"\nkey = \"{secret}\""),
        format!("kind = \"webhook\"\nurl = \"https://h\"\nkeys = [\"{secret}\"]"),
        format!("kind = \"elasticsearch\"\nurl = \"https://h\"\napi_key = \"{secret}\""),
        format!("kind = \"elasticsearch\"\nurl = \"https://h\"\npassword = \"{secret}\""),
        format!("kind = \"mail\"\nserver = \"h\"\nfrom=\"a@b\"\nto=\"a@b\"\npass = \"{secret}\""),
        format!("kind = \"kafka\"\nbrokers = \"h\"\ntopic=\"t\"\nsecret = \"{secret}\""),
    ] {
        let problems = wrong(&format!("[[sink]]\n{keys}\n")).to_string();
        assert!(!problems.contains("hunter2"), "{problems}");
        assert!(problems.contains("_env") || problems.contains("variable"), "{keys}\n{problems}");
    }
    let hec =
        "[[input]]\nkind = \"hec\"\nlisten = \"tcp://127.0.0.1:8088\"\ntokens = [\"hunter2\"]\n";
    let problems = wrong(hec).to_string();
    let want = "wiresift.toml:4:1: input “hec”: a secret does not belong in this file (set \
                token_env to a variable, or token_file to a file that contains it)";
    assert!(problems.contains(want), "{problems}");
}

#[test]
fn keys_are_suggested() {
    for (keys, want) in [
        ("kind = \"files\"\npath = \"/a\"", "did you mean “patterns”?"),
        ("kind = \"files\"\nrotatewait = \"1s\"", "did you mean “rotate_wait”?"),
        ("kind = \"files\"\nlisten = \"x\"", "only the kinds syslog and hec have this key"),
        ("kind = \"files\"\nzzzzzz = \"x\"", "expected enabled, exclude, from,"),
        ("kind = \"file\"\npath = \"/a\"", "did you mean “files”?"),
        ("kind = \"netflow\"", "expected files, journal, syslog, kafka, eve, hec, tap or captures"),
        ("patterns = \"/a\"", "input: kind is missing (add kind = …: files, journal"),
        ("type = \"files\"", "kind is missing"),
        ("kind = \"captures\"\ndirectory = \"/a\"", "did you mean “folder”?"),
        (
            "kind = \"captures\"\nfolder = \"/a\"\ndone = \"remove\"",
            "expected keep, move or delete",
        ),
        ("kind = \"captures\"\nfolder = \"/a\"\ndone = \"Delete\"", "did you mean “delete”?"),
    ] {
        let problems = wrong(&format!("[[input]]\n{keys}\n")).to_string();
        assert!(problems.contains(want), "{problems}\n{want}");
    }
    for (text, want) in [
        ("[demon]\n", "did you mean “daemon”?"),
        ("[[inputs]]\nkind = \"tap\"\n", "did you mean “input”?"),
        ("[[output]]\nkind = \"tap\"\n", "did you mean “sink”?"),
        ("threads = 3\n", "threads belongs in [daemon]"),
        ("spool_size = \"1G\"\n", "spool_size belongs in [daemon]"),
        (
            "[input]\nkind = \"tap\"\n",
            "wiresift.toml:1:1: input must be a list of tables (write [[input]])",
        ),
        ("[[daemon]]\n", "daemon must be a single table (write [daemon])"),
        ("sink = [7]\n", "sink must be a list of tables"),
        ("suppress = 7\n", "suppress must be a single table"),
        ("[daemon]\nworkers = 7\n", "did you mean “threads”?"),
        ("[suppress]\nkey = [\"indicater\"]\n", "did you mean “indicator”?"),
    ] {
        let problems = wrong(text).to_string();
        assert!(problems.contains(want), "{problems}\n{want}");
    }
}

#[test]
fn names_are_unique_and_plain() {
    let journal = "[[input]]\nkind = \"journal\"\n";
    let problems = wrong(&format!("{journal}{journal}")).to_string();
    let want = "wiresift.toml:3:1: two inputs have the name “journal” (rename one of \
                them; the first is on line 1)";
    assert_eq!(problems, want);
    // An input and a sink may have the same one.
    right(
        "[[input]]\nkind = \"journal\"\nname = \"x\"\n[[sink]]\nkind = \"stdout\"\nname = \"x\"\n",
    );
    for name in ["", "..", "a/b", "A", "x y", "ä", ".x", &"x".repeat(65)] {
        let text = format!("{journal}name = \"{name}\"\n");
        assert!(wrong(&text).to_string().contains("invalid value"), "{name}");
    }
}

/// Keys of an input, and the expected messages.
const OUT_OF_BOUNDS: &[(&str, &str)] = &[
    ("kind = \"tap\"\ninterfaces = []", "the list needs at least 1"),
    ("kind = \"tap\"\ninterfaces = [\"much-too-long-name\"]", "expected an interface name"),
    ("kind = \"tap\"\ninterfaces = [\"any\", \"eth0\"]", "“any” is combined with other interfaces"),
    (
        "kind = \"tap\"\ninterfaces = \"e\"\nsnaplen = 63",
        "input “tap”: snaplen: invalid value “63” (expected 64 to 262144)",
    ),
    ("kind = \"tap\"\ninterfaces = \"e\"\nsnaplen = -1", "invalid value “-1”"),
    (
        "kind = \"tap\"\ninterfaces = \"e\"\nsnaplen = \"1\"",
        "expected a whole number from 64 to 262144, found a text",
    ),
    ("kind = \"tap\"\ninterfaces = \"e\"\nring = \"4G\"", "(expected 512K to 2047M)"),
    (
        "kind = \"tap\"\ninterfaces = \"e\"\nring = 4096",
        "invalid size “4096” (expected 512K to 2047M)",
    ),
    (
        "kind = \"tap\"\ninterfaces = \"e\"\nring = 1048576.0",
        "expected a text, found a number (write \"64M\")",
    ),
    (
        "kind = \"tap\"\ninterfaces = \"e\"\npromiscuous = \"yes\"",
        "expected true or false, found a text",
    ),
    ("kind = \"files\"\npatterns = \"/a/[\"", "invalid pattern “/a/[”"),
    ("kind = \"files\"\npatterns = \"\"", "invalid pattern “”"),
    ("kind = \"files\"\npatterns = \"/a\"\npoll = \"soon\"", "invalid time “soon”: expected"),
    ("kind = \"files\"\npatterns = \"/a\"\npoll = \"2d\"", "(expected 100ms to 1d)"),
    (
        "kind = \"files\"\npatterns = \"/a\"\nignore_older = \"1s\"",
        "ignore_older is shorter than rotate_wait",
    ),
    ("kind = \"journal\"\nunits = \"--all\"", "expected a unit name"),
    ("kind = \"journal\"\nmatches = \"x\"", "expected FIELD=VALUE"),
    ("kind = \"journal\"\nsince = \"tomorrow\"", "expected beginning, now, or a time such as 24h"),
    ("kind = \"syslog\"\nlisten = \"514\"", "it has no scheme (expected udp://HOST:PORT"),
    ("kind = \"syslog\"\nlisten = \"udp://0.0.0.0\"", "expected a port from 1 to 65535"),
    ("kind = \"syslog\"\nlisten = \"udp://:514\"", "0.0.0.0 or [::] for all"),
    ("kind = \"syslog\"\nlisten = \"udp://::1:514\"", "expected an address before the port"),
    ("kind = \"syslog\"\nlisten = \"http://a:80\"", "unknown scheme"),
    ("kind = \"syslog\"\nlisten = \"tls://0.0.0.0:6514\"", "needs a certificate and its key"),
    (
        "kind = \"syslog\"\nlisten = \"udp://0.0.0.0:514\"\ntls_cert = \"a\"",
        "tls_cert is set, but no tls:// address",
    ),
    ("kind = \"hec\"\nlisten = \"tcp://0.0.0.0:8088\"", "neither token_env nor token_file is set"),
    ("kind = \"hec\"\nlisten = \"udp://0.0.0.0:8088\"\ntoken_env = \"T\"", "unknown scheme"),
    ("kind = \"kafka\"\nbrokers = \"k\"\ntopics = \"a b\"", "expected a topic name"),
    (
        "kind = \"kafka\"\nbrokers = \"k\"\ntopics = \"a\"\nuser = \"u\"",
        "user is set, but no password",
    ),
    (
        "kind = \"kafka\"\nbrokers = \"k\"\ntopics = \"a\"\nuser = \"u\"\npassword_env = \"P\"\nmechanism = \"plain\"",
        "sent in plain text",
    ),
    (
        "kind = \"kafka\"\nbrokers = \"k\"\ntopics = \"a\"\nca_file = \"x\"",
        "the connection is not encrypted",
    ),
    (
        "kind = \"kafka\"\nbrokers = \"k\"\ntopics = \"a\"\nproperties = { \"enable.auto.commit\" = true }",
        "property enable.auto.commit cannot be set here (it decides whether",
    ),
    (
        "kind = \"kafka\"\nbrokers = \"k\"\ntopics = \"a\"\nproperties = { sasl.password = \"p\" }",
        "property sasl.password cannot be set here (set tls,",
    ),
    (
        "kind = \"kafka\"\nbrokers = \"k\"\ntopics = \"a\"\nproperties = { a = [1] }",
        "expected a text or a number, found a list",
    ),
    ("kind = \"kafka\"\nbrokers = \"k\"\ntopics = \"a\"\nproperties = 7", "expected a table"),
    ("kind = \"captures\"\nfolder = \"/a\"\ndone = \"move\"", "but move_to is not set"),
    (
        "kind = \"captures\"\nfolder = \"/a\"\nmove_to = \"/b\"",
        "move_to is set, but done is “keep”",
    ),
    (
        "kind = \"captures\"\nfolder = \"/a\"\nmove_to = \"/a\"\ndone = \"move\"",
        "move_to is the same as folder",
    ),
    ("kind = \"eve\"\npath = \"\"", "invalid path"),
];

#[test]
fn values_have_bounds() {
    for (keys, want) in OUT_OF_BOUNDS {
        let problems = wrong(&format!("[[input]]\n{keys}\n")).to_string();
        assert!(problems.contains(want), "{keys}\n{problems}\n{want}");
    }
}

#[test]
fn sinks_contradict_themselves() {
    for (keys, want) in [
        ("kind = \"file\"", "sink “file”: path is missing (add path = …)"),
        ("kind = \"file\"\npath = \"/a\"\nkeep = 3", "keep is set, but the file is never rotated"),
        (
            "kind = \"file\"\npath = \"/a\"\nbatch_age = \"3s\"",
            "only the kinds unix, syslog, webhook",
        ),
        ("kind = \"unix\"\npath = \"/a\"\nformat = \"zeek\"", "unknown value “zeek”"),
        (
            "kind = \"syslog\"\naddress = \"udp://h\"\nframing = \"counted\"",
            "each datagram is one message",
        ),
        ("kind = \"syslog\"\naddress = \"tls://h\"\nframing = \"lines\"", "always counted"),
        (
            "kind = \"syslog\"\naddress = \"tcp://h\"\ninsecure = true",
            "insecure is set, but the connection is not",
        ),
        (
            "kind = \"syslog\"\naddress = \"tls://h\"\nclient_cert = \"a\"",
            "client_cert is set, but no client_key",
        ),
        (
            "kind = \"syslog\"\naddress = \"tls://h\"\nca_file = \"a\"\ninsecure = true",
            "ca_file and insecure are both set",
        ),
        ("kind = \"syslog\"\naddress = \"tls://h\"\nca = \"a\"", "did you mean “ca_file”?"),
        ("kind = \"webhook\"", "url is missing"),
        (
            "kind = \"webhook\"\nurl = \"https://h\"\nurl_env = \"U\"",
            "url and url_env are both set",
        ),
        ("kind = \"webhook\"\nurl = \"ftp://h\"", "expected https:// or http://"),
        (
            "kind = \"webhook\"\nurl = \"https://h\"\nkey_env = [\"A\", \"B\", \"C\"]",
            "more than 2 of key_env",
        ),
        (
            "kind = \"webhook\"\nurl_env = \"U\"\nform = \"slack\"\ngzip = true",
            "Slack does not accept compressed requests",
        ),
        (
            "kind = \"splunk\"\nurl = \"http://s\"\ntoken_env = \"T\"",
            "the secret would be sent in plain text",
        ),
        (
            "kind = \"splunk\"\nurl = \"https://s\"\ntoken_env = \"T\"\ntoken_file = \"t\"",
            "token_env and token_file are both set",
        ),
        ("kind = \"stdout\"\nkinds = \"dmain\"", "did you mean “domain”?"),
        ("kind = \"stdout\"\nkinds = \"ip\"\nexclude_kinds = \"ip\"", "no alert would remain"),
        ("kind = \"stdout\"\nmin_confidence = 101", "expected 0 to 100"),
        ("kind = \"stdout\"\nmin_severity = \"hihg\"", "did you mean “high”?"),
        ("kind = \"stdout\"\nseverity = \"high\"", "did you mean “min_severity”?"),
        (
            "kind = \"stdout\"\ninputs = \"x\"",
            "sink “stdout”: unknown input “x” (there are no inputs)",
        ),
    ] {
        let problems = wrong(&format!("[[sink]]\n{keys}\n")).to_string();
        assert!(problems.contains(want), "{keys}\n{problems}\n{want}");
    }
}

#[test]
fn secrets_of_sinks_are_whole_and_not_sent_in_the_clear() {
    let mail = "kind = \"mail\"\nserver = \"m\"\nfrom = \"a@b\"\nto = \"a@b\"";
    let elastic = "kind = \"elasticsearch\"\nurl = \"https://e\"";
    for (keys, want) in [
        (&format!("{elastic}\nindex = \"Alerts\""), "expected an index name, in lower case"),
        (&format!("{elastic}\nuser = \"u\""), "user and password must be set together"),
        (
            &format!("{elastic}\nuser = \"u\"\npassword_env = \"P\"\nkey_env = \"K\""),
            "key_env and user are both set",
        ),
        (
            &format!("{mail}\ntls = \"never\"\nuser = \"u\"\npassword_env = \"P\""),
            "sent in plain text",
        ),
        (&format!("{mail}\nwindow = \"5m\""), "did you mean “batch_age”?"),
        (&format!("{mail}\nto = \"a@b\""), "duplicate key"),
    ] {
        let problems = wrong(&format!("[[sink]]\n{keys}\n")).to_string();
        assert!(problems.contains(want), "{keys}\n{problems}\n{want}");
    }
    // Without a secret, or to this machine, plain HTTP is fine.
    sink("kind = \"elasticsearch\"\nurl = \"http://e\"");
    sink("kind = \"splunk\"\nurl = \"http://[::1]:8088\"\ntoken_env = \"T\"");
    sink(&format!(
        "{}\ntls = \"never\"\nuser = \"u\"\npassword_env = \"P\"",
        mail.replace("\"m\"", "\"localhost:25\"")
    ));
}

#[test]
fn tables_contradict_each_other() {
    let files = "[[input]]\nkind = \"files\"\npatterns = [\"/var/log/**/*.log\", \"/srv/logs\"]\nexclude = \"alerts*\"\n";
    let file = |path: &str| format!("{files}[[sink]]\nkind = \"file\"\npath = \"{path}\"\n");
    for path in [
        "/var/log/wiresift/x.log",
        "/var/log/x.log",
        "/srv/logs/a/b",
        "/var/./log/x.log",
        "/var/lib/../log/x.log",
    ] {
        let problems = wrong(&file(path)).to_string();
        assert!(problems.contains("its alerts would be read again by input “files”"), "{problems}");
        assert!(problems.starts_with("wiresift.toml:7:1: "), "{problems}");
    }
    for path in ["/var/log/wiresift/alerts.log", "/var/log/x.json", "/srv/logs2"] {
        right(&file(path));
    }
    let syslog =
        |at: &str, more: &str| format!("[[input]]\nkind = \"syslog\"\nlisten = \"{at}\"\n{more}");
    for (text, want) in [
        (
            syslog("tcp://0.0.0.0:601", "[[input]]\nkind = \"hec\"\ntoken_env = \"T\"\nlisten = \"tcp://0.0.0.0:601\"\n"),
            "input “hec”: tcp://0.0.0.0:601 is already in use (input “syslog” listens on it, too)",
        ),
        (syslog("tcp://127.0.0.1:9750", ""), "is already in use (metrics are served on it)"),
        (
            syslog("udp://0.0.0.0:514", "[[sink]]\nkind = \"syslog\"\naddress = \"udp://127.0.0.1\"\n"),
            "its alerts would be read again by input “syslog”",
        ),
        (
            "[[sink]]\nkind = \"file\"\npath = \"/a/o.json\"\n[[sink]]\nname = \"b\"\nkind = \"file\"\npath = \"/a/b/.././o.json\"\n".into(),
            "sink “b”: /a/o.json is also the output of sink “file”",
        ),
        (
            "[[sink]]\nkind = \"stdout\"\n[[sink]]\nname = \"b\"\nkind = \"stdout\"\n".into(),
            "wiresift.toml:5:1: sink “b”: standard output is also the output of sink “stdout”",
        ),
        (
            "[[input]]\nkind = \"kafka\"\nbrokers = \"k\"\ntopics = \"t\"\n[[sink]]\nkind = \"kafka\"\nbrokers = \"k\"\ntopic = \"t\"\n".into(),
            "its alerts would be read again by input “kafka”",
        ),
        (
            format!("{files}[[sink]]\nkind = \"stdout\"\ninputs = [\"file\", \"f*\"]\n"),
            "wiresift.toml:7:1: sink “stdout”: unknown input “file” (did you mean “files”?)",
        ),
    ] {
        let problems = wrong(&text).to_string();
        assert!(problems.contains(want), "{problems}\n{want}");
    }
    right("[[input]]\nkind = \"tap\"\ninterfaces = \"e\"\nring = 1048576\n");
    // Disabled tables conflict with nothing.
    right(&syslog("tcp://127.0.0.1:9750", "enabled = false\n"));
    right(&syslog(
        "udp://0.0.0.0:514",
        "[[sink]]\nkind = \"syslog\"\naddress = \"udp://192.0.2.1\"\n",
    ));
}

#[test]
fn broken_toml_is_reported_by_line() {
    let problems = wrong("[[input]]\nkind = files\n\nx = \n[[sink]]\nkind = stdout\n");
    let lines: Vec<_> = problems.iter().filter_map(|problem| problem.place).collect();
    assert!(lines.len() >= 3 && lines[0].line == 2, "{problems}");
    assert!(lines.windows(2).all(|two| two[0].line < two[1].line), "{problems}");
    let many = wrong(&"= = =\n".repeat(10_000));
    assert_eq!(many.iter().count(), 50);
    assert!(wrong(&"= ".repeat(100_000)).iter().count() <= 2);
}
