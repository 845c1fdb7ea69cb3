//! The trait of all receivers.

use crate::engine::alert::Format;
use crate::sensor::spool::RecordRef;
use std::time::Duration;

/// A client for a receiver. It runs on its own thread, and may wait for the receiver as long as its
/// timeouts allow.
pub trait Deliver: Send {
    /// The format of records that it sends.
    fn format(&self) -> Format {
        Format::Json
    }

    /// Sends records, in their order.
    fn deliver(&mut self, batch: &[RecordRef<'_>]) -> Outcome;

    /// Forgets connections and secrets: both are opened and read again with the next batch, for
    /// certificates and keys that were replaced.
    fn renew(&mut self) {}
}

/// The result for a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver has it.
    Delivered,
    /// The receiver doesn't have it, as far as we know, but can accept it later.
    Again,
    /// The receiver will never accept it.
    Refused {
        /// The status of HTTP or SMTP, or 0.
        status: u16,
        /// The receiver's explanation.
        reason: String,
    },
}

/// The result of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// One verdict for each record.
    pub verdicts: Vec<Verdict>,
    /// What went wrong, if anything.
    pub error: Option<DeliveryError>,
}

/// What went wrong with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryError {
    /// Its kind.
    pub class: Class,
    /// An explanation for people, which never contains a secret.
    pub reason: String,
    /// How long the receiver asked to be left alone.
    pub after: Option<Duration>,
}

/// Kinds of delivery errors, as used in metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The receiver could not be reached, or the connection broke.
    Connection,
    /// TLS could not be established.
    Tls,
    /// The receiver took too long.
    TimedOut,
    /// The receiver is overloaded.
    Busy,
    /// The receiver failed.
    Server,
    /// The receiver rejects our credentials or permissions: nothing is sent until someone fixes
    /// that, except for an attempt from time to time.
    Denied,
    /// The receiver refuses some of the records.
    Refused,
    /// The response is invalid.
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

impl DeliveryError {
    /// An error without a requested pause.
    pub fn new(class: Class, reason: impl Into<String>) -> Self {
        DeliveryError { class, reason: reason.into(), after: None }
    }
}

impl Outcome {
    /// All records were delivered.
    pub fn delivered(count: usize) -> Self {
        Outcome { verdicts: vec![Verdict::Delivered; count], error: None }
    }

    /// No record was delivered, and all can be later.
    pub fn again(count: usize, error: DeliveryError) -> Self {
        Outcome { verdicts: vec![Verdict::Again; count], error: Some(error) }
    }

    /// No record will ever be accepted.
    pub fn refused(count: usize, status: u16, reason: &str) -> Self {
        let verdict = Verdict::Refused { status, reason: reason.to_string() };
        let error = DeliveryError::new(Class::Refused, reason);
        Outcome { verdicts: vec![verdict; count], error: Some(error) }
    }

    /// Appends the outcome of the records that follow; the first error counts, unless it is only
    /// a refusal.
    #[must_use]
    pub fn and(mut self, after: Outcome) -> Self {
        self.verdicts.extend(after.verdicts);
        let is_light = self.error.as_ref().is_none_or(|error| error.class == Class::Refused);
        if is_light && after.error.is_some() {
            self.error = after.error;
        }
        self
    }

    /// Whether a record has to be sent again.
    pub fn has_again(&self) -> bool {
        self.verdicts.contains(&Verdict::Again)
    }
}
