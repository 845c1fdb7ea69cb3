//! The API of OTX, and our additions.
//!
//! Every route is a row of a table, so that nothing can be served that tests do not know of.

mod feeds;
mod indicators;
mod pages;
mod people;
mod privacy;
mod pulses;
mod render;
mod search;
mod submissions;
mod table;
mod target;

use super::site::Route;

/// Every route of this room.
pub fn routes() -> Vec<Route> {
    table::OTX.to_vec()
}
