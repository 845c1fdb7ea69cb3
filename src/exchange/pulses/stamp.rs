//! Times as OTX's clients read and write them (exchange specification, section 1, rules 9
//! and 10).

use crate::engine::indicator::Timestamp;

/// A time without zone, with six digits of the second: pulses and events.
pub fn naive_micros(time: Timestamp) -> String {
    let mut text = time.to_string();
    if text.ends_with('Z') {
        text.pop();
    }
    text
}

/// A time without zone and without fraction: indicators.
pub fn naive(time: Timestamp) -> String {
    let text = naive_micros(time);
    text.split('.').next().unwrap_or(&text).to_string()
}

/// Parses a time of a query or a body. `None` in the answer means that there is none: clients
/// send `None`, `null` or nothing for it. `24h`, `7d` are ages before `now`.
///
/// # Errors
///
/// The message for whoever sent something else.
pub fn parse_time(text: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
    let text = text.trim();
    if ["", "none", "null"].iter().any(|none| text.eq_ignore_ascii_case(none)) {
        return Ok(None);
    }
    if let Some(age) = age(text) {
        return Ok(Some(Timestamp(now.0.saturating_sub(age))));
    }
    // An unescaped plus is a space after decoding; a colon in the zone or none.
    let mended = mend_zone(text);
    Timestamp::parse(&mended)
        .map(Some)
        .ok_or_else(|| format!("invalid time “{}”: expected an ISO 8601 date or time", shown(text)))
}

/// Microseconds of `24h` or `7d`.
fn age(text: &str) -> Option<i64> {
    let unit = match text.as_bytes().last()? {
        b'h' => 3_600_000_000_i64,
        b'd' => 86_400_000_000,
        _ => return None,
    };
    let number = &text[..text.len() - 1];
    let is_number = (1..=6).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| number.parse::<i64>().ok()?.checked_mul(unit)).flatten()
}

/// Turns ` 00:00` at the end into `+00:00`, and the space between date and time into `T`.
fn mend_zone(text: &str) -> String {
    let mut text = text.to_string();
    let bytes = text.as_bytes();
    let is_zone = |tail: &[u8]| tail.len() == 6 && tail[0] == b' ' && tail[3] == b':';
    if bytes.len() > 16 && bytes.is_ascii() && is_zone(&bytes[bytes.len() - 6..]) {
        let at = text.len() - 6;
        text.replace_range(at..=at, "+");
    }
    if text.as_bytes().get(10) == Some(&b' ') && text.is_ascii() {
        text.replace_range(10..11, "T");
    }
    text
}

/// The beginning of a text, for messages.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_clients_send() {
        let now = Timestamp::parse("2026-11-30T12:00:00Z").unwrap();
        let want = Timestamp::parse("2026-11-29T10:30:00Z").unwrap();
        for text in [
            "2026-11-29T10:30:00",
            "2026-11-29T10:30:00Z",
            "2026-11-29T10:30:00.0000000",
            "2026-11-29T10:30:00.000000+00:00",
            "2026-11-29T10:30:00 00:00",
            "2026-11-29 10:30:00",
            "2026-11-29 10:30:00.000 00:00",
        ] {
            assert_eq!(parse_time(text, now), Ok(Some(want)), "{text}");
        }
        let midnight = Timestamp::parse("2026-11-29T00:00:00Z").unwrap();
        assert_eq!(parse_time("2026-11-29", now), Ok(Some(midnight)));
        let yesterday = Timestamp::parse("2026-11-29T12:00:00Z").unwrap();
        assert_eq!(parse_time("24h", now), Ok(Some(yesterday)));
        assert_eq!(parse_time("1d", now), Ok(Some(yesterday)));
        for text in ["", "None", "null", " "] {
            assert_eq!(parse_time(text, now), Ok(None), "{text}");
        }
        for text in ["yesterday", "999999999999h", "2026-13-01", "é 00:00"] {
            assert!(parse_time(text, now).is_err(), "{text}");
        }
    }

    #[test]
    fn digits_of_the_second() {
        let time = Timestamp::parse("2026-11-29T10:30:00Z").unwrap();
        assert_eq!(naive_micros(time), "2026-11-29T10:30:00.000000");
        assert_eq!(naive(time), "2026-11-29T10:30:00");
    }
}
