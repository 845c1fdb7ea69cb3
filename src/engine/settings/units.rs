//! Times and sizes as people write them.

use std::time::Duration;

/// Units of time with their milliseconds, the longest first.
const TIMES: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Units of sizes with their bits, the largest first.
const SIZES: [(&str, u32); 3] = [("G", 30), ("M", 20), ("K", 10)];

/// A time: seconds, or a number followed by ms, s, m, h or d; at least 1 ms.
///
/// # Errors
///
/// If the text is not a time; the message describes the expected form.
pub fn duration(text: &str) -> Result<Duration, String> {
    let at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(at);
    let known = TIMES.iter().find(|(name, _)| *name == if unit.is_empty() { "s" } else { unit });
    let Some((_, milliseconds)) = known else {
        return Err("expected seconds, or a number followed by s, m, h or d".into());
    };
    let number = digits.parse::<f64>().ok().filter(|n| *n > 0.0);
    number
        .and_then(|n| Duration::try_from_secs_f64(n * *milliseconds as f64 / 1000.0).ok())
        .filter(|time| *time >= Duration::from_millis(1))
        .ok_or_else(|| {
            "expected a time above 0: seconds, or a number followed by s, m, h or d".into()
        })
}

/// A time in the largest unit of which it is an integer multiple; fractions of a millisecond are
/// dropped.
pub fn duration_text(time: Duration) -> String {
    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let fits = |(_, of): &&(&str, u64)| milliseconds > 0 && milliseconds.is_multiple_of(*of);
    let (unit, of) = TIMES.iter().find(fits).unwrap_or(&("s", 1000));
    format!("{}{unit}", milliseconds / of)
}

/// Bytes, with K, M or G for the binary units.
///
/// # Errors
///
/// If the text is not a size; the message describes the expected form.
pub fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let shift = match unit.trim_end_matches('B').trim_end_matches('i') {
        "" => 0,
        "K" | "k" => 10,
        "M" | "m" => 20,
        "G" | "g" => 30,
        _ => return Err("expected a number of bytes, optionally followed by K, M or G".into()),
    };
    let bytes = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(1 << shift));
    bytes.filter(|n| *n > 0).ok_or_else(|| "expected a size above 0".into())
}

/// A size in the largest unit of which it is an integer multiple.
pub fn size_text(bytes: u64) -> String {
    let unit = SIZES.iter().find(|(_, bits)| bytes > 0 && bytes.is_multiple_of(1 << bits));
    match unit {
        Some((unit, bits)) => format!("{}{unit}", bytes >> bits),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_come_back() {
        for text in ["1ms", "250ms", "90s", "1m", "36h", "2d", "400d"] {
            assert_eq!(duration_text(duration(text).unwrap()), text);
        }
        for (text, shown) in [("60", "1m"), ("0.5s", "500ms"), ("24h", "1d"), ("1.5m", "90s")] {
            assert_eq!(duration_text(duration(text).unwrap()), shown);
        }
        for text in ["1", "1000", "512K", "3M", "1G", "1025K"] {
            assert_eq!(size_text(size(text).unwrap()), text);
        }
        assert_eq!((size("1GiB"), size("64MB")), (Ok(1 << 30), Ok(64 << 20)));
        assert_eq!((duration_text(Duration::ZERO), size_text(0)), ("0s".into(), "0".into()));
    }

    #[test]
    fn what_is_neither_is_explained() {
        for wrong in ["", "s", "0", "-1", "1w", "inf", "nan", "1e300", "1 µ", "soon", "0.1ms"] {
            assert!(duration(wrong).unwrap_err().starts_with("expected "), "{wrong}");
        }
        for wrong in ["", "M", "0", "-1", "1T", "99999999999999999999", "1M5", "17179869184G"] {
            assert!(size(wrong).unwrap_err().starts_with("expected "), "{wrong}");
        }
    }
}
