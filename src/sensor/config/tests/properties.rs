//! Any text.

use super::*;
use proptest::prelude::*;

/// What must hold for any text; the fuzzer checks the same.
pub(super) fn holds(text: &str) {
    let path = Path::new("wiresift.toml");
    match Config::parse(text, path) {
        Ok(config) => {
            let again = Config::parse(&config.to_toml(), path).unwrap();
            assert!(config.changes(&again).is_empty(), "{:?}", config.changes(&again));
            assert!(!config.describe().is_empty());
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems.iter() {
                assert!(!problem.what.is_empty());
                assert_eq!(problem.to_string().lines().count(), 1, "{problem}");
            }
        }
    }
}

/// Pieces of text that configurations consist of.
fn pieces() -> impl Strategy<Value = String> {
    let words: Vec<String> =
        super::every_key::ALL.lines().map(|line| format!("{line}\n")).collect();
    let line = prop_oneof![
        8 => proptest::sample::select(words),
        1 => "[a-z_]{1,12} = [a-z0-9\"\\[\\]{}=,.:/ ]{0,16}\n",
        1 => "\\PC{0,12}",
    ];
    proptest::collection::vec(line, 0..40).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        holds(&text);
    }

    #[test]
    fn no_pieces_of_configurations_panic(text in pieces()) {
        holds(&text);
    }

    /// One letter of a valid file is replaced.
    #[test]
    fn no_slip_panics(at in 0..super::every_key::ALL.len(), letter in "[ -~\n]") {
        let mut text = super::every_key::ALL.to_string();
        let at = text.floor_char_boundary(at);
        text.replace_range(at..at + 1, &letter);
        holds(&text);
    }
}
