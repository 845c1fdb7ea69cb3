//! A key of a table, as shown in the reference.

/// What applies without a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing: it is required.
    Required,
    /// Nothing: either it or its neighbour is required.
    OneOf,
    /// Nothing: it is optional.
    Unset,
    /// A default value, as it would be written.
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
    /// What applies without it.
    pub fallback: Fallback,
    /// What it does; a fragment of Markdown.
    pub text: String,
}
