//! Pages for people: HTML made by the server, over the same routes and queries as the API.
//!
//! Everything works without scripts: lists are addresses, changes are forms, after which the
//! browser is sent on. One stylesheet and one script are served beside the pages; nothing comes
//! from another host, and nothing is inline. What a form asks for goes through the route of the
//! API for it, so that there is one place that checks.
//!
//! | file | does |
//! | --- | --- |
//! | `table` | the routes |
//! | `visit` | who reads, in which language, with which colours |
//! | `language` | texts, numbers and days |
//! | `frame` | the document around a view, and its header fields |
//! | `components` | the parts of views |
//! | `forms` | what is sent, and what was wrong with it |
//! | `prose`, `values` | what people write, and values that lead nowhere |
//! | `views` | the views |
//! | `assets` | stylesheet and script |

mod assets;
mod components;
mod failure;
mod forms;
mod frame;
mod language;
mod links;
mod prose;
#[cfg(debug_assertions)]
mod style;
mod table;
mod values;
mod views;
mod visit;

pub use failure::failure;
pub use table::routes;
