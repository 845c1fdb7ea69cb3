//! The complete grammar of the STIX pattern language. What is not supported must
//! still be parsed, or a pattern would be half compiled.

use super::lexer::{Token, tokens};
use crate::engine::progress::bound;

/// The depth limit of nested brackets.
const MAX_DEPTH: usize = bound(32, 4);

/// Observations and how they are combined.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Observation {
    /// `[ … ]`
    One(Expr),
    /// `… AND …`
    And(Vec<Observation>),
    /// `… OR …`
    Or(Vec<Observation>),
    /// `… FOLLOWEDBY …`
    FollowedBy(Vec<Observation>),
    /// An observation with a qualifier.
    Qualified(Box<Observation>, Qualifier),
}

/// A restriction on an observation.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Qualifier {
    /// `START t'…' STOP t'…'`
    Between(String, String),
    /// `WITHIN n SECONDS`
    Within,
    /// `REPEATS n TIMES`
    Repeats(String),
}

/// Comparisons and how they are combined.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Test(Test),
    And(Vec<Expr>),
    Or(Vec<Expr>),
}

/// One comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Test {
    /// `domain-name`
    pub(super) object: String,
    /// `dst_ref.value`: keys joined by dots, without list steps.
    pub(super) path: String,
    pub(super) negated: bool,
    pub(super) op: Op,
    /// The literals; several with `IN`.
    pub(super) values: Vec<String>,
}

/// How a comparison compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Equal,
    In,
    Like,
    Matches,
    IsSubset,
    /// Everything without a meaning here: order, inequality, supersets, existence.
    Other(&'static str),
}

/// Parses a pattern; `Err` describes what is invalid.
pub(super) fn parse(pattern: &str) -> Result<Observation, String> {
    let tokens = tokens(pattern)?;
    let mut parser = Parser { tokens: &tokens, at: 0 };
    let observation = parser.followed_by(0)?;
    match parser.peek() {
        None => Ok(observation),
        Some(token) => Err(format!("unexpected {token:?} after the end of the pattern")),
    }
}

/// A recursive-descent parser, one function for each rule of the grammar (STIX 2.1, section 9). `depth` counts the open brackets, so that a hostile pattern cannot
/// exhaust the stack.
struct Parser<'t, 'a> {
    tokens: &'t [Token<'a>],
    at: usize,
}

impl<'t, 'a> Parser<'t, 'a> {
    /// The next token, without consuming it.
    fn peek(&self) -> Option<&'t Token<'a>> {
        self.tokens.get(self.at)
    }

    /// Consumes the next token.
    fn next(&mut self) -> Result<&'t Token<'a>, String> {
        let token = self.peek().ok_or("the pattern ends too early")?;
        self.at += 1;
        Ok(token)
    }

    /// Consumes the next token if it is this word.
    fn takes_word(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(&Token::Word(word));
        self.at += usize::from(found);
        found
    }

    /// Consumes the next token if it is this mark.
    fn takes(&mut self, mark: &'static str) -> bool {
        let found = self.peek() == Some(&Token::Mark(mark));
        self.at += usize::from(found);
        found
    }

    /// Consumes this mark, which must be next.
    fn wants(&mut self, mark: &'static str) -> Result<(), String> {
        if self.takes(mark) {
            return Ok(());
        }
        Err(match self.peek() {
            Some(token) => format!("expected “{mark}” before {token:?}"),
            None => format!("the pattern ends where “{mark}” is expected"),
        })
    }

    /// Consumes this word, which must be next.
    fn wants_word(&mut self, word: &str) -> Result<(), String> {
        if self.takes_word(word) { Ok(()) } else { Err(format!("expected “{word}”")) }
    }

    /// `FOLLOWEDBY` binds weakest, then `OR`, then `AND`.
    fn followed_by(&mut self, depth: usize) -> Result<Observation, String> {
        self.observations(depth, "FOLLOWEDBY", Self::or, Observation::FollowedBy)
    }

    fn or(&mut self, depth: usize) -> Result<Observation, String> {
        self.observations(depth, "OR", Self::and, Observation::Or)
    }

    fn and(&mut self, depth: usize) -> Result<Observation, String> {
        self.observations(depth, "AND", Self::observation, Observation::And)
    }

    /// Parses a list of parts joined by `word`.
    fn observations(
        &mut self,
        depth: usize,
        word: &str,
        part: fn(&mut Self, usize) -> Result<Observation, String>,
        join: fn(Vec<Observation>) -> Observation,
    ) -> Result<Observation, String> {
        let first = part(self, depth)?;
        if self.peek() != Some(&Token::Word(word)) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.takes_word(word) {
            parts.push(part(self, depth)?);
        }
        Ok(join(parts))
    }

    /// `[comparison]`, or observations in parentheses, with qualifiers after it.
    fn observation(&mut self, depth: usize) -> Result<Observation, String> {
        if depth > MAX_DEPTH {
            return Err("its brackets are nested too deeply".into());
        }
        let mut observation = if self.takes("(") {
            let inner = self.followed_by(depth + 1)?;
            self.wants(")")?;
            inner
        } else {
            self.wants("[")?;
            let expr = self.expr(depth + 1)?;
            self.wants("]")?;
            Observation::One(expr)
        };
        while let Some(qualifier) = self.qualifier()? {
            observation = Observation::Qualified(Box::new(observation), qualifier);
        }
        Ok(observation)
    }

    /// `START t STOP t`, `WITHIN n SECONDS` or `REPEATS n TIMES`.
    fn qualifier(&mut self) -> Result<Option<Qualifier>, String> {
        if self.takes_word("START") {
            let start = self.time()?;
            self.wants_word("STOP")?;
            return Ok(Some(Qualifier::Between(start, self.time()?)));
        }
        if self.takes_word("WITHIN") {
            self.number()?;
            self.wants_word("SECONDS")?;
            return Ok(Some(Qualifier::Within));
        }
        if self.takes_word("REPEATS") {
            let times = self.number()?;
            self.wants_word("TIMES")?;
            return Ok(Some(Qualifier::Repeats(times)));
        }
        Ok(None)
    }

    /// A time, `t'…'`. Feeds write it as a plain string, too, as STIX 2.0 did.
    fn time(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Time(text) | Token::Text(text) => Ok(text.clone()),
            token => Err(format!("expected a time, found {token:?}")),
        }
    }

    /// A number. It is kept as text: only its presence matters, or whether it is 1.
    fn number(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Number(text) => Ok((*text).to_string()),
            token => Err(format!("expected a number, found {token:?}")),
        }
    }

    /// Comparisons joined by `OR`.
    fn expr(&mut self, depth: usize) -> Result<Expr, String> {
        let mut parts = vec![self.conjunction(depth)?];
        while self.takes_word("OR") {
            parts.push(self.conjunction(depth)?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Expr::Or(parts) })
    }

    /// Comparisons joined by `AND`, which binds more strongly.
    fn conjunction(&mut self, depth: usize) -> Result<Expr, String> {
        let mut parts = vec![self.term(depth)?];
        while self.takes_word("AND") {
            parts.push(self.term(depth)?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Expr::And(parts) })
    }

    /// A comparison, or several in parentheses.
    fn term(&mut self, depth: usize) -> Result<Expr, String> {
        if depth > MAX_DEPTH {
            return Err("its brackets are nested too deeply".into());
        }
        if self.takes("(") {
            let inner = self.expr(depth + 1)?;
            self.wants(")")?;
            return Ok(inner);
        }
        if self.takes_word("EXISTS") {
            let (object, path) = self.path()?;
            let (op, values) = (Op::Other("EXISTS"), Vec::new());
            return Ok(Expr::Test(Test { object, path, negated: false, op, values }));
        }
        let (object, path) = self.path()?;
        let negated = self.takes_word("NOT");
        let op = self.op()?;
        let values = if op == Op::In { self.set()? } else { vec![self.literal()?] };
        Ok(Expr::Test(Test { object, path, negated, op, values }))
    }

    /// A comparison operator. Those that cannot be matched are kept by name for the
    /// message.
    fn op(&mut self) -> Result<Op, String> {
        Ok(match self.next()? {
            Token::Mark("=" | "==") => Op::Equal,
            Token::Mark("!=" | "<>") => Op::Other("!="),
            Token::Mark(mark @ ("<" | ">" | "<=" | ">=")) => Op::Other(mark),
            Token::Word("IN") => Op::In,
            Token::Word("LIKE") => Op::Like,
            Token::Word("MATCHES") => Op::Matches,
            Token::Word("ISSUBSET") => Op::IsSubset,
            Token::Word("ISSUPERSET") => Op::Other("ISSUPERSET"),
            token => return Err(format!("expected an operator, found {token:?}")),
        })
    }

    /// The set after `IN`.
    fn set(&mut self) -> Result<Vec<String>, String> {
        self.wants("(")?;
        let mut values = vec![self.literal()?];
        while self.takes(",") {
            values.push(self.literal()?);
        }
        self.wants(")")?;
        Ok(values)
    }

    /// A constant. Its type does not matter, since values are compared as text.
    fn literal(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Text(text) => Ok(text.clone()),
            Token::Number(text) => Ok((*text).to_string()),
            Token::Word(word @ ("true" | "false")) => Ok((*word).to_string()),
            Token::Time(text) => Ok(text.clone()),
            token => Err(format!("expected a value, found {token:?}")),
        }
    }

    /// `type:key.'key'[*].key`
    fn path(&mut self) -> Result<(String, String), String> {
        let Token::Word(object) = self.next()? else {
            return Err("expected an object type".into());
        };
        self.wants(":")?;
        let mut path = self.key()?;
        loop {
            if self.takes("[") {
                match self.next()? {
                    Token::Number(_) | Token::Mark("*") => self.wants("]")?,
                    token => return Err(format!("expected a list step, found {token:?}")),
                }
            } else if self.takes(".") {
                path.push('.');
                path.push_str(&self.key()?);
            } else {
                return Ok(((*object).to_string(), path));
            }
        }
    }

    /// A property in a path.
    fn key(&mut self) -> Result<String, String> {
        match self.next()? {
            // The grammar requires quotes around names with hyphens; real feeds
            // omit them.
            Token::Word(word) => Ok((*word).to_string()),
            Token::Text(text) => Ok(text.clone()),
            token => Err(format!("expected a property, found {token:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn and_binds_more_tightly_than_or() {
        let Observation::One(Expr::Or(parts)) =
            parse("[a:b = '1' OR a:b = '2' AND a:c = 3]").unwrap()
        else {
            panic!()
        };
        assert!(matches!(parts[1], Expr::And(_)));
        let Observation::FollowedBy(parts) =
            parse("[a:b='1'] OR [a:b='2'] AND [a:b='3'] FOLLOWEDBY [a:b='4']").unwrap()
        else {
            panic!()
        };
        assert!(matches!(&parts[0], Observation::Or(or) if matches!(or[1], Observation::And(_))));
    }

    #[test]
    fn every_form_of_a_pattern_is_parsed() {
        let Observation::One(Expr::Test(test)) =
            parse("[network-traffic:protocols[*].'x-y' NOT IN ('a', 'b')]").unwrap()
        else {
            panic!()
        };
        assert_eq!(test.path, "protocols.x-y");
        assert!(test.negated && test.op == Op::In && test.values == ["a", "b"]);
        for good in [
            "[EXISTS a:b]",
            "([a:b = 1] OR [a:b == true]) WITHIN 5 SECONDS REPEATS 2 TIMES",
            "[a:b ISSUBSET '1'] START t'2020-01-01T00:00:00Z' STOP t'2021-01-01T00:00:00Z'",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        let deep = format!("[{}a:b = 1{}]", "(".repeat(5000), ")".repeat(5000));
        for bad in [
            "",
            "[",
            "[a:b like 'x']",
            "[NOT a:b = 1]",
            "[a:b = 1",
            "[a:b = 1] x",
            "a:b = 1",
            &deep,
        ] {
            assert!(parse(bad).is_err(), "{}", &bad[..bad.len().min(30)]);
        }
    }
}
