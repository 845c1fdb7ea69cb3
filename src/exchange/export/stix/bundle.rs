//! Bundles.

use super::object::{self, Author, Topic, indicator_id};
use crate::engine::error::{Error, Result};
use crate::exchange::export::source::{About, Out, Renderer};
use crate::exchange::export::uuid::Uuid;
use crate::exchange::pulses::{Indicator, Pulse};
use hashbrown::HashSet;
use serde_json::Value;

/// Writes a bundle: the objects of each pulse, and last its report.
pub(in crate::exchange::export) struct Bundle<'a> {
    about: &'a About,
    /// Authors whose identity was written.
    authors: HashSet<String>,
    current: Option<Current>,
    is_first: bool,
}

/// The pulse that is being written.
struct Current {
    pulse: Pulse,
    topics: Vec<Topic>,
    refs: Vec<String>,
}

impl<'a> Bundle<'a> {
    pub(in crate::exchange::export) fn new(about: &'a About) -> Self {
        Bundle { about, authors: HashSet::new(), current: None, is_first: true }
    }

    fn put(&mut self, out: &mut Out<'_>, object: &Value) -> Result<()> {
        let text = serde_json::to_string(object)
            .map_err(|error| Error::io("write the export", error.into()))?;
        out.put(if std::mem::take(&mut self.is_first) { "\n" } else { ",\n" })?;
        out.put(&text)
    }

    /// Writes the report of the pulse before.
    fn close(&mut self, out: &mut Out<'_>) -> Result<()> {
        let Some(Current { pulse, refs, .. }) = self.current.take() else { return Ok(()) };
        let by = Author::of(&self.about.home, &pulse);
        let report = object::report(&pulse, by, &refs);
        self.put(out, &report)
    }
}

impl Renderer for Bundle<'_> {
    fn begin(&mut self, out: &mut Out<'_>) -> Result<()> {
        let About { home, number, generation, .. } = self.about;
        let id = Uuid::of(&["bundle", home, &number.to_string(), &generation.to_string()]);
        out.put(&format!("{{\"type\":\"bundle\",\"id\":\"bundle--{id}\",\"objects\":["))
    }

    fn pulse(&mut self, out: &mut Out<'_>, pulse: &Pulse) -> Result<()> {
        self.close(out)?;
        let by = Author::of(&self.about.home, pulse);
        if self.authors.insert(pulse.author.name.clone()) {
            let identity = object::author(by);
            self.put(out, &identity)?;
        }
        let topics = object::topics(pulse);
        for topic in &topics {
            self.put(out, &topic.object(pulse, by))?;
        }
        let refs = topics.iter().map(|topic| topic.id().to_string()).collect();
        self.current = Some(Current { pulse: pulse.clone(), topics, refs });
        Ok(())
    }

    fn indicator(&mut self, out: &mut Out<'_>, pulse: &Pulse, indicator: &Indicator) -> Result<()> {
        if !indicator.is_exported() || !self.about.takes(indicator.kind) {
            return Ok(());
        }
        let by = Author::of(&self.about.home, pulse);
        let Some(object) = object::indicator(pulse, by, indicator) else { return Ok(()) };
        self.put(out, &object)?;
        let Some(mut current) = self.current.take() else { return Ok(()) };
        current.refs.push(indicator_id(pulse, indicator));
        for topic in &current.topics {
            if let Some(relation) = object::relation(pulse, by, indicator, topic) {
                self.put(out, &relation.object)?;
                current.refs.push(relation.id);
            }
        }
        self.current = Some(current);
        Ok(())
    }

    fn finish(&mut self, out: &mut Out<'_>) -> Result<()> {
        self.close(out)?;
        out.put("\n]}\n")
    }
}
