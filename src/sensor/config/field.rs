//! Fields: the keys of a value, and its defaults.

use super::form::{FilePath, Form, Written, mistyped, text_of, write_text};
use super::key::{Fallback, Key};
use super::problem::Wrong;
use super::reader::Reader;
use super::table::Table;
use crate::sensor::secret::Credential;
use std::marker::PhantomData;
use std::path::Path;

/// Keys with their values in TOML, in the order of the reference.
pub(super) type Pairs = Vec<(String, String)>;

/// A member of a table.
pub(super) trait Field {
    /// What it means.
    type Value;

    /// Reads it. Returns `None` if it is invalid, after reporting that.
    fn read(&self, key: &'static str, reader: &mut Reader<'_, '_>) -> Option<Self::Value>;

    /// Writes it.
    fn write(&self, key: &'static str, value: &Self::Value, pairs: &mut Pairs);

    /// Describes its keys.
    fn keys(&self, key: &'static str, text: &str, keys: &mut Vec<Key>);
}

/// The same field, with an explicit type, where the type can't be inferred.
pub(super) fn typed<V, F: Field<Value = V>>(field: F) -> F {
    field
}

/// Reads a key, if it is present; `Err` if it is invalid.
fn read_key<F: Form>(
    form: &F,
    key: &'static str,
    reader: &mut Reader<'_, '_>,
) -> Result<Option<F::Value>, ()> {
    let Some(value) = reader.value(key) else { return Ok(None) };
    form.read(value, reader.parsing.base).map(Some).map_err(|wrong| {
        wrong.into_iter().for_each(|wrong| reader.wrong_value(key, wrong));
    })
}

fn key_of<F: Form>(form: &F, key: &str, text: &str, fallback: Fallback) -> Key {
    Key { name: key.to_string(), form: form.about(), fallback, text: text.to_string() }
}

/// A required key.
pub(super) struct Required<F>(pub(super) F);

impl<F: Form> Field for Required<F> {
    type Value = F::Value;

    fn read(&self, key: &'static str, reader: &mut Reader<'_, '_>) -> Option<F::Value> {
        let value = read_key(&self.0, key, reader).ok()?;
        if value.is_none() {
            reader.wrong(key, &format!("{key} is missing"), &format!("add {key} = …"));
        }
        value
    }

    fn write(&self, key: &'static str, value: &F::Value, pairs: &mut Pairs) {
        pairs.push((key.to_string(), self.0.write(value)));
    }

    fn keys(&self, key: &'static str, text: &str, keys: &mut Vec<Key>) {
        keys.push(key_of(&self.0, key, text, Fallback::Required));
    }
}

/// An optional key without a default.
pub(super) struct Optional<F>(pub(super) F);

impl<F: Form> Field for Optional<F> {
    type Value = Option<F::Value>;

    fn read(&self, key: &'static str, reader: &mut Reader<'_, '_>) -> Option<Self::Value> {
        read_key(&self.0, key, reader).ok()
    }

    fn write(&self, key: &'static str, value: &Self::Value, pairs: &mut Pairs) {
        pairs.extend(value.iter().map(|value| (key.to_string(), self.0.write(value))));
    }

    fn keys(&self, key: &'static str, text: &str, keys: &mut Vec<Key>) {
        keys.push(key_of(&self.0, key, text, Fallback::Unset));
    }
}

/// A key with a default.
pub(super) struct Or<F: Form>(pub(super) F, pub(super) F::Value);

impl<F: Form> Field for Or<F> {
    type Value = F::Value;

    fn read(&self, key: &'static str, reader: &mut Reader<'_, '_>) -> Option<F::Value> {
        read_key(&self.0, key, reader).ok().map(|value| value.unwrap_or_else(|| self.1.clone()))
    }

    fn write(&self, key: &'static str, value: &F::Value, pairs: &mut Pairs) {
        pairs.push((key.to_string(), self.0.write(value)));
    }

    fn keys(&self, key: &'static str, text: &str, keys: &mut Vec<Key>) {
        keys.push(key_of(&self.0, key, text, Fallback::Value(self.0.write(&self.1))));
    }
}

/// The keys of another table, as if they were written here.
pub(super) struct Flat<T: Table>(T::Basis, PhantomData<T>);

impl<T: Table> Flat<T> {
    pub(super) fn by(basis: T::Basis) -> Self {
        Flat(basis, PhantomData)
    }
}

impl<T: Table> Field for Flat<T> {
    type Value = T;

    fn read(&self, _key: &'static str, reader: &mut Reader<'_, '_>) -> Option<T> {
        T::read(&self.0, reader)
    }

    fn write(&self, _key: &'static str, value: &T, pairs: &mut Pairs) {
        pairs.extend(value.pairs(&self.0));
    }

    fn keys(&self, _key: &'static str, _text: &str, keys: &mut Vec<Key>) {
        keys.extend(T::keys(&self.0));
    }
}

/// The location of secrets: `KEY_env` and `KEY_file`, each a single one, or a list if several are
/// allowed.
pub(super) struct Secrets {
    /// The maximum number of secrets.
    pub(super) max: usize,
    /// Whether at least one is required.
    pub(super) is_required: bool,
}

impl Field for Secrets {
    type Value = Vec<Credential>;

    fn read(&self, key: &'static str, reader: &mut Reader<'_, '_>) -> Option<Self::Value> {
        let (env, file) = (format!("{key}_env"), format!("{key}_file"));
        let (mut found, mut is_right) = (Vec::new(), true);
        for (key, is_env) in [(&env, true), (&file, false)] {
            let Some(value) = reader.value(key) else { continue };
            match read_places(value, is_env, reader.parsing.base) {
                Ok(places) => found.extend(places),
                Err(wrong) => {
                    is_right = false;
                    wrong.into_iter().for_each(|wrong| reader.wrong_value(key, wrong));
                }
            }
        }
        if !is_right {
            return None;
        }
        if self.max == 1 && reader.has(&env) && reader.has(&file) {
            reader.conflict(&env, &file, "remove one of them");
            return None;
        }
        if found.len() > self.max {
            let key = if reader.has(&env) { &env } else { &file };
            reader.wrong(key, &format!("more than {} of {key}", self.max), "remove the others");
            return None;
        }
        if self.is_required && found.is_empty() {
            if reader.has_secret() {
                return None;
            }
            let remedy = "set one to a variable, or to a file with the secret on its first line";
            reader.wrong(&env, &format!("neither {env} nor {file} is set"), remedy);
            return None;
        }
        Some(found)
    }

    fn write(&self, key: &'static str, value: &Self::Value, pairs: &mut Pairs) {
        let of = |is_env: bool| -> Vec<String> {
            let texts = value.iter().filter_map(|place| match place {
                Credential::Env(name) if is_env => Some(write_text(name)),
                Credential::File(path) if !is_env => Some(write_text(&path.to_string_lossy())),
                _ => None,
            });
            texts.collect()
        };
        for (suffix, texts) in [("env", of(true)), ("file", of(false))] {
            match &texts[..] {
                [] => {}
                [one] => pairs.push((format!("{key}_{suffix}"), one.clone())),
                _ => pairs.push((format!("{key}_{suffix}"), format!("[{}]", texts.join(", ")))),
            }
        }
    }

    fn keys(&self, key: &'static str, text: &str, keys: &mut Vec<Key>) {
        let list = if self.max > 1 { "list: " } else { "" };
        let fallback = if self.is_required { Fallback::OneOf } else { Fallback::Unset };
        let mut push = |suffix: &str, form: &str, text: &str| {
            let (name, form) = (format!("{key}_{suffix}"), format!("{list}{form}"));
            keys.push(Key { name, form, fallback: fallback.clone(), text: text.to_string() });
        };
        push("env", "name of a variable", text);
        push("file", "path", "The same, in the first line of a file.");
    }
}

/// The locations that a value names, one or a list.
fn read_places(
    value: &Written<'_>,
    is_env: bool,
    base: &Path,
) -> Result<Vec<Credential>, Vec<Wrong>> {
    if let Some(array) = value.get_ref().as_array() {
        let mut places = Vec::new();
        for member in array.iter() {
            if member.get_ref().is_array() {
                return Err(mistyped(member, "a text", ""));
            }
            places.extend(read_places(member, is_env, base)?);
        }
        return Ok(places);
    }
    let text = text_of(value, if is_env { "WIRESIFT_KEY" } else { "wiresift.key" })?;
    if !is_env {
        let path = FilePath.read(value, base)?;
        return Ok(vec![Credential::File(path)]);
    }
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts && text.len() <= 128 && text.chars().all(is_letter) {
        return Ok(vec![Credential::Env(text.to_string())]);
    }
    // The value may be the secret itself, so it is not repeated.
    let remedy = "set it to the name of the variable, such as WIRESIFT_KEY, not to the secret";
    Err(vec![Wrong::new(value.span(), "invalid variable name", remedy)])
}

/// One secret, optional or required.
pub(super) struct Secret {
    /// Whether it is required.
    pub(super) is_required: bool,
}

impl Field for Secret {
    type Value = Option<Credential>;

    fn read(&self, key: &'static str, reader: &mut Reader<'_, '_>) -> Option<Self::Value> {
        let one = Secrets { max: 1, is_required: self.is_required };
        one.read(key, reader).map(|found| found.into_iter().next())
    }

    fn write(&self, key: &'static str, value: &Self::Value, pairs: &mut Pairs) {
        let places: Vec<Credential> = value.iter().cloned().collect();
        Secrets { max: 1, is_required: self.is_required }.write(key, &places, pairs);
    }

    fn keys(&self, key: &'static str, text: &str, keys: &mut Vec<Key>) {
        Secrets { max: 1, is_required: self.is_required }.keys(key, text, keys);
    }
}
