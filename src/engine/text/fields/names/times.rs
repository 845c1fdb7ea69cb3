//! The names of fields that contain times (matching specification, section 8, rule
//! 5), and of those that contain times of something else.

use super::{MAX_READ, Plain};

/// The weakest name of a time that by itself means a record.
pub(in crate::engine::text::fields) const RECEIVED_RANK: u8 = 11;

/// The rank of the time at which an event was logged, or a thing was created.
pub(in crate::engine::text::fields) const CREATED_RANK: u8 = 12;

/// Parts of names of times other than an event's: of a thing's lifetime, of the
/// future, and of the past.
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

/// Whether a name is that of a time other than an event's: `expires`, `notAfter`,
/// `Last-Modified`.
pub(in crate::engine::text::fields) fn is_other_time(name: &[u8]) -> bool {
    let name = memchr::memrchr(b'.', name).map_or(name, |dot| &name[dot + 1..]);
    let plain = Plain::of(name);
    time_rank(name).is_none() && OTHER_TIMES.iter().any(|word| plain.text().contains(word))
}

/// Whether a name for another time means that something changed, which events can
/// mean, too.
pub(in crate::engine::text::fields) fn is_of_change(name: &[u8]) -> bool {
    let plain = Plain::of(name);
    ["updat", "modif", "change", "time"].iter().any(|word| plain.text().contains(word))
}

/// Whether an unknown name ends like that of a time. Its number then counts from
/// 1970.
pub(in crate::engine::text::fields) fn ends_as_time(name: &[u8]) -> bool {
    let plain = Plain::of(name);
    ["timestamp", "epoch", "datetime"].iter().any(|end| plain.text().ends_with(end))
}

/// The rank of a name as the time of a record; lower is better. `None` if it is not
/// one.
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
        // The collector's time, if nothing says when it happened.
        "receivetime" | "devicereceipttime" => RECEIVED_RANK,
        "created" | "createdat" => CREATED_RANK,
        "start" | "received" | "sourcerealtimetimestamp" => 13,
        "end" | "endtime" => 14,
        // Numbers in objects that represent a time
        // (`{"$numberLong":"1782274541123"}`).
        "numberlong" => 15,
        _ => return None,
    })
}
