//! Ports of addresses in unnamed columns, if the form of the line leaves no doubt:
//! logs of PAN-OS and pfSense, flow logs of AWS and Azure, and an address and a
//! port side by side, twice or next to the name of a protocol.

use hashbrown::HashMap;
use std::net::IpAddr;
use std::ops::Range;

/// The maximum length of a column to inspect.
const MAX_CELL: usize = 48;
/// The maximum distance from an address to the port after it in a tuple.
const MAX_TUPLE: usize = 12;

/// The separators of columns.
const SEPARATORS: &[u8] = b",;|\t ";

/// The columns of a text by their separator; found when first needed.
#[derive(Debug, Default)]
pub(super) struct Positions {
    columns: HashMap<u8, Columns>,
}

#[derive(Debug)]
struct Columns {
    cells: Vec<Range<u32>>,
    /// The columns of source and destination, and of their ports.
    known: Option<[usize; 4]>,
}

/// The names to report for an address and its port.
const NAMES: [&str; 2] = ["src+sport", "dst+dport"];

impl Positions {
    pub(super) fn clear(&mut self) {
        self.columns.clear();
    }

    /// The port of the address at `span`, and the name for both.
    pub(super) fn port_in_other_field(
        &mut self,
        line: &[u8],
        text: &Range<usize>,
        span: Range<usize>,
    ) -> Option<(u16, String)> {
        if let Some(port) = of_tuple(line, &span) {
            return Some((port, "address+port".into()));
        }
        let is_quoted = span.start > text.start && line[span.start - 1] == b'"';
        let before = span.start.checked_sub(1 + usize::from(is_quoted));
        let before = before.filter(|at| *at >= text.start).map(|at| line[at]);
        let after = (span.end + usize::from(is_quoted) < text.end)
            .then(|| line[span.end + usize::from(is_quoted)]);
        let separator = match (before, after) {
            (Some(before), Some(after)) if before == after => after,
            (_, Some(after)) if SEPARATORS.contains(&after) => after,
            (Some(before), _) => before,
            _ => return None,
        };
        if !SEPARATORS.contains(&separator) {
            return None;
        }
        let columns = self.columns.entry(separator).or_insert_with(|| {
            let cells = cells(line, text.clone(), separator);
            let known = known(line, &cells);
            Columns { cells, known }
        });
        let at = columns.cells.partition_point(|cell| cell.start as usize <= span.start);
        let at = at.checked_sub(1)?;
        columns.port(line, at)
    }
}

impl Columns {
    fn cell<'t>(&self, line: &'t [u8], at: Option<usize>) -> &'t [u8] {
        at.and_then(|at| self.cells.get(at)).map_or(b"", |cell| text_of(line, cell))
    }

    fn port(&self, line: &[u8], at: usize) -> Option<(u16, String)> {
        let named = |port: &[u8], side: usize| Some((port_of(port)?, NAMES[side].to_string()));
        if let Some([src, dst, sport, dport]) = self.known {
            let side = if at == src { 0 } else { usize::from(at == dst) * 2 };
            return match side {
                0 if at == src => named(self.cell(line, Some(sport)), 0),
                2 => named(self.cell(line, Some(dport)), 1),
                _ => None,
            };
        }
        let cell = |offset: isize| self.cell(line, at.checked_add_signed(offset));
        let (is_ip, is_port) = (|at| is_address(cell(at)), |at| port_of(cell(at)).is_some());
        // An address, its port, possibly an arrow, and the same again.
        let arrow = |at: isize| isize::from(is_arrow(cell(at)));
        if is_ip(0) && is_port(1) {
            let other = 2 + arrow(2);
            if is_ip(other) && is_port(other + 1) {
                return named(cell(1), 0);
            }
            let other = -1 - arrow(-1);
            if is_port(other) && is_ip(other - 1) {
                return named(cell(1), 1);
            }
            let is_certain = is_protocol(cell(2)) || is_protocol(cell(-1)) && !is_port(2);
            if is_certain || self.cells.len() == 2 && at == 0 {
                return Some((port_of(cell(1))?, "address+port".into()));
            }
        }
        // Both addresses, both ports, and the protocol before or after them.
        let is_four = |src: isize| {
            is_ip(src)
                && is_ip(src + 1)
                && is_port(src + 2)
                && is_port(src + 3)
                && (is_protocol_or_number(cell(src + 4)) || is_protocol(cell(src - 1)))
        };
        if is_four(0) {
            return named(cell(2), 0);
        }
        if is_four(-1) { named(cell(2), 1) } else { None }
    }
}

fn text_of<'t>(line: &'t [u8], cell: &Range<u32>) -> &'t [u8] {
    let text = line.get(cell.start as usize..cell.end as usize).unwrap_or_default();
    if text.len() > MAX_CELL {
        return b"";
    }
    let text = text.trim_ascii();
    text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text)
}

/// The columns of a text; several blanks count as one.
fn cells(line: &[u8], text: Range<usize>, separator: u8) -> Vec<Range<u32>> {
    let mut cells = Vec::new();
    let mut start = text.start;
    let end = text.end.min(line.len());
    let mut push = |start: usize, end: usize| {
        if separator != b' ' || start < end {
            cells.push(start as u32..end as u32);
        }
    };
    for at in memchr::memchr_iter(separator, &line[text.start.min(end)..end]) {
        let at = text.start + at;
        push(start, at);
        start = at + 1;
    }
    push(start, end.max(start));
    cells
}

/// The columns of a line of PAN-OS (traffic and threats) or of pfSense's filter.
fn known(line: &[u8], cells: &[Range<u32>]) -> Option<[usize; 4]> {
    let cell = |at: usize| cells.get(at).map_or(&b""[..], |cell| text_of(line, cell));
    let is = |at: usize, words: &[&[u8]]| words.contains(&cell(at));
    let both = |src: usize| is_address(cell(src)) && is_address(cell(src + 1));
    if is(3, &[b"TRAFFIC", b"THREAT"]) && both(7) {
        return Some([7, 8, 24, 25]);
    }
    let is_filter =
        is(6, &[b"pass", b"block", b"reject", b"match", b"rdr", b"nat"]) && is(7, &[b"in", b"out"]);
    match cell(8) {
        b"4" if is_filter && is(16, &[b"tcp", b"udp"]) && both(18) => Some([18, 19, 20, 21]),
        b"6" if is_filter && is(12, &[b"tcp", b"udp", b"TCP", b"UDP"]) && both(15) => {
            Some([15, 16, 17, 18])
        }
        _ => None,
    }
}

fn is_address(text: &[u8]) -> bool {
    let may_be = (3..MAX_CELL).contains(&text.len()) && text.iter().any(|b| b".:".contains(b));
    may_be && std::str::from_utf8(text).is_ok_and(|text| text.parse::<IpAddr>().is_ok())
}

fn port_of(text: &[u8]) -> Option<u16> {
    let is_number = (1..=5).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    let number = if is_number { std::str::from_utf8(text).ok()?.parse().ok()? } else { 0 };
    (number != 0).then_some(number)
}

fn is_protocol(text: &[u8]) -> bool {
    [&b"tcp"[..], b"udp", b"sctp", b"tcp4", b"tcp6", b"udp4", b"udp6"]
        .iter()
        .any(|name| text.eq_ignore_ascii_case(name))
}

/// Numbers are those of the protocols with ports; letters are those of Azure's flow
/// logs.
fn is_protocol_or_number(text: &[u8]) -> bool {
    is_protocol(text) || [&b"6"[..], b"17", b"132", b"T", b"U"].contains(&text)
}

fn is_arrow(text: &[u8]) -> bool {
    [&b"->"[..], b"-->", b"=>", b"<->", b"<-", b">"].contains(&text)
}

/// The port in the tuple that programs print for a socket: `('192.0.2.1', 443)`,
/// `["192.0.2.1",443]`.
fn of_tuple(line: &[u8], span: &Range<usize>) -> Option<u16> {
    let (quote, before) = line.get(..span.start)?.split_last()?;
    let bracket = before.trim_ascii_end().last()?;
    let close = match bracket {
        b'(' => b')',
        b'[' => b']',
        _ => return None,
    };
    let rest = line.get(span.end..)?.strip_prefix(&[*quote])?;
    let rest = &rest[..rest.len().min(MAX_TUPLE)];
    let rest = rest.trim_ascii_start().strip_prefix(b",")?.trim_ascii_start();
    let len = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let is_closed = rest[len..].trim_ascii_start().first() == Some(&close);
    port_of(&rest[..len]).filter(|_| is_closed && b"'\"".contains(quote))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(line: &str, hit: &str) -> Option<u16> {
        let at = line.find(hit).unwrap();
        let mut positions = Positions::default();
        let found =
            positions.port_in_other_field(line.as_bytes(), &(0..line.len()), at..at + hit.len());
        found.map(|found| found.0)
    }

    const A: &str = "203.0.113.9";

    #[test]
    fn shapes_without_doubt() {
        for line in [
            "1,2026/06/24 04:15:41,0018,TRAFFIC,end,2560,2026/06/24 04:15:41,192.0.2.10,203.0.113.9,0.0.0.0,0.0.0.0,r,,,ssl,vsys1,t,u,e1,e2,f,2026/06/24 04:15:41,3,1,50112,8443,0,0,0x0,tcp,allow",
            "<14>Jun 24 04:15:41 fw 1,2026/06/24 04:15:41,0018,THREAT,url,2560,2026/06/24 04:15:41,203.0.113.9,192.0.2.10,0.0.0.0,0.0.0.0,r,,,ssl,vsys1,t,u,e1,e2,f,2026/06/24 04:15:41,3,1,8443,50112,0,0,0x0,tcp,alert,\"x/\"",
            "2 123456789010 eni-0a1b 192.0.2.10 203.0.113.9 50112 8443 6 20 4249 1782274541 1782274601 ACCEPT OK",
            "2026-06-24T04:15:41Z 2 123456789010 eni-0a1b 203.0.113.9 192.0.2.10 8443 50112 17 20 4249 1782274541 1782274601 REJECT OK",
            "<134>Jun 24 04:15:41 filterlog[12]: 5,,,1000000103,igb0,match,block,in,4,0x0,,64,0,0,DF,6,tcp,60,192.0.2.10,203.0.113.9,50112,8443,0,S,1,,64240,,mss",
            "5,,,1000000103,igb0,match,pass,out,6,0x00,0x0,64,UDP,17,60,2001:db8::1,203.0.113.9,50112,8443,40",
            "1782274541,192.0.2.10,203.0.113.9,50112,8443,T,O,A,B,,,,",
            "1782274541123,192.0.2.10,203.0.113.9,50112,8443,6,O,B,NX,0,0,0,0",
            "192.0.2.10 50112 203.0.113.9 8443",
            "203.0.113.9\t8443\t192.0.2.10\t50112\ttcp",
            "x 192.0.2.10 50112 -> 203.0.113.9 8443 y",
            "x 203.0.113.9 8443 -> 192.0.2.10 50112",
            "\"203.0.113.9\",\"8443\",\"tcp\"",
            "203.0.113.9,8443",
            "203.0.113.9 8443",
            "TCP 203.0.113.9 8443",
            "tcp,192.0.2.10,203.0.113.9,50112,8443",
            "connected to ('203.0.113.9', 8443)",
            "{\"peer\":[\"203.0.113.9\",8443]}",
            "{\"peer\":[ \"203.0.113.9\", 8443 ]}",
        ] {
            assert_eq!(port(line, A), Some(8443), "{line}");
        }
    }

    #[test]
    fn shapes_that_say_nothing() {
        for line in [
            "x 203.0.113.9 8443 y",
            "203.0.113.9 192.0.2.10 200 8443",
            "203.0.113.9,8443,x",
            "192.0.2.1 8443 203.0.113.9 x",
            "8443 203.0.113.9",
            "203.0.113.9 84430 192.0.2.1 443",
            "('203.0.113.9', 8443, 1)",
            "f(203.0.113.9, 8443)",
            "1782274541,192.0.2.10,203.0.113.9,50112,8443,x",
        ] {
            assert_eq!(port(line, A), None, "{line}");
        }
    }
}
