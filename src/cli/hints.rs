//! Words of other programs: what somebody who types them means here.
//!
//! clap proposes to pass an unknown flag on as a value, or the flag whose letters are
//! the nearest. Neither helps somebody who has just come from grep or tcpdump.

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

/// The command ("" for any), the word, and what it is here.
const HINTS: &[(&str, &str, &str)] = &[
    // grep, ripgrep
    ("scan", "-f", "a list of indicators goes to --db: wiresift scan --db LIST INPUT"),
    ("scan", "--file", "a list of indicators goes to --db: wiresift scan --db LIST INPUT"),
    (
        "scan",
        "-e",
        "one value: wiresift scan --db <(echo VALUE) INPUT; `lookup` asks a database for it",
    ),
    ("scan", "-r", "folders are walked anyway; a capture is an input like any other"),
    ("scan", "-R", "folders are walked anyway"),
    ("scan", "--recursive", "folders are walked anyway"),
    (
        "scan",
        "-i",
        "upper and lower case are the same where they are for the kind; `tap -i` listens",
    ),
    ("scan", "-n", "each alert has its line and column; names of hosts are never asked for"),
    (
        "scan",
        "-v",
        "lines without an indicator are not printed; what was searched and dropped: --stats",
    ),
    ("scan", "-F", "indicators are matched as values, never as patterns"),
    (
        "scan",
        "-w",
        "values are matched as a whole anyway; alerts are written to a file with -o FILE",
    ),
    ("scan", "-A", "an alert has its own line; `--format text` prints it below what matched"),
    ("scan", "-B", "an alert has its own line; `--format text` prints it below what matched"),
    ("scan", "-C", "an alert has its own line; `--format text` prints it below what matched"),
    ("scan", "--after-context", "an alert has its own line; `--format text` prints it"),
    ("scan", "--before-context", "an alert has its own line; `--format text` prints it"),
    ("scan", "--context", "an alert has its own line; `--format text` prints it"),
    ("scan", "-H", "each alert names its input"),
    ("scan", "--with-filename", "each alert names its input"),
    ("scan", "--no-filename", "alerts always name their input"),
    ("scan", "--line-number", "each alert has its line and column"),
    ("scan", "-b", "each alert has its offset: --json"),
    ("scan", "-E", "indicators are matched as values, never as patterns"),
    ("scan", "-P", "indicators are matched as values, never as patterns"),
    ("scan", "-x", "indicators are matched as whole values, anywhere in a line"),
    ("scan", "-I", "binary files are searched as well; --exclude GLOB leaves inputs out"),
    ("scan", "-a", "binary files are searched as text anyway"),
    ("scan", "-L", "-l prints the inputs that have alerts, -c how many each has"),
    ("scan", "-s", "errors are printed once each; -q prints no alerts"),
    ("scan", "--ignore-case", "upper and lower case are the same where they are for the kind"),
    ("scan", "--invert-match", "lines without an indicator are not printed; -l and -c tell inputs"),
    ("scan", "-nn", "names of hosts and ports are never asked for"),
    ("scan", "-X", "--format text shows where something was seen, not the packet"),
    ("scan", "-z", "compressed inputs are looked through anyway"),
    ("scan", "-h", "each alert names its input"),
    ("scan", "--include", "name the inputs: wiresift scan --db DB '**/*.log'"),
    ("scan", "--follow", "wiresift tail --db DB FILE"),
    ("scan", "--count-matches", "it is --count"),
    ("scan", "--no-ignore", "no file is ignored; --exclude leaves some out"),
    ("scan", "--hidden", "hidden files are searched anyway"),
    // tcpdump, tshark
    ("tap", "-r", "a capture file is read by scan: wiresift scan --db DB FILE"),
    ("tap", "--read-file", "a capture file is read by scan: wiresift scan --db DB FILE"),
    ("tap", "-n", "names of hosts are never asked for"),
    ("tap", "-nn", "names of hosts are never asked for"),
    ("tap", "-v", "--stats-every TIME prints what is going on"),
    ("tap", "-vv", "--stats-every TIME prints what is going on"),
    ("tap", "-s", "--snaplen BYTES"),
    ("tap", "-B", "--ring SIZE"),
    ("tap", "-p", "--no-promiscuous"),
    ("tap", "-w", "packets are not written; alerts are, with -o FILE"),
    ("tap", "-W", "alerts are rotated from outside: move the file, then SIGHUP"),
    ("tap", "-C", "alerts are rotated from outside: move the file, then SIGHUP"),
    ("tap", "-G", "alerts are rotated from outside: move the file, then SIGHUP"),
    ("tap", "-A", "--format text shows where something was seen, not the packet"),
    ("tap", "-X", "--format text shows where something was seen, not the packet"),
    ("tap", "-l", "alerts appear at once anyway"),
    ("tap", "-U", "alerts appear at once anyway"),
    ("tap", "-Z", "see --no-sandbox for what is given up anyway"),
    // matchy
    ("", "match", "it is `scan` here: wiresift scan --db DB INPUT"),
    ("", "build", "it is `compile` here: wiresift compile -o DB FEED"),
    ("", "query", "it is `lookup` here: wiresift lookup --db DB VALUE"),
    ("", "extract", "wiresift scan --observables INPUT"),
    ("", "validate", "it is `verify` here: wiresift verify DB"),
    ("compile", "--database-type", "what a database holds is found from its feeds"),
    (
        "scan",
        "--extractors",
        "all that the database holds is looked for; --kind shows some alerts alone",
    ),
    // Suricata, Zeek
    ("", "run", "live: wiresift tap --db DB -i IF; files: wiresift scan --db DB INPUT"),
    ("", "-r", "a capture is read by scan: wiresift scan --db DB FILE"),
    ("", "-i", "live: wiresift tap --db DB -i IF"),
    ("", "-C", "checksums are not looked at anyway"),
    ("tap", "-C", "checksums are not looked at anyway"),
    // What people try first
    ("", "search", "wiresift scan --db DB INPUT, or wiresift lookup --db DB VALUE"),
    ("", "grep", "wiresift scan --db LIST INPUT"),
    ("", "check", "a value: wiresift lookup --db DB VALUE; a database: wiresift verify DB"),
    ("", "update", "wiresift feed update"),
    ("", "add", "wiresift feed add NAME"),
    ("", "list", "wiresift feed list"),
    ("", "info", "it is `inspect` here: wiresift inspect DB"),
    ("", "show", "a database: wiresift inspect DB; a feed: wiresift feed show NAME"),
    ("", "stats", "wiresift inspect DB, or wiresift scan --stats"),
    ("", "capture", "live: wiresift tap --db DB -i IF; a file: wiresift scan --db DB FILE"),
    ("", "listen", "it is `tap` here: wiresift tap --db DB -i IF"),
    ("", "monitor", "it is `tap` here: wiresift tap --db DB -i IF"),
    ("", "watch", "wiresift tail --db DB FILE; live: wiresift tap --db DB -i IF"),
    ("", "help", "wiresift --help, wiresift COMMAND --help"),
    ("", "version", "wiresift --version"),
    ("", "--verbose", "--stats prints what was read, matched and dropped"),
    ("", "-v", "--stats prints what was read, matched and dropped"),
    ("", "--debug", "--stats prints what was read, matched and dropped"),
    ("", "-d", "the database is --db"),
    ("", "-D", "interfaces: wiresift tap -D; the database is --db"),
    ("", "--database", "it is --db"),
    ("", "-b", "the database is --db"),
    ("", "--out", "it is -o, or --output"),
    ("", "-f", "the format is --format, or --as for a feed"),
    ("", "--type", "kinds of alerts: --kind; the format of a feed: --as"),
    ("", "--dry-run", "`feed` has it; scan, tap and lookup change nothing but their --output"),
    ("", "--limit", "--max-count N for each input"),
    ("", "--severity", "it is --min-severity"),
    ("", "--whitelist", "it is --allow"),
    ("", "--ignore", "known good values: --allow FILE; inputs: --exclude GLOB"),
    ("", "--rules", "a database is compiled from feeds: wiresift compile -o DB FEED"),
    ("", "--threads-count", "it is --threads, or -j"),
    ("", "-t", "threads are -j N"),
];

/// Takes clap's tips from an error, and puts ours there if the word is known.
pub(super) fn mend(error: &mut Error, command: &Command, words: &[String]) {
    for kind in [
        ContextKind::Suggested,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ] {
        // A mistyped value or a letter too many in a long word is a good guess.
        if kind == ContextKind::SuggestedValue || is_near(error, kind) {
            continue;
        }
        // The usage then is that of what was proposed.
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

/// Whether what clap proposes is the same word with a slip in it.
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
        mend(&mut error, &Cli::command(), &words);
        error.to_string()
    }

    #[test]
    fn words_of_other_programs() {
        let text = message(&["wiresift", "query", "x"]);
        assert!(text.contains("it is `lookup` here") && !text.contains("verify"), "{text}");
        let text = message(&["wiresift", "scan", "--db", "x", "-f", "y"]);
        assert!(text.contains("goes to --db") && !text.contains("-- -f"), "{text}");
        let text = message(&["wiresift", "tap", "-r", "x"]);
        assert!(text.contains("read by scan"), "{text}");
        let text = message(&["wiresift", "scan", "--follow"]);
        assert!(text.contains("wiresift tail") && !text.contains("--allow"), "{text}");
        // A slip is told as clap does.
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
        // What is there needs no hint.
        for words in
            [["wiresift", "scan", "-c"], ["wiresift", "scan", "-l"], ["wiresift", "scan", "-q"]]
        {
            assert!(Cli::command().try_get_matches_from(words).is_ok(), "{words:?}");
        }
        let both = Cli::command().try_get_matches_from(["wiresift", "scan", "-l", "-c", "x"]);
        assert!(both.is_ok(), "{both:?}");
    }

    /// A hint for a word that the command knows would never be shown.
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
