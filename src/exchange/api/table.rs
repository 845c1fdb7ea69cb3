//! The routes of the API of OTX, in one table.

use super::{feeds, health, indicators, people, pulses, search, submissions, testing, welcome};
use crate::exchange::accounts::Scope;
use crate::exchange::http::Method;
use crate::exchange::site::{Family, Handler, Needs, Route};

pub(super) const GET: &[Method] = &[Method::Get];
pub(super) const POST: &[Method] = &[Method::Post];
const PATCH: &[Method] = &[Method::Patch];
/// Clients disagree about the method of actions.
const ACT: &[Method] = &[Method::Get, Method::Post];

/// What reads without an account, if the server allows it.
pub(super) const OPEN: Needs = Needs::Reader;
pub(super) const READ: Needs = Needs::Key(Scope::Read);
pub(super) const WRITE: Needs = Needs::Key(Scope::Write);

pub(super) const fn row(
    methods: &'static [Method],
    path: &'static str,
    needs: Needs,
    summary: &'static str,
    handler: Handler,
) -> Route {
    Route { methods, path, needs, family: Family::Api, summary, handler }
}

/// The routes below `/api/v1`.
pub(super) const OTX: &[Route] = &[
    row(GET, "api/v1/pulses/subscribed", READ, "The caller's feed", feeds::subscribed),
    row(GET, "api/v1/pulses/activity", READ, "The feed and followed authors", feeds::activity),
    row(GET, "api/v1/pulses/subscribed_pulse_ids", READ, "Ids of the feed", feeds::subscribed_ids),
    row(GET, "api/v1/pulses/events", READ, "What was subscribed to or lost", feeds::events),
    row(GET, "api/v1/pulses/my", READ, "The caller's own pulses", feeds::my),
    row(GET, "api/v1/pulses/user/{name}", OPEN, "The pulses of a user", feeds::of_user),
    row(GET, "api/v1/pulses/related", OPEN, "Pulses that share names", pulses::related_by),
    row(GET, "api/v1/pulses/indicators/types", Needs::Nothing, "Types", pulses::types),
    row(
        POST,
        "api/v1/pulses/indicators/validate",
        READ,
        "Validates an indicator",
        pulses::validate,
    ),
    row(POST, "api/v1/pulses/create", WRITE, "Creates a pulse", pulses::create),
    row(GET, "api/v1/pulses/{id}", OPEN, "A pulse", pulses::details),
    row(PATCH, "api/v1/pulses/{id}", WRITE, "Changes a pulse", pulses::patch),
    row(GET, "api/v1/pulses/{id}/indicators", OPEN, "Its indicators", pulses::indicators),
    row(GET, "api/v1/pulses/{id}/related", OPEN, "Related pulses", pulses::related),
    row(ACT, "api/v1/pulses/{id}/delete", WRITE, "Deletes a pulse", pulses::delete),
    row(ACT, "api/v1/pulses/{id}/subscribe", WRITE, "Subscribes", pulses::subscribe),
    row(ACT, "api/v1/pulses/{id}/unsubscribe", WRITE, "Unsubscribes", pulses::unsubscribe),
    row(POST, "api/v1/pulses/{id}/clone", WRITE, "Copies a pulse", pulses::clone),
    row(GET, "api/v1/user", READ, "The caller", people::me),
    row(GET, "api/v1/user/me", READ, "The caller", people::me),
    row(GET, "api/v1/users/me", READ, "The caller", people::me),
    row(GET, "api/v1/users/{name}", READ, "A user", people::show),
    row(ACT, "api/v1/users/{name}/subscribe", WRITE, "Subscribes", people::subscribe),
    row(ACT, "api/v1/users/{name}/unsubscribe", WRITE, "Unsubscribes", people::unsubscribe),
    row(ACT, "api/v1/users/{name}/follow", WRITE, "Follows", people::follow),
    row(ACT, "api/v1/users/{name}/unfollow", WRITE, "Unfollows", people::unfollow),
    row(ACT, "api/v1/groups/{gid}/add_pulse", WRITE, "Shares a pulse", people::add_pulse),
    row(ACT, "api/v1/groups/{gid}/remove_pulse", WRITE, "Ends sharing", people::remove_pulse),
    row(GET, "api/v1/search/pulses", OPEN, "Searches pulses", search::pulses),
    row(GET, "api/v1/search/users", READ, "Searches users", search::users),
    row(GET, "api/v1/indicators/export", READ, "The values of the feed", indicators::export),
    row(POST, "api/v1/indicators/submit_url", WRITE, "Records a URL", submissions::url),
    row(POST, "api/v1/indicators/submit_urls", WRITE, "Records URLs", submissions::urls),
    row(POST, "api/v1/indicators/submit_file", WRITE, "Records a digest", submissions::file),
    row(ACT, "api/v1/indicators/submitted_urls", READ, "URLs", submissions::submitted_urls),
    row(ACT, "api/v1/indicators/submitted_files", READ, "Files", submissions::submitted_files),
    row(POST, "api/v1/indicators/update_submitted_urls_tlp", WRITE, "TLP", submissions::urls_tlp),
    row(POST, "api/v1/indicators/update_submitted_files_tlp", WRITE, "TLP", submissions::files_tlp),
    row(GET, "api/v1/indicators/{slug}/{value*}", OPEN, "About a value", indicators::section),
    row(
        GET,
        "otxapi/indicator/{slug}/{section}/{value*}",
        OPEN,
        "About a value, the section first",
        indicators::keyless,
    ),
];

/// The routes of the server itself.
pub(super) const OWN: &[Route] = &[
    row(GET, "healthz", Needs::Nothing, "Whether the server works", health::health),
    row(GET, "metrics", Needs::Admin, "Metrics for Prometheus", health::metrics),
    row(GET, "welcome/{secret}", Needs::Nothing, "A one-time link", welcome::show),
    row(POST, "welcome/{secret}", Needs::Nothing, "Uses a one-time link", welcome::take),
    row(GET, "join/{secret}", Needs::Nothing, "An invitation", welcome::invitation),
    row(POST, "join/{secret}", Needs::Nothing, "Takes an invitation", welcome::join),
];

/// The routes that the tests of OTX's SDK need.
pub(super) const TESTING: &[Route] = &[
    row(POST, "otxapi/qatests/setup", Needs::Nothing, "Makes users", testing::setup),
    row(POST, "otxapi/qatests/cleanup", Needs::Nothing, "Suspends users", testing::cleanup),
    row(POST, "auth/login", Needs::Nothing, "Makes a key", testing::login),
    row(GET, "otxapi/user", Needs::Nothing, "The owner of a key", testing::user),
];
