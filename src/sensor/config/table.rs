//! Tables: types whose fields are keys of the configuration. One row declares a field, its key,
//! form, default and text; reading, writing and the reference follow from it.

use super::field::Pairs;
use super::key::Key;
use super::reader::Reader;

/// A table, or keys that several tables have.
pub(super) trait Table: Sized {
    /// What its defaults depend on.
    type Basis;

    /// Reads it. Returns `None` if something is invalid, after reporting it.
    fn read(basis: &Self::Basis, reader: &mut Reader<'_, '_>) -> Option<Self>;

    /// Its keys and values in TOML.
    fn pairs(&self, basis: &Self::Basis) -> Pairs;

    /// Its keys for the reference.
    fn keys(basis: &Self::Basis) -> Vec<Key>;

    /// Its description, for the reference.
    fn about() -> String;
}

/// What the kinds of inputs and sinks have in common besides their keys.
pub(super) trait Kind: Table {
    /// Reports contradictions.
    fn check(&self, _reader: &mut Reader<'_, '_>) {}

    /// What would run, in plain English, without its name.
    fn describe(&self) -> String;
}

/// Joins the lines of a comment.
pub(super) fn text_of_docs(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    lines.join(" ")
}

/// A type whose fields are keys:
///
/// ```text
/// table! {
///     /// About the table.
///     pub struct Name(basis: &Basis) {
///         /// About the key.
///         key: Type = Field;
///     }
/// }
/// ```
macro_rules! table {
    (
        $(#[doc = $about:literal])+
        $vis:vis struct $name:ident { $($fields:tt)* }
    ) => {
        $crate::sensor::config::table::table! {
            $(#[doc = $about])+
            $vis struct $name(_given: ()) { $($fields)* }
        }
    };
    (
        $(#[doc = $about:literal])+
        $vis:vis struct $name:ident($basis:ident: $basis_type:ty) {
            $(
                $(#[doc = $text:literal])+
                $key:ident: $type:ty = $field:expr;
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        $vis struct $name {
            $( $(#[doc = $text])+ $vis $key: $type, )+
        }

        impl $crate::sensor::config::table::Table for $name {
            type Basis = $basis_type;

            fn read(
                $basis: &$basis_type,
                reader: &mut $crate::sensor::config::reader::Reader<'_, '_>,
            ) -> Option<Self> {
                use $crate::sensor::config::field::{Field as _, typed};
                // Every key is read before an invalid one ends it.
                $( let $key = typed::<$type, _>($field).read(stringify!($key), reader); )+
                Some($name { $( $key: $key?, )+ })
            }

            fn pairs(&self, $basis: &$basis_type) -> $crate::sensor::config::field::Pairs {
                use $crate::sensor::config::field::{Field as _, typed};
                let mut pairs = Vec::new();
                $( typed::<$type, _>($field).write(stringify!($key), &self.$key, &mut pairs); )+
                pairs
            }

            fn keys($basis: &$basis_type) -> Vec<$crate::sensor::config::key::Key> {
                use $crate::sensor::config::field::{Field as _, typed};
                use $crate::sensor::config::table::text_of_docs;
                let mut keys = Vec::new();
                $(
                    let text = text_of_docs(&[$($text),+]);
                    typed::<$type, _>($field).keys(stringify!($key), &text, &mut keys);
                )+
                keys
            }

            fn about() -> String {
                $crate::sensor::config::table::text_of_docs(&[$($about),+])
            }
        }
    };
}
pub(super) use table;

/// The kinds of a table: `kind = "…"` decides which other keys it has.
macro_rules! kinds {
    (
        $(#[$about:meta])*
        pub enum $name:ident { $($(#[$doc:meta])* $variant:ident($type:ty) = $word:literal,)+ }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant($type),)+ }

        impl $name {
            /// The names of all kinds.
            pub const NAMES: &'static [&'static str] = &[$($word,)+];

            /// The name in the configuration.
            pub const fn name(&self) -> &'static str {
                match self { $($name::$variant(_) => $word,)+ }
            }

            /// Reads the keys of a known kind.
            pub(super) fn read(
                kind: &str,
                reader: &mut $crate::sensor::config::reader::Reader<'_, '_>,
            ) -> Option<Self> {
                use $crate::sensor::config::table::{Kind as _, Table as _};
                match kind {
                    $($word => {
                        let table = <$type>::read(&(), reader)?;
                        table.check(reader);
                        Some($name::$variant(table))
                    })+
                    _ => None,
                }
            }

            /// The keys and values of the kind in TOML.
            pub(super) fn pairs(&self) -> $crate::sensor::config::field::Pairs {
                use $crate::sensor::config::table::Table as _;
                match self { $($name::$variant(table) => table.pairs(&()),)+ }
            }

            /// What would run, in plain English.
            pub(super) fn describe(&self) -> String {
                use $crate::sensor::config::table::Kind as _;
                match self { $($name::$variant(table) => table.describe(),)+ }
            }

            /// The name, the text and the keys of each kind.
            pub(super) fn tables() -> Vec<(&'static str, String, Vec<$crate::sensor::config::Key>)> {
                use $crate::sensor::config::table::Table as _;
                vec![$(($word, <$type>::about(), <$type>::keys(&())),)+]
            }
        }
    };
}
pub(super) use kinds;
