//! Renaming, compression, removal: rows 1 to 6, 14 to 19, 22, 25, 28 and 29.

super::scenarios! {
    row_01_renamed_and_the_writer_goes_on_in_the_old_file
    row_02_renamed_out_of_the_pattern_half_read
    row_02_renamed_into_another_folder
    row_03_renamed_inside_the_pattern
    row_04_packed_inside_the_pattern
    row_05_rotated_and_packed_while_down
    row_06_packed_bit_by_bit
    row_14_another_name_has_the_inode
    row_15_another_name_has_the_inode_after_a_stop
    row_16_same_path_and_inode_but_another_text
    row_17_removed_half_read
    row_18_removed_and_read
    row_19_removed_and_made_anew
    row_22_the_last_line_without_its_end
    row_22_the_last_line_of_a_removed_file
    row_25_equal_heads
    row_25_generations_with_equal_heads
    row_28_a_link_that_leads_elsewhere
    row_28_a_folder_behind_a_link
    row_29_two_rotations_between_two_looks
    rewritten_by_a_rename
    packed_again_by_another_program
    moved_to_another_device
}

mod play {
    use super::super::stage::{Stage, gzipped, long};
    use std::fs::{self, OpenOptions};
    use std::io::Write as _;
    use std::os::unix::fs::symlink;

    pub(super) fn row_01_renamed_and_the_writer_goes_on_in_the_old_file(s: &mut Stage) {
        s.write("x.log", "a\n");
        s.open();
        let mut old = OpenOptions::new().append(true).open(s.at("x.log")).unwrap();
        s.rename("x.log", "x.log.1");
        s.write("x.log", "c\n");
        old.write_all(b"b\n").unwrap();
        s.look();
        s.expect(&["a", "b", "c"]);
        s.advance(10);
        old.write_all(b"late\n").unwrap();
        s.look();
        s.expect(&["late"]);
        s.restart();
        s.append("x.log", "d\n");
        s.look();
        s.expect(&["d"]);
    }

    pub(super) fn row_02_renamed_out_of_the_pattern_half_read(s: &mut Stage) {
        s.write("x.log", "a\n");
        s.open();
        s.expect(&["a"]);
        s.append("x.log", "b\n");
        s.rename("x.log", "old");
        s.append("old", "c\n");
        s.look();
        s.expect(&["b", "c"]);
        s.commit();
        let record = s.committed.values().next().unwrap();
        assert!(record.key.is_some() && record.position.offset == 6, "{record:?}");
        s.append("old", "d\n");
        s.look();
        s.expect(&["d"]);
        s.commit();
        s.advance(40);
        assert_eq!(s.counters().open, 0, "after rotate_wait");
    }

    pub(super) fn row_02_renamed_into_another_folder(s: &mut Stage) {
        s.write("x.log", "a\n");
        s.open();
        fs::create_dir(s.at("away")).unwrap();
        s.append("x.log", "b\n");
        s.rename("x.log", "away/x.log");
        s.append("away/x.log", "c\n");
        s.look();
        s.append("away/x.log", "d\n");
        s.look();
        s.expect(&["a", "b", "c", "d"]);
    }

    pub(super) fn row_03_renamed_inside_the_pattern(s: &mut Stage) {
        s.write("x.log", "a\nb\n");
        s.open();
        s.expect(&["a", "b"]);
        s.rename("x.log", "x.log.1");
        s.look();
        s.restart();
        s.look();
        s.expect(&[]);
        s.commit();
        let records: Vec<_> = s.committed.values().collect();
        assert_eq!(records.len(), 1);
        assert!(records[0].path.ends_with("x.log.1") && records[0].position.offset == 4);
        s.rename("x.log.1", "x.log.2");
        s.restart();
        s.expect(&[]);
    }

    pub(super) fn row_04_packed_inside_the_pattern(s: &mut Stage) {
        s.write("x.log", "a\nb\n");
        s.open();
        s.rename("x.log", "x.log.1");
        s.write("x.log", "c\n");
        s.look();
        s.gzip("x.log.1", "x.log.2.gz");
        s.advance(3);
        s.expect(&["a", "b", "c"]);
        s.advance(60);
        s.restart();
        s.advance(60);
        s.rename("x.log.2.gz", "x.log.3.gz");
        s.advance(40);
        s.restart();
        s.expect(&[]);
    }

    pub(super) fn row_05_rotated_and_packed_while_down(s: &mut Stage) {
        s.write("x.log", "a\nb\n");
        s.open();
        s.commit();
        s.kill();
        s.append("x.log", "c\nd\n");
        s.rename("x.log", "x.log.1");
        s.write("x.log", "e\n");
        s.gzip("x.log.1", "x.log.2.gz");
        s.rename("x.log", "x.log.1");
        s.write("x.log", "f\n");
        s.open();
        s.look();
        s.expect(&["a", "b", "c", "d", "e", "f"]);
        let lines: Vec<_> = s.all_lines().iter().map(|it| (it.line, it.offset)).collect();
        assert_eq!(lines[2..4], [(Some(3), 4), (Some(4), 6)]);
        let lines = s.all_lines();
        assert_eq!(lines[0].stream, lines[2].stream, "the stream continues");
        s.restart();
        s.advance(40);
        s.expect(&[]);
    }

    pub(super) fn row_06_packed_bit_by_bit(s: &mut Stage) {
        let text: String = (0..3000).map(|n| format!("line {n} {}\n", n * n)).collect();
        let packed = gzipped(text.as_bytes());
        s.write("x.log", "");
        s.open();
        s.append("x.log.1.gz", &packed[..2]);
        s.look();
        for part in packed[2..].chunks(2000) {
            s.append("x.log.1.gz", part);
            s.look();
        }
        s.advance(3);
        assert_eq!(s.new_lines().len(), 3000);
        assert!(s.notices.is_empty(), "{:?}", s.notices);
        // And one that stays incomplete.
        let text = text.replace("line", "other");
        let packed = gzipped(text.as_bytes());
        s.append("x.log.2.gz", &packed[..packed.len() - 9]);
        s.advance(2);
        s.advance(40);
        assert!(s.new_lines().len() > 2000);
        assert_eq!((s.counters().damaged, s.notices.len()), (1, 1), "{:?}", s.notices);
        s.advance(10);
        s.restart();
        s.advance(40);
        s.expect(&[]);
        assert_eq!(s.counters().damaged, 0, "nothing again");
    }

    pub(super) fn row_14_another_name_has_the_inode(s: &mut Stage) {
        // So few descriptors that none is kept, which would keep the inode, too.
        s.options.max_descriptors = 1;
        s.write("x.log", "a\n");
        s.write("x.log.other", "o\n");
        s.open();
        s.expect_any(&["a", "o"]);
        for n in 0..5 {
            s.remove("x.log");
            let text = format!("new {n}\n");
            s.write("x.log", &text);
            s.append("x.log.other", "p\n");
            s.look();
            s.look();
            s.expect_any(&[text.trim(), "p"]);
        }
    }

    pub(super) fn row_15_another_name_has_the_inode_after_a_stop(s: &mut Stage) {
        s.write("x.log", "a long first line\n");
        s.open();
        s.expect(&["a long first line"]);
        s.commit();
        s.kill();
        s.remove("x.log");
        s.write("x.log.new", "the other line is longer\n");
        s.open();
        s.expect(&["the other line is longer"]);
        s.commit();
        s.advance(40);
        s.advance(3600);
        s.commit();
        assert_eq!(s.committed.len(), 1, "the old entry is gone");
    }

    pub(super) fn row_16_same_path_and_inode_but_another_text(s: &mut Stage) {
        s.write("x.log", "a\nb\n");
        s.open();
        s.expect(&["a", "b"]);
        s.commit();
        s.kill();
        s.remove("x.log");
        s.write("x.log", "c\nd\ne\n");
        s.open();
        s.expect(&["c", "d", "e"]);
        s.commit();
        s.kill();
        s.write("x.log", "f\ng\nh\ni\n");
        s.open();
        s.expect(&["f", "g", "h", "i"]);
    }

    pub(super) fn row_17_removed_half_read(s: &mut Stage) {
        s.write("x.log", "a\n");
        s.open();
        s.append("x.log", "b\nc\n");
        s.remove("x.log");
        s.look();
        s.expect(&["a", "b", "c"]);
        assert_eq!(s.counters().lost_removed, 0);
    }

    pub(super) fn row_18_removed_and_read(s: &mut Stage) {
        s.write("x.log", "a\n");
        s.open();
        s.remove("x.log");
        s.advance(10);
        assert_eq!((s.counters().open, s.counters().files), (1, 1), "for rotate_wait");
        s.advance(40);
        assert_eq!(s.counters().files, 1, "what isn't processed is never forgotten");
        s.commit();
        s.advance(2);
        assert_eq!((s.counters().open, s.counters().files), (0, 0));
        s.expect(&["a"]);
        s.commit();
        assert_eq!(s.committed.len(), 1, "for an hour, a packed form of it may come");
        s.advance(3600);
        s.commit();
        assert_eq!(s.committed.len(), 0);
    }

    pub(super) fn row_19_removed_and_made_anew(s: &mut Stage) {
        s.write("x.log", "a\n");
        s.open();
        s.append("x.log", "b\n");
        s.remove("x.log");
        s.write("x.log", "a\nb\n");
        s.look();
        s.expect(&["a", "b", "a", "b"]);
        let lines = s.all_lines();
        assert_ne!(lines[0].stream, lines[2].stream);
        s.commit();
        s.remove("x.log");
        s.advance(50);
        s.write("x.log", "a\nb\n");
        s.look();
        s.expect(&["a", "b"]);
    }

    pub(super) fn row_22_the_last_line_without_its_end(s: &mut Stage) {
        s.write("x.log", "a\nlast");
        s.open();
        s.expect(&["a"]);
        s.rename("x.log", "x.log.1");
        s.write("x.log", "b\n");
        s.advance(20);
        s.expect(&["b"]);
        s.advance(20);
        s.expect(&["last"]);
        s.restart();
        s.advance(60);
        s.expect(&[]);
        // It is still written to.
        s.append("x.log.1", " word\nmore\n");
        s.look();
        let new = s.new_lines();
        assert_eq!((&*new[0].text, new[0].is_rest), (" word", true));
        assert_eq!((&*new[1].text, new[1].line, new[1].is_rest), ("more", Some(3), false));
    }

    pub(super) fn row_22_the_last_line_of_a_removed_file(s: &mut Stage) {
        s.write("x.log", "a\nlast");
        s.open();
        s.remove("x.log");
        s.advance(50);
        s.expect(&["a", "last"]);
        s.commit();
        s.advance(10);
        assert_eq!(s.counters().open, 0);
    }

    pub(super) fn row_25_equal_heads(s: &mut Stage) {
        s.follow(&["*.log"]);
        let head: String = (0..600).map(|n| format!("same line {n}\n")).collect();
        for name in ["a.log", "b.log", "c.log"] {
            s.write(name, &head);
        }
        s.open();
        assert_eq!(s.new_lines().len(), 1800);
        s.restart();
        s.append("a.log", "of a\n");
        s.append("c.log", "of c\n");
        s.look();
        s.expect_any(&["of a", "of c"]);
    }

    pub(super) fn row_25_generations_with_equal_heads(s: &mut Stage) {
        let head = long("same line");
        for (name, end) in [("x.log.2", "of 2\nend\n"), ("x.log.1", "of 1\n"), ("x.log", "of 0\n")]
        {
            s.write(name, &format!("{head}{end}"));
        }
        s.open();
        let got = s.texts();
        assert_eq!(got.len(), 1804);
        assert_eq!(
            [&*got[600], &*got[1202], &*got[1803]],
            ["of 2", "of 1", "of 0"],
            "in their order"
        );
        // Compressed ones are compared when the other was read.
        for (name, end) in [("x.log.4.gz", "of 4\n"), ("x.log.3.gz", "of 3\nand more\n")] {
            s.append(name, gzipped(format!("{head}{end}").as_bytes()));
        }
        s.advance(4);
        assert_eq!(s.new_lines().len(), 1203);
        s.restart();
        s.advance(40);
        s.expect(&[]);
    }

    pub(super) fn row_28_a_link_that_leads_elsewhere(s: &mut Stage) {
        s.follow(&["current"]);
        s.write("one", "a\n");
        symlink(s.at("one"), s.at("current")).unwrap();
        s.open();
        s.expect(&["a"]);
        s.append("one", "b\n");
        s.look();
        s.expect(&["b"]);
        s.append("one", "c\n");
        s.write("two", "e\n");
        symlink(s.at("two"), s.at("next")).unwrap();
        s.rename("next", "current");
        s.append("one", "d\n");
        s.look();
        s.expect_any(&["c", "d", "e"]);
        s.append("one", "late\n");
        s.append("two", "f\n");
        s.look();
        s.expect_any(&["late", "f"]);
        s.commit();
        s.advance(50);
        assert_eq!(s.counters().files, 1);
    }

    pub(super) fn row_28_a_folder_behind_a_link(s: &mut Stage) {
        s.follow(&["current/x.log"]);
        fs::create_dir(s.at("v1")).unwrap();
        fs::create_dir(s.at("v2")).unwrap();
        s.write("v1/x.log", "a\n");
        symlink(s.at("v1"), s.at("current")).unwrap();
        s.open();
        s.expect(&["a"]);
        s.write("v2/x.log", "c\n");
        symlink(s.at("v2"), s.at("next")).unwrap();
        s.append("v1/x.log", "b\n");
        s.rename("next", "current");
        s.look();
        s.look();
        s.expect_any(&["b", "c"]);
        s.append("v1/x.log", "late\n");
        s.append("v2/x.log", "d\n");
        s.look();
        s.expect_any(&["late", "d"]);
    }

    pub(super) fn row_29_two_rotations_between_two_looks(s: &mut Stage) {
        s.write("x.log", "a\n");
        s.open();
        s.append("x.log", "b\n");
        s.rename("x.log", "x.log.1");
        s.write("x.log", "c\n");
        s.rename("x.log.1", "x.log.2");
        s.rename("x.log", "x.log.1");
        s.write("x.log", "d\n");
        s.look();
        s.expect(&["a", "b", "c", "d"]);
        s.commit();
        s.kill();
        s.append("x.log", "e\n");
        s.rename("x.log.2", "x.log.4");
        s.rename("x.log.1", "x.log.3");
        s.rename("x.log", "x.log.2");
        s.write("x.log.1", "f\n");
        s.write("x.log", "g\n");
        s.open();
        s.expect(&["e", "f", "g"]);
    }

    pub(super) fn rewritten_by_a_rename(s: &mut Stage) {
        let text: String = (0..200).map(|n| format!("{n} of many\n")).collect();
        s.write("x.log", &text);
        s.open();
        assert_eq!(s.new_lines().len(), 200);
        s.write("tmp", &(text.clone() + "added\n"));
        s.rename("tmp", "x.log");
        s.look();
        // When what was read before is committed, so is that it was read.
        s.expect(&[]);
        s.commit();
        s.look();
        s.expect(&["added"]);
        // While the tail is stopped, from its first byte on.
        s.commit();
        s.kill();
        s.write("tmp", &(text + "added\nmore\n"));
        s.rename("tmp", "x.log");
        s.open();
        s.expect(&["more"]);
    }

    pub(super) fn packed_again_by_another_program(s: &mut Stage) {
        let text: String = (0..2000).map(|n| format!("{n} of many\n")).collect();
        s.write("x.log", &text);
        s.open();
        s.new_lines();
        s.rename("x.log", "x.log.1");
        s.gzip("x.log.1", "x.log.1.gz");
        s.advance(40);
        s.commit();
        let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
        s.append("x.log.1.zst", packed);
        s.remove("x.log.1.gz");
        s.advance(40);
        s.expect(&[]);
        s.restart();
        s.advance(40);
        s.expect(&[]);
    }

    pub(super) fn moved_to_another_device(s: &mut Stage) {
        s.write("x.log", "a\n");
        s.open();
        s.commit();
        s.kill();
        // As after a restore: all known keys are wrong.
        for record in s.committed.values_mut() {
            record.key.as_mut().unwrap().device += 1;
        }
        s.append("x.log", "b\n");
        s.new_lines();
        s.open();
        s.expect(&["b"]);
    }
}
