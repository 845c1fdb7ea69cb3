//! A request.

/// The request method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET
    Get,
    /// HEAD: the response to GET without its body
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

/// A complete request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path of the target, without decoding escapes.
    pub path: String,
    /// What follows `?`. Empty if there is none.
    pub query: String,
    /// Names in lower case, and values.
    pub(super) headers: Vec<(String, String)>,
    /// The body, without chunk framing. Content codings are not decoded.
    pub body: Vec<u8>,
    /// Whether the connection should stay open.
    pub keep_alive: bool,
}

impl Request {
    /// The first header of a name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }

    /// The first parameter of the query with that name, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (own, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescape(own) == name).then(|| unescape(value))
        })
    }
}

/// Decodes `%41` and `+`. Invalid escapes stay.
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
