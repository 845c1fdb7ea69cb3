//! Suggestions for misspelt names.

/// The longest word that is compared: longer ones are not misspelt names.
const MAX_WORD: usize = 40;

/// Finds the name that differs least from a word, if the difference is small: one typing error
/// per four letters, three at most. Case and the choice between `-` and `_` make no difference.
///
/// The time is linear in the number of names.
pub fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let word = plain(word)?;
    let distances = names.into_iter().filter_map(|name| {
        let plain = plain(name)?;
        let allowed = (word.len().max(plain.len()) / 4).clamp(1, 3);
        let distance = distance(&word, &plain);
        (distance <= allowed && distance < name.len()).then_some((distance, name))
    });
    distances.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// The most names that are suggested.
const MAX_SUGGESTED: usize = 5;

/// The shortest word that is looked for inside of names: fewer letters are in too many.
const MIN_PART: usize = 3;

/// Names that may be meant by a word: the [`nearest`] one, and those that contain the word or are
/// contained in it, the first five.
pub fn similar<'n>(word: &str, names: impl IntoIterator<Item = &'n str> + Clone) -> Vec<&'n str> {
    let mut found: Vec<&str> = nearest(word, names.clone()).into_iter().collect();
    let Some(word) = plain(word) else { return found };
    let text = |letters: Vec<char>| letters.into_iter().collect::<String>();
    let word = text(word);
    for name in names {
        let plain = plain(name).map(text).unwrap_or_default();
        let is_part = word.len().min(plain.len()) >= MIN_PART
            && (plain.contains(&word) || word.contains(&plain));
        if is_part && !found.contains(&name) && found.len() < MAX_SUGGESTED {
            found.push(name);
        }
    }
    found
}

/// The suggestion as the end of a message: `; did you mean “a” or “b”?`, or nothing.
pub fn did_you_mean<'n>(word: &str, names: impl IntoIterator<Item = &'n str> + Clone) -> String {
    let quoted: Vec<String> = similar(word, names).iter().map(|name| format!("“{name}”")).collect();
    match &quoted[..] {
        [] => String::new(),
        [rest @ .., last] if !rest.is_empty() => {
            format!("; did you mean {} or {last}?", rest.join(", "))
        }
        [only, ..] => format!("; did you mean {only}?"),
    }
}

fn plain(word: &str) -> Option<Vec<char>> {
    if word.is_empty() || word.len() > MAX_WORD {
        return None;
    }
    Some(word.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect())
}

/// Optimal string alignment distance: letters inserted, left out, replaced, or swapped with the
/// next one.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(x != y);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_names_are_found_and_strange_words_are_not() {
        let names = ["patterns", "path", "poll", "rotate_wait", "from"];
        for (word, want) in [
            ("pattern", Some("patterns")),
            ("Patterns", Some("patterns")),
            ("pahtterns", Some("patterns")),
            ("form", Some("from")),
            ("rotate-wait", Some("rotate_wait")),
            ("rotatewait", Some("rotate_wait")),
            ("pat", Some("path")),
            ("interface", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, names), want, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(10_000), names), None);
    }

    #[test]
    fn parts_of_names_are_suggested_after_misspelt_ones() {
        let names = ["spamhaus-drop", "spamhaus-dropv6", "urlhaus", "tor-exits"];
        for (word, want) in [
            ("spamhaus", "; did you mean “spamhaus-drop” or “spamhaus-dropv6”?"),
            ("urlhauss", "; did you mean “urlhaus”?"),
            ("Tor_Exits-list", "; did you mean “tor-exits”?"),
            ("to", ""),
            ("nonsense", ""),
            ("", ""),
        ] {
            assert_eq!(did_you_mean(word, names), want, "{word}");
        }
        let many: Vec<String> = (0..9).map(|number| format!("feed{number}")).collect();
        assert_eq!(similar("feed", many.iter().map(String::as_str)).len(), 5);
    }
}
