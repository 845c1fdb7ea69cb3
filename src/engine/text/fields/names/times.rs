//! The names of fields that hold times (matching specification, section 8, rule 5), and of
//! those that hold times of something else.

use super::{MAX_READ, Plain};

/// The weakest name of a time that says by itself that it is one of a record.
pub(in crate::engine::text::fields) const RECEIVED_RANK: u8 = 11;

/// The rank of the time at which an event was written down, or a thing was made.
pub(in crate::engine::text::fields) const CREATED_RANK: u8 = 12;

/// What is part of the names of times that are no event's: of a thing's life, of what is to
/// come, and of what was before.
const OTHER_TIMES: &[&str] = &[
    "expir",
    "notafter",
    "notbefore",
    "notvalid",
    "validfrom",
    "validto",
    "validity",
    "until",
    "modif",
    "nextrun",
    "birth",
    "updated",
    "deadline",
    "renew",
    "retryafter",
    "mtime",
    "ctime",
    "atime",
    "duedate",
    "creationdate",
    "registered",
    "lastseen",
    "firstseen",
    "lastlogin",
    "lastlogon",
    "lastrun",
    "lastchange",
    "lastupdate",
    "schedule",
    "buildtime",
    "builddate",
    "boottime",
    "passwordlastset",
];

/// Whether a name is that of a time which is no event's: `expires`, `notAfter`,
/// `Last-Modified`.
pub(in crate::engine::text::fields) fn is_other_time(name: &[u8]) -> bool {
    let name = memchr::memrchr(b'.', name).map_or(name, |dot| &name[dot + 1..]);
    let plain = Plain::of(name);
    time_rank(name).is_none() && OTHER_TIMES.iter().any(|word| plain.text().contains(word))
}

/// Whether a name for another time says that something changed, which events do as well.
pub(in crate::engine::text::fields) fn is_of_change(name: &[u8]) -> bool {
    let plain = Plain::of(name);
    ["updat", "modif", "change", "time"].iter().any(|word| plain.text().contains(word))
}

/// Whether a name that says of no known time ends like one: its number is one since 1970.
pub(in crate::engine::text::fields) fn ends_as_time(name: &[u8]) -> bool {
    let plain = Plain::of(name);
    ["timestamp", "epoch", "datetime"].iter().any(|end| plain.text().ends_with(end))
}

/// How good a name for the time of a record is: the lower, the better. `None`: it names
/// none.
pub(in crate::engine::text::fields) fn time_rank(name: &[u8]) -> Option<u8> {
    if name.len() > MAX_READ {
        return None;
    }
    if name.first() == Some(&b'@') && name.eq_ignore_ascii_case(b"@timestamp") {
        return Some(0);
    }
    // The last part of a dotted name; `event.created` and the like are weaker.
    let name = memchr::memrchr(b'.', name).map_or(name, |dot| &name[dot + 1..]);
    Some(match Plain::of(name).text() {
        "timestamp" => 1,
        "time" => 2,
        "ts" => 3,
        "eventtime" => 4,
        "systemtime" => 5,
        "rt" | "devtime" => 6,
        "realtimetimestamp" => 7,
        "date" => 8,
        "t" | "timegenerated" | "generatetime" | "generatedtime" => 9,
        "datetime"
        | "creationtime"
        | "timecreated"
        | "published"
        | "edgestarttimestamp"
        | "utctime"
        | "eventtimestamp"
        | "logtime"
        | "logtimestamp"
        | "timelocal"
        | "timeiso8601"
        | "createddatetime"
        | "activitydatetime"
        | "requesttime"
        | "starttime"
        | "requestreceivedtimestamp"
        | "timestampms"
        | "unixtime"
        | "epoch"
        | "occurredat"
        | "timeunixnano"
        | "observedtimeunixnano"
        | "starttimelocal"
        | "startlocal"
        | "transactiontime"
        | "eventcreationtime"
        | "msgtime"
        | "timestampiso8601"
        | "syslogtimestamp"
        | "eventtimeutc"
        | "timestamputc"
        | "generatedtimestamp"
        | "eventdatetime"
        | "datetimeutc"
        | "reqtimesec"
        | "startutc"
        | "contexttimestamp" => 10,
        // What a collector knows, where nothing says when it was.
        "receivetime" | "devicereceipttime" => RECEIVED_RANK,
        "created" | "createdat" => CREATED_RANK,
        "start" | "received" | "sourcerealtimetimestamp" => 13,
        "end" | "endtime" => 14,
        // Numbers in objects for a time (`{"$numberLong":"1782274541123"}`).
        "numberlong" => 15,
        _ => return None,
    })
}
