//! The supported formats, and their names on the command line.

use std::fmt;

macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident, [$name:literal $(, $alias:literal)*], $about:literal;)*) => {
        /// The format of a feed's file. It is detected from the content by
        /// [`Format::detect`], or set by name (`--as FORMAT`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Format { $($(#[$doc])* $variant,)* }

        impl Format {
            /// Every format, in the order in which help texts list them.
            pub const ALL: &'static [Format] = &[$(Format::$variant,)*];

            /// The name on the command line and in summaries.
            pub const fn name(self) -> &'static str {
                match self { $(Format::$variant => $name,)* }
            }

            /// A line for help texts.
            pub const fn about(self) -> &'static str {
                match self { $(Format::$variant => $about,)* }
            }

            /// Finds the format with this name or alias, ignoring case.
            pub fn from_name(name: &str) -> Option<Format> {
                match name.trim().to_ascii_lowercase().as_str() {
                    $($name $(| $alias)* => Some(Format::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

formats! {
    /// One value of any kind per line.
    Lines, ["lines", "list", "txt", "text"],
        "one value per line, of any kind; # and ; start comments";
    /// A table with named or guessed columns.
    Table, ["csv", "tsv", "table"],
        "CSV, TSV, semicolons or pipes; columns by name, by mapping, or detected";
    /// A hosts file.
    Hosts, ["hosts"],
        "hosts file: every name after an address is an indicator";
    /// A filter list of an ad blocker.
    Adblock, ["adblock"],
        "adblock filters of the form ||name^";
    /// Configuration of dnsmasq.
    Dnsmasq, ["dnsmasq"],
        "dnsmasq: address=/name/… and server=/name/…";
    /// Zones of unbound and BIND that block names.
    Resolver, ["resolver", "unbound", "bind", "named"],
        "unbound or BIND: local-zone and zone, if they block";
    /// A DNS response policy zone.
    Rpz, ["rpz"],
        "DNS response policy zone: name CNAME .";
    /// A Squid `dstdomain` list.
    Squid, ["squid", "dom"],
        "squid domain list: .name includes subdomains";
    /// IPsum.
    Ipsum, ["ipsum"],
        "ipsum: address, tab, number of lists";
    /// FireHOL's netsets and ipsets.
    Netset, ["netset", "ipset", "firehol"],
        "firehol netset or ipset: addresses and networks under a header";
    /// Maltrail's static trails, or its `trails.csv`.
    Maltrail, ["maltrail"],
        "maltrail trails: names, addresses, paths; trails.csv, too";
    /// Zeek's intelligence framework.
    Zeek, ["zeek", "zeek-intel", "intel"],
        "zeek intel file: #fields indicator indicator_type meta.source …";
    /// A Suricata dataset or datarep.
    Dataset, ["dataset", "suricata", "datarep"],
        "suricata dataset or datarep: base64 strings, digests, addresses";
    /// Suricata's IP reputation.
    Iprep, ["iprep"],
        "suricata iprep: address,category,score";
    /// The CSV exports of abuse.ch.
    AbuseCh, ["abusech", "abuse.ch", "urlhaus", "threatfox", "feodo", "sslbl", "malwarebazaar"],
        "abuse.ch CSV: URLhaus, ThreatFox, Feodo, SSLBL, MalwareBazaar";
    /// `value;comment` lists, as LOKI reads them.
    Loki, ["loki", "signature-base"],
        "value;comment lists of signature-base";
    /// `regex;score` lists of file names, as LOKI reads them.
    LokiNames, ["loki-filenames"],
        "regex;score lists of file names of signature-base";
    /// Spamhaus DROP.
    Drop, ["drop", "spamhaus"],
        "spamhaus DROP: network ; SBL number, or JSON lines";
    /// OTX pulses.
    Otx, ["otx"],
        "OTX: one pulse, an array, a page of the API, an indicator export";
    /// STIX 2.0 and 2.1.
    Stix, ["stix", "stix2", "taxii"],
        "STIX 2.0 or 2.1 bundle, or a TAXII 2.1 envelope";
    /// MISP events.
    Misp, ["misp"],
        "MISP event, array or response of events";
    /// MISP warning lists.
    Warninglist, ["warninglist"],
        "MISP warning list: known good values, which do not alert";
    /// Other JSON.
    Json, ["json", "ndjson", "jsonl", "records"],
        "JSON records or JSON lines with indicator and type members";
    /// This program's own lossless JSON lines.
    Wiresift, ["wiresift"],
        "wiresift's own JSON lines, which keep everything";
}

impl Format {
    /// Whether files of this format are written by programs, which never defang.
    pub(in crate::intel::feed) fn is_exact(self) -> bool {
        matches!(
            self,
            Format::Wiresift
                | Format::Zeek
                | Format::Dataset
                | Format::Iprep
                | Format::Ipsum
                | Format::Netset
                | Format::Drop
                | Format::Rpz
                | Format::Dnsmasq
                | Format::Resolver
                | Format::Adblock
                | Format::Squid
                | Format::Warninglist
        )
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for &format in Format::ALL {
            assert_eq!(Format::from_name(format.name()), Some(format));
            assert!(!format.about().is_empty() && format.about().len() < 80, "{format}");
        }
        assert_eq!(Format::from_name(" TSV "), Some(Format::Table));
        assert_eq!(Format::from_name("nonsense"), None);
    }
}
