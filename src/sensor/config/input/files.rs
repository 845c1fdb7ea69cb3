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
    /// Where what is there at the first start begins.
    pub enum From {
        /// At its first byte.
        Beginning = "beginning",
        /// At its end.
        End = "end",
    }

    /// How folders are watched.
    pub enum Watch {
        /// By notices of the system, and by polling where it sends none.
        Notify = "notify",
        /// By polling alone.
        Poll = "poll",
    }
}

table! {
    /// Follows log files, through rotation of any kind.
    pub struct FilesInput {
        /// Files, folders, and patterns with `*`, `?`, `[…]` and `**`.
        patterns: Vec<PathBuf> = Required(some(Pattern::Path));
        /// Files to leave out: patterns of whole paths or, without a slash, of names.
        exclude: Vec<PathBuf> = Or(list(Pattern::PathOrName), Vec::new());
        /// Where files begin that are there at the first start. Those that appear later begin at
        /// their first byte in any case.
        from: From = Or(word(), From::Beginning);
        /// How folders are watched: `notify` polls, too, where the system sends no notices
        /// (network file systems).
        watch: Watch = Or(word(), Watch::Notify);
        /// How long a file that was renamed or removed is read on without growth.
        rotate_wait: Duration = Or(Time(ms(100)..=days(1)), seconds(30));
        /// Files that nobody has written to for so long are left alone until somebody does.
        ignore_older: Option<Duration> = Optional(Time(seconds(1)..=days(3650)));
        /// A last line without its line feed is matched after so long without growth.
        idle_flush: Option<Duration> = Optional(Time(ms(100)..=days(1)));
        /// How often folders that send no notices are looked at.
        poll: Duration = Or(Time(ms(100)..=days(1)), seconds(1));
        /// How many files are open at once; without it half of the process's limit.
        max_open: Option<u32> = Optional(Number::of(8..=1_000_000));
    }
}

impl Kind for FilesInput {
    fn check(&self, reader: &mut Reader<'_, '_>) {
        if let Some(ignored) = self.ignore_older
            && ignored < self.rotate_wait
        {
            let remedy = "files would be left alone before their end was read";
            reader.wrong("ignore_older", "ignore_older is shorter than rotate_wait", remedy);
        }
    }

    fn describe(&self) -> String {
        let mut text = format!("follows {}", paths(&self.patterns));
        if !self.exclude.is_empty() {
            text += &format!(" without {}", paths(&self.exclude));
        }
        text += match self.from {
            From::Beginning => ", from the beginning",
            From::End => ", from the end of what is there",
        };
        if let Some(time) = self.ignore_older {
            text += &format!(", if written to within {}", duration_text(time));
        }
        if self.watch == Watch::Poll {
            text += &format!(", looked at each {}", duration_text(self.poll));
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
    /// With what is written from now on.
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
                // What is written again has no more than milliseconds.
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
    /// Follows the journal of systemd, by way of `journalctl`.
    pub struct JournalInput {
        /// Only entries of these units: `sshd.service`. Patterns are allowed.
        units: Vec<String> = Or(list(unit()), Vec::new());
        /// Only entries with these fields, as `journalctl` takes them: `SYSLOG_FACILITY=10`.
        matches: Vec<String> = Or(list(field_match()), Vec::new());
        /// Fields to match beside `MESSAGE`.
        fields: Vec<String> = Or(list(field()), Vec::new());
        /// Where the first start begins: a time is how far back.
        since: JournalSince = Or(Since, JournalSince::Beginning);
        /// A folder of journal files; without it all that this machine keeps.
        directory: Option<PathBuf> = Optional(FilePath);
        /// The program.
        program: String = Or(line("a program", "journalctl"), "journalctl".to_string());
    }
}

/// The name of a unit, which is no option of `journalctl`.
fn unit() -> Text {
    let is_right = |text: &str| {
        let is_plain = |c: char| c.is_ascii_graphic() && !"/'\"`$;|&<>".contains(c);
        !text.is_empty()
            && text.len() <= 255
            && !text.starts_with('-')
            && text.chars().all(is_plain)
    };
    Text { what: "a name of a unit", example: "sshd.service", is_right }
}

fn is_field(text: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(is_letter)
}

fn field() -> Text {
    Text { what: "a field of the journal", example: "_COMM", is_right: is_field }
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
            reader.wrong("program", "program is an option", "name a program: journalctl");
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
