//! The exchange: pulses that a community writes, shares, subscribes to and exports.
//!
//! One server, over an embedded database. [`pulses`] and [`accounts`] are values and rules
//! without I/O; [`storage`] is the only room that knows SQL, and the only one that decides who
//! sees what; [`site`] is what every route is given: the storage, the settings, and who calls.
//! Routes are rows of tables, so that tests can visit each of them. Their handlers are plain
//! functions from a request to an answer: tokio and hyper are needed by [`serve`] alone.
//!
//! | room | does |
//! | --- | --- |
//! | [`metrics`] | what a server counts about itself |
//! | [`http`] | requests and answers as values; raw targets, queries, bodies |
//! | [`accounts`] | users, groups, keys, sessions, passwords: names, scopes, digests |
//! | [`pulses`] | pulses, indicators, revisions: types, limits, validation |
//! | [`storage`] | keeps all of it, answers queries within one predicate of visibility |
//! | [`site`] | callers, limits, settings, and the type of routes |
//! | [`export`] | pulses as files for other programs |
//! | [`taxii`] | the TAXII 2.1 server |
//! | [`import`] | lists of others as pulses |
//! | [`sources`] | lists and other exchanges that the operator subscribed to, as pulses |
//! | [`alerts`] | alerts and sightings that sensors report |
//! | [`api`] | the API of OTX, and our additions |
//! | [`page`] | pages for people: server-rendered HTML over the same routes and queries |
//! | [`serve`] | sockets, TLS, the start and the end of the server |

pub mod accounts;
pub mod alerts;
pub mod api;
pub mod export;
pub mod http;
pub mod import;
pub mod metrics;
pub mod page;
pub mod pulses;
pub mod serve;
pub mod site;
pub mod sources;
pub mod storage;
pub mod taxii;
