//! Sinks on this machine: files, standard output, sockets.

use super::delivery::{Batches, Delivery};
use crate::engine::alert::Format;
use crate::engine::settings::{duration_text, size_text};
use crate::sensor::config::field::{Flat, Optional, Or, Required};
use crate::sensor::config::form::{
    FilePath, Flag, Named, Number, Size, Time, Word, days, kib, mib, seconds,
};
use crate::sensor::config::reader::Reader;
use crate::sensor::config::table::{Kind, table};
use std::path::PathBuf;
use std::time::Duration;

impl Named for Format {
    fn all() -> Vec<Self> {
        Format::ALL.to_vec()
    }

    fn name(self) -> &'static str {
        Format::name(self)
    }
}

/// Formats whose records are independent: without header lines, or references to them.
pub(super) fn formats_of_records() -> Word<Format> {
    let stands_alone = |format: &Format| !matches!(format, Format::Zeek | Format::Text);
    Word(Format::ALL.iter().copied().filter(stands_alone).collect())
}

/// The default number of rotated files that are kept.
const KEEP: u32 = 10;

table! {
    /// Appends to a file. Each line's alerts are in it exactly once, whatever happens to the
    /// process.
    pub struct FileSink {
        /// The file. If it is moved away, for example by logrotate, a new one is created. A terminal
        /// or a device, such as `/dev/null`, is only written to.
        path: PathBuf = Required(FilePath);
        /// The format of alerts.
        format: Format = Or(Word(Format::ALL.to_vec()), Format::Json);
        /// The size at which the file is rotated.
        rotate_size: Option<u64> = Optional(Size(kib(64)..=mib(1 << 20)));
        /// The age at which the file is rotated, counted from its first alert.
        rotate_age: Option<Duration> = Optional(Time(seconds(60)..=days(366)));
        /// How many rotated files are kept.
        keep: u32 = Or(Number::of(1..=10_000), KEEP);
        /// Whether to compress rotated files with gzip.
        compress: bool = Or(Flag, true);
    }
}

impl Kind for FileSink {
    fn check(&self, reader: &mut Reader<'_, '_>) {
        if self.rotate_size.is_some() || self.rotate_age.is_some() {
            return;
        }
        for (key, is_set) in [("keep", self.keep != KEEP), ("compress", !self.compress)] {
            if is_set {
                let what = format!("{key} is set, but the file is never rotated");
                reader.wrong(key, &what, "set rotate_size or rotate_age, or remove it");
            }
        }
    }

    fn describe(&self) -> String {
        let mut text = format!("appends {} to {}", self.format.name(), self.path.display());
        let size = self.rotate_size.map(|size| format!("at {}", size_text(size)));
        let age = self.rotate_age.map(|age| format!("after {}", duration_text(age)));
        let when: Vec<String> = size.into_iter().chain(age).collect();
        if !when.is_empty() {
            let packed = if self.compress { "compressed" } else { "not compressed" };
            text += &format!(", rotated {}, {} kept, {packed}", when.join(" or "), self.keep);
        }
        text
    }
}

table! {
    /// Prints to standard output. This is the sink of a configuration without any.
    pub struct StdoutSink {
        /// The format of alerts.
        format: Format = Or(Word(Format::ALL.to_vec()), Format::Json);
    }
}

impl Kind for StdoutSink {
    fn describe(&self) -> String {
        format!("prints {} to standard output", self.format.name())
    }
}

table! {
    /// Writes lines to a stream socket that another program listens on.
    pub struct UnixSink {
        /// The socket.
        path: PathBuf = Required(FilePath);
        /// The format of alerts.
        format: Format = Or(formats_of_records(), Format::Json);
        /// Batches and the spool.
        delivery: Delivery = Flat::by(Batches { records: 1000, size: mib(1), age: seconds(1) });
    }
}

impl Kind for UnixSink {
    fn describe(&self) -> String {
        format!("writes {} to the socket {}", self.format.name(), self.path.display())
    }
}
