//! `syslog`: RFC 5424, one message per line.
//!
//! The message carries the headline; programs read the structured data. Long values are cut,
//! since RFC 5424 (section 6.1) only asks receivers to accept 2,048 bytes. `json` is the
//! format that loses nothing. Each line suits a file or a pipe; a transport adds its own
//! framing (RFC 6587).

use super::Alert;
use super::object::show;
use super::record::{proto_name, tame};
use crate::engine::error::is_harmful;
use crate::engine::indicator::{Protocol, Severity};
use std::fmt;

/// wiresift has no enterprise number. RFC 5612 reserves 32473 for documentation, and no
/// assigned number can collide with it.
pub(super) const ELEMENT: &str = "ioc@32473";
/// The maximum length of a value in bytes, before escaping.
pub(super) const MAX_VALUE: usize = 128;

/// Appends the message and a newline.
pub(super) fn encode(alert: &Alert<'_>, out: &mut Vec<u8>) {
    show(out, format_args!("<{}>1 {} ", priority(alert.severity()), alert.time()));
    hostname(out, alert.origin().host.as_deref());
    let (kind, value) = alert.best();
    show(out, format_args!(" wiresift - ioc-{kind} [{ELEMENT}"));
    let seen = alert.seen();
    parameter(out, "timeSource", alert.time_source().name());
    parameter(out, "severity", alert.severity() as u8);
    parameter(out, "kind", seen.kind);
    parameter(out, "value", &seen.value);
    parameter(out, "where", seen.at.name());
    maybe(out, "field", seen.field.as_deref());
    parameter(out, "iocKind", kind);
    parameter(out, "iocValue", value);
    place(alert, out);
    for (name, texts) in [
        ("feeds", alert.feeds()),
        ("malware", alert.gather(|source| &source.malware)),
        ("adversary", alert.gather(|source| &source.adversary)),
        ("attack", alert.gather(|source| &source.attack)),
    ] {
        maybe(out, name, Some(&texts.join(",")));
    }
    maybe(out, "tlp", alert.tlp().map(|tlp| tlp.name()));
    if let Some(confidence) = alert.confidence() {
        parameter(out, "confidence", confidence);
    }
    maybe(out, "reference", alert.gather(|source| &source.references).first().copied());
    parameter(out, "id", alert.uid());
    if let Some(handling) = alert.handling() {
        maybe(out, "input", Some(handling.input));
        maybe(out, "local", Some(handling.local));
        maybe(out, "suppressed", handling.is_suppressed.then_some("true"));
    }
    // The BOM marks the message as UTF-8 (RFC 5424, 6.4).
    out.extend_from_slice("] \u{feff}".as_bytes());
    // A headline consists of a value and a place or field.
    clean(out, &alert.headline(), 2 * MAX_VALUE, false);
    out.push(b'\n');
}

/// Writes the parameters of the place in a log or in traffic.
fn place(alert: &Alert<'_>, out: &mut Vec<u8>) {
    if let Some(log) = alert.log() {
        parameter(out, "path", &log.path);
        parameter(out, "line", log.line);
        parameter(out, "column", log.column);
    }
    if let Some(sender) = alert.sender() {
        maybe(out, "host", sender.host.as_deref());
        maybe(out, "app", sender.app.as_deref());
        maybe(out, "peer", sender.peer.as_deref());
    }
    // A sender is only known for lines of logs, so the rest is about packets.
    let Some(packet) = alert.packet() else { return };
    parameter(out, if packet.is_live { "interface" } else { "path" }, &packet.path);
    parameter(out, "packet", packet.number);
    for (name, ip, port_name, port) in
        [("src", packet.src, "spt", packet.src_port), ("dst", packet.dst, "dpt", packet.dst_port)]
    {
        if let Some(ip) = ip {
            parameter(out, name, ip);
        }
        if let Some(port) = port {
            parameter(out, port_name, port);
        }
    }
    // Without IP there is no protocol number, and 0 would read as HOPOPT.
    if packet.src.is_some() {
        parameter(out, "proto", proto_name(packet.proto));
    }
    if let Some(Protocol::File(file)) = &packet.protocol {
        maybe(out, "file", file.name.as_deref());
        if let Some(size) = file.size {
            parameter(out, "size", size);
        }
        maybe(out, "url", file.url.as_deref());
    }
    if let Some(flow) = &packet.flow {
        parameter(out, "packets", flow.packets);
        parameter(out, "start", tame(flow.first_time));
        parameter(out, "end", tame(flow.last_time));
    }
}

/// Facility local4 (20), and the severities alert, critical, warning and notice (RFC 5424,
/// 6.2.1).
pub(super) const fn priority(severity: Severity) -> u8 {
    20 * 8
        + match severity {
            Severity::Critical => 1,
            Severity::High => 2,
            Severity::Medium => 4,
            Severity::Low => 5,
        }
}

/// Writes HOSTNAME: printable ASCII, at most 255 bytes, or `-` for none (RFC 5424, 6).
fn hostname(out: &mut Vec<u8>, host: Option<&str>) {
    let start = out.len();
    let bytes = host.unwrap_or_default().bytes();
    out.extend(bytes.filter(u8::is_ascii_graphic).take(255));
    if out.len() == start {
        out.push(b'-');
    }
}

/// Writes a parameter unless its text is missing or empty.
fn maybe(out: &mut Vec<u8>, name: &str, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        parameter(out, name, text);
    }
}

/// Writes a parameter of the structured data.
pub(super) fn parameter(out: &mut Vec<u8>, name: &str, value: impl fmt::Display) {
    show(out, format_args!(" {name}=\""));
    clean(out, &value.to_string(), MAX_VALUE, true);
    out.push(b'"');
}

/// Replaces controls by spaces, and escapes `"`, `\` and `]` in a parameter (RFC 5424, 6.3.3).
/// Cuts after `longest` bytes, between characters.
pub(super) fn clean(out: &mut Vec<u8>, text: &str, longest: usize, is_parameter: bool) {
    for (at, char) in text.char_indices() {
        if at + char.len_utf8() > longest {
            return out.extend_from_slice(b"...");
        }
        match char {
            '"' | '\\' | ']' if is_parameter => {
                out.push(b'\\');
                out.push(char as u8);
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
    fn values_are_escaped_and_cut() {
        let mut out = Vec::new();
        parameter(&mut out, "a", "x\"y\\z]\n\u{1b}");
        assert_eq!(String::from_utf8(out).unwrap(), " a=\"x\\\"y\\\\z\\]  \"");
        let mut out = Vec::new();
        parameter(&mut out, "a", "ü".repeat(MAX_VALUE));
        let want = format!(" a=\"{}...\"", "ü".repeat(MAX_VALUE / 2));
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }

    #[test]
    fn hosts_are_words() {
        for (host, want) in [(None, "-"), (Some("a b\nc"), "abc"), (Some("ü"), "-")] {
            let mut out = Vec::new();
            hostname(&mut out, host);
            assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }
}
