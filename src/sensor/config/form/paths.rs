//! Paths and path patterns.

use super::{Form, Written, is_plain, text_of, write_text};
use crate::engine::error::name_text;
use crate::sensor::config::problem::{Wrong, quoted};
use std::path::{Path, PathBuf};

/// A path; relative ones start at the folder of the configuration.
pub(in crate::sensor::config) struct FilePath;

impl Form for FilePath {
    type Value = PathBuf;

    fn read(&self, value: &Written<'_>, base: &Path) -> Result<PathBuf, Vec<Wrong>> {
        let text = text_of(value, "/var/log")?;
        if !is_plain(text) {
            let what = format!("invalid path {}", quoted(text));
            return Err(vec![Wrong::new(
                value.span(),
                what,
                "expected the name of a file or folder",
            )]);
        }
        Ok(base.join(text))
    }

    fn write(&self, value: &PathBuf) -> String {
        write_path(value)
    }

    fn about(&self) -> String {
        "path".into()
    }
}

/// A path in TOML, which only supports UTF-8.
fn write_path(path: &Path) -> String {
    write_text(&name_text(path.as_os_str().as_encoded_bytes()))
}

/// A pattern of paths: `*`, `?`, `[…]`, `**`.
pub(in crate::sensor::config) enum Pattern {
    /// For whole paths; relative ones start at the folder of the configuration.
    Path,
    /// For whole paths or, without a slash, for names.
    PathOrName,
}

impl Form for Pattern {
    type Value = PathBuf;

    fn read(&self, value: &Written<'_>, base: &Path) -> Result<PathBuf, Vec<Wrong>> {
        let text = text_of(value, "/var/log/*.log")?;
        let wrong = |why: &str| {
            let what = format!("invalid pattern {}: {why}", quoted(text));
            Err(vec![Wrong::new(value.span(), what, "for example /var/log/**/*.log")])
        };
        if !is_plain(text) {
            return wrong("it is empty, too long, or contains control characters");
        }
        if let Err(error) = glob::Pattern::new(text) {
            return wrong(error.msg);
        }
        if matches!(self, Pattern::PathOrName) && !text.contains('/') || text.starts_with('/') {
            return Ok(PathBuf::from(text));
        }
        // The folder is taken literally, whatever its name contains.
        Ok(match base.to_str() {
            Some(base) => Path::new(&glob::Pattern::escape(base)).join(text),
            None => base.join(text),
        })
    }

    fn write(&self, value: &PathBuf) -> String {
        write_path(value)
    }

    fn about(&self) -> String {
        match self {
            Pattern::Path => "path pattern".into(),
            Pattern::PathOrName => "path or name pattern".into(),
        }
    }
}
