//! The page of `wiresift bench --format html` in a browser: it loads nothing, fits narrow and wide
//! screens, and axe-core finds nothing to complain about.

use super::bench::{bench, compile, network};
use crate::harness::Dir;
use crate::harness::browser::{Browser, Screen, axe};
use std::fmt::Write as _;

/// A report with all charts, of feeds with hostile and very long names.
fn page(dir: &Dir) -> std::path::PathBuf {
    network(dir);
    let long = "a-feed-with-a-name-that-is-far-too-long-for-any-table-on-a-telephone".repeat(2);
    let hostile = "<img src=x onerror=alert(1)><script>alert(1)</script>\u{202e}";
    let mut dated = String::new();
    for (n, month) in (1..=12).flat_map(|month| (0..5).map(move |n| (n, month))) {
        writeln!(
            dated,
            "{{\"kind\":\"domain\",\"value\":\"n{n}.m{month}.example\",\"scope\":\"subtree\",\
             \"feed\":\"dated\",\"first_seen\":\"2026-{month:02}-03T00:00:00Z\"}}"
        )
        .unwrap();
    }
    dir.create("dated.jsonl", dated);
    dir.create("popular.csv", "1,bad.example\n");
    let feeds = [
        ("a", "a.txt"),
        ("b", "b.txt"),
        ("c", "c.txt"),
        (&long, "a.txt"),
        (hostile, "c.txt"),
        ("dated", "dated.jsonl"),
    ];
    compile(dir, &feeds);
    let args = [
        "one.log",
        "two.log",
        "--popular",
        "popular.csv",
        "--cost=kinds",
        "--rounds",
        "6",
        "--cost-bytes",
        "4K",
        "--at",
        "2026-12-01",
        "--format",
        "html",
        "-o",
        "page.html",
    ];
    bench(dir, &args).expect(0);
    dir.path().join("page.html")
}

#[test]
fn the_page_of_a_report_is_for_everybody_and_loads_nothing() {
    let test = "the_page_of_a_report_is_for_everybody_and_loads_nothing";
    let dir = Dir::new("bench-page");
    let Some(axe) = axe(test) else { return };
    let Some(mut browser) = Browser::start(test, dir.path()) else { return };
    let page = page(&dir);
    for (width, is_dark) in [(360, false), (360, true), (1440, false), (1440, true)] {
        let screen = Screen { width, height: 900, is_dark };
        browser.take_traffic();
        browser.show(&page, screen);
        let (asked, complaints) = browser.take_traffic();
        assert_eq!(asked.len(), 1, "only the page itself: {asked:?}");
        assert!(complaints.is_empty(), "{complaints:?}");
        let overflow = browser.evaluate("document.documentElement.scrollWidth - innerWidth");
        assert!(overflow.as_i64().unwrap() <= 0, "{screen:?}: {overflow} px too wide");
        // Tables of figures are in the page, and are read without scripts.
        let charts = browser.evaluate("document.querySelectorAll('svg[role=img]').length");
        assert!(charts.as_u64().unwrap() >= 4, "{charts} charts");
        assert_eq!(browser.evaluate("document.querySelectorAll('script, img').length"), 0);
        for is_open in [false, true] {
            let open =
                format!("document.querySelectorAll('details').forEach(it => it.open = {is_open})");
            browser.evaluate(&format!("{open}; null"));
            let findings = browser.findings(&axe);
            assert!(findings.is_empty(), "{screen:?}, open {is_open}:\n{}", findings.join("\n"));
        }
        browser.picture(&dir.path().join(format!("page-{width}-{is_dark}.png")));
    }
}
