//! The one-time link, by which somebody takes over an account: the first one, or an invited one.
//!
//! Programs that look at links before people do send GET: so that only shows a button, and the
//! POST of the button uses the link up.

use crate::exchange::accounts::{Scopes, Secret};
use crate::exchange::http::{Failure, Reply};
use crate::exchange::site::{Answer, Call};

/// A page around some HTML of ours.
fn page(content: &str) -> Reply {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>wiresift exchange</title>\n\
         <h1>wiresift exchange</h1>\n{content}\n</html>\n"
    );
    Reply::new(200, "text/html; charset=utf-8", html)
        .header("content-security-policy", "default-src 'none'; form-action 'self'")
        .header("referrer-policy", "no-referrer")
}

/// `GET /welcome/{secret}`.
pub(super) fn show(_: &Call<'_>) -> Answer {
    Ok(page(
        "<p>This link works once. It creates an API key for your account.</p>\n\
         <form method=\"post\"><button>Create my key</button></form>",
    ))
}

/// `POST /welcome/{secret}`.
pub(super) fn take(call: &Call<'_>) -> Answer {
    let digest = Secret::digest_of(call.param("secret"));
    let secret = Secret::new()?;
    let (prefix, stored) = (secret.prefix().to_string(), secret.digest());
    let name = call
        .write(move |writes| {
            let (user, name) = writes.use_link(&digest)?;
            writes.add_key(user, ("first key", Scopes::ALL), (&prefix, &stored))?;
            Ok(name)
        })
        .map_err(|failure| match failure.status {
            404 => Failure::new(404, "this link was used, or has expired"),
            _ => failure,
        })?;
    Ok(page(&format!(
        "<p>You are <b>{name}</b>. Your API key, shown this once:</p>\n<pre>{}</pre>\n\
         <p>Clients of OTX send it in the header <code>X-OTX-API-KEY</code>.</p>",
        secret.text()
    )))
}
