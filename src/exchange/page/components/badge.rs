//! Short marks: what they say is in their shape and their word; colour comes on top.

use crate::engine::indicator::Tlp;
use crate::exchange::page::visit::Visit;
use maud::{Markup, html};

/// The meaning of a badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::exchange::page) enum Mark {
    /// Nothing to do.
    Calm,
    /// Something to know.
    Note,
    /// Something to look at.
    Warn,
    /// Something to act on.
    Alarm,
    /// Over, switched off.
    Off,
}

impl Mark {
    pub(in crate::exchange::page) const ALL: [Mark; 5] =
        [Mark::Calm, Mark::Note, Mark::Warn, Mark::Alarm, Mark::Off];

    const fn class(self) -> &'static str {
        match self {
            Mark::Calm => "badge calm",
            Mark::Note => "badge note",
            Mark::Warn => "badge warn",
            Mark::Alarm => "badge alarm",
            Mark::Off => "badge off",
        }
    }

    /// Its shape, of 12 by 12: circle, square, triangle, diamond, ring.
    const fn shape(self) -> &'static str {
        match self {
            Mark::Calm => "M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1z",
            Mark::Note => "M2 2h8v8H2z",
            Mark::Warn => "M6 1l5.2 9.6H.8z",
            Mark::Alarm => "M6 .3L11.7 6 6 11.7.3 6z",
            Mark::Off => "M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1zm0 2a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
        }
    }
}

/// A badge with a word.
pub(in crate::exchange::page) fn badge(mark: Mark, word: &str) -> Markup {
    html! {
        span class=(mark.class()) {
            svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" { path d=(mark.shape()); }
            (word)
        }
    }
}

/// A TLP by its name, as the standard has it, with its colour as a bar.
pub(in crate::exchange::page) fn tlp(of: Tlp) -> Markup {
    let class = match of {
        Tlp::Clear => "tlp clear",
        Tlp::Green => "tlp green",
        Tlp::Amber | Tlp::AmberStrict => "tlp amber",
        Tlp::Red => "tlp red",
    };
    html! { span class=(class) { "TLP:" (of.name().to_ascii_uppercase()) } }
}

/// What a TLP allows, in a sentence.
pub(in crate::exchange::page) fn tlp_meaning(visit: &Visit<'_>, of: Tlp) -> String {
    visit.say(match of {
        Tlp::Clear => "tlp-clear",
        Tlp::Green => "tlp-green",
        Tlp::Amber => "tlp-amber",
        Tlp::AmberStrict => "tlp-amber-strict",
        Tlp::Red => "tlp-red",
    })
}
