//! The library of an exchange: pulses as collections, and objects that clients added.

use super::inbox;
use super::library::{Added, Collection, Discovery, Entry, Library, Page, Wanted};
use super::media::{STIX_20, STIX_21};
use super::pulses;
use super::query::Filter;
use super::stored::{Head, is_there, select};
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{Scope, UserId};
use crate::exchange::export::Uuid;
use crate::exchange::http::Failure;
use crate::exchange::pulses::Draft;
use crate::exchange::site::Call;
use crate::exchange::storage::{ObjectHead, Outcome, Selection, Shelf, Writes};
use serde_json::Value;

/// The API root of pulses.
pub(super) const ROOT: &str = "root";

/// The name of the collection that takes what others send.
const INBOX: &str = "inbox";

/// What a caller sees of an exchange.
pub(super) struct SiteLibrary<'a> {
    call: &'a Call<'a>,
    user: UserId,
}

/// What a collection has.
enum Contents {
    Pulses(Selection),
    Objects(Box<Shelf>),
}

impl<'a> SiteLibrary<'a> {
    /// The library for the caller.
    ///
    /// # Errors
    ///
    /// Nobody is logged in.
    pub(super) fn new(call: &'a Call<'a>) -> Result<Self, Failure> {
        Ok(SiteLibrary { call, user: call.user()? })
    }

    /// The inbox of the caller.
    fn inbox(&self) -> Shelf {
        Shelf {
            key: 0,
            root: ROOT.into(),
            id: Uuid::of(&["inbox", &self.user.0.to_string()]).to_string(),
            title: "Inbox".into(),
            description: Some("What is added becomes a draft of a pulse that only you see".into()),
            alias: Some(INBOX.into()),
            owner: Some(self.user),
            is_readable: true,
            is_writable: true,
            media: STIX_21.into(),
        }
    }

    /// The collections of pulses that are listed.
    fn of_pulses(&self) -> Result<Vec<(Collection, Selection)>, Failure> {
        let name = &self.call.caller.name;
        let own =
            pulses::collection(&format!("user_{name}"), format!("Pulses of {name}"), "Your own");
        let mut all = vec![
            (
                pulses::collection(
                    "subscribed",
                    "Subscribed pulses".into(),
                    "What you are subscribed to",
                ),
                Selection::Subscribed,
            ),
            (
                pulses::collection("public", "Public pulses".into(), "What every account may see"),
                Selection::Public,
            ),
            (own, Selection::Author(self.user)),
        ];
        let viewer = self.call.caller.viewer;
        let groups = self.call.read(|view| view.groups(viewer))?;
        for group in groups.into_iter().filter(|group| group.rank.is_some()) {
            let alias = format!("group_{}", group.id.0);
            let title = format!("Pulses of the group {}", group.name);
            let of = pulses::collection(&alias, title, &group.description);
            all.push((of, Selection::Group(group.id)));
        }
        Ok(all)
    }

    /// A collection, and what it has.
    fn find(&self, root: &str, name: &str) -> Result<Option<(Collection, Contents)>, Failure> {
        let is_it = |of: &Collection| of.id == name || of.alias.as_deref() == Some(name);
        if root == ROOT {
            if let Some((of, selection)) = self.of_pulses()?.into_iter().find(|(of, _)| is_it(of)) {
                return Ok(Some((of, Contents::Pulses(selection))));
            }
            if let Some(author) = name.strip_prefix("user_") {
                return self.of_author(author);
            }
        }
        let shelves = self.shelves(root)?;
        let found = shelves.into_iter().map(|shelf| (self.of_shelf(&shelf), shelf));
        let found = found.into_iter().find(|(of, _)| is_it(of));
        Ok(found.map(|(of, shelf)| (of, Contents::Objects(Box::new(shelf)))))
    }

    /// The pulses of another user.
    fn of_author(&self, name: &str) -> Result<Option<(Collection, Contents)>, Failure> {
        let viewer = self.call.caller.viewer;
        let user = self.call.read(|view| view.user(viewer, name))?;
        Ok(user.filter(|user| !user.is_suspended).map(|user| {
            let title = format!("Pulses of {}", user.name);
            let of =
                pulses::collection(&format!("user_{}", user.name), title, "Those that you may see");
            (of, Contents::Pulses(Selection::Author(user.id)))
        }))
    }

    /// The collections of objects of a root; the inbox is there before anything is in it.
    fn shelves(&self, root: &str) -> Result<Vec<Shelf>, Failure> {
        let user = self.user;
        let mut shelves = self.call.read(|view| view.shelves(root, user))?;
        if root == ROOT && !shelves.iter().any(|shelf| shelf.owner == Some(user)) {
            shelves.push(self.inbox());
        }
        Ok(shelves)
    }

    fn of_shelf(&self, shelf: &Shelf) -> Collection {
        Collection {
            id: shelf.id.clone(),
            title: shelf.title.clone(),
            description: shelf.description.clone(),
            alias: shelf.alias.clone(),
            can_read: shelf.is_readable,
            can_write: shelf.is_writable && self.call.caller.has(Scope::Write),
            media_types: shelf.media.split(' ').map(str::to_string).collect(),
        }
    }

    fn contents(&self, root: &str, of: &Collection) -> Result<Contents, Failure> {
        let name = of.alias.as_deref().unwrap_or(&of.id);
        let found = match self.find(root, &of.id)? {
            Some(found) => Some(found),
            None => self.find(root, name)?,
        };
        Ok(found.ok_or_else(Failure::not_found)?.1)
    }

    fn shelf(&self, root: &str, of: &Collection) -> Result<Shelf, Failure> {
        match self.contents(root, of)? {
            Contents::Objects(shelf) => Ok(*shelf),
            Contents::Pulses(_) => Err(Failure::forbidden("the collection cannot be written to")),
        }
    }
}

impl Library for SiteLibrary<'_> {
    fn discovery(&self) -> Discovery {
        let others = self.call.read(|view| view.shelf_roots()).unwrap_or_default();
        let others = others.into_iter().filter(|root| root != ROOT);
        Discovery {
            title: "wiresift exchange".into(),
            description: "Pulses of a threat exchange".into(),
            contact: None,
            roots: others.chain([ROOT.to_string()]).collect(),
            default: Some(ROOT.into()),
            addresses: None,
        }
    }

    fn title(&self, root: &str) -> Option<String> {
        if root == ROOT {
            return Some("Pulses".into());
        }
        let titles = self.call.read(|view| view.shelf_root_title(root)).ok()?;
        titles.filter(|title| !title.is_empty())
    }

    fn collections(&self, root: &str) -> Result<Vec<Collection>, Failure> {
        let mut all = Vec::new();
        if root == ROOT {
            all.extend(self.of_pulses()?.into_iter().map(|(of, _)| of));
        }
        all.extend(self.shelves(root)?.iter().map(|shelf| self.of_shelf(shelf)));
        Ok(all)
    }

    fn collection(&self, root: &str, name: &str) -> Result<Option<Collection>, Failure> {
        Ok(self.find(root, name)?.map(|(of, _)| of))
    }

    fn objects(&self, root: &str, of: &Collection, wanted: &Wanted<'_>) -> Result<Page, Failure> {
        let (viewer, home) = (self.call.caller.viewer, &self.call.settings().base);
        match self.contents(root, of)? {
            Contents::Pulses(selection) => {
                let page =
                    self.call.read(|view| pulses::page(view, (viewer, selection), home, wanted))?;
                if wanted.has_bodies && !page.entries.is_empty() {
                    self.call.note_reads(viewer, selection)?;
                }
                Ok(page)
            }
            Contents::Objects(shelf) => self.call.read(|view| {
                let heads = view.object_heads(shelf.key, wanted.object)?;
                let heads: Vec<Head> = heads.into_iter().map(head_of).collect();
                let (mut found, is_known) = select(&heads, wanted);
                let has_more = found.len() > wanted.limit;
                found.truncate(wanted.limit);
                let mut entries = Vec::with_capacity(found.len());
                for at in found {
                    let Head { id, version, spec, added } = heads[at].clone();
                    let body = match wanted.has_bodies {
                        true => view.object_body(shelf.key, added)?,
                        false => String::new(),
                    };
                    entries.push(Entry { added, id, version, spec, body });
                }
                Ok(Page { entries, has_more, resume: None, is_known })
            }),
        }
    }

    fn add(&self, root: &str, to: &Collection, objects: Vec<Value>) -> Result<Vec<Added>, Failure> {
        let shelf = self.shelf(root, to)?;
        let now = crate::clock::now();
        let is_inbox = shelf.alias.as_deref() == Some(INBOX) && shelf.owner.is_some();
        let mut draft = is_inbox.then(|| inbox::draft(&objects, now)).flatten();
        for indicator in draft.iter_mut().flat_map(|draft| &mut draft.indicators) {
            indicator.is_flagged = !self.call.site.warnings.of(indicator).is_empty();
        }
        let user = self.user;
        self.call
            .write(move |writes| add(writes, &shelf, objects, draft.map(|draft| (user, draft))))
    }

    fn delete(
        &self,
        root: &str,
        of: &Collection,
        id: &str,
        filter: &Filter,
    ) -> Result<bool, Failure> {
        let (shelf, id, filter) = (self.shelf(root, of)?, id.to_string(), filter.clone());
        self.call.write(move |writes| {
            let heads = writes.view().object_heads(shelf.key, Some(&id))?;
            let heads: Vec<Head> = heads.into_iter().map(head_of).collect();
            let wanted = Wanted {
                filter: &filter,
                object: Some(&id),
                after: None,
                limit: heads.len(),
                has_bodies: false,
                since: None,
            };
            let (found, _) = select(&heads, &wanted);
            for at in &found {
                writes.delete_object(shelf.key, heads[*at].added)?;
            }
            Ok(!found.is_empty())
        })
    }

    fn keep_status(&self, root: &str, id: &str, status: &Value) -> Result<(), Failure> {
        let (root, id, body, user) =
            (root.to_string(), id.to_string(), status.to_string(), self.user);
        self.call.write(move |writes| writes.keep_addition(&root, Some(user), (&id, &body)))
    }

    fn status(&self, root: &str, id: &str) -> Result<Option<Value>, Failure> {
        let user = self.user;
        let body = self.call.read(|view| view.addition(root, user, id))?;
        Ok(body.and_then(|body| serde_json::from_str(&body).ok()))
    }
}

fn head_of(head: ObjectHead) -> Head {
    let spec = if head.is_old { "2.0" } else { "2.1" };
    Head { id: head.id, version: head.version, spec, added: head.added }
}

/// Adds objects, and the draft of a pulse if any of them is new.
fn add(
    writes: &Writes<'_>,
    shelf: &Shelf,
    objects: Vec<Value>,
    draft: Option<(UserId, Draft)>,
) -> Outcome<Vec<Added>> {
    let shelf = writes.shelf(shelf)?;
    let mut outcome = Vec::with_capacity(objects.len());
    let mut is_new = false;
    for object in objects {
        let head = match Head::of(&object, writes.object_time()) {
            Ok(head) => head,
            Err(failure) => {
                outcome.push(failure);
                continue;
            }
        };
        let known = writes.view().object_heads(shelf.key, Some(&head.id))?;
        let known: Vec<Head> = known.into_iter().map(head_of).collect();
        let is_old = is_there(&known, &head, &object);
        if !is_old {
            writes.add_object(&shelf, &stored(&head), &object.to_string())?;
            is_new = true;
        }
        outcome.push(Added {
            id: head.id,
            version: head.version,
            message: is_old.then(|| "it was there already".into()),
            is_failure: false,
        });
    }
    if let Some((user, draft)) = draft.filter(|_| is_new) {
        writes.create_pulse(user, &draft, (true, None))?;
    }
    Ok(outcome)
}

fn stored(head: &Head) -> ObjectHead {
    ObjectHead {
        added: head.added,
        id: head.id.clone(),
        version: head.version.clone(),
        is_old: head.spec == "2.0",
    }
}

/// Replaces everything in some API roots with what a data file of medallion has: for its tests.
pub(super) fn install(call: &Call<'_>) -> Result<(), Failure> {
    let data = call.json()?;
    call.write(move |writes| {
        for (root, of) in data.as_object().into_iter().flatten() {
            if root.starts_with('/') {
                continue;
            }
            let title = of["information"]["title"].as_str().unwrap_or(root);
            writes.reset_shelf_root(root, title)?;
            for status in of["status"].as_array().into_iter().flatten() {
                let id = status["id"].as_str().unwrap_or("");
                writes.keep_addition(root, None, (id, &status.to_string()))?;
            }
            for collection in of["collections"].as_array().into_iter().flatten() {
                install_collection(writes, root, collection)?;
            }
        }
        Ok(())
    })
}

fn install_collection(writes: &Writes<'_>, root: &str, of: &Value) -> Outcome<()> {
    let text = |name: &str| of[name].as_str().map(str::to_string);
    let media = of["media_types"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let media: Vec<&str> = media.filter(|name| [STIX_20, STIX_21].contains(name)).collect();
    let shelf = writes.shelf(&Shelf {
        key: 0,
        root: root.to_string(),
        id: text("id").unwrap_or_default(),
        title: text("title").unwrap_or_default(),
        description: text("description"),
        alias: text("alias"),
        owner: None,
        is_readable: of["can_read"] == true,
        is_writable: of["can_write"] == true,
        media: media.join(" "),
    })?;
    let mut objects = Vec::new();
    for object in of["objects"].as_array().into_iter().flatten() {
        let version = object.get("modified").or_else(|| object.get("created"));
        let mut rows = of["manifest"].as_array().into_iter().flatten();
        let row = rows.find(|row| row["id"] == object["id"] && Some(&row["version"]) == version);
        let added = row.and_then(|row| Timestamp::parse(row["date_added"].as_str()?));
        objects.extend(added.and_then(|added| Some((Head::of(object, added).ok()?, object))));
    }
    // Theirs may share a time, ours may not: of two, the one of the newer STIX keeps it.
    objects.sort_by(|(a, _), (b, _)| a.added.cmp(&b.added).then(b.spec.cmp(a.spec)));
    let mut last = Timestamp(i64::MIN);
    for (mut head, object) in objects {
        head.added = head.added.max(Timestamp(last.0.saturating_add(1)));
        last = head.added;
        writes.add_object(&shelf, &stored(&head), &object.to_string())?;
    }
    Ok(())
}
