//! Ports in other fields than their addresses.

use super::*;

const PAIRS: &[(&str, &str)] = &[
    (
        r#"{"src_ip":"192.0.2.1","src_port":1,"dest_ip":"203.0.113.9","dest_port":8443}"#,
        "dest_ip+dest_port",
    ),
    (r#"{"id.orig_p":1,"id.resp_h":"203.0.113.9","id.resp_p":8443}"#, "id.resp_h+id.resp_p"),
    (
        r#"{"source":{"ip":"203.0.113.9","port":8443},"destination":{"port":1}}"#,
        "source.ip+source.port",
    ),
    (r#"{"dst_endpoint":{"port":"8443","ip":"203.0.113.9"}}"#, "dst_endpoint.ip+dst_endpoint.port"),
    (
        r#"{"source":{"port":1,"ip":"192.0.2.1"},"destination":{"port":8443,"ip":"203.0.113.9"}}"#,
        "destination.ip+destination.port",
    ),
    (r#"{"RemotePort":8443,"RemoteIP":"203.0.113.9","LocalPort":1}"#, "RemoteIP+RemotePort"),
    (r#"{"a":[{"ip":"192.0.2.1","port":1},{"ip":"203.0.113.9","port":8443}]}"#, "a.ip+a.port"),
    ("srcip=192.0.2.1 srcport=1 dstip=203.0.113.9 dstport=8443", "dstip+dstport"),
    ("IN=eth0 SRC=203.0.113.9 DST=192.0.2.1 PROTO=TCP SPT=8443 DPT=1", "SRC+SPT"),
    ("CEF:0|V|P|1|1|n|5|src=192.0.2.1 spt=1 dst=203.0.113.9 dpt=8443", "dst+dpt"),
];

#[test]
fn ports_next_to_addresses() {
    let a = "203.0.113.9";
    for (line, field) in PAIRS {
        assert_eq!(port(line, "", a), Some((8443, field.to_string())), "{line}");
    }
    for line in [
        r#"{"src_port":8443,"dest_ip":"203.0.113.9"}"#,
        r#"{"a":[{"port":8443},{"ip":"203.0.113.9"}]}"#,
        r#"{"msg":"to 203.0.113.9","msg_port":8443}"#,
        r#"{"dest_ip":"203.0.113.9","dest_port":84430}"#,
        "dstip=203.0.113.9 srcport=8443",
    ] {
        assert_eq!(port(line, "", a), None, "{line}");
    }
    for (head, line) in [
        ("ts,sa,da,sp,dp\n", "2026-06-24 04:15:41,192.0.2.1,203.0.113.9,1,8443"),
        (
            "#Fields: date time c-ip c-port s-ip s-port\n",
            "2026-06-24 04:15:41 192.0.2.1 1 203.0.113.9 8443",
        ),
        (
            "#Fields: date-time,remote-ip,remote-port,sender-address\n",
            "2026-06-24T04:15:41.123Z,203.0.113.9,8443,a@b.example",
        ),
        // No header: a line like the others.
        (
            "SrcIP: 192.0.2.1, DstIP: 203.0.113.7, SrcPort: 1, DstPort: 53\n",
            "SrcIP: 192.0.2.1, DstIP: 203.0.113.9, SrcPort: 1, DstPort: 8443",
        ),
        ("version srcaddr dstaddr srcport dstport start\n", "2 192.0.2.1 203.0.113.9 1 8443 1"),
        (
            "\"Time\",\"Source IP\",\"Destination IP\",\"Destination Port\"\n",
            "\"x\",\"192.0.2.1\",\"203.0.113.9\",\"8443\"",
        ),
    ] {
        assert_eq!(port(line, head, a).map(|found| found.0), Some(8443), "{head}");
    }
}

/// An address that is listed with 8443, in two fields.
const KINDS: &[&str] = &[
    // XML: named elements, elements, attributes.
    "<Event><EventData><Data Name='SourcePort'>1</Data><Data Name='DestinationIp'>203.0.113.9</Data><Data Name='DestinationPort'>8443</Data></EventData></Event>",
    "<Event><EventData><Data Name=\"DestinationIp\">203.0.113.9</Data><Data Name=\"DestinationPort\">8443</Data></EventData></Event>",
    "<13>Jun 24 04:15:41 h x: <Event><Data Name='DestPort'> 8443 </Data><Data Name='DestAddress'> 203.0.113.9 </Data></Event>",
    "<r><src_ip>192.0.2.1</src_ip><src_port>1</src_port><dst_ip>203.0.113.9</dst_ip><dst_port>8443</dst_port></r>",
    "<dst_ip>203.0.113.9</dst_ip><dst_port>8443</dst_port>",
    "<ns:dst_ip xmlns:ns='x'>203.0.113.9</ns:dst_ip><ns:dst_port>8443</ns:dst_port>",
    "<conn src=\"192.0.2.1\" sport=\"1\" dst=\"203.0.113.9\" dport=\"8443\"/>",
    "<conn dst='203.0.113.9' dport='8443'></conn>",
    "<c><destination><ip>203.0.113.9</ip><port>8443</port></destination><source><ip>192.0.2.1</ip><port>1</port></source></c>",
    "<c><dst_ip><![CDATA[203.0.113.9]]></dst_ip><dst_port><![CDATA[8443]]></dst_port></c>",
    "<Event><Data Name='DestinationIp'>203.0.113.9</Data><Data Name='DestinationPort'>8443</Data>",
    // In a JSON string.
    r#"{"log":"{\"dst_ip\":\"203.0.113.9\",\"dst_port\":8443}"}"#,
    r#"{"log":"{\n  \"dst_ip\": \"203.0.113.9\",\n  \"dst_port\": \"8443\"\n}\n"}"#,
    r#"{"log":"2026 app {\"dst_ip\":\"203.0.113.9\",\"dst_port\":8443}"}"#,
    r#"{"m":"{\"m\":\"{\\\"dst_ip\\\":\\\"203.0.113.9\\\",\\\"dst_port\\\":8443}\"}"}"#,
    r#"{"dst_port":1,"_raw":"src=192.0.2.1 spt=1 dst=203.0.113.9 dpt=8443"}"#,
    r#"{"message":"a\tdst=203.0.113.9\tdpt=8443"}"#,
    r#"{"message":"dst=\"203.0.113.9\" dpt=\"8443\""}"#,
    r#"{"message":"<Event><Data Name=\"DestinationIp\">203.0.113.9</Data><Data Name=\"DestinationPort\">8443</Data></Event>"}"#,
    r#"{"message":"Destination Address:\t203.0.113.9\r\n\tDestination Port:\t\t8443\r\n"}"#,
    r#"{"properties":{"flows":[{"flowTuples":["1,192.0.2.1,192.0.2.2,1,1,T,O,A","1782274541,192.0.2.10,203.0.113.9,50112,8443,T,O,A,B,,,,"]}]}}"#,
    r#"Jun 24 h app: msg="dst=203.0.113.9 dpt=8443" x=1"#,
    r#"x="{\"dst_ip\":\"203.0.113.9\",\"dst_port\":8443}""#,
    // Names followed by colons.
    "[action:\"Accept\"; src:\"192.0.2.1\"; s_port:\"1\"; dst:\"203.0.113.9\"; service:\"8443\"]",
    "action: accept; src: 192.0.2.1; s_port: 1; dst: 203.0.113.9; proto: tcp; service: 8443; ",
    "Action=\"accept\" dst=\"203.0.113.9\" service=\"8443\" s_port=\"1\"",
    "%FTD-6-430002: SrcIP: 192.0.2.1, DstIP: 203.0.113.9, SrcPort: 1, DstPort: 8443, Protocol: tcp",
    "%FTD-1-430003: InitiatorIP: 203.0.113.9, ResponderIP: 192.0.2.1, InitiatorPort: 8443, ResponderPort: 1",
    "Source Address:\t192.0.2.1 Source Port:\t1 Destination Address:\t203.0.113.9 Destination Port:\t8443 Protocol:\t6",
    "Source Address: 192.0.2.1  Source Port: 1  Destination Address: 203.0.113.9  Destination Port: 8443",
    "Source Network Address:\t203.0.113.9 Source Port:\t\t8443",
    "dst:203.0.113.9,dport:8443",
    "{'dst_ip': '203.0.113.9', 'dst_port': 8443}",
    "{dst_ip=203.0.113.9, dst_port=8443}",
    "{\"dst_ip\"=>\"203.0.113.9\", \"dst_port\"=>8443}",
    // Labels and values with escapes between them.
    "Jun 24 04:15:41 dc1 x#011Source Network Address:#011203.0.113.9#011Source Port:#0118443",
    "Jun 24 04:15:41 dc1 Sysmon: detected:#015#012DestinationIp: 203.0.113.9#015#012DestinationPort: 8443",
    "x#011Source Address:#011192.0.2.1#011Source Port:#0111#011Destination Address:#011203.0.113.9#011Destination Port:#0118443#012",
    "x#011dst=203.0.113.9#011dport=8443#011y",
    "x#012dst=203.0.113.9#012dport=8443",
    r"x\tdst=203.0.113.9\tdport=8443",
    r"x\nDestinationIp: 203.0.113.9\nDestinationPort: 8443\n",
    r"x\\r\\nDestinationIp:\\t203.0.113.9\\r\\nDestinationPort:\\t8443\\r\\n",
    r#"{"message":"x\\r\\nDestinationIp:\\t203.0.113.9\\r\\nDestinationPort:\\t8443\\r\\n"}"#,
    r#"{"message":"x\u000aDestinationIp:\u0009203.0.113.9\u000aDestinationPort:\u00098443"}"#,
    r#"{"message":"x#015#012DestinationIp:#011203.0.113.9#015#012DestinationPort:#0118443"}"#,
    r"x\x0adst=203.0.113.9\x0adport=8443",
    r"x\011dst=203.0.113.9\011dport=8443",
    "x&#10;DestinationIp: 203.0.113.9&#10;DestinationPort: 8443",
    "\u{1b}[32mdst\u{1b}[0m=203.0.113.9 \u{1b}[32mdport\u{1b}[0m=8443",
    "dst=\u{1b}[32m203.0.113.9\u{1b}[0m dport=\u{1b}[32m8443\u{1b}[0m",
    // Elements with escaped brackets.
    r#"{"xml":"\u003cEvent\u003e\u003cEventData\u003e\u003cData Name=\u0027DestinationIp\u0027\u003e203.0.113.9\u003c/Data\u003e\u003cData Name=\u0027DestinationPort\u0027\u003e8443\u003c/Data\u003e\u003c/EventData\u003e\u003c/Event\u003e"}"#,
    r#"{"xml":"\u003CEvent\u003E\u003CData Name=\u0022DestinationIp\u0022\u003E203.0.113.9\u003C\/Data\u003E\u003CData Name=\u0022DestinationPort\u0022\u003E8443\u003C\/Data\u003E\u003C\/Event\u003E"}"#,
    r#"{"xml":"\u003cEvent\u003e\u003cData Name=\"DestinationIp\"\u003e203.0.113.9\u003c/Data\u003e\u003cData Name=\"DestinationPort\"\u003e8443\u003c/Data\u003e\u003c/Event\u003e"}"#,
    r#"{"xml":"<Event><Data Name='DestinationIp'>203.0.113.9<\/Data><Data Name='DestinationPort'>8443<\/Data><\/Event>"}"#,
    r#"{"a":"{\"xml\":\"\\u003cEvent\\u003e\\u003cData Name=\\u0027DestinationIp\\u0027\\u003e203.0.113.9\\u003c/Data\\u003e\\u003cData Name=\\u0027DestinationPort\\u0027\\u003e8443\\u003c/Data\\u003e\\u003c/Event\\u003e\"}"}"#,
    "Jun 24 04:15:41 h x: &lt;Event&gt;&lt;Data Name=&quot;DestinationIp&quot;&gt;203.0.113.9&lt;/Data&gt;&lt;Data Name=&quot;DestinationPort&quot;&gt;8443&lt;/Data&gt;&lt;/Event&gt;",
    "<m><text>&lt;Event&gt;&lt;Data Name='DestinationIp'&gt;203.0.113.9&lt;/Data&gt;&lt;Data Name='DestinationPort'&gt;8443&lt;/Data&gt;&lt;/Event&gt;</text></m>",
    r#"{"xml":"&lt;Event&gt;&lt;Data Name='DestinationIp'&gt;203.0.113.9&lt;/Data&gt;&lt;Data Name='DestinationPort'&gt;8443&lt;/Data&gt;&lt;/Event&gt;"}"#,
    r"x \x3cdst_ip\x3e203.0.113.9\x3c/dst_ip\x3e\x3cdst_port\x3e8443\x3c/dst_port\x3e",
    // Values surrounded by blanks and brackets.
    "dst = 203.0.113.9 dstport = 8443",
    "dst = \"203.0.113.9\", dstport = \"8443\"",
    "dst= 203.0.113.9 dstport= 8443",
    "dst=[203.0.113.9] dstport=[8443]",
    "dst=(203.0.113.9) dstport=(8443)",
    "dst: [203.0.113.9], dstport: [8443]",
    "Src IP: 192.0.2.1, Src Port: 1, Dst IP: 203.0.113.9, Dst Port: 8443",
    // LEEF.
    "LEEF:2.0|V|P|1|id|^|src=192.0.2.1^srcPort=1^dst=203.0.113.9^dstPort=8443",
    "LEEF:2.0|V|P|1|id|x5E|dst=203.0.113.9^dstPort=8443^",
    "LEEF:2.0|V|P|1|id|0x7c|dst=203.0.113.9|dstPort=8443",
    "LEEF:2.0|V|P|1|id|&|cat=a&dst=203.0.113.9&dstPort=8443",
    "LEEF:2.0|V|P|1|id|~|dst=203.0.113.9~dstPort=8443",
    "LEEF:1.0|V|P|1|id|dst=203.0.113.9\tdstPort=8443",
    // Names used by vendors.
    r#"{"RemoteAddressIP4":"203.0.113.9","RemotePort":"8443","LocalPort":"1"}"#,
    r#"{"event":{"RemoteAddressIP4":"203.0.113.9","RemotePort":8443}}"#,
    // In columns without names.
    "2 123456789010 eni-0a1b 192.0.2.10 203.0.113.9 50112 8443 6 20 4249 1782274541 1782274601 ACCEPT OK",
    r#"{"message":"2 123456789010 eni-0a1b 192.0.2.10 203.0.113.9 50112 8443 6 20 4249 1782274541 1782274601 ACCEPT OK"}"#,
    r#"{"peer":["203.0.113.9",8443]}"#,
    "accepted ('203.0.113.9', 8443) x=1",
];

#[test]
fn endpoints_in_every_kind_of_record() {
    for line in KINDS {
        let found = port(line, "", "203.0.113.9");
        assert_eq!(found.map(|found| found.0), Some(8443), "{line}");
    }
    let line = KINDS[0];
    let names = port(line, "", "203.0.113.9").unwrap().1;
    assert_eq!(names, "DestinationIp+DestinationPort");
    let line = r#"{"log":"{\"dst_ip\":\"203.0.113.9\",\"dst_port\":8443}"}"#;
    assert_eq!(port(line, "", "203.0.113.9").unwrap().1, "log.dst_ip+log.dst_port");
    let head = "#Fields: date time s-supplier-ip r-port c-ip c-port\n";
    let line = "x y 203.0.113.9 8443 192.0.2.1 1";
    assert_eq!(port(line, head, "203.0.113.9").map(|found| found.0), Some(8443));
}

#[test]
fn ports_of_others() {
    for line in [
        "<Event><Data Name='DestinationIp'>203.0.113.9</Data></Event><Event><Data Name='DestinationPort'>8443</Data></Event>",
        "<r><src_ip>203.0.113.9</src_ip><dst_port>8443</dst_port></r>",
        "<a dst='203.0.113.9'/><b dport='8443'/>",
        r#"{"dst_port":8443,"log":"dst=203.0.113.9"}"#,
        r#"{"dst_ip":"203.0.113.9","log":"dst_port=8443"}"#,
        "error: 203.0.113.9, port of x: 8443",
        "dst: 203.0.113.9; s_port: 8443",
        "SrcIP: 203.0.113.9, DstPort: 8443",
        "LEEF:2.0|V|P|1|id|^|src=203.0.113.9^dstPort=8443",
        "Source Address: 203.0.113.9 Destination Port: 8443",
        "from=<203.0.113.9@x.example>, dport=8443",
        // The value of the next line does not belong to a line without one.
        r"x\nDestinationIp: 203.0.113.9\nDestinationPort:\n8443",
        "x#012dst=203.0.113.9#012dport=#0128443",
        "dst= src=203.0.113.9 dport=8443",
        "dst=203.0.113.9 dport= 8443=x",
        "msg=dst\\=203.0.113.9 dport=8443",
        "<Event><m>dst 203.0.113.9 &lt;dst_port&gt;8443&lt;/dst_port&gt;</m></Event>",
    ] {
        assert_eq!(port(line, "", "203.0.113.9"), None, "{line}");
    }
    // A mail address is not XML, and the text after it is parsed.
    let line = "to=<a@x.example> via <root> dst=203.0.113.9 dpt=8443";
    assert_eq!(port(line, "", "203.0.113.9").map(|found| found.0), Some(8443));
}

#[test]
fn each_address_has_the_port_of_its_own_group() {
    for (line, one, other) in [
        ("dst=192.0.2.1 dpt=8443 dst=203.0.113.9 dpt=443", Some(8443), Some(443)),
        ("dpt=8443 dst=192.0.2.1 dpt=443 dst=203.0.113.9", Some(8443), Some(443)),
        ("dst=192.0.2.1 dpt=8443 dst=203.0.113.9", Some(8443), None),
        ("dst=192.0.2.1 dst=203.0.113.9 dpt=443", None, Some(443)),
        ("src=192.0.2.1 spt=8443 dst=203.0.113.9 dpt=443", Some(8443), Some(443)),
        ("dst: 192.0.2.1; service: 8443; dst: 203.0.113.9; service: 443", Some(8443), Some(443)),
        (
            "<d ip='x'><dst_ip>192.0.2.1</dst_ip><dst_port>8443</dst_port><dst_ip>203.0.113.9</dst_ip><dst_port>443</dst_port></d>",
            Some(8443),
            Some(443),
        ),
        (r#"{"dst":["192.0.2.1","203.0.113.9"],"dpt":443}"#, Some(443), Some(443)),
        (r#"{"dst_ip":"192.0.2.1","dst_ipv6":"203.0.113.9","dst_port":443}"#, Some(443), Some(443)),
        (
            r#"{"a":{"ip":"192.0.2.1","port":8443},"b":{"ip":"203.0.113.9","port":443}}"#,
            Some(8443),
            Some(443),
        ),
    ] {
        assert_eq!(port(line, "", "192.0.2.1").map(|found| found.0), one, "{line}");
        assert_eq!(port(line, "", "203.0.113.9").map(|found| found.0), other, "{line}");
    }
}

proptest! {
    /// With this many groups in a line, each address has its own port, regardless of how the groups
    /// are written and how often the line is nested in strings.
    #[test]
    fn groups_keep_together(
        ports in prop::collection::vec(1u16.., 1..8),
        address_first in any::<bool>(),
        style in 0usize..4,
        nest in 0usize..4,
    ) {
        let group = |(at, port): (usize, &u16)| {
            let (ip, port) = (format!("203.0.113.{}", at + 1), port.to_string());
            let (a, b) = match style {
                0 => (format!("dst={ip}"), format!("dpt={port}")),
                1 => (format!("dst=\"{ip}\""), format!("dpt=\"{port}\"")),
                2 => (format!("DstIP: {ip},"), format!("DstPort: {port},")),
                _ => (format!("<dst_ip>{ip}</dst_ip>"), format!("<dst_port>{port}</dst_port>")),
            };
            if address_first { format!("{a} {b}") } else { format!("{b} {a}") }
        };
        let groups: Vec<String> = ports.iter().enumerate().map(group).collect();
        let mut line = groups.join(" ");
        for _ in 0..nest {
            line = Json::Object([("m".to_string(), Json::String(line))].into_iter().collect()).to_string();
        }
        for (at, want) in ports.iter().enumerate() {
            let hit = format!("203.0.113.{}", at + 1);
            let found = port(&line, "", &hit).map(|found| found.0);
            prop_assert_eq!(found, Some(*want), "{} in {}", hit, line);
        }
    }
}
