//! A tap in the daemon, on a virtual wire.

use super::{Daemon, free_port, records, wait_for};
use crate::captures::tap::net::{Net, far, frames};
use crate::harness::{missing, project};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A page of a process in the namespace.
fn page(net: &Net, port: u16, path: &str) -> Option<String> {
    let line = format!("exec curl -sf --max-time 20 http://127.0.0.1:{port}{path}");
    let run = net.inside(net.dir.shell(&line)).run();
    (run.code == crate::harness::Code::Exit(0)).then(|| run.text())
}

/// A metric of it; zero if it is not there.
fn metric(net: &Net, port: u16, name: &str) -> u64 {
    let page = page(net, port, "/metrics").unwrap_or_default();
    let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().unwrap())
}

fn configure(net: &Net, port: u16, wire: u32) {
    let text = format!(
        "database = \"db\"\nstate = \"state\"\n[daemon]\nmetrics = \"127.0.0.1:{port}\"\n\
         [[input]]\nkind = \"tap\"\ninterfaces = \"{}\"\nthreads = 1\n\
         [[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n\
         [[sink]]\nkind = \"file\"\nname = \"archive\"\npath = \"archive.json\"\n\
         suppressed = true\n",
        far(wire)
    );
    net.dir.create("wiresift.toml", text);
}

fn start(net: &Net, port: u16) -> Daemon {
    let mut command = net.dir.command();
    command.arg("run");
    let mut daemon = Daemon::of(net.inside(command).start(), port);
    wait_for("it is ready", || {
        let ended = daemon.child.try_wait().unwrap();
        assert!(ended.is_none(), "{ended:?}: {}", daemon.said());
        page(net, port, "/-/ready").is_some()
    });
    daemon
}

#[test]
fn alerts_of_a_tap_go_through_suppression_to_a_file() {
    let test = "alerts_of_a_tap_go_through_suppression_to_a_file";
    if Command::new("curl").arg("--version").output().is_err() {
        return missing(test, "there is no curl");
    }
    let Some(mut net) = Net::new("run-tap") else { return };
    let wire = net.wire();
    net.ip("link set lo up");
    let port = free_port();
    configure(&net, port, wire);
    let name = "dns_http_tls.pcap";
    let path = project().join("testdata/captures").join(name);
    let args = ["scan", "--db", "db", "--format", "json", "--at", "now"];
    let want = net.dir.command().args(args).arg(path).run().json_lines().len() as u64;
    let daemon = start(&net, port);
    let mut sender = net.sender(wire);
    sender.replay(name);
    let archived = || records(&net.dir.path().join("archive.json")).len() as u64;
    wait_for("all are in the archive", || archived() == want);
    // Only IP packets are counted.
    let is_ip = |frame: &&Vec<u8>| matches!(frame[12..14], [0x08, 0x00] | [0x86, 0xdd]);
    let sent = frames(name).iter().filter(is_ip).count() as u64;
    let packets = || metric(&net, port, "wiresift_packets_total");
    wait_for(&format!("{sent} are counted, of which {} are", packets()), || packets() == sent);
    assert_eq!(metric(&net, port, "wiresift_packets_dropped_total{where=\"kernel\"}"), 0);
    daemon.stop();
    let alerts = records(&net.dir.path().join("alerts.json"));
    let count = |alert: &serde_json::Value| alert["repeat"]["count"].as_u64().unwrap_or(1);
    assert_eq!(alerts.iter().map(count).sum::<u64>(), want);
    let firsts = alerts.iter().filter(|alert| alert["repeat"].is_null()).count() as u64;
    assert!(firsts < want, "{firsts} of {}", want);
    for alert in &alerts {
        assert_eq!(
            (&alert["input"], &alert["packet"]["interface"]),
            (&"tap".into(), &far(wire).into())
        );
        assert!(alert["local"].is_string(), "{alert}");
    }
}

/// A frame with a query for a name that the database has.
fn query(n: u16) -> Vec<u8> {
    let name = format!("host{n}");
    let mut dns = n.to_be_bytes().to_vec();
    dns.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0, name.len() as u8]);
    dns.extend(name.as_bytes());
    dns.extend(b"\x04evil\x07example\0\0\x01\0\x01");
    let mut udp = (20_000 + n).to_be_bytes().to_vec();
    udp.extend([0, 53]);
    udp.extend((8 + dns.len() as u16).to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(dns);
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
    frame.extend((20 + udp.len() as u16).to_be_bytes());
    frame.extend(n.to_be_bytes());
    frame.extend([0, 0, 64, 17, 0, 0, 192, 0, 2, (n % 200) as u8 + 1, 192, 0, 2, 253]);
    frame.extend(udp);
    frame
}

/// The numbers of the queries that alerts are about, in order.
fn asked(alerts: &[serde_json::Value]) -> Vec<u64> {
    let number = |alert: &serde_json::Value| {
        let name = alert["seen"]["value"].as_str()?;
        name.strip_prefix("host")?.strip_suffix(".evil.example")?.parse().ok()
    };
    let mut all: Vec<u64> = alerts.iter().filter_map(number).collect();
    all.sort_unstable();
    all
}

#[test]
fn a_reload_while_packets_come_misses_none_of_a_tap_that_stays() {
    let test = "a_reload_while_packets_come_misses_none_of_a_tap_that_stays";
    if Command::new("curl").arg("--version").output().is_err() {
        return missing(test, "there is no curl");
    }
    let Some(mut net) = Net::new("run-tap-reload") else { return };
    net.dir.create("list.txt", "evil.example\n");
    net.dir.command().args(["compile", "-q", "-o", "db", "list.txt"]).run().expect(0);
    let wire = net.wire();
    net.ip("link set lo up");
    let port = free_port();
    let configure = |tap: &str, more: &str| {
        let text = format!(
            "database = \"db\"\nstate = \"state\"\n[daemon]\nmetrics = \"127.0.0.1:{port}\"\n\
             [suppress]\nenabled = false\n\
             [[input]]\nkind = \"tap\"\ninterfaces = \"{}\"\nthreads = 2\n{tap}\
             [[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n{more}",
            far(wire)
        );
        net.dir.create("wiresift.toml", text);
    };
    let reloads = "wiresift_config_reloads_total{result=\"loaded\"}";
    let reload = |daemon: &Daemon| {
        let before = metric(&net, port, reloads);
        daemon.signal("HUP");
        wait_for("it is reloaded", || metric(&net, port, reloads) > before);
    };
    let second = "[[sink]]\nkind = \"file\"\nname = \"second\"\npath = \"second.json\"\n";
    let logs = "[[input]]\nkind = \"files\"\npatterns = \"*.log\"\n";
    configure("", "");
    let daemon = start(&net, port);
    let mut sender = net.sender(wire);
    let (is_over, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let send = || {
            for n in 0..20_000 {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                sender.send(&query(n));
                sent.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        std::thread::Builder::new().name("sender".into()).spawn_scoped(scope, send).unwrap();
        for more in [second, "", logs, &format!("{logs}{second}"), ""] {
            configure("", more);
            reload(&daemon);
            std::thread::sleep(Duration::from_millis(150));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let sent = sent.into_inner();
    let alerts = || records(&net.dir.path().join("alerts.json"));
    let each: Vec<u64> = (0..sent).collect();
    wait_for("all are there", || asked(&alerts()).len() as u64 >= sent);
    assert_eq!(asked(&alerts()), each);
    let packets = || metric(&net, port, "wiresift_packets_total");
    wait_for("all are counted", || packets() == sent);
    // A tap that changes starts again: what comes from then on is seen, and the counter goes on.
    configure("snaplen = 4000\n", "");
    reload(&daemon);
    wait_for("it listens", || page(&net, port, "/-/ready").is_some());
    assert_eq!(packets(), sent);
    let mut sender = net.sender(wire);
    (30_000..30_010).for_each(|n| sender.send(&query(n)));
    wait_for("what comes is seen", || asked(&alerts()).len() as u64 >= sent + 10);
    wait_for("it is counted", || packets() == sent + 10);
    daemon.stop();
}
