//! The roles of columns in tables and of members in JSON records: their many names,
//! and how their text becomes context.

use crate::engine::indicator::{Context, Direction, Kind, Scope, Severity, Timestamp, Tlp};
use crate::intel::feed::contexts::{is_nothing, owned, push_once};
use crate::intel::feed::live::{self, Live};
use crate::intel::feed::table::nets::{self, Part};
use crate::intel::feed::types;

/// The role of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::intel::feed) enum Column {
    /// A value; with a kind if the column's name gives it.
    Value(Option<(Kind, Scope)>),
    /// The kind of the value.
    Type,
    /// The port that belongs to an address.
    Port,
    /// A part of a network.
    Net(Part),
    /// Whether the record is still valid.
    Live(Live),
    Feed,
    Collection,
    Id,
    Name,
    Description,
    Confidence,
    Severity,
    Tlp,
    Tags,
    Malware,
    Adversary,
    Attack,
    Reference,
    ValidFrom,
    ValidUntil,
    FirstSeen,
    LastSeen,
    Modified,
    Direction,
    Proto,
}

impl Column {
    /// The role that a name means; `None` for an unknown name.
    pub(in crate::intel::feed) fn from_name(name: &str) -> Option<Column> {
        let squeezed = types::squeeze(name.trim().trim_matches('"'));
        if let Some(column) = by_name(&squeezed) {
            return Some(column);
        }
        if let Some(live) = live::by_name(&squeezed) {
            return Some(Column::Live(live));
        }
        if let Some(part) = nets::by_name(&squeezed) {
            return Some(Column::Net(part));
        }
        match types::by_name(name.trim().trim_matches('"'))? {
            types::Type::Of(kind, scope) => Some(Column::Value(Some((kind, scope)))),
            types::Type::Digest | types::Type::UrlOrPath => Some(Column::Value(None)),
            types::Type::Certificate => Some(Column::Value(Some((Kind::CertSha1, Scope::Exact)))),
            types::Type::Ignored => None,
        }
    }

    /// Whether it belongs in the context rather than in the value.
    pub(in crate::intel::feed) fn is_context(self) -> bool {
        !matches!(
            self,
            Column::Value(_) | Column::Type | Column::Port | Column::Net(_) | Column::Live(_)
        ) || self == Column::Live(Live::Over)
    }
}

/// The role that a squeezed name means by itself.
fn by_name(name: &str) -> Option<Column> {
    Some(match name {
        "indicator" | "ioc" | "iocvalue" | "value" | "indicatorvalue" | "observable"
        | "observablevalue" | "artifact" | "artefact" | "data" | "trail" | "entry"
        | "indicators" | "hash" | "filehash" => Column::Value(None),
        "type" | "kind" | "ioctype" | "indicatortype" | "observabletype" | "artifacttype"
        | "datatype" => Column::Type,
        "port" | "dstport" | "destport" | "destinationport" | "remoteport" => Column::Port,
        "feed" | "feedname" | "provider" => Column::Feed,
        "source" | "sources" | "metasource" | "collection" | "list" | "origin" | "campaignid"
        | "event" | "eventinfo" | "pulse" | "pulsename" | "blacklist" => Column::Collection,
        "id" | "iocid" | "uuid" | "indicatorid" | "uid" => Column::Id,
        "name" | "title" => Column::Name,
        "description" | "desc" | "metadesc" | "comment" | "comments" | "note" | "notes"
        | "info" | "details" | "context" | "reason" | "listingreason" | "threat" | "threattype"
        | "threatdesc" => Column::Description,
        "confidence" | "confidencelevel" | "score" | "certainty" | "trust" => Column::Confidence,
        "severity" | "risk" | "threatlevel" | "level" | "priority" | "impact" => Column::Severity,
        "tlp" | "marking" | "sharing" => Column::Tlp,
        "tags" | "tag" | "labels" | "label" | "category" | "categories" | "class" => Column::Tags,
        "malware" | "malwarefamily" | "malwarefamilies" | "family" | "malwareprintable"
        | "malwarename" | "signature" | "malwarealias" => Column::Malware,
        "adversary" | "actor" | "threatactor" | "group" | "campaign" | "apt" | "intrusionset" => {
            Column::Adversary
        }
        "attack" | "attackid" | "attackids" | "mitre" | "mitreattack" | "technique"
        | "techniques" | "ttp" | "ttps" => Column::Attack,
        "reference" | "references" | "ref" | "metaurl" | "urlhauslink" | "report" | "sourceurl"
        | "permalink" | "sourceref" | "link" | "links" | "portal" | "portalurl" | "portallink"
        | "page" | "pageurl" | "detailurl" | "detailsurl" | "detaillink" | "reporturl"
        | "reportlink" | "referenceurl" | "refurl" | "infourl" | "moreinfo" | "externalurl"
        | "externallink" | "virustotal" | "virustotallink" | "vtlink" | "screenshot"
        | "screenshoturl" => Column::Reference,
        "validfrom" | "starts" | "effective" => Column::ValidFrom,
        name if is_expiry(name) => Column::ValidUntil,
        "firstseen" | "firstseenutc" | "dateadded" | "created" | "createdat" | "date" | "added"
        | "listingdate" | "timestamp" | "detected" => Column::FirstSeen,
        "lastseen" | "lastseenutc" | "lastonline" => Column::LastSeen,
        "modified" | "updated" | "modifiedat" | "updatedat" | "lastmodified" | "lastupdated" => {
            Column::Modified
        }
        "direction" => Column::Direction,
        "proto" | "protocol" | "transport" => Column::Proto,
        _ => return None,
    })
}

/// Whether a name means the end of validity: a word for it, possibly with a word
/// for time after it (`expirationDateTime`, `valid_until_date`) or before it
/// (`date_expires`).
fn is_expiry(name: &str) -> bool {
    const ENDS: &[&str] = &[
        "expiration",
        "expiry",
        "expires",
        "validuntil",
        "validto",
        "validtill",
        "validthrough",
        "activeuntil",
        "blockuntil",
        "until",
    ];
    // On their own, these mean that it is over, or the end of a range.
    const WITH_TIME: &[&str] = &["expire", "expired"];
    const TIMES: &[&str] = &["date", "datetime", "time", "ts", "timestamp", "utc", "on", "at"];
    let is_end = |word: &str| ENDS.contains(&word) || WITH_TIME.contains(&word);
    ENDS.contains(&name)
        || matches!(name, "enddate" | "enddatetime")
        || name.strip_prefix("date").is_some_and(is_end)
        || TIMES.iter().any(|time| name.strip_suffix(time).is_some_and(is_end))
}

/// Adds the text of a column to a context.
pub(in crate::intel::feed) fn apply(context: &mut Context<'static>, column: Column, text: &str) {
    let text = text.trim();
    if is_nothing(text) {
        return;
    }
    match column {
        Column::Value(_) | Column::Type | Column::Port | Column::Net(_) => {}
        Column::Live(live) => context.valid_until = live.end(text).or(context.valid_until),
        Column::Feed => context.feed = text.to_string().into(),
        Column::Collection => context.collection = owned(text),
        Column::Id => context.id = owned(text),
        Column::Name => context.name = owned(text),
        Column::Description => add_description(context, text),
        Column::Confidence => context.confidence = confidence(text).or(context.confidence),
        Column::Severity => context.severity = Severity::from_name(text).or(context.severity),
        Column::Tlp => context.tlp = Tlp::from_name(text).or(context.tlp),
        Column::Tags => each(text, |tag| add_tag(context, tag)),
        Column::Malware => each(text, |name| {
            // SSLBL names a family with the part of it that was seen.
            push_once(&mut context.malware, name.strip_suffix(" C&C").unwrap_or(name));
        }),
        Column::Adversary => each(text, |name| push_once(&mut context.adversary, name)),
        Column::Attack => each(text, |id| push_once(&mut context.attack, id)),
        Column::Reference => {
            for reference in text.split([' ', ',']).filter(|part| part.len() > 3) {
                push_once(&mut context.references, reference);
            }
        }
        Column::ValidFrom => context.valid_from = Timestamp::parse(text),
        Column::ValidUntil => context.valid_until = Timestamp::parse(text),
        Column::FirstSeen => context.first_seen = Timestamp::parse(text),
        Column::LastSeen => context.last_seen = Timestamp::parse(text),
        Column::Modified => {
            context.modified = Timestamp::parse(text);
            // Few tables have both. Where there is one, a row changes because it was seen again.
            context.last_seen = context.last_seen.or(context.modified);
        }
        Column::Direction => context.direction = direction(text),
        Column::Proto => context.proto = owned(&text.to_ascii_lowercase()),
    }
}

/// Adds an element of a list to a context, as one label whatever it contains.
pub(in crate::intel::feed) fn apply_item(
    context: &mut Context<'static>,
    column: Column,
    text: &str,
) {
    match column {
        Column::Tags => add_tag(context, text),
        Column::Malware => push_once(&mut context.malware, text),
        Column::Adversary => push_once(&mut context.adversary, text),
        Column::Attack => push_once(&mut context.attack, text),
        other => apply(context, other, text),
    }
}

/// Calls `take` for each part of a list in a cell.
fn each(text: &str, mut take: impl FnMut(&str)) {
    text.split([',', ';', '|']).map(str::trim).filter(|part| !part.is_empty()).for_each(&mut take);
}

/// Adds a label. One that names a TLP sets it, too.
pub(in crate::intel::feed) fn add_tag(context: &mut Context<'static>, tag: &str) {
    if tag.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("tlp:"))
        && let Some(tlp) = Tlp::from_name(tag)
    {
        context.tlp = context.tlp.max(Some(tlp));
    }
    push_once(&mut context.tags, tag);
}

/// Appends to the description of a value, once.
pub(in crate::intel::feed) fn add_description(context: &mut Context<'static>, text: &str) {
    context.description = match context.description.take() {
        Some(before) if !before.contains(text) => Some(format!("{before}; {text}").into()),
        Some(before) => Some(before),
        None => owned(text),
    };
}

/// Parses a confidence: 0 to 100 as a number, a percentage or a fraction, or one of
/// STIX's words.
pub(in crate::intel::feed) fn confidence(text: &str) -> Option<u8> {
    let text = text.trim().trim_end_matches('%').trim_end();
    match text.to_ascii_lowercase().as_str() {
        "none" => return Some(0),
        "low" => return Some(15),
        "medium" | "med" | "moderate" => return Some(50),
        "high" => return Some(85),
        _ => {}
    }
    let number: f64 = text.parse().ok()?;
    let number = if text.contains('.') && number <= 1.0 { number * 100.0 } else { number };
    (0.0..=100.0).contains(&number).then(|| number.round() as u8)
}

/// Parses a direction.
fn direction(text: &str) -> Option<Direction> {
    match text.to_ascii_lowercase().as_str() {
        "src" | "source" | "inbound" | "in" => Some(Direction::Source),
        "dst" | "dest" | "destination" | "outbound" | "out" => Some(Direction::Destination),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_columns_have_roles() {
        for (name, want) in [
            ("IOC_Value", Column::Value(None)),
            ("Indicator", Column::Value(None)),
            ("domain_name", Column::Value(Some((Kind::Domain, Scope::Subtree)))),
            ("sha256_hash", Column::Value(Some((Kind::Sha256, Scope::Exact)))),
            ("first_seen_utc", Column::FirstSeen),
            ("Modified", Column::Modified),
            ("Valid Until", Column::ValidUntil),
            ("\"tags\"", Column::Tags),
        ] {
            assert_eq!(Column::from_name(name), Some(want), "{name}");
        }
        assert_eq!(Column::from_name("reporter"), None);
        for name in [
            "valid_to",
            "expires",
            "expires_on",
            "expirationDateTime",
            "expiry_date",
            "date_expires",
            "expirationTs",
            "expire_at",
            "expired_on",
            "valid_until_date",
            "end_date",
            "until",
        ] {
            assert_eq!(Column::from_name(name), Some(Column::ValidUntil), "{name}");
        }
        for name in ["expire", "expired", "end", "valid", "date", "at", "end_time"] {
            assert_ne!(Column::from_name(name), Some(Column::ValidUntil), "{name}");
        }
    }

    #[test]
    fn cells_are_added_to_the_context() {
        let mut context = Context::default();
        apply(&mut context, Column::Tags, "a, tlp:amber,b, a");
        apply(&mut context, Column::Confidence, "75%");
        apply(&mut context, Column::Reference, "None");
        assert_eq!(context.tags, ["a", "tlp:amber", "b"]);
        assert_eq!((context.tlp, context.confidence), (Some(Tlp::Amber), Some(75)));
        assert!(context.references.is_empty());
        let day = |text| Timestamp::parse(text);
        apply(&mut context, Column::Modified, "2026-11-02");
        assert_eq!((context.modified, context.last_seen), (day("2026-11-02"), day("2026-11-02")));
        apply(&mut context, Column::LastSeen, "2026-11-01");
        apply(&mut context, Column::Modified, "2026-11-03");
        assert_eq!((context.modified, context.last_seen), (day("2026-11-03"), day("2026-11-01")));
        assert_eq!(confidence("0.5"), Some(50));
        assert_eq!(confidence("high"), Some(85));
        assert_eq!(confidence("101"), None);
    }
}
