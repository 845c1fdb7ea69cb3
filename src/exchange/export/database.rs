//! Databases for sensors, made by the engine's own compiler.

use super::source::{About, Source, Visit};
use crate::engine::compile::Compiler;
use crate::engine::error::Result;
use crate::engine::indicator::{Context, Indicator as Claim, Kind, Scope};
use crate::exchange::pulses::{Indicator, Pulse, Type};
use std::path::Path;
use std::sync::Arc;

/// Compiles what a source has, and publishes it at `path`.
pub(super) fn build(about: &About, source: &dyn Source, path: &Path) -> Result<()> {
    let mut builder = Builder { about, compiler: Compiler::default(), base: Arc::default() };
    source.each(&mut builder)?;
    builder.compiler.publish(path, about.built)?;
    Ok(())
}

struct Builder<'a> {
    about: &'a About,
    compiler: Compiler,
    /// What the indicators of the pulse have in common.
    base: Arc<Context<'static>>,
}

impl Visit for Builder<'_> {
    fn pulse(&mut self, pulse: &Pulse) -> Result<()> {
        let own = |list: &[String]| list.iter().map(|text| text.clone().into()).collect();
        let mut context = Context::of_feed(self.about.exchange.clone());
        context.collection = Some(pulse.name.clone().into());
        context.collection_id = Some(pulse.id.to_string().into());
        context.tlp = Some(pulse.tlp);
        context.tags = own(&pulse.lists.tags);
        context.malware = own(&pulse.lists.malware_families);
        context.attack = own(&pulse.lists.attack_ids);
        context.references = own(&pulse.lists.references);
        if !pulse.adversary.is_empty() {
            context.adversary = vec![pulse.adversary.clone().into()];
        }
        self.base = Arc::new(context);
        Ok(())
    }

    fn indicator(&mut self, _: &Pulse, indicator: &Indicator) -> Result<()> {
        if !indicator.is_exported() || !self.about.takes(indicator.kind) {
            return Ok(());
        }
        let text = |text: &String| (!text.is_empty()).then(|| text.clone().into());
        let mut context = Context::clone(&self.base);
        context.id = Some(indicator.id.to_string().into());
        context.name = text(&indicator.title);
        context.description = text(&indicator.description);
        context.first_seen = Some(indicator.created);
        context.valid_until = indicator.expiration;
        context.modified = Some(indicator.changed.max(indicator.created));
        let scope = match indicator.kind {
            Type::Domain => Scope::Subtree,
            _ => Scope::Exact,
        };
        let (kind, value) = match indicator.kind {
            of if of.is_rule() => (Kind::Opaque, &indicator.content),
            of => (of.kind(), &indicator.value),
        };
        // What the engine would not compile isn't in the exchange, either; see `validate`.
        if let Ok(claim) = Claim::new(kind, value, scope, Arc::new(context)) {
            self.compiler.add(claim);
        }
        Ok(())
    }
}
