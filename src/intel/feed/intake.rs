//! The destination of every reader: turns values into indicators or rejects, and
//! counts both.

use crate::engine::indicator::guess::{Guess, guess};
use crate::engine::indicator::{Context, Indicator, Kind, Reason, Scope, Value, domain, refang};
use crate::engine::progress::bound;
use crate::intel::feed::contexts::Shared;
use crate::intel::feed::lines::MAX_VALUE;
use crate::intel::feed::several::{self, Reading};
use crate::intel::feed::{Defanged, Format, Options, Reject, Sink, Summary, lines};
use std::borrow::Cow;
use std::sync::Arc;

/// The length limit of the value in a reject.
const MAX_REJECT: usize = bound(512, 32);

/// The state of reading one document.
pub(super) struct Intake<'a> {
    pub(super) options: &'a Options,
    sink: &'a mut dyn Sink,
    summary: Summary,
    refang: bool,
    trust_names: bool,
    line: Option<u64>,
}

impl<'a> Intake<'a> {
    /// An intake for a feed of this format. Values are refanged unless the format is
    /// exact: programs write and read it, so nothing in it is defanged.
    pub(super) fn new(format: Format, options: &'a Options, sink: &'a mut dyn Sink) -> Self {
        let refang = match options.defanged {
            Defanged::Auto => !format.is_exact(),
            Defanged::Yes => true,
            Defanged::No => false,
        };
        Intake {
            options,
            sink,
            summary: Summary::new(format),
            refang,
            trust_names: false,
            line: None,
        }
    }

    /// Returns the counts.
    pub(super) fn finish(self) -> Summary {
        self.summary
    }

    /// Also accept guessed names below unknown top-level domains: the feed contains
    /// names and nothing that looks like one.
    pub(super) fn trust_names(&mut self, trust: bool) {
        self.trust_names = trust;
    }

    /// The counts so far.
    pub(super) fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Sets the line of the values that follow.
    pub(super) fn at_line(&mut self, line: u64) {
        self.line = Some(line);
    }

    /// The context that every indicator of this feed starts with.
    pub(super) fn base(&self) -> Context<'static> {
        self.options.base()
    }

    /// The format's rule for names, unless the options override it.
    pub(super) fn domain_scope(&self, rule: Scope) -> Scope {
        self.options.domain_scope.unwrap_or(rule)
    }

    /// Passes on a finished indicator.
    pub(super) fn put(&mut self, indicator: Indicator) {
        self.summary.indicators += 1;
        self.sink.indicator(indicator, self.line);
    }

    /// Counts a value that is not an indicator.
    pub(super) fn reject(&mut self, value: &str, reason: Reason, detail: Option<String>) {
        *self.summary.rejects.entry(reason).or_default() += 1;
        self.sink.reject(Reject {
            line: self.line,
            value: lines::cut(value, MAX_REJECT).to_string(),
            reason,
            detail,
        });
    }

    /// Adds a value whose kind the feed states. A name that turns out to be an
    /// address, an address with a port, and the like, becomes what it is: feeds
    /// confuse these all the time.
    pub(super) fn typed(&mut self, kind: Kind, raw: &str, scope: Scope, context: &Shared) -> bool {
        if raw.len() > MAX_VALUE && kind != Kind::Opaque {
            self.reject(raw, Reason::TooLong, None);
            return false;
        }
        let value = match scope {
            // Brackets and backslashes belong to the pattern.
            Scope::Wildcard | Scope::Regex => Cow::Borrowed(raw),
            _ => self.straight(kind, raw),
        };
        let value = value.as_ref();
        let decimal = self.options.zero_padded_decimal;
        // A bare host called a URL does not mean the page at its root.
        let bare_host = kind == Kind::Url && scope == Scope::Exact && !value.contains(['/', '?']);
        let other = || other_network_kind(kind, value, scope, context, decimal);
        let result = match bare_host.then(other).flatten() {
            Some(indicator) => Ok(indicator),
            None => Indicator::new(kind, value, scope, Arc::clone(context))
                .or_else(|reason| other().ok_or(reason)),
        };
        match result {
            Ok(mut indicator) => {
                keep_raw(&mut indicator, raw, value);
                self.put(indicator);
                true
            }
            Err(reason) => {
                self.reject(raw, reason, None);
                false
            }
        }
    }

    /// Adds a value whose kind must be guessed.
    pub(super) fn guessed(&mut self, raw: &str, scope: Scope, context: &Shared) -> bool {
        if raw.len() > MAX_VALUE {
            self.reject(raw, Reason::TooLong, None);
            return false;
        }
        if self.trust_names && is_name(raw) {
            return self.typed(Kind::Domain, raw, scope, context);
        }
        let value = self.straight(Kind::Url, raw);
        if let Some(host) = value.trim().strip_suffix('/').filter(|host| is_host(host)) {
            // For a firewall this means the host and everything on it.
            let is_taken = self.guessed(host, Scope::Exact, context);
            if host.starts_with("*.") {
                return is_taken;
            }
        }
        let mut found = guess(&value, scope);
        if found == Err(Reason::LeadingZero)
            && self.options.zero_padded_decimal
            && let Some(plain) = without_zeros(&value)
        {
            found = guess(&plain, scope);
        }
        if found == Err(Reason::UnknownTld)
            && self.trust_names
            && could_be_tld(domain::last_label(value.as_bytes()))
        {
            return self.typed(Kind::Domain, raw, scope, context);
        }
        match found {
            Ok(Guess::One(kind, value, scope)) => {
                let mut indicator =
                    Indicator { kind, value, scope, raw: None, context: Arc::clone(context) };
                keep_raw(&mut indicator, raw, "");
                self.put(indicator);
                true
            }
            Ok(Guess::Nets(nets)) => {
                for net in nets {
                    let host = net.prefix_len() == net.max_prefix_len();
                    self.put(Indicator {
                        kind: if host { Kind::Ip } else { Kind::Net },
                        value: Value::Net(net),
                        scope: Scope::Exact,
                        raw: Some(raw.into()),
                        context: Arc::clone(context),
                    });
                }
                true
            }
            Err(reason) => {
                self.reject(raw, reason, None);
                false
            }
        }
    }

    /// Adds a value whose kind must be guessed, or several in one text.
    pub(super) fn guessed_each(&mut self, raw: &str, scope: Scope, context: &Shared) {
        let reading = {
            let is_one = |text: &str| guess(&self.straight(Kind::Url, text), scope).is_ok();
            several::reading(raw, is_one)
        };
        match reading {
            Reading::One(text) => {
                self.guessed(&text, scope, context);
            }
            Reading::Several(values) => values.iter().for_each(|value| {
                self.guessed(value, scope, context);
            }),
            Reading::Noted(value, note) => {
                self.guessed(&value, scope, &noted(context, note));
                self.report_values_of(note);
            }
        }
    }

    /// Rejects values that occur in a remark on another, with that reason.
    fn report_values_of(&mut self, note: &str) {
        for word in several::words(note) {
            let is_value = word.contains(['.', ':'])
                && guess(&self.straight(Kind::Url, word), Scope::Exact).is_ok();
            if is_value {
                let detail = "it is part of a remark on another value";
                self.reject(word, Reason::LeftOut, Some(detail.into()));
            }
        }
    }

    /// Like [`Self::guessed_each`], for a kind that the feed states.
    pub(super) fn typed_each(&mut self, kind: Kind, raw: &str, scope: Scope, context: &Shared) {
        let pattern = matches!(scope, Scope::Wildcard | Scope::Regex);
        if pattern || !several::may_be(raw) || !several::is_separable(kind) {
            self.typed(kind, raw, scope, context);
            return;
        }
        let reading = {
            let is_one = |text: &str| {
                let value = self.straight(kind, text);
                // The words of a sentence would pass as names, or as hosts of URLs.
                let is_lax = matches!(kind, Kind::Domain | Kind::Url) && !several::may_be(text);
                if is_lax && guess(&value, scope).is_err() {
                    return false;
                }
                // A URL contains no blanks.
                let is_text = kind == Kind::Url && value.trim().contains(char::is_whitespace);
                Indicator::new(kind, &value, scope, Arc::clone(context)).is_ok() && !is_text
                    || other_network_kind(kind, &value, scope, context, false).is_some()
            };
            several::reading(raw, is_one)
        };
        match reading {
            // Some paths contain blanks, in a column that only holds URLs.
            Reading::Noted(_, note) if kind == Kind::Url && note.contains(['.', '/', '=']) => {
                self.typed(kind, raw, scope, context);
            }
            Reading::One(text) => {
                self.typed(kind, &text, scope, context);
            }
            Reading::Several(values) => values.iter().for_each(|value| {
                self.typed(kind, value, scope, context);
            }),
            Reading::Noted(value, note) => {
                self.typed(kind, &value, scope, &noted(context, note));
                self.report_values_of(note);
            }
        }
    }

    /// Whether records that are invalid for this reason are dropped.
    pub(super) fn drops(&self, reason: Reason) -> bool {
        reason != Reason::NotForDetection || !self.options.misp_all
    }

    /// Refangs a value if that is wanted and can make a difference.
    fn straight<'r>(&self, kind: Kind, raw: &'r str) -> Cow<'r, str> {
        let raw = raw.trim();
        if !self.refang || !is_network(kind) || is_plain(raw) || is_local_name(raw) {
            return Cow::Borrowed(raw);
        }
        refang::refang(raw)
    }
}

/// A context with a remark on the value.
fn noted(context: &Shared, note: &str) -> Shared {
    let mut context = Context::clone(context);
    crate::intel::feed::table::columns::add_description(&mut context, note);
    Arc::new(context)
}

/// Whether reports defang this kind.
fn is_network(kind: Kind) -> bool {
    matches!(kind, Kind::Ip | Kind::Net | Kind::Endpoint | Kind::Domain | Kind::Url | Kind::Email)
}

/// The common case, decided in one pass: only characters of names, addresses and
/// digests, so nothing can be defanged.
fn is_plain(raw: &str) -> bool {
    raw.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
}

/// Whether this is only a name or an address, so that a slash after it does not
/// mean a page.
fn is_host(text: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_') || b >= 0x80;
    let text = text.strip_prefix("*.").unwrap_or(text);
    text.contains('.') && !text.starts_with('.') && text.bytes().all(is_part)
}

/// Whether this is certainly a name, whatever it ends in: plain, with a dot inside,
/// and a letter in its last label.
fn is_name(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    is_plain(raw)
        && memchr::memrchr(b'.', bytes)
            .is_some_and(|dot| bytes[0] != b'.' && could_be_tld(&bytes[dot + 1..]))
}

/// Two characters with a letter among them: certainly not a number.
fn could_be_tld(label: &[u8]) -> bool {
    label.len() > 1 && label.iter().any(|b| b.is_ascii_alphabetic() || *b >= 0x80)
}

/// Whether this is a Windows path or a registry key, where backslashes are literal.
fn is_local_name(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    bytes.get(1) == Some(&b':') && bytes.get(2) == Some(&b'\\')
        || bytes.get(..2).is_some_and(|head| head.eq_ignore_ascii_case(b"hk"))
}

/// Keeps the original text if it differs from the canonical value.
fn keep_raw(indicator: &mut Indicator, raw: &str, value: &str) {
    if raw == value {
        return;
    }
    let raw = raw.trim();
    let same = match &indicator.value {
        Value::Text(text) => **text == *raw,
        other => other.to_string() == raw,
    };
    indicator.raw = (!same).then(|| raw.into());
}

/// Reads a value that is not of its stated kind as another kind of network
/// indicator.
fn other_network_kind(
    kind: Kind,
    raw: &str,
    scope: Scope,
    context: &Shared,
    decimal: bool,
) -> Option<Indicator> {
    if !matches!(kind, Kind::Ip | Kind::Net | Kind::Endpoint | Kind::Domain | Kind::Url)
        || matches!(scope, Scope::Wildcard | Scope::Regex)
    {
        return None;
    }
    let plain = if decimal { without_zeros(raw) } else { None };
    let Ok(Guess::One(kind, value, scope)) = guess(plain.as_deref().unwrap_or(raw), scope) else {
        return None;
    };
    let network = is_network(kind) && kind != Kind::Email;
    network.then(|| Indicator { kind, value, scope, raw: None, context: Arc::clone(context) })
}

/// Converts `010.001.000.001` to `10.1.0.1`, and keeps what follows the address.
fn without_zeros(raw: &str) -> Option<String> {
    let end = raw.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(raw.len());
    let (address, tail) = raw.split_at(end);
    let octets: Vec<&str> = address
        .split('.')
        .map(|octet| match octet.trim_start_matches('0') {
            "" if !octet.is_empty() => "0",
            stripped => stripped,
        })
        .collect();
    (octets.len() == 4).then(|| octets.join(".") + tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intel::feed::Collected;

    #[test]
    fn values_of_a_known_kind_are_read() {
        let mut got = Collected::default();
        let options = Options::of_feed("x");
        let mut intake = Intake::new(Format::Table, &options, &mut got);
        let context = Arc::new(intake.base());
        assert!(intake.typed(Kind::Domain, "hxxp://evil[.]example/x", Scope::Exact, &context));
        assert!(intake.typed(Kind::Domain, "198.51.100[.]7", Scope::Exact, &context));
        assert!(intake.typed(Kind::Ip, "198.51.100.7:80", Scope::Exact, &context));
        assert!(intake.typed(Kind::Url, "evil.example", Scope::Exact, &context));
        assert!(!intake.typed(Kind::Md5, "198.51.100.7", Scope::Exact, &context));
        assert!(!intake.guessed("010.001.000.001", Scope::Exact, &context));
        intake.finish();
        let kinds: Vec<_> = got.indicators.iter().map(|i| (i.kind, i.raw.as_deref())).collect();
        assert_eq!(
            kinds,
            [
                (Kind::Url, Some("hxxp://evil[.]example/x")),
                (Kind::Ip, Some("198.51.100[.]7")),
                (Kind::Endpoint, None),
                (Kind::Domain, None)
            ]
        );
        assert_eq!(got.rejects[1].reason, Reason::LeadingZero);
    }

    #[test]
    fn leading_zeros_are_removed() {
        assert_eq!(without_zeros("010.001.000.001/8").as_deref(), Some("10.1.0.1/8"));
        assert_eq!(without_zeros("010.001").as_deref(), None);
    }
}
