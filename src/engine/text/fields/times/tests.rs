use super::*;
use proptest::prelude::*;

/// 2026-11-28T12:00:00Z
const NOW: Timestamp = Timestamp(1_795_867_200_000_000);
/// 2026-06-24T04:15:41Z
const WANT: Timestamp = Timestamp(1_782_274_541_000_000);

fn clock() -> Clock {
    Clock { zone: None, now: NOW }
}

fn seconds(time: Option<Timestamp>) -> Option<Timestamp> {
    time.map(|time| Timestamp(time.0.div_euclid(1_000_000) * 1_000_000))
}

/// All of these give the time 2026-06-24T04:15:41Z.
const HEADS: &[&str] = &[
    "2026-06-24T04:15:41Z x",
    "2026-06-24T04:15:41.123456789Z x",
    "2026-06-24T05:15:41+01:00 x",
    "2026-06-24T05:15:41.5+0100 x",
    "2026-06-24T02:15:41-02 x",
    "20260624T041541Z x",
    "<34>1 2026-06-24T04:15:41Z host x",
    "2026-06-24 04:15:41,123 INFO x",
    "2026-06-24 05:15:41,123 +0100 x",
    "2026-06-24 06:15:41 CEST x",
    "2026-06-24 00:15:41 EDT x",
    "2026-06-24_04:15:41 x",
    "[2026-06-24 04:15:41] x",
    "[2026-06-24 05:15:41 +01:00] x",
    "[2026-06-24T04:15:41.123Z] x",
    "\"2026-06-24 04:15:41\",\"x\"",
    "\"2026-06-24\",\"04:15:41\",\"x\"",
    "2026-06-24\t04:15:41\tx",
    "2026-06-24;04:15:41;x",
    "2026-06-24,04:15:41,10,x",
    "2026/06/24 04:15:41 [error] 7#7: x",
    "2026.06.24 04:15:41 x",
    "24.06.2026 04:15:41 x",
    "24.06.2026, 04:15:41 x",
    "24/06/2026 04:15:41 x",
    "06/24/2026 04:15:41 x",
    "06/24/2026-04:15:41.123456  [**] x",
    "06/24-04:15:41.123456  [**] x",
    "6/24/2026 4:15:41 AM x",
    "24-Jun-2026 04:15:41.954 queries: x",
    "24 Jun 2026 04:15:41 x",
    "Wed, 24 Jun 2026 04:15:41 +0000 x",
    "[Wed Jun 24 04:15:41.123456 2026] [core:error] x",
    "Wed Jun 24 04:15:41 2026 x",
    "Wed Jun 24 06:15:41 CEST 2026 x",
    "Jun 24 2026 04:15:41 fw1 : x",
    "Jun 24, 2026 04:15:41 x",
    "<134>Jun 24 2026 04:15:41: %ASA-5-304001: x",
    "*Jun 24 04:15:41.123: %SYS-5: x",
    "Jun 24 04:15:41 host x",
    "<13>Jun 24 04:15:41 host x",
    "Jun 24 2026 05:15:41.123 CET: x",
    "I0624 04:15:41.123456       1 x.go:10] x",
    "192.0.2.1 - - [24/Jun/2026:06:15:41 +0200] \"GET / HTTP/1.1\"",
    "www.example:443 192.0.2.1 - a [24/Jun/2026:04:15:41 +0000] \"GET /\"",
    "1,2026/06/24 04:15:41,001801000001,THREAT",
    "1782274541.123    50 192.0.2.10 TCP_MISS/200",
    "1782274541 x",
    "1782274541123 x",
    "type=SYSCALL msg=audit(1782274541.123:456): x",
    "INFO 2026-06-24 04:15:41 x",
    "[INFO] [2026-06-24 04:15:41] x",
    "I20260624 04:15:41.123456       1 x.go:10] x",
    "W0624 04:15:41.000000 12 x.cc:3] x",
    "2026 Jun 24 04:15:41 switch %ETHPORT-5-IF_UP: x",
    "<189>: 2026 Jun 24 06:15:41.123 CEST: %DAEMON-3-X: x",
    "24,06/24/26,04:15:41,Assign,192.0.2.1,h.example,x",
    "24,24.06.26,04:15:41,Assign,192.0.2.1,h.example,x",
    "6/24/2026 4:15:41 AM 0E4C PACKET  x",
    "20260624 04:15:41 0E4C PACKET  x",
    "06/24/26-04:15:41.123456  [**] x",
    "jun/24/2026 04:15:41 dns,packet x",
    "jun/24 04:15:41 dns,packet x",
    "*Jun 24 04:15:41.123: %SYS-5: x",
    "<189>123: *Jun 24 04:15:41.123: %SYS-5: x",
    "<189>000123: Jun 24 04:15:41.123 UTC: %SYS-5: x",
    "<189>123: router1: *Jun 24 04:15:41.123: %SYS-5: x",
    "<189>123: .Jun 24 06:15:41 CEST: %SYS-5: x",
    "1234:M 24 Jun 2026 04:15:41.123 * x",
    "[1234] 24 Jun 04:15:41.123 * x",
    "1234:S 24 Jun 04:15:41.123 # x",
    "2026-06-24-04.15.41.123456 x",
    "2026-06-24-06.15.41.123456+120 I1A x",
    "20260624041541 x",
    "20260624-041541 x",
    "20260624_041541 x",
    "20260624041541.123 x",
    "20260624041541123 x",
    "20260624T041541 x",
    "20260624T061541+0200 x",
    "2026-06-24 05:15:41 (+0100) x",
    "2026-06-24 05:15:41 GMT+01:00 x",
    "2026-06-24 05:15:41 UTC+1 x",
    "2026-06-23 23:15:41 UTC-5 x",
    "2026-06-24 05:15:41 (UTC+01:00) x",
    "Wed Jun 24 2026 06:15:41 GMT+0200 (CEST) x",
    "2026-06-24 00:15:41 EDT x",
    "24-Jun-26 04:15:41 x",
    "[24-Jun-2026 06:15:41 Europe/Berlin] PHP x",
    "[24-Jun-2026 00:15:41 America/New_York] PHP x",
    "[24-Jun-2026 01:15:41 America/Argentina/Buenos_Aires] PHP x",
    "2026-06-24 09:45:41 Asia/Kolkata x",
    "2026-06-24 06:15:41 Etc/GMT-2 x",
    "2026-06-24T06:15:41[Europe/Berlin] x",
    "2026-06-24T06:15:41+02:00[Europe/Berlin] x",
    "Jun 24 06:15:41 Europe/Berlin host x",
    "Wed Jun 24 06:15:41 Europe/Berlin 2026 x",
    "Wed Jun 24 06:15:41 2026 (Europe/Berlin) x",
    "2026-06-24 01:15:41.123 -03 [123] user@db LOG:  x",
    "2026-06-24 01:15:41.123 -03,\"user\",\"db\",x",
    "[2026-06-24 09:15:41 +05] x",
    "6/24/26 4:15:41 AM x",
    "[6/24/26 4:15:41 AM] x",
    "\"6/24/26 4:15:41 AM\",\"x\"",
    "24/06/26 4:15:41 AM x",
    "[6/24/26 6:15:41:123 CEST] 0000001a Sys O x",
    "[24.06.26 06:15:41:123 MESZ] 0000001a Sys O x",
    "[24/06/26 05:15:41:123 BST] 0000001a Sys O x",
    "[6/24/2026 4:15:41:123 UTC] 0000001a Sys O x",
    "[24/Jun/2026][04:15:41] x",
    "[24/Jun/2026] [06:15:41 +0200] x",
    "[2026-06-24][04:15:41] x",
    // Words after the time that are not zones.
    "2026-06-24 04:15:41 Europe/Nowhere x",
    "2026-06-24 04:15:41 Europe x",
    "2026-06-24 04:15:41 US/ x",
    "2026-06-24 04:15:41 Foo/Berlin x",
    "2026-06-24 04:15:41 -03 ms x",
    "2026-06-24 04:15:41 Europe/Berlinn x",
    "2026:06:24-04:15:41 utm x",
    "260624  4:15:41 12 Connect x",
    "260624 04:15:41 [Warning] x",
    "24.06.26 04:15:41 x",
    "06/24/26 04:15:41 x",
    "2026-06-24 04.15.41 x",
    "--2026-06-24 04:15:41--  x",
    "<2026-06-24 04:15:41> x",
    "<Jun 24, 2026 4:15:41 AM UTC> <Info> x",
    "####<Jun 24, 2026 4:15:41 AM UTC> <Info> x",
    "  1234:20260624:041541.123 x",
    "\0\0\x002026-06-24 04:15:41 x",
    "\x1b[32m2026-06-24 04:15:41\x1b[0m x",
    "[\x1b[1;32m2026-06-24 04:15:41\x1b[0m] x",
    "\\u001b[90m2026-06-24T04:15:41Z\\u001b[0m x",
    "2 123456789010 eni-0a1b 192.0.2.10 203.0.113.9 1 8443 6 20 4249 1782274541 1782274601 ACCEPT OK",
];

#[test]
fn at_the_head_of_a_line() {
    for line in HEADS {
        assert_eq!(seconds(leading(line.as_bytes(), &clock(), |_| false)), Some(WANT), "{line}");
    }
}

#[test]
fn what_is_no_time() {
    for line in [
        "",
        "x",
        "05/06/2026 04:15:41 x",
        "192.0.2.1 evil.example",
        "10.11.2026.12 04:15 x",
        "2026-06-24 x",
        "2026-13-24 04:15:41 x",
        "2026-06-24 25:15:41 x",
        "12345678901234567890123 x",
        "mayor 12 04:15 x",
        "Foo 24 04:15:41 x",
        "until Jun 24 04:15:41 x",
        "4294967296/12 x",
        "20261324041541 x",
        "202606240415411 x",
        "1.2.26 04:15:41 x",
        "24/06/26 04:15:41 x",
        "1/2/26 4:15 x",
        "06/24/26 x",
        "05/06/2026 04:15 x",
        "1234: 5 x",
        "[1234] x",
        "2026 Foo 24 04:15:41 x",
        "2026-06-24 10.11.12.13 x",
        "2026-06-24 192.0.2.1 x",
        "123456 04:15:41 x",
        "260624 12 x",
        "Q0624 04:15:41 x",
    ] {
        assert_eq!(leading(line.as_bytes(), &clock(), |_| false), None, "{line}");
    }
}

#[test]
fn the_latest_that_is_not_in_the_future() {
    let at =
        |line: &str, clock: &Clock| leading(line.as_bytes(), clock, |_| false).unwrap().to_string();
    assert_eq!(&at("Nov 28 11:00:00 h x", &clock())[..10], "2026-11-28");
    assert_eq!(&at("Nov 30 11:00:00 h x", &clock())[..10], "2025-11-30");
    assert_eq!(&at("Feb 29 11:00:00 h x", &clock())[..10], "2024-02-29");
    assert_eq!(&at("Dec 31 23:00:00 h x", &clock())[..10], "2025-12-31");
    // Local time read as UTC; if the zone is given, it is last year's.
    assert_eq!(&at("Nov 28 20:00:00 h x", &clock())[..10], "2026-11-28");
    let sure = Clock { zone: Some(TimeZone::UTC), now: NOW };
    assert_eq!(&at("Nov 28 20:00:00 h x", &sure)[..10], "2025-11-28");
}

#[test]
fn days_inferred_from_the_day_of_reading() {
    let at = |line: &str| {
        leading(line.as_bytes(), &clock(), |_| false).map(|at| at.to_string()[..10].to_string())
    };
    // The fifth of December is still in the future.
    assert_eq!(at("05/12/2026 04:15:41 x").as_deref(), Some("2026-05-12"));
    assert_eq!(at("12/05/2026 04:15:41 x").as_deref(), Some("2026-05-12"));
    assert_eq!(at("06/06/2026 04:15:41 x").as_deref(), Some("2026-06-06"));
    assert_eq!(at("05/06/2026 04:15:41 x"), None);
}

#[test]
fn zones_that_are_said() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let clock = Clock { zone: Some(zone), now: NOW };
    let at = |line: &str| seconds(leading(line.as_bytes(), &clock, |_| false));
    assert_eq!(at("2026-06-24 06:15:41 x"), Some(WANT));
    assert_eq!(at("Jun 24 06:15:41 host x"), Some(WANT));
    // A time with its own zone keeps it.
    assert_eq!(at("2026-06-24T04:15:41Z x"), Some(WANT));
    assert_eq!(at("2026-06-24 05:15:41 +0100 x"), Some(WANT));
    assert_eq!(at("1782274541 x"), Some(WANT));
}

#[test]
fn values_that_are_times_are_read() {
    let of = |text: &str| value(text.as_bytes(), &clock());
    for text in [
        "2026-06-24T04:15:41Z",
        "1782274541",
        "1782274541000",
        "1782274541000000",
        "1782274541000000000",
        "1782274541000.0",
        "/Date(1782274541000)/",
        " 2026-06-24 04:15:41 ",
        "2026-06-24 06:15:41 Europe/Berlin",
        "2026-06-24 01:15:41 -03",
    ] {
        assert_eq!(of(text), Some(Value::Time(WANT)), "{text}");
    }
    assert_eq!(of("2026-06-24"), Some(Value::Date(Date::constant(2026, 6, 24))));
    assert_eq!(of("04:15:41"), Some(Value::Clock(Time::constant(4, 15, 41, 0), None)));
    for text in ["12", "0.5", "12ms", "", "4:15 hours", "evil.example", "17822745411x"] {
        assert!(!matches!(of(text), Some(Value::Time(_))), "{text}");
    }
}

proptest! {
    /// Every notation of a time is read correctly.
    #[test]
    fn written_times_are_read(at in 946_684_800i64..4_000_000_000, minutes in -720i32..=840) {
        let time = jiff::Timestamp::from_second(at).unwrap();
        let offset = Offset::from_seconds(minutes * 60).unwrap();
        let civil = offset.to_datetime(time);
        let name = |names: [&'static str; 12], at: i8| names[at as usize];
        let month = name(
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
            civil.month() - 1,
        );
        let (y, m, d) = (civil.year(), civil.month(), civil.day());
        let clock_text = civil.time().to_string();
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
        let (long, short) = (format!("{sign}{hours:02}:{rest:02}"), format!("{sign}{hours:02}{rest:02}"));
        for text in [
            format!("{y}-{m:02}-{d:02}T{clock_text}{long}"),
            format!("{y}-{m:02}-{d:02} {clock_text} {short}"),
            format!("[{d:02}/{month}/{y}:{clock_text} {short}]"),
            format!("Mon, {d:02} {month} {y} {clock_text} {short}"),
            format!("{y}/{m:02}/{d:02} {clock_text}.123 {short}"),
            format!("{d:02}.{m:02}.{y} {clock_text} {long}"),
            format!("Tue {month} {d:>2} {clock_text} {short} {y}"),
            format!("{month} {d:>2} {y} {clock_text} {short}"),
            format!("{y} {month} {d:>2} {clock_text} {short}"),
            format!("{month}/{d:02}/{y} {clock_text} {short}"),
            format!("{y}-{m:02}-{d:02} {clock_text} ({short})"),
            format!("{y}-{m:02}-{d:02} {clock_text} GMT{long}"),
            format!("{y}{m:02}{d:02}T{}{short}", clock_text.replace(':', "")),
            format!("{y}{m:02}{d:02}{}{long}", clock_text.replace(':', "")),
            format!("{y}-{m:02}-{d:02}-{}.123456{sign}{:03}", clock_text.replace(':', "."), minutes.abs()),
        ] {
            let read = leading(text.as_bytes(), &clock(), |_| false).map(|t| t.0.div_euclid(1_000_000));
            prop_assert_eq!(read, Some(at), "{}", text);
        }
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..80), text in "[0-9TZ:/. +,-]{0,40}", name in "[ (\\[]{0,3}(Europe|US|Etc)/[A-Za-z_/+0-9-]{0,50}") {
        let named = format!("2026-06-24 04:15:41{name}");
        for text in [&bytes[..], text.as_bytes(), named.as_bytes()] {
            let _ = (leading(text, &clock(), |_| false), value(text, &clock()), offset(text));
        }
    }
}
