//! What people say about a pulse: comments, reports, suggestions; and copies of it.

use super::pulse_parts::{around, opened};
use crate::exchange::http::{Failure, Method, Reply};
use crate::exchange::page::components::{
    Field, Kind, act, empty, errors, field, pager, sources, time, token,
};
use crate::exchange::page::forms::{Form, SMALL, see, send};
use crate::exchange::page::links::Link;
use crate::exchange::page::prose::prose;
use crate::exchange::page::values::guess;
use crate::exchange::page::visit::Visit;
use crate::exchange::pulses::{MAX_NAME, Pulse, Type};
use crate::exchange::site::{Answer, Call};
use crate::exchange::storage::Comment;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

/// Comments of a page.
const COMMENTS: usize = 50;

/// `GET /pulse/{id}/comments`.
pub(in crate::exchange::page) fn comments(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    comments_page(&visit, &Form::default())
}

fn comments_page(visit: &Visit<'_>, form: &Form) -> Answer {
    let pulse = opened(visit)?;
    let skipped = visit.query().number("skip").and_then(|skip| usize::try_from(skip).ok());
    let skipped = skipped.unwrap_or(0).min(1 << 20);
    let mut found = visit.read(|view| view.comments(pulse.key, (COMMENTS + 1, skipped)))?;
    let has_next = found.len() > COMMENTS;
    found.truncate(COMMENTS);
    let link = Link::to(format!("/pulse/{}/comments", pulse.id));
    let next = has_next.then(|| (skipped + COMMENTS).to_string());
    let content = html! {
        @if found.is_empty() { (empty(&visit.say("comments-none"), None)) }
        ol class="comments" { @for of in &found { li { (comment_of(visit, &pulse, of)) } } }
        (pager(visit, &link, ("skip", skipped == 0), next))
        @if visit.user().is_some() {
            h2 { (visit.say("comment-add")) }
            (errors(visit, form))
            form method="post" action=(link.text()) class="form" {
                (token(visit))
                (field(form, &Field {
                    name: "text", label: visit.say("comment-text"), help: visit.say("comment-help"),
                    kind: Kind::Text(5), autocomplete: "off", is_required: true,
                }))
                p { button { (visit.say("comment-send")) } }
            }
        }
        (sources(visit, &[("API", format!("/api/v2/pulses/{}/comments", pulse.id))]))
    };
    Ok(around(visit, &pulse, "comments", content).reply(visit))
}

fn comment_of(visit: &Visit<'_>, pulse: &Pulse, of: &Comment) -> Markup {
    // What new accounts write is shown as text, addresses included.
    let is_new = visit.call.settings().quotas.is_new(of.role, of.since, crate::clock::now());
    let is_mine = visit.user().is_some()
        && (visit.user() == Some(pulse.author.id) || visit.call.caller.name == of.author);
    html! {
        article class="comment" {
            p class="meta" { strong { bdi { (of.author) } } " · " (time(visit, of.created)) }
            div class="prose" dir="auto" { (prose(&of.text, !is_new)) }
            @if is_mine {
                (act(visit, &format!("/pulse/{}/comments/{}", pulse.id, of.id), ("delete", "quiet"), &[]))
            }
        }
    }
}

/// `POST /pulse/{id}/comments`.
pub(in crate::exchange::page) fn comment(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let form = Form::of(&visit, SMALL)?;
    let body = json!({"text": form.get("text")});
    let sent = send(&visit, (Method::Post, "api/v2/pulses/{id}/comments"), &body);
    then(&visit, form, sent, ("comments", "commented"), comments_page)
}

/// `POST /pulse/{id}/comments/{number}`: deletes it.
pub(in crate::exchange::page) fn delete(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    send(&visit, (Method::Delete, "api/v2/pulses/{id}/comments/{number}"), &json!({}))?;
    Ok(see(&format!("/pulse/{}/comments?done=deleted", call.param("id"))))
}

/// Sends the browser to a view of the pulse, or shows the form again with what is wrong.
fn then(
    visit: &Visit<'_>,
    form: Form,
    sent: Result<(Reply, Value), Failure>,
    (tab, what): (&str, &str),
    page: fn(&Visit<'_>, &Form) -> Answer,
) -> Answer {
    match sent {
        Ok(_) => {
            let path = format!("/pulse/{}/{tab}", visit.call.param("id"));
            Ok(see(&format!("{}?done={what}", path.trim_end_matches('/'))))
        }
        // What is hidden and what is missing answer alike.
        Err(failure) if failure.status == 404 => Err(failure),
        Err(failure) => {
            let status = failure.status;
            Ok(page(visit, &form.refused(failure))?.status(status))
        }
    }
}

/// A view with one form about a pulse.
fn form_page(
    visit: &Visit<'_>,
    form: &Form,
    (tab, title, why): (&str, &str, &str),
    fields: Markup,
) -> Answer {
    let pulse = opened(visit)?;
    let content = html! {
        h2 { (visit.say(title)) }
        p { (visit.say(why)) }
        (errors(visit, form))
        form method="post" action=(format!("/pulse/{}/{tab}", pulse.id)) class="form" {
            (token(visit))
            (fields)
            p {
                button { (visit.say("send")) } " "
                a href=(format!("/pulse/{}", pulse.id)) { (visit.say("cancel")) }
            }
        }
    };
    Ok(around(visit, &pulse, tab, content).reply(visit))
}

/// The field for why.
fn reason(visit: &Visit<'_>, form: &Form) -> Markup {
    field(
        form,
        &Field {
            name: "reason",
            label: visit.say("field-reason"),
            help: visit.say("field-reason-help"),
            kind: Kind::Text(3),
            autocomplete: "off",
            is_required: true,
        },
    )
}

/// `GET /pulse/{id}/report`.
pub(in crate::exchange::page) fn show_report(call: &Call<'_>) -> Answer {
    report_page(&Visit::new(call), &Form::default())
}

fn report_page(visit: &Visit<'_>, form: &Form) -> Answer {
    form_page(visit, form, ("report", "report", "report-why"), reason(visit, form))
}

/// `POST /pulse/{id}/report`.
pub(in crate::exchange::page) fn report(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let form = Form::of(&visit, SMALL)?;
    let body = json!({"reason": form.get("reason")});
    let sent = send(&visit, (Method::Post, "api/v2/pulses/{id}/report"), &body);
    then(&visit, form, sent, ("", "reported"), report_page)
}

/// `GET /pulse/{id}/suggest`.
pub(in crate::exchange::page) fn show_suggest(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    suggest_page(&visit, &Form::default())
}

fn suggest_page(visit: &Visit<'_>, form: &Form) -> Answer {
    let line = |name, label, help| {
        let (label, help) = (visit.say(label), visit.say(help));
        let kind = if name == "adversary" { Kind::Line } else { Kind::Text(3) };
        field(form, &Field { name, label, help, kind, autocomplete: "off", is_required: false })
    };
    let fields = html! {
        (line("add", "suggest-add", "suggest-add-help"))
        (line("description", "suggest-description", "suggest-description-help"))
        (line("adversary", "fact-adversary", "suggest-adversary-help"))
        (line("tags", "suggest-tags", "suggest-tags-help"))
        (reason(visit, form))
    };
    form_page(visit, form, ("suggest", "suggest", "suggest-why"), fields)
}

/// `POST /pulse/{id}/suggest`.
pub(in crate::exchange::page) fn suggest(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let form = Form::of(&visit, SMALL)?;
    let mut patch = Map::new();
    for name in ["description", "adversary"] {
        if !form.get(name).trim().is_empty() {
            patch.insert(name.to_string(), json!(form.get(name).trim()));
        }
    }
    let tags: Vec<&str> =
        form.get("tags").split([',', '\n']).map(str::trim).filter(|tag| !tag.is_empty()).collect();
    if !tags.is_empty() {
        patch.insert("tags".into(), json!({"add": tags}));
    }
    let values: Vec<Value> = form.get("add").lines().filter_map(guessed).collect();
    if !values.is_empty() {
        patch.insert("indicators".into(), json!({"add": values}));
    }
    let sent = match patch.is_empty() {
        true => Err(Failure::bad_request(visit.say("suggest-nothing"))),
        false => {
            let body = json!({"patch": patch, "reason": form.get("reason")});
            send(&visit, (Method::Post, "api/v2/pulses/{id}/suggestions"), &body)
        }
    };
    then(&visit, form, sent, ("", "suggested"), suggest_page)
}

/// A line as an indicator: `192.0.2.1`, `evil[.]example`. What it is not, the API says.
fn guessed(line: &str) -> Option<Value> {
    let line = crate::engine::indicator::refang::refang(line.trim());
    let line = line.trim();
    if line.is_empty() {
        return None;
    }
    let kind = guess(line).unwrap_or(Type::Domain);
    Some(json!({"indicator": line, "type": kind.name()}))
}

/// `GET /pulse/{id}/clone`.
pub(in crate::exchange::page) fn show_clone(call: &Call<'_>) -> Answer {
    clone_page(&Visit::new(call), &Form::default())
}

fn clone_page(visit: &Visit<'_>, form: &Form) -> Answer {
    let name = Field {
        name: "name",
        label: visit.say("field-name"),
        help: visit.fill("field-name-help", &[("count", (MAX_NAME as u64).into())]),
        kind: Kind::Line,
        autocomplete: "off",
        is_required: false,
    };
    form_page(visit, form, ("clone", "clone", "clone-why"), field(form, &name))
}

/// `POST /pulse/{id}/clone`.
pub(in crate::exchange::page) fn clone(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let form = Form::of(&visit, SMALL)?;
    let name = Some(form.get("name").trim()).filter(|name| !name.is_empty());
    match send(&visit, (Method::Post, "api/v1/pulses/{id}/clone"), &json!({"name": name})) {
        Ok((_, made)) => {
            let id = made["id"].as_str().unwrap_or_default();
            Ok(see(&format!("/pulse/{id}?done=cloned")))
        }
        refused => then(&visit, form, refused, ("clone", "cloned"), clone_page),
    }
}
