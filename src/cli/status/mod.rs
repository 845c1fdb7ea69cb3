//! `wiresift status`: shows the state of the service.

mod page;
mod view;

use super::flags::Status;
use super::messages::{self, print};
use super::outcome::Outcome;
use page::{Page, StatusClient};
use std::io::IsTerminal;
use std::time::Duration;
use view::View;
use wiresift::Result;
use wiresift::clock::Stopwatch;
use wiresift::engine::error::{escape_json, escape_text};
use wiresift::intel::subscribe::StopSignal;

/// The time over which rates are measured for `--once`.
const MOMENT: Duration = Duration::from_secs(1);

/// Moves the cursor to the first cell and clears the screen (ECMA-48: CUP, ED).
const CLEAR: &str = "\x1b[H\x1b[J";

pub(super) fn run(flags: Status) -> Result<Outcome> {
    let place = StatusClient::new(&flags.url)?;
    if flags.json {
        let text = place.fetch()?;
        let page = Page::parse(&text, &place)?;
        print(&*escape_json(&text))?;
        return Ok(outcome(&page));
    }
    if flags.once || !std::io::stdout().is_terminal() {
        return once(&place);
    }
    watch(&place, flags.every)
}

fn outcome(page: &Page) -> Outcome {
    if page.is_well() { Outcome::Yes } else { Outcome::No }
}

/// Prints the status once. It fetches two pages, because rates are differences between them.
fn once(place: &StatusClient) -> Result<Outcome> {
    let (before, since) = (place.page()?, Stopwatch::start());
    std::thread::sleep(MOMENT);
    let page = place.page()?;
    let lines = View::new(&page).since(&before, since.elapsed()).lines();
    print(lines.join("\n") + "\n")?;
    Ok(outcome(&page))
}

/// Refreshes the status until a signal. If the service becomes unreachable, shows why and keeps
/// trying.
fn watch(place: &StatusClient, every: Duration) -> Result<Outcome> {
    let stop = StopSignal::new()?;
    let (mut page, mut since) = (place.page()?, Stopwatch::start());
    show(&View::new(&page).lines())?;
    let mut last = outcome(&page);
    while stop.wait(every) {
        match place.page() {
            Ok(new) => {
                show(&View::new(&new).since(&page, since.elapsed()).lines())?;
                last = outcome(&new);
                (page, since) = (new, Stopwatch::start());
            }
            Err(error) => {
                show(&[
                    escape_text(&error.to_string()).into_owned(),
                    String::new(),
                    "trying again".into(),
                ])?;
                last = Outcome::Failed;
            }
        }
    }
    Ok(last)
}

/// Shows lines on a terminal, as many as fit.
fn show(lines: &[String]) -> Result<()> {
    let (width, height) = match rustix::termios::tcgetwinsize(std::io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
            (usize::from(size.ws_col), usize::from(size.ws_row))
        }
        _ => (80, 24),
    };
    // Leave the last line for the cursor.
    let room = height.saturating_sub(2).max(1);
    let mut text = CLEAR.to_string();
    for line in lines.iter().take(room) {
        text.extend(line.chars().take(width));
        text.push('\n');
    }
    if lines.len() > room {
        let more = messages::plural((lines.len() - room) as u64, "line");
        text.push_str(&format!("… {more} more; use --once to print all\n"));
    }
    print(text)
}
