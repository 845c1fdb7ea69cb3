//! The documents are correct: their links and names exist, the commands that they show print what
//! is shown, and they are complete with respect to the command line.

use crate::harness::{Code, Dir, project};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The documents that are checked; `docs/*.md` are added.
const DOCUMENTS: &[&str] =
    &["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];

/// The documents whose commands are run, each in its own folder.
const SHOWN: &[&str] = &["README.md", "docs/guide.md"];

/// The document that has every option and every format.
const REFERENCE: &str = "docs/cli.md";

/// The maximum number of words of the README.
const MAX_WORDS: usize = 1200;

/// Files that are mentioned but may not exist yet.
const ANNOUNCED: &[&str] = &["docs/throughput.svg"];

#[test]
fn links_and_paths_lead_somewhere() {
    let mut wrong = String::new();
    for document in documents() {
        for (line, link) in document.links() {
            if let Err(why) = document.follow(link) {
                writeln!(wrong, "{}:{line}: [{link}]: {why}", document.name).unwrap();
            }
        }
        for (line, span) in document.code_spans() {
            if names_a_path(span) && !exists(span) {
                writeln!(wrong, "{}:{line}: `{span}` is not there", document.name).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn names_of_the_code_are_in_the_code() {
    let mut known = BTreeSet::new();
    for folder in ["src", "tests"] {
        for file in files_below(folder) {
            let text = fs::read_to_string(file).unwrap();
            let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
            known.extend(words.map(str::to_string));
        }
    }
    let mut wrong = String::new();
    for name in ["ARCHITECTURE.md", "docs/internals.md"] {
        for (line, span) in Document::read(name).code_spans() {
            let path = span.trim_end_matches("()");
            if path.len() == span.len() && !path.contains("::") {
                continue;
            }
            let parts: Vec<&str> = path.split("::").collect();
            let is_name = |part: &&str| part.chars().all(|c| c.is_alphanumeric() || c == '_');
            if parts.iter().all(is_name) && !parts.iter().all(|part| known.contains(*part)) {
                writeln!(wrong, "{name}:{line}: no `{span}` in the code").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Blocks marked `console` are run one after the other, in one directory that contains
/// `testdata`. `…` in a line of output matches any text, and a line that only consists of `…`
/// matches any number of lines. The exit status must be 0 or 1 unless `echo $?` is shown.
#[test]
fn commands_that_are_shown_print_what_is_shown() {
    for name in SHOWN {
        let document = Document::read(name);
        let steps = document.console_steps();
        assert!(steps.len() >= 4, "only {} commands", steps.len());
        check_steps(name, &steps);
    }
}

fn check_steps(document: &str, steps: &[Step]) {
    let dir = Dir::new(&document.replace(['/', '.'], "_"));
    let testdata = project().join("testdata");
    std::os::unix::fs::symlink(testdata, dir.path().join("testdata")).unwrap();
    let has_jq = dir.shell("jq --version").run().code == Code::Exit(0);
    if !has_jq {
        eprintln!("\n!!! SKIPPED the examples that use jq: it is not installed\n");
    }
    let mut status = 0;
    let mut wrong = String::new();
    for step in steps.iter().filter(|step| has_jq || !step.command.contains("| jq")) {
        let text = if step.command == "echo $?" {
            status.to_string()
        } else {
            let run = dir.shell(&step.command).run();
            let Code::Exit(code) = run.code else { panic!("{}", run.report()) };
            status = code;
            run.text()
        };
        let got: Vec<&str> = text.lines().collect();
        let want: Vec<&str> = step.output.iter().map(String::as_str).collect();
        let Step { line, command, is_stated, .. } = step;
        if !shows(&want, &got) {
            writeln!(wrong, "{document}:{line}: {command} prints\n\n{text}\n").unwrap();
        }
        if status > 1 && !is_stated {
            writeln!(wrong, "{document}:{line}: {command} ends with {status}\n{text}\n").unwrap();
        }
    }
    assert!(wrong.is_empty(), "these examples do not do what is shown:\n\n{wrong}");
}

#[test]
fn the_first_page_is_short() {
    let words = Document::read("README.md").text.split_whitespace().count();
    assert!(words <= MAX_WORDS, "README.md has {words} words, and at most {MAX_WORDS} are read");
}

#[test]
fn every_command_and_option_is_in_the_reference() {
    let dir = Dir::new("options");
    let reference = Document::read(REFERENCE);
    let commands = commands(&dir);
    assert!(commands.len() >= 7, "{commands:?}");
    for command in commands {
        let section = reference.section(&format!("### `wiresift {command}`"));
        let help = dir.command().args([&*command, "--help"]).run().expect(0).text();
        let has: BTreeSet<&str> = help.lines().filter_map(option_of_help).collect();
        let shown: BTreeSet<&str> = section.iter().copied().filter_map(option_of_row).collect();
        let missing: Vec<_> = has.difference(&shown).filter(|o| **o != "--help").collect();
        assert!(missing.is_empty(), "{REFERENCE} does not show {missing:?} of `{command}`");
        let gone: Vec<_> = shown.difference(&has).collect();
        assert!(gone.is_empty(), "`{command}` has no {gone:?}, which {REFERENCE} shows");
    }
}

#[test]
fn every_format_is_in_the_reference() {
    let reference = Document::read(REFERENCE);
    let section = reference.section("## Formats of feeds");
    for format in wiresift::intel::feed::Format::ALL {
        let row = format!("| `{}` | {} |", format.name(), format.about().replace('|', "\\|"));
        assert!(section.contains(&&*row), "{REFERENCE} lacks the row\n{row}");
    }
    let guide = Document::read("docs/guide.md");
    for format in wiresift::engine::alert::Format::ALL {
        let name = format!("`{format}`");
        assert!(guide.text.contains(&name), "docs/guide.md does not name the format {name}");
    }
}

#[test]
fn the_changelog_names_the_format_of_the_database() {
    let changelog = Document::read("CHANGELOG.md").text;
    let version = wiresift::engine::database::VERSION;
    assert!(changelog.contains(&format!("format {version}")), "no word of format {version}");
}

#[test]
fn the_table_of_rooms_is_that_of_the_crate() {
    let architecture = Document::read("ARCHITECTURE.md");
    let library = fs::read_to_string(project().join("src/lib.rs")).unwrap();
    for line in library.lines().filter_map(|line| line.strip_prefix("//! | [`")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let room = cells[0].trim_end_matches("`]");
        let row = architecture.text.lines().find(|l| l.starts_with(&format!("| `{room}` |")));
        let row = row.unwrap_or_else(|| panic!("ARCHITECTURE.md has no row for `{room}`"));
        let imports = row.split('|').map(str::trim).nth(3).unwrap();
        assert_eq!(imports, cells[2], "what `{room}` may import");
    }
}

fn documents() -> Vec<Document> {
    let mut names: Vec<String> = DOCUMENTS.iter().map(|name| name.to_string()).collect();
    for entry in fs::read_dir(project().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            names.push(format!("docs/{name}"));
        }
    }
    names.sort();
    names.iter().map(|name| Document::read(name)).collect()
}

/// A document, by its path in the project.
struct Document {
    name: String,
    text: String,
}

/// A command that is shown, and its output.
struct Step {
    line: usize,
    command: String,
    output: Vec<String>,
    /// Whether `echo $?` follows, or it is that itself.
    is_stated: bool,
}

impl Document {
    fn read(name: &str) -> Document {
        let text = fs::read_to_string(project().join(name));
        let text = text.unwrap_or_else(|error| panic!("{name}: {error}"));
        Document { name: name.to_string(), text }
    }

    /// The lines outside of code blocks, with their numbers.
    fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut in_code = false;
        self.text.lines().enumerate().filter_map(move |(at, line)| {
            let is_fence = line.trim_start().starts_with("```");
            in_code ^= is_fence;
            (!in_code && !is_fence).then_some((at + 1, line))
        })
    }

    /// Where links lead, with their lines.
    fn links(&self) -> Vec<(usize, &str)> {
        let mut found = Vec::new();
        for (number, line) in self.prose() {
            for (at, _) in line.match_indices("](") {
                let target = &line[at + 2..];
                found.push((number, &target[..target.find(')').unwrap_or(target.len())]));
            }
        }
        found
    }

    /// The text between backticks, with its line.
    fn code_spans(&self) -> Vec<(usize, &str)> {
        self.prose()
            .flat_map(|(number, line)| {
                line.split('`').skip(1).step_by(2).map(move |span| (number, span))
            })
            .collect()
    }

    /// Whether the target of a link exists.
    fn follow(&self, link: &str) -> Result<(), String> {
        if link.contains("://") || link.starts_with("mailto:") {
            return Ok(());
        }
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        let folder = Path::new(&self.name).parent().unwrap();
        let target = if path.is_empty() { PathBuf::from(&self.name) } else { folder.join(path) };
        let name = target.to_str().unwrap();
        if !project().join(&target).exists() {
            if ANNOUNCED.contains(&name) {
                eprintln!("\n!!! {name} is announced and not there yet\n");
                return Ok(());
            }
            return Err(format!("there is no {name}"));
        }
        if anchor.is_empty() || !name.ends_with(".md") {
            return Ok(());
        }
        let there = Document::read(name);
        let has = there.prose().any(|(_, line)| heading(line).as_deref() == Some(anchor));
        if has { Ok(()) } else { Err(format!("{name} has no heading for #{anchor}")) }
    }

    /// The commands in blocks marked `console`.
    fn console_steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let mut in_console = false;
        for (at, line) in self.text.lines().enumerate() {
            if line.starts_with("```") {
                in_console = line == "```console";
            } else if !in_console {
            } else if let Some(command) = line.strip_prefix("$ ") {
                let is_status = command == "echo $?";
                if is_status && let Some(before) = steps.last_mut() {
                    before.is_stated = true;
                }
                let (line, command) = (at + 1, command.to_string());
                steps.push(Step { line, command, output: Vec::new(), is_stated: is_status });
            } else {
                let step = steps.last_mut().expect("output before a command");
                if step.output.is_empty() && step.command.ends_with('\\') {
                    step.command.push('\n');
                    step.command.push_str(line);
                } else {
                    step.output.push(line.to_string());
                }
            }
        }
        steps
    }

    /// The lines from a heading to the next one of its level or above.
    fn section(&self, heading: &str) -> Vec<&str> {
        let level = |line: &str| line.len() - line.trim_start_matches('#').len();
        let mut lines = self.prose().map(|(_, line)| line).skip_while(|line| *line != heading);
        assert!(lines.next().is_some(), "{} has no “{heading}”", self.name);
        lines.take_while(|line| !(1..=level(heading)).contains(&level(line))).collect()
    }
}

/// The anchor of a heading, as on GitHub.
fn heading(line: &str) -> Option<String> {
    let text = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    Some(kept.collect::<String>().to_lowercase().replace(' ', "-"))
}

/// Whether the text between backticks is meant as a path in the project.
fn names_a_path(span: &str) -> bool {
    const TOPS: &[&str] =
        &["src", "tests", "docs", "testdata", "fuzz", ".ci", "benches", "packaging"];
    let is_plain = span.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
    let top = span.split('/').next().unwrap_or(span);
    let is_source = !span.contains('/') && span.len() > 3 && span.ends_with(".rs");
    is_plain && (span.contains('/') && TOPS.contains(&top) || is_source)
}

fn exists(span: &str) -> bool {
    if span.contains('/') {
        return project().join(span).exists() || ANNOUNCED.contains(&span);
    }
    ["src", "tests", "fuzz/entries"]
        .into_iter()
        .flat_map(files_below)
        .any(|path| path.file_name().is_some_and(|name| name == span))
}

fn files_below(folder: &str) -> Vec<PathBuf> {
    walkdir::WalkDir::new(project().join(folder))
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// Whether the shown lines match the printed ones.
fn shows(want: &[&str], got: &[&str]) -> bool {
    match (want, got) {
        ([], []) => true,
        ([first, rest @ ..], _) if first.trim() == "…" => {
            (0..=got.len()).any(|skipped| shows(rest, &got[skipped..]))
        }
        ([first, rest @ ..], [line, lines @ ..]) => line_shows(first, line) && shows(rest, lines),
        _ => false,
    }
}

/// Whether a shown line, in which `…` matches any text, matches `line`.
fn line_shows(want: &str, line: &str) -> bool {
    let parts: Vec<&str> = want.split('…').collect();
    let [first, middle @ .., last] = &parts[..] else { return want == line };
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// The commands of the program.
fn commands(dir: &Dir) -> Vec<String> {
    // clap's own `help` shows what `--help` does.
    let help = dir.command().arg("--help").run().expect(0).text();
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_string)
        .collect()
}

/// The long name of the option that a line of a help text begins with.
fn option_of_help(line: &str) -> Option<&str> {
    line.trim_start().starts_with('-').then(|| long_option(line)).flatten()
}

/// The long name of the option that a row of a table is about.
fn option_of_row(line: &str) -> Option<&str> {
    long_option(line.strip_prefix("| `")?.split('|').next()?)
}

fn long_option(text: &str) -> Option<&str> {
    let name = &text[text.find("--")?..];
    let end = name.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(name.len());
    (end > 2).then(|| &name[..end])
}

#[test]
fn lines_are_compared_around_omissions() {
    assert!(shows(&["a … d", "…", "z"], &["a b c d", "x", "y", "z"]));
    assert!(shows(&["…"], &[]));
    assert!(!shows(&["a … d"], &["a b c"]));
    assert!(!shows(&["a"], &["a", "b"]));
    assert_eq!(heading("## `wiresift scan`: how").as_deref(), Some("wiresift-scan-how"));
    assert_eq!(option_of_help("  -o, --output <DB>"), Some("--output"));
    assert_eq!(option_of_help("      --stats[=<FORM>]"), Some("--stats"));
    assert_eq!(option_of_row("| `-o`, `--output DB` | x |"), Some("--output"));
    assert_eq!(option_of_row("| `--at TIME` | judge at `--x` |"), Some("--at"));
    assert_eq!(option_of_row("| `json` | x |"), None);
}
