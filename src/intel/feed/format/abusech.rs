//! The CSV exports of abuse.ch: tables whose header is a comment, with a few
//! columns whose names mean something else elsewhere.

use crate::engine::indicator::{Kind, Scope};
use crate::intel::feed::format::table::Found;
use crate::intel::feed::lines::{self, Line, Lines};
use crate::intel::feed::table::columns::Column;

/// The confidence of the JA3 list, which was frozen in 2021 and is full of false
/// positives.
const JA3_CONFIDENCE: u8 = 25;

/// Whether the comments at the top of `text` are abuse.ch's and name columns.
pub(in crate::intel::feed) fn is_export(text: &str) -> bool {
    let mut named = false;
    for (_, line) in Lines::new(text).take(60) {
        match lines::parse(line) {
            Line::Comment(comment) => {
                let comment = comment.to_ascii_lowercase();
                named |= HEADERS
                    .iter()
                    .any(|header| comment.replace(['"', ' '], "").starts_with(header));
            }
            Line::Value(..) => break,
            Line::Blank => {}
        }
    }
    named
}

/// The beginnings of the header lines, squeezed.
const HEADERS: &[&str] = &[
    "id,dateadded,url,",
    "first_seen_utc,ioc_id,ioc_value",
    "first_seen_utc,dst_ip,dst_port",
    "firstseen,dstip,dstport",
    "listingdate,sha1,listingreason",
    "ja3_md5,firstseen,lastseen",
    "first_seen_utc,sha256_hash,md5_hash",
];

/// Corrects the layout of a table if it is one of abuse.ch's.
pub(in crate::intel::feed) fn adjust(found: &mut Found) {
    let has = |names: &[&str]| names.iter().all(|name| found.names.iter().any(|n| n == name));
    if has(&["sha1", "listingreason"]) {
        for (_, kind) in &mut found.layout.values {
            *kind = Some((Kind::CertSha1, Scope::Exact));
        }
        family_from_reason(found);
    } else if has(&["ja3md5", "listingreason"]) {
        found.confidence = Some(JA3_CONFIDENCE);
        family_from_reason(found);
    } else if has(&["sha256hash", "md5hash", "sha1hash"]) {
        // Import hashes and fuzzy hashes are shared with harmless programs. The
        // export lists them as properties of the sample.
        found
            .layout
            .values
            .retain(|(_, kind)| matches!(kind, Some((Kind::Md5 | Kind::Sha1 | Kind::Sha256, _))));
    } else if has(&["dateadded", "urlhauslink"]) {
        found.layout.values.retain(|(_, kind)| matches!(kind, Some((Kind::Url, _))));
    }
}

/// Takes the family from the reason of a listing: `Dridex C&C`.
fn family_from_reason(found: &mut Found) {
    for (_, column) in &mut found.layout.context {
        if *column == Column::Description {
            *column = Column::Malware;
        }
    }
}
