//! What is held back, and for how long.

use std::time::Duration;

macro_rules! members {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)*) => {
        /// A part of an alert that may be a member of the key.
        ///
        /// The numbers are part of the state format: never reuse one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Member { $($(#[$doc])* $variant = $number,)* }

        impl Member {
            /// Every member.
            pub const ALL: &'static [Member] = &[$(Member::$variant,)*];

            /// The name in the configuration and in repeat records.
            pub const fn name(self) -> &'static str {
                match self { $(Member::$variant => $name,)* }
            }

            /// The member with this number in the state.
            pub(super) const fn from_number(number: u8) -> Option<Member> {
                match number { $($number => Some(Member::$variant),)* _ => None }
            }
        }
    };
}

members! {
    /// Kind and value of the most specific indicator.
    Indicator = 1, "indicator";
    /// The class of the place: `dns`, `ip`, `tls`, `http`, `log.FIELD`…
    Where = 2, "where";
    /// Our side: an internal address, a host, or a log's stem.
    Local = 3, "local";
    /// The other side's address.
    Remote = 4, "remote";
    /// The source port.
    SrcPort = 5, "src_port";
    /// The destination port.
    DstPort = 6, "dst_port";
    /// What was seen, normalised.
    Value = 7, "value";
    /// The path or the interface.
    Input = 8, "input";
}

impl Member {
    /// The member with this name in the configuration.
    pub fn from_name(name: &str) -> Option<Member> {
        Member::ALL.iter().copied().find(|member| member.name() == name)
    }
}

/// How alerts are suppressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Alerts that are equal in these members repeat each other. Repeat records list them in this
    /// order. If it is empty, all alerts are equal.
    pub key: Vec<Member>,
    /// Length of a window. Less than a microsecond counts as one.
    pub window: Duration,
    /// Number of alerts that pass at the beginning of a window, at least 1.
    pub first: u32,
    /// Whether critical alerts are held back like any others.
    pub critical: bool,
    /// Maximum number of windows.
    pub max_keys: usize,
    /// Maximum number of bytes for windows, including what they hold back.
    pub max_bytes: usize,
}

impl Default for Config {
    /// Indicator, place and our side; an hour; one alert; a million keys, 512 MiB.
    fn default() -> Self {
        Config {
            key: vec![Member::Indicator, Member::Where, Member::Local],
            window: Duration::from_secs(3600),
            first: 1,
            critical: false,
            max_keys: 1_000_000,
            max_bytes: 512 << 20,
        }
    }
}

impl Config {
    /// The same with each member of the key only once.
    pub(super) fn tidy(mut self) -> Config {
        let mut key = Vec::new();
        for member in self.key {
            if !key.contains(&member) {
                key.push(member);
            }
        }
        self.key = key;
        self
    }

    /// The length of a window in microseconds, at least one.
    pub(super) fn window_micros(&self) -> i64 {
        i64::try_from(self.window.as_micros()).unwrap_or(i64::MAX).max(1)
    }
}
