//! What every way of sending does.

use crate::engine::alert::Format;
use crate::sensor::spool::RecordRef;
use std::time::Duration;

/// A way to send records to a receiver. It lives on a thread of its own, and may wait for the
/// receiver as long as its timeouts say.
pub trait Deliver: Send {
    /// The form of a record that it sends.
    fn format(&self) -> Format {
        Format::Json
    }

    /// Sends records, in their order.
    fn deliver(&mut self, batch: &[RecordRef<'_>]) -> Outcome;

    /// Forgets connections and secrets: both are opened and read again with the next batch. For
    /// certificates and keys that were replaced.
    fn renew(&mut self) {}
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver has it.
    Delivered,
    /// It has not, as far as we know, and can have it later.
    Again,
    /// It will never take it.
    Refused {
        /// The status of HTTP or SMTP, or 0.
        status: u16,
        /// What the receiver says about it.
        reason: String,
    },
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// One for each record.
    pub verdicts: Vec<Verdict>,
    /// What was wrong, where something was.
    pub trouble: Option<Trouble>,
}

/// What was wrong with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Of which kind it is.
    pub class: Class,
    /// For people; never with a secret in it.
    pub reason: String,
    /// How long the receiver wants to be left alone.
    pub after: Option<Duration>,
}

/// Kinds of trouble, as counters have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Nobody there, or the connection broke.
    Connection,
    /// No agreement about TLS.
    Tls,
    /// It took too long.
    TimedOut,
    /// The receiver has too much to do.
    Busy,
    /// The receiver failed.
    Server,
    /// The receiver doesn't accept who we are, or what we may: nothing is sent until somebody
    /// mends it, but for a try from time to time.
    Denied,
    /// The receiver doesn't take some of the records.
    Refused,
    /// The answer makes no sense.
    Protocol,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 8] = [
        Class::Connection,
        Class::Tls,
        Class::TimedOut,
        Class::Busy,
        Class::Server,
        Class::Denied,
        Class::Refused,
        Class::Protocol,
    ];

    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Connection => "connection",
            Class::Tls => "tls",
            Class::TimedOut => "timeout",
            Class::Busy => "busy",
            Class::Server => "server",
            Class::Denied => "denied",
            Class::Refused => "refused",
            Class::Protocol => "protocol",
        }
    }
}

impl Trouble {
    /// Trouble without a wish of the receiver's.
    pub fn new(class: Class, reason: impl Into<String>) -> Self {
        Trouble { class, reason: reason.into(), after: None }
    }
}

impl Outcome {
    /// All records arrived.
    pub fn delivered(count: usize) -> Self {
        Outcome { verdicts: vec![Verdict::Delivered; count], trouble: None }
    }

    /// No record arrived, and all can later.
    pub fn again(count: usize, trouble: Trouble) -> Self {
        Outcome { verdicts: vec![Verdict::Again; count], trouble: Some(trouble) }
    }

    /// No record will ever be taken.
    pub fn refused(count: usize, status: u16, reason: &str) -> Self {
        let verdict = Verdict::Refused { status, reason: reason.to_string() };
        let trouble = Trouble::new(Class::Refused, reason);
        Outcome { verdicts: vec![verdict; count], trouble: Some(trouble) }
    }

    /// The outcome of what came after these records; the first trouble counts, unless it is no
    /// more than a refusal.
    #[must_use]
    pub fn and(mut self, after: Outcome) -> Self {
        self.verdicts.extend(after.verdicts);
        let is_light = self.trouble.as_ref().is_none_or(|trouble| trouble.class == Class::Refused);
        if is_light && after.trouble.is_some() {
            self.trouble = after.trouble;
        }
        self
    }

    /// Whether a record is to be sent again.
    pub fn has_again(&self) -> bool {
        self.verdicts.contains(&Verdict::Again)
    }
}
