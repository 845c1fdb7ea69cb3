//! Facets: names that a list can be narrowed by, with counts.

use crate::exchange::page::links::Link;
use crate::exchange::page::visit::Visit;
use maud::{Markup, html};

/// Names of a facet that are shown at first.
const SHOWN: usize = 6;

/// A name of a facet.
pub(in crate::exchange::page) struct FacetRow {
    /// What the address says.
    pub(in crate::exchange::page) value: String,
    /// What people read.
    pub(in crate::exchange::page) name: String,
    /// How many have it.
    pub(in crate::exchange::page) count: Option<u64>,
}

/// A facet of a list at `here`; choosing a name again takes it away.
pub(in crate::exchange::page) fn facet(
    visit: &Visit<'_>,
    here: &Link,
    (title, parameter): (String, &str),
    rows: &[FacetRow],
) -> Markup {
    let row = |of: &FacetRow| {
        let is_chosen = here.has(parameter, &of.value);
        html! {
            li {
                a href=(here.clone().toggle(parameter, &of.value).text())
                    aria-current=[is_chosen.then_some("true")] {
                    bdi { (of.name) }
                    @if let Some(count) = of.count {
                        span class="count" { (visit.texts.count(count)) }
                    }
                }
            }
        }
    };
    html! {
        @if !rows.is_empty() {
            section class="facet" {
                h3 { (title) }
                ul { @for of in rows.iter().take(SHOWN) { (row(of)) } }
                @if rows.len() > SHOWN {
                    details {
                        summary { (visit.say("facet-more")) }
                        ul { @for of in rows.iter().skip(SHOWN) { (row(of)) } }
                    }
                }
            }
        }
    }
}
