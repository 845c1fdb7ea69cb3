//! `text`: for a person at a terminal.
//!
//! An alert is a headline with its severity at the margin, and indented below it
//! where it was seen, what it met, who says so, and the line of the log around
//! the match. Nothing that comes from outside reaches the terminal as it is:
//! controls, and the characters that turn the direction of writing around, are
//! spelt out.

use super::Alert;
use super::object::show;
use super::record::{proto_name, tame};
use crate::indicator::{
    Context, Dns, File, Http, Kind, LogPlace, PacketPlace, Protocol, Scope, Severity, Smtp, Tls,
};
use crate::scan::Match;
use std::fmt;
use std::net::IpAddr;

/// Characters of a log line that are shown: some before the match, and as many
/// as fit in all.
const BEFORE: usize = 48;
const EXCERPT: usize = 120;
/// Sources of one indicator that are shown.
const SOURCES: usize = 5;
/// Texts of one list that are shown.
const LIST: usize = 8;
/// Characters of one text that are shown.
const LONGEST: usize = 240;

/// Appends the alert, several lines.
pub(super) fn encode(alert: &Alert<'_>, has_colour: bool, out: &mut Vec<u8>) {
    let mut page = Page { out, has_colour };
    headline(&mut page, alert);
    if let Some(log) = alert.log() {
        log_place(&mut page, alert, log);
    }
    if let Some(packet) = alert.packet() {
        packet_place(&mut page, alert, packet);
    }
    for met in alert.matches() {
        indicator(&mut page, alert, met);
    }
    if let Some(log) = alert.log() {
        excerpt(&mut page, alert, log);
    }
}

fn headline(page: &mut Page<'_>, alert: &Alert<'_>) {
    let seen = alert.seen();
    let (name, ink) = match alert.severity() {
        Severity::Low => ("LOW", Ink::Cyan),
        Severity::Medium => ("MEDIUM", Ink::Yellow),
        Severity::High => ("HIGH", Ink::Red),
        Severity::Critical => ("CRITICAL", Ink::Alarm),
    };
    page.inked(ink, name);
    page.show(format_args!("{:1$}", "", 9 - name.len()));
    page.plain(seen.kind.name());
    page.plain(" ");
    page.inked(Ink::Bold, &seen.value);
    if let Some(raw) = &seen.raw {
        page.plain(" (as ");
        page.hostile(raw);
        page.plain(")");
    }
    page.plain(" in ");
    match &seen.field {
        Some(field) => {
            page.plain("field ");
            page.hostile(field);
        }
        None => page.plain(seen.at.name()),
    }
    let flags: Vec<&str> = seen.quality.names().collect();
    if !flags.is_empty() {
        page.show(format_args!(" ({})", flags.join(", ")));
    }
    page.plain("\n");
}

fn log_place(page: &mut Page<'_>, alert: &Alert<'_>, log: &LogPlace) {
    page.plain("  ");
    page.inked(Ink::Place, &log.path);
    page.show(format_args!(":{}:{}  ", log.line, log.column));
    let what = if log.time.is_some() { "" } else { " (when read)" };
    page.inked(Ink::Dim, &format!("{}{what}", alert.time()));
    page.plain("\n");
}

fn packet_place(page: &mut Page<'_>, alert: &Alert<'_>, packet: &PacketPlace) {
    page.plain("  ");
    page.inked(Ink::Place, &packet.path);
    page.show(format_args!(" packet {}  ", packet.number));
    page.inked(Ink::Dim, &alert.time().to_string());
    page.plain("\n");
    if packet.src.is_some() || packet.dst.is_some() {
        page.show(format_args!("  {} ", proto_name(packet.proto)));
        end(page, packet.src, packet.src_port);
        page.plain(" -> ");
        end(page, packet.dst, packet.dst_port);
    } else {
        page.show(format_args!("  {} bytes", packet.length));
    }
    if !packet.vlan.is_empty() {
        let tags: Vec<String> = packet.vlan.iter().map(u16::to_string).collect();
        page.show(format_args!(", vlan {}", tags.join(".")));
    }
    for tunnel in &packet.tunnel {
        page.show(format_args!(", in {} {} -> {}", tunnel.kind, tunnel.src, tunnel.dst));
    }
    if let Some(flow) = &packet.flow {
        let seconds = (tame(flow.last_time).0 - tame(flow.first_time).0) as f64 / 1e6;
        let (packets, bytes) = (flow.packets, flow.bytes);
        page.show(format_args!(", {packets} packets, {bytes} bytes, {seconds:.1} s"));
    }
    page.plain("\n");
    match &packet.protocol {
        Some(Protocol::Dns(said)) => dns(page, said),
        Some(Protocol::Tls(said)) => tls(page, said),
        Some(Protocol::Http(said)) => http(page, said),
        Some(Protocol::File(said)) => file(page, said),
        Some(Protocol::Quic(said)) => tls(page, said),
        Some(Protocol::Ftp(said)) => {
            page.plain("  ftp ");
            page.words([said.command.as_deref(), said.argument.as_deref()]);
        }
        Some(Protocol::Smb(said)) => {
            page.plain("  smb ");
            page.words([Some(said.command), said.name.as_deref()]);
        }
        Some(Protocol::Smtp(said)) => smtp(page, said),
        Some(Protocol::Ssh(said)) => {
            page.plain(if said.is_client { "  ssh client " } else { "  ssh server " });
            page.words([said.version.as_deref(), said.software.as_deref()]);
        }
        None => (),
    }
}

fn smtp(page: &mut Page<'_>, smtp: &Smtp) {
    page.plain("  smtp ");
    let to = smtp.to.join(",");
    page.words([smtp.helo.as_deref(), smtp.from.as_deref(), Some(&to)]);
}

fn end(page: &mut Page<'_>, ip: Option<IpAddr>, port: Option<u16>) {
    match (ip, port) {
        (Some(IpAddr::V6(ip)), Some(port)) => page.show(format_args!("[{ip}]:{port}")),
        (Some(ip), Some(port)) => page.show(format_args!("{ip}:{port}")),
        (Some(ip), None) => page.show(ip),
        (None, _) => page.plain("?"),
    }
}

fn dns(page: &mut Page<'_>, dns: &Dns) {
    page.plain(if dns.is_answer { "  dns answer to " } else { "  dns query " });
    page.words([Some(&*dns.rrname), Some(&*dns.rrtype), dns.rcode.as_deref()]);
}

fn tls(page: &mut Page<'_>, tls: &Tls) {
    page.plain("  tls ");
    let alpn = tls.alpn.join(",");
    page.words([tls.sni.as_deref(), tls.version.as_deref(), Some(&alpn)]);
}

fn http(page: &mut Page<'_>, http: &Http) {
    page.plain("  http ");
    let status = http.status.map(|status| status.to_string());
    let agent = http.user_agent.as_ref().map(|agent| format!("\"{agent}\""));
    page.words([
        http.method.as_deref(),
        http.hostname.as_deref(),
        http.url.as_deref(),
        status.as_deref(),
        agent.as_deref(),
    ]);
}

fn file(page: &mut Page<'_>, file: &File) {
    page.show(format_args!("  {} file ", file.protocol));
    let size = file.size.map(|size| format!("{size} bytes"));
    let is_part = file.is_whole == Some(false);
    let from = file.url.as_ref().map(|url| format!("from {url}"));
    page.words([
        file.name.as_deref(),
        size.as_deref(),
        is_part.then_some("(not whole)"),
        from.as_deref(),
    ]);
}

fn indicator(page: &mut Page<'_>, alert: &Alert<'_>, met: &Match<'_>) {
    let seen = alert.seen();
    let same = met.kind == seen.kind && met.value == seen.value;
    // An indicator that is the observable itself has been told of in the headline.
    if !same || !met.quality.is_plain() {
        let relation = match (met.scope, met.kind) {
            (Scope::Wildcard, _) => "fits wildcard",
            (Scope::Regex, _) => "fits regex",
            (Scope::Prefix, _) => "begins with",
            (Scope::PathAnyHost, _) => "at any host",
            (Scope::Subtree | Scope::SubtreeNoApex, _) if !same => "below",
            (_, Kind::Net) => "inside",
            _ => "is",
        };
        page.show(format_args!("  {relation} {} ", met.kind));
        page.inked(Ink::Bold, &met.value);
        let flags: Vec<&str> = met.quality.names().collect();
        if !flags.is_empty() {
            page.show(format_args!(" ({})", flags.join(", ")));
        }
        page.plain("\n");
    }
    for source in met.sources.iter().take(SOURCES) {
        self::source(page, source);
    }
    if let Some(more) = met.sources.len().checked_sub(SOURCES).filter(|&more| more > 0) {
        page.show(format_args!("    and {more} more sources\n"));
    }
}

fn source(page: &mut Page<'_>, source: &Context<'_>) {
    page.plain("    ");
    page.inked(Ink::Bold, &source.feed);
    let mut separator = ": ";
    let mut part = |page: &mut Page<'_>, label: &str, text: &str| {
        if !text.is_empty() {
            page.plain(separator);
            separator = "; ";
            page.plain(label);
            page.hostile(text);
        }
    };
    part(page, "", source.collection.as_deref().unwrap_or_default());
    part(page, "", source.name.as_deref().unwrap_or_default());
    for (label, list) in [
        ("malware ", &source.malware),
        ("actor ", &source.adversary),
        ("attack ", &source.attack),
        ("tags ", &source.tags),
    ] {
        let shown = list.iter().take(LIST).map(|text| &**text).collect::<Vec<_>>().join(", ");
        let more = list.len().checked_sub(LIST).filter(|&more| more > 0);
        part(page, label, &shown);
        if let Some(more) = more {
            page.show(format_args!(" and {more} more"));
        }
    }
    if let Some(confidence) = source.confidence {
        part(page, "confidence ", &confidence.to_string());
    }
    part(page, "tlp:", source.tlp.map(|tlp| tlp.name()).unwrap_or_default());
    page.plain("\n");
    if let Some(reference) = source.references.first() {
        page.plain("      ");
        page.inked(Ink::Place, reference);
        if source.references.len() > 1 {
            page.show(format_args!(" and {} more", source.references.len() - 1));
        }
        page.plain("\n");
    }
}

fn excerpt(page: &mut Page<'_>, alert: &Alert<'_>, log: &LogPlace) {
    if log.text.is_empty() {
        return;
    }
    let (start, end) = find(alert, log).unwrap_or((0, 0));
    let (before, rest) = log.text.split_at(start);
    let (matched, after) = rest.split_at(end - start);
    let skip = before.chars().count().saturating_sub(BEFORE);
    page.inked(Ink::Dim, "  | ");
    if skip > 0 {
        page.inked(Ink::Dim, "...");
    }
    let before: String = before.chars().skip(skip).collect();
    page.hostile(&before);
    page.inked(Ink::Match, matched);
    let used = before.chars().count() + matched.chars().count();
    let room = EXCERPT.saturating_sub(used);
    let cut = after.char_indices().nth(room).map_or(after.len(), |(at, _)| at);
    page.hostile(&after[..cut]);
    if cut < after.len() {
        page.inked(Ink::Dim, "...");
    }
    page.plain("\n");
}

/// Where the observable stands in the text of the line. The column says so,
/// unless bytes that are no UTF-8 were replaced before it; then the first place
/// that reads like it is as good a guess as any.
fn find(alert: &Alert<'_>, log: &LogPlace) -> Option<(usize, usize)> {
    let seen = alert.seen();
    let text = &log.text;
    let wanted = seen.raw.as_deref().unwrap_or(&seen.value);
    if wanted.is_empty() {
        return None;
    }
    let is_there = |start: usize| {
        let end = start.checked_add(wanted.len())?;
        text.get(start..end)?.eq_ignore_ascii_case(wanted).then_some((start, end))
    };
    let column = usize::try_from(log.column.saturating_sub(1)).ok();
    column.and_then(is_there).or_else(|| text.char_indices().find_map(|(start, _)| is_there(start)))
}

/// How a piece of text is set off.
#[derive(Clone, Copy)]
enum Ink {
    Alarm,
    Bold,
    Cyan,
    Dim,
    Match,
    Place,
    Red,
    Yellow,
}

impl Ink {
    const fn sequence(self) -> &'static str {
        match self {
            Ink::Alarm => "\x1b[1;97;41m",
            Ink::Bold => "\x1b[1m",
            Ink::Cyan => "\x1b[1;36m",
            Ink::Dim => "\x1b[2m",
            Ink::Match | Ink::Red => "\x1b[1;31m",
            Ink::Place => "\x1b[35m",
            Ink::Yellow => "\x1b[1;33m",
        }
    }
}

/// Where text goes: all of it is escaped but what we wrote ourselves.
struct Page<'o> {
    out: &'o mut Vec<u8>,
    has_colour: bool,
}

impl Page<'_> {
    /// Text of our own.
    fn plain(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Values that print as harmless text.
    fn show(&mut self, value: impl fmt::Display) {
        show(self.out, value);
    }

    /// Escaped and, where colour is wanted, set off.
    fn inked(&mut self, ink: Ink, text: &str) {
        if !self.has_colour || text.is_empty() {
            return self.hostile(text);
        }
        self.plain(ink.sequence());
        self.hostile(text);
        self.plain("\x1b[0m");
    }

    /// Escaped, separated by spaces, to the end of the line.
    fn words<'w>(&mut self, words: impl IntoIterator<Item = Option<&'w str>>) {
        let mut separator = "";
        for word in words.into_iter().flatten().filter(|word| !word.is_empty()) {
            self.plain(separator);
            self.hostile(word);
            separator = " ";
        }
        self.plain("\n");
    }

    /// Text from outside: spelt out where it could do harm, and cut where it
    /// would never end.
    fn hostile(&mut self, text: &str) {
        for (at, char) in text.chars().enumerate() {
            if at == LONGEST {
                return self.plain("...");
            }
            match char {
                '\t' => self.plain("\\t"),
                '\n' => self.plain("\\n"),
                '\r' => self.plain("\\r"),
                _ if char.is_ascii_control() => self.show(format_args!("\\x{:02x}", char as u32)),
                _ if is_harmful(char) => self.show(format_args!("\\u{{{:x}}}", char as u32)),
                _ => self.plain(char.encode_utf8(&mut [0; 4])),
            }
        }
    }
}

/// Controls beyond ASCII, line separators, and what reorders or hides text.
fn is_harmful(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}
