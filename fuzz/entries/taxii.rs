//! Requests for TAXII: any bytes as method, target and body. Each answer is JSON with a status
//! that TAXII knows, and a `next` that the server gave continues where the page ended.
//!
//! The first byte chooses the method, the first line is the path below the API root with its
//! query, the rest is the body.

#[cfg(feature = "exchange")]
pub use of_exchange::run;

/// Without the exchange there is nothing to ask.
#[cfg(not(feature = "exchange"))]
pub fn run(_: &[u8]) {}

#[cfg(feature = "exchange")]
mod of_exchange {
    use serde_json::{Value, json};
    use std::collections::BTreeSet;
    use wiresift::engine::indicator::Timestamp;
    use wiresift::exchange::http::{Method, Request};
    use wiresift::exchange::taxii::{Library, Memory, Server, Signer, example, failure};

    /// More pages than there are objects.
    const MAX_PAGES: usize = 16;

    /// Asks a library that has some objects.
    pub fn run(bytes: &[u8]) {
        let Some((which, rest)) = bytes.split_first() else { return };
        let mut lines = rest.splitn(2, |byte| *byte == b'\n');
        let target = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
        let body = lines.next().unwrap_or_default().to_vec();
        let method = [Method::Get, Method::Post, Method::Delete][usize::from(which % 3)];
        // What it leads to is looked up by an index, whoever wrote it.
        let _ = wiresift::exchange::export::Lead::of(target.rsplit('/').next().unwrap_or(""));
        let library = filled();
        let first = ask(&library, method, &target, body);
        if method == Method::Get {
            follow(&library, &target, first);
        }
    }

    /// Objects of three types, one of which has three versions.
    fn filled() -> Memory {
        let library = example();
        let object = |number: u32, minute: u32| {
            let kind = ["indicator", "malware", "report"][number as usize % 3];
            json!({
                "type": kind, "id": format!("{kind}--{number}"), "spec_version": "2.1",
                "created": "2026-01-01T00:00:00Z", "modified": format!("2026-01-01T00:{minute:02}:00Z"),
            })
        };
        let objects = (0..9).map(|number| object(number.min(6), number)).collect();
        let to = library.collection("root", "objects").unwrap().unwrap();
        library.add("root", &to, objects).unwrap();
        library
    }

    fn ask(library: &Memory, method: Method, target: &str, body: Vec<u8>) -> Value {
        let signer = Signer::new([1; 32]);
        let (base, now) = ("http://x.example/taxii/", Timestamp(1));
        let server = Server { library, signer: &signer, base, max_page: 4, now };
        let mut headers = hyper::HeaderMap::new();
        let media = hyper::header::HeaderValue::from_static("application/taxii+json;version=2.1");
        headers.insert("content-type", media.clone());
        headers.insert("accept", media);
        let peer = std::net::Ipv4Addr::LOCALHOST.into();
        let request = Request { method, target: target.into(), headers, body, peer };
        let reply = server.answer(&request, "root", target);
        let reply = reply.unwrap_or_else(|why| failure(&why));
        let known = [200, 202, 400, 403, 404, 413, 415, 422];
        assert!(known.contains(&reply.status), "{}", reply.status);
        let bytes = reply.into_bytes().unwrap();
        if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() }
    }

    /// Reads on while there is more; no object comes twice.
    fn follow(library: &Memory, target: &str, mut page: Value) {
        let mut seen = BTreeSet::new();
        for _ in 0..MAX_PAGES {
            for object in page["objects"].as_array().into_iter().flatten() {
                assert!(seen.insert(object.to_string()), "{object} comes twice");
            }
            let Some(next) = page["next"].as_str() else { return };
            assert_eq!(page["more"], true);
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let others: Vec<&str> = query
                .split('&')
                .filter(|pair| !pair.is_empty() && !pair.starts_with("next") && !pair.contains('%'))
                .collect();
            if others.len() != query.split('&').filter(|pair| !pair.is_empty()).count() {
                // What is left out here may have been a filter.
                return;
            }
            let target = format!("{path}?{}&next={next}", others.join("&"));
            page = ask(library, Method::Get, &target, Vec::new());
            assert!(page.get("http_status").is_none(), "{target}: {page}");
        }
        panic!("there is always more: {target}");
    }
}
