//! Keeps the ledgers of the feeds: which values were in each, and when.
//!
//! A ledger never stops an update. What is wrong with it is reported, and the next update catches
//! up.

use super::settle::{SettleContext, reading};
use super::{http, local};
use crate::Error;
use crate::engine::indicator::Timestamp;
use crate::intel::config::{Origin, Subscription};
use crate::intel::store::{Difference, FeedDir, Fetch, Index, Normal};

/// A feed whose ledger is to be kept, and why and when it is settled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recording<'r> {
    pub(super) feed: &'r Subscription,
    pub(super) feed_dir: &'r FeedDir,
    /// The documents of the feed.
    pub(super) index: &'r Index,
    pub(super) context: &'r SettleContext,
}

/// Records what is in the feed now, and what has changed, if that is known. Returns what is wrong with the ledger.
pub(super) fn record(
    recording: &Recording<'_>,
    change: Option<&Difference>,
    new: &Normal,
) -> Option<Error> {
    let Recording { feed, feed_dir, index, context } = *recording;
    if context.is_dry {
        return None;
    }
    let ledger = feed_dir.ledger();
    let reading = reading(feed);
    let changed = index.documents.values().map(|document| document.changed).max();
    // What was held, and what an update that broke off has left, came with its document. What
    // the settings let in comes now.
    let known = ledger.index().ok().flatten();
    let is_of_settings = known.as_ref().is_some_and(|known| known.reading != reading);
    let since = known.and_then(|known| known.at);
    let at = changed.filter(|at| !is_of_settings && *at <= context.now && Some(*at) > since);
    let published = published(feed, index).or(changed).filter(|_| !is_of_settings);
    let at = at.unwrap_or(context.now);
    // If the document is older than this update, nobody knows which fetch came before it.
    let before = context.before.filter(|_| at >= context.start);
    let fetch = Fetch { at, before, reading, published };
    ledger.record(&fetch, change, new).unwrap_or_else(Some)
}

/// Compares a ledger with the whole feed if it describes something else: the feed is older than
/// its ledger, or the last update broke off. `table` identifies what is in the feed.
pub(super) fn catch_up(recording: &Recording<'_>, table: &Normal) -> Option<Error> {
    let Recording { feed, feed_dir, context, .. } = *recording;
    if context.is_dry || feed_dir.ledger().is_current(table.identity(), reading(feed)) {
        return None;
    }
    // A form that cannot be read is reported when it is compiled.
    let new = feed_dir.accepted()?;
    record(recording, None, &new)
}

/// When the feed's document was published, as far as its server or its file says so.
fn published(feed: &Subscription, index: &Index) -> Option<Timestamp> {
    let cursor = index.cursor.as_deref()?;
    match (&feed.origin, feed.kind) {
        (Origin::Url(_), kind) if kind.is_document() => http::published(cursor),
        (Origin::Path(_), _) => local::published(cursor),
        _ => None,
    }
}
