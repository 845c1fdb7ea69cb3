//! Notices of jobs, in words.

use super::messages::plural;
use wiresift::intel::subscribe;
use wiresift::sensor::run::{Notice, Notify};

/// What is said about a newer database, if it is about one.
pub(super) fn database_words(notice: &Notice<'_>) -> Option<String> {
    Some(match notice {
        Notice::Swapped { id, values } => {
            format!("wiresift: database {id} is in force now, with {}", plural(*values, "value"))
        }
        Notice::NothingNewer => "wiresift: the database is still the same".to_string(),
        Notice::Kept(error) => format!("wiresift: {error}; the database before it stays in force"),
        _ => return None,
    })
}

/// What a job that reads feeds says, in the words of those that scan.
pub(super) fn feed_notice(notice: subscribe::Notice<'_>) -> Option<Notice<'_>> {
    Some(match notice {
        subscribe::Notice::Failed(error) => Notice::Failed(error),
        subscribe::Notice::Skipped(what) => Notice::Skipped(what),
        subscribe::Notice::Progress { done } => Notice::Progress { done, total: 0 },
        _ => return None,
    })
}

/// Takes what a job that reads feeds says for one that scans.
pub(super) fn of_feeds(notify: Notify<'_>) -> impl Fn(subscribe::Notice<'_>) + Sync {
    move |notice| {
        if let Some(notice) = feed_notice(notice) {
            notify(notice);
        }
    }
}
