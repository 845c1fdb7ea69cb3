//! Many files and few descriptors, fair turns, and the cost of idle files: row 30.

use super::super::options::{TailOptions, Watch};
use super::super::{Next, Tail};
use super::stage::Stage;
use crate::sensor::halt::Halt;
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

#[test]
fn row_30_many_files_and_few_descriptors() {
    for watch in [Watch::Notify, Watch::Poll] {
        let mut s = Stage::new(Path::new("/dev/shm"), watch);
        s.follow(&["*.log"]);
        s.options.max_descriptors = 16;
        let count = 1000;
        for n in 0..count {
            s.write(&format!("{n}.log"), &format!("first of {n}\n"));
        }
        s.write("busy.log", &"busy line\n".repeat(200_000));
        s.open();
        // The busy one has only one turn before each of the others.
        let pieces = &s.pieces;
        let busy: Vec<usize> = pieces
            .iter()
            .enumerate()
            .filter(|(_, piece)| piece.path.ends_with("busy.log"))
            .map(|(at, _)| at)
            .collect();
        assert!(busy.iter().all(|at| pieces[*at].bytes.len() <= 256 << 10));
        assert!(busy[1] - busy[0] >= count - busy[0], "{busy:?}");
        assert!(s.counters().open <= 16);
        assert_eq!(s.new_lines().len(), count + 200_000);
        s.commit();
        for n in (0..count).step_by(7) {
            s.append(&format!("{n}.log"), format!("second of {n}\n"));
        }
        s.look();
        let new: HashSet<String> = s.new_lines().into_iter().map(|it| it.text).collect();
        assert_eq!(new.len(), count.div_ceil(7));
        s.restart();
        s.look();
        s.expect(&[]);
        assert!(s.counters().open <= 16);
        s.check();
    }
}

#[test]
fn row_29_generations_keep_their_order_whatever_their_sizes() {
    let mut s = Stage::new(Path::new("/tmp"), Watch::Notify);
    s.options.turn = 8 << 10;
    for (name, generation) in [("x.log", 3), ("x.log.1", 2), ("x.log.2", 1), ("x.log.10", 0)] {
        let text: String = (0..5000).map(|n| format!("{generation} {n:05}\n")).collect();
        s.write(name, &text);
    }
    s.gzip("x.log.10", "x.log.10.gz");
    s.open();
    s.advance(3);
    let new: Vec<String> = s.new_lines().into_iter().map(|it| it.text).collect();
    assert_eq!(new.len(), 20_000);
    assert!(new.is_sorted(), "the oldest generation first");
}

#[test]
fn status_says_how_far_each_file_was_read() {
    let mut s = Stage::new(Path::new("/tmp"), Watch::Notify);
    s.write("x.log", "a\nb\n");
    s.open();
    s.advance(3);
    let status = s.tail.as_ref().unwrap().status();
    assert_eq!((status.len(), status[0].offset, status[0].lag_bytes), (1, 0, 4));
    assert!(status[0].lag.as_secs() >= 3 && status[0].is_open && !status[0].is_rotated);
    s.commit();
    let status = s.tail.as_ref().unwrap().status();
    assert_eq!((status[0].offset, status[0].lag_bytes, status[0].lag.as_secs()), (4, 0, 0));
    let counters = s.counters();
    assert_eq!((counters.lines, counters.bytes, counters.files), (2, 4, 1));
    assert_eq!((counters.watched, counters.polled), (1, 0));
}

#[test]
fn a_tail_waits_and_is_woken() {
    for watch in [Watch::Notify, Watch::Poll] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let poll = Duration::from_millis(20);
        let patterns = vec![path.clone().into()];
        let options = TailOptions { patterns, watch, poll, ..TailOptions::default() };
        let mut tail = Tail::open(options, Vec::new()).unwrap();
        let (halt, stopper) = Halt::new().unwrap();
        assert!(matches!(tail.next(&halt, Duration::from_millis(5)).unwrap(), Next::Idle));
        std::thread::scope(|scope| {
            let write = || {
                std::thread::sleep(Duration::from_millis(30));
                std::fs::write(&path, "a\n").unwrap();
            };
            std::thread::Builder::new().spawn_scoped(scope, write).unwrap();
            let next = tail.next(&halt, Duration::from_secs(60)).unwrap();
            assert!(matches!(next, Next::Piece(piece) if *piece.bytes == *b"a\n"));
            std::thread::Builder::new().spawn_scoped(scope, || stopper.stop()).unwrap();
            assert!(matches!(tail.next(&halt, Duration::from_secs(60)).unwrap(), Next::Halted));
        });
    }
}
