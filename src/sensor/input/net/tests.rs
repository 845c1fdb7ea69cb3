//! Receivers with real local sockets.

use super::hec::Collector;
use super::journal::{Journal, Start};
use super::*;
use crate::engine::indicator::Timestamp;
use crate::sensor::listen::{Activated, Address, Bound, Tls, TlsFiles};
use std::io::{Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(30);

fn start(addresses: &[&str], format: Format) -> NetInput {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    let receive = Receive { format, ..Receive::syslog(addresses) };
    receive.start(&mut Activated::default()).unwrap()
}

fn syslog() -> Format {
    Format::Syslog(jiff::tz::TimeZone::UTC)
}

/// This many lines, each with host, program, and whether it continues a record.
fn lines(net_input: &mut NetInput, count: usize) -> Vec<(String, [String; 2], bool)> {
    let mut found = Vec::new();
    while found.len() < count {
        let Next::Batch(batch) = net_input.next(LONG) else { panic!("{} of {count}", found.len()) };
        for (number, text) in batch.bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
            let line = &batch.lines[number];
            assert_eq!(batch.line_at(line.start).unwrap().0, number);
            let text = String::from_utf8(text.to_vec()).unwrap().trim_end().to_string();
            let names = [&line.host, &line.app];
            let names = names.map(|name| name.as_deref().unwrap_or("-").to_string());
            found.push((text, names, line.is_continuation));
        }
        net_input.safe(batch.position);
    }
    found
}

fn texts(net_input: &mut NetInput, count: usize) -> Vec<String> {
    lines(net_input, count).into_iter().map(|(text, ..)| text).collect()
}

#[test]
fn syslog_over_udp_and_tcp() {
    let mut net_input = start(&["udp://127.0.0.1:0", "tcp://127.0.0.1:0"], syslog());
    let [udp, tcp] = net_input.addresses() else { panic!("two addresses") };
    let (udp, tcp) = (*udp, *tcp);
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    sender.send_to(b"<13>Nov 29 10:00:00 web1 sshd[7]: from 192.0.2.7\n", udp).unwrap();
    let want = [("from 192.0.2.7".to_string(), ["web1", "sshd"].map(str::to_string), false)];
    assert_eq!(lines(&mut net_input, 1), want);
    sender.send_to(b"\0\n", udp).unwrap();
    let mut sender = TcpStream::connect(tcp).unwrap();
    sender.write_all(b"<13>1 - web2 app - - [x a=\"b\"] one\n27").unwrap();
    let found = lines(&mut net_input, 2);
    assert_eq!((&*found[0].0, &*found[1].0, found[1].2), ("one", "a=\"b\"", true));
    sender.write_all(b" <13>1 - web2 app - - - two\n3").unwrap();
    assert_eq!(texts(&mut net_input, 1), ["two"]);
    // The last line has no end.
    sender.write_all(b"rd").unwrap();
    drop(sender);
    assert_eq!(texts(&mut net_input, 1), ["3rd"]);
    let datagrams = net_input.count(Count::Datagrams);
    assert_eq!(net_input.count(Count::Records), 3 + datagrams);
    net_input.stop();
    while !matches!(net_input.next(LONG), Next::Ended) {}
    assert_eq!(net_input.count(Count::DroppedDatagrams), 0);
}

#[test]
fn an_invalid_count_ends_one_connection_only() {
    let mut net_input = start(&["tcp://127.0.0.1:0"], syslog());
    let place = net_input.addresses()[0];
    let [mut bad, mut good] = [(); 2].map(|()| TcpStream::connect(place).unwrap());
    bad.write_all(b"<13>one\n9999999 <13>two\n").unwrap();
    assert_eq!(texts(&mut net_input, 1), ["one"]);
    assert_eq!(bad.read(&mut [0; 9]).unwrap_or(0), 0);
    good.write_all(b"<13>three\n").unwrap();
    assert_eq!(texts(&mut net_input, 1), ["three"]);
    assert_eq!(net_input.count(Count::InvalidCounts), 1);
}

#[test]
fn senders_wait_while_the_queue_is_full() {
    let mut net_input = start(&["tcp://127.0.0.1:0"], syslog());
    let mut sender = TcpStream::connect(net_input.addresses()[0]).unwrap();
    sender.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let line = [b"<13>".to_vec(), vec![b'x'; 60_000], b"\n".to_vec()].concat();
    // Far more than the queue and the sockets hold.
    let mut sent = 0;
    let mut rest: &[u8] = &line;
    while sent < 5000 {
        match sender.write(rest) {
            Ok(count) if count < rest.len() => rest = &rest[count..],
            Ok(_) => (sent, rest) = (sent + 1, &line),
            Err(_) => break,
        }
    }
    assert!(sent < 5000, "the sender never waited");
    let before = net_input.count(Count::Lines);
    sender.set_write_timeout(None).unwrap();
    let tail = rest.to_vec();
    let writer = std::thread::Builder::new().spawn(move || sender.write_all(&tail)).unwrap();
    let all = texts(&mut net_input, sent + 1);
    writer.join().unwrap().unwrap();
    assert!(all.iter().all(|text| text.len() == 60_000) && before <= all.len() as u64);
}

#[test]
fn lines_of_a_unix_stream_and_datagrams() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let (stream, datagram) = (path("eve.sock"), path("eve.dgram"));
    let addresses = [format!("unix:{stream}"), format!("unix-datagram:{datagram}")];
    let addresses = [&*addresses[0], &*addresses[1]];
    let mut net_input = start(&addresses, Format::Lines);
    let mut eve = UnixStream::connect(&stream).unwrap();
    eve.write_all(b"{\"a\":1}\n12 <13>no count\n{\"b\"").unwrap();
    assert_eq!(texts(&mut net_input, 2), ["{\"a\":1}", "12 <13>no count"]);
    eve.write_all(b":2}\n").unwrap();
    assert_eq!(texts(&mut net_input, 1), ["{\"b\":2}"]);
    let sender = UnixDatagram::unbound().unwrap();
    sender.send_to(b"{\"c\":3}\n", &datagram).unwrap();
    assert_eq!(texts(&mut net_input, 1), ["{\"c\":3}"]);
    assert_eq!(net_input.count(Count::Datagrams), 1);
    // A socket that is in use is kept; a stale one is removed.
    let address: Address = addresses[0].parse().unwrap();
    let error = Bound::open(&address, None, &mut Activated::default()).unwrap_err().to_string();
    assert!(error.contains("another program is listening on it"), "{error}");
    drop(net_input);
    assert!(!Path::new(&stream).exists() && !Path::new(&datagram).exists());
    drop(std::os::unix::net::UnixListener::bind(&stream).unwrap());
    drop(UnixDatagram::bind(&datagram).unwrap());
    drop(start(&addresses, Format::Lines));
}

/// Waits until something is so.
#[track_caller]
fn until(mut is_so: impl FnMut() -> bool) {
    let since = crate::clock::Stopwatch::start();
    while !is_so() {
        assert!(since.elapsed() < LONG, "it never is");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn sockets_that_others_remove_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let (stream, datagram) = (path("eve.sock"), path("eve.dgram"));
    let addresses = [format!("unix:{stream}"), format!("unix-datagram:{datagram}")];
    let mut net_input = start(&[&*addresses[0], &*addresses[1]], Format::Lines);
    let mut before = UnixStream::connect(&stream).unwrap();
    before.write_all(b"zero\n").unwrap();
    assert_eq!(texts(&mut net_input, 1), ["zero"]);
    let sender = UnixDatagram::unbound().unwrap();
    for round in 1..3 {
        std::fs::remove_file(&stream).unwrap();
        std::fs::remove_file(&datagram).unwrap();
        until(|| net_input.view().sockets_restored() == 2 * round);
        UnixStream::connect(&stream).unwrap().write_all(b"one\n").unwrap();
        assert_eq!(texts(&mut net_input, 1), ["one"]);
        sender.send_to(b"two", &datagram).unwrap();
        assert_eq!(texts(&mut net_input, 1), ["two"]);
    }
    // A connection from before goes on.
    before.write_all(b"three\n").unwrap();
    assert_eq!(texts(&mut net_input, 1), ["three"]);
    let notices = net_input.take_notices();
    assert!(
        notices.iter().any(|it| it.contains("eve.sock: the socket was removed")),
        "{notices:?}"
    );
    assert!(notices.iter().any(|it| it.contains("eve.dgram: the socket")), "{notices:?}");
    // Something else is in its place: it stays, and that is shown until it is gone.
    for path in [&stream, &datagram] {
        std::fs::remove_file(path).unwrap();
        std::fs::write(path, "mine").unwrap();
    }
    until(|| {
        net_input.trouble().is_some_and(|what| what.contains("a regular file is in its place"))
    });
    for path in [&stream, &datagram] {
        assert_eq!(std::fs::read(path).unwrap(), b"mine");
        std::fs::remove_file(path).unwrap();
    }
    until(|| net_input.trouble().is_none());
    UnixStream::connect(&stream).unwrap().write_all(b"four\n").unwrap();
    assert_eq!(texts(&mut net_input, 1), ["four"]);
    std::fs::remove_file(&stream).unwrap();
    std::fs::write(&stream, "mine").unwrap();
    drop(net_input);
    assert_eq!(std::fs::read(&stream).unwrap(), b"mine", "the end removes only what is its own");
}

#[test]
fn messages_that_are_too_long_are_counted_and_reported_once() {
    let mut net_input = start(&["tcp://127.0.0.1:0"], syslog());
    let place = net_input.addresses()[0];
    let long = "x".repeat(syslog::MAX_FRAME + 10);
    for _ in 0..2 {
        let mut sender = TcpStream::connect(place).unwrap();
        sender.write_all(format!("<13>{long}\n<13>next\n").as_bytes()).unwrap();
        let found = texts(&mut net_input, 2);
        assert!(found[0].len() < long.len() && found[1] == "next");
        let mut absurd = TcpStream::connect(place).unwrap();
        absurd.write_all(b"9999999 <13>x").unwrap();
        assert_eq!(absurd.read(&mut [0; 9]).unwrap_or(0), 0, "it is closed");
        // Cut off in the middle is something else.
        TcpStream::connect(place).unwrap().write_all(b"50 <13>half").unwrap();
        assert_eq!(texts(&mut net_input, 1), ["half"]);
    }
    until(|| net_input.count(Count::InvalidCounts) == 2);
    assert_eq!((net_input.count(Count::Oversize), net_input.count(Count::Cut)), (2, 2));
    let notices = net_input.take_notices();
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(notices.iter().any(|it| it.contains("a message of more than")), "{notices:?}");
    assert!(notices.iter().any(|it| it.contains("a message of 9999999 bytes")), "{notices:?}");
}

#[test]
fn connections_are_bounded_and_end_with_the_input() {
    let address = vec!["tcp://127.0.0.1:0".parse().unwrap()];
    let receive = Receive { max_connections: 2, ..Receive::syslog(address) };
    let mut net_input = receive.start(&mut Activated::default()).unwrap();
    let place = net_input.addresses()[0];
    let mut all: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(place).unwrap()).collect();
    while net_input.connections().accepted + net_input.connections().refused < 3 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(net_input.connections().refused, 1);
    net_input.stop();
    assert!(matches!(net_input.next(LONG), Next::Ended));
    for socket in &mut all {
        assert_eq!(socket.read(&mut [0; 9]).unwrap_or(0), 0);
    }
}

/// Certificates that openssl creates in a folder: a server's, and one of a client that it issued.
/// `None` without openssl.
fn certificates(folder: &Path) -> Option<TlsFiles> {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("SKIPPED: no openssl to create a certificate");
        return None;
    }
    let script = "set -e; cd \"$0\"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 \
            -subj /CN=ca -keyout ca.key -out ca.pem
        for name in server client; do
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
                -subj /CN=$name -keyout $name.key -out $name.csr
            printf 'subjectAltName=DNS:localhost\\nextendedKeyUsage=serverAuth,clientAuth\\n' > ext
            openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 \
                -extfile ext -out $name.pem
        done";
    let run = Command::new("bash").args(["-c", script]).arg(folder).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let path = |name: &str| folder.join(name);
    let (certificate, key) = (path("server.pem"), path("server.key"));
    Some(TlsFiles { certificate, key, client_ca: None })
}

/// Sends text over TLS with openssl; returns whether that succeeded.
fn say_over_tls(folder: &Path, place: std::net::SocketAddr, more: &[&str], text: &str) -> bool {
    let script = "cd \"$0\" && place=$1 && shift && (printf '%s' \"$TEXT\"; sleep 1) | \
        openssl s_client -quiet -verify_return_error -CAfile ca.pem -verify_hostname localhost \
        -no_ign_eof -connect $place \"$@\"";
    let run = Command::new("bash")
        .args(["-c", script])
        .arg(folder)
        .arg(place.to_string())
        .args(more)
        .env("TEXT", text)
        .output()
        .unwrap();
    run.status.success()
}

#[test]
fn syslog_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let Some(files) = certificates(folder.path()) else { return };
    let tls = Tls::open(files.clone()).unwrap();
    let address: Address = "tls://127.0.0.1:0".parse().unwrap();
    let open = |tls| {
        let receive = Receive { tls: Some(tls), ..Receive::syslog(vec![address.clone()]) };
        receive.start(&mut Activated::default()).unwrap()
    };
    let mut net_input = open(tls.clone());
    let place = net_input.addresses()[0];
    for version in ["-tls1_2", "-tls1_3"] {
        assert!(say_over_tls(folder.path(), place, &[version], "27 <13>1 - h a - - - over TLS"));
        assert_eq!(texts(&mut net_input, 1), ["over TLS"]);
    }
    // A connection without TLS is not read, and others continue.
    TcpStream::connect(place).unwrap().write_all(b"<13>no TLS at all\n").unwrap();
    tls.reload().unwrap();
    assert!(say_over_tls(folder.path(), place, &[], "<13>after it\n"));
    assert_eq!(texts(&mut net_input, 1), ["after it"]);
    assert_eq!(net_input.count(Count::BrokenConnections), 1);
    // Clients that need a certificate.
    let ca = folder.path().join("ca.pem");
    let files = TlsFiles { client_ca: Some(ca), ..files };
    let mut net_input = open(Tls::open(files.clone()).unwrap());
    let place = net_input.addresses()[0];
    say_over_tls(folder.path(), place, &[], "<13>who am I\n");
    let own = ["-cert", "client.pem", "-key", "client.key"];
    assert!(say_over_tls(folder.path(), place, &own, "<13>it is me\n"));
    assert_eq!(texts(&mut net_input, 1), ["it is me"]);
    // Invalid files.
    let wrong = TlsFiles { key: files.certificate.clone(), ..files.clone() };
    assert!(Tls::open(wrong).unwrap_err().to_string().contains("no private key"));
    let wrong = TlsFiles { key: folder.path().join("client.key"), ..files };
    assert!(Tls::open(wrong).unwrap_err().to_string().contains("does not match"));
    assert!(Bound::open(&address, None, &mut Activated::default()).is_err());
}

/// Drops of the kernel are counted: a socket that is not read.
#[test]
fn drops_of_the_kernel_are_counted() {
    let address: Address = "udp://127.0.0.1:0".parse().unwrap();
    let Bound::Datagrams(datagrams) =
        Bound::open(&address, None, &mut Activated::default()).unwrap()
    else {
        panic!("UDP has datagrams")
    };
    let mut drops = super::drops::Drops::of(&datagrams);
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let count = 3 * datagrams.buffer() / 60_000 + 100;
    for _ in 0..count {
        sender.send_to(&[0; 60_000], datagrams.local_addr().unwrap()).unwrap();
    }
    let mut received = 0;
    while datagrams.receive(&mut [0; 65_536], &mut |_| None).is_ok() {
        received += 1;
    }
    assert!(received < count);
    assert_eq!(drops.since_last() as usize, count - received);
    assert_eq!(drops.since_last(), 0);
}

/// A request to a collector, with a token; the status and the body of the response.
fn post(place: std::net::SocketAddr, path: &str, more: &str, body: &[u8]) -> (u16, String) {
    let mut socket = TcpStream::connect(place).unwrap();
    let head = format!(
        "POST /services/collector{path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n\
         {more}\r\n",
        body.len()
    );
    socket.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let status = answer[9..12].parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_string())
}

const TOKEN: &str = "Authorization: Splunk secret\r\n";

fn collector() -> (NetInput, std::net::SocketAddr) {
    let address = "tcp://127.0.0.1:0".parse().unwrap();
    let net_input =
        Collector::new(address, vec!["secret".into()]).start(&mut Activated::default()).unwrap();
    let place = net_input.addresses()[0];
    (net_input, place)
}

#[test]
fn hec_takes_what_shippers_send() {
    let (mut net_input, place) = collector();
    let body = b"{\"event\":\"one\",\"host\":\"h\"}{\"event\":{\"a\":\"two\"}}";
    let success = (200, "{\"text\":\"Success\",\"code\":0}".to_string());
    assert_eq!(post(place, "/event", TOKEN, body), success);
    let found = lines(&mut net_input, 2);
    assert_eq!((&*found[0].0, &*found[0].1[0], &*found[1].0), ("one", "h", "{\"a\":\"two\"}"));
    // Compressed, with the token as a password.
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(b"{\"event\":\"three\"}").unwrap();
    let basic = "Authorization: Basic eDpzZWNyZXQ=\r\nContent-Encoding: gzip\r\n";
    assert_eq!(post(place, "", basic, &packer.finish().unwrap()), success);
    assert_eq!(texts(&mut net_input, 1), ["three"]);
    assert_eq!(post(place, "/raw?host=h%201&source=s", TOKEN, b"four\r\n\nfive"), success);
    let names = ["h 1", "s"].map(str::to_string);
    let want = [("four".to_string(), names.clone(), false), ("five".to_string(), names, false)];
    assert_eq!(lines(&mut net_input, 2), want);
    // Larger than a batch.
    let large: Vec<u8> =
        (0..9000).flat_map(|n| format!("{{\"event\":\"{n:090}\"}}").into_bytes()).collect();
    assert_eq!(post(place, "/event", TOKEN, &large), success);
    assert_eq!(texts(&mut net_input, 9000).last().unwrap(), &format!("{:090}", 8999));
    assert_eq!(net_input.count(Count::Records), 2 + 1 + 2 + 9000);
}

#[test]
fn hec_refuses_with_the_codes_of_splunk() {
    let (mut net_input, place) = collector();
    let code = |(status, body): (u16, String)| -> (u16, u64) {
        let body: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        (status, body["code"].as_u64().unwrap_or(99))
    };
    let event = b"{\"event\":\"a\"}";
    assert_eq!(code(post(place, "", "", event)), (401, 2));
    assert_eq!(code(post(place, "", "Authorization: secret\r\n", event)), (401, 3));
    assert_eq!(code(post(place, "", "Authorization: Splunk other\r\n", event)), (403, 4));
    assert_eq!(code(post(place, "", TOKEN, b" \n")), (400, 5));
    assert_eq!(code(post(place, "", TOKEN, b"x")), (400, 6));
    assert_eq!(code(post(place, "/ack", TOKEN, b"{\"acks\":[0]}")), (400, 10));
    assert_eq!(code(post(place, "", TOKEN, b"{}")), (400, 12));
    let gzip = format!("{TOKEN}Content-Encoding: gzip\r\n");
    assert_eq!(code(post(place, "", &gzip, event)), (400, 6));
    let zstd = format!("{TOKEN}Content-Encoding: zstd\r\n");
    assert_eq!(post(place, "", &zstd, event).0, 415);
    assert_eq!(post(place, "/other", TOKEN, event).0, 404);
    assert_eq!(code(post(place, "/health", "", b"")), (200, 17));
    let (status, body) = post(place, "", TOKEN, b"{\"event\":\"good\"}{\"event\":\"\"}");
    assert!(status == 400 && body.contains("\"code\":13,\"invalid-event-number\":1"), "{body}");
    assert_eq!(texts(&mut net_input, 1), ["good"]);
    assert_eq!(net_input.count(Count::Unauthorized), 3);
    let open = Collector::new("tcp://127.0.0.1:0".parse().unwrap(), vec![String::new()]);
    assert!(open.start(&mut Activated::default()).is_err());
}

#[test]
fn hec_acknowledges_what_is_safe() {
    let (mut net_input, place) = collector();
    let channel = format!("{TOKEN}X-Splunk-Request-Channel: 0b\r\n");
    let (_, first) = post(place, "/event", &channel, b"{\"event\":\"one\"}");
    assert!(first.ends_with("\"ackId\":0}"), "{first}");
    let (_, second) = post(place, "/raw?channel=0b", TOKEN, b"two");
    assert!(second.ends_with("\"ackId\":1}"), "{second}");
    let ask = || post(place, "/ack?channel=0b", TOKEN, b"{\"acks\":[0,1,2]}").1;
    let none = "{\"acks\":{\"0\":false,\"1\":false,\"2\":false}}";
    assert_eq!(ask(), none);
    let Next::Batch(batch) = net_input.next(LONG) else { panic!("one was sent") };
    assert_eq!(ask(), none);
    net_input.safe(batch.position);
    assert_eq!(ask(), "{\"acks\":{\"0\":true,\"1\":false,\"2\":false}}");
    assert_eq!(ask(), none);
}

#[test]
fn hec_is_busy_while_the_queue_is_full() {
    let (mut net_input, place) = collector();
    for _ in 0..QUEUE {
        assert_eq!(post(place, "/raw", TOKEN, b"x").0, 200);
    }
    let (status, body) = post(place, "/raw", TOKEN, b"y");
    assert!(status == 503 && body.contains("\"code\":9"), "{body}");
    assert_eq!(post(place, "/health", "", b"").0, 503);
    assert_eq!(texts(&mut net_input, QUEUE), ["x"; QUEUE]);
    assert_eq!(post(place, "/raw", TOKEN, b"z").0, 200);
    assert_eq!(post(place, "/health", "", b"").0, 200);
}

/// A script that replaces journalctl, and records its arguments.
fn program(folder: &Path, script: &str) -> std::path::PathBuf {
    let path = folder.join("journalctl");
    let log = folder.join("arguments");
    let text = format!("#!/bin/bash\necho \"$@\" >> '{}'\n{script}\n", log.display());
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn the_journal_is_followed_and_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let script = "n=$(wc -l < \"$(dirname \"$0\")/arguments\")
        entry() { printf '__CURSOR=s=1;i=%s\\n__REALTIME_TIMESTAMP=179547840000000%s\\n_HOSTNAME=web1\\nSYSLOG_IDENTIFIER=sshd\\nMESSAGE=text %s\\n\\n' $1 $1 $1; }
        case $n in
            1) entry 1; entry 2; printf '__CURSOR=s=1;i=3\\nMESS';;
            2) echo 'Failed to open journal' >&2; exit 1;;
            *) entry 3; exec sleep 60;;
        esac";
    let journal = Journal {
        program: program(folder.path(), script),
        arguments: vec!["--unit=ssh".into()],
        ..Journal::new(Start::Beginning)
    };
    let mut net_input = journal.start().unwrap();
    let Next::Batch(batch) = net_input.next(LONG) else { panic!("two entries") };
    let cursors = ["s=1;i=1", "s=1;i=2"];
    assert!(cursors.contains(&batch.cursor.as_deref().unwrap()));
    assert_eq!(batch.lines[0].time, Some(Timestamp(1_795_478_400_000_001)));
    assert_eq!(batch.lines[0].host.as_deref(), Some("web1"));
    let mut all = String::from_utf8(batch.bytes).unwrap();
    while !all.contains("text 3") {
        if let Some(trouble) = net_input.trouble() {
            assert!(trouble.contains("Failed to open journal"), "{trouble}");
        }
        if let Next::Batch(batch) = net_input.next(Duration::from_millis(50)) {
            all += str::from_utf8(&batch.bytes).unwrap();
        }
    }
    assert_eq!(all, "text 1\ntext 2\ntext 3\n");
    assert_eq!((net_input.count(Count::Restarts), net_input.trouble()), (2, None));
    let arguments = std::fs::read_to_string(folder.path().join("arguments")).unwrap();
    let starts: Vec<&str> = arguments.lines().collect();
    assert!(starts[0].ends_with("--output=export --no-tail --unit=ssh"), "{arguments}");
    // The cursor of the last complete entry. It has no time, so it is used unchanged.
    for start in &starts[1..3] {
        assert!(start.contains("--after-cursor=s=1;i=2 "), "{arguments}");
    }
    // The program ends with the network input.
    net_input.stop();
    assert!(matches!(net_input.next(LONG), Next::Ended));
}

/// Writes entries of one second to a journal file, with the program for it.
fn write_journal(file: &Path, numbers: std::ops::Range<u64>, boot: &str) {
    let entry = |n: u64| {
        let time = 1_795_478_400_000_000 + n;
        format!(
            "__REALTIME_TIMESTAMP={time}\n__MONOTONIC_TIMESTAMP={n}\n_BOOT_ID={boot}\n\
             _HOSTNAME=web1\nMESSAGE=entry {n}\n\n"
        )
    };
    let text: String = numbers.map(entry).collect();
    let export = file.with_extension("export");
    std::fs::write(&export, text).unwrap();
    let run = Command::new(JOURNAL_REMOTE).arg("-o").arg(file).arg(export).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

const JOURNAL_REMOTE: &str = "/lib/systemd/systemd-journal-remote";

#[test]
fn the_real_journal_goes_on_after_each_cursor() {
    let is_there = Command::new("journalctl").arg("--version").output().is_ok();
    if !is_there || !Path::new(JOURNAL_REMOTE).exists() {
        eprintln!("skipped: journalctl and systemd-journal-remote are needed");
        return;
    }
    let this_boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let this_boot = this_boot.trim().replace('-', "");
    for boot in [this_boot, "0b".repeat(16)] {
        for by_file in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("x.journal");
            write_journal(&file, 1..6, &boot);
            let argument = match by_file {
                true => format!("--file={}", file.display()),
                false => format!("--directory={}", folder.path().display()),
            };
            after_each_cursor(&argument);
            // Entries that are written meanwhile follow those that exist.
            let mut net_input = journal_of(&argument, Start::Beginning).start().unwrap();
            assert_eq!(texts(&mut net_input, 5)[4], "entry 5");
            write_journal(&file, 6..8, &boot);
            assert_eq!(texts(&mut net_input, 2), ["entry 6", "entry 7"], "{argument}");
        }
    }
}

fn journal_of(argument: &str, start: Start) -> Journal {
    Journal { arguments: vec![argument.into()], ..Journal::new(start) }
}

fn after_each_cursor(argument: &str) {
    let once = Journal {
        once: true,
        fields: vec!["__CURSOR".into()],
        ..journal_of(argument, Start::Beginning)
    };
    let all = texts(&mut once.start().unwrap(), 10);
    let cursors: Vec<&String> = all.iter().filter(|text| text.starts_with("s=")).collect();
    for (number, cursor) in cursors[..4].iter().enumerate() {
        let start = Start::After((*cursor).clone());
        let mut net_input = journal_of(argument, start).start().unwrap();
        let want: Vec<String> = (number + 2..6).map(|n| format!("entry {n}")).collect();
        assert_eq!(texts(&mut net_input, want.len()), want, "{argument} after {cursor}");
        assert_eq!(net_input.trouble(), None);
    }
}

#[test]
fn a_missing_program_is_reported() {
    let journal = Journal { program: "/nowhere/journalctl".into(), ..Journal::new(Start::Now) };
    let mut net_input = journal.start().unwrap();
    while net_input.trouble().is_none() {
        assert!(matches!(net_input.next(Duration::from_millis(20)), Next::Nothing));
    }
    assert!(net_input.trouble().unwrap().contains("start /nowhere/journalctl"));
}

#[test]
fn peers_are_addresses_and_paths() {
    let mut net_input = start(&["tcp://[::1]:0"], Format::Lines);
    let mut sender = TcpStream::connect(net_input.addresses()[0]).unwrap();
    sender.write_all(b"x\n").unwrap();
    let Next::Batch(batch) = net_input.next(LONG) else { panic!("it was sent") };
    assert_eq!(batch.lines[0].peer, Arc::from("::1"));
}
