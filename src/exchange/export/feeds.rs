//! The routes of exports: `/feeds/{scope}/{format}`.
//!
//! A firewall sends no headers, so the secret of a key that only reads feeds may be a part of
//! the path: `/feeds/key/{secret}/{scope}/{format}`. Whoever has the key revokes it.

use super::cache::{Cache, Entry, State};
use super::format::{Format, misp_event};
use super::scope::{Found, Scope, Stored};
use super::source::{About, Source, Visit};
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{GroupId, Scope as KeyScope, Viewer};
use crate::exchange::http::{Failure, Method, Reply, decode, split_path};
use crate::exchange::pulses::{Indicator, Pulse, PulseId, Type};
use crate::exchange::site::{Answer, Call, Caller, Family, Needs, Route};
use crate::exchange::storage::{Selection, View, Which};
use std::cell::Cell;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The routes.
pub const ROUTES: &[Route] = &[
    route("feeds/subscribed/{format*}", "Your feed as a file", |call| {
        answer(call, Scope::Subscribed)
    }),
    route("feeds/public/{format*}", "Public pulses as a file", |call| answer(call, Scope::Public)),
    route("feeds/user/{name}/{format*}", "The pulses of a user as a file", |call| {
        answer(call, Scope::User(call.param("name").to_string()))
    }),
    route("feeds/group/{group}/{format*}", "The pulses of a group as a file", |call| {
        answer(call, group(call.param("group"))?)
    }),
    route("feeds/pulse/{id}/{format*}", "A pulse as a file", |call| {
        answer(call, Scope::Pulse(call.pulse_id()?))
    }),
    route(
        "api/groups/{group}/misp_feed/{format*}",
        "The pulses of a group as a MISP feed",
        |call| {
            let path = format!("misp/{}", path_of(call.param("format")));
            export(call, &call.caller, &group(call.param("group"))?, &path)
        },
    ),
    Route {
        needs: Needs::Nothing,
        ..route("feeds/key/{secret}/{feed*}", "A feed for programs that send no headers", by_secret)
    },
];

const fn route(
    path: &'static str,
    summary: &'static str,
    handler: crate::exchange::site::Handler,
) -> Route {
    Route {
        methods: &[Method::Get],
        path,
        needs: Needs::Reader,
        family: Family::Text,
        summary,
        handler,
    }
}

/// The part of a value that is a path.
fn path_of(rest: &str) -> String {
    let path = rest.split('?').next().unwrap_or("");
    split_path(path).into_iter().map(|part| decode(part, false)).collect::<Vec<_>>().join("/")
}

fn group(text: &str) -> std::result::Result<Scope, Failure> {
    text.parse().map(|number| Scope::Group(GroupId(number))).map_err(|_| Failure::not_found())
}

fn answer(call: &Call<'_>, scope: Scope) -> Answer {
    export(call, &call.caller, &scope, &path_of(call.param("format")))
}

/// A feed whose caller is named by a secret in the path.
fn by_secret(call: &Call<'_>) -> Answer {
    let caller = call.site.owner_of(call.param("secret"))?;
    // A key that may do more does not belong into logs of proxies.
    let is_for_feeds = |caller: &Caller| caller.has(KeyScope::Feed) && !caller.has(KeyScope::Write);
    let caller = caller.filter(is_for_feeds).ok_or_else(Failure::not_found)?;
    let feed = path_of(call.param("feed"));
    let parts: Vec<&str> = feed.split('/').collect();
    let (scope, format) = match &parts[..] {
        ["subscribed", format @ ..] => (Scope::Subscribed, format),
        ["public", format @ ..] => (Scope::Public, format),
        ["user", name, format @ ..] => (Scope::User(name.to_string()), format),
        ["group", number, format @ ..] => (group(number)?, format),
        ["pulse", id, format @ ..] => {
            (Scope::Pulse(PulseId::parse(id).ok_or_else(Failure::not_found)?), format)
        }
        _ => return Err(Failure::not_found()),
    };
    export(call, &caller, &scope, &format.join("/"))
}

/// An export that was asked for.
struct Export<'a> {
    call: &'a Call<'a>,
    viewer: Viewer,
    scope: &'a Scope,
    found: Found,
    types: Vec<Type>,
    min_confidence: u8,
}

pub(super) fn export(call: &Call<'_>, caller: &Caller, scope: &Scope, path: &str) -> Answer {
    let viewer = caller.viewer;
    let found = call.read(|view| scope.find(view, viewer))?.ok_or_else(Failure::not_found)?;
    let min_confidence = min_confidence(call)?;
    let export = Export { call, viewer, scope, found, types: types(call)?, min_confidence };
    if let Some(format) = Format::of_path(path) {
        return export.answer(format);
    }
    match path.strip_prefix("misp/").and_then(|name| name.strip_suffix(".json")) {
        Some(uuid) => export.event(uuid),
        None => {
            let known: Vec<&str> = Format::ALL.iter().map(|format| format.path()).collect();
            Err(Failure::new(404, format!("unknown format: expected one of {}", known.join(", "))))
        }
    }
}

/// The least confidence of the query.
fn min_confidence(call: &Call<'_>) -> std::result::Result<u8, Failure> {
    let Some(text) = call.query().get("min_confidence").map(str::to_string) else { return Ok(0) };
    let number = text.parse().ok().filter(|number| *number <= 100);
    number.ok_or_else(|| Failure::bad_request("min_confidence: expected a number from 0 to 100"))
}

/// The types of the query.
fn types(call: &Call<'_>) -> std::result::Result<Vec<Type>, Failure> {
    let query = call.query();
    let names = query.get("types").unwrap_or("").split(',').map(str::trim);
    let mut types: Vec<Type> = Vec::new();
    for name in names.filter(|name| !name.is_empty()) {
        let unknown = || {
            let known: Vec<&str> = Type::ALL.iter().map(|of| of.name()).collect();
            Failure::bad_request(format!("unknown type: expected one of {}", known.join(", ")))
        };
        types.push(Type::from_name(name).ok_or_else(unknown)?);
    }
    types.sort_unstable();
    types.dedup();
    Ok(types)
}

impl Export<'_> {
    fn answer(&self, format: Format) -> Answer {
        let cache = self.cache(format);
        let mut entry = self.entry(format, &cache)?;
        // A database does not get smaller.
        if self.takes_gzip() && format != Format::Database {
            entry = cache.with_packed(entry)?;
        }
        if let Some(since) = self.call.query().get("since") {
            return self.delta(format, &cache, &entry, since.trim_matches('"'));
        }
        let tags: Vec<&str> = self
            .call
            .request
            .header("if-none-match")
            .unwrap_or("")
            .split(',')
            .map(str::trim)
            .collect();
        let is_packed = entry.packed > 0 && self.takes_gzip();
        let tag =
            if is_packed { format!("\"{}-gz\"", entry.tag) } else { format!("\"{}\"", entry.tag) };
        if tags.iter().any(|known| *known == "*" || known.trim_start_matches("W/") == tag) {
            return Ok(dated(Reply::new(304, format.media_type(), ""), &tag, &entry));
        }
        let (path, size) = match is_packed {
            true => (cache.packed(&entry.tag), entry.packed),
            false => (cache.file(&entry.tag), entry.size),
        };
        self.call.note_reads(self.viewer, self.found.selection)?;
        let reply = dated(file(&path, size, format.media_type())?, &tag, &entry);
        self.count();
        Ok(if is_packed { reply.header("content-encoding", "gzip") } else { reply })
    }

    fn takes_gzip(&self) -> bool {
        let accepted = self.call.request.header("accept-encoding").unwrap_or("");
        accepted.split(',').any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            parts.next() == Some("gzip") && !parts.any(|part| matches!(part, "q=0" | "q=0.0"))
        })
    }

    /// Counts a download of a single pulse. Polling of larger feeds says nothing about a pulse.
    fn count(&self) {
        if let Scope::Pulse(id) = *self.scope {
            self.call.site.storage.post(move |writes| writes.count_export(&id));
        }
    }

    /// The files of a format.
    fn cache(&self, format: Format) -> Cache {
        let user = self.viewer.user().map_or(0, |user| user.0);
        let name = format!(
            "{:?} {user} {:?} {:?} {} {format:?} {}",
            self.viewer,
            self.found.selection,
            self.types,
            self.min_confidence,
            self.call.settings().base
        );
        Cache::new(&self.directory(), &name)
    }

    /// Beside the database.
    fn directory(&self) -> PathBuf {
        self.call.site.storage.directory().join("exports")
    }

    /// The export, made if it is not there.
    fn entry(&self, format: Format, cache: &Cache) -> std::result::Result<Entry, Failure> {
        let (stamp, now) = self.call.read(|view| Ok((view.stamp()?, view.now())))?;
        let metrics = self.call.site.metrics();
        if let Some(entry) = cache.untouched(stamp, now) {
            metrics.exports_kept.count();
            return Ok(entry);
        }
        if let Some(entry) = cache.current(&self.call.read(|view| self.state(view))?) {
            metrics.exports_kept.count();
            return Ok(entry);
        }
        // Whoever waits for a turn holds no reader.
        let _turn = cache.lock()?;
        metrics.exports_made.count();
        self.call.read(|view| {
            cache.get(&self.state(view)?, |path| {
                let about = self.about(view);
                let source =
                    Watched { source: self.source(view, format), until: Cell::new(i64::MAX) };
                format.write(&about, &source, path)?;
                Ok(Timestamp(source.until.get()))
            })
        })
    }

    fn state(&self, view: &View<'_>) -> Result<State> {
        let mut mark = view.mark(self.viewer, self.found.selection)?;
        if self.min_confidence > 0 {
            // How sure an indicator is depends on pulses elsewhere.
            mark.modified = view.stamp()?;
        }
        Ok(State { stamp: view.stamp()?, mark, now: view.now() })
    }

    fn about(&self, view: &View<'_>) -> About {
        About {
            exchange: "wiresift exchange".into(),
            home: self.call.settings().base.clone(),
            title: self.scope.title(),
            number: self.found.number,
            // A sixteenth of a second: as a serial number of 32 bits it lasts for years.
            generation: u64::try_from(view.now().0 >> 16).unwrap_or(0),
            built: view.now(),
            types: self.types.clone(),
        }
    }

    fn source<'v>(&self, view: &'v View<'v>, format: Format) -> Stored<'v> {
        let which = if format.has_removed() { Which::Removed } else { Which::Exported };
        let (viewer, selection) = (self.viewer, self.found.selection);
        let has_deleted = format.has_deleted();
        let (types, min_confidence) = (self.types.clone(), self.min_confidence);
        Stored { view, viewer, selection, which, types, min_confidence, has_deleted }
    }

    /// What has changed since an earlier file.
    fn delta(&self, format: Format, cache: &Cache, entry: &Entry, since: &str) -> Answer {
        if !format.has_deltas() {
            return Err(Failure::bad_request("only the list has changes since another"));
        }
        let since = since.trim_end_matches("-gz");
        let mut out = Vec::new();
        match cache.delta(since, entry, &mut out)? {
            true => {
                self.call.note_reads(self.viewer, self.found.selection)?;
                let tag = format!("\"{}\"", entry.tag);
                Ok(dated(Reply::new(200, format.media_type(), out), &tag, entry))
            }
            false => Err(Failure::new(410, "that state is not kept any more: fetch all of it")),
        }
    }

    /// An event of the MISP feed.
    fn event(&self, uuid: &str) -> Answer {
        let uuid = super::Uuid::parse(uuid).ok_or_else(Failure::not_found)?.to_string();
        let cache = self.cache(Format::MispIndex);
        let entry = self.entry(Format::MispIndex, &cache)?;
        let key = find_line(&cache.file(&entry.tag), &uuid).ok_or_else(Failure::not_found)?;
        let id = PulseId::parse(&key).ok_or_else(Failure::not_found)?;
        let body = self.call.read(|view| {
            let Some(pulse) = view.pulse_or_tombstone(self.viewer, &id)? else { return Ok(None) };
            let source = Stored {
                selection: Selection::Pulse(pulse.key),
                which: Which::Removed,
                ..self.source(view, Format::MispManifest)
            };
            let mut out = Vec::new();
            misp_event(&self.about(view), &source, &mut out)?;
            Ok(Some((out, Selection::Pulse(pulse.key))))
        })?;
        let (body, selection) = body.ok_or_else(Failure::not_found)?;
        self.call.note_reads(self.viewer, selection)?;
        Ok(Reply::new(200, "application/json", body))
    }
}

/// The rest of the line that begins with `word` and a comma, in a sorted file whose lines have
/// one length.
fn find_line(path: &Path, word: &str) -> Option<String> {
    use std::io::{Seek as _, SeekFrom};
    let mut file = File::open(path).ok()?;
    let length = word.len() + 1 + 24 + 1;
    let (mut low, mut high) = (0, file.metadata().ok()?.len() / length as u64);
    let mut line = vec![0; length];
    while low < high {
        let middle = low + (high - low) / 2;
        file.seek(SeekFrom::Start(middle * length as u64)).ok()?;
        file.read_exact(&mut line).ok()?;
        match line[..word.len()].cmp(word.as_bytes()) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => {
                return String::from_utf8(line[word.len() + 1..length - 1].to_vec()).ok();
            }
        }
    }
    None
}

/// Notes when the first of the indicators expires.
struct Watched<S> {
    source: S,
    until: Cell<i64>,
}

impl<S: Source> Source for Watched<S> {
    fn values(&self, take: &mut dyn FnMut(Type, &str) -> Result<()>) -> Result<Option<Timestamp>> {
        let until = self.source.values(take)?;
        if let Some(end) = until {
            self.until.set(self.until.get().min(end.0));
        }
        Ok(until)
    }

    fn each(&self, visit: &mut dyn Visit) -> Result<()> {
        self.source.each(&mut Watching { visit, until: &self.until })
    }
}

struct Watching<'a> {
    visit: &'a mut dyn Visit,
    until: &'a Cell<i64>,
}

impl Visit for Watching<'_> {
    fn pulse(&mut self, pulse: &Pulse) -> Result<()> {
        self.visit.pulse(pulse)
    }

    fn indicator(&mut self, pulse: &Pulse, indicator: &Indicator) -> Result<()> {
        if let Some(end) = indicator.expiration.filter(|_| indicator.is_exported()) {
            self.until.set(self.until.get().min(end.0));
        }
        self.visit.indicator(pulse, indicator)
    }
}

/// With a tag, and the time of the last change.
fn dated(reply: Reply, tag: &str, entry: &Entry) -> Reply {
    let reply = reply
        .header("etag", tag)
        .header("cache-control", "private, no-cache")
        .header("vary", "accept-encoding");
    match http_date(entry.modified) {
        Some(date) => reply.header("last-modified", date),
        None => reply,
    }
}

/// A date of HTTP (RFC 9110, section 5.6.7).
fn http_date(micros: i64) -> Option<String> {
    let time = jiff::Timestamp::from_microsecond(micros).ok()?;
    Some(time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

/// A file, piece by piece.
fn file(path: &Path, size: u64, media: &str) -> std::result::Result<Reply, Failure> {
    let gone = |_| Failure {
        retry_after: Some(1),
        ..Failure::new(503, "the export was replaced: try again")
    };
    let mut file = File::open(path).map_err(gone)?;
    let pieces = std::iter::from_fn(move || {
        let mut piece = vec![0; 1 << 16];
        match file.read(&mut piece) {
            Ok(0) => None,
            Ok(read) => {
                piece.truncate(read);
                Some(Ok(piece))
            }
            Err(error) => Some(Err(error)),
        }
    });
    Ok(Reply::pieces(media, Box::new(pieces)).header("content-length", size.to_string()))
}
