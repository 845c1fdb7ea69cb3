//! Many files, system limits, time: rows 27, 30, 31, 33, 34, 35 and 40.

super::scenarios! {
    row_27_links_to_one_file
    row_33_folders_that_come_later
    row_33_a_root_that_comes_later
    row_34_permission_comes_later
    row_35_old_files_that_wake_up
    row_40_the_clock_is_set
    not_everything_is_a_log
    from_the_end_at_the_first_start
    a_slow_consumer_forgets_nothing
    what_is_excluded
    what_the_process_writes_itself
}

mod play {
    use super::super::stage::Stage;
    use std::fs::{self, File, FileTimes};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::time::{Duration, SystemTime};

    pub(super) fn row_27_links_to_one_file(s: &mut Stage) {
        s.write("x.log", "a\n");
        fs::hard_link(s.at("x.log"), s.at("x.log.hard")).unwrap();
        symlink(s.at("x.log"), s.at("x.log.soft")).unwrap();
        s.open();
        s.append("x.log.hard", "b\n");
        s.look();
        s.expect(&["a", "b"]);
        // It still exists under the other name.
        s.remove("x.log");
        s.append("x.log.hard", "c\n");
        s.look();
        s.expect(&["c"]);
        s.restart();
        s.append("x.log.hard", "d\n");
        s.look();
        s.expect(&["d"]);
        symlink("nowhere", s.at("x.log.broken")).unwrap();
        symlink("x.log.circle", s.at("x.log.circle")).unwrap();
        s.look();
        s.expect(&[]);
    }

    pub(super) fn row_33_folders_that_come_later(s: &mut Stage) {
        s.follow(&["**/*.log", "*/named/x"]);
        s.begin_at_end();
        s.write("a.log", "old\n");
        s.open();
        s.expect(&[]);
        fs::create_dir_all(s.at("one/two")).unwrap();
        s.write("one/b.log", "b\n");
        s.write("one/two/c.log", "c\n");
        s.write("d.log", "d\n");
        s.look();
        s.expect_any(&["b", "c", "d"]);
        fs::create_dir_all(s.at("one/named")).unwrap();
        s.append("a.log", "a\n");
        s.look();
        s.write("one/named/x", "x\n");
        s.write("one/named/y", "y\n");
        s.look();
        s.expect_any(&["a", "x"]);
        // A folder is renamed, and another one takes its place.
        s.rename("one", "uno");
        s.append("uno/b.log", "b2\n");
        fs::create_dir(s.at("one")).unwrap();
        s.write("one/b.log", "other\n");
        s.look();
        s.look();
        s.expect_any(&["b2", "other"]);
        fs::remove_dir_all(s.at("uno")).unwrap();
        s.look();
        s.append("one/b.log", "more\n");
        s.look();
        s.expect(&["more"]);
    }

    pub(super) fn row_33_a_root_that_comes_later(s: &mut Stage) {
        s.follow(&["later/x.log", "later/deep/*.log"]);
        s.open();
        s.look();
        fs::create_dir_all(s.at("later/deep")).unwrap();
        s.write("later/x.log", "a\n");
        s.write("later/deep/y.log", "b\n");
        s.look();
        s.expect_any(&["a", "b"]);
    }

    pub(super) fn row_34_permission_comes_later(s: &mut Stage) {
        if rustix::process::geteuid().is_root() {
            // Root may read everything: `systems` runs this as another user.
            return;
        }
        s.open();
        s.write("x.log", "a\n");
        fs::set_permissions(s.at("x.log"), fs::Permissions::from_mode(0o000)).unwrap();
        s.advance(5);
        s.expect(&[]);
        assert_eq!((s.notices.len(), s.counters().unreadable), (1, 1), "{:?}", s.notices);
        fs::set_permissions(s.at("x.log"), fs::Permissions::from_mode(0o600)).unwrap();
        s.look();
        s.expect(&["a"]);
        assert_eq!((s.notices.len(), s.counters().unreadable), (2, 0), "{:?}", s.notices);
    }

    fn set_age(s: &Stage, name: &str, age: Duration) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_micros(s.wall as u64) - age;
        let file = File::options().write(true).open(s.at(name)).unwrap();
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
    }

    pub(super) fn row_35_old_files_that_wake_up(s: &mut Stage) {
        s.options.ignore_older = Some(Duration::from_secs(3600));
        s.write("x.log", "old\n");
        set_age(s, "x.log", Duration::from_secs(7200));
        s.write("x.log.known", "a\n");
        s.open();
        s.expect(&["a"]);
        s.commit();
        s.kill();
        set_age(s, "x.log.known", Duration::from_secs(72_000));
        s.open();
        s.advance(7200);
        s.commit();
        assert_eq!(s.committed.len(), 2, "it never expires");
        s.append("x.log", "new\n");
        s.append("x.log.known", "b\n");
        s.look();
        s.expect_any(&["new", "b"]);
    }

    pub(super) fn row_40_the_clock_is_set(s: &mut Stage) {
        s.write("x.log", "a\n");
        s.write("x.log.1", "older\n");
        set_age(s, "x.log.1", Duration::ZERO);
        let file = File::options().write(true).open(s.at("x.log")).unwrap();
        let future = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
        file.set_times(FileTimes::new().set_modified(future)).unwrap();
        s.open();
        s.expect(&["older", "a"]);
        for wall in [0, 5_000_000_000_000_000, 1] {
            s.wall = wall;
            s.append("x.log", format!("at {wall}\n"));
            s.advance(2);
            s.expect(&[&format!("at {wall}")]);
            s.commit();
        }
        s.remove("x.log.1");
        s.advance(40);
        s.commit();
        assert_eq!(s.committed.len(), 2, "an hour of running, whatever the clock says");
    }

    pub(super) fn not_everything_is_a_log(s: &mut Stage) {
        s.append(
            "x.log.pcap",
            b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0",
        );
        s.append("x.log.zip", b"PK\x03\x04rest of it\n");
        fs::create_dir(s.at("x.log.d")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            s.at("x.log.pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        s.write("x.log", "a\n");
        s.open();
        s.advance(3);
        s.expect(&["a"]);
        assert_eq!((s.notices.len(), s.counters().not_text), (2, 2), "{:?}", s.notices);
    }

    pub(super) fn from_the_end_at_the_first_start(s: &mut Stage) {
        s.begin_at_end();
        s.write("x.log", "a\nb\nhalf ");
        s.write("x.log.1", "old\n");
        s.write("x.log.empty", "");
        s.append("x.log.2.gz", super::super::stage::gzipped(b"older\n"));
        s.open();
        s.advance(40);
        s.append("x.log", "of it\n");
        s.append("x.log.empty", "e\n");
        s.write("x.log.new", "n\n");
        s.look();
        s.expect_any(&["half of it", "e", "n"]);
        let half = s.all_lines().iter().find(|it| it.text == "half of it").unwrap();
        assert_eq!((half.line, half.offset), (Some(3), 4));
        s.restart();
        s.rename("x.log.1", "x.log.3");
        s.gzip("x.log.3", "x.log.3.gz");
        s.advance(40);
        s.expect(&[]);
    }

    pub(super) fn a_slow_consumer_forgets_nothing(s: &mut Stage) {
        s.write("x.log", "a\n");
        s.open();
        s.append("x.log", "b\n");
        s.rename("x.log", "away");
        s.remove("away");
        s.advance(8000);
        s.expect(&["a", "b"]);
        let tail = s.tail.as_mut().unwrap();
        let records = tail.changed().files;
        assert_eq!((records.len(), records[0].position.offset), (1, 0), "nothing is processed");
        s.commit();
        assert_eq!(s.committed.values().next().unwrap().position.offset, 4);
        s.advance(5);
        assert_eq!(s.counters().open, 0);
    }

    pub(super) fn what_is_excluded(s: &mut Stage) {
        s.follow(&["*"]);
        s.options.exclude = vec!["*.tmp".into(), s.at("alerts*").into()];
        for name in ["x.log", "x.tmp", "alerts.json"] {
            s.write(name, "a\n");
        }
        s.open();
        s.rename("x.tmp", "y.tmp");
        s.look();
        s.expect(&["a"]);
        assert_eq!(s.counters().files, 1);
    }

    pub(super) fn what_the_process_writes_itself(s: &mut Stage) {
        fs::create_dir(s.at("alerts")).unwrap();
        s.write("alerts/o.json", "own\n");
        s.write("alerts/o.json.1", "own, rotated\n");
        s.write("alerts/other", "other\n");
        let real = fs::canonicalize(s.at("alerts")).unwrap();
        s.options.own = vec![real.join("o.json").into()];
        for (name, target) in [("x.log.a", "o.json"), ("x.log.b", "o.json.1"), ("x.log.c", "other")]
        {
            symlink(s.at("alerts").join(target), s.at(name)).unwrap();
        }
        fs::hard_link(s.at("alerts/o.json"), s.at("x.log.d")).unwrap();
        s.follow(&["x.log*", "alerts/../alerts/o.*"]);
        s.open();
        s.append("alerts/o.json", "more\n");
        s.append("alerts/other", "more of the other\n");
        s.advance(3);
        s.expect(&["other", "more of the other"]);
    }
}
