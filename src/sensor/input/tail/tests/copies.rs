//! Copies beside a log, and logs that are truncated after a copy: rows 7 to 11.

super::scenarios! {
    row_07_truncated_after_a_copy
    row_08_longer_than_before_at_the_next_look
    row_09_longer_than_before_after_a_stop
    row_10_the_copy_matches_the_pattern
    row_11_what_was_not_read_is_read_from_the_copy
    row_10_copies_that_are_first_seen_with_the_log
    row_10_a_log_and_a_longer_copy_of_what_it_was
    row_11_two_copies_that_nobody_has_seen
    row_11_copies_of_two_texts
    row_11_what_was_not_read_is_counted
}

mod play {
    use super::super::stage::{Stage, gzipped, long};
    use std::fs;

    pub(super) fn row_07_truncated_after_a_copy(s: &mut Stage) {
        s.follow(&["x.log"]);
        s.write("x.log", "a\nb\nc\n");
        s.open();
        s.copy("x.log", "copy");
        s.truncate("x.log", 0);
        s.append("x.log", "d\n");
        s.look();
        s.append("x.log", "e\n");
        s.look();
        s.expect(&["a", "b", "c", "d", "e"]);
        let lines = s.all_lines();
        assert_ne!(lines[0].stream, lines[3].stream);
        assert_eq!((lines[3].offset, lines[3].line), (0, Some(1)));
        assert_eq!(s.counters().rotations.truncated, 1);
        s.restart();
        s.expect(&[]);
    }

    pub(super) fn row_08_longer_than_before_at_the_next_look(s: &mut Stage) {
        s.follow(&["x.log"]);
        s.write("x.log", "a\nb\n");
        s.open();
        s.copy("x.log", "copy");
        s.truncate("x.log", 0);
        s.append("x.log", "c\nd\ne\nf\n");
        s.look();
        s.expect(&["a", "b", "c", "d", "e", "f"]);
        // The old text within the new one, at another position.
        s.write("x.log", "x\nc\nd\ne\nf\ng\n");
        s.look();
        s.expect(&["x", "c", "d", "e", "f", "g"]);
    }

    pub(super) fn row_09_longer_than_before_after_a_stop(s: &mut Stage) {
        s.follow(&["x.log"]);
        let head: String = (0..600).map(|n| format!("same line {n}\n")).collect();
        assert!(head.len() > 5000);
        s.write("x.log", &format!("{head}a\n"));
        s.open();
        s.commit();
        s.kill();
        s.write("x.log", &format!("{head}b\nc\n"));
        s.new_lines();
        s.open();
        let new = s.new_lines();
        assert_eq!(new.len(), 602, "another text from its beginning");
        assert_eq!(&new[601].text, "c");
    }

    pub(super) fn row_10_the_copy_matches_the_pattern(s: &mut Stage) {
        for (round, size) in [3, 2000].into_iter().enumerate() {
            let name = |n: usize| format!("{round} {n}");
            let text: String = (0..size).map(|n| name(n) + "\n").collect();
            s.append("x.log", text);
            s.look_or_open();
            assert_eq!(s.new_lines().len(), size);
            s.copy("x.log", &format!("x.log.{}", 2 - round));
            s.look();
            s.truncate("x.log", 0);
            s.append("x.log", "new\n");
            s.look();
            s.expect(&["new"]);
            s.advance(40);
            s.restart();
            s.advance(2);
            s.expect(&[]);
            s.truncate("x.log", 0);
            s.look();
        }
    }

    pub(super) fn row_11_what_was_not_read_is_read_from_the_copy(s: &mut Stage) {
        s.write("x.log", "a\n");
        s.open();
        s.append("x.log", "b\nc\n");
        s.copy("x.log", "x.log.1");
        s.truncate("x.log", 0);
        s.append("x.log", "d\n");
        s.look();
        s.expect(&["a", "b", "c", "d"]);
        let lines = s.all_lines();
        assert_eq!(lines[0].stream, lines[1].stream, "the copy continues the stream");
        assert_eq!(lines[1].line, Some(2));
        s.advance(40);
        assert_eq!(s.counters().lost_truncated, 0);
        // While the tail is stopped, and compressed.
        s.commit();
        s.kill();
        s.append("x.log", "e\nf\n");
        s.rename("x.log.1", "x.log.2");
        s.copy("x.log", "x.log.1");
        s.truncate("x.log", 0);
        s.append("x.log", "g\n");
        s.gzip("x.log.1", "x.log.1.gz");
        s.new_lines();
        s.open();
        s.advance(2);
        s.expect(&["e", "f", "g"]);
    }

    pub(super) fn row_10_copies_that_are_first_seen_with_the_log(s: &mut Stage) {
        for (round, text) in ["a\nb\n".to_string(), long("line")].into_iter().enumerate() {
            let dir = format!("x.log-{round}/");
            s.follow(&["x.log-*/x.log*"]);
            let at = |name: &str| format!("{dir}{name}");
            s.kill();
            fs::create_dir(s.at(&dir)).unwrap();
            s.write(&at("x.log"), &text);
            s.append(&at("x.log.5.gz"), gzipped(text.as_bytes()));
            s.copy(&at("x.log"), &at("x.log.4"));
            s.append(&at("x.log"), "half");
            s.copy(&at("x.log"), &at("x.log.3"));
            s.append(&at("x.log"), " a line\nmore\n");
            s.copy(&at("x.log"), &at("x.log.2"));
            s.append(&at("x.log.1.gz"), gzipped(&fs::read(s.at(&at("x.log"))).unwrap()));
            s.open();
            s.advance(3);
            let mut want: Vec<String> = text.lines().map(str::to_string).collect();
            want.extend(["half a line".to_string(), "more".to_string()]);
            assert_eq!(s.texts(), want, "{:?}", s.options.watch);
            s.advance(40);
            s.restart();
            s.append(&at("x.log"), "last\n");
            s.advance(40);
            s.expect(&["last"]);
            s.commit();
        }
    }

    pub(super) fn row_10_a_log_and_a_longer_copy_of_what_it_was(s: &mut Stage) {
        // The log begins again with the same line as before: it is not a copy.
        s.write("x.log.1", "begun\na\n");
        s.write("x.log", "begun\n");
        s.open();
        s.expect(&["begun", "a", "begun"]);
        s.append("x.log", "b\n");
        s.look();
        s.expect(&["b"]);
    }

    pub(super) fn row_11_two_copies_that_nobody_has_seen(s: &mut Stage) {
        for (round, text) in ["a\n".to_string(), long("line")].into_iter().enumerate() {
            let mut other = round;
            for (first, second, is_down) in [
                ("x.log.2", "x.log.1", false),
                ("x.log.2.gz", "x.log.1", false),
                ("x.log.2", "x.log.1.gz", false),
                ("x.log.2.gz", "x.log.1.gz", true),
                ("x.log.2", "x.log.1", true),
            ] {
                other += 1;
                let text = text.replace("line", &format!("line of {other}")) + "z\n";
                s.write("x.log", &text);
                if s.tail.is_none() {
                    s.open();
                }
                s.look();
                s.new_lines();
                if is_down {
                    s.commit();
                    s.kill();
                }
                s.append("x.log", format!("{round} b {other}\n"));
                put_copy(s, first);
                s.append("x.log", format!("{round} c {other}\n"));
                put_copy(s, second);
                s.truncate("x.log", 0);
                s.append("x.log", format!("{round} d {other}\n"));
                if is_down {
                    s.open();
                }
                s.advance(4);
                let want = ["b", "c", "d"].map(|it| format!("{round} {it} {other}"));
                assert_eq!(s.texts(), want, "{first} {second} {is_down} {:?}", s.options.watch);
                s.advance(40);
                s.restart();
                s.advance(40);
                s.expect(&[]);
                s.remove(first);
                s.remove(second);
                s.advance(40);
            }
        }
    }

    fn put_copy(s: &Stage, name: &str) {
        let text = fs::read(s.at("x.log")).unwrap();
        let is_packed = name.ends_with(".gz");
        s.append(name, if is_packed { gzipped(&text) } else { text });
    }

    pub(super) fn row_11_copies_of_two_texts(s: &mut Stage) {
        // The new contents of the log, which have a copy, too, are not what was read of it.
        for start in ["a\n", "half"] {
            s.write("x.log", start);
            match s.tail {
                Some(_) => s.look(),
                None => s.open(),
            }
            s.new_lines();
            s.truncate("x.log", 0);
            s.append("x.log", format!("b after {start:?}\nc\n"));
            s.copy("x.log", "x.log.1");
            s.look();
            s.expect(&[&format!("b after {start:?}"), "c"]);
            s.remove("x.log.1");
            s.advance(40);
        }
    }

    pub(super) fn row_11_what_was_not_read_is_counted(s: &mut Stage) {
        s.follow(&["x.log"]);
        s.write("x.log", "a\n");
        s.open();
        s.append("x.log", "half of a line");
        s.look();
        s.truncate("x.log", 0);
        s.append("x.log", "b\n");
        s.look();
        s.expect(&["a", "b"]);
        s.advance(40);
        assert_eq!(s.counters().lost_truncated, 14);
        let lost = s.notices.iter().filter(|it| it.to_string().contains("14 bytes")).count();
        assert_eq!(lost, 1, "{:?}", s.notices);
    }
}
