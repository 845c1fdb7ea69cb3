//! A day of packets in seconds: every timeout follows the packets' clock and no other, even if
//! that clock jumps.

use crate::harness::Dir;
use crate::harness::wire::{ACK, BEGINNING, Ends, FIN, SYN, Scanned, Wire, scan, v4};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

const DAY: u64 = 86_400;

/// A whole day must not take longer than this.
const QUICK: Duration = Duration::from_secs(20);

/// MD5 of `hallo`.
const HALLO: &str = "598d4c200461b81522a3328565c25f7c";

/// The listed addresses: servers by number.
fn server(number: u8) -> u32 {
    u32::from_be_bytes([203, 0, 113, number])
}

/// Scans against the servers, `*.listed.example` and the file.
fn scan_wire(name: &str, write: impl FnOnce(&mut Wire)) -> Scanned {
    let dir = Dir::new(name);
    let servers: String = (1..=60).map(|number| format!("203.0.113.{number}\n")).collect();
    dir.create("list.txt", servers + "listed.example\n" + HALLO);
    dir.command().args(["compile", "-q", "-o", "db", "list.txt"]).run().expect(0);
    let scanned = scan(&dir, write);
    assert!(scanned.took < QUICK, "{name} took {:?}", scanned.took);
    scanned
}

/// Seconds since the beginning of the capture.
fn seconds(time: &Value) -> f64 {
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    (time.as_microsecond() - i64::from(BEGINNING) * 1_000_000) as f64 / 1e6
}

/// The flows of each server according to its address alerts: first and last second.
fn flows(scanned: &Scanned) -> BTreeMap<u8, Vec<(u64, u64)>> {
    let mut flows: BTreeMap<u8, Vec<(u64, u64)>> = BTreeMap::new();
    let mut ids = BTreeMap::new();
    for alert in &scanned.alerts {
        let (seen, packet) = (&alert["seen"], &alert["packet"]);
        if seen["kind"] != "ip" {
            continue;
        }
        let number = seen["value"].as_str().unwrap().rsplit('.').next().unwrap().parse().unwrap();
        let flow = &packet["flow"];
        // The alert is about its flow's first packet.
        assert_eq!(alert["time"], flow["start"]);
        assert_eq!(packet["number"], flow["first"]);
        let id = packet["flow_id"].as_u64().unwrap();
        assert!(ids.insert(id, number).is_none(), "two flows are called {id}");
        let times = (seconds(&flow["start"]) as u64, seconds(&flow["end"]) as u64);
        flows.entry(number).or_default().push(times);
    }
    flows
}

fn values(scanned: &Scanned, kind: &str) -> Vec<(u64, String)> {
    let is_kind = |alert: &&Value| alert["seen"]["kind"] == kind;
    let reported = |alert: &Value| {
        (seconds(&alert["time"]) as u64, alert["seen"]["value"].as_str().unwrap().to_owned())
    };
    scanned.alerts.iter().filter(is_kind).map(reported).collect()
}

/// Something that happens at a time.
type Event<'e> = Box<dyn Fn(&mut Wire) + 'e>;

/// Events, added in any order and played in that of the clock.
#[derive(Default)]
struct Day<'e> {
    events: Vec<(u64, Event<'e>)>,
}

impl<'e> Day<'e> {
    fn at(&mut self, second: u64, event: impl Fn(&mut Wire) + 'e) {
        self.events.push((second, Box::new(event)));
    }

    fn play(mut self, wire: &mut Wire) {
        self.events.sort_by_key(|(second, _)| *second);
        for (second, event) in self.events {
            event(wire.at(second));
        }
    }
}

fn ends(number: u8, port: u16) -> Ends {
    Ends { server: server(number), ..Ends::new(number.into(), port) }
}

/// A datagram to a server, or back.
fn datagram(wire: &mut Wire, number: u8, to_server: bool, payload: &[u8]) {
    let (client, server) = ((0x0a00_0001, 4000), (server(number), 4001));
    let (src, dst) = if to_server { (client, server) } else { (server, client) };
    wire.udp(src, dst, payload);
}

#[test]
fn a_day_in_seconds() {
    let mut day = Day::default();
    let mut want: BTreeMap<u8, Vec<(u64, u64)>> = BTreeMap::new();
    // Constant traffic.
    for second in (1..DAY).step_by(5) {
        let client = (0x0a10_0000 + second as u32 % 50_000, 5000);
        day.at(second, move |wire| wire.udp(client, (0xc633_6409, 5001), b"anything"));
    }
    // A connection: 600 seconds of silence keep the flow, 601 start a new one.
    let data =
        |number: u8| move |wire: &mut Wire| wire.segment(&ends(number, 80), true, ACK, 1, b"x");
    for (number, last) in [(1, 1600), (2, 1601)] {
        day.at(1000, move |wire| wire.open(&ends(number, 80)));
        day.at(last, data(number));
    }
    want.insert(1, vec![(1000, 1600)]);
    want.insert(2, vec![(1000, 1000), (1601, 1601)]);
    // One without a long silence lasts all day.
    day.at(100, |wire| wire.open(&ends(3, 80)));
    (0..144).for_each(|at| day.at(699 + at * 599, data(3)));
    want.insert(3, vec![(100, 699 + 143 * 599)]);
    // One without an answer: 60.
    for (number, last) in [(4, 5060), (5, 5061)] {
        for second in [5000, last] {
            day.at(second, move |wire| wire.segment(&ends(number, 80), true, SYN, 0, &[]));
        }
    }
    want.insert(4, vec![(5000, 5060)]);
    want.insert(5, vec![(5000, 5000), (5061, 5061)]);
    // Datagrams without an answer: 60; with one: 120.
    for (number, last, is_answered) in
        [(6, 70_060, false), (7, 70_061, false), (8, 70_120, true), (9, 70_121, true)]
    {
        day.at(70_000, move |wire| {
            datagram(wire, number, true, b"a question");
            if is_answered {
                datagram(wire, number, false, b"an answer");
            }
        });
        day.at(last, move |wire| datagram(wire, number, true, b"another question"));
        let is_one = last == 70_060 || last == 70_120;
        let two = vec![(70_000, 70_000), (last, last)];
        want.insert(number, if is_one { vec![(70_000, last)] } else { two });
    }
    // One that both sides have ended: 10; a new connection starts a flow at once.
    for (number, last, flags) in [(10, 80_010, ACK), (11, 80_011, ACK), (12, 80_001, SYN)] {
        day.at(80_000, move |wire| {
            let ends = ends(number, 80);
            wire.open(&ends);
            wire.segment(&ends, true, FIN | ACK, 1, &[]);
            wire.segment(&ends, false, FIN | ACK, 1, &[]);
        });
        day.at(last, move |wire| wire.segment(&ends(number, 80), true, flags, 2, &[]));
    }
    want.insert(10, vec![(80_000, 80_010)]);
    want.insert(11, vec![(80_000, 80_000), (80_011, 80_011)]);
    want.insert(12, vec![(80_000, 80_000), (80_001, 80_001)]);

    let scanned = scan_wire("clock-day", |wire| day.play(wire));
    assert_eq!(flows(&scanned), want);
    assert_eq!(scanned.stats["packets"]["evicted_flows"], 0);
}

#[test]
fn a_clock_that_jumps() {
    let open = |wire: &mut Wire, number| wire.open(&ends(number, 80));
    let data = |wire: &mut Wire, number| wire.segment(&ends(number, 80), true, ACK, 1, b"anything");
    // The end of 32-bit timestamps in pcap: 2106-02-07T06:28:15Z.
    let end = u64::from(u32::MAX - BEGINNING);
    let scanned = scan_wire("clock-jumps", |wire| {
        open(wire.at(10_000), 1);
        open(wire.at(10_000), 2);
        // Back by less than the timeout, and by the same amount again.
        data(wire.at(9_500), 1);
        data(wire.at(9_000), 1);
        // Back by more than the timeout.
        data(wire.at(9_000), 2);
        // A jump of an hour, as if a capture was resumed later.
        data(wire.at(9_000 + 3600), 1);
        // One packet with a time in the far future ends all earlier flows, as any silence does.
        open(wire.at(13_000), 3);
        datagram(wire.at(end), 4, true, b"a question");
        data(wire.at(13_001), 3);
        // A capture that begins there.
        open(wire.at(end - 100), 5);
        data(wire.at(end - 1), 5);
        data(wire.at(end), 5);
        // And back at the beginning.
        open(wire.at(1), 6);
        data(wire.at(2), 6);
    });
    let want = BTreeMap::from([
        (1, vec![(10_000, 9_000), (12_600, 12_600)]),
        (2, vec![(10_000, 10_000), (9_000, 9_000)]),
        (3, vec![(13_000, 13_000), (13_001, 13_001)]),
        (4, vec![(end, end)]),
        (5, vec![(end - 100, end)]),
        (6, vec![(1, 2)]),
    ]);
    assert_eq!(flows(&scanned), want);
    let last = scanned.alerts.iter().find(|alert| alert["seen"]["value"] == "203.0.113.4");
    let time = last.unwrap()["time"].as_str().unwrap();
    assert!(time.starts_with("2106-02-07T06:28:15"), "{time}");
}

/// A DNS query over UDP for a name below `listed.example`, in two fragments with this many bytes
/// in the first.
fn fragments(id: u16, name: &str) -> [Vec<u8>; 2] {
    let mut message = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in format!("{name}.listed.example").split('.') {
        message.push(label.len() as u8);
        message.extend(label.bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    let mut datagram = [4000_u16.to_be_bytes(), 53_u16.to_be_bytes()].concat();
    datagram.extend((8 + message.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(message);
    [(0, 24, 0x2000_u16), (24, datagram.len(), 3)].map(|(from, to, place)| {
        let mut packet = v4(0x0a00_0001, 0xc633_6402, 17, &[&datagram[from..to]]);
        packet[4..6].copy_from_slice(&id.to_be_bytes());
        packet[6..8].copy_from_slice(&place.to_be_bytes());
        packet
    })
}

#[test]
fn fragments_wait_by_the_packets_clock() {
    let scanned = scan_wire("clock-fragments", |wire| {
        let mut id = 0;
        let mut pair = |wire: &mut Wire, name: &str, times: [u64; 2]| {
            id += 1;
            let [first, last] = fragments(id, name);
            wire.at(times[0]).packet(&first);
            wire.at(times[1]).packet(&last);
        };
        for hour in 0..24 {
            let second = 100 + hour * 3600;
            pair(wire, "soon", [second, second + 30]);
            pair(wire, "late", [second + 100, second + 131]);
            pair(wire, "back", [second + 300, second + 270]);
            pair(wire, "long-back", [second + 400, second + 369]);
        }
        // Of two waiting packets the later one expires first, because the clock was set back
        // between them.
        let ([first, last], [other, other_last]) = (fragments(100, "older"), fragments(101, "old"));
        wire.at(DAY + 20).packet(&first);
        wire.at(DAY).packet(&other);
        wire.at(DAY + 35).packet(&other_last);
        wire.at(DAY + 36).packet(&last);
    });
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for (_, name) in values(&scanned, "domain") {
        *names.entry(name).or_default() += 1;
    }
    let want = [("back", 24), ("older", 1), ("soon", 24)];
    let want = want.map(|(name, count)| (format!("{name}.listed.example"), count));
    assert_eq!(names, BTreeMap::from(want));
}

/// Connections that FTP announces, and transfers of TFTP, have timeouts.
#[test]
fn announcements_hold_by_the_packets_clock() {
    let scanned = scan_wire("clock-announced", |wire| {
        let mut second = 1000;
        for (number, wait) in [(1, 119), (2, 122), (3, 7000)] {
            let mut control = Ends { ports: (40_000, 21), ..ends(number, 21) };
            wire.at(second).open(&control);
            wire.say(&mut control, false, b"220 us\r\n");
            wire.say(&mut control, true, b"USER a\r\nTYPE I\r\nPASV\r\n");
            let passive = format!("227 Entering Passive Mode (203,0,113,{number},4,1)\r\n");
            wire.say(&mut control, false, passive.as_bytes());
            wire.say(&mut control, true, b"RETR hallo.txt\r\n");
            let mut data = Ends { ports: (40_001, 1025), ..ends(number, 1025) };
            wire.at(second + wait).open(&data);
            wire.say(&mut data, false, b"hallo");
            wire.segment(&data, false, FIN | ACK, data.next[1], &[]);
            second += 10_000;
        }
        for (number, wait) in [(11, 119), (12, 122), (13, 7000)] {
            let client = (0x0a00_0000 + u32::from(number), 3000);
            wire.at(second).udp(client, (server(number), 69), b"\0\x01hallo.txt\0octet\0");
            wire.at(second + wait).udp((server(number), 2000), client, b"\0\x03\0\x01hallo");
            second += 10_000;
        }
    });
    let files: Vec<u64> = values(&scanned, "md5").into_iter().map(|(second, _)| second).collect();
    assert_eq!(files, [1119, 31_119]);
}

/// Timestamps of pcapng have 64 bits, in any unit.
#[test]
fn stamps_beyond_all_calendars() {
    let dir = Dir::new("clock-stamps");
    dir.create("list.txt", "203.0.113.1\n");
    dir.command().args(["compile", "-q", "-o", "db", "list.txt"]).run().expect(0);
    let block = |kind: u32, body: &[u8]| {
        let length = (12 + body.len() as u32).to_le_bytes();
        [&kind.to_le_bytes()[..], &length, body, &length].concat()
    };
    let header = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    // Raw IP, in seconds.
    let interface = [101, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut capture = [block(0x0a0d_0d0a, &header), block(1, &interface)].concat();
    let stamps = [0, 1, u64::from(u32::MAX), 253_402_300_799, 253_402_300_800, u64::MAX];
    for (at, stamp) in stamps.into_iter().enumerate() {
        let packet = v4(0x0a00_0000 + at as u32, server(1), 17, &[&[0, 1, 0, 2, 0, 8, 0, 0]]);
        let mut body = vec![0; 4];
        body.extend(((stamp >> 32) as u32).to_le_bytes());
        body.extend((stamp as u32).to_le_bytes());
        body.extend([packet.len() as u32; 2].map(u32::to_le_bytes).concat());
        body.extend(&packet);
        capture.extend(block(6, &body));
    }
    dir.create("stamps.pcapng", capture);
    let args = ["scan", "--db", "db", "--format", "json", "stamps.pcapng"];
    let alerts = dir.command().args(args).run().expect(0).json_lines();
    let times: Vec<&str> = alerts.iter().map(|alert| alert["time"].as_str().unwrap()).collect();
    assert_eq!(times.len(), stamps.len(), "{times:?}");
    // A timestamp of zero means none: that packet gets the time of reading.
    assert_eq!(alerts[0]["time_source"], "read");
    let start = [&times[0][..10], "1970-01-01T00:00:01", "2106-02-07T06:28:15"];
    // The last time that can be printed.
    let later = ["9999-12-30T22:00:00"; 3];
    for (time, want) in times.iter().zip(start.iter().chain(&later)) {
        assert!(time.starts_with(want), "{times:?}");
    }
}
