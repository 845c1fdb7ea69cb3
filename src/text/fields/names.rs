//! The names of fields: which hold the parts of a URL, which hold a time, and which
//! address belongs to which port (matching specification, section 8, rules 2, 3 and 5).
//!
//! Names are compared without case and without anything but letters and digits:
//! `ClientRequestHost`, `cs-host` and `cs(Host)`, `id.resp_h`. In JSON the name of the
//! object may belong to it: `url.domain`, `http.hostname`.

mod sides;

use hashbrown::HashMap;
use std::sync::LazyLock;

pub(super) use sides::{NO_SIDE, Side, destination, hash_of};

/// The longest name that says anything, without its other signs and with them.
const MAX_NAME: usize = 48;
const MAX_READ: usize = 2 * MAX_NAME;

/// What a field holds of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Host,
    /// The path, perhaps with its query; of several that with the lowest number counts.
    Path(u8),
    Query,
    Scheme,
    Port,
}

/// Hosts of requests: Zeek, EVE, ECS, W3C, CloudFront, Cloudflare, FortiGate, nginx,
/// Traefik, Caddy, Envoy, OCSF, Azure, AWS, CEF.
const HOSTS: &[&str] = &[
    "host",
    "hostname",
    "httphost",
    "httphostname",
    "hostheader",
    "urldomain",
    "urlhost",
    "urlhostname",
    "destinationdomain",
    "destinationhost",
    "destinationhostname",
    "destinationdnsdomain",
    "desthost",
    "desthostname",
    "dsthost",
    "dsthostname",
    "dhost",
    "cshost",
    "xhostheader",
    "clientrequesthost",
    "requesthost",
    "reqhost",
    "requestdomain",
    "requestauthority",
    "authority",
    "domain",
    "domainname",
    "servername",
    "serverhost",
    "serverhostname",
    "vhost",
    "virtualhost",
    "site",
    "fqdn",
    "targethost",
    "originalhost",
];

/// Paths of requests, the best of a record first.
const PATHS: &[(&str, u8)] = &[
    ("requesturi", 0),
    ("originalrequesturiwithargs", 0),
    ("clientrequesturi", 0),
    ("uri", 1),
    ("url", 1),
    ("urloriginal", 1),
    ("httpuri", 1),
    ("httpurl", 1),
    ("requesturl", 1),
    ("csuri", 1),
    ("rawpath", 2),
    ("csuristem", 2),
    ("csuripath", 2),
    ("uristem", 2),
    ("uripath", 2),
    ("urlpath", 2),
    ("httppath", 2),
    ("requestpath", 2),
    ("requesttarget", 2),
    ("clientrequestpath", 2),
    ("reqpath", 2),
    ("path", WEAK_PATH),
    ("request", REQUEST),
    ("requestline", REQUEST),
];

/// The rank of a path whose name says of none what it is one of.
const WEAK_PATH: u8 = 3;
/// The rank of the line of a request, or of its path.
pub(super) const REQUEST: u8 = 4;

/// Objects that tell of the machine that wrote a log, of a file or a client: no host in them
/// is that of a request.
const MACHINES: &[&str] = &[
    "host",
    "agent",
    "observer",
    "beat",
    "node",
    "machine",
    "computer",
    "device",
    "container",
    "orchestrator",
    "kubernetes",
    "cloud",
    "log",
    "file",
    "process",
    "input",
    "user",
    "source",
    "src",
    "client",
];

/// What is part of the name of an object that tells of a request.
const REQUESTS: &[&str] = &["url", "uri", "http", "req", "web"];

const QUERIES: &[&str] = &[
    "query",
    "urlquery",
    "uriquery",
    "csuriquery",
    "querystring",
    "querystr",
    "rawquerystring",
    "requestquery",
    "reqquery",
    "args",
    "clientrequestquery",
];

const SCHEMES: &[&str] = &[
    "scheme",
    "urlscheme",
    "requestscheme",
    "clientrequestscheme",
    "csurischeme",
    "csprotocol",
    "httpscheme",
];

const URL_PORTS: &[&str] = &["httpport", "urlport", "csuriport", "requestport"];

/// A name without case and without anything but letters and digits.
pub(super) struct Plain {
    bytes: [u8; MAX_NAME],
    len: usize,
}

impl Plain {
    pub(super) fn of(name: &[u8]) -> Plain {
        let mut plain = Plain { bytes: [0; MAX_NAME], len: 0 };
        plain.push(name);
        plain
    }

    /// The name of a member with that of its object before it.
    pub(super) fn of_both(object: &[u8], name: &[u8]) -> Plain {
        let mut plain = Plain::of(object);
        plain.push(name);
        plain
    }

    /// A name that is too long is none.
    fn push(&mut self, name: &[u8]) {
        if name.len() > MAX_READ {
            self.len = MAX_NAME + 1;
        }
        for byte in name.iter().take(MAX_READ).filter(|byte| byte.is_ascii_alphanumeric()) {
            match self.bytes.get_mut(self.len) {
                Some(place) => *place = byte.to_ascii_lowercase(),
                None => self.len = MAX_NAME,
            }
            self.len += 1;
        }
    }

    pub(super) fn text(&self) -> &str {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// What the field `name` of the object `object` holds of a URL.
pub(super) fn part(object: &[u8], name: &[u8]) -> Option<Part> {
    if name.len() > MAX_READ {
        return None;
    }
    let object = if object.len() > MAX_READ { b"" } else { object };
    let whole = name;
    // The last name of a dotted one has its object before it.
    let dot = memchr::memrchr(b'.', name);
    let (object, name) = dot.map_or((object, name), |dot| (&name[..dot], &name[dot + 1..]));
    let last = memchr::memrchr(b'.', object).map_or(object, |dot| &object[dot + 1..]);
    let found = part_of(Plain::of(whole).text()).or_else(|| {
        let w3c_port = name.eq_ignore_ascii_case(b"s-port");
        part_of(Plain::of_both(last, name).text())
            .or(w3c_port.then_some(Part::Port))
            .or_else(|| dot.and_then(|_| part_of(Plain::of(name).text())))
    })?;
    let is_other = match found {
        Part::Host => MACHINES.contains(&Plain::of(last).text()),
        // `log.file.path` in one name.
        Part::Path(WEAK_PATH) => dot.is_some() && !holds_request(last),
        _ => false,
    };
    (!is_other).then_some(found)
}

/// Whether an object of this name tells of a request.
pub(super) fn holds_request(object: &[u8]) -> bool {
    let object = Plain::of(object);
    REQUESTS.iter().any(|word| object.text().contains(word))
}

/// Whether a path of this rank says by its name that it is one of a request.
pub(super) fn is_strong(rank: u8) -> bool {
    rank < WEAK_PATH
}

/// Whether an array of this name holds headers of a request, an object for each.
pub(super) fn holds_headers(name: &[u8]) -> bool {
    let name = Plain::of(name);
    name.text().ends_with("headers") && !name.text().contains("resp")
}

/// Whether a member of an object for a header names it, or is its value.
pub(super) fn is_header_name(name: &[u8]) -> bool {
    [&b"name"[..], b"key"].iter().any(|other| name.eq_ignore_ascii_case(other))
}

pub(super) fn is_header_value(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"value")
}

/// What a header says of the URL of its request: `Host`, and the names of HTTP/2 and 3.
pub(super) fn header_part(header: &[u8]) -> Option<Part> {
    let is = |name: &[u8]| header.eq_ignore_ascii_case(name);
    match () {
        () if is(b"host") || is(b":authority") => Some(Part::Host),
        () if is(b":path") => Some(Part::Path(0)),
        () if is(b":scheme") => Some(Part::Scheme),
        () => None,
    }
}

/// Whether a name behind which a colon stands says something of a record: of an address or
/// a port, of a request, or of a time.
pub(super) fn is_telling(name: &[u8]) -> bool {
    is_of_endpoint(name)
        || matches!(part(b"", name), Some(Part::Host | Part::Path(_)))
        || time_rank(name).is_some_and(|rank| rank <= 10)
}

/// Whether a name is one of an address or a port.
pub(super) fn is_of_endpoint(name: &[u8]) -> bool {
    Side::none().with(name).is_known
}

/// Whether the words of a name say of no side.
pub(super) fn is_of_no_side(name: &[u8]) -> bool {
    Side::none().with(name).words == NO_SIDE
}

/// Whether an element of XML of this name is a record.
pub(super) fn is_record(name: &[u8]) -> bool {
    matches!(
        Plain::of(name).text(),
        "event" | "record" | "entry" | "row" | "item" | "alert" | "logentry" | "logrecord"
    )
}

/// Whether an object of this name holds what is told of the record that it lies in.
pub(super) fn tells_of_record(name: &[u8]) -> bool {
    matches!(
        Plain::of(name).text(),
        "event"
            | "meta"
            | "metadata"
            | "header"
            | "system"
            | "attributes"
            | "timecreatedattributes"
            | "envelope"
            | "common"
    )
}

/// Whether a field holds the pattern of a time beside it (LEEF).
pub(super) fn is_time_pattern(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"devTimeFormat")
}

/// Whether a field holds a time whose pattern another one may hold.
pub(super) fn has_pattern(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"devTime")
}

fn part_of(name: &str) -> Option<Part> {
    /// Each member of a line with a host is asked for.
    static PARTS: LazyLock<HashMap<&str, Part>> = LazyLock::new(|| {
        let all =
            |names: &'static [&'static str], part| names.iter().map(move |&name| (name, part));
        all(URL_PORTS, Part::Port)
            .chain(all(SCHEMES, Part::Scheme))
            .chain(all(QUERIES, Part::Query))
            .chain(PATHS.iter().map(|&(name, rank)| (name, Part::Path(rank))))
            .chain(all(HOSTS, Part::Host))
            .collect()
    });
    PARTS.get(name).copied()
}

/// Whether a name that ends like `key` can be one of a host: asked before a hit, so it
/// looks at the end only. `is_address`: the value is one.
#[inline]
pub(super) fn may_name_host(key: &[u8], is_address: bool) -> bool {
    let mut end = [0; 4];
    match key.last_chunk() {
        Some(last) => end = *last,
        None => end[4 - key.len()..].copy_from_slice(key),
    }
    let end = folded(&end);
    if OF_HOSTS.contains(&end) {
        return true;
    }
    is_address
        && (OF_ADDRESSES.contains(&end)
            || [folded(b"\0\0ip"), folded(b"\0\0da")].contains(&(end & 0xffff | LOWER))
            || end & 0xff_ffff | LOWER == folded(b"\0dst"))
}

/// Ends of names of hosts, of whatever kind.
const OF_HOSTS: [u32; 9] = [
    folded(b"host"),
    folded(b"name"),
    folded(b"main"),
    folded(b"rity"),
    folded(b"site"),
    folded(b"fqdn"),
    folded(b"ost)"),
    folded(b"ader"),
    folded(b"alue"),
];

/// Ends of names of hosts that are addresses.
const OF_ADDRESSES: [u32; 8] = [
    folded(b"addr"),
    folded(b"ress"),
    folded(b"ipv6"),
    folded(b"_ip6"),
    folded(b"tip6"),
    folded(b"cip6"),
    folded(b"ipv4"),
    folded(b"sp_h"),
];

const LOWER: u32 = 0x2020_2020;

/// Four bytes with their letters in lower case, in one go: other bytes then look like others,
/// too, which the record sets right.
const fn folded(end: &[u8; 4]) -> u32 {
    u32::from_be_bytes(*end) | LOWER
}

/// How good a name for the time of a record is: the lower, the better. `None`: it names
/// none.
pub(super) fn time_rank(name: &[u8]) -> Option<u8> {
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
        "t" => 9,
        "datetime"
        | "timegenerated"
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
        | "devicereceipttime"
        | "receivetime"
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
        | "generatedtime"
        | "eventdatetime"
        | "datetimeutc"
        | "reqtimesec"
        | "startutc" => 10,
        "created" | "createdat" | "start" | "received" | "sourcerealtimetimestamp" => 12,
        "end" | "endtime" => 13,
        _ => return None,
    })
}

/// The part of a time that a member of an object for it holds: of protobuf's timestamps
/// (`{"seconds":1,"nanos":5}`), Java's instants, and C's structures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimePart {
    Seconds,
    Micros,
    Nanos,
}

/// What part of a time a member of this name holds.
pub(super) fn time_part(name: &[u8]) -> Option<TimePart> {
    Some(match Plain::of(name).text() {
        "seconds" | "sec" | "secs" | "tvsec" | "epochsecond" => TimePart::Seconds,
        "usec" | "micros" | "microseconds" | "tvusec" => TimePart::Micros,
        "nanos" | "nanoseconds" | "nano" | "nsec" | "tvnsec" => TimePart::Nanos,
        _ => return None,
    })
}

/// Whether a field holds the distance from UTC of a time beside it.
pub(super) fn is_zone(name: &[u8]) -> bool {
    matches!(Plain::of(name).text(), "tz" | "timezone" | "zone" | "utcoffset" | "tzoffset")
}

/// Whether an array of this name holds records, each with its own time.
pub(super) fn holds_records(name: &[u8]) -> bool {
    matches!(
        Plain::of(name).text(),
        "" | "records"
            | "record"
            | "events"
            | "event"
            | "hits"
            | "value"
            | "values"
            | "items"
            | "data"
            | "logs"
            | "entries"
            | "logevents"
            | "logrecords"
            | "results"
            | "rows"
            | "messages"
            | "alerts"
            | "documents"
            | "objects"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        for (object, name, want) in [
            ("", "host", Some(Part::Host)),
            ("", "cs(Host)", Some(Part::Host)),
            ("", "http.hostname", Some(Part::Host)),
            ("url", "domain", Some(Part::Host)),
            ("", "cs-uri-stem", Some(Part::Path(2))),
            ("http", "url", Some(Part::Path(1))),
            ("url", "path", Some(Part::Path(3))),
            ("url", "port", Some(Part::Port)),
            ("", "s-port", Some(Part::Port)),
            ("", "sport", None),
            ("", "rrname", None),
            ("", "request", Some(Part::Path(REQUEST))),
            // What tells of the machine, or of a file.
            ("host", "name", None),
            ("", "host.name", None),
            ("host", "hostname", None),
            ("agent", "hostname", None),
            ("", "log.file.path", None),
            ("", "url.path", Some(Part::Path(2))),
        ] {
            assert_eq!(part(object.as_bytes(), name.as_bytes()), want, "{object} {name}");
        }
        // What is asked before a hit lets every name of a host pass.
        for name in HOSTS {
            assert!(may_name_host(name.as_bytes(), false), "{name}");
        }
        assert!(may_name_host(b"cs(Host)", false) && !may_name_host(b"msg", true));
    }
}
