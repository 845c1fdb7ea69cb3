//! The contents of files: rows 12, 13, 20, 21, 23, 24, 26, 41 and 42.

super::scenarios! {
    row_12_a_writer_that_goes_on_at_the_old_place
    row_12_nuls_near_the_beginning_and_stops
    row_13_preallocated
    row_13_preallocated_and_from_the_end
    row_13_preallocated_and_a_stop_at_each_step
    row_13_filled_in_while_down
    row_13_nuls_in_a_line_that_is_filled_in
    row_13_a_header_that_is_filled_in
    row_13_a_copy_of_space_that_is_filled_in
    row_20_half_a_line
    row_20_a_line_byte_by_byte
    row_21_half_a_line_and_a_stop
    row_23_a_line_that_never_ends
    row_24_a_line_that_is_too_long
    row_24_and_a_stop_in_it
    row_26_small_files
    row_41_a_mark_and_wide_characters
    row_41_stops_in_every_encoding
    row_41_wide_characters_packed
    row_41_stops_with_packed_files
    row_42_nothing_to_process
    headers_are_known_after_a_stop
    many_headers
    pieces_between_nuls
}

mod play {
    use super::super::super::cut::MAX_LINE;
    use super::super::super::position::Ending;
    use super::super::stage::{Stage, gzipped};
    use crate::clock::Stopwatch;
    use std::fs::{self, OpenOptions};
    use std::os::unix::fs::FileExt as _;
    use std::time::Duration;

    pub(super) fn row_12_a_writer_that_goes_on_at_the_old_place(s: &mut Stage) {
        s.follow(&["x.log"]);
        let text: String = (0..5000).map(|n| format!("line {n}\n")).collect();
        s.write("x.log", &text);
        s.open();
        s.new_lines();
        let writer = OpenOptions::new().write(true).open(s.at("x.log")).unwrap();
        let mut at = text.len() as u64;
        s.truncate("x.log", 0);
        for line in ["after the hole\n", "next\n"] {
            writer.write_all_at(line.as_bytes(), at).unwrap();
            at += line.len() as u64;
            s.look();
        }
        s.expect(&["after the hole", "next"]);
        assert_eq!(s.counters().nuls_skipped, text.len() as u64);
        s.restart();
        writer.write_all_at(b"more\n", at).unwrap();
        s.look();
        s.expect(&["more"]);
        // Without a hole, between lines, and in the middle of one.
        let nuls = "\0".repeat(10_000);
        s.append("x.log", format!("{nuls}a\n\0\0b\nhalf{nuls}c\n"));
        s.look();
        s.look();
        s.expect(&["a", "b", "half", "c"]);
        assert_eq!(s.counters().nuls_skipped, 20_002);
    }

    pub(super) fn row_12_nuls_near_the_beginning_and_stops(s: &mut Stage) {
        // Fewer than end a line, as many, more than are hashed, and more than are read in a turn;
        // at the beginning, within what is hashed, and at its end.
        for before in [0, 3, 400] {
            for nuls in [1, 16, 2000, 4060, 4095, 4096, 5000, 70_000, 600_000] {
                let name = format!("x.log.{before}-{nuls}");
                let lines: String = (0..before).map(|n| format!("{name} {n:04}\n")).collect();
                s.append(&name, format!("{lines}{}after\n", "\0".repeat(nuls)));
            }
        }
        s.follow(&["x.log.*"]);
        s.open();
        s.advance(3);
        let many = s.new_lines().len();
        assert!(many >= 27, "{many}");
        for stop in 0..3 {
            s.restart();
            s.advance(3);
            s.expect(&[]);
            let line = format!("line {stop}\n");
            s.append("x.log.3-5000", &line);
            s.append("x.log.400-4096", &line);
            s.look();
            s.expect(&[line.trim(), line.trim()]);
        }
    }

    pub(super) fn row_13_preallocated(s: &mut Stage) {
        s.write("x.log", "");
        s.truncate("x.log", 300_000);
        s.open();
        s.expect(&[]);
        s.write_at("x.log", 0, "a\nb\nhalf");
        s.look();
        s.expect(&["a", "b"]);
        s.restart();
        s.write_at("x.log", 8, " line\nc\n");
        s.look();
        s.expect(&["half line", "c"]);
        // With stored NULs.
        s.write("x.log.1", &"\0".repeat(300_000));
        s.look();
        let mut at = 0;
        for n in 0..20 {
            let line = format!("line {n}\n");
            s.write_at("x.log.1", at, &line);
            at += line.len() as u64;
            s.look();
            s.expect(&[line.trim()]);
        }
        assert_eq!(s.counters().nuls_skipped, 0);
        // More than is searched in a turn, after half a line, and with something far after it.
        s.write("x.log.2", &("half".to_string() + &"\0".repeat(10 << 20)));
        s.look();
        s.look();
        s.expect(&[]);
        s.append("x.log.2", "far\n");
        s.look();
        s.look();
        s.expect(&["half", "far"]);
    }

    pub(super) fn row_13_preallocated_and_from_the_end(s: &mut Stage) {
        s.write("x.log", &("a\nb\n".to_string() + &"\0".repeat(3_000_000)));
        s.begin_at_end();
        s.open();
        s.write_at("x.log", 4, "c\n");
        s.look();
        s.expect(&["c"]);
        assert_eq!(s.all_lines()[0].line, Some(3));
    }

    pub(super) fn row_13_preallocated_and_a_stop_at_each_step(s: &mut Stage) {
        // NULs in a hole, and stored ones; less and more than is hashed of a text, and than is read
        // in a turn.
        let name = |n: usize| if n == 0 { "x.log".to_string() } else { format!("x.log.{n}") };
        for (n, space) in [50, 4095, 4096, 5000, 20_000, 600_000].into_iter().enumerate() {
            let name = name(n);
            match n % 2 {
                0 => s.append(&name, vec![0; space]),
                _ => {
                    s.write(&name, "");
                    s.truncate(&name, space as u64);
                }
            }
            if n == 0 {
                s.open();
            }
            s.restart();
            s.expect(&[]);
            let mut at = 0;
            let mut put = |s: &Stage, text: &str| {
                s.write_at(&name, at, text);
                at += text.len() as u64;
            };
            put(s, "a\nb\nha");
            s.look();
            s.restart();
            s.expect(&["a", "b"]);
            put(s, "lf");
            s.restart();
            s.restart();
            s.expect(&[]);
            put(s, " a line\nc\n");
            s.look();
            s.expect(&["half a line", "c"]);
            s.restart();
            for line in 0..(space / 100).min(90) {
                let line = format!("line {line} {}", "x".repeat(line));
                put(s, &format!("{line}\n"));
                s.look();
                s.expect(&[&line]);
                s.restart();
            }
            assert_eq!(s.counters().nuls_skipped, 0);
        }
        s.advance(40);
        s.restart();
        s.expect(&[]);
    }

    pub(super) fn row_13_filled_in_while_down(s: &mut Stage) {
        s.write("x.log", "");
        s.truncate("x.log", 100_000);
        s.write_at("x.log", 0, "a\nhalf");
        s.open();
        s.expect(&["a"]);
        s.commit();
        s.kill();
        let filled: String = (0..1000).map(|n| format!("filled {n}\n")).collect();
        s.write_at("x.log", 6, &format!(" a line\n{filled}"));
        s.open();
        let new: Vec<String> = s.new_lines().into_iter().map(|it| it.text).collect();
        assert_eq!((new.len(), &*new[0], &*new[1000]), (1001, "half a line", "filled 999"));
        // All of the space is used, and the file grows.
        s.commit();
        s.kill();
        let at = 14 + filled.len();
        s.write_at("x.log", at as u64, &format!("{}\n", "y".repeat(100_000 - at)));
        s.open();
        s.append("x.log", "last\n");
        s.look();
        let new = s.new_lines();
        assert_eq!((new.len(), &*new[1].text, new[1].line), (2, "last", Some(1004)));
        s.restart();
        s.expect(&[]);
    }

    pub(super) fn row_13_nuls_in_a_line_that_is_filled_in(s: &mut Stage) {
        // Two programs write at the same time, each into its own space.
        s.write("x.log", "a\n");
        s.open();
        for nuls in [10, 1000] {
            let gap = "\0".repeat(nuls);
            let at = fs::metadata(s.at("x.log")).unwrap().len();
            s.append("x.log", format!("first {gap} second"));
            s.look();
            s.restart();
            s.write_at("x.log", at + 6, &"g".repeat(nuls));
            s.look();
            s.restart();
            s.append("x.log", "\nb\n");
            s.look();
            s.restart();
            let new = s.new_lines();
            let filled = format!("first {} second", "g".repeat(nuls));
            assert!(new.iter().any(|given| given.text == filled), "{new:?}");
            assert_eq!(new.last().unwrap().text, "b");
        }
        s.restart();
        s.append("x.log", "c\n");
        s.look();
        s.expect(&["c"]);
        assert_eq!(s.all_lines().len(), 6);
    }

    pub(super) fn row_13_a_header_that_is_filled_in(s: &mut Stage) {
        s.append("x.log", vec![0; 10_000]);
        s.open();
        s.write_at("x.log", 0, "#fields\ta\n1\n");
        s.look();
        s.write_at("x.log", 12, "2\n3\n");
        s.look();
        let headers: Vec<_> = s.pieces.iter().map(|it| it.header.to_vec()).collect();
        assert_eq!(headers, [b"#fields\ta\n1\n".to_vec(), b"#fields\ta\n1\n2\n3\n".to_vec()]);
    }

    pub(super) fn row_13_a_copy_of_space_that_is_filled_in(s: &mut Stage) {
        s.append("x.log", vec![0; 10_000]);
        s.open();
        s.write_at("x.log", 0, "a\nb\n");
        s.look();
        s.copy("x.log", "x.log.1");
        s.write("x.log", "c\n");
        s.look();
        s.expect(&["a", "b", "c"]);
    }

    pub(super) fn row_20_half_a_line(s: &mut Stage) {
        s.write("x.log", "a\nfirst half, ");
        s.open();
        s.expect(&["a"]);
        s.advance(100);
        s.expect(&[]);
        s.append("x.log", "second half\nb\n");
        s.look();
        s.expect(&["first half, second half", "b"]);
        let lines = s.all_lines();
        assert_eq!((lines[1].offset, lines[1].line), (2, Some(2)));
    }

    pub(super) fn row_20_a_line_byte_by_byte(s: &mut Stage) {
        s.write("x.log", "");
        s.open();
        for byte in "one line\nand another\n".bytes() {
            s.append("x.log", [byte]);
            s.look();
        }
        s.expect(&["one line", "and another"]);
        // Overwritten in the middle of a line.
        s.append("x.log", "half");
        s.look();
        s.write("x.log", "of another\n");
        s.look();
        s.expect(&["of another"]);
    }

    pub(super) fn row_21_half_a_line_and_a_stop(s: &mut Stage) {
        s.write("x.log", "a\nfirst half, ");
        s.open();
        s.restart();
        s.append("x.log", "second ");
        s.look();
        s.restart();
        s.append("x.log", "half\n");
        s.look();
        s.expect(&["a", "first half, second half"]);
        assert_eq!(s.all_lines()[1].offset, 2);
    }

    pub(super) fn row_23_a_line_that_never_ends(s: &mut Stage) {
        s.write("x.log", "a\nno end");
        s.open();
        s.advance(1000);
        s.expect(&["a"]);
        s.options.idle_flush = Some(Duration::from_secs(5));
        s.restart();
        s.advance(8);
        let new = s.new_lines();
        assert_eq!((&*new[0].text, new[0].ending), ("no end", Ending::Flushed));
        s.advance(10);
        s.restart();
        s.append("x.log", " after all\nb\n");
        s.look();
        let new = s.new_lines();
        assert_eq!((&*new[0].text, new[0].is_rest, new[0].offset), (" after all", true, 8));
        assert_eq!((&*new[1].text, new[1].is_rest, new[1].line), ("b", false, Some(3)));
    }

    pub(super) fn row_24_a_line_that_is_too_long(s: &mut Stage) {
        let long = "x".repeat(3 * MAX_LINE + 17);
        s.write("x.log", &format!("a\n{long}\nb\n{}\nc\n", &long[..MAX_LINE]));
        s.open();
        s.look();
        let new = s.new_lines();
        assert_eq!(new.len(), 5);
        assert_eq!((new[1].text.len(), new[1].ending), (MAX_LINE, Ending::Cut));
        assert_eq!((&*new[2].text, new[2].line), ("b", Some(3)));
        assert_eq!((new[3].text.len(), new[3].ending), (MAX_LINE, Ending::Line));
        assert_eq!(new[4].line, Some(5));
        assert_eq!(s.counters().lines_cut, 1);
        assert_eq!(s.counters().bytes_skipped as usize, 2 * MAX_LINE + 18);
    }

    pub(super) fn row_24_and_a_stop_in_it(s: &mut Stage) {
        s.write("x.log", "a\n");
        s.open();
        for _ in 0..5 {
            s.append("x.log", "x".repeat(MAX_LINE / 2));
            s.look();
            s.restart();
        }
        let new = s.new_lines();
        assert_eq!((new.len(), new[1].text.len()), (2, MAX_LINE));
        s.commit();
        let offset = s.committed.values().next().unwrap().position.offset;
        assert_eq!(offset as usize, 2 + 5 * (MAX_LINE / 2), "the position moves through it");
        s.append("x.log", "end of it\nb\n");
        s.look();
        s.expect(&["b"]);
        assert_eq!(s.all_lines().last().unwrap().line, Some(3));
    }

    pub(super) fn row_26_small_files(s: &mut Stage) {
        s.write("x.log", "");
        s.write("x.log.a", "ab\n");
        s.write("x.log.b", "B");
        s.open();
        s.expect(&["ab"]);
        s.append("x.log", "1\n");
        s.append("x.log.b", "\n");
        s.look();
        s.expect_any(&["1", "B"]);
        s.restart();
        s.append("x.log", "2\n");
        s.look();
        s.expect(&["2"]);
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    pub(super) fn row_41_a_mark_and_wide_characters(s: &mut Stage) {
        s.append("x.log.a", "\u{feff}a\nb\n");
        s.append("x.log.w", wide("\u{feff}größe\nzw"));
        s.open();
        let mut new = s.new_lines();
        new.sort_by(|a, b| a.text.cmp(&b.text));
        let places: Vec<_> = new.iter().map(|it| (&*it.text, it.offset, it.line)).collect();
        assert_eq!(places, [("a", 3, Some(1)), ("b", 5, Some(2)), ("größe", 2, Some(1))]);
        s.restart();
        s.append("x.log.w", &wide("ei\n")[..5]);
        s.look();
        s.append("x.log.w", &wide("ei\n")[5..]);
        s.append("x.log.w", wide("\u{1f600}x\n"));
        s.look();
        let new = s.new_lines();
        let places: Vec<_> = new.iter().map(|it| (&*it.text, it.offset, it.line)).collect();
        assert_eq!(places, [("zwei", 14, Some(2)), ("\u{1f600}x", 24, Some(3))]);
        // A mark that arrives in two parts.
        s.append("x.log.c", [0xff]);
        s.look();
        s.append("x.log.c", [0xfe]);
        s.look();
        s.append("x.log.c", wide("c\n"));
        s.look();
        s.expect(&["c"]);
    }

    /// A text in each encoding that files may have, and the mark that it begins with.
    fn encodings(text: &str) -> [(&'static str, &'static [u8], Vec<u8>); 6] {
        let big = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let code = |letter: char| u32::from(letter);
        [
            ("8", b"", text.into()),
            ("8-mark", b"\xef\xbb\xbf", text.into()),
            ("16-le", b"\xff\xfe", wide(text)),
            ("16-be", b"\xfe\xff", big),
            (
                "32-le",
                b"\xff\xfe\0\0",
                text.chars().flat_map(|it| code(it).to_le_bytes()).collect(),
            ),
            (
                "32-be",
                b"\0\0\xfe\xff",
                text.chars().flat_map(|it| code(it).to_be_bytes()).collect(),
            ),
        ]
    }

    pub(super) fn row_41_stops_in_every_encoding(s: &mut Stage) {
        // Shorter and longer than what is hashed.
        let long: String = (0..900).map(|n| format!("größe {n}\n")).collect();
        for (length, first) in [("short", "größe\n"), ("long", &*long)] {
            for (name, mark, text) in encodings(first) {
                s.append(&format!("x.log.{length}-{name}"), [mark, &text].concat());
            }
        }
        s.open();
        s.advance(2);
        assert_eq!(s.new_lines().len(), 6 * 901);
        for stop in 0..3 {
            s.restart();
            s.advance(2);
            s.expect(&[]);
            // One line while it runs, one while it is down.
            for when in ["running", "down"] {
                let line = format!("{when} {stop}");
                for length in ["short", "long"] {
                    for (name, _, text) in encodings(&format!("{line}\n")) {
                        s.append(&format!("x.log.{length}-{name}"), text);
                    }
                }
                match when {
                    "running" => s.look(),
                    _ => s.restart(),
                }
                s.advance(2);
                s.expect_any(&[&*line; 12]);
            }
        }
    }

    pub(super) fn row_41_stops_with_packed_files(s: &mut Stage) {
        for (name, mark, text) in encodings("größe\nzwei\n") {
            s.append(&format!("x.log-{name}.1.gz"), gzipped(&[mark, &text].concat()));
        }
        s.open();
        s.advance(40);
        assert_eq!(s.new_lines().len(), 12);
        for _ in 0..2 {
            s.restart();
            s.advance(40);
            s.expect(&[]);
        }
    }

    pub(super) fn row_41_wide_characters_packed(s: &mut Stage) {
        s.append("x.log.1.gz", gzipped(&wide("\u{feff}a\nb")));
        s.open();
        s.advance(40);
        s.expect(&["a", "b"]);
    }

    pub(super) fn row_42_nothing_to_process(s: &mut Stage) {
        s.append("x.log", "a\n".to_string() + &"x".repeat(MAX_LINE + 1));
        s.open();
        s.commit();
        for _ in 0..4 {
            s.append("x.log", "x".repeat(100_000));
            s.look();
        }
        s.commit();
        let position = &s.committed.values().next().unwrap().position;
        assert_eq!(position.offset as usize, 2 + MAX_LINE + 1 + 400_000);
    }

    pub(super) fn headers_are_known_after_a_stop(s: &mut Stage) {
        s.append("x.log", "#separator \\x09\n#fields\tts\tid\n1\t2\n");
        let many: String = (0..2000).map(|n| format!("{n}\tx\n")).collect();
        s.append("x.log", &many);
        s.open();
        s.commit();
        s.append("x.log", "#fields\tts\thost\n3\t4\n");
        s.look();
        s.restart();
        s.append("x.log", "5\t6\n");
        s.look();
        let header = String::from_utf8_lossy(&s.pieces[0].header).into_owned();
        assert!(header.starts_with("#separator \\x09\n#fields\tts\tid\n1\t2\n"), "{header}");
        assert!(header.len() < 8 << 10 && header.ends_with("\n#fields\tts\thost\n"), "{header}");
    }

    pub(super) fn many_headers(s: &mut Stage) {
        let watch = Stopwatch::start();
        s.append("x.log", "#".repeat(MAX_LINE - 1) + "\n");
        let many: String = (0..100_000).map(|n| format!("#{n}\tx\n")).collect();
        s.append("x.log", &many);
        s.append("x.log", "#1\ty\nlast\n");
        s.open();
        let header = String::from_utf8_lossy(&s.pieces.last().unwrap().header).into_owned();
        s.append("x.log", "more\n");
        s.look();
        let later = String::from_utf8_lossy(&s.pieces.last().unwrap().header).into_owned();
        assert!(
            later.len() < 8 << 10 && later.ends_with("#99998\tx\n#99999\tx\n#1\ty\n"),
            "{later}"
        );
        assert!(!later.contains("#1\tx") && header.len() < 8 << 10);
        // Far less than quadratic time would take.
        assert!(watch.elapsed() < Duration::from_secs(60), "{:?}", watch.elapsed());
    }

    pub(super) fn pieces_between_nuls(s: &mut Stage) {
        let watch = Stopwatch::start();
        s.append("x.log", "a\n\0".repeat(100_000));
        s.append("x.log", "last\n");
        s.open();
        // A step takes a limited number of turns.
        s.advance(1);
        let new = s.new_lines();
        assert_eq!(
            (new.len(), &*new[100_000].text, new[100_000].line),
            (100_001, "last", Some(100_001))
        );
        assert_eq!(s.counters().nuls_skipped, 100_000);
        assert!(watch.elapsed() < Duration::from_secs(60), "{:?}", watch.elapsed());
    }
}
