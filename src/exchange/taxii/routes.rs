//! The routes of TAXII.

use super::query::MAX_PAGE;
use super::server::Server;
use super::site::{SiteLibrary, install};
use super::token::Signer;
use crate::exchange::accounts::Scope;
use crate::exchange::http::{Failure, Method, Reply};
use crate::exchange::site::{Answer, Call, Family, Needs, Route};
use serde_json::json;

/// The routes. Every endpoint of TAXII below an API root is one, because what is readable and
/// what is writable depends on the collection.
pub const ROUTES: &[Route] = &[
    Route {
        methods: &[Method::Get],
        path: "taxii2",
        needs: Needs::Key(Scope::Read),
        family: Family::Taxii,
        summary: "TAXII 2.1: discovery",
        handler: discovery,
    },
    Route {
        methods: &[Method::Get],
        path: "taxii/{root}",
        needs: Needs::Key(Scope::Read),
        family: Family::Taxii,
        summary: "TAXII 2.1: an API root",
        handler: below,
    },
    Route {
        methods: &[Method::Get, Method::Post, Method::Delete],
        path: "taxii/{root}/{path*}",
        needs: Needs::Key(Scope::Read),
        family: Family::Taxii,
        summary: "TAXII 2.1: collections, objects, manifests, versions and statuses of an API root",
        handler: below,
    },
];

/// The routes that tests of other servers need; they are there with `--test-routes`.
pub const TEST_ROUTES: &[Route] = &[Route {
    methods: &[Method::Post],
    path: "otxapi/qatests/taxii",
    needs: Needs::Nothing,
    family: Family::Api,
    summary: "Replaces API roots by those of a data file of medallion",
    handler: replace,
}];

fn discovery(call: &Call<'_>) -> Answer {
    with_server(call, |server| server.discover(call.request))
}

fn below(call: &Call<'_>) -> Answer {
    let is_read = call.request.method == Method::Get;
    if !is_read && !call.caller.has(Scope::Write) {
        return Err(Failure::forbidden("this key has not the scope “write”"));
    }
    with_server(call, |server| server.answer(call.request, call.param("root"), call.param("path")))
}

fn with_server(call: &Call<'_>, answer: impl FnOnce(&Server<'_>) -> Answer) -> Answer {
    let library = SiteLibrary::new(call)?;
    let signer = Signer::new(key(call)?);
    let base = format!("{}/taxii/", call.settings().base);
    answer(&Server {
        library: &library,
        signer: &signer,
        base: &base,
        max_page: MAX_PAGE,
        now: crate::clock::now(),
    })
}

/// The key of the signatures: drawn when the storage was made.
fn key(call: &Call<'_>) -> Result<[u8; 32], Failure> {
    match call.read(|view| view.signing_key())? {
        Some(key) => Ok(key),
        None => call.write(|writes| writes.signing_key()),
    }
}

fn replace(call: &Call<'_>) -> Answer {
    if !call.settings().test_routes {
        return Err(Failure::not_found());
    }
    install(call)?;
    Ok(Reply::json(&json!({"status": "success"})))
}
