//! From a request to an answer: the route, the caller, the limits.

use super::limits::{Limits, Rate};
use super::measured::Measured;
use super::session::{check_origin, check_token, cookie};
use super::turns::Turns;
use super::{Answer, Bucket, Call, Caller, Family, Kept, Needs, Route, Settings, Warnings};
use crate::clock::Stopwatch;
use crate::engine::error::Result;
use crate::exchange::accounts::{Role, Scope, Scopes, Secret, Viewer};
use crate::exchange::http::{Failure, Method, Pattern, Reply, Request, split_path};
use crate::exchange::metrics::{Counter, Metrics, OfRoute};
use crate::exchange::storage::Storage;
use base64::Engine as _;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// An hour, in microseconds.
const HOUR: i64 = 3_600_000_000;

/// How exactly it is noted when a session was used: five minutes, in microseconds.
const SESSION_NOTE: i64 = 300_000_000;

/// The content type of metrics.
pub const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The most bytes of a body.
pub const MAX_BODY: usize = 16 << 20;

/// The most bytes of a body from somebody without an account.
const MAX_STRANGERS_BODY: usize = 64 << 10;

/// How errors are written; given by the rooms whose form they have.
#[derive(Clone, Copy, Debug)]
pub struct Writers {
    /// Those of TAXII.
    pub taxii: fn(&Failure) -> Reply,
    /// Those of pages, for whoever asked.
    pub page: fn(&Site, &Request, &Failure) -> Reply,
}

/// An exchange, but for its sockets.
#[derive(Debug)]
pub struct Site {
    /// The storage.
    pub storage: Arc<Storage>,
    /// The settings.
    pub settings: Settings,
    /// Warning lists.
    pub warnings: Warnings,
    /// Texts of pulses.
    pub kept: Arc<Kept>,
    limits: Limits,
    hashing: Turns,
    routes: Vec<Row>,
    /// Counts requests that no route takes.
    unrouted: Arc<OfRoute>,
    sizes: Measured,
    writers: Writers,
}

/// What is known of a request so far.
struct Seen<'s> {
    family: Family,
    counted: &'s OfRoute,
}

/// A route, with the segments of its path and what is counted about it.
#[derive(Debug)]
struct Row {
    path: Vec<&'static str>,
    route: Route,
    counted: Arc<OfRoute>,
}

impl Site {
    /// A site with some routes.
    pub fn new(
        storage: Arc<Storage>,
        settings: Settings,
        warnings: Warnings,
        routes: &[Route],
        writers: Writers,
    ) -> Site {
        let metrics = Arc::clone(storage.metrics());
        let row = |route: &Route| Row {
            path: split_path(route.path),
            route: *route,
            counted: metrics.route(route.path),
        };
        let mut routes: Vec<Row> = routes.iter().map(row).collect();
        // Of two that match, the one with a fixed segment where the other has a name comes first.
        routes.sort_by_key(|row| Pattern(row.route.path).rank());
        let unrouted = metrics.route("");
        let (limits, hashing) = (Limits::default(), Turns::new());
        let (kept, sizes) = (Arc::default(), Measured::default());
        Site {
            storage,
            settings,
            warnings,
            kept,
            limits,
            hashing,
            routes,
            unrouted,
            sizes,
            writers,
        }
    }

    /// The routes, in the order in which they are tried.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().map(|row| &row.route)
    }

    /// Answers a request.
    pub fn answer(&self, request: &Request) -> Reply {
        let watch = Stopwatch::start();
        let mut seen = Seen { family: Family::Api, counted: &self.unrouted };
        let reply = match self.outcome(request, &mut seen) {
            Ok(reply) => reply,
            Err(failure) => self.failure(request, seen.family, failure),
        };
        seen.counted.answered(reply.status, watch);
        reply
    }

    /// The most bytes that the body of a request may have, by its head alone: so that nobody who
    /// would be refused anyway makes the server wait for a body and keep it.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub fn body_limit(&self, head: &Request) -> std::result::Result<usize, Box<Reply>> {
        let watch = Stopwatch::start();
        let mut seen = Seen { family: Family::Api, counted: &self.unrouted };
        self.admitted(head, &mut seen).map_err(|failure| {
            let reply = self.failure(head, seen.family, failure);
            seen.counted.answered(reply.status, watch);
            Box::new(reply)
        })
    }

    fn admitted<'s>(&'s self, head: &Request, seen: &mut Seen<'s>) -> Result<usize, Failure> {
        let route = &self.found(head, seen)?.0.route;
        let identity = self.identity(head, route.family);
        let refusal = match &identity {
            Ok((caller, _)) => self.admit(route, caller).err(),
            Err(failure) => Some(failure.clone()),
        };
        match refusal {
            // It counts, as it would with its body.
            Some(failure) => {
                let limited = self.limited(head, route, Err(failure.clone()));
                Err(limited.err().unwrap_or(failure))
            }
            None if identity.is_ok_and(|(caller, _)| caller.viewer.user().is_some()) => {
                Ok(MAX_BODY)
            }
            None => Ok(MAX_STRANGERS_BODY),
        }
    }

    /// The route of a request, and in whose form errors are written even if there is none.
    #[expect(clippy::type_complexity, reason = "the values of the names in its path")]
    fn found<'s>(
        &'s self,
        request: &Request,
        seen: &mut Seen<'s>,
    ) -> std::result::Result<(&'s Row, Vec<(&'static str, String)>), Failure> {
        let found = self.route(request);
        seen.family = match &found {
            Ok((row, _)) => row.route.family,
            Err(_) if request.target.starts_with("/taxii") => Family::Taxii,
            Err(_) if is_for_people(request) => Family::Page,
            Err(_) => Family::Api,
        };
        if let Ok((row, _)) = &found {
            seen.counted = &row.counted;
        }
        found
    }

    fn outcome<'s>(&'s self, request: &Request, seen: &mut Seen<'s>) -> Result<Reply, Failure> {
        // Strangers learn nothing from the difference between 404, 405 and 403 that the
        // documentation does not say.
        let (row, params) = self.found(request, seen)?;
        let route = &row.route;
        let caller = self.caller(request, route);
        let caller = self.limited(request, route, caller)?;
        self.admit(route, &caller)?;
        let (family, route_path) = (seen.family, route.path);
        let call = Call { site: self, request, caller, params, family, route: route_path };
        (route.handler)(&call)
    }

    /// The page of metrics.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn metrics_page(&self) -> Result<String> {
        Ok(self.metrics().page(self.sizes.of(&self.storage)?))
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        self.storage.metrics()
    }

    /// The route of a request.
    #[expect(clippy::type_complexity, reason = "the values of the names in its path")]
    fn route(
        &self,
        request: &Request,
    ) -> std::result::Result<(&Row, Vec<(&'static str, String)>), Failure> {
        let segments = split_path(request.path());
        let mut methods = Vec::new();
        for row in &self.routes {
            let route = &row.route;
            if !may_match(&row.path, &segments) {
                continue;
            }
            if !route.methods.contains(&request.method) {
                methods.extend_from_slice(route.methods);
            } else if let Some(params) = Pattern(route.path).matches(&request.target) {
                return Ok((row, params));
            }
        }
        if methods.is_empty() {
            return Err(Failure::not_found());
        }
        let names: Vec<&str> = methods.iter().map(|method| method.name()).collect();
        Err(Failure::new(405, format!("method not allowed: expected {}", names.join(", "))))
    }

    /// Who calls: the owner of the key, or of the session of the cookie. `Err` if there is a key,
    /// and it is wrong; or if a page of somebody else made a browser send the cookie.
    fn caller(&self, request: &Request, route: &Route) -> std::result::Result<Caller, Failure> {
        let (caller, secret) = self.identity(request, route.family)?;
        let Some(secret) = secret else { return Ok(caller) };
        if request.method == Method::Get {
            // Clients of OTX change things with GET, which any page can make a browser send.
            return Ok(match route.needs {
                Needs::Key(Scope::Write | Scope::Account | Scope::Report) if route.changes() => {
                    Caller::stranger(self.stranger())
                }
                _ => caller,
            });
        }
        let is_ours =
            check_origin(request, &self.settings, true).and_then(|()| check_token(request, secret));
        match is_ours {
            Ok(()) => Ok(caller),
            // Whoever logs in may have an old cookie.
            Err(_) if route.needs == Needs::Nothing => Ok(Caller::stranger(self.stranger())),
            Err(failure) => Err(failure),
        }
    }

    /// Whom a request names, and the secret of the session if that is a cookie.
    fn identity<'r>(
        &self,
        request: &'r Request,
        family: Family,
    ) -> std::result::Result<(Caller, Option<&'r str>), Failure> {
        let Some((key, name)) = credentials(request, family) else {
            // Programs that speak TAXII are no browsers.
            let secret = cookie(request, &self.settings).filter(|_| family != Family::Taxii);
            let caller = secret.map(|secret| self.of_session(secret)).transpose()?.flatten();
            return Ok(match caller {
                Some(caller) => (caller, secret),
                // One that has ended is none.
                None => (Caller::stranger(self.stranger()), None),
            });
        };
        let caller = self.owner_of(&key)?.ok_or_else(|| wrong_key(family))?;
        match name {
            Some(name) if !name.eq_ignore_ascii_case(&caller.name) => Err(wrong_key(family)),
            _ => Ok((caller, None)),
        }
    }

    /// Whoever a request comes from, for pages about requests that failed.
    pub fn visitor(&self, request: &Request) -> Caller {
        let identity = self.identity(request, Family::Page);
        identity.map_or_else(|_| Caller::stranger(self.stranger()), |(caller, _)| caller)
    }

    /// Asks another route, for the caller of a request that was authenticated and counted
    /// already. The names in its path are those of the first route.
    ///
    /// # Errors
    ///
    /// Those of the route, or that the caller may not use it.
    pub fn ask(&self, call: &Call<'_>, (method, path): (Method, &str), body: &Value) -> Answer {
        let is_it = |row: &&Row| row.route.path == path && row.route.methods.contains(&method);
        let row = self.routes.iter().find(is_it).ok_or_else(Failure::not_found)?;
        self.admit(&row.route, &call.caller)?;
        let mut request = call.request.clone();
        request.method = method;
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.body = body.to_string().into_bytes();
        let (family, route) = (row.route.family, row.route.path);
        let (caller, params) = (call.caller.clone(), call.params.clone());
        let call = Call { site: self, request: &request, caller, params, family, route };
        (row.route.handler)(&call)
    }

    /// As whom those without an account look.
    fn stranger(&self) -> Viewer {
        if self.settings.anonymous_read { Viewer::Anonymous } else { Viewer::Nobody }
    }

    /// Whose session has this secret. Notes when it was used, to five minutes.
    fn of_session(&self, secret: &str) -> Result<Option<Caller>> {
        let digest = Secret::digest_of(secret);
        let (owner, now) =
            self.storage.read(|view| Ok((view.session_owner(&digest)?, view.now())))?;
        let Some(owner) = owner else { return Ok(None) };
        if now.0 - owner.used.0 > SESSION_NOTE {
            let session = owner.session;
            self.storage.post(move |writes| writes.use_session(session));
        }
        Ok(Some(Caller {
            viewer: Viewer::User(owner.user),
            name: owner.name,
            role: owner.role,
            since: owner.created,
            key: 0,
            session: Some(owner.session),
            scopes: Scopes::ALL,
        }))
    }

    /// The owner of a key, as a caller. Notes when it was used, to the hour.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn owner_of(&self, key: &str) -> Result<Option<Caller>> {
        let digest = Secret::digest_of(key);
        let (owner, now) = self.storage.read(|view| Ok((view.owner(&digest)?, view.now())))?;
        let Some(owner) = owner else { return Ok(None) };
        if owner.used.is_none_or(|used| now.0 - used.0 > HOUR) {
            let key = owner.key;
            self.storage.post(move |writes| writes.use_key(key));
        }
        Ok(Some(Caller {
            viewer: Viewer::User(owner.user),
            name: owner.name,
            role: owner.role,
            since: owner.created,
            key: owner.key,
            session: None,
            scopes: owner.scopes,
        }))
    }

    /// Takes tokens for a request. Wrong keys count like none, so that guessing is slow.
    fn limited(
        &self,
        request: &Request,
        route: &Route,
        caller: std::result::Result<Caller, Failure>,
    ) -> std::result::Result<Caller, Failure> {
        if route.is_free() {
            return caller;
        }
        let now = crate::clock::now().0;
        let metrics = self.metrics();
        let take = |bucket, per_minute, counter: &Counter| {
            let rate = Rate::per_minute(per_minute);
            self.limits.take(bucket, rate, now).map_err(|seconds| {
                counter.count();
                Failure::too_many(seconds)
            })
        };
        let (all, writes) = match &caller {
            Ok(Caller { session: Some(session), .. }) => {
                (Bucket::Session(*session), Bucket::SessionWrites(*session))
            }
            Ok(Caller { key, .. }) if *key != 0 => (Bucket::Key(*key), Bucket::Writes(*key)),
            _ => {
                let bucket = Bucket::Address(network(self.peer(request)));
                take(bucket, self.settings.per_address, &metrics.limited_addresses)?;
                return caller;
            }
        };
        let caller = caller?;
        take(all, self.settings.per_key, &metrics.limited_keys)?;
        let is_costly = request.method != Method::Get || route.path.contains("search");
        if is_costly && caller.role < Role::Trusted {
            take(writes, self.settings.writes_per_key, &metrics.limited_writes)?;
        }
        Ok(caller)
    }

    /// Takes tokens for an attempt to log in, or to sign up, as somebody.
    ///
    /// # Errors
    ///
    /// 429 if there were too many of this address, or for this name.
    pub fn limit_login(&self, request: &Request, name: &str) -> std::result::Result<(), Failure> {
        let now = crate::clock::now().0;
        let by_address = Rate::per_minute(self.settings.logins_per_address);
        let address = Bucket::Login(network(self.peer(request)));
        self.limits.take(address, by_address, now).map_err(Failure::too_many)?;
        let by_name = Rate::per_hour(self.settings.logins_per_account);
        self.limits.take_login(name, by_name, now).map_err(Failure::too_many)
    }

    /// Hashes or verifies a password, which takes much memory and a core for a while: only as
    /// many at a time as there are cores, and few wait.
    ///
    /// # Errors
    ///
    /// 503 if too many wait already.
    pub fn hash<T>(&self, work: impl FnOnce() -> T) -> std::result::Result<T, Failure> {
        let _turn = self.hashing.take().ok_or_else(|| Failure {
            retry_after: Some(2),
            ..Failure::new(503, "the server is busy: try again in 2 seconds")
        })?;
        Ok(work())
    }

    /// Who is connected, or whom the proxy names.
    pub fn peer(&self, request: &Request) -> IpAddr {
        // The last one is what our proxy saw; those before it anybody may have written, also as a
        // field of its own: some proxies append to the field, and some add another.
        let fields = request.headers.get_all("x-forwarded-for");
        let last = fields.iter().next_back().and_then(|field| field.to_str().ok());
        let named = last.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
        match self.settings.behind_proxy {
            true => named.unwrap_or(request.peer),
            false => request.peer,
        }
    }

    /// Whether a caller may use a route.
    fn admit(&self, route: &Route, caller: &Caller) -> std::result::Result<(), Failure> {
        let is_stranger = caller.viewer.user().is_none();
        let no_key = || match route.family {
            Family::Taxii => Failure::new(401, "credentials are required"),
            Family::Api | Family::Text => Failure::forbidden("an API key is required"),
            Family::Page => Failure::forbidden("you are not signed in"),
        };
        let lacks = |scope: Scope| {
            Failure::forbidden(format!("this key has not the scope “{}”", scope.name()))
        };
        match route.needs {
            Needs::Nothing => Ok(()),
            Needs::Reader if is_stranger && self.settings.anonymous_read => Ok(()),
            _ if is_stranger => Err(no_key()),
            Needs::Reader if !caller.has(Scope::Read) => Err(lacks(Scope::Read)),
            Needs::Key(scope) if !caller.has(scope) => Err(lacks(scope)),
            Needs::Moderator if caller.role < Role::Moderator => {
                Err(Failure::forbidden("only moderators may do this"))
            }
            Needs::Admin if caller.role < Role::Admin || !caller.has(Scope::Read) => {
                Err(Failure::forbidden("only administrators may do this"))
            }
            Needs::Trusted if caller.role < Role::Trusted => {
                Err(Failure::forbidden("only trusted members may do this"))
            }
            Needs::Moderator | Needs::Trusted if !caller.has(Scope::Write) => {
                Err(lacks(Scope::Write))
            }
            _ => Ok(()),
        }
    }

    /// A failure in the form of a family.
    fn failure(&self, request: &Request, family: Family, failure: Failure) -> Reply {
        let mut failure = failure;
        if failure.status == 500 {
            tell(&failure.detail);
            failure.detail = "the server failed; its log says why".into();
        }
        let reply = match family {
            Family::Taxii => (self.writers.taxii)(&failure),
            Family::Page => (self.writers.page)(self, request, &failure),
            Family::Text => {
                let text = format!("{}\n", failure.detail);
                Reply::new(failure.status, "text/plain; charset=utf-8", text)
            }
            Family::Api => {
                let mut body = json!({"status": "error", "detail": failure.detail});
                if !failure.errors.is_empty() {
                    body["errors"] = json!(failure.errors);
                }
                Reply::json(&body).status(failure.status)
            }
        };
        match failure.retry_after {
            Some(seconds) => reply.header("retry-after", seconds.to_string()),
            None => reply,
        }
    }
}

/// Whether a request that no route takes comes from somebody with a browser, who gets a page.
fn is_for_people(request: &Request) -> bool {
    let programs = ["/api/", "/otxapi/", "/feeds/", "/auth/"];
    request.header("accept").is_some_and(|kinds| kinds.contains("text/html"))
        && !programs.iter().any(|path| request.target.starts_with(path))
}

/// Writes a line to the log, which is standard error.
fn tell(line: &str) {
    use std::io::Write as _;
    // Nobody is told if the log is gone.
    let _ = writeln!(std::io::stderr(), "exchange: {}", crate::engine::error::escape_text(line));
}

/// Whether a path may be one of a pattern, by what both have fixed.
fn may_match(pattern: &[&str], segments: &[&str]) -> bool {
    let has_rest = pattern.last().is_some_and(|last| last.ends_with("*}"));
    if segments.len() < pattern.len() || !has_rest && segments.len() > pattern.len() {
        return false;
    }
    pattern.iter().zip(segments).all(|(want, is)| want == is || want.starts_with('{'))
}

fn wrong_key(family: Family) -> Failure {
    match family {
        Family::Taxii => Failure::new(401, "invalid credentials"),
        Family::Api | Family::Text | Family::Page => Failure::forbidden("invalid API key"),
    }
}

/// The key of a request, and the name that must be its owner's.
fn credentials(request: &Request, family: Family) -> Option<(String, Option<String>)> {
    if let Some(key) = request.header("x-otx-api-key") {
        return Some((key.trim().to_string(), None));
    }
    let (scheme, value) = request.header("authorization")?.trim().split_once(' ')?;
    let value = value.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "token" => Some((value.to_string(), None)),
        "basic" if matches!(family, Family::Taxii | Family::Text) => {
            let pair = base64::engine::general_purpose::STANDARD.decode(value).ok()?;
            let pair = String::from_utf8(pair).ok()?;
            let (user, password) = pair.split_once(':').unwrap_or((&pair, ""));
            let is_key = user.len() == 64 && user.bytes().all(|b| b.is_ascii_hexdigit());
            match is_key {
                true => Some((user.to_string(), None)),
                false => Some((password.to_string(), Some(user.to_string()))),
            }
        }
        _ => None,
    }
}

/// An address, or its /64: who has one address of IPv6 has them all.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}
