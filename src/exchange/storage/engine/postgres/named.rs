//! Named parameters as numbered ones: SQLite knows `:me`, PostgreSQL only `$1`.

/// A statement with `$1`, `$2` and so on, and the name of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Numbered {
    pub(super) sql: String,
    pub(super) names: Vec<String>,
}

/// Replaces each `:name` outside of texts, quoted names and comments. The same name has the same
/// number. `::` is a cast, no name.
pub(super) fn numbered(sql: &str) -> Numbered {
    let (mut out, mut names) = (String::with_capacity(sql.len()), Vec::<String>::new());
    let mut rest = sql;
    while let Some(at) = rest.find([':', '\'', '"', '-']) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let taken = match after.as_bytes() {
            [quote @ (b'\'' | b'"'), ..] => quoted(after, char::from(*quote)),
            [b'-', b'-', ..] => after.find('\n').unwrap_or(after.len()),
            [b':', b':', ..] => 2,
            [b':', ..] => {
                let end = after[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let end = end.map_or(after.len(), |end| end + 1);
                if end > 1 {
                    let name = &after[..end];
                    let number = names.iter().position(|known| known == name);
                    let number = number.unwrap_or_else(|| {
                        names.push(name.to_string());
                        names.len() - 1
                    });
                    out.push_str(&format!("${}", number + 1));
                    rest = &after[end..];
                    continue;
                }
                1
            }
            _ => 1,
        };
        out.push_str(&after[..taken]);
        rest = &after[taken..];
    }
    out.push_str(rest);
    Numbered { sql: out, names }
}

/// The length of what is quoted at the start of a text. A quote that is doubled is two in a row.
fn quoted(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_numbers() {
        for (sql, expected, names) in [
            ("SELECT 1", "SELECT 1", &[][..]),
            ("a = :me AND b = :x1 OR c = :me", "a = $1 AND b = $2 OR c = $1", &[":me", ":x1"]),
            ("x >= :host || '.' AND ':no''t :me'", "x >= $1 || '.' AND ':no''t :me'", &[":host"]),
            (r#"":col" = :val-1 -- :not"#, r#"":col" = $1-1 -- :not"#, &[":val"]),
            ("a::text = :é :", "a::text = :é :", &[]),
            ("'open :a", "'open :a", &[]),
            ("-- :a\n:b", "-- :a\n$1", &[":b"]),
        ] {
            let numbered = numbered(sql);
            assert_eq!(numbered.sql, expected);
            assert_eq!(numbered.names, names, "{sql}");
        }
    }
}
