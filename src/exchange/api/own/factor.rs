//! The second factor: codes of an app.

use super::login::{confirmed, field};
use crate::exchange::accounts::{TotpSecret, recovery_codes, recovery_digest};
use crate::exchange::http::{Failure, Reply};
use crate::exchange::pulses::Invalid;
use crate::exchange::site::{Answer, Call};
use serde_json::json;

/// `GET /second_factor`.
pub(super) fn show(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let (factor, codes) =
        call.read(|view| Ok((view.second_factor(user)?, view.count_recovery_codes(user)?)))?;
    let is_in_use = factor.is_some_and(|of| of.is_confirmed);
    Ok(Reply::json(&json!({"is_in_use": is_in_use, "recovery_codes": codes})))
}

/// `POST /second_factor`: `{"password": "…"}`. Answers the secret, which is in use when a code of
/// it was given.
pub(super) fn start(call: &Call<'_>) -> Answer {
    let body = call.fields()?;
    let account = confirmed(call, field(&body, "password"))?;
    let secret = TotpSecret::new()?;
    let stored = secret.clone();
    let user = account.user;
    call.write(move |writes| writes.start_second_factor(user, &stored))?;
    let base = &call.settings().base;
    let host = base.split_once("://").map_or(base.as_str(), |(_, host)| host);
    let address = secret.address(host, &account.name);
    Ok(Reply::json(&json!({"secret": secret.text(), "address": address}))
        .status(201)
        .header("cache-control", "no-store"))
}

/// `POST /second_factor/confirm`: `{"code": "123456"}`. Answers recovery codes, shown once.
pub(super) fn confirm(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    call.site.limit_login(call.request, &call.caller.name)?;
    let body = call.fields()?;
    let factor = call.read(|view| view.second_factor(user))?;
    let factor = factor.filter(|of| !of.is_confirmed).ok_or_else(Failure::not_found)?;
    let seconds = crate::clock::now().0.div_euclid(1_000_000);
    let step = factor.secret.step_of(field(&body, "code").trim(), seconds, factor.step);
    let step = step.ok_or_else(|| Invalid::of("code", "expected the code of your app"))?;
    let codes = recovery_codes()?;
    let digests: Vec<[u8; 32]> = codes.iter().map(|code| recovery_digest(code)).collect();
    let kept = call.caller.session;
    call.write(move |writes| {
        writes.confirm_second_factor(user, step, &digests)?;
        // Others that knew the password alone are out.
        writes.end_sessions(user, kept)
    })?;
    Ok(Reply::json(&json!({"recovery_codes": codes})).header("cache-control", "no-store"))
}

/// `POST /second_factor/remove`: `{"password": "…"}`.
pub(super) fn remove(call: &Call<'_>) -> Answer {
    let body = call.fields()?;
    let user = confirmed(call, field(&body, "password"))?.user;
    call.write(move |writes| writes.end_second_factor(user))?;
    Ok(Reply::json(&json!({"status": "removed"})))
}
