//! `zeek`: Zeek's `intel.log`, tab-separated, with its header.
//!
//! Zeek's originator is the side that opened the flow, not the sender of the packet, so the
//! endpoints are swapped if the packet travels to the client. A hit in a log has no
//! connection: its columns are unset, and `seen.where` is `Log::IN_TEXT` or `Log::IN_FIELD`.

use super::Alert;
use super::object::show;
use super::record::{ends, tame};
use crate::engine::error::is_harmful;
use crate::engine::indicator::{Kind, PacketPlace, Protocol, Timestamp, Where};
use std::net::IpAddr;

// The columns of Zeek's log, in its order. `fuid` and `file_mime_type` are never set: the
// first would refer to a line in a `files.log` that does not exist.
const FIELDS: [(&str, &str); 15] = [
    ("ts", "time"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("seen.indicator", "string"),
    ("seen.indicator_type", "enum"),
    ("seen.where", "enum"),
    ("seen.node", "string"),
    ("matched", "set[enum]"),
    ("sources", "set[string]"),
    ("fuid", "string"),
    ("file_mime_type", "string"),
    ("file_desc", "string"),
];

/// Appends the header of a log opened at `now`.
pub(super) fn begin(now: Timestamp, out: &mut Vec<u8>) {
    out.extend_from_slice(
        b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tintel\n",
    );
    line_with_time("#open", now, out);
    for (title, column) in [("#fields", 0), ("#types", 1)] {
        out.extend_from_slice(title.as_bytes());
        for (name, kind) in FIELDS {
            out.push(b'\t');
            out.extend_from_slice(if column == 0 { name } else { kind }.as_bytes());
        }
        out.push(b'\n');
    }
}

/// Appends the last line of a log closed at `now`.
pub(super) fn end(now: Timestamp, out: &mut Vec<u8>) {
    line_with_time("#close", now, out);
}

/// Writes a line such as `#open<TAB>2026-11-24-02-24-37`.
fn line_with_time(title: &str, now: Timestamp, out: &mut Vec<u8>) {
    let time = tame(now).to_string();
    // Zeek writes whole seconds here.
    let seconds = time.get(..19).unwrap_or(&time);
    show(out, format_args!("{title}\t{}\n", seconds.replace(['T', ':'], "-")));
}

/// Appends the line of one alert.
pub(super) fn encode(alert: &Alert<'_>, out: &mut Vec<u8>) {
    let seen = alert.seen();
    seconds(alert.time(), out);
    out.push(b'\t');
    match alert.packet() {
        Some(packet) => connection(packet, out),
        None => out.extend_from_slice(b"-\t-\t-\t-\t-"),
    }
    out.push(b'\t');
    field(out, indicator(seen.kind, &seen.value));
    show(out, format_args!("\t{}\t{}\t", intel_type(seen.kind), place(alert)));
    field(out, alert.origin().host.as_deref().unwrap_or("wiresift"));
    out.push(b'\t');
    // `matched` is a set; Zeek sorts none, but a fixed order keeps runs comparable.
    let mut kinds: Vec<&str> = alert.matches().iter().map(|m| intel_type(m.kind)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    set(out, &kinds);
    out.push(b'\t');
    set(out, &alert.feeds());
    // `fuid` and `file_mime_type`.
    out.extend_from_slice(b"\t-\t-\t");
    match alert.protocol() {
        // Zeek describes a file by its URL in HTTP, or by its name.
        Some(Protocol::File(file)) => match file.url.as_deref().or(file.name.as_deref()) {
            Some(text) => field(out, text),
            None => out.push(b'-'),
        },
        _ => out.push(b'-'),
    }
    out.push(b'\n');
}

/// Writes a time in seconds with six decimals. Split by hand: a double cannot hold microseconds
/// of every year.
pub(super) fn seconds(time: Timestamp, out: &mut Vec<u8>) {
    let micros = tame(time).0;
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    show(out, format_args!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000));
}

/// Writes the columns `uid` to `id.resp_p`.
fn connection(packet: &PacketPlace, out: &mut Vec<u8>) {
    uid(packet.flow_id, out);
    for (ip, port) in ends(packet) {
        match ip {
            Some(ip) => show(out, format_args!("\t{ip}")),
            None => out.extend_from_slice(b"\t-"),
        }
        match port {
            Some(port) => show(out, format_args!("\t{port}")),
            None => out.extend_from_slice(b"\t-"),
        }
    }
}

/// Writes `C` and the flow's identifier in base 62, the form of Zeek's own. Eleven digits hold
/// 65 bits.
fn uid(flow: u64, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    out.push(b'C');
    let mut rest = flow;
    for _ in 0..11 {
        out.push(DIGITS[(rest % 62) as usize]);
        rest /= 62;
    }
}

/// Zeek stores URLs without their scheme.
pub(super) fn indicator(kind: Kind, value: &str) -> &str {
    match kind {
        Kind::Url => value.split_once("://").map_or(value, |(_scheme, rest)| rest),
        _ => value,
    }
}

/// The type in Zeek's vocabulary, or a name of the same form if it has none.
pub(super) const fn intel_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Ip => "Intel::ADDR",
        Kind::Net => "Intel::SUBNET",
        Kind::Endpoint => "Intel::ENDPOINT",
        Kind::Domain => "Intel::DOMAIN",
        Kind::Url | Kind::UrlPath => "Intel::URL",
        Kind::Email => "Intel::EMAIL",
        Kind::User => "Intel::USER_NAME",
        Kind::UserAgent => "Intel::SOFTWARE",
        Kind::Filename | Kind::Filepath => "Intel::FILE_NAME",
        Kind::CertMd5 | Kind::CertSha1 | Kind::CertSha256 => "Intel::CERT_HASH",
        Kind::SshKey => "Intel::PUBKEY_HASH",
        Kind::Ja3 => "Intel::JA3",
        Kind::Ja3s => "Intel::JA3S",
        Kind::Ja4 => "Intel::JA4",
        Kind::Jarm => "Intel::JARM",
        Kind::Hassh => "Intel::HASSH",
        Kind::Cve => "Intel::CVE",
        Kind::Mutex => "Intel::MUTEX",
        Kind::Regkey => "Intel::REGISTRY_KEY",
        Kind::Asn => "Intel::ASN",
        Kind::Btc | Kind::Wallet => "Intel::WALLET",
        Kind::Pipe => "Intel::PIPE",
        Kind::Opaque => "Intel::OPAQUE",
        // Every digest of a file, with whatever algorithm.
        _ => "Intel::FILE_HASH",
    }
}

/// The place in Zeek's vocabulary, or a name of the same form if it has none.
fn place(alert: &Alert<'_>) -> &'static str {
    let seen = alert.seen();
    let Some(packet) = alert.packet() else {
        return if seen.field.is_some() { "Log::IN_FIELD" } else { "Log::IN_TEXT" };
    };
    match seen.at {
        Where::IpSrc => conn(packet, packet.src),
        Where::IpDst => conn(packet, packet.dst),
        Where::DnsQuery => "DNS::IN_REQUEST",
        Where::DnsAnswer => "DNS::IN_RESPONSE",
        Where::TlsSni | Where::QuicSni => "SSL::IN_SERVER_NAME",
        Where::TlsCert => "X509::IN_CERT",
        Where::TlsJa3 => "SSL::IN_JA3",
        Where::TlsJa3s => "SSL::IN_JA3S",
        Where::TlsJa4 => "SSL::IN_JA4",
        Where::HttpHost => "HTTP::IN_HOST_HEADER",
        Where::HttpUrl => "HTTP::IN_URL",
        Where::HttpReferer => "HTTP::IN_REFERRER_HEADER",
        Where::HttpUserAgent => "HTTP::IN_USER_AGENT_HEADER",
        Where::HttpXff => "HTTP::IN_X_FORWARDED_FOR_HEADER",
        Where::HttpHeader => "HTTP::IN_HEADER",
        Where::SmtpHelo => "SMTP::IN_HELO",
        Where::SmtpFrom => "SMTP::IN_MAIL_FROM",
        Where::SmtpTo => "SMTP::IN_RCPT_TO",
        Where::SmtpHeader => "SMTP::IN_HEADER",
        Where::MailFrom => "SMTP::IN_FROM",
        Where::MailTo => "SMTP::IN_TO",
        Where::MailBody => "SMTP::IN_MESSAGE",
        Where::FileHash => "Files::IN_HASH",
        Where::FileName => "Files::IN_NAME",
        Where::SshHassh => "SSH::IN_HASSH",
        Where::SshHostKey => "SSH::IN_SERVER_HOST_KEY",
        Where::FtpUser => "FTP::IN_USER",
        Where::SmbHost => "SMB::IN_HOST",
        Where::SocksHost => "SOCKS::IN_HOST",
        Where::ProxySrc => "PROXY::IN_SOURCE",
        Where::ProxyDst => "PROXY::IN_DESTINATION",
        Where::ProxyAuthority => "PROXY::IN_AUTHORITY",
        Where::DhcpHost => "DHCP::IN_HOST",
        Where::DhcpServer => "DHCP::IN_SERVER",
        Where::LogText => "Log::IN_TEXT",
        Where::LogField => "Log::IN_FIELD",
        Where::UrlHost | Where::EmailDomain | Where::Ptr | Where::Nat64 => derived(packet),
    }
}

/// The end of the connection with this address: the originator if both have it.
fn conn(packet: &PacketPlace, address: Option<IpAddr>) -> &'static str {
    if ends(packet)[0].0 == address { "Conn::IN_ORIG" } else { "Conn::IN_RESP" }
}

/// The place of a derived observable: that of the value it was derived from, which the
/// protocol suggests.
fn derived(packet: &PacketPlace) -> &'static str {
    match &packet.protocol {
        Some(Protocol::Dns(dns)) if dns.is_answer => "DNS::IN_RESPONSE",
        Some(Protocol::Dns(_)) => "DNS::IN_REQUEST",
        Some(Protocol::Tls(_) | Protocol::Quic(_)) => "SSL::IN_SERVER_NAME",
        Some(Protocol::Http(_)) => "HTTP::IN_URL",
        Some(Protocol::Smtp(_)) => "SMTP::IN_HEADER",
        Some(Protocol::Ftp(_)) => "FTP::IN_USER",
        Some(Protocol::Smb(_)) => "SMB::IN_HOST",
        Some(Protocol::File(_) | Protocol::Ssh(_)) | None => "Intel::IN_ANYWHERE",
    }
}

/// Writes one field. `-` and `(empty)` are special to Zeek, so a text that equals one gets its
/// first byte escaped.
pub(super) fn field(out: &mut Vec<u8>, text: &str) {
    if text.is_empty() {
        out.extend_from_slice(b"(empty)");
        return;
    }
    escape(out, text, matches!(text, "-" | "(empty)"), false);
}

/// Writes a set, its elements separated by commas.
pub(super) fn set(out: &mut Vec<u8>, texts: &[&str]) {
    if texts.is_empty() {
        out.extend_from_slice(b"(empty)");
    }
    for (at, text) in texts.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        escape(out, text, matches!(*text, "-" | "(empty)"), true);
    }
}

/// Escapes control characters, line separators, direction marks and backslashes as `\xNN`,
/// commas in a set, too. With `first`, also the first byte. A `#` needs no escape: it is
/// special only at the start of a line, where `ts` is.
fn escape(out: &mut Vec<u8>, text: &str, first: bool, in_set: bool) {
    for (at, char) in text.char_indices() {
        let taken = is_harmful(char) || char == '\\' || (in_set && char == ',');
        let mut bytes = [0; 4];
        for &byte in char.encode_utf8(&mut bytes).as_bytes() {
            if taken || (first && at == 0) {
                show(out, format_args!("\\x{byte:02x}"));
            } else {
                out.push(byte);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_sets_are_escaped() {
        for (text, in_field, in_set) in [
            ("a\tb\nc", "a\\x09b\\x0ac", "a\\x09b\\x0ac"),
            ("-", "\\x2d", "\\x2d"),
            ("--", "--", "--"),
            ("(empty)", "\\x28empty)", "\\x28empty)"),
            ("a,b", "a,b", "a\\x2cb"),
            ("\\x41", "\\x5cx41", "\\x5cx41"),
            ("\u{9b}1m", "\\xc2\\x9b1m", "\\xc2\\x9b1m"),
            ("münchen", "münchen", "münchen"),
        ] {
            let mut out = Vec::new();
            field(&mut out, text);
            assert_eq!(String::from_utf8(out).unwrap(), in_field);
            let mut out = Vec::new();
            set(&mut out, &[text]);
            assert_eq!(String::from_utf8(out).unwrap(), in_set);
        }
        let mut out = Vec::new();
        field(&mut out, "");
        out.push(b' ');
        set(&mut out, &[]);
        assert_eq!(out, b"(empty) (empty)");
    }

    #[test]
    fn every_kind_has_a_type() {
        for kind in Kind::ALL {
            let is_digest = kind.digest_len().is_some() && !kind.is_cert();
            let fuzzy = matches!(
                kind,
                Kind::Ssdeep | Kind::Tlsh | Kind::Telfhash | Kind::Vhash | Kind::Impfuzzy
            );
            let named = matches!(kind, Kind::Ja3 | Kind::Ja3s | Kind::Jarm | Kind::Hassh);
            let is_file = intel_type(*kind) == "Intel::FILE_HASH";
            assert_eq!(is_file, (is_digest && !named) || fuzzy, "{kind}");
        }
    }
}
