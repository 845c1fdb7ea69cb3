//! The names that feeds use for kinds: OTX, MISP, STIX, ThreatFox, Zeek and all others, each
//! spelled in its own way.

use crate::engine::indicator::{Kind, Scope};
use std::borrow::Cow;

/// The meaning of a feed's name for a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// A kind, and the scope of names.
    Of(Kind, Scope),
    /// A file's digest; its length gives the algorithm.
    Digest,
    /// A certificate's digest; its length gives the algorithm.
    Certificate,
    /// A URL, or a path if it starts with a slash.
    UrlOrPath,
    /// Known, but never matched.
    Ignored,
}

impl Type {
    /// The kind and scope of `value`; `None` if it is not for matching.
    pub(super) fn of_value(self, value: &str) -> Option<(Kind, Scope)> {
        let hex = || value.bytes().filter(u8::is_ascii_hexdigit).count();
        Some(match self {
            Type::Of(kind, scope) => (kind, scope),
            Type::Digest => (
                crate::engine::indicator::digest::kind_of_len(value.trim().len())
                    .unwrap_or(Kind::Md5),
                Scope::Exact,
            ),
            Type::Certificate => (
                match hex() {
                    32 => Kind::CertMd5,
                    64 => Kind::CertSha256,
                    _ => Kind::CertSha1,
                },
                Scope::Exact,
            ),
            Type::UrlOrPath if value.trim_start().starts_with('/') => {
                (Kind::UrlPath, Scope::PathAnyHost)
            }
            Type::UrlOrPath => (Kind::Url, Scope::Exact),
            Type::Ignored => return None,
        })
    }
}

/// The letters and digits of a name, in lower case: `FileHash-SHA256`, `file_hash
/// sha256` and `filehash.sha256` become equal.
pub(super) fn squeeze(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        return Cow::Borrowed(name);
    }
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The meaning of a name for a kind; `None` if it is unknown.
pub(super) fn by_name(name: &str) -> Option<Type> {
    let name = name.trim();
    if let Some(kind) = Kind::from_name(name)
        && kind != Kind::Domain
    {
        return Some(exact(kind));
    }
    let squeezed = squeeze(name);
    network(&squeezed).or_else(|| digest(&squeezed)).or_else(|| local(&squeezed))
}

/// A kind that is matched exactly.
fn exact(kind: Kind) -> Type {
    Type::Of(kind, Scope::Exact)
}

/// The kinds of values in traffic.
fn network(name: &str) -> Option<Type> {
    Some(match name {
        "ip" | "ipv4" | "ipv6" | "ip4" | "ip6" | "ipaddr" | "ipaddress" | "address" | "addr"
        | "ipv4addr" | "ipv6addr" | "ipv4address" | "ipv6address" | "ipdst" | "ipsrc" | "dstip"
        | "srcip" | "ipstr" | "destip" | "dstipv4" | "remoteip" | "inteladdr" | "hostip" => {
            exact(Kind::Ip)
        }
        "cidr" | "net" | "network" | "subnet" | "netblock" | "ipv4cidr" | "ipv6cidr" | "ipcidr"
        | "iprange" | "intelsubnet" | "prefix" => exact(Kind::Net),
        "ipport" | "ipdstport" | "ipsrcport" | "endpoint" | "socket" | "ipv4port" | "ipv6port"
        | "ipaddressport" => exact(Kind::Endpoint),
        "domain" | "domainname" | "dns" | "dnsname" => Type::Of(Kind::Domain, Scope::Subtree),
        "hostname" | "host" | "fqdn" | "inteldomain" | "subdomain" | "onionaddress"
        | "dstdomain" => exact(Kind::Domain),
        "url" | "inteluri" | "intelurl" | "fullurl" => exact(Kind::Url),
        "uri" => Type::UrlOrPath,
        "urlpath" | "uripath" | "path" => Type::Of(Kind::UrlPath, Scope::PathAnyHost),
        "email"
        | "emailaddr"
        | "emailaddress"
        | "mail"
        | "emailsrc"
        | "emaildst"
        | "intelemail"
        | "sender"
        | "senderemail"
        | "senderaddress"
        | "emailsender"
        | "fromaddress"
        | "whoisregistrantemail"
        | "dnssoaemail"
        | "targetemail" => exact(Kind::Email),
        "ja3" | "ja3md5" | "ja3fingerprint" | "ja3fingerprintmd5" | "ja3hash" => exact(Kind::Ja3),
        "ja3s" | "ja3smd5" | "ja3shash" => exact(Kind::Ja3s),
        "ja4" | "ja4fingerprint" => exact(Kind::Ja4),
        "jarm" | "jarmfingerprint" => exact(Kind::Jarm),
        "hassh" | "hasshmd5" | "hasshserver" | "hasshservermd5" => exact(Kind::Hassh),
        "sshkey" | "intelpubkeyhash" | "pubkeyhash" => exact(Kind::SshKey),
        "sslcertfingerprint"
        | "certificate"
        | "cert"
        | "certhash"
        | "intelcerthash"
        | "x509fingerprint"
        | "sslcert"
        | "certfingerprint"
        | "certificatethumbprint" => Type::Certificate,
        "x509fingerprintmd5" | "certmd5" => exact(Kind::CertMd5),
        "x509fingerprintsha1" | "certsha1" | "sslcertsha1" => exact(Kind::CertSha1),
        "x509fingerprintsha256" | "certsha256" => exact(Kind::CertSha256),
        "useragent" | "intelsoftware" | "httpuseragent" => exact(Kind::UserAgent),
        "as" | "asn" | "asnumber" | "autonomoussystem" => exact(Kind::Asn),
        _ => return None,
    })
}

/// The kinds of digests: `md5`, `file_hash_sha256`, `SHA-1 checksum`. A name
/// without an algorithm means any; the length decides.
fn digest(name: &str) -> Option<Type> {
    if matches!(name, "hash" | "filehash" | "file" | "intelfilehash" | "digest" | "malwarehash") {
        return Some(Type::Digest);
    }
    let heads = ["filehash", "hash", "file"];
    let name = heads.iter().find_map(|head| name.strip_prefix(head)).unwrap_or(name);
    let name = ["hash", "checksum", "digest", "sum"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name);
    Some(exact(match name {
        "md5" => Kind::Md5,
        "sha1" => Kind::Sha1,
        "sha224" => Kind::Sha224,
        "sha256" => Kind::Sha256,
        "sha384" => Kind::Sha384,
        "sha512" => Kind::Sha512,
        "sha512224" => Kind::Sha512_224,
        "sha512256" => Kind::Sha512_256,
        "sha3224" => Kind::Sha3_224,
        "sha3256" => Kind::Sha3_256,
        "sha3384" => Kind::Sha3_384,
        "sha3512" => Kind::Sha3_512,
        // `imphash` and the like have lost their ending above.
        "imp" => Kind::Imphash,
        "pe" => Kind::Pehash,
        "authenti" => Kind::Authentihash,
        "cd" => Kind::Cdhash,
        "telf" => Kind::Telfhash,
        "v" => Kind::Vhash,
        "ssdeep" => Kind::Ssdeep,
        "tlsh" => Kind::Tlsh,
        "impfuzzy" => Kind::Impfuzzy,
        _ => return None,
    }))
}

/// The kinds of values on hosts and in documents.
fn local(name: &str) -> Option<Type> {
    Some(match name {
        "cve" | "vulnerability" => exact(Kind::Cve),
        "filename" | "intelfilename" | "emailattachment" => exact(Kind::Filename),
        "filepath" => exact(Kind::Filepath),
        "mutex" | "mutant" => exact(Kind::Mutex),
        "regkey" | "registry" | "registrykey" | "windowsregistrykey" => exact(Kind::Regkey),
        "namedpipe" | "pipe" => exact(Kind::Pipe),
        "bitcoinaddress" | "btc" | "bitcoin" => exact(Kind::Btc),
        "xmr" | "dash" | "wallet" | "monero" | "eth" | "ethereum" => exact(Kind::Wallet),
        "user" | "username" | "useraccount" | "intelusername" => exact(Kind::User),
        "yara" | "nids" | "osquery" | "sigma" | "snort" | "suricata" | "opaque" => {
            exact(Kind::Opaque)
        }
        // In MISP, a link describes the value.
        "link" => Type::Ignored,
        "comment" | "text" | "other" | "phonenumber" | "iban" | "bic" | "macaddress" | "port" => {
            Type::Ignored
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_type_is_known() {
        for (name, want) in [
            ("FileHash-SHA256", exact(Kind::Sha256)),
            ("sha256_hash", exact(Kind::Sha256)),
            ("sha3_384_hash", exact(Kind::Sha3_384)),
            ("ip:port", exact(Kind::Endpoint)),
            ("IPv4", exact(Kind::Ip)),
            ("Domain", Type::Of(Kind::Domain, Scope::Subtree)),
            ("hostname", exact(Kind::Domain)),
            ("Intel::ADDR", exact(Kind::Ip)),
            ("FileHash-IMPHASH", exact(Kind::Imphash)),
            ("user_agent", exact(Kind::UserAgent)),
            ("sha512/256", exact(Kind::Sha512_256)),
            ("x509-fingerprint-sha1", exact(Kind::CertSha1)),
        ] {
            assert_eq!(by_name(name), Some(want), "{name}");
        }
        for &kind in Kind::ALL {
            assert!(by_name(kind.name()).is_some(), "{kind}");
        }
        assert_eq!(by_name("colour"), None);
        assert_eq!(Type::UrlOrPath.of_value("/x/y.php").map(|t| t.0), Some(Kind::UrlPath));
    }
}
