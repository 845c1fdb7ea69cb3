//! Exports for the operator: to files, also of what no single account sees.

use super::format::{Format, misp_event};
use super::misp::event_uuid;
use super::scope::{Scope, Stored};
use super::source::{About, Source, Visit};
use crate::engine::error::{Error, Result};
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{GroupId, UserId, Viewer};
use crate::exchange::pulses::{Indicator, Pulse, PulseId, Type};
use crate::exchange::storage::{Selection, View, Which};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

/// What an operator exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DumpScope {
    /// Everything, also what only some may see.
    All,
    /// What every account may see.
    Public,
    /// All pulses of a user.
    User(String),
    /// The pulses of a group.
    Group(GroupId),
    /// One pulse.
    Pulse(PulseId),
}

impl DumpScope {
    /// Parses `all`, `public`, `user/NAME`, `group/NUMBER` or `pulse/ID`.
    ///
    /// # Errors
    ///
    /// It is none of these.
    pub fn parse(text: &str) -> Result<DumpScope> {
        let found = match text.split_once('/') {
            None if text == "all" => Some(DumpScope::All),
            None if text == "public" => Some(DumpScope::Public),
            Some(("user", name)) if !name.is_empty() => Some(DumpScope::User(name.into())),
            Some(("group", number)) => {
                number.parse().ok().map(|number| DumpScope::Group(GroupId(number)))
            }
            Some(("pulse", id)) => PulseId::parse(id).map(DumpScope::Pulse),
            _ => None,
        };
        found.ok_or_else(|| {
            Error::usage(format!("invalid scope “{text}”"))
                .remedy("expected all, public, user/NAME, group/NUMBER or pulse/ID")
        })
    }
}

/// What an operator exports, found in the storage.
pub struct Dump<'v> {
    view: &'v View<'v>,
    about: About,
    /// Whose eyes see which pulses.
    parts: Vec<(Viewer, Selection)>,
}

impl<'v> Dump<'v> {
    /// Finds a scope. `home` is the address of the server, without a slash at the end.
    ///
    /// # Errors
    ///
    /// There is no such user, group or pulse, or the storage fails.
    pub fn new(
        view: &'v View<'v>,
        scope: &DumpScope,
        (home, types): (&str, Vec<Type>),
    ) -> Result<Dump<'v>> {
        let missing = |what: String| Error::usage(format!("there is no {what}"));
        let everybody = Viewer::User(UserId(0));
        let (of, viewer) = match scope {
            DumpScope::All | DumpScope::Public => (Scope::Public, everybody),
            DumpScope::User(name) => {
                let user = view.user(Viewer::Nobody, name)?;
                let user = user.ok_or_else(|| missing(format!("user {name}")))?;
                (Scope::User(user.name), Viewer::User(user.id))
            }
            DumpScope::Group(group) => {
                // All members see the same.
                let member = view.members(*group)?.into_iter().next();
                let member = member.ok_or_else(|| missing(format!("group {}", group.0)))?;
                (Scope::Group(*group), Viewer::User(member.user))
            }
            DumpScope::Pulse(id) => {
                let owner = view.owner_of(id)?.ok_or_else(|| missing(format!("pulse {id}")))?;
                (Scope::Pulse(*id), Viewer::User(owner))
            }
        };
        let found = of.find(view, viewer)?.ok_or_else(|| missing(of.title()))?;
        let mut parts = vec![(viewer, found.selection)];
        let mut title = of.title();
        if *scope == DumpScope::All {
            title = "all pulses".into();
            let users = view.users(Viewer::Nobody, "", (false, false), (usize::MAX, 0))?.1;
            let all = users.into_iter().chain(view.suspended()?);
            parts = all.map(|user| (Viewer::User(user.id), Selection::Own)).collect();
        }
        let about = About {
            exchange: "wiresift exchange".into(),
            home: home.to_string(),
            title,
            number: found.number,
            generation: u64::try_from(view.now().0 >> 16).unwrap_or(0),
            built: view.now(),
            types,
        };
        Ok(Dump { view, about, parts })
    }

    /// Writes a file, which must not be there yet.
    ///
    /// # Errors
    ///
    /// The storage fails, or the file cannot be written.
    pub fn write(&self, format: Format, path: &Path) -> Result<()> {
        format.write(&self.about, &self.source(format.has_removed()), path)
    }

    /// Writes to any writer.
    ///
    /// # Errors
    ///
    /// The storage fails, or `out` does; a database can only be written to a file.
    pub fn render(&self, format: Format, out: &mut dyn std::io::Write) -> Result<()> {
        format.render(&self.about, &self.source(format.has_removed()), out)
    }

    /// Passes on each pulse with its indicators that are to be matched.
    ///
    /// # Errors
    ///
    /// Those of `visit` and of the storage.
    pub fn each(&self, visit: &mut dyn FnMut(&Pulse, &[Indicator]) -> Result<()>) -> Result<()> {
        let parts = Parts { dump: self, which: Which::Active };
        let mut whole = Whole { visit, last: None };
        parts.each(&mut whole)?;
        whole.flush()
    }

    /// Writes a folder that MISP reads as a feed, which must not be there yet.
    ///
    /// # Errors
    ///
    /// The storage fails, or a file cannot be written.
    pub fn write_misp(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir(folder)
            .map_err(|error| Error::io("create the folder", error).at_path(folder))?;
        let mut pulses: Vec<(Viewer, i64, String)> = Vec::new();
        let mut note = |pulse: &Pulse, _: &[Indicator]| {
            let uuid = event_uuid(pulse).to_string();
            pulses.push((Viewer::User(pulse.author.id), pulse.key, uuid));
            Ok(())
        };
        self.each(&mut note)?;
        for (viewer, key, uuid) in pulses {
            let source = self.stored(viewer, Selection::Pulse(key), Which::Removed);
            let path = folder.join(format!("{uuid}.json"));
            let failed = |error| Error::io("write the export", error).at_path(&path);
            let mut file = BufWriter::new(File::create(&path).map_err(failed)?);
            misp_event(&self.about, &source, &mut file)?;
            file.flush().map_err(failed)?;
        }
        self.write(Format::MispHashes, &folder.join("hashes.csv"))?;
        // The last, since it says that the others are there.
        self.write(Format::MispManifest, &folder.join("manifest.json"))
    }

    /// When the export is of.
    pub fn built(&self) -> Timestamp {
        self.about.built
    }

    fn stored(&self, viewer: Viewer, selection: Selection, which: Which) -> Stored<'v> {
        let (view, types) = (self.view, self.about.types.clone());
        Stored { view, viewer, selection, which, types, min_confidence: 0, has_deleted: false }
    }

    fn source(&self, has_removed: bool) -> Parts<'_, 'v> {
        Parts { dump: self, which: if has_removed { Which::Removed } else { Which::Exported } }
    }
}

/// The parts, one after the other.
struct Parts<'d, 'v> {
    dump: &'d Dump<'v>,
    which: Which,
}

impl Source for Parts<'_, '_> {
    fn each(&self, visit: &mut dyn Visit) -> Result<()> {
        for (viewer, selection) in &self.dump.parts {
            self.dump.stored(*viewer, *selection, self.which).each(visit)?;
        }
        Ok(())
    }
}

/// Collects the indicators of each pulse.
struct Whole<'a> {
    visit: &'a mut dyn FnMut(&Pulse, &[Indicator]) -> Result<()>,
    last: Option<(Pulse, Vec<Indicator>)>,
}

impl Whole<'_> {
    fn flush(&mut self) -> Result<()> {
        match self.last.take() {
            Some((pulse, indicators)) => (self.visit)(&pulse, &indicators),
            None => Ok(()),
        }
    }
}

impl Visit for Whole<'_> {
    fn pulse(&mut self, pulse: &Pulse) -> Result<()> {
        self.flush()?;
        self.last = Some((pulse.clone(), Vec::new()));
        Ok(())
    }

    fn indicator(&mut self, _: &Pulse, indicator: &Indicator) -> Result<()> {
        if let Some((_, indicators)) = &mut self.last {
            indicators.push(indicator.clone());
        }
        Ok(())
    }
}
