//! Drops hits that report the same thing twice, because a text can be read in two
//! ways.

use super::Hit;
use super::log::Candidate;
use crate::engine::indicator::Kind;
use hashbrown::HashSet;

/// Drops one of each pair of hits that stem from two readings of the same text.
pub(super) fn drop_all(text: &[u8], hits: &mut Vec<(Candidate, Hit<'_>)>) {
    drop_escapes(text, hits);
    drop_cuts(hits);
}

/// The indicators that a hit meets.
fn values(hit: &Hit<'_>) -> Vec<(Kind, String)> {
    hit.matches.iter().map(|met| (met.kind, met.value.to_string())).collect()
}

/// A URL that contains a comma is looked up in full and up to the comma, since
/// either can be what the writer meant. If both readings meet the same indicators,
/// keeps one. The longer one wins a tie, as it says more.
fn drop_cuts(hits: &mut Vec<(Candidate, Hit<'_>)>) {
    let mut dropped = HashSet::new();
    for (at, (one, hit)) in hits.iter().enumerate() {
        if !matches!(one.kind, Kind::Url | Kind::UrlPath) {
            continue;
        }
        // Hits are sorted by start, so only the run after `at` can share it.
        let is_same = |(other, _): &&(Candidate, Hit<'_>)| other.span.start == one.span.start;
        for (offset, (other, other_hit)) in hits[at + 1..].iter().take_while(is_same).enumerate() {
            if other.kind != one.kind || other.span.end == one.span.end {
                continue;
            }
            let (short, long) = (values(hit), values(other_hit));
            if short.iter().all(|value| long.contains(value)) {
                dropped.insert(at);
            } else if long.iter().all(|value| short.contains(value)) {
                dropped.insert(at + 1 + offset);
            }
        }
    }
    retain_others(hits, &dropped);
}

/// Removes the hits at the given positions.
fn retain_others(hits: &mut Vec<(Candidate, Hit<'_>)>, dropped: &HashSet<usize>) {
    let mut at = 0;
    hits.retain(|_| {
        at += 1;
        !dropped.contains(&(at - 1))
    });
}

/// A backslash and a letter can be an escape or literal text: `\\\
/// as.evil.example` is a share, or a line feed and a name. If both readings meet
/// the same indicators, keeps one.
fn drop_escapes(text: &[u8], hits: &mut Vec<(Candidate, Hit<'_>)>) {
    let mut dropped = HashSet::new();
    for (at, (candidate, hit)) in hits.iter().enumerate() {
        let start = candidate.span.start;
        if start == 0 || text[start - 1] != b'\\' {
            continue;
        }
        let near =
            // An escape is at most a backslash and a letter longer, twice in JSON
            // within JSON.
            hits[at + 1..].iter().enumerate().take_while(|(_, (c, _))| c.span.start <= start + 3);
        for (offset, (other, other_hit)) in near {
            let is_double = other.span.start > start
                && other.span.end == candidate.span.end
                && other.kind == candidate.kind
                && values(hit) == values(other_hit);
            if is_double {
                dropped.insert(if begins_share(text, start) { at + 1 + offset } else { at });
            }
        }
    }
    retain_others(hits, &dropped);
}

/// Whether the backslashes before `start` begin a word, as those of a share
/// (`\\host`) do.
fn begins_share(text: &[u8], start: usize) -> bool {
    let word = text[..start].iter().rposition(|&b| b != b'\\');
    let slashes = start - word.map_or(0, |at| at + 1);
    let before = word.map_or(b' ', |at| text[at]);
    let is_quote = before == b'"' && !word.is_some_and(|at| text[..at].ends_with(b"\\"));
    slashes >= 2 && (before <= b' ' || is_quote || b"'=(,".contains(&before))
}
