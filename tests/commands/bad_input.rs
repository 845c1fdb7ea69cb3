//! Bad input: each kind has its own message, which names the path and the remedy, and its exit
//! status.

use crate::harness::{Code, Dir, Run, skip};
use proptest::prelude::*;
use std::fs;
use std::path::PathBuf;
use wiresift::engine::compile::Compiler;
use wiresift::engine::database::Database;
use wiresift::engine::indicator::{Place, Timestamp};
use wiresift::engine::scan::{Origin, Scanner};
use wiresift::intel::feed::{self, Collected};
use xxhash_rust::xxh3::xxh3_64;

const LIST: &str = "evil.example\n203.0.113.5\n198.51.100.0/24\n2001:db8::1\n203.0.113.9:8443\n\
    *.wild.example\n0123456789abcdef0123456789abcdef\nhttp://evil.example/gate.php\n\
    bad.guy@evil.example\nCVE-2024-12345\n";
const LOG: &str = "a evil.example 203.0.113.5 198.51.100.7 x.wild.example 2001:db8::1\n\
    203.0.113.9:8443 0123456789abcdef0123456789abcdef http://evil.example/gate.php?x=1\n\
    bad.guy@evil.example CVE-2024-12345 none.example\n";

/// A directory with a list, its database `db`, and a log.
fn prepared(name: &str) -> Dir {
    let dir = Dir::new(name);
    dir.create("list.txt", LIST);
    dir.create("a.log", LOG);
    dir.command().args(["compile", "-q", "-o", "db", "--internal", "list.txt"]).run().expect(0);
    dir
}

fn compile(dir: &Dir, inputs: &[&str]) -> Run {
    dir.command().args(["compile", "-o", "db"]).args(inputs).run()
}

fn scan(dir: &Dir, database: &str) -> Run {
    dir.command().args(["scan", "--db", database, "--format", "json", "a.log"]).run()
}

#[test]
fn files_that_are_no_feeds() {
    let mut noise = vec![0u8; 4000];
    let mut state = 88_172_645_463_325_252u64;
    for byte in &mut noise {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *byte = state as u8;
    }
    let page = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body></body></html>";
    let program = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0";
    let words = b"once upon a time\nthere was a list\nthat was none\n";
    for (name, bytes, message) in [
        ("empty", &b""[..], "the file is empty"),
        ("blank", b"\n\n  \n", ""),
        ("page", page, "an HTML page, not a list of indicators"),
        ("noise", &noise, "a binary file, not a list of indicators"),
        ("program", program, "a program, not a list of indicators"),
        ("words", words, "unknown format"),
    ] {
        let dir = Dir::new(name);
        dir.create("feed", bytes);
        compile(&dir, &["feed"]).expect(2).expect_stderr("wiresift: feed: ").expect_stderr(message);
        assert!(!dir.path().join("db").exists(), "{name}: a database was written");
    }
}

#[test]
fn one_bad_feed_among_good_ones() {
    let dir = Dir::new("one-bad-feed");
    dir.create("list.txt", LIST);
    dir.create("page.txt", "<html><body>gone</body></html>");
    compile(&dir, &["page.txt", "missing.txt", "list.txt"])
        .expect(2)
        .expect_stderr("page.txt: this is an HTML page")
        .expect_stderr("missing.txt: ")
        .expect_stderr("2 files could not be read");
    dir.create("a.log", LOG);
    scan(&dir, "db").expect(0).expect_stdout("evil.example");
}

#[test]
fn an_unknown_format_by_name() {
    let dir = Dir::new("format-by-name");
    dir.create("list.txt", LIST);
    compile(&dir, &["--as", "nonsense", "list.txt"])
        .expect(2)
        .expect_stderr("unknown format “nonsense”")
        .expect_stderr("maltrail");
}

#[test]
fn more_threads_than_can_be() {
    let dir = prepared("threads");
    for number in ["1025", "1000000", "99999999999", "18446744073709551616", "-1", "x"] {
        let threads = format!("--threads={number}");
        dir.command()
            .args(["scan", "--db", "db", &threads, "a.log"])
            .run()
            .expect(2)
            .expect_stderr("expected a number from 0 to 1024");
    }
    dir.command().args(["scan", "--db", "db", "--threads=1024", "a.log"]).run().expect(0);
}

#[test]
fn indicators_that_would_match_everything() {
    let dir = Dir::new("everything");
    dir.create("feed.txt", "com\n0.0.0.0/0\n::/0\n*\nco.uk\nevil.example\n");
    compile(&dir, &["feed.txt", "--rejects", "rejects.tsv"]).expect(0).expect_stderr("too_wide");
    let rejects = fs::read_to_string(dir.path().join("rejects.tsv")).unwrap();
    let rows: Vec<Vec<&str>> = rejects.lines().map(|row| row.split('\t').collect()).collect();
    assert_eq!(rows[0], ["#path", "line", "value", "reason", "detail", "remedy"]);
    for (line, value, reason) in [
        ("1", "com", "single_label"),
        ("2", "0.0.0.0/0", "too_wide"),
        ("3", "::/0", "too_wide"),
        ("4", "*", "matches_everything"),
        ("5", "co.uk", "public_suffix"),
    ] {
        let row = rows.iter().find(|row| row[2] == value);
        let row = row.unwrap_or_else(|| panic!("{value} was not rejected:\n{rejects}"));
        assert_eq!((row[0], row[1], row[3]), ("feed.txt", line, reason), "{value}");
        assert!(row[5].len() > 5, "{value} has no remedy");
    }
    assert_eq!(rows.len(), 6, "{rejects}");
    dir.create("a.log", "www.com shop.co.uk 192.0.2.1 2001:db8::1 anything\n");
    scan(&dir, "db").expect(1);
}

#[test]
fn rejected_lines_have_numbers_and_remedies() {
    let dir = Dir::new("rejects");
    dir.create("feed.csv", "indicator,type\nevil.example,domain\n203.0.113.300,ip\nzz,md5\n,ip\n");
    compile(&dir, &["feed.csv", "--rejects", "rejects.tsv"]).expect(0);
    let rejects = fs::read_to_string(dir.path().join("rejects.tsv")).unwrap();
    assert!(rejects.contains("feed.csv\t3\t203.0.113.300\tbad_address\t"), "{rejects}");
    assert!(rejects.contains("feed.csv\t4\tzz\tbad_digest\t"), "{rejects}");
    let dir = Dir::new("rejects-unwritable");
    dir.create("list.txt", LIST);
    compile(&dir, &["list.txt", "--rejects", "no/such/rejects.tsv"])
        .expect(2)
        .expect_stderr("no/such/rejects.tsv: cannot write the list of rejects");
}

#[test]
fn what_is_no_database() {
    let dir = prepared("no-database");
    dir.create("empty", "");
    fs::create_dir(dir.path().join("folder")).unwrap();
    let good = fs::read(dir.path().join("db")).unwrap();
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    dir.create("newer", with(8, &9999u32.to_le_bytes()));
    dir.create("older", with(8, &0u32.to_le_bytes()));
    dir.create("other", with(12, &0x0a0b_0c0du32.to_be_bytes()));
    dir.create("short", &good[..good.len() / 2]);
    dir.create("head", &good[..40]);
    dir.create("long", [&good[..], b"x"].concat());
    for (name, message, remedy) in [
        ("empty", "the file is empty", "compile it again"),
        ("absent", "cannot open the database", "wiresift compile -o"),
        ("newer", "the database has format 9999, this program reads", "a newer wiresift"),
        ("older", "the database has the old format 0", "compile it again"),
        ("other", "a machine with the other byte order", "compile it on this machine"),
        ("short", "the file is truncated", "compile it again"),
        ("head", "not a wiresift database", "wiresift compile -o"),
        ("long", "the file is truncated, or something was appended to it", "compile it again"),
    ] {
        for run in [
            scan(&dir, name),
            dir.command().args(["lookup", "--db", name, "evil.example"]).run(),
            dir.command().args(["inspect", name]).run(),
        ] {
            run.expect(2)
                .expect_stderr(&format!("wiresift: {name}: "))
                .expect_stderr(message)
                .expect_stderr(remedy);
        }
        let verified = dir.command().args(["verify", name]).run().expect_stderr(message);
        let status = i32::from(name != "absent");
        assert_eq!(verified.code, Code::Exit(2 - status), "verify {name}\n{}", verified.report());
    }
    // Commands that scan also accept a list; those that inspect a database do not.
    for command in ["inspect", "verify"] {
        let run = dir.command().args([command, "a.log"]).run();
        run.expect_stderr("not a wiresift database").expect_stderr("wiresift compile -o");
        let run = dir.command().args([command, "folder"]).run().expect(2);
        run.expect_stderr("a directory is not a database").expect_stderr("name the file");
    }
}

/// The hits of a database in the log, and whether it opens.
fn hits(bytes: Vec<u8>) -> Option<Vec<(u64, String)>> {
    let database = Database::from_bytes(bytes).ok()?;
    let mut hits = Vec::new();
    let mut scanner = Scanner::default();
    let text = LOG.as_bytes();
    scanner.scan_text(&database, text, 0..text.len(), &Origin::new("a.log"), |hit| {
        let Place::Log(place) = &hit.place else { panic!("no log") };
        hits.extend(hit.matches.iter().map(|met| (place.offset, met.value.clone())));
    });
    for value in LOG.split_whitespace() {
        scanner.explain(&database, value, Timestamp(0));
    }
    Some(hits)
}

fn small() -> Vec<u8> {
    let mut options = feed::Options::of_feed("small");
    options.internal = true;
    let mut found = Collected::default();
    feed::read(LIST.as_bytes(), &options, &mut found).unwrap();
    let mut compiler = Compiler::default();
    for indicator in found.indicators {
        compiler.add(indicator);
    }
    compiler.into_bytes(Timestamp(0)).unwrap()
}

#[test]
fn every_byte_that_flips_is_noticed() {
    let good = small();
    let found = hits(good.clone()).unwrap();
    assert!(found.len() >= 10, "{found:?}");
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1 << (at % 8);
        // The build time is in the header's checksum, too.
        assert!(hits(changed).is_none(), "byte {at} changed, and the database opens");
    }
}

#[test]
fn every_truncation_is_noticed() {
    let good = small();
    let step = 1 + good.len() / 4000;
    for len in (0..good.len()).step_by(step).chain(good.len() - 80..good.len()) {
        assert!(hits(good[..len].to_vec()).is_none(), "{len} of {} bytes open", good.len());
    }
}

/// The positions of the sections according to their table.
fn sections(bytes: &[u8]) -> Vec<(usize, std::ops::Range<usize>)> {
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let count = u32::from_le_bytes(bytes[48..52].try_into().unwrap()) as usize;
    let rows = (0..count).map(|row| 64 + row * 32);
    rows.map(|row| (row, number(row + 8)..number(row + 8) + number(row + 16))).collect()
}

/// Corrects the checksums.
fn correct_checksums(bytes: &mut [u8]) {
    let sections = sections(bytes);
    for (row, range) in &sections {
        let checksum = xxh3_64(&bytes[range.clone()]);
        bytes[row + 24..row + 32].copy_from_slice(&checksum.to_le_bytes());
    }
    let table = 64..64 + sections.len() * 32;
    let head = xxh3_64(&[&bytes[..56], &bytes[table]].concat());
    bytes[56..64].copy_from_slice(&head.to_le_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None, cases: 3000, ..ProptestConfig::default()
    })]

    /// Sections with arbitrary contents and correct checksums: a database that opens can be
    /// queried.
    #[test]
    fn sections_that_lie(
        section in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..9),
        word in prop::option::of((any::<prop::sample::Index>(), prop_oneof![
            Just(u32::MAX), Just(0), Just(1 << 31), any::<u32>(),
        ])),
    ) {
        let mut bytes = small();
        let sections = sections(&bytes);
        let (_, range) = section.get(&sections);
        for (at, value) in &changes {
            bytes[range.start + at.index(range.len())] = *value;
        }
        if let Some((at, word)) = word
            && range.len() >= 4
        {
            let at = range.start + at.index(range.len() - 3);
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        correct_checksums(&mut bytes);
        hits(bytes);
    }
}

#[test]
fn corrected_checksums_are_right() {
    let good = small();
    let mut corrected = good.clone();
    correct_checksums(&mut corrected);
    assert_eq!(corrected, good);
}

fn is_root() -> bool {
    // Root can read everything.
    let dir = Dir::new("root");
    let path = dir.create("secret", "x");
    set_mode(&path, 0o000);
    fs::read(path).is_ok()
}

#[cfg(unix)]
fn set_mode(path: &PathBuf, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &PathBuf, _: u32) {}

#[test]
fn no_permission() {
    if is_root() {
        skip("no_permission", "root may read and write everything");
        return;
    }
    let dir = prepared("no-permission");
    let log = dir.create("secret.log", LOG);
    set_mode(&log, 0o000);
    dir.command()
        .args(["scan", "--db", "db", "--format", "json", "secret.log", "a.log"])
        .run()
        .expect(2)
        .expect_stderr("secret.log: ")
        .expect_stderr("ermission denied")
        .expect_stdout("evil.example");
    set_mode(&dir.path().join("db"), 0o000);
    scan(&dir, "db").expect(2).expect_stderr("ermission denied");
    set_mode(&dir.path().to_path_buf(), 0o500);
    compile(&dir, &["list.txt"]).expect(2).expect_stderr("cannot write next to the database");
    set_mode(&dir.path().to_path_buf(), 0o700);
}

/// A small file system in a separate namespace, which requires root and Linux.
#[test]
fn a_full_disk_keeps_the_old_database() {
    let dir = prepared("full-disk");
    fs::create_dir(dir.path().join("small")).unwrap();
    let script = "mount -t tmpfs -o size=128k none small || exit 77; \
        cp db small/db || exit 78; \"$@\"; code=$?; cmp db small/db || exit 79; \
        test $(ls -A small | wc -l) = 1 || exit 80; exit $code";
    let mut many = String::new();
    for n in 0..40_000 {
        many += &format!("host{n}.evil{}.example\n", n % 977);
    }
    dir.create("many.txt", many);
    let mut command = dir.command();
    command.args(["compile", "-o", "small/db", "many.txt"]);
    let has_unshare = std::process::Command::new("unshare")
        .args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_unshare {
        skip("a_full_disk_keeps_the_old_database", "no file system can be mounted here");
        return;
    }
    command
        .wrapped_in("unshare", &["-m", "sh", "-c", script, "sh"])
        .run()
        .expect(2)
        .expect_stderr("small/db: cannot write the database")
        .expect_stderr("free some space; the old database was kept");
    scan(&dir, "db").expect(0);
}

#[test]
fn a_failed_compilation_keeps_the_old_database() {
    let dir = prepared("keeps-old");
    let old = fs::read(dir.path().join("db")).unwrap();
    dir.create("page", "<html></html>");
    compile(&dir, &["page"]).expect(2).expect_stderr("the database was not written");
    assert_eq!(fs::read(dir.path().join("db")).unwrap(), old);
    compile(&dir, &["list.txt", "--rejects", "no/such/file"]).expect(2);
    assert_eq!(fs::read(dir.path().join("db")).unwrap(), old);
}

#[test]
fn targets_that_are_no_files() {
    let dir = Dir::new("targets");
    dir.create("list.txt", LIST);
    fs::create_dir(dir.path().join("db")).unwrap();
    compile(&dir, &["list.txt"])
        .expect(2)
        .expect_stderr("db: the database is a directory")
        .expect_stderr("name a file to write");
    let mut command = dir.command();
    command.args(["compile", "-o", "absent/db", "list.txt"]);
    let run = command.run().expect(2);
    run.expect_stderr("absent/db: cannot write: the folder absent does not exist");
    // A pipe that a rename would replace; never tried on a real device.
    let made = std::process::Command::new("mkfifo").arg(dir.path().join("pipe")).status();
    if made.is_ok_and(|status| status.success()) {
        // It is written to, and remains a pipe.
        let line = "cat pipe > copy & wiresift compile -o pipe list.txt; wait; test -p pipe";
        dir.shell(line).run().expect(0);
        dir.command().args(["verify", "copy"]).run().expect(0);
    } else {
        skip("targets_that_are_no_files, pipes", "mkfifo is not here");
    }
}

#[test]
fn missing_inputs_next_to_good_ones() {
    let dir = prepared("missing-inputs");
    let run = dir
        .command()
        .args(["scan", "--db", "db", "--format", "json", "gone.log", "a.log", "none/*.gz"])
        .run()
        .expect(2)
        .expect_stderr("gone.log: cannot open")
        .expect_stderr("none/*.gz")
        .expect_stdout("\"path\":\"a.log\"");
    assert!(run.json_lines().len() >= 10);
}

#[test]
fn damaged_archives_report_what_could_be_read() {
    let dir = prepared("damaged-archive");
    let mut packed = Vec::new();
    let plain = LOG.repeat(2000);
    let mut encoder =
        flate2::bufread::GzEncoder::new(plain.as_bytes(), flate2::Compression::fast());
    std::io::Read::read_to_end(&mut encoder, &mut packed).unwrap();
    dir.create("cut.log.gz", &packed[..packed.len() * 2 / 3]);
    let run = dir
        .command()
        .args(["scan", "--db", "db", "--format", "json", "cut.log.gz", "a.log"])
        .run()
        .expect(2)
        .expect_stderr("cut.log.gz: ")
        .expect_stdout("\"path\":\"a.log\"");
    assert!(run.json_lines().len() > 1000, "what was whole is scanned");
}

#[test]
fn usage() {
    let dir = prepared("usage");
    for (args, message) in [
        (&["frobnicate"][..], "unrecognized subcommand"),
        (&["scan", "a.log"], "--db"),
        (&["scan", "--db", "db", "--at", "noon-ish", "a.log"], "invalid time “noon-ish”"),
        (&["scan", "--db", "db", "--format", "yaml", "a.log"], "invalid value 'yaml'"),
        (&["compile", "list.txt"], "--output"),
        (&["compile", "-o", "x", "--severity", "dire", "list.txt"], "unknown severity “dire”"),
        (&["compile", "-o", "x", "--tlp", "blue", "list.txt"], "unknown TLP “blue”"),
        (&["lookup", "--db", "db"], "VALUE"),
        (&["completions", "tcsh-ish"], "invalid value"),
    ] {
        dir.command().args(args).run().expect(2).expect_stderr(message);
    }
    dir.command().arg("--help").run().expect(0).expect_stdout("Exit status: 0 match, 1 no match");
    dir.command().arg("--version").run().expect(0).expect_stdout("wiresift ");
}
