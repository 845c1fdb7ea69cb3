//! Turns the documents of a feed into its normalised form, and judges the change.

use super::ledger::{self, Recording};
use super::report::FeedOutcome;
use crate::engine::compile;
use crate::engine::indicator::{Indicator, Reason, Timestamp};
use crate::intel::config::{Kind, Subscription};
use crate::intel::feed;
use crate::intel::store::{
    Difference, Document, FeedDir, Index, Normal, PendingReview, Piece, Segment, SegmentBuilder,
};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::Path;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// A feed that shrinks below one in this many of its indicators is held.
const SHRINK: u64 = 2;

/// A feed that grows to more than this many times its size is held.
const GROWTH: u64 = 10;

/// An allow list of fewer entries grows as if it had this many.
const FEW: u64 = 100;

/// The result for the indicators of a feed.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) is_changed: bool,
    pub(super) after: u64,
    pub(super) added: u64,
    pub(super) removed: u64,
    pub(super) rejects: BTreeMap<Reason, u64>,
    pub(super) held: Option<PendingReview>,
    /// Documents that could not be read. Their previous versions count.
    pub(super) unreadable: Vec<Error>,
    /// What is wrong with the ledger, which does not stop an update.
    pub(super) ledger: Option<Error>,
}

/// Why and when a feed is settled.
#[derive(Clone, Copy, Debug)]
pub(super) struct SettleContext {
    /// Accept a change that would otherwise be held.
    pub(super) accept: bool,
    /// Nothing that is changed counts: the feed's folder is a shadow.
    pub(super) is_dry: bool,
    /// When the update of the feed began.
    pub(super) start: Timestamp,
    /// The time.
    pub(super) now: Timestamp,
    /// The last successful fetch before.
    pub(super) before: Option<Timestamp>,
}

impl Settled {
    /// A result with the counts of a normalised form.
    fn of(normal: &Normal) -> Settled {
        let count = normal.indicators();
        let rejects = normal.rejects();
        Settled { after: count, rejects, ..Settled::default() }
    }

    /// The result as reported to the user.
    pub(super) fn outcome(&self) -> FeedOutcome {
        match &self.held {
            Some(held) => FeedOutcome::PendingReview(held.clone()),
            None if self.is_changed => {
                FeedOutcome::Changed { added: self.added, removed: self.removed }
            }
            None => FeedOutcome::Unchanged,
        }
    }
}

/// Reads a document with the settings of its subscription.
pub(super) fn read(
    feed: &Subscription,
    name: &str,
    document: &Document,
    bytes: &[u8],
) -> Result<Segment> {
    let span = feed.lifetime.map(|span| i64::try_from(span.as_micros()).unwrap_or(i64::MAX));
    let lifetime = span.map(|span| (span, document.changed));
    let mut builder = SegmentBuilder::new(name, document.hash, &feed.filter, lifetime);
    let bytes = feed::inflate(bytes, feed.max_size)?;
    let summary = feed::read(&bytes, &feed.options, &mut builder)?;
    Ok(builder.finish_as(&summary))
}

/// Brings the normalised form up to date with the documents, and the ledger with it.
///
/// # Errors
///
/// The only document of the feed cannot be read, or the store cannot be written.
pub(super) fn settle(
    feed: &Subscription,
    feed_dir: &FeedDir,
    context: &SettleContext,
) -> Result<Settled> {
    let index = feed_dir.index()?;
    let reading = reading(feed);
    let parts = parts(feed, &index);
    let is_current = |normal: &Normal| normal.reading == reading && has_all(normal, &parts);
    let accepted = feed_dir.accepted_table();
    if let Some(table) = &accepted
        && is_current(table)
    {
        feed_dir.drop_held()?;
        feed_dir.tidy(&index);
        let ledger = ledger::catch_up(&Recording { feed, feed_dir, index: &index, context }, table);
        return Ok(Settled { ledger, ..Settled::of(table) });
    }
    if index.documents.is_empty() && accepted.is_none() {
        return Ok(Settled::default());
    }
    if let Some(table) = feed_dir.held_table()
        && is_current(&table)
    {
        let recording = Recording { feed, feed_dir, index: &index, context };
        return settle_held(&recording, accepted.as_ref(), &table);
    }
    let settled = make(&Recording { feed, feed_dir, index: &index, context }, &parts)?;
    feed_dir.tidy(&index);
    Ok(settled)
}

/// Handles held indicators that the feed still sends.
fn settle_held(
    recording: &Recording<'_>,
    accepted: Option<&Normal>,
    held: &Normal,
) -> Result<Settled> {
    let feed_dir = recording.feed_dir;
    if !recording.context.accept {
        let before = accepted.map_or(0, Normal::indicators);
        let kind = recording.feed.kind;
        let reason = too_different(kind, before, held.indicators()).unwrap_or_default();
        let since = feed_dir.state().held.and_then(|held| held.since);
        let held = PendingReview { since, indicators: held.indicators(), reason };
        let settled = accepted.map(Settled::of).unwrap_or_default();
        return Ok(Settled { held: Some(held), ..settled });
    }
    let new = feed_dir.held();
    let change = Difference::between(feed_dir.accepted().as_ref(), new.as_ref());
    feed_dir.accept_held()?;
    feed_dir.tidy(recording.index);
    let ledger = new.and_then(|new| ledger::record(recording, Some(&change), &new));
    let Difference { added, removed, .. } = change;
    Ok(Settled { is_changed: true, added, removed, ledger, ..Settled::of(held) })
}

/// Rebuilds the normalised form from the documents that changed.
fn make(recording: &Recording<'_>, parts: &[Part<'_>]) -> Result<Settled> {
    let Recording { feed, feed_dir, .. } = *recording;
    let reading = reading(feed);
    let old = feed_dir.accepted();
    let held = feed_dir.held();
    let same_documents = old.as_ref().is_some_and(|old| has_all(old, parts));
    // A segment can only be reused if the document was read with the same settings.
    let usable: Vec<&Normal> = [&old, &held]
        .into_iter()
        .filter_map(Option::as_ref)
        .filter(|normal| normal.reading == reading)
        .collect();
    let mut unreadable = Vec::new();
    let mut made: Vec<Segment> = Vec::new();
    let mut places: Vec<(usize, Option<Piece<'_>>)> = Vec::new();
    for part in parts {
        let known = usable.iter().find_map(|normal| Piece::of(normal, part.name, part.hash));
        let piece = match known {
            Some(piece) => Some(piece),
            None => match read_part(feed, feed_dir, part) {
                Ok(segment) => {
                    made.push(segment);
                    None
                }
                // The previous version is better than nothing.
                Err(error) => {
                    unreadable.push(error);
                    let former = usable.iter().find_map(|it| Piece::former(it, part.name));
                    if former.is_none() {
                        continue;
                    }
                    former
                }
            },
        };
        places.push((made.len(), piece));
    }
    let pieces: Vec<Piece<'_>> = places
        .iter()
        .map(|(at, piece)| piece.unwrap_or_else(|| Piece::new(&made[at - 1])))
        .collect();
    if pieces.is_empty() && !parts.is_empty() {
        // Nothing could be read: keep what was accepted.
        let none = || Error::format("no document could be read").at_path(feed_dir.folder());
        return Err(unreadable.into_iter().next().unwrap_or_else(none));
    }
    let before = old.as_ref().map_or(0, Normal::indicators);
    let after = pieces.iter().map(|piece| piece.segment().indicators).sum();
    // Someone who changes the settings expects the number to change.
    let judged = old.is_some() && !same_documents && !recording.context.accept;
    if judged && let Some(reason) = too_different(feed.kind, before, after) {
        feed_dir.hold(reading, &pieces)?;
        let held = Some(PendingReview { since: None, indicators: after, reason });
        let settled = old.as_ref().map(Settled::of).unwrap_or_default();
        return Ok(Settled { held, unreadable, ..settled });
    }
    feed_dir.accept(reading, &pieces)?;
    let new = feed_dir.accepted().ok_or_else(|| {
        Error::format("the file just written cannot be read").at_path(feed_dir.folder())
    })?;
    let change = Difference::between(old.as_ref(), Some(&new));
    let ledger = ledger::record(recording, Some(&change), &new);
    let Difference { added, removed, .. } = change;
    let is_changed = old.as_ref().map(Normal::identity) != Some(new.identity());
    Ok(Settled { is_changed, added, removed, unreadable, ledger, ..Settled::of(&new) })
}

/// A hash of the settings for reading. When it changes, documents must be read
/// again.
pub(super) fn reading(feed: &Subscription) -> u64 {
    xxh3_64(format!("{} {}", env!("CARGO_PKG_VERSION"), feed.reading()).as_bytes())
}

/// The input of one segment: a document, or all of them together.
struct Part<'i> {
    name: &'i str,
    hash: u128,
    documents: Vec<&'i Document>,
}

/// The inputs of the segments. Documents of a TAXII server refer to each other's
/// objects and must be read together.
fn parts<'i>(feed: &Subscription, index: &'i Index) -> Vec<Part<'i>> {
    let documents = index.documents.iter();
    if feed.kind != Kind::Taxii || index.documents.is_empty() {
        return documents
            .map(|(name, document)| Part { name, hash: document.hash, documents: vec![document] })
            .collect();
    }
    let mut names = Vec::new();
    for (name, document) in index.documents.iter() {
        names.extend_from_slice(format!("{name}\n{:032x}\n", document.hash).as_bytes());
    }
    let documents = documents.map(|(_, document)| document).collect();
    vec![Part { name: TOGETHER, hash: xxh3_128(&names), documents }]
}

/// The name of the segment made from all documents.
const TOGETHER: &str = "*";

/// Reads the documents of one segment.
fn read_part(feed: &Subscription, feed_dir: &FeedDir, part: &Part<'_>) -> Result<Segment> {
    if let [document] = part.documents[..]
        && part.hash == document.hash
    {
        let path = || feed_dir.folder().join("documents").join(&document.file);
        let bytes = feed_dir.document(document)?;
        return read(feed, part.name, document, &bytes).map_err(|e| e.at_path(path()));
    }
    let mut together = Vec::new();
    for document in &part.documents {
        together.extend_from_slice(&feed_dir.document(document)?);
        together.push(b'\n');
    }
    let changed = part.documents.iter().map(|document| document.changed).max();
    let whole = Document {
        file: String::new(),
        length: together.len() as u64,
        hash: part.hash,
        changed: changed.unwrap_or_default(),
    };
    read(feed, part.name, &whole, &together).map_err(|e| e.at_path(feed_dir.folder()))
}

/// Reads the documents of a feed again, and passes on each rejected value with its
/// reason; also those of the compiler's guards, if its options are given.
pub(super) fn each_reject(
    feed: &Subscription,
    feed_dir: &FeedDir,
    guards: Option<&compile::Options>,
    take: &mut dyn FnMut(&Path, feed::Reject),
) -> Result<()> {
    let index = feed_dir.index()?;
    for part in parts(feed, &index) {
        let path = match part.documents[..] {
            [document] => feed_dir.folder().join("documents").join(&document.file),
            _ => feed_dir.folder().to_path_buf(),
        };
        let mut bytes = Vec::new();
        for document in &part.documents {
            bytes.extend_from_slice(&feed_dir.document(document)?);
            bytes.push(b'\n');
        }
        if part.documents.len() == 1 {
            bytes.pop();
        }
        let mut sink = RejectSink { feed, path: &path, guards, take };
        let bytes = feed::inflate(&bytes, feed.max_size).map_err(|e| e.at_path(&path))?;
        feed::read(&bytes, &feed.options, &mut sink).map_err(|e| e.at_path(&path))?;
    }
    Ok(())
}

/// Receives what the readers reject, what the feed's filters leave out, and what
/// the compiler's guards withhold or change.
struct RejectSink<'t> {
    feed: &'t Subscription,
    path: &'t Path,
    guards: Option<&'t compile::Options>,
    take: &'t mut dyn FnMut(&Path, feed::Reject),
}

impl feed::Sink for RejectSink<'_> {
    fn indicator(&mut self, indicator: Indicator, line: Option<u64>) {
        let filter = &self.feed.filter;
        let reason = match !filter.is_empty() && !filter.takes(&indicator) {
            true => Some(Reason::Filtered),
            false => self.guards.and_then(|options| compile::verdict(options, &indicator)),
        };
        if let Some(reason) = reason {
            let value = indicator.value.to_string();
            (self.take)(self.path, feed::Reject { line, value, reason, detail: None });
        }
    }

    fn reject(&mut self, reject: feed::Reject) {
        (self.take)(self.path, reject);
    }
}

/// Whether the accepted form was read with the current settings.
pub(super) fn is_current(feed: &Subscription, feed_dir: &FeedDir) -> bool {
    feed_dir.accepted_table().is_some_and(|table| table.reading == reading(feed))
}

/// Whether a normalised form was made from exactly these documents.
fn has_all(normal: &Normal, parts: &[Part<'_>]) -> bool {
    let segments = normal.segments();
    segments.len() == parts.len()
        && segments
            .zip(parts)
            .all(|(segment, part)| segment.name == part.name && segment.hash == part.hash)
}

/// Why a change must be reviewed.
fn too_different(kind: Kind, before: u64, after: u64) -> Option<String> {
    if kind == Kind::Allow {
        // What leaves an allow list alerts again at once: nothing is lost by that. A list that
        // suddenly allows a lot may have been written by somebody else.
        return (after >= before.max(FEW).saturating_mul(GROWTH))
            .then(|| format!("it grew from {before} to {after} entries"));
    }
    if before > 0 && after.saturating_mul(SHRINK) < before {
        return Some(format!("it shrank from {before} to {after} indicators"));
    }
    if before > 0 && after >= before.saturating_mul(GROWTH) {
        return Some(format!("it grew from {before} to {after} indicators"));
    }
    None
}

/// Stores the document that a fetch returned. It is parsed first: an unreadable
/// document must not replace the last good copy.
pub(super) fn keep_one(
    feed: &Subscription,
    feed_dir: &FeedDir,
    now: Timestamp,
    bytes: &[u8],
    cursor: Option<&str>,
) -> Result<()> {
    let name = ONLY;
    let mut writer = feed_dir.writer(now)?;
    let document = Document::new(name, bytes, now);
    let is_known = writer.documents().get(name).is_some_and(|known| known.hash == document.hash);
    if !is_known {
        read(feed, name, &document, bytes)?;
        writer.put(name, bytes)?;
    }
    let others: Vec<String> =
        writer.documents().keys().filter(|other| *other != name).cloned().collect();
    others.iter().for_each(|other| writer.remove(other));
    if writer.changes() > 0 || writer.index().cursor.as_deref() != cursor {
        writer.set_cursor(cursor)?;
    }
    Ok(())
}

/// The name of the document of a feed with a single one.
pub(super) const ONLY: &str = "list";
