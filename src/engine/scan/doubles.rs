//! Hits that tell the same twice, because a text can be read in two ways.

use super::Hit;
use super::log::Candidate;
use crate::engine::indicator::Kind;
use hashbrown::HashSet;

/// Drops one of two hits that were told for two readings of the same.
pub(super) fn drop_all(text: &[u8], hits: &mut Vec<(Candidate, Hit<'_>)>) {
    drop_escapes(text, hits);
    drop_cuts(hits);
}

/// What a hit met.
fn values(hit: &Hit<'_>) -> Vec<(Kind, String)> {
    hit.matches.iter().map(|met| (met.kind, met.value.to_string())).collect()
}

/// Drops hits of a URL that was looked up as a whole and as far as a comma: what another one
/// that begins there met as well needs not be told again. The longer one stays.
fn drop_cuts(hits: &mut Vec<(Candidate, Hit<'_>)>) {
    let mut dropped = HashSet::new();
    for (at, (one, hit)) in hits.iter().enumerate() {
        if !matches!(one.kind, Kind::Url | Kind::UrlPath) {
            continue;
        }
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

fn retain_others(hits: &mut Vec<(Candidate, Hit<'_>)>, dropped: &HashSet<usize>) {
    let mut at = 0;
    hits.retain(|_| {
        at += 1;
        !dropped.contains(&(at - 1))
    });
}

/// Drops one of two hits where a backslash and a letter can be read as an escape or as they
/// stand (`\\\\nas.evil.example`: a share, or a line feed and a name), if both met the same.
fn drop_escapes(text: &[u8], hits: &mut Vec<(Candidate, Hit<'_>)>) {
    let mut dropped = HashSet::new();
    for (at, (candidate, hit)) in hits.iter().enumerate() {
        let start = candidate.span.start;
        if start == 0 || text[start - 1] != b'\\' {
            continue;
        }
        let near =
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

/// Whether the backslashes before `start` begin a word, as those of a share do.
fn begins_share(text: &[u8], start: usize) -> bool {
    let word = text[..start].iter().rposition(|&b| b != b'\\');
    let slashes = start - word.map_or(0, |at| at + 1);
    let before = word.map_or(b' ', |at| text[at]);
    let is_quote = before == b'"' && !word.is_some_and(|at| text[..at].ends_with(b"\\"));
    slashes >= 2 && (before <= b' ' || is_quote || b"'=(,".contains(&before))
}
