//! A request on its way to a handler.

use super::{Family, Settings, Site};
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{Role, Scope, Scopes, UserId, Viewer};
use crate::exchange::http::{Failure, Query, Request};
use crate::exchange::pulses::{PulseId, parse_time};
use crate::exchange::storage::{Denied, Outcome, Selection, View, Writes};
use serde_json::{Map, Value};

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Of whom visibility depends on.
    pub viewer: Viewer,
    /// The name of the account; empty without one.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Since when it exists.
    pub since: Timestamp,
    /// The number of the key; 0 without one.
    pub key: i64,
    /// The number of the session, if somebody logged in.
    pub session: Option<i64>,
    /// What the key is good for.
    pub scopes: Scopes,
}

impl Caller {
    /// Somebody without an account.
    pub fn stranger(viewer: Viewer) -> Caller {
        Caller {
            viewer,
            name: String::new(),
            role: Role::Member,
            since: Timestamp(0),
            key: 0,
            session: None,
            scopes: Scopes(0),
        }
    }

    /// Whether its key has a scope.
    pub fn has(&self, scope: Scope) -> bool {
        self.viewer.user().is_some() && self.scopes.has(scope)
    }
}

/// A request on its way to a handler.
#[derive(Debug)]
pub struct Call<'c> {
    /// The server.
    pub site: &'c Site,
    /// The request.
    pub request: &'c Request,
    /// Who calls.
    pub caller: Caller,
    /// The values of the names in the route's path.
    pub params: Vec<(&'static str, String)>,
    /// The family of the route.
    pub family: Family,
    /// The path of the route, with names in braces.
    pub route: &'static str,
}

impl Call<'_> {
    /// A value of the path; empty if the route has no such name.
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(of, _)| *of == name).map_or("", |(_, value)| value)
    }

    /// The parameters of the query.
    pub fn query(&self) -> Query {
        self.request.query()
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.site.settings
    }

    /// The caller, as a user.
    ///
    /// # Errors
    ///
    /// 403 for a stranger.
    pub fn user(&self) -> std::result::Result<UserId, Failure> {
        self.caller.viewer.user().ok_or_else(|| Failure::forbidden("an API key is required"))
    }

    /// The identifier of a pulse in the path.
    ///
    /// # Errors
    ///
    /// 404 if it is none.
    pub fn pulse_id(&self) -> std::result::Result<PulseId, Failure> {
        PulseId::parse(self.param("id")).ok_or_else(Failure::not_found)
    }

    /// Answers from one moment of the storage.
    ///
    /// # Errors
    ///
    /// That of the question or the storage.
    pub fn read<T>(
        &self,
        question: impl FnOnce(&View<'_>) -> Result<T>,
    ) -> std::result::Result<T, Failure> {
        Ok(self.site.storage.read(question)?)
    }

    /// Takes a turn on the writer.
    ///
    /// # Errors
    ///
    /// The refusal, as an answer.
    pub fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Writes<'_>) -> Outcome<T> + Send + 'static,
    ) -> std::result::Result<T, Failure> {
        Ok(self.site.storage.write(change)?)
    }

    /// Records that a viewer read pulses of a selection which few may see: one record for all of
    /// them, with the path.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn note_reads(
        &self,
        viewer: Viewer,
        selection: Selection,
    ) -> std::result::Result<(), Failure> {
        let Some(user) = viewer.user() else { return Ok(()) };
        let ids = self.read(|view| view.sensitive(viewer, selection))?;
        if !ids.is_empty() {
            // Without the values of the path: one may be a secret.
            let route = self.route.to_string();
            self.site
                .storage
                .post(move |writes| writes.audit(Some(user), "pulse.read", &ids.join(" "), &route));
        }
        Ok(())
    }

    /// The body as JSON. None at all is an empty object, as clients mean it.
    ///
    /// # Errors
    ///
    /// 400 if it is something else.
    pub fn json(&self) -> std::result::Result<Value, Failure> {
        if self.request.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Object(Map::new()));
        }
        serde_json::from_slice(&self.request.body)
            .map_err(|error| Failure::bad_request(format!("the body is not JSON: {error}")))
    }

    /// The body as JSON, or the fields of a form: people without scripts send those.
    ///
    /// # Errors
    ///
    /// 400 if it is something else.
    pub fn fields(&self) -> std::result::Result<Value, Failure> {
        let kind = self.request.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().map(str::trim);
        if kind != Some("application/x-www-form-urlencoded") {
            return self.json();
        }
        let text = std::str::from_utf8(&self.request.body)
            .map_err(|_| Failure::bad_request("the form is not UTF-8"))?;
        let fields = Query::parse(text);
        let pairs = fields.pairs().map(|(name, value)| (name.into(), Value::String(value.into())));
        Ok(Value::Object(pairs.collect()))
    }

    /// A time of the query.
    ///
    /// # Errors
    ///
    /// 400 if it is none.
    pub fn time(&self, names: &[&str]) -> std::result::Result<Option<Timestamp>, Failure> {
        let query = self.query();
        for name in names {
            if let Some(text) = query.get(name) {
                let now = crate::clock::now();
                return parse_time(text, now)
                    .map_err(|why| Failure::bad_request(format!("{name}: {why}")));
            }
        }
        Ok(None)
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Failure {
        match denied {
            Denied::NotFound => Failure::not_found(),
            Denied::Forbidden(why) => Failure::forbidden(why),
            Denied::Invalid(invalid) => {
                let detail = invalid.detail();
                Failure { errors: invalid.errors, ..Failure::bad_request(detail) }
            }
            Denied::Quota(why, seconds) => {
                Failure { retry_after: Some(seconds), ..Failure::new(429, why) }
            }
            Denied::Failed(error) => error.into(),
        }
    }
}
