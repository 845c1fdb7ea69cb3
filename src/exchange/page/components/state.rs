//! What is shown where there is nothing, after something was done, and before something goes
//! wrong.

use maud::{Markup, html};

/// Nothing is here: why, and what to do.
pub(in crate::exchange::page) fn empty(why: &str, next: Option<(&str, &str)>) -> Markup {
    html! {
        div class="empty" {
            p { (why) }
            @if let Some((path, text)) = next { p { a class="button" href=(path) { (text) } } }
        }
    }
}

/// Something was done.
pub(in crate::exchange::page) fn notice(text: &str) -> Markup {
    html! { div class="notice calm" role="status" { p { (text) } } }
}

/// Something to know before going on.
pub(in crate::exchange::page) fn warning(content: Markup) -> Markup {
    html! { div class="notice warn" role="note" { (content) } }
}
