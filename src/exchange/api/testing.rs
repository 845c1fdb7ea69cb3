//! Routes that the tests of OTX's SDK use to make their users. They are there only when the
//! operator asks for them, on loopback.

use crate::exchange::accounts::{
    GroupId, Rank, Role, Scopes, Secret, hash_password, verify_password,
};
use crate::exchange::http::{Failure, Reply};
use crate::exchange::site::{Answer, Call};
use crate::exchange::storage::NewAccount;
use serde_json::{Value, json};

/// `POST /otxapi/qatests/setup/`.
pub(super) fn setup(call: &Call<'_>) -> Answer {
    let body = call.json()?;
    let users = body.get("users").and_then(Value::as_array).cloned().unwrap_or_default();
    for user in users {
        let text = |name: &str| user.get(name).and_then(Value::as_str).unwrap_or_default();
        let account = NewAccount {
            name: text("username").to_string(),
            email: text("email").to_string(),
            role: Role::Trusted,
            password: Some(hash_password(text("password"))?),
        };
        let groups: Vec<i64> = user
            .get("group_ids")
            .and_then(Value::as_array)
            .map(|ids| ids.iter().filter_map(Value::as_i64).collect())
            .unwrap_or_default();
        call.write(move |writes| {
            let user = writes.create_account(&account)?;
            for id in groups {
                // The tests take 64 for a group that the user only reads.
                let rank = if id == 64 { Rank::Read } else { Rank::Post };
                writes.set_member(GroupId(id), user, Some(rank))?;
            }
            Ok(())
        })?;
    }
    Ok(Reply::json(&json!({"status": "ok"})))
}

/// `POST /auth/login`.
pub(super) fn login(call: &Call<'_>) -> Answer {
    let body = call.json()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let name = text("username").to_string();
    let digest = call.read(|view| view.password(&name))?;
    if !verify_password(text("password"), digest.as_deref()) {
        return Err(Failure::forbidden("invalid user name or password"));
    }
    let secret = Secret::new()?;
    let (prefix, stored) = (secret.prefix().to_string(), secret.digest());
    call.write(move |writes| {
        let user = writes.account(&name)?;
        writes.add_key(user, ("test", Scopes::ALL), (&prefix, &stored))
    })?;
    Ok(Reply::json(&json!({"key": secret.text()})))
}

/// `GET /otxapi/user/?detailed=true`, with the key as `Authorization`.
pub(super) fn user(call: &Call<'_>) -> Answer {
    let key = call.request.header("authorization").unwrap_or_default().trim();
    let owner = call.site.owner_of(key)?;
    let owner = owner.ok_or_else(|| Failure::forbidden("invalid API key"))?;
    Ok(Reply::json(&json!({"username": owner.name, "api_keys": [{"api_key": key}]})))
}

/// `POST /otxapi/qatests/cleanup/`.
pub(super) fn cleanup(call: &Call<'_>) -> Answer {
    let body = call.json()?;
    let names: Vec<String> = body
        .get("users")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).map(str::to_string).collect())
        .unwrap_or_default();
    call.write(move |writes| {
        for name in names {
            let user = writes.account(&name)?;
            writes.suspend(user, true)?;
        }
        Ok(())
    })?;
    Ok(Reply::json(&json!({"status": "ok"})))
}
