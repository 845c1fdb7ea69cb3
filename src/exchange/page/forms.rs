//! Forms: what they send is read within bounds, and passed on to the routes of the API, which
//! check it as for every other client. What was refused is shown beside its field.
//!
//! That a form is ours, the site has checked before: by the token of the session, and by where
//! the browser says that the request comes from.

use super::visit::Visit;
use crate::exchange::http::{Failure, Method, Query, Reply};
use serde_json::Value;
use std::collections::BTreeMap;

/// The most bytes of a form without a pulse.
pub(super) const SMALL: usize = 256 << 10;

/// The fields of a form, as somebody sent them.
#[derive(Debug, Default)]
pub(super) struct Form {
    fields: Query,
    failure: Option<Failure>,
}

impl Form {
    /// The form of a request.
    ///
    /// # Errors
    ///
    /// 413 if it has more than `most` bytes, 400 if it is not UTF-8.
    pub(super) fn of(visit: &Visit<'_>, most: usize) -> Result<Form, Failure> {
        let body = &visit.call.request.body;
        if body.len() > most {
            return Err(Failure::new(413, format!("at most {most} bytes are allowed")));
        }
        let text =
            std::str::from_utf8(body).map_err(|_| Failure::bad_request("the form is not UTF-8"))?;
        Ok(Form { fields: Query::parse(text), failure: None })
    }

    /// With what is in the address: a form that is begun.
    pub(super) fn begun(query: Query) -> Form {
        Form { fields: query, failure: None }
    }

    /// A field; empty if it is absent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.fields.get(name).unwrap_or_default()
    }

    /// Every value of a field.
    pub(super) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.fields.pairs().filter(move |(of, _)| *of == name).map(|(_, value)| value)
    }

    /// With why it was refused.
    #[must_use]
    pub(super) fn refused(self, failure: Failure) -> Form {
        Form { failure: Some(failure), ..self }
    }

    /// Why it was refused.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// What is wrong with a field.
    pub(super) fn error(&self, name: &str) -> Option<String> {
        let errors: &BTreeMap<String, Vec<String>> = &self.failure.as_ref()?.errors;
        errors.get(name).map(|messages| messages.join("; "))
    }
}

/// Sends something to a route of the API, as the reader. The names in the path of the route are
/// those of the page's.
///
/// # Errors
///
/// The refusal.
pub(super) fn send(
    visit: &Visit<'_>,
    (method, path): (Method, &str),
    body: &Value,
) -> Result<(Reply, Value), Failure> {
    let reply = visit.call.site.ask(visit.call, (method, path), body)?;
    let head =
        Reply { status: reply.status, headers: reply.headers.clone(), ..Reply::new(200, "", "") };
    let bytes = reply.into_bytes().map_err(|_| Failure::new(500, "the answer ended early"))?;
    Ok((head, serde_json::from_slice(&bytes).unwrap_or_default()))
}

/// Sends the browser on after something was done, so that reloading does not do it again.
pub(super) fn see(path: &str) -> Reply {
    Reply::new(303, "text/plain; charset=utf-8", "").header("location", path)
}
