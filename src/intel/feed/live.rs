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
    /// A word for the sort of thing that it is: a category, or labels.
    Sort,
    /// The same of a threat, where `none` is a finding.
    Threat,
    /// The name of the list that it is on.
    List,
    /// What somebody says of it.
    Remark,
    /// True, in a word: it is harmless. A number counts engines.
    Good,
    /// False: it is harmless. A number may count engines, see `counts`.
    Bad,
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
        | "xopenctirevoked" | "cancelled" | "muted" | "archived" | "tombstone" | "tombstoned"
        | "riot" => Live::Gone,
        // Without `is` these may be counts of engines.
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

/// Names of verdicts by whomever: `sandbox_verdict`, `threat_classification`.
fn is_verdict(name: &str) -> bool {
    ["verdict", "verdicts", "disposition", "classification", "determination", "reputation"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// What a name (squeezed) says of a record's life beside its place in the context: what is
/// of the category `benign`, or on the list `whitelist`, is listed as that.
pub(super) fn beside(name: &str) -> Option<Live> {
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

/// Whether a name (squeezed) is that of a count of engines, so that others beside it are
/// such counts, too.
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
    /// Why the record does not hold; `None` when it does, or when the text says nothing.
    pub(super) fn verdict(self, text: &str) -> Option<Reason> {
        let text = text.trim();
        let is_gone = match self {
            Live::Gone => is_mark(text) || truth(text).unwrap_or_else(|| is_time(text)),
            Live::Good => is_word(text) && truth(text) == Some(true),
            Live::Bad => truth(text) == Some(false),
            Live::Sort => is_sort(text),
            // Python writes `None` where it has nothing to say.
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

    /// Whether its name alone says that it is about a record's life, and a header's so.
    pub(super) fn is_plain(self) -> bool {
        !matches!(self, Live::Sort | Live::Threat | Live::List | Live::Remark)
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

/// Whether a record's type says that it is there to be let through, as the decisions of
/// `CrowdSec` may, or that it is harmless, as samples for learning have it.
pub(super) fn is_allowed(word: &str) -> bool {
    is_allow_list(word)
        || is_good(word)
        || matches!(word, "allow" | "allowed" | "permit" | "permitted" | "bypass" | "exception")
}

/// Whether an action lets through.
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

/// Whether a word is a name of lists of what is let through: `allowlist`, `Global whitelist`.
fn is_allow_list(word: &str) -> bool {
    const LISTS: &[&str] = &["whitelist", "allowlist", "safelist", "passlist", "goodlist"];
    let word = word.strip_suffix("ed").unwrap_or(word);
    LISTS.iter().any(|list| word.ends_with(list)) && !word.starts_with("no")
}

/// Whether a word for the sort of a thing says that it is harmless.
fn is_sort(text: &str) -> bool {
    is_good(&squeeze(text)) || is_allow_list(&squeeze(text)) || any_part(text, is_plainly_good)
}

/// A tick in a column of ticks.
fn is_mark(text: &str) -> bool {
    matches!(text, "x" | "X" | "\u{2713}" | "\u{2714}")
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphabetic())
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
            | "cleared"
            | "harmless"
            | "abgelaufen"
            | "inaktiv"
            | "widerrufen"
    )
}

/// The verdicts after which nobody would list a value.
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

/// Those among them that mean nothing else as a label, either.
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

    /// Names of columns that say it, what stands there, and what that means.
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

    /// The same of columns that may say something else, and whether it does.
    const BESIDE: &[(&str, &str, bool)] = &[
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
    fn words() {
        for (name, text, want) in NAMED {
            let live = by_name(name).unwrap();
            assert_eq!(live.verdict(text), *want, "{name} {text}");
        }
        assert_eq!(by_name("urlstatus"), None);
        for (name, text, is_gone) in BESIDE {
            let live = beside(name).unwrap();
            assert_eq!(live.verdict(text).is_some(), *is_gone, "{name} {text}");
        }
        assert_eq!(Live::Over.end("2026-11-01"), Timestamp::parse("2026-11-01"));
        assert_eq!(Live::Over.end("1"), None);
    }
}
