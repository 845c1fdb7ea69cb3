//! Edits the configuration file while keeping its comments and its order.

use super::Config;
use crate::{Error, Result};
use std::io::Write as _;
use std::path::Path;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value};

/// The text of a new configuration.
const NEW: &str =
    "# Subscriptions of wiresift. `wiresift feed` edits this file and keeps what you write.\n";

/// Reads the text of a configuration, or returns a new one if the file does not
/// exist.
///
/// # Errors
///
/// The file exists but cannot be read.
pub fn read(path: &Path) -> Result<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(NEW.to_string()),
        Err(e) => Err(Error::io("open", e).at_path(path)),
    }
}

/// Adds a feed with these keys, in this order, and lines of comment above it. A
/// value that is valid TOML is taken as such, anything else as a string.
///
/// # Errors
///
/// The result is not a valid configuration, or the feed already exists.
pub fn add(
    text: &str,
    path: &Path,
    members: &[(String, Value)],
    comment: &[String],
) -> Result<String> {
    let mut document = parse(text, path)?;
    // A file that only contains comments keeps them at the top.
    let head =
        if document.is_empty() { document.trailing().as_str().map(str::to_string) } else { None };
    let mut table = Table::new();
    for (name, value) in members {
        table.insert(name, Item::Value(value.clone()));
    }
    let mut before = head.clone().unwrap_or_default();
    if head.is_some() {
        document.set_trailing("");
    }
    before.push('\n');
    for line in comment {
        before.push_str(&format!("# {line}\n"));
    }
    table.decor_mut().set_prefix(before);
    let feeds = document.entry("feed").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let feeds = feeds.as_array_of_tables_mut().ok_or_else(|| {
        Error::format("`feed` is not an array of tables").at_path(path).remedy("write [[feed]]")
    })?;
    feeds.push(table);
    // The file was valid before, so the error is in the new feed, which has no line
    // in the file.
    checked(document, path).map_err(Error::without_place)
}

/// Removes a feed.
///
/// # Errors
///
/// It does not exist.
pub fn remove(text: &str, path: &Path, name: &str) -> Result<String> {
    let mut document = parse(text, path)?;
    let (feeds, at) = find(&mut document, path, name)?;
    // A comment above a blank line belongs to the file, not to the feed.
    let before = feeds.get(at).and_then(|table| table.decor().prefix()?.as_str());
    let head = before.and_then(|before| before.rsplit_once("\n\n"));
    let head = head.filter(|(head, _)| !head.trim().is_empty());
    let head = head.map_or(String::new(), |(head, _)| format!("{head}\n"));
    feeds.remove(at);
    if let Some(next) = feeds.get_mut(at) {
        let own = next.decor().prefix().and_then(|own| own.as_str()).unwrap_or_default();
        let own = format!("{head}{own}");
        next.decor_mut().set_prefix(own);
    } else if !head.trim().is_empty() {
        let rest = document.trailing().as_str().unwrap_or_default();
        let rest = format!("{head}{rest}");
        document.set_trailing(rest);
    }
    if document.get("feed").and_then(Item::as_array_of_tables).is_some_and(ArrayOfTables::is_empty)
    {
        document.remove("feed");
    }
    checked(document, path)
}

/// The line (from 1) with the name of a feed.
pub fn line_of(text: &str, name: &str) -> Option<u64> {
    let document = toml_edit::Document::parse(text).ok()?;
    let feeds = document.get("feed")?.as_array_of_tables()?;
    let names = feeds.iter().filter_map(|table| table.get("name"));
    let at = names.filter(|it| it.as_str() == Some(name)).find_map(Item::span)?.start;
    Some(text.get(..at)?.matches('\n').count() as u64 + 1)
}

/// Enables or disables a feed.
///
/// # Errors
///
/// It does not exist.
pub fn enable(text: &str, path: &Path, name: &str, enabled: bool) -> Result<String> {
    let mut document = parse(text, path)?;
    let (feeds, at) = find(&mut document, path, name)?;
    if let Some(table) = feeds.get_mut(at) {
        if enabled {
            table.remove("enabled");
        } else {
            table.insert("enabled", toml_edit::value(false));
        }
    }
    checked(document, path)
}

fn find<'d>(
    document: &'d mut DocumentMut,
    path: &Path,
    name: &str,
) -> Result<(&'d mut ArrayOfTables, usize)> {
    let missing = || {
        Error::usage(format!("unknown feed “{name}”"))
            .at_path(path)
            .remedy("`wiresift feed list` lists them")
    };
    let feeds = document.get_mut("feed").and_then(Item::as_array_of_tables_mut);
    let feeds = feeds.ok_or_else(missing)?;
    let is_it = |table: &Table| table.get("name").and_then(Item::as_str) == Some(name);
    let at = feeds.iter().position(is_it).ok_or_else(missing)?;
    Ok((feeds, at))
}

fn parse(text: &str, path: &Path) -> Result<DocumentMut> {
    // The configuration's own parser gives better errors than toml_edit.
    Config::parse(text, path)?;
    let mut document: DocumentMut = text
        .parse()
        .map_err(|e: toml_edit::TomlError| Error::format(e.message().to_string()).at_path(path))?;
    // `feed = [{ … }]` means the same as tables, so convert it.
    if let Some(item) = document.get("feed").filter(|item| item.is_value()).cloned() {
        document.remove("feed");
        if let Ok(tables) = item.into_array_of_tables() {
            document.insert("feed", Item::ArrayOfTables(tables));
        }
    }
    Ok(document)
}

/// Returns the text if it is a valid configuration.
fn checked(document: DocumentMut, path: &Path) -> Result<String> {
    let text = document.to_string();
    Config::parse(&text, path)?;
    Ok(text)
}

/// Parses a value as TOML if possible, else as a string.
pub fn value(text: &str) -> Value {
    text.parse().unwrap_or_else(|_| Value::from(text))
}

/// Replaces the file atomically, so readers see either the old or the new one.
///
/// # Errors
///
/// The folder cannot be written.
pub fn save(path: &Path, text: &str) -> Result<()> {
    // Follow a link instead of replacing it.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let write = || {
        let mut part = tempfile::Builder::new().prefix(".wiresift-").tempfile_in(folder)?;
        part.write_all(text.as_bytes())?;
        if let Ok(old) = std::fs::metadata(&target) {
            part.as_file().set_permissions(old.permissions())?;
        }
        part.as_file().sync_all()?;
        part.persist(&target).map(drop).map_err(|e| e.error)
    };
    write().map_err(|e: std::io::Error| Error::io("write", e).at_path(path))
}
