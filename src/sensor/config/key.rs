//! A key of a table, as the reference shows it.

/// What holds without a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing: it has to be there.
    Required,
    /// Nothing: it or its neighbour has to be there.
    OneOf,
    /// Nothing, and that is fine.
    Unset,
    /// A value, as it would be written.
    Value(String),
    /// What the text says.
    Text(&'static str),
}

/// A key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// What its value looks like, with bounds; a fragment of Markdown.
    pub form: String,
    /// What holds without it.
    pub fallback: Fallback,
    /// What it does; a fragment of Markdown.
    pub text: String,
}
