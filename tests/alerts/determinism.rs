//! The output is the same for any number of threads, for any chunk borders and for every kind of
//! input; and memory stays bounded.

use crate::harness::records::without_ids;
use crate::harness::{Dir, TestCommand, project, skip};
use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Child;
use std::thread;

const LIST: &str = "evil.example\n203.0.113.5\n2001:db8::/32\nhttp://evil.example/gate.php\n\
    bad.guy@evil.example\n0123456789abcdef0123456789abcdef\n";

fn prepared(name: &str) -> Dir {
    let dir = Dir::new(name);
    dir.create("list.txt", LIST);
    let mut compile = dir.command();
    compile.args(["compile", "-q", "-o", "db", "--internal", "list.txt"]);
    compile.arg(project().join("testdata/indicators")).run().expect(0);
    dir
}

/// Headers in the middle of a log name the fields of the lines after them, whichever thread scans
/// a chunk, and also in a pipe.
#[test]
fn headers_in_the_middle_of_a_log() {
    let dir = prepared("headers_in_the_middle_of_a_log");
    let mut log = String::new();
    for n in 0..60 {
        let (first, second) = if n % 2 == 0 { ("a", "b") } else { ("b", "a") };
        log += &format!("#separator \\x09\n#fields\tts\t{first}\t{second}\n");
        for m in 0..n {
            log += &format!("1795493701.{m}\tx{m}\t203.0.113.5\n");
        }
    }
    dir.create("a.log", &log);
    let fields = |command: &mut TestCommand| -> Vec<String> {
        let records = command.run().expect(0).json_lines();
        records.iter().map(|r| format!("{} {}", r["log"]["line"], r["seen"]["field"])).collect()
    };
    let want = fields(&mut scan(&dir, &["-j", "1", "a.log"]));
    assert_eq!(want.len(), (0..60).sum::<usize>());
    assert!(want[0].ends_with("\"a\"") && want[1].ends_with("\"b\""), "{want:?}");
    for (threads, chunk) in [("1", "50"), ("2", "100"), ("8", "37"), ("8", "1000")] {
        let args = ["-j", threads, "--chunk-size", chunk, "a.log"];
        assert_eq!(fields(&mut scan(&dir, &args)), want, "-j {threads}, {chunk}");
        let args = ["-j", threads, "--chunk-size", chunk, "-"];
        let piped = fields(scan(&dir, &args).stdin(log.clone()));
        assert_eq!(piped, want, "piped, {chunk}");
    }
}

fn scan(dir: &Dir, args: &[&str]) -> TestCommand {
    let mut command = dir.command();
    // Lines without a time get the time of reading, which differs between runs.
    command.args(["scan", "--db", "db", "--format", "json", "--at", "2026-11-24T00:00:00Z"]);
    command.args(args);
    command
}

/// A log of hits among noise: structured and free lines, all line ends, NUL bytes and invalid
/// UTF-8, and lines longer than any chunk.
fn noisy(lines: usize) -> Vec<u8> {
    let mut log = Vec::new();
    for n in 0..lines {
        write!(log, "2026-11-24T00:{:02}:{:02}Z ", n / 60 % 60, n % 60).unwrap();
        match n % 9 {
            0 => writeln!(log, "dst=203.0.113.5 n={n} sub{n}.evil.example").unwrap(),
            1 => writeln!(log, "GET http://evil.example/gate.php?n={n} none.example").unwrap(),
            2 => log.extend_from_slice(b"\0\0bad.guy@evil.example\0\xff\xfe203.0.113.5\xc3\r\n"),
            3 => writeln!(log, "[2001:db8::{n:x}]:443 12:34:56 1.2.3.4.5").unwrap(),
            4 => writeln!(log, "{} evil.example", "x y ".repeat(n % 2000)).unwrap(),
            5 => log.extend_from_slice(b"\n\n\r\n"),
            6 => writeln!(log, "md5=0123456789ABCDEF0123456789abcdef {n}").unwrap(),
            _ => writeln!(log, "nothing at all in line {n} of 198.51.100.{}", n % 256).unwrap(),
        }
    }
    log.extend_from_slice(b"2026-11-24T01:00:00Z the last line has no end: evil.example");
    log
}

/// Without the times of reading.
fn records(output: &[u8]) -> String {
    let text = String::from_utf8(output.to_vec()).unwrap();
    let mut out = String::new();
    for line in text.lines() {
        match line.split_once("\"time\":\"").and_then(|(a, b)| Some((a, b.split_once('"')?.1))) {
            Some((head, tail)) => out += &format!("{head}{tail}\n"),
            None => out += &format!("{line}\n"),
        }
    }
    out
}

#[test]
fn the_same_bytes_for_any_threads_and_chunks() {
    let dir = prepared("threads-and-chunks");
    dir.create("noisy.log", noisy(3000));
    dir.create("small.log", noisy(40));
    let mut packed = Vec::new();
    let plain = noisy(1500);
    let mut encoder = flate2::bufread::GzEncoder::new(&plain[..], flate2::Compression::fast());
    encoder.read_to_end(&mut packed).unwrap();
    dir.create("packed.log.gz", packed);
    let inputs: Vec<String> = ["logs/named_query.log", "logs", "captures/dns_http_tls.pcap"]
        .iter()
        .map(|name| project().join("testdata").join(name).display().to_string())
        .collect();
    let mut args = vec!["noisy.log", "packed.log.gz", "small.log"];
    args.extend(inputs.iter().map(String::as_str));
    let want = scan(&dir, &args).args(["-j", "1"]).run().expect(0);
    assert!(want.json_lines().len() > 2500, "{} alerts", want.json_lines().len());
    let want = records(&want.stdout);
    for threads in ["1", "2", "8"] {
        for chunk in ["100", "4096", "65536", "0"] {
            let mut command = scan(&dir, &args);
            let got = command.args(["-j", threads, "--chunk-size", chunk]).run().expect(0);
            assert!(records(&got.stdout) == want, "-j {threads} --chunk-size {chunk} differs");
        }
    }
    // Chunks of a single byte are slow, so a small log is used.
    let want = records(&scan(&dir, &["small.log", "-j", "1"]).run().expect(0).stdout);
    for threads in ["1", "2", "8"] {
        for chunk in ["1", "2", "7", "63", "64", "65"] {
            let command = scan(&dir, &["small.log", "-j", threads, "--chunk-size", chunk]);
            let got = command.run().expect(0);
            assert!(records(&got.stdout) == want, "-j {threads} --chunk-size {chunk} differs");
        }
    }
}

#[test]
fn a_pipe_says_what_the_file_says() {
    let dir = prepared("pipe-and-file");
    let log = noisy(900);
    dir.create("a.log", &log);
    let file = records(&scan(&dir, &["a.log"]).run().expect(0).stdout);
    for threads in ["1", "2"] {
        for chunk in ["100", "0"] {
            let mut command = scan(&dir, &["-", "-j", threads, "--chunk-size", chunk]);
            let piped = records(&command.stdin(log.clone()).run().expect(0).stdout);
            // Only the name differs, and the identifiers that depend on it.
            let named = |text: &str, name: &str| {
                without_ids(&text.replace(&format!("\"path\":\"{name}\""), ""))
            };
            let name = if piped.contains("\"path\":\"-\"") { "-" } else { "stdin" };
            assert!(named(&piped, name) == named(&file, "a.log"), "-j {threads} {chunk}");
        }
    }
}

/// Every capture of `testdata`, from a file and from a pipe.
#[test]
fn a_capture_in_a_pipe_says_what_the_file_says() {
    let dir = Dir::new("capture-in-a-pipe");
    let mut captures = 0;
    for entry in fs::read_dir(project().join("testdata/captures")).unwrap() {
        let path = entry.unwrap().path();
        if !path.extension().is_some_and(|name| name == "pcap" || name == "pcapng") {
            continue;
        }
        captures += 1;
        let name = path.to_str().unwrap();
        let list = |input: &str| {
            let mut command = dir.command();
            command.args(["scan", "--observables", "-j", "1", input]);
            command
        };
        let file = list(name).run().expect(0).text().replace(name, "-");
        let piped = list("-").stdin(fs::read(&path).unwrap()).run().expect(0).text();
        assert!(piped == file, "{name}");
    }
    assert!(captures > 10);
}

/// A damaged archive reports what could be read, and that it was incomplete.
#[test]
fn a_compressed_capture_that_breaks_off() {
    let dir = Dir::new("capture-breaks-off");
    let whole = fs::read(project().join("testdata/captures/http_scan.pcap.gz")).unwrap();
    dir.create("whole.pcap.gz", &whole);
    dir.create("part.pcap.gz", &whole[..whole.len() * 3 / 4]);
    let list = |name: &str| {
        let mut command = dir.command();
        command.args(["scan", "--observables", name]);
        command
    };
    let all = list("whole.pcap.gz").run().expect(0).text();
    let part = list("part.pcap.gz").run().expect(2).expect_stderr("part.pcap.gz");
    let part = part.text().replace("part.", "whole.");
    assert!(part.lines().count() > 10 && part.len() < all.len(), "{part}");
    let lines: Vec<&str> = part.lines().collect();
    // The data of the last flow is reported as far as it was captured.
    assert!(all.lines().zip(&lines[..lines.len() - 2]).all(|(want, got)| want == *got));
}

#[test]
fn places_are_exact() {
    let dir = prepared("places");
    let log = noisy(2000);
    dir.create("a.log", &log);
    for record in scan(&dir, &["a.log", "--chunk-size", "500", "-j", "2"]).run().json_lines() {
        let number = |name: &str| record["log"][name].as_u64().unwrap() as usize;
        let (line, column, offset) = (number("line"), number("column"), number("offset"));
        let before = &log[..offset];
        assert_eq!(line, before.iter().filter(|b| **b == b'\n').count() + 1, "{record}");
        let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |newline| newline + 1);
        assert_eq!(column, offset - start + 1, "{record}");
    }
}

/// Peak of the resident memory so far, in KiB.
fn peak(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(PathBuf::from(format!("/proc/{}/status", child.id()))).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The size of the input without a line break.
const LONG: usize = 300 << 20;

#[test]
fn a_line_of_300_megabytes() {
    let name = "a_line_of_300_megabytes";
    let dir = prepared("long-line");
    let (alone, _, _) = long_line(&dir, 64 << 10);
    let (peak, offset, output) = long_line(&dir, LONG);
    let records: Vec<serde_json::Value> =
        output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 2, "{output}");
    let place = |at: usize| {
        let log = &records[at]["log"];
        ["line", "column", "offset"].map(|name| log[name].as_u64().unwrap())
    };
    assert_eq!(place(0), [1, offset + 1, offset]);
    let second = offset + "evil.example\nand ".len() as u64;
    assert_eq!(place(1), [2, 5, second]);
    match peak.zip(alone) {
        Some((peak, alone)) => {
            assert!(peak < alone + (96 << 10), "{peak} KiB, and {alone} KiB for a short line")
        }
        None => skip(name, "the memory of a process is not reported here (/proc)"),
    }
}

/// Pipes `len` bytes of one line, a hit, and a second line through a scan. Returns the
/// peak of its memory, the offset of the hit, and what it printed.
fn long_line(dir: &Dir, len: usize) -> (Option<u64>, u64, String) {
    let mut child = scan(dir, &["-", "-j", "2"]).start();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let block: Vec<u8> = b"nothing at all, 1.2.3 a.b ".repeat(2048);
    let mut offset = 0u64;
    while (offset as usize) < len {
        stdin.write_all(&block).unwrap();
        offset += block.len() as u64;
    }
    stdin.write_all(b"evil.example\nand 203.0.113.5\n").unwrap();
    // The process has read all but what fits into the pipe; it lives until the pipe is closed.
    thread::sleep(std::time::Duration::from_millis(200));
    let peak = peak(&child);
    drop(stdin);
    let mut output = String::new();
    stdout.read_to_string(&mut output).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{output}");
    (peak, offset, output)
}

#[test]
fn a_long_line_in_a_file_for_any_cut() {
    let dir = prepared("long-line-in-a-file");
    let mut log = b"first evil.example\n".to_vec();
    for n in 0..200 {
        log.extend_from_slice("padding, ".repeat(n * 31 % 4000).as_bytes());
        log.extend_from_slice(b"x.evil.example ");
    }
    log.extend_from_slice(b"\nlast evil.example\n");
    assert!(log.len() > 2 << 20);
    dir.create("a.log", &log);
    let run = scan(&dir, &["a.log", "-j", "1"]).run().expect(0);
    assert_eq!(run.json_lines().len(), 202);
    let want = records(&run.stdout);
    for (threads, chunk) in [("1", "1000"), ("2", "4096"), ("8", "65536"), ("2", "1500000")] {
        let got = scan(&dir, &["a.log", "-j", threads, "--chunk-size", chunk]).run().expect(0);
        assert!(records(&got.stdout) == want, "-j {threads} --chunk-size {chunk} differs");
    }
}

/// Records over several lines, and thousands of them in one line.
fn spread(of: usize) -> Vec<(&'static str, String)> {
    let time = |n: usize| format!("2026-06-24T{:02}:{:02}:{:02}Z", n / 3600, n / 60 % 60, n % 60);
    let address = |n: usize| if n.is_multiple_of(5) { "203.0.113.5" } else { "192.0.2.1" };
    let host = |n: usize| if n.is_multiple_of(7) { "evil.example" } else { "ok.example" };
    let event = |n: usize, br: &str, tab: &str| {
        let pad = "x".repeat(n * 31 % 300);
        let (time, ip, host) = (time(n), address(n), host(n));
        format!(
            "{{{br}{tab}\"ip\": \"{ip}\",{br}{tab}\"s\": \"}}{{\\\"{pad}\",{br}{tab}\"http\": {{{br}{tab}{tab}\
             \"host\": \"{host}\",{br}{tab}{tab}\"uri\": \"/gate.php\"{br}{tab}}},{br}{tab}\
             \"time\": \"{time}\"{br}}}"
        )
    };
    let all = |one: &dyn Fn(usize) -> String, between: &str| {
        (0..of).map(one).collect::<Vec<_>>().join(between)
    };
    let bytes = |n: usize| {
        let text = format!("to {} now", host(n)).into_bytes();
        text.iter().map(|byte| format!("\t\t{byte}")).collect::<Vec<_>>().join(",\n")
    };
    let micros = |n: usize| 1_782_259_200_000_000 + n as u64 * 1_000_000;
    vec![
        ("lines", all(&|n| event(n, "", ""), "\n") + "\n"),
        ("printed", all(&|n| event(n, "\n", "  "), "\n") + "\n"),
        ("array", format!("[\n  {}\n]\n", all(&|n| event(n, "\n  ", "  "), ",\n  "))),
        ("one line", format!("{{\"Records\":[{}]}}", all(&|n| event(n, "", ""), ","))),
        (
            "journal",
            all(
                &|n| {
                    let (micros, bytes) = (micros(n), bytes(n));
                    format!("{{\n\t\"time\" : \"{micros}\",\n\t\"MESSAGE\" : [\n{bytes}\n\t]\n}}\n")
                },
                "",
            ),
        ),
        (
            "export",
            all(
                &|n| {
                    let (micros, host) = (micros(n), host(n));
                    format!("__CURSOR=s={n}\n__REALTIME_TIMESTAMP={micros}\nMESSAGE={host}\n\n")
                },
                "",
            ),
        ),
        (
            "events",
            all(
                &|n| {
                    let (time, ip) = (time(n), address(n));
                    format!(
                        "Event[{n}]:\n  Date: {time}\n  Description: \nConnection:\n\nSourceIp: {ip}\n\n"
                    )
                },
                "",
            ),
        ),
        (
            "list",
            all(
                &|n| {
                    let (h, m, s, ip) = (n / 3600 % 12, n / 60 % 60, n % 60, address(n));
                    let h = if h == 0 { 12 } else { h };
                    format!(
                        "TimeCreated : 6/24/2026 {h}:{m:02}:{s:02} AM\nId          : 3\n\
                         Message     : Connection:\n              SourceIp: {ip}\n\n"
                    )
                },
                "",
            ),
        ),
    ]
}

/// The fields and times of records only depend on the bytes: not on the threads, nor on chunk
/// borders, nor on whether it is a file, a pipe or compressed. They are the same as those of
/// records on one line each.
#[test]
fn records_wherever_the_input_is_cut() {
    let dir = prepared("records_wherever_the_input_is_cut");
    let reported = |run: &crate::harness::Run| -> Vec<String> {
        let reported = |r: &serde_json::Value| {
            format!("{} {} {}", r["seen"]["value"], r["seen"]["field"], r["time"])
        };
        run.json_lines().iter().map(reported).collect()
    };
    let mut lines: Option<Vec<String>> = None;
    for (name, text) in spread(6000) {
        dir.create("a.log", &text);
        let want = reported(&scan(&dir, &["a.log", "-j", "1"]).run().expect(0));
        assert!(want.len() > 800 && want.iter().all(|it| it.contains("2026-06-24T")), "{name}");
        if ["lines", "printed", "array", "one line"].contains(&name) {
            assert!(want == *lines.get_or_insert_with(|| want.clone()), "{name}");
        }
        for (threads, chunk) in [("1", "1000"), ("2", "4096"), ("8", "0"), ("8", "70001")] {
            let args = ["-j", threads, "--chunk-size", chunk];
            let got = reported(&scan(&dir, &["a.log"]).args(args).run().expect(0));
            assert!(got == want, "{name}, -j {threads} --chunk-size {chunk} differs");
            let got = reported(&scan(&dir, &["-"]).args(args).stdin(text.clone()).run().expect(0));
            assert!(got == want, "{name}, piped, -j {threads} --chunk-size {chunk} differs");
        }
        let mut packed = Vec::new();
        let fast = flate2::Compression::fast();
        flate2::bufread::GzEncoder::new(text.as_bytes(), fast).read_to_end(&mut packed).unwrap();
        dir.create("a.log.gz", packed);
        assert!(
            reported(&scan(&dir, &["a.log.gz"]).run().expect(0)) == want,
            "{name}, packed, differs"
        );
    }
    // For any end of the first chunk.
    for (name, text) in spread(30).into_iter().filter(|(name, _)| *name != "one line") {
        dir.create("a.log", &text);
        let want = reported(&scan(&dir, &["a.log", "-j", "1"]).run().expect(0));
        for chunk in (1..text.len().min(700)).step_by(13) {
            let args = ["a.log", "--chunk-size", &chunk.to_string()];
            assert!(reported(&scan(&dir, &args).run().expect(0)) == want, "{name}, {chunk}");
        }
    }
}
