use super::*;
use crate::sensor::halt::Halt;
use crate::sensor::listen::{Activated, Address, Bound};
use proptest::prelude::*;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

const LIMITS: Limits = Limits {
    head: 400,
    body: 100,
    idle: Duration::from_millis(300),
    request: Duration::from_millis(300),
    connections: 2,
};

/// The requests in a stream, and why it ends, if it is refused.
fn requests<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> (Vec<Request>, Option<Refusal>) {
    let (mut parser, mut found) = (Parser::new(LIMITS), Vec::new());
    for piece in pieces {
        parser.push(piece);
        loop {
            match parser.step() {
                Ok(Step::Request(request)) => found.push(request),
                Ok(Step::Continue) => {}
                Ok(Step::More) => break,
                Err(refusal) => return (found, Some(refusal)),
            }
        }
    }
    (found, None)
}

fn refusal(stream: &str) -> Option<Refusal> {
    let outcome = requests([stream.as_bytes()]);
    assert_eq!(outcome, requests(stream.as_bytes().chunks(1)), "{stream}");
    outcome.1
}

#[test]
fn work_is_linear_byte_by_byte() {
    let watch = crate::clock::Stopwatch::start();
    let limits = Limits { body: 4 << 20, ..Limits::default() };
    let body = vec![b'x'; 1 << 20];
    let head = "POST / HTTP/1.1\r\n";
    let mut stream = format!("{head}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    stream.extend_from_slice(&body);
    stream.extend_from_slice(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes());
    stream.extend_from_slice(&b"1;extension\r\nx\r\n".repeat(100_000));
    stream.extend_from_slice(b"0\r\n\r\n");
    let padding = "x".repeat(15 << 10);
    stream.extend(format!("GET / HTTP/1.1\r\nX: {padding}\r\n\r\n\r\n").repeat(100).into_bytes());
    assert!(stream.len() > 4_000_000);
    let (mut parser, mut found) = (Parser::new(limits), Vec::new());
    for byte in stream.chunks(1) {
        parser.push(byte);
        while let Step::Request(request) = parser.step().unwrap() {
            found.push(request.body.len());
        }
    }
    assert_eq!((found.len(), &found[..3]), (102, &[1 << 20, 100_000, 0][..]));
    // Far less than quadratic time would take.
    assert!(watch.elapsed() < Duration::from_secs(60), "{:?}", watch.elapsed());
}

#[test]
fn what_is_refused() {
    use Refusal::{BodyTooLong, HeadTooLong, Malformed, UnknownCoding, Version};
    let post = |headers: &str| refusal(&format!("POST / HTTP/1.1\r\n{headers}\r\n"));
    assert_eq!(post("Content-Length: 100\r\n"), None);
    assert_eq!(post("Content-Length: 101\r\n"), Some(BodyTooLong));
    assert_eq!(post("Content-Length: 99999999999999999999\r\n"), Some(BodyTooLong));
    for length in ["", "-1", "+1", "1 2", "0x1", "1,1"] {
        assert_eq!(post(&format!("Content-Length: {length}\r\n")), Some(Malformed), "{length}");
    }
    // What a proxy may read in another way.
    assert_eq!(post("Content-Length: 1\r\nContent-Length: 1\r\n"), Some(Malformed));
    let chunked = "Transfer-Encoding: chunked\r\n";
    assert_eq!(post(&format!("Content-Length: 1\r\n{chunked}")), Some(Malformed));
    assert_eq!(post(&chunked.repeat(2)), Some(Malformed));
    assert_eq!(post("Transfer-Encoding: gzip, chunked\r\n"), Some(UnknownCoding));
    assert_eq!(refusal(&format!("POST / HTTP/1.0\r\n{chunked}\r\n")), Some(Malformed));
    assert_eq!(refusal("GET / HTTP/2.0\r\n\r\n"), Some(Version));
    assert_eq!(refusal("\x16\x03\x01\0\x01\n\n"), Some(Malformed));
    assert_eq!(refusal("GET /\n\n"), Some(Malformed));
    assert_eq!(refusal(&format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(400))), Some(HeadTooLong));
    assert_eq!(refusal(&"a".repeat(401)), Some(HeadTooLong));
    let body = |chunks: &str| post(&format!("{chunked}\r\n{chunks}"));
    assert_eq!(body("1\r\na\r\n0\r\n\r\n"), None);
    assert_eq!(body("64\r\n"), None);
    assert_eq!(body("65\r\n"), Some(BodyTooLong));
    assert_eq!(body("1\r\na\r\n64\r\n"), Some(BodyTooLong));
    assert_eq!(body("ffffffffffffffff\r\n"), Some(BodyTooLong));
    for chunks in ["x\r\n", "\r\n", "1\r\nab\r\n", "1x\r\na\r\n", "00000000000000001\r\na\r\n"] {
        assert_eq!(body(chunks), Some(Malformed), "{chunks}");
    }
    assert_eq!(body(&format!("1;{}\r\n", "x".repeat(2000))), Some(Malformed));
    assert_eq!(body(&format!("0\r\n{}", "a: b\r\n".repeat(2000))), Some(BodyTooLong));
}

#[test]
fn parts_of_a_request() {
    let stream =
        b"\r\n\r\nGET http://h:80/a%2fb?x=1&y=a%26b&x=2 HTTP/1.1\nX-A:  v \nConnection: Close\n\n\
        POST http://h HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nab\
        BREW * HTTP/1.1\r\n\r\n";
    let (found, refusal) = requests([&stream[..]]);
    assert_eq!((found.len(), refusal), (3, None));
    assert_eq!((found[0].method, &*found[0].path), (Method::Get, "/a%2fb"));
    assert_eq!(found[0].query("x").as_deref(), Some("1"));
    assert_eq!(found[0].query("y").as_deref(), Some("a&b"));
    assert_eq!((found[0].query("z"), found[0].header("x-a")), (None, Some("v")));
    assert_eq!((&*found[1].path, &*found[1].body), ("/", &b"ab"[..]));
    assert_eq!((found[2].method, &*found[2].path), (Method::Other, "*"));
    let open: Vec<bool> = found.iter().map(|request| request.keep_alive).collect();
    assert_eq!(open, [false, true, true]);
}

/// A request as it is sent, and the expected path, header and body.
fn sent() -> impl Strategy<Value = (Vec<u8>, (String, String, Vec<u8>))> {
    let body = prop::collection::vec(any::<u8>(), 0..40);
    let cuts = prop::collection::vec(1..20usize, 0..5);
    let parts = ("/[a-z]{0,9}", "[!-~]{1,9}", body, proptest::option::of(cuts), any::<[bool; 3]>());
    parts.prop_map(|(path, value, body, cuts, [is_bare, has_trailer, is_hex_upper])| {
        let end = if is_bare { "\n" } else { "\r\n" };
        let mut stream = format!("POST {path} HTTP/1.1{end}X: {value}{end}").into_bytes();
        match cuts {
            None => {
                stream.extend(format!("Content-Length: {}{end}{end}", body.len()).into_bytes());
                stream.extend_from_slice(&body);
            }
            Some(cuts) => {
                stream.extend(format!("Transfer-Encoding: Chunked{end}{end}").into_bytes());
                let mut rest = &body[..];
                for cut in cuts.into_iter().chain([usize::MAX]) {
                    let (chunk, after) = rest.split_at(cut.min(rest.len()));
                    rest = after;
                    if !chunk.is_empty() {
                        let size = if is_hex_upper {
                            format!("{:X};a=b{end}", chunk.len())
                        } else {
                            format!("0{:x}{end}", chunk.len())
                        };
                        stream.extend(size.into_bytes());
                        stream.extend_from_slice(chunk);
                        stream.extend_from_slice(end.as_bytes());
                    }
                }
                let trailer = if has_trailer { "A: b\r\n" } else { "" };
                stream.extend(format!("0{end}{trailer}{end}").into_bytes());
            }
        }
        (stream, (path, value, body))
    })
}

proptest! {
    #[test]
    fn what_is_sent_is_read_however_it_is_cut(
        all in prop::collection::vec(sent(), 0..5),
        size in 1..50usize,
    ) {
        let stream: Vec<u8> = all.iter().flat_map(|(stream, _)| stream.clone()).collect();
        let want: Vec<_> = all.into_iter().map(|(_, want)| want).collect();
        for pieces in [stream.chunks(stream.len().max(1)), stream.chunks(size)] {
            let (found, refusal) = requests(pieces);
            prop_assert_eq!(refusal, None);
            let outcome: Vec<_> = found
                .into_iter()
                .map(|r| (r.path.clone(), r.header("x").unwrap_or_default().to_string(), r.body))
                .collect();
            prop_assert_eq!(&outcome, &want);
        }
    }

    #[test]
    fn anything_is_the_same_however_it_is_cut(
        parts in prop::collection::vec(
            prop_oneof![
                Just("POST / HTTP/1.1\r\n".to_string()),
                Just("\r\n".to_string()),
                Just("Transfer-Encoding: chunked\r\n".to_string()),
                (0..200u8).prop_map(|length| format!("Content-Length: {length}\r\n")),
                "[0-9a-f]{1,2}\r\n",
                "[ -~]{0,6}",
            ],
            0..12,
        ),
        size in 1..20usize,
    ) {
        let stream = parts.concat().into_bytes();
        let whole = requests([&stream[..]]);
        prop_assert_eq!(&requests(stream.chunks(size)), &whole);
        prop_assert_eq!(&requests(stream.chunks(1)), &whole);
    }
}

/// A server that responds with what it was sent, and its address.
fn echo(limits: Limits) -> (Server, String, crate::sensor::halt::Stopper) {
    let (halt, stopper) = Halt::new().unwrap();
    let address: Address = "tcp://127.0.0.1:0".parse().unwrap();
    let Bound::Streams(listener) = Bound::open(&address, None, &mut Activated::default()).unwrap()
    else {
        panic!("TCP has streams")
    };
    let handler: Handler = Arc::new(|request, peer| {
        Response::text(200, format!("{} {} {}", request.path, peer, request.body.len()))
    });
    let server = Server::start("echo", listener, limits, halt, handler).unwrap();
    let place = server.local_addr().unwrap().to_string();
    (server, place, stopper)
}

fn exchange(place: &str, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(place).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.write_all(bytes).unwrap();
    let mut answer = String::new();
    // A reset counts as an end, too.
    let _ = socket.read_to_string(&mut answer);
    answer
}

#[test]
fn a_server_answers_over_a_socket() {
    let (_server, place, _stopper) = echo(LIMITS);
    // Two requests on one connection, the second of which ends it.
    let two = b"GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 2\r\n\
        Connection: close\r\n\r\nab";
    let answer = exchange(&place, two);
    assert!(answer.contains("/a 127.0.0.1 0") && answer.ends_with("/b 127.0.0.1 2"), "{answer}");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    // HEAD gets the length but no body.
    let answer = exchange(&place, b"HEAD /a HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert!(answer.contains("Content-Length: 14\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    // Continued, refused, and too slow.
    let awaited = b"POST /c HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    assert!(exchange(&place, awaited).starts_with("HTTP/1.1 100 Continue\r\n\r\n"));
    let long = b"POST /c HTTP/1.1\r\nContent-Length: 200\r\n\r\n";
    assert!(exchange(&place, &[&long[..], &[0; 200]].concat()).starts_with("HTTP/1.1 413 "));
    assert!(exchange(&place, b"GET / HT").starts_with("HTTP/1.1 408 "));
    assert_eq!(exchange(&place, b""), "");
}

#[test]
fn connections_are_bounded_and_the_halt_ends_them() {
    let (server, place, stopper) = echo(Limits { connections: 2, ..Limits::default() });
    // Two silent connections leave no room for a third.
    let idle = [(); 2].map(|()| TcpStream::connect(&place).unwrap());
    while server.counts().open < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut third = TcpStream::connect(&place).unwrap();
    assert_eq!(third.read(&mut [0; 9]).unwrap_or(0), 0);
    assert_eq!(server.counts().refused, 1);
    // The halt ends waiting connections.
    stopper.stop();
    server.join();
    drop(idle);
    assert!(TcpStream::connect(&place).is_err());
}
