//! Sign-up: closed, by invitation, or open to everybody who solves a puzzle.

use super::login::{field, hashed};
use super::talk::number;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{PUZZLE_LIFE, Puzzles, Role, Secret, check_user_name};
use crate::exchange::http::{Failure, Reply};
use crate::exchange::pulses::{Invalid, naive};
use crate::exchange::site::{Answer, Call, SignUp, check_origin};
use crate::exchange::storage::NewAccount;
use serde_json::{Value, json};

/// How long invitations are good for, in seconds: a week.
const WEEK: i64 = 7 * 86_400;

/// Names that texts and paths use, and that nobody may pass for.
const RESERVED: [&str; 12] = [
    "admin",
    "administrator",
    "anonymous",
    "everybody",
    "me",
    "moderator",
    "nobody",
    "operator",
    "root",
    "security",
    "support",
    "system",
];

/// Makes and checks the puzzles of this server.
fn puzzles(call: &Call<'_>) -> Result<Puzzles, Failure> {
    let key = match call.read(|view| view.signing_key())? {
        Some(key) => key,
        None => call.write(|writes| writes.signing_key())?,
    };
    Ok(Puzzles::new(key))
}

/// Seconds since 1970.
fn seconds() -> i64 {
    crate::clock::now().0.div_euclid(1_000_000)
}

/// `GET /sign-up`: who may sign up, and a puzzle, if one has to be solved.
pub(super) fn how(call: &Call<'_>) -> Answer {
    let mut body = json!({"sign_up": call.settings().sign_up.name()});
    if call.settings().sign_up == SignUp::Open {
        body["puzzle"] = json!(puzzles(call)?.make(seconds())?);
        body["bits"] = json!(call.settings().puzzle_bits);
        body["good_for"] = json!(PUZZLE_LIFE);
        body["solution"] = json!(
            "a text “nonce” so that the SHA-256 of puzzle:username:nonce, the name in lower case, \
             begins with so many zero bits"
        );
    }
    Ok(Reply::json(&body).header("cache-control", "no-store"))
}

/// `POST /sign-up`: `{"username": "…", "password": "…", "email": "…"}`, and `invitation`, or
/// `puzzle` and `nonce`.
pub(super) fn sign_up(call: &Call<'_>) -> Answer {
    check_origin(call.request, call.settings(), false)?;
    let body = call.fields()?;
    let name = create(call, &body)?;
    Ok(Reply::json(&json!({"username": name})).status(201))
}

/// Creates an account as a body asks for. Answers its name.
///
/// # Errors
///
/// What is wrong with the body, or that nobody may sign up.
pub(in crate::exchange::api) fn create(call: &Call<'_>, body: &Value) -> Result<String, Failure> {
    let name = field(body, "username").trim().to_string();
    let invitation = field(body, "invitation").trim();
    let invitation = (!invitation.is_empty()).then(|| Secret::digest_of(invitation));
    call.site.limit_login(call.request, &name)?;
    match (call.settings().sign_up, invitation) {
        (SignUp::Closed, _) => return Err(Failure::forbidden("nobody can sign up here")),
        (SignUp::Invited, None) => return Err(Failure::forbidden("an invitation is required")),
        (_, Some(digest)) => {
            if !call.read(|view| view.is_invitation(&digest))? {
                return Err(Failure::forbidden("this invitation was used, or has expired"));
            }
        }
        (SignUp::Open, None) => {
            let solution = (name.as_str(), field(body, "nonce"));
            puzzles(call)?
                .check(field(body, "puzzle"), solution, (call.settings().puzzle_bits, seconds()))
                .map_err(|why| Invalid::of("puzzle", why))?;
        }
    }
    check_user_name(&name).map_err(|why| Invalid::of("username", why))?;
    let lower = name.to_lowercase();
    if RESERVED.contains(&lower.as_str()) || lower == call.settings().house.to_lowercase() {
        return Err(Invalid::of("username", "this name is reserved").into());
    }
    let email = email(field(body, "email"))?;
    let password = hashed(call, field(body, "password"), (&name, &email))?;
    let new =
        NewAccount { name: name.clone(), email, role: Role::Member, password: Some(password) };
    call.write(move |writes| {
        let user = writes.create_account(&new)?;
        match invitation {
            Some(digest) => writes.take_invitation(&digest, user),
            None => Ok(()),
        }
    })?;
    Ok(name)
}

/// An address for mail, or nothing.
fn email(text: &str) -> Result<String, Failure> {
    let text = text.trim();
    let is_address = text.len() <= 254
        && text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
        && !text.chars().any(|c| c.is_control() || c.is_whitespace() || "<>\"(),:;".contains(c));
    match text.is_empty() || is_address {
        true => Ok(text.to_string()),
        false => Err(Invalid::of("email", "expected an address such as me@mail.example").into()),
    }
}

/// `GET /invitations`.
pub(super) fn invitations(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let rows = call.read(|view| view.invitations(user))?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|of| {
            json!({
                "id": of.id, "created": naive(of.created), "expires": naive(of.expires),
                "taken_by": of.guest,
            })
        })
        .collect();
    Ok(Reply::json(&json!({"results": rows})))
}

/// `POST /invitations`: for trusted members. Answers a link that is shown once.
pub(super) fn invite(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    if call.settings().sign_up == SignUp::Closed {
        return Err(Failure::forbidden("nobody can sign up here, with an invitation or without"));
    }
    let secret = Secret::new()?;
    let digest = secret.digest();
    let id = call.write(move |writes| writes.invite(user, &digest, WEEK))?;
    let link = format!("{}/join/{}", call.settings().base, secret.text());
    let expires = naive(Timestamp(crate::clock::now().0 + WEEK * 1_000_000));
    let body = json!({"id": id, "invitation": secret.text(), "link": link, "expires": expires});
    Ok(Reply::json(&body).status(201).header("cache-control", "no-store"))
}

/// `DELETE /invitations/{number}`.
pub(super) fn revoke(call: &Call<'_>) -> Answer {
    let (user, id) = (call.user()?, number(call, "number")?);
    call.write(move |writes| writes.revoke_invitation(user, id))?;
    Ok(Reply::json(&json!({"status": "revoked"})))
}
