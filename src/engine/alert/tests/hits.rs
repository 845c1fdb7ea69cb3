//! Hits to build alerts from: a few realistic ones, and arbitrary ones.

use crate::engine::alert::{Handling, Provenance};
use crate::engine::indicator::{
    Context, Direction, Dns, File, Flow, Ftp, Http, Kind, LogPlace, PacketPlace, Place, Protocol,
    Quality, Scope, Sender, Severity, Smb, Smtp, Ssh, Timestamp, Tlp, Tls, Tunnel, Where,
};
use crate::engine::scan::{Hit, Match, Seen};
use crate::engine::suppress::{Member, Repeat};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::borrow::Cow;
use std::sync::Arc;

const SECOND: i64 = 1_000_000;
/// 2026-11-24T02:24:37.251547Z
const START: Timestamp = Timestamp(1_795_487_077_251_547);

pub(super) fn origin() -> Provenance {
    Provenance {
        database: "5f0c2a91d3b84e67".into(),
        built: Timestamp::from_seconds(1_795_478_400),
        host: Some("sensor-1".into()),
    }
}

/// Named hits, for the golden files and the examples of the manual.
pub(super) fn samples() -> Vec<(&'static str, Hit<'static>)> {
    vec![
        ("dns", dns()),
        ("flow", flow()),
        ("http", http()),
        ("tls", tls()),
        ("log", log()),
        ("field", field()),
        ("file", file()),
        ("relayed", relayed()),
    ]
}

fn seen(kind: Kind, value: &str, at: Where) -> Seen {
    let (raw, field, quality) = (None, None, Quality::default());
    Seen { kind, value: value.into(), raw, at, field, quality }
}

fn met(kind: Kind, value: &str, scope: Scope, sources: Vec<Context<'static>>) -> Match<'static> {
    Match { kind, value: value.into(), scope, quality: Quality::default(), sources }
}

fn list(texts: &[&'static str]) -> Vec<Cow<'static, str>> {
    texts.iter().map(|&text| text.into()).collect()
}

fn packet(number: u64, src: &str, src_port: u16, dst: &str, dst_port: u16) -> PacketPlace {
    PacketPlace {
        path: "office.pcap".into(),
        is_live: false,
        number,
        length: 86,
        time: START,
        is_timed: true,
        src: Some(src.parse().unwrap()),
        dst: Some(dst.parse().unwrap()),
        src_port: Some(src_port),
        dst_port: Some(dst_port),
        proto: 6,
        to_server: Some(true),
        flow_id: 1_357_924_680_135,
        community_id: Some("1:wCb3OG7yAFWelaUydu0D+125CLM=".into()),
        vlan: Vec::new(),
        tunnel: Vec::new(),
        flow: None,
        protocol: None,
        nth: 0,
    }
}

fn emotet() -> Context<'static> {
    Context {
        collection: Some("Emotet C2 servers".into()),
        collection_id: Some("5e2f1c9ab73d0a4c8e6b1f20".into()),
        name: Some("Epoch 5 tier 1".into()),
        description: Some("Answers on 443 and 8080.".into()),
        confidence: Some(90),
        severity: Some(Severity::Critical),
        tlp: Some(Tlp::Amber),
        valid_from: Some(Timestamp::from_seconds(1_793_491_200)),
        valid_until: Some(Timestamp::from_seconds(1_798_675_200)),
        tags: list(&["c2", "botnet"]),
        malware: list(&["Emotet"]),
        adversary: list(&["TA542", "Mummy Spider"]),
        attack: list(&["T1071.001", "T1573"]),
        references: list(&["https://intel.example/emotet", "https://intel.example/ta542"]),
        ..Context::of_feed("otx")
    }
}

fn dns() -> Hit<'static> {
    let blocklist = Context { tlp: Some(Tlp::Clear), ..Context::of_feed("blocklist") };
    let mut place = packet(42, "10.0.0.5", 50_096, "10.0.0.1", 53);
    place.proto = 17;
    place.vlan = vec![100, 7];
    place.protocol = Some(Protocol::Dns(Dns {
        is_answer: false,
        id: 4660,
        rrname: "CDN.evil.example".into(),
        rrtype: "A".into(),
        rcode: None,
    }));
    let mut seen = seen(Kind::Domain, "cdn.evil.example", Where::DnsQuery);
    seen.raw = Some("CDN.evil.example".into());
    Hit {
        seen,
        matches: vec![
            met(Kind::Domain, "cdn.evil.example", Scope::Exact, vec![blocklist]),
            met(Kind::Domain, "evil.example", Scope::Subtree, vec![emotet()]),
        ],
        place: Place::Packet(Box::new(place)),
    }
}

fn flow() -> Hit<'static> {
    let mut place = packet(7, "198.51.100.7", 443, "10.0.0.5", 50_097);
    place.to_server = Some(false);
    place.tunnel = vec![Tunnel {
        kind: "gre",
        src: "192.0.2.1".parse().unwrap(),
        dst: "192.0.2.2".parse().unwrap(),
    }];
    place.flow = Some(Flow {
        packets: 31,
        bytes: 20_480,
        first: 6,
        last: 90,
        first_time: Timestamp(START.0 - 20_000),
        last_time: Timestamp(START.0 + 12 * SECOND),
    });
    let drop = Context {
        collection: Some("hijacked networks".into()),
        severity: Some(Severity::High),
        direction: Some(Direction::Source),
        first_seen: Some(Timestamp::from_seconds(1_780_000_000)),
        last_seen: Some(Timestamp::from_seconds(1_795_400_000)),
        modified: Some(Timestamp::from_seconds(1_795_410_000)),
        ..Context::of_feed("drop")
    };
    let list =
        Context { confidence: Some(60), id: Some("40117".into()), ..Context::of_feed("ips") };
    Hit {
        seen: seen(Kind::Ip, "198.51.100.7", Where::IpSrc),
        matches: vec![
            met(Kind::Ip, "198.51.100.7", Scope::Exact, vec![list]),
            met(Kind::Net, "198.51.100.0/24", Scope::Exact, vec![drop]),
        ],
        place: Place::Packet(Box::new(place)),
    }
}

fn http() -> Hit<'static> {
    let mut place = packet(1188, "10.0.0.5", 50_100, "203.0.113.80", 80);
    place.path = "eth0".into();
    place.is_live = true;
    place.protocol = Some(Protocol::Http(Http {
        method: Some("GET".into()),
        hostname: Some("dl.evil.example".into()),
        url: Some("/gate.php?id=7".into()),
        user_agent: Some("Mozilla/5.0 (X11; Linux)".into()),
        status: None,
    }));
    let urls = Context {
        malware: list(&["Agent Tesla"]),
        severity: Some(Severity::High),
        references: list(&["https://urls.example/url/31337/"]),
        ..Context::of_feed("urlhaus")
    };
    let value = "http://dl.evil.example/gate.php";
    let mut met = met(Kind::Url, value, Scope::Exact, vec![urls]);
    met.quality = Quality::QUERY_IGNORED;
    Hit {
        seen: seen(Kind::Url, "http://dl.evil.example/gate.php?id=7", Where::HttpUrl),
        matches: vec![met],
        place: Place::Packet(Box::new(place)),
    }
}

fn tls() -> Hit<'static> {
    let mut place = packet(3, "2001:db8::5", 50_101, "2001:db8:bad::1", 443);
    place.protocol = Some(Protocol::Tls(Tls {
        sni: Some("login.evil.example".into()),
        version: Some("TLS 1.3".into()),
        alpn: vec!["h2".into(), "http/1.1".into()],
        ..Tls::default()
    }));
    Hit {
        seen: seen(Kind::Domain, "login.evil.example", Where::TlsSni),
        matches: vec![met(Kind::Domain, "evil.example", Scope::Subtree, vec![emotet()])],
        place: Place::Packet(Box::new(place)),
    }
}

fn file() -> Hit<'static> {
    let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let bazaar = Context {
        name: Some("invoice.pdf.exe".into()),
        malware: list(&["Emotet"]),
        ..Context::of_feed("bazaar")
    };
    let mut place = packet(96, "198.51.100.7", 80, "10.0.0.5", 50_102);
    place.to_server = Some(false);
    place.protocol = Some(Protocol::File(File {
        protocol: "http",
        name: Some("invoice.exe".into()),
        url: Some("http://cdn.evil.example/get/invoice.exe?id=7".into()),
        size: Some(177_207),
        is_whole: Some(true),
    }));
    Hit {
        seen: seen(Kind::Sha256, digest, Where::FileHash),
        matches: vec![met(Kind::Sha256, digest, Scope::Exact, vec![bazaar])],
        place: Place::Packet(Box::new(place)),
    }
}

fn log() -> Hit<'static> {
    let text = "10.0.0.5 - - [24/Nov/2026:02:24:37 +0000] \"GET /?u=hxxp://cdn.evil.example/a \
                HTTP/1.1\" 200 5120 \"-\" \"curl/8.5.0 \u{1b}]0;owned\u{7}\u{202e}\" rt=0.004 \
                upstream=10.0.0.9:8080 cache=MISS";
    let column = text.find("cdn.evil").unwrap() as u64 + 1;
    let mut seen = seen(Kind::Domain, "cdn.evil.example", Where::UrlHost);
    seen.quality = Quality::DERIVED;
    Hit {
        seen,
        matches: vec![met(Kind::Domain, "evil.example", Scope::Subtree, vec![emotet()])],
        place: Place::Log(LogPlace {
            path: "access.log".into(),
            line: 17,
            column,
            offset: 2048 + column - 1,
            text: text.into(),
            time: Some(Timestamp::from_seconds(1_795_487_077)),
            sender: None,
        }),
    }
}

/// The same domain in a line received by syslog.
fn relayed() -> Hit<'static> {
    let mut hit = log();
    let text = "query[A] cdn.evil.example from 10.0.0.5";
    hit.seen = seen(Kind::Domain, "cdn.evil.example", Where::LogText);
    let sender = Sender {
        host: Some("resolver-1".into()),
        app: Some("dnsmasq".into()),
        peer: Some("10.0.0.53".into()),
    };
    hit.place = Place::Log(LogPlace {
        path: "udp://0.0.0.0:514".into(),
        line: 4711,
        column: 10,
        offset: 301_465,
        text: text.into(),
        time: Some(Timestamp::from_seconds(1_795_487_077)),
        sender: Some(Arc::new(sender)),
    });
    hit
}

/// How the daemon handles the line received by syslog.
pub(super) fn handling() -> Handling<'static> {
    Handling { input: "edge", local: "resolver-1", is_suppressed: true }
}

/// The repeat record for it and others within an hour.
pub(super) fn repeat() -> Repeat {
    let second = |n: i64| Timestamp::from_seconds(1_795_483_477 + n);
    let key = [
        (Member::Indicator, "domain evil.example"),
        (Member::Where, "log"),
        (Member::Local, "resolver-1"),
    ];
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.into()).collect();
    Repeat {
        id: 0x0123_4567_89ab_cdef_0011_2233_4455_6677,
        key: key.map(|(member, text)| (member, text.into())).to_vec(),
        start: second(0),
        count: 59,
        first: second(60),
        last: second(3600),
        values: texts(&["cdn.evil.example", "www.evil.example"]),
        places: texts(&["udp://0.0.0.0:514:4093", "udp://0.0.0.0:514:4711"]),
        more: 0,
        severity: Severity::Critical,
        is_partial: false,
        content: Vec::new(),
    }
}

fn field() -> Hit<'static> {
    let digest = "0123456789abcdef0123456789abcdef";
    let text = format!("{{\"uid\":\"Fx1\",\"mime\":\"application/pdf\",\"md5\":\"{digest}\"}}");
    let column = text.find(digest).unwrap() as u64 + 1;
    let bazaar = Context {
        name: Some("invoice.pdf.exe".into()),
        tags: list(&["exe", "signed, stolen"]),
        ..Context::of_feed("bazaar")
    };
    let mut seen = seen(Kind::Md5, digest, Where::LogField);
    seen.field = Some("md5".into());
    Hit {
        seen,
        matches: vec![met(Kind::Md5, digest, Scope::Exact, vec![bazaar])],
        place: Place::Log(LogPlace {
            path: "files.log".into(),
            line: 3,
            column,
            offset: 410 + column - 1,
            text,
            time: None,
            sender: None,
        }),
    }
}

/// Text from outside, mostly hostile.
pub(super) fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        vec(any::<char>(), 0..8).prop_map(String::from_iter),
        select(vec!["", "-", "(empty)", "a\tb\r\nc", "\u{1b}[31m\u{9b}", "\\x41|=,\"]\u{2028}"])
            .prop_map(String::from),
    ]
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        4 => (0..4_000_000_000_000_000i64).prop_map(Timestamp),
        1 => any::<i64>().prop_map(Timestamp),
    ]
}

fn any_cow() -> impl Strategy<Value = Cow<'static, str>> {
    any_text().prop_map(Cow::Owned)
}

fn any_context() -> impl Strategy<Value = Context<'static>> {
    let texts = || option::of(any_cow());
    let lists = || vec(any_cow(), 0..3);
    let times = || option::of(any_time());
    (
        (any_cow(), texts(), texts(), texts(), texts(), texts(), texts()),
        (
            option::of(any::<u8>()),
            option::of((1..=4u8).prop_map(|n| Severity::from_number(n).unwrap())),
            option::of((1..=5u8).prop_map(|n| Tlp::from_number(n).unwrap())),
            option::of(select(vec![Direction::Source, Direction::Destination])),
        ),
        (times(), times(), times(), times(), times()),
        (lists(), lists(), lists(), lists(), lists()),
    )
        .prop_map(|(texts, marks, times, lists)| {
            let (feed, collection, collection_id, id, name, description, proto) = texts;
            let (confidence, severity, tlp, direction) = marks;
            let (valid_from, valid_until, first_seen, last_seen, modified) = times;
            let (tags, malware, adversary, attack, references) = lists;
            Context {
                feed,
                collection,
                collection_id,
                id,
                name,
                description,
                confidence,
                severity,
                tlp,
                valid_from,
                valid_until,
                first_seen,
                last_seen,
                modified,
                direction,
                proto,
                tags,
                malware,
                adversary,
                attack,
                references,
                ..Context::default()
            }
        })
}

fn any_quality() -> impl Strategy<Value = Quality> {
    let flags = [
        Quality::QUERY_IGNORED,
        Quality::SLASH_IGNORED,
        Quality::SCHEME_DIFFERS,
        Quality::DERIVED,
        Quality::CUT,
    ];
    vec(select(flags.to_vec()), 0..3)
        .prop_map(|flags| flags.into_iter().fold(Quality::default(), Quality::with))
}

fn any_match() -> impl Strategy<Value = Match<'static>> {
    let kind = select(Kind::ALL.to_vec());
    let scope = select(Scope::ALL.to_vec());
    (kind, any_text(), scope, any_quality(), vec(any_context(), 1..4)).prop_map(
        |(kind, value, scope, quality, sources)| Match { kind, value, scope, quality, sources },
    )
}

fn any_seen() -> impl Strategy<Value = Seen> {
    let (kind, at) = (select(Kind::ALL.to_vec()), select(Where::ALL.to_vec()));
    let (raw, field) = (option::of(any_text()), option::of(any_text()));
    (kind, any_text(), raw, at, field, any_quality()).prop_map(
        |(kind, value, raw, at, field, quality)| Seen { kind, value, raw, at, field, quality },
    )
}

fn any_log() -> impl Strategy<Value = LogPlace> {
    let place = (any_text(), 1..u64::MAX, 1..2000u64, any::<u64>());
    (place, any_text(), option::of(any_time()), option::of(any_sender())).prop_map(
        |((path, line, column, offset), text, time, sender)| LogPlace {
            path: path.into(),
            line,
            column,
            offset,
            text,
            time,
            sender: sender.map(Arc::new),
        },
    )
}

fn any_sender() -> impl Strategy<Value = Sender> {
    let address = any::<std::net::IpAddr>().prop_map(|ip| ip.to_string());
    let peer = prop_oneof![address, any_text()];
    (option::of(any_text()), option::of(any_text()), option::of(peer)).prop_map(
        |(host, app, peer)| Sender {
            host: host.map(Arc::from),
            app: app.map(Arc::from),
            peer: peer.map(Arc::from),
        },
    )
}

/// An arbitrary repeat without content.
pub(super) fn any_repeat() -> impl Strategy<Value = Repeat> {
    let numbers = (any::<u128>(), 1..=u64::MAX, prop_oneof![Just(0), any::<u64>()]);
    let times = (any_time(), any_time(), any_time());
    let members = proptest::sample::subsequence(Member::ALL.to_vec(), 0..=Member::ALL.len());
    let key = members.prop_flat_map(|members| {
        let texts = vec(any_text(), members.len());
        texts.prop_map(move |texts| members.iter().copied().zip(texts).collect())
    });
    let lists = (key, vec(any_text(), 0..=8), vec(any_text(), 0..=8));
    let severity = (1..=4u8).prop_map(|n| Severity::from_number(n).unwrap());
    (numbers, times, lists, severity, any::<bool>()).prop_map(
        |((id, count, more), (start, first, last), (key, values, places), severity, is_partial)| {
            let content = Vec::new();
            Repeat {
                id,
                key,
                start,
                count,
                first,
                last,
                values,
                places,
                more,
                severity,
                is_partial,
                content,
            }
        },
    )
}

fn any_protocol() -> impl Strategy<Value = Protocol> {
    let text = || option::of(any_text());
    prop_oneof![
        (any::<bool>(), any::<u16>(), any_text(), any_text(), text()).prop_map(
            |(is_answer, id, rrname, rrtype, rcode)| Protocol::Dns(Dns {
                is_answer,
                id,
                rrname,
                rrtype,
                rcode
            })
        ),
        (text(), text(), vec(any_text(), 0..3), text(), text()).prop_map(
            |(sni, version, alpn, subject, issuer)| Protocol::Tls(Tls {
                sni,
                version,
                alpn,
                subject,
                issuer
            })
        ),
        (text(), text(), text(), text(), option::of(any::<u16>())).prop_map(
            |(method, hostname, url, user_agent, status)| Protocol::Http(Http {
                method,
                hostname,
                url,
                user_agent,
                status
            })
        ),
        (text(), text(), option::of(any::<u64>()), option::of(any::<bool>())).prop_map(
            |(name, url, size, is_whole)| Protocol::File(File {
                protocol: "http",
                name,
                url,
                size,
                is_whole
            })
        ),
        (text(), text())
            .prop_map(|(sni, version)| { Protocol::Quic(Tls { sni, version, ..Tls::default() }) }),
        (text(), text()).prop_map(|(command, argument)| Protocol::Ftp(Ftp { command, argument })),
        text().prop_map(|name| Protocol::Smb(Smb { command: "create", name })),
        (text(), text(), vec(any_text(), 0..3)).prop_map(|(helo, from, to)| Protocol::Smtp(Smtp {
            helo,
            from,
            to
        })),
        (any::<bool>(), text(), text(), text()).prop_map(
            |(is_client, version, software, hassh)| Protocol::Ssh(Ssh {
                is_client,
                version,
                software,
                hassh
            })
        ),
    ]
}

fn any_flow() -> impl Strategy<Value = Flow> {
    (any::<[u64; 4]>(), any_time(), any_time()).prop_map(|(numbers, first_time, last_time)| {
        let [packets, bytes, first, last] = numbers;
        Flow { packets, bytes, first, last, first_time, last_time }
    })
}

fn any_tunnel() -> impl Strategy<Value = Tunnel> {
    let ip = any::<std::net::IpAddr>;
    (select(vec!["gre", "vxlan", "ipip"]), ip(), ip()).prop_map(|(kind, src, dst)| Tunnel {
        kind,
        src,
        dst,
    })
}

fn any_packet() -> impl Strategy<Value = PacketPlace> {
    let end = || option::of(any::<std::net::IpAddr>());
    let port = || option::of(any::<u16>());
    (
        (any_text(), any::<bool>(), 1..u64::MAX, any::<u32>(), any_time()),
        (end(), end(), port(), port(), any::<u8>(), option::of(any::<bool>()), any::<u64>()),
        (
            option::of(any_text()),
            vec(any::<u16>(), 0..3),
            vec(any_tunnel(), 0..3),
            option::of(any_flow()),
            option::of(any_protocol()),
        ),
    )
        .prop_map(|(frame, addresses, rest)| {
            let (path, is_live, number, length, time) = frame;
            let (src, dst, src_port, dst_port, proto, to_server, flow_id) = addresses;
            let (community_id, vlan, tunnel, flow, protocol) = rest;
            PacketPlace {
                path: path.into(),
                is_live,
                number,
                length,
                time,
                is_timed: number % 8 != 0,
                src,
                dst,
                src_port,
                dst_port,
                proto,
                to_server,
                flow_id,
                community_id,
                vlan,
                tunnel,
                flow,
                protocol,
                nth: 0,
            }
        })
}

/// An arbitrary hit.
pub(super) fn any_hit() -> impl Strategy<Value = Hit<'static>> {
    let place = prop_oneof![
        any_log().prop_map(Place::Log),
        any_packet().prop_map(|packet| Place::Packet(Box::new(packet))),
    ];
    (any_seen(), vec(any_match(), 1..4), place).prop_map(|(seen, matches, place)| Hit {
        seen,
        matches,
        place,
    })
}

/// One plain hit of each kind in each place, in a log and in a packet.
pub(super) fn every_kind_everywhere() -> impl Iterator<Item = Hit<'static>> {
    let pairs = Kind::ALL.iter().flat_map(|&kind| Where::ALL.iter().map(move |&at| (kind, at)));
    pairs.flat_map(|(kind, at)| {
        let places = [log().place, http().place, dns().place, tls().place, flow().place];
        places.map(|place| Hit {
            seen: seen(kind, "x", at),
            matches: vec![met(kind, "x", Scope::Exact, vec![emotet()])],
            place,
        })
    })
}
