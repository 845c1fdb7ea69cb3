//! Walks an exchange from where the last walk stopped, and stores what it finds.

use super::http::{access, address, caps};
use super::time::Time;
use crate::Result;
use crate::engine::indicator::Timestamp;
use crate::intel::config::{Kind, Origin, Subscription};
use crate::intel::feed::client::{Exchange, misp, otx, taxii};
use crate::intel::feed::fetch::{Client, Clock as _, Url};
use crate::intel::store::FeedDir;
use std::time::Duration;

/// Fetches what changed since the last walk, or continues one that was interrupted.
pub(super) fn fetch(feed: &Subscription, feed_dir: &FeedDir, time: &Time<'_>) -> Result<()> {
    let now = time.now();
    let home = match &feed.origin {
        Origin::Url(url) => address(feed, url)?,
        // A local folder makes no requests, so any URL will do.
        _ => Url::parse("http://localhost/")?.0,
    };
    let exchange = exchange(feed, home.clone(), now)?;
    // A walk makes many requests, and the feed's timeout applies to each of them.
    let client = Client::new(&home, access(feed, header(feed))?, caps(feed))?;
    let mut writer = feed_dir.writer(now)?;
    exchange.walk(&client, &mut writer, time).map(drop)
}

/// The default header for the key, if the exchange has one of its own.
fn header(feed: &Subscription) -> Option<&'static str> {
    match feed.kind {
        Kind::Otx => Some("X-OTX-API-KEY"),
        Kind::Misp => Some("Authorization"),
        Kind::List | Kind::Stix | Kind::Taxii | Kind::Allow => None,
    }
}

/// Creates the client for the kind of exchange.
fn exchange(feed: &Subscription, url: Url, now: Timestamp) -> Result<Exchange> {
    let own = &feed.exchange;
    let before = |span: Duration| {
        Timestamp(now.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    };
    let since = own.lookback.map(before);
    if let Origin::Path(path) = &feed.origin {
        return Ok(Exchange::Misp(misp::Misp::Folder(path.clone())));
    }
    Ok(match feed.kind {
        Kind::Otx => Exchange::Otx(otx::Otx { server: url, lookback: own.lookback }),
        Kind::Taxii => Exchange::Taxii(taxii::Taxii {
            server: url,
            collections: own.collections.clone(),
            added_after: since,
        }),
        _ if feed.is_misp_server() => Exchange::Misp(misp::Misp::Server(misp::Server {
            url,
            tags: own.event_tags.clone(),
            since,
            unpublished: own.unpublished,
            to_ids_only: false,
        })),
        _ => Exchange::Misp(misp::Misp::Feed(url)),
    })
}
