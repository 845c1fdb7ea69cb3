//! Tables and records as people and platforms write them: each kind of form with its closest
//! variants, and with similar text that is something else.

use crate::engine::indicator::Reason;
use crate::intel::feed::{Collected, Options};

const MD5: &str = "0123456789abcdef0123456789abcdef";

fn read(text: &str) -> super::Got {
    let text = text.replace("MD5SUM", MD5);
    Collected::read(text.as_bytes(), &Options::of_feed("t"))
        .unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// A text, the values read from it, and the rejected ones with their reasons.
type Row<'r> = (&'r str, &'r [&'r str], &'r [(&'r str, Reason)]);

/// Checks the values, and the rejected ones with their reasons.
fn check(rows: &[Row<'_>]) {
    for (text, want, reported) in rows {
        let got = read(text);
        assert_eq!(got.values(), *want, "{text}");
        let rejects: Vec<_> = got.rejects.iter().map(|r| (&*r.value, r.reason)).collect();
        assert_eq!(rejects, *reported, "{text}");
    }
}

#[test]
fn headings_that_people_write() {
    check(&[
        (
            "Domain;IP addresses;Hashes\nevil.example;203.0.113.5;MD5SUM\n;203.0.113.6;\n",
            &["evil.example", "203.0.113.5", MD5, "203.0.113.6"],
            &[],
        ),
        (
            "Domains/IPs,Note\nevil.example,x\n203.0.113.5,y\n",
            &["evil.example", "203.0.113.5"],
            &[],
        ),
        ("IOC (IP),Comment\n203.0.113.5,bad\n", &["203.0.113.5"], &[]),
        (
            "C2 domain(s),MD5 hash\n\"a.example\nb.example\",MD5SUM\n",
            &["a.example", "b.example", MD5],
            &[],
        ),
        ("Observable\tComment\nevil.example\tx\nMD5SUM\ty\n", &["evil.example", MD5], &[]),
        (
            "C2,Family\n203.0.113.5:443,Emotet\nevil.example,Emotet\n",
            &["203.0.113.5:443", "evil.example"],
            &[],
        ),
        ("Dropper;Date\nhttp://a.example/x;2026-11-01\n", &["http://a.example/x"], &[]),
        // Rows with one filled column each.
        (
            "IP,Domain,URL,Hash,Mutex\n203.0.113.5,,,,\n,a.example,,,\n,,http://b.example/x,,\n,,,MD5SUM,\n,,,,M1\n",
            &["203.0.113.5", "a.example", "http://b.example/x", MD5, "M1"],
            &[],
        ),
        // The name of a file is a detail of its digest, and an indicator only without one.
        ("MD5s,File name\nMD5SUM,x.exe\n,y.exe\n", &[MD5, "y.exe"], &[]),
    ]);
}

#[test]
fn columns_that_nobody_announced() {
    check(&[
        (
            "Seite;Summe;Land\nhxxp://evil[.]example/x;MD5SUM;DE\n",
            &["http://evil.example/x", MD5],
            &[],
        ),
        // Values that are not read are reported.
        (
            "Summe,Seite,Text\nMD5SUM,evil.example,this is about b.example\n",
            &[MD5],
            &[("evil.example", Reason::LeftOut)],
        ),
        (
            "Indicator;Anything\nevil.example;203.0.113.5\n",
            &["evil.example"],
            &[("203.0.113.5", Reason::LeftOut)],
        ),
        (
            "Foo,Bar\nsome words,203.0.113.5\nmore of b.example,203.0.113.6\n",
            &["203.0.113.5", "203.0.113.6"],
            &[],
        ),
        // The header says whose addresses they are.
        ("IP,Resolver,Victim IP\n203.0.113.5,198.51.100.7,192.0.2.9\n", &["203.0.113.5"], &[]),
        ("Domain,Firmware version\nevil.example,10.1.2.3\n", &["evil.example"], &[]),
        (
            "# Malicious IPs, domains\n2026-01-01;evil.example;x\n2026-01-02;bad.example;y\n",
            &["evil.example", "bad.example"],
            &[],
        ),
    ]);
}

#[test]
fn networks_in_two_columns() {
    for names in [
        "prefix,length",
        "ip,subnet",
        "ip,netmask",
        "base,prefixlen",
        "network,cidr",
        "address,mask",
        "block,size",
        "Network,Prefix length",
        "ip_address,subnet_mask",
        "net,bits",
        "subnet,mask",
        "IP,CIDR",
        "network,prefix",
        "Net;Len",
        "Base address;Mask length",
        "ip,slash",
    ] {
        let delimiter = if names.contains(';') { ';' } else { ',' };
        let masks = [("24", "25"), ("/24", "/25"), ("255.255.255.0", "255.255.255.128")];
        for (a, b) in masks {
            let text = format!("{names}\n203.0.113.0{delimiter}{a}\n198.51.100.0{delimiter}{b}\n");
            assert_eq!(read(&text).values(), ["203.0.113.0/24", "198.51.100.0/25"], "{text}");
        }
    }
}

#[test]
fn ranges_in_two_columns() {
    for names in [
        "start,end",
        "first_ip,last_ip",
        "Start IP,End IP",
        "Range start,Range end",
        "from,to",
        "ip_start,ip_end",
        "Lowest IP,Highest IP",
        "low,high",
        "range_begin,range_end",
        "Start of range,End of range",
    ] {
        let text = format!("{names}\n203.0.113.0,203.0.113.255\n198.51.100.0,198.51.100.127\n");
        assert_eq!(read(&text).values(), ["203.0.113.0/24", "198.51.100.0/25"], "{text}");
    }
}

#[test]
fn columns_next_to_a_network() {
    check(&[
        (
            "block,size\n203.0.113.0,256\n198.51.100.0,32\n",
            &["203.0.113.0/24", "198.51.100.0/27"],
            &[],
        ),
        (
            "first_ip,last_ip\n203.0.113.9,203.0.113.5\n",
            &[],
            &[("203.0.113.9-203.0.113.5", Reason::BadNetwork)],
        ),
        ("network,cidr\n203.0.113.0,203.0.113.0/24\n", &["203.0.113.0/24"], &[]),
        ("ip,cidr\n203.0.113.5,203.0.113.0/24\n", &["203.0.113.5"], &[]),
        ("IPv4;CIDR\n203.0.113.5;\n;198.51.100.0/24\n", &["203.0.113.5", "198.51.100.0/24"], &[]),
        (
            "network,mask\n203.0.113.0,40\n198.51.100.0,25\n198.51.100.128,25\n192.0.2.0,25\n192.0.2.128,25\n",
            &["198.51.100.0/25", "198.51.100.128/25", "192.0.2.0/25", "192.0.2.128/25"],
            &[("203.0.113.0/40", Reason::BadNetwork)],
        ),
        // Flows and counts.
        (
            "ip,from,to\n203.0.113.5,198.51.100.7,192.0.2.200\n",
            &["203.0.113.5"],
            &[("198.51.100.7", Reason::LeftOut), ("192.0.2.200", Reason::LeftOut)],
        ),
        ("ip,count\n203.0.113.5,256\n203.0.113.77,12\n", &["203.0.113.5", "203.0.113.77"], &[]),
        (
            r#"[{"start":"203.0.113.9","end":"203.0.113.5"},{"prefix":"203.0.113.0","length":24},
                {"ip":"198.51.100.0","subnet":"255.255.255.0"},{"block":"192.0.2.0","size":256}]"#,
            &["203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24"],
            &[("203.0.113.9-203.0.113.5", Reason::BadNetwork)],
        ),
    ]);
}

#[test]
fn whose_values_they_are() {
    check(&[
        (
            "ip,contact.email,reporter\n203.0.113.5,a@isp.example,b@corp.example\n",
            &["203.0.113.5"],
            &[],
        ),
        (
            "Type,Indicator,Reporter,abuse_contact\ndomain,a.example,j@c.example,x@isp.example\n",
            &["a.example"],
            &[],
        ),
        (
            "ip,hostname,country\n203.0.113.5,static.isp.example,DE\n,evil.example,FR\n",
            &["203.0.113.5", "evil.example"],
            &[("static.isp.example", Reason::LeftOut)],
        ),
        ("ip,hostname\n203.0.113.5,evil.example\n", &["203.0.113.5", "evil.example"], &[]),
        ("url,ip\nhttp://a.example/x,203.0.113.5\n", &["http://a.example/x", "203.0.113.5"], &[]),
        ("url,domain\nhttp://a.example/x,b.example\n", &["http://a.example/x", "b.example"], &[]),
        (
            r#"[{"url":"http://a.example/x","host":"a.example","ip":"203.0.113.9","asn":"AS64500"}]"#,
            &["http://a.example/x"],
            &[("203.0.113.9", Reason::LeftOut)],
        ),
        (
            r#"[{"url":"http://a.example/x","host":"b.example"}]"#,
            &["http://a.example/x", "b.example"],
            &[],
        ),
        (
            r#"[{"contact":{"email":"q@isp.example"},"data":{"ip":"203.0.113.6"}}]"#,
            &["203.0.113.6"],
            &[],
        ),
        (
            r#"[{"ip":"203.0.113.6","contact":{"email":"q@isp.example"},"reporter":{"email":"r@a.example"}}]"#,
            &["203.0.113.6"],
            &[],
        ),
        (
            r#"[{"email":"phish@evil.example","first_seen":"2026-11-01"}]"#,
            &["phish@evil.example"],
            &[],
        ),
        (r#"[{"domain":"evil.example","hash":"MD5SUM"}]"#, &["evil.example", MD5], &[]),
    ]);
}

#[test]
fn what_was_taken_back() {
    let of = |member: &str| {
        read(&format!(r#"[{{"value":"a.example",{member}}},{{"value":"b.example"}}]"#))
    };
    for gone in [
        r#""attributes":{"revoked":true}"#,
        r#""verdict":"benign""#,
        r#""verdict":"Clean""#,
        r#""status":"false_positive""#,
        r#""status":"inactive""#,
        r#""is_active":0"#,
        r#""is_active":"false""#,
        r#""whitelisted":"yes""#,
        r#""deleted":1"#,
        r#""expired":true"#,
        r#""meta":{"deleted":true}"#,
        r#""status":{"name":"Expired"}"#,
        r#""disposition":"known good""#,
        r#""lifecycle":{"state":"retired"}"#,
        r#""is_malicious":false"#,
        r#""revoked_at":"2026-11-01T00:00:00Z""#,
    ] {
        let got = of(gone);
        assert_eq!(got.values(), ["b.example"], "{gone}");
        assert_eq!(got.rejects[0].reason, Reason::Withdrawn, "{gone}");
    }
    for gone in [r#""to_ids":0"#, r#""to_ids":"false""#, r#""x_opencti_detection":false"#] {
        let got = of(gone);
        assert_eq!(
            (got.values(), got.rejects[0].reason),
            (vec!["b.example".into()], Reason::NotForDetection),
            "{gone}"
        );
    }
    for holds in [
        r#""attributes":{"revoked":false}"#,
        r#""verdict":"malicious""#,
        r#""verdict":"unknown""#,
        r#""status":"offline""#,
        r#""to_ids":"1""#,
        r#""harmless":1"#,
        r#""attributes":{"x":1}"#,
        r#""deleted":null"#,
        r#""classification":"TLP:CLEAR""#,
    ] {
        assert_eq!(of(holds).values(), ["a.example", "b.example"], "{holds}");
    }
    let got = read(
        r#"[{"id":1,"attributes":{"value":"a.example","revoked":false}},{"id":2,"attributes":{"value":"b.example","revoked":true}}]"#,
    );
    assert_eq!(got.values(), ["a.example"]);
}

#[test]
fn lines_of_hosts_files_among_others() {
    let got = read(
        "evil.example\n127.0.0.1 a.example\n0.0.0.0 b.example # x\n203.0.113.5\n127.0.0.1\tc.example\n\
         x.example\ny.example\nz.example\n127.0.0.1,d.example\n::1 e.example f.example\n0.0.0.0;g.example\n\
         127.0.0.1 localhost\n",
    );
    let want = [
        "evil.example",
        "a.example",
        "b.example",
        "203.0.113.5",
        "c.example",
        "x.example",
        "y.example",
        "z.example",
        "d.example",
        "e.example",
        "f.example",
        "g.example",
    ];
    assert_eq!(got.values(), want);
    assert!(got.rejects.is_empty());
    // An address next to another is a value, and so is an address alone.
    let got = read("127.0.0.1 203.0.113.5\n203.0.113.7 198.51.100.7\n127.0.0.53\na.example\n");
    assert_eq!(
        got.values(),
        ["127.0.0.1", "203.0.113.5", "203.0.113.7", "198.51.100.7", "127.0.0.53", "a.example"]
    );
}

#[test]
fn values_after_urls_and_networks() {
    for between in [", ", ",", "; ", ";", "|", " | ", "\t", " ", " and ", " / ", " & "] {
        let values = ["http://evil2.example/b", "evil.example", "203.0.113.77", "198.51.100.0/25"];
        let text = values.join(between);
        let json = text.replace('\t', "\\t");
        for feed in [
            format!("{text}\nother.example\n"),
            format!("[\"{json}\",\"other.example\"]"),
            format!("indicator,comment\n\"{text}\",x\nother.example,y\n"),
            format!("url,comment\n\"{text}\",x\nother.example,y\n"),
            format!("[{{\"url\":\"{json}\"}},{{\"url\":\"other.example\"}}]"),
            format!("[{{\"value\":\"{json}\"}},{{\"value\":\"other.example\"}}]"),
        ] {
            let got = read(&feed);
            let want: Vec<_> = values.iter().chain(&["other.example"]).copied().collect();
            assert_eq!(got.values(), want, "{feed}");
            assert!(got.rejects.is_empty(), "{feed}");
        }
    }
    check(&[
        (
            "203.0.113.0/24 REJECT\n198.51.100.0/25 SBL1\n",
            &["203.0.113.0/24", "198.51.100.0/25"],
            &[],
        ),
        (
            "http://a.example/x malware\nhttp://b.example/y\tphishing\n",
            &["http://a.example/x", "http://b.example/y"],
            &[],
        ),
        // A value in a sentence about another is reported.
        (
            "http://a.example/x fetched from 198.51.100.9\n",
            &["http://a.example/x"],
            &[("198.51.100.9", Reason::LeftOut)],
        ),
        ("url,tag\nhttp://a.example/my file.exe,x\n", &["http://a.example/my%20file.exe"], &[]),
        ("url,tag\nhttp://a.example/x malware,x\n", &["http://a.example/x"], &[]),
        (
            "203.0.113.0/255.0.255.0\n198.51.100.0/24/5\n192.0.2.9\n",
            &["192.0.2.9"],
            &[
                ("203.0.113.0/255.0.255.0", Reason::BadNetwork),
                ("198.51.100.0/24/5", Reason::BadNetwork),
            ],
        ),
    ]);
    let got = read("203.0.113.0/24 REJECT\nhttp://a.example/x malware\n");
    let said = |at: usize| got.indicators[at].context.description.clone().unwrap_or_default();
    assert_eq!((&*said(0), &*said(1)), ("REJECT", "malware"));
}

#[test]
fn columns_next_to_the_value() {
    for name in [
        "phish_detail_url",
        "case_url",
        "api_url",
        "entry_url",
        "image_url",
        "href",
        "self",
        "ticket",
        "tweet",
        "evidence",
        "dest_url",
        "lookup",
        "Quelle",
        "uri",
        "webpage",
    ] {
        let text = format!("url,{name},target\nhttp://a.example/x,http://ctx.example/1,Other\n");
        let got = read(&text);
        let is_taken = got.values().iter().any(|value| value.contains("ctx"));
        assert!(!is_taken || name == "dest_url", "{text}");
        let json = format!(r#"[{{"url":"http://a.example/x","{name}":"http://ctx.example/1"}}]"#);
        assert_eq!(read(&json).values()[0], "http://a.example/x", "{json}");
    }
    for name in ["dest_ip", "bgp_prefix", "announced_prefix", "Gegenstelle"] {
        let text = format!("ip,{name}\n203.0.113.5,198.51.100.0\n203.0.113.6,198.51.100.9\n");
        assert_eq!(read(&text).values(), ["203.0.113.5", "203.0.113.6"], "{text}");
    }
}

#[test]
fn lists_of_what_was_taken_back() {
    for name in [
        "deleted",
        "revoked",
        "removed",
        "expired",
        "withdrawn",
        "whitelist",
        "allowlist",
        "false_positives",
        "inactive",
        "removed_domains",
        "Deleted",
        "whitelisted_domains",
    ] {
        for text in [
            r#"{"domains":["a.example","b.example"],"NAME":["c.example"]}"#,
            r#"{"NAME":["c.example"],"domains":["a.example","b.example"]}"#,
            r#"{"data":{"domains":["a.example","b.example"],"NAME":["c.example"]}}"#,
            r#"{"data":{"domains":["a.example","b.example"]},"NAME":["c.example"]}"#,
            r#"{"iocs":{"domains":["a.example","b.example"]},"NAME":["c.example"]}"#,
            r#"{"x":[{"domain":"a.example"},{"domain":"b.example"}],"NAME":[{"domain":"c.example"}]}"#,
            r#"{"data":[{"domain":"a.example"},{"domain":"b.example"}],"NAME":["c.example"]}"#,
        ] {
            let text = text.replace("NAME", name);
            let got = read(&text);
            assert_eq!(got.values(), ["a.example", "b.example"], "{text}");
            let reported: Vec<_> = got.rejects.iter().map(|r| (&*r.value, r.reason)).collect();
            assert_eq!(reported, [("c.example", Reason::Withdrawn)], "{text}");
        }
    }
}

#[test]
fn answers_of_misp() {
    let attribute = r#"{"type":"domain","value":"a.example","to_ids":true}"#;
    let object = format!(r#"{{"name":"file","template_uuid":"x","Attribute":[{attribute}]}}"#);
    for text in [
        format!(r#"{{"response":{{"Object":[{object}]}}}}"#),
        format!(r#"{{"response":[{{"Object":{object}}}]}}"#),
        format!(r#"{{"response":{{"Attribute":[{attribute}]}}}}"#),
        format!(r#"{{"response":[{{"Attribute":{attribute}}}]}}"#),
        r#"{"response":{"Attribute":[{"type":"domain","value":"a.example","to_ids":true,"Event":{"info":"x"}}]}}"#.to_string(),
        format!(r#"[{{"Object":{object}}}]"#),
        format!(r#"[{{"Attribute":{attribute}}}]"#),
        format!(r#"[{{"Event":{{"info":"x","Object":[{object}]}}}}]"#),
        format!(r#"{{"Event":[{{"info":"x","Attribute":[{attribute}]}}]}}"#),
        format!(r#"{{"Object":[{object}]}}"#),
        format!(r#"{{"response":{{"Event":{{"info":"x","Object":[{object}]}}}}}}"#),
        object.clone(),
    ] {
        assert_eq!(read(&text).values(), ["a.example"], "{text}");
    }
}

#[test]
fn ranges_and_ends_by_other_names() {
    for names in [
        "starting_ip,ending_ip",
        "lo,hi",
        "min,max",
        "ip1,ip2",
        "Starting address,Ending address",
        "min_ip,max_ip",
        "ip_lo,ip_hi",
    ] {
        let text = format!(
            "{names},comment\n203.0.113.0,203.0.113.255,x\n198.51.100.0,198.51.100.127,y\n"
        );
        assert_eq!(read(&text).values(), ["203.0.113.0/24", "198.51.100.0/25"], "{text}");
        let json: Vec<&str> = names.split(',').collect();
        let text = format!(r#"[{{"{}":"203.0.113.0","{}":"203.0.113.255"}}]"#, json[0], json[1]);
        assert_eq!(read(&text).values(), ["203.0.113.0/24"], "{text}");
    }
    check(&[
        (
            "route,masklen\n203.0.113.0,24\n198.51.100.0,25\n",
            &["203.0.113.0/24", "198.51.100.0/25"],
            &[],
        ),
        ("route,origin\n203.0.113.0/24,AS1\n", &["203.0.113.0/24"], &[]),
        // Two addresses are not a range.
        (
            "ip1,ip2\n203.0.113.5,198.51.100.7\n192.0.2.7,203.0.113.9\n",
            &["203.0.113.5", "198.51.100.7", "192.0.2.7", "203.0.113.9"],
            &[],
        ),
        (
            r#"[{"ip":"203.0.113.9","cidr":"203.0.113.0/24","country":"XX"},{"ip":"203.0.113.10","cidr":"203.0.113.0/24","country":"XX"}]"#,
            &["203.0.113.9", "203.0.113.10"],
            &[],
        ),
        (
            r#"[{"url":"http://a.example/x","uri":"http://portal.example/1"}]"#,
            &["http://a.example/x"],
            &[],
        ),
        (
            r#"[{"asn":64500,"rir":"ripencc","domain":"isp.example","cc":"XX","asname":"EXAMPLE"},{"domain":"a.example"}]"#,
            &["a.example"],
            &[("isp.example", Reason::LeftOut)],
        ),
        (
            r#"{"new":[{"type":"ban","scope":"Ip","value":"203.0.113.5"},{"scope":"Ip","value":"192.0.2.9","type":"whitelist"}],"deleted":null}"#,
            &["203.0.113.5"],
            &[("192.0.2.9", Reason::Withdrawn)],
        ),
        (
            "value,type\n203.0.113.5,ban\n192.0.2.9,whitelist\n",
            &["203.0.113.5"],
            &[("192.0.2.9", Reason::Withdrawn)],
        ),
    ]);
}

#[test]
fn ends_by_other_names() {
    for (name, text) in [
        ("expirationDateTime", "\"2026-01-01T00:00:00Z\""),
        ("expiration", "1767225600000"),
        ("expire_date", "\"2026-01-01\""),
        ("expiry_date", "\"01/01/2026\""),
        ("end_date", "\"2026/01/01\""),
        ("expiration_ts", "1767225600"),
        ("expires_at", "\"1.1.2026\""),
        ("expirationTimestamp", "1767225600000000"),
    ] {
        let of =
            |got: &super::Got| got.indicators[0].context.valid_until.map(|end| end.to_string());
        let json = format!(r#"[{{"indicator":"a.example","type":"domain","{name}":{text}}}]"#);
        let csv = format!("indicator,type,{name}\na.example,domain,{}\n", text.trim_matches('"'));
        for text in [json, csv] {
            assert_eq!(of(&read(&text)).as_deref(), Some("2026-01-01T00:00:00.000000Z"), "{text}");
        }
    }
}
