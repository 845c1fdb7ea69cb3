//! The one error type of the crate.
//!
//! ```
//! use wiresift::{Error, ErrorKind};
//!
//! let line = |text: &str| Err::<(), _>(Error::format(format!("“{text}” is no address")));
//! // A parser knows the line; the code that opened the file adds its path.
//! let error = line("1.2.3").unwrap_err().at_line(7).remedy("write all four numbers");
//! let error = error.at_path("feed.txt");
//! assert_eq!(error.kind(), ErrorKind::Format);
//! assert_eq!(error.to_string(), "feed.txt:7: “1.2.3” is no address (write all four numbers)");
//! ```
//!
//! An [`Error`] is opaque. Callers check its [`kind`](Error::kind); people read its
//! text, which says what happened, where (path, line, byte offset), and how to fix
//! it. Context is added on the way up, by the code that knows it: a parser need not
//! know the path of what it parses.

mod escape;

pub use escape::{escape_file_name, escape_json, escape_text, is_harmful, name_text};

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

/// What went wrong, coarse enough to branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system refused: not found, no permission, disk full…
    Io,
    /// An input is malformed: of unknown format, HTML instead of a list…
    Format,
    /// A database cannot be opened: damaged, not a database, or of another version.
    Database,
    /// The caller asked for something impossible or contradictory.
    Usage,
    /// A server cannot be reached, answered with a failure, or was cut off.
    Network,
    /// A server took longer than it may.
    TimedOut,
    /// A server rejects the credentials, or refuses access to what was requested.
    Refused,
}

/// An error with its place and its remedy.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    about: Option<String>,
    path: Option<PathBuf>,
    line: Option<u64>,
    offset: Option<u64>,
    remedy: Option<Cow<'static, str>>,
    source: Option<std::io::Error>,
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    fn new(kind: ErrorKind, message: Cow<'static, str>) -> Self {
        Error(Box::new(Inner {
            kind,
            message,
            about: None,
            path: None,
            line: None,
            offset: None,
            remedy: None,
            source: None,
        }))
    }

    /// An input is malformed.
    pub fn format(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Format, message.into())
    }

    /// A database cannot be used.
    pub fn database(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Database, message.into())
    }

    /// The caller asked for something impossible.
    pub fn usage(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Usage, message.into())
    }

    /// A server cannot be reached, answered with a failure, or was cut off.
    pub fn network(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Network, message.into())
    }

    /// A server took longer than it may.
    pub fn timed_out(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::TimedOut, message.into())
    }

    /// A server rejects the credentials, or refuses access to what was requested.
    pub fn refused(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Refused, message.into())
    }

    /// The operating system refused `what`, a verb phrase such as "open" or "write the
    /// list", without a "cannot" of its own: the text of the error says "cannot open".
    pub fn io(what: impl Into<Cow<'static, str>>, source: std::io::Error) -> Self {
        let mut error = Self::new(ErrorKind::Io, what.into());
        error.0.source = Some(source);
        error
    }

    /// Adds the path, unless one is known already.
    #[must_use]
    pub fn at_path(mut self, path: impl AsRef<Path>) -> Self {
        self.0.path.get_or_insert_with(|| path.as_ref().to_path_buf());
        self
    }

    /// Says what it is about, before everything else: a part of a configuration.
    #[must_use]
    pub fn about(mut self, what: &str) -> Self {
        self.0.about = Some(match self.0.about {
            Some(about) => format!("{what}: {about}"),
            None => what.to_string(),
        });
        self
    }

    /// Adds the line (from 1), unless one is known already.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.0.line.get_or_insert(line);
        self
    }

    /// Adds the byte offset (from 0), unless one is known already.
    #[must_use]
    pub fn at_offset(mut self, offset: u64) -> Self {
        self.0.offset.get_or_insert(offset);
        self
    }

    /// Adds what the reader can do about it. The first remedy stays.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<Cow<'static, str>>) -> Self {
        self.0.remedy.get_or_insert_with(|| remedy.into());
        self
    }

    /// Removes the path and the line: the mistake is not in the file but in what the
    /// caller was given.
    #[must_use]
    pub fn without_place(mut self) -> Self {
        (self.0.path, self.0.line) = (None, None);
        self
    }

    /// The coarse kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The path that it is about, if that is known.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The line (from 1), if that is known.
    pub fn line(&self) -> Option<u64> {
        self.0.line
    }

    /// What happened, without its place and its remedy.
    pub fn message(&self) -> String {
        self.0.message.to_string()
    }

    /// The operating system's error, where there is one.
    pub fn io_error(&self) -> Option<&std::io::Error> {
        self.0.source.as_ref()
    }

    /// Whether the reader of our output went away (`| head`), which is not a failure.
    pub fn is_broken_pipe(&self) -> bool {
        self.io_error().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, message, about, path, line, offset, remedy, source } = &*self.0;
        if let Some(path) = path {
            write!(f, "{}", escape_file_name(path.as_os_str()))?;
            if let Some(line) = line {
                write!(f, ":{line}")?;
            }
            write!(f, ": ")?;
        } else if let Some(line) = line {
            write!(f, "line {line}: ")?;
        }
        if let Some(about) = about {
            write!(f, "{about}: ")?;
        }
        if *kind == ErrorKind::Io {
            write!(f, "cannot ")?;
        }
        write!(f, "{message}")?;
        if let Some(offset) = offset {
            write!(f, " at byte {offset}")?;
        }
        if let Some(source) = source {
            write!(f, ": {}", io_text(source))?;
        }
        if let Some(remedy) = remedy {
            write!(f, " ({remedy})")?;
        }
        Ok(())
    }
}

/// An error of the operating system in words, without its number.
pub fn io_text(error: &std::io::Error) -> String {
    use std::io::ErrorKind::{NotFound, PermissionDenied};
    match (error.kind(), error.raw_os_error()) {
        // The system's own word for both is “file or directory”, and a directory is a folder here.
        (NotFound, Some(_)) => "no such file or folder".to_string(),
        (PermissionDenied, Some(_)) => "permission denied".to_string(),
        (_, None) => error.to_string(),
        (_, Some(number)) => {
            let text = error.to_string();
            text.strip_suffix(&format!(" (os error {number})")).unwrap_or(&text).to_string()
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|e| e as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_have_words_and_no_numbers() {
        let text = |number| io_text(&std::io::Error::from_raw_os_error(number));
        assert_eq!(text(2), "no such file or folder");
        assert_eq!(text(13), "permission denied");
        assert_eq!(text(28), "No space left on device");
        assert_eq!(io_text(&std::io::Error::other("the line is cut")), "the line is cut");
        let error = Error::io("open", std::io::Error::from_raw_os_error(2)).at_path("a.log");
        assert_eq!(error.to_string(), "a.log: cannot open: no such file or folder");
    }

    #[test]
    fn the_subject_comes_before_the_failed_operation() {
        let denied = || std::io::ErrorKind::PermissionDenied.into();
        let error = Error::io("open", denied()).at_path("a.log");
        assert_eq!(error.to_string(), "a.log: cannot open: permission denied");
        let error = error.about("input “a”").about("wiresift.toml");
        let expected = "a.log: wiresift.toml: input “a”: cannot open: permission denied";
        assert_eq!(error.to_string(), expected);
        assert_eq!(Error::format("the file is empty").to_string(), "the file is empty");
    }
}
