use super::*;
use crate::indicator::Protocol;
use crate::packet::tests::{Recorder, decode, tcp};

fn seen(request: &[u8]) -> (Recorder, Counters) {
    decode(&[tcp(40000, 8080, 24, request)])
}

#[test]
fn every_header_that_is_told() {
    let (recorder, counters) = seen(
        b"POST /a?b=c HTTP/1.1\r\nHOST:  Evil.Example:8080 \r\nReferer: http://r.example/\r\n\
          User-Agent: Mal/1.0\r\nX-Forwarded-For: 192.0.2.1, [2001:db8::1]:99 , unknown,198.51.100.1:5\r\n\
          Content-Length: 3\r\n\r\nGET /not HTTP/1.1\r\n\r\n",
    );
    let want = [
        (Where::HttpHost, "Evil.Example"),
        (Where::HttpUrl, "http://Evil.Example:8080/a?b=c"),
        (Where::HttpReferer, "http://r.example/"),
        (Where::HttpUserAgent, "Mal/1.0"),
        (Where::HttpXff, "192.0.2.1"),
        (Where::HttpXff, "2001:db8::1"),
        (Where::HttpXff, "198.51.100.1"),
    ];
    assert_eq!(recorder.seen, want.map(|(at, text)| (at, text.to_owned())));
    assert_eq!(counters.faults().count(), 0);
    let Some(Protocol::Http(http)) = &recorder.places[0].protocol else { panic!() };
    let want = indicator::Http {
        method: Some("POST".into()),
        hostname: Some("Evil.Example".into()),
        url: Some("/a?b=c".into()),
        user_agent: Some("Mal/1.0".into()),
        status: None,
    };
    assert_eq!(*http, want);
}

#[test]
fn hosts_and_urls() {
    for (request, host, url) in [
        ("GET / HTTP/1.0\nHost: a.example\n\n", "a.example", "http://a.example/"),
        ("GET /x HTTP/1.1\r\nHost: 192.0.2.5:81\r\n\r\n", "192.0.2.5 81", "http://192.0.2.5:81/x"),
        ("GET /x HTTP/1.1\r\nHost: [2001:db8::2]\r\n\r\n", "2001:db8::2", "http://[2001:db8::2]/x"),
        ("GET /x HTTP/1.1\r\nHost: a.example:\r\n\r\n", "a.example", "http://a.example:/x"),
        (
            "GET http://b.example/y HTTP/1.1\r\nHost: a.example\r\n\r\n",
            "a.example",
            "http://b.example/y",
        ),
        ("OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n", "a.example", "http://a.example/"),
        ("GET /?u=http://z HTTP/1.1\r\nHost: a.b\r\n\r\n", "a.b", "http://a.b/?u=http://z"),
    ] {
        let (recorder, _) = seen(request.as_bytes());
        assert_eq!(recorder.at(Where::HttpHost), [host], "{request}");
        assert_eq!(recorder.at(Where::HttpUrl), [url], "{request}");
    }
    let (recorder, _) = seen(b"GET /bot HTTP/1.0\r\n\r\n");
    assert_eq!(recorder.seen, [(Where::HttpUrl, "http://198.51.100.2:8080/bot".to_owned())]);
    let (recorder, _) = seen(b"CONNECT c.example:443 HTTP/1.1\r\nHost: d.example\r\n\r\n");
    assert_eq!(recorder.at(Where::HttpHost), ["d.example", "c.example"]);
    assert!(recorder.at(Where::HttpUrl).is_empty());
    let (recorder, _) = seen(b"GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n");
    assert_eq!(recorder.at(Where::HttpHost), ["a.example", "b.example"]);
}

#[test]
fn pipelined_and_split_heads() {
    let (recorder, counters) = seen(
        b"GET /1 HTTP/1.1\r\nHost: a.example\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.example\r\nAccep",
    );
    assert_eq!(recorder.at(Where::HttpUrl), ["http://a.example/1", "http://a.example/2"]);
    assert_eq!(counters.fault(Fault::SplitHttp), 1);
}

#[test]
fn what_is_no_request() {
    for payload in [
        "GET / RTSP/1.0\r\n\r\n",
        "GET /\r\n",
        "HELO mail.example HTTP\r\n",
        "get / HTTP/1.1\r\n\r\n",
        "GETTINGSOMETHINGVERYLONG / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1",
        "GET  HTTP/1.1\r\n\r\n",
    ] {
        let (recorder, _) = seen(payload.as_bytes());
        assert!(recorder.seen.is_empty(), "{payload}");
    }
    let (recorder, counters) = seen(b"GET / HTTP/1.1\r\nHost: a\tb.example\r\n\r\n");
    assert!(recorder.at(Where::HttpHost).is_empty());
    assert_eq!(counters.fault(Fault::OddName), 1);
}

/// Behind the upgrade segments may begin with anything: it is what people write to each
/// other, and no HTTP.
#[test]
fn websockets_carry_no_http() {
    use crate::packet::stream::tests::{Part, decode};
    let ask = b"GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let request = b"GET /x HTTP/1.1\r\nHost: b.example\r\n\r\n";
    let moved = b"HTTP/1.1 302 Found\r\nLocation: http://c.example/\r\n\r\n";
    for (protocol, hosts) in [("WebSocket", 1), ("something", 2)] {
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nupgrade: {protocol}\r\n\r\n"
        );
        let mut parts = Part::handshake();
        parts.push(Part::data(true, 0, ask));
        parts.push(Part::data(false, 0, answer.as_bytes()));
        let mut sent = [ask.len(), answer.len()];
        // A frame in two segments, masked with zeros, and one that never came.
        for (to_server, data) in [
            (false, &b"\x81\x7e\x01\x00text"[..]),
            (true, b"\x81\xfe\x01\x00\0\0\0\0text"),
            (false, moved),
            (true, request),
        ] {
            let side = usize::from(!to_server);
            parts.push(Part::data(to_server, sent[side], data));
            sent[side] += data.len();
        }
        parts.push(Part::data(true, sent[0] + 100, request));
        parts.push(Part::end(true, sent[0] + 100 + request.len()));
        let (recorder, _) = decode(8080, &parts);
        let told = recorder.at(Where::HttpHost);
        assert_eq!(told[..hosts.min(told.len())], ["a.example", "b.example"][..hosts]);
        assert_eq!(told.len() > 1, hosts > 1, "{protocol}: {told:?}");
        let urls = recorder.at(Where::HttpUrl);
        assert_eq!(urls.contains(&"http://c.example/"), hosts > 1, "{protocol}: {urls:?}");
    }
}
