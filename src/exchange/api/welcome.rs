//! Links by which accounts are taken: the first one, or one that an operator made; and those of
//! invitations.
//!
//! Programs that look at links before people do send GET: so that only shows a form, and the
//! POST of the form uses the link up.

use super::own::{create_account, field, hashed};
use crate::exchange::accounts::{MIN_PASSWORD, Scopes, Secret};
use crate::exchange::http::{Failure, Reply};
use crate::exchange::site::{Answer, Call, check_origin};
use serde_json::{Value, json};

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

/// Text for HTML.
fn escaped(text: &str) -> String {
    let escape = |c| match c {
        '&' => "&amp;".to_string(),
        '<' => "&lt;".to_string(),
        '>' => "&gt;".to_string(),
        '"' => "&quot;".to_string(),
        '\'' => "&#39;".to_string(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

/// `GET /welcome/{secret}`.
pub(super) fn show(_: &Call<'_>) -> Answer {
    Ok(page(&format!(
        "<p>This link works once. It creates an API key for your account, or sets the password \
         that you log in with.</p>\n\
         <form method=\"post\"><p><label>Password, {MIN_PASSWORD} characters or more: \
         <input type=\"password\" name=\"password\" autocomplete=\"new-password\"></label>\n\
         <p><button>Set my password</button></form>\n\
         <form method=\"post\"><button>Create my key</button></form>"
    )))
}

/// `POST /welcome/{secret}`.
pub(super) fn take(call: &Call<'_>) -> Answer {
    check_origin(call.request, call.settings(), false)?;
    let gone = || Failure::new(404, "this link was used, or has expired");
    let digest = Secret::digest_of(call.param("secret"));
    let (name, address) = call.read(|view| view.link(&digest))?.ok_or_else(gone)?;
    let body = if call.request.body.is_empty() { Value::Null } else { call.fields()? };
    let password = match field(&body, "password") {
        "" => None,
        password => Some(hashed(call, password, (&name, &address))?),
    };
    let secret = Secret::new()?;
    let (prefix, stored) = (secret.prefix().to_string(), secret.digest());
    let has_password = password.is_some();
    call.write(move |writes| {
        let (user, _) = writes.use_link(&digest)?;
        match password {
            Some(password) => {
                writes.set_password(user, &password)?;
                // Whoever was logged in before does not own the account any more.
                writes.end_sessions(user, None).map(|_| ())
            }
            None => {
                writes.add_key(user, ("first key", Scopes::ALL), (&prefix, &stored)).map(|_| ())
            }
        }
    })
    .map_err(|failure| if failure.status == 404 { gone() } else { failure })?;
    let name = escaped(&name);
    if has_password {
        return Ok(page(&format!("<p>You are <b>{name}</b>. Log in with your password.</p>")));
    }
    Ok(page(&format!(
        "<p>You are <b>{name}</b>. Your API key, shown this once:</p>\n<pre>{}</pre>\n\
         <p>Clients of OTX send it in the header <code>X-OTX-API-KEY</code>.</p>",
        secret.text()
    ))
    .header("cache-control", "no-store"))
}

/// `GET /join/{secret}`: an invitation.
pub(super) fn invitation(call: &Call<'_>) -> Answer {
    let digest = Secret::digest_of(call.param("secret"));
    if !call.read(|view| view.is_invitation(&digest))? {
        return Err(Failure::new(404, "this invitation was used, or has expired"));
    }
    Ok(page(&format!(
        "<p>You are invited. Choose a name and a password.</p>\n\
         <form method=\"post\"><p><label>Name: <input name=\"username\" \
         autocomplete=\"username\"></label>\n<p><label>Mail, if you like: \
         <input name=\"email\" autocomplete=\"email\"></label>\n\
         <p><label>Password, {MIN_PASSWORD} characters or more: \
         <input type=\"password\" name=\"password\" autocomplete=\"new-password\"></label>\n\
         <p><button>Create my account</button></form>"
    )))
}

/// `POST /join/{secret}`.
pub(super) fn join(call: &Call<'_>) -> Answer {
    check_origin(call.request, call.settings(), false)?;
    let mut body = call.fields()?;
    if let Value::Object(members) = &mut body {
        members.insert("invitation".into(), json!(call.param("secret")));
    }
    let name = escaped(&create_account(call, &body)?);
    Ok(page(&format!("<p>You are <b>{name}</b>. Log in with your password.</p>")))
}
