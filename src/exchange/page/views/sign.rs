//! Signing in, up and out: forms over the routes of the API.

use crate::exchange::accounts::MIN_PASSWORD;
use crate::exchange::http::{Failure, Method, Reply};
use crate::exchange::page::components::{Field, Kind, empty, errors, field, hidden};
use crate::exchange::page::forms::{Form, SMALL, see, send};
use crate::exchange::page::frame::{Page, Place};
use crate::exchange::page::links::own_path;
use crate::exchange::page::visit::Visit;
use crate::exchange::site::{Answer, Call, Cookies, SignUp};
use maud::{Markup, html};
use serde_json::{Value, json};

/// `GET /sign-in`.
pub(in crate::exchange::page) fn show_in(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    Ok(in_page(&visit, &Form::begun(call.query())))
}

fn in_page(visit: &Visit<'_>, form: &Form) -> Reply {
    let settings = visit.call.settings();
    let content = html! {
        @if settings.cookies() == Cookies::Refused {
            (empty(&visit.say("sign-in-refused"), None))
        } @else {
            p { (visit.say("sign-in-why")) }
            (errors(visit, form))
            form method="post" action="/sign-in" class="form" {
                (hidden("next", &own_path(form.get("next"))))
                (field(form, &Field {
                    name: "username", label: visit.say("field-username"), help: String::new(),
                    kind: Kind::Line, autocomplete: "username", is_required: true,
                }))
                (field(form, &Field {
                    name: "password", label: visit.say("field-password"), help: String::new(),
                    kind: Kind::Password("current-password"), autocomplete: "", is_required: true,
                }))
                (field(form, &Field {
                    name: "code", label: visit.say("field-code"), help: visit.say("field-code-help"),
                    kind: Kind::Line, autocomplete: "one-time-code", is_required: false,
                }))
                p { button { (visit.say("sign-in")) } }
            }
        }
        @if settings.sign_up != SignUp::Closed {
            p { (visit.say("sign-in-new")) " " a href="/sign-up" { (visit.say("sign-up")) } }
        } @else {
            p class="meta" { (visit.say("sign-up-closed")) }
        }
    };
    Page::new(visit.say("sign-in"), Place::Elsewhere, content).reply(visit)
}

/// `POST /sign-in`.
pub(in crate::exchange::page) fn sign_in(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let form = Form::of(&visit, SMALL)?;
    let body = json!({
        "username": form.get("username"), "password": form.get("password"), "code": form.get("code"),
    });
    match send(&visit, (Method::Post, "api/v2/login"), &body) {
        Ok((head, _)) => Ok(with_cookies(see(&own_path(form.get("next"))), head)),
        Err(failure) => Ok(refused(&visit, form, failure, in_page)),
    }
}

/// The form again, with why it was refused.
fn refused(
    visit: &Visit<'_>,
    form: Form,
    failure: Failure,
    page: fn(&Visit<'_>, &Form) -> Reply,
) -> Reply {
    let status = failure.status;
    let retry = failure.retry_after;
    let reply = page(visit, &form.refused(failure)).status(status);
    match retry {
        Some(seconds) => reply.header("retry-after", seconds.to_string()),
        None => reply,
    }
}

fn with_cookies(mut reply: Reply, head: Reply) -> Reply {
    let kept = head.headers.into_iter();
    reply
        .headers
        .extend(kept.filter(|(name, _)| matches!(*name, "set-cookie" | "clear-site-data")));
    reply
}

/// `POST /sign-out`.
pub(in crate::exchange::page) fn sign_out(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let (head, _) = send(&visit, (Method::Post, "api/v2/logout"), &json!({}))?;
    Ok(with_cookies(see("/sign-in?done=signed-out"), head))
}

/// `GET /sign-up`.
pub(in crate::exchange::page) fn show_up(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    Ok(up_page(&visit, &Form::begun(call.query())))
}

fn up_page(visit: &Visit<'_>, form: &Form) -> Reply {
    let content = match visit.call.settings().sign_up {
        SignUp::Closed => empty(&visit.say("sign-up-closed"), None),
        SignUp::Invited => up_form(visit, form, &Value::Null),
        SignUp::Open => match send(visit, (Method::Get, "api/v2/sign-up"), &json!({})) {
            Ok((_, puzzle)) => up_form(visit, form, &puzzle),
            Err(failure) => empty(&failure.detail, None),
        },
    };
    Page::new(visit.say("sign-up"), Place::Elsewhere, content).reply(visit)
}

fn up_form(visit: &Visit<'_>, form: &Form, puzzle: &Value) -> Markup {
    let is_open = puzzle["puzzle"].is_string();
    let count = (MIN_PASSWORD as u64).into();
    html! {
        p { (visit.say("sign-up-why")) }
        (errors(visit, form))
        form method="post" action="/sign-up" class="form"
            data-puzzle=[puzzle["puzzle"].as_str()] data-bits=[puzzle["bits"].as_u64()]
            data-working=(visit.say("sign-up-working")) {
            @if let Some(puzzle) = puzzle["puzzle"].as_str() {
                (hidden("puzzle", puzzle))
                (hidden("nonce", ""))
                noscript { div class="notice warn" { p { (visit.say("sign-up-puzzle")) } } }
            }
            (field(form, &Field {
                name: "username", label: visit.say("field-username"),
                help: visit.say("field-username-help"), kind: Kind::Line, autocomplete: "username",
                is_required: true,
            }))
            (field(form, &Field {
                name: "password", label: visit.say("field-password"),
                help: visit.fill("field-password-help", &[("count", count)]),
                kind: Kind::Password("new-password"), autocomplete: "", is_required: true,
            }))
            (field(form, &Field {
                name: "email", label: visit.say("field-email"), help: visit.say("field-email-help"),
                kind: Kind::Line, autocomplete: "email", is_required: false,
            }))
            (field(form, &Field {
                name: "invitation", label: visit.say("field-invitation"),
                help: visit.say(if is_open { "field-invitation-open" } else { "field-invitation-help" }),
                kind: Kind::Line, autocomplete: "off", is_required: !is_open,
            }))
            p { button { (visit.say("sign-up")) } }
        }
    }
}

/// `POST /sign-up`.
pub(in crate::exchange::page) fn sign_up(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let form = Form::of(&visit, SMALL)?;
    let names = ["username", "password", "email", "invitation", "puzzle", "nonce"];
    let fields = names.into_iter().map(|name| (name.to_string(), json!(form.get(name))));
    let body = Value::Object(fields.collect());
    match send(&visit, (Method::Post, "api/v2/sign-up"), &body) {
        Ok(_) => Ok(see("/sign-in?done=signed-up")),
        Err(failure) => Ok(refused(&visit, form, failure, up_page)),
    }
}
