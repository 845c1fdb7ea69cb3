//! The public feeds that are known by name.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use toml_edit::Value;

/// What is known of a public feed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// What it is, in one line.
    pub about: String,
    /// What kind of subscription it is.
    #[serde(default = "list")]
    pub kind: String,
    /// Its address.
    pub url: String,
    /// How its documents are written; found from the content without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// About how many indicators it has.
    pub expected: String,
    /// On what terms it may be used, as far as we know. Its owner's word counts.
    pub licence: String,
    /// Other members of its subscription.
    #[serde(default, flatten, skip_serializing_if = "BTreeMap::is_empty")]
    pub more: BTreeMap<String, toml::Value>,
}

fn list() -> String {
    "list".into()
}

#[derive(Deserialize)]
struct File {
    entry: Vec<Entry>,
}

/// All entries, by name.
static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    // A test reads every entry of the file as a subscription.
    let file: Result<File, _> = toml::from_str(include_str!("catalogue.toml"));
    let mut entries = file.map(|file| file.entry).unwrap_or_default();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
});

/// All public feeds that are known, by name.
pub fn all() -> &'static [Entry] {
    &ALL
}

/// The public feed of a name.
pub fn find(name: &str) -> Option<&'static Entry> {
    all().iter().find(|entry| entry.name == name)
}

impl Entry {
    /// The members of its subscription.
    pub fn members(&self) -> Vec<(String, Value)> {
        let mut members = vec![("name".to_string(), Value::from(self.name.as_str()))];
        if self.kind != "list" {
            members.push(("kind".into(), self.kind.as_str().into()));
        }
        members.push(("url".into(), self.url.as_str().into()));
        members.extend(self.format.iter().map(|format| ("format".into(), format.as_str().into())));
        for (name, value) in &self.more {
            // Both crates write the same language.
            let value = value.to_string().parse().unwrap_or_else(|_| Value::from(""));
            members.push((name.clone(), value));
        }
        members
    }

    /// What stands above it in a configuration.
    pub fn comment(&self) -> Vec<String> {
        vec![self.about.clone(), format!("Expected: {}. Licence: {}", self.expected, self.licence)]
    }

    /// Whether it wants a credential.
    pub fn needs_key(&self) -> bool {
        self.more.contains_key("key_env")
    }
}
