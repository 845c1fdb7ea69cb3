//! What the first rows of a table show about its columns: whether networks are what
//! their names say, which columns contain values although no name says so, and
//! everything if there are no names.

use crate::engine::indicator::guess::{Guess, guess};
use crate::engine::indicator::refang::refang;
use crate::engine::indicator::{Kind, Scope, address};
use crate::intel::feed::contexts::is_nothing;
use crate::intel::feed::lines::Lines;
use crate::intel::feed::table::layout::Layout;
use crate::intel::feed::table::nets::{self, Nets};
use crate::intel::feed::table::rows::{Row, next_row};
use crate::intel::feed::{several, types};

/// The number of rows to inspect.
const SAMPLE: usize = 50;

/// The first rows of data.
pub(in crate::intel::feed) fn samples(mut lines: Lines<'_>, delimiter: u8) -> Vec<Vec<String>> {
    let mut row = Row::new(delimiter);
    let mut rows = Vec::new();
    while rows.len() < SAMPLE && next_row(&mut lines, &mut row).is_some() {
        rows.push(row.fields.iter().map(|field| field.to_string()).collect());
    }
    rows
}

/// The layout, confirmed by the rows: without its network if they contain none (`first` and `last`
/// can also be times), and with columns that contain values although their names do not say so.
/// `None` if no column has values.
pub(in crate::intel::feed) fn confirmed(
    mut layout: Layout,
    rows: &[Vec<String>],
) -> Option<Layout> {
    let mut left = Vec::new();
    layout.pattern = layout.pattern.filter(|at| column_is(rows, *at, is_pattern));
    match layout.nets.map(|nets| sized(nets, rows)) {
        Some(nets) if has_networks(nets, rows) => {
            layout.nets = Some(nets);
            layout.settle_nets();
        }
        Some(_) => left = layout.drop_nets(),
        None => {}
    }
    layout.drop_named(|at| column_has(rows, at, is_value));
    let names_value = layout.names_value();
    // If one column is named as the values, others contain something else.
    let has_values = layout.has_values();
    let mut unknown = std::mem::take(&mut layout.unknown);
    if !has_values {
        unknown.append(&mut left);
    }
    let hostile = std::mem::take(&mut layout.hostile);
    let is_net = |at: &usize| layout.nets.is_some_and(|nets| nets.columns().any(|of| of == *at));
    let holds = |at: &usize, test: fn(&str) -> bool| !is_net(at) && column_is(rows, *at, test);
    let meant: Vec<usize> = unknown
        .iter()
        .filter(|at| !has_values && holds(at, is_unmistakable))
        .chain(hostile.iter().filter(|at| holds(at, is_value)))
        .copied()
        .collect();
    let is_left = |at: &usize| holds(at, is_value) && !meant.contains(at);
    left.extend(unknown);
    layout.unused = left.into_iter().filter(is_left).collect();
    if names_value {
        layout.unused.extend(meant);
    } else {
        layout.values.extend(meant.into_iter().map(|at| (at, None)));
    }
    layout.unused.sort_unstable();
    layout.values.sort_by_key(|&(at, _)| at);
    layout.has_values().then_some(layout)
}

/// Whether the sizes of networks are numbers of addresses, because they exceed any
/// length.
fn sized(mut nets: Nets, rows: &[Vec<String>]) -> Nets {
    let is_count = |row: &Vec<String>| {
        let size = nets.length.and_then(|at| row.get(at)).and_then(|text| text.parse::<u64>().ok());
        let is_v6 = row.get(nets.start).is_some_and(|text| text.contains(':'));
        size.is_some_and(|size| size > if is_v6 { 128 } else { 32 })
    };
    nets.is_count = nets.is_size && rows.iter().any(is_count);
    nets
}

/// Whether the rows contain the networks that the names announce.
fn has_networks(nets: Nets, rows: &[Vec<String>]) -> bool {
    let field = |row: &[String], at: Option<usize>| {
        at.and_then(|at| row.get(at)).map_or("", |text| text).to_string()
    };
    let filled: Vec<Option<String>> = rows
        .iter()
        .filter(|row| !is_nothing(&field(row, Some(nets.start))))
        // A row may contain a single address.
        .filter(|row| !is_nothing(&field(row, nets.end)) || !is_nothing(&field(row, nets.length)))
        .map(|row| {
            let at = |at| field(row, at);
            nets.text(&at(Some(nets.start)), &at(nets.end), &at(nets.length))
        })
        .collect();
    let is_net = |text: &&Option<String>| {
        text.as_ref().is_some_and(|text| match nets.is_unsure {
            // Numbers of something else come with unaligned addresses.
            true if nets.is_size => nets::is_aligned(text),
            true => nets::is_network(text) && nets::is_plausible(text),
            // A reversed range is reported when it is read.
            false => nets::is_network(text) || nets::is_reversed(text),
        })
    };
    let fitting = filled.iter().filter(is_net).count();
    fitting > 0 && fitting * 10 >= filled.len() * 8
}

/// Whether eight out of ten cells of a column pass a test.
fn column_is(rows: &[Vec<String>], at: usize, test: fn(&str) -> bool) -> bool {
    let cells = || rows.iter().filter_map(|row| row.get(at)).filter(|cell| !is_nothing(cell));
    let fitting = cells().filter(|cell| test(cell)).count();
    fitting > 0 && fitting * 10 >= cells().count() * 8
}

/// Whether any cell of a column passes a test, or all are empty.
fn column_has(rows: &[Vec<String>], at: usize, test: fn(&str) -> bool) -> bool {
    let mut cells = rows.iter().filter_map(|row| row.get(at)).filter(|cell| !is_nothing(cell));
    let first = cells.next();
    first.is_none_or(|first| test(first) || cells.any(|cell| test(cell)))
}

/// Whether a cell begins like a STIX pattern.
pub(in crate::intel::feed) fn is_pattern(cell: &str) -> bool {
    cell.trim_start().starts_with(['[', '('])
}

/// Whether a cell contains only values, of any kind.
fn is_value(cell: &str) -> bool {
    several::is_values(cell)
}

/// Whether a cell contains something that can only be a value: digests, addresses,
/// networks, URLs, and anything defanged, since nothing else gets defanged.
fn is_unmistakable(cell: &str) -> bool {
    several::is_values(cell) && several::words(cell).all(is_one_unmistakable)
}

/// Whether a word can only be a value.
fn is_one_unmistakable(word: &str) -> bool {
    let plain = refang(word);
    let is_defanged = plain != word;
    match guess(&plain, Scope::Exact) {
        Ok(Guess::One(kind, ..)) => {
            is_defanged
                || kind.digest_len().is_some()
                || matches!(kind, Kind::Ip | Kind::Net | Kind::Endpoint)
                || kind == Kind::Url && plain.contains("://")
        }
        Ok(Guess::Nets(_)) => true,
        Err(_) => false,
    }
}

/// Guesses from the first rows which columns contain values and kinds.
pub(in crate::intel::feed) fn guess_layout(lines: Lines<'_>, delimiter: u8) -> Layout {
    let samples = samples(lines, delimiter);
    let rows = samples.len();
    if let Some(nets) = guess_nets(&samples) {
        let mut layout = Layout::default();
        layout.nets = Some(nets);
        return layout;
    }
    let mut good: Vec<usize> = Vec::new();
    let mut kinds: Vec<usize> = Vec::new();
    for row in &samples {
        good.resize(good.len().max(row.len()), 0);
        kinds.resize(good.len(), 0);
        for (at, field) in row.iter().enumerate() {
            let value = refang(field);
            good[at] += usize::from(guess(&value, Scope::Exact).is_ok());
            kinds[at] += usize::from(types::by_name(field).is_some());
        }
    }
    let best = (0..good.len()).rev().max_by_key(|&at| good[at]).filter(|&at| good[at] * 2 >= rows);
    let mut layout = Layout::default();
    if let Some(at) = best.filter(|_| rows > 0) {
        layout.port = Some(at + 1).filter(|port| are_ports(&samples, at, *port));
        layout.values.push((at, layout.port.map(|_| (Kind::Ip, Scope::Exact))));
        layout.kind = (0..kinds.len()).find(|&kind| kind != at && kinds[kind] * 10 >= rows * 9);
        let is_unused = |&column: &usize| {
            column != at && Some(column) != layout.kind && good[column] * 10 >= rows * 9
        };
        layout.unused = (0..good.len()).filter(is_unused).collect();
    }
    layout
}

/// Whether one column contains addresses and another ports, judged by the rows
/// alone. Scores and counts are small numbers, too, so each must be a port that
/// servers use.
pub(in crate::intel::feed) fn are_ports(rows: &[Vec<String>], ip: usize, port: usize) -> bool {
    let cell = |row: &Vec<String>, at: usize| row.get(at).map_or("", |cell| cell).to_string();
    let number = |row: &Vec<String>| cell(row, port).parse::<u16>().ok();
    let is_row = |row: &Vec<String>| {
        address::parse_ip(&refang(&cell(row, ip))).is_ok()
            && number(row).is_some_and(|port| port >= 1024 || is_known_port(port))
    };
    let is_conclusive =
        |row: &Vec<String>| number(row).is_some_and(|port| port > 100 || port == 80);
    let is_common = |row: &Vec<String>| number(row).is_some_and(is_known_port);
    let mut filled = rows.iter().filter(|row| !is_nothing(&cell(row, ip))).peekable();
    filled.peek().is_some()
        && filled.all(is_row)
        && rows.iter().any(is_conclusive)
        && rows.iter().any(is_common)
}

/// Ports on which malware or its servers listen.
fn is_known_port(port: u16) -> bool {
    const PORTS: &[u16] = &[
        21, 22, 23, 25, 53, 80, 81, 82, 88, 110, 123, 135, 139, 143, 222, 389, 443, 444, 445, 447,
        449, 465, 587, 636, 808, 853, 888, 990, 993, 995, 999, 1080, 1194, 1337, 1433, 1604, 1883,
        2222, 3000, 3128, 3306, 3333, 3389, 3460, 4433, 4443, 4444, 4782, 5000, 5432, 5552, 5555,
        5900, 5985, 6000, 6379, 6606, 6666, 6667, 6697, 7000, 7443, 7707, 7777, 8000, 8008, 8080,
        8081, 8088, 8090, 8443, 8800, 8808, 8848, 8888, 9000, 9001, 9050, 9090, 9200, 9443, 9999,
        10000, 10443, 12345, 27017, 31337, 50050, 50051,
    ];
    PORTS.binary_search(&port).is_ok()
}

/// Two columns that form networks in all rows: a first and last address, or an
/// address and a prefix. Other tables contain addresses and small numbers, too, so
/// every row must certainly be a network, or a reversed one among many.
pub(in crate::intel::feed) fn guess_nets(rows: &[Vec<String>]) -> Option<Nets> {
    let first = rows.first()?;
    let is_address = |at: &usize| address::parse_ip(&first[*at]).is_ok();
    let start = (0..first.len()).find(is_address)?;
    let next = start + 1;
    let nets = Nets::from(start);
    let is_net = |end: bool| {
        let texts = rows.iter().map(|row| {
            let at = |at: usize| row.get(at).map_or("", |field| field);
            let (to, length) = if end { (at(next), "") } else { ("", at(next)) };
            nets.text(at(start), to, length).filter(|text| text.len() > at(start).len())
        });
        let mut fitting = 0;
        let are_all = texts.into_iter().all(|text| {
            text.is_some_and(|text| {
                let is_net = nets::is_network(&text) && nets::is_plausible(&text);
                fitting += usize::from(is_net);
                is_net || end && nets::is_reversed(&text)
            })
        });
        are_all && fitting * 10 >= rows.len() * 8
    };
    // `203.0.113.0,255.255.255.0` is a mask rather than an end.
    if is_net(false) {
        return Some(Nets { length: Some(next), ..nets });
    }
    is_net(true).then_some(Nets { end: Some(next), ..nets })
}
