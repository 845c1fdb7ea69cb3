//! How many requests whom is answered.
//!
//! A bucket holds as many tokens as may be used at once, and fills up at the rate of the limit.
//! Buckets are forgotten when they are full again; there are only as many as bounded tables
//! hold, so that a flood of addresses cannot fill the memory. Accounts that somebody tries to log
//! in to share a fixed number of buckets, so that no flood makes the server forget how often a
//! password was guessed.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::sync::{Mutex, PoisonError};

/// Buckets of one table at most. When there are more, full ones are dropped, and if there are
/// none, all of them: strangers are better answered once too often than not at all.
const BUCKETS: usize = 1 << 16;

/// Buckets that the names of accounts share.
const NAMES: u64 = 1 << 16;

/// A minute, in microseconds.
const MINUTE: i64 = 60_000_000;

/// Whom a bucket belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// All requests with a key.
    Key(i64),
    /// Writes and searches with a key.
    Writes(i64),
    /// All requests of a session.
    Session(i64),
    /// Writes and searches of a session.
    SessionWrites(i64),
    /// Requests without a key of an address, or of a /64.
    Address(std::net::IpAddr),
    /// Attempts to log in of an address.
    Login(std::net::IpAddr),
}

/// How many requests, and in how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests; 0 for no limit.
    pub count: u32,
    /// In so many microseconds.
    pub period: i64,
}

impl Rate {
    /// So many a minute.
    pub const fn per_minute(count: u32) -> Rate {
        Rate { count, period: MINUTE }
    }

    /// So many an hour.
    pub const fn per_hour(count: u32) -> Rate {
        Rate { count, period: 60 * MINUTE }
    }
}

/// Tokens, in parts of which each needs a period to come back, and when they were counted.
type Level = (i64, i64);

/// The buckets.
#[derive(Debug, Default)]
pub struct Limits {
    /// Of callers that the storage knows.
    known: Mutex<HashMap<Bucket, Level>>,
    /// Of addresses, which anybody may have many of.
    addresses: Mutex<HashMap<Bucket, Level>>,
    /// Of names, by their hash.
    names: Mutex<HashMap<u64, Level>>,
    hasher: RandomState,
}

impl Limits {
    /// Takes a token for a request at `now`, in microseconds.
    ///
    /// # Errors
    ///
    /// The seconds until there is one.
    pub fn take(&self, bucket: Bucket, rate: Rate, now: i64) -> Result<(), u64> {
        let table = match bucket {
            Bucket::Address(_) | Bucket::Login(_) => &self.addresses,
            _ => &self.known,
        };
        take(table, bucket, rate, now)
    }

    /// Takes a token for an attempt to log in as somebody, whether there is such an account or
    /// not. Case does not count.
    ///
    /// # Errors
    ///
    /// The seconds until there is one.
    pub fn take_login(&self, name: &str, rate: Rate, now: i64) -> Result<(), u64> {
        // Which names share a bucket nobody can work out.
        let slot = self.hasher.hash_one(name.to_lowercase()) % NAMES;
        take(&self.names, slot, rate, now)
    }
}

fn take<K: Hash + Eq>(
    table: &Mutex<HashMap<K, Level>>,
    key: K,
    rate: Rate,
    now: i64,
) -> Result<(), u64> {
    if rate.count == 0 {
        return Ok(());
    }
    let count = i64::from(rate.count);
    // A token has as many parts as the period has microseconds, and as many parts as tokens are
    // allowed come back in each: so the numbers stay whole.
    let most = count * rate.period;
    let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
    if table.len() >= BUCKETS && !table.contains_key(&key) {
        shrink(&mut table, now, rate.period);
    }
    let (tokens, counted) = table.entry(key).or_insert((most, now));
    let passed = now.saturating_sub(*counted).clamp(0, rate.period);
    *tokens = (*tokens + passed * count).min(most);
    *counted = now;
    if *tokens >= rate.period {
        *tokens -= rate.period;
        return Ok(());
    }
    let missing = (rate.period - *tokens) / count;
    Err(u64::try_from(missing / 1_000_000 + 1).unwrap_or(1))
}

/// Drops buckets that have been full for a while.
fn shrink<K: Hash + Eq>(table: &mut HashMap<K, Level>, now: i64, period: i64) {
    table.retain(|_, (_, counted)| now - *counted < period);
    if table.len() >= BUCKETS {
        table.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills() {
        let limits = Limits::default();
        let take = |now| limits.take(Bucket::Key(1), Rate::per_minute(60), now);
        for _ in 0..60 {
            assert_eq!(take(0), Ok(()));
        }
        assert_eq!(take(0), Err(2));
        assert_eq!(take(1_000_000), Ok(()));
        assert!(take(1_000_000).is_err());
        assert_eq!(limits.take(Bucket::Key(2), Rate::per_minute(60), 0), Ok(()));
        assert_eq!(limits.take(Bucket::Key(1), Rate::per_minute(0), 0), Ok(()));
    }

    /// Whoever has many addresses cannot make the server forget how often a password was guessed.
    #[test]
    fn floods_do_not_empty_the_table_of_names() {
        let limits = Limits::default();
        let login = |name: &str| limits.take_login(name, Rate::per_hour(10), 0);
        for _ in 0..10 {
            assert_eq!(login("Alice"), Ok(()));
        }
        for at in 0..(BUCKETS as u32 + 10) {
            let address = std::net::IpAddr::from(at.to_be_bytes());
            assert_eq!(limits.take(Bucket::Login(address), Rate::per_minute(5), 0), Ok(()));
        }
        // A tenth of an hour for one of ten.
        assert_eq!(login("alice"), Err(361));
    }
}
