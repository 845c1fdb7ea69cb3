//! Users and groups.

use super::render::user;
use crate::exchange::accounts::{Rank, User, UserId};
use crate::exchange::http::{Failure, Reply};
use crate::exchange::pulses::PulseId;
use crate::exchange::site::{Answer, Call};
use serde_json::json;

/// `GET /user/`, `/user/me`, `/users/me`.
pub(super) fn me(call: &Call<'_>) -> Answer {
    call.user()?;
    let viewer = call.caller.viewer;
    let name = call.caller.name.clone();
    let found = call.read(|view| view.user(viewer, &name))?.ok_or_else(Failure::not_found)?;
    Ok(Reply::json(&user(&found, viewer, true)))
}

/// The user of the path.
fn named(call: &Call<'_>) -> Result<User, Failure> {
    let viewer = call.caller.viewer;
    let found = call.read(|view| view.user(viewer, call.param("name")))?;
    found.ok_or_else(Failure::not_found)
}

/// `GET /users/{name}`.
pub(super) fn show(call: &Call<'_>) -> Answer {
    let found = named(call)?;
    let is_detailed = call.query().flag("detailed");
    Ok(Reply::json(&user(&found, call.caller.viewer, is_detailed)))
}

/// `/users/{name}/subscribe` and so on.
pub(super) fn subscribe(call: &Call<'_>) -> Answer {
    link(call, true)
}

/// See [`subscribe`].
pub(super) fn unsubscribe(call: &Call<'_>) -> Answer {
    link(call, false)
}

fn link(call: &Call<'_>, is_subscribe: bool) -> Answer {
    let (me, author) = (call.user()?, named(call)?.id);
    let count = call.write(move |writes| writes.link_author(me, author, is_subscribe))?;
    let status = if is_subscribe { "subscribed" } else { "unsubscribed" };
    Ok(Reply::json(&json!({"status": status, "subscriber_count": count})))
}

/// See [`subscribe`].
pub(super) fn follow(call: &Call<'_>) -> Answer {
    set_follow(call, true)
}

/// See [`subscribe`].
pub(super) fn unfollow(call: &Call<'_>) -> Answer {
    set_follow(call, false)
}

fn set_follow(call: &Call<'_>, is_follow: bool) -> Answer {
    let (me, author): (UserId, UserId) = (call.user()?, named(call)?.id);
    call.write(move |writes| writes.follow(me, author, is_follow))?;
    let status = if is_follow { "followed" } else { "unfollowed" };
    Ok(Reply::json(&json!({"status": status})))
}

/// The group of the path. Whether it exists is for those to know that may.
pub(super) fn group(call: &Call<'_>) -> Result<crate::exchange::accounts::Group, Failure> {
    let number = call.param("gid").parse().map_err(|_| Failure::not_found())?;
    let group = crate::exchange::accounts::GroupId(number);
    let viewer = call.caller.viewer;
    call.read(|view| view.group(viewer, group))?.ok_or_else(Failure::not_found)
}

/// `GET /groups/{gid}/add_pulse?pulse_id=`.
pub(super) fn add_pulse(call: &Call<'_>) -> Answer {
    share(call, true)
}

/// `GET /groups/{gid}/remove_pulse?pulse_id=`.
pub(super) fn remove_pulse(call: &Call<'_>) -> Answer {
    share(call, false)
}

fn share(call: &Call<'_>, is_added: bool) -> Answer {
    let user = call.user()?;
    // A group that does not exist and one without the right to post answer alike.
    let may_not = || Failure::forbidden("you may not post to this group");
    let group = group(call).map_err(|_| may_not())?;
    if group.rank < Some(Rank::Post) {
        return Err(may_not());
    }
    let query = call.query();
    let id = query.get("pulse_id").and_then(PulseId::parse).ok_or_else(Failure::not_found)?;
    call.write(move |writes| writes.share(user, &id, (group.id, is_added)))?;
    Ok(Reply::json(&json!({"status": "success"})))
}
