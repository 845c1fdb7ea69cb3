//! The path of the daemon's alerts to its sinks: repeats are held back, each format that a sink
//! wants is encoded once, and what goes to remote receivers is put into the spool.

use super::member::Member;
use super::output::{Due, Local};
use crate::clock::{Stopwatch, now};
use crate::engine::alert::{Alert, Encoder, Format, Handling, write_repeat};
use crate::engine::indicator::{Place, Severity, Timestamp};
use crate::engine::suppress::{AlertFacts, Config, HomeNetworks, Repeat, Restoring, Suppressor};
use crate::sensor::checkpoint::{CheckpointState, Commit, Entries};
use crate::sensor::deliver::Reading;
use crate::sensor::metrics::{Counter, Family, Gauge, Metrics};
use crate::sensor::spool::{Cursor, Record, Spool, Stored};
use crate::{Error, Result};
use hashbrown::HashMap;
use std::cell::OnceCell;
use std::collections::{BTreeMap, VecDeque};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often windows and the cursors of sinks are checked.
const ROUND: Duration = Duration::from_millis(500);

/// Prefixes of cursor names in a commit, one for the segment and one for the offset.
const SEGMENT: &str = "spool/segment/";
const OFFSET: &str = "spool/offset/";

/// An alert in every format that some sink wants, the first of which is JSON.
type Forms = Vec<(Format, Vec<u8>)>;

/// How a record is passed on.
#[derive(Clone, Copy)]
struct RelayOptions {
    severity: Severity,
    /// Whether it was held back as a repeat, and only goes to archives.
    is_held: bool,
    /// Whether its input can wait for room in the spool.
    can_wait: bool,
}

/// Between the alerts and the sinks.
pub(in crate::sensor::run) struct Relay {
    /// `None` if every alert goes out.
    suppressor: Option<Suppressor>,
    /// Changes of a suppression that was switched off since the last commit.
    ended: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    home: HomeNetworks,
    clock: LiveClock,
    /// `None` if no sink needs it.
    spool: Option<Spool>,
    /// The formats besides JSON.
    formats: Vec<Format>,
    /// Whether some sink also wants what is held back.
    has_archive: bool,
    /// Records that found no room in the spool, in order.
    backlog: VecDeque<Record>,
    /// The cursors of the last commit.
    cursors: HashMap<String, Cursor>,
    looked: Stopwatch,
    counts: Counts,
    /// Alerts that went out, and alerts that were held back.
    pub(in crate::sensor::run) alerts: u64,
    pub(in crate::sensor::run) suppressed: u64,
}

/// The parts of a relay.
pub(in crate::sensor::run) struct Parts {
    pub(in crate::sensor::run) suppressor: Option<Suppressor>,
    pub(in crate::sensor::run) home: HomeNetworks,
    pub(in crate::sensor::run) spool: Option<Spool>,
    pub(in crate::sensor::run) formats: Vec<Format>,
    pub(in crate::sensor::run) has_archive: bool,
}

/// A clock that only moves forward from the wall-clock time at the start: windows survive a
/// restart, and setting the system clock does not affect them.
struct LiveClock {
    start: Timestamp,
    since: Stopwatch,
}

impl LiveClock {
    fn now(&self) -> Timestamp {
        let micros = i64::try_from(self.since.elapsed().as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.start.0.saturating_add(micros))
    }
}

/// Handles of metrics.
struct Counts {
    alerts: [Counter; 4],
    repeated: Counter,
    keys: Gauge,
    dropped: HashMap<String, [Counter; 2]>,
    spool_bytes: Gauge,
}

impl Counts {
    fn new(metrics: &Metrics, sinks: impl IntoIterator<Item = String>) -> Self {
        let alerts = ["low", "medium", "high", "critical"]
            .map(|severity| metrics.counter(Family::Alerts, &[severity]));
        let dropped = sinks.into_iter().map(|sink| {
            let why = ["full", "too_large"];
            let counters = why.map(|why| metrics.counter(Family::Dropped, &[&sink, why]));
            (sink, counters)
        });
        Counts {
            alerts,
            repeated: metrics.counter(Family::Suppressed, &["repeated"]),
            keys: metrics.gauge(Family::SuppressionKeys, &[]),
            dropped: dropped.collect(),
            spool_bytes: metrics.gauge(Family::SpoolBytes, &[]),
        }
    }
}

/// Makes these metrics count the local destinations.
pub(in crate::sensor::run) fn count_by(metrics: &Metrics, locals: &mut [Local<'_>]) {
    for local in locals {
        local.written = metrics.counter(Family::SinkRecords, &[&local.name]);
    }
}

/// The suppression at the time of the last commit, while it is being read.
///
/// A million windows take a while. They are not needed before the first alert, and inputs are
/// opened meanwhile.
pub(in crate::sensor::run) struct Restored(JoinHandle<Result<Suppressor>>);

impl Restored {
    /// Begins to read it, on its own thread.
    ///
    /// # Errors
    ///
    /// If the thread can't be started.
    pub(in crate::sensor::run) fn begin(config: Config, entries: Entries) -> Result<Restored> {
        let restore = move || {
            let mut restoring = Restoring::new(config, entries.max_len(), now());
            entries.each(|key, value| match value {
                Some(value) => restoring.put(value),
                None => {
                    restoring.forget(key);
                    Ok(())
                }
            })?;
            Ok(restoring.finish())
        };
        let thread = std::thread::Builder::new().name("restore".into()).spawn(restore);
        thread.map(Restored).map_err(|e| Error::io("start a thread", e))
    }

    /// Waits until everything has been read.
    ///
    /// # Errors
    ///
    /// If the stored suppression is damaged or can't be read.
    pub(in crate::sensor::run) fn wait(self) -> Result<Suppressor> {
        // Pass on a panic of that thread.
        self.0.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Where a sink resumes in the spool, if a commit records it.
pub(in crate::sensor::run) fn cursor(state: &CheckpointState, sink: &str) -> Option<Cursor> {
    let find = |kind: &str| state.cursors.get(&format!("{kind}{sink}")).copied();
    Some(Cursor { segment: find(SEGMENT)?, offset: find(OFFSET)? })
}

impl Relay {
    pub(in crate::sensor::run) fn new(parts: Parts, metrics: &Metrics) -> Relay {
        let Parts { suppressor, home, spool, formats, has_archive } = parts;
        let sinks = spool.as_ref().map(Spool::cursors).unwrap_or_default();
        let counts = Counts::new(metrics, sinks.into_keys());
        Relay {
            suppressor,
            home,
            clock: LiveClock { start: now(), since: Stopwatch::start() },
            spool,
            formats,
            has_archive,
            backlog: VecDeque::new(),
            cursors: HashMap::new(),
            ended: Vec::new(),
            looked: Stopwatch::start(),
            counts,
            alerts: 0,
            suppressed: 0,
        }
    }

    /// Continues with the restored suppression; returns how many windows are open.
    pub(in crate::sensor::run) fn resume(&mut self, suppressor: Suppressor) -> usize {
        self.suppressor.insert(suppressor).len()
    }

    /// Switches to other sinks or rules. What windows hold back is sent first, in the formats it
    /// has.
    pub(in crate::sensor::run) fn change(
        &mut self,
        parts: Parts,
        suppress: Option<Config>,
        metrics: &Metrics,
        locals: &mut [Local<'_>],
    ) {
        let Parts { suppressor, home, spool, formats, has_archive } = parts;
        if formats != self.formats {
            if let Some(suppressor) = &mut self.suppressor {
                suppressor.shut_down();
            }
            self.pass_repeats(locals);
        }
        match (&mut self.suppressor, suppress) {
            (Some(old), Some(config)) => old.reconfigure(config),
            (Some(_), None) => self.end_suppression(locals),
            (none, _) => *none = suppressor,
        }
        self.pass_repeats(locals);
        (self.home, self.spool, self.formats) = (home, spool, formats);
        self.has_archive = has_archive;
        if self.spool.is_none() {
            // No sink is left that would want them.
            self.backlog.clear();
        }
        let sinks = self.spool.as_ref().map(Spool::cursors).unwrap_or_default();
        self.counts = Counts::new(metrics, sinks.into_keys());
        count_by(metrics, locals);
    }

    /// Ends the suppression, which was switched off: what it holds back is sent, and the next commit
    /// removes its windows.
    fn end_suppression(&mut self, locals: &mut [Local<'_>]) {
        if let Some(old) = &mut self.suppressor {
            old.end_all();
        }
        self.pass_repeats(locals);
        if let Some(mut old) = self.suppressor.take() {
            old.take_entries(|key, value| self.ended.push((key.to_vec(), value)));
        }
        self.counts.keys.set(0.0);
    }

    /// Takes an alert; returns whether a commit has to follow soon.
    pub(super) fn take(
        &mut self,
        alert: &Alert<'_>,
        from: &Member,
        locals: &mut [Local<'_>],
    ) -> bool {
        let hit = alert.hit();
        let host = match &hit.place {
            Place::Log(log) => log.sender.as_deref().and_then(|sender| sender.host.as_deref()),
            Place::Packet(_) => None,
        };
        let facts = AlertFacts::of(hit, alert.severity(), host, &self.home);
        let handling = Handling { input: &from.name, local: &facts.local, is_suppressed: false };
        let (alert, formats) = (alert.handled(&handling), &self.formats);
        let time = self.clock.now();
        let is_passed = self.suppressor.as_mut().is_none_or(|suppressor| {
            suppressor.judge(&facts, time, || pack(&encoded(&alert, formats))).is_pass()
        });
        let (severity, can_wait) = (alert.severity(), from.can_wait);
        if is_passed {
            self.pass(&alert, RelayOptions { severity, is_held: false, can_wait }, locals);
            return true;
        }
        self.suppressed += 1;
        self.counts.repeated.add(1);
        if self.has_archive {
            let handling = Handling { is_suppressed: true, ..handling };
            let options = RelayOptions { severity, is_held: true, can_wait };
            self.pass(&alert.handled(&handling), options, locals);
        }
        true
    }

    fn pass(&mut self, alert: &Alert<'_>, options: RelayOptions, locals: &mut [Local<'_>]) {
        let forms = encoded(alert, &self.formats);
        // Only the spool needs it: the forms contain it already.
        let id = if self.spool.is_some() { alert.uid() } else { String::new() };
        self.emit((&id, alert.time()), options, &forms, locals);
    }

    /// Passes a record to every sink that wants it.
    fn emit(
        &mut self,
        (id, time): (&str, Timestamp),
        options: RelayOptions,
        forms: &Forms,
        locals: &mut [Local<'_>],
    ) {
        let number = options.severity as u8;
        let Some((_, json)) = forms.first() else { return };
        // Archives also get what is held back.
        if !options.is_held {
            self.alerts += 1;
            if let Some(counter) = self.counts.alerts.get(usize::from(number.saturating_sub(1))) {
                counter.add(1);
            }
        }
        // Parsed only if a filter needs it. If the record can't be parsed, it is better to send it
        // than to lose it.
        let reading = OnceCell::new();
        let read = || reading.get_or_init(|| Reading::of(json).unwrap_or_default());
        for local in locals.iter_mut() {
            let wanted = local.encoder.format();
            if local.filter.wants_alert(number, options.is_held, read)
                && let Some((_, bytes)) = forms.iter().find(|(format, _)| *format == wanted)
            {
                local.add(bytes);
            }
        }
        if self.spool.is_some() {
            let id = u128::from_str_radix(id, 16).unwrap_or_default().to_be_bytes();
            let record = Record::new(id, number, time, json);
            let record = forms
                .iter()
                .skip(1)
                .fold(record, |record, (format, bytes)| record.form(*format, bytes));
            self.spool(record, options.can_wait);
        }
    }

    /// Puts a record into the spool. If a record that can wait finds no room, it and all later ones
    /// wait; its piece is not committed in the meantime.
    fn spool(&mut self, record: Record, can_wait: bool) {
        let Some(spool) = &self.spool else { return };
        if can_wait && !self.backlog.is_empty() {
            self.backlog.push_back(record);
            return;
        }
        // There was room when the piece was begun.
        let stored = match can_wait {
            true => spool.append_rest(&record, now()),
            false => spool.append(&record, now(), false),
        };
        match stored {
            Ok(Stored::Yes) => {}
            Ok(Stored::Shed) => self.counts.dropped.values().for_each(|[full, _]| full.add(1)),
            Ok(Stored::TooLong) => self.counts.dropped.values().for_each(|[_, long]| long.add(1)),
            // `flush` tries again, meets the same error and reports it.
            Ok(Stored::Full) | Err(_) => self.backlog.push_back(record),
        }
    }

    /// Whether records are waiting, so that no commit may count them as done.
    pub(super) fn is_behind(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Appends the records that wait for room.
    ///
    /// # Errors
    ///
    /// If the disk fails. A full disk is not an error: it waits for room.
    pub(super) fn flush(&mut self) -> Result<()> {
        let Some(spool) = &self.spool else { return Ok(()) };
        while let Some(record) = self.backlog.front() {
            match spool.append_rest(record, now())? {
                Stored::Full => return Ok(()),
                Stored::Yes | Stored::Shed | Stored::TooLong => drop(self.backlog.pop_front()),
            }
        }
        Ok(())
    }

    /// Whether inputs that can wait have to wait.
    pub(super) fn is_full(&self) -> bool {
        !self.backlog.is_empty() || self.spool.as_ref().is_some_and(Spool::is_full)
    }

    /// Ends windows that have expired.
    pub(super) fn round(&mut self, locals: &mut [Local<'_>]) -> Due {
        if self.looked.elapsed() < ROUND {
            return Due::Nothing;
        }
        self.looked = Stopwatch::start();
        let time = self.clock.now();
        if let Some(suppressor) = &mut self.suppressor {
            suppressor.advance(time);
            self.counts.keys.set(suppressor.len() as f64);
        }
        let has_repeats = self.pass_repeats(locals);
        let Some(spool) = &self.spool else {
            return if has_repeats { Due::Alerts } else { Due::Nothing };
        };
        self.counts.spool_bytes.set(spool.counters().bytes as f64);
        let has_moved =
            spool.cursors().iter().any(|(name, cursor)| self.cursors.get(name) != Some(cursor));
        match (has_repeats, has_moved) {
            (true, _) => Due::Alerts,
            (false, true) => Due::Progress,
            (false, false) => Due::Nothing,
        }
    }

    /// Bytes waiting in the spool, by sink; sinks without a backlog are left out.
    pub(in crate::sensor::run) fn backlogs(&self) -> BTreeMap<String, u64> {
        let Some(spool) = &self.spool else { return BTreeMap::new() };
        let names = spool.cursors().into_keys();
        let all = names.map(|name| (spool.backlog(&name).bytes, name));
        all.filter(|(bytes, _)| *bytes > 0).map(|(bytes, name)| (name, bytes)).collect()
    }

    /// Ends all windows early and sends what they hold back: no more alerts will come.
    pub(super) fn end(&mut self, locals: &mut [Local<'_>]) {
        if let Some(suppressor) = &mut self.suppressor {
            suppressor.shut_down();
        }
        self.pass_repeats(locals);
    }

    /// Passes on what windows held back; returns whether there was anything.
    fn pass_repeats(&mut self, locals: &mut [Local<'_>]) -> bool {
        let repeats = self.suppressor.as_mut().map(Suppressor::take_repeats).unwrap_or_default();
        let has_any = !repeats.is_empty();
        for repeat in repeats {
            let forms = repeated(&repeat, &self.formats);
            // A summary has no input that could send it again, so it waits instead of being
            // dropped.
            let options =
                RelayOptions { severity: repeat.severity, is_held: false, can_wait: true };
            self.emit((&repeat.uid(), repeat.last), options, &forms, locals);
        }
        has_any
    }

    /// Adds what a commit has to record; returns the spool, which has to be synced before.
    pub(super) fn seal(&mut self, commit: &mut Commit) -> Option<Spool> {
        if let Some(spool) = &self.spool {
            for (name, cursor) in spool.cursors() {
                if self.cursors.get(&name) != Some(&cursor) {
                    commit.cursors.push((format!("{SEGMENT}{name}"), Some(cursor.segment)));
                    commit.cursors.push((format!("{OFFSET}{name}"), Some(cursor.offset)));
                    self.cursors.insert(name, cursor);
                }
            }
        }
        commit.suppress.append(&mut self.ended);
        // While a piece is not committed, neither are the windows that it opened: otherwise its
        // first alerts would count as repeats when it is read again.
        if self.backlog.is_empty()
            && let Some(suppressor) = &mut self.suppressor
        {
            suppressor.take_entries(|key, value| commit.suppress.push((key.to_vec(), value)));
        }
        self.spool.clone()
    }

    /// Whether alerts go into the spool.
    pub(super) fn has_spool(&self) -> bool {
        self.spool.is_some()
    }
}

/// An alert in JSON and these formats, each encoded once.
fn encoded(alert: &Alert<'_>, formats: &[Format]) -> Forms {
    let others = formats.iter().copied().filter(|format| *format != Format::Json);
    let all = [Format::Json].into_iter().chain(others);
    all.map(|format| {
        let mut bytes = Vec::new();
        Encoder::new(format).encode(alert, &mut bytes);
        (format, bytes)
    })
    .collect()
}

/// The last alert that a window held back, as a summary of all of them. A format that was not kept,
/// because the record was too long or no sink wanted it at the time, is built from the repeat
/// alone.
fn repeated(repeat: &Repeat, formats: &[Format]) -> Forms {
    let kept = unpack(&repeat.content).unwrap_or_default();
    let all = [Format::Json].into_iter().chain(formats.iter().copied());
    all.map(|format| {
        let alert = kept.iter().find(|(it, _)| *it == format).map_or(&[][..], |(_, it)| it);
        let mut bytes = Vec::new();
        write_repeat(format, alert, repeat, &mut bytes);
        (format, bytes)
    })
    .collect()
}

/// Formats as bytes: the length and text of each name, and the length and bytes of the alert.
/// Integers are little-endian.
fn pack(forms: &Forms) -> Vec<u8> {
    let mut out = Vec::new();
    for (format, bytes) in forms {
        let name = format.name();
        out.push(name.len() as u8);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(bytes);
    }
    out
}

/// Reads them again; `None` if the bytes are invalid. Formats that are no longer known are left
/// out.
fn unpack(mut bytes: &[u8]) -> Option<Forms> {
    let mut forms = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (form, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        bytes = rest;
        if let Some(format) = std::str::from_utf8(name).ok().and_then(Format::from_name) {
            forms.push((format, form.to_vec()));
        }
    }
    Some(forms)
}

#[cfg(test)]
mod tests {
    use super::super::output::{JobOutput, Route, Target};
    use super::*;
    use crate::sensor::checkpoint::AlertFile;
    use crate::sensor::metrics::Sets;
    use crate::sensor::spool::Limits;

    #[test]
    fn forms_are_read_again() {
        let forms = vec![(Format::Json, b"{}\n".to_vec()), (Format::Cef, Vec::new())];
        let packed = pack(&forms);
        assert_eq!(unpack(&packed), Some(forms));
        assert_eq!(unpack(b""), Some(Vec::new()));
        for cut in 1..packed.len() {
            let whole = unpack(&packed[..cut]);
            assert!(whole.is_none_or(|forms| forms.len() == 1), "{cut}");
        }
    }

    fn record(number: u128) -> Record {
        Record::new(number.to_be_bytes(), 2, Timestamp(0), &[b'x'; 10_000])
    }

    /// Fills a spool up to the last byte that a piece may use; returns how many records it took.
    fn filled(spool: &Spool) -> u128 {
        (0..)
            .find(|number| {
                spool.append_rest(&record(*number), Timestamp(0)).unwrap() == Stored::Full
            })
            .unwrap()
    }

    #[test]
    fn a_piece_without_room_is_in_no_commit_and_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let sink = crate::sensor::spool::Sink { cursor: None, max_backlog: None };
        let limits = Limits { max_bytes: 1 << 20, segment_bytes: 128 << 10 };
        let sinks = [("siem".to_string(), sink)];
        let (spool, _) = Spool::open(&folder.path().join("spool"), limits, sinks).unwrap();
        let parts = Parts {
            suppressor: Some(Suppressor::new(Config::default()).recorded()),
            home: HomeNetworks::new(Vec::new()),
            spool: Some(spool.clone()),
            formats: Vec::new(),
            has_archive: false,
        };
        let mut relay = Relay::new(parts, &Metrics::new(Sets::default()));
        let facts =
            AlertFacts::of_indicator(crate::engine::indicator::Kind::Domain, "evil.example");
        let suppressor = relay.suppressor.as_mut().unwrap();
        assert!(suppressor.judge(&facts, now(), Vec::new).is_pass());
        let path = folder.path().join("alerts.json");
        let (file, _) = AlertFile::open(&path, &CheckpointState::default()).unwrap();
        let local = Local::new(Target::File(Box::new(file)), Encoder::new(Format::Json));
        let mut out = JobOutput::new(Route::Relay(Box::new(relay)), vec![local]);
        let written = || std::fs::read_to_string(&path).unwrap();
        let piece = |out: &mut JobOutput<'_>, text: &str, can_wait: bool| {
            out.begin_piece();
            out.locals[0].add(text.as_bytes());
            let Route::Relay(relay) = &mut out.route else { unreachable!() };
            relay.spool(record(0), can_wait);
            out.end_piece()
        };
        assert!(!piece(&mut out, "whole\n", true));
        filled(&spool);
        assert!(piece(&mut out, "in part\n", true) && out.is_behind());
        // Meanwhile another input, which can't wait, goes on.
        out.begin_piece();
        out.locals[0].add(b"datagram\n");
        out.flush().unwrap();
        assert_eq!(written(), "whole\ndatagram\n");
        // The length that a commit records is that of the file, and windows stay as they were.
        assert_eq!(out.seal().unwrap().commit.suppress.len(), 0);
        // The receiver takes everything.
        spool.advance("siem", spool.end());
        spool.is_full();
        out.flush().unwrap();
        assert!(!out.is_behind() && out.take_released());
        assert_eq!(written(), "whole\ndatagram\nin part\n");
        assert_eq!(out.seal().unwrap().commit.suppress.len(), 1);
    }
}
