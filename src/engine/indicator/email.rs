//! E-mail addresses (matching specification, section 6.4).

use super::{Reason, domain};
use std::borrow::Cow;

/// The length limit of the local part (RFC 5321, section 4.5.3.1.1).
pub const MAX_LOCAL: usize = 64;

/// Reduces `"Name" <mailto:Local@Domain>` to `local@domain`: removes the display
/// name, angle brackets, `mailto:`, comments and needless quotes, decodes `%40`,
/// and converts both parts to lower case. Dots and plus tags are significant.
///
/// # Errors
///
/// [`Reason::BadEmail`], or [`Reason::BadDomain`] for what follows the `@`.
pub fn normalise(raw: &str) -> Result<Cow<'_, str>, Reason> {
    // Hardly any address is written differently, and these need none of the
    // searches below.
    if is_plain(raw.as_bytes()) {
        let (local, name) = raw.rsplit_once('@').ok_or(Reason::BadEmail)?;
        return join(local, name).map(Cow::Owned);
    }
    let mut text = raw.trim();
    if let Some(open) = text.rfind('<') {
        let close = text[open..].find('>').ok_or(Reason::BadEmail)?;
        text = text[open + 1..open + close].trim();
    }
    if text.get(..7).is_some_and(|head| head.eq_ignore_ascii_case("mailto:")) {
        text = &text[7..];
        text = text.split_once('?').map_or(text, |(address, _)| address);
    }
    if let (Some(open), Some(close)) = (text.find('('), text.rfind(')'))
        && open < close
    {
        let shorn = [text[..open].trim(), text[close + 1..].trim()].concat();
        return normalise(&shorn).map(|address| Cow::Owned(address.into_owned()));
    }
    let text: Cow<'_, str> = if !text.contains('@') && text.contains("%40") {
        text.replacen("%40", "@", 1).into()
    } else {
        text.into()
    };
    let (local, name) = text.rsplit_once('@').ok_or(Reason::BadEmail)?;
    let local = local
        .strip_prefix('"')
        .and_then(|l| l.strip_suffix('"'))
        .filter(|l| !l.is_empty() && l.bytes().all(is_dot_atom))
        .unwrap_or(local);
    join(local, name).map(Cow::Owned)
}

/// Whether an address is plain: its normal form, if it has one, is the same in
/// lower case, except for a trailing dot.
pub fn is_plain(raw: &[u8]) -> bool {
    raw.iter().all(|&byte| PLAIN[usize::from(byte)])
}

static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let it = byte as u8;
        plain[byte] = it.is_ascii_alphanumeric() || matches!(it, b'@' | b'.' | b'-' | b'_' | b'+');
        byte += 1;
    }
    plain
};

/// Joins both parts to an address, if they are valid.
fn join(local: &str, name: &str) -> Result<String, Reason> {
    if local.is_empty() || local.len() > MAX_LOCAL {
        return Err(Reason::BadEmail);
    }
    let quoted = local.starts_with('"') && local.ends_with('"') && local.len() > 2;
    if !quoted && !local.bytes().all(is_dot_atom) {
        return Err(Reason::BadEmail);
    }
    let name = domain::normalise(name)?;
    if !name.contains('.') {
        return Err(Reason::SingleLabel);
    }
    let mut address = String::with_capacity(local.len() + 1 + name.len());
    if local.is_ascii() {
        address.push_str(local);
        address.make_ascii_lowercase();
    } else {
        address.push_str(&local.to_lowercase());
    }
    address.push('@');
    address.push_str(&name);
    Ok(address)
}

/// Whether a byte may occur in an unquoted local part (RFC 5322 `dot-atom`, with
/// the UTF-8 of RFC 6531).
fn is_dot_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_normalised() {
        for (raw, want) in [
            ("Bad.Guy@EVIL.example", "bad.guy@evil.example"),
            ("\"Bad\" <Bad.Guy@EVIL.example>", "bad.guy@evil.example"),
            ("mailto:bad.guy%40evil.example?subject=x", "bad.guy@evil.example"),
            ("\"bad.guy\"@evil.example.", "bad.guy@evil.example"),
            ("bad.guy(work)@evil.example", "bad.guy@evil.example"),
            ("a+x@münchen.example", "a+x@xn--mnchen-3ya.example"),
        ] {
            assert_eq!(normalise(raw).as_deref(), Ok(want), "{raw}");
        }
        for bad in
            ["evil.example", "@evil.example", "a b@evil.example", "a@b", "a@@evil.example", "<a"]
        {
            assert!(normalise(bad).is_err(), "{bad}");
        }
    }
}
