//! The golden files of `testdata/alerts`, and the examples of `docs/alerts.md`, which are the same
//! alerts. `WIRESIFT_BLESS=1 cargo test alert::tests::golden` rewrites both; check the diff before
//! committing it.

use super::hits::{handling, origin, repeat, samples};
use super::{Alert, Encoder, Format, READ_AT};
use crate::engine::alert::write_repeat;
use crate::engine::indicator::Timestamp;
use std::fmt::Write as _;
use std::path::PathBuf;

fn project(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Samples that the daemon handled: one that it held back, and the repeat record for it.
const HANDLED: [&str; 2] = ["held", "repeat"];

/// A complete output with one alert, including header and footer.
fn output(name: &str, format: Format) -> String {
    let sample = if HANDLED.contains(&name) { "relayed" } else { name };
    let (_, hit) = samples().into_iter().find(|(known, _)| *known == sample).expect(name);
    let (origin, encoder, handling) = (origin(), Encoder::new(format), handling());
    let mut alert = Alert::new(&hit, &origin, READ_AT);
    if HANDLED.contains(&name) {
        alert = alert.handled(&handling);
    }
    let mut out = Vec::new();
    encoder.begin(READ_AT, &mut out);
    if name == "repeat" {
        let mut bytes = Vec::new();
        encoder.encode(&alert, &mut bytes);
        write_repeat(format, &bytes, &repeat(), &mut out);
    } else {
        encoder.encode(&alert, &mut out);
    }
    encoder.end(Timestamp(READ_AT.0 + 60_000_000), &mut out);
    let text = String::from_utf8(out).expect("every format is UTF-8");
    // A release changes the version in every CEF line, and nothing else.
    text.replace(concat!("|", env!("CARGO_PKG_VERSION"), "|"), "|VERSION|")
        .replace(concat!("\"", env!("CARGO_PKG_VERSION"), "\""), "\"VERSION\"")
}

/// Compares `found` with the file, or rewrites the file.
fn hold_against(path: &str, found: &str) {
    let path = project(path);
    if std::env::var_os("WIRESIFT_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
        return;
    }
    let wanted = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error} (WIRESIFT_BLESS=1 makes it)", path.display()));
    assert!(
        wanted == found,
        "{} differs (WIRESIFT_BLESS=1 renews it)\n--- wanted\n{wanted}\n--- found\n{found}",
        path.display()
    );
}

#[test]
fn alerts_are_those_of_the_golden_files() {
    for name in samples().into_iter().map(|(name, _)| name).chain(HANDLED) {
        for &format in Format::ALL {
            hold_against(&format!("testdata/alerts/{name}.{format}"), &output(name, format));
        }
    }
}

/// Fills each `<!-- example: NAME FORMAT -->` … `<!-- end -->` of the manual.
#[test]
fn examples_of_the_manual() {
    let path = "docs/alerts.md";
    let manual = std::fs::read_to_string(project(path)).unwrap();
    let mut filled = String::new();
    let mut rest = &*manual;
    let mut shown = Vec::new();
    while let Some((before, tail)) = rest.split_once("<!-- example: ") {
        let (example, tail) = tail.split_once(" -->").unwrap();
        let (_, tail) = tail.split_once("<!-- end -->").unwrap();
        let (name, format) = example.split_once(' ').unwrap();
        let format = Format::from_name(format).unwrap();
        let mut text = output(name, format);
        let is_json = text.starts_with('{');
        if is_json {
            text = indented(&text);
        }
        let language = if is_json { "json" } else { "text" };
        write!(
            filled,
            "{before}<!-- example: {example} -->\n```{language}\n{text}```\n<!-- end -->"
        )
        .unwrap();
        shown.push(format);
        rest = tail;
    }
    filled.push_str(rest);
    for format in Format::ALL {
        assert!(shown.contains(format), "no example of {format}");
        assert!(manual.contains(&format!("\n## `{format}`")), "no section on {format}");
    }
    hold_against(path, &filled);
}

/// The end of the object or array that begins at `open`.
fn close(bytes: &[u8], open: usize) -> usize {
    let (mut depth, mut in_text, mut at) = (0, false, open);
    loop {
        match bytes[at] {
            b'\\' => at += 1,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth -= 1,
            _ => (),
        }
        if depth == 0 && !in_text {
            return at;
        }
        at += 1;
    }
}

/// The same JSON on several lines, members in their original order, short objects and arrays on one
/// line.
fn indented(json: &str) -> String {
    const WIDTH: usize = 88;
    let bytes = json.trim_end().as_bytes();
    let mut out = Vec::new();
    let (mut depth, mut in_text, mut at) = (0, false, 0);
    while at < bytes.len() {
        let byte = bytes[at];
        let mut line = |depth: usize| {
            out.push(b'\n');
            out.resize(out.len() + 2 * depth, b' ');
        };
        match byte {
            _ if in_text => (),
            b'{' | b'[' => {
                let end = close(bytes, at);
                if end - at + 2 * depth < WIDTH {
                    out.extend_from_slice(&bytes[at..=end]);
                    at = end + 1;
                    continue;
                }
                depth += 1;
                out.push(byte);
                out.push(b'\n');
                out.resize(out.len() + 2 * depth, b' ');
                at += 1;
                continue;
            }
            b'}' | b']' => {
                depth -= 1;
                line(depth);
            }
            b',' => {
                out.push(byte);
                out.push(b'\n');
                out.resize(out.len() + 2 * depth, b' ');
                at += 1;
                continue;
            }
            b':' => {
                out.extend_from_slice(b": ");
                at += 1;
                continue;
            }
            _ => (),
        }
        if byte == b'\\' {
            out.push(byte);
            at += 1;
        } else if byte == b'"' {
            in_text = !in_text;
        }
        out.push(bytes[at]);
        at += 1;
    }
    out.push(b'\n');
    String::from_utf8(out).unwrap()
}
