//! Paths and patterns of paths.

use super::{Form, Written, is_plain, text_of, write_text};
use crate::engine::error::name_text;
use crate::sensor::config::problem::{Wrong, quoted};
use std::path::{Path, PathBuf};

/// A path; a relative one starts at the folder of the configuration.
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

/// A path in TOML, which has no other text than UTF-8.
fn write_path(path: &Path) -> String {
    write_text(&name_text(path.as_os_str().as_encoded_bytes()))
}

/// A pattern of paths: `*`, `?`, `[…]`, `**`.
pub(in crate::sensor::config) enum Pattern {
    /// Of whole paths; a relative one starts at the folder of the configuration.
    Path,
    /// Of whole paths or, without a slash, of names.
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
            return wrong("it is empty, too long, or has control characters in it");
        }
        if let Err(error) = glob::Pattern::new(text) {
            return wrong(error.msg);
        }
        if matches!(self, Pattern::PathOrName) && !text.contains('/') || text.starts_with('/') {
            return Ok(PathBuf::from(text));
        }
        // The folder is no pattern, whatever its name has in it.
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
            Pattern::Path => "pattern of paths".into(),
            Pattern::PathOrName => "pattern of paths or names".into(),
        }
    }
}
