//! Maltrail's static trails: any number of concatenated files, each with its `###
//! file:` line, with blocks of values below the references that list them.

use crate::engine::indicator::{Context, Kind, Scope, Severity, address};
use crate::intel::feed::contexts::{Contexts, owned, push_once};
use crate::intel::feed::format::loki;
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::{self, Line, Lines};
use crate::intel::feed::table::columns;
use std::sync::Arc;

/// Reads trails. A URL without a path means its host; a name includes its
/// subdomains; a path applies to any host.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) {
    let mut file = intake.base();
    let mut block = Block::new(&file);
    let mut described = Contexts::new();
    // Malware likes OpenNIC's top-level domains: `.bazar` alone has thousands of
    // names.
    intake.trust_names(true);
    for (number, line) in Lines::new(text) {
        let (line, next_file) = split_marker(line);
        match lines::parse(line) {
            Line::Blank => {}
            Line::Comment(comment) => block.comment(comment, &file),
            Line::Value(value, comment) => {
                intake.at_line(number);
                let context = block.shared();
                match comment {
                    Some(comment) => {
                        let key = format!("{}\x1f{}", block.number, comment);
                        let context = described.get(&key, || {
                            let mut context = (*context).clone();
                            context.description = owned(comment);
                            context
                        });
                        put(value, context, intake);
                    }
                    None => put(value, &context, intake),
                }
            }
        }
        if let Some(path) = next_file {
            file = context_of_file(path.trim(), intake.base());
            block = Block::new(&file);
        }
    }
}

/// If a file does not end in a line break, its last value runs into the next
/// marker.
fn split_marker(line: &str) -> (&str, Option<&str>) {
    // Separates the files when all trails are joined into one.
    const MARKER: &str = "### file:";
    let hash = memchr::memchr(b'#', line.as_bytes());
    match hash.filter(|&at| line[at..].starts_with(MARKER)) {
        Some(at) => (&line[..at], Some(&line[at + MARKER.len()..])),
        None => (line, None),
    }
}

/// The values below one group of references.
struct Block {
    context: Context<'static>,
    shared: Option<Arc<Context<'static>>>,
    number: u64,
}

impl Block {
    /// A block without references, at the start of a file.
    fn new(file: &Context<'static>) -> Self {
        Block { context: file.clone(), shared: None, number: 0 }
    }

    /// Reads `Reference:` and `Aliases:` comments. Other comments are notes.
    fn comment(&mut self, comment: &str, file: &Context<'static>) {
        let Some((name, text)) = comment.split_once(':') else { return };
        match name.trim() {
            "Reference" | "References" => {
                if self.shared.take().is_some() {
                    // There were values in between, so a new block begins. Aliases
                    // stay in effect.
                    let malware = std::mem::take(&mut self.context.malware);
                    self.context = Context { malware, ..file.clone() };
                    self.number += 1;
                }
                let link = text.split_ascii_whitespace().next().unwrap_or("");
                push_once(&mut self.context.references, link);
            }
            "Aliases" | "Alias" => {
                self.shared = None;
                self.number += 1;
                for alias in text.split(',') {
                    push_once(&mut self.context.malware, alias);
                }
            }
            _ => {}
        }
    }

    /// The context that the values of the block share.
    fn shared(&mut self) -> Arc<Context<'static>> {
        Arc::clone(self.shared.get_or_insert_with(|| Arc::new(self.context.clone())))
    }
}

/// The context of `trails/static/malware/emotet.txt`: the folder is the class, the
/// file name the family.
fn context_of_file(path: &str, mut context: Context<'static>) -> Context<'static> {
    let path = path.strip_suffix(".txt").unwrap_or(path);
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let class = folder.rsplit('/').next().unwrap_or("");
    let collection = if class.is_empty() || class == "static" {
        name.to_string()
    } else {
        columns::add_tag(&mut context, class);
        format!("{class}/{name}")
    };
    if class == "malware" {
        push_once(&mut context.malware, name);
    }
    context.severity = match class {
        "malware" | "malicious" => Some(Severity::High),
        "suspicious" => Some(Severity::Medium),
        _ => context.severity,
    };
    context.collection = owned(&collection);
    context
}

/// Passes on a value: an expression, a URL, or an address or name.
fn put(value: &str, context: &Arc<Context<'static>>, intake: &mut Intake<'_>) {
    let scope = intake.domain_scope(Scope::Subtree);
    if is_regex(value) {
        match loki::check_regex(value) {
            Ok(()) => {
                intake.typed(Kind::Domain, value, Scope::Regex, context);
            }
            Err(reason) => intake.reject(value, reason, None),
        }
        return;
    }
    let bare = value.split_once("://").map_or(value, |(_, rest)| rest);
    let host = bare.strip_suffix('/').unwrap_or(bare);
    if !host.is_empty() && !host.contains(['/', '?']) {
        // A URL without a path, or with only a slash, means the host itself.
        intake.guessed(host, scope, context);
    } else if bare.len() < value.len() {
        intake.typed(Kind::Url, bare, Scope::Exact, context);
    } else {
        intake.guessed(value, scope, context);
    }
}

/// Whether a value is an expression. Brackets of an IPv6 address and unusual
/// characters in a path do not make it one.
fn is_regex(value: &str) -> bool {
    if value.contains("://") || value.starts_with('/') || address::parse_endpoint(value).is_some() {
        return false;
    }
    value.contains(['\\', '^', '(', '{']) && !value.contains('/')
}

/// Whether the beginning of a file is Maltrail's; for detection.
pub(in crate::intel::feed) fn is_trails(text: &str) -> bool {
    Lines::new(text).take(40).any(|(_, line)| {
        line.starts_with("### file:")
            || line.starts_with('#') && line.contains("stamparm/maltrail")
            || line.starts_with("# Reference: http")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intel::feed::{Collected, Format, Options};

    #[test]
    fn files_blocks_and_forms() {
        let text =
            b"### file: trails/static/malware/evil.txt\n# Copyright (c) x (stamparm/maltrail)\n\
            # Aliases: wicked, vile\n\n# Reference: https://ref.example/1\n\nevil.example\n\
            http://198.51.100.7\n198.51.100.8:8443\n# Reference: https://ref.example/2\n\n\
            http://evil.example/gate.php\n/panel/gate.php\nbad.example/\nx.example # note\n\
            q(l|r)[0-9]{5,6}\\.pw\n[2001:db8::1]:443\n161.35.41.9:53:53\n\
            198.51.100.9### file: trails/static/suspicious/odd.txt\n.zip\n";
        let got = Collected::read(text, &Options::default()).unwrap();
        assert_eq!(got.summary.format, Format::Maltrail);
        let found: Vec<_> = got.indicators.iter().map(|i| (i.kind, i.value.to_string())).collect();
        assert_eq!(
            found,
            [
                (Kind::Domain, "evil.example".into()),
                (Kind::Ip, "198.51.100.7".into()),
                (Kind::Endpoint, "198.51.100.8:8443".into()),
                (Kind::Url, "evil.example/gate.php".into()),
                (Kind::UrlPath, "/panel/gate.php".into()),
                (Kind::Domain, "bad.example".into()),
                (Kind::Domain, "x.example".into()),
                (Kind::Domain, "q(l|r)[0-9]{5,6}\\.pw".into()),
                (Kind::Endpoint, "[2001:db8::1]:443".into()),
                (Kind::Ip, "198.51.100.9".into()),
                (Kind::Domain, "zip".into()),
            ]
        );
        let first = &got.indicators[0].context;
        assert_eq!(first.malware, ["evil", "wicked", "vile"]);
        assert_eq!(first.collection.as_deref(), Some("malware/evil"));
        assert_eq!(first.references, ["https://ref.example/1"]);
        assert_eq!(first.severity, Some(Severity::High));
        assert_eq!(got.indicators[3].context.references, ["https://ref.example/2"]);
        assert_eq!(got.indicators[6].context.description.as_deref(), Some("note"));
        assert_eq!(got.indicators[10].context.tags, ["suspicious"]);
        assert_eq!(got.rejects.len(), 1);
    }
}
