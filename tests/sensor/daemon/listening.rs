//! Inputs as the daemon opens them: sockets that others may write to, syslog over TLS, and the journal
//! by a program that stands in for journalctl.

use super::{Post, free_port, number, wait_for};
use crate::harness::{missing, skip};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

const SINK: &str = "\n[[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n";

fn post(name: &str, input: &str) -> Post {
    let post = Post::new(name);
    post.configure(&format!("[suppress]\nenabled = false\n\n{input}{SINK}"));
    post
}

#[test]
fn sockets_are_open_to_the_group_whatever_the_umask() {
    let post = Post::new("run-sockets");
    let [log, datagrams] = ["log.sock", "datagrams.sock"].map(|name| post.path(name));
    post.configure(&format!(
        "[suppress]\nenabled = false\n\n[[input]]\nkind = \"eve\"\npath = \"eve.sock\"\n\n\
         [[input]]\nkind = \"syslog\"\nlisten = [\"unix:{}\", \"unix-datagram:{}\"]\n{SINK}",
        log.display(),
        datagrams.display()
    ));
    for umask in ["0027", "0077", "0000"] {
        let mut command = post.command(&[]);
        command.wrapped_in("sh", &["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]);
        let mut daemon = post.launch(&command);
        daemon.wait_ready();
        for name in ["eve.sock", "log.sock", "datagrams.sock"] {
            let mode = fs::metadata(post.path(name)).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o660, "{name} with umask {umask}");
        }
        daemon.stop();
        assert!(!post.path("eve.sock").exists());
    }
    // What the mode is for.
    let daemon = post.start();
    let mut stream = UnixStream::connect(post.path("eve.sock")).unwrap();
    writeln!(stream, "{{\"dns\":{{\"rrname\":\"www.evil.example\"}}}}").unwrap();
    wait_for("it is there", || post.alerts("alerts.json").len() == 1);
    daemon.stop();
}

/// A certificate for this machine, and its key, by openssl. `None`, with a loud word, without it.
fn certificate(test: &str, post: &Post, name: &str) -> Option<[String; 2]> {
    let [cert, key] = ["pem", "key"].map(|end| post.path(&format!("{name}.{end}")));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext"])
        .arg("subjectAltName=DNS:localhost,IP:127.0.0.1")
        .args(["-out".as_ref(), cert.as_os_str(), "-keyout".as_ref(), key.as_os_str()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match made {
        Ok(status) if status.success() => {
            Some([cert, key].map(|path| path.to_str().unwrap().to_string()))
        }
        _ => {
            skip(test, "openssl is not here to make a certificate");
            None
        }
    }
}

/// A certificate that another one has signed, and its key.
fn signed(post: &Post, [authority, key]: &[String; 2], name: &str) -> [String; 2] {
    let at = |end: &str| post.path(&format!("{name}.{end}")).to_str().unwrap().to_string();
    let openssl = |args: &[&str]| {
        let mut command = Command::new("openssl");
        let run = command.args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(run.unwrap().success(), "{args:?}");
    };
    let (request, own, cert) = (at("csr"), at("key"), at("pem"));
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let subject = ["-subj", "/CN=sender", "-out", &request, "-keyout", &own];
    openssl(&[&["req", "-new"], &curve[..], &subject[..]].concat());
    let by = ["-CA", authority, "-CAkey", key, "-CAcreateserial", "-days", "2"];
    fs::write(post.path("extensions"), "basicConstraints = CA:FALSE\n").unwrap();
    let extensions = post.path("extensions");
    let files = ["-in", &request, "-out", &cert, "-extfile", extensions.to_str().unwrap()];
    openssl(&[&["x509", "-req"], &by[..], &files[..]].concat());
    [cert, own]
}

/// Sends a text over TLS, and returns whether the other side took it.
fn send(port: u16, text: &str, more: &[&str]) -> bool {
    let mut client = Command::new("openssl")
        .args(["s_client", "-quiet", "-no_ign_eof", "-verify_return_error"])
        .args(["-connect", &format!("127.0.0.1:{port}")])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // One that was turned away takes no text.
    let _ = client.stdin.take().unwrap().write_all(text.as_bytes());
    client.wait().unwrap().success()
}

#[test]
fn syslog_over_tls_is_for_those_with_a_certificate() {
    let test = "syslog_over_tls_is_for_those_with_a_certificate";
    let post = Post::new("run-syslog-tls");
    let Some([cert, _]) = certificate(test, &post, "server") else { return };
    let Some(authority) = certificate(test, &post, "authority") else { return };
    let [client, client_key] = signed(&post, &authority, "client");
    let port = free_port();
    let input = |more: &str| {
        format!(
            "[suppress]\nenabled = false\n\n[[input]]\nkind = \"syslog\"\n\
             listen = \"tls://127.0.0.1:{port}\"\ntls_cert = \"server.pem\"\n\
             tls_key = \"server.key\"\n{more}{SINK}"
        )
    };
    let counted = |n: u64| {
        let text = format!("<13>1 2026-11-29T10:00:00Z web1 app - - - {n} www.evil.example");
        format!("{} {text}", text.len())
    };
    let has = |n: u64| post.numbers("alerts.json").contains_key(&n);
    post.configure(&input(""));
    let daemon = post.start();
    assert!(send(port, &(counted(0) + &counted(1)), &["-CAfile", &cert]));
    wait_for("both are there", || has(0) && has(1));
    let alert = &post.alerts("alerts.json")[0];
    assert_eq!((&alert["log"]["host"], &alert["log"]["app"]), (&"web1".into(), &"app".into()));
    // With an authority for clients nobody else gets in.
    post.configure(&input("tls_client_ca = \"authority.pem\"\n"));
    daemon.reload("loaded");
    let with = ["-CAfile", &cert, "-cert", &client, "-key", &client_key];
    assert!(send(port, &counted(2), &with));
    wait_for("the third is there", || has(2));
    send(port, &counted(3), &["-CAfile", &cert]);
    assert!(send(port, &counted(4), &with));
    wait_for("the fifth is there", || has(4));
    assert!(!has(3), "sent without a certificate");
    daemon.stop();
    let counts = post.numbers("alerts.json");
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
}

/// The length of each entry of the journal, with padding.
const ENTRY: usize = 256;

/// An entry in the form of `journalctl --output=export`.
fn entry(n: u64) -> String {
    let text = format!(
        "__CURSOR=s=1;i={n}\n__REALTIME_TIMESTAMP={}\n_HOSTNAME=web1\nSYSLOG_IDENTIFIER=app\n\
         MESSAGE={n} www.evil.example\nPAD=",
        1_795_478_400_000_000 + n
    );
    let pad = "x".repeat(ENTRY - text.len() - 2);
    format!("{text}{pad}\n\n")
}

/// Follows a file of entries after a cursor, as journalctl does.
const JOURNALCTL: &str = r#"#!/bin/sh
echo "$@" >> calls
after=-1 follow=
for argument; do
  case $argument in
    --after-cursor=*) after=${argument##*i=} ;;
    --follow) follow=-f ;;
  esac
done
exec tail -c +$(((after + 1) * 256 + 1)) $follow journal.export
"#;

#[test]
fn the_journal_goes_on_where_it_was() {
    let test = "the_journal_goes_on_where_it_was";
    if Command::new("tail").arg("--version").output().is_err() {
        return missing(test, "there is no tail");
    }
    let post = post("run-journal", "[[input]]\nkind = \"journal\"\nprogram = \"./journalctl\"\n");
    let program = post.dir.create("journalctl", JOURNALCTL);
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    let write = |numbers: std::ops::Range<u64>| {
        let path = post.path("journal.export");
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(numbers.map(entry).collect::<String>().as_bytes()).unwrap();
    };
    write(0..50);
    let daemon = post.start();
    post.expect_once("alerts.json", 50);
    write(50..100);
    post.expect_once("alerts.json", 100);
    let alert = &post.alerts("alerts.json")[99];
    assert_eq!((&alert["input"], number(alert)), (&"journal".into(), Some(99)));
    assert_eq!((&alert["log"]["host"], &alert["log"]["app"]), (&"web1".into(), &"app".into()));
    // A reload that changes the input goes on there, and so does a start.
    let changed = "[[input]]\nkind = \"journal\"\nprogram = \"./journalctl\"\nfields = [\"PAD\"]\n";
    post.configure(&format!("[suppress]\nenabled = false\n\n{changed}{SINK}"));
    daemon.reload("loaded");
    write(100..120);
    post.expect_once("alerts.json", 120);
    daemon.stop();
    write(120..150);
    let daemon = post.start();
    post.expect_once("alerts.json", 150);
    daemon.stop();
    let calls = fs::read_to_string(post.path("calls")).unwrap();
    let calls: Vec<&str> = calls.lines().collect();
    assert_eq!(calls.len(), 3, "{calls:?}");
    assert!(!calls[0].contains("--after-cursor"), "{calls:?}");
    assert!(calls[1].contains("--after-cursor=s=1;i=99"), "{calls:?}");
    assert!(calls[2].contains("--after-cursor=s=1;i=119"), "{calls:?}");
}
