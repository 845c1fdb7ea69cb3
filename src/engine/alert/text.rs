//! `text`: for a person at a terminal.
//!
//! An alert is a headline with its severity at the margin. Below it, indented, are the place, the
//! indicators, their sources, and the line of the log around the match. The context of a source is
//! printed once; later alerts refer to it. Nothing from outside reaches the terminal unescaped:
//! controls, and characters that change the direction of writing, are escaped.

use super::object::show;
use super::record::{proto_name, tame};
use super::{Alert, TimeSource};
use crate::engine::error::is_harmful;
use crate::engine::indicator::{
    Context, Dns, File, Http, Kind, LogPlace, PacketPlace, Protocol, Scope, Severity, Smtp, Tls,
};
use crate::engine::scan::Match;
use hashbrown::HashSet;
use std::fmt;
use std::net::IpAddr;
use xxhash_rust::xxh3::Xxh3;

/// Characters of a log line to show before the match.
const BEFORE: usize = 48;
/// Characters of a log line to show in all, where the width of the terminal is unknown.
const EXCERPT: usize = 120;
/// The narrowest width to wrap for. Narrower terminals wrap by themselves anyway.
const NARROWEST: usize = 40;
/// The maximum number of sources to show for an indicator.
const SOURCES: usize = 5;
/// The maximum number of items to show of a list.
const LIST: usize = 8;
/// The maximum number of characters to show of a text.
const MAX_TEXT: usize = 240;

/// How the text looks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    pub(super) has_colour: bool,
    /// Columns of the terminal; `None` if the output is not one, which disables wrapping.
    pub(super) width: Option<u16>,
}

/// The contexts that the reader of a text has already seen. They are not printed again.
#[derive(Clone, Debug, Default)]
pub struct Shown(HashSet<u64>);

impl Shown {
    /// The number of contexts to remember, some 512 KiB of hashes. Then all are forgotten,
    /// which only repeats a context that scrolled away long ago.
    const MAX_CONTEXTS: usize = 1 << 16;

    /// Records a context, and returns whether it is new.
    fn is_new(&mut self, key: u64) -> bool {
        if self.0.len() >= Self::MAX_CONTEXTS {
            self.0.clear();
        }
        self.0.insert(key)
    }
}

/// Appends the alert as several lines.
pub(super) fn encode(alert: &Alert<'_>, style: Style, shown: &mut Shown, out: &mut Vec<u8>) {
    let Style { has_colour, width } = style;
    let width = width.map(|width| usize::from(width).max(NARROWEST));
    let mut page = Page { out, has_colour, width };
    headline(&mut page, alert);
    if let Some(log) = alert.log() {
        log_place(&mut page, alert, log);
    }
    if let Some(packet) = alert.packet() {
        packet_place(&mut page, alert, packet);
    }
    for met in alert.matches() {
        indicator(&mut page, alert, met, shown);
    }
    if let Some(log) = alert.log() {
        excerpt(&mut page, alert, log);
    }
}

/// Prints the severity, the observable, where it was, and how it was read.
fn headline(page: &mut Page<'_>, alert: &Alert<'_>) {
    let seen = alert.seen();
    margin(page, alert.severity());
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

/// Prints the severity at the margin.
fn margin(page: &mut Page<'_>, severity: Severity) {
    let (name, ink) = match severity {
        Severity::Low => ("LOW", Ink::Cyan),
        Severity::Medium => ("MEDIUM", Ink::Yellow),
        Severity::High => ("HIGH", Ink::Red),
        Severity::Critical => ("CRITICAL", Ink::Alarm),
    };
    page.inked(ink, name);
    // Pads to the width of CRITICAL and one space, so that kinds line up.
    page.show(format_args!("{:1$}", "", 9 - name.len()));
}

/// The start of an alert with this severity.
pub(super) fn head(severity: Severity, has_colour: bool) -> Vec<u8> {
    let mut out = Vec::new();
    margin(&mut Page { out: &mut out, has_colour, width: None }, severity);
    out
}

/// Appends a text from outside.
pub(super) fn hostile(text: &str, out: &mut Vec<u8>) {
    Page { out, has_colour: false, width: None }.hostile(text);
}

/// Prints `path:line:column` and the time. Terminals and editors turn this form
/// into a link.
fn log_place(page: &mut Page<'_>, alert: &Alert<'_>, log: &LogPlace) {
    page.plain("  ");
    page.inked(Ink::Place, &log.path);
    page.show(format_args!(":{}:{}  ", log.line, log.column));
    let what = if log.time.is_some() { "" } else { " (when read)" };
    page.inked(Ink::Dim, &format!("{}{what}", alert.time()));
    let Some(sender) = log.sender.as_deref() else { return page.plain("\n") };
    let parts = [&sender.host, &sender.app, &sender.peer];
    if parts.into_iter().any(Option::is_some) {
        page.plain("  from ");
    }
    page.words(parts.into_iter().map(Option::as_deref));
}

/// Prints the packet's number and time, the connection around it, and what the
/// protocol said.
fn packet_place(page: &mut Page<'_>, alert: &Alert<'_>, packet: &PacketPlace) {
    page.plain("  ");
    page.inked(Ink::Place, &packet.path);
    page.show(format_args!(" packet {}  ", packet.number));
    let what = if alert.time_source() == TimeSource::Read { " (when read)" } else { "" };
    page.inked(Ink::Dim, &format!("{}{what}", alert.time()));
    page.plain("\n");
    if packet.src.is_some() || packet.dst.is_some() {
        page.show(format_args!("  {} ", proto_name(packet.proto)));
        end(page, packet.src, packet.src_port);
        page.plain(" -> ");
        end(page, packet.dst, packet.dst_port);
    } else {
        // A frame without IP has nothing else to identify it.
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
        // Clamped first: a capture can contain any 64-bit times, whose difference could overflow.
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

/// Prints an envelope: HELO, sender and recipients.
fn smtp(page: &mut Page<'_>, smtp: &Smtp) {
    page.plain("  smtp ");
    let to = smtp.to.join(",");
    page.words([smtp.helo.as_deref(), smtp.from.as_deref(), Some(&to)]);
}

/// Prints one end of a connection; IPv6 in brackets if a port follows (RFC 5952,
/// section 6).
fn end(page: &mut Page<'_>, ip: Option<IpAddr>, port: Option<u16>) {
    match (ip, port) {
        (Some(IpAddr::V6(ip)), Some(port)) => page.show(format_args!("[{ip}]:{port}")),
        (Some(ip), Some(port)) => page.show(format_args!("{ip}:{port}")),
        (Some(ip), None) => page.show(ip),
        (None, _) => page.plain("?"),
    }
}

/// Prints a question, with the response code if it is an answer.
fn dns(page: &mut Page<'_>, dns: &Dns) {
    page.plain(if dns.is_answer { "  dns answer to " } else { "  dns query " });
    page.words([Some(&*dns.rrname), Some(&*dns.rrtype), dns.rcode.as_deref()]);
}

/// Prints a handshake: the name asked for, the version, and the protocols offered.
fn tls(page: &mut Page<'_>, tls: &Tls) {
    page.plain("  tls ");
    let alpn = tls.alpn.join(",");
    page.words([tls.sni.as_deref(), tls.version.as_deref(), Some(&alpn)]);
}

/// Prints a request with the status of its response. The user agent contains
/// blanks, so it is quoted.
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

/// Prints a transferred file. “(not whole)” warns that bytes are missing.
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

/// Prints how the observable relates to an indicator, and the first few sources.
fn indicator(page: &mut Page<'_>, alert: &Alert<'_>, met: &Match<'_>, shown: &mut Shown) {
    let seen = alert.seen();
    let same = met.kind == seen.kind && met.value == seen.value;
    // The headline already shows an indicator that equals the observable.
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
        self::source(page, source, shown);
    }
    if let Some(more) = met.sources.len().checked_sub(SOURCES).filter(|&more| more > 0) {
        page.show(format_args!("    and {more} more sources\n"));
    }
}

/// Prints a source: first the collection and what applies to all of it, then what applies to
/// this indicator only. Contexts that were printed before are abbreviated.
fn source(page: &mut Page<'_>, source: &Context<'_>, shown: &mut Shown) {
    let parts = parts(source);
    // Two keys: one for what all indicators of a collection share, one that adds the
    // indicator's own texts. A pulse with 500 domains prints its description once.
    let mut key = Xxh3::new();
    for (separator, text) in &parts {
        key.update(separator.as_bytes());
        key.update(text.as_bytes());
    }
    key.update(source.feed.as_bytes());
    let is_new = shown.is_new(key.digest());
    let own = source.name.iter().chain(&source.description).chain(&source.references);
    for text in own {
        key.update(text.as_bytes());
        key.update(b"\0");
    }
    let is_own_new = shown.is_new(key.digest()) || is_new;
    page.plain("    ");
    page.inked(Ink::Bold, &source.feed);
    // The indicator's own name, if the collection has another.
    let name = source.name.as_deref().filter(|name| !name.is_empty());
    let name = name.filter(|_| is_collection(source)).map(escape_shortened);
    if is_new {
        let (first, rest) = parts.split_at(parts.len().min(1));
        let name = name.map(|name| ("; ", name));
        let all: Vec<_> = first.iter().cloned().chain(name).chain(rest.iter().cloned()).collect();
        page.folded(4 + source.feed.chars().count(), &all);
    } else {
        let title = source.collection.as_ref().or(source.name.as_ref());
        let mut column = source.feed.chars().count() + "    : (as above);".len() + 1;
        if let Some(title) = title.filter(|title| !title.is_empty()) {
            page.plain(": ");
            page.cut(column, title);
            column += escape_shortened(title).chars().count();
        }
        // A feed with nothing more to say has been printed in full.
        let has_more = parts.len() > usize::from(title.is_some());
        page.plain(if has_more { " (as above)" } else { "" });
        let own: Vec<_> = name.map(|name| ("; ", name)).into_iter().collect();
        page.folded(column, &own);
    }
    if is_own_new {
        about(page, source);
    }
}

/// Whether the source names a collection, such as a pulse or a MISP event.
fn is_collection(source: &Context<'_>) -> bool {
    source.collection.as_deref().is_some_and(|title| !title.is_empty())
}

/// Prints the description and the first reference.
fn about(page: &mut Page<'_>, source: &Context<'_>) {
    // Feeds that have no description often repeat the name there.
    if let Some(description) = source.description.as_deref().map(str::trim)
        && !description.is_empty()
        && source.name.as_deref() != Some(description)
    {
        page.plain("      ");
        let line = description.split_whitespace().collect::<Vec<_>>().join(" ");
        page.cut(6, &line);
        page.plain("\n");
    }
    if let Some(reference) = source.references.first() {
        page.plain("      ");
        page.inked(Ink::Place, reference);
        if source.references.len() > 1 {
            page.show(format_args!(" and {} more", source.references.len() - 1));
        }
        page.plain("\n");
    }
}

/// The facts about a whole collection, each with the separator before it.
fn parts(source: &Context<'_>) -> Vec<(&'static str, String)> {
    let mut parts: Vec<(&'static str, String)> = Vec::new();
    let mut part = |text: String| {
        let separator = if parts.is_empty() { ": " } else { "; " };
        parts.push((separator, text));
    };
    let title = if is_collection(source) { &source.collection } else { &source.name };
    if let Some(title) = title.as_deref().filter(|title| !title.is_empty()) {
        part(escape_shortened(title));
    }
    let lists = [
        ("malware ", &source.malware),
        ("actor ", &source.adversary),
        ("attack ", &source.attack),
        ("tags ", &source.tags),
    ];
    for (label, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        let last = list.len().min(LIST) - 1;
        for (at, text) in list.iter().take(LIST).enumerate() {
            let label = if at == 0 { label } else { "" };
            let more = list.len() - LIST.min(list.len());
            let more = if at == last && more > 0 { format!(" and {more} more") } else { "".into() };
            let text = format!("{label}{}{more}", escape_shortened(text));
            let separator = match (parts.is_empty(), at) {
                (true, _) => ": ",
                (false, 0) => "; ",
                (false, _) => ", ",
            };
            parts.push((separator, text));
        }
    }
    let mut part = |text: String| {
        let separator = if parts.is_empty() { ": " } else { "; " };
        parts.push((separator, text));
    };
    if let Some(confidence) = source.confidence {
        part(format!("confidence {confidence}"));
    }
    if let Some(tlp) = source.tlp {
        part(format!("tlp:{}", tlp.name()));
    }
    parts
}

/// Prints the log line around the match, with the match centred if the line is too long.
fn excerpt(page: &mut Page<'_>, alert: &Alert<'_>, log: &LogPlace) {
    if log.text.is_empty() {
        return;
    }
    let (start, end) = find(alert, log).unwrap_or((0, 0));
    let (before, rest) = log.text.split_at(start);
    let (matched, after) = rest.split_at(end - start);
    // Leave room for the margin, and for dots on both sides.
    let columns = page.width.map_or(EXCERPT, |width| width.saturating_sub(4 + 6));
    // Half of the room is before the match, but never more than `BEFORE`: what
    // follows a value explains it more often than what precedes it.
    let half = columns.saturating_sub(matched.chars().count()) / 2;
    let max = if page.width.is_some() { half.min(BEFORE) } else { BEFORE };
    let skip = before.chars().count().saturating_sub(max);
    page.inked(Ink::Dim, "  | ");
    if skip > 0 {
        page.inked(Ink::Dim, "...");
    }
    let before: String = before.chars().skip(skip).collect();
    page.hostile(&before);
    page.inked(Ink::Match, matched);
    let used = before.chars().count() + matched.chars().count();
    let room = columns.saturating_sub(used);
    let cut = after.char_indices().nth(room).map_or(after.len(), |(at, _)| at);
    page.hostile(&after[..cut]);
    if cut < after.len() {
        page.inked(Ink::Dim, "...");
    }
    page.plain("\n");
}

/// The byte range of the observable in the text of the line. The column says where it is, unless
/// invalid UTF-8 before it was replaced, which changes lengths. In that case, the first occurrence
/// is taken.
fn find(alert: &Alert<'_>, log: &LogPlace) -> Option<(usize, usize)> {
    let seen = alert.seen();
    let text = &log.text;
    let wanted = seen.raw.as_deref().unwrap_or(&seen.value);
    if wanted.is_empty() {
        return None;
    }
    // Names are compared without case, because the value was normalised to lower
    // case.
    let is_there = |start: usize| {
        let end = start.checked_add(wanted.len())?;
        text.get(start..end)?.eq_ignore_ascii_case(wanted).then_some((start, end))
    };
    let column = usize::try_from(log.column.saturating_sub(1)).ok();
    column.and_then(is_there).or_else(|| text.char_indices().find_map(|(start, _)| is_there(start)))
}

/// A style of text.
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
    /// The ANSI sequence (SGR) that starts the style.
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

/// The output. Escapes everything except our own text.
struct Page<'o> {
    out: &'o mut Vec<u8>,
    has_colour: bool,
    width: Option<usize>,
}

impl Page<'_> {
    /// Writes our own text.
    fn plain(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Writes a value whose text is harmless.
    fn show(&mut self, value: impl fmt::Display) {
        show(self.out, value);
    }

    /// Writes text from outside, in a style if colour is on.
    fn inked(&mut self, ink: Ink, text: &str) {
        if !self.has_colour || text.is_empty() {
            return self.hostile(text);
        }
        self.plain(ink.sequence());
        self.hostile(text);
        self.plain("\x1b[0m");
    }

    /// Writes texts from outside, separated by spaces, and ends the line.
    fn words<'w>(&mut self, words: impl IntoIterator<Item = Option<&'w str>>) {
        let mut separator = "";
        for word in words.into_iter().flatten().filter(|word| !word.is_empty()) {
            self.plain(separator);
            self.hostile(word);
            separator = " ";
        }
        self.plain("\n");
    }

    /// Writes texts that are already escaped, each after its separator, and ends the line.
    /// Parts that do not fit continue on indented lines.
    fn folded(&mut self, column: usize, parts: &[(&'static str, String)]) {
        // The indentation of the continuation lines, which `"\n      "` below
        // writes.
        const INDENT: usize = 6;
        let mut column = column;
        for (separator, text) in parts {
            let length = text.chars().count();
            let fits_on_line = self.width.is_none_or(|width| column + 2 + length < width);
            // A part that does not fit even on its own line is written anyway: the
            // terminal wraps it.
            if fits_on_line || column == INDENT {
                self.plain(separator);
                column += separator.len() + length;
            } else {
                self.plain(separator.trim_end());
                self.plain("\n      ");
                column = INDENT + length;
            }
            self.plain(text);
        }
        self.plain("\n");
    }

    /// Writes text from outside that ends with the line, cut to the width.
    fn cut(&mut self, column: usize, text: &str) {
        let text = escape_shortened(text);
        let room = self.width.unwrap_or(MAX_TEXT).saturating_sub(column);
        match text.char_indices().nth(room) {
            None => self.plain(&text),
            Some(_) => {
                let end = text.char_indices().nth(room.saturating_sub(3));
                self.plain(&text[..end.map_or(0, |(at, _)| at)]);
                self.plain("...");
            }
        }
    }

    /// Writes text from outside: harmful characters are escaped, and long texts are cut.
    fn hostile(&mut self, text: &str) {
        for (at, char) in text.chars().enumerate() {
            if at == MAX_TEXT {
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

/// Escapes text from outside for people: controls and characters that change the direction of
/// writing are escaped, and the text is cut after 240 characters.
pub fn escape_shortened(text: &str) -> String {
    let mut out = Vec::new();
    Page { out: &mut out, has_colour: false, width: None }.hostile(text);
    String::from_utf8(out).unwrap_or_default()
}
