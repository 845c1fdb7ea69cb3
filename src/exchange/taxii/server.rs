//! The endpoints (TAXII 2.1, sections 4 and 5): requests to answers.

use super::answer;
use super::library::{Collection, Library, Page, Position, Wanted};
use super::media::{TAXII, is_acceptable, is_taxii};
use super::query::{MAX_PAGE, Query};
use super::token::Signer;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::random_bytes;
use crate::exchange::export::Uuid;
use crate::exchange::http::{Failure, Method, Reply, Request, decode, split_path};
use serde_json::{Value, json};

/// The most bytes of a body.
pub const MAX_BODY: usize = 16 << 20;

/// The most objects of a body.
const MAX_OBJECTS: usize = 20_000;

/// What every request needs.
pub struct Server<'a> {
    /// What the caller sees.
    pub library: &'a dyn Library,
    /// Signs the values of `next`.
    pub signer: &'a Signer,
    /// The public address of the API roots, with a slash at the end.
    pub base: &'a str,
    /// The most objects of a page, at most [`MAX_PAGE`].
    pub max_page: usize,
    /// The time of the request.
    pub now: Timestamp,
}

/// A list that is read page by page.
struct Place<'a> {
    root: &'a str,
    of: &'a Collection,
    list: &'static str,
    object: Option<&'a str>,
}

impl Place<'_> {
    /// A name that no other list has.
    fn name(&self) -> String {
        format!("{}\n{}\n{}\n{}", self.root, self.of.id, self.list, self.object.unwrap_or(""))
    }
}

impl Server<'_> {
    /// Answers a request for the discovery.
    ///
    /// # Errors
    ///
    /// The caller accepts no answer of ours.
    pub fn discover(&self, request: &Request) -> Result<Reply, Failure> {
        negotiate(request)?;
        let found = self.library.discovery();
        let absolute = |root: &String| format!("{}{root}/", self.base);
        let default = found.default.as_ref().map(absolute);
        let roots = found.addresses.unwrap_or_else(|| found.roots.iter().map(absolute).collect());
        let default = default.filter(|default| roots.contains(default)).or(roots.first().cloned());
        let mut answer = json!({
            "title": found.title, "description": found.description,
            "default": default, "api_roots": roots,
        });
        if let Some(contact) = found.contact {
            answer["contact"] = json!(contact);
        }
        Ok(answer::json(200, &answer))
    }

    /// Answers a request for anything below an API root. `path` is what follows the root, as it
    /// came.
    ///
    /// # Errors
    ///
    /// Nothing is there, the caller may not do it, or the request is malformed.
    pub fn answer(&self, request: &Request, root: &str, path: &str) -> Result<Reply, Failure> {
        negotiate(request)?;
        let title = self.library.title(root).ok_or_else(Failure::not_found)?;
        let path = path.split('?').next().unwrap_or("");
        let parts: Vec<String> =
            split_path(path).into_iter().map(|part| decode(part, false)).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match (request.method, &parts[..]) {
            (Method::Get, []) => {
                let about =
                    json!({"title": title, "versions": [TAXII], "max_content_length": MAX_BODY});
                Ok(answer::json(200, &about))
            }
            (Method::Get, ["status", id]) => {
                let status = self.library.status(root, id)?.ok_or_else(Failure::not_found)?;
                Ok(answer::json(200, &status))
            }
            (Method::Get, ["collections"]) => {
                let all = self.library.collections(root)?;
                let all: Vec<Value> = all.iter().map(answer::of_collection).collect();
                Ok(answer::json(200, &json!({ "collections": all })))
            }
            (_, ["collections", name, rest @ ..]) => {
                let of = self.library.collection(root, name)?.ok_or_else(Failure::not_found)?;
                self.in_collection(request, (root, &of), rest)
            }
            _ => Err(Failure::not_found()),
        }
    }

    fn in_collection(
        &self,
        request: &Request,
        (root, of): (&str, &Collection),
        rest: &[&str],
    ) -> Result<Reply, Failure> {
        let place = |list, object| Place { root, of, list, object };
        match (request.method, rest) {
            (Method::Get, []) => Ok(answer::json(200, &answer::of_collection(of))),
            (Method::Get, ["manifest"]) => {
                let (page, next) = self.page(request, &place("manifest", None))?;
                Ok(answer::manifest(&page, next))
            }
            (Method::Get, ["objects"]) => {
                let (page, next) = self.page(request, &place("objects", None))?;
                Ok(answer::envelope(page, next))
            }
            (Method::Get, ["objects", id]) => {
                let (page, next) = self.page(request, &place("objects", Some(id)))?;
                if page.is_known {
                    Ok(answer::envelope(page, next))
                } else {
                    Err(Failure::not_found())
                }
            }
            (Method::Get, ["objects", id, "versions"]) => {
                let (page, next) = self.page(request, &place("versions", Some(id)))?;
                if page.is_known {
                    Ok(answer::versions(&page, next))
                } else {
                    Err(Failure::not_found())
                }
            }
            (Method::Post, ["objects"]) => self.post(request, root, of),
            (Method::Delete, ["objects", id]) => self.delete(request, &place("objects", Some(id))),
            _ => Err(Failure::not_found()),
        }
    }

    /// A page of a list, and its `next` if there is more.
    fn page(
        &self,
        request: &Request,
        place: &Place<'_>,
    ) -> Result<(Page, Option<String>), Failure> {
        readable(place.of)?;
        let mut query = Query::parse(request.raw_query())?;
        if place.list == "versions" {
            // Asks for versions, so that it filters none.
            query.filter.versions = vec![super::query::Version::All];
        }
        let name = place.name();
        let position = match &query.next {
            Some(next) => Some(self.signer.position(&name, &query.filter, next)?),
            None => None,
        };
        let wanted = Wanted {
            filter: &query.filter,
            object: place.object,
            after: later(position, query.added_after),
            limit: query.limit.unwrap_or(self.max_page).min(self.max_page).clamp(1, MAX_PAGE),
            has_bodies: place.list == "objects",
            since: query.added_after,
        };
        let page = self.library.objects(place.root, place.of, &wanted)?;
        let last = page.entries.last().map(|last| Position { after: last.added, inner: None });
        let last = page.resume.or(last);
        let last = last.filter(|_| page.has_more);
        let next = last.map(|last| self.signer.next(&name, &query.filter, last));
        Ok((page, next))
    }

    /// Adds the objects of an envelope.
    fn post(&self, request: &Request, root: &str, to: &Collection) -> Result<Reply, Failure> {
        if !is_taxii(request.header("content-type")) {
            return Err(Failure::new(415, format!("the content type must be {TAXII}")));
        }
        writable(to)?;
        if request.body.len() > MAX_BODY {
            return Err(Failure::new(413, format!("at most {MAX_BODY} bytes are accepted")));
        }
        let objects = objects_of(&request.body)?;
        let added = self.library.add(root, to, objects)?;
        let id = Uuid::of(&["status", root, &hex(&random_bytes::<16>()?)]).to_string();
        let status = answer::status(&id, self.now, &added);
        self.library.keep_status(root, &id, &status)?;
        Ok(answer::json(202, &status))
    }

    fn delete(&self, request: &Request, place: &Place<'_>) -> Result<Reply, Failure> {
        readable(place.of)?;
        writable(place.of)?;
        let query = Query::parse(request.raw_query())?;
        let id = place.object.unwrap_or("");
        match self.library.delete(place.root, place.of, id, &query.filter)? {
            true => Ok(Reply::new(200, TAXII, "")),
            false => Err(Failure::not_found()),
        }
    }
}

/// A client may move on by either; the later one wins.
fn later(position: Option<Position>, added_after: Option<Timestamp>) -> Option<Position> {
    let added_after = added_after.map(|after| Position { after, inner: None });
    match (position, added_after) {
        (Some(position), Some(other)) if position.after >= other.after => Some(position),
        (position, other) => other.or(position),
    }
}

/// Whether the caller accepts our answers.
fn negotiate(request: &Request) -> Result<(), Failure> {
    match is_acceptable(request.header("accept")) {
        true => Ok(()),
        false => Err(Failure::new(406, format!("the only media type of answers is {TAXII}"))),
    }
}

fn readable(of: &Collection) -> Result<(), Failure> {
    if of.can_read { Ok(()) } else { Err(Failure::forbidden("the collection cannot be read")) }
}

fn writable(of: &Collection) -> Result<(), Failure> {
    if of.can_write {
        Ok(())
    } else {
        Err(Failure::forbidden("the collection cannot be written to"))
    }
}

/// The objects of an envelope (TAXII 2.1, section 3.7).
fn objects_of(body: &[u8]) -> Result<Vec<Value>, Failure> {
    // The words are medallion's, whose tests look for them.
    let invalid = |why: &str| {
        Failure::new(422, format!("While processing supplied content, an error occurred: {why}"))
    };
    let mut envelope: Value = serde_json::from_slice(body)
        .map_err(|error| invalid(&format!("it is no JSON: {error}")))?;
    let Some(Value::Array(objects)) = envelope.get_mut("objects").map(Value::take) else {
        return Err(invalid("it is no envelope, which has an array “objects”"));
    };
    if objects.len() > MAX_OBJECTS {
        return Err(invalid(&format!("it has more than {MAX_OBJECTS} objects")));
    }
    Ok(objects)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
