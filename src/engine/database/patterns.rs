//! Wildcard and regex indicators: automata that open without being built.
//!
//! The patterns for one kind of observable are combined into a few dense automata
//! with a size limit each. A pattern that exceeds the limit alone is refused by the
//! compiler. Each observable of that kind is searched once per automaton, so the
//! cost does not depend on the number of patterns.

use super::layout::{u32_at, u64_at};
use super::posting::Posting;
use crate::engine::indicator::{Kind, Reason, Scope};
use crate::engine::progress::bound;
use regex_automata::dfa::{Automaton, OverlappingState, StartKind, dense};
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind, nfa::thompson};

/// The size of a row of groups, in bytes.
pub(super) const GROUP_ROW: usize = 32;
/// The size of a row of patterns, in bytes.
pub(super) const PATTERN_ROW: usize = 8;
/// The size limit of an automaton, and of the memory for building one.
const SIZE_LIMIT: usize = 4 << 20;
/// The number of patterns to combine at first.
const TOGETHER: usize = bound(64, 4);

/// An automaton over patterns for one kind.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) target: Kind,
    first: u32,
    automaton: dense::DFA<Vec<u32>>,
}

/// Converts a pattern to a regular expression.
fn expression(kind: Kind, scope: Scope, pattern: &str) -> String {
    let fold = match kind {
        Kind::Url | Kind::UrlPath | Kind::UserAgent | Kind::Mutex => "",
        _ => "(?i)",
    };
    if scope != Scope::Wildcard {
        return format!("{fold}{pattern}");
    }
    let mut regex = format!("{fold}(?s)\\A");
    for char in pattern.chars() {
        match char {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            other => regex.push_str(&regex_escape(other)),
        }
    }
    regex.push_str("\\z");
    regex
}

fn regex_escape(char: char) -> String {
    if char.is_ascii_alphanumeric() || !char.is_ascii() {
        char.to_string()
    } else {
        format!("\\{char}")
    }
}

fn automaton(expressions: &[String]) -> Option<dense::DFA<Vec<u32>>> {
    dense::Builder::new()
        .configure(
            dense::Config::new()
                .match_kind(MatchKind::All)
                .start_kind(StartKind::Unanchored)
                .dfa_size_limit(Some(SIZE_LIMIT))
                .determinize_size_limit(Some(4 * SIZE_LIMIT)),
        )
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .thompson(thompson::Config::new().utf8(false).nfa_size_limit(Some(SIZE_LIMIT)))
        .build_many(expressions)
        .ok()
}

/// Checks whether a pattern can be an indicator.
///
/// # Errors
///
/// [`Reason::BadPattern`] if it does not compile to an automaton of bounded size,
/// [`Reason::MatchesEverything`] if it accepts the empty string or any name.
pub(crate) fn check_pattern(kind: Kind, scope: Scope, pattern: &str) -> Result<(), Reason> {
    let automaton = automaton(&[expression(kind, scope, pattern)]).ok_or(Reason::BadPattern)?;
    let group = Group { target: kind, first: 0, automaton };
    let everything = ["", "a-7.zq", "www.some-name.example", "203.0.113.77"];
    if everything.iter().any(|text| group.search(text.as_bytes()).next().is_some()) {
        return Err(Reason::MatchesEverything);
    }
    Ok(())
}

/// Regular expressions to search for in values of any kind, in memory.
#[derive(Debug)]
pub(crate) struct Searches(Vec<Group>);

impl Searches {
    /// Builds automata for expressions. One that cannot be built never matches;
    /// `check_pattern` reports it.
    pub(crate) fn new(expressions: &[&str]) -> Self {
        let patterns: Vec<_> = expressions.iter().map(|text| (Scope::Regex, *text)).collect();
        let kind = Kind::Domain;
        let groups = build(kind, &patterns).into_iter().filter_map(|(first, _, bytes)| {
            let automaton = open_automaton(&bytes)?;
            Some(Group { target: kind, first: first as u32, automaton })
        });
        Searches(groups.collect())
    }

    /// The numbers of the expressions that match in a value.
    pub(crate) fn found<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = u32> + 't {
        self.0.iter().flat_map(move |group| group.search(text))
    }
}

/// Builds the automata over patterns for one kind. Returns for each group the
/// number of its first pattern, their count, and its bytes.
pub(super) fn build(kind: Kind, patterns: &[(Scope, &str)]) -> Vec<(usize, usize, Vec<u8>)> {
    let expressions: Vec<String> =
        patterns.iter().map(|(scope, pattern)| expression(kind, *scope, pattern)).collect();
    let mut groups = Vec::new();
    let mut first = 0;
    while first < expressions.len() {
        let mut count = TOGETHER.min(expressions.len() - first);
        loop {
            if let Some(automaton) = automaton(&expressions[first..first + count]) {
                let (bytes, padding) = automaton.to_bytes_little_endian();
                groups.push((first, count, bytes[padding..].to_vec()));
                break;
            }
            // A single pattern was checked before.
            count = (count / 2).max(1);
            if count == 1 && automaton(&expressions[first..=first]).is_none() {
                break;
            }
        }
        first += count;
    }
    groups
}

/// Opens every automaton. They are copied out of the file, because checking one
/// takes linear time and must happen once, not for each look-up.
pub(super) fn open(rows: &[u8], automata: &[u8], patterns: usize) -> Option<Vec<Group>> {
    if !rows.len().is_multiple_of(GROUP_ROW) {
        return None;
    }
    let mut groups = Vec::new();
    for row in rows.chunks_exact(GROUP_ROW) {
        let target = Kind::from_number(u8::try_from(u32_at(row, 0)?).ok()?)?;
        let (first, count) = (u32_at(row, 4)?, u32_at(row, 8)?);
        let start = usize::try_from(u64_at(row, 16)?).ok()?;
        let len = usize::try_from(u64_at(row, 24)?).ok()?;
        let bytes = automata.get(start..start.checked_add(len)?)?;
        let automaton = open_automaton(bytes)?;
        let sound = automaton.pattern_len() == count as usize
            && (first as usize).checked_add(count as usize)? <= patterns;
        sound.then_some(())?;
        groups.push(Group { target, first, automaton });
    }
    Some(groups)
}

fn open_automaton(bytes: &[u8]) -> Option<dense::DFA<Vec<u32>>> {
    // The automaton needs the alignment of `u32`, which only a map guarantees.
    let mut room = vec![0u8; bytes.len() + 8];
    let pad = room.as_ptr().align_offset(align_of::<u32>()).min(7);
    room[pad..pad + bytes.len()].copy_from_slice(bytes);
    let (automaton, _) = dense::DFA::from_bytes(&room[pad..pad + bytes.len()]).ok()?;
    Some(automaton.to_owned())
}

impl Group {
    /// The numbers of the patterns that match somewhere in `text`.
    pub(super) fn search<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = u32> + 't {
        let mut state = OverlappingState::start();
        let input = Input::new(text);
        let mut seen: Vec<u32> = Vec::new();
        std::iter::from_fn(move || {
            loop {
                self.automaton.try_search_overlapping_fwd(&input, &mut state).ok()?;
                let found = state.get_match()?.pattern().as_u32();
                if !seen.contains(&found) {
                    seen.push(found);
                    return Some(self.first + found);
                }
            }
        })
    }
}

/// The string and the posting of a pattern.
pub(super) fn row(patterns: &[u8], number: u32) -> Option<(u32, Posting)> {
    let at = usize::try_from(number).ok()? * PATTERN_ROW;
    Some((u32_at(patterns, at)?, Posting(u32_at(patterns, at + 4)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_and_searches() {
        let patterns = [
            (Scope::Wildcard, "*.evil-?.example"),
            (Scope::Regex, r"^a\d+\.example$"),
            (Scope::Regex, "b[0-9]"),
        ];
        let built = build(Kind::Domain, &patterns);
        let mut rows = Vec::new();
        let mut automata = Vec::new();
        for (first, count, bytes) in built {
            for word in [Kind::Domain as u32, first as u32, count as u32, 0] {
                rows.extend_from_slice(&word.to_le_bytes());
            }
            rows.extend_from_slice(&(automata.len() as u64).to_le_bytes());
            rows.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            automata.extend_from_slice(&bytes);
        }
        let groups = open(&rows, &automata, 3).unwrap();
        let found = |text: &str| {
            let mut all: Vec<u32> = groups.iter().flat_map(|g| g.search(text.as_bytes())).collect();
            all.sort_unstable();
            all
        };
        assert_eq!(found("x.EVIL-7.example"), [0]);
        assert_eq!(found("x.evil-77.example"), [0u32; 0]);
        assert_eq!(found("a12.example"), [1]);
        assert_eq!(found("b1b2b3"), [2]);
        for cut in 0..automata.len().min(400) {
            let _ = open(&rows, &automata[..cut], 3);
        }
    }

    #[test]
    fn patterns_that_match_everything_are_refused() {
        assert_eq!(
            check_pattern(Kind::Domain, Scope::Wildcard, "*"),
            Err(Reason::MatchesEverything)
        );
        assert_eq!(check_pattern(Kind::Domain, Scope::Regex, ".*"), Err(Reason::MatchesEverything));
        assert_eq!(check_pattern(Kind::Domain, Scope::Regex, "(a"), Err(Reason::BadPattern));
        assert_eq!(check_pattern(Kind::Domain, Scope::Regex, r"(?=a)b"), Err(Reason::BadPattern));
        assert_eq!(check_pattern(Kind::Domain, Scope::Wildcard, "evil*.example"), Ok(()));
    }
}
