//! Imports between modules go one way.
//!
//! The tables below are those of `ARCHITECTURE.md` and of the crate's documentation. This test
//! reads every file of `src`, without comments, strings and tests, and fails on each path into a
//! house or a room that the tables do not allow, on meaningless names, and on `unsafe` in other
//! than the listed files.

mod graph;

use crate::harness::source::{
    File, Source, find_word, line_of, without_comments, without_tests, word_at, words_after,
};
use graph::Graph;
use std::fmt::Write as _;
use std::fs;

/// The houses, and which others each may import. `clock` is a file next to them.
const HOUSES: &[(&str, &[&str])] = &[
    ("engine", &[]),
    ("clock", &["engine"]),
    ("intel", &["engine", "clock"]),
    ("sensor", &["engine", "clock"]),
    ("exchange", &["engine", "intel", "clock"]),
    ("cli", &["engine", "intel", "sensor", "exchange", "clock"]),
];

/// The rooms of each house, and which rooms they may import besides `error` and `progress`; for
/// `cli`, only the table of houses applies.
const ROOMS: &[(&str, &str, &[&str])] = &[
    ("engine", "error", &[]),
    ("engine", "progress", &[]),
    ("engine", "settings", &[]),
    ("engine", "files", &[]),
    ("engine", "memory", &[]),
    ("engine", "indicator", &[]),
    ("engine", "text", &["indicator"]),
    ("engine", "packet", &["memory", "indicator"]),
    ("engine", "database", &["files", "memory", "indicator"]),
    ("engine", "compile", &["indicator", "database"]),
    ("engine", "segment", &["memory", "indicator"]),
    ("engine", "scan", &["indicator", "text", "database"]),
    ("engine", "suppress", &["indicator", "scan"]),
    ("engine", "alert", &["indicator", "scan", "suppress"]),
    ("intel", "feed", &["indicator"]),
    ("intel", "config", &["settings", "indicator", "feed"]),
    ("intel", "store", &["indicator", "segment", "feed"]),
    (
        "intel",
        "subscribe",
        &["files", "indicator", "database", "compile", "feed", "config", "store"],
    ),
    ("sensor", "halt", &[]),
    ("sensor", "secret", &[]),
    ("sensor", "config", &["settings", "indicator", "alert", "secret"]),
    ("sensor", "listen", &["halt"]),
    ("sensor", "http", &["halt", "listen"]),
    ("sensor", "kafka", &["secret"]),
    ("sensor", "input", &["indicator", "halt", "listen", "http", "kafka"]),
    ("sensor", "checkpoint", &["input"]),
    ("sensor", "metrics", &["indicator", "halt", "listen", "http"]),
    ("sensor", "sink", &["files", "indicator", "halt"]),
    ("sensor", "spool", &["indicator", "alert"]),
    ("sensor", "deliver", &["indicator", "alert", "halt", "secret", "spool", "kafka"]),
    ("sensor", "outlet", &["indicator", "spool", "deliver"]),
    ("sensor", "bench", &["settings", "indicator", "database", "compile", "scan"]),
    (
        "sensor",
        "run",
        &[
            "indicator",
            "database",
            "text",
            "packet",
            "scan",
            "suppress",
            "alert",
            "bench",
            "halt",
            "secret",
            "config",
            "listen",
            "kafka",
            "input",
            "checkpoint",
            "metrics",
            "sink",
            "spool",
            "deliver",
            "outlet",
        ],
    ),
    ("exchange", "accounts", &["indicator"]),
    ("exchange", "http", &[]),
    ("exchange", "pulses", &["indicator", "accounts"]),
    ("exchange", "metrics", &[]),
    ("exchange", "storage", &["indicator", "accounts", "pulses", "metrics"]),
    ("exchange", "site", &["indicator", "accounts", "http", "pulses", "metrics", "storage"]),
    ("exchange", "import", &["indicator", "accounts", "pulses", "storage", "site"]),
    (
        "exchange",
        "sources",
        &[
            "config",
            "subscribe",
            "store",
            "indicator",
            "accounts",
            "pulses",
            "storage",
            "site",
            "import",
        ],
    ),
    (
        "exchange",
        "export",
        &["indicator", "compile", "accounts", "http", "pulses", "storage", "site"],
    ),
    (
        "exchange",
        "taxii",
        &["indicator", "feed", "accounts", "http", "pulses", "storage", "site", "export"],
    ),
    ("exchange", "alerts", &["indicator", "accounts", "http", "pulses", "site"]),
    ("exchange", "api", &["indicator", "accounts", "http", "pulses", "storage", "site"]),
    (
        "exchange",
        "page",
        &["indicator", "accounts", "http", "pulses", "storage", "site", "export", "api"],
    ),
    (
        "exchange",
        "serve",
        &[
            "accounts",
            "http",
            "pulses",
            "storage",
            "site",
            "export",
            "taxii",
            "alerts",
            "api",
            "page",
            "sources",
            "subscribe",
        ],
    ),
];

/// The order inside `engine::packet`: each may import those before it. The protocols must not
/// import each other.
const PACKET: &[&str] = &[
    "bytes", "counters", "config", "view", "wire", "payload", "contract", "protocol", "dispatch",
    "stream", "decoder",
];

/// The maximum number of files in an import cycle.
const MAX_CIRCLE: usize = 5;

/// What `lib.rs` re-exports of `engine::error`, and every room may use by its short name.
const OF_ROOT: &[&str] = &["Error", "ErrorKind", "Result"];

/// Meaningless names of modules.
const BANNED: &[&str] =
    &["event", "events", "manager", "util", "utils", "common", "helper", "helpers"];

/// Where `unsafe` is allowed: memory in pages, vector instructions, and one option of packet
/// sockets.
const UNSAFE: &[&str] = &["engine/memory.rs", "engine/text/vector.rs", "sensor/run/tap/fanout.rs"];

#[test]
fn houses_and_rooms_import_one_way() {
    let source = Source::read();
    let mut wrong = String::new();
    for file in &source.files {
        let Some(house) = file.house() else { continue };
        let name = &file.name;
        let Some((_, houses)) = HOUSES.iter().find(|(name, _)| *name == house) else {
            writeln!(wrong, "src/{name}: the house `{house}` is not in the table").unwrap();
            continue;
        };
        let room = file.room();
        let rooms = ROOMS.iter().find(|(of, name, _)| *of == house && Some(*name) == room);
        if let (Some(room), None) = (room, rooms)
            && house != "cli"
        {
            writeln!(wrong, "src/{name}: the room `{house}::{room}` is not in the table").unwrap();
        }
        for (line, target) in file.imports() {
            let (into, of) = (target.first().map_or("", |it| it), target.get(1));
            let mut is_allowed = into == house || houses.contains(&into);
            if let (Some((_, own, allowed)), Some(of)) = (rooms, of)
                && ROOMS.iter().any(|(house, room, _)| *house == into && room == of)
            {
                let is_open = of == own || of == "error" || of == "progress";
                is_allowed &= is_open || allowed.contains(&of.as_str());
            }
            if !is_allowed {
                let (from, to) = (room.unwrap_or(house), target.join("::"));
                writeln!(wrong, "src/{name}:{line}: `{from}` may not import `{to}`").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// What the test above reads word by word, read once more through aliases, re-exports and globs.
#[test]
fn names_are_defined_in_houses_and_rooms_that_may_be_imported() {
    let graph = Graph::of(&Source::read());
    let wrong = forbidden_edges(&graph);
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The imports that the tables do not allow, a line each.
fn forbidden_edges(graph: &Graph) -> String {
    let mut wrong = String::new();
    for (file, edges) in graph.edges.iter().enumerate() {
        let from = &graph.names[file];
        for (&to, (line, path)) in edges {
            let name = &graph.names[to];
            if !is_allowed(place_of(from), place_of(name)) {
                writeln!(wrong, "src/{from}:{line}: `{path}` is in src/{name}").unwrap();
            }
        }
    }
    wrong
}

/// The house of a file, and its room; the `mod.rs` of a house is in no room.
fn place_of(name: &str) -> (&str, &str) {
    let path = name.trim_end_matches(".rs").trim_end_matches("/mod");
    let (house, rest) = path.split_once('/').unwrap_or((path, ""));
    (house, rest.split('/').next().unwrap_or_default())
}

fn is_allowed((from, room): (&str, &str), (to, of): (&str, &str)) -> bool {
    let Some((_, houses)) = HOUSES.iter().find(|(name, _)| *name == from) else {
        // The roots of library and binary.
        return true;
    };
    let row = ROOMS.iter().find(|(house, name, _)| *house == from && *name == room);
    let is_open = of.is_empty() || ["error", "progress"].contains(&of);
    (to == from || houses.contains(&to))
        && row.is_none_or(|(_, own, allowed)| {
            is_open || (to, of) == (from, *own) || allowed.contains(&of)
        })
}

/// A row allows only what is above it, and only what is used.
#[test]
fn the_table_of_rooms_has_an_order_and_nothing_needless() {
    let graph = Graph::of(&Source::read());
    let mut wrong = String::new();
    for (row, (house, room, allowed)) in ROOMS.iter().enumerate() {
        for other in *allowed {
            if !ROOMS[..row].iter().any(|(_, above, _)| above == other) {
                writeln!(wrong, "`{house}::{room}`: `{other}` is not above it").unwrap();
            }
            let is_used = graph.edges.iter().enumerate().any(|(file, edges)| {
                place_of(&graph.names[file]) == (house, room)
                    && edges.keys().any(|&to| place_of(&graph.names[to]).1 == *other)
            });
            if !is_used {
                writeln!(wrong, "`{house}::{room}` does not import `{other}`").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// What a reader of paths, human or test, cannot follow.
#[test]
fn paths_can_be_followed() {
    let mut wrong = String::new();
    for file in &Source::read().files {
        for (line, what) in unreadable(&file.code) {
            writeln!(wrong, "src/{}:{line}: {what}", file.name).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Ways to name a module that hide where it is.
fn unreadable(code: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    let mut note = |at: usize, what| found.push((line_of(code, at), what));
    let mut from = 0;
    while let Some(at) = find_word(code, "crate", from) {
        from = at + "crate".len();
        let before = code[..at].trim_end();
        if before.ends_with("extern") {
            note(at, "`extern crate`");
        } else if !code[from..].trim_start().starts_with("::") && !before.ends_with("pub(") {
            note(at, "`crate` under another name");
        }
    }
    from = 0;
    while let Some(at) = find_word(code, "use", from) {
        from = at + "use".len();
        let tree = code[from..].split(';').next().unwrap_or_default().trim();
        let is_foreign = tree.starts_with("std::") || tree.starts_with("core::");
        // A module may open up its own submodules, and an inline one its parent.
        let is_near = !tree.starts_with("crate") && !tree.starts_with("super::super");
        if tree.ends_with('*') && !is_foreign && !is_near {
            note(at, "a glob of another module");
        }
    }
    for what in ["#[path", "include!("] {
        for (at, _) in code.match_indices(what) {
            note(at, what);
        }
    }
    found
}

/// The folder or file of `engine::packet` that contains a file, and the one in that.
fn packet_place(name: &str) -> Option<(&str, &str)> {
    let path = name.strip_prefix("engine/packet/")?.trim_end_matches(".rs");
    let (layer, rest) = path.split_once('/').unwrap_or((path, ""));
    let unit = rest.split('/').next().unwrap_or_default();
    (layer != "mod").then_some((layer, unit))
}

#[test]
fn packet_is_built_in_layers() {
    let source = Source::read();
    let graph = Graph::of(&source);
    let mut wrong = String::new();
    for (file, edges) in graph.edges.iter().enumerate() {
        let Some((layer, unit)) = packet_place(&graph.names[file]) else { continue };
        let name = &graph.names[file];
        let Some(own) = PACKET.iter().position(|name| *name == layer) else {
            writeln!(wrong, "src/{name}: `{layer}` is not in the table").unwrap();
            continue;
        };
        for (&to, (line, path)) in edges {
            let Some((other, part)) = packet_place(&graph.names[to]) else { continue };
            let is_before = PACKET.iter().position(|name| *name == other) < Some(own);
            let is_own = other == layer && (layer != "protocol" || part == unit || unit == "mod");
            if !is_before && !is_own {
                let (from, to) = (format!("{layer}::{unit}"), &graph.names[to]);
                writeln!(wrong, "src/{name}:{line}: `{from}` imports `{path}` of {to}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn circles_of_imports_are_small() {
    let source = Source::read();
    let graph = Graph::of(&source);
    let mut wrong = String::new();
    for circle in graph.circles() {
        let names: Vec<&str> = circle.iter().map(|&file| graph.names[file].as_str()).collect();
        let place = packet_place(names[0]);
        let is_near = names.iter().all(|name| packet_place(name) == place);
        let is_large = names.len() > MAX_CIRCLE;
        if is_large || !is_near && place.is_some() {
            writeln!(wrong, "a circle of {} files:", names.len()).unwrap();
            for &file in &circle {
                for (to, (line, path)) in &graph.edges[file] {
                    if circle.contains(to) {
                        let (from, to) = (&graph.names[file], &graph.names[*to]);
                        writeln!(wrong, "    src/{from}:{line}: `{path}` of {to}").unwrap();
                    }
                }
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
        assert_eq!(target[0], "cli", "src/main.rs:{line}");
    }
}

#[test]
fn every_room_is_on_the_map() {
    let source = Source::read();
    let map = fs::read_to_string(source.root.join("lib.rs")).unwrap();
    for (house, room, _) in ROOMS {
        let exists = source
            .files
            .iter()
            .any(|file| file.house() == Some(house) && file.room() == Some(room));
        assert!(exists, "the room `{house}::{room}` is in the table and not in src");
        let row = format!("//! | [`{house}::{room}`] |");
        let hidden = format!("//! | `{house}::{room}` |");
        assert!(
            map.contains(&row) || map.contains(&hidden),
            "the table in src/lib.rs has no row for `{house}::{room}`"
        );
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

impl File {
    /// The parent modules of the file: `engine`, `packet`, `http`.
    fn modules(&self) -> Vec<&str> {
        let path = self.name.trim_end_matches("/mod.rs").trim_end_matches(".rs");
        path.split('/').collect()
    }

    /// The house of the file; the roots of library and binary have none.
    fn house(&self) -> Option<&str> {
        let house = self.modules()[0];
        (!["lib", "main"].contains(&house)).then_some(house)
    }

    /// The room of the file; the `mod.rs` of a house has none.
    fn room(&self) -> Option<&str> {
        self.modules().get(1).copied()
    }

    /// The house and room of each path that leaves the file's room, with its line.
    fn imports(&self) -> Vec<(usize, Vec<String>)> {
        let mut found = Vec::new();
        for root in ["crate", "wiresift"] {
            let mut from = 0;
            while let Some(at) = find_word(&self.code, root, from) {
                from = at + root.len();
                self.targets(at, &self.code[from..], &[], &mut found);
            }
        }
        let own = self.modules();
        let mut from = 0;
        while let Some(at) = find_word(&self.code, "super", from) {
            let (count, rest) = supers(&self.code[at..]);
            from = self.code.len() - rest.len();
            // Paths within the room are irrelevant. A path that seems to lead out may refer to a
            // module inside the file: only existing modules count.
            if count + 2 > own.len() {
                let base = &own[..own.len().saturating_sub(count)];
                let before = found.len();
                self.targets(at, rest, base, &mut found);
                let tail = found.split_off(before);
                found.extend(tail.into_iter().filter(|(_, target)| is_known(target)));
            }
        }
        found
    }

    /// The first two names of each path after a root, appended to those of `base`.
    fn targets(&self, at: usize, rest: &str, base: &[&str], found: &mut Vec<(usize, Vec<String>)>) {
        for path in paths(rest, 2 - base.len().min(1)) {
            let mut target: Vec<String> = base.iter().map(|name| (*name).to_string()).collect();
            target.extend(path.iter().map(|name| (*name).to_string()));
            let is_short = target.first().is_none_or(|name| OF_ROOT.contains(&name.as_str()));
            if !is_short {
                found.push((line_of(&self.code, at), target));
            }
        }
    }
}

/// Whether a target is a house, or a room of one.
fn is_known(target: &[String]) -> bool {
    match target {
        [house] => HOUSES.iter().any(|(name, _)| name == house),
        [house, room, ..] => ROOMS.iter().any(|(of, name, _)| of == house && name == room),
        [] => false,
    }
}

/// The first names of the paths after `::`, at most `depth` of each: one path, or those of a
/// group.
fn paths(rest: &str, depth: usize) -> Vec<Vec<&str>> {
    let Some(rest) = rest.trim_start().strip_prefix("::").map(str::trim_start) else {
        return vec![Vec::new()];
    };
    if depth == 0 {
        return vec![Vec::new()];
    }
    let heads = match rest.strip_prefix('{') {
        Some(group) => group_members(group),
        None => vec![rest],
    };
    let mut found = Vec::new();
    for head in heads {
        let name = word_at(head);
        for mut path in paths(&head[name.len()..], depth - 1) {
            path.insert(0, name);
            found.push(path);
        }
    }
    found
}

/// The beginnings of the members of a group, up to its closing brace.
fn group_members(group: &str) -> Vec<&str> {
    let mut members = Vec::new();
    let mut depth = 0;
    let mut at_head = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_head = true,
            c if at_head && !c.is_whitespace() => {
                members.push(&group[at..]);
                at_head = false;
            }
            _ => {}
        }
    }
    members
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

#[test]
fn the_reader_of_code_sees_paths_and_nothing_else() {
    let text = r####"
        //! crate::comment::x
        use crate::{Error, engine::{indicator::{Kind, url}, scan}, clock};
        /* crate::a::b /* nested */ crate::b */
        const TEXT: &str = "crate::text \" crate::more";
        const RAW: &[u8] = br#"crate::raw " "#;
        const C: [char; 3] = ['"', '\'', 'x'];
        fn of<'a>(x: &'a crate::engine::packet::Frame) -> super::super::sink::Sink { $crate::cli::x() }
        #[cfg(test)]
        mod tests { use crate::cli; fn f() { "}" } }
        #[cfg(test)]
        mod elsewhere;
        use crate::Result;
        use super::near;
    "####;
    let (code, modules) = without_tests(&without_comments(text));
    assert_eq!(modules, ["elsewhere"]);
    let file = File { name: "sensor/run/file.rs".into(), code };
    let mut imports: Vec<(usize, String)> =
        file.imports().into_iter().map(|(line, target)| (line, target.join("::"))).collect();
    imports.sort();
    let want = [
        (3, "clock"),
        (3, "engine::indicator"),
        (3, "engine::scan"),
        (8, "cli::x"),
        (8, "engine::packet"),
        (8, "sensor::sink"),
    ];
    let got: Vec<(usize, &str)> = imports.iter().map(|(line, name)| (*line, &**name)).collect();
    assert_eq!(got, want);
}

#[test]
fn names_are_followed_to_where_they_are_defined() {
    let files = [
        ("lib.rs", "pub mod a; pub mod b; pub use a::X;"),
        ("a/mod.rs", "mod x; mod y; pub use x::X; pub use y::*;"),
        ("a/x.rs", "use super::y::Y; pub(in crate::b) struct X;"),
        ("a/y.rs", "pub struct Y; fn f() { use crate::{b as other}; other::g() }"),
        ("b.rs", "use crate::X; mod c { fn h(_: super::super::a::Y) {} } pub fn g() {}"),
        ("c.rs", "use crate::a; fn f() { a::X }"),
    ];
    let files = files
        .map(|(name, code)| File { name: name.into(), code: code.into() })
        .into_iter()
        .collect();
    let graph = Graph::of(&Source { root: Default::default(), files });
    let edges: Vec<Vec<&str>> = graph
        .edges
        .iter()
        .map(|edges| edges.keys().map(|&to| graph.names[to].as_str()).collect())
        .collect();
    let want: [&[&str]; 6] = [&[], &[], &["a/y.rs"], &["b.rs"], &["a/x.rs", "a/y.rs"], &["a/x.rs"]];
    assert_eq!(edges, want);
    assert_eq!(graph.circles(), [[2, 3, 4]]);
}

#[test]
fn no_way_around_the_tables_is_open() {
    let is_seen = |name: &str, code: &str| {
        let door = "pub use alert::Alert; pub mod alert; pub mod text;";
        let files = [
            ("lib.rs", "pub use engine::alert::Alert as Root; pub mod engine; pub mod sensor;"),
            ("engine/mod.rs", door),
            ("engine/alert/mod.rs", "pub struct Alert;"),
            ("engine/text/mod.rs", ""),
            ("sensor/mod.rs", ""),
            (name, code),
        ];
        let files = files.map(|(name, code)| File { name: name.into(), code: code.into() });
        let graph = Graph::of(&Source { root: Default::default(), files: files.into() });
        !forbidden_edges(&graph).is_empty() || !unreadable(code).is_empty()
    };
    for (name, code) in [
        ("engine/text/a.rs", "use crate::engine; fn f(_: engine::alert::Alert) {}"),
        ("engine/text/a.rs", "use crate::engine::Alert;"),
        ("engine/text/a.rs", "fn f(_: crate::Root) {}"),
        ("engine/text/a.rs", "use crate as root; fn f(_: root::sensor::X) {}"),
        ("engine/text/a.rs", "use crate::{self as root}; fn f(_: root::sensor::X) {}"),
        ("engine/text/a.rs", "extern crate self as root;"),
        ("engine/text/a.rs", "use crate::engine::*;"),
        ("engine/text/a.rs", "use super::super::*;"),
        ("engine/text/a.rs", "#[path = \"../alert/mod.rs\"] mod alert;"),
        ("engine/text/a.rs", "include!(\"../alert/mod.rs\");"),
        ("engine/text/a.rs", "use super::super::alert as a; fn f(_: a::Alert) {}"),
    ] {
        assert!(is_seen(name, code), "{name}: {code}");
    }
    for code in ["pub(crate) fn f() {}", "use super::b::*;", "use std::arch::x86_64::*;"] {
        assert!(!is_seen("engine/text/a.rs", code), "{code}");
    }
}
