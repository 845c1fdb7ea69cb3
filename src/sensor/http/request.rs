//! A request.

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET
    Get,
    /// HEAD: the answer to GET without its body.
    Head,
    /// POST
    Post,
    /// PUT
    Put,
    /// OPTIONS
    Options,
    /// Any other.
    Other,
}

impl Method {
    pub(super) fn of(name: &str) -> Method {
        match name {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "OPTIONS" => Method::Options,
            _ => Method::Other,
        }
    }
}

/// A request, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked for.
    pub method: Method,
    /// The path of the target, as it stands: escapes are not undone.
    pub path: String,
    /// What stands after `?`. Empty where there is none.
    pub query: String,
    /// Names in lower case, and values.
    pub(super) headers: Vec<(String, String)>,
    /// The body, without chunks. A coding of its content is not undone.
    pub body: Vec<u8>,
    /// Whether the connection is to stay open.
    pub keep_alive: bool,
}

impl Request {
    /// The first header of a name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }

    /// The first parameter of the query with that name, its escapes undone.
    pub fn query(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (own, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescape(own) == name).then(|| unescape(value))
        })
    }
}

/// Undoes `%41` and `+`. What is no escape stays.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = match tail {
            [high, low, ..] if first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        (rest, _) = match (first, escaped) {
            (_, Some((high, low))) => (&tail[2..], bytes.push(high << 4 | low)),
            (b'+', _) => (tail, bytes.push(b' ')),
            _ => (tail, bytes.push(first)),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_queries() {
        for (text, plain) in [
            ("a%20b", "a b"),
            ("a+b", "a b"),
            ("%4", "%4"),
            ("%zz", "%zz"),
            ("%c3%A9%", "é%"),
            ("%ff", "\u{fffd}"),
            ("", ""),
        ] {
            assert_eq!(unescape(text), plain, "{text}");
        }
    }
}
