//! The parts of pages, a file each. `/style` of a debug build shows all of them.

mod badge;
mod card;
mod chart;
mod facet;
mod field;
mod pager;
mod state;
mod table;
mod time;
mod value;

pub(super) use badge::{Mark, badge, tlp, tlp_meaning};
pub(super) use card::{facts, pulse_card, tags};
pub(super) use chart::{Bar, bars};
pub(super) use facet::{FacetRow, facet};
pub(super) use field::{Field, Kind, act, checkbox, choice, errors, field, hidden, token};
pub(super) use pager::{pager, sources};
pub(super) use state::{empty, notice, warning};
pub(super) use table::{Column, table};
pub(super) use time::{ago, moment, time};
pub(super) use value::{copied, value};
