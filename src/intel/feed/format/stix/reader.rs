//! Turns bundles and envelopes into indicators.

use super::pattern;
use super::tlp;
use crate::engine::error::Result;
use crate::engine::indicator::{
    Context, Indicator, Kind, Reason, Role, Scope, Severity, Timestamp, Value as Text,
};
use crate::intel::feed::contexts::{owned, push_once};
use crate::intel::feed::intake::Intake;
use crate::intel::feed::json::{self, Object};
use crate::intel::feed::table::columns;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// Reads bundles and envelopes.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) -> Result<()> {
    let documents = json::parse_all(text)?;
    let mut objects = Vec::new();
    for document in &documents {
        for entry in json::each(document) {
            let Value::Object(entry) = entry else { continue };
            if entry.contains_key("objects") {
                objects.extend(json::array(entry, "objects").iter().filter_map(Value::as_object));
            } else if entry.contains_key("type") {
                objects.push(entry);
            }
        }
    }
    let graph = Graph::of(&objects);
    for object in &graph.indicators {
        read_indicator(object, &graph, intake);
    }
    Ok(())
}

/// The objects by identifier, and the links between them.
#[derive(Default)]
struct Graph<'v> {
    by_id: HashMap<&'v str, &'v Object>,
    /// The latest version of each indicator, in the order of the file.
    indicators: Vec<&'v Object>,
    /// From an indicator to what it indicates.
    indicates: HashMap<&'v str, Vec<&'v str>>,
    /// From an object to the first report or grouping that contains it.
    collections: HashMap<&'v str, &'v Object>,
}

impl<'v> Graph<'v> {
    /// Indexes the objects of a bundle. Of several versions of an object, the
    /// latest counts.
    fn of(objects: &[&'v Object]) -> Self {
        let mut graph = Graph::default();
        for &object in objects {
            let Some(id) = string(object, "id") else { continue };
            let known = graph.by_id.entry(id).or_insert(object);
            // Equal times keep the first one, so a duplicate changes nothing.
            if modified(object) > modified(known) {
                *known = object;
            }
        }
        // Only after all versions are known can the links be followed: objects come in any order.
        for &object in objects {
            let id = string(object, "id");
            if id.is_some_and(|id| !std::ptr::eq(graph.by_id[id], object)) {
                continue;
            }
            // A revoked object must not describe others.
            let revoked = json::truth(object, "revoked") == Some(true);
            if revoked && string(object, "type") != Some("indicator") {
                continue;
            }
            match string(object, "type") {
                Some("indicator") => graph.indicators.push(object),
                Some("relationship") => graph.link(object),
                Some("report" | "grouping") => {
                    for member in
                        json::array(object, "object_refs").iter().filter_map(Value::as_str)
                    {
                        // An alert names one collection; the first one in the file is as good as
                        // any.
                        graph.collections.entry(member).or_insert(object);
                    }
                }
                _ => {}
            }
        }
        graph
    }

    /// Adds a relationship, if it says what an indicator indicates.
    fn link(&mut self, relationship: &'v Object) {
        if let (Some("indicates"), Some(from), Some(to)) = (
            string(relationship, "relationship_type"),
            string(relationship, "source_ref"),
            string(relationship, "target_ref"),
        ) {
            self.indicates.entry(from).or_default().push(to);
        }
    }
}

/// A member that is a string.
fn string<'v>(object: &'v Object, name: &str) -> Option<&'v str> {
    object.get(name)?.as_str()
}

/// When this version of an object was made; versions are ordered by it.
fn modified(object: &Object) -> Option<Timestamp> {
    json::time(object, "modified")
}

/// Reads an indicator and passes on what its pattern claims.
fn read_indicator(object: &Object, graph: &Graph<'_>, intake: &mut Intake<'_>) {
    if !is_for_detection(object) && intake.drops(Reason::NotForDetection) {
        let pattern = string(object, "pattern").unwrap_or("");
        let detail = "its platform excludes it from detection";
        return intake.reject(pattern, Reason::NotForDetection, Some(detail.into()));
    }
    let context = context_of(object, graph, intake);
    let Some(pattern) = string(object, "pattern") else {
        let id = string(object, "id").unwrap_or("");
        intake.reject(id, Reason::Malformed, Some("an indicator without a pattern".into()));
        return;
    };
    match string(object, "pattern_type") {
        None | Some("stix") => put_pattern(pattern, &context, intake),
        Some(other) => {
            put_opaque(pattern, &context, intake);
            intake.reject(pattern, Reason::Ignored, Some(format!("pattern_type {other}")));
        }
    }
}

/// Whether OpenCTI marks it as usable for detection: in a member of its own, and
/// since version 5 in an extension. Objects of other platforms are.
fn is_for_detection(object: &Object) -> bool {
    let no = |object: &Object, name: &str| json::truth(object, name) == Some(false);
    let extensions = object.get("extensions").and_then(Value::as_object);
    let mut extensions = extensions.into_iter().flat_map(|all| all.values());
    !no(object, "x_opencti_detection")
        && !extensions.any(|of| of.as_object().is_some_and(|of| no(of, "detection")))
}

/// Compiles a pattern and passes on what it claims. Parts that cannot be claimed
/// are rejected with a reason, and stored as opaque if nothing else of the pattern
/// is.
pub(in crate::intel::feed) fn put_pattern(
    pattern: &str,
    context: &Context<'static>,
    intake: &mut Intake<'_>,
) {
    let compiled = pattern::compile(pattern);
    if !compiled.unsupported.is_empty() {
        let detail = compiled.unsupported.join("; ");
        intake.reject(pattern, Reason::UnsupportedPattern, Some(detail));
        if compiled.claims.is_empty() {
            put_opaque(pattern, context, intake);
        }
    }
    let shared = Arc::new(context.clone());
    for claim in compiled.claims {
        let plain = claim.direction.is_none()
            && claim.proto.is_none()
            && claim.name.is_none()
            && claim.start.is_none();
        let own = if plain { Arc::clone(&shared) } else { Arc::new(narrowed(context, &claim)) };
        let scope = match claim.kind {
            Kind::Domain if claim.scope == Scope::Exact => {
                let subtree = intake.options.stix_domain_subtree;
                intake.domain_scope(if subtree { Scope::Subtree } else { Scope::Exact })
            }
            _ => claim.scope,
        };
        intake.typed(claim.kind, &claim.value, scope, &own);
    }
}

/// The context of a claim that holds only in part: for a direction, a protocol, a
/// file name or a time range.
fn narrowed(context: &Context<'static>, claim: &pattern::Claim) -> Context<'static> {
    let mut context = context.clone();
    context.direction = claim.direction;
    context.proto = claim.proto.clone().map(Into::into);
    context.valid_from = context.valid_from.max(claim.start);
    context.valid_until = match (context.valid_until, claim.stop) {
        // Both limits apply, so the earlier one does.
        (Some(until), Some(stop)) => Some(until.min(stop)),
        (until, stop) => until.or(stop),
    };
    if let Some(name) = &claim.name {
        context.name = context.name.or_else(|| owned(name));
    }
    context
}

/// Stores a pattern that is never matched, so that a lookup of its text finds it.
fn put_opaque(pattern: &str, context: &Context<'static>, intake: &mut Intake<'_>) {
    intake.put(Indicator {
        kind: Kind::Opaque,
        value: Text::Text(pattern.trim().into()),
        scope: Scope::Exact,
        raw: None,
        context: Arc::new(context.clone()),
    });
}

/// The context of an indicator, from its own members and from the objects that
/// refer to it or that it refers to.
fn context_of(object: &Object, graph: &Graph<'_>, intake: &Intake<'_>) -> Context<'static> {
    let mut context = intake.base();
    context.id = json::own(object, "id");
    context.name = json::own(object, "name");
    context.description = json::own(object, "description");
    context.valid_from = json::time(object, "valid_from");
    context.valid_until = json::time(object, "valid_until");
    context.modified = json::time(object, "modified");
    context.inactive = json::truth(object, "revoked") == Some(true);
    let confidence = object.get("confidence").and_then(Value::as_u64);
    context.confidence =
        confidence.and_then(|c| u8::try_from(c).ok()).filter(|c| *c <= 100).or(context.confidence);
    for name in ["labels", "indicator_types"] {
        for label in json::array(object, name).iter().filter_map(Value::as_str) {
            // STIX's word for what is not suspicious or malicious in itself.
            if label == "benign" {
                context.role = Role::Allow;
            }
            if let Some(severity) = label.strip_prefix("severity:").and_then(Severity::from_name) {
                context.severity = Some(severity);
            }
            columns::add_tag(&mut context, label);
        }
    }
    for phase in json::array(object, "kill_chain_phases").iter().filter_map(Value::as_object) {
        if let Some(name) = string(phase, "phase_name") {
            columns::add_tag(&mut context, &format!("kill-chain:{name}"));
        }
    }
    references(object, &mut context);
    let id = string(object, "id").unwrap_or("");
    if let Some(collection) = graph.collections.get(id) {
        context.collection = json::own(collection, "name");
        context.collection_id = json::own(collection, "id");
    }
    if let Some(maker) = string(object, "created_by_ref").and_then(|id| graph.by_id.get(id))
        && let Some(name) = string(maker, "name")
    {
        columns::add_tag(&mut context, &format!("created-by:{name}"));
    }
    for target in graph.indicates.get(id).into_iter().flatten() {
        let target = graph.by_id.get(target);
        if let Some(target) = target.filter(|t| json::truth(t, "revoked") != Some(true)) {
            indicated(target, &mut context);
        }
    }
    let level = json::array(object, "object_marking_refs")
        .iter()
        .filter_map(Value::as_str)
        .filter_map(|id| tlp::of_id(id).or_else(|| tlp::of_marking(graph.by_id.get(id)?)))
        // Of several markings, the most restrictive applies.
        .max();
    context.tlp = level.or(context.tlp);
    context
}

/// Reads links, and techniques of ATT&CK among them.
fn references(object: &Object, context: &mut Context<'static>) {
    for reference in json::array(object, "external_references").iter().filter_map(Value::as_object)
    {
        if let Some(technique) = technique(reference) {
            push_once(&mut context.attack, technique);
        } else if let Some(url) = string(reference, "url") {
            push_once(&mut context.references, url);
        }
    }
}

/// The technique of ATT&CK that a reference names, such as `T1566.001`.
fn technique(reference: &Object) -> Option<&str> {
    let id = string(reference, "external_id")?;
    let attack = string(reference, "source_name")?.starts_with("mitre-");
    (attack && id.starts_with('T')).then_some(id)
}

/// Adds what an indicator indicates.
fn indicated(target: &Object, context: &mut Context<'static>) {
    let aliases = || json::array(target, "aliases").iter().filter_map(Value::as_str);
    let names = || string(target, "name").into_iter().chain(aliases());
    match string(target, "type") {
        Some("malware" | "tool") => names().for_each(|name| push_once(&mut context.malware, name)),
        Some("intrusion-set" | "threat-actor" | "campaign") => {
            names().for_each(|name| push_once(&mut context.adversary, name));
        }
        Some("attack-pattern") => {
            let references = json::array(target, "external_references");
            for id in references.iter().filter_map(Value::as_object).filter_map(technique) {
                push_once(&mut context.attack, id);
            }
        }
        Some("infrastructure") => {
            names().for_each(|name| columns::add_tag(context, &format!("infrastructure:{name}")));
        }
        _ => {}
    }
}
