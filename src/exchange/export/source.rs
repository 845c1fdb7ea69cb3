//! What is exported: pulses with their indicators, one after the other, so that an export of any
//! size needs little memory.

use crate::engine::error::{Error, Result};
use crate::engine::indicator::Timestamp;
use crate::exchange::pulses::{Indicator, Pulse, Type};
use std::io::Write;

/// The pulses of a scope. Whoever implements it shows only what the caller may see, and only
/// indicators that were not suppressed.
pub trait Source {
    /// Passes on each pulse, and after it each of its indicators, those that are inactive or were
    /// removed too.
    ///
    /// # Errors
    ///
    /// Those of the storage and of `visit`.
    fn each(&self, visit: &mut dyn Visit) -> Result<()>;

    /// Passes on the normalised values of exported indicators, each at least once, in any order.
    /// Answers when the first of the indicators expires, or the end of time. `None`, and nothing
    /// is passed on, if it has no faster way to them than [`Source::each`].
    ///
    /// # Errors
    ///
    /// Those of the storage and of `take`.
    fn values(&self, _take: &mut dyn FnMut(Type, &str) -> Result<()>) -> Result<Option<Timestamp>> {
        Ok(None)
    }
}

/// Receives what a [`Source`] passes on.
pub trait Visit {
    /// A pulse.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    fn pulse(&mut self, pulse: &Pulse) -> Result<()>;

    /// An indicator of the last pulse.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    fn indicator(&mut self, pulse: &Pulse, indicator: &Indicator) -> Result<()>;
}

/// What an export is about.
#[derive(Clone, Debug)]
pub struct About {
    /// The name of the exchange.
    pub exchange: String,
    /// Its public address, without a slash at the end.
    pub home: String,
    /// The scope in words, for people.
    pub title: String,
    /// The number of the scope, the same for as long as the scope exists.
    pub number: u32,
    /// Rises with each change of what is exported.
    pub generation: u64,
    /// The time of the export.
    pub built: Timestamp,
    /// Only these types; empty for those that a format has by default.
    pub types: Vec<Type>,
}

impl About {
    /// Whether indicators of a type were asked for.
    pub(super) fn takes(&self, kind: Type) -> bool {
        self.types.is_empty() || self.types.contains(&kind)
    }

    /// The page of a pulse.
    pub(super) fn page(&self, pulse: &Pulse) -> String {
        format!("{}/pulse/{}", self.home, pulse.id)
    }
}

/// The value that machines compare: normalised, unless the spelling is part of it.
pub(super) fn machine_value(indicator: &Indicator) -> &str {
    match indicator.kind {
        Type::FilePath | Type::Mutex => &indicator.value,
        _ => &indicator.norm,
    }
}

/// Whether an indicator was kept out of everything since it was added: it was suppressed within
/// a minute, so that nobody has it.
pub fn was_never_shown(indicator: &Indicator) -> bool {
    let age = indicator.changed.0.saturating_sub(indicator.created.0);
    indicator.is_suppressed && age < 60_000_000
}

/// Where an export goes.
pub(super) struct Out<'w>(&'w mut dyn Write);

impl<'w> Out<'w> {
    pub(super) fn new(to: &'w mut dyn Write) -> Self {
        Out(to)
    }

    /// Writes a text.
    pub(super) fn put(&mut self, text: &str) -> Result<()> {
        self.bytes(text.as_bytes())
    }

    /// Writes bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write_all(bytes).map_err(|error| Error::io("write the export", error))
    }
}

/// Writes one format. What it can't say is left out, never changed.
pub(super) trait Renderer {
    /// The beginning of the file.
    fn begin(&mut self, _: &mut Out<'_>) -> Result<()> {
        Ok(())
    }

    /// A pulse.
    fn pulse(&mut self, _: &mut Out<'_>, _: &Pulse) -> Result<()> {
        Ok(())
    }

    /// An indicator of the last pulse.
    fn indicator(&mut self, out: &mut Out<'_>, pulse: &Pulse, indicator: &Indicator) -> Result<()>;

    /// Whether values are enough for it: it gets no pulses and indicators then, if its source has
    /// a faster way to their values.
    fn needs_only_values(&self) -> bool {
        false
    }

    /// A value of an exported indicator.
    fn value(&mut self, _: Type, _: &str) -> Result<()> {
        Ok(())
    }

    /// The end of the file.
    fn finish(&mut self, _: &mut Out<'_>) -> Result<()> {
        Ok(())
    }
}

/// Passes what a source has to a renderer.
pub(super) fn run(
    renderer: &mut dyn Renderer,
    source: &dyn Source,
    out: &mut dyn Write,
) -> Result<()> {
    let mut out = Out::new(out);
    renderer.begin(&mut out)?;
    if renderer.needs_only_values()
        && source.values(&mut |kind, value| renderer.value(kind, value))?.is_some()
    {
        return renderer.finish(&mut out);
    }
    let mut through = Through { renderer, out };
    source.each(&mut through)?;
    let Through { renderer, mut out } = through;
    renderer.finish(&mut out)
}

struct Through<'a, 'w> {
    renderer: &'a mut dyn Renderer,
    out: Out<'w>,
}

impl Visit for Through<'_, '_> {
    fn pulse(&mut self, pulse: &Pulse) -> Result<()> {
        self.renderer.pulse(&mut self.out, pulse)
    }

    fn indicator(&mut self, pulse: &Pulse, indicator: &Indicator) -> Result<()> {
        self.renderer.indicator(&mut self.out, pulse, indicator)
    }
}
