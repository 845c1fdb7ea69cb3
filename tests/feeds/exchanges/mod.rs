//! Walks of exchanges, against doubles and real servers on loopback, without a store.

pub mod double;
mod misp;
mod otx;
pub mod python;
mod sdk;
mod taxii;

use crate::harness::document_store::Memory;
use std::time::Duration;
use wiresift::intel::feed::client::{DocumentStore, Exchange, WalkSummary};
use wiresift::intel::feed::fetch::{Access, Caps, Client, Clock, Url};
use wiresift::intel::feed::{Collected, Options};
use wiresift::{Error, Result};

fn url(text: &str) -> Url {
    Url::parse(text).unwrap().0
}

/// A client with timeouts that a Python server needs on a busy machine.
fn client(home: &Url, access: Access) -> Client {
    let caps =
        Caps { total: Duration::from_secs(60), idle: Duration::from_secs(20), ..Caps::default() };
    Client::new(home, access, caps).unwrap()
}

/// Checks that an error contains the URL and none of the secrets.
#[track_caller]
fn assert_no_secret(error: &Error, secrets: &[&str]) {
    for text in [error.to_string(), format!("{error:?}")] {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

/// Repeats a walk until it completes; each attempt is interrupted after a few more changes to the
/// store. Returns the number of attempts, and what was stored.
fn walk_with_crashes(
    exchange: &Exchange,
    client: &Client,
    mut memory: Memory,
    clock: &dyn Clock,
    changes: impl Fn(usize) -> usize,
) -> (usize, Memory) {
    for tries in 0..1000 {
        memory.changes_left = Some(changes(tries));
        let outcome: Result<WalkSummary> = exchange.walk(client, &mut memory, clock);
        match outcome {
            Ok(_) => return (tries, memory.after_crash(true)),
            Err(error) => assert!(error.to_string().contains("plug"), "{error}"),
        }
        memory = memory.after_crash(tries % 2 == 0);
    }
    panic!("the walk never ends");
}

/// The values of all stored active indicators, sorted.
fn values(exchange: &Exchange, store: &dyn DocumentStore) -> Vec<String> {
    let mut found = Collected::default();
    exchange.read(store, &Options::of_feed("x"), &mut found).unwrap();
    let active = found.indicators.iter().filter(|indicator| !indicator.context.inactive);
    let mut values: Vec<String> = active.map(|indicator| indicator.value.to_string()).collect();
    values.sort();
    values.dedup();
    values
}
