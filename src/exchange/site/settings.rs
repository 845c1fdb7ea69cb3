//! The settings of an exchange.

use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{PUZZLE_BITS, Role};

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

impl Quotas {
    /// Whether an account is new, and so may publish only little.
    pub fn is_new(&self, role: Role, since: Timestamp, now: Timestamp) -> bool {
        let days = now.0.saturating_sub(since.0) / 86_400_000_000;
        role == Role::Member && u64::try_from(days).unwrap_or(0) < self.days
    }
}

/// Who may create an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignUp {
    /// Nobody: operators create accounts.
    #[default]
    Closed,
    /// Whoever has a link from a member.
    Invited,
    /// Everybody who solves a puzzle.
    Open,
}

impl SignUp {
    /// Every way, with its name.
    pub const ALL: [(SignUp, &'static str); 3] =
        [(SignUp::Closed, "closed"), (SignUp::Invited, "invited"), (SignUp::Open, "open")];

    /// Its name.
    pub fn name(self) -> &'static str {
        SignUp::ALL.into_iter().find(|(of, _)| *of == self).map_or("closed", |(_, name)| name)
    }

    /// The way with this name.
    pub fn from_name(name: &str) -> Option<SignUp> {
        SignUp::ALL.into_iter().find(|(_, of)| *of == name).map(|(of, _)| of)
    }
}

/// What cookies browsers accept from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookies {
    /// Secure ones, bound to the host.
    Secure,
    /// Plain ones: the server is only reached on this machine.
    Loopback,
    /// None: a password would cross a network unencrypted.
    Refused,
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
    /// Who may create an account.
    pub sign_up: SignUp,
    /// Zero bits that the solution of a puzzle begins with.
    pub puzzle_bits: u32,
    /// Attempts to log in a minute of one address; 0 for no limit.
    pub logins_per_address: u32,
    /// Attempts to log in an hour to one account; 0 for no limit.
    pub logins_per_account: u32,
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
            sign_up: SignUp::Closed,
            puzzle_bits: PUZZLE_BITS,
            logins_per_address: 5,
            logins_per_account: 10,
            behind_proxy: false,
        }
    }
}

impl Settings {
    /// What cookies browsers accept from the server: secure ones over HTTPS, plain ones on this
    /// machine alone.
    pub fn cookies(&self) -> Cookies {
        let Some(rest) = self.base.strip_prefix("http://") else { return Cookies::Secure };
        let host = rest.split('/').next().unwrap_or_default();
        // Without the port; an address of IPv6 is in brackets.
        let host = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
            Some((host, _)) => host,
            None => host.split(':').next().unwrap_or_default(),
        };
        let is_address = host.parse().is_ok_and(|host: std::net::IpAddr| host.is_loopback());
        match is_address || host.eq_ignore_ascii_case("localhost") {
            true => Cookies::Loopback,
            false => Cookies::Refused,
        }
    }

    /// Scheme, host and port of [`Settings::base`], as browsers name the origin of a page.
    pub fn origin(&self) -> String {
        let (scheme, rest) = self.base.split_once("://").unwrap_or(("http", &self.base));
        let host = rest.split('/').next().unwrap_or_default().to_ascii_lowercase();
        let usual = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
        let host = host.strip_suffix(usual).unwrap_or(&host);
        format!("{}://{host}", scheme.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_and_origins() {
        for (base, cookies, origin) in [
            ("https://x.example", Cookies::Secure, "https://x.example"),
            ("https://X.example:443/below", Cookies::Secure, "https://x.example"),
            ("http://127.0.0.1:8080", Cookies::Loopback, "http://127.0.0.1:8080"),
            ("http://[::1]:80", Cookies::Loopback, "http://[::1]"),
            ("http://localhost:1", Cookies::Loopback, "http://localhost:1"),
            ("http://localhost.example", Cookies::Refused, "http://localhost.example"),
            ("http://192.0.2.1:8080", Cookies::Refused, "http://192.0.2.1:8080"),
        ] {
            let settings = Settings { base: base.into(), ..Settings::default() };
            assert_eq!((settings.cookies(), settings.origin().as_str()), (cookies, origin));
        }
    }

    #[test]
    fn accounts_are_new_for_a_while() {
        let quotas = Quotas::default();
        let is_new =
            |role, days: i64| quotas.is_new(role, Timestamp(0), Timestamp(days * 86_400_000_000));
        assert!(is_new(Role::Member, 0) && is_new(Role::Member, 13));
        assert!(!is_new(Role::Member, 14) && !is_new(Role::Trusted, 0));
    }
}
