//! Pages about what did not work: what happened, and what to do now.

use super::components::empty;
use super::frame::{Page, Place};
use super::links::own_path;
use super::visit::Visit;
use crate::exchange::http::Request;
use crate::exchange::http::{Failure, Method, Reply, encode};
use crate::exchange::site::{Call, Family, Site};
use maud::html;

/// A failure as a page. Whoever is not signed in, and would have to be, is asked to do so.
pub fn failure(site: &Site, request: &Request, failure: &Failure) -> Reply {
    let caller = site.visitor(request);
    let is_stranger = caller.viewer.user().is_none();
    if failure.status == 403 && is_stranger && request.method == Method::Get {
        let next = own_path(&request.target);
        return super::forms::see(&format!("/sign-in?next={}", encode(&next)));
    }
    let call = Call { site, request, caller, params: Vec::new(), family: Family::Page, route: "" };
    let visit = Visit::new(&call);
    let (title, what) = match failure.status {
        400 => ("error-400", "error-400-what"),
        403 => ("error-403", "error-403-what"),
        404 => ("error-404", "error-404-what"),
        405 => ("error-405", "error-405-what"),
        413 => ("error-413", "error-413-what"),
        429 => ("error-429", "error-429-what"),
        _ => ("error-500", "error-500-what"),
    };
    let home = visit.say("error-home");
    let content = html! {
        (empty(&visit.say(what), Some(("/", &home))))
        @if !matches!(failure.status, 404 | 500) {
            p class="meta" { (failure.detail) }
        }
        @if let Some(seconds) = failure.retry_after {
            p { (visit.fill("error-retry", &[("count", seconds.into())])) }
        }
    };
    Page::new(visit.say(title), Place::Elsewhere, content).reply(&visit).status(failure.status)
}
