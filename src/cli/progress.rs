//! A progress bar on standard error, if that is a terminal and the command takes over a
//! second.

use super::messages;
use super::notices::{database_words, feed_notice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;
use wiresift::clock::Stopwatch;
use wiresift::intel::subscribe;
use wiresift::sensor::run::Notice;

/// Time without a bar. Most commands finish earlier, and a bar that flashes only distracts.
const PATIENCE: Duration = Duration::from_secs(1);

/// Draws the bar, and prints messages above it without tearing it.
pub(super) struct Progress {
    started: Stopwatch,
    bar: OnceLock<ProgressBar>,
    wanted: bool,
}

impl Progress {
    /// Creates a bar. `quiet` suppresses it, for example when alerts go to the same terminal.
    pub(super) fn new(quiet: bool) -> Self {
        let wanted = !quiet && std::io::stderr().is_terminal();
        Progress { started: Stopwatch::start(), bar: OnceLock::new(), wanted }
    }

    /// Handles a notice of a scan.
    pub(super) fn notice(&self, notice: Notice<'_>) {
        match notice {
            Notice::Failed(error) => self.aside(|| messages::error(error)),
            Notice::Skipped(what) => self.aside(|| messages::say(&format!("wiresift: {what}"))),
            Notice::Closed { path, what } => self.aside(|| {
                messages::say(&format!("wiresift: {path}: {what}: not searched"));
            }),
            Notice::Progress { done, total } => self.advance(done, total),
            Notice::Measuring { round, rounds } => self.measuring(round, rounds),
            notice => {
                if let Some(words) = database_words(&notice) {
                    self.aside(|| messages::say(&words));
                }
            }
        }
    }

    /// Handles a notice of a command that reads feeds.
    pub(super) fn of_feeds(&self, notice: subscribe::Notice<'_>) {
        if let Some(notice) = feed_notice(notice) {
            self.notice(notice);
        }
    }

    /// Prints something above the bar. indicatif redraws the bar afterwards.
    fn aside(&self, print: impl FnOnce()) {
        match self.bar.get() {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Advances the bar, which appears after [`PATIENCE`].
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
        // The total is the size of the files, and compressed inputs yield more.
        if total > 0 && done > total {
            bar.set_length(done);
        }
        bar.set_position(done);
    }

    /// Shows a round of a measurement, in the place of the bar.
    fn measuring(&self, round: u64, rounds: u64) {
        if !self.wanted {
            return;
        }
        let bar = self.bar.get_or_init(|| {
            let bar = ProgressBar::new_spinner();
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar
        });
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        bar.set_message(format!(
            "measuring costs: round {round} of {rounds} (skip with --cost=off)"
        ));
        bar.tick();
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}
