//! Values of indicators: shown so that nobody follows one by accident, copied as they are.

use crate::exchange::page::links::indicator;
use crate::exchange::page::values::defanged;
use crate::exchange::page::visit::Visit;
use crate::exchange::pulses::Type;
use maud::{Markup, html};

/// A value that leads to its page.
pub(in crate::exchange::page) fn value(kind: Type, norm: &str, shown: &str) -> Markup {
    html! {
        a class="value" href=(indicator(kind, norm)) { bdi dir="ltr" { (defanged(kind, shown)) } }
    }
}

/// A text with a button that copies it, for those with scripts.
pub(in crate::exchange::page) fn copied(visit: &Visit<'_>, text: &str) -> Markup {
    html! {
        div class="line" {
            code { (text) }
            button class="copy quiet" type="button" data-copy=(text) data-done=(visit.say("copied")) hidden {
                (visit.say("copy"))
            }
        }
    }
}
