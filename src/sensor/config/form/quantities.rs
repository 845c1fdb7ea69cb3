//! Numbers, sizes, times, booleans.

use super::{Form, Written, mistyped, text_of};
use crate::engine::settings::{duration, duration_text, size, size_text};
use crate::sensor::config::problem::{Wrong, quoted};
use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

/// A number of milliseconds.
pub(in crate::sensor::config) const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A number of seconds.
pub(in crate::sensor::config) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A number of days.
pub(in crate::sensor::config) const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}

/// A number of KiB.
pub(in crate::sensor::config) const fn kib(count: u64) -> u64 {
    count << 10
}

/// A number of MiB.
pub(in crate::sensor::config) const fn mib(count: u64) -> u64 {
    count << 20
}

/// `true` or `false`.
pub(in crate::sensor::config) struct Flag;

impl Form for Flag {
    type Value = bool;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<bool, Vec<Wrong>> {
        let flag = value.get_ref().as_bool();
        flag.ok_or_else(|| mistyped(value, "true or false", "remove the quotation marks"))
    }

    fn write(&self, value: &bool) -> String {
        value.to_string()
    }

    fn about(&self) -> String {
        "`true` or `false`".into()
    }
}

/// A whole number.
pub(in crate::sensor::config) struct Number<T>(RangeInclusive<u64>, PhantomData<T>);

impl<T> Number<T> {
    /// The allowed range.
    pub(in crate::sensor::config) const fn of(range: RangeInclusive<u64>) -> Self {
        Number(range, PhantomData)
    }
}

impl<T: TryFrom<u64> + ToString + Clone> Form for Number<T> {
    type Value = T;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<T, Vec<Wrong>> {
        let (min, max) = (self.0.start(), self.0.end());
        let Some(integer) = value.get_ref().as_integer() else {
            let expected = format!("a whole number from {min} to {max}");
            return Err(mistyped(value, &expected, "remove the quotation marks"));
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.filter(|number| self.0.contains(number));
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
            let what = format!("invalid value {}", quoted(integer.as_str()));
            vec![Wrong::new(value.span(), what, format!("expected {min} to {max}"))]
        })
    }

    fn write(&self, value: &T) -> String {
        value.to_string()
    }

    fn about(&self) -> String {
        format!("number, {} to {}", self.0.start(), self.0.end())
    }
}

/// A size in bytes.
pub(in crate::sensor::config) struct Size(pub(in crate::sensor::config) RangeInclusive<u64>);

impl Form for Size {
    type Value = u64;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<u64, Vec<Wrong>> {
        // A number of bytes may be written without quotation marks.
        let integer = value.get_ref().as_integer().filter(|integer| integer.radix() == 10);
        let text = match integer {
            Some(integer) => integer.as_str(),
            None => text_of(value, "64M")?,
        };
        let wrong = |why: &str, remedy: String| {
            let what = format!("invalid size {}{why}", quoted(text));
            vec![Wrong::new(value.span(), what, remedy)]
        };
        let bytes =
            size(text).map_err(|why| wrong(&format!(": {why}"), "for example 64M".into()))?;
        if self.0.contains(&bytes) {
            return Ok(bytes);
        }
        Err(wrong("", format!("expected {}", self.bounds())))
    }

    fn write(&self, value: &u64) -> String {
        format!("\"{}\"", size_text(*value))
    }

    fn about(&self) -> String {
        format!("size, {}", self.bounds())
    }
}

impl Size {
    fn bounds(&self) -> String {
        format!("{} to {}", size_text(*self.0.start()), size_text(*self.0.end()))
    }
}

/// A time, with a resolution of a millisecond.
pub(in crate::sensor::config) struct Time(pub(in crate::sensor::config) RangeInclusive<Duration>);

impl Form for Time {
    type Value = Duration;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<Duration, Vec<Wrong>> {
        let text = text_of(value, "30s")?;
        let wrong = |why: &str, remedy: String| {
            let what = format!("invalid time {}{why}", quoted(text));
            vec![Wrong::new(value.span(), what, remedy)]
        };
        let time =
            duration(text).map_err(|why| wrong(&format!(": {why}"), "for example 30s".into()))?;
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let time = ms(milliseconds);
        if self.0.contains(&time) {
            return Ok(time);
        }
        Err(wrong("", format!("expected {}", self.bounds())))
    }

    fn write(&self, value: &Duration) -> String {
        format!("\"{}\"", duration_text(*value))
    }

    fn about(&self) -> String {
        format!("time, {}", self.bounds())
    }
}

impl Time {
    fn bounds(&self) -> String {
        format!("{} to {}", duration_text(*self.0.start()), duration_text(*self.0.end()))
    }
}
