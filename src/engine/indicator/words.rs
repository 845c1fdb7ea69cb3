//! Values that are compared as whole strings (matching specification, section 6.6).

use super::{Kind, Reason, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// The length limit of a string.
pub const MAX_WORD: usize = 2048;

/// Converts a string of `kind` to the form in which it is compared.
///
/// # Errors
///
/// [`Reason::BadWord`] if it does not have the form of its kind,
/// [`Reason::TooLong`] beyond [`MAX_WORD`] bytes.
pub fn normalise(kind: Kind, raw: &str) -> Result<Cow<'_, str>, Reason> {
    if raw.len() > MAX_WORD && kind != Kind::Opaque {
        return Err(Reason::TooLong);
    }
    Ok(match kind {
        Kind::Cve => Cow::Owned(cve(raw)?),
        Kind::Asn => Cow::Owned(asn(raw).ok_or(Reason::BadWord)?),
        Kind::Ja4 => {
            let text = raw.to_ascii_lowercase();
            if is_ja4(text.as_bytes()) { Cow::Owned(text) } else { return Err(Reason::BadWord) }
        }
        Kind::Btc => wallet(raw)?,
        Kind::Filepath if is_windows_path(raw) => lower(raw),
        Kind::Filename => lower(raw),
        Kind::Regkey => Cow::Owned(regkey(raw)),
        Kind::Tlsh => tlsh(raw).ok_or(Reason::BadWord)?,
        Kind::Pipe => Cow::Owned(pipe(raw).ok_or(Reason::BadWord)?),
        Kind::Wallet => other_wallet(raw).ok_or(Reason::BadWord)?,
        Kind::SshKey => ssh_key(raw),
        Kind::Vhash | Kind::Telfhash | Kind::User => lower(raw),
        _ => Cow::Borrowed(raw),
    })
}

fn lower(raw: &str) -> Cow<'_, str> {
    if raw.chars().any(char::is_uppercase) { raw.to_lowercase().into() } else { raw.into() }
}

/// At least 70 hex digits, without the `T1` that newer programs put before them.
fn tlsh(raw: &str) -> Option<Cow<'_, str>> {
    let hex = raw.strip_prefix("T1").or_else(|| raw.strip_prefix("t1")).unwrap_or(raw);
    let valid = hex.len() >= 70 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    valid.then(|| lower(hex))
}

/// `CVE-YYYY-N{4,}`, in upper case, with hyphens for any kind of dash.
fn cve(raw: &str) -> Result<String, Reason> {
    let text =
        raw.trim().replace(['\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}'], "-");
    let text = text.to_ascii_uppercase();
    if is_cve(text.as_bytes()) { Ok(text) } else { Err(Reason::BadWord) }
}

/// Whether it is `CVE-YYYY-N{4,19}`, ignoring case.
pub fn is_cve(text: &[u8]) -> bool {
    text.len() >= 13
        && text.len() <= 28
        && text[..4].eq_ignore_ascii_case(b"CVE-")
        && text[4..8].iter().all(u8::is_ascii_digit)
        && text[8] == b'-'
        && text[9..].iter().all(u8::is_ascii_digit)
}

/// Converts `AS65000`, `65000` and asdot `1.10` to the plain number.
fn asn(raw: &str) -> Option<String> {
    let text = raw.trim();
    let text = match text.get(..2) {
        Some(head) if head.eq_ignore_ascii_case("as") => text[2..].trim_start(),
        _ => text,
    };
    let number: u32 = match text.split_once('.') {
        Some((high, low)) => {
            u32::from(high.parse::<u16>().ok()?) << 16 | u32::from(low.parse::<u16>().ok()?)
        }
        None => text.parse().ok()?,
    };
    Some(number.to_string())
}

/// Whether it is a JA4: `[tqd][0-9a-z]{9}_[0-9a-f]{12}_[0-9a-f]{12}`.
pub fn is_ja4(text: &[u8]) -> bool {
    let hex = |part: &[u8]| part.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    text.len() == 36
        && matches!(text[0], b't' | b'q' | b'd')
        && text[1..10].iter().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
        && text[10] == b'_'
        && hex(&text[11..23])
        && text[23] == b'_'
        && hex(&text[24..])
}

/// Normalises a Bitcoin address: base58 keeps its case, and has its length and
/// alphabet checked; bech32 is lower case.
fn wallet(raw: &str) -> Result<Cow<'_, str>, Reason> {
    let is_base58 = |b: u8| b.is_ascii_alphanumeric() && !b"0OIl".contains(&b);
    let head = raw.as_bytes().first().copied().unwrap_or(0);
    if matches!(head, b'1' | b'3') && (26..=35).contains(&raw.len()) && raw.bytes().all(is_base58) {
        return if base58_checks(raw.as_bytes()) {
            Ok(Cow::Borrowed(raw))
        } else {
            Err(Reason::BadWord)
        };
    }
    let lower = raw.to_ascii_lowercase();
    let bech32 = lower.strip_prefix("bc1").is_some_and(|rest| {
        (11..=71).contains(&rest.len())
            && rest.bytes().all(|b| b"qpzry9x8gf2tvdw0s3jn54khce6mua7l".contains(&b))
    });
    if bech32 { Ok(Cow::Owned(lower)) } else { Err(Reason::BadWord) }
}

/// Checks base58check: 25 bytes, the last four of which are the start of a double
/// SHA-256 of the others. The version byte is 0 or 5.
fn base58_checks(text: &[u8]) -> bool {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = [0u8; 25];
    for &char in text {
        let Some(digit) = ALPHABET.iter().position(|&c| c == char) else { return false };
        let mut carry = digit;
        for byte in bytes.iter_mut().rev() {
            carry += usize::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry != 0 {
            return false;
        }
    }
    let twice = Sha256::digest(Sha256::digest(&bytes[..21]));
    matches!(bytes[0], 0 | 5) && twice[..4] == bytes[21..]
}

/// Whether it is a path with a drive letter, a backslash, or a Windows variable.
pub fn is_windows_path(path: &str) -> bool {
    path.contains('\\') || path.as_bytes().get(1) == Some(&b':') || path.starts_with('%')
}

/// Addresses of other currencies. Ethereum's are hex and ignore case, others have
/// an alphabet of a single case; the rest is base58.
fn other_wallet(raw: &str) -> Option<Cow<'_, str>> {
    let hex = raw.strip_prefix("0x").or_else(|| raw.strip_prefix("0X"));
    if hex.is_some_and(|hex| hex.len() == 40 && hex.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Some(lower(raw));
    }
    let form = (14..=128).contains(&raw.len())
        && raw.bytes().all(|b| b.is_ascii_alphanumeric() || b == b':');
    let shouts = !raw.bytes().any(|b| b.is_ascii_lowercase());
    form.then(|| if shouts { lower(raw) } else { raw.into() })
}

/// The name of a pipe, without the folder of all pipes. Windows ignores case.
fn pipe(raw: &str) -> Option<String> {
    let lower = raw.to_lowercase();
    let mut name = lower.trim();
    loop {
        let rest = ["\\\\.\\pipe\\", "\\device\\namedpipe\\", "\\??\\pipe\\", "\\pipe\\", "\\"]
            .iter()
            .find_map(|folder| name.strip_prefix(folder));
        match rest {
            Some(rest) => name = rest.trim(),
            None => break,
        }
    }
    (!name.is_empty()).then(|| name.to_string())
}

/// The digest of a key as OpenSSH writes it, without the name of the algorithm:
/// case-sensitive Base64 without padding, or hex with colons.
fn ssh_key(raw: &str) -> Cow<'_, str> {
    let without = |name: &str| match raw.get(..name.len()) {
        Some(head) if head.eq_ignore_ascii_case(name) => &raw[name.len()..],
        _ => raw,
    };
    let base64 = without("sha256:").trim_end_matches('=');
    if base64.len() == 43
        && base64.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
    {
        return Cow::Borrowed(base64);
    }
    // Feeds and protocols may have the digest in hex.
    if let Some((bytes, 32)) = digest::decode(base64.as_bytes()) {
        return Cow::Owned(STANDARD_NO_PAD.encode(&bytes[..32]));
    }
    let digits: Vec<char> = without("md5:").chars().filter(|&c| c != ':').collect();
    if digits.len() == 32 && digits.iter().all(char::is_ascii_hexdigit) {
        let pairs: Vec<String> = digits.chunks(2).map(|pair| pair.iter().collect()).collect();
        return Cow::Owned(pairs.join(":").to_ascii_lowercase());
    }
    lower(raw)
}

/// The hives of the registry: the short name, and other names that programs write
/// before a backslash.
const HIVES: &[(&str, &[&str])] = &[
    ("hklm", &["hkey_local_machine", "hklm:", "\\registry\\machine"]),
    ("hkcu", &["hkey_current_user", "hkcu:"]),
    ("hkcr", &["hkey_classes_root", "hkcr:"]),
    ("hku", &["hkey_users", "hku:", "\\registry\\user"]),
    ("hkcc", &["hkey_current_config", "hkcc:"]),
];

/// The hive of a normalised key: its short name and its other names.
pub fn hive(key: &str) -> Option<(&'static str, &'static [&'static str])> {
    HIVES
        .iter()
        .find(|(short, _)| key.strip_prefix(short).is_some_and(|rest| rest.starts_with('\\')))
        .copied()
}

/// Shortens long hive names and folds the case of the rest, since the registry
/// ignores case.
fn regkey(raw: &str) -> String {
    let key = raw.to_lowercase();
    for (short, others) in HIVES {
        for other in *others {
            if let Some(rest) = key.strip_prefix(other)
                && rest.starts_with('\\')
            {
                return [short, rest].concat();
            }
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_normalised() {
        for (kind, raw, want) in [
            (Kind::Cve, "cve-2024\u{2013}1234", "CVE-2024-1234"),
            (Kind::Asn, "AS65000", "65000"),
            (Kind::Asn, "1.10", "65546"),
            (Kind::Filepath, "C:\\Users\\X.EXE", "c:\\users\\x.exe"),
            (Kind::Filepath, "/opt/X", "/opt/X"),
            (Kind::Regkey, "HKEY_LOCAL_MACHINE\\Software\\X", "hklm\\software\\x"),
            (Kind::Regkey, "HKCU:\\Software\\X", "hkcu\\software\\x"),
            (Kind::Regkey, "\\REGISTRY\\MACHINE\\SOFTWARE\\X", "hklm\\software\\x"),
            (Kind::Pipe, "\\\\.\\pipe\\MSSE-1-server", "msse-1-server"),
            (Kind::Pipe, "\\Evil", "evil"),
            (
                Kind::Wallet,
                "0xAB5801A7D398351B8BE11C439E05C5B3259AEC9B",
                "0xab5801a7d398351b8be11c439e05c5b3259aec9b",
            ),
            (
                Kind::Wallet,
                "LTC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KGMN4N9",
                "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9",
            ),
            (
                Kind::Wallet,
                "LaMT348PWRnrqeeWArpwQPbuanpXDZGEUz",
                "LaMT348PWRnrqeeWArpwQPbuanpXDZGEUz",
            ),
            (
                Kind::SshKey,
                "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8=",
                "nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
            ),
            (
                Kind::SshKey,
                "MD5:16:27:AC:A5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
                "16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
            ),
            (
                Kind::SshKey,
                "9d385b83a9175292561a5ec4d4818e0aca51a264f17740100b2f8ac3a1396264",
                "nThbg6kXUpJWGl7E1IGOCspRomTxd0AQCy+Kw6E5YmQ",
            ),
            (Kind::Mutex, "Global\\AbC", "Global\\AbC"),
            (Kind::Btc, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        ] {
            assert_eq!(normalise(kind, raw).as_deref(), Ok(want), "{raw}");
        }
        let tlsh = "0a".repeat(35);
        let written = format!("T1{}", tlsh.to_uppercase());
        assert_eq!(normalise(Kind::Tlsh, &written).as_deref(), Ok(&*tlsh));
        assert!(normalise(Kind::Tlsh, &written[..60]).is_err());
        for (kind, bad) in [
            (Kind::Cve, "CVE-24-1"),
            (Kind::Asn, "ASx"),
            (Kind::Ja4, "t13d"),
            (Kind::Btc, "1A1z"),
            (Kind::Wallet, "my wallet, somewhere"),
            (Kind::Pipe, "\\\\.\\pipe\\"),
        ] {
            assert!(normalise(kind, bad).is_err(), "{bad}");
        }
    }
}
