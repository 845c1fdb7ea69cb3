//! Where to resume in the journal.
//!
//! `--after-cursor` with a cursor of an earlier boot skips the first entry of this one
//! (systemd/systemd#38912). So within a boot the cursor itself is used, and otherwise its time:
//! journalctl begins at that second, and entries that were already read are dropped here.

use super::export::JournalEntry;
use crate::engine::indicator::Timestamp;
use std::ffi::OsString;

/// The last entry that was read, or the time from which entries are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Resume {
    pub(super) cursor: Option<String>,
    pub(super) since: Option<Timestamp>,
}

/// Which of the entries were already read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AlreadyRead {
    /// Nothing.
    Nothing,
    /// All up to the one with this cursor, which was written at this time; if none has it, those up
    /// to that time.
    UpTo(String, Timestamp),
    /// All before this time.
    Before(Timestamp),
}

impl Resume {
    /// The arguments for journalctl, and which of its entries to drop. `boot` is the identifier of
    /// this boot, if known.
    pub(super) fn arguments(&self, boot: Option<&str>) -> (Vec<OsString>, AlreadyRead) {
        let mut arguments: Vec<OsString> = vec!["--no-tail".into()];
        let since =
            |time: Timestamp| OsString::from(format!("--since=@{}", time.0.div_euclid(1_000_000)));
        let Some(cursor) = &self.cursor else {
            arguments.extend(self.since.map(since));
            return (arguments, self.since.map_or(AlreadyRead::Nothing, AlreadyRead::Before));
        };
        let is_of_boot = boot.is_some() && member(cursor, "b") == boot;
        match time_of(cursor).filter(|_| !is_of_boot) {
            Some(time) => {
                arguments.push(since(time));
                (arguments, AlreadyRead::UpTo(cursor.clone(), time))
            }
            None => {
                arguments.push(format!("--after-cursor={cursor}").into());
                (arguments, AlreadyRead::Nothing)
            }
        }
    }
}

impl AlreadyRead {
    /// Whether an entry was already read. Entries come in the journal's order.
    pub(super) fn contains(&mut self, entry: &JournalEntry) -> bool {
        match self {
            AlreadyRead::Nothing => false,
            AlreadyRead::Before(time) => entry.time.is_some_and(|own| own < *time),
            AlreadyRead::UpTo(cursor, time) => {
                let is_it = entry.cursor == *cursor;
                let is_later = entry.time.is_none_or(|own| own > *time);
                if is_it || is_later {
                    *self = AlreadyRead::Nothing;
                }
                is_it || !is_later
            }
        }
    }
}

/// A member of a cursor: `s=…;i=…;b=…;m=…;t=…;x=…`.
fn member<'c>(cursor: &'c str, name: &str) -> Option<&'c str> {
    cursor
        .split(';')
        .find_map(|part| part.split_once('=').filter(|(own, _)| *own == name))
        .map(|(_, value)| value)
}

/// When the entry of a cursor was written.
fn time_of(cursor: &str) -> Option<Timestamp> {
    i64::from_str_radix(member(cursor, "t")?, 16).ok().map(Timestamp)
}

/// The identifier of this boot, as in cursors. A unit with `ProcSubset=pid` can't read it.
pub(super) fn boot() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().replace('-', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURSOR: &str = "s=a1;i=2;b=0b;m=3;t=60d5a8b4c0000;x=9";

    fn entry(cursor: &str, time: i64) -> JournalEntry {
        JournalEntry {
            cursor: cursor.into(),
            time: Some(Timestamp(time)),
            ..JournalEntry::default()
        }
    }

    fn shown(resume: &Resume, boot: Option<&str>) -> (String, AlreadyRead) {
        let (arguments, drop) = resume.arguments(boot);
        let arguments: Vec<_> = arguments.iter().map(|a| a.to_string_lossy()).collect();
        (arguments.join(" "), drop)
    }

    #[test]
    fn the_cursor_within_a_boot_and_the_time_after_it() {
        let resume = Resume { cursor: Some(CURSOR.into()), since: None };
        let after = (format!("--no-tail --after-cursor={CURSOR}"), AlreadyRead::Nothing);
        assert_eq!(shown(&resume, Some("0b")), after);
        let time = Timestamp(0x0006_0d5a_8b4c_0000);
        let since = format!("--no-tail --since=@{}", time.0 / 1_000_000);
        for boot in [Some("0c"), None] {
            assert_eq!(
                shown(&resume, boot),
                (since.clone(), AlreadyRead::UpTo(CURSOR.into(), time))
            );
        }
        // A cursor without a time is used unchanged.
        let odd = Resume { cursor: Some("x".into()), since: None };
        assert_eq!(shown(&odd, None), ("--no-tail --after-cursor=x".into(), AlreadyRead::Nothing));
        assert_eq!(shown(&Resume::default(), None), ("--no-tail".into(), AlreadyRead::Nothing));
    }

    #[test]
    fn entries_that_were_read_are_dropped() {
        let mut drop = AlreadyRead::UpTo("c".into(), Timestamp(10));
        let found = [("a", 9), ("b", 10), ("c", 10), ("d", 10), ("e", 3)]
            .map(|(cursor, time)| drop.contains(&entry(cursor, time)));
        assert_eq!(found, [true, true, true, false, false]);
        // The entry is gone: later ones are new.
        let mut drop = AlreadyRead::UpTo("c".into(), Timestamp(10));
        let found = [("a", 9), ("d", 11), ("e", 3)].map(|(c, time)| drop.contains(&entry(c, time)));
        assert_eq!(found, [true, false, false]);
        let mut drop = AlreadyRead::Before(Timestamp(10));
        assert_eq!([9, 10].map(|time| drop.contains(&entry("x", time))), [true, false]);
    }
}
