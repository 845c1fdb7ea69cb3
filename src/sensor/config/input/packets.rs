//! Packets: interfaces, and folders of captures.

use crate::engine::settings::{duration_text, size_text};
use crate::sensor::config::field::{Optional, Or, Required};
use crate::sensor::config::form::{
    FilePath, Flag, Number, Size, Text, Time, days, kib, mib, ms, seconds, some, word, words,
};
use crate::sensor::config::problem::listed;
use crate::sensor::config::reader::Reader;
use crate::sensor::config::table::{Kind, table};
use std::path::PathBuf;
use std::time::Duration;

table! {
    /// Listens to interfaces. Requires CAP_NET_RAW.
    pub struct TapInput {
        /// The interfaces; `any` for all.
        interfaces: Vec<String> = Required(some(interface()));
        /// A capture filter in tcpdump's syntax; all packets if empty.
        filter: String = Or(Text {
            what: "a filter in tcpdump's syntax",
            example: "not port 22",
            is_right: |text| text.len() <= 64 << 10 && !text.chars().any(char::is_control),
        }, String::new());
        /// The size of the kernel's ring, for each worker and interface.
        ring: u64 = Or(Size(kib(512)..=mib(2047)), mib(16));
        /// The number of bytes to capture of each packet.
        snaplen: u32 = Or(Number::of(64..=262_144), 262_144);
        /// Whether to capture packets that are addressed to others.
        promiscuous: bool = Or(Flag, true);
        /// Workers; 0 for one per core.
        threads: u32 = Or(Number::of(0..=1024), 0);
    }
}

/// The name of an interface (`IFNAMSIZ`).
fn interface() -> Text {
    let is_right = |text: &str| {
        let is_plain = |c: char| c.is_ascii_graphic() && c != '/';
        (1..=15).contains(&text.len()) && text.chars().all(is_plain)
    };
    Text { what: "an interface name", example: "eth0", is_right }
}

impl Kind for TapInput {
    fn check(&self, reader: &mut Reader<'_, '_>) {
        let has_any = self.interfaces.iter().any(|name| name == "any");
        if has_any && self.interfaces.len() > 1 {
            let remedy = "keep only one, or packets are matched twice";
            reader.wrong("interfaces", "“any” is combined with other interfaces", remedy);
        }
    }

    fn describe(&self) -> String {
        let mut text = format!("listens to {}", listed(&self.interfaces));
        if !self.filter.is_empty() {
            text += &format!(", packets that match “{}”", self.filter);
        }
        if !self.promiscuous {
            text += ", not promiscuous";
        }
        if self.threads > 0 {
            text += &format!(", {} workers", self.threads);
        }
        format!("{text}, rings of {}", size_text(self.ring))
    }
}

words! {
    /// What happens to a capture after it was read.
    pub enum Done {
        /// It is kept.
        Keep = "keep",
        /// It is moved to another folder.
        Move = "move",
        /// It is deleted.
        Delete = "delete",
    }
}

table! {
    /// Reads captures that appear in a folder: each once, in the order of their names. One that a stop
    /// interrupts is read again from its beginning; its alerts have the same `id` then.
    pub struct CapturesInput {
        /// The folder.
        folder: PathBuf = Required(FilePath);
        /// What happens to a capture after it was read.
        done: Done = Or(word(), Done::Keep);
        /// Where captures are moved with `done = "move"`.
        move_to: Option<PathBuf> = Optional(FilePath);
        /// How often to poll the folder if the system sends no notifications.
        poll: Duration = Or(Time(ms(100)..=days(1)), seconds(1));
    }
}

impl Kind for CapturesInput {
    fn check(&self, reader: &mut Reader<'_, '_>) {
        match (self.done, &self.move_to) {
            (Done::Move, None) => {
                reader.wrong(
                    "done",
                    "done is “move”, but move_to is not set",
                    "set move_to to a folder",
                );
            }
            (Done::Move, Some(folder)) if *folder == self.folder => {
                let remedy = "use another folder";
                reader.wrong("move_to", "move_to is the same as folder", remedy);
            }
            (Done::Keep | Done::Delete, Some(_)) => {
                let what = format!("move_to is set, but done is “{}”", self.done.name());
                reader.wrong("move_to", &what, "set done = \"move\", or remove it");
            }
            _ => {}
        }
    }

    fn describe(&self) -> String {
        let text = format!("reads captures from {}", self.folder.display());
        let end = match (self.done, &self.move_to) {
            (Done::Keep, _) => ", and keeps them".to_string(),
            (Done::Delete, _) => ", and deletes them".to_string(),
            (Done::Move, folder) => {
                let folder = folder.as_ref().map(|path| path.display().to_string());
                format!(", and moves them to {}", folder.unwrap_or_default())
            }
        };
        format!("{text}{end} (polled at least every {})", duration_text(self.poll))
    }
}
