//! URLs whose host and path are in two fields.

use super::*;

const URLS: &[(&str, &str, &str)] = &[
    (
        r#"{"http":{"hostname":"evil.example","url":"/g.php"},"dest_port":80}"#,
        "evil.example/g.php",
        "http.hostname+http.url",
    ),
    (
        r#"{"http":{"hostname":"evil.example","url":"\/g.php","http_port":8080},"dest_port":80}"#,
        "evil.example:8080/g.php",
        "http.hostname+http.url",
    ),
    (r#"{"host":"evil.example","uri":"/g?a=1\u0026b=2"}"#, "evil.example/g?a=1&b=2", "host+uri"),
    (
        r#"{"url":{"domain":"evil.example","path":"/g","query":"a=1","scheme":"https"}}"#,
        "https://evil.example/g?a=1",
        "url.domain+url.path",
    ),
    (
        r#"{"destination":{"domain":"evil.example","port":443},"url":{"path":"/g"}}"#,
        "https://evil.example/g",
        "destination.domain+url.path",
    ),
    (
        r#"{"ClientRequestHost":"evil.example","ClientRequestURI":"/g"}"#,
        "evil.example/g",
        "ClientRequestHost+ClientRequestURI",
    ),
    (
        r#"{"request":{"host":"evil.example:8080","uri":"/g"}}"#,
        "evil.example:8080/g",
        "request.host+request.uri",
    ),
    (
        r#"{"http_request":{"url":{"hostname":"evil.example","path":"/g","port":80}}}"#,
        "evil.example/g",
        "http_request.url.hostname+http_request.url.path",
    ),
    (r#"{"host":"evil.example","request":"GET /g HTTP/1.1"}"#, "evil.example/g", "host+request"),
    (r#"hostname="evil.example" dstport=80 url="/g""#, "evil.example/g", "hostname+url"),
    ("host=evil.example uri=/g?a=1&b=2 x=1", "evil.example/g?a=1&b=2", "host+uri"),
    ("uri=/g?a=1&b=2 status=200 host=evil.example", "evil.example/g?a=1&b=2", "host+uri"),
    (
        "evil.example:8080 192.0.2.1 - - [24/Jun/2026:04:15:41 +0000] \"GET /g HTTP/1.1\" 200",
        "evil.example:8080/g",
        "host+request",
    ),
    (r#"7,"{""host"":""evil.example"",""uri"":""/g""}""#, "evil.example/g", "host+uri"),
    (
        r#"{"host":"ok.example","uri":"/x"},{"host":"evil.example","uri":"/g"}"#,
        "evil.example/g",
        "host+uri",
    ),
    (
        "fe b/s 0/0 200 {evil.example|Mozilla} {} \"GET /g HTTP/1.1\"",
        "evil.example/g",
        "host+request",
    ),
    (
        "2026/06/24 04:15:41 [error] 1#1: x, client: 192.0.2.1, request: \"GET /g HTTP/1.1\", host: \"evil.example\"",
        "evil.example/g",
        "host+request",
    ),
];

#[test]
fn urls_in_two_fields() {
    let h = "evil.example";
    for (line, want, field) in URLS {
        assert_eq!(url(line, "", h), Some((want.to_string(), field.to_string())), "{line}");
    }
    for line in [
        r#"{"Records":[{"host":"evil.example"},{"uri":"/g"}]}"#,
        r#"{"rrname":"evil.example","uri":"/g"}"#,
        r#"{"host":"a evil.example","uri":"/g"}"#,
        r#"{"host":"evil.example","uri":"http://ok.example/g"}"#,
        "to evil.example \"GET /g HTTP/1.1\"",
    ] {
        assert_eq!(url(line, "", h), None, "{line}");
    }
    for (head, line, want) in [
        ("#fields\tts\thost\turi\tid.resp_p\n", "1\tevil.example\t/g\t80", "evil.example/g"),
        (
            "#Fields: date cs-host cs-uri-stem cs-uri-query s-port\n",
            "x evil.example /g a=1 8080",
            "evil.example:8080/g?a=1",
        ),
        (
            "#Fields: date cs(Host) cs-uri-stem cs-uri-query cs-protocol\n",
            "x\tevil.example\t/g\t-\thttps",
            "https://evil.example/g",
        ),
        ("time,host,uri\n", "x,evil.example,/g", "evil.example/g"),
        ("host,uri\n", "evil.example,/g", "evil.example/g"),
        (
            "time,src,msg\n",
            r#"x,1,"{""host"": ""evil.example"", ""http"": {""url"": ""/g""}}""#,
            "evil.example/g",
        ),
        ("time,src,msg\n", r#"x,1,"host=""evil.example"" uri=""/g"" x=1""#, "evil.example/g"),
        ("time,src,msg\n", r#"x,1,"host=evil.example uri=/g x=1""#, "evil.example/g"),
        (
            "time,src,msg\n",
            r#"x,1,"{""m"":""{\""host\"":\""evil.example\"",\""uri\"":\""/g\""}""}""#,
            "evil.example/g",
        ),
    ] {
        assert_eq!(url(line, head, h).map(|found| found.0).as_deref(), Some(want), "{head}");
    }
    let line = r#"{"dest_ip":"203.0.113.9","dest_port":8080,"http":{"url":"/g"}}"#;
    let want = ("203.0.113.9:8080/g".to_string(), "dest_ip+http.url".to_string());
    assert_eq!(url(line, "", "203.0.113.9"), Some(want));
    let line = r#"{"dest_ip":"203.0.113.9","http":{"hostname":"ok.example","url":"/g"}}"#;
    assert_eq!(url(line, "", "203.0.113.9"), None);
}

/// These contain a request for `/g.php` at `evil.example`.
const KINDS: &[&str] = &[
    r#"{"log":"{\"host\":\"evil.example\",\"uri\":\"/g.php\"}"}"#,
    r#"{"log":"{\"host\":\"evil.example\",\"uri\":\"\\/g.php\"}"}"#,
    r#"{"log":"{\"host\": \"evil.example\", \"http\": {\"uri\": \"\\u002Fg.php\"}}\n"}"#,
    r#"{"m":"{\"m\":\"{\\\"host\\\":\\\"evil.example\\\",\\\"uri\\\":\\\"/g.php\\\"}\"}"}"#,
    r#"{"_raw":"host=evil.example uri=/g.php"}"#,
    r#"{"message":"a hostname=\"evil.example\" url=\"/g.php\" b"}"#,
    "<r><host>evil.example</host><uri>/g.php</uri></r>",
    "<Event><Data Name='cs-host'>evil.example</Data><Data Name='cs-uri-stem'>/g.php</Data></Event>",
    "<r host=\"evil.example\" uri=\"/g.php\"/>",
    "Host: evil.example, URI: /g.php",
    "{'host': 'evil.example', 'uri': '/g.php'}",
    "CEF:0|V|P|1|1|n|5|dhost=evil.example request=/g.php requestMethod=GET",
    "CEF:0|V|P|1|1|n|5|request=/g.php dhost=evil.example",
    "LEEF:2.0|V|P|1|id|^|host=evil.example^uri=/g.php",
    r#"{"httpRequest":{"clientIp":"192.0.2.1","headers":[{"name":"User-Agent","value":"x"},{"name":"Host","value":"evil.example"}],"uri":"/g.php","args":""}}"#,
    r#"{"httpRequest":{"uri":"/g.php","headers":[{"value":"evil.example","name":"host"}]}}"#,
    r#"{"http":{"version":"2","request_headers":[{"name":":method","value":"GET"},{"name":":path","value":"/g.php"},{"name":":authority","value":"evil.example"}],"http2":{"stream_id":1}}}"#,
    r#"{"http":{"http2":{"request_headers":[{"name":":authority","value":"evil.example"},{"name":":path","value":"\/g.php"}]}}}"#,
    r#"{"request":{"headers":{":authority":"evil.example"},"path":"/g.php"}}"#,
    r#"{"uri":"/g.php","headers":{"Host":["evil.example"]}}"#,
    "host=evil.example uri=/g.php host=ok.example uri=/x",
    "op=GET dstname=evil.example arg=/g.php",
    "op=\"GET\" dstname=\"evil.example\" arg=\"/g.php\"",
    "ModSecurity: Warning. [hostname \"evil.example\"] [uri \"/g.php\"]",
    "ModSecurity: Warning. [uri \"/g.php\"] [hostname \"evil.example\"]",
    "\"GET /g.php HTTP/1.1\" 200 - 0 1 2 1 \"192.0.2.10\" \"curl\" \"id\" \"evil.example\" \"198.51.100.7:80\"",
    "192.0.2.10 - - [x] \"GET /g.php HTTP/1.1\" 200 1 \"-\" \"curl\" host=\"evil.example\"",
    r#"{"payload":"GET /g.php HTTP/1.1\r\nUser-Agent: x\r\nHost: evil.example\r\n\r\n"}"#,
    r#"unit="x",request="GET /g.php HTTP/1.1\r\nHost: evil.example\r\n\r\n""#,
    "x [junos@1 url=\"evil.example\" obj=\"/g.php\"]",
    r#"{"reqHost":"evil.example","reqPath":"g.php"}"#,
    "time:x\thost:192.0.2.1\treq:GET /g.php HTTP/1.1\tvhost:evil.example",
    "dst_domain=evil.example uri=/g.php",
    "remote_host=evil.example url=/g.php",
    r#"{"server":"evil.example","path":"/g.php","method":"GET"}"#,
    "host=ok.example uri=/x host=evil.example uri=/g.php",
    "uri=/x host=ok.example uri=/g.php host=evil.example",
];

#[test]
fn urls_in_every_kind_of_record() {
    for line in KINDS {
        let found = url(line, "", "evil.example").map(|found| found.0);
        assert_eq!(found.as_deref(), Some("evil.example/g.php"), "{line}");
    }
    let line = "<r><host>evil.example</host><uri>/g.php?a=1&amp;b=2</uri></r>";
    let want = ("evil.example/g.php?a=1&b=2".to_string(), "host+uri".to_string());
    assert_eq!(url(line, "", "evil.example"), Some(want));
}

#[test]
fn hosts_and_paths_of_other_things() {
    for line in [
        r#"{"host":{"name":"evil.example"},"log":{"file":{"path":"/g.php"}}}"#,
        r#"{"host":{"name":"evil.example","hostname":"x"},"url":{"path":"/g.php"}}"#,
        r#"{"host":{"hostname":"evil.example"},"file":{"path":"/g.php"}}"#,
        r#"{"host.name":"evil.example","log.file.path":"/g.php"}"#,
        r#"{"host.name":"evil.example","process.path":"/g.php"}"#,
        r#"{"hostname":"evil.example","process":{"path":"/g.php"}}"#,
        r#"{"agent":{"hostname":"evil.example"},"url":{"path":"/g.php"}}"#,
        r#"{"observer":{"hostname":"evil.example"},"uri":"/g.php"}"#,
        r#"{"url":{"domain":"evil.example"},"file":{"path":"/g.php"}}"#,
        r#"{"source":{"domain":"evil.example"},"url":{"path":"/g.php"}}"#,
        r#"{"user":{"domain":"evil.example"},"url":{"path":"/g.php"}}"#,
        r#"{"host":"evil.example","log":{"file":{"path":"/g.php"}}}"#,
        r#"{"host":"evil.example","log":"{\"uri\":\"/g.php\"}"}"#,
        r#"{"headers":[{"name":"Referer","value":"evil.example"}],"uri":"/g.php"}"#,
        r#"{"response_headers":[{"name":"host","value":"evil.example"}],"uri":"/g.php"}"#,
        r#"{"tags":[{"name":"host","value":"evil.example"}],"uri":"/g.php"}"#,
        "<a><host>evil.example</host></a><b><uri>/g.php</uri></b>",
        "host=evil.example host=ok.example uri=/g.php",
        r#"{"host":"evil.example","request":{"host":"ok.example","uri":"/g.php"}}"#,
        r#"{"hostname":"evil.example","b":{"hostname":"ok.example","url":"/g.php"}}"#,
        r#"{"a":{"host":"evil.example"},"b":{"host":"ok.example","uri":"/g.php"}}"#,
        r#"{"server":"evil.example","host":"ok.example","path":"/g.php"}"#,
        r#"{"p":"GET /g.php HTTP/1.1\r\nHost: ok.example\r\n\r\nHost: evil.example\r\n"}"#,
        "x \"evil.example\" \"GET /g.php HTTP/1.1\" 200",
        "host=evil.example uri=x request=1",
    ] {
        assert_eq!(url(line, "", "evil.example"), None, "{line}");
    }
}

/// Paths with queries that form the URL `evil.example/g.php?a=1&b=2`.
const QUERIES: &[&str] = &[
    "host=evil.example uri=/g.php?a=1&b=2 status=200",
    "uri=/g.php?a=1&b=2 host=evil.example",
    "host = evil.example uri = /g.php?a=1&b=2 status = 200",
    "host=evil.example,uri=/g.php?a=1&b=2,status=200",
    "CEF:0|V|P|1|1|n|5|dhost=evil.example request=/g.php?a\\=1&b\\=2 act=x",
    "CEF:0|V|P|1|1|n|5|request=/g.php?a\\=1&b\\=2 dhost=evil.example",
    r#"{"m":"CEF:0|V|P|1|1|n|5|dhost=evil.example request=/g.php?a\\=1&b\\=2 act=x"}"#,
    r#"{"m":"CEF:0|V|P|1|1|n|5|dhost=evil.example request=\/g.php?a\u003d1\u0026b\u003d2 act=x"}"#,
    "LEEF:1.0|V|P|1|1|domain=evil.example\turl=/g.php?a=1&b=2\tx=y",
    "LEEF:2.0|V|P|1|1|^|domain=evil.example^url=/g.php?a=1&b=2^x=y",
    r#"{"_raw":"host=evil.example uri=/g.php?a=1&b=2 status=200"}"#,
    r#"{"_raw":"host=evil.example uri=\/g.php?a=1\u0026b=2 status=200"}"#,
    r#"{"_raw":"host\u003devil.example uri\u003d/g.php?a\u003d1\u0026b\u003d2"}"#,
    r#"{"host":"evil.example","uri":"/g.php?a=1&amp;b=2"}"#,
    "<r host=\"evil.example\" uri=\"/g.php?a=1&amp;b=2\"/>",
    "<r host='evil.example' uri='/g.php?a=1&#38;b=2'/>",
    "<r host='evil.example' uri='/g.php?a=1&#x26;b=2'></r>",
    "<r><host>evil.example</host><uri>/g.php?a=1&#38;b=2</uri></r>",
    "<r><host>evil.example</host><uri>/g.php?a&#61;1&amp;b=2</uri></r>",
    r#"{"x":"<r host=\"evil.example\" uri=\"/g.php?a=1&amp;b=2\"/>"}"#,
    r#"{"x":"\u003cr host=\u0022evil.example\u0022 uri=\u0022/g.php?a=1\u0026amp;b=2\u0022/\u003e"}"#,
];

#[test]
fn queries_of_split_urls() {
    for line in QUERIES {
        let found = url(line, "", "evil.example").map(|found| found.0);
        assert_eq!(found.as_deref(), Some("evil.example/g.php?a=1&b=2"), "{line}");
    }
}

/// If a request names no host, the destination address is used.
#[test]
fn destinations_without_a_host() {
    for line in [
        r#"{"id.resp_h":"203.0.113.7","id.resp_p":80,"host":"","uri":"/g.php"}"#,
        r#"{"id.resp_h":"203.0.113.7","id.resp_p":80,"host":"-","uri":"/g.php"}"#,
        r#"{"id.resp_h":"203.0.113.7","host":null,"uri":"/g.php"}"#,
        r#"{"dest_ip":"203.0.113.7","http":{"hostname":"","url":"/g.php"}}"#,
        r#"{"destination":{"ip":"203.0.113.7"},"url":{"domain":"-","path":"/g.php"}}"#,
        "dstip=203.0.113.7 hostname=\"\" url=\"/g.php\"",
        "dst=203.0.113.7 host=- uri=/g.php",
        "dst=203.0.113.7 host= uri=/g.php",
        "dst=203.0.113.7 host=(null) uri=/g.php",
        "<r><dst_ip>203.0.113.7</dst_ip><host/><uri>/g.php</uri></r>",
    ] {
        let found = url(line, "", "203.0.113.7").map(|found| found.0);
        assert_eq!(found.as_deref(), Some("203.0.113.7/g.php"), "{line}");
    }
    let zeek = "#fields\tts\tid.resp_h\tid.resp_p\thost\turi\n";
    for (head, line) in [
        (zeek, "1782274541.5\t203.0.113.7\t80\t-\t/g.php"),
        (zeek, "1782274541.5\t203.0.113.7\t80\t(empty)\t/g.php"),
        (
            "#Fields: date time s-ip s-port cs-method cs-uri-stem cs-host\n",
            "2026-06-24 04:15:41 203.0.113.7 80 GET /g.php -",
        ),
        ("time,dest_ip,host,uri\n", "2026-06-24T04:15:41Z,203.0.113.7,,/g.php"),
    ] {
        let found = url(line, head, "203.0.113.7").map(|found| found.0);
        assert_eq!(found.as_deref(), Some("203.0.113.7/g.php"), "{line}");
    }
    for line in [
        r#"{"dest_ip":"203.0.113.7","host":"ok.example","uri":"/g.php"}"#,
        r#"{"src_ip":"203.0.113.7","host":"-","uri":"/g.php"}"#,
        "src=203.0.113.7 host=- uri=/g.php",
    ] {
        assert_eq!(url(line, "", "203.0.113.7"), None, "{line}");
    }
}

#[test]
fn hosts_that_are_addresses_of_the_sixth_version() {
    let host = "2001:db8::7";
    for (line, want) in [
        (r#"{"http":{"hostname":"[2001:db8::7]","url":"/g.php"}}"#, "[2001:db8::7]/g.php"),
        (r#"{"http":{"hostname":"2001:db8::7","url":"/g.php"}}"#, "[2001:db8::7]/g.php"),
        (
            r#"{"http":{"hostname":"[2001:db8::7]:8080","url":"/g.php"}}"#,
            "[2001:db8::7]:8080/g.php",
        ),
        (
            r#"{"dest_ip":"2001:db8::7","dest_port":80,"http":{"url":"/g.php"}}"#,
            "[2001:db8::7]/g.php",
        ),
        (r#"{"dest_ip":"2001:db8::7","dest_port":81,"http":{"url":"/g"}}"#, "[2001:db8::7]:81/g"),
        ("hostname=\"2001:db8::7\" url=\"/g.php\"", "[2001:db8::7]/g.php"),
        ("host=2001:db8::7 uri=/g.php", "[2001:db8::7]/g.php"),
        ("host=[2001:db8::7] uri=/g.php", "[2001:db8::7]/g.php"),
        ("dst=2001:db8::7 uri=/g.php", "[2001:db8::7]/g.php"),
        ("<r><host>[2001:db8::7]</host><uri>/g.php</uri></r>", "[2001:db8::7]/g.php"),
    ] {
        assert_eq!(url(line, "", host).map(|found| found.0).as_deref(), Some(want), "{line}");
    }
    let zeek = "#fields\tts\tid.resp_h\tid.resp_p\thost\turi\n";
    let line = "1.5\t203.0.113.7\t80\t[2001:db8::7]\t/g.php";
    assert_eq!(url(line, zeek, host).map(|found| found.0).as_deref(), Some("[2001:db8::7]/g.php"));
    assert_eq!(url("src=2001:db8::7 uri=/g.php", "", host), None);
}

/// Other notations of a pair.
#[test]
fn forms_of_pairs() {
    for line in [
        "hostname = \"evil.example\", url = \"/g.php\"",
        "hostname= evil.example url= /g.php x=1",
        "hostname = 'evil.example' ; url = '/g.php'",
        "host=[evil.example] uri=[/g.php]",
        "host=(evil.example) uri=(/g.php)",
        "Host:#011evil.example#015#012URI:#011/g.php",
        "\u{1b}[36mhost\u{1b}[0m=evil.example \u{1b}[36muri\u{1b}[0m=/g.php",
        r#"{"host":"evil.example.","uri":"/g.php"}"#,
        "host=evil.example. uri=/g.php",
        "#033[36mhost#033[0m=evil.example #033[36muri#033[0m=/g.php",
    ] {
        let found = url(line, "", "evil.example").map(|found| found.0);
        assert_eq!(found.as_deref(), Some("evil.example/g.php"), "{line}");
    }
    for line in [
        // A missing value.
        "host= uri=/g.php evil.example",
        "hostname= x=evil.example uri=/g.php",
        "host=evil.example.x uri=/g.php",
        // An escape in a value does not end the pair.
        "msg=host\\=evil.example uri=/g.php",
    ] {
        assert_eq!(url(line, "", "evil.example"), None, "{line}");
    }
}
