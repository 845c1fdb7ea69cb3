//! What is wrong at present. Clients report errors when they occur, and not when they are over.

use crate::sensor::kafka::words;
use rdkafka::error::RDKafkaErrorCode as Code;
use std::collections::BTreeMap;

/// What is wrong, the most serious first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ErrorSubject {
    /// The client has to be restarted.
    Client,
    /// No broker can be reached, or none accepts us.
    Brokers,
    /// A topic doesn't exist.
    Topics,
    /// Records can't be read.
    Reading,
    /// Offsets can't be committed.
    Commits,
}

/// What is wrong at present.
#[derive(Debug, Default)]
pub(super) struct ActiveErrors(BTreeMap<ErrorSubject, String>);

impl ActiveErrors {
    pub(super) fn set(&mut self, about: ErrorSubject, what: impl Into<String>) {
        self.0.insert(about, what.into());
    }

    pub(super) fn clear(&mut self, about: ErrorSubject) {
        self.0.remove(&about);
    }

    pub(super) fn has(&self, about: ErrorSubject) -> bool {
        self.0.contains_key(&about)
    }

    /// The most serious one.
    pub(super) fn first(&self) -> Option<String> {
        self.0.values().next().cloned()
    }
}

/// What an error is about; `None` for those that the client recovers from by itself.
pub(super) fn about(code: Code) -> Option<(ErrorSubject, String)> {
    let what = match code {
        // One of several connections; another error follows when it was the last.
        Code::BrokerTransportFailure | Code::OperationTimedOut => return None,
        Code::PollExceeded | Code::PartitionEOF => return None,
        Code::AllBrokersDown => (ErrorSubject::Brokers, "no broker can be reached".to_string()),
        Code::Resolve => (ErrorSubject::Brokers, "a broker's name cannot be resolved".to_string()),
        Code::Authentication | Code::SSL | Code::SaslAuthenticationFailed => {
            (ErrorSubject::Brokers, format!("the brokers refuse us: {}", words(code)))
        }
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition => {
            (ErrorSubject::Topics, "a topic does not exist yet".to_string())
        }
        code => (ErrorSubject::Reading, words(code)),
    };
    Some(what)
}

/// Whether an error means that records could not be decoded, and are passed over.
pub(super) fn is_unreadable(code: Code) -> bool {
    matches!(
        code,
        Code::BadMessage | Code::BadCompression | Code::InvalidMessage | Code::NotImplemented
    )
}

/// Whether a commit failed because the group is being reorganised: the partition goes to another
/// member, or the next commit succeeds.
pub(super) fn is_passing(code: Code) -> bool {
    matches!(
        code,
        Code::NoOffset
            | Code::RebalanceInProgress
            | Code::IllegalGeneration
            | Code::UnknownMemberId
            | Code::AssignmentLost
            | Code::WaitingForCoordinator
            | Code::NotCoordinator
            | Code::CoordinatorNotAvailable
            | Code::CoordinatorLoadInProgress
            | Code::BrokerDestroy
    )
}
