//! What records mean apart from their values: that they are harmless, that they belong together,
//! and what they describe.

use crate::intel::feed::{Collected, Options};

const MD5: &str = "0123456789abcdef0123456789abcdef";

/// Collects texts that are read differently than expected.
fn check(rows: &[(&str, &[&str])]) {
    let mut wrong = Vec::new();
    for (text, want) in rows {
        let text = text.replace("MD5SUM", MD5);
        match Collected::read(text.as_bytes(), &Options::of_feed("t")) {
            Ok(got) if got.values() == *want => {}
            Ok(got) => wrong.push(format!(
                "{text}\n  {:?} {:?} {:?}",
                got.summary.format,
                got.values(),
                got.rejects.iter().map(|r| (&*r.value, r.reason)).collect::<Vec<_>>()
            )),
            Err(error) => wrong.push(format!("{text}\n  {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_harmless_is_no_indicator() {
    check(&[
        (
            "IndicatorType,IndicatorValue,Action\nDomainName,good.example,Allowed\n\
             DomainName,evil.example,BlockAndRemediate\n",
            &["evil.example"],
        ),
        (
            "indicator,type,action\na.example,domain,Permitted\nb.example,domain,Whitelisted\n\
             c.example,domain,block\n",
            &["c.example"],
        ),
        (
            "indicator,type,category\ngood.example,domain,benign\nevil.example,domain,malware\n",
            &["evil.example"],
        ),
        ("indicator,list\ngood.example,whitelist\nevil.example,blacklist\n", &["evil.example"]),
        (
            "url,label\nhttp://a.example/x,benign\nhttp://b.example/x,phishing\n",
            &["http://b.example/x"],
        ),
        (
            "url,type\nhttp://a.example/x,benign\nhttp://b.example/x,phishing\n",
            &["http://b.example/x"],
        ),
        ("indicator,malicious,note\na.example,false,x\nb.example,true,y\n", &["b.example"]),
        // Counts of engines, which may be zero because the value is new.
        ("domain,malicious,harmless\na.example,0,60\nb.example,4,2\n", &["a.example", "b.example"]),
        (
            "indicator,type,deleted\nevil.example,domain,0\ngood.example,domain,x\n",
            &["evil.example"],
        ),
        (
            "entity_type,name,revoked\nDomain-Name,a.example,true\nDomain-Name,b.example,false\n",
            &["b.example"],
        ),
        (
            "id,name,pattern,pattern_type,revoked\n1,x,[domain-name:value = 'evil.example'],stix,false\n\
             2,good.example,\"[domain-name:value = 'good.example']\",stix,true\n",
            &["evil.example"],
        ),
        (
            r#"[{"indicator":"a.example","type":"domain","action":"Allowed"},
                {"indicator":"b.example","type":"domain","action":"Block"},
                {"indicator":"c.example","type":"domain","category":"benign"},
                {"indicator":"d.example","type":"domain","category":"malware"},
                {"indicator":"e.example","type":"domain","malicious":false},
                {"indicator":"f.example","type":"domain","malicious":true},
                {"indicator":"g.example","type":"domain","is_malicious":0},
                {"indicator":"h.example","type":"domain","is_malicious":1},
                {"indicator":"i.example","type":"domain","verdict":"clean"},
                {"indicator":"j.example","type":"domain","threat":"none"},
                {"indicator":"k.example","type":"domain","tags":["cdn","benign"]},
                {"indicator":"l.example","type":"domain","tags":["c2","good"]},
                {"indicator":"m.example","type":"domain","list":"whitelist"},
                {"indicator":"n.example","type":"domain","ids":false}]"#,
            &["b.example", "d.example", "f.example", "h.example", "l.example"],
        ),
        (
            r#"[{"name":"good.example","pattern":"[domain-name:value = 'good.example']","pattern_type":"stix","revoked":true},
                {"name":"x.example","pattern":"[domain-name:value = 'evil.example']","pattern_type":"stix","revoked":false}]"#,
            &["evil.example"],
        ),
        (
            r#"{"@odata.context":"x","value":[{"indicatorValue":"a.example","indicatorType":"DomainName","action":"Allowed"},
                {"indicatorValue":"b.example","indicatorType":"DomainName","action":"Alert"}]}"#,
            &["b.example"],
        ),
    ]);
}

#[test]
fn columns_of_ports_and_paths() {
    check(&[
        ("203.0.113.9,8443\n198.51.100.9,443\n", &["203.0.113.9:8443", "198.51.100.9:443"]),
        ("203.0.113.9;8443\n198.51.100.9;443\n", &["203.0.113.9:8443", "198.51.100.9:443"]),
        ("203.0.113.9\t80\n198.51.100.9\t443\n", &["203.0.113.9:80", "198.51.100.9:443"]),
        (
            "2026-11-01,203.0.113.9,8443\n2026-11-02,2001:db8::9,443\n",
            &["203.0.113.9:8443", "[2001:db8::9]:443"],
        ),
        // Scores and counts.
        ("203.0.113.9,90\n198.51.100.9,80\n", &["203.0.113.9", "198.51.100.9"]),
        ("203.0.113.9\t3\n198.51.100.9\t1\n", &["203.0.113.9", "198.51.100.9"]),
        ("203.0.113.9,13335\n198.51.100.9,64496\n", &["203.0.113.9", "198.51.100.9"]),
        ("host,path\nevil2.example,/gate.php\n", &["evil2.example/gate.php"]),
        (
            "date;domain;uri\n2026-11-01;evil2.example;/gate.php?a=1\n",
            &["evil2.example/gate.php?a=1"],
        ),
        ("host,port,path\nevil2.example,8080,/gate.php\n", &["evil2.example:8080/gate.php"]),
        ("host,path\nevil2.example,\n", &["evil2.example"]),
        ("url,host,path\nhttp://a.example/x,a.example,/x\n", &["http://a.example/x"]),
        ("ip,path\n203.0.113.7,/x/b.sh\n", &["203.0.113.7/x/b.sh", "203.0.113.7"]),
        (r#"[{"host":"evil2.example","path":"/gate.php"}]"#, &["evil2.example/gate.php"]),
        (r#"[{"domain":"evil2.example","uri":"/gate.php","x":1}]"#, &["evil2.example/gate.php"]),
        ("a.example/\nb.example/x\n", &["a.example", "a.example/", "b.example/x"]),
    ]);
}

#[test]
fn objects_in_records() {
    check(&[
        (
            r#"{"iocs":{"domains":["evil.example"],"hashes":{"md5":["MD5SUM"]}}}"#,
            &["evil.example", MD5],
        ),
        (
            r#"{"title":"x","date":"2026-11-01","iocs":{"domains":["evil.example"],"files":[{"name":"a","md5":"MD5SUM"}]}}"#,
            &["evil.example", MD5],
        ),
        (
            r#"{"name":"report","content":{"ips":["203.0.113.5"]},"request":{"ip":"198.51.100.7"}}"#,
            &["203.0.113.5"],
        ),
        // A record that names its value refers only to that.
        (
            r#"[{"indicator":"evil.example","type":"domain","files":[{"md5":"MD5SUM"}]}]"#,
            &["evil.example"],
        ),
        (
            r#"{"data":[{"ipAddress":"203.0.113.5","domain":"isp.example","hostnames":["h.isp.example"]}]}"#,
            &["203.0.113.5"],
        ),
        (
            r#"[{"ip_str":"203.0.113.5","port":443,"hostnames":["h.isp.example"],"domains":["isp.example"],"org":"x"}]"#,
            &["203.0.113.5:443"],
        ),
        (
            r#"{"ips":["203.0.113.5"],"hostnames":["h.example"],"domains":["d.example"]}"#,
            &["203.0.113.5", "h.example", "d.example"],
        ),
    ]);
}
