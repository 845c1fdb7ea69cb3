//! Fetches documents over HTTP.

use super::settle::keep_one;
use super::time::Time;
use crate::engine::indicator::Timestamp;
use crate::intel::config::{Kind, Subscription};
use crate::intel::feed::fetch::Clock as _;
use crate::intel::feed::fetch::{Access, Answer, Caps, Client, Request, Secret, Url, encode};
use crate::intel::store::{FeedDir, FeedState};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The longest time to wait without receiving anything.
const IDLE: Duration = Duration::from_secs(30);

/// The longest `Retry-After` to honour: a server must not silence a feed for good.
const MAX_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Where an exchange has its accepted false positives, in a form that keeps kinds and reasons.
const ALLOW: &str = "api/v2/allow?format=jsonl";

/// The validators of the last answer, for a conditional request (RFC 9110, section
/// 13).
#[derive(Default, PartialEq, Eq, Serialize, Deserialize)]
struct Validators {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    last_modified: Option<String>,
    /// The address. Validators of another one mean nothing.
    address: String,
}

/// When the document was last modified, according to the answer with these validators.
pub(super) fn published(cursor: &str) -> Option<Timestamp> {
    let validators: Validators = serde_json::from_str(cursor).ok()?;
    let time = jiff::fmt::rfc2822::parse(validators.last_modified?.trim()).ok()?;
    Some(Timestamp(time.timestamp().as_microsecond()))
}

/// The limits for an answer of this feed.
pub(super) fn caps(feed: &Subscription) -> Caps {
    let idle = IDLE.min(feed.timeout);
    Caps { max_len: feed.max_size, total: feed.timeout, idle, ..Caps::default() }
}

/// The address, with the credential filled in.
pub(super) fn address(feed: &Subscription, url: &str) -> Result<Url> {
    let url = match &feed.access.key {
        Some(key) if url.contains("{key}") => url.replace("{key}", &encode(&key.reveal()?)),
        _ => url.to_string(),
    };
    let (url, _) = Url::parse(&url)?;
    // Whoever names only the server means its list.
    Ok(if feed.kind == Kind::Allow && url.target() == "/" { url.below(ALLOW) } else { url })
}

/// How to authenticate. `header` is the default header for a key of this kind.
pub(super) fn access(feed: &Subscription, header: Option<&str>) -> Result<Access> {
    let own = &feed.access;
    let pair = own.client_cert.clone().zip(own.client_key.clone());
    let mut access = Access { certificate: pair, roots: own.ca.clone(), ..Access::default() };
    let Some(key) = &own.key else { return Ok(access) };
    let key = key.reveal()?;
    access.secrets.push(Secret::new(&*key));
    let is_in_url =
        matches!(&feed.origin, crate::intel::config::Origin::Url(url) if url.contains("{key}"));
    Ok(match (&own.user, own.header.as_deref().or(header)) {
        (Some(user), _) => access.basic(user, &key),
        (None, Some(header)) => access.header(header, &key),
        (None, None) if is_in_url => access,
        (None, None) => access.bearer(&key),
    })
}

/// Fetches the document, unless it has not changed.
pub(super) fn fetch(
    feed: &Subscription,
    url: &str,
    feed_dir: &FeedDir,
    time: &Time<'_>,
    state: &mut FeedState,
) -> Result<()> {
    let now = time.now();
    let address = address(feed, url)?;
    let client = Client::new(&address, access(feed, None)?, caps(feed))?;
    let index = feed_dir.index()?;
    let known = index.cursor.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let known: Validators = known.unwrap_or_default();
    let may_ask = known.address == url && !index.documents.is_empty();
    let mut request = Request::get(&address);
    if may_ask {
        request.etag = known.etag.as_deref();
        request.last_modified = known.last_modified.as_deref();
    }
    let answer = client.send(&request, time)?;
    if answer.is_unchanged() && may_ask {
        return Ok(());
    }
    if let Some(wait) = answer.retry_after(now).filter(|_| !is_success(&answer)) {
        let wait = i64::try_from(wait.min(MAX_WAIT).as_micros()).unwrap_or(0);
        state.not_before = Some(Timestamp(now.0.saturating_add(wait)));
    }
    if matches!(answer.status(), 401 | 403) {
        state.stopped = Some("its server refuses access".into());
    }
    let answer = answer.success()?;
    let text = |name: &str| answer.header(name).map(str::to_string);
    let validators = Validators {
        etag: text("etag"),
        last_modified: text("last-modified"),
        address: url.to_string(),
    };
    let from = answer.url().to_string();
    let bytes = answer.bytes()?;
    let cursor =
        serde_json::to_string(&validators).map_err(|e| Error::io("write the cursor", e.into()))?;
    keep_one(feed, feed_dir, now, &bytes, Some(&cursor)).map_err(|e| e.at_path(from))
}

/// Whether the status is 2xx, which means that the answer is a document.
fn is_success(answer: &Answer) -> bool {
    (200..300).contains(&answer.status())
}
