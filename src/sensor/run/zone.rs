//! Time zones by the names that people use.

use crate::{Error, Result};
use jiff::tz::{Offset, TimeZone};

/// The time zone with an IANA name (`Europe/Berlin`) or an offset (`+02:00`), or that of this
/// machine (`local`).
///
/// # Errors
///
/// If there is no such zone.
pub fn time_zone(name: &str) -> Result<TimeZone> {
    if name.eq_ignore_ascii_case("local") {
        return TimeZone::try_system().map_err(|_| {
            Error::usage("this machine has no time zone configured")
                .remedy("name it, as in Europe/Berlin")
        });
    }
    if let Some(offset) = offset(name) {
        return Ok(offset.to_time_zone());
    }
    TimeZone::get(name).map_err(|_| {
        Error::usage(format!("invalid time zone “{name}”"))
            .remedy("write a name such as Europe/Berlin, an offset such as +02:00, UTC, or local")
    })
}

/// `Z`, `+2`, `+02`, `+0200`, `+02:00`.
fn offset(name: &str) -> Option<Offset> {
    if name.eq_ignore_ascii_case("z") {
        return Some(Offset::UTC);
    }
    let (sign, rest) = name.split_at_checked(1)?;
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = match (rest.split_once(':'), rest.len()) {
        (Some(both), _) => both,
        (None, 1 | 2) => (rest, "00"),
        (None, 4) => rest.split_at(2),
        _ => return None,
    };
    let number = |text: &str, max: i32| {
        let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<i32>().ok().filter(|&n| is_number && n <= max)
    };
    let minutes = number(hours, 14)? * 60 + number(minutes, 59)?;
    Offset::from_seconds(sign * minutes * 60).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_offsets() {
        let civil = jiff::civil::date(2026, 6, 24).at(6, 15, 41, 0);
        let want = "2026-06-24T04:15:41Z";
        for name in ["Europe/Berlin", "+2", "+02", "+0200", "+02:00", "africa/cairo"] {
            let zone = time_zone(name);
            let zone = match name {
                // Three hours in summer.
                "africa/cairo" => {
                    assert!(zone.is_ok());
                    continue;
                }
                _ => zone.unwrap(),
            };
            assert_eq!(zone.to_timestamp(civil).unwrap().to_string(), want, "{name}");
        }
        assert_eq!(
            time_zone("-05:30").unwrap().to_timestamp(civil).unwrap().to_string(),
            "2026-06-24T11:45:41Z"
        );
        for name in ["UTC", "Z", "z"] {
            assert_eq!(
                time_zone(name).unwrap().to_timestamp(civil).unwrap().to_string(),
                "2026-06-24T06:15:41Z"
            );
        }
        for name in ["", "+", "+25", "Europe/Nowhere", "+1:2:3", "CEST-ish"] {
            let error = time_zone(name).unwrap_err().to_string();
            assert!(error.contains("invalid time zone"), "{error}");
        }
    }
}
