//! The flags of `wiresift completions` and `wiresift man`.

use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wiresift completions bash > /etc/bash_completion.d/wiresift
  wiresift completions zsh > ~/.zfunc/_wiresift
  wiresift completions fish > ~/.config/fish/completions/wiresift.fish")]
pub(in crate::cli) struct Completions {
    /// bash, zsh, fish, elvish or powershell.
    #[arg(value_enum)]
    pub(in crate::cli) shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wiresift man | man -l -
  wiresift man /usr/local/share/man/man1")]
pub(in crate::cli) struct Man {
    /// The folder to write them to; default: print the main page.
    #[arg(value_name = "FOLDER")]
    pub(in crate::cli) folder: Option<PathBuf>,
}
