//! Hints for flags and commands that users bring from other programs.
//!
//! For an unknown flag, clap suggests passing it as a value, or the flag with the most similar
//! letters. Neither helps someone coming from grep or tcpdump, so known words of such programs
//! get a hint of ours. A likely typo keeps clap's suggestion.

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

/// Command (empty for any), foreign word, and the hint that clap prints as “tip: …”.
const HINTS: &[(&str, &str, &str)] = &[
    // grep, ripgrep
    ("scan", "-f", "a list of indicators goes to --db: wiresift scan --db LIST INPUT"),
    ("scan", "--file", "a list of indicators goes to --db: wiresift scan --db LIST INPUT"),
    (
        "scan",
        "-e",
        "for one value: wiresift scan --db <(echo VALUE) INPUT; `lookup` looks it up in a database",
    ),
    ("scan", "-r", "folders are always searched recursively; a capture is an input like any other"),
    ("scan", "-R", "folders are always searched recursively"),
    ("scan", "--recursive", "folders are always searched recursively"),
    (
        "scan",
        "-i",
        "case is ignored wherever the kind of value ignores it; to listen on an interface: tap -i",
    ),
    ("scan", "-n", "each alert has its line and column; names are never resolved"),
    (
        "scan",
        "-v",
        "only matching lines are reported; --stats counts what was searched and dropped",
    ),
    ("scan", "-F", "indicators are matched as values, never as patterns"),
    ("scan", "-w", "values always match as a whole; -o FILE writes alerts to a file"),
    ("scan", "-A", "there are no context lines; `--format text` prints the matching line"),
    ("scan", "-B", "there are no context lines; `--format text` prints the matching line"),
    ("scan", "-C", "there are no context lines; `--format text` prints the matching line"),
    (
        "scan",
        "--after-context",
        "there are no context lines; `--format text` prints the matching line",
    ),
    (
        "scan",
        "--before-context",
        "there are no context lines; `--format text` prints the matching line",
    ),
    ("scan", "--context", "there are no context lines; `--format text` prints the matching line"),
    ("scan", "-H", "each alert names its input"),
    ("scan", "--with-filename", "each alert names its input"),
    ("scan", "--no-filename", "alerts always name their input"),
    ("scan", "--line-number", "each alert has its line and column"),
    ("scan", "-b", "--json prints the byte offset of each alert"),
    ("scan", "-E", "indicators are matched as values, never as patterns"),
    ("scan", "-P", "indicators are matched as values, never as patterns"),
    ("scan", "-x", "indicators are matched as whole values, anywhere in a line"),
    ("scan", "-I", "binary files are searched as well; --exclude GLOB leaves inputs out"),
    ("scan", "-a", "binary files are always searched as text"),
    ("scan", "-L", "-l prints the inputs that have alerts, -c how many each has"),
    ("scan", "-s", "errors are printed once each; -q prints no alerts"),
    ("scan", "--ignore-case", "case is ignored wherever the kind of value ignores it"),
    ("scan", "--invert-match", "only matching lines are reported; -l and -c list inputs"),
    ("scan", "-nn", "hosts and ports are never resolved"),
    ("scan", "-X", "packets are not printed; --format text shows where a value was seen"),
    ("scan", "-z", "compressed inputs are always searched"),
    ("scan", "-h", "each alert names its input"),
    ("scan", "--include", "name the inputs: wiresift scan --db DB '**/*.log'"),
    ("scan", "--follow", "wiresift tail --db DB FILE"),
    ("scan", "--count-matches", "use --count"),
    ("scan", "--no-ignore", "no file is ignored; --exclude leaves some out"),
    ("scan", "--hidden", "hidden files are always searched"),
    // tcpdump, tshark
    ("tap", "-r", "capture files are read by scan: wiresift scan --db DB FILE"),
    ("tap", "--read-file", "capture files are read by scan: wiresift scan --db DB FILE"),
    ("tap", "-n", "names are never resolved"),
    ("tap", "-nn", "names are never resolved"),
    ("tap", "-v", "--stats-every TIME prints rates and drops"),
    ("tap", "-vv", "--stats-every TIME prints rates and drops"),
    ("tap", "-s", "use --snaplen BYTES"),
    ("tap", "-B", "use --ring SIZE"),
    ("tap", "-p", "--no-promiscuous"),
    ("tap", "-w", "packets are not saved; -o FILE writes alerts"),
    ("tap", "-W", "rotate the output from outside: move the file, then send SIGHUP"),
    ("tap", "-C", "rotate the output from outside: move the file, then send SIGHUP"),
    ("tap", "-G", "rotate the output from outside: move the file, then send SIGHUP"),
    ("tap", "-A", "packets are not printed; --format text shows where a value was seen"),
    ("tap", "-X", "packets are not printed; --format text shows where a value was seen"),
    ("tap", "-l", "alerts are never buffered"),
    ("tap", "-U", "alerts are never buffered"),
    ("tap", "-Z", "privileges are always dropped, see --no-sandbox"),
    // matchy
    ("", "match", "use `scan`: wiresift scan --db DB INPUT"),
    ("", "build", "use `compile`: wiresift compile -o DB FEED"),
    ("", "query", "use `lookup`: wiresift lookup --db DB VALUE"),
    ("", "extract", "wiresift scan --observables INPUT"),
    ("", "validate", "use `verify`: wiresift verify DB"),
    ("compile", "--database-type", "the kinds in a database follow from its feeds"),
    (
        "scan",
        "--extractors",
        "all kinds in the database are searched for; --kind selects the alerts to print",
    ),
    // Suricata, Zeek
    ("", "-r", "capture files are read by scan: wiresift scan --db DB FILE"),
    ("", "-i", "live: wiresift tap --db DB -i IF"),
    ("", "-C", "checksums are never verified"),
    // What people try first
    ("", "search", "wiresift scan --db DB INPUT, or wiresift lookup --db DB VALUE"),
    ("", "grep", "wiresift scan --db LIST INPUT"),
    ("", "check", "a value: wiresift lookup --db DB VALUE; a database: wiresift verify DB"),
    ("", "update", "wiresift feed update"),
    ("", "add", "wiresift feed add NAME"),
    ("", "list", "wiresift feed list"),
    ("", "info", "use `inspect`: wiresift inspect DB"),
    ("", "show", "a database: wiresift inspect DB; a feed: wiresift feed show NAME"),
    ("", "stats", "wiresift inspect DB, or wiresift scan --stats"),
    ("", "capture", "live: wiresift tap --db DB -i IF; a file: wiresift scan --db DB FILE"),
    ("", "listen", "use `tap`: wiresift tap --db DB -i IF"),
    ("", "monitor", "use `tap`: wiresift tap --db DB -i IF"),
    ("", "watch", "wiresift tail --db DB FILE; live: wiresift tap --db DB -i IF"),
    ("", "version", "wiresift --version"),
    ("", "--verbose", "--stats prints what was read, matched and dropped"),
    ("", "-v", "--stats prints what was read, matched and dropped"),
    ("", "--debug", "--stats prints what was read, matched and dropped"),
    ("", "-d", "the database is --db"),
    ("", "-D", "interfaces: wiresift tap -D; the database is --db"),
    ("", "--database", "use --db"),
    ("", "-b", "the database is --db"),
    ("", "--out", "use -o or --output"),
    ("", "-f", "the format is --format, or --as for a feed"),
    ("", "--type", "kinds of alerts: --kind; the format of a feed: --as"),
    ("", "--dry-run", "`feed` has it; scan, tap and lookup change nothing but their --output"),
    ("", "--limit", "use --max-count N, which counts per input"),
    ("", "--severity", "use --min-severity"),
    ("", "--whitelist", "use --allow"),
    ("", "--ignore", "known good values: --allow FILE; inputs: --exclude GLOB"),
    ("", "--rules", "a database is compiled from feeds: wiresift compile -o DB FEED"),
    ("", "--threads-count", "use --threads or -j"),
    ("", "-t", "use -j N for threads"),
];

/// Replaces clap's suggestions by our hint if the word is known, and drops those that mislead.
///
/// `words` are the arguments without the program; the first that names a subcommand decides
/// whose hints apply.
pub(super) fn replace_suggestions(error: &mut Error, command: &Command, words: &[String]) {
    for kind in [
        ContextKind::Suggested,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ] {
        // A mistyped value, or a slip in a long word, is a good guess of clap's.
        if kind == ContextKind::SuggestedValue || is_near(error, kind) {
            continue;
        }
        // clap then prints the usage of its own suggestion, too.
        if error.remove(kind).is_some() && kind == ContextKind::SuggestedArg {
            error.remove(ContextKind::Usage);
        }
    }
    let kind = match error.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        _ => return,
    };
    let Some(ContextValue::String(word)) = error.get(kind) else { return };
    let word = word.split('=').next().unwrap_or(word).to_owned();
    let of = words.iter().find(|word| command.find_subcommand(word).is_some());
    let Some(hint) = hint(of.map_or("", String::as_str), &word) else { return };
    error.remove(ContextKind::SuggestedArg);
    error.remove(ContextKind::SuggestedSubcommand);
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(hint)]));
}

/// Whether clap's suggestion is the same word with a slip in it: the same first three letters
/// and almost the same length. clap's own measure (Jaro similarity over 0.7) also takes
/// `--follow` for `--allow`.
fn is_near(error: &Error, suggested: ContextKind) -> bool {
    let invalid = match suggested {
        ContextKind::SuggestedArg => ContextKind::InvalidArg,
        ContextKind::SuggestedSubcommand => ContextKind::InvalidSubcommand,
        _ => return false,
    };
    let word = match error.get(invalid) {
        Some(ContextValue::String(word)) => word.trim_start_matches('-'),
        _ => return false,
    };
    let near = |other: &String| {
        let other = other.trim_start_matches('-');
        let same = word.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
        word.len() > 3 && same >= 3 && word.len().abs_diff(other.len()) <= 3
    };
    match error.get(suggested) {
        Some(ContextValue::String(other)) => near(other),
        Some(ContextValue::Strings(others)) => others.iter().any(near),
        _ => false,
    }
}

/// Finds the hint for a word; one for the command precedes one for any command.
fn hint(command: &str, word: &str) -> Option<&'static str> {
    let of = |wanted: &str| {
        HINTS.iter().find(|(of, other, _)| *of == wanted && *other == word).map(|(.., hint)| *hint)
    };
    of(command).or_else(|| of(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::flags::Cli;
    use clap::CommandFactory;

    fn message(words: &[&str]) -> String {
        let mut command = Cli::command();
        let mut error = command.try_get_matches_from_mut(words).unwrap_err();
        let words: Vec<String> = words.iter().skip(1).map(|word| word.to_string()).collect();
        replace_suggestions(&mut error, &Cli::command(), &words);
        error.to_string()
    }

    #[test]
    fn words_of_other_programs() {
        let text = message(&["wiresift", "query", "x"]);
        assert!(text.contains("use `lookup`") && !text.contains("verify"), "{text}");
        let text = message(&["wiresift", "scan", "--db", "x", "-f", "y"]);
        assert!(text.contains("goes to --db") && !text.contains("-- -f"), "{text}");
        let text = message(&["wiresift", "tap", "-r", "x"]);
        assert!(text.contains("read by scan"), "{text}");
        let text = message(&["wiresift", "scan", "--follow"]);
        assert!(text.contains("wiresift tail") && !text.contains("--allow"), "{text}");
        // A slip keeps clap's suggestion.
        let text = message(&["wiresift", "scan", "--formt", "json"]);
        assert!(text.contains("--format"), "{text}");
        let text = message(&["wiresift", "scan", "--nonsense"]);
        assert!(!text.contains("tip:"), "{text}");
    }

    #[test]
    fn options_of_grep_and_tcpdump() {
        for words in [
            "scan -A 3",
            "scan -B 2",
            "scan -C5",
            "scan -n x",
            "scan -i x",
            "scan -v x",
            "scan -r x",
            "scan -H x",
            "scan -rn x",
            "scan -nn x",
            "scan -w x",
            "scan -E x",
            "scan --context=3",
            "scan --line-number",
            "tap -nn",
            "tap -r f.pcap",
            "tap -w f.pcap",
            "tap -A",
            "-r f.pcap",
            "tap -n",
        ] {
            let words: Vec<&str> = ["wiresift"].into_iter().chain(words.split(' ')).collect();
            let text = message(&words);
            let tips: Vec<&str> = text.lines().filter(|line| line.contains("tip:")).collect();
            assert!(tips.len() == 1 && !text.contains("-- -"), "{words:?}: {text}");
        }
        // A flag that exists needs no hint.
        for words in
            [["wiresift", "scan", "-c"], ["wiresift", "scan", "-l"], ["wiresift", "scan", "-q"]]
        {
            assert!(Cli::command().try_get_matches_from(words).is_ok(), "{words:?}");
        }
        let both = Cli::command().try_get_matches_from(["wiresift", "scan", "-l", "-c", "x"]);
        assert!(both.is_ok(), "{both:?}");
    }

    /// A hint for a word that the command accepts would never be shown.
    #[test]
    fn no_hint_is_in_vain() {
        let command = Cli::command();
        for (of, word, _) in HINTS {
            let commands: Vec<&Command> = match command.find_subcommand(of) {
                Some(command) => vec![command],
                None => vec![&command],
            };
            for command in commands {
                let letter = word.strip_prefix('-').filter(|rest| rest.chars().count() == 1);
                let long = word.strip_prefix("--");
                let is_known = command.get_arguments().any(|arg| {
                    letter.is_some_and(|letter| arg.get_short() == letter.chars().next())
                        || long.is_some() && arg.get_long() == long
                });
                assert!(!is_known, "{of} {word}");
                assert!(command.find_subcommand(word).is_none(), "{word}");
            }
        }
    }
}
