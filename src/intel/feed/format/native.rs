//! wiresift's own JSON lines: one indicator per line with all its context, so that
//! reading a written file gives the same indicators.

use crate::engine::error::{Error, Result};
use crate::engine::indicator::{
    Context, Direction, Indicator, Kind, Reason, Role, Scope, Severity, Timestamp, Tlp,
    context_members,
};
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::Lines;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

/// The version of the format, in the member that identifies it.
const VERSION: u8 = 1;

macro_rules! record {
    ($($(#[$doc:meta])* $name:ident: $type:ty, $bit:literal, $json:literal;)*) => {
        /// One line. Empty members are omitted.
        #[derive(Serialize, Deserialize, Default)]
        #[serde(default)]
        struct Record<'a> {
            wiresift: u8,
            kind: Cow<'a, str>,
            value: Cow<'a, str>,
            scope: Cow<'a, str>,
            #[serde(skip_serializing_if = "is_default")]
            raw: Option<Cow<'a, str>>,
            feed: Cow<'a, str>,
            $(
                #[serde(rename = $json, skip_serializing_if = "is_default")]
                $name: <$type as Member>::Form<'a>,
            )*
        }

        /// The record of an indicator.
        fn record_of(indicator: &Indicator) -> Record<'_> {
            let context = &*indicator.context;
            Record {
                wiresift: VERSION,
                kind: indicator.kind.name().into(),
                value: indicator.value.to_string().into(),
                scope: indicator.scope.name().into(),
                raw: indicator.raw.as_deref().map(Cow::Borrowed),
                feed: Cow::Borrowed(&context.feed),
                $($name: context.$name.form(),)*
            }
        }

        /// The context of a record. What it lacks comes from the options.
        fn context_of(record: Record<'_>, base: Context<'static>) -> Context<'static> {
            Context {
                feed: if record.feed.is_empty() { base.feed } else { own(record.feed) },
                $($name: Member::read(record.$name, base.$name),)*
            }
        }
    };
}
context_members!(record);

fn is_default<T: Default + PartialEq>(form: &T) -> bool {
    *form == T::default()
}

/// How members of a type are represented in a record.
trait Member: Sized {
    type Form<'a>: Default;
    /// The representation of a member.
    fn form(&self) -> Self::Form<'_>;
    /// Reads a member, or returns `base` if the record does not contain it.
    fn read(form: Self::Form<'_>, base: Self) -> Self;
}

fn own(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

/// Writes indicators as JSON lines that [`read`](super::read()) turns back into the
/// same indicators.
///
/// # Errors
///
/// `out` cannot be written to.
pub fn write_jsonl<'i>(
    out: &mut dyn Write,
    indicators: impl IntoIterator<Item = &'i Indicator>,
) -> Result<()> {
    for indicator in indicators {
        serde_json::to_writer(&mut *out, &record_of(indicator))
            .map_err(|error| Error::io("write", error.into()))?;
        out.write_all(b"\n").map_err(|error| Error::io("write", error))?;
    }
    Ok(())
}

/// Reads JSON lines. Consecutive equal contexts are shared.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) {
    let mut last: Arc<Context<'static>> = Arc::default();
    for (number, line) in Lines::new(text) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        intake.at_line(number);
        let mut record: Record<'_> = match serde_json::from_str(line) {
            Ok(record) => record,
            Err(error) => {
                intake.reject(line, Reason::Malformed, Some(error.to_string()));
                continue;
            }
        };
        if record.wiresift != VERSION {
            let detail = format!("unknown version {}", record.wiresift);
            intake.reject(line, Reason::Malformed, Some(detail));
            continue;
        }
        let (Some(kind), Some(scope)) =
            (Kind::from_name(&record.kind), Scope::from_name(&record.scope))
        else {
            intake.reject(line, Reason::Malformed, Some("unknown kind or scope".into()));
            continue;
        };
        let (value, raw) = (std::mem::take(&mut record.value), record.raw.take());
        let context = context_of(record, intake.base());
        // A writer emits a feed's indicators in order, so equal contexts are adjacent.
        if *last != context {
            last = Arc::new(context);
        }
        match Indicator::new(kind, &value, scope, Arc::clone(&last)) {
            Ok(mut indicator) => {
                // The stored value is canonical, so only the record knows the original text.
                indicator.raw = raw.as_deref().map(Into::into).or(indicator.raw);
                intake.put(indicator);
            }
            Err(reason) => intake.reject(&value, reason, None),
        }
    }
}

impl Member for Option<Cow<'_, str>> {
    type Form<'a> = Option<Cow<'a, str>>;

    fn form(&self) -> Self::Form<'_> {
        self.as_deref().map(Cow::Borrowed)
    }

    fn read(form: Self::Form<'_>, base: Self) -> Self {
        form.map(own).or(base)
    }
}

/// A confidence.
impl Member for Option<u8> {
    type Form<'a> = Option<u8>;

    fn form(&self) -> Self::Form<'_> {
        *self
    }

    fn read(form: Self::Form<'_>, base: Self) -> Self {
        // The type allows up to 255. The rest of the line is good, so only this member is ignored.
        form.filter(|confidence| *confidence <= 100).or(base)
    }
}

impl Member for Option<Severity> {
    type Form<'a> = Option<u8>;

    fn form(&self) -> Self::Form<'_> {
        self.map(|severity| severity as u8)
    }

    fn read(form: Self::Form<'_>, base: Self) -> Self {
        form.and_then(Severity::from_number).or(base)
    }
}

impl Member for Option<Tlp> {
    type Form<'a> = Option<Cow<'a, str>>;

    fn form(&self) -> Self::Form<'_> {
        self.map(|tlp| tlp.name().into())
    }

    fn read(form: Self::Form<'_>, base: Self) -> Self {
        form.as_deref().and_then(Tlp::from_name).or(base)
    }
}

impl Member for Option<Direction> {
    type Form<'a> = Option<Cow<'a, str>>;

    fn form(&self) -> Self::Form<'_> {
        self.map(|direction| match direction {
            Direction::Source => "src".into(),
            Direction::Destination => "dst".into(),
        })
    }

    fn read(form: Self::Form<'_>, base: Self) -> Self {
        match form.as_deref() {
            Some("src") => Some(Direction::Source),
            Some("dst") => Some(Direction::Destination),
            _ => base,
        }
    }
}

impl Member for Option<Timestamp> {
    type Form<'a> = Option<String>;

    fn form(&self) -> Self::Form<'_> {
        self.map(|time| time.to_string())
    }

    fn read(form: Self::Form<'_>, base: Self) -> Self {
        form.as_deref().and_then(read_time).or(base)
    }
}

impl Member for bool {
    type Form<'a> = bool;

    fn form(&self) -> Self::Form<'_> {
        *self
    }

    fn read(form: Self::Form<'_>, base: Self) -> Self {
        // False is written as nothing, so it cannot overrule the options.
        form || base
    }
}

/// Whether it is [`Role::Allow`].
impl Member for Role {
    type Form<'a> = bool;

    fn form(&self) -> Self::Form<'_> {
        *self == Role::Allow
    }

    fn read(form: Self::Form<'_>, base: Self) -> Self {
        if form { Role::Allow } else { base }
    }
}

impl Member for Vec<Cow<'_, str>> {
    type Form<'a> = Vec<Cow<'a, str>>;

    fn form(&self) -> Self::Form<'_> {
        self.iter().map(|text| Cow::Borrowed(&**text)).collect()
    }

    fn read(form: Self::Form<'_>, base: Self) -> Self {
        // Tags and references of the subscription come first, and those of the line are added.
        let mut texts = base;
        form.into_iter().for_each(|text| texts.push(own(text)));
        texts
    }
}

/// Parses a time, including the form in which a time beyond the calendar is
/// written.
fn read_time(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).or_else(|| text.strip_suffix("us")?.parse().ok().map(Timestamp))
}
