//! Fields of forms, each with its label, its help and what is wrong with it.

use crate::exchange::page::forms::Form;
use crate::exchange::page::visit::Visit;
use maud::{Markup, html};

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::exchange::page) enum Kind {
    /// A line.
    Line,
    /// A password, and what it is to the browser's keeper of passwords.
    Password(&'static str),
    /// Several lines, so many of which are shown.
    Text(u8),
}

/// A field.
pub(in crate::exchange::page) struct Field<'f> {
    /// Its name in the form.
    pub(in crate::exchange::page) name: &'f str,
    /// Its label.
    pub(in crate::exchange::page) label: String,
    /// A sentence of help; empty for none.
    pub(in crate::exchange::page) help: String,
    /// What it takes.
    pub(in crate::exchange::page) kind: Kind,
    /// What it may be filled with by the browser.
    pub(in crate::exchange::page) autocomplete: &'f str,
    /// Whether it must be filled.
    pub(in crate::exchange::page) is_required: bool,
}

/// A field, as it was sent.
pub(in crate::exchange::page) fn field(form: &Form, of: &Field<'_>) -> Markup {
    let error = form.error(of.name);
    let (help_id, error_id) = (format!("{}-help", of.name), format!("{}-error", of.name));
    let mut described = Vec::new();
    if !of.help.is_empty() {
        described.push(help_id.clone());
    }
    if error.is_some() {
        described.push(error_id.clone());
    }
    let described = (!described.is_empty()).then(|| described.join(" "));
    let invalid = error.is_some().then_some("true");
    html! {
        div class="field" {
            label for=(of.name) { (of.label) }
            @if !of.help.is_empty() { p class="help" id=(help_id) { (of.help) } }
            @match of.kind {
                Kind::Line => {
                    input id=(of.name) name=(of.name) value=(form.get(of.name)) dir="auto"
                        autocomplete=(of.autocomplete) required[of.is_required]
                        aria-describedby=[described] aria-invalid=[invalid];
                }
                Kind::Password(autocomplete) => {
                    input id=(of.name) name=(of.name) type="password" autocomplete=(autocomplete)
                        required[of.is_required] aria-describedby=[described] aria-invalid=[invalid];
                }
                Kind::Text(rows) => {
                    textarea id=(of.name) name=(of.name) rows=(rows) dir="auto"
                        required[of.is_required] aria-describedby=[described] aria-invalid=[invalid] {
                        // A line end that begins a text would be lost.
                        "\n" (form.get(of.name))
                    }
                }
            }
            @if let Some(error) = error { p class="error" id=(error_id) { (error) } }
        }
    }
}

/// A choice among a few, as a list to open.
pub(in crate::exchange::page) fn choice(
    (name, label): (&str, String),
    options: &[(String, String)],
    chosen: &str,
) -> Markup {
    html! {
        div class="field" {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                @for (value, text) in options {
                    option value=(value) selected[value == chosen] { (text) }
                }
            }
        }
    }
}

/// A box to tick.
pub(in crate::exchange::page) fn checkbox(
    name: &str,
    value: &str,
    label: &str,
    is_on: bool,
) -> Markup {
    html! {
        label class="tick" {
            input type="checkbox" name=(name) value=(value) checked[is_on];
            span { (label) }
        }
    }
}

/// A field that nobody sees.
pub(in crate::exchange::page) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// The token without which no form of somebody who is signed in changes anything.
pub(in crate::exchange::page) fn token(visit: &Visit<'_>) -> Markup {
    html! { @if let Some(token) = visit.token() { (hidden("csrf_token", &token)) } }
}

/// A button that changes something at once: its text, and its look.
pub(in crate::exchange::page) fn act(
    visit: &Visit<'_>,
    path: &str,
    (text, class): (&str, &str),
    fields: &[(&str, &str)],
) -> Markup {
    html! {
        form method="post" action=(path) class="act" {
            (token(visit))
            @for (name, value) in fields { (hidden(name, value)) }
            button class=(class) { (visit.say(text)) }
        }
    }
}

/// Why a form was refused, above it.
pub(in crate::exchange::page) fn errors(visit: &Visit<'_>, form: &Form) -> Markup {
    html! {
        @if let Some(failure) = form.failure() {
            div class="notice alarm" role="alert" {
                p { strong { (visit.say("form-refused")) } }
                @if failure.errors.is_empty() { p { (failure.detail) } }
                @else {
                    ul {
                        @for (name, messages) in &failure.errors {
                            li { (name) ": " (messages.join("; ")) }
                        }
                    }
                }
            }
        }
    }
}
