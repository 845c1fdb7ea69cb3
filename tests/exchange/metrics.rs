//! What the server counts about itself: each number moves when its thing happens, and none of
//! them says who did it.

use super::inside::Inside;
use super::process::Exchange;
use crate::harness::{Dir, missing};
use serde_json::json;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use wiresift::exchange::accounts::Role;
use wiresift::exchange::http::Method;

/// The value of a series, without the prefix that all have.
fn value(page: &str, series: &str) -> f64 {
    let row = |line: &str| {
        let rest = line.strip_prefix("wiresift_exchange_")?.strip_prefix(series)?;
        rest.strip_prefix(' ')?.parse().ok()
    };
    page.lines().find_map(row).unwrap_or(0.0)
}

/// A site with an administrator.
struct Scene {
    inside: Inside,
    admin: String,
}

impl Scene {
    fn new() -> Scene {
        let inside = Inside::new(|settings| settings.anonymous_read = false);
        let (_, admin) = inside.account("zqadmin", Role::Admin);
        let scene = Scene { inside, admin };
        // That a key is used is noted at its first request.
        scene.inside.get("/api/v1/user/me", &scene.admin);
        scene.inside.site.storage.write(|_| Ok(())).unwrap();
        scene
    }

    fn page(&self) -> String {
        let told = self.inside.get("/metrics", &self.admin);
        assert_eq!(told.status, 200, "{}", told.body);
        told.body
    }

    /// By how much a series grows while something happens.
    fn growth(&self, series: &str, happens: impl FnOnce()) -> f64 {
        let before = value(&self.page(), series);
        happens();
        value(&self.page(), series) - before
    }
}

#[test]
fn requests_are_counted_by_route_and_status() {
    let scene = Scene::new();
    let get = |target: &str| scene.inside.get(target, &scene.admin).status;
    let me = "route=\"/api/v1/user/me\"";
    let ok = format!("requests_total{{{me},status=\"2xx\"}}");
    assert_eq!(scene.growth(&ok, || assert_eq!(get("/api/v1/user/me"), 200)), 1.0);
    let times = format!("request_seconds_count{{{me}}}");
    assert_eq!(scene.growth(&times, || assert_eq!(get("/api/v1/user/me/"), 200)), 1.0);
    let details = "requests_total{route=\"/api/v1/pulses/{id}\",status=\"4xx\"}";
    let unknown = "/api/v1/pulses/000000000000000000000000";
    assert_eq!(scene.growth(details, || assert_eq!(get(unknown), 404)), 1.0);
    let none = "requests_total{route=\"none\",status=\"4xx\"}";
    assert_eq!(scene.growth(none, || assert_eq!(get("/nothing/zqpath"), 404)), 1.0);
}

#[test]
fn writes_and_reads_are_counted() {
    let scene = Scene::new();
    let write = || scene.inside.site.storage.write(|_| Ok(())).unwrap();
    assert_eq!(scene.growth("commit_seconds_count", write), 1.0);
    assert_eq!(scene.growth("commit_changes_sum", write), 1.0);
    assert!(scene.growth("reader_wait_seconds_count", || {}) >= 1.0);
    let metrics = scene.inside.site.metrics();
    let used = scene.inside.site.storage.read(|_| Ok(metrics.readers.get())).unwrap();
    assert_eq!((used, metrics.readers.get()), (1, 0));
    // A change that holds the writer up, and one that waits behind it.
    let (begun, has_begun) = channel();
    let (go, may_go) = channel::<()>();
    let storage = &scene.inside.site.storage;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let held = move |_: &wiresift::exchange::storage::Writes<'_>| {
                begun.send(()).unwrap();
                may_go.recv().unwrap();
                Ok(())
            };
            storage.write(held).unwrap();
        });
        has_begun.recv().unwrap();
        storage.post(|_| Ok(()));
        assert_eq!(value(&scene.page(), "writer_queue"), 1.0);
        go.send(()).unwrap();
    });
    write();
    assert_eq!(value(&scene.page(), "writer_queue"), 0.0);
}

#[test]
fn a_full_queue_is_counted() {
    let scene = Scene::new();
    let storage = &scene.inside.site.storage;
    let (begun, has_begun) = channel();
    let (go, may_go) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let held = move |_: &wiresift::exchange::storage::Writes<'_>| {
                begun.send(()).unwrap();
                may_go.recv().unwrap();
                Ok(())
            };
            storage.write(held).unwrap();
        });
        has_begun.recv().unwrap();
        for _ in 0..600 {
            storage.post(|_| Ok(()));
        }
        assert!(storage.write(|_| Ok(())).is_err());
        go.send(()).unwrap();
    });
    assert_eq!(value(&scene.page(), "writer_refused_total"), 1.0);
}

#[test]
fn exports_are_counted_by_whether_they_were_there() {
    let scene = Scene::new();
    let list = || assert_eq!(scene.inside.get("/feeds/public/list", &scene.admin).status, 200);
    assert_eq!(scene.growth("exports_total{outcome=\"made\"}", list), 1.0);
    assert_eq!(scene.growth("exports_total{outcome=\"kept\"}", list), 1.0);
}

#[test]
fn refusals_are_counted_by_limit() {
    let inside = Inside::new(|settings| {
        settings.per_key = 3;
        settings.writes_per_key = 1;
        settings.per_address = 1;
    });
    let (_, member) = inside.account("member", Role::Member);
    let vote = |_| inside.ask(Method::Post, "/api/v2/notifications/seen", &member, "{}").status;
    assert_eq!([0, 1].map(vote)[1], 429);
    let me = |_| inside.get("/api/v1/user/me", &member).status;
    assert_eq!([0, 1, 2].map(me)[2], 429);
    let stranger = |_| inside.get("/healthz", "").status;
    assert_eq!([0, 1].map(stranger), [200, 429]);
    let metrics = inside.site.metrics();
    assert_eq!(metrics.limited_writes.get(), 1);
    assert!(metrics.limited_keys.get() >= 1);
    assert_eq!(metrics.limited_addresses.get(), 1);
}

#[test]
fn the_page_is_for_administrators_and_names_nobody() {
    let scene = Scene::new();
    let (_, member) = scene.inside.account("zqmember", Role::Moderator);
    assert_eq!(scene.inside.get("/metrics", &member).status, 403);
    assert_eq!(scene.inside.get("/metrics", "").status, 403);
    let body = json!({"name": "Zqpulse", "tags": ["zqtag"],
        "indicators": [{"indicator": "zqvalue.example", "type": "domain"}]});
    let id = scene.inside.create(&scene.admin, &body);
    scene.inside.get(&format!("/api/v1/pulses/{id}"), &scene.admin);
    scene.inside.get("/api/v1/indicators/domain/zqvalue.example/general", &scene.admin);
    scene.inside.get("/api/v1/users/zqmember", &scene.admin);
    let page = scene.page();
    assert!(!page.to_lowercase().contains("zq") && !page.contains(&id), "{page}");
    assert_eq!(value(&page, "pulses"), 1.0);
    assert_eq!(value(&page, "indicators"), 1.0);
    // The house's, that of the first link, and two more.
    assert_eq!(value(&page, "accounts"), 4.0);
    assert!(value(&page, "database_bytes") > 4096.0);
    assert!(page.contains("wiresift_exchange_build_info{version=\""));
    is_accepted_by_prometheus(&page);
}

/// By promtool, where it is installed.
fn is_accepted_by_prometheus(page: &str) {
    let child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        let test = "exchange::metrics::the_page_is_for_administrators_and_names_nobody";
        return missing(test, "promtool is not installed: apt-get install prometheus");
    };
    child.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn a_socket_of_their_own_has_nothing_else() {
    let dir = Dir::new("exchange-metrics");
    let server = Exchange::start(&dir, &["--metrics", "127.0.0.1:0"]);
    let address = server.lines.iter().find_map(|line| {
        line.strip_prefix("metrics on http://")?.strip_suffix("/metrics").map(str::to_string)
    });
    let address = address.unwrap_or_else(|| panic!("{:?}", server.lines));
    let ask = |target| super::process::try_ask(&address, ("GET", target), "", "").unwrap();
    let page = String::from_utf8(ask("/metrics").expect(200).body).unwrap();
    assert!(value(&page, "uptime_seconds") > 0.0, "{page}");
    ask("/healthz").expect(404);
    ask("/api/v1/pulses/subscribed").expect(404);
    server.ask("GET", "/metrics", "", "").expect(403);
    // Connections are those of the exchange itself: one by now is gone again.
    let page = String::from_utf8(ask("/metrics").expect(200).body).unwrap();
    assert_eq!(value(&page, "requests_total{route=\"/metrics\",status=\"4xx\"}"), 1.0);
    let mut elsewhere = dir.command();
    elsewhere.args(["exchange", "serve", "--data", "y", "--metrics", "192.0.2.1:9000"]);
    elsewhere.run().expect(2).expect_stderr("loopback");
}
