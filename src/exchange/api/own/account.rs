//! The caller's own: keys, groups, notices.

use super::talk::{number, text};
use crate::exchange::accounts::{Group, GroupId, Rank, Scopes, Secret};
use crate::exchange::api::pages::Page;
use crate::exchange::api::people::group;
use crate::exchange::http::{Failure, Reply};
use crate::exchange::pulses::{Invalid, naive, naive_micros};
use crate::exchange::site::{Answer, Call};
use serde_json::{Value, json};

/// The most keys of an account: each has limits of its own.
const MAX_KEYS: usize = 50;

/// `GET /keys`.
pub(super) fn keys(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let keys = call.read(|view| view.keys(user))?;
    let rows: Vec<Value> = keys
        .iter()
        .map(|of| {
            json!({
                "id": of.id, "name": of.name, "prefix": of.prefix, "scopes": of.scopes.names(),
                "created": naive(of.created), "used": of.used.map(naive),
            })
        })
        .collect();
    Ok(Reply::json(&json!({"results": rows})))
}

/// `POST /keys`: `{"name": "…", "scopes": ["read"]}`. A key cannot give what it has not.
pub(super) fn add_key(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let body = call.json()?;
    let name = text(&body, "name", 64)?;
    let wanted = match body.get("scopes") {
        Some(Value::Array(list)) => {
            let names: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            Scopes::parse(&names.join(",")).map_err(|why| Invalid::of("scopes", why))?
        }
        _ => return Err(Invalid::of("scopes", "expected a list of scopes").into()),
    };
    let scopes = Scopes(wanted.0 & call.caller.scopes.0);
    if scopes != wanted {
        return Err(Failure::forbidden("a key cannot create one with more scopes than its own"));
    }
    let secret = Secret::new()?;
    let (prefix, digest) = (secret.prefix().to_string(), secret.digest());
    if call.read(|view| view.keys(user))?.len() >= MAX_KEYS {
        let why = format!("an account has at most {MAX_KEYS} keys: revoke one first");
        return Err(Failure::forbidden(why));
    }
    let id = call.write(move |writes| writes.add_key(user, (&name, scopes), (&prefix, &digest)))?;
    Ok(Reply::json(&json!({"id": id, "key": secret.text()})).status(201))
}

/// `DELETE /keys/{number}`.
pub(super) fn revoke_key(call: &Call<'_>) -> Answer {
    let (user, key) = (call.user()?, number(call, "number")?);
    call.write(move |writes| writes.revoke_key(user, key))?;
    Ok(Reply::json(&json!({"status": "revoked"})))
}

fn shown(of: &Group) -> Value {
    json!({
        "id": of.id.0, "name": of.name, "description": of.description, "public": of.is_public,
        "created": naive(of.created), "rank": of.rank.map(Rank::name),
    })
}

/// `GET /groups`.
pub(super) fn groups(call: &Call<'_>) -> Answer {
    let viewer = call.caller.viewer;
    let groups = call.read(|view| view.groups(viewer))?;
    let rows: Vec<Value> = groups.iter().map(shown).collect();
    Ok(Reply::json(&json!({"results": rows})))
}

/// `POST /groups`: `{"name": "…", "description": "…", "public": false}`.
pub(super) fn add_group(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let body = call.json()?;
    let name = text(&body, "name", 256)?;
    let about = body.get("description").and_then(Value::as_str).unwrap_or_default();
    let about: String = about.chars().filter(|c| !c.is_control()).take(1000).collect();
    let is_public = body.get("public").and_then(Value::as_bool).unwrap_or(false);
    let id =
        call.write(move |writes| writes.create_group(user, (&name, &about), (is_public, None)))?;
    Ok(Reply::json(&json!({"id": id.0})).status(201))
}

/// `GET /groups/{gid}/members`: for members.
pub(super) fn members(call: &Call<'_>) -> Answer {
    let group = group(call)?;
    if group.rank.is_none() {
        return Err(Failure::forbidden("only members may see the members of a group"));
    }
    let members = call.read(|view| view.members(group.id))?;
    let rows: Vec<Value> =
        members.iter().map(|of| json!({"username": of.name, "rank": of.rank.name()})).collect();
    Ok(Reply::json(&json!({"results": rows})))
}

/// `PUT /groups/{gid}/members/{name}`: `{"rank": "post"}`, or `null` to remove. For admins of the
/// group; owners are made by owners, and everybody may leave. Who is not a member yet is invited:
/// the pulses of a group are in the feeds of its members.
pub(super) fn set_member(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let group = group(call)?;
    let rank = match call.json()?.get("rank") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => {
            let expected = "expected read, post, admin or owner";
            Some(Rank::from_name(name).ok_or_else(|| Invalid::of("rank", expected))?)
        }
        Some(_) => return Err(Invalid::of("rank", "expected a text").into()),
    };
    let name = call.param("name").to_string();
    let leaves = rank.is_none() && name.eq_ignore_ascii_case(&call.caller.name);
    let may = group.rank >= Some(Rank::Admin)
        && (rank < Some(Rank::Owner) || group.rank == Some(Rank::Owner));
    if !may && !leaves {
        return Err(Failure::forbidden("only admins of the group may do this"));
    }
    let viewer = call.caller.viewer;
    let member = call.read(|view| view.user(viewer, &name))?.ok_or_else(Failure::not_found)?.id;
    let ranks = call.read(|view| view.members(group.id))?;
    let is_owner = |of: crate::exchange::accounts::UserId| {
        ranks.iter().any(|member| member.user == of && member.rank == Rank::Owner)
    };
    if is_owner(member) && member != user && !is_owner(user) {
        return Err(Failure::forbidden("only an owner may change an owner"));
    }
    let owners = ranks.iter().filter(|member| member.rank == Rank::Owner).count();
    if is_owner(member) && owners == 1 && rank != Some(Rank::Owner) {
        return Err(Failure::bad_request("a group needs an owner"));
    }
    let is_invited = call.write(move |writes| match rank {
        Some(rank) => writes.invite_member(group.id, member, rank),
        None => {
            writes.decline_group(group.id, member)?;
            writes.set_member(group.id, member, None).map(|()| false)
        }
    })?;
    Ok(Reply::json(&json!({"status": if is_invited { "invited" } else { "ok" }})))
}

/// `POST /groups/{gid}/join`: takes an invitation.
pub(super) fn join(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let group = GroupId(call.param("gid").parse().map_err(|_| Failure::not_found())?);
    call.write(move |writes| writes.join_group(group, user))?;
    Ok(Reply::json(&json!({"status": "joined"})))
}

/// `GET /notifications`.
pub(super) fn notices(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let page = Page::of(call, 20, 100);
    let rows = call.read(|view| view.notices(user, page.range()))?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|of| {
            json!({
                "id": of.id, "created": naive_micros(of.created), "kind": of.kind,
                "pulse": of.pulse, "text": of.text, "seen": of.is_seen,
            })
        })
        .collect();
    Ok(Reply::json(&json!({"results": rows})))
}

/// `POST /notifications/seen`: `{"up_to": 5}`.
pub(super) fn see(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let last = call.json()?.get("up_to").and_then(Value::as_i64);
    let last = last.ok_or_else(|| Failure::from(Invalid::of("up_to", "expected a number")))?;
    call.write(move |writes| writes.see_notices(user, last))?;
    Ok(Reply::json(&json!({"status": "ok"})))
}
