//! The routes of the pages, in one table.

use super::assets::asset;
use super::views::{browse, home, indicator, look, new, pulse, sign, talk};
use crate::exchange::accounts::Scope;
use crate::exchange::http::Method;
use crate::exchange::site::{Family, Handler, Needs, Route};

const GET: &[Method] = &[Method::Get];
const POST: &[Method] = &[Method::Post];

/// What everybody may read, if the server allows it.
const OPEN: Needs = Needs::Reader;
const WRITE: Needs = Needs::Key(Scope::Write);

const fn row(
    methods: &'static [Method],
    path: &'static str,
    needs: Needs,
    summary: &'static str,
    handler: Handler,
) -> Route {
    Route { methods, path, needs, family: Family::Page, summary, handler }
}

const ROUTES: &[Route] = &[
    row(GET, "assets/{name}", Needs::Nothing, "Stylesheet and script", asset),
    row(GET, "/", Needs::Nothing, "The beginning", home::show),
    row(GET, "browse", OPEN, "Lists of pulses", browse::show),
    row(GET, "search", OPEN, "Finds values, and words in pulses", browse::search),
    row(GET, "indicator/{slug}/{value*}", OPEN, "What is known of a value", indicator::show),
    row(
        POST,
        "indicator/{slug}/{value*}",
        WRITE,
        "Votes, or reports a false alarm",
        indicator::act,
    ),
    row(POST, "look", Needs::Nothing, "Sets language and colours", look::look),
    row(GET, "sign-in", Needs::Nothing, "Asks who it is", sign::show_in),
    row(POST, "sign-in", Needs::Nothing, "Signs in", sign::sign_in),
    row(POST, "sign-out", Needs::Key(Scope::Read), "Signs out", sign::sign_out),
    row(GET, "sign-up", Needs::Nothing, "Asks for a name", sign::show_up),
    row(POST, "sign-up", Needs::Nothing, "Creates an account", sign::sign_up),
    row(GET, "new", WRITE, "Asks what to publish", new::show),
    row(POST, "new", WRITE, "Publishes a pulse, or shows what it would be", new::send_new),
    row(POST, "pulse/{id}/publish", WRITE, "Publishes a draft", new::publish),
    row(GET, "pulse/{id}", OPEN, "A pulse", pulse::show),
    row(GET, "pulse/{id}/history", OPEN, "What was changed", pulse::history),
    row(GET, "pulse/{id}/related", OPEN, "Related pulses", pulse::related),
    row(GET, "pulse/{id}/export", OPEN, "Files for programs", pulse::export),
    row(POST, "pulse/{id}/subscribe", WRITE, "Subscribes, or not any more", pulse::subscribe),
    row(POST, "pulse/{id}/vote", WRITE, "Votes", pulse::vote),
    row(GET, "pulse/{id}/comments", OPEN, "What people say", talk::comments),
    row(POST, "pulse/{id}/comments", WRITE, "Adds a comment", talk::comment),
    row(POST, "pulse/{id}/comments/{number}", WRITE, "Deletes a comment", talk::delete),
    row(GET, "pulse/{id}/report", WRITE, "Asks what is wrong", talk::show_report),
    row(POST, "pulse/{id}/report", WRITE, "Reports to the moderators", talk::report),
    row(GET, "pulse/{id}/suggest", WRITE, "Asks what to change", talk::show_suggest),
    row(POST, "pulse/{id}/suggest", WRITE, "Suggests a change", talk::suggest),
    row(GET, "pulse/{id}/clone", WRITE, "Asks for the name of a copy", talk::show_clone),
    row(POST, "pulse/{id}/clone", WRITE, "Copies a pulse", talk::clone),
];

/// The routes.
pub fn routes() -> Vec<Route> {
    #[cfg_attr(not(debug_assertions), expect(unused_mut, reason = "nothing is added"))]
    let mut routes = ROUTES.to_vec();
    #[cfg(debug_assertions)]
    routes.push(row(GET, "style", Needs::Nothing, "All components", super::style::show));
    routes
}
