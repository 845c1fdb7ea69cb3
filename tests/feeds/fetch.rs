//! Fetching over HTTP from a loopback server that misbehaves in every way.

use crate::harness::Dir;
use crate::harness::document_store::StillClock;
use crate::harness::server::{Part, Reply, Server};
use std::io::Write;
use std::time::{Duration, Instant};
use wiresift::intel::feed::fetch::{Access, Answer, Caps, Client, Clock, Request, Url};
use wiresift::{Error, ErrorKind, Result};

const NOW: &str = "2026-03-01T00:00:00Z";
const KEY: &str = "k3y-0f-the-feed-4711";
const PASSWORD: &str = "pa55:word/of-it";

fn caps() -> Caps {
    Caps {
        max_len: 1 << 20,
        total: Duration::from_secs(2),
        idle: Duration::from_millis(400),
        redirects: 3,
    }
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap().0
}

fn send(server: &Server, target: &str) -> Result<Answer> {
    let url = url(&server.url(target));
    let access = Access::default().header("X-Key", KEY).basic("me", PASSWORD);
    let client = Client::new(&url, access, caps())?;
    client.send(&Request::get(&url), &StillClock::at(NOW))
}

fn body(server: &Server, target: &str) -> Result<Vec<u8>> {
    send(server, target)?.success()?.bytes()
}

#[track_caller]
fn fails(server: &Server, target: &str, kind: ErrorKind, part: &str) -> Error {
    let error = body(server, target).unwrap_err();
    let text = error.to_string();
    assert!(error.kind() == kind && text.contains(part), "{kind:?} {part:?}: {error:?}\n{text}");
    assert!(text.contains("http://127.0.0.1:"), "no URL in {text}");
    for secret in [KEY, PASSWORD, "pa55%3Aword", "s3cret"] {
        assert!(!text.contains(secret) && !format!("{error:?}").contains(secret), "{text}");
    }
    error
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[test]
fn answers_come_whole_unpacked_and_conditional() {
    let server = Server::start(|asked| match asked.path() {
        "/plain" => Reply::new(200, &[("ETag", "\"1\""), ("Last-Modified", "yesterday")], "evil"),
        "/odd" => Reply::new(200, &[("ETag", "\"a\u{1}b\""), ("X-\u{e9}", "\u{e9}\u{7f}")], "evil"),
        "/packed" => {
            let packed = [gzip(b"evil.example\n"), gzip(b"bad.example\n")].concat();
            Reply::new(200, &[("Content-Encoding", "gzip")], packed)
        }
        "/chunked" => {
            let body = b"3\r\nevi\r\n1\r\nl\r\n0\r\n\r\n".to_vec();
            Reply::parts(200, &[("Transfer-Encoding", "chunked")], vec![Part::Bytes(body)])
        }
        "/until-the-end" => Reply::parts(200, &[], vec![Part::Bytes(b"evil".to_vec())]),
        _ => Reply::status(if asked.header("if-none-match").is_some() { 304 } else { 404 }),
    });
    let answer = send(&server, "/plain").unwrap();
    assert_eq!((answer.header("etag"), answer.status()), (Some("\"1\""), 200));
    assert_eq!(answer.bytes().unwrap(), b"evil");
    // Bytes that are invalid in a head affect that header only.
    let answer = send(&server, "/odd").unwrap();
    assert_eq!((answer.header("etag"), answer.status()), (None, 200));
    assert_eq!(answer.bytes().unwrap(), b"evil");
    assert_eq!(body(&server, "/packed").unwrap(), b"evil.example\nbad.example\n");
    assert_eq!(body(&server, "/chunked").unwrap(), b"evil");
    assert_eq!(body(&server, "/until-the-end").unwrap(), b"evil");

    let url = url(&server.url("/x"));
    let client = Client::new(&url, Access::default(), caps()).unwrap();
    let mut request = Request::get(&url);
    (request.etag, request.last_modified) = (Some("\"1\""), Some("yesterday"));
    let answer = client.send(&request, &StillClock::at(NOW)).unwrap();
    assert!(answer.is_unchanged());
    let last = server.asked().pop().unwrap();
    assert_eq!(last.header("if-modified-since"), Some("yesterday"));
    assert_eq!(last.header("accept-encoding"), Some("gzip"));
    assert_eq!(last.header("x-key"), None);
}

#[test]
fn whatever_is_cut_off_or_too_long_is_an_error() {
    let server = Server::start(|asked| match asked.path() {
        "/length" => Reply::new(200, &[], "evil.example\n".repeat(50)).cut(5),
        "/chunk" => {
            let body = b"5\r\nevil.\r\n".to_vec();
            Reply::parts(200, &[("Transfer-Encoding", "chunked")], vec![Part::Bytes(body)])
        }
        "/gzip" => {
            let packed = gzip("evil.example\n".repeat(500).as_bytes());
            Reply::new(200, &[("Content-Encoding", "gzip")], &packed[..packed.len() - 9])
        }
        "/no-gzip" => Reply::new(200, &[("Content-Encoding", "gzip")], "evil.example"),
        "/brotli" => Reply::new(200, &[("Content-Encoding", "br")], "evil.example"),
        "/declares" => Reply::parts(200, &[("Content-Length", "99999999999")], vec![Part::Endless]),
        "/endless" => Reply::parts(200, &[], vec![Part::Endless]),
        "/bomb" => Reply::new(200, &[("Content-Encoding", "gzip")], gzip(&vec![0; 5 << 20])),
        "/head" => Reply::raw(format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(1 << 20))),
        "/noise" => Reply::raw("SSH-2.0-OpenSSH_9.2\r\n"),
        "/silence" => Reply::raw(""),
        _ => Reply::status(404),
    });
    fails(&server, "/length", ErrorKind::Network, "cut off after 645 bytes");
    fails(&server, "/chunk", ErrorKind::Network, "cut off after 5 bytes");
    fails(&server, "/gzip", ErrorKind::Network, "cut off");
    fails(&server, "/no-gzip", ErrorKind::Format, "cannot be decompressed");
    fails(&server, "/brotli", ErrorKind::Format, "was not requested");
    fails(&server, "/declares", ErrorKind::Format, "declares 99999999999 bytes");
    fails(&server, "/endless", ErrorKind::Format, "longer than 1048576 bytes");
    fails(&server, "/bomb", ErrorKind::Format, "longer than 1048576 bytes");
    fails(&server, "/head", ErrorKind::Network, "");
    fails(&server, "/noise", ErrorKind::Network, "");
    fails(&server, "/silence", ErrorKind::Network, "");
    fails(
        &server,
        "/x?apikey=s3cret",
        ErrorKind::Refused,
        "/x?apikey=***: the server answered 404",
    );
    let nobody = Server::start(|_| Reply::status(200)).address();
    let gone = url(&format!("http://{nobody}/?token=s3cret"));
    let client = Client::new(&gone, Access::default(), caps()).unwrap();
    let error = client.send(&Request::get(&gone), &StillClock::at(NOW)).unwrap_err();
    assert!(error.kind() == ErrorKind::Network && !error.to_string().contains("s3cret"), "{error}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "time-outs are about real time")]
fn slow_drips_are_bounded_by_the_total_and_silence_by_the_idle_time() {
    let server = Server::start(|asked| match asked.path() {
        "/drip" => {
            let drip = [Part::Bytes(b"x".to_vec()), Part::Wait(Duration::from_millis(100))];
            let drips = drip.iter().cycle().take(400).cloned().collect();
            Reply::parts(200, &[("Content-Length", "1000")], drips)
        }
        "/stops" => {
            let parts = vec![Part::Bytes(b"xyz".to_vec()), Part::Wait(Duration::from_secs(20))];
            Reply::parts(200, &[("Content-Length", "1000")], parts)
        }
        _ => Reply::status(200).late(Duration::from_secs(20)),
    });
    let start = Instant::now();
    fails(&server, "/drip", ErrorKind::TimedOut, "timed out after");
    assert!(start.elapsed() >= Duration::from_millis(1800), "{:?}", start.elapsed());
    fails(&server, "/stops", ErrorKind::TimedOut, "timed out after 3 bytes");
    fails(&server, "/never", ErrorKind::TimedOut, "nothing received for 400ms");
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

#[test]
fn redirects_are_counted_and_never_lead_to_another_scheme() {
    let other = Server::start(|_| Reply::new(200, &[], "other"));
    let there = other.url("/there?sig=s3cret");
    let server = Server::start(move |asked| match asked.path() {
        "/1" => Reply::redirect(302, "/2"),
        "/2" => Reply::redirect(301, "3?x=y"),
        "/3" => Reply::redirect(307, "?last"),
        "/round" => Reply::redirect(302, "/round"),
        "/file" => Reply::redirect(302, "file:///etc/passwd"),
        "/ftp" => Reply::redirect(302, "ftp://me:s3cret@h.example/"),
        "/nowhere" => Reply::new(302, &[], ""),
        "/away" => Reply::redirect(302, &there),
        _ => Reply::new(200, &[], "here"),
    });
    let error = fails(&server, "/1", ErrorKind::Network, "more than 3 redirects");
    assert!(error.to_string().contains("/1: "), "{error}");
    assert_eq!(body(&server, "/2").unwrap_err().to_string().matches("redirects").count(), 1);
    fails(&server, "/round", ErrorKind::Network, "more than 3 redirects");
    fails(&server, "/file", ErrorKind::Network, "something other than an http or https URL");
    fails(&server, "/ftp", ErrorKind::Network, "something other than an http or https URL");
    fails(&server, "/nowhere", ErrorKind::Network, "without a valid Location header");
    assert_eq!(body(&server, "/away").unwrap(), b"other");
    let here = server.asked().pop().unwrap();
    assert_eq!(here.header("x-key"), Some(KEY));
    assert!(here.header("authorization").unwrap().starts_with("Basic "));
    let away = other.asked().pop().unwrap();
    assert_eq!((away.header("x-key"), away.header("authorization")), (None, None));
}

#[test]
fn a_failure_reports_what_the_server_said_and_no_secret() {
    let server = Server::start(|asked| match asked.path() {
        "/json" => Reply::new(400, &[], format!(r#"{{"title":"bad key {KEY}"}}"#)),
        "/text" => Reply::new(503, &[("Retry-After", "120")], "come back later\nmore"),
        "/date" => Reply::new(503, &[("Retry-After", "Sun, 01 Mar 2026 00:02:00 GMT")], ""),
        "/html" => Reply::new(403, &[], "<html>no</html>"),
        _ => Reply::status(504),
    });
    fails(&server, "/json", ErrorKind::Refused, "400 Bad Request: bad key ***");
    fails(&server, "/text", ErrorKind::Network, "503 Service Unavailable: come back later");
    fails(&server, "/html", ErrorKind::Refused, "403 Forbidden (check the key");
    fails(&server, "/504", ErrorKind::TimedOut, "504 Gateway Timeout");
    let now = StillClock::at(NOW).now();
    for target in ["/text", "/date"] {
        let wait = send(&server, target).unwrap().retry_after(now);
        assert_eq!(wait, Some(Duration::from_secs(120)), "{target}");
    }
}

#[test]
fn files_of_certificates_are_checked() {
    let dir = Dir::new("certificates");
    let none = dir.create("none.pem", "nothing\n");
    let damaged = dir.create("damaged.pem", "-----BEGIN CERTIFICATE-----\n!!\n-----END");
    let home = url("https://127.0.0.1/");
    let roots = |path| Access { roots: Some(path), ..Access::default() };
    for path in [none.clone(), damaged, dir.path().join("missing.pem")] {
        let error = Client::new(&home, roots(path.clone()), caps()).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
    }
    let access = Access { certificate: Some((none.clone(), none)), ..Access::default() };
    let error = Client::new(&home, access, caps()).unwrap_err().to_string();
    assert!(error.contains("it contains no certificate"), "{error}");
}
