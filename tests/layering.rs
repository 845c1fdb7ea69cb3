//! Rooms import one way.
//!
//! The table below is that of `ARCHITECTURE.md` and of the crate's documentation.
//! This module reads every file of `src`, without comments, strings and tests,
//! and fails on each path into a room that the table does not allow, on names that
//! say nothing, and on `unsafe` where it has no business.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What a room may import, beside `error` and `progress`.
const ROOMS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("progress", &[]),
    ("files", &[]),
    ("memory", &[]),
    ("indicator", &[]),
    ("feed", &["indicator"]),
    ("config", &["indicator", "feed"]),
    ("store", &["indicator", "feed"]),
    ("database", &["files", "memory", "indicator"]),
    ("compile", &["indicator", "database"]),
    ("input", &[]),
    ("text", &["indicator"]),
    ("packet", &["memory", "indicator"]),
    ("scan", &["indicator", "text", "packet", "database"]),
    ("alert", &["indicator", "scan"]),
    ("sink", &["files", "alert"]),
    (
        "run",
        &[
            "files",
            "indicator",
            "feed",
            "config",
            "store",
            "database",
            "compile",
            "input",
            "text",
            "packet",
            "scan",
            "alert",
            "sink",
        ],
    ),
    (
        "cli",
        &[
            "files",
            "indicator",
            "feed",
            "config",
            "store",
            "database",
            "compile",
            "input",
            "text",
            "packet",
            "scan",
            "alert",
            "sink",
            "run",
        ],
    ),
];

/// What `lib.rs` re-exports of `error`, and everybody may use by the short name.
const OF_ERROR: &[&str] = &["Error", "ErrorKind", "Result"];

/// Names of modules that say nothing about what is in them.
const BANNED: &[&str] =
    &["event", "events", "manager", "util", "utils", "common", "helper", "helpers"];

/// Where `unsafe` may stand: memory by pages, vector instructions, and one option of packet
/// sockets.
const UNSAFE: &[&str] = &["memory.rs", "text/vector.rs", "run/tap/fanout.rs"];

#[test]
fn rooms_import_one_way() {
    let source = Source::read();
    let mut wrong = String::new();
    for file in &source.files {
        let Some(room) = file.room() else { continue };
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            writeln!(wrong, "src/{}: the room `{room}` is not in the table", file.name).unwrap();
            continue;
        };
        for (line, target) in file.imports() {
            let is_open = target == room || target == "error" || target == "progress";
            if !is_open && !allowed.contains(&target.as_str()) {
                let name = &file.name;
                writeln!(wrong, "src/{name}:{line}: `{room}` may not import `{target}`").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_binary_knows_the_command_line_and_nothing_else() {
    let source = Source::read();
    let main = source.files.iter().find(|file| file.name == "main.rs").unwrap();
    for (line, target) in main.imports() {
        assert!(["cli", "error"].contains(&target.as_str()), "src/main.rs:{line}: `{target}`");
    }
}

#[test]
fn every_room_is_on_the_map() {
    let source = Source::read();
    let map = fs::read_to_string(source.root.join("lib.rs")).unwrap();
    for (room, _) in ROOMS {
        let exists = source.files.iter().any(|file| file.room() == Some(room));
        let is_public = map.contains(&format!("pub mod {room};"));
        if exists && is_public {
            let row = format!("//! | [`{room}`] |");
            assert!(map.contains(&row), "the table in src/lib.rs has no row for `{room}`");
        }
    }
}

#[test]
fn modules_have_names_that_say_something() {
    let source = Source::read();
    for file in &source.files {
        for part in file.name.trim_end_matches(".rs").split('/') {
            assert!(!BANNED.contains(&part), "src/{}: `{part}` names nothing", file.name);
        }
        for module in words_after(&file.code, "mod") {
            assert!(!BANNED.contains(&module), "src/{}: `mod {module}` names nothing", file.name);
        }
    }
}

#[test]
fn unsafe_stays_in_its_place() {
    for file in &Source::read().files {
        if UNSAFE.contains(&file.name.as_str()) {
            continue;
        }
        let at = find_word(&file.code, "unsafe", 0);
        assert!(at.is_none(), "src/{}:{}: unsafe", file.name, line_of(&file.code, at.unwrap_or(0)));
    }
}

/// All of `src`.
struct Source {
    root: PathBuf,
    files: Vec<File>,
}

/// A file of `src`: its path below it with `/`, and its code without comments,
/// strings and tests. Lines are where they were.
struct File {
    name: String,
    code: String,
}

impl Source {
    fn read() -> Source {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        let mut test_files = Vec::new();
        for entry in walkdir::WalkDir::new(&root).sort_by_file_name() {
            let entry = entry.unwrap();
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_string();
            let text = fs::read_to_string(path).unwrap();
            let (code, tests) = without_tests(&without_comments(&text));
            let folder = match name.strip_suffix("mod.rs") {
                Some(folder) => folder.to_string(),
                None if name.contains('/') => format!("{}/", name.trim_end_matches(".rs")),
                None => String::new(),
            };
            test_files.extend(tests.iter().map(|module| format!("{folder}{module}.rs")));
            test_files.extend(tests.iter().map(|module| format!("{folder}{module}/")));
            files.push(File { name, code });
        }
        files.retain(|file| {
            !test_files.iter().any(|test| {
                file.name == *test || test.ends_with('/') && file.name.starts_with(test.as_str())
            })
        });
        Source { root, files }
    }
}

impl File {
    /// The room that the file belongs to; the roots of library and binary have none.
    fn room(&self) -> Option<&str> {
        let room = self.name.split('/').next()?.trim_end_matches(".rs");
        (!["lib", "main"].contains(&room)).then_some(room)
    }

    /// How many `super` lead from the file's module to the crate's root.
    fn depth(&self) -> usize {
        let parts = self.name.trim_end_matches("/mod.rs").trim_end_matches(".rs");
        parts.split('/').count()
    }

    /// The rooms that the file's paths lead into, with their lines.
    fn imports(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for root in ["crate", "wiresift"] {
            let mut from = 0;
            while let Some(at) = find_word(&self.code, root, from) {
                from = at + root.len();
                self.heads(at, &self.code[from..], true, &mut found);
            }
        }
        let mut from = 0;
        while let Some(at) = find_word(&self.code, "super", from) {
            let (count, rest) = supers(&self.code[at..]);
            from = self.code.len() - rest.len();
            if count >= self.depth() {
                self.heads(at, rest, false, &mut found);
            }
        }
        found
    }

    /// What stands behind a path's root: one name, or a group of paths. Through
    /// `crate` any name counts, through `super` only that of a room, because a
    /// module inside the file may have been meant.
    fn heads(&self, at: usize, rest: &str, strict: bool, found: &mut Vec<(usize, String)>) {
        let Some(rest) = rest.trim_start().strip_prefix("::") else { return };
        let rest = rest.trim_start();
        let names = match rest.strip_prefix('{') {
            Some(group) => group_heads(group),
            None => vec![word_at(rest)],
        };
        for name in names {
            let is_room = ROOMS.iter().any(|(room, _)| *room == name);
            if OF_ERROR.contains(&name) || !(is_room || strict) {
                continue;
            }
            found.push((line_of(&self.code, at), name.to_string()));
        }
    }
}

/// The first names of the paths in a group, up to its closing brace.
fn group_heads(group: &str) -> Vec<&str> {
    let mut heads = Vec::new();
    let mut depth = 0;
    let mut at_head = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_head = true,
            c if at_head && !c.is_whitespace() => {
                heads.push(word_at(&group[at..]));
                at_head = false;
            }
            _ => {}
        }
    }
    heads
}

/// Counts `super::super::…`; the rest begins with the last `::`.
fn supers(mut rest: &str) -> (usize, &str) {
    let mut count = 0;
    while let Some(tail) = rest.strip_prefix("super") {
        count += 1;
        rest = tail.trim_start();
        match rest.strip_prefix("::").map(str::trim_start) {
            Some(next) if word_at(next) == "super" => rest = next,
            _ => break,
        }
    }
    (count, rest)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn word_at(text: &str) -> &str {
    &text[..text.find(|c| !is_word(c)).unwrap_or(text.len())]
}

/// The next place where `word` stands alone.
fn find_word(text: &str, word: &str, from: usize) -> Option<usize> {
    text[from..].match_indices(word).map(|(at, _)| from + at).find(|&at| {
        !text[..at].chars().next_back().is_some_and(is_word)
            && !text[at + word.len()..].chars().next().is_some_and(is_word)
    })
}

fn words_after<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = find_word(text, word, from) {
        from = at + word.len();
        found.push(word_at(text[from..].trim_start()));
    }
    found
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Blanks comments, strings and characters, and leaves every newline in place.
fn without_comments(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after_word = code.chars().next_back().is_some_and(is_word);
        match token_len(rest, after_word) {
            Some(len) => {
                code.extend(rest[..len].chars().map(|c| if c == '\n' { c } else { ' ' }));
                rest = &rest[len..];
            }
            None => {
                code.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    code
}

/// The length of the comment, string or character that `rest` begins with.
fn token_len(rest: &str, after_word: bool) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment_len(rest));
    }
    if rest.starts_with('"') {
        return Some(quoted_len(rest, '"'));
    }
    if !after_word && let Some(len) = raw_string_len(rest) {
        return Some(len);
    }
    if let Some(tail) = rest.strip_prefix('\'') {
        // `'a'` and `'\n'` are characters, `'a` is a lifetime.
        let mut chars = tail.chars();
        let first = chars.next()?;
        if first == '\\' || chars.next() == Some('\'') {
            return Some(quoted_len(rest, '\''));
        }
    }
    None
}

fn block_comment_len(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn quoted_len(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn raw_string_len(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix("br").or_else(|| rest.strip_prefix("cr"));
    let body = body.or_else(|| rest.strip_prefix('r'))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    body[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let open = rest.len() - body.len() + hashes + 1;
    Some(rest[open..].find(&close).map_or(rest.len(), |at| open + at + close.len()))
}

/// Blanks what stands behind `#[cfg(test)]`, and names the modules among it that
/// are files of their own.
fn without_tests(code: &str) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::with_capacity(code.len());
    let mut modules = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        kept.push_str(&rest[..at]);
        let item = &rest[at + MARK.len()..];
        let len = item_len(item);
        if let [module] = words_after(&item[..len], "mod")[..]
            && !item[..len].contains('{')
        {
            modules.push(module.to_string());
        }
        kept.extend(item[..len].chars().filter(|&c| c == '\n'));
        rest = &item[len..];
    }
    kept.push_str(rest);
    (kept, modules)
}

/// The length of an item: to its first `;` outside braces, or its closing brace.
fn item_len(item: &str) -> usize {
    let mut depth = 0;
    for (at, c) in item.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => {
                depth -= 1;
                if depth == 0 && c == '}' {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    item.len()
}

#[test]
fn the_reader_of_code_sees_paths_and_nothing_else() {
    let text = r####"
        //! crate::comment
        use crate::{error::Error, indicator::{Kind, url}, scan};
        /* crate::a /* nested */ crate::b */
        const TEXT: &str = "crate::text \" crate::more";
        const RAW: &[u8] = br#"crate::raw " "#;
        const C: [char; 3] = ['"', '\'', 'x'];
        fn of<'a>(x: &'a crate::packet::Frame) -> super::super::sink::Sink { $crate::alert::x() }
        #[cfg(test)]
        mod tests { use crate::cli; fn f() { "}" } }
        #[cfg(test)]
        mod elsewhere;
        use crate::Result;
        use super::near;
    "####;
    let (code, modules) = without_tests(&without_comments(text));
    assert_eq!(modules, ["elsewhere"]);
    let file = File { name: "room/file.rs".into(), code };
    let mut imports = file.imports();
    imports.sort();
    let want =
        [(3, "error"), (3, "indicator"), (3, "scan"), (8, "alert"), (8, "packet"), (8, "sink")];
    let got: Vec<(usize, &str)> = imports.iter().map(|(line, name)| (*line, &**name)).collect();
    assert_eq!(got, want);
}
