//! The routes below `/api/v2`, in one table.

use super::{
    account, allow, appeals, docs, factor, known, login, moderation, sharing, sign_up, talk, votes,
};
use crate::exchange::accounts::Scope;
use crate::exchange::api::table::{GET, OPEN, POST, READ, WRITE, row};
use crate::exchange::http::Method;
use crate::exchange::site::{Needs, Route};

const PUT: &[Method] = &[Method::Put];
const DELETE: &[Method] = &[Method::Delete];

const ACCOUNT: Needs = Needs::Key(Scope::Account);

/// The routes below `/api/v2`, and the description of all.
pub(in crate::exchange::api) const ROUTES: &[Route] = &[
    row(GET, "api/docs", Needs::Nothing, "The API on a page", docs::page),
    row(GET, "api/openapi.json", Needs::Nothing, "The API as OpenAPI", docs::openapi),
    row(GET, "api/v2/pulses/{id}/comments", OPEN, "Comments", talk::comments),
    row(POST, "api/v2/pulses/{id}/comments", WRITE, "Adds a comment", talk::comment),
    row(
        DELETE,
        "api/v2/pulses/{id}/comments/{number}",
        WRITE,
        "Deletes a comment",
        talk::delete_comment,
    ),
    row(POST, "api/v2/pulses/{id}/vote", WRITE, "Votes", talk::vote),
    row(GET, "api/v2/pulses/{id}/suggestions", READ, "Suggested changes", talk::suggestions),
    row(POST, "api/v2/pulses/{id}/suggestions", WRITE, "Suggests a change", talk::suggest),
    row(
        POST,
        "api/v2/pulses/{id}/suggestions/{number}/accept",
        WRITE,
        "Accepts a suggestion",
        talk::accept,
    ),
    row(
        POST,
        "api/v2/pulses/{id}/suggestions/{number}/reject",
        WRITE,
        "Rejects a suggestion",
        talk::reject,
    ),
    row(GET, "api/v2/pulses/{id}/revisions", OPEN, "What was changed", talk::revisions),
    row(POST, "api/v2/pulses/{id}/report", WRITE, "Reports to the moderators", talk::report),
    row(POST, "api/v2/lookup", READ, "Looks up values", known::lookup),
    row(GET, "api/v2/search/facets", OPEN, "Names in a search", known::facets),
    row(GET, "api/v2/stats", OPEN, "Counts", known::statistics),
    row(
        POST,
        "api/v2/indicators/{slug}/{value*}",
        WRITE,
        "Reports a false positive, or votes: the path ends in /false_positive or /vote",
        known::act,
    ),
    row(
        GET,
        "api/v2/indicators/{slug}/{value*}",
        OPEN,
        "Votes on a value: the path ends in /votes",
        known::votes,
    ),
    row(GET, "api/v2/pulses/{id}/votes", OPEN, "Votes by weight", votes::of_pulse),
    row(GET, "api/v2/pulses/{id}/readers", READ, "Readers by name", sharing::readers),
    row(PUT, "api/v2/pulses/{id}/readers/{name}", WRITE, "Names a reader", sharing::add_reader),
    row(
        DELETE,
        "api/v2/pulses/{id}/readers/{name}",
        WRITE,
        "Takes a reader back",
        sharing::remove_reader,
    ),
    row(GET, "api/v2/pulses/{id}/flagged", READ, "What exports leave out", sharing::flagged),
    row(
        POST,
        "api/v2/pulses/{id}/flagged/{number}/confirm",
        WRITE,
        "Says that a flagged indicator is meant",
        sharing::confirm,
    ),
    row(GET, "api/v2/flagged", Needs::Trusted, "What waits for agreement", sharing::awaiting),
    row(GET, "api/v2/users/{name}", READ, "A user and its reputation", votes::profile),
    row(POST, "api/v2/appeals", OPEN, "Says why a value should not be listed", appeals::appeal),
    row(POST, "api/v2/login", Needs::Nothing, "Logs in", login::login),
    row(POST, "api/v2/logout", READ, "Logs out", login::logout),
    row(GET, "api/v2/session", READ, "Who is logged in", login::show),
    row(GET, "api/v2/sessions", ACCOUNT, "Sessions", login::sessions),
    row(DELETE, "api/v2/sessions", ACCOUNT, "Ends all other sessions", login::end_others),
    row(DELETE, "api/v2/sessions/{number}", ACCOUNT, "Ends a session", login::end),
    row(POST, "api/v2/password", ACCOUNT, "Changes the password", login::change),
    row(GET, "api/v2/second_factor", ACCOUNT, "Whether there is one", factor::show),
    row(POST, "api/v2/second_factor", ACCOUNT, "Begins to set one up", factor::start),
    row(POST, "api/v2/second_factor/confirm", ACCOUNT, "Takes it into use", factor::confirm),
    row(POST, "api/v2/second_factor/remove", ACCOUNT, "Removes it", factor::remove),
    row(GET, "api/v2/sign-up", Needs::Nothing, "Who may sign up", sign_up::how),
    row(POST, "api/v2/sign-up", Needs::Nothing, "Creates an account", sign_up::sign_up),
    row(GET, "api/v2/invitations", ACCOUNT, "Invitations", sign_up::invitations),
    row(POST, "api/v2/invitations", Needs::Trusted, "Makes an invitation", sign_up::invite),
    row(DELETE, "api/v2/invitations/{number}", ACCOUNT, "Revokes one", sign_up::revoke),
    row(GET, "api/v2/allow", READ, "Accepted false positives, as a list", allow::allow),
    row(GET, "api/v2/keys", ACCOUNT, "Keys", account::keys),
    row(POST, "api/v2/keys", ACCOUNT, "Creates a key", account::add_key),
    row(DELETE, "api/v2/keys/{number}", ACCOUNT, "Revokes a key", account::revoke_key),
    row(GET, "api/v2/groups", READ, "Groups", account::groups),
    row(POST, "api/v2/groups", ACCOUNT, "Creates a group", account::add_group),
    row(GET, "api/v2/groups/{gid}/members", READ, "Members", account::members),
    row(PUT, "api/v2/groups/{gid}/members/{name}", ACCOUNT, "Sets a rank", account::set_member),
    row(POST, "api/v2/groups/{gid}/join", ACCOUNT, "Takes an invitation", account::join),
    row(GET, "api/v2/notifications", READ, "Notices", account::notices),
    row(POST, "api/v2/notifications/seen", READ, "Marks notices as seen", account::see),
    row(GET, "api/v2/reports", Needs::Moderator, "Reports", moderation::reports),
    row(POST, "api/v2/reports/{number}/accept", Needs::Moderator, "Accepts", moderation::accept),
    row(POST, "api/v2/reports/{number}/reject", Needs::Moderator, "Rejects", moderation::reject),
    row(
        POST,
        "api/v2/reports/{number}/withdraw",
        Needs::Moderator,
        "Takes back that a value is a false positive",
        moderation::withdraw,
    ),
    row(POST, "api/v2/users/{name}/suspend", Needs::Moderator, "Suspends", moderation::suspend),
    row(POST, "api/v2/users/{name}/resume", Needs::Moderator, "Resumes", moderation::resume),
    row(GET, "api/v2/appeals", Needs::Moderator, "Appeals", appeals::appeals),
    row(POST, "api/v2/appeals/{number}/accept", Needs::Moderator, "Accepts", appeals::accept),
    row(POST, "api/v2/appeals/{number}/reject", Needs::Moderator, "Rejects", appeals::reject),
    row(GET, "api/v2/audit", Needs::Moderator, "What was done", moderation::audit),
];
