//! Questions on a terminal, with defaults and numbered choices. A question is repeated until the
//! answer is valid.

use std::io::{BufRead, Write};
use wiresift::engine::error::escape_text;
use wiresift::{Error, Result};

/// The longest answer, in bytes. A terminal delivers lines of at most 4,095.
const MAX_ANSWER: u64 = 64 << 10;

/// The terminal, or a stand-in for it in tests.
pub(super) struct Dialogue<'d> {
    pub(super) input: &'d mut dyn BufRead,
    pub(super) output: &'d mut dyn Write,
}

impl Dialogue<'_> {
    /// Prints a line.
    pub(super) fn say(&mut self, line: &str) -> Result<()> {
        self.put(&format!("{}\n", escape_text(line)))
    }

    fn put(&mut self, text: &str) -> Result<()> {
        let written = self.output.write_all(text.as_bytes()).and_then(|()| self.output.flush());
        written.map_err(|e| Error::io("write to standard output", e))
    }

    /// Asks until `read` accepts the answer; an empty one means the default.
    ///
    /// # Errors
    ///
    /// The input has ended, or standard output cannot be written.
    pub(super) fn ask<T>(
        &mut self,
        question: &str,
        default: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T> {
        loop {
            let shown = if default.is_empty() {
                String::new()
            } else {
                format!(" [{}]", escape_text(default))
            };
            self.put(&format!("  {}{shown}: ", escape_text(question)))?;
            let line = self.line()?;
            let answer = if line.trim().is_empty() { default } else { line.trim() };
            match read(answer) {
                Ok(value) => return Ok(value),
                Err(why) => self.say(&format!("  {why}"))?,
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        let mut input = std::io::Read::take(&mut *self.input, MAX_ANSWER);
        let length =
            input.read_until(b'\n', &mut line).map_err(|e| Error::io("read an answer", e))?;
        if length == 0 {
            return Err(Error::usage("the setup was not finished; nothing was written"));
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    /// Shows numbered choices and asks for one, or for several with `is_many`. Choices are numbered
    /// from 1 on the screen and from 0 in the result, which has no duplicates.
    ///
    /// # Errors
    ///
    /// Like [`Self::ask`].
    pub(super) fn choose(
        &mut self,
        title: &str,
        choices: &[&str],
        default: usize,
        is_many: bool,
    ) -> Result<Vec<usize>> {
        self.say("")?;
        self.say(title)?;
        for (at, choice) in choices.iter().enumerate() {
            self.say(&format!("  {}  {choice}", at + 1))?;
        }
        let question = if is_many { "numbers, as in 1,3" } else { "number" };
        self.ask(question, &default.to_string(), |answer| numbers(answer, choices.len(), is_many))
    }
}

/// Parses the numbers of an answer. Returns them counted from 0.
fn numbers(answer: &str, count: usize, is_many: bool) -> Result<Vec<usize>, String> {
    let mut found = Vec::new();
    for word in words(answer) {
        match word.parse::<usize>() {
            Ok(number) if (1..=count).contains(&number) => {
                if !found.contains(&(number - 1)) {
                    found.push(number - 1);
                }
            }
            _ => return Err(format!("“{word}” is not a number from 1 to {count}")),
        }
    }
    match found.len() {
        0 => Err(format!("expected a number from 1 to {count}")),
        1 => Ok(found),
        _ if is_many => Ok(found),
        _ => Err("expected one number".into()),
    }
}

/// The words of an answer, separated by blanks or commas.
pub(super) fn words(answer: &str) -> impl Iterator<Item = &str> {
    answer.split([' ', ',', '\t']).filter(|word| !word.is_empty())
}
