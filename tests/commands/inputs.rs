//! Inputs that contain others: their members give the same alerts as they do alone, and what
//! cannot be opened is reported.

use crate::harness::{Dir, Run, project};
use serde_json::Value;
use std::fs;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;

fn prepared(name: &str) -> Dir {
    let dir = Dir::new(name);
    let mut compile = dir.command();
    compile.args(["compile", "-q", "-o", "db", "--internal"]);
    compile.arg(project().join("testdata/indicators")).run().expect(0);
    dir
}

fn scan(dir: &Dir, args: &[&str]) -> Run {
    let mut command = dir.command();
    command.args(["scan", "--db", "db", "--format", "json", "--at", "2026-11-24T04:20:00Z"]);
    command.args(args).run()
}

fn zipped(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn tarred(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    archive.into_inner().unwrap()
}

/// Alerts without what differs between runs, with paths shortened to the last name.
fn alerts(run: &Run) -> Vec<Value> {
    let mut alerts = run.json_lines();
    for alert in &mut alerts {
        for place in ["log", "packet"] {
            if let Some(path) = alert.pointer_mut(&format!("/{place}/path")) {
                let name = path.as_str().unwrap().rsplit('/').next().unwrap().to_string();
                *path = name.into();
            }
        }
        for gone in ["time", "id"] {
            alert.as_object_mut().unwrap().remove(gone);
        }
        if let Some(packet) = alert.get_mut("packet").and_then(Value::as_object_mut) {
            packet.remove("flow_id");
        }
    }
    alerts
}

const FILES: [&str; 4] = [
    "logs/nginx_access.log",
    "captures/dns_http_tls.pcap",
    "mail/invoice-7731.eml",
    "logs/zeek_dns.log",
];

#[test]
fn members_of_archives_are_scanned_like_files() {
    let dir = prepared("archives");
    let members: Vec<(&str, Vec<u8>)> = FILES
        .iter()
        .map(|name| (*name, fs::read(project().join("testdata").join(name)).unwrap()))
        .collect();
    for (name, bytes) in &members {
        dir.create(name.rsplit('/').next().unwrap(), bytes);
    }
    let names: Vec<&str> = FILES.iter().map(|name| name.rsplit('/').next().unwrap()).collect();
    let want = alerts(&scan(&dir, &names).expect(0));
    assert!(want.len() > 100, "{}", want.len());
    dir.create("a.zip", zipped(&members));
    dir.create("a.tar", tarred(&members));
    dir.create("a.tar.zst", zstd::stream::encode_all(&tarred(&members)[..], 1).unwrap());
    dir.create("b.zip", zipped(&[("deep/a.tar", tarred(&members))]));
    for archive in ["a.zip", "a.tar", "a.tar.zst", "b.zip"] {
        for ways in [["-j", "1"], ["-j", "3"], ["--chunk-size", "100"]] {
            let got = alerts(&scan(&dir, &[&ways[..], &[archive]].concat()).expect(0));
            assert!(got == want, "{archive} {ways:?}: {} of {}", got.len(), want.len());
        }
        let bytes = fs::read(dir.path().join(archive)).unwrap();
        let mut piped = dir.command();
        piped.args(["scan", "--db", "db", "--format", "json", "--at", "2026-11-24T04:20:00Z"]);
        let got = alerts(&piped.arg("-").stdin(bytes).run().expect(0));
        assert!(got == want, "{archive} in a pipe: {} of {}", got.len(), want.len());
    }
}

#[test]
fn wide_characters_give_the_alerts_of_narrow_ones() {
    let dir = prepared("wide");
    let log = fs::read_to_string(project().join("testdata/logs/nginx_access.log")).unwrap();
    dir.create("x.log", &log);
    let want = alerts(&scan(&dir, &["x.log"]).expect(0));
    let units = || log.encode_utf16();
    for bytes in [
        units().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
        [&b"\xfe\xff"[..], &units().flat_map(u16::to_be_bytes).collect::<Vec<u8>>()].concat(),
        log.chars().flat_map(|c| (c as u32).to_le_bytes()).collect(),
    ] {
        dir.create("x.log", bytes);
        for ways in [["-j", "1"], ["--chunk-size", "77"]] {
            assert!(alerts(&scan(&dir, &[&ways[..], &["x.log"]].concat()).expect(0)) == want);
        }
    }
}

#[test]
fn what_is_not_searched_is_named_and_counted() {
    let dir = prepared("closed");
    dir.create("a.7z", b"7z\xbc\xaf\x27\x1c\0\x04rest");
    dir.create("b.pdf", b"%PDF-1.7\nstream\x01\x02 203.0.113.66 \0endstream");
    dir.create("program", b"\x7fELF\x02\x01\x01\0\0\0\0\0 203.0.113.66 \0");
    dir.create("plain", "nothing here\n");
    let run = scan(&dir, &["--stats=json", "a.7z", "b.pdf", "plain"]);
    // Their raw bytes are still searched.
    let run = run.expect(2).expect_stdout("203.0.113.66");
    let run = run.expect_stderr("wiresift: a.7z: 7z: not searched");
    let run = run.expect_stderr("wiresift: not searched: 1 7z, 1 pdf");
    run.expect_stderr(r#""not_searched":{"7z":1,"pdf":1}"#);
    scan(&dir, &["a.7z"]).expect(2);
    // A program hides nothing.
    scan(&dir, &["program"]).expect(0).expect_stderr("1 binary file searched as raw bytes");
    scan(&dir, &["plain"]).expect(1).expect_no_stderr("not searched");
}

#[test]
fn two_names_in_no_encoding_stay_two() {
    use std::os::unix::ffi::OsStrExt;
    let dir = prepared("names");
    for name in [&b"tree-\xff.log"[..], b"tree-\xfe.log"] {
        fs::write(dir.path().join(std::ffi::OsStr::from_bytes(name)), "203.0.113.66\n").unwrap();
    }
    let run = scan(&dir, &["."]);
    let paths = run.json_lines();
    let paths: Vec<_> = paths.iter().filter_map(|a| a.pointer("/log/path")?.as_str()).collect();
    assert!(
        paths.contains(&"./tree-\\xfe.log") && paths.contains(&"./tree-\\xff.log"),
        "{paths:?}"
    );
}

#[test]
fn the_file_that_the_output_goes_to_is_passed_over() {
    let dir = prepared("output");
    dir.create("tree/a.log", "203.0.113.66\n");
    let run = dir.shell("wiresift scan --db db tree > tree/out.json; wiresift scan --db db tree >> tree/out.json; wc -l < tree/out.json").run();
    run.expect(0).expect_stdout("2\n").expect_stdout("tree/out.json: the output is not read");
}

/// Contents after other data, or in an encoding that nothing announces.
#[test]
fn containers_and_encodings_without_a_mark_are_looked_into() {
    use std::io::Read as _;
    let dir = prepared("unmarked");
    let hit = "GET / from 203.0.113.66\n";
    let zip = zipped(&[("a.log", hit.repeat(3).into_bytes())]);
    dir.create("setup.exe", [b"MZ\x90\0\x03\0\0\0", &[7; 5_000][..], &zip].concat());
    dir.create("setup.sh", [b"#!/bin/sh\nexec unzip \"$0\"\n", &zip[..]].concat());
    let mut packed = Vec::new();
    flate2::bufread::ZlibEncoder::new(hit.as_bytes(), flate2::Compression::best())
        .read_to_end(&mut packed)
        .unwrap();
    dir.create("twice.zz", packed.repeat(2));
    let mail = "From: a@x.example\nTo: b@x.example\nSubject: x\nDate: Tue, 24 Nov 2026 04:15:29 +0000\n\nsee 203.0.113.66\n";
    dir.create("1.emlx", format!("{:<10}\n{mail}<?xml version=\"1.0\"?>\n", mail.len()));
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    dir.create(
        "cyrillic.log",
        wide("соединение с узлом 203.0.113.66 не удалось\r\nещё одна строка\r\n"),
    );
    dir.create(
        "chinese.log",
        wide("连接失败，请检查网络设置。\r\n主机 203.0.113.66 无法解析，请重试一次\r\n"),
    );
    dir.create(
        "mixed.log",
        [&wide("\u{feff}запуск\r\n")[..], b"from 203.0.113.66\n", &wide("конец\r\n")].concat(),
    );
    for (name, count) in [
        ("setup.exe", 3),
        ("setup.sh", 3),
        ("twice.zz", 2),
        ("1.emlx", 1),
        ("cyrillic.log", 1),
        ("chinese.log", 1),
        ("mixed.log", 1),
    ] {
        let run = scan(&dir, &[name]).expect(0);
        let values = run.json_lines();
        let found = values.iter().filter(|alert| alert["seen"]["value"] == "203.0.113.66");
        assert_eq!(found.count(), count, "{name}: {}", run.report());
    }
    // A program without an archive after it, and an event log with nothing left.
    dir.create("program", [b"MZ\x90\0 203.0.113.66 PK\x05\x06", &[0; 60][..]].concat());
    scan(&dir, &["program"]).expect(0).expect_stderr("searched as raw bytes");
    dir.create("empty.evtx", [b"ElfFile\0", &[0; 4_088][..]].concat());
    scan(&dir, &["empty.evtx"]).expect(2).expect_stderr("empty.evtx");
    dir.create("a.parquet", b"PAR1\x15\x04\x15\x10");
    scan(&dir, &["a.parquet"]).expect(2).expect_stderr("parquet: not searched");
}

/// The database made from a folder is in that folder the next time.
#[test]
fn a_folder_of_feeds_may_hold_its_database() {
    let dir = Dir::new("own-database");
    dir.create("feeds/a.txt", "bad.example\n");
    for name in ["feeds/old.wsdb", "feeds/older.wsdb"] {
        dir.command().args(["compile", "-q", "-o", name, "feeds/a.txt"]).run().expect(0);
    }
    let run = dir.command().args(["compile", "-o", "db", "feeds"]).run().expect(0);
    run.expect_stderr("old.wsdb, older.wsdb");
    dir.command().args(["lookup", "--db", "db", "bad.example"]).run().expect(0);
}

/// A capture in Endace's format gives the same alerts as one in pcap; an unknown kind of pcap is
/// reported.
#[test]
fn captures_of_other_formats() {
    let dir = prepared("formats");
    let path = project().join("testdata/captures/dns_http_tls.pcap");
    let pcap = fs::read(&path).unwrap();
    let mut erf = Vec::new();
    for packet in
        wiresift::sensor::input::capture::Capture::new(&pcap).unwrap().map_while(Result::ok)
    {
        assert_eq!(packet.linktype, 1);
        let (seconds, micros) = (packet.time / 1_000_000, packet.time % 1_000_000);
        // Rounded up, so that the microsecond is restored.
        let fraction = ((micros as u64) << 32).div_ceil(1_000_000);
        erf.extend(((seconds as u64) << 32 | fraction).to_le_bytes());
        let padding = (8 - (18 + packet.data.len()) % 8) % 8;
        erf.extend([2, 4]);
        erf.extend(((18 + packet.data.len() + padding) as u16).to_be_bytes());
        erf.extend([0, 0]);
        erf.extend((packet.length as u16).to_be_bytes());
        erf.extend([0, 0]);
        erf.extend(packet.data);
        erf.extend(vec![0; padding]);
    }
    dir.create("a.erf", &erf);
    dir.create("a.pcap", &pcap);
    let reported = |run: Run| -> Vec<Value> {
        let mut alerts = run.json_lines();
        for alert in &mut alerts {
            alert["packet"]["path"] = Value::Null;
        }
        alerts
    };
    let want = reported(scan(&dir, &["a.pcap"]).expect(0));
    let got = reported(scan(&dir, &["a.erf"]).expect(0));
    assert!(!want.is_empty() && got.len() == want.len());
    for (got, want) in got.iter().zip(&want) {
        for field in ["seen", "indicators", "time", "time_source"] {
            assert_eq!(got[field], want[field]);
        }
    }
    let mut other = pcap.clone();
    other[0] = 0x35;
    other[1] = 0xcd;
    dir.create("other.pcap", &other);
    let run = scan(&dir, &["other.pcap"]).expect(2);
    run.expect_stderr("a pcap of an unknown kind");
    // Packets without a time get that of reading, and alerts say so, even if that is later than
    // the beginning, as in a pipe.
    let mut untimed = pcap.clone();
    let mut at = 24;
    while at + 16 <= untimed.len() {
        let length = u32::from_le_bytes(untimed[at + 8..at + 12].try_into().unwrap()) as usize;
        untimed[at..at + 8].fill(0);
        at += 16 + length;
    }
    dir.create("untimed.pcap", &untimed);
    let line = "(sleep 0.3; cat untimed.pcap) | wiresift scan --db db --json --at 2026-11-24 -";
    for run in [scan(&dir, &["untimed.pcap"]), dir.shell(line).run()] {
        let alerts = run.expect(0).json_lines();
        assert!(!alerts.is_empty());
        assert!(alerts.iter().all(|alert| alert["time_source"] == "read"));
    }
}
