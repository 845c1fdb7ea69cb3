//! A spool on a full disk waits, and continues when there is room.

use super::program;
use crate::harness::{Dir, missing};
use std::fs;
use std::path::Path;
use std::process::Command;
use wiresift::engine::indicator::Timestamp;
use wiresift::sensor::spool::{Batch, Limits, Record, Sink, Spool, Stored};

/// The name of the small disk for the test that runs on it.
const DISK: &str = "WIRESIFT_SMALL_DISK";

/// Restarts this program in a namespace with a disk of 3 MiB.
#[test]
fn a_full_disk_is_a_full_spool() {
    let test = "a_full_disk_is_a_full_spool";
    let Some(unshare) = program("unshare") else { return missing(test, "there is no unshare") };
    let dir = Dir::new("full-disk");
    let probe = Command::new(&unshare).args(["-rm", "true"]).output().unwrap();
    if !probe.status.success() {
        return crate::harness::skip(test, "namespaces are not allowed here");
    }
    let (_, module) = module_path!().split_once("::").unwrap();
    let script = format!(
        "mount -t tmpfs -o size=3m none \"$1\" && exec \"$2\" --exact --include-ignored \
         {module}::on_a_small_disk"
    );
    let run = Command::new(unshare)
        .args(["-rm", "sh", "-c", &script, "sh"])
        .arg(dir.path())
        .arg(std::env::current_exe().unwrap())
        .env(DISK, dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "runs on a disk that the test above makes"]
fn on_a_small_disk() {
    let Some(disk) = std::env::var_os(DISK) else { return };
    let disk = Path::new(&disk);
    let sinks = [("a".to_string(), Sink::default())];
    let (spool, _) = Spool::open(&disk.join("spool"), Limits::default(), sinks).unwrap();
    let time = Timestamp::from_seconds(1_795_478_400);
    let json = format!("\"{}\"", "x".repeat(1000));
    let append = |number: u64, can_wait| {
        let record = Record::new(u128::from(number).to_be_bytes(), 4, time, json.as_bytes());
        spool.append(&record, time, can_wait).unwrap()
    };
    let stored = (0..10_000).take_while(|number| append(*number, true) == Stored::Yes).count();
    assert!((2000..4000).contains(&stored), "{stored}");
    assert!(spool.is_full());
    assert_eq!(append(0, false), Stored::Shed);
    let mut batch = Batch::default();
    spool.read(spool.cursor("a"), usize::MAX, usize::MAX, &mut batch);
    assert_eq!(batch.len(), stored, "what was stored is whole");
    spool.sync().unwrap();
    // After reading and removing, there is room again.
    spool.advance("a", batch.end());
    assert!(!spool.is_full());
    assert_eq!(append(7, true), Stored::Yes);
    batch.clear();
    spool.read(spool.cursor("a"), 10, usize::MAX, &mut batch);
    assert_eq!(batch.len(), 1);
    assert!(fs::read_dir(disk.join("spool")).unwrap().count() <= 2);
}
