//! What each column of a table, or each member of a record, is: found from the names, and
//! confirmed by the rows ([`sampling`](crate::intel::feed::table::sampling)).

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

/// What each column of a table is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::intel::feed) struct Layout {
    /// The columns that hold values, with the kind that the column's name tells.
    pub(in crate::intel::feed) values: Vec<(usize, Meaning)>,
    pub(in crate::intel::feed) kind: Option<usize>,
    pub(in crate::intel::feed) port: Option<usize>,
    /// The columns that make a network together.
    pub(in crate::intel::feed) nets: Option<Nets>,
    /// The columns that say whether the row still holds.
    pub(in crate::intel::feed) live: Vec<(usize, Live)>,
    /// Columns of values that are not taken, because nobody says what they are.
    pub(in crate::intel::feed) beside: Vec<usize>,
    /// The columns that go into the context.
    pub(in crate::intel::feed) context: Vec<(usize, Column)>,
    /// Columns that speak of what is hostile: where values stand in them, they are meant.
    pub(in crate::intel::feed) hostile: Vec<usize>,
    /// The column of STIX patterns.
    pub(in crate::intel::feed) pattern: Option<usize>,
    /// The columns that make a URL together.
    joint: Option<Joint>,
    /// Columns whose names say nothing, or that would make a network and do not.
    pub(in crate::intel::feed) unknown: Vec<usize>,
    /// Columns that hold what a URL beside them has in itself.
    hosts: Vec<usize>,
    /// Columns that tell about the address beside them.
    owned: Vec<usize>,
    /// Columns that tell whose the networks are that are listed.
    providers: Vec<usize>,
    /// Whether what stands beside URLs says where they are hosted.
    is_hosting: bool,
    /// The columns that are called the value.
    named: Vec<usize>,
    /// Whether what is called the value is the only one: a table says its kind then, too.
    pub(in crate::intel::feed) is_strict: bool,
}

impl Layout {
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

    /// Gives a column the role that a mapping says.
    pub(in crate::intel::feed) fn map(&mut self, at: usize, column: Column) {
        match column {
            Column::Type => self.kind = Some(at),
            Column::Port => self.port = Some(at),
            other => self.put(at, other),
        }
    }

    fn put_part(&mut self, at: usize, part: Part) {
        // Until its first column is known a network begins nowhere.
        let nets = self.nets.get_or_insert(Nets::from(NOWHERE));
        match part {
            Part::Start if nets.start == NOWHERE => nets.start = at,
            Part::End => nets.end = nets.end.or(Some(at)),
            Part::Length => nets.length = nets.length.or(Some(at)),
            Part::Start => {}
        }
    }

    /// Completes the network that the names tell, or drops what makes none: an address
    /// with a prefix, a network with a mask.
    fn find_nets(&mut self, names: &[&str]) {
        let squeezed: Vec<_> =
            names.iter().map(|name| types::squeeze(name.trim_matches('"'))).collect();
        let told = self.nets.unwrap_or(Nets::from(NOWHERE));
        let mut nets = told;
        if nets.start == NOWHERE {
            // `prefix` is the network where nothing else is, and its length beside one.
            let is_start = |&&(at, kind): &&(usize, Meaning)| {
                !nets::may_be_length(&squeezed[at])
                    && matches!(kind, None | Some((Kind::Ip | Kind::Net, _)))
            };
            // A network beside its mask, both of which may be called so.
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
            self.unknown.extend(told.columns());
        }
    }

    /// Takes the network's columns for what they are, once the rows have shown it.
    pub(in crate::intel::feed) fn settle_nets(&mut self) {
        let Some(nets) = self.nets else { return };
        let is_part = |at: usize| nets.columns().any(|part| part == at);
        self.values.retain(|&(at, _)| !is_part(at));
    }

    /// Forgets a network that the rows do not have; returns the columns that then are nothing.
    pub(in crate::intel::feed) fn drop_nets(&mut self) -> Vec<usize> {
        let is_value = |at: &usize| self.values.iter().any(|(value, _)| value == at);
        self.nets
            .take()
            .map_or_else(Vec::new, |nets| nets.columns().filter(|at| !is_value(at)).collect())
    }

    /// The layout of columns, or of a record's members, with these names.
    pub(in crate::intel::feed) fn of_names(names: &[&str]) -> Layout {
        let mut layout = Layout::default();
        let roles = roles::of_names(names);
        layout.live = roles.beside;
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
            // `malicious` is how many engines said so.
            layout.live.retain(|&(_, live)| live != Live::Bad);
        }
        layout
    }

    /// The layout that a header's names tell; `None` when the row is rather data.
    pub(in crate::intel::feed) fn of_header(names: &[Cow<'_, str>]) -> Option<Layout> {
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let is_data = |name: &&str| guess(name, Scope::Exact).is_ok() && !headings::is_member(name);
        (!names.iter().any(is_data)).then(|| Layout::of_names(&names))
    }

    /// Whether a column holds values, by its name.
    pub(in crate::intel::feed) fn has_values(&self) -> bool {
        !self.values.is_empty() || self.nets.is_some() || self.pattern.is_some()
    }

    /// Whether an `indicator` column says what the values are.
    pub(in crate::intel::feed) fn names_value(&self) -> bool {
        !self.named.is_empty()
    }

    /// The columns that are called the value.
    pub(in crate::intel::feed) fn named(&self) -> &[usize] {
        &self.named
    }

    /// The columns that make a URL together, unless another one is called the value.
    pub(in crate::intel::feed) fn joint(&self) -> Option<Joint> {
        self.joint.filter(|joint| self.named.iter().all(|at| *at == joint.path))
    }

    /// Takes columns that are called the value for what is said of the values beside them,
    /// once the rows have shown that they hold none: `domain,ioc,uri_path` with texts below
    /// `ioc`.
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

    /// What the cells of a row are to each other; `has_net` says whether the network's are
    /// one. Nothing has to be asked where only one column holds values.
    pub(in crate::intel::feed) fn beside<'c>(
        &self,
        has_net: bool,
        cell: impl Fn(usize) -> Cow<'c, str>,
    ) -> Beside {
        let mut found = Beside::default();
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

    /// What a cell is that does not stand for itself.
    pub(in crate::intel::feed) fn detail(
        &self,
        at: usize,
        kind: Meaning,
        text: &str,
        beside: &Beside,
    ) -> Option<Detail> {
        if beside.has_url && self.joint().is_some_and(|joint| joint.path == at) {
            return Some(Detail::Same);
        }
        let (kind, _) = kind?;
        if beside.is_named {
            return Some(Detail::Told("another member of the record is called the indicator"));
        }
        if self.providers.contains(&at) {
            return Some(Detail::Told("it tells about the network beside it"));
        }
        if beside.is_strong && is_detail(kind) {
            return Some(Detail::Same);
        }
        if matches!(kind, Kind::Ip | Kind::Net) && beside.is_same(&refang(text.trim())) {
            return Some(Detail::Same);
        }
        if beside.has_net && matches!(kind, Kind::Ip | Kind::Net) {
            return Some(Detail::Told("it tells about the network beside it"));
        }
        if self.hosts.contains(&at)
            && let text = refang(text.trim())
            && beside.hosts.iter().any(|host| host.eq_ignore_ascii_case(&text))
        {
            return Some(Detail::Same);
        }
        if beside.has_url && self.is_hosting && kind == Kind::Ip {
            return Some(Detail::Told("it is where the URL beside it was hosted"));
        }
        if beside.has_address && self.owned.contains(&at) {
            return Some(Detail::Told("it tells about the address beside it"));
        }
        None
    }
}

/// The most cells of a row that are held against each other.
const MAX_CELLS: usize = 32;

/// What stands in a row beside a cell.
#[derive(Debug, Default)]
pub(in crate::intel::feed) struct Beside {
    /// A value that is called the value.
    is_named: bool,
    /// A value that is more than a detail of another.
    is_strong: bool,
    has_address: bool,
    /// A network in several columns.
    has_net: bool,
    pub(in crate::intel::feed) has_url: bool,
    ips: Vec<IpAddr>,
    nets: Vec<IpNet>,
    /// The hosts of URLs.
    hosts: Vec<String>,
}

/// What a cell is that does not stand for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::intel::feed) enum Detail {
    /// It says of the claim beside it what that says itself, or what it is called.
    Same,
    /// It could be a claim, and is left out for this reason.
    Told(&'static str),
}

/// Whether a kind is a detail of what stands beside it: a sample's name and import hash,
/// an address's AS number.
pub(in crate::intel::feed) fn is_detail(kind: Kind) -> bool {
    kind.is_string() || matches!(kind, Kind::Imphash | Kind::Pehash | Kind::Opaque)
}

impl Beside {
    /// Whether an address or network is told by what stands beside it: the network of a
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
