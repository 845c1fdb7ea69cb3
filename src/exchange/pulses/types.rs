//! The types of indicators, in OTX's spelling.

use crate::engine::indicator::{Kind, Scope};

macro_rules! types {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $slug:literal, $kind:ident, $about:literal;)*) => {
        /// The type of an indicator (matching specification, section 1.5). The numbers are part
        /// of the database: never reuse one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Type { $($(#[$doc])* $variant = $number,)* }

        impl Type {
            /// Every type.
            pub const ALL: &'static [Type] = &[$(Type::$variant,)*];

            /// Its name in OTX's spelling.
            pub const fn name(self) -> &'static str {
                match self { $(Type::$variant => $name,)* }
            }

            /// Its part of the path of indicators.
            pub const fn slug(self) -> &'static str {
                match self { $(Type::$variant => $slug,)* }
            }

            /// What the engine makes of it.
            pub const fn kind(self) -> Kind {
                match self { $(Type::$variant => Kind::$kind,)* }
            }

            /// A description for people.
            pub const fn about(self) -> &'static str {
                match self { $(Type::$variant => $about,)* }
            }

            /// The type with this number.
            pub const fn from_number(number: u8) -> Option<Type> {
                match number { $($number => Some(Type::$variant),)* _ => None }
            }

            /// The type with this name, ignoring case.
            pub fn from_name(name: &str) -> Option<Type> {
                Type::ALL.iter().copied().find(|of| of.name().eq_ignore_ascii_case(name.trim()))
            }
        }
    };
}

types! {
    /// An IPv4 address.
    IPv4 = 1, "IPv4", "IPv4", Ip, "An IPv4 address";
    /// An IPv6 address.
    IPv6 = 2, "IPv6", "IPv6", Ip, "An IPv6 address";
    /// A network.
    Cidr = 3, "CIDR", "cidr", Net, "A network in CIDR notation";
    /// A domain and everything below it.
    Domain = 4, "domain", "domain", Domain, "A domain name, and every name below it";
    /// One host name.
    Hostname = 5, "hostname", "hostname", Domain, "A host name";
    /// A URL.
    Url = 6, "URL", "url", Url, "A URL";
    /// The path of a URL.
    Uri = 7, "URI", "uri", UrlPath, "The path of a URL, at any host";
    /// An e-mail address.
    Email = 8, "email", "email", Email, "An e-mail address";
    /// MD5 of a file.
    Md5 = 9, "FileHash-MD5", "file", Md5, "The MD5 digest of a file";
    /// SHA-1 of a file.
    Sha1 = 10, "FileHash-SHA1", "file", Sha1, "The SHA-1 digest of a file";
    /// SHA-256 of a file.
    Sha256 = 11, "FileHash-SHA256", "file", Sha256, "The SHA-256 digest of a file";
    /// PEhash of a program.
    Pehash = 12, "FileHash-PEHASH", "file", Pehash, "The PEhash of a program";
    /// Import hash of a program.
    Imphash = 13, "FileHash-IMPHASH", "file", Imphash, "The import hash of a program";
    /// A path or name of a file.
    FilePath = 14, "FilePath", "filepath", Filepath, "The path or name of a file";
    /// A mutex.
    Mutex = 15, "Mutex", "mutex", Mutex, "The name of a mutex";
    /// A CVE number.
    Cve = 16, "CVE", "cve", Cve, "The number of a vulnerability";
    /// A YARA rule.
    Yara = 17, "YARA", "YARA", Opaque, "A YARA rule; its text is the content";
    /// A JA3 fingerprint.
    Ja3 = 18, "JA3", "ja3", Ja3, "The JA3 fingerprint of a TLS client";
    /// The fingerprint of a certificate.
    Certificate = 19, "SSLCertFingerprint", "sslcertfingerprint", CertSha1, "The SHA-1 fingerprint of a certificate";
    /// A Bitcoin address.
    Bitcoin = 20, "BitcoinAddress", "bitcoin-address", Btc, "A Bitcoin address";
    /// A rule for a network intrusion detection system.
    Nids = 21, "NIDS", "nids", Opaque, "A rule of an intrusion detection system; its text is the content";
    /// An osquery query.
    Osquery = 22, "osquery", "osquery", Opaque, "An osquery query; its text is the content";
    /// A rule for correlation.
    Correlation = 23, "correlation-rule", "correlation-rule", Opaque, "A correlation rule; its text is the content";
}

impl Type {
    /// How far it reaches.
    pub const fn scope(self) -> Scope {
        match self {
            Type::Domain => Scope::Subtree,
            Type::Uri => Scope::PathAnyHost,
            _ => Scope::Exact,
        }
    }

    /// Whether values may contain control characters: names that malware gives.
    pub const fn allows_controls(self) -> bool {
        matches!(self, Type::FilePath | Type::Mutex)
    }

    /// Whether the value is only a name, and the rule is the content.
    pub const fn is_rule(self) -> bool {
        matches!(self, Type::Yara | Type::Nids | Type::Osquery | Type::Correlation)
    }

    /// Whether it is the digest of a whole file: a file has one of each.
    pub const fn is_file_digest(self) -> bool {
        matches!(self, Type::Md5 | Type::Sha1 | Type::Sha256)
    }

    /// The days after which it expires, unless its author decides otherwise.
    pub const fn default_days(self) -> Option<i64> {
        match self {
            Type::IPv4 | Type::IPv6 | Type::Cidr | Type::Url => Some(30),
            _ => None,
        }
    }

    /// The types that a slug of the path may mean.
    pub fn of_slug(slug: &str) -> Vec<Type> {
        Type::ALL.iter().copied().filter(|of| of.slug().eq_ignore_ascii_case(slug)).collect()
    }
}
