//! How much the log may hold, which inputs wait, and what is shed.
//!
//! Nothing can be taken back from a log, so shedding the lowest severity first means refusing it
//! first: inputs that can wait do so from 80 % on, and the rest is reserved for those that can't,
//! up to 85 % for alerts of any severity, and up to 100 % for critical ones only.

/// The percentage of the log at which inputs that can wait start waiting.
const WAIT_AT: u64 = 80;

/// The additional percentage that each severity may use.
const STEP: u64 = 5;

/// How large the log may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes on disk.
    pub max_bytes: u64,
    /// Bytes of a segment, at most an eighth of `max_bytes`.
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

    /// From here on, inputs that can wait have to wait.
    pub(super) fn wait_at(&self) -> u64 {
        self.share(WAIT_AT)
    }

    /// Up to here, an alert of this severity is accepted from an input that can't wait.
    pub(super) fn shed_at(&self, severity: u8) -> u64 {
        self.share(WAIT_AT + STEP * u64::from(severity.clamp(1, 4)))
    }

    /// The most that a sink without its own limit may keep back while another one is reading.
    pub(super) fn dead_at(&self) -> u64 {
        self.max_bytes / 2
    }

    /// A sink that keeps back less than this counts as reading.
    pub(super) fn alive_at(&self) -> u64 {
        self.max_bytes / 4
    }

    fn share(&self, percent: u64) -> u64 {
        (u128::from(self.max_bytes) * u128::from(percent) / 100) as u64
    }
}
