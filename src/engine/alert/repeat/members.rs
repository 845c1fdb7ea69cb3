//! Splits a JSON object into its members, to change some of them and leave the others unchanged,
//! byte by byte.

use std::borrow::Cow;

/// An object without whitespace, as our encoders write it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Members<'t>(Vec<Member<'t>>);

#[derive(Debug, PartialEq, Eq)]
struct Member<'t> {
    /// The name as it is between the quotes, still escaped.
    name: &'t [u8],
    value: Cow<'t, [u8]>,
}

impl<'t> Members<'t> {
    /// Splits an object. Returns `None` if the text is not exactly one object. Values are only
    /// searched for their ends, so invalid values are kept as they are.
    pub(super) fn of(text: &'t [u8]) -> Option<Self> {
        let mut rest = text.strip_prefix(b"{")?;
        let mut members = Vec::new();
        if rest == b"}" {
            return Some(Members(members));
        }
        loop {
            let (name, after) = rest.split_at(text_end(rest)?);
            let name = &name[1..name.len() - 1];
            let value = after.strip_prefix(b":")?;
            let (value, after) = value.split_at(value_end(value)?);
            members.push(Member { name, value: Cow::Borrowed(value) });
            match after {
                b"}" => return Some(Members(members)),
                _ => rest = after.strip_prefix(b",")?,
            }
        }
    }

    /// The encoded value of a member.
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|member| member.name == name.as_bytes()).map(|member| &*member.value)
    }

    /// The value of a member, if it is a small whole number.
    pub(super) fn number(&self, name: &str) -> Option<u8> {
        str::from_utf8(self.get(name)?).ok()?.parse().ok()
    }

    /// Changes the value of a member, or appends it.
    pub(super) fn set(&mut self, name: &'t str, value: impl Into<Vec<u8>>) {
        let value = Cow::Owned(value.into());
        match self.0.iter_mut().find(|member| member.name == name.as_bytes()) {
            Some(member) => member.value = value,
            None => self.0.push(Member { name: name.as_bytes(), value }),
        }
    }

    /// Removes a member.
    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|member| member.name != name.as_bytes());
    }

    /// Changes an object inside a member. A missing member is added; one that is not an object
    /// stays unchanged.
    pub(super) fn within(&mut self, name: &'t str, change: impl FnOnce(&mut Members<'_>)) {
        let held = self.get(name).unwrap_or(b"{}").to_vec();
        if let Some(mut members) = Members::of(&held) {
            change(&mut members);
            self.set(name, members.to_bytes());
        }
    }

    /// Encodes the object again.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![b'{'];
        for (at, Member { name, value }) in self.0.iter().enumerate() {
            out.extend_from_slice(if at > 0 { b",\"" } else { b"\"" });
            out.extend_from_slice(name);
            out.extend_from_slice(b"\":");
            out.extend_from_slice(value);
        }
        out.push(b'}');
        out
    }
}

/// Where the string at the start of `text` ends, including its closing quote.
fn text_end(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    if text.first() != Some(&b'"') {
        return None;
    }
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Where the value at the start of `text` ends. Counts brackets instead of recursing, because the
/// nesting depth is not bounded.
fn value_end(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0usize);
    loop {
        match text.get(at)? {
            b'"' => at += text_end(&text[at..])?,
            b'{' | b'[' => (at, depth) = (at + 1, depth + 1),
            b'}' | b']' => (at, depth) = (at + 1, depth.checked_sub(1)?),
            b',' | b':' if depth > 0 => at += 1,
            b',' | b':' => return None,
            _ => {
                let is_scalar = |byte: &u8| !b"\"{}[],:".contains(byte);
                at += text[at..].iter().take_while(|byte| is_scalar(byte)).count();
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_come_apart_and_together() {
        for text in
            [r#"{}"#, r#"{"a":1}"#, r#"{"a":{"b":[1,{"c":"}\"]"}],"d":null},"\"":"\\","e":-1.5e3}"#]
        {
            let members = Members::of(text.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(members.to_bytes()).unwrap(), text);
        }
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Members::of(deep.as_bytes()).unwrap().to_bytes(), deep.as_bytes());
    }

    #[test]
    fn anything_else_does_not() {
        for text in [
            "",
            "{",
            "}",
            "[]",
            "1",
            "{}x",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1",
            "{\"a\":1,}",
            "{\"a\":\"x}",
            "{\"a\":1}}",
            "{\"a\\\":1}",
            "{\"a\":]}",
            "{a:1}",
            "{\"a\":,}",
        ] {
            assert_eq!(Members::of(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn members_are_removed_and_set() {
        let mut members = Members::of(br#"{"a":1,"b":{"c":2},"d":[]}"#).unwrap();
        members.remove("a");
        members.set("e", *b"5");
        members.within("b", |b| b.set("c", *b"3"));
        members.within("f", |f| f.set("g", *b"4"));
        members.within("d", |d| d.set("g", *b"4"));
        let want = r#"{"b":{"c":3},"d":[],"e":5,"f":{"g":4}}"#;
        assert_eq!(String::from_utf8(members.to_bytes()).unwrap(), want);
        assert_eq!(
            (members.number("e"), members.number("b"), members.number("x")),
            (Some(5), None, None)
        );
        members.remove("b");
        members.within("f", |f| f.remove("g"));
        assert_eq!(members.get("f"), Some(&b"{}"[..]));
    }
}
