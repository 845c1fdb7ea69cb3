//! Validates against the schemas: our own, which is in `docs`, and Suricata's, which is not
//! included.

use super::hits::{any_hit, every_kind_everywhere, origin, samples};
use super::{Format, encoded};
use crate::engine::alert::Provenance;
use crate::engine::scan::Hit;
use boon::{Compiler, SchemaIndex, Schemas};
use proptest::prelude::*;
use serde_json::Value;
use std::path::{Path, PathBuf};

pub(super) struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    fn open(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.enable_format_assertions();
        compiler.add_resource("alert.json", serde_json::from_str(&text).unwrap()).unwrap();
        let index = compiler.compile("alert.json", &mut schemas).unwrap();
        Schema { schemas, index }
    }

    fn check(&self, hit: &Hit<'_>, origin: &Provenance, format: Format) {
        self.check_text(&encoded(hit, origin, format));
    }

    pub(super) fn check_text(&self, text: &str) {
        assert_eq!(text.lines().count(), 1, "{text}");
        let value: Value = serde_json::from_str(text).expect(text);
        if let Err(error) = self.schemas.validate(&value, self.index) {
            panic!("{error:#}\n{value:#}");
        }
    }
}

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn ours() -> Schema {
    Schema::open(&project().join("docs/alert.schema.json"))
}

pub(super) fn suricata() -> Option<Schema> {
    let path = project().join("../shared/spec/eve.schema.json");
    if path.exists() {
        return Some(Schema::open(&path));
    }
    eprintln!("SKIPPED: Suricata's schema is not at {}", path.display());
    None
}

#[test]
fn json_keeps_the_contract() {
    let schema = ours();
    for hit in samples().into_iter().map(|(_, hit)| hit).chain(every_kind_everywhere()) {
        schema.check(&hit, &origin(), Format::Json);
        schema.check(&hit, &Provenance::default(), Format::Json);
    }
}

#[test]
fn json_keeps_the_contract_whatever_it_is_given() {
    let schema = ours();
    proptest!(|(hit in any_hit())| schema.check(&hit, &origin(), Format::Json));
}

#[test]
fn the_schema_is_strict() {
    let schema = ours();
    for (_, hit) in samples() {
        let record: Value = serde_json::from_str(&encoded(&hit, &origin(), Format::Json)).unwrap();
        for place in objects(&record, "") {
            let mut changed = record.clone();
            let object = changed.pointer_mut(&place).unwrap().as_object_mut().unwrap();
            object.insert("surplus".into(), true.into());
            let outcome = schema.schemas.validate(&changed, schema.index);
            assert!(outcome.is_err(), "a member more in {place:?} is taken");
        }
    }
}

/// Pointers to all objects inside `value`.
fn objects(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let inner = members.iter().flat_map(|(name, v)| objects(v, &format!("{at}/{name}")));
            std::iter::once(at.to_owned()).chain(inner).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(n, v)| objects(v, &format!("{at}/{n}"))).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn eve_is_what_suricata_writes() {
    let Some(schema) = suricata() else { return };
    for hit in samples().into_iter().map(|(_, hit)| hit).chain(every_kind_everywhere()) {
        schema.check(&hit, &origin(), Format::Eve);
    }
    proptest!(|(hit in any_hit())| schema.check(&hit, &origin(), Format::Eve));
}
