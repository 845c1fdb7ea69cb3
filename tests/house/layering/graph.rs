//! The import graph of the files in `src`: every path is followed through re-exports to the file
//! that defines what it names.

use crate::harness::source::{Source, find_word, is_word, line_of, word_at};
use std::collections::{BTreeMap, BTreeSet};

/// Consecutive re-exports that are followed.
const MAX_DEPTH: usize = 12;

/// The files of `src`, and their imports.
pub struct Graph {
    /// Paths below `src`, with `/`.
    pub names: Vec<String>,
    /// For each file, the files that it imports, each with a line and a path that leads there.
    pub edges: Vec<BTreeMap<usize, (usize, String)>>,
}

/// A file as the graph reads it.
struct Node {
    module: Vec<String>,
    /// A `mod.rs`.
    is_door: bool,
    /// Its code without `pub(in …)` and without `use`.
    code: String,
    uses: Vec<Use>,
    /// Its inline modules: where they begin and end.
    inline: Vec<(usize, usize)>,
}

/// One name imported by a `use`.
struct Use {
    is_public: bool,
    path: Vec<String>,
    name: String,
    at: usize,
}

struct Reader {
    nodes: Vec<Node>,
    modules: BTreeMap<Vec<String>, usize>,
}

impl Graph {
    pub fn of(source: &Source) -> Graph {
        let nodes: Vec<Node> =
            source.files.iter().map(|file| Node::read(&file.name, &file.code)).collect();
        let modules =
            nodes.iter().enumerate().map(|(at, node)| (node.module.clone(), at)).collect();
        let reader = Reader { nodes, modules };
        let edges = (0..reader.nodes.len()).map(|file| reader.edges(file)).collect();
        let names = source.files.iter().map(|file| file.name.clone()).collect();
        Graph { names, edges }
    }

    /// The cycles of more than one file, each sorted by name.
    pub fn circles(&self) -> Vec<Vec<usize>> {
        let mut search = Search {
            edges: &self.edges,
            order: vec![None; self.edges.len()],
            low: vec![0; self.edges.len()],
            stack: Vec::new(),
            next: 0,
            found: Vec::new(),
        };
        for file in 0..self.edges.len() {
            if search.order[file].is_none() {
                search.visit(file);
            }
        }
        search.found
    }
}

/// Tarjan's algorithm for strongly connected components.
struct Search<'g> {
    edges: &'g [BTreeMap<usize, (usize, String)>],
    order: Vec<Option<usize>>,
    low: Vec<usize>,
    stack: Vec<usize>,
    next: usize,
    found: Vec<Vec<usize>>,
}

impl Search<'_> {
    fn visit(&mut self, file: usize) {
        let order = self.next;
        (self.order[file], self.low[file], self.next) = (Some(order), order, order + 1);
        self.stack.push(file);
        let edges = self.edges;
        for &to in edges[file].keys() {
            match self.order[to] {
                None => {
                    self.visit(to);
                    self.low[file] = self.low[file].min(self.low[to]);
                }
                Some(known) if self.stack.contains(&to) => {
                    self.low[file] = self.low[file].min(known);
                }
                Some(_) => {}
            }
        }
        if self.low[file] == order {
            let at = self.stack.iter().position(|&other| other == file).unwrap();
            let mut circle = self.stack.split_off(at);
            circle.sort_unstable();
            if circle.len() > 1 {
                self.found.push(circle);
            }
        }
    }
}

fn module_of(name: &str) -> Vec<String> {
    let path = name.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_string).collect() }
}

impl Node {
    fn read(name: &str, code: &str) -> Node {
        let mut code = without_places(code);
        let inline = inline_modules(&code);
        let mut uses = Vec::new();
        let mut from = 0;
        while let Some(at) = find_word(&code, "use", from) {
            let end = code[at..].find(';').map_or(code.len(), |end| at + end);
            let before = code[..at].trim_end();
            let is_public = before.ends_with("pub")
                || before.ends_with(')')
                    && before
                        .rfind("pub(")
                        .is_some_and(|open| !before[open..before.len() - 1].contains(')'));
            for (path, name) in leaves(&code[at + 3..end]) {
                uses.push(Use { is_public, path, name, at });
            }
            code.replace_range(at..end, &blank(&code[at..end]));
            from = end;
        }
        let is_door = name.ends_with("mod.rs");
        Node { module: module_of(name), is_door, code, uses, inline }
    }

    /// The nesting depth of a position in inline modules.
    fn depth(&self, at: usize) -> usize {
        self.inline.iter().filter(|(start, end)| (*start..*end).contains(&at)).count()
    }
}

fn blank(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { ' ' }).collect()
}

/// The code without visibility paths.
fn without_places(code: &str) -> String {
    let mut kept = code.to_string();
    while let Some(at) = kept.find("pub(in ") {
        let end = kept[at..].find(')').map_or(kept.len(), |end| at + end + 1);
        let rest = blank(&kept[at + 3..end]);
        kept.replace_range(at + 3..end, &rest);
    }
    kept
}

fn inline_modules(code: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = find_word(code, "mod", from) {
        from = at + 3;
        let rest = code[from..].trim_start();
        if rest[word_at(rest).len()..].trim_start().starts_with('{') {
            found.push((at, at + block_len(&code[at..])));
        }
    }
    found
}

/// The length of a block, up to its closing brace.
fn block_len(code: &str) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// The paths of a `use` tree, with the local name of each.
fn leaves(tree: &str) -> Vec<(Vec<String>, String)> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let (path, alias) = tree
            .split_once(" as ")
            .map_or((tree, None), |(path, alias)| (path, Some(alias.trim().to_string())));
        let mut path: Vec<String> = path.split("::").map(|word| word.trim().to_string()).collect();
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let name = alias.unwrap_or_else(|| path.last().cloned().unwrap_or_default());
        return vec![(path, name)];
    };
    let head = tree[..open].trim().trim_end_matches("::");
    let head: Vec<String> =
        head.split("::").map(|word| word.trim().to_string()).filter(|w| !w.is_empty()).collect();
    let mut found = Vec::new();
    for member in members(&tree[open + 1..tree.rfind('}').unwrap_or(tree.len())]) {
        for (path, name) in leaves(member) {
            let is_self = path == ["self"];
            let name = if is_self && name == "self" { head[head.len() - 1].clone() } else { name };
            let path = if is_self { head.clone() } else { [head.clone(), path].concat() };
            found.push((path, name));
        }
    }
    found
}

/// The members of a group, separated by commas.
fn members(group: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&group[start..]);
    found.into_iter().filter(|member| !member.trim().is_empty()).collect()
}

impl Reader {
    fn edges(&self, file: usize) -> BTreeMap<usize, (usize, String)> {
        let node = &self.nodes[file];
        let words: BTreeSet<&str> =
            node.code.split(|c: char| !is_word(c)).filter(|word| !word.is_empty()).collect();
        let mut edges = BTreeMap::new();
        let mut add = |at: usize, path: &[String]| {
            if let Some(target) = self.absolute(file, path, at)
                && let Some(to) = self.resolve(&target, MAX_DEPTH)
                && to != file
            {
                let line = line_of(&node.code, at);
                edges.entry(to).or_insert_with(|| (line, path.join("::")));
            }
        };
        for one in &node.uses {
            // A pure re-export counts as an import of the files that use it, and the name of a
            // `mod.rs` counts where its paths lead.
            let is_reexport = one.is_public && !words.contains(one.name.as_str());
            if !is_reexport && !self.is_door(file, one) {
                let glob = usize::from(one.name == "*");
                add(one.at, &one.path[..one.path.len() - glob]);
            }
        }
        for (at, path) in paths_of(&node.code) {
            add(at, &path);
        }
        edges
    }

    /// Whether a `use` names a module that is a `mod.rs`.
    fn is_door(&self, file: usize, one: &Use) -> bool {
        let target = self.absolute(file, &one.path, one.at);
        let to = target.and_then(|target| self.modules.get(&target).copied());
        to.is_some_and(|to| self.nodes[to].is_door)
    }

    /// A path from the root of the crate; `None` if it leads out of the crate.
    fn absolute(&self, file: usize, path: &[String], at: usize) -> Option<Vec<String>> {
        let node = &self.nodes[file];
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" | "wiresift" => Some(rest.to_vec()),
            "self" | "super" => {
                let supers = path.iter().take_while(|word| *word == "super").count();
                let up = supers.saturating_sub(node.depth(at));
                let kept = node.module.len().checked_sub(up)?;
                let skip = supers + usize::from(first == "self");
                Some([&node.module[..kept], &path[skip..]].concat())
            }
            _ => self.relative(file, path, MAX_DEPTH),
        }
    }

    /// A path that begins with a submodule, or with a name imported by a `use`.
    fn relative(&self, file: usize, path: &[String], depth: usize) -> Option<Vec<String>> {
        let node = &self.nodes[file];
        let (first, rest) = path.split_first()?;
        let below = [&node.module[..], std::slice::from_ref(first)].concat();
        if self.modules.contains_key(&below) {
            return Some([below, rest.to_vec()].concat());
        }
        let one = node.uses.iter().find(|one| one.name == *first && one.path[0] != *first)?;
        Some([self.target(file, one, depth.checked_sub(1)?)?, rest.to_vec()].concat())
    }

    fn target(&self, file: usize, one: &Use, depth: usize) -> Option<Vec<String>> {
        match one.path[0].as_str() {
            "crate" | "wiresift" | "self" | "super" => self.absolute(file, &one.path, one.at),
            _ => self.relative(file, &one.path, depth),
        }
    }

    /// The file that defines what a path names.
    fn resolve(&self, path: &[String], depth: usize) -> Option<usize> {
        let mut file = *self.modules.get(&Vec::new())?;
        for at in 0..path.len() {
            if let Some(&below) = self.modules.get(&path[..=at]) {
                file = below;
                continue;
            }
            let name = &path[at];
            let node = &self.nodes[file];
            let depth = depth.checked_sub(1)?;
            let named = node.uses.iter().find(|one| one.name == *name && node.depth(one.at) == 0);
            if let Some(one) = named {
                let target = self.target(file, one, depth)?;
                return self.resolve(&[target, path[at + 1..].to_vec()].concat(), depth);
            }
            let globs = node.uses.iter().filter(|one| one.is_public && one.name == "*");
            return globs
                .filter_map(|one| self.target(file, one, depth))
                .filter_map(|target| self.resolve(&target[..target.len() - 1], depth))
                .find(|&other| defines(&self.nodes[other].code, name))
                .or(Some(file));
        }
        Some(file)
    }
}

fn defines(code: &str, name: &str) -> bool {
    ["fn", "struct", "enum", "trait", "const", "static", "type", "macro_rules!"]
        .iter()
        .any(|word| code.contains(&format!("{word} {name}")))
}

/// The paths in code, each with its position.
fn paths_of(code: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = code[from..].find("::").map(|at| from + at) {
        let start = code[..at]
            .rfind(|c| !is_word(c))
            .map_or(0, |before| before + code[before..].chars().next().map_or(1, char::len_utf8));
        let before = code[..start].chars().next_back();
        let mut path = vec![code[start..at].to_string()];
        let mut end = at;
        while let Some(rest) = code[end..].strip_prefix("::") {
            let word = word_at(rest);
            if word.is_empty() {
                break;
            }
            path.push(word.to_string());
            end += 2 + word.len();
        }
        from = end.max(at + 2);
        let is_path = path.len() > 1
            && !path[0].is_empty()
            && before.is_none_or(|before| before != ':' && before != '.');
        if is_path {
            found.push((start, path));
        }
    }
    found
}
