//! The kinds of indicators, and their scopes.

use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)*) => {
        /// The kind of an indicator or observable (matching specification, section
        /// 0).
        ///
        /// The numbers are part of the database format: never reuse one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $variant = $number,)* }

        impl Kind {
            /// Every kind, in the order of the numbers.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// The name used in alerts, in JSON lines and on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name,)* }
            }

            /// The kind with this name.
            pub fn from_name(name: &str) -> Option<Kind> {
                match name { $($name => Some(Kind::$variant),)* _ => None }
            }

            /// The kind with this number in a database.
            pub const fn from_number(number: u8) -> Option<Kind> {
                match number { $($number => Some(Kind::$variant),)* _ => None }
            }
        }
    };
}

kinds! {
    /// One address.
    Ip = 1, "ip";
    /// A network in CIDR form.
    Net = 2, "net";
    /// An address and a port.
    Endpoint = 3, "endpoint";
    /// A DNS name.
    Domain = 4, "domain";
    /// A URL with a host.
    Url = 5, "url";
    /// The path of a URL, at any host.
    UrlPath = 6, "url_path";
    /// An e-mail address.
    Email = 7, "email";
    /// MD5 of a file.
    Md5 = 10, "md5";
    /// SHA-1 of a file.
    Sha1 = 11, "sha1";
    /// SHA-224 of a file.
    Sha224 = 12, "sha224";
    /// SHA-256 of a file.
    Sha256 = 13, "sha256";
    /// SHA-384 of a file.
    Sha384 = 14, "sha384";
    /// SHA-512 of a file.
    Sha512 = 15, "sha512";
    /// SHA-512/224 of a file.
    Sha512_224 = 16, "sha512/224";
    /// SHA-512/256 of a file.
    Sha512_256 = 17, "sha512/256";
    /// SHA3-224 of a file.
    Sha3_224 = 18, "sha3-224";
    /// SHA3-256 of a file.
    Sha3_256 = 19, "sha3-256";
    /// SHA3-384 of a file.
    Sha3_384 = 20, "sha3-384";
    /// SHA3-512 of a file.
    Sha3_512 = 21, "sha3-512";
    /// Import hash of a PE file (MD5).
    Imphash = 22, "imphash";
    /// PEhash (SHA-1).
    Pehash = 23, "pehash";
    /// Authenticode hash (SHA-256).
    Authentihash = 24, "authentihash";
    /// Code directory hash of a Mach-O file (20 bytes).
    Cdhash = 25, "cdhash";
    /// ssdeep, compared as an exact string.
    Ssdeep = 26, "ssdeep";
    /// TLSH, compared as an exact string.
    Tlsh = 27, "tlsh";
    /// telfhash, compared as an exact string.
    Telfhash = 28, "telfhash";
    /// VirusTotal's vhash, compared as an exact string.
    Vhash = 29, "vhash";
    /// impfuzzy, compared as an exact string.
    Impfuzzy = 30, "impfuzzy";
    /// MD5 of a certificate.
    CertMd5 = 40, "cert-md5";
    /// SHA-1 of a certificate.
    CertSha1 = 41, "cert-sha1";
    /// SHA-256 of a certificate.
    CertSha256 = 42, "cert-sha256";
    /// JA3, MD5 of a TLS ClientHello's parameters.
    Ja3 = 43, "ja3";
    /// JA3S, MD5 of a TLS ServerHello's parameters.
    Ja3s = 44, "ja3s";
    /// JA4 of a ClientHello.
    Ja4 = 45, "ja4";
    /// JARM of a TLS server, 62 hex digits.
    Jarm = 46, "jarm";
    /// HASSH of an SSH client or server.
    Hassh = 47, "hassh";
    /// MD5 or SHA-256 of an SSH host key.
    SshKey = 48, "ssh-key";
    /// A vulnerability's number.
    Cve = 60, "cve";
    /// A file's name without its folder.
    Filename = 61, "filename";
    /// A file's path.
    Filepath = 62, "filepath";
    /// A mutex.
    Mutex = 63, "mutex";
    /// A key of the Windows registry.
    Regkey = 64, "regkey";
    /// An HTTP User-Agent.
    UserAgent = 65, "user_agent";
    /// The number of an autonomous system.
    Asn = 66, "asn";
    /// A Bitcoin address.
    Btc = 67, "btc";
    /// A wallet of another currency.
    Wallet = 68, "wallet";
    /// A named pipe.
    Pipe = 69, "pipe";
    /// A user's name.
    User = 70, "user";
    /// Kept for export and never matched: YARA, Sigma, osquery, NIDS rules.
    Opaque = 90, "opaque";
}

impl Kind {
    /// The length of the digest in bytes, for kinds that are looked up as raw
    /// digests.
    pub const fn digest_len(self) -> Option<usize> {
        Some(match self {
            Kind::Md5 | Kind::Imphash | Kind::CertMd5 | Kind::Ja3 | Kind::Ja3s | Kind::Hassh => 16,
            Kind::Sha1 | Kind::Pehash | Kind::CertSha1 | Kind::Cdhash => 20,
            Kind::Sha224 | Kind::Sha512_224 | Kind::Sha3_224 => 28,
            Kind::Jarm => 31,
            Kind::Sha256
            | Kind::Sha512_256
            | Kind::Sha3_256
            | Kind::Authentihash
            | Kind::CertSha256 => 32,
            Kind::Sha384 | Kind::Sha3_384 => 48,
            Kind::Sha512 | Kind::Sha3_512 => 64,
            _ => return None,
        })
    }

    /// Whether it is the digest of a certificate.
    pub const fn is_cert(self) -> bool {
        matches!(self, Kind::CertMd5 | Kind::CertSha1 | Kind::CertSha256)
    }

    /// Whether values are compared as strings, byte by byte after normalisation.
    pub const fn is_string(self) -> bool {
        matches!(
            self,
            Kind::Ssdeep
                | Kind::Tlsh
                | Kind::Telfhash
                | Kind::Vhash
                | Kind::Impfuzzy
                | Kind::Ja4
                | Kind::SshKey
                | Kind::Cve
                | Kind::Filename
                | Kind::Filepath
                | Kind::Mutex
                | Kind::Regkey
                | Kind::UserAgent
                | Kind::Asn
                | Kind::Btc
                | Kind::Wallet
                | Kind::Pipe
                | Kind::User
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far an indicator reaches beyond its own value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum Scope {
    /// Only the value itself.
    #[default]
    Exact = 0,
    /// A domain and everything below it.
    Subtree = 1,
    /// Everything below a domain, but not the domain itself.
    SubtreeNoApex = 2,
    /// A URL path at any host.
    PathAnyHost = 3,
    /// Every URL that starts with the value.
    Prefix = 4,
    /// The value is a wildcard pattern (`*` for any text, `?` for one character),
    /// anchored at both ends.
    Wildcard = 5,
    /// The value is a regular expression that may match anywhere in the observable.
    Regex = 6,
}

impl Scope {
    /// Every scope, in the order of its number.
    pub const ALL: &'static [Scope] = &[
        Scope::Exact,
        Scope::Subtree,
        Scope::SubtreeNoApex,
        Scope::PathAnyHost,
        Scope::Prefix,
        Scope::Wildcard,
        Scope::Regex,
    ];

    /// The name used in alerts and JSON lines.
    pub const fn name(self) -> &'static str {
        match self {
            Scope::Exact => "exact",
            Scope::Subtree => "subtree",
            Scope::SubtreeNoApex => "subtree_no_apex",
            Scope::PathAnyHost => "path_any_host",
            Scope::Prefix => "prefix",
            Scope::Wildcard => "wildcard",
            Scope::Regex => "regex",
        }
    }

    /// Whether the value is a wildcard or a regular expression.
    pub const fn is_pattern(self) -> bool {
        matches!(self, Scope::Wildcard | Scope::Regex)
    }

    /// The scope with this name.
    pub fn from_name(name: &str) -> Option<Scope> {
        Scope::ALL.iter().copied().find(|s| s.name() == name)
    }

    /// The scope with this number in a database.
    pub fn from_number(number: u8) -> Option<Scope> {
        Scope::ALL.get(usize::from(number)).copied()
    }
}
