//! Stylesheet and script. Their addresses have a digest of what they are, so that browsers keep
//! them for good.

use crate::exchange::http::{Failure, Reply};
use crate::exchange::site::{Answer, Call};
use std::sync::LazyLock;
use xxhash_rust::xxh3::xxh3_64;

/// A file that browsers keep.
#[derive(Debug)]
pub(super) struct Asset {
    name: String,
    kind: &'static str,
    text: &'static str,
}

impl Asset {
    fn new((stem, end): (&str, &str), kind: &'static str, text: &'static str) -> Asset {
        Asset { name: format!("{stem}.{:016x}.{end}", xxh3_64(text.as_bytes())), kind, text }
    }

    /// Its path.
    pub(super) fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

/// The stylesheet.
pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(("page", "css"), "text/css; charset=utf-8", include_str!("assets/page.css"))
});

/// The script.
pub(super) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(("page", "js"), "text/javascript; charset=utf-8", include_str!("assets/page.js"))
});

/// `GET /assets/{name}`.
pub(super) fn asset(call: &Call<'_>) -> Answer {
    let name = call.param("name");
    let found = [&*STYLE, &*SCRIPT].into_iter().find(|of| of.name == name);
    let found = found.ok_or_else(Failure::not_found)?;
    Ok(Reply::new(200, found.kind, found.text)
        .header("cache-control", "public, max-age=31536000, immutable"))
}
