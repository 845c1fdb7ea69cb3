//! The flags of `wiresift tap`.

use super::alerts::{Alerts, Following, Packets};
use crate::cli::choice::Choice;
use crate::cli::complete;
use clap::{Args, ValueHint};
use std::path::PathBuf;
use std::time::Duration;
use wiresift::intel::config::{self, duration};

#[derive(Debug, Args)]
#[command(after_help = "\
The filter uses tcpdump's syntax: see pcap-filter(7). SIGINT and SIGTERM stop the tap: what was
received is processed first, and --stats prints the totals. The database is reloaded as soon as a
new one is published, unless --no-watch is given.

Capturing requires CAP_NET_RAW only: sudo setcap cap_net_raw=ep $(command -v wiresift)

Exit status: 0 match, 1 no match, 2 error.

Examples:
  wiresift tap --db iocs.wsdb -i eth0
  wiresift tap --db iocs.wsdb -i eth0 -i eth1 'not port 22' --format eve -o alerts.json
  wiresift tap --db iocs.wsdb -i eth0 --ring 64M --stats-every 10 --stats=json")]
pub(in crate::cli) struct Tap {
    /// The database, or a list or folder of lists to compile in memory; default: the database
    /// of wiresift.toml in this folder.
    #[arg(long, value_name = "DB", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) db: Option<PathBuf>,
    /// An interface; repeatable; "any" for all.
    #[arg(short = 'i', long = "interface", value_name = "IF", required_unless_present = "list",
          add = complete::interfaces())]
    pub(in crate::cli) interfaces: Vec<String>,
    /// A filter in tcpdump's syntax; default: all packets.
    #[arg(value_name = "FILTER")]
    pub(in crate::cli) filter: Vec<String>,
    /// List the available interfaces.
    #[arg(short = 'D', long = "list-interfaces")]
    pub(in crate::cli) list: bool,
    #[command(flatten)]
    pub(in crate::cli) following: Following,
    #[command(flatten)]
    pub(in crate::cli) alerts: Alerts,
    #[command(flatten)]
    pub(in crate::cli) choice: Choice,
    #[command(flatten)]
    pub(in crate::cli) packets: Packets,
    /// Append alerts to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Check validity at the time of the packet ("event"), "now", or at a given time.
    #[arg(long, value_name = "TIME", default_value = "event")]
    pub(in crate::cli) at: String,
    /// Also capture packets addressed to other hosts (default).
    #[arg(long, overrides_with = "no_promiscuous")]
    pub(in crate::cli) promiscuous: bool,
    /// Capture only what the interface receives in normal mode.
    #[arg(long, overrides_with = "promiscuous")]
    pub(in crate::cli) no_promiscuous: bool,
    /// Bytes to capture per packet.
    #[arg(long, value_name = "BYTES", default_value_t = 262_144,
          value_parser = clap::value_parser!(u32).range(64..=262_144))]
    pub(in crate::cli) snaplen: u32,
    /// Size of the kernel's ring, per worker and interface: 64M, 512K.
    #[arg(long, value_name = "SIZE", default_value = "16M", value_parser = ring)]
    pub(in crate::cli) ring: usize,
    /// Stop after this time: 90, 1.5s, 10m, 8h.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(in crate::cli) duration: Option<Duration>,
    /// Stop after N packets.
    #[arg(short, long, value_name = "N")]
    pub(in crate::cli) count: Option<u64>,
    /// Workers; default: 0, one per core.
    #[arg(short = 'j', long, value_name = "N", default_value_t = 0)]
    pub(in crate::cli) threads: usize,
    /// Print counts of what was received, seen, matched and dropped to standard error at the end.
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true,
          default_missing_value = "text", value_parser = ["text", "json"])]
    pub(in crate::cli) stats: Option<String>,
    /// Print rates and drops at this interval: 10, 0.5s, 1m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(in crate::cli) stats_every: Option<Duration>,
    /// Keep all capabilities, file access and system calls.
    #[arg(long)]
    pub(in crate::cli) no_sandbox: bool,
}

/// Parses the size of a ring: bytes, or binary units with K, M or G.
fn ring(text: &str) -> Result<usize, String> {
    // Below the minimum libpcap has no room for its blocks; it takes the size as an `int`.
    match config::size(text)? {
        bytes @ 0x8_0000..=0x7fff_ffff => Ok(bytes as usize),
        _ => Err("expected 512K or more, and less than 2G".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times() {
        assert_eq!(ring("64M"), Ok(64 << 20));
        assert_eq!(ring("1GiB"), Ok(1 << 30));
        assert_eq!(ring("1048576"), Ok(1 << 20));
        for wrong in ["", "M", "1", "4G", "-1", "1T", "99999999999999999999", "1M5"] {
            assert!(ring(wrong).is_err(), "{wrong}");
        }
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        for wrong in ["", "s", "0", "-1", "1w", "inf", "nan", "1e300", "1 µ"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
