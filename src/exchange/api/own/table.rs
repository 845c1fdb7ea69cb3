//! The routes below `/api/v2`, in one table.

use super::{account, allow, docs, known, moderation, talk};
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
        "Reports a false positive: the path ends in /false_positive",
        known::false_positive,
    ),
    row(GET, "api/v2/allow", READ, "Accepted false positives, as a list", allow::allow),
    row(GET, "api/v2/keys", ACCOUNT, "Keys", account::keys),
    row(POST, "api/v2/keys", ACCOUNT, "Creates a key", account::add_key),
    row(DELETE, "api/v2/keys/{number}", ACCOUNT, "Revokes a key", account::revoke_key),
    row(GET, "api/v2/groups", READ, "Groups", account::groups),
    row(POST, "api/v2/groups", ACCOUNT, "Creates a group", account::add_group),
    row(GET, "api/v2/groups/{gid}/members", READ, "Members", account::members),
    row(PUT, "api/v2/groups/{gid}/members/{name}", ACCOUNT, "Sets a rank", account::set_member),
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
    row(GET, "api/v2/audit", Needs::Moderator, "What was done", moderation::audit),
];
