//! `wiresift tap` on live interfaces: virtual wires that the test creates, with the far end in a
//! network namespace. If that is not permitted, the test is skipped with a visible message.

pub mod net;

use crate::database::swaps;
use crate::harness::{Dir, project};
use net::{Ended, Net, Tap, far, frames};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};
use wiresift::clock::Stopwatch;

/// What identifies a hit both in a file and on a wire.
fn hits(records: &[Value]) -> Vec<String> {
    let hit = |record: &Value| {
        let packet = &record["packet"];
        let parts = ["src_ip", "src_port", "dst_ip", "dst_port", "proto", "vlan", "tunnel"];
        let packet: Vec<&Value> = parts.iter().map(|part| &packet[part]).collect();
        let said = [&record["dns"], &record["tls"], &record["http"]];
        json!([record["seen"], record["indicators"], packet, said, record["severity"]]).to_string()
    };
    let mut hits: Vec<String> = records.iter().map(hit).collect();
    hits.sort();
    hits
}

/// The hits on which several workers agree: without those in packets that an ICMP error quotes.
/// The kernel may assign the error to another worker than the flow that it quotes, by a hash
/// whose seed changes with each boot; that worker has not seen the flow, and reports the quote as
/// well.
fn shared_hits(records: &[Value]) -> Vec<String> {
    let is_quoted = |record: &Value| {
        let tunnel = record["packet"]["tunnel"].as_array();
        tunnel.is_some_and(|layers| layers.iter().any(|layer| layer["kind"] == "icmp"))
    };
    let records: Vec<Value> = records.iter().filter(|record| !is_quoted(record)).cloned().collect();
    hits(&records)
}

/// The alerts about a capture of `testdata`.
fn of_file(net: &Net, name: &str) -> Vec<Value> {
    let path = project().join("testdata/captures").join(name);
    // On the wire, validity is checked now, and so it must be here.
    let args = ["scan", "--db", "db", "--format", "json", "--at", "now"];
    net.dir.command().args(args).arg(path).run().json_lines()
}

fn sum(stats: &Value, field: &str) -> u64 {
    let interfaces = stats["interfaces"].as_array().unwrap();
    interfaces.iter().map(|interface| interface[field].as_u64().unwrap()).sum()
}

#[test]
fn hits_are_those_of_the_file_and_workers_share_them() {
    let Some(mut net) = Net::new("tap-hits") else { return };
    let wire = net.wire();
    let mut sender = net.sender(wire);
    for name in ["dns_http_tls.pcap", "fragments.pcap", "mail.pcap", "vlan.pcap", "quic.pcap"] {
        let want = of_file(&net, name);
        assert!(!want.is_empty(), "{name}");
        for workers in ["1", "2"] {
            let tap = net.start(&["-i", &far(wire), "-j", workers]);
            let sent = sender.replay(name);
            // What is still in the ring is processed before the end.
            let ended = tap.stop(if workers == "1" { "TERM" } else { "INT" });
            let stats = ended.stats();
            assert_eq!(ended.status, Some(0), "{name}: {:?}", ended.messages);
            assert_eq!(sum(&stats, "dropped_by_kernel"), 0, "{name}: {stats}");
            if name != "fragments.pcap" {
                assert_eq!(stats["packets"]["frames"], sent, "{name}: {stats}");
            }
            let hits = if workers == "1" { hits } else { shared_hits };
            assert_eq!(hits(&ended.alerts), hits(&want), "{name}, {workers} workers: {stats}");
            let names = |record: &Value| record["packet"]["interface"] == far(wire);
            assert!(ended.alerts.iter().all(names), "{name}");
            let reported = stats["workers"].as_array().unwrap();
            assert_eq!(reported.len().to_string(), workers);
            if name == "dns_http_tls.pcap" {
                let busy = |worker: &Value| worker["packets"].as_u64().unwrap() > sent / 10;
                assert!(reported.iter().all(busy), "{stats}");
            }
        }
    }
}

#[test]
fn an_interface_that_comes_back_is_listened_to_again() {
    let Some(mut net) = Net::new("tap-back") else { return };
    let wire = net.wire();
    let want = hits(&of_file(&net, "http_scan.pcap"));
    let mut tap = net.start(&["-i", &far(wire), "-j", "2"]);
    let expect_alert = |tap: &Tap, why: &str| {
        net.sender(wire).replay("http_scan.pcap");
        let alerts: Vec<Value> = want.iter().map(|_| tap.alert()).collect();
        assert_eq!(hits(&alerts), want, "{why}");
    };
    expect_alert(&tap, "at the beginning");
    net.ip(&format!("link set {} down", far(wire)));
    tap.wait_for("is down: no packets until it comes up");
    net.ip(&format!("link set {} up", far(wire)));
    tap.wait_for("is up again");
    expect_alert(&tap, "after it was down");
    for why in ["after it was deleted", "after it was deleted again"] {
        net.ip(&format!("link del {}", far(wire)));
        tap.wait_for("is gone, waiting for it to return");
        net.plug(wire);
        tap.wait_for("is back");
        expect_alert(&tap, why);
    }
    // Deleted and created again before the tap noticed.
    net.ip(&format!("link del {}", far(wire)));
    net.plug(wire);
    tap.wait_for("is back");
    expect_alert(&tap, "after it was replaced");
    let ended = tap.stop("TERM");
    assert_eq!((ended.status, ended.alerts.len()), (Some(0), 0));
    assert_eq!(ended.stats()["interfaces"][0]["gone"], 3);
    assert!(ended.stats()["interfaces"][0]["down"].as_u64() >= Some(1));
}

#[test]
fn what_the_kernel_drops_is_counted() {
    const SENT: u64 = 3000;
    let Some(mut net) = Net::new("tap-drops") else { return };
    let wire = net.wire();
    let mut frame = frames("dns_http_tls.pcap").swap_remove(10);
    frame.resize(1400, 0);
    for workers in ["1", "2"] {
        let args = ["-i", &far(wire), "-j", workers, "--ring", "512K", "--stats-every", "0.2"];
        let tap = net.start(&args);
        let mut sender = net.sender(wire);
        // Nothing reads the ring now, and it has no room for a quarter of the packets.
        tap.signal("STOP");
        tap.wait_stopped();
        for _ in 0..SENT {
            sender.send(&frame);
        }
        tap.signal("CONT");
        sleep(Duration::from_millis(500));
        let ended = tap.stop("TERM");
        let stats = ended.stats();
        let dropped = sum(&stats, "dropped_by_kernel");
        let taken = stats["packets"]["frames"].as_u64().unwrap();
        assert!(dropped > SENT / 2, "{stats}");
        assert_eq!(taken + dropped, SENT, "{stats}");
        assert_eq!(sum(&stats, "received"), SENT, "{stats}");
        let reported = ended.messages.iter().filter_map(|line| serde_json::from_str(line).ok());
        let reported: Vec<Value> =
            reported.filter(|line: &Value| line["elapsed"].is_f64()).collect();
        let most = reported.iter().filter_map(|line| line["workers"][0]["ring_percent"].as_u64());
        let other = reported.iter().filter_map(|line| line["workers"][1]["ring_percent"].as_u64());
        assert!(most.chain(other).max() > Some(50), "{reported:?}");
    }
}

#[test]
fn it_ends_by_itself() {
    let Some(mut net) = Net::new("tap-ends") else { return };
    let wire = net.wire();
    for workers in ["1", "2"] {
        let tap = net.start(&["-i", &far(wire), "-j", workers, "--count", "100"]);
        net.sender(wire).replay("dns_http_tls.pcap");
        let ended = tap.end();
        assert_eq!(ended.stats()["packets"]["frames"], 100, "{:?}", ended.messages);
    }
    let ended = net.start(&["-i", &far(wire), "--duration", "0.2"]).end();
    assert_eq!((ended.status, ended.alerts.len()), (Some(1), 0), "{:?}", ended.messages);
}

/// The required bound. The machine may be busy, so that the best of several attempts counts.
#[test]
#[expect(clippy::disallowed_methods, reason = "measures another process")]
fn alerts_are_out_within_a_tenth_of_a_second() {
    let Some(mut net) = Net::new("tap-latency") else { return };
    let wire = net.wire();
    let want = of_file(&net, "dns_http_tls.pcap");
    let of_query = |record: &&Value| record["seen"]["where"] == "dns.query";
    let number = want.iter().find(of_query).unwrap()["packet"]["number"].as_u64().unwrap();
    let frame = frames("dns_http_tls.pcap").swap_remove(number as usize - 1);
    let tap = net.start(&["-i", &far(wire), "-j", "1"]);
    let mut sender = net.sender(wire);
    let mut best = Duration::MAX;
    for _ in 0..10 {
        sleep(Duration::from_millis(60));
        let sent = Instant::now();
        sender.send(&frame);
        tap.alert();
        best = best.min(sent.elapsed());
    }
    assert!(best < Duration::from_millis(100), "{best:?}");
    tap.stop("TERM");
}

#[test]
fn it_gives_up_what_it_does_not_need() {
    let Some(mut net) = Net::new("tap-sandbox") else { return };
    let wire = net.wire();
    let mut tap = net.start(&["-i", &far(wire), "-j", "2"]);
    // The last of them may start after the tap listens.
    for field in ["CapEff", "CapPrm"] {
        let began = Stopwatch::start();
        while tap.status(field).len() < 6 && began.elapsed() < Duration::from_secs(30) {
            sleep(Duration::from_millis(20));
        }
        let capabilities = tap.status(field);
        assert_eq!(capabilities.len(), 6, "a supervisor, a watcher, a writer, signals, workers");
        assert!(capabilities.iter().all(|c| c == "0000000000002000"), "{field} {capabilities:?}");
    }
    assert!(tap.status("CapInh").iter().all(|c| c == "0000000000000000"));
    // The kernel may not support the rest; then the tap says so.
    let is_in_force = tap.status("Seccomp").iter().all(|mode| mode == "2");
    let ended = tap.stop("TERM");
    let said = |part: &str| {
        let line = ended.messages.iter().find(|line| line.contains(part));
        line.unwrap_or_else(|| panic!("no {part} in {:?}", ended.messages))
    };
    assert!(said("capabilities:").contains("only CAP_NET_RAW is left"));
    assert_eq!(said("seccomp:").contains("NOT in force"), !is_in_force);
    let calls = "system calls allowed, all others refused";
    assert_eq!(said("seccomp:").contains(calls), is_in_force);
    said("landlock:");
    tap = Tap::of(net.tap(&["-i", &far(wire), "--no-sandbox"]).start());
    tap.wait_for("listening on");
    assert!(tap.status("Seccomp").iter().all(|mode| mode == "0"));
    let Ended { messages, .. } = tap.stop("TERM");
    assert!(!messages.iter().any(|line| line.contains("sandbox")), "{messages:?}");
}

#[test]
fn filters_and_promiscuity() {
    let Some(mut net) = Net::new("tap-filter") else { return };
    let wire = net.wire();
    let promiscuity = || net.ip(&format!("-d link show {}", far(wire)));
    let tap = net.start(&["-i", &far(wire), "udp", "port", "53"]);
    assert!(promiscuity().contains("promiscuity 1") || promiscuity().contains("promiscuity 2"));
    net.sender(wire).replay("dns_http_tls.pcap");
    let ended = tap.stop("TERM");
    assert!(!ended.alerts.is_empty());
    let ports = |packet: &Value| packet["src_port"] == 53 || packet["dst_port"] == 53;
    assert!(ended.alerts.iter().all(|record| ports(&record["packet"])));
    let stats = ended.stats();
    assert_eq!(stats["packets"]["frames"], sum(&stats, "received"));
    let tap = net.start(&["-i", &far(wire), "--no-promiscuous"]);
    assert!(promiscuity().contains("promiscuity 0"));
    tap.stop("TERM");
}

#[test]
fn two_interfaces_at_once() {
    let Some(mut net) = Net::new("tap-two") else { return };
    let (one, two) = (net.wire(), net.wire());
    let tap = net.start(&["-i", &far(one), "-i", &far(two), "-j", "2"]);
    let sent = net.sender(one).replay("http_scan.pcap") + net.sender(two).replay("mail.pcap");
    let ended = tap.stop("TERM");
    let stats = ended.stats();
    assert_eq!(stats["packets"]["frames"], sent, "{stats}");
    let on = |wire: u32| {
        let is_on = |record: &&Value| record["packet"]["interface"] == far(wire);
        ended.alerts.iter().filter(is_on).cloned().collect::<Vec<Value>>()
    };
    assert_eq!(hits(&on(one)), hits(&of_file(&net, "http_scan.pcap")));
    assert_eq!(hits(&on(two)), hits(&of_file(&net, "mail.pcap")));
}

#[test]
fn errors_say_what_to_do() {
    let Some(mut net) = Net::new("tap-errors") else { return };
    let wire = net.wire();
    let far = far(wire);
    let fails = |args: &[&str], parts: &[&str]| {
        let mut run = net.tap(args).run().expect(2);
        for part in parts {
            run = run.expect_stderr(part);
        }
    };
    fails(&["-i", "no-such"], &["no such interface “no-such”", "available: ", &far]);
    fails(&["-i", &far, "tcp", "prt", "80"], &["invalid filter “tcp prt 80”: "]);
    fails(&["-i", &far, "-i", &far], &["given twice"]);
    net.ip(&format!("link set {far} down"));
    fails(&["-i", &far], &["not up", &format!("ip link set dev {far} up")]);
    net.ip(&format!("link set {far} up"));
    let mut command = net.tap(&["-i", &far]);
    command.wrapped_in("setpriv", &["--bounding-set=-net_raw", "--inh-caps=-net_raw"]);
    command.run().expect(2).expect_stderr("CAP_NET_RAW").expect_stderr("setcap cap_net_raw=ep");
}

#[test]
fn bad_arguments_are_refused() {
    let dir = Dir::new("tap-arguments");
    let tap = |args: &[&str]| dir.command().arg("tap").args(args).run().expect(2);
    tap(&["--db", "absent", "-i", "lo"]).expect_stderr("absent: ").expect_stderr("compile");
    tap(&["--db", "absent"]).expect_stderr("--interface");
    tap(&["-i", "lo"]).expect_stderr("--db");
    let list = dir.create("list", "bad.example\n");
    dir.command().args(["compile", "-q", "-o", "good"]).arg(list).run().expect(0);
    tap(&["--db", "good", "-i", "lo", "-j", "512"]).expect_stderr("256");
    tap(&["--db", "db", "-i", "lo", "--ring", "1K"]).expect_stderr("512K");
    tap(&["--db", "db", "-i", "lo", "--duration", "soon"]).expect_stderr("seconds");
}

/// Two databases with the same findings alternate every 50 ms: the hits are those of the file,
/// and no packet is lost.
#[test]
fn swaps_lose_nothing() {
    let Some(mut net) = Net::new("tap-swaps") else { return };
    let wire = net.wire();
    let want = of_file(&net, "dns_http_tls.pcap");
    swaps::alike(&net.dir);
    for workers in ["1", "2"] {
        let tap = net.start(&["-i", &far(wire), "-j", workers, "--watch=0.005"]);
        let mut sender = net.sender(wire);
        let stop = AtomicBool::new(false);
        let sent = std::thread::scope(|scope| {
            let swapper = scope.spawn(|| swaps::alternate(net.dir.path(), &stop));
            let mut sent = 0;
            for frame in frames("dns_http_tls.pcap") {
                sender.send(&frame);
                sent += 1;
                if sent % 8 == 0 {
                    sleep(Duration::from_millis(10));
                }
            }
            stop.store(true, Ordering::Relaxed);
            swapper.join().unwrap();
            sent
        });
        let ended = tap.stop("TERM");
        let stats = ended.stats();
        assert_eq!(sum(&stats, "dropped_by_kernel"), 0, "{stats}");
        assert_eq!(stats["packets"]["frames"], sent, "{stats}");
        assert!(stats["database"]["swapped"].as_u64() > Some(5), "{stats}");
        assert_eq!(stats["database"]["kept"], 0, "{:?}", ended.messages);
        let hits = if workers == "1" { hits } else { shared_hits };
        assert_eq!(hits(&ended.alerts), hits(&want), "{workers} workers: {stats}");
        let mut ids: Vec<&Value> = ended.alerts.iter().map(|a| &a["database"]["id"]).collect();
        ids.dedup();
        assert!(ids.len() > 1, "{ids:?}");
    }
}

/// The alerts in a file, all of them complete.
fn written(path: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "half a record in {}", path.display());
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[expect(clippy::disallowed_methods, reason = "a deadline for another process")]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "it is not so: {what}");
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_output_is_opened_again_when_it_was_renamed() {
    let Some(mut net) = Net::new("tap-rotation") else { return };
    let wire = net.wire();
    let want = hits(&of_file(&net, "http_scan.pcap"));
    for option in ["--watch=1s", "--no-watch"] {
        let mut tap = net.start(&["-i", &far(wire), "-j", "2", "-o", "alerts", option]);
        let at = |name: &str| net.dir.path().join(name);
        for round in ["alerts.1", "alerts.2"] {
            net.sender(wire).replay("http_scan.pcap");
            wait_until(round, || written(&at("alerts")).len() == want.len());
            let moved = std::process::Command::new("mv").arg(at("alerts")).arg(at(round)).status();
            assert!(moved.unwrap().success());
            tap.signal("HUP");
            tap.wait_for("reopened the output");
            assert_eq!(hits(&written(&at(round))), want, "{option} {round}");
        }
        net.sender(wire).replay("http_scan.pcap");
        // On SIGUSR1 it prints its counts, and continues.
        tap.signal("USR1");
        tap.wait_for("\"dropped_by_kernel\"");
        let ended = tap.stop("TERM");
        assert_eq!(ended.status, Some(0), "{option}: {:?}", ended.messages);
        assert_eq!(hits(&written(&at("alerts"))), want, "{option}");
        assert_eq!(ended.stats()["output"]["lost"], 0);
        std::fs::remove_file(at("alerts")).unwrap();
    }
}

/// A small disk that is nearly full, and has room again later.
#[test]
fn a_full_disk_ends_no_tap() {
    let Some(mut net) = Net::new("tap-full") else { return };
    let wire = net.wire();
    let want = of_file(&net, "dns_http_tls.pcap").len();
    std::fs::create_dir(net.dir.path().join("disk")).unwrap();
    for is_emptied in [true, false] {
        let mut command = net.tap(&["-i", &far(wire), "-j", "1", "-o", "disk/alerts"]);
        let line = "mount -t tmpfs -o size=1m none disk && head -c 1020k /dev/zero > disk/other; \
                    exec \"$@\"";
        command.wrapped_in("unshare", &["-m", "sh", "-c", line, "sh"]);
        let mut tap = Tap::of(command.start());
        tap.wait_for("seccomp: ");
        // The path as seen by the process; `sh` and `ip` have been replaced by it (exec).
        let disk = format!("/proc/{}/root{}/disk", tap.id(), net.dir.path().display());
        let disk = std::path::Path::new(&disk);
        net.sender(wire).replay("dns_http_tls.pcap");
        tap.wait_for("No space left on device");
        let kept = written(&disk.join("alerts")).len();
        if is_emptied {
            std::fs::remove_file(disk.join("other")).unwrap();
            tap.wait_for("writing alerts again, none lost");
            wait_until("all is written", || written(&disk.join("alerts")).len() == want);
            let ended = tap.stop("TERM");
            assert_eq!(ended.status, Some(0), "{:?}", ended.messages);
            assert_eq!(
                (&ended.stats()["records"], &ended.stats()["output"]["lost"]),
                (&json!(want), &json!(0))
            );
            continue;
        }
        sleep(Duration::from_millis(100));
        let ended = tap.stop("INT");
        let stats = ended.stats();
        let lost = stats["output"]["lost"].as_u64().unwrap();
        assert_eq!(ended.status, Some(2), "{:?}", ended.messages);
        assert_eq!(stats["records"].as_u64().unwrap() + lost, want as u64, "{stats}");
        assert!(stats["records"].as_u64().unwrap() >= kept as u64 && lost > 0, "{stats}");
        let full = ended.messages.iter().filter(|line| line.contains("No space left"));
        assert_eq!(full.count(), 1, "{:?}", ended.messages);
    }
}

#[test]
fn a_slow_reader_stops_no_worker() {
    let Some(mut net) = Net::new("tap-slow") else { return };
    let wire = net.wire();
    let args = ["-i", &far(wire), "-j", "2", "--stats-every", "0.3", "--duration", "5"];
    let mut command = net.tap(&args);
    command.wrapped_in("sh", &["-c", "\"$@\" | (sleep 6; cat)", "sh"]);
    let mut tap = Tap::of(command.start());
    tap.wait_for("seccomp: ");
    let mut sender = net.sender(wire);
    let mut sent = 0;
    for _ in 0..8 {
        sent += sender.replay("dns_http_tls.pcap");
        sleep(Duration::from_millis(50));
    }
    let ended = tap.end();
    let stats = ended.stats();
    // More than fits into a pipe.
    assert_eq!(stats["records"], ended.alerts.len(), "{stats}");
    assert!(ended.alerts.len() > 150, "{stats}");
    assert_eq!((&stats["packets"]["frames"], &stats["output"]["lost"]), (&json!(sent), &json!(0)));
    let reported = ended.messages.iter().filter_map(|line| serde_json::from_str(line).ok());
    let reported: Vec<Value> = reported.filter(|line: &Value| line["elapsed"].is_f64()).collect();
    let blocked = reported.iter().filter_map(|line| line["output"]["blocked"].as_f64());
    assert!(blocked.fold(0.0, f64::max) > 1.0, "{reported:?}");
}
