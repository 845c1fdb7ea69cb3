//! Private data, found before it is published.
//!
//! What looks like a card number, a key, a token or an internal host in the texts of a public
//! pulse is refused, unless the caller confirms each by its name in `confirm`. Clients that know
//! nothing of it are only stopped where somebody would be harmed: by secrets and card numbers.

use crate::exchange::http::Failure;
use crate::exchange::pulses::{Draft, Invalid, Patch, PulseId};
use crate::exchange::site::Call;
use crate::exchange::storage::{IndicatorQuery, Which};
use serde_json::Value;

/// Refuses a public draft with private data that nobody confirmed.
pub(super) fn check(body: &Value, draft: &Draft) -> Result<(), Failure> {
    if !draft.is_public {
        return Ok(());
    }
    let texts = [("name", draft.name.as_str()), ("description", draft.description.as_str())];
    let indicators = draft.indicators.iter().flat_map(|of| {
        [("indicators", of.title.as_str()), ("indicators", of.description.as_str())]
    });
    refuse(body, texts.into_iter().chain(indicators))
}

/// The same for a change of a pulse: of what it adds to a public pulse, and of all of a pulse that
/// it makes public.
pub(in crate::exchange::api) fn check_patch(
    call: &Call<'_>,
    body: &Value,
    id: &PulseId,
    patch: &Patch,
) -> Result<(), Failure> {
    let viewer = call.caller.viewer;
    let query = IndicatorQuery { which: Which::Inactive, ..IndicatorQuery::default() };
    let publishes = patch.is_public == Some(true);
    let found = call.read(|view| {
        let Some(pulse) = view.pulse(viewer, id)? else { return Ok(None) };
        let is_hidden = publishes && !pulse.is_public;
        let old = if is_hidden { view.indicators(pulse.key, &query)? } else { Vec::new() };
        Ok(Some((pulse, is_hidden, old)))
    })?;
    // Who may not see it is refused later.
    let Some((pulse, is_hidden, old)) = found else { return Ok(()) };
    if !patch.is_public.unwrap_or(pulse.is_public) {
        return Ok(());
    }
    let mut texts = vec![
        ("name", patch.name.as_deref().unwrap_or_default()),
        ("description", patch.description.as_deref().unwrap_or_default()),
    ];
    for of in &patch.add {
        texts.extend([("indicators", of.title.as_str()), ("indicators", of.description.as_str())]);
    }
    for of in &patch.edit {
        let both = [of.title.as_deref(), of.description.as_deref()];
        texts.extend(both.into_iter().flatten().map(|text| ("indicators", text)));
    }
    if is_hidden {
        texts.extend([("name", pulse.name.as_str()), ("description", &pulse.description)]);
        for of in &old {
            texts.extend([("indicators", of.title.as_str()), ("indicators", &of.description)]);
        }
    }
    refuse(body, texts.into_iter())
}

/// Refuses texts with private data, unless the body confirms each kind of it.
fn refuse<'t>(
    body: &Value,
    texts: impl Iterator<Item = (&'static str, &'t str)>,
) -> Result<(), Failure> {
    let confirmed: Vec<&str> = body
        .get("confirm")
        .and_then(Value::as_array)
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let mut invalid = Invalid::default();
    for (field, text) in texts {
        for found in secrets(text) {
            if !confirmed.contains(&found) {
                let message = format!(
                    "it seems to contain {found}: remove it, or confirm it with “confirm”: [“{found}”]"
                );
                invalid.add(field, message);
            }
        }
    }
    Ok(invalid.unless_empty(())?)
}

/// The kinds of private data in a text.
pub(in crate::exchange) fn secrets(text: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    if text.contains("-----BEGIN") && text.contains("PRIVATE KEY-----") {
        found.push("a private key");
    }
    let words = || text.split(|c: char| c.is_whitespace() || "\"'<>()[]{},;=".contains(c));
    if words().any(is_token) {
        found.push("an access token");
    }
    if words().any(is_aws_key) {
        found.push("an access key");
    }
    if has_card(text) {
        found.push("a card number");
    }
    if words().any(is_iban) {
        found.push("a bank account");
    }
    found
}

/// A JSON web token: three parts of base64, the first of which begins like `{"`.
fn is_token(word: &str) -> bool {
    word.starts_with("eyJ") && word.len() > 40 && word.split('.').count() == 3
}

fn is_aws_key(word: &str) -> bool {
    word.len() == 20
        && word.starts_with("AKIA")
        && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// Whether there are 13 to 19 digits, in groups or not, that pass Luhn's check and begin like a
/// card.
fn has_card(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || c == ' ' || c == '-';
    text.split(|c| !is_part(c)).any(|run| {
        let digits: Vec<u32> = run.chars().filter_map(|c| c.to_digit(10)).collect();
        let is_card = matches!(digits.first(), Some(3..=6));
        let is_grouped = run.trim().contains([' ', '-']) || run.trim().len() == digits.len();
        (13..=19).contains(&digits.len()) && is_card && is_grouped && luhn(&digits)
    })
}

fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match at % 2 {
            0 => *digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// An IBAN: two letters, two digits, and a remainder of one modulo 97.
fn is_iban(word: &str) -> bool {
    let bytes = word.as_bytes();
    let is_shape = (15..=34).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && bytes.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if !is_shape {
        return false;
    }
    let remainder = word[4..].chars().chain(word[..4].chars()).fold(0, |sum: u32, c| {
        let value = c.to_digit(36).unwrap_or(0);
        (if value > 9 { sum * 100 } else { sum * 10 } + value) % 97
    });
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found() {
        for (text, want) in [
            ("pay with 4111 1111 1111 1111 now", "a card number"),
            ("account DE89370400440532013000.", ""),
            ("account DE89370400440532013000 of", "a bank account"),
            ("id AKIAIOSFODNN7EXAMPLE", "an access key"),
            ("-----BEGIN RSA PRIVATE KEY-----\nx", "a private key"),
            (
                "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijk",
                "an access token",
            ),
            ("seen at 1600000000000 and 2026-11-30 12:00", ""),
            ("d41d8cd98f00b204e9800998ecf8427e", ""),
        ] {
            assert_eq!(secrets(text).join(" "), want, "{text}");
        }
    }
}
