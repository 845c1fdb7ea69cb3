//! How many requests whom is answered.
//!
//! A bucket holds as many tokens as may be used at once, and fills up at the rate of the limit.
//! Buckets are forgotten when they are full again; there are only as many as a bounded table
//! holds, so that a flood of addresses cannot fill the memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Buckets of one kind at most. When there are more, full ones are dropped, and if there are
/// none, all of them: strangers are better answered once too often than not at all.
const BUCKETS: usize = 1 << 16;

/// Whom a bucket belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// All requests with a key.
    Key(i64),
    /// Writes and searches with a key.
    Writes(i64),
    /// Requests without a key of an address, or of a /64.
    Address(std::net::IpAddr),
    /// Attempts to log in of an address.
    Login(std::net::IpAddr),
}

/// The buckets.
#[derive(Debug, Default)]
pub struct Limits {
    /// Tokens, in millionths, and when they were counted, in microseconds.
    buckets: Mutex<HashMap<Bucket, (i64, i64)>>,
}

impl Limits {
    /// Takes a token for a request at `now`, in microseconds. `per_minute` is the limit; 0 for
    /// none.
    ///
    /// # Errors
    ///
    /// The seconds until there is one.
    pub fn take(&self, bucket: Bucket, per_minute: u32, now: i64) -> Result<(), u64> {
        if per_minute == 0 {
            return Ok(());
        }
        let most = i64::from(per_minute) * 1_000_000;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS {
            shrink(&mut buckets, now);
        }
        let (tokens, counted) = buckets.entry(bucket).or_insert((most, now));
        let passed = (now - *counted).clamp(0, 60_000_000);
        // A minute of 60,000,000 microseconds fills a bucket of per_minute million millionths.
        *tokens = (*tokens + passed * i64::from(per_minute) / 60).min(most);
        *counted = now;
        if *tokens >= 1_000_000 {
            *tokens -= 1_000_000;
            return Ok(());
        }
        let missing = (1_000_000 - *tokens) * 60 / i64::from(per_minute);
        Err(u64::try_from(missing / 1_000_000 + 1).unwrap_or(1))
    }
}

/// Drops buckets that have been full for a while.
fn shrink<K: Hash + Eq>(buckets: &mut HashMap<K, (i64, i64)>, now: i64) {
    buckets.retain(|_, (_, counted)| now - *counted < 60_000_000);
    if buckets.len() >= BUCKETS {
        buckets.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills() {
        let limits = Limits::default();
        let take = |now| limits.take(Bucket::Key(1), 60, now);
        for _ in 0..60 {
            assert_eq!(take(0), Ok(()));
        }
        assert_eq!(take(0), Err(2));
        assert_eq!(take(1_000_000), Ok(()));
        assert!(take(1_000_000).is_err());
        assert_eq!(limits.take(Bucket::Key(2), 60, 0), Ok(()));
        assert_eq!(limits.take(Bucket::Key(1), 0, 0), Ok(()));
    }
}
