//! A limit on what an archive may decompress to.
//!
//! A limit for each member would let a thousand members through, and nested archives multiply. So
//! everything that comes out of one input counts towards one allowance, which grows with what is
//! read: the work is linear in the size of the input.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What every input may decompress to, however small it is.
const BASE: u64 = 1 << 30;

/// What each byte of an input adds. Logs with many similar lines shrink to a hundredth.
const RATIO: u64 = 200;

/// The maximum number of members of all archives in an input.
const MEMBERS: u64 = 1 << 20;

/// The allowance of one input, shared by everything that is decompressed from it.
#[derive(Clone, Debug)]
pub(super) struct Allowance(Arc<Remaining>);

#[derive(Debug)]
struct Remaining {
    bytes: AtomicU64,
    members: AtomicU64,
}

impl Default for Allowance {
    fn default() -> Self {
        Allowance::new(BASE, MEMBERS)
    }
}

impl Allowance {
    pub(super) fn new(bytes: u64, members: u64) -> Allowance {
        let (bytes, members) = (AtomicU64::new(bytes), AtomicU64::new(members));
        Allowance(Arc::new(Remaining { bytes, members }))
    }

    /// Adds that this many bytes of the input were read, or will be.
    pub(super) fn earn(&self, bytes: u64) {
        let left = &self.0.bytes;
        let earned = bytes.saturating_mul(RATIO);
        let _ = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            Some(left.saturating_add(earned))
        });
    }

    fn spend(left: &AtomicU64, count: u64) -> bool {
        let spent =
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(count));
        if spent.is_err() {
            left.store(0, Ordering::Relaxed);
        }
        spent.is_ok()
    }

    /// Whether another member may be read.
    pub(super) fn another_member(&self) -> bool {
        self.0.bytes.load(Ordering::Relaxed) > 0 && Self::spend(&self.0.members, 1)
    }

    /// A reader that is charged to it, and fails when nothing is left.
    pub(super) fn charge<R: Read>(&self, inner: R) -> ChargedReader<R> {
        ChargedReader { inner, allowance: self.clone() }
    }

    /// A reader of the input itself, which adds to it.
    pub(super) fn credited<R: Read>(&self, inner: R) -> CreditedReader<R> {
        CreditedReader { inner, allowance: self.clone() }
    }
}

/// See [`Allowance::charge`].
pub(super) struct ChargedReader<R> {
    inner: R,
    allowance: Allowance,
}

impl<R: Read> Read for ChargedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if Allowance::spend(&self.allowance.0.bytes, read as u64) {
            return Ok(read);
        }
        Err(io::Error::other(
            "the archive decompresses to more than 1 GiB and 200 times its size: \
             the rest of it is not searched",
        ))
    }
}

/// See [`Allowance::credited`].
pub(super) struct CreditedReader<R> {
    inner: R,
    allowance: Allowance,
}

impl<R: Read> Read for CreditedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.allowance.earn(read as u64);
        Ok(read)
    }
}
