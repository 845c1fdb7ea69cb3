//! Functions and files stay short, and functions take few arguments.
//!
//! The bounds are those of `CONTRIBUTING.md`. Only lines with code count: comments, blank lines,
//! tests and lines that are only part of a string literal do not, and neither do a function's
//! signature and its closing brace.

use crate::harness::source::{Source, find_word, line_of, without_comments, word_at};
use std::fmt::Write as _;

/// The maximum number of lines of a function's body.
const MAX_FUNCTION: usize = 70;

/// Nine of ten functions have at most this many lines.
const MAX_USUAL_FUNCTION: usize = 24;

/// The maximum number of lines of a file.
const MAX_FILE: usize = 600;

/// The maximum number of arguments of a function, without `self`.
const MAX_ARGUMENTS: usize = 5;

#[test]
fn functions_are_short() {
    let mut long = String::new();
    let mut lengths = Vec::new();
    for file in &Source::read().files {
        for function in functions(&file.code) {
            if function.lines > MAX_FUNCTION {
                let Function { name, line, lines, .. } = function;
                writeln!(long, "src/{}:{line}: `{name}` has {lines} lines", file.name).unwrap();
            }
            lengths.push(function.lines);
        }
    }
    assert!(long.is_empty(), "more than {MAX_FUNCTION} lines:\n{long}");
    lengths.sort_unstable();
    let usual = lengths[lengths.len() * 9 / 10];
    assert!(usual <= MAX_USUAL_FUNCTION, "one of ten functions has {usual} lines or more");
}

#[test]
fn functions_take_few_arguments() {
    let mut wide = String::new();
    for file in &Source::read().files {
        for Function { name, line, arguments, .. } in functions(&file.code) {
            if arguments > MAX_ARGUMENTS {
                writeln!(wide, "src/{}:{line}: `{name}` takes {arguments}", file.name).unwrap();
            }
        }
    }
    assert!(wide.is_empty(), "a struct with a name says more than that many arguments:\n{wide}");
}

#[test]
fn files_are_short() {
    let mut long = String::new();
    for file in &Source::read().files {
        let lines = lines_of(&file.code);
        if lines > MAX_FILE {
            writeln!(long, "src/{}: {lines} lines", file.name).unwrap();
        }
    }
    assert!(long.is_empty(), "more than {MAX_FILE} lines:\n{long}");
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
struct Function<'c> {
    name: &'c str,
    /// The line where it begins.
    line: usize,
    /// The number of code lines of its body.
    lines: usize,
    /// The number of its arguments, without `self`.
    arguments: usize,
}

/// The functions of a file, nested ones too.
fn functions(code: &str) -> Vec<Function<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = find_word(code, "fn", from) {
        from = at + "fn".len();
        let name = word_at(code[from..].trim_start());
        let Some(open) = (!name.is_empty()).then(|| parentheses(&code[from..])).flatten() else {
            // A function type, or an argument of a macro.
            continue;
        };
        let open = from + open;
        let close = open + group_len(&code[open..]);
        let Some(body) = body(&code[close..]) else { continue };
        let body = &code[close + body..];
        let body = &body[..group_len(body)];
        found.push(Function {
            name,
            line: line_of(code, at),
            lines: lines_of(body.trim_matches(['{', '}'])),
            arguments: arguments(&code[open + 1..close - 1]),
        });
    }
    found
}

/// Where the arguments begin, after the name and its generics.
fn parentheses(code: &str) -> Option<usize> {
    let mut angles = 0;
    let mut last = ' ';
    for (at, c) in code.char_indices() {
        match c {
            '<' => angles += 1,
            '>' if last != '-' => angles -= 1,
            '(' if angles == 0 => return Some(at),
            '{' | ';' if angles == 0 => return None,
            _ => {}
        }
        last = c;
    }
    None
}

/// Where the body begins, after the arguments; `None` for a signature alone.
fn body(code: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(at),
            ';' | '}' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The length of a group in brackets, including these.
fn group_len(code: &str) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// The number of arguments between the parentheses, without `self`.
fn arguments(code: &str) -> usize {
    let mut depth = 0;
    let mut last = ' ';
    let is_outside = |c: char| {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '>' if last != '-' => depth -= 1,
            _ => {}
        }
        last = c;
        c == ',' && depth == 0
    };
    let parts = code.split(is_outside).map(str::trim).filter(|part| !part.is_empty());
    parts
        .filter(|part| find_word(part.split(':').next().unwrap_or(""), "self", 0).is_none())
        .count()
}

fn lines_of(code: &str) -> usize {
    code.lines().filter(|line| !line.trim().is_empty()).count()
}

#[test]
fn the_measure_counts_code_and_nothing_else() {
    let text = r#"
        /// fn in_a_comment() {}
        pub fn one<F: Fn(u8) -> u8, const N: usize>(
            &mut self,
            map: HashMap<u8, [u8; N]>, // a, b, c
            (a, b): (u8, u8),
            run: impl Fn(u8, u8) -> u8,
        ) -> Result<(), [u8; 3]>
        where
            F: Copy,
        {
            // Not a line.

            let text = "
                fn neither() {}
            ";
            fn inner() { {} }
        }
        fn signature(a: u8);
        fn none() {}
        type Of = fn(u8, u8) -> u8;
    "#;
    let code = without_comments(text);
    let got: Vec<_> = functions(&code)
        .iter()
        .map(|function| (function.name, function.line, function.lines, function.arguments))
        .collect();
    assert_eq!(got, [("one", 3, 3, 3), ("inner", 17, 1, 0), ("none", 20, 0, 0)]);
}
