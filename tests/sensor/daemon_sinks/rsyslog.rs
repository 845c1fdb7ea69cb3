//! rsyslog accepts our messages in every framing, and after it was killed.

use super::{NAMES, Peer, alerts, deliver, free_port, insist, lines, program, start};
use crate::harness::{Dir, missing, skip};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use wiresift::sensor::deliver::{Framing, Pace, Syslog, SyslogSettings, TlsSettings, Transport};

/// What is written for each message.
const TEMPLATE: &str = "%pri%|%timestamp:::date-rfc3339%|%hostname%|%app-name%|%msgid%|\
                        %structured-data%|%msg%\\n";

/// Starts rsyslogd with TCP and UDP on one port; `tls` precedes it.
fn rsyslog(binary: &Path, dir: &Dir, port: u16, tls: Option<(&Path, &Path)>) -> Peer {
    let place = dir.path().display();
    let (global, stream) = match tls {
        None => (String::new(), ""),
        Some((cert, key)) => (
            format!(
                "global(DefaultNetstreamDriver=\"ossl\" DefaultNetstreamDriverCAFile=\"{0}\" \
                 DefaultNetstreamDriverCertFile=\"{0}\" DefaultNetstreamDriverKeyFile=\"{1}\")\n",
                cert.display(),
                key.display()
            ),
            " StreamDriver.Name=\"ossl\" StreamDriver.Mode=\"1\" StreamDriver.AuthMode=\"anon\"",
        ),
    };
    let conf = format!(
        "global(workDirectory=\"{place}\")\n{global}\
         module(load=\"imtcp\"{stream})\nmodule(load=\"imudp\")\n\
         template(name=\"t\" type=\"string\" string=\"{TEMPLATE}\")\n\
         input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{port}\" ruleset=\"r\")\n\
         input(type=\"imudp\" address=\"127.0.0.1\" port=\"{port}\" ruleset=\"r\")\n\
         ruleset(name=\"r\") {{ action(type=\"omfile\" file=\"{place}/out\" template=\"t\") }}\n"
    );
    let conf = dir.create("rsyslog.conf", conf);
    let mut command = Command::new(binary);
    command.arg("-n").arg("-f").arg(conf).arg("-i").arg(dir.path().join("pid"));
    start(&mut command, port, &dir.path().join("words"))
}

fn binary(test: &str) -> Option<PathBuf> {
    let found = program("rsyslogd");
    if found.is_none() {
        missing(test, "rsyslogd is not installed");
    }
    found
}

fn syslog(port: u16, transport: Transport) -> Syslog {
    let settings = SyslogSettings { host: "127.0.0.1".into(), port, transport };
    Syslog::new(settings, Pace::default()).unwrap()
}

/// The expected output of rsyslog, one line per alert.
fn check(lines: &[String]) {
    let batch = alerts();
    for record in batch.records() {
        let id = format!(" id=\"{}\"]|", record.hex());
        let found: Vec<&String> = lines.iter().filter(|line| line.contains(&id)).collect();
        let [line] = found[..] else { panic!("{id}: {found:?}") };
        let fields: Vec<&str> = line.splitn(7, '|').collect();
        assert_eq!(fields[1], record.time.to_string(), "{line}");
        assert_eq!((fields[2], fields[3]), ("sensor-1", "wiresift"));
        assert!(fields[4].starts_with("ioc-") && fields[5].starts_with("[ioc@32473 "), "{line}");
        let text = fields[6].trim_start_matches(' ');
        assert!(text.is_ascii() && text.contains(" in "), "no byte order mark: {line}");
    }
}

#[test]
fn rsyslog_takes_lines_counted_frames_and_datagrams() {
    let Some(binary) = binary("rsyslog_takes_lines_counted_frames_and_datagrams") else { return };
    for transport in
        [Transport::Tcp(Framing::Lines), Transport::Tcp(Framing::Counted), Transport::Udp]
    {
        let dir = Dir::new("rsyslog");
        let port = free_port();
        let _rsyslog = rsyslog(&binary, &dir, port, None);
        insist(&mut syslog(port, transport), &alerts());
        check(&lines(&dir.path().join("out"), NAMES.len()));
    }
}

#[test]
fn rsyslog_takes_tls() {
    let test = "rsyslog_takes_tls";
    let Some(binary) = binary(test) else { return };
    let dir = Dir::new("rsyslog");
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext"])
        .arg("subjectAltName=DNS:localhost,IP:127.0.0.1")
        .args(["-out".as_ref(), cert.as_os_str(), "-keyout".as_ref(), key.as_os_str()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !made.is_ok_and(|status| status.success()) {
        return skip(test, "no openssl to create a certificate");
    }
    let driver = |folder: &str| Path::new(folder).join("rsyslog/lmnsd_ossl.so").is_file();
    if !["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64"]
        .into_iter()
        .any(driver)
    {
        return missing(test, "rsyslog-openssl is not installed");
    }
    let port = free_port();
    let _rsyslog = rsyslog(&binary, &dir, port, Some((&cert, &key)));
    let tls = TlsSettings { ca_file: Some(cert), ..TlsSettings::default() };
    insist(&mut syslog(port, Transport::Tls(tls)), &alerts());
    check(&lines(&dir.path().join("out"), NAMES.len()));
}

#[test]
fn what_rsyslog_lost_when_it_was_killed_is_sent_again() {
    let test = "what_rsyslog_lost_when_it_was_killed_is_sent_again";
    let Some(binary) = binary(test) else { return };
    let dir = Dir::new("rsyslog");
    let port = free_port();
    let mut syslog = syslog(port, Transport::Tcp(Framing::Counted));
    let first = rsyslog(&binary, &dir, port, None);
    insist(&mut syslog, &alerts());
    lines(&dir.path().join("out"), NAMES.len());
    drop(first);
    let away = deliver(&mut syslog, &alerts());
    assert!(away.has_again(), "{away:?}");
    std::fs::remove_file(dir.path().join("out")).unwrap();
    let _ = std::fs::remove_file(dir.path().join("pid"));
    let _second = rsyslog(&binary, &dir, port, None);
    insist(&mut syslog, &alerts());
    check(&lines(&dir.path().join("out"), NAMES.len()));
}
