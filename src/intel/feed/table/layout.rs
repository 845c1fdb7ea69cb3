//! The roles of the columns of a table, or the members of a record: found by name,
//! and confirmed by the rows ([`sampling`](crate::intel::feed::table::sampling)).

use crate::engine::indicator::guess::guess;
use crate::engine::indicator::{Kind, Scope, address, refang::refang};
use crate::intel::feed::contexts::is_nothing;
use crate::intel::feed::live::Live;
use crate::intel::feed::table::columns::Column;
use crate::intel::feed::table::headings::{self, Heading};
use crate::intel::feed::table::joint::Joint;
use crate::intel::feed::table::nets::{self, NOWHERE, Nets, Part};
use crate::intel::feed::table::roles;
use crate::intel::feed::types;
use ipnet::IpNet;
use std::borrow::Cow;
use std::net::IpAddr;

/// What a column's name says about its values.
pub(in crate::intel::feed) type Meaning = Option<(Kind, Scope)>;

/// The roles of all columns of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::intel::feed) struct Layout {
    /// The columns with values, with the kind that their names give.
    pub(in crate::intel::feed) values: Vec<(usize, Meaning)>,
    pub(in crate::intel::feed) kind: Option<usize>,
    pub(in crate::intel::feed) port: Option<usize>,
    /// The columns that form a network.
    pub(in crate::intel::feed) nets: Option<Nets>,
    /// The columns that say whether the row is still valid.
    pub(in crate::intel::feed) live: Vec<(usize, Live)>,
    /// The columns with values that are not used, because nothing says what they
    /// are.
    pub(in crate::intel::feed) unused: Vec<usize>,
    /// The columns that belong in the context.
    pub(in crate::intel::feed) context: Vec<(usize, Column)>,
    /// The columns whose heading means something hostile. Values in them are
    /// indicators.
    pub(in crate::intel::feed) hostile: Vec<usize>,
    /// The column with STIX patterns.
    pub(in crate::intel::feed) pattern: Option<usize>,
    /// The columns that form a URL.
    joint: Option<Joint>,
    /// The columns whose names mean nothing, or that could form a network but do
    /// not.
    pub(in crate::intel::feed) unknown: Vec<usize>,
    /// The columns that repeat the host of a URL in the same row.
    hosts: Vec<usize>,
    /// The columns that describe the address in the same row.
    owned: Vec<usize>,
    /// The columns that describe the operators of listed networks.
    providers: Vec<usize>,
    /// Whether columns next to URLs say where these are hosted.
    is_hosting: bool,
    /// The columns named as the value.
    named: Vec<usize>,
    /// Whether the column named as the value is the only one. Then a table gives
    /// its kind, too.
    pub(in crate::intel::feed) is_strict: bool,
}

impl Layout {
    /// Sets the role of a column. The first column with a role that only one can
    /// have wins.
    fn put(&mut self, at: usize, column: Column) {
        match column {
            Column::Value(kind) => self.values.push((at, kind)),
            Column::Type => self.kind = self.kind.or(Some(at)),
            Column::Port => self.port = self.port.or(Some(at)),
            Column::Net(part) => self.put_part(at, part),
            Column::Live(live) => {
                self.live.push((at, live));
                if column.is_context() {
                    self.context.push((at, column));
                }
            }
            other => self.context.push((at, other)),
        }
    }

    /// Sets the role of a column according to a mapping.
    pub(in crate::intel::feed) fn map(&mut self, at: usize, column: Column) {
        match column {
            Column::Type => self.kind = Some(at),
            Column::Port => self.port = Some(at),
            other => self.put(at, other),
        }
    }

    /// Sets the part of a network that a column contains.
    fn put_part(&mut self, at: usize, part: Part) {
        // The network's first column may be mapped later.
        let nets = self.nets.get_or_insert(Nets::from(NOWHERE));
        match part {
            Part::Start if nets.start == NOWHERE => nets.start = at,
            Part::End => nets.end = nets.end.or(Some(at)),
            Part::Length => nets.length = nets.length.or(Some(at)),
            Part::Start => {}
        }
    }

    /// Completes the network that the names suggest, or drops what forms none: an
    /// address with a prefix, a network with a mask.
    fn find_nets(&mut self, names: &[&str]) {
        let squeezed: Vec<_> =
            names.iter().map(|name| types::squeeze(name.trim_matches('"'))).collect();
        let named = self.nets.unwrap_or(Nets::from(NOWHERE));
        let mut nets = named;
        if nets.start == NOWHERE {
            // `prefix` is a network on its own, and its length next to one.
            let is_start = |&&(at, kind): &&(usize, Meaning)| {
                !nets::may_be_length(&squeezed[at])
                    && matches!(kind, None | Some((Kind::Ip | Kind::Net, _)))
            };
            // A network and its mask may have the same name.
            let is_net = |&&(at, kind): &&(usize, Meaning)| {
                nets.length != Some(at) && matches!(kind, Some((Kind::Net, _)))
            };
            let start = self.values.iter().find(is_start).or(self.values.iter().find(is_net));
            nets.start = start.map_or(NOWHERE, |&(at, _)| at);
            let is_net = start.is_some_and(|(_, kind)| matches!(kind, Some((Kind::Net, _))));
            nets.end = nets.end.filter(|_| is_net);
        }
        nets.length = nets.length.or_else(|| {
            let is_length = |at: &usize| *at != nets.start && nets::may_be_length(&squeezed[*at]);
            (0..squeezed.len()).find(is_length)
        });
        let has = |test: fn(&str) -> bool| {
            let columns = [Some(nets.start), nets.end, nets.length];
            let mut names = columns.into_iter().flatten().filter_map(|at| squeezed.get(at));
            names.any(|name| test(name))
        };
        (nets.is_unsure, nets.is_size) = (has(nets::is_unsure), has(nets::is_size));
        let is_whole = nets.start != NOWHERE && (nets.end.is_some() || nets.length.is_some());
        self.nets = is_whole.then_some(nets);
        if !is_whole {
            self.unknown.extend(named.columns());
        }
    }

    /// Accepts the network's columns, after the rows confirmed them.
    pub(in crate::intel::feed) fn settle_nets(&mut self) {
        let Some(nets) = self.nets else { return };
        let is_part = |at: usize| nets.columns().any(|part| part == at);
        self.values.retain(|&(at, _)| !is_part(at));
    }

    /// Drops a network that the rows do not confirm. Returns its columns, which are
    /// now unknown.
    pub(in crate::intel::feed) fn drop_nets(&mut self) -> Vec<usize> {
        let is_value = |at: &usize| self.values.iter().any(|(value, _)| value == at);
        self.nets
            .take()
            .map_or_else(Vec::new, |nets| nets.columns().filter(|at| !is_value(at)).collect())
    }

    /// Determines the layout of columns, or of a record's members, by name.
    pub(in crate::intel::feed) fn of_names(names: &[&str]) -> Layout {
        let mut layout = Layout::default();
        let roles = roles::of_names(names);
        layout.live = roles.live;
        for (at, heading) in roles.headings.into_iter().enumerate() {
            match heading {
                Heading::Role(column) => layout.put(at, column),
                Heading::Hostile => layout.hostile.push(at),
                Heading::Unknown => layout.unknown.push(at),
                Heading::Other => {}
            }
        }
        layout.find_nets(names);
        layout.owned = roles.owned;
        layout.hosts = roles.hosts;
        layout.providers = roles.providers;
        layout.is_hosting = roles.is_hosting;
        layout.named = roles.named;
        layout.pattern = roles.pattern;
        layout.joint = roles.joint;
        layout.is_strict = layout.kind.is_some();
        if roles.has_counts {
            // `malicious` counts engines here.
            layout.live.retain(|&(_, live)| live != Live::Bad);
        }
        layout
    }

    /// Determines the layout from a header; `None` if the row looks like data.
    pub(in crate::intel::feed) fn of_header(names: &[Cow<'_, str>]) -> Option<Layout> {
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let is_data = |name: &&str| guess(name, Scope::Exact).is_ok() && !headings::is_member(name);
        (!names.iter().any(is_data)).then(|| Layout::of_names(&names))
    }

    /// Whether some column has values, by its name.
    pub(in crate::intel::feed) fn has_values(&self) -> bool {
        !self.values.is_empty() || self.nets.is_some() || self.pattern.is_some()
    }

    /// Whether an `indicator` column holds the values.
    pub(in crate::intel::feed) fn names_value(&self) -> bool {
        !self.named.is_empty()
    }

    /// The columns named as the value.
    pub(in crate::intel::feed) fn named(&self) -> &[usize] {
        &self.named
    }

    /// The columns that form a URL, unless another is named as the value.
    pub(in crate::intel::feed) fn joint(&self) -> Option<Joint> {
        self.joint.filter(|joint| self.named.iter().all(|at| *at == joint.path))
    }

    /// Turns columns that are named as the value into descriptions, if the rows
    /// show that they contain none: `domain,ioc,uri_path` with text below `ioc`.
    pub(in crate::intel::feed) fn drop_named(&mut self, is_value: impl Fn(usize) -> bool) {
        let is_typed = |(at, kind): &(usize, Meaning)| kind.is_some() && is_value(*at);
        if !self.values.iter().any(is_typed) {
            return;
        }
        let is_text = |at: &usize| !is_value(*at);
        let texts: Vec<usize> = self.named.iter().copied().filter(is_text).collect();
        self.named.retain(|at| !texts.contains(at));
        self.values.retain(|(at, _)| !texts.contains(at));
        self.context.extend(texts.into_iter().map(|at| (at, Column::Description)));
    }

    /// The relations between the cells of a row; `has_net` says whether those of
    /// the network form one. Not needed if only one column has values.
    pub(in crate::intel::feed) fn other_cells<'c>(
        &self,
        has_net: bool,
        cell: impl Fn(usize) -> Cow<'c, str>,
    ) -> OtherCells {
        let mut found = OtherCells::default();
        let net = self.nets.filter(|_| has_net).map(|nets| cell(nets.start));
        let net = net.and_then(|net| address::parse_ip(&refang(net.trim())).ok());
        found.has_net = net.is_some();
        found.has_address = found.has_net;
        found.ips.extend(net);
        if self.values.len() < 2 && !found.has_address {
            return found;
        }
        let mut sees = |at: usize, kind: Meaning, text: &str| {
            if is_nothing(text.trim()) {
                return;
            }
            found.is_strong |= kind.is_none_or(|(kind, _)| !is_detail(kind));
            found.is_named |= self.is_strict && self.named.contains(&at);
            match kind {
                Some((Kind::Ip | Kind::Net, _)) => {
                    found.has_address = true;
                    let text = refang(text.trim());
                    found.ips.extend(address::parse_ip(&text).ok());
                    found.nets.extend(address::parse_net(&text).ok().filter(|net| is_wide(*net)));
                }
                Some((Kind::Url, _)) => {
                    found.has_url = true;
                    found.hosts.extend(host(text));
                }
                _ => {}
            }
        };
        for &(at, kind) in self.values.iter().take(MAX_CELLS) {
            sees(at, kind, &cell(at));
        }
        found
    }

    /// How a cell relates to its row, if it is not an indicator by itself.
    pub(in crate::intel::feed) fn detail(
        &self,
        at: usize,
        kind: Meaning,
        text: &str,
        others: &OtherCells,
    ) -> Option<Detail> {
        if others.has_url && self.joint().is_some_and(|joint| joint.path == at) {
            return Some(Detail::Same);
        }
        let (kind, _) = kind?;
        if others.is_named {
            return Some(Detail::Known("another member of the record is named as the indicator"));
        }
        if self.providers.contains(&at) {
            return Some(Detail::Known("it describes the network in the same row"));
        }
        if others.is_strong && is_detail(kind) {
            return Some(Detail::Same);
        }
        if matches!(kind, Kind::Ip | Kind::Net) && others.is_same(&refang(text.trim())) {
            return Some(Detail::Same);
        }
        if others.has_net && matches!(kind, Kind::Ip | Kind::Net) {
            return Some(Detail::Known("it describes the network in the same row"));
        }
        if self.hosts.contains(&at)
            && let text = refang(text.trim())
            && others.hosts.iter().any(|host| host.eq_ignore_ascii_case(&text))
        {
            return Some(Detail::Same);
        }
        if others.has_url && self.is_hosting && kind == Kind::Ip {
            return Some(Detail::Known("it hosted the URL in the same row"));
        }
        if others.has_address && self.owned.contains(&at) {
            return Some(Detail::Known("it describes the address in the same row"));
        }
        None
    }
}

/// The maximum number of cells of a row to compare with each other.
const MAX_CELLS: usize = 32;

/// What the other cells of a row contain.
#[derive(Debug, Default)]
pub(in crate::intel::feed) struct OtherCells {
    /// Whether one of them is named as the value.
    is_named: bool,
    /// Whether one of them is more than a detail of another.
    is_strong: bool,
    has_address: bool,
    /// Whether several columns form a network.
    has_net: bool,
    pub(in crate::intel::feed) has_url: bool,
    ips: Vec<IpAddr>,
    nets: Vec<IpNet>,
    /// The hosts of URLs.
    hosts: Vec<String>,
}

/// How a cell relates to its row, if it is not an indicator by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::intel::feed) enum Detail {
    /// It repeats what another cell says, or names it.
    Same,
    /// It could be an indicator, but is rejected for this reason.
    Known(&'static str),
}

/// Whether a kind only describes another value in the row: a sample's name and
/// import hash, an address's AS number.
pub(in crate::intel::feed) fn is_detail(kind: Kind) -> bool {
    kind.is_string() || matches!(kind, Kind::Imphash | Kind::Pehash | Kind::Opaque)
}

impl OtherCells {
    /// Whether another cell already covers an address or network: the network of a
    /// listed address, or the first address of a listed network.
    fn is_same(&self, text: &str) -> bool {
        let begins = |net: &IpNet, ip: IpAddr| net.network() == ip;
        match (address::parse_ip(text), address::parse_net(text)) {
            (Ok(ip), _) => self.nets.iter().any(|net| begins(net, ip)),
            (_, Ok(net)) => {
                let mut ips = self.ips.iter().filter(|ip| net.contains(*ip)).peekable();
                ips.peek().is_some() && (self.has_net || !ips.any(|ip| begins(&net, *ip)))
            }
            _ => false,
        }
    }
}

/// Whether a network has more than one address.
fn is_wide(net: IpNet) -> bool {
    net.prefix_len() < net.max_prefix_len()
}

/// The host of a URL.
fn host(url: &str) -> Option<String> {
    let url = refang(url.trim());
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => host.split(':').next()?,
    };
    Some(host.trim_end_matches('.').to_string())
}
