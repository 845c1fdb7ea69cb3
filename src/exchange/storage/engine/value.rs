//! Values that go to a database and come from it: numbers, texts, bytes, or nothing.

// SQLite does not ask what a parameter would be if it were there.
#![cfg_attr(not(feature = "postgres"), allow(dead_code))]

/// What a column or a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A number of 64 bits; flags are 0 and 1.
    Integer,
    /// A text.
    Text,
    /// Bytes.
    Bytes,
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// Nothing.
    Null,
    /// A number.
    Integer(i64),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// What can be a parameter.
pub(crate) trait ToSql {
    /// What it is, also where there is none.
    fn kind(&self) -> Kind;

    /// The value.
    fn value(&self) -> Value<'_>;
}

/// The kind of a type, without a value of it.
pub(crate) trait Kinded {
    /// The kind.
    const KIND: Kind;
}

/// What can be read from a column.
pub(crate) trait FromSql: Sized {
    /// The value; `None` if the column has something else.
    fn of(value: Value<'_>) -> Option<Self>;
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Kinded for $type {
            const KIND: Kind = Kind::Integer;
        }

        impl ToSql for $type {
            fn kind(&self) -> Kind {
                Kind::Integer
            }

            fn value(&self) -> Value<'_> {
                Value::Integer(i64::from(*self))
            }
        }
    )*};
}

integers!(i64, i32, i8, u32, u8, bool);

macro_rules! from_integers {
    ($($type:ty),*) => {$(
        impl FromSql for $type {
            fn of(value: Value<'_>) -> Option<$type> {
                match value {
                    Value::Integer(number) => number.try_into().ok(),
                    _ => None,
                }
            }
        }
    )*};
}

from_integers!(i64, i32, i8, u32, u8);

impl FromSql for bool {
    fn of(value: Value<'_>) -> Option<bool> {
        i64::of(value).map(|number| number != 0)
    }
}

impl FromSql for String {
    fn of(value: Value<'_>) -> Option<String> {
        match value {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        }
    }
}

impl FromSql for Vec<u8> {
    fn of(value: Value<'_>) -> Option<Vec<u8>> {
        match value {
            Value::Bytes(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}

impl<T: FromSql> FromSql for Option<T> {
    fn of(value: Value<'_>) -> Option<Option<T>> {
        match value {
            Value::Null => Some(None),
            value => T::of(value).map(Some),
        }
    }
}

macro_rules! borrowed {
    ($($type:ty: $kind:ident),*) => {$(
        impl Kinded for $type {
            const KIND: Kind = Kind::$kind;
        }

        impl ToSql for $type {
            fn kind(&self) -> Kind {
                Kind::$kind
            }

            fn value(&self) -> Value<'_> {
                Value::$kind(self)
            }
        }
    )*};
}

borrowed!(str: Text, String: Text, [u8]: Bytes);

impl<T: Kinded + ?Sized> Kinded for &T {
    const KIND: Kind = T::KIND;
}

impl<T: ToSql + ?Sized> ToSql for &T {
    fn kind(&self) -> Kind {
        (**self).kind()
    }

    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}

impl<T: ToSql + Kinded> ToSql for Option<T> {
    fn kind(&self) -> Kind {
        T::KIND
    }

    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToSql::value)
    }
}
