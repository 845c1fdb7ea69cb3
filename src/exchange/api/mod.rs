//! The API of OTX, and our additions.
//!
//! Every route is a row of a table, so that nothing can be served that tests do not know of.

mod feeds;
mod health;
mod indicators;
mod listed;
mod own;
mod pages;
mod people;
mod privacy;
mod pulses;
mod render;
mod search;
mod submissions;
mod table;
mod target;
mod testing;
mod welcome;

pub(in crate::exchange) use privacy::secrets as private_data;
pub(in crate::exchange) use search::search_of;

use super::accounts::Viewer;
use super::pulses::{Indicator, Pulse};
use super::site::Route;

/// The routes of the API of OTX.
pub fn routes() -> Vec<Route> {
    table::OTX.to_vec()
}

/// The routes of the server itself, and of our additions.
pub fn own_routes() -> Vec<Route> {
    [table::OWN, own::ROUTES].concat()
}

/// A pulse with its indicators as one line of JSON, as its author sees it.
pub fn pulse_line(pulse: &Pulse, indicators: &[Indicator]) -> String {
    let viewer = Viewer::User(pulse.author.id);
    render::pulse_with(pulse, &listed::as_text(indicators), viewer, render::Shape::Details)
}

/// The routes that the tests of OTX's SDK need.
pub fn test_routes() -> Vec<Route> {
    table::TESTING.to_vec()
}
