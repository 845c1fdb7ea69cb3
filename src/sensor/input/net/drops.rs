//! Datagrams that the kernel dropped at a socket.
//!
//! `SO_RXQ_OVFL` would report them with each datagram, but neither std nor rustix reads that
//! message, and doing so by hand is `unsafe`. The same counter (`sk_drops`) is in the last column
//! of `/proc/self/net/udp`, in the row with the socket's inode. It is also right if no datagram
//! follows the last dropped one.

use crate::sensor::listen::Datagrams;
use rustix::fs::fstat;
use std::io::{BufRead as _, BufReader};

/// The drops of one socket.
#[derive(Clone, Debug)]
pub(super) struct Drops {
    inode: Option<u64>,
    seen: u64,
}

impl Drops {
    /// Counts the drops of a socket from here on.
    pub(super) fn of(datagrams: &Datagrams) -> Drops {
        let inode = datagrams.local_addr().and_then(|_| fstat(datagrams).ok());
        let mut drops = Drops { inode: inode.map(|of| of.st_ino), seen: 0 };
        drops.since_last();
        drops
    }

    /// The number of drops since the last call. 0 if it can't be determined: local senders wait,
    /// and their datagrams are not dropped.
    pub(super) fn since_last(&mut self) -> u64 {
        let Some(inode) = self.inode else { return 0 };
        let total = ["/proc/self/net/udp", "/proc/self/net/udp6"].iter().find_map(|path| {
            let table = BufReader::new(std::fs::File::open(path).ok()?);
            table.lines().map_while(Result::ok).find_map(|row| drops_in(&row, inode))
        });
        let total = total.unwrap_or(self.seen);
        // The kernel counts in 32 bits, and from 0 in another network namespace.
        let more = total.saturating_sub(self.seen);
        self.seen = total;
        more
    }
}

/// The drops in a row of the table, if it belongs to that socket.
fn drops_in(row: &str, inode: u64) -> Option<u64> {
    let mut columns = row.split_ascii_whitespace();
    let own: u64 = columns.nth(9)?.parse().ok()?;
    (own == inode).then(|| columns.last()?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_table() {
        let row = "  487: 0100007F:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 00000000abcdef00 93";
        assert_eq!(drops_in(row, 4711), Some(93));
        assert_eq!(drops_in(row, 4712), None);
        assert_eq!(drops_in("  sl  local_address rem_address", 4711), None);
    }
}
