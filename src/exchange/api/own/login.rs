//! Log-in by name and password, sessions, and the password itself.

use crate::exchange::accounts::{
    SESSION_LIFE, Secret, check_password, hash_password, is_outdated, recovery_digest,
    verify_password,
};
use crate::exchange::http::{Failure, Reply, Request};
use crate::exchange::pulses::{Invalid, naive};
use crate::exchange::site::{Answer, Call, check_origin, cookie};
use crate::exchange::storage::{Credentials, Login};
use serde_json::{Value, json};

/// The same for a wrong name, password or code, so that nobody learns which accounts there are.
fn wrong() -> Failure {
    Failure::forbidden("invalid user name or password")
}

/// A field of a body that is a text, as it came.
pub(in crate::exchange::api) fn field<'b>(body: &'b Value, name: &str) -> &'b str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// `POST /login`: `{"username": "…", "password": "…", "code": "123456"}`, or a form.
pub(super) fn login(call: &Call<'_>) -> Answer {
    check_origin(call.request, call.settings(), false)?;
    // Nobody types a password where no session can follow.
    call.settings().cookies().set(None)?;
    let body = call.fields()?;
    let account = verified(call, field(&body, "username"), field(&body, "password"))?;
    if account.has_second_factor {
        check_code(call, &account, field(&body, "code").trim())?;
    }
    let old = cookie(call.request, call.settings()).map(Secret::digest_of);
    begin(call, &account, old)
}

/// The account with a name and a password.
///
/// # Errors
///
/// 403 if they are wrong, 429 after too many attempts.
fn verified(call: &Call<'_>, name: &str, password: &str) -> Result<Credentials, Failure> {
    call.site.limit_login(call.request, name)?;
    if password.is_empty() {
        // Nobody has none, whatever the name.
        return Err(wrong());
    }
    let account = call.read(|view| view.credentials(name))?;
    let digest = account.as_ref().and_then(|account| account.password.clone());
    let is_right = call.site.hash(|| verify_password(password, digest.as_deref()))?;
    let account = account.filter(|_| is_right).ok_or_else(wrong)?;
    if let Some(old) = digest.filter(|digest| is_outdated(digest)) {
        let (user, new) = (account.user, call.site.hash(|| hash_password(password))??);
        call.write(move |writes| writes.renew_password(user, (&old, &new)))?;
    }
    Ok(account)
}

/// Checks that whoever has a session or a key knows the password, too.
///
/// # Errors
///
/// As for [`verified`].
pub(super) fn confirmed(call: &Call<'_>, password: &str) -> Result<Credentials, Failure> {
    call.user()?;
    verified(call, &call.caller.name, password)
}

/// Checks a code of an app, or a recovery code, and uses it up.
fn check_code(call: &Call<'_>, account: &Credentials, code: &str) -> Result<(), Failure> {
    if code.is_empty() {
        let what = "expected the code of your app, or a recovery code";
        let errors = Invalid::of("code", what).errors;
        return Err(Failure { errors, ..Failure::forbidden("a code is required") });
    }
    let user = account.user;
    let factor = call.read(|view| view.second_factor(user))?;
    let seconds = crate::clock::now().0.div_euclid(1_000_000);
    let step = factor.and_then(|of| of.secret.step_of(code, seconds, of.step));
    let digest = recovery_digest(code);
    let is_good = call.write(move |writes| match step {
        Some(step) => writes.use_step(user, step),
        None => writes.use_recovery_code(user, &digest),
    })?;
    if is_good { Ok(()) } else { Err(Failure::forbidden("invalid code")) }
}

/// Begins a session. The one with the digest `old` ends.
pub(super) fn begin(call: &Call<'_>, account: &Credentials, old: Option<[u8; 32]>) -> Answer {
    let secret = Secret::new()?;
    let cookie = call.settings().cookies().set(Some(&secret))?;
    let (user, digest) = (account.user, secret.digest());
    let (address, agent) = (call.site.peer(call.request).to_string(), agent(call.request));
    call.write(move |writes| {
        let login = Login { digest: &digest, address: &address, agent: &agent };
        writes.log_in(user, login, old.as_ref())
    })?;
    let body = json!({
        "username": account.name, "csrf_token": secret.form_token(), "expires_in": SESSION_LIFE,
    });
    Ok(Reply::json(&body).header("set-cookie", cookie).header("cache-control", "no-store"))
}

/// How a browser calls itself.
fn agent(request: &Request) -> String {
    let agent = request.header("user-agent").unwrap_or_default();
    agent.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// The session of the caller.
///
/// # Errors
///
/// 403 if the caller has a key instead.
fn session(call: &Call<'_>) -> Result<i64, Failure> {
    call.caller.session.ok_or_else(|| Failure::forbidden("you are not logged in"))
}

/// `POST /logout`.
pub(super) fn logout(call: &Call<'_>) -> Answer {
    let (user, session) = (call.user()?, session(call)?);
    call.write(move |writes| writes.end_session(user, session))?;
    let cookie = call.settings().cookies().set(None)?;
    // What the browser keeps of this site goes, too.
    Ok(Reply::json(&json!({"status": "logged out"}))
        .header("set-cookie", cookie)
        .header("clear-site-data", "\"cache\""))
}

/// `GET /session`: who is logged in, and the token for forms.
pub(super) fn show(call: &Call<'_>) -> Answer {
    let session = session(call)?;
    let user = call.user()?;
    let token = cookie(call.request, call.settings()).map(crate::exchange::accounts::form_token);
    let (sessions, factor) =
        call.read(|view| Ok((view.sessions(user)?, view.second_factor(user)?)))?;
    let own = sessions.iter().find(|of| of.id == session);
    Ok(Reply::json(&json!({
        "username": call.caller.name, "role": call.caller.role.name(), "csrf_token": token,
        "created": own.map(|of| naive(of.created)),
        "second_factor": factor.is_some_and(|of| of.is_confirmed),
    }))
    .header("cache-control", "no-store"))
}

/// `GET /sessions`.
pub(super) fn sessions(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let rows = call.read(|view| view.sessions(user))?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|of| {
            json!({
                "id": of.id, "created": naive(of.created), "used": naive(of.used),
                "address": of.address, "agent": of.agent,
                "is_current": Some(of.id) == call.caller.session,
            })
        })
        .collect();
    Ok(Reply::json(&json!({"results": rows})))
}

/// `DELETE /sessions/{number}`.
pub(super) fn end(call: &Call<'_>) -> Answer {
    let (user, session) = (call.user()?, super::talk::number(call, "number")?);
    call.write(move |writes| writes.end_session(user, session))?;
    Ok(Reply::json(&json!({"status": "ended"})))
}

/// `DELETE /sessions`: all but the caller's.
pub(super) fn end_others(call: &Call<'_>) -> Answer {
    let (user, kept) = (call.user()?, call.caller.session);
    let ended = call.write(move |writes| writes.end_sessions(user, kept))?;
    Ok(Reply::json(&json!({"status": "ended", "count": ended})))
}

/// `POST /password`: `{"password": "…", "new_password": "…"}`. Ends every other session; the
/// caller's gets a new secret. Somebody who had none gives no old one.
pub(super) fn change(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let body = call.fields()?;
    let name = call.caller.name.clone();
    let account = call.read(|view| view.credentials(&name))?.ok_or_else(wrong)?;
    if account.password.is_some() {
        confirmed(call, field(&body, "password"))?;
    }
    let new = hashed(call, field(&body, "new_password"), (&account.name, &account.email))?;
    call.write(move |writes| {
        writes.set_password(user, &new)?;
        writes.end_sessions(user, None)
    })?;
    match call.caller.session {
        Some(_) => begin(call, &account, None),
        None => Ok(Reply::json(&json!({"status": "changed"}))),
    }
}

/// The digest of a new password of somebody with a name and an address.
///
/// # Errors
///
/// 400 if others would guess it.
pub(in crate::exchange::api) fn hashed(
    call: &Call<'_>,
    password: &str,
    (name, address): (&str, &str),
) -> Result<String, Failure> {
    let own: Vec<&str> = std::iter::once(name)
        .chain(name.split(['_', '-', '.']))
        .chain(address.split(['@', '.', '+']))
        .collect();
    check_password(password, &own).map_err(|why| Invalid::of("password", why))?;
    Ok(call.site.hash(|| hash_password(password))??)
}
