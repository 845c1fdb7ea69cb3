//! The code of `src`, roughly parsed: without comments, strings and tests.

use std::fs;
use std::path::{Path, PathBuf};

/// All of `src`.
pub struct Source {
    /// The folder.
    pub root: PathBuf,
    /// Its files, except those of tests.
    pub files: Vec<File>,
}

/// A file of `src`: its path in there with `/`, and its code without comments, strings and tests.
/// Line numbers are preserved.
pub struct File {
    pub name: String,
    pub code: String,
}

impl Source {
    /// Reads it.
    pub fn read() -> Source {
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

/// Whether a character is part of a name.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The name that a text begins with.
pub fn word_at(text: &str) -> &str {
    &text[..text.find(|c| !is_word(c)).unwrap_or(text.len())]
}

/// The next position of `word` as a whole word.
pub fn find_word(text: &str, word: &str, from: usize) -> Option<usize> {
    text[from..].match_indices(word).map(|(at, _)| from + at).find(|&at| {
        !text[..at].chars().next_back().is_some_and(is_word)
            && !text[at + word.len()..].chars().next().is_some_and(is_word)
    })
}

/// The names after a word, at all its positions.
pub fn words_after<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = find_word(text, word, from) {
        from = at + word.len();
        found.push(word_at(text[from..].trim_start()));
    }
    found
}

/// The line of a position, from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Replaces comments, strings and characters by blanks, and keeps every newline.
pub fn without_comments(text: &str) -> String {
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

/// Replaces what follows `#[cfg(test)]` or `#[cfg(all(test, …))]` by blanks, and returns the
/// names of modules among it that are separate files.
pub fn without_tests(code: &str) -> (String, Vec<String>) {
    let mut kept = String::with_capacity(code.len());
    let mut modules = Vec::new();
    let mut rest = code;
    while let Some((at, len)) = test_mark(rest) {
        kept.push_str(&rest[..at]);
        let item = &rest[at + len..];
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

/// The position of the next attribute that restricts an item to tests, and its length.
fn test_mark(code: &str) -> Option<(usize, usize)> {
    let all = code.find("#[cfg(all(test,").and_then(|at| {
        let len = code[at..].find(")]")? + 2;
        Some((at, len))
    });
    let plain = code.find("#[cfg(test)]").map(|at| (at, "#[cfg(test)]".len()));
    all.into_iter().chain(plain).min()
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
