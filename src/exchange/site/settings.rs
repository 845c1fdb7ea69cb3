//! The settings of an exchange.

/// How much a new account may publish a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Pulses; 0 for no limit.
    pub pulses: u64,
    /// Indicators; 0 for no limit.
    pub indicators: u64,
    /// For how many days an account is new.
    pub days: u64,
}

impl Default for Quotas {
    fn default() -> Quotas {
        Quotas { pulses: 5, indicators: 500, days: 14 }
    }
}

/// The settings of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The URL by which clients reach it, without a slash at the end.
    pub base: String,
    /// Whether those without an account may read public pulses of TLP clear.
    pub anonymous_read: bool,
    /// Requests a minute with one key; 0 for no limit.
    pub per_key: u32,
    /// Requests a minute of one address without a key; 0 for no limit.
    pub per_address: u32,
    /// Writes and searches a minute with one key; 0 for no limit.
    pub writes_per_key: u32,
    /// Quotas of new accounts.
    pub quotas: Quotas,
    /// The name of the author that new users are subscribed to.
    pub house: String,
    /// Whether the routes are there that tests of clients need. Loopback only.
    pub test_routes: bool,
    /// Whether a proxy in front of the server says who calls, in `X-Forwarded-For`.
    pub behind_proxy: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            base: "http://127.0.0.1:8080".into(),
            anonymous_read: false,
            per_key: 600,
            per_address: 30,
            writes_per_key: 60,
            quotas: Quotas::default(),
            house: "wiresift".into(),
            test_routes: false,
            behind_proxy: false,
        }
    }
}
