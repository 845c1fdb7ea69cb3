//! Downloads by a token that is good once, for a minute: a link that a browser can open, without
//! a key in it.

use super::feeds::export;
use super::format::Format;
use super::scope::Scope;
use crate::exchange::accounts::{Scope as KeyScope, Secret, Viewer};
use crate::exchange::http::{Failure, Method, Reply};
use crate::exchange::site::{Answer, Call, Caller, Family, Needs, Route};
use serde_json::json;

/// The routes, as OTX has them.
pub const TOKEN_ROUTES: &[Route] = &[
    Route {
        methods: &[Method::Get, Method::Post],
        path: "otxapi/pulses/{id}/generate_temp_token",
        needs: Needs::Key(KeyScope::Read),
        family: Family::Api,
        summary: "Makes a token that downloads a pulse once",
        handler: generate,
    },
    Route {
        methods: &[Method::Get],
        path: "otxapi/pulses/{id}/export",
        needs: Needs::Nothing,
        family: Family::Text,
        summary: "Downloads a pulse with a token",
        handler: download,
    },
];

/// The format of a name: ours, or one of OTX.
fn format_of(name: &str) -> Result<Format, Failure> {
    let own = match name.trim_end_matches('/') {
        "" => "csv",
        "openioc_1_0" | "openioc_1_1" => "openioc",
        "stix_2_1" => "stix",
        name => name,
    };
    Format::of_path(own).ok_or_else(|| {
        let known: Vec<&str> = Format::ALL.iter().map(|format| format.path()).collect();
        Failure::bad_request(format!("format: expected one of {}", known.join(", ")))
    })
}

/// `/otxapi/pulses/{id}/generate_temp_token?format=`.
fn generate(call: &Call<'_>) -> Answer {
    let (user, viewer, id) = (call.user()?, call.caller.viewer, call.pulse_id()?);
    let format = format_of(call.query().get("format").unwrap_or(""))?;
    let pulse = call.read(|view| view.pulse(viewer, &id))?.ok_or_else(Failure::not_found)?;
    let secret = Secret::new()?;
    let digest = secret.digest();
    call.write(move |writes| writes.add_token(user, (pulse.key, format.path()), &digest))?;
    Ok(Reply::json(&json!({"token": secret.text(), "expires_in": 60})))
}

/// `/otxapi/pulses/{id}/export?token=&format=`: what the owner of the token sees.
fn download(call: &Call<'_>) -> Answer {
    let (id, query) = (call.pulse_id()?, call.query());
    let digest = Secret::digest_of(query.get("token").unwrap_or("").trim_end_matches('/'));
    let found = call.write(move |writes| {
        let found = writes.take_token(&digest)?;
        // Whoever tries a token with another pulse has used it up.
        Ok((found.pulse == id).then_some(found))
    })?;
    let found = found.ok_or_else(Failure::not_found)?;
    let format = format_of(query.get("format").unwrap_or(&found.format))?;
    let caller = Caller::stranger(Viewer::User(found.user));
    let reply = export(call, &caller, &Scope::Pulse(id), format.path())?;
    let name = format.path().replace('/', "-");
    let attachment = format!("attachment; filename=\"{id}-{name}\"");
    Ok(reply.header("content-disposition", attachment))
}
