//! Notices of jobs, in words.

use super::messages::{error, name, plural, say};
use wiresift::intel::subscribe;
use wiresift::sensor::run::{Notice, Notify};

/// The message for a notice about the database.
pub(super) fn database_words(notice: &Notice<'_>) -> Option<String> {
    Some(match notice {
        Notice::Swapped { id, values } => {
            format!("wiresift: reloaded the database: {id}, {}", plural(*values, "value"))
        }
        Notice::NothingNewer => "wiresift: the database has not changed".to_string(),
        Notice::Kept(error) => format!("wiresift: {error}; keeping the previous database"),
        _ => return None,
    })
}

/// Converts a notice about feeds to one of a scan, so that both print alike. Feeds have no
/// total, which makes the bar a spinner.
pub(super) fn feed_notice(notice: subscribe::Notice<'_>) -> Option<Notice<'_>> {
    Some(match notice {
        subscribe::Notice::Failed(error) => Notice::Failed(error),
        subscribe::Notice::Skipped(what) => Notice::Skipped(what),
        subscribe::Notice::Progress { done } => Notice::Progress { done, total: 0 },
        _ => return None,
    })
}

/// Adapts a receiver of a scan's notices to a job that reads feeds.
pub(super) fn of_feeds(notify: Notify<'_>) -> impl Fn(subscribe::Notice<'_>) + Sync {
    move |notice| {
        if let Some(notice) = feed_notice(notice) {
            notify(notice);
        }
    }
}

/// Prints the notice of a job that keeps running.
pub(super) fn print_notice(notice: Notice<'_>) {
    match &notice {
        Notice::Failed(failure) => error(failure),
        Notice::Skipped(what) => say(&format!("wiresift: {what}")),
        Notice::Tail(notice) => match notice.path() {
            Some(path) => say(&format!("wiresift: {}: {notice}", name(path))),
            None => say(&format!("wiresift: {notice}")),
        },
        Notice::OutputFailed(failure) => {
            say(&format!("wiresift: {failure} (reading is paused; retrying every second)"))
        }
        Notice::OutputBack { .. } => say("wiresift: writing alerts again, none lost"),
        Notice::Reopened(None) => say("wiresift: reopened the output"),
        Notice::Reopened(Some(failure)) => {
            say(&format!("wiresift: {failure}; still writing to the previous file"));
        }
        notice => database_words(notice).iter().for_each(|words| say(words)),
    }
}
