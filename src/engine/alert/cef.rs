//! `cef`: ArcSight's Common Event Format, version 0, one line per alert.
//!
//! CEF only defines escapes for line breaks, `\`, `|` (header) and `=` (extension). Other
//! control characters in hostile text become spaces, so a line stays a line and cannot control
//! a terminal.
//!
//! Extensions use the dictionary's keys where one fits; the rest goes into the numbered custom
//! fields (`cs1`–`cs6`, `cn1`–`cn3`), each with a label.

use super::Alert;
use super::object::show;
use super::record::{proto_name, tame};
use crate::engine::error::is_harmful;
use crate::engine::indicator::{Kind, PacketPlace, Protocol, Sender, Severity, Timestamp, Where};
use std::fmt;
use std::net::IpAddr;

/// The action (`act`) of an alert that is held back.
pub(super) const SUPPRESSED: &str = "suppressed";

/// Appends the alert and a newline.
pub(super) fn encode(alert: &Alert<'_>, out: &mut Vec<u8>) {
    let (kind, _) = alert.best();
    let version = env!("CARGO_PKG_VERSION");
    show(out, format_args!("CEF:0|wiresift|wiresift|{version}|ioc-{kind}|"));
    header(out, &title(kind));
    show(out, format_args!("|{}|", severity(alert.severity())));
    let mut ext = Extension { out, is_empty: true };
    ext.shown("rt", millis(alert.time()));
    ext.text("externalId", &alert.uid());
    ext.maybe("dvchost", alert.origin().host.as_deref());
    ext.text("cat", "ioc-match");
    if let Some(packet) = alert.packet() {
        traffic(&mut ext, packet);
        if let Some(protocol) = &packet.protocol {
            application(&mut ext, alert.seen().kind, protocol);
        }
    }
    observed(&mut ext, alert);
    custom(&mut ext, alert);
    ext.text("msg", &alert.headline());
    out.push(b'\n');
}

/// The indicator's name in the header. Names of kinds that are acronyms (`md5`, `cve`) are
/// upper-cased instead.
pub(super) fn title(kind: Kind) -> String {
    let name = match kind {
        Kind::Net => "Network",
        Kind::Endpoint => "Endpoint",
        Kind::Domain => "Domain",
        Kind::UrlPath => "URL path",
        Kind::Email => "E-mail",
        Kind::Filename => "File name",
        Kind::Filepath => "File path",
        Kind::Mutex => "Mutex",
        Kind::Regkey => "Registry key",
        Kind::UserAgent => "User agent",
        Kind::Wallet => "Wallet",
        Kind::Pipe => "Named pipe",
        Kind::User => "User",
        Kind::Opaque => "Opaque",
        _ => return format!("{} indicator matched", kind.name().to_uppercase()),
    };
    format!("{name} indicator matched")
}

/// Maps to the middle or top of CEF's bands: low 0–3, medium 4–6, high 7–8, very high 9–10.
pub(super) const fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Low => 3,
        Severity::Medium => 5,
        Severity::High => 8,
        Severity::Critical => 10,
    }
}

/// CEF's times are milliseconds since 1970.
pub(super) fn millis(time: Timestamp) -> i64 {
    tame(time).0.div_euclid(1000)
}

/// The keys of an address: for IPv4, and for IPv6 with its label. `src` and `dst` hold IPv4 only;
/// IPv6 has the custom fields `c6a2` and `c6a3`, whose labels the dictionary fixes.
type AddressKeys = [&'static str; 3];
const SOURCE: AddressKeys = ["src", "c6a2", "Source IPv6 Address"];
const DESTINATION: AddressKeys = ["dst", "c6a3", "Destination IPv6 Address"];

fn traffic(ext: &mut Extension<'_>, packet: &PacketPlace) {
    let sides = [
        (packet.src, SOURCE, packet.src_port, "spt"),
        (packet.dst, DESTINATION, packet.dst_port, "dpt"),
    ];
    for (ip, keys, port, port_key) in sides {
        if let Some(ip) = ip {
            ext.address(keys, ip);
        }
        if let Some(port) = port {
            ext.shown(port_key, port);
        }
    }
    if packet.src.is_some() || packet.proto != 0 {
        ext.text("proto", &proto_name(packet.proto).to_uppercase());
    }
    if packet.is_live {
        ext.text("deviceInboundInterface", &packet.path);
    } else {
        ext.text("filePath", &packet.path);
    }
    if let Some(flow) = &packet.flow {
        ext.shown("start", millis(flow.first_time));
        ext.shown("end", millis(flow.last_time));
    }
}

/// Writes what the protocol said, in the dictionary's keys. `seen` is the kind of
/// the observable, whose key must not occur twice.
fn application(ext: &mut Extension<'_>, seen: Kind, protocol: &Protocol) {
    match protocol {
        Protocol::Dns(dns) => {
            ext.text("app", "dns");
            // The name that is asked for, not the DNS server, whose address is in
            // `dst`.
            ext.maybe("dhost", Some(&dns.rrname));
        }
        Protocol::Tls(tls) | Protocol::Quic(tls) => {
            ext.text("app", if matches!(protocol, Protocol::Tls(_)) { "tls" } else { "quic" });
            ext.maybe("dhost", tls.sni.as_deref());
        }
        Protocol::Http(http) => {
            ext.text("app", "http");
            ext.maybe("dhost", http.hostname.as_deref());
            ext.maybe("request", http.url.as_deref());
            ext.maybe("requestMethod", http.method.as_deref());
            ext.maybe("requestClientApplication", http.user_agent.as_deref());
        }
        Protocol::File(file) => {
            ext.text("app", file.protocol);
            ext.maybe("request", file.url.as_deref());
            // `observed` uses the key for the file name that was seen; a key may occur once.
            ext.maybe("fname", file.name.as_deref().filter(|_| seen != Kind::Filename));
            if let Some(size) = file.size {
                ext.shown("fsize", size);
            }
        }
        Protocol::Ftp(ftp) => {
            ext.text("app", "ftp");
            // CEF has no keys for the commands of FTP and SMB; the method of a
            // request comes closest.
            ext.maybe("requestMethod", ftp.command.as_deref());
        }
        Protocol::Smb(smb) => {
            ext.text("app", "smb");
            ext.text("requestMethod", smb.command);
        }
        Protocol::Smtp(_) => ext.text("app", "smtp"),
        Protocol::Ssh(_) => ext.text("app", "ssh"),
    }
}

/// Writes what was seen, if CEF has a key for it that no other part uses, and the place in a
/// log.
fn observed(ext: &mut Extension<'_>, alert: &Alert<'_>) {
    let seen = alert.seen();
    let key = match (seen.at, seen.kind) {
        (Where::SmtpFrom | Where::MailFrom, Kind::Email) => Some("suser"),
        (Where::SmtpTo | Where::MailTo, Kind::Email) => Some("duser"),
        (_, Kind::Filename) => Some("fname"),
        // With a packet, `application` writes the URL of the request.
        (_, Kind::Url) if alert.packet().is_none() => Some("request"),
        _ if is_file_digest(seen.kind) => Some("fileHash"),
        _ => None,
    };
    if let Some(key) = key {
        ext.text(key, &seen.value);
    }
    if let Some(log) = alert.log() {
        ext.text("filePath", &log.path);
        for (key, label, number) in [("cn2", "Line", log.line), ("cn3", "Column", log.column)] {
            ext.label(key, label);
            ext.shown(key, number);
        }
    }
    if let Some(sender) = alert.sender() {
        origin(ext, sender);
    }
}

/// Writes who sent the line. `dvchost` is the sensor; the host that the event refers to is the
/// source.
fn origin(ext: &mut Extension<'_>, sender: &Sender) {
    ext.maybe("shost", sender.host.as_deref());
    ext.maybe("deviceProcessName", sender.app.as_deref());
    let peer = sender.peer.as_deref().and_then(|peer| peer.parse().ok());
    if let Some(peer) = peer {
        ext.address(SOURCE, peer);
    }
}

// Digests of certificates and TLS fingerprints do not belong in `fileHash`.
fn is_file_digest(kind: Kind) -> bool {
    kind.digest_len().is_some() && kind as u8 <= Kind::Cdhash as u8
}

// CEF has six custom strings and three custom numbers per event, so only these fit. `json` has
// all.
fn custom(ext: &mut Extension<'_>, alert: &Alert<'_>) {
    let (kind, value) = alert.best();
    let lists = [
        ("cs1", "IocValue", value.to_owned()),
        ("cs2", "IocType", kind.name().to_owned()),
        ("cs3", "IocSource", alert.feeds().join(",")),
        ("cs4", "Tlp", alert.tlp().map(|tlp| tlp.name().to_owned()).unwrap_or_default()),
        ("cs5", "MalwareFamily", alert.gather(|source| &source.malware).join(",")),
        ("cs6", "Reference", alert.gather(|source| &source.references).join(",")),
    ];
    for (key, label, text) in lists {
        if !text.is_empty() {
            ext.label(key, label);
            ext.text(key, &text);
        }
    }
    if let Some(confidence) = alert.confidence() {
        ext.label("cn1", "Confidence");
        ext.shown("cn1", confidence);
    }
    // All of cs1 to cs6 are taken, and a reader must see whether `rt` is the time of reading.
    ext.label("flexString1", "TimeSource");
    ext.text("flexString1", alert.time_source().name());
    let Some(handling) = alert.handling() else { return };
    if !handling.local.is_empty() {
        ext.label("flexString2", "Local");
        ext.text("flexString2", handling.local);
    }
    // The last of the custom strings is taken: a key of our own, as the standard names them.
    ext.maybe("WiresiftInput", Some(handling.input));
    if handling.is_suppressed {
        ext.text("act", SUPPRESSED);
    }
}

/// The part after the header: `key=value` pairs separated by spaces.
struct Extension<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl Extension<'_> {
    /// Writes `key=`, after a space unless it is the first.
    fn key(&mut self, key: fmt::Arguments<'_>) {
        if !self.is_empty {
            self.out.push(b' ');
        }
        self.is_empty = false;
        show(self.out, key);
        self.out.push(b'=');
    }

    /// Writes the label of a custom field: `cs1Label=IocValue`. Labels are ours and
    /// need no escaping.
    fn label(&mut self, key: &str, label: &str) {
        self.key(format_args!("{key}Label"));
        self.out.extend_from_slice(label.as_bytes());
    }

    /// Writes a text, even an empty one.
    fn text(&mut self, key: &str, text: &str) {
        self.key(format_args!("{key}"));
        escape(self.out, text, '=');
    }

    /// Writes a text unless it is missing or empty.
    fn maybe(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.text(key, text);
        }
    }

    /// Writes an address under the key for its version.
    fn address(&mut self, [key, key6, label]: AddressKeys, ip: IpAddr) {
        match ip {
            IpAddr::V4(ip) => self.shown(key, ip),
            IpAddr::V6(ip) => {
                self.label(key6, label);
                self.shown(key6, ip);
            }
        }
    }

    /// Writes a value whose text needs no escaping, such as a number or an address.
    fn shown(&mut self, key: &str, value: impl fmt::Display) {
        self.key(format_args!("{key}"));
        show(self.out, value);
    }
}

/// Writes a field of the header, where line breaks are not allowed at all.
pub(super) fn header(out: &mut Vec<u8>, text: &str) {
    escape(out, &text.replace(['\r', '\n'], " "), '|');
}

/// Escapes backslashes, line breaks and `special`; other controls become spaces.
pub(super) fn escape(out: &mut Vec<u8>, text: &str, special: char) {
    for char in text.chars() {
        match char {
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\\' => out.extend_from_slice(b"\\\\"),
            _ if char == special => {
                out.push(b'\\');
                out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ if is_harmful(char) => out.push(b' '),
            _ => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_extensions_are_escaped() {
        let mut out = Vec::new();
        header(&mut out, "a|b\\c=d\ne");
        assert_eq!(String::from_utf8(out).unwrap(), "a\\|b\\\\c=d e");
        let mut out = Vec::new();
        escape(&mut out, "a|b\\c=d\ne\rf\u{1b}[31m\u{9b}g", '=');
        assert_eq!(String::from_utf8(out).unwrap(), "a|b\\\\c\\=d\\ne\\rf [31m g");
    }

    #[test]
    fn times_before_the_epoch_round_down() {
        assert_eq!(millis(Timestamp(-1)), -1);
        assert_eq!(millis(Timestamp(1_999)), 1);
    }
}
