//! A progress bar for whatever takes over a second, on a terminal only.

use super::messages;
use super::notices::{database_words, feed_notice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;
use wiresift::clock::Stopwatch;
use wiresift::intel::subscribe;
use wiresift::sensor::run::Notice;

/// How long a command may take before it shows that it works.
const PATIENCE: Duration = Duration::from_secs(1);

/// Shows how far a job is, and prints its messages without tearing the bar.
pub(super) struct Progress {
    started: Stopwatch,
    bar: OnceLock<ProgressBar>,
    wanted: bool,
}

impl Progress {
    /// `quiet` where alerts go to the same terminal and would run through the bar.
    pub(super) fn new(quiet: bool) -> Self {
        let wanted = !quiet && std::io::stderr().is_terminal();
        Progress { started: Stopwatch::start(), bar: OnceLock::new(), wanted }
    }

    /// Takes a notice of a job.
    pub(super) fn notice(&self, notice: Notice<'_>) {
        match notice {
            Notice::Failed(error) => self.aside(|| messages::error(error)),
            Notice::Skipped(what) => self.aside(|| messages::say(&format!("wiresift: {what}"))),
            Notice::Closed { path, what } => self.aside(|| {
                messages::say(&format!("wiresift: {path}: {what}: not looked into"));
            }),
            Notice::Progress { done, total } => self.advance(done, total),
            notice => {
                if let Some(words) = database_words(&notice) {
                    self.aside(|| messages::say(&words));
                }
            }
        }
    }

    /// Takes a notice of a job that reads feeds.
    pub(super) fn of_feeds(&self, notice: subscribe::Notice<'_>) {
        if let Some(notice) = feed_notice(notice) {
            self.notice(notice);
        }
    }

    fn aside(&self, print: impl FnOnce()) {
        match self.bar.get() {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    fn advance(&self, done: u64, total: u64) {
        if !self.wanted || self.started.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_init(|| {
            let bar = if total > 0 { ProgressBar::new(total) } else { ProgressBar::new_spinner() };
            bar.set_draw_target(ProgressDrawTarget::stderr());
            let template = if total > 0 {
                "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}"
            } else {
                "{spinner} {bytes} {bytes_per_sec} {elapsed}"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        // Compressed inputs yield more than their files hold.
        if total > 0 && done > total {
            bar.set_length(done);
        }
        bar.set_position(done);
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}
