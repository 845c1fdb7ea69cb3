use super::*;
use std::net::Ipv4Addr;

const A: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const B: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 2));

/// A table and what it closed.
struct Bench {
    flows: Flows,
    closed: Vec<FlowEnd>,
    number: u64,
}

/// The result for a packet.
struct Touched {
    is_new: bool,
    is_to_be_shown: bool,
    flow_id: u64,
    to_server: bool,
    totals: indicator::Flow,
}

impl Bench {
    fn new(config: &Config) -> Self {
        Bench { flows: Flows::new(config), closed: Vec::new(), number: 0 }
    }

    fn touch(&mut self, facts: PacketFacts) -> Touched {
        self.number += 1;
        let facts = PacketFacts { number: self.number, ..facts };
        let touch = self.flows.touch(&facts, &mut |ended| self.closed.push(ended.end));
        let Touch { is_new, is_to_be_shown, .. } = touch;
        let Known { flow_id, to_server, totals } = self.flows.known(&touch);
        Touched { is_new, is_to_be_shown, flow_id, to_server, totals }
    }

    fn closes(&self) -> Vec<Close> {
        self.closed.iter().map(|end| end.close).collect()
    }
}

fn tcp(seconds: i64, is_from_a: bool, flags: u8) -> PacketFacts {
    let (src, dst, ports) =
        if is_from_a { (A, B, Ports::Pair(4000, 80)) } else { (B, A, Ports::Pair(80, 4000)) };
    let time = Timestamp::from_seconds(seconds);
    PacketFacts {
        number: 0,
        time,
        length: 60,
        src,
        dst,
        proto: TCP,
        ports,
        flags,
        vlan: 0,
        tunnel: 0,
    }
}

fn udp(seconds: i64, port: u16) -> PacketFacts {
    PacketFacts { proto: 17, ports: Ports::Pair(port, 53), flags: 0, ..tcp(seconds, true, 0) }
}

#[test]
fn flows_are_reported_again_once_for_each_turn() {
    let mut bench = Bench::new(&Config::default());
    let shown = |touch: Touched| (touch.is_new, touch.is_to_be_shown);
    assert_eq!(shown(bench.touch(udp(0, 1))), (true, false));
    assert_eq!(shown(bench.touch(udp(0, 1))), (false, false));
    bench.flows.turn();
    // A flow that begins now is reported as new.
    assert_eq!(shown(bench.touch(udp(1, 2))), (true, false));
    assert_eq!(shown(bench.touch(udp(1, 1))), (false, true));
    assert_eq!(shown(bench.touch(udp(1, 1))), (false, false));
    assert_eq!(shown(bench.touch(udp(1, 2))), (false, false));
    bench.flows.turn();
    bench.flows.turn();
    assert_eq!(shown(bench.touch(udp(2, 1))), (false, true));
    assert_eq!(shown(bench.touch(udp(2, 1))), (false, false));
}

#[test]
fn both_directions_are_one_flow() {
    let mut bench = Bench::new(&Config::default());
    let first = bench.touch(tcp(0, true, SYN));
    let second = bench.touch(tcp(0, false, SYN | ACK));
    assert!(first.is_new && first.to_server);
    assert!(!second.is_new && !second.to_server);
    assert_eq!(first.flow_id, second.flow_id);
    assert!(first.flow_id < 1 << 53);
    assert_eq!((second.totals.packets, second.totals.bytes), (2, 120));
    bench.flows.finish(&mut |ended| bench.closed.push(ended.end));
    let end = bench.closed[0];
    assert_eq!((end.client, end.server, end.close), (A, B, Close::Finished));
    assert_eq!(bench.flows.len(), 0);
}

#[test]
fn the_opener_is_who_sent_or_was_answered_the_syn() {
    let mut bench = Bench::new(&Config::default());
    assert!(!bench.touch(tcp(0, false, SYN | ACK)).to_server);
    assert!(bench.touch(tcp(0, true, SYN)).to_server);
    let mut bench = Bench::new(&Config::default());
    assert!(bench.touch(tcp(0, false, ACK)).to_server, "midstream: who speaks first");
}

#[test]
fn ids_are_the_same_in_every_run() {
    let id = || Bench::new(&Config::default()).touch(tcp(0, true, SYN)).flow_id;
    assert_eq!(id(), id());
    assert_eq!(id(), 3_731_512_345_465_916, "the identity of a flow must not change");
}

#[test]
fn idle_flows_end_by_packet_time() {
    let config = Config::default();
    let mut bench = Bench::new(&config);
    bench.touch(tcp(0, true, SYN));
    bench.touch(udp(60, 1));
    assert!(bench.closed.is_empty());
    bench.touch(udp(63, 1));
    assert_eq!(bench.closes(), [Close::Idle], "half open");
    let mut bench = Bench::new(&config);
    bench.touch(tcp(0, true, SYN));
    bench.touch(tcp(1, false, SYN | ACK));
    bench.touch(udp(500, 1));
    assert!(bench.closed.is_empty(), "connected");
    bench.touch(udp(604, 1));
    assert_eq!(bench.closes(), [Close::Idle, Close::Idle]);
    // The clock jumps back: nothing waits for the future.
    bench.touch(udp(-10_000, 2));
    assert_eq!(bench.closes().len(), 3);
    assert_eq!(bench.flows.len(), 1);
}

/// A flow with a packet a moment later comes before it in the list.
#[test]
fn what_a_sweep_closes_does_not_depend_on_other_flows() {
    let at = |millis: i64, port| PacketFacts { time: Timestamp(millis * 1000), ..udp(0, port) };
    let closed = |beside: &[PacketFacts]| {
        let mut bench = Bench::new(&Config::default());
        let mut closed = Vec::new();
        beside.iter().for_each(|&facts| {
            bench.touch(facts);
        });
        bench.touch(at(10_100, 1));
        beside.iter().for_each(|&facts| {
            bench.touch(PacketFacts { time: at(10_400, 1).time, ..facts });
        });
        for millis in (60_000..80_000).step_by(100) {
            bench.flows.sweep(at(millis, 1).time, &mut |ended| {
                if ended.end.ports == Some((1, 53)) {
                    closed.push(millis);
                }
            });
        }
        closed
    };
    let alone = closed(&[]);
    assert_eq!(alone.len(), 1);
    assert_eq!(closed(&[at(10_000, 2)]), alone);
    assert_eq!(closed(&[at(10_050, 2), at(10_090, 3)]), alone);
}

#[test]
fn an_ended_connection_gives_way() {
    let mut bench = Bench::new(&Config::default());
    let first = bench.touch(tcp(0, true, SYN));
    bench.touch(tcp(0, false, SYN | ACK));
    bench.touch(tcp(0, true, SYN));
    assert!(bench.closed.is_empty(), "a repeated SYN opens nothing");
    bench.touch(tcp(0, true, FIN | ACK));
    bench.touch(tcp(0, false, FIN | ACK));
    let last = bench.touch(tcp(0, true, ACK));
    assert_eq!(first.flow_id, last.flow_id, "the last acknowledgement belongs to it");
    let next = bench.touch(tcp(0, true, SYN));
    assert!(next.is_new && next.flow_id != first.flow_id);
    assert_eq!(bench.closes(), [Close::Reused]);
    bench.touch(tcp(1, false, RST));
    bench.touch(udp(12, 1));
    assert_eq!(bench.closes(), [Close::Reused, Close::Idle]);
}

#[test]
fn a_full_table_evicts_the_longest_idle() {
    let config = Config { max_flows: 3, ..Config::default() };
    let mut bench = Bench::new(&config);
    bench.touch(tcp(0, true, SYN));
    bench.touch(tcp(0, false, SYN | ACK));
    bench.touch(udp(1, 1));
    bench.touch(udp(2, 2));
    bench.touch(udp(3, 1));
    for port in 3..100 {
        bench.touch(udp(4, port));
    }
    assert_eq!(bench.flows.len(), 3);
    assert_eq!(bench.closed.len(), 97);
    assert!(bench.closed.iter().all(|end| end.close == Close::Evicted));
    assert_eq!(bench.closed[0].totals.first, 4, "port 2 was idle longest");
    assert_eq!(bench.closed[1].totals.first, 3, "then port 1");
    assert!(!bench.touch(tcp(5, true, ACK)).is_new, "the flood displaced itself");
}

#[test]
fn slots_are_reused() {
    let mut bench = Bench::new(&Config { max_flows: 50, ..Config::default() });
    for round in 0..1000_u16 {
        bench.touch(udp(i64::from(round), round));
    }
    assert!(bench.flows.entries.iter().count() <= 61);
    assert_eq!(bench.closed.len() + bench.flows.len(), 1000);
}

#[test]
fn what_is_part_of_the_key() {
    let mut bench = Bench::new(&Config::default());
    let base = udp(0, 1);
    let v6: IpAddr = "::c000:201".parse().unwrap();
    for facts in [
        base,
        PacketFacts { ports: Ports::None, ..base },
        PacketFacts { vlan: 7, ..base },
        PacketFacts { tunnel: 7, ..base },
        PacketFacts { proto: 6, ..base },
        PacketFacts { src: v6, dst: "::c633:6402".parse().unwrap(), ..base },
        PacketFacts { proto: 1, ports: Ports::Icmp(8, 0), ..base },
    ] {
        assert!(bench.touch(facts).is_new);
    }
    let reply = PacketFacts { src: B, dst: A, proto: 1, ports: Ports::Icmp(0, 0), ..base };
    assert!(!bench.touch(reply).is_new, "an echo's reply belongs to it");
}

#[test]
fn idle_flows_end_without_a_packet() {
    let mut bench = Bench::new(&Config::default());
    bench.touch(udp(0, 4000));
    for (seconds, left) in [(1, 1), (1000, 0)] {
        let now = Timestamp::from_seconds(seconds);
        bench.flows.sweep(now, &mut |ended| bench.closed.push(ended.end));
        assert_eq!(bench.flows.len(), left);
    }
    assert_eq!(bench.closes(), [Close::Idle]);
}
