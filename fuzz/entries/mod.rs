//! The fuzz targets: one module for each, with a function `run`.
//!
//! The targets in `targets/` call these functions, and so does the test that replays `corpus/`. A
//! function takes any bytes and panics if something is wrong. The absence of panics is the
//! minimum; assertions about the results are better.

pub mod answers;
pub mod bench;
pub mod capture;
pub mod checkpoint;
pub mod daemon_config;
pub mod exchange;
pub mod exports;
pub mod feeds;
pub mod frames;
pub mod hec;
pub mod http;
pub mod http2;
pub mod inputs;
pub mod journal;
pub mod mail;
pub mod mailfile;
pub mod open_database;
pub mod pages;
pub mod people;
pub mod pulses;
pub mod segment;
pub mod spool;
pub mod streams;
pub mod subscriptions;
pub mod suppress;
pub mod syslog;
pub mod taxii;
pub mod text;
pub mod transfers;
pub mod values;
pub mod warninglist;

/// Passes on bytes of a file with checksums, which hardly any bytes have right: unchanged; with
/// checksums that `correct_checksums` corrected; and as changes to a `good` file, five bytes each: an
/// offset, and a replacement.
fn each_corrected(
    bytes: &[u8],
    good: &[u8],
    correct_checksums: impl Fn(&mut [u8]) -> Option<()>,
    read: impl Fn(Vec<u8>),
) {
    read(bytes.to_vec());
    let mut corrected = bytes.to_vec();
    if correct_checksums(&mut corrected).is_some() {
        read(corrected);
    }
    let mut changed = good.to_vec();
    for change in bytes.chunks_exact(5).take(64) {
        let at = u32::from_le_bytes([change[0], change[1], change[2], change[3]]);
        let at = at as usize % changed.len();
        changed[at] = change[4];
    }
    if correct_checksums(&mut changed).is_some() {
        read(changed);
    }
}

/// A target.
pub struct Entry {
    /// The name of the target, and of its folder of seeds.
    pub name: &'static str,
    /// The function, which takes any bytes and must return.
    pub run: fn(&[u8]),
    /// Additional seeds: a folder of `testdata`.
    pub testdata: Option<&'static str>,
}

/// Every target.
pub const TABLE: &[Entry] = &[
    Entry { name: "answers", run: answers::run, testdata: None },
    Entry { name: "bench", run: bench::run, testdata: None },
    Entry { name: "capture", run: capture::run, testdata: Some("captures") },
    Entry { name: "checkpoint", run: checkpoint::log, testdata: None },
    Entry { name: "commit", run: checkpoint::commit, testdata: None },
    Entry { name: "config", run: subscriptions::config, testdata: None },
    Entry { name: "daemon_config", run: daemon_config::run, testdata: Some("config") },
    Entry { name: "exchange", run: exchange::run, testdata: None },
    Entry { name: "exports", run: exports::run, testdata: None },
    Entry { name: "feed_csv", run: feeds::csv, testdata: Some("indicators") },
    Entry { name: "feed_json", run: feeds::json, testdata: Some("indicators") },
    Entry { name: "feed_lines", run: feeds::lines, testdata: Some("indicators") },
    Entry { name: "feed_misp", run: feeds::misp, testdata: Some("indicators") },
    Entry { name: "feed_other", run: feeds::other, testdata: Some("indicators") },
    Entry { name: "feed_otx", run: feeds::otx, testdata: Some("indicators") },
    Entry { name: "feed_stix", run: feeds::stix, testdata: Some("indicators") },
    Entry { name: "frames", run: frames::run, testdata: Some("captures") },
    Entry { name: "hec", run: hec::run, testdata: None },
    Entry { name: "http", run: http::run, testdata: None },
    Entry { name: "http2", run: http2::run, testdata: None },
    Entry { name: "inputs", run: inputs::run, testdata: Some("cases") },
    Entry { name: "journal", run: journal::run, testdata: None },
    Entry { name: "mail", run: mail::run, testdata: None },
    Entry { name: "mailfile", run: mailfile::run, testdata: Some("mail") },
    Entry { name: "open_database", run: open_database::run, testdata: None },
    Entry { name: "pages", run: pages::run, testdata: None },
    Entry { name: "people", run: people::run, testdata: None },
    Entry { name: "pulse_bodies", run: pulses::bodies, testdata: None },
    Entry { name: "pulse_searches", run: pulses::searches, testdata: None },
    Entry { name: "pulse_targets", run: pulses::targets, testdata: None },
    Entry { name: "segment", run: segment::run, testdata: Some("segments") },
    Entry { name: "spool", run: spool::run, testdata: None },
    Entry { name: "store", run: subscriptions::store, testdata: None },
    Entry { name: "streams", run: streams::run, testdata: None },
    Entry { name: "suppress", run: suppress::run, testdata: None },
    Entry { name: "syslog_frames", run: syslog::frames, testdata: None },
    Entry { name: "syslog_message", run: syslog::message, testdata: None },
    Entry { name: "taxii", run: taxii::run, testdata: None },
    Entry { name: "text", run: text::run, testdata: Some("logs") },
    Entry { name: "transfers", run: transfers::run, testdata: None },
    Entry { name: "values", run: values::run, testdata: None },
    Entry { name: "warninglist", run: warninglist::run, testdata: None },
];

/// The entry of a target.
pub fn named(name: &str) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| entry.name == name)
}
