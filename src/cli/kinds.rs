//! The kinds that `--kind` names.

use wiresift::engine::indicator::Kind;

/// The kinds that one word of `--kind` selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kinds(pub(super) Vec<Kind>);

/// Words that select several kinds; the completions offer them next to the names of kinds.
pub(super) const GROUPS: [&str; 5] = ["hash", "cert", "network", "hostname", "address"];

/// Parses a word of `--kind`: a kind, a group of kinds, or another spelling of
/// either. People type what other tools call it (`sha-256`, `ipv4`, `host`), and
/// `_` and `-` are easily confused.
pub(super) fn kinds(word: &str) -> Result<Kinds, String> {
    let word = word.trim().to_ascii_lowercase();
    let of = |wanted: &dyn Fn(Kind) -> bool| {
        Kinds(Kind::ALL.iter().copied().filter(|&kind| wanted(kind)).collect())
    };
    Ok(match &*word {
        // A certificate's fingerprint is a digest as well, but users who ask for hashes want files.
        "hash" | "digest" | "file" => {
            of(&|kind| kind.digest_len().is_some() && (Kind::Md5..=Kind::Cdhash).contains(&kind))
        }
        "cert" | "certificate" => of(&|kind| (Kind::CertMd5..=Kind::CertSha256).contains(&kind)),
        "network" | "cidr" => Kinds(vec![Kind::Net]),
        "hostname" | "host" | "name" => Kinds(vec![Kind::Domain]),
        "address" | "ipv4" | "ipv6" => Kinds(vec![Kind::Ip]),
        "sha-1" | "sha-256" | "sha-512" => {
            let name = word.replace('-', "");
            Kinds(Kind::from_name(&name).into_iter().collect())
        }
        _ => {
            let known = Kind::from_name(&word).or_else(|| Kind::from_name(&word.replace('-', "_")));
            Kinds(vec![known.ok_or_else(|| {
                let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
                format!("expected one of {}, {}", GROUPS.join(", "), names.join(", "))
            })?])
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_kinds() {
        assert_eq!(kinds("SHA-256"), Ok(Kinds(vec![Kind::Sha256])));
        assert_eq!(kinds("url"), Ok(Kinds(vec![Kind::Url])));
        assert_eq!(kinds("user-agent"), Ok(Kinds(vec![Kind::UserAgent])));
        let Kinds(hashes) = kinds("hash").unwrap();
        assert!(hashes.contains(&Kind::Md5) && hashes.contains(&Kind::Sha3_512));
        assert!(!hashes.contains(&Kind::Ja3) && !hashes.contains(&Kind::CertMd5));
        assert_eq!(kinds("cert").unwrap().0.len(), 3);
        assert!(kinds("nothing").unwrap_err().contains("hash, cert"));
    }
}
