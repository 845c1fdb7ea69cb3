//! Logs on this machine: files, and the journal.

use crate::engine::settings::{duration, duration_text};
use crate::sensor::config::field::{Optional, Or, Required};
use crate::sensor::config::form::{
    FilePath, Form, Number, Pattern, Text, Time, Written, days, line, list, ms, seconds, some,
    text_of, word, words,
};
use crate::sensor::config::problem::{Wrong, quoted};
use crate::sensor::config::reader::Reader;
use crate::sensor::config::table::{Kind, table};
use std::path::{Path, PathBuf};
use std::time::Duration;

words! {
    /// Where files begin that exist at the first start.
    pub enum From {
        /// At their first byte.
        Beginning = "beginning",
        /// At their end.
        End = "end",
    }

    /// How folders are watched.
    pub enum Watch {
        /// By inotify, and by polling where inotify doesn't work.
        Notify = "notify",
        /// Only by polling.
        Poll = "poll",
    }
}

table! {
    /// Follows log files through rotation of any kind.
    pub struct FilesInput {
        /// Files, folders, and patterns with `*`, `?`, `[…]` and `**`.
        patterns: Vec<PathBuf> = Required(some(Pattern::Path));
        /// Files to skip: patterns of whole paths or, without a slash, of names.
        exclude: Vec<PathBuf> = Or(list(Pattern::PathOrName), Vec::new());
        /// Where to start in files that exist at the first start. Files that appear later are
        /// always read from their first byte.
        from: From = Or(word(), From::Beginning);
        /// How folders are watched: `notify` also polls where the system sends no notifications
        /// (network file systems).
        watch: Watch = Or(word(), Watch::Notify);
        /// How long to wait for more data in a file that was renamed or removed.
        rotate_wait: Duration = Or(Time(ms(100)..=days(1)), seconds(30));
        /// Files that were not written to for this long are ignored until they are written to
        /// again.
        ignore_older: Option<Duration> = Optional(Time(seconds(1)..=days(3650)));
        /// How long to wait for more data before a last line without a line feed is matched.
        idle_flush: Option<Duration> = Optional(Time(ms(100)..=days(1)));
        /// How often to poll folders without notifications.
        poll: Duration = Or(Time(ms(100)..=days(1)), seconds(1));
        /// How many files may be open at once; default: half of the process's limit.
        max_open: Option<u32> = Optional(Number::of(8..=1_000_000));
    }
}

impl Kind for FilesInput {
    fn check(&self, reader: &mut Reader<'_, '_>) {
        if let Some(ignored) = self.ignore_older
            && ignored < self.rotate_wait
        {
            let remedy = "files would be ignored before their end was read";
            reader.wrong("ignore_older", "ignore_older is shorter than rotate_wait", remedy);
        }
    }

    fn describe(&self) -> String {
        let mut text = format!("follows {}", paths(&self.patterns));
        if !self.exclude.is_empty() {
            text += &format!(", except {}", paths(&self.exclude));
        }
        text += match self.from {
            From::Beginning => ", from the beginning",
            From::End => ", existing files from their end",
        };
        if let Some(time) = self.ignore_older {
            text += &format!(", if modified within {}", duration_text(time));
        }
        if self.watch == Watch::Poll {
            text += &format!(", polled every {}", duration_text(self.poll));
        }
        text
    }
}

fn paths(paths: &[PathBuf]) -> String {
    let texts: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    crate::sensor::config::problem::listed(&texts)
}

/// Where the journal begins at the first start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalSince {
    /// With its oldest entry.
    Beginning,
    /// With entries that are this old.
    Now,
    /// With entries that are so old.
    Ago(Duration),
}

/// `beginning`, `now`, or a time.
struct Since;

impl Form for Since {
    type Value = JournalSince;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<JournalSince, Vec<Wrong>> {
        let text = text_of(value, "24h")?;
        Ok(match text {
            "beginning" => JournalSince::Beginning,
            "now" => JournalSince::Now,
            text => match duration(text).ok().filter(|time| *time <= days(3650)) {
                // Only milliseconds can be written.
                Some(time) => JournalSince::Ago(ms(u64::try_from(time.as_millis()).unwrap_or(1))),
                None => {
                    let what = format!("invalid value {}", quoted(text));
                    let remedy = "expected beginning, now, or a time such as 24h";
                    return Err(vec![Wrong::new(value.span(), what, remedy)]);
                }
            },
        })
    }

    fn write(&self, value: &JournalSince) -> String {
        match value {
            JournalSince::Beginning => "\"beginning\"".into(),
            JournalSince::Now => "\"now\"".into(),
            JournalSince::Ago(time) => format!("\"{}\"", duration_text(*time)),
        }
    }

    fn about(&self) -> String {
        "`beginning`, `now` or time".into()
    }
}

table! {
    /// Follows the systemd journal, by running `journalctl`.
    pub struct JournalInput {
        /// Only entries of these units: `sshd.service`. Patterns are allowed.
        units: Vec<String> = Or(list(unit()), Vec::new());
        /// Only entries with these fields, in the syntax of `journalctl`: `SYSLOG_FACILITY=10`.
        matches: Vec<String> = Or(list(field_match()), Vec::new());
        /// Fields to match in addition to `MESSAGE`.
        fields: Vec<String> = Or(list(field()), Vec::new());
        /// Where the first start begins: a time is how far back.
        since: JournalSince = Or(Since, JournalSince::Beginning);
        /// A folder of journal files; default: the journal of this machine.
        directory: Option<PathBuf> = Optional(FilePath);
        /// The program to run.
        program: String = Or(line("a program", "journalctl"), "journalctl".to_string());
    }
}

/// The name of a unit, which must not look like an option of `journalctl`.
fn unit() -> Text {
    let is_right = |text: &str| {
        let is_plain = |c: char| c.is_ascii_graphic() && !"/'\"`$;|&<>".contains(c);
        !text.is_empty()
            && text.len() <= 255
            && !text.starts_with('-')
            && text.chars().all(is_plain)
    };
    Text { what: "a unit name", example: "sshd.service", is_right }
}

fn is_field(text: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(is_letter)
}

fn field() -> Text {
    Text { what: "a journal field", example: "_COMM", is_right: is_field }
}

fn field_match() -> Text {
    let is_right = |text: &str| {
        let halves = text.split_once('=');
        halves.is_some_and(|(name, value)| is_field(name) && !value.contains('\0'))
    };
    Text { what: "FIELD=VALUE", example: "SYSLOG_FACILITY=10", is_right }
}

impl Kind for JournalInput {
    fn check(&self, reader: &mut Reader<'_, '_>) {
        if self.program.starts_with('-') {
            reader.wrong(
                "program",
                "program is an option",
                "set it to a program, such as journalctl",
            );
        }
    }

    fn describe(&self) -> String {
        let mut text = match &self.directory {
            Some(folder) => format!("follows the journal in {}", folder.display()),
            None => "follows the journal of this machine".to_string(),
        };
        for only in [&self.units, &self.matches] {
            if !only.is_empty() {
                text += &format!(", only {}", only.join(" "));
            }
        }
        text += &match self.since {
            JournalSince::Beginning => ", from its oldest entry".to_string(),
            JournalSince::Now => ", from now on".to_string(),
            JournalSince::Ago(time) => format!(", from {} ago", duration_text(time)),
        };
        text
    }
}
