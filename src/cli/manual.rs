//! Completions and man pages, generated from the definitions of the flags so that they cannot
//! drift from `--help`.

use super::complete;
use super::flags::{Cli, Completions, Man};
use super::messages::print;
use super::outcome::Outcome;
use clap::CommandFactory;
use wiresift::{Error, Result};

/// Prints the completion script of a shell. It calls wiresift for candidates; see `complete`.
pub(super) fn completions(flags: Completions) -> Result<Outcome> {
    let shells = clap_complete::env::Shells::builtins();
    let shell = flags.shell.to_string();
    let completer = shells
        .completer(&shell)
        .ok_or_else(|| Error::usage(format!("no completions for the shell “{shell}”")))?;
    let mut script = Vec::new();
    let name = "wiresift";
    completer
        .write_registration(complete::VARIABLE, name, name, name, &mut script)
        .map_err(|e| Error::io("write the completions", e))?;
    print(&script).map(|()| Outcome::Yes)
}

/// Prints the main man page, or writes one page per command to a folder.
pub(super) fn man(flags: Man) -> Result<Outcome> {
    let command = Cli::command();
    match flags.folder {
        Some(folder) => {
            clap_mangen::generate_to(command, &folder)
                .map_err(|e| Error::io("write the man pages", e).at_path(&folder))?;
            Ok(Outcome::Yes)
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command)
                .render(&mut page)
                .map_err(|e| Error::io("write the man page", e))?;
            print(&page).map(|()| Outcome::Yes)
        }
    }
}
