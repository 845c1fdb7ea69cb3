//! Feeds that are added, changed and removed while the process runs.

use super::{Post, wait_for};
use std::io::Write as _;

const TABLES: &str = "[suppress]\nenabled = false\n\n\
                      [[input]]\nkind = \"files\"\npatterns = \"logs/*.log\"\n\n\
                      [[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n";

/// How many alerts are about a name.
fn alerts_about(post: &Post, name: &str) -> usize {
    post.alerts("alerts.json").iter().filter(|it| it["seen"]["value"] == name).count()
}

#[test]
fn a_feed_that_is_added_is_fetched_and_matched_without_a_restart() {
    let post = Post::new("run-feeds-added");
    post.configure(TABLES);
    let mut log = post.log("a.log");
    let mut ask = |name: &str| writeln!(log.file, "asked for {name}").unwrap();
    let daemon = post.start();
    // Without feeds, the database that was compiled by hand stays, also after a reload.
    daemon.reload("loaded");
    ask("evil.example");
    wait_for("an alert", || alerts_about(&post, "evil.example") == 1);
    let feed = |args: &[&str]| post.dir.command().arg("feed").args(args).run().expect(0);
    let values = || daemon.metric("wiresift_database_indicators");
    let loaded = || daemon.metric("wiresift_database_reloads_total{result=\"loaded\"}");
    // The edit alone is enough.
    post.dir.create("one.txt", "one.example\n");
    feed(&["add", "one", "--path", "one.txt"]);
    wait_for("the feed is compiled", || loaded() == 1.0 && values() == 1.0);
    ask("one.example");
    wait_for("an alert", || alerts_about(&post, "one.example") == 1);
    // A reload looks at once.
    post.dir.create("two.txt", "two.example\n");
    feed(&["add", "two", "--path", "two.txt"]);
    daemon.reload("loaded");
    wait_for("both are compiled", || loaded() == 2.0 && values() == 2.0);
    ask("two.example");
    wait_for("an alert", || alerts_about(&post, "two.example") == 1);
    // Fetched and accepted by another process, without publishing it.
    post.dir.create("two.txt", "two.example\nthree.example\n");
    feed(&["update", "two"]);
    daemon.reload("loaded");
    wait_for("it is published", || loaded() == 3.0 && values() == 3.0);
    // Metrics name the feeds that there are.
    let is_named = |name: &str| {
        daemon.get("/metrics").1.contains(&format!("wiresift_feed_age_seconds{{feed=\"{name}\"}}"))
    };
    wait_for("both are named", || is_named("one") && is_named("two"));
    feed(&["remove", "one"]);
    wait_for("one is gone", || values() == 2.0 && !is_named("one") && is_named("two"));
    // A text that can't be parsed is reported, and what runs goes on.
    post.configure(&format!("{TABLES}\n[[feed]]\nname = \"two\"\nurll = \"two.txt\"\n"));
    daemon.wait_said("feeds: keeping the previous configuration");
    ask("three.example");
    wait_for("an alert", || alerts_about(&post, "three.example") == 1);
    daemon.stop();
}
