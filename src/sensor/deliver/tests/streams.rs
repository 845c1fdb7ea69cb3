//! Syslog and unix sockets.

use super::server::{server_config, wrapped};
use super::*;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixListener;
use std::sync::mpsc::{Receiver, channel};

/// A thread that accepts connections one after another; what it reads is sent to the receiver, one
/// text per connection.
fn reader(
    listener: TcpListener,
    mut read: impl FnMut(usize, TcpStream) -> String + Send + 'static,
) -> Receiver<String> {
    let (sender, receiver) = channel();
    let serve = move || {
        for (number, socket) in listener.incoming().flatten().enumerate() {
            if sender.send(read(number, socket)).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("reader".into()).spawn(serve).unwrap();
    receiver
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn syslog(port: u16, transport: Transport) -> Syslog {
    Syslog::new(SyslogSettings { host: "127.0.0.1".into(), port, transport }, pace()).unwrap()
}

fn read_all(mut socket: impl std::io::Read) -> String {
    let mut text = String::new();
    let _ = socket.read_to_string(&mut text);
    text
}

const HEAD: &str = "<161>1 2026-11-24T02:24:37Z s1 wiresift - ioc-domain [ioc@32473 id=";

#[test]
fn lines_and_counted_frames() {
    for (framing, want) in [
        (Framing::Lines, format!("{HEAD}\"97\"] a\n{HEAD}\"98\"] b\n")),
        (Framing::Counted, format!("74 {HEAD}\"97\"] a74 {HEAD}\"98\"] b")),
    ] {
        let (listener, port) = listener();
        let texts = reader(listener, |_, socket| read_all(socket));
        let mut syslog = syslog(port, Transport::Tcp(framing));
        assert_eq!(short(&deliver(&mut syslog, &batch("ab"))), "dd");
        drop(syslog);
        assert_eq!(texts.recv().unwrap(), want);
    }
}

#[test]
fn what_was_not_acknowledged_before_a_reset_is_sent_again() {
    let (listener, port) = listener();
    // The first connection ends with unread bytes, which causes a reset.
    let texts = reader(listener, |number, mut socket| {
        if number > 0 {
            return read_all(socket);
        }
        socket.read_exact(&mut [0; 10]).unwrap();
        String::new()
    });
    // More than the buffers of both sides hold: not all of it can be acknowledged.
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(200_000);
    let records: Vec<Record> = (0..100).map(|number| record(number, &long)).collect();
    let big = stored(&folder, &records);
    let mut syslog = syslog(port, Transport::Tcp(Framing::Lines));
    let first = deliver(&mut syslog, &big);
    assert_eq!((short(&first), class(&first)), ("a".repeat(100), Class::Connection));
    assert_eq!(short(&deliver(&mut syslog, &big)), "d".repeat(100));
    drop(syslog);
    assert_eq!(texts.recv().unwrap(), "");
    let text = texts.recv().unwrap();
    for (number, line) in text.lines().enumerate() {
        assert!(line.starts_with(&format!("{HEAD}\"{number}\"] xxx")) && line.ends_with(&long));
    }
    assert_eq!(text.lines().count(), 100);
}

#[test]
fn a_receiver_that_went_away_between_batches_is_connected_to_again() {
    let (listener, port) = listener();
    let texts = reader(listener, |number, socket| {
        if number > 0 {
            return read_all(socket);
        }
        let mut line = String::new();
        BufReader::new(&socket).read_line(&mut line).unwrap();
        socket.shutdown(Shutdown::Both).unwrap();
        line
    });
    let mut syslog = syslog(port, Transport::Tcp(Framing::Lines));
    let first = deliver(&mut syslog, &batch("a"));
    let line = texts.recv().unwrap();
    assert!(line.ends_with("] a\n"));
    // Whether the end was noticed at once decides who sends `a` again; `b` arrives in any case.
    let mut last = deliver(&mut syslog, &batch("b"));
    while last.has_again() {
        last = deliver(&mut syslog, &batch("b"));
    }
    assert!(["a", "d"].contains(&&*short(&first)));
    drop(syslog);
    assert!(texts.recv().unwrap().ends_with("] b\n"));
}

#[test]
fn who_takes_nothing_is_waited_for_only_so_long() {
    let (listener, port) = listener();
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(100_000);
    let records: Vec<Record> = (0..100).map(|number| record(number, &long)).collect();
    let big = stored(&folder, &records);
    let transport = Transport::Tcp(Framing::Counted);
    let settings = SyslogSettings { host: "127.0.0.1".into(), port, transport };
    let mut syslog = Syslog::new(settings, hurried()).unwrap();
    let outcome = deliver(&mut syslog, &big);
    assert_eq!(class(&outcome), Class::TimedOut);
    assert!(!short(&outcome).contains('d'));
    drop(listener);
    let outcome = deliver(&mut syslog, &big);
    assert_eq!(class(&outcome), Class::Connection);
}

#[test]
fn tls_has_counted_frames() {
    let folder = tempfile::tempdir().unwrap();
    let Some((cert, key)) = certificate(folder.path(), "own") else { return };
    let (listener, port) = listener();
    let config = server_config((&cert, &key));
    let texts = reader(listener, move |_, socket| read_all(wrapped(socket, Some(config.clone()))));
    let tls = TlsSettings { ca_file: Some(cert), ..TlsSettings::default() };
    let mut syslog = syslog(port, Transport::Tls(tls));
    for letters in ["ab", "c"] {
        assert!(!deliver(&mut syslog, &batch(letters)).has_again());
    }
    drop(syslog);
    let text = texts.recv().unwrap();
    assert!(text.starts_with(&format!("74 {HEAD}\"97\"] a74 {HEAD}")) && text.ends_with("] c"));
}

#[test]
fn datagrams_are_whole_and_short() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let port = socket.local_addr().unwrap().port();
    let mut syslog = syslog(port, Transport::Udp);
    let folder = tempfile::tempdir().unwrap();
    let batch = stored(&folder, &[record(b'a', "a"), record(b'b', &"ü".repeat(2000))]);
    assert_eq!(short(&deliver(&mut syslog, &batch)), "dd");
    let mut buffer = [0; 9000];
    let length = socket.recv(&mut buffer).unwrap();
    assert_eq!(std::str::from_utf8(&buffer[..length]).unwrap(), format!("{HEAD}\"97\"] a"));
    let length = socket.recv(&mut buffer).unwrap();
    assert!((1399..=1400).contains(&length));
    assert!(std::str::from_utf8(&buffer[..length]).unwrap().ends_with("üü"));
    // Nothing is listening: known with the next datagram.
    drop(socket);
    let mut outcome = deliver(&mut syslog, &batch);
    for _ in 0..20 {
        if outcome.has_again() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
        outcome = deliver(&mut syslog, &batch);
    }
    assert_eq!(class(&outcome), Class::Connection);
}

#[test]
fn a_unix_socket_gets_whole_lines_also_after_its_reader_came_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.sock");
    let mut unix = UnixSocket::new(path.clone(), pace());
    let outcome = deliver(&mut unix, &batch("a"));
    assert_eq!((short(&outcome), class(&outcome)), ("a".into(), Class::Connection));
    for letters in ["ab", "c"] {
        let listener = UnixListener::bind(&path).unwrap();
        let reading = std::thread::Builder::new()
            .spawn(move || {
                let (socket, _) = listener.accept().unwrap();
                let lines = BufReader::new(socket).lines().map(Result::unwrap);
                lines.take(letters.len()).collect::<Vec<_>>()
            })
            .unwrap();
        assert!(!deliver(&mut unix, &batch(letters)).has_again());
        let lines = reading.join().unwrap();
        for (line, letter) in lines.iter().zip(letters.chars()) {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["seen"]["value"], letter.to_string());
        }
        std::fs::remove_file(&path).unwrap();
    }
    let outcome = deliver(&mut unix, &batch("d"));
    assert_eq!(class(&outcome), Class::Connection);
}
