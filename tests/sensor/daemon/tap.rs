//! A tap in the daemon, on a virtual wire.

use super::{Daemon, free_port, records, wait_for};
use crate::captures::tap::net::{Net, far, frames};
use crate::harness::{missing, project};
use std::process::Command;

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
