//! Any bytes as the responses of an exchange: the walk ends without a panic, stores documents
//! under valid names, and does not leak the key.
//!
//! The first byte chooses the exchange; responses are separated by a byte that cannot occur in
//! JSON. After the last one, requests are refused.

#[path = "../../tests/harness/server.rs"]
#[allow(dead_code, unreachable_pub, clippy::all)]
mod server;

use server::{Reply, Server};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wiresift::engine::indicator::Timestamp;
use wiresift::intel::feed::client::{DocumentStore, Exchange, misp, otx, taxii};
use wiresift::intel::feed::fetch::{Caps, Client, Clock, Url};
use wiresift::intel::feed::{Collected, Options};
use wiresift::{Error, Result};

const KEY: &str = "k3y-of-the-fuzzer";

/// Separates responses.
const BREAK: u8 = 0x1e;

/// More responses than this show nothing new.
const MAX_ANSWERS: usize = 32;

#[derive(Default)]
struct Memory {
    documents: BTreeMap<String, Vec<u8>>,
    cursor: Option<String>,
}

impl DocumentStore for Memory {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let valid = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        assert!(!name.is_empty() && name.len() < 100 && name.bytes().all(valid), "{name}");
        assert!(!name.starts_with('.'), "{name}");
        self.documents.insert(name.into(), bytes.into());
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<()> {
        self.documents.remove(name);
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>> {
        Ok(self.documents.keys().cloned().collect())
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.documents.get(name).cloned())
    }

    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    fn set_cursor(&mut self, cursor: &str) -> Result<()> {
        self.cursor = Some(cursor.into());
        Ok(())
    }
}

/// A clock that does not wait.
struct NoWait;

impl Clock for NoWait {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_772_000_000)
    }

    fn sleep(&self, _: Duration) -> Result<()> {
        Err(Error::usage("no time"))
    }
}

/// Walks twice: the second walk continues where the first one ended.
pub fn run(bytes: &[u8]) {
    let Some((which, rest)) = bytes.split_first() else { return };
    let answers: Vec<Vec<u8>> =
        rest.split(|b| *b == BREAK).take(MAX_ANSWERS).map(<[u8]>::to_vec).collect();
    let left = Arc::new(Mutex::new(Vec::new()));
    let given = Arc::clone(&left);
    let server = Server::start(move |_| match given.lock().unwrap().pop() {
        Some(answer) => Reply::json(answer),
        None => Reply::new(403, &[], KEY),
    });
    let (url, _) = Url::parse(&server.url("/")).unwrap();
    let exchange = match which % 4 {
        0 => Exchange::Otx(otx::Otx { server: url.clone(), lookback: None }),
        1 => Exchange::Taxii(taxii::Taxii {
            server: url.clone(),
            collections: Vec::new(),
            added_after: None,
        }),
        2 => Exchange::Misp(misp::Misp::Feed(url.clone())),
        _ => Exchange::Misp(misp::Misp::Server(misp::Server {
            url: url.clone(),
            tags: Vec::new(),
            since: None,
            unpublished: false,
            to_ids_only: false,
        })),
    };
    let caps = Caps { total: Duration::from_secs(10), max_len: 1 << 20, ..Caps::default() };
    let client = Client::new(&url, otx::access(KEY), caps).unwrap();
    let mut memory = Memory::default();
    for _ in 0..2 {
        *left.lock().unwrap() = answers.iter().rev().cloned().collect();
        if let Err(error) = exchange.walk(&client, &mut memory, &NoWait) {
            assert!(!error.to_string().contains(KEY), "{error}");
        }
        let _ = exchange.read(&memory, &Options::of_feed("fuzz"), &mut Collected::default());
    }
    // A damaged cursor is not fatal, either.
    memory.cursor = Some(String::from_utf8_lossy(rest).into_owned());
    *left.lock().unwrap() = answers.into_iter().rev().collect();
    let _ = exchange.walk(&client, &mut memory, &NoWait);
}
