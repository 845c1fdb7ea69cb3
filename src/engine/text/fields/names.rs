//! The names of fields: which contain parts of a URL, which contain a time, and
//! which address belongs to which port (matching specification, section 8, rules 2,
//! 3 and 5).
//!
//! Names are compared ignoring case and anything but letters and digits:
//! `ClientRequestHost`, `cs-host` and `cs(Host)`, `id.resp_h`. In JSON the name of
//! the object may be included: `url.domain`, `http.hostname`.

mod sides;
mod times;

use hashbrown::HashMap;
use std::sync::LazyLock;

pub(super) use sides::{NO_SIDE, Side, destination, hash_of};
pub(super) use times::{
    CREATED_RANK, RECEIVED_RANK, ends_as_time, is_of_change, is_other_time, time_rank,
};

/// The length limit of a name, with and without its other characters.
const MAX_NAME: usize = 48;
const MAX_READ: usize = 2 * MAX_NAME;

/// The part of a URL that a field contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Host,
    /// A host, if the record has no better one: it may be a client's name, or that
    /// of the machine.
    Server,
    /// The path, possibly with its query; the lowest number wins.
    Path(u8),
    Query,
    Scheme,
    Port,
}

/// Hosts of requests: Zeek, EVE, ECS, W3C, CloudFront, Cloudflare, FortiGate,
/// nginx, Traefik, Caddy, Envoy, OCSF, Azure, AWS, CEF.
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
    "dstname",
    "destname",
    "dstdomain",
    "destdomain",
];

/// Names of hosts to use if there is no better one.
const SERVERS: &[&str] = &["server", "remotehost"];

/// Paths of requests, the best first.
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
    ("rawpath", NAMED_PATH),
    ("csuristem", NAMED_PATH),
    ("csuripath", NAMED_PATH),
    ("uristem", NAMED_PATH),
    ("uripath", NAMED_PATH),
    ("urlpath", NAMED_PATH),
    ("httppath", NAMED_PATH),
    ("requestpath", NAMED_PATH),
    ("requesttarget", NAMED_PATH),
    ("clientrequestpath", NAMED_PATH),
    ("reqpath", NAMED_PATH),
    ("path", WEAK_PATH),
    // SonicWall, WatchGuard and Stormshield; Juniper.
    ("arg", WEAK_PATH),
    ("obj", WEAK_PATH),
    ("req", REQUEST),
    ("request", REQUEST),
    ("requestline", REQUEST),
];

/// The rank of a path whose name says that it is one, so it may lack its slash.
pub(super) const NAMED_PATH: u8 = 2;
/// The rank of a path whose name does not say what it is the path of.
const WEAK_PATH: u8 = 3;
/// The rank of a request line, or of its path.
pub(super) const REQUEST: u8 = 4;

/// Objects that describe the machine that wrote the log, a file or a client. A host
/// in them is not that of a request.
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

/// Parts of names of objects that describe a request.
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

/// A name reduced to lower-case letters and digits.
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

    /// Appends a name. A name that is too long becomes empty.
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

/// The part of a URL that the field `name` of the object `object` contains.
pub(super) fn part(object: &[u8], name: &[u8]) -> Option<Part> {
    if name.len() > MAX_READ {
        return None;
    }
    let object = if object.len() > MAX_READ { b"" } else { object };
    let whole = name;
    // In a dotted name, the part before the last dot is the object.
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
        Part::Host | Part::Server => MACHINES.contains(&Plain::of(last).text()),
        // `log.file.path` as a single name.
        Part::Path(WEAK_PATH) => dot.is_some() && !holds_request(last),
        _ => false,
    };
    (!is_other).then_some(found)
}

/// Whether an object with this name describes a request.
pub(super) fn holds_request(object: &[u8]) -> bool {
    let object = Plain::of(object);
    REQUESTS.iter().any(|word| object.text().contains(word))
}

/// Whether a path with this rank is that of a request according to its name.
pub(super) fn is_strong(rank: u8) -> bool {
    rank < WEAK_PATH
}

/// Whether an array with this name contains headers of a request, one object each.
pub(super) fn holds_headers(name: &[u8]) -> bool {
    let name = Plain::of(name);
    name.text().ends_with("headers") && !name.text().contains("resp")
}

/// Whether a member of a header's object is its name, or its value.
pub(super) fn is_header_name(name: &[u8]) -> bool {
    [&b"name"[..], b"key"].iter().any(|other| name.eq_ignore_ascii_case(other))
}

pub(super) fn is_header_value(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"value")
}

/// The part of the request's URL that a header contains: `Host`, and the
/// pseudo-headers of HTTP/2 and 3.
pub(super) fn header_part(header: &[u8]) -> Option<Part> {
    let is = |name: &[u8]| header.eq_ignore_ascii_case(name);
    match () {
        () if is(b"host") || is(b":authority") => Some(Part::Host),
        () if is(b":path") => Some(Part::Path(0)),
        () if is(b":scheme") => Some(Part::Scheme),
        () => None,
    }
}

/// Whether a name before a colon describes a record: an address or a port, a
/// request, or a time.
pub(super) fn describes_record(name: &[u8]) -> bool {
    is_of_endpoint(name)
        || matches!(part(b"", name), Some(Part::Host | Part::Path(_)))
        || time_rank(name).is_some_and(|rank| rank <= RECEIVED_RANK)
}

/// Whether a name is that of an address or a port.
pub(super) fn is_of_endpoint(name: &[u8]) -> bool {
    Side::none().with(name).is_known
}

/// Whether the words of a name mention no side.
pub(super) fn is_of_no_side(name: &[u8]) -> bool {
    Side::none().with(name).words == NO_SIDE
}

/// Whether a column with this name contains messages.
pub(super) fn holds_message(name: &[u8]) -> bool {
    let name = Plain::of(name);
    ["msg", "message", "log", "line", "text", "raw", "event", "data", "query"]
        .contains(&name.text())
}

/// Whether an XML element with this name is a record.
pub(super) fn is_record(name: &[u8]) -> bool {
    matches!(
        Plain::of(name).text(),
        "event" | "record" | "entry" | "row" | "item" | "alert" | "logentry" | "logrecord"
    )
}

/// Whether an object with this name describes the record that contains it.
pub(super) fn describes_its_record(name: &[u8]) -> bool {
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
            // In Google Workspace's reports.
            | "id"
    )
}

/// Whether a field contains the pattern of a time in another field (LEEF).
pub(super) fn is_time_pattern(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"devTimeFormat")
}

/// Whether a field contains a time whose pattern may be in another field.
pub(super) fn has_pattern(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"devTime")
}

fn part_of(name: &str) -> Option<Part> {
    /// Every member of a line with a host is looked up here.
    static PARTS: LazyLock<HashMap<&str, Part>> = LazyLock::new(|| {
        let all =
            |names: &'static [&'static str], part| names.iter().map(move |&name| (name, part));
        all(URL_PORTS, Part::Port)
            .chain(all(SCHEMES, Part::Scheme))
            .chain(all(QUERIES, Part::Query))
            .chain(PATHS.iter().map(|&(name, rank)| (name, Part::Path(rank))))
            .chain(all(HOSTS, Part::Host))
            .chain(all(SERVERS, Part::Server))
            .collect()
    });
    PARTS.get(name).copied()
}

/// Whether a field whose name ends like `key` may contain a host. Asked before a
/// hit, so it only looks at the end. `is_address` says that the value is an
/// address.
#[inline]
pub(super) fn may_name_host(key: &[u8], is_address: bool) -> bool {
    let mut end = [0; 4];
    match key.last_chunk() {
        Some(last) => end = *last,
        None => end[4 - key.len()..].copy_from_slice(key),
    }
    let end = folded(&end);
    if OF_HOSTS.contains(&end) || end & 0xff_ffff | LOWER == folded(b"\0url") {
        return true;
    }
    is_address
        && (OF_ADDRESSES.contains(&end)
            || [folded(b"\0\0ip"), folded(b"\0\0da")].contains(&(end & 0xffff | LOWER))
            || end & 0xff_ffff | LOWER == folded(b"\0dst"))
}

/// Endings of names of hosts of any kind.
const OF_HOSTS: [u32; 10] = [
    folded(b"rver"),
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

/// Endings of names of hosts that are addresses.
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

/// Folds the case of four bytes at once. Other bytes may become equal, too, which
/// the record corrects.
const fn folded(end: &[u8; 4]) -> u32 {
    u32::from_be_bytes(*end) | LOWER
}

/// The part of a time that a member of its object contains: in protobuf's
/// timestamps (`{"seconds":1,"nanos":5}`), Java's instants, and C's structures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimePart {
    Seconds,
    Micros,
    Nanos,
}

/// The part of a time that a member with this name contains.
pub(super) fn time_part(name: &[u8]) -> Option<TimePart> {
    Some(match Plain::of(name).text() {
        "seconds" | "sec" | "secs" | "tvsec" | "epochsecond" => TimePart::Seconds,
        "usec" | "micros" | "microseconds" | "tvusec" => TimePart::Micros,
        "nanos" | "nanoseconds" | "nano" | "nsec" | "tvnsec" => TimePart::Nanos,
        _ => return None,
    })
}

/// Whether a field contains the UTC offset of a time in another field.
pub(super) fn is_zone(name: &[u8]) -> bool {
    matches!(Plain::of(name).text(), "tz" | "timezone" | "zone" | "utcoffset" | "tzoffset")
}

/// Whether an array with this name contains records, each with its own time.
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
    fn names_of_url_parts_are_recognised() {
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
            // What describes the machine, or a file.
            ("host", "name", None),
            ("", "host.name", None),
            ("host", "hostname", None),
            ("agent", "hostname", None),
            ("", "log.file.path", None),
            ("", "url.path", Some(Part::Path(2))),
        ] {
            assert_eq!(part(object.as_bytes(), name.as_bytes()), want, "{object} {name}");
        }
        // The check before a hit must accept the name of every host.
        for name in HOSTS {
            assert!(may_name_host(name.as_bytes(), false), "{name}");
        }
        assert!(may_name_host(b"cs(Host)", false) && !may_name_host(b"msg", true));
    }
}
