//! How much may be in the log, who waits, and what is shed.
//!
//! Where nothing can be taken back from a log, the lowest severity is shed first by being turned
//! away first: inputs that can wait do so from 80 % on, and what is left is for those that can't,
//! up to 85 % for alerts of any severity, up to 100 % for critical ones alone.

/// Percent of the log from which on inputs that can wait have to.
const WAIT_AT: u64 = 80;

/// Percent that each severity above none may use beyond that.
const STEP: u64 = 5;

/// How large the log may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes on disk.
    pub max_bytes: u64,
    /// Bytes of a segment. It is an eighth of `max_bytes` at most.
    pub segment_bytes: u64,
}

impl Default for Limits {
    /// 1 GiB in segments of 16 MiB.
    fn default() -> Self {
        Limits { max_bytes: 1 << 30, segment_bytes: 16 << 20 }
    }
}

impl Limits {
    /// Where a segment ends.
    pub(super) fn segment(&self) -> u64 {
        self.segment_bytes.min(self.max_bytes / 8)
    }

    /// From here on inputs that can wait have to.
    pub(super) fn wait_at(&self) -> u64 {
        self.share(WAIT_AT)
    }

    /// Up to here an alert of this severity is taken from an input that can't wait.
    pub(super) fn shed_at(&self, severity: u8) -> u64 {
        self.share(WAIT_AT + STEP * u64::from(severity.clamp(1, 4)))
    }

    /// The most that a sink without a limit of its own may keep back while another one reads.
    pub(super) fn dead_at(&self) -> u64 {
        self.max_bytes / 2
    }

    /// A sink that keeps back less than this reads.
    pub(super) fn alive_at(&self) -> u64 {
        self.max_bytes / 4
    }

    fn share(&self, percent: u64) -> u64 {
        (u128::from(self.max_bytes) * u128::from(percent) / 100) as u64
    }
}
