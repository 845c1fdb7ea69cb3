//! Tables of every kind, including those of abuse.ch.

use crate::engine::indicator::{Kind, Reason, Scope, Severity, Timestamp, Tlp};
use crate::intel::feed::{Collected, Format, Options};

fn read(text: &str) -> super::Got {
    Collected::read(text.as_bytes(), &Options::of_feed("t")).unwrap()
}

fn read_table(text: &str) -> super::Got {
    let options = Options { format: Some(Format::Table), ..Options::of_feed("t") };
    Collected::read(text.as_bytes(), &options).unwrap()
}

#[test]
fn header_by_name_quotes_and_contexts() {
    let got = read(
        "\u{feff}Indicator;Type;Description;TLP;Severity\r\n\
         \"evil.example\";domain;\"says \"\"hi\"\";\r\nover two lines\";amber;high\r\n\
         203.0.113.5;ipv4;same;red;low\r\n203.0.113.6;ipv4;same;red;low\r\n;ipv4;;;\r\nx y;domain;;;\r\n",
    );
    assert_eq!(got.summary.format, Format::Table);
    assert_eq!(got.values(), ["evil.example", "203.0.113.5", "203.0.113.6"]);
    let first = &got.indicators[0].context;
    assert_eq!(first.description.as_deref(), Some("says \"hi\";\r\nover two lines"));
    assert_eq!((first.tlp, first.severity), (Some(Tlp::Amber), Some(Severity::High)));
    assert!(std::sync::Arc::ptr_eq(&got.indicators[1].context, &got.indicators[2].context));
    let rejects: Vec<_> = got.rejects.iter().map(|r| (r.line, r.reason)).collect();
    assert_eq!(rejects, [(Some(6), Reason::Empty), (Some(7), Reason::BadDomain)]);
}

#[test]
fn kinds_as_columns_and_ports() {
    let got = read("domain_name,ip_address\n\"evil.example\",\"203.0.113.5\"\nbad.example,\n");
    assert_eq!(got.values(), ["evil.example", "203.0.113.5", "bad.example"]);
    let got =
        read("ip\tport\tasn\n203.0.113.5\t8443\tAS1\n2001:db8::1\t443\tAS1\n203.0.113.6\t\tAS2\n");
    assert_eq!(got.values(), ["203.0.113.5:8443", "[2001:db8::1]:443", "203.0.113.6"]);
}

#[test]
fn mapping_delimiter_and_guess() {
    let mut options = Options::of_feed("t");
    options.columns = "indicator=2,type=3".parse().unwrap();
    let text = b"1,evil.example,hostname\n2,203.0.113.5,ip\n";
    let got = Collected::read(text, &options).unwrap();
    assert_eq!(got.values(), ["evil.example", "203.0.113.5"]);
    assert_eq!(got.indicators[0].scope, Scope::Exact);
    options.columns = "indicator=what".parse().unwrap();
    let text = b"no,what\n1,evil.example\n";
    assert_eq!(Collected::read(text, &options).unwrap().values(), ["evil.example"]);
    options.columns = "indicator=absent".parse().unwrap();
    let error = Collected::read(text, &options).err().unwrap().to_string();
    assert!(error.contains("no column “absent”") && error.contains("no, what"), "{error}");
    // Without any hint: the column whose cells read as values.
    let got = read("1|evil.example|x\n2|bad.example|y\n3|203.0.113.5|z\n");
    assert_eq!(got.values(), ["evil.example", "bad.example", "203.0.113.5"]);
}

#[test]
fn a_cell_with_several_values_and_one_with_a_sentence() {
    let got = read(
        "ioc_value,ioc_type\n\"a.example, b.example\",domain\nnot a url,url\n\
         two words,domain\nhttp://a.example/x http://b.example/y,url\n\
         \"203.0.113.5;203.0.113.6\",ip\n",
    );
    let want = [
        "a.example",
        "b.example",
        "http://a.example/x",
        "http://b.example/y",
        "203.0.113.5",
        "203.0.113.6",
    ];
    assert_eq!(got.values(), want);
    let reported: Vec<_> = got.rejects.iter().map(|r| (r.line, &*r.value)).collect();
    assert_eq!(reported, [(Some(3), "not a url"), (Some(4), "two words")]);
}

#[test]
fn networks_in_columns() {
    for (text, want) in [
        (
            "Start\tEnd\tNetmask\temail\n203.0.113.0\t203.0.113.255\t24\ta@isp.example\n",
            &["203.0.113.0/24"][..],
        ),
        ("# start,end\n203.0.113.0,203.0.113.127\n", &["203.0.113.0/25"]),
        (
            "ip,netmask\n203.0.113.0,255.255.255.0\n203.0.113.7,\n",
            &["203.0.113.0/24", "203.0.113.7"],
        ),
        ("subnet;prefix_len\n2001:db8::;32\n", &["2001:db8::/32"]),
        ("first,last,x\n203.0.113.4,203.0.113.9,y\n", &["203.0.113.4/30", "203.0.113.8/31"]),
        // Without a header, if there is only one possible meaning.
        (
            "203.0.113.0,203.0.113.255,x\n198.51.100.0,198.51.100.127,y\n",
            &["203.0.113.0/24", "198.51.100.0/25"],
        ),
        ("203.0.113.0;24\n198.51.100.0;25\n", &["203.0.113.0/24", "198.51.100.0/25"]),
        // Times, flows and counts are not networks.
        ("ip,first,last\n203.0.113.5,2026-01-01,2026-01-02\n", &["203.0.113.5"]),
        ("203.0.113.5,198.51.100.7\n", &["203.0.113.5", "198.51.100.7"]),
        ("ip,prefix\n203.0.113.5,203.0.113.0/24\n", &["203.0.113.5"]),
        ("ip,length\n203.0.113.5,32\n203.0.113.6,7\n", &["203.0.113.5", "203.0.113.6"]),
    ] {
        assert_eq!(read(text).values(), want, "{text}");
    }
    let got = read(
        "start,end\n203.0.113.0,203.0.113.255\n203.0.113.9,203.0.113.5\n\
                    198.51.100.0,198.51.100.7\n198.51.100.8,198.51.100.15\n192.0.2.0,192.0.2.1\n",
    );
    assert_eq!(
        got.rejects.iter().map(|r| (r.line, r.reason)).collect::<Vec<_>>(),
        [(Some(3), Reason::BadNetwork)]
    );
}

#[test]
fn what_is_left_out_is_reported() {
    let got = read("x1|evil.example|other.example\nx2|bad.example|more.example\n");
    assert_eq!(got.values(), ["evil.example", "bad.example"]);
    let reported: Vec<_> = got.rejects.iter().map(|r| (&*r.value, r.reason)).collect();
    assert_eq!(reported, [("other.example", Reason::LeftOut), ("more.example", Reason::LeftOut)]);
    // A line with more fields than any table is reported, and its cost is linear.
    let got = read_table(&format!("indicator,x\nevil.example,1\n{}\n", "a,".repeat(10_000)));
    assert_eq!(got.rejects.iter().map(|r| r.reason).collect::<Vec<_>>(), [Reason::TooLong]);
}

#[test]
fn quotes_that_chain_over_many_lines_cost_what_they_are_long() {
    // Each line opens the field that the next one closes, and the last stays open: following them
    // again from each line would take quadratic time.
    let lines = 20_000;
    let mut text = String::from("indicator,type,note\n");
    text.push_str("a.example,domain,\"");
    for _ in 0..lines {
        text.push_str("\nx\",\"");
    }
    let got = read_table(&text);
    assert_eq!(got.values()[0], "a.example");
}

#[test]
fn a_stray_quote_costs_one_line() {
    let got = read(
        "indicator,type,note\na.example,domain,\"open\nb.example,domain,x\nc.example,domain,y\n",
    );
    assert_eq!(got.values(), ["a.example", "b.example", "c.example"]);
}

#[test]
fn dumps_of_urlhaus_are_read() {
    let got = read(
        "################\n# abuse.ch URLhaus Database Dump (CSV)\n#\n\
         # id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n\
         \"1\",\"2024-01-02 03:04:05\",\"http://evil.example/a,b\",\"online\",\"None\",\
         \"malware_download\",\"elf,Mozi\",\"https://urlhaus.abuse.ch/url/1/\",\"x\"\n",
    );
    assert_eq!(got.summary.format, Format::AbuseCh);
    assert_eq!(got.values(), ["http://evil.example/a,b"]);
    let context = &got.indicators[0].context;
    assert_eq!(context.tags, ["elf", "Mozi"]);
    assert_eq!(context.references, ["https://urlhaus.abuse.ch/url/1/"]);
    assert_eq!(context.first_seen, Timestamp::parse("2024-01-02T03:04:05Z"));
    assert_eq!(context.last_seen, None);
}

#[test]
fn dumps_of_threatfox_are_read() {
    let got = read(
        "# ThreatFox IOCs: recent\n# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\
         \"threat_type\",\"fk_malware\",\"malware_alias\",\"malware_printable\",\"last_seen_utc\",\
         \"confidence_level\",\"is_compromised\",\"reference\",\"tags\",\"anonymous\",\"reporter\"\n\
         \"2024-01-02 03:04:05\", \"7\", \"203.0.113.9:8443\", \"ip:port\", \"botnet_cc\", \"win.x\", \
         \"None\", \"Cobalt Strike\", \"\", \"75\", \"False\", \"None\", \"c2\", \"0\", \"r\"\n\
         \"2024-01-02 03:04:05\", \"8\", \"evil.example\", \"domain\", \"botnet_cc\", \"win.x\", \
         \"None\", \"Cobalt Strike\", \"\", \"100\", \"False\", \"https://r.example/\", \"None\", \"0\", \"r\"\n",
    );
    assert_eq!(got.summary.format, Format::AbuseCh);
    let found: Vec<_> = got.indicators.iter().map(|i| (i.kind, i.scope)).collect();
    assert_eq!(found, [(Kind::Endpoint, Scope::Exact), (Kind::Domain, Scope::Subtree)]);
    let context = &got.indicators[0].context;
    assert_eq!((context.confidence, context.id.as_deref()), (Some(75), Some("7")));
    assert_eq!(context.malware, ["Cobalt Strike"]);
    assert!(context.references.is_empty());
}

#[test]
fn feodo_sslbl_and_bazaar() {
    let got = read(
        "# Feodo Tracker\n\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\
         \"malware\"\n\"2024-01-02 03:04:05\",\"203.0.113.9\",\"443\",\"online\",\"2024-01-02\",\"QakBot\"\n",
    );
    assert_eq!(got.values(), ["203.0.113.9:443"]);
    assert_eq!(got.indicators[0].context.malware, ["QakBot"]);
    let got = read(
        "# SSLBL\n# Listingdate,SHA1,Listingreason\n2024-01-02 03:04:05,\
         0123456789abcdef0123456789abcdef01234567,Dridex C&C\n",
    );
    assert_eq!(got.indicators[0].kind, Kind::CertSha1);
    assert_eq!(got.indicators[0].context.malware, ["Dridex"]);
    let got = read(
        "# ja3_md5,Firstseen,Lastseen,Listingreason\n\
         0123456789abcdef0123456789abcdef,2017-07-14 18:08:15,2019-07-27 20:42:54,Adware\n",
    );
    assert_eq!(got.indicators[0].kind, Kind::Ja3);
    assert_eq!(got.indicators[0].context.confidence, Some(25));
    let md5 = "0123456789abcdef0123456789abcdef";
    let got = read(&format!(
        "# \"first_seen_utc\",\"sha256_hash\",\"md5_hash\",\"sha1_hash\",\"reporter\",\"file_name\",\
         \"file_type_guess\",\"mime_type\",\"signature\",\"clamav\",\"vtpercent\",\"imphash\",\
         \"ssdeep\",\"tlsh\"\n\"2024-01-02 03:04:05\", \"{md5}{md5}\", \"{md5}\", \"{md5}01234567\", \
         \"r\", \"x.exe\", \"exe\", \"application/x\", \"AgentTesla\", \"n/a\", \"n/a\", \"{md5}\", \
         \"3:a:b\", \"T1AB\"\n"
    ));
    let kinds: Vec<_> = got.indicators.iter().map(|i| i.kind).collect();
    assert_eq!(kinds, [Kind::Sha256, Kind::Md5, Kind::Sha1]);
    assert_eq!(got.indicators[0].context.malware, ["AgentTesla"]);
}
