//! Addresses, servers, URLs, mailboxes.

use super::{Form, Written, text_of, write_text};
use crate::sensor::config::address::{Address, HostPort};
use crate::sensor::config::problem::{Wrong, alternatives, quoted};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;

/// Whether a text is a host name, or an address without brackets.
fn is_host(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_label =
        |label: &str| !label.is_empty() && label.len() <= 63 && label.chars().all(is_letter);
    let name = text.strip_suffix('.').unwrap_or(text);
    text.len() <= 253 && name.split('.').all(is_label) || text.parse::<Ipv6Addr>().is_ok()
}

/// Whether a host is this machine.
pub(in crate::sensor::config) fn is_local(host: &str) -> bool {
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    ip.is_ok_and(|ip| ip.is_loopback()) || host == "localhost" || host.ends_with(".localhost")
}

/// The host of a URL, without brackets.
pub(in crate::sensor::config) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => authority.split(':').next().unwrap_or(authority),
    }
}

/// Splits `HOST:PORT`; an IPv6 address is in brackets.
fn host_port(text: &str, default: Option<u16>) -> Result<HostPort, &'static str> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(rest) => {
            let Some((host, rest)) = rest.split_once(']') else { return Err("“]” is missing") };
            if host.parse::<Ipv6Addr>().is_err() {
                return Err("expected an IPv6 address in the brackets");
            }
            (host, rest)
        }
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    if host.is_empty() {
        return Err("expected an address before the port: 0.0.0.0 or [::] for all");
    }
    if !is_host(host) {
        return Err("invalid host name or address");
    }
    let port = match rest.strip_prefix(':') {
        Some(port) if port.contains(':') => return Err("an IPv6 address needs brackets"),
        Some(port) => port.parse().ok().filter(|port| *port > 0),
        None if rest.is_empty() => default,
        None => return Err("expected “:” and a port after the brackets"),
    };
    let port = port.ok_or("expected a port from 1 to 65535")?;
    Ok(HostPort { host: host.to_string(), port })
}

/// Reads a text with a function that says what is wrong with it.
fn read_with<T>(
    value: &Written<'_>,
    example: &str,
    what: &str,
    read: impl FnOnce(&str) -> Result<T, &'static str>,
) -> Result<T, Vec<Wrong>> {
    let text = text_of(value, example)?;
    read(text).map_err(|why| {
        let what = format!("invalid {what} {}: {why}", quoted(text));
        vec![Wrong::new(value.span(), what, format!("for example {example}"))]
    })
}

/// An address with one of several schemes.
fn address(text: &str, schemes: &[&str], ports: [Option<u16>; 2]) -> Result<Address, &'static str> {
    let (scheme, rest) = text.split_once(':').ok_or("it has no scheme")?;
    if !schemes.contains(&scheme) {
        return Err("unknown scheme");
    }
    let path = || {
        let path = rest.strip_prefix("//").unwrap_or(rest);
        let is_path =
            path.starts_with('/') && path.len() > 1 && !path.chars().any(char::is_control);
        is_path.then(|| path.into()).ok_or("expected the absolute path of a socket")
    };
    let place = |default| {
        host_port(rest.strip_prefix("//").ok_or("“//” is missing after the scheme")?, default)
    };
    Ok(match scheme {
        "udp" => Address::Udp(place(ports[0])?),
        "tcp" => Address::Tcp(place(ports[0])?),
        "tls" => Address::Tls(place(ports[1])?),
        "unix" => Address::Unix(path()?),
        "unix-datagram" => Address::UnixDatagram(path()?),
        _ if rest.is_empty() || rest.contains(['/', ' ']) => {
            return Err("expected the name of a systemd socket");
        }
        _ => Address::Systemd(rest.to_string()),
    })
}

/// The schemes with what follows them, for messages and the reference.
fn schemes_text(schemes: &[&str]) -> String {
    let of = |scheme: &&str| match *scheme {
        "unix" | "unix-datagram" => format!("`{scheme}:PATH`"),
        "systemd" => "`systemd:NAME`".to_string(),
        scheme => format!("`{scheme}://HOST:PORT`"),
    };
    alternatives(&schemes.iter().map(of).collect::<Vec<_>>())
}

/// An address to listen on.
pub(in crate::sensor::config) struct Listen(pub(in crate::sensor::config) &'static [&'static str]);

impl Form for Listen {
    type Value = Address;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<Address, Vec<Wrong>> {
        let schemes = schemes_text(self.0).replace('`', "");
        read_with(value, "tcp://0.0.0.0:6514", "address", |text| {
            address(text, self.0, [None, None])
        })
        .map_err(|mut wrong| {
            wrong.iter_mut().for_each(|wrong| wrong.remedy = format!("expected {schemes}"));
            wrong
        })
    }

    fn write(&self, value: &Address) -> String {
        write_text(&value.to_string())
    }

    fn about(&self) -> String {
        schemes_text(self.0)
    }
}

/// The address of a syslog receiver; the port is optional.
pub(in crate::sensor::config) struct Target;

impl Form for Target {
    type Value = Address;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<Address, Vec<Wrong>> {
        read_with(value, "tls://siem.example.net:6514", "address", |text| {
            address(text, &["udp", "tcp", "tls"], [Some(514), Some(6514)])
        })
    }

    fn write(&self, value: &Address) -> String {
        write_text(&value.to_string())
    }

    fn about(&self) -> String {
        schemes_text(&["udp", "tcp", "tls"])
    }
}

/// `ADDRESS:PORT` to listen on, or `off`.
pub(in crate::sensor::config) struct ListenTcp;

impl Form for ListenTcp {
    type Value = Option<HostPort>;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<Option<HostPort>, Vec<Wrong>> {
        read_with(value, "127.0.0.1:9750, or off", "address", |text| match text {
            "off" => Ok(None),
            text => host_port(text, None).map(Some),
        })
    }

    fn write(&self, value: &Option<HostPort>) -> String {
        write_text(&value.as_ref().map_or("off".to_string(), ToString::to_string))
    }

    fn about(&self) -> String {
        "`ADDRESS:PORT` or `off`".into()
    }
}

/// `HOST:PORT` of a server.
pub(in crate::sensor::config) struct Server {
    /// The default port.
    pub(in crate::sensor::config) port: u16,
}

impl Form for Server {
    type Value = HostPort;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<HostPort, Vec<Wrong>> {
        read_with(value, "host.example.net:9092", "server", |text| host_port(text, Some(self.port)))
    }

    fn write(&self, value: &HostPort) -> String {
        write_text(&value.to_string())
    }

    fn about(&self) -> String {
        format!("`HOST:PORT`, default port {}", self.port)
    }
}

/// A host name.
pub(in crate::sensor::config) struct Host;

impl Form for Host {
    type Value = String;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<String, Vec<Wrong>> {
        read_with(value, "sensor-1", "host name", |text| match is_host(text) {
            true => Ok(text.to_string()),
            false => Err("expected letters, digits, dots and dashes"),
        })
    }

    fn write(&self, value: &String) -> String {
        write_text(value)
    }

    fn about(&self) -> String {
        "host name".into()
    }
}

/// Hosts whose URLs are secrets themselves: anyone who has one can post.
const SECRET_URLS: [&str; 5] = [
    "hooks.slack.com",
    "discord.com",
    "discordapp.com",
    "outlook.office.com",
    "webhook.office.com",
];

/// A URL of a server.
pub(in crate::sensor::config) struct Url;

impl Form for Url {
    type Value = String;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<String, Vec<Wrong>> {
        let text = text_of(value, "https://siem.example.net:9200")?;
        // The URL may be a secret, or contain one, so it is not repeated.
        let wrong = |why: &str, remedy: &str| {
            Err(vec![Wrong::new(value.span(), format!("invalid URL: {why}"), remedy)])
        };
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let Some(rest) = rest else {
            return wrong("expected https:// or http://", "for example https://siem.example.net");
        };
        if text.bytes().any(|b| b <= b' ' || b == 0x7f) {
            return wrong("it contains spaces or control characters", "write spaces as %20");
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        if authority.contains('@') {
            let remedy = "set user, and a key that ends in _env or _file";
            return wrong("it contains a user or password", remedy);
        }
        let place = match host_port(authority, Some(443)) {
            Ok(place) => place,
            Err(why) => return wrong(why, "for example https://siem.example.net"),
        };
        let is_secret =
            |host: &&str| place.host == **host || place.host.ends_with(&format!(".{host}"));
        if SECRET_URLS.iter().any(is_secret) {
            let remedy = "set url_env to a variable, or url_file to a file that contains it";
            return wrong("the URL is a secret, because anyone who has it can post", remedy);
        }
        Ok(text.to_string())
    }

    fn write(&self, value: &String) -> String {
        write_text(value)
    }

    fn about(&self) -> String {
        "URL".into()
    }
}

/// A mailbox without a display name.
pub(in crate::sensor::config) struct Mailbox;

impl Form for Mailbox {
    type Value = String;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<String, Vec<Wrong>> {
        read_with(value, "soc@example.net", "mailbox", |text| {
            let is_plain = |c: char| c.is_ascii_graphic() && !"<>()[],;:\\\"".contains(c);
            let halves = text.rsplit_once('@');
            let is_one = halves.is_some_and(|(name, host)| !name.is_empty() && is_host(host));
            match is_one && text.len() <= 254 && text.chars().all(is_plain) {
                true => Ok(text.to_string()),
                false => Err("expected name@host"),
            }
        })
    }

    fn write(&self, value: &String) -> String {
        write_text(value)
    }

    fn about(&self) -> String {
        "mailbox".into()
    }
}

/// A network, or one address.
pub(in crate::sensor::config) struct Network;

impl Form for Network {
    type Value = IpNet;

    fn read(&self, value: &Written<'_>, _base: &Path) -> Result<IpNet, Vec<Wrong>> {
        read_with(value, "192.0.2.0/24", "network", |text| {
            let network =
                text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map(|network| network.trunc()).map_err(|_| "expected ADDRESS/BITS")
        })
    }

    fn write(&self, value: &IpNet) -> String {
        write_text(&value.to_string())
    }

    fn about(&self) -> String {
        "network".into()
    }
}
