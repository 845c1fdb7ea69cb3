//! What the name of a field says about a digest in it.

use crate::engine::indicator::Kind;

/// The possible kinds of a digest in a field with this name. `None` if the name
/// says nothing, so every kind is possible.
///
/// The field of a file's digest only contains that digest (section 6.5, case T16).
/// The field of a fingerprint contains the fingerprint, which lists may also call
/// an MD5 or a SHA: most lists of fingerprints are no more specific.
pub fn digest_kinds(field: &str) -> Option<&'static [Kind]> {
    let field = field.to_ascii_lowercase();
    let last = field.rsplit(['.', '_', '-', ' ']).next().unwrap_or(&field);
    let is_cert =
        ["cert", "fingerprint", "x509", "issuer", "tls", "ssl"].iter().any(|w| field.contains(w));
    Some(match last {
        _ if field.contains("imphash") => &[Kind::Imphash],
        _ if field.contains("ja3s") => &[Kind::Ja3s, Kind::Md5],
        _ if field.contains("ja3") => &[Kind::Ja3, Kind::Md5],
        _ if field.contains("hassh") => &[Kind::Hassh, Kind::Md5],
        _ if field.contains("jarm") => &[Kind::Jarm],
        "md5" if !is_cert => &[Kind::Md5],
        "sha1" if !is_cert => &[Kind::Sha1],
        "sha256" if !is_cert => &[Kind::Sha256],
        "sha512" if !is_cert => &[Kind::Sha512, Kind::Sha3_512],
        "md5" | "sha1" | "sha256" | "fingerprint" | "fp" => {
            &[Kind::CertMd5, Kind::CertSha1, Kind::CertSha256, Kind::Md5, Kind::Sha1, Kind::Sha256]
        }
        _ => return None,
    })
}
