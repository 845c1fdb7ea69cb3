//! Pages of lists.
//!
//! Numbered pages lose rows when one goes between two of them. So the address of the next page
//! says where the last one ended: `at=<modified>_<page>`, the time of its last row and the number
//! of the page that begins after it. Who only counts pages gets them by number.

use crate::engine::indicator::Timestamp;
use crate::exchange::http::encode;
use crate::exchange::site::Call;
use serde_json::{Value, json};

/// Pages are not looked for further than that.
const MAX_PAGE: usize = 1 << 20;

/// The page that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Its number, from 1.
    pub(super) number: usize,
    /// Rows of a page.
    pub(super) limit: usize,
    /// Rows to skip.
    pub(super) offset: usize,
    /// Only rows older than that.
    pub(super) before: Option<Timestamp>,
}

impl Page {
    /// The page of a call; `usual` rows, unless the caller wants other than that, and at most
    /// `most`.
    pub(super) fn of(call: &Call<'_>, usual: usize, most: usize) -> Page {
        let query = call.query();
        let positive = |name: &str| {
            query.number(name).filter(|number| *number > 0).and_then(|it| usize::try_from(it).ok())
        };
        let limit = positive("limit").unwrap_or(usual).min(most);
        let number = positive("page").unwrap_or(1).min(MAX_PAGE);
        let at = query.get("at").and_then(|at| {
            let (time, page) = at.split_once('_')?;
            Some((Timestamp(time.parse().ok()?), page.parse::<usize>().ok()?))
        });
        let (before, skipped) = match at {
            Some((time, page)) if page <= number => (Some(time), number - page),
            _ => (None, number - 1),
        };
        Page { number, limit, offset: skipped.saturating_mul(limit), before }
    }

    /// The page as limit and offset.
    pub(super) fn range(self) -> (usize, usize) {
        (self.limit, self.offset)
    }

    /// The page of a list in memory.
    pub(super) fn slice<T>(self, all: &[T]) -> &[T] {
        let from = self.offset.min(all.len());
        &all[from..(from + self.limit).min(all.len())]
    }
}

/// The address of another page: every parameter stays, those of pages come last, and the very
/// last is `page`, because a client reads the number after the last `=`.
pub(super) fn address(call: &Call<'_>, page: Page, number: usize, at: Option<Timestamp>) -> String {
    let mut path = String::new();
    for segment in crate::exchange::http::split_path(call.request.path()) {
        path.push('/');
        // A client formats the address as a template.
        path.push_str(&segment.replace('{', "%7B").replace('}', "%7D"));
    }
    let mut address = format!("{}{path}?", call.settings().base);
    for (name, value) in call.query().pairs() {
        if !["page", "limit", "at"].contains(&name) {
            address.push_str(&format!("{}={}&", encode(name), encode(value)));
        }
    }
    address.push_str(&format!("limit={}&", page.limit));
    if let Some(at) = at {
        address.push_str(&format!("at={}_{number}&", at.0));
    }
    address.push_str(&format!("page={number}"));
    address
}

/// What surrounds the rows of a page: `count`, `next`, `previous`.
pub(super) struct Envelope {
    pub(super) count: u64,
    pub(super) next: Option<String>,
    pub(super) previous: Option<String>,
}

impl Envelope {
    /// The envelope of `shown` rows. `last` is the time of the last one, if the list is ordered
    /// by it.
    pub(super) fn of(
        call: &Call<'_>,
        page: Page,
        (count, shown): (u64, usize),
        last: Option<Timestamp>,
    ) -> Envelope {
        // Behind an anchor it is not known how many rows were before it.
        let seen = page.offset as u64 + shown as u64;
        let has_more = match page.before {
            Some(_) => shown == page.limit,
            None => seen < count && shown > 0,
        };
        let next = has_more.then(|| address(call, page, page.number + 1, last));
        let previous = (page.number > 1).then(|| address(call, page, page.number - 1, None));
        Envelope { count, next, previous }
    }

    /// As JSON, with the rows.
    pub(super) fn with(self, results: Vec<Value>) -> Value {
        json!({
            "count": self.count, "next": self.next, "previous": self.previous,
            "results": results,
        })
    }
}
