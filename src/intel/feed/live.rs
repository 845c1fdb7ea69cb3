//! Whether a record is still valid, according to its own words: `deleted`,
//! `revoked`, `to_ids`, `status` and similar, in JSON and tables alike (feed
//! specification, section 8, item 9).
//!
//! A word that is not known here has no effect. `offline` and `down` describe a
//! server that may come back, and what a feed lists, it means.

use crate::engine::indicator::{Reason, Timestamp};
use crate::intel::feed::types::squeeze;

/// What a column or member says about the validity of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Live {
    /// If true, or a time: it was withdrawn.
    Gone,
    /// If true: it is over. A time is an expiry like any other, see [`Live::end`].
    Over,
    /// If false: it is not valid.
    Active,
    /// If false: it is for information only.
    Detection,
    /// A word that can mean any of these.
    Status,
    /// A word for the result of an analysis.
    Verdict,
    /// A word for its category, or labels.
    Sort,
    /// The same for a threat, where `none` is a result.
    Threat,
    /// The name of the list that contains it.
    List,
    /// A free remark.
    Remark,
    /// If true, or a word for it: it is harmless. A number counts engines.
    Good,
    /// If false: it is harmless. A number may count engines, see `is_count`.
    Bad,
    /// The action to take.
    Action,
    /// What happened to it since the last answer.
    Change,
}

/// The meaning of a name (squeezed); `None` for one that says nothing about
/// validity.
pub(super) fn by_name(name: &str) -> Option<Live> {
    let bare = name.strip_prefix("is").unwrap_or(name);
    Some(match bare {
        "withdrawn" | "deleted" | "revoked" | "removed" | "falsepositive" | "fp"
        | "whitelisted" | "whitelist" | "allowlisted" | "allowlist" | "retired" | "deprecated"
        | "inactive" | "disabled" | "obsolete" | "withdrawnat" | "deletedat" | "revokedat"
        | "removedat" | "retiredat" | "withdrawnon" | "deletedon" | "revokedon" | "removedon"
        | "datedeleted" | "dateremoved" | "daterevoked" | "suppressed" | "excluded" | "ignored"
        | "delisted" | "delistedat" | "knowngood" | "goodware" | "benign" | "superseded"
        | "xopenctirevoked" | "cancelled" | "muted" | "archived" | "tombstone" | "tombstoned"
        | "riot" => Live::Gone,
        // Without `is`, these may count engines.
        "clean" | "safe" | "harmless" | "legitimate" | "good" => match bare == name {
            true => Live::Good,
            false => Live::Gone,
        },
        "malicious" | "unsafe" | "hostile" | "blacklisted" | "blocklisted" => match bare == name {
            true => Live::Bad,
            false => Live::Active,
        },
        "expired" => Live::Over,
        "active" | "enabled" | "valid" | "live" | "stillactive" | "stillvalid" => Live::Active,
        "toids" | "ids" | "fordetection" | "idsflag" | "xopenctidetection" | "detection" => {
            Live::Detection
        }
        "assessment" | "conclusion" | "judgement" | "judgment" | "rating" | "result"
        | "scanresult" | "analysisresult" | "maliciousness" | "trustlevel" | "zone"
        | "zonecolor" => Live::Verdict,
        name if is_verdict(name) => Live::Verdict,
        "action" | "actiontype" | "recommendedaction" | "defaultaction" | "remediation"
        | "policy" | "listtype" | "decision" => Live::Action,
        "op" | "operation" | "change" | "changetype" | "updatetype" => Live::Change,
        "status" | "state" | "threatstatus" | "iocstatus" | "iocstate" | "indicatorstatus"
        | "indicatorstate" | "recordstatus" | "entrystatus" | "statusname" | "lifecycle"
        | "lifecyclestatus" | "lifecyclestate" => Live::Status,
        _ => return None,
    })
}

/// Whether this names a verdict, of anyone: `sandbox_verdict`,
/// `threat_classification`.
fn is_verdict(name: &str) -> bool {
    ["verdict", "verdicts", "disposition", "classification", "determination", "reputation"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// What a name (squeezed) says about validity in addition to its role in the
/// context: what is in the category `benign`, or on the list `whitelist`, is
/// harmless.
pub(super) fn of_context_name(name: &str) -> Option<Live> {
    Some(match name {
        "threat" | "threats" | "threattype" | "threatlevel" | "threatname" | "threatcategory" => {
            Live::Threat
        }
        "category" | "categories" | "class" | "severity" | "risk" | "risklevel" | "malware"
        | "malwarefamily" | "family" | "label" | "labels" | "tag" | "tags" => Live::Sort,
        "list" | "listname" | "feed" | "feedname" | "source" | "collection" => Live::List,
        "reason" | "comment" | "comments" | "note" | "notes" | "description" => Live::Remark,
        _ => return None,
    })
}

/// Whether a name (squeezed) counts engines, so that its neighbours do, too.
pub(super) fn is_count(name: &str) -> bool {
    matches!(
        name,
        "harmless"
            | "undetected"
            | "suspicious"
            | "timeout"
            | "clean"
            | "engines"
            | "total"
            | "positives"
            | "unrated"
            | "failure"
            | "confirmedtimeout"
            | "typeunsupported"
    )
}

impl Live {
    /// Why the record is not valid; `None` if it is, or if the text says nothing.
    pub(super) fn verdict(self, text: &str) -> Option<Reason> {
        let text = text.trim();
        let is_gone = match self {
            Live::Gone => is_mark(text) || truth(text).unwrap_or_else(|| is_time(text)),
            Live::Good => is_word(text) && truth(text) == Some(true),
            Live::Bad => truth(text) == Some(false),
            Live::Sort => is_sort(text),
            // Python writes `None` for a missing value.
            Live::Threat => is_sort(text) || matches!(text, "none" | "NONE"),
            Live::List => is_allow_list(&squeeze(text)),
            Live::Remark => is_plainly_good(&squeeze(text)),
            Live::Over => truth(text) == Some(true),
            Live::Active => truth(text) == Some(false),
            Live::Detection => {
                return (truth(text) == Some(false)).then_some(Reason::NotForDetection);
            }
            Live::Status => any_part(text, is_over),
            Live::Verdict => any_part(text, is_good),
            Live::Action => is_let_through(&squeeze(text)),
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

    /// Whether the name alone shows that this is about validity, and so that its
    /// line is a header.
    pub(super) fn is_plain(self) -> bool {
        !matches!(self, Live::Sort | Live::Threat | Live::List | Live::Remark)
    }

    /// The expiry, if `expired` contains a time.
    pub(super) fn end(self, text: &str) -> Option<Timestamp> {
        let is_end = self == Live::Over && truth(text.trim()).is_none();
        if is_end { Timestamp::parse(text.trim()) } else { None }
    }
}

/// Whether a text, or a part of it, is such a word: `Closed - False Positive`,
/// `resolved (benign)`.
fn any_part(text: &str, test: fn(&str) -> bool) -> bool {
    // A negated word is a different one: `not benign`.
    let is_part = |part: &str| test(&squeeze(part));
    let marks = [':', '(', ')', '/', ',', ';', '|', '\u{2013}'];
    is_part(text) || text.split(" - ").any(|part| part.split(marks).any(is_part))
}

/// Whether a record's type marks it as allowed, as for decisions of `CrowdSec`, or
/// as harmless, as for training samples.
pub(super) fn is_allowed(word: &str) -> bool {
    is_allow_list(word)
        || is_good(word)
        || matches!(word, "allow" | "allowed" | "permit" | "permitted" | "bypass" | "exception")
}

/// Whether an action lets traffic through.
fn is_let_through(word: &str) -> bool {
    is_allowed(word)
        || matches!(
            word,
            "accept"
                | "accepted"
                | "pass"
                | "passed"
                | "passthrough"
                | "trust"
                | "exempt"
                | "exempted"
                | "exclude"
                | "excluded"
                | "ignore"
                | "ignored"
                | "unblock"
                | "unblocked"
                | "donotblock"
                | "dontblock"
                | "neverblock"
                | "notblocked"
        )
}

/// Whether a word names an allow list: `allowlist`, `Global whitelist`.
fn is_allow_list(word: &str) -> bool {
    const LISTS: &[&str] = &["whitelist", "allowlist", "safelist", "passlist", "goodlist"];
    let word = word.strip_suffix("ed").unwrap_or(word);
    LISTS.iter().any(|list| word.ends_with(list)) && !word.starts_with("no")
}

/// Whether a category means harmless.
fn is_sort(text: &str) -> bool {
    is_good(&squeeze(text)) || is_allow_list(&squeeze(text)) || any_part(text, is_plainly_good)
}

/// A mark in a column of checkboxes.
fn is_mark(text: &str) -> bool {
    matches!(text, "x" | "X" | "\u{2713}" | "\u{2714}")
}

/// Whether a text consists of letters only.
fn is_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphabetic())
}

/// The words for yes and no.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "1.0" | "true" | "yes" | "y" | "t" | "on" => Some(true),
        "0" | "0.0" | "false" | "no" | "n" | "f" | "off" => Some(false),
        _ => None,
    }
}

/// Whether this is a time of withdrawal; a small number is a count of something.
fn is_time(text: &str) -> bool {
    let is_small = text.len() < 9 && text.bytes().all(|b| b.is_ascii_digit());
    !is_small && !text.starts_with("0000") && Timestamp::parse(text).is_some()
}

/// The states in which platforms no longer want a record to be acted on.
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
            | "cleared"
            | "harmless"
            | "abgelaufen"
            | "inaktiv"
            | "widerrufen"
    )
}

/// Verdicts with which a value would not be listed.
fn is_good(word: &str) -> bool {
    is_plainly_good(word)
        || matches!(
            word,
            "clean"
                | "safe"
                | "good"
                | "verygood"
                | "green"
                | "fp"
                | "legit"
                | "legitimate"
                | "trusted"
                | "highlytrusted"
                | "knowntrusted"
                | "mostlikelytrusted"
                | "mightbetrusted"
                | "trustworthy"
                | "favorable"
                | "nothreat"
                | "nothreats"
                | "nothreatfound"
                | "nothreatsfound"
                | "nothreatdetect"
                | "nothreatdetected"
                | "nothreatsdetected"
                | "nospecificthreat"
                | "norisk"
                | "notmalware"
                | "informationalexpectedactivity"
        )
}

/// Those that also mean nothing else as a label.
fn is_plainly_good(word: &str) -> bool {
    matches!(
        word,
        "benign"
            | "harmless"
            | "goodware"
            | "knowngood"
            | "whitelisted"
            | "whitelist"
            | "allowlisted"
            | "allowlist"
            | "falsepositive"
            | "notmalicious"
            | "nonmalicious"
            | "notsuspicious"
            | "benigntruepositive"
            | "benignpositive"
            | "verdictbenign"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of columns, a value, and its meaning.
    const NAMED: &[(&str, &str, Option<Reason>)] = &[
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
        // It may come back, and the feed lists it.
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
        ("action", "Allowed", Some(Reason::Withdrawn)),
        ("action", "Permitted", Some(Reason::Withdrawn)),
        ("action", "Whitelisted", Some(Reason::Withdrawn)),
        ("action", "BlockAndRemediate", None),
        ("action", "Audit", None),
        ("listtype", "Global whitelist", Some(Reason::Withdrawn)),
        ("listtype", "non-whitelisted", None),
        ("malicious", "false", Some(Reason::Withdrawn)),
        ("malicious", "true", None),
        ("malicious", "7", None),
        ("clean", "true", Some(Reason::Withdrawn)),
        ("harmless", "1", None),
        ("deleted", "x", Some(Reason::Withdrawn)),
        ("ids", "false", Some(Reason::NotForDetection)),
        ("sandboxverdict", "No threats detected", Some(Reason::Withdrawn)),
        ("sandboxverdict", "no verdict", None),
    ];

    /// The same for columns that can have other roles: whether they have an effect.
    const OF_CONTEXT: &[(&str, &str, bool)] = &[
        ("category", "Benign", true),
        ("category", "malware", false),
        ("category", "auth bypass", false),
        ("class", "not benign", false),
        ("list", "whitelist", true),
        ("list", "blacklist", false),
        ("threat", "none", true),
        ("threat", "None", false),
        ("threat", "malware_download", false),
        ("tags", "cdn, benign", true),
        ("tags", "trusted, phishing", false),
        ("tags", "whitelist-bypass", false),
        ("comment", "false positive", true),
        ("comment", "no false positive: seen twice", false),
    ];

    #[test]
    fn words_say_whether_a_record_is_valid() {
        for (name, text, want) in NAMED {
            let live = by_name(name).unwrap();
            assert_eq!(live.verdict(text), *want, "{name} {text}");
        }
        assert_eq!(by_name("urlstatus"), None);
        for (name, text, is_gone) in OF_CONTEXT {
            let live = of_context_name(name).unwrap();
            assert_eq!(live.verdict(text).is_some(), *is_gone, "{name} {text}");
        }
        assert_eq!(Live::Over.end("2026-11-01"), Timestamp::parse("2026-11-01"));
        assert_eq!(Live::Over.end("1"), None);
    }
}
