//! The catalogue of public feeds, compiled into the program.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use toml_edit::Value;

/// What the catalogue says about a public feed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CatalogueEntry {
    /// The name.
    pub name: String,
    /// A description in one line.
    pub about: String,
    /// The kind of its subscription.
    #[serde(default = "list")]
    pub kind: String,
    /// Its address.
    pub url: String,
    /// The format of its documents; detected from the content if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The approximate number of indicators.
    pub expected: String,
    /// The terms of use as far as we know. Only what the owner says is binding.
    pub licence: String,
    /// Further keys of its subscription.
    #[serde(default, flatten, skip_serializing_if = "BTreeMap::is_empty")]
    pub more: BTreeMap<String, toml::Value>,
}

fn list() -> String {
    "list".into()
}

#[derive(Deserialize)]
struct File {
    entry: Vec<CatalogueEntry>,
}

/// All entries, sorted by name.
static ALL: LazyLock<Vec<CatalogueEntry>> = LazyLock::new(|| {
    // Tests parse the file and read every entry as a subscription, so this cannot
    // fail.
    let file: Result<File, _> = toml::from_str(include_str!("catalogue.toml"));
    let mut entries = file.map(|file| file.entry).unwrap_or_default();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
});

/// Returns all public feeds in the catalogue, sorted by name.
pub fn all() -> &'static [CatalogueEntry] {
    &ALL
}

/// Finds a public feed by name.
pub fn find(name: &str) -> Option<&'static CatalogueEntry> {
    all().iter().find(|entry| entry.name == name)
}

impl CatalogueEntry {
    /// The keys of its subscription.
    pub fn members(&self) -> Vec<(String, Value)> {
        let mut members = vec![("name".to_string(), Value::from(self.name.as_str()))];
        if self.kind != "list" {
            members.push(("kind".into(), self.kind.as_str().into()));
        }
        members.push(("url".into(), self.url.as_str().into()));
        members.extend(self.format.iter().map(|format| ("format".into(), format.as_str().into())));
        for (name, value) in &self.more {
            // Both crates implement TOML 1.0, so the text of one parses in the
            // other.
            let value = value.to_string().parse().unwrap_or_else(|_| Value::from(""));
            members.push((name.clone(), value));
        }
        members
    }

    /// The comment to put above it in a configuration.
    pub fn comment(&self) -> Vec<String> {
        vec![self.about.clone(), format!("Expected: {}. Licence: {}", self.expected, self.licence)]
    }

    /// Whether it requires a credential.
    pub fn needs_key(&self) -> bool {
        self.more.contains_key("key_env")
    }
}
