//! Completions and man pages, from the definitions of the flags.

use super::Outcome;
use super::flags::{Cli, Completions, Man};
use clap::CommandFactory;
use std::io::Write;
use wiresift::{Error, Result};

/// Prints the completions of a shell.
pub(super) fn completions(flags: Completions) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut Cli::command(), "wiresift", &mut script);
    print(&script)
}

/// Prints the page of the program, or writes the pages of all commands.
pub(super) fn man(flags: Man) -> Result<Outcome> {
    let command = Cli::command();
    match flags.folder {
        Some(folder) => {
            clap_mangen::generate_to(command, &folder)
                .map_err(|e| Error::io("cannot write the man pages", e).at_path(&folder))?;
            Ok(Outcome::Yes)
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command)
                .render(&mut page)
                .map_err(|e| Error::io("cannot make the man page", e))?;
            print(&page)
        }
    }
}

fn print(bytes: &[u8]) -> Result<Outcome> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(|e| Error::io("cannot write to standard output", e))?;
    Ok(Outcome::Yes)
}
