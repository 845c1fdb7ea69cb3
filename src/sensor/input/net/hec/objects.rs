//! What clients send: JSON objects without separators, or lines.

use super::super::Batch;
use super::super::batch::{Names, Writer};
use crate::engine::indicator::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;

/// Why an object is refused, and its number, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// Splunk's code: 6 invalid format, 12 no event, 13 empty event.
    pub code: u8,
    /// Which object.
    pub number: usize,
}

/// An object as it is sent. Other members are ignored.
#[derive(Debug, Deserialize)]
struct Object<'b> {
    #[serde(borrow, default)]
    event: Option<&'b RawValue>,
    #[serde(borrow, default)]
    time: Option<&'b RawValue>,
    #[serde(borrow, default)]
    fields: Option<&'b RawValue>,
    host: Option<String>,
    source: Option<String>,
    sourcetype: Option<String>,
}

/// What a request defines for all of its contents.
#[derive(Clone, Debug, Default)]
pub(super) struct Defaults {
    pub(super) host: Option<String>,
    pub(super) source: Option<String>,
    pub(super) peer: Arc<str>,
}

/// Reads the objects of a body; `each` receives the lines of each, and returns whether to continue.
/// Returns the number of objects.
///
/// # Errors
///
/// The first invalid object. Those before it were passed on.
pub fn read_objects(
    body: &[u8],
    peer: &Arc<str>,
    mut each: impl FnMut(&mut Batch) -> bool,
) -> Result<usize, Invalid> {
    let defaults = Defaults { peer: Arc::clone(peer), ..Defaults::default() };
    let (mut batch, mut names) = (Batch::default(), Names::default());
    objects(body, &defaults, &mut names, &mut batch, &mut each)
}

pub(super) fn objects(
    body: &[u8],
    defaults: &Defaults,
    names: &mut Names,
    batch: &mut Batch,
    each: &mut dyn FnMut(&mut Batch) -> bool,
) -> Result<usize, Invalid> {
    let stream = serde_json::Deserializer::from_slice(body).into_iter::<Object<'_>>();
    let mut number = 0;
    for object in stream {
        let invalid = |code| Invalid { code, number };
        let object = object.map_err(|_| invalid(6))?;
        let event = object.event.filter(|event| event.get() != "null").ok_or(invalid(12))?;
        let text = text_of(event).filter(|text| !text.trim_ascii().is_empty());
        let text = text.ok_or(invalid(13))?;
        let writer = writer(&object, defaults, names);
        let is_continuation = batch.add(&text, &writer, false) > 0;
        if let Some(fields) = object.fields.and_then(text_of) {
            batch.add(&fields, &writer, is_continuation);
        }
        number += 1;
        if !each(batch) {
            break;
        }
    }
    Ok(number)
}

fn writer(object: &Object<'_>, defaults: &Defaults, names: &mut Names) -> Writer {
    let host = object.host.as_ref().or(defaults.host.as_ref());
    let app = object.source.as_ref().or(defaults.source.as_ref()).or(object.sourcetype.as_ref());
    Writer {
        host: host.and_then(|host| names.of(host.as_bytes())),
        app: app.and_then(|app| names.of(app.as_bytes())),
        peer: Arc::clone(&defaults.peer),
        time: object.time.and_then(time_of),
    }
}

/// A string as its text; anything else as JSON in one line: outside of strings a line break becomes
/// a space, and inside of them there is none.
fn text_of(value: &RawValue) -> Option<Cow<'_, [u8]>> {
    let raw = value.get();
    if raw.starts_with('"') {
        return serde_json::from_str::<String>(raw).ok().map(|text| text.into_bytes().into());
    }
    Some(match raw.contains(['\n', '\r']) {
        true => Cow::Owned(raw.replace(['\n', '\r'], " ").into_bytes()),
        false => Cow::Borrowed(raw.as_bytes()),
    })
}

/// Seconds since the epoch, as a number or as text; milliseconds, too.
fn time_of(value: &RawValue) -> Option<Timestamp> {
    Timestamp::parse(value.get().trim_matches('"'))
}

/// Adds the lines of a body; `each` as for objects. Returns the number of lines.
pub(super) fn lines(
    body: &[u8],
    defaults: &Defaults,
    names: &mut Names,
    batch: &mut Batch,
    each: &mut dyn FnMut(&mut Batch) -> bool,
) -> usize {
    let writer = Writer {
        host: defaults.host.as_ref().and_then(|host| names.of(host.as_bytes())),
        app: defaults.source.as_ref().and_then(|source| names.of(source.as_bytes())),
        peer: Arc::clone(&defaults.peer),
        time: None,
    };
    let mut count = 0;
    for line in body.split(|&byte| byte == b'\n') {
        count += batch.add(line, &writer, false);
        if !each(batch) {
            break;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Stopwatch;
    use proptest::prelude::*;
    use std::time::Duration;

    fn read(body: &str) -> (Vec<String>, Result<usize, Invalid>) {
        let mut found = Vec::new();
        let outcome = read_objects(body.as_bytes(), &"peer".into(), |batch| {
            found.push(String::from_utf8(std::mem::take(batch).bytes).unwrap());
            true
        });
        (found, outcome)
    }

    #[test]
    fn objects_with_nothing_between_them() {
        let body = "{\"event\":\"one\\ntwo\"}{\"event\":{\"a\":\n1},\"time\":1795478400.5}\n \
            {\"event\":[1],\"fields\":{\"dest\":\"evil.example\"},\"x\":{}}";
        let want = ["one\ntwo\n", "{\"a\": 1}\n", "[1]\n{\"dest\":\"evil.example\"}\n"];
        assert_eq!(read(body), (want.map(str::to_string).to_vec(), Ok(3)));
        assert_eq!(read("").1, Ok(0));
    }

    #[test]
    fn who_wrote_it_and_when() {
        let body = r#"{"event":"a","host":"h","source":"s","sourcetype":"t","time":"1795478400.25"}
            {"event":"b","sourcetype":"t","time":1795478400250}{"event":"c","time":"soon"}"#;
        let mut lines = Vec::new();
        read_objects(body.as_bytes(), &"p".into(), |batch| {
            lines.extend(std::mem::take(batch).lines);
            true
        })
        .unwrap();
        let found: Vec<_> =
            lines.iter().map(|l| (l.host.as_deref(), l.app.as_deref(), l.time)).collect();
        let time = Some(Timestamp(1_795_478_400_250_000));
        let want = [(Some("h"), Some("s"), time), (None, Some("t"), time), (None, None, None)];
        assert_eq!(found, want);
    }

    #[test]
    fn the_first_that_is_invalid_ends_it() {
        for (body, code, number) in [
            ("{\"event\":\"a\"}{\"event\":", 6, 1),
            ("{\"event\":\"a\"}x", 6, 1),
            ("[1]", 6, 0),
            ("{\"event\":\"a\",\"host\":1}", 6, 0),
            ("{}", 12, 0),
            ("{\"event\":\"a\"}{\"event\":\"b\"}{\"event\":null}", 12, 2),
            ("{\"event\":\" \"}", 13, 0),
            (&format!("{{\"event\":{}", "[".repeat(100_000)), 6, 0),
        ] {
            let (found, outcome) = read(body);
            assert_eq!(outcome, Err(Invalid { code, number }));
            assert_eq!(found.len(), number);
        }
    }

    #[test]
    fn work_is_linear() {
        let watch = Stopwatch::start();
        let small = "{\"event\":\"x\"}".repeat(400_000);
        assert!(small.len() > 4 << 20);
        assert_eq!(read(&small).1, Ok(400_000));
        // A single object, then lines, escapes, and ignored contents.
        for (part, ends) in [("x\\n", "x"), ("\\\"", "\""), ("\\u0041", "A")] {
            let text = part.repeat(1 << 20);
            let (found, outcome) =
                read(&format!("{{\"event\":\"{text}\",\"other\":[\"{text}\"]}}"));
            assert_eq!(outcome, Ok(1));
            assert!(found[0].trim_end().ends_with(ends));
        }
        assert_eq!(read(&"[".repeat(4 << 20)).1, Err(Invalid { code: 6, number: 0 }));
        // Far less than quadratic time would take.
        assert!(watch.elapsed() < Duration::from_secs(60), "{:?}", watch.elapsed());
    }

    proptest! {
        /// Against whole serde_json values, one after the other.
        #[test]
        fn the_slow_twin_agrees(
            all in prop::collection::vec(("[a-z \\n\"\\\\é]{1,9}", any::<bool>(), "[ \\n]{0,2}"), 0..6),
        ) {
            let mut body = String::new();
            let mut want = Vec::new();
            for (text, is_object, space) in &all {
                let event = match is_object {
                    true => serde_json::json!({ "k": text }),
                    false => serde_json::json!(format!("x{text}")),
                };
                body += &serde_json::json!({ "event": event }).to_string();
                body += space;
                let text = match is_object {
                    true => event.to_string(),
                    false => format!("x{text}"),
                };
                let lines = text.split('\n').filter(|line| !line.is_empty());
                want.push(lines.map(|line| format!("{line}\n")).collect::<String>());
            }
            prop_assert_eq!(read(&body), (want, Ok(all.len())));
        }
    }
}
