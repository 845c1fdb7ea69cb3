//! Whether a record still holds, by its own words: `deleted`, `revoked`, `to_ids`,
//! `status` and their relatives, alike in JSON and in tables (section 8, item 9).
//!
//! A word that is not known here says nothing: `offline` and `down` speak of a server
//! that may come back, and what a feed lists it means.

use crate::engine::indicator::{Reason, Timestamp};
use crate::intel::feed::types::squeeze;

/// What a column or member says about a record's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Live {
    /// True, or a time: its source took it back.
    Gone,
    /// True: it is over. A time is an end like others, see [`Live::end`].
    Over,
    /// False: it does not hold.
    Active,
    /// False: it is for information alone.
    Detection,
    /// A word for all of these.
    Status,
    /// A word for what was found when somebody looked.
    Verdict,
    /// What is to be done with it.
    Action,
    /// What became of it since the last answer.
    Change,
}

/// What a name (squeezed) means; `None` for one that says nothing about life.
pub(super) fn by_name(name: &str) -> Option<Live> {
    let bare = name.strip_prefix("is").unwrap_or(name);
    Some(match bare {
        "withdrawn" | "deleted" | "revoked" | "removed" | "falsepositive" | "fp"
        | "whitelisted" | "whitelist" | "allowlisted" | "allowlist" | "retired" | "deprecated"
        | "inactive" | "disabled" | "obsolete" | "withdrawnat" | "deletedat" | "revokedat"
        | "removedat" | "retiredat" | "withdrawnon" | "deletedon" | "revokedon" | "removedon"
        | "datedeleted" | "dateremoved" | "daterevoked" | "suppressed" | "excluded" | "ignored"
        | "delisted" | "delistedat" | "knowngood" | "goodware" | "benign" | "superseded"
        | "xopenctirevoked" | "cancelled" | "muted" | "archived" | "tombstone" | "tombstoned" => {
            Live::Gone
        }
        // Without `is` these are counts of engines.
        "clean" | "safe" | "harmless" | "legitimate" | "good" if bare != name => Live::Gone,
        "malicious" if bare != name => Live::Active,
        "expired" => Live::Over,
        "active" | "enabled" | "valid" | "live" | "stillactive" | "stillvalid" => Live::Active,
        "toids" | "fordetection" | "idsflag" | "xopenctidetection" | "detection" => Live::Detection,
        "verdict" | "finalverdict" | "analysisverdict" | "disposition" | "classification"
        | "assessment" | "determination" | "reputation" | "malwareverdict" => Live::Verdict,
        "action" | "remediation" | "policy" | "listtype" | "decision" => Live::Action,
        "op" | "operation" | "change" | "changetype" | "updatetype" => Live::Change,
        "status" | "state" | "iocstatus" | "iocstate" | "indicatorstatus" | "indicatorstate"
        | "recordstatus" | "entrystatus" | "statusname" | "lifecycle" | "lifecyclestatus"
        | "lifecyclestate" => Live::Status,
        _ => return None,
    })
}

impl Live {
    /// Why the record does not hold; `None` when it does, or when the text says nothing.
    pub(super) fn verdict(self, text: &str) -> Option<Reason> {
        let text = text.trim();
        let is_gone = match self {
            Live::Gone => truth(text).unwrap_or_else(|| is_time(text)),
            Live::Over => truth(text) == Some(true),
            Live::Active => truth(text) == Some(false),
            Live::Detection => {
                return (truth(text) == Some(false)).then_some(Reason::NotForDetection);
            }
            Live::Status => any_part(text, is_over),
            Live::Verdict => any_part(text, is_good),
            Live::Action => is_allowed(&squeeze(text)),
            Live::Change => matches!(
                &*squeeze(text),
                "delete"
                    | "deleted"
                    | "del"
                    | "remove"
                    | "removed"
                    | "revoke"
                    | "revoked"
                    | "withdraw"
                    | "withdrawn"
                    | "expire"
                    | "expired"
            ),
        };
        is_gone.then_some(Reason::Withdrawn)
    }

    /// The end that an `expired` with a time in it tells.
    pub(super) fn end(self, text: &str) -> Option<Timestamp> {
        let is_end = self == Live::Over && truth(text.trim()).is_none();
        if is_end { Timestamp::parse(text.trim()) } else { None }
    }
}

/// Whether a word for the whole, or for a part of it, is one of these: `Closed - False
/// Positive`, `resolved (benign)`.
fn any_part(text: &str, test: fn(&str) -> bool) -> bool {
    // What is negated is another word: `not benign`.
    let is_part = |part: &str| test(&squeeze(part));
    let marks = [':', '(', ')', '/', ',', ';', '|', '\u{2013}'];
    is_part(text) || text.split(" - ").any(|part| part.split(marks).any(is_part))
}

/// Whether a record's type says that it is there to be let through: the decisions of
/// `CrowdSec` have such.
pub(super) fn is_allowed(word: &str) -> bool {
    matches!(
        word,
        "whitelist"
            | "whitelisted"
            | "allowlist"
            | "allowlisted"
            | "allow"
            | "permit"
            | "bypass"
            | "safelist"
            | "passlist"
            | "exception"
    )
}

/// The words that say yes or no.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "1.0" | "true" | "yes" | "y" | "t" | "on" => Some(true),
        "0" | "0.0" | "false" | "no" | "n" | "f" | "off" => Some(false),
        _ => None,
    }
}

/// A time at which it was taken back; a small number is a count of something.
fn is_time(text: &str) -> bool {
    let is_small = text.len() < 9 && text.bytes().all(|b| b.is_ascii_digit());
    !is_small && !text.starts_with("0000") && Timestamp::parse(text).is_some()
}

/// The states that platforms call a record in which nobody should act on any more.
fn is_over(word: &str) -> bool {
    matches!(
        word,
        "expired"
            | "inactive"
            | "notactive"
            | "revoked"
            | "deleted"
            | "removed"
            | "withdrawn"
            | "whitelisted"
            | "whitelist"
            | "allowlisted"
            | "allowlist"
            | "falsepositive"
            | "falsepositives"
            | "falsepos"
            | "fp"
            | "benign"
            | "knowngood"
            | "retired"
            | "deprecated"
            | "disabled"
            | "obsolete"
            | "invalid"
            | "rejected"
            | "archived"
            | "dismissed"
            | "suppressed"
            | "delisted"
            | "unlisted"
            | "superseded"
            | "cancelled"
            | "agedout"
            | "clean"
            | "harmless"
    )
}

/// The verdicts after which nobody would list a value.
fn is_good(word: &str) -> bool {
    matches!(
        word,
        "benign"
            | "clean"
            | "harmless"
            | "safe"
            | "good"
            | "goodware"
            | "knowngood"
            | "legit"
            | "legitimate"
            | "trusted"
            | "trustworthy"
            | "whitelisted"
            | "whitelist"
            | "allowlisted"
            | "falsepositive"
            | "fp"
            | "notmalicious"
            | "nonmalicious"
            | "nothreat"
            | "benigntruepositive"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (name, text, want) in [
            ("deleted", "true", Some(Reason::Withdrawn)),
            ("deleted", "0", None),
            ("deleted", "", None),
            ("deletedat", "2026-11-01T00:00:00Z", Some(Reason::Withdrawn)),
            ("deletedat", "0000-00-00 00:00:00", None),
            ("withdrawn", "2026-11-01", Some(Reason::Withdrawn)),
            ("isrevoked", "Yes", Some(Reason::Withdrawn)),
            ("falsepositive", "1", Some(Reason::Withdrawn)),
            ("falsepositive", "3", None),
            ("expired", "T", Some(Reason::Withdrawn)),
            ("expired", "2026-11-01", None),
            ("active", "FALSE", Some(Reason::Withdrawn)),
            ("isactive", "1", None),
            ("toids", "no", Some(Reason::NotForDetection)),
            ("toids", "True", None),
            ("status", "False Positive", Some(Reason::Withdrawn)),
            ("status", "in-active", Some(Reason::Withdrawn)),
            ("status", "Active", None),
            // It may come back, and its feed lists it.
            ("status", "offline", None),
            ("status", "1", None),
            ("status", "FALSE_POSITIVE", Some(Reason::Withdrawn)),
            ("verdict", "Benign", Some(Reason::Withdrawn)),
            ("verdict", "clean", Some(Reason::Withdrawn)),
            ("disposition", "Known good", Some(Reason::Withdrawn)),
            ("verdict", "malicious", None),
            ("verdict", "unknown", None),
            ("verdict", "suspicious", None),
            ("xopenctidetection", "false", Some(Reason::NotForDetection)),
            ("xopenctidetection", "true", None),
            ("ismalicious", "0", Some(Reason::Withdrawn)),
            ("isclean", "true", Some(Reason::Withdrawn)),
            ("whitelisted", "TRUE", Some(Reason::Withdrawn)),
            ("status", "Closed - False Positive", Some(Reason::Withdrawn)),
            ("status", "resolved (false positive)", Some(Reason::Withdrawn)),
            ("status", "Closed: Benign", Some(Reason::Withdrawn)),
            ("status", "Not a false positive", None),
            ("status", "Closed - True Positive", None),
            ("status", "not expired", None),
            ("verdict", "non-benign", None),
            ("action", "allow", Some(Reason::Withdrawn)),
            ("action", "block", None),
            ("op", "delete", Some(Reason::Withdrawn)),
            ("change", "removed", Some(Reason::Withdrawn)),
            ("op", "add", None),
            // What a scanner did to the file.
            ("action", "deleted", None),
            ("archived", "true", Some(Reason::Withdrawn)),
        ] {
            let live = by_name(name).unwrap();
            assert_eq!(live.verdict(text), want, "{name} {text}");
        }
        assert_eq!(by_name("urlstatus"), None);
        // How many engines said so.
        assert_eq!(
            (by_name("harmless"), by_name("clean"), by_name("malicious")),
            (None, None, None)
        );
        assert_eq!(Live::Over.end("2026-11-01"), Timestamp::parse("2026-11-01"));
        assert_eq!(Live::Over.end("1"), None);
    }
}
