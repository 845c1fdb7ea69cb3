//! The relations between the columns of a table, or the members of a JSON record:
//! which contain values, and which only describe them.
//!
//! Both use the same function, so an export means the same in either form.

use crate::engine::indicator::Kind;
use crate::intel::feed::live::{self, Live};
use crate::intel::feed::table::columns::Column;
use crate::intel::feed::table::headings::{self, Heading};
use crate::intel::feed::table::joint::{self, Joint};
use crate::intel::feed::table::nets::Part;
use crate::intel::feed::types::squeeze;

/// The roles of columns, and which of them depend on other cells in a row.
pub(in crate::intel::feed) struct Roles {
    pub(in crate::intel::feed) headings: Vec<Heading>,
    /// Columns that describe the address in the same row: the name its hoster gave
    /// it, who announces it, whom to contact.
    pub(in crate::intel::feed) owned: Vec<usize>,
    /// Columns that describe a network or its operator, if nothing else is listed.
    pub(in crate::intel::feed) providers: Vec<usize>,
    /// Columns with the host of the URL in the same row.
    pub(in crate::intel::feed) hosts: Vec<usize>,
    /// Whether the address next to a URL is where it is hosted.
    pub(in crate::intel::feed) is_hosting: bool,
    /// Columns named as the value.
    pub(in crate::intel::feed) named: Vec<usize>,
    /// Context columns that can also mark a row as harmless.
    pub(in crate::intel::feed) live: Vec<(usize, Live)>,
    /// The column with patterns.
    pub(in crate::intel::feed) pattern: Option<usize>,
    /// The columns that form a URL.
    pub(in crate::intel::feed) joint: Option<Joint>,
    /// Whether columns count engines.
    pub(in crate::intel::feed) has_counts: bool,
}

/// Determines the roles of columns by name.
pub(in crate::intel::feed) fn of_names(names: &[&str]) -> Roles {
    let squeezed: Vec<String> = names.iter().map(|name| squeezed(name)).collect();
    let mut headings: Vec<Heading> = names.iter().map(|name| headings::of(name)).collect();
    drop_ends(&squeezed, &mut headings);
    drop_keys(&squeezed, &mut headings);
    let is_value = |heading: &Heading| {
        matches!(heading, Heading::Role(Column::Value(_) | Column::Net(_)) | Heading::Hostile)
    };
    if !headings.iter().any(is_value)
        && let Some(at) = squeezed.iter().position(|name| name == "link" || name == "links")
    {
        // Nothing else could be the value: it is a list of links.
        headings[at] = UNTYPED;
    }
    let at = |test: &dyn Fn(usize) -> bool| (0..headings.len()).filter(|&at| test(at)).collect();
    let has = |test: fn(&str) -> bool| squeezed.iter().any(|name| test(name));
    let has_net = headings.iter().any(|of| matches!(of, Heading::Role(Column::Net(Part::Start))));
    let (has_owner, has_provider, has_place) = (has(is_owner), has(is_provider), has(is_place));
    // An address and its names, as internet scanners report them.
    let is_of_host = has(|name| matches!(name, "ip" | "ipaddress" | "ipstr"))
        && has(|name| name == "hostnames")
        || has(|name| name == "abuseconfidencescore");
    let is_owned = |at: usize| {
        let (heading, name) = (&headings[at], &*squeezed[at]);
        let is_name = of_kind(heading, Kind::Domain);
        is_name && is_reverse(name) && (has_owner || has_place)
            || is_name && (has_provider || is_of_host)
            || of_kind(heading, Kind::Email) && (has_owner || has_net)
    };
    let is_host = |at: usize| {
        let is_part =
            matches!(&*squeezed[at], "host" | "hostname" | "fqdn" | "urlhost" | "domainname");
        is_part && of_kind(&headings[at], Kind::Domain)
    };
    // `asn`, `asname` and the operator's domain, as in lists of networks.
    let is_other = |(heading, name): (&Heading, &String)| {
        use Kind::{Asn, Domain, Net};
        let is_detail = [Asn, Domain, Net].iter().any(|kind| of_kind(heading, *kind))
            || matches!(heading, Heading::Role(Column::Net(_)))
            // A country code, here.
            || name == "cc";
        is_value(heading) && !is_detail
    };
    let is_of_networks =
        has(is_number) && has(is_operator) && !headings.iter().zip(&squeezed).any(is_other);
    let is_provider_of = |at: usize| is_of_networks && of_kind(&headings[at], Kind::Domain);
    let is_named = |at: usize| headings[at] == UNTYPED && rank(&squeezed[at]) < HASH;
    Roles {
        joint: joint::find(&squeezed, &headings),
        pattern: squeezed.iter().position(|name| is_pattern(name)),
        owned: at(&is_owned),
        hosts: at(&is_host),
        providers: at(&is_provider_of),
        named: at(&is_named),
        is_hosting: has_owner || has_place,
        live: live_columns(&squeezed, &headings),
        has_counts: has(live::is_count),
        headings,
    }
}

/// Columns that say what a row is listed as.
fn live_columns(names: &[String], headings: &[Heading]) -> Vec<(usize, Live)> {
    let is_free = |heading: &Heading| match heading {
        Heading::Role(column) => column.is_context(),
        _ => true,
    };
    let columns = names.iter().zip(headings).enumerate();
    columns
        .filter(|(_, (_, heading))| is_free(heading))
        .filter_map(|(at, (name, _))| Some((at, live::of_context_name(name)?)))
        .collect()
}

/// A column with values of any kind.
const UNTYPED: Heading = Heading::Role(Column::Value(None));

/// A name for comparison, without quotes.
fn squeezed(name: &str) -> String {
    squeeze(name.trim().trim_matches('"')).into_owned()
}

/// Drops columns about the other side: the target of an address, and the page that
/// describes a URL.
fn drop_ends(names: &[String], headings: &mut [Heading]) {
    let has = |test: fn(&str) -> bool| names.iter().any(|name| test(name));
    let (has_source, has_url) = (has(is_source), has(|name| name == "url" || name == "urls"));
    for (heading, name) in headings.iter_mut().zip(names) {
        let is_end = has_source && is_target(name) && of_kind(heading, Kind::Ip);
        if is_end || has_url && (name == "uri" || name == "uris") {
            *heading = Heading::Unknown;
        }
    }
}

/// Whether a name means the address that something came from.
fn is_source(name: &str) -> bool {
    matches!(
        name,
        "ip" | "srcip"
            | "sourceip"
            | "ipsrc"
            | "srcaddr"
            | "sourceaddress"
            | "attackerip"
            | "attackingip"
            | "clientip"
    )
}

/// Whether a name means the address that it went to.
fn is_target(name: &str) -> bool {
    matches!(
        name,
        "destip"
            | "dstip"
            | "destinationip"
            | "ipdst"
            | "dstaddr"
            | "destinationaddress"
            | "destipaddress"
            | "destinationipaddress"
            | "dstipv4"
    )
}

/// In a record that names its indicator, the other value is the record's own key.
fn drop_keys(names: &[String], headings: &mut [Heading]) {
    let ranks = || {
        let untyped =
            |(heading, name): (&Heading, &String)| (*heading == UNTYPED).then(|| rank(name));
        headings.iter().zip(names).filter_map(untyped)
    };
    let Some(best) = ranks().min() else { return };
    let is_typed = |heading: &Heading| matches!(heading, Heading::Role(Column::Value(Some(_))));
    let has_kind = headings.contains(&Heading::Role(Column::Type));
    // `hash` next to a name or address is a file's, unless the record gives its
    // kind.
    let is_key = best == HASH && has_kind && headings.iter().any(is_typed);
    for (heading, name) in headings.iter_mut().zip(names) {
        if *heading == UNTYPED && (rank(name) > best || is_key) {
            *heading = Heading::Other;
        }
    }
}

/// The rank of `hash`, the weakest name for a value: usually it is the record's
/// key.
const HASH: u8 = 2;

/// How certain it is that a column with this name holds the value; the lowest rank
/// is the most certain.
fn rank(name: &str) -> u8 {
    match name {
        "file" | "digest" => HASH,
        name if name.contains("hash") => HASH,
        "data" | "entry" | "trail" | "indicators" | "uri" => 1,
        _ => 0,
    }
}

/// Whether a heading means values of this kind.
fn of_kind(heading: &Heading, kind: Kind) -> bool {
    matches!(heading, Heading::Role(Column::Value(Some((of, _)))) if *of == kind)
}

/// Whether a name means STIX patterns.
fn is_pattern(name: &str) -> bool {
    matches!(name, "pattern" | "stixpattern" | "indicatorpattern")
}

/// Whether a name means the reverse name of an address.
fn is_reverse(name: &str) -> bool {
    matches!(name, "host" | "hostname" | "hostnames" | "dns" | "dnsname" | "fqdn")
}

/// Whether a name means the location of an address.
fn is_place(name: &str) -> bool {
    matches!(
        name,
        "country"
            | "countrycode"
            | "countryname"
            | "city"
            | "region"
            | "latitude"
            | "longitude"
            | "lat"
            | "lon"
            | "geo"
            | "geoip"
            | "continent"
            | "location"
    )
}

/// Whether a name means the owner of an address.
fn is_owner(name: &str) -> bool {
    is_provider(name)
        || matches!(
            name,
            "asn"
                | "as"
                | "asnumber"
                | "asname"
                | "asowner"
                | "asorg"
                | "asdescription"
                | "netname"
                | "owner"
                | "abuse"
                | "abuseemail"
                | "abusecontact"
                | "contact"
        )
}

/// Whether a name means AS numbers.
fn is_number(name: &str) -> bool {
    matches!(name, "asn" | "as" | "asnumber" | "autonomoussystem")
}

/// Whether a name means the operator of an AS.
fn is_operator(name: &str) -> bool {
    matches!(
        name,
        "asname"
            | "asowner"
            | "asorg"
            | "asdescription"
            | "rir"
            | "netname"
            | "prefix"
            | "cidr"
            | "network"
            | "subnet"
            | "isp"
            | "org"
            | "orgname"
            | "organization"
            | "organisation"
    )
}

/// Whether a name means the provider of an address.
fn is_provider(name: &str) -> bool {
    matches!(
        name,
        "isp"
            | "usagetype"
            | "hoster"
            | "hostingprovider"
            | "org"
            | "organization"
            | "organisation"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_no_values() {
        let values = |names: &[&str]| -> Vec<String> {
            let is_value = |at: &usize| {
                matches!(of_names(names).headings[*at], Heading::Role(Column::Value(_)))
            };
            (0..names.len()).filter(is_value).map(|at| names[at].to_string()).collect()
        };
        for (names, want) in [
            (&["id", "hash", "type", "value"][..], &["value"][..]),
            (&["hash", "ioc"], &["ioc"]),
            (&["hash", "type"], &["hash"]),
            (&["hash", "domain", "type"], &["domain"]),
            (&["hash", "domain"], &["hash", "domain"]),
            (&["Domain", "IP addresses", "Hashes"], &["Domain", "IP addresses", "Hashes"]),
            (&["ip", "link"], &["ip"]),
            (&["url", "uri"], &["url"]),
            (&["uri", "md5"], &["uri", "md5"]),
            (&["src_ip", "dest_ip"], &["src_ip"]),
            (&["dest_ip", "dest_port"], &["dest_ip"]),
            (&["ip", "bgp_prefix", "announced_prefix"], &["ip"]),
            (&["link", "date"], &["link"]),
            (&["value", "rdns", "fingerprint", "etag", "checksum", "key", "_id"], &["value"]),
        ] {
            assert_eq!(values(names), want, "{names:?}");
        }
    }

    #[test]
    fn columns_that_describe_an_address() {
        for (names, want) in [
            (&["ip_address", "hostname", "as_name"][..], &[1][..]),
            (&["ip", "hostname", "country"], &[1]),
            (&["ip", "domain", "country"], &[]),
            (&["ip", "hostname"], &[]),
            (&["ipAddress", "isp", "domain", "hostnames"], &[2, 3]),
            (&["ip", "email", "username"], &[]),
            (&["ip", "email", "netname"], &[1]),
        ] {
            assert_eq!(of_names(names).owned, want, "{names:?}");
        }
        for (names, want) in [
            (&["asn", "rir", "domain", "cc", "asname"][..], &[2][..]),
            (&["prefix", "asn", "domain"], &[2]),
            (&["cidr", "as_number", "host"], &[2]),
            // What is listed may be hosted somewhere.
            (&["domain", "ip", "asn", "as_name"], &[]),
            (&["domain", "asn", "country"], &[]),
            (&["domain", "md5", "asn", "as_name"], &[]),
        ] {
            assert_eq!(of_names(names).providers, want, "{names:?}");
        }
    }
}
