//! All components on a page, for whoever changes one. Debug builds only.

use super::components::{
    Bar, Column, FacetRow, Field, Kind, Mark, badge, bars, checkbox, choice, copied, empty, facet,
    field, notice, pager, table, tlp, value, warning,
};
use super::forms::Form;
use super::frame::{Page, Place};
use super::links::Link;
use super::visit::Visit;
use crate::engine::indicator::Tlp;
use crate::exchange::http::Failure;
use crate::exchange::pulses::Invalid;
use crate::exchange::pulses::Type;
use crate::exchange::site::{Answer, Call};
use maud::{Markup, html};

/// `GET /style`.
pub(super) fn show(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let content = html! {
        section { h2 { "Marks" }
            p { @for mark in Mark::ALL { (badge(mark, &format!("{mark:?}"))) " " } }
            p {
                @for of in [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red] {
                    (tlp(of)) " "
                }
            }
        }
        section { h2 { "States" }
            (notice("Something was done."))
            (warning(html! { p { "Something to know before." } }))
            (empty("Nothing is here.", Some(("/", "What to do"))))
        }
        (lists(&visit))
        (forms(&visit))
    };
    Ok(Page::new("Style", Place::Elsewhere, content).reply(&visit))
}

fn lists(visit: &Visit<'_>) -> Markup {
    let here = Link::of("/style", &visit.query(), &["tag"]);
    let columns = [Column::of("Value".into()), Column::number("Count".into())];
    let row = |kind, norm: &str| vec![value(kind, norm, norm), html! { "1,234" }];
    let rows = vec![row(Type::Domain, "evil.example"), row(Type::Url, "http://evil.example/a?b=c")];
    let facets: Vec<FacetRow> = (1..9_u64)
        .map(|at| FacetRow {
            value: format!("t{at}"),
            name: format!("Tag {at}"),
            count: Some(at * 711),
        })
        .collect();
    let all: Vec<Bar> =
        (0..24).map(|at| Bar { name: format!("{at}:00"), count: at * at % 17 }).collect();
    html! {
        section { h2 { "Table" } (table("A table", &columns, rows)) (pager(visit, &here, ("after", false), Some("2".into()))) }
        section { h2 { "Facet" } (facet(visit, &here, ("Tags".into(), "tag"), &facets)) }
        section { h2 { "Chart" } (bars(visit, ("Hits by hour", ["Hour".into(), "Hits".into()]), &all)) }
        section { h2 { "A line to copy" } (copied(visit, "curl https://exchange.example/feeds/public/list")) }
    }
}

fn forms(visit: &Visit<'_>) -> Markup {
    let failure = Failure::from(crate::exchange::storage::Denied::Invalid(Invalid::of(
        "wrong",
        "expected a text",
    )));
    let form = Form::begun(visit.query()).refused(failure);
    let of = |name, kind| Field {
        name,
        label: format!("Field {name}"),
        help: "A sentence of help.".into(),
        kind,
        autocomplete: "off",
        is_required: false,
    };
    let options = [("1".to_string(), "One".to_string()), ("2".to_string(), "Two".to_string())];
    html! {
        section { h2 { "Form" }
            form class="form" action="/style" {
                (field(&form, &of("line", Kind::Line)))
                (field(&form, &of("wrong", Kind::Line)))
                (field(&form, &of("text", Kind::Text(3))))
                (choice(("choice", "A choice".into()), &options, "2"))
                (checkbox("tick", "1", "A box to tick", true))
                p { button { "Send" } " " button class="quiet" type="button" { "Quiet" } }
            }
        }
    }
}
