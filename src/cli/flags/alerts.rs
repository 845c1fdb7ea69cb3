//! The flags that `scan` and `tap` share: newer databases, packets, alerts.

use crate::cli::summary;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wiresift::engine::alert::{Encoder, Format};
use wiresift::engine::packet;
use wiresift::intel::config::duration;
use wiresift::sensor::run::Follow;
use wiresift::{Error, Result};

/// Whether the database is reloaded.
#[derive(Debug, Args)]
pub(in crate::cli) struct Following {
    /// Reload the database when it changes, checking at this interval, and on SIGHUP unless
    /// alerts go to a terminal; default interval: 1s.
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true,
          default_missing_value = "1s", value_parser = duration, overrides_with = "no_watch")]
    pub(in crate::cli) watch: Option<Duration>,
    /// Never reload the database.
    #[arg(long, overrides_with = "watch")]
    pub(in crate::cli) no_watch: bool,
}

impl Following {
    /// How to reload the database, or none with `--no-watch`. If alerts go to a terminal, SIGHUP
    /// means that it was closed and ends the scan.
    pub(in crate::cli) fn follow(&self, path: &Path, to_terminal: bool) -> Option<Follow> {
        let every = self.watch.unwrap_or(Duration::from_secs(1));
        let (path, on_hangup) = (path.to_path_buf(), !to_terminal);
        (!self.no_watch).then_some(Follow { path, every, on_hangup })
    }
}

/// How packets of captures and interfaces are decoded.
#[derive(Debug, Args)]
pub(in crate::cli) struct Packets {
    /// Also search packets of unknown protocols for text.
    #[arg(long)]
    pub(in crate::cli) unknown_text: bool,
    /// Distinguish flows also by "vlan", "tunnel", or both.
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',')]
    pub(in crate::cli) flow_by: Vec<FlowBy>,
}

impl Packets {
    pub(in crate::cli) fn config(&self) -> packet::Config {
        packet::Config {
            unknown_text: self.unknown_text,
            flow_by_vlan: self.flow_by.contains(&FlowBy::Vlan),
            flow_by_tunnel: self.flow_by.contains(&FlowBy::Tunnel),
            ..packet::Config::default()
        }
    }
}

/// What `--flow-by` can add to a flow's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FlowBy {
    /// The innermost VLAN.
    Vlan,
    /// The tunnels that carried the packet.
    Tunnel,
}

/// How `scan` and `tap` write alerts.
#[derive(Debug, Args)]
pub(in crate::cli) struct Alerts {
    /// Output format of alerts; default: text on a terminal, else json.
    #[arg(long, value_name = "FORMAT", value_parser = clap::builder::PossibleValuesParser::new(
        Format::ALL.iter().map(|f| f.name())))]
    pub(in crate::cli) format: Option<String>,
    /// Same as --format json.
    #[arg(long, conflicts_with = "format")]
    pub(in crate::cli) json: bool,
    /// Known good values, networks and domains: hits on them are counted and do not alert.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) allow: Vec<PathBuf>,
    /// Colour for the text format.
    #[arg(long, value_enum, default_value_t = Colour::Auto, alias = "colour")]
    pub(in crate::cli) color: Colour,
    /// Print no alerts, only set the exit status. All inputs are still read to the end.
    #[arg(short, long, conflicts_with = "output")]
    pub(in crate::cli) quiet: bool,
}

impl Alerts {
    /// The encoder for the chosen format; by default text on a terminal, else JSON.
    pub(in crate::cli) fn encoder(&self, to_terminal: bool) -> Result<Encoder> {
        let format = match self.format.as_deref() {
            _ if self.json => Format::Json,
            Some(name) => Format::from_name(name)
                .ok_or_else(|| Error::usage(format!("unknown format “{name}”")))?,
            None if to_terminal => Format::Text,
            None => Format::Json,
        };
        let has_colours = || std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        let colour = match self.color {
            Colour::Always => true,
            Colour::Never => false,
            // https://no-color.org: set and not empty.
            Colour::Auto => to_terminal && has_colours(),
        };
        let width = to_terminal.then(summary::terminal_width).flatten();
        Ok(Encoder::new(format).colour(colour).width(width))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}
