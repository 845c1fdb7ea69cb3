//! Alert records, read as any consumer does: by their names in the JSON.

use crate::harness::{project, skip};
use serde_json::Value;

/// The published schema of the records, if it exists.
pub struct Schema(Option<(boon::Schemas, boon::SchemaIndex)>);

impl Schema {
    /// Compiles `docs/alert.schema.json`.
    pub fn load() -> Schema {
        let path = project().join("docs/alert.schema.json");
        if !path.exists() {
            skip("validation of alerts", "there is no docs/alert.schema.json");
            return Schema(None);
        }
        let mut schemas = boon::Schemas::new();
        let location = path.to_str().unwrap();
        match boon::Compiler::new().compile(location, &mut schemas) {
            Ok(index) => Schema(Some((schemas, index))),
            Err(error) => panic!("docs/alert.schema.json: {error:#}"),
        }
    }

    /// What is wrong with a record, if anything.
    pub fn complaint(&self, record: &Value) -> Option<String> {
        let (schemas, index) = self.0.as_ref()?;
        schemas.validate(record, *index).err().map(|error| format!("{error:#}\n{record:#}"))
    }
}

/// A text member of a record, by its path; empty if it is missing.
pub fn text<'a>(record: &'a Value, pointer: &str) -> &'a str {
    record.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// The indicators of a record.
pub fn indicators(record: &Value) -> &[Value] {
    record["indicators"].as_array().map_or(&[], Vec::as_slice)
}

/// Records without the identifiers of alerts, for inputs that only differ in their name.
pub fn without_ids(records: &str) -> String {
    let mut kept = String::with_capacity(records.len());
    let mut rest = records;
    while let Some(at) = rest.find("\"id\":\"") {
        let id = &rest[at + 6..];
        kept.push_str(&rest[..at]);
        rest = &id[id.find('"').map_or(id.len(), |end| end + 1)..];
    }
    kept + rest
}
