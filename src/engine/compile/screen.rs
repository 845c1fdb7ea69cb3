//! Checks incoming indicators against warning lists.
//!
//! A list applies to the value that a feed claims, as in MISP, and not to what is
//! observed later; that is what allow lists are for. A list that *suppresses*
//! withholds the indicator, which is stored with the list for `lookup`. One that
//! *annotates* accepts it with a tag, and limits a name on the list to its exact
//! value: what is true of `bit.ly` is not true of everything below it, and an
//! indicator that says so is a mistake (section 6.2, rule 6).

use crate::engine::database::Searches;
use crate::engine::indicator::{Context, Kind, Role, Value, WarningEntry, WarningList, email, url};
use aho_corasick::{AhoCorasick, MatchKind};
use hashbrown::HashMap;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a warning list does to the indicators on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// They are withheld.
    Suppress,
    /// They are tagged, and names on the list are limited to their exact value.
    Annotate,
}

/// MISP's lists of values that cannot be meant (section 3.3). Every other list says
/// that a value is shared or well known, which malicious ones can be, too.
const SUPPRESSING: &[&str] = &[
    "rfc1918",
    "rfc5735",
    "rfc6598",
    "rfc3849",
    "rfc6761",
    "multicast",
    "ipv6-linklocal",
    "empty-hashes",
    "common-ioc-false-positive",
    "public-dns-v4",
    "public-dns-v6",
    "tlds",
    "second-level-tlds",
];

impl Effect {
    /// The default effect of one of MISP's lists, by its name there.
    pub fn of_list(id: &str) -> Effect {
        if SUPPRESSING.contains(&id) { Effect::Suppress } else { Effect::Annotate }
    }

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Effect::Suppress => "suppress",
            Effect::Annotate => "annotate",
        }
    }
}

/// An active list.
#[derive(Debug)]
struct Listed {
    effect: Effect,
    /// The feeds whose indicators are checked; empty for all.
    feeds: Vec<String>,
    /// A bit for each kind.
    kinds: u128,
    context: Arc<Context<'static>>,
    /// The number of its entries.
    entries: u64,
    unreadable: u64,
    /// The number of indicators that it matched.
    met: u64,
}

/// The result for a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListReport {
    /// Its short name.
    pub id: String,
    /// Its effect.
    pub effect: Effect,
    /// The feeds that it applies to; empty for all.
    pub feeds: Vec<String>,
    /// The number of its entries.
    pub entries: u64,
    /// The number of entries that could not be parsed.
    pub unreadable: u64,
    /// The number of indicators that it matched.
    pub met: u64,
}

/// Sets of lists, each stored once, since most entries are on the same few.
#[derive(Debug, Default)]
struct Sets {
    members: Vec<Vec<u16>>,
    known: HashMap<(Option<u32>, u16), u32>,
}

impl Sets {
    /// Returns the set with one more list.
    fn with(&mut self, set: Option<u32>, list: u16) -> u32 {
        let old: &[u16] = set.and_then(|set| self.members.get(set as usize)).map_or(&[], |m| m);
        if let Some(set) = set
            && old.contains(&list)
        {
            return set;
        }
        let members = [old, &[list]].concat();
        let next = self.members.len() as u32;
        let number = *self.known.entry((set, list)).or_insert(next);
        if number == next {
            self.members.push(members);
        }
        number
    }
}

/// The lists and their entries.
#[derive(Debug, Default)]
pub struct Screen {
    lists: Vec<Listed>,
    sets: Sets,
    whole: HashMap<Value, u32>,
    below: HashMap<Box<str>, u32>,
    /// By prefix length.
    nets: BTreeMap<u8, HashMap<IpNet, u32>>,
    parts: Option<AhoCorasick>,
    /// The list of each part.
    part_lists: Vec<u16>,
    searches: Option<Searches>,
    /// The list of each expression.
    search_lists: Vec<u16>,
}

/// What the lists say about an indicator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Screened {
    /// The numbers of the lists that contain it, sorted.
    pub(super) lists: Vec<u16>,
    /// Whether one of them withholds it.
    pub(super) is_suppressed: bool,
    /// Whether one of them contains the very name.
    pub(super) is_apex: bool,
}

impl Screen {
    /// Activates lists, each with its effect and its feeds (empty for all). Ignores
    /// lists beyond 65,535.
    pub fn new(lists: impl IntoIterator<Item = (WarningList, Effect, Vec<String>)>) -> Self {
        let mut screen = Screen::default();
        let (mut parts, mut expressions): (Vec<Box<str>>, Vec<Box<str>>) = Default::default();
        for (number, (list, effect, feeds)) in (0..u16::MAX).zip(lists) {
            let kinds = Kind::ALL.iter().filter(|kind| list.is_about(**kind));
            let kinds = kinds.fold(0, |kinds, kind| kinds | bit(*kind));
            screen.lists.push(Listed {
                effect,
                feeds,
                kinds,
                context: Arc::new(Context {
                    collection: list.name.map(Into::into),
                    description: list.description.map(Into::into),
                    role: Role::Allow,
                    ..Context::of_feed(list.id)
                }),
                entries: list.entries.len() as u64,
                unreadable: list.unreadable,
                met: 0,
            });
            for entry in list.entries {
                match entry {
                    WarningEntry::Part(part) => {
                        parts.push(part);
                        screen.part_lists.push(number);
                    }
                    WarningEntry::Regex(expression) => {
                        expressions.push(expression);
                        screen.search_lists.push(number);
                    }
                    entry => screen.put(entry, number),
                }
            }
        }
        if !parts.is_empty() {
            let mut builder = AhoCorasick::builder();
            builder.ascii_case_insensitive(true).match_kind(MatchKind::Standard);
            screen.parts = builder.build(parts.iter().map(|part| part.as_bytes())).ok();
        }
        if !expressions.is_empty() {
            let expressions: Vec<&str> = expressions.iter().map(|text| &**text).collect();
            screen.searches = Some(Searches::new(&expressions));
        }
        screen
    }

    fn put(&mut self, entry: WarningEntry, list: u16) {
        let sets = &mut self.sets;
        let mut add = |set: &mut Option<u32>| *set = Some(sets.with(*set, list));
        match entry {
            // A single address only stands for itself.
            WarningEntry::Net(net) | WarningEntry::Whole(Value::Net(net)) => {
                let nets = self.nets.entry(net.prefix_len()).or_default();
                let mut set = nets.get(&net).copied();
                add(&mut set);
                nets.extend(set.map(|set| (net, set)));
            }
            WarningEntry::Below(name) => {
                let mut set = self.below.get(&name).copied();
                add(&mut set);
                self.below.extend(set.map(|set| (name, set)));
            }
            WarningEntry::Whole(value) => {
                let mut set = self.whole.get(&value).copied();
                add(&mut set);
                self.whole.extend(set.map(|set| (value, set)));
            }
            WarningEntry::Part(_) | WarningEntry::Regex(_) => {}
        }
    }

    /// Whether there are no lists.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// The result for each list.
    pub fn reports(&self) -> Vec<ListReport> {
        let report = |list: &Listed| ListReport {
            id: list.context.feed.to_string(),
            effect: list.effect,
            feeds: list.feeds.clone(),
            entries: list.entries,
            unreadable: list.unreadable,
            met: list.met,
        };
        self.lists.iter().map(report).collect()
    }

    /// The context of a list.
    pub(super) fn context(&self, list: u16) -> Option<&Arc<Context<'static>>> {
        Some(&self.lists.get(usize::from(list))?.context)
    }

    /// Checks an indicator, and counts the lists that it is on.
    pub(super) fn judge(&mut self, kind: Kind, value: &Value, feed: &str) -> Screened {
        let mut found = Vec::new();
        let mut apex = Vec::new();
        self.collect(kind, value, &mut found, &mut apex);
        let lists = &self.lists;
        let is_in_force = |number: &u16| {
            lists.get(usize::from(*number)).is_some_and(|list| {
                list.kinds & bit(kind) != 0
                    && (list.feeds.is_empty() || list.feeds.iter().any(|name| name == feed))
            })
        };
        found.retain(is_in_force);
        if found.is_empty() {
            return Screened::default();
        }
        found.sort_unstable();
        found.dedup();
        let mut is_suppressed = false;
        for number in &found {
            if let Some(list) = self.lists.get_mut(usize::from(*number)) {
                list.met += 1;
                is_suppressed |= list.effect == Effect::Suppress;
            }
        }
        let is_apex = apex.iter().any(|number| found.contains(number));
        Screened { lists: found, is_suppressed, is_apex }
    }

    /// Collects every list that contains a value, for any feed. `apex` gets those
    /// that contain the very name.
    fn collect(&self, kind: Kind, value: &Value, found: &mut Vec<u16>, apex: &mut Vec<u16>) {
        let members =
            |set: Option<&u32>| set.and_then(|set| self.sets.members.get(*set as usize)).cloned();
        match value {
            Value::Net(net) => self.covering(*net, found),
            Value::Endpoint(address, _) => self.covering(IpNet::from(*address), found),
            Value::Text(text) => {
                let whole = members(self.whole.get(value)).unwrap_or_default();
                found.extend_from_slice(&whole);
                apex.extend_from_slice(&whole);
                match host(kind, text) {
                    Some(Ok(name)) => {
                        let mut at = 0;
                        while let Some(tail) = name.get(at..).filter(|tail| !tail.is_empty()) {
                            let below = members(self.below.get(tail)).unwrap_or_default();
                            found.extend_from_slice(&below);
                            if at == 0 {
                                apex.extend_from_slice(&below);
                            }
                            at = memchr::memchr(b'.', tail.as_bytes())
                                .map_or(name.len(), |dot| at + dot + 1);
                        }
                    }
                    Some(Err(net)) => self.covering(net, found),
                    None => {}
                }
            }
        }
        if self.parts.is_none() && self.searches.is_none() {
            return;
        }
        let text = value.to_string();
        for part in self.parts.iter().flat_map(|parts| parts.find_overlapping_iter(&*text)) {
            found.extend(self.part_lists.get(part.pattern().as_usize()));
        }
        for search in self.searches.iter().flat_map(|searches| searches.found(text.as_bytes())) {
            found.extend(self.search_lists.get(search as usize));
        }
    }

    /// Collects the lists with a network that contains this one.
    fn covering(&self, net: IpNet, found: &mut Vec<u16>) {
        for (length, nets) in self.nets.range(..=net.prefix_len()) {
            let wide = IpNet::new(net.addr(), *length).map(|wide| wide.trunc());
            let set = wide.ok().and_then(|wide| nets.get(&wide));
            let members = set.and_then(|set| self.sets.members.get(*set as usize));
            found.extend(members.into_iter().flatten());
        }
    }
}

/// The host in a value: a name, or an address.
fn host(kind: Kind, text: &str) -> Option<Result<Box<str>, IpNet>> {
    match kind {
        Kind::Domain => Some(Ok(text.into())),
        Kind::Email => Some(Ok(email::normalise(text).ok()?.rsplit_once('@')?.1.into())),
        Kind::Url => {
            let url = url::parse(text).ok()?;
            let host = url.host();
            Some(match crate::engine::indicator::address::parse_ip(host) {
                Ok(address) => Err(IpNet::from(address)),
                Err(_) => Ok(host.into()),
            })
        }
        _ => None,
    }
}

fn bit(kind: Kind) -> u128 {
    1 << (kind as u8 & 127)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::indicator::{Indicator, Scope};

    fn value(kind: Kind, text: &str) -> Value {
        Indicator::new(kind, text, Scope::Exact, Arc::default()).unwrap().value
    }

    fn list(id: &str, kinds: &[Kind], entries: Vec<WarningEntry>) -> WarningList {
        let (kinds, is_limited) = (kinds.to_vec(), !kinds.is_empty());
        WarningList { id: id.into(), kinds, is_limited, entries, ..WarningList::default() }
    }

    #[test]
    fn every_mode_means_what_the_specification_says() {
        let net = |text: &str| WarningEntry::Net(text.parse().unwrap());
        let all = |list| (list, Effect::Suppress, Vec::new());
        let mut screen = Screen::new([
            all(list("nets", &[], vec![net("198.51.100.0/24"), net("2001:db8::/32")])),
            all(list("hosts", &[], vec![WarningEntry::Below("hoster.example".into())])),
            all(list("whole", &[], vec![WarningEntry::Whole(value(Kind::Domain, "bit.ly"))])),
            all(list("parts", &[Kind::Email], vec![WarningEntry::Part("@Free.".into())])),
            all(list("regex", &[], vec![WarningEntry::Regex("(?i)^(noc|soc)@".into())])),
            (
                list("mine", &[], vec![WarningEntry::Whole(value(Kind::Domain, "a.example"))]),
                Effect::Annotate,
                vec!["one".into()],
            ),
        ]);
        let mut on = |kind, text: &str| {
            let met = screen.judge(kind, &value(kind, text), "one");
            met.lists
                .iter()
                .map(|l| screen.context(*l).unwrap().feed.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(on(Kind::Ip, "198.51.100.7"), ["nets"]);
        assert_eq!(on(Kind::Net, "198.51.100.0/25"), ["nets"]);
        assert_eq!(on(Kind::Net, "2001:db8:1::/48"), ["nets"]);
        // Wider than the listed network.
        assert!(on(Kind::Net, "198.51.0.0/16").is_empty());
        assert_eq!(on(Kind::Endpoint, "198.51.100.7:80"), ["nets"]);
        assert_eq!(on(Kind::Domain, "x.hoster.example"), ["hosts"]);
        assert_eq!(on(Kind::Domain, "hoster.example"), ["hosts"]);
        assert!(on(Kind::Domain, "xhoster.example").is_empty());
        // Userinfo and port do not hide the host.
        assert_eq!(on(Kind::Url, "http://u@x.hoster.example:8080/a"), ["hosts"]);
        assert_eq!(on(Kind::Email, "u@hoster.example"), ["hosts"]);
        assert_eq!(on(Kind::Domain, "bit.ly"), ["whole"]);
        assert!(on(Kind::Domain, "x.bit.ly").is_empty());
        assert_eq!(on(Kind::Email, "u@free.example"), ["parts"]);
        assert_eq!(on(Kind::Email, "soc@some.example"), ["regex"]);
        assert_eq!(on(Kind::Domain, "a.example"), ["mine"]);
        let other = screen.judge(Kind::Domain, &value(Kind::Domain, "a.example"), "two");
        assert_eq!(other, Screened::default());
        let met: Vec<u64> = screen.reports().iter().map(|report| report.met).collect();
        assert_eq!(met, [4, 4, 1, 1, 1, 1]);
    }

    /// The naive twin of [`Screen::collect`], for one entry.
    fn is_on(entry: &WarningEntry, value: &Value) -> bool {
        match (entry, value) {
            (WarningEntry::Net(wide), Value::Net(net)) => wide.contains(net),
            (WarningEntry::Below(name), Value::Text(text)) => {
                *text == *name || text.ends_with(&format!(".{name}"))
            }
            (WarningEntry::Part(part), value) => value.to_string().contains(&**part),
            (WarningEntry::Whole(whole), value) => whole == value,
            _ => false,
        }
    }

    proptest::proptest! {
        #[test]
        fn lists_meet_what_the_naive_way_says(
            names in proptest::collection::vec("[ab]{1,2}(\\.[ab]{1,2}){0,3}", 0..8),
            nets in proptest::collection::vec((0u32..64, 24u8..=32), 0..8),
            asked in "[ab]{1,2}(\\.[ab]{1,2}){0,4}",
            (address, length) in (0u32..64, 24u8..=32),
        ) {
            let net = |address: u32, length| -> IpNet {
                let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + address * 4);
                IpNet::new(address.into(), length).unwrap().trunc()
            };
            let mut lists: Vec<WarningEntry> = Vec::new();
            for (at, name) in names.iter().enumerate() {
                lists.push(match at % 3 {
                    0 => WarningEntry::Below(name.as_str().into()),
                    1 => WarningEntry::Part(name.as_str().into()),
                    _ => WarningEntry::Whole(Value::Text(name.as_str().into())),
                });
            }
            lists.extend(nets.iter().map(|(address, length)| WarningEntry::Net(net(*address, *length))));
            let in_force = lists.iter().enumerate().map(|(at, entry)| {
                (list(&at.to_string(), &[], vec![entry.clone()]), Effect::Annotate, Vec::new())
            });
            let mut screen = Screen::new(in_force);
            let values = [
                (Kind::Domain, Value::Text(asked.into())),
                (Kind::Net, Value::Net(net(address, length))),
            ];
            for (kind, value) in values {
                let want: Vec<u16> =
                    (0..).zip(&lists).filter(|(_, entry)| is_on(entry, &value)).map(|(at, _)| at).collect();
                proptest::prop_assert_eq!(screen.judge(kind, &value, "").lists, want);
            }
        }
    }

    #[test]
    fn a_value_may_be_on_many_lists() {
        let entry = || vec![WarningEntry::Below("b.example".into())];
        let lists = (0..5).map(|n| (list(&n.to_string(), &[], entry()), Effect::Annotate, vec![]));
        let mut screen = Screen::new(lists);
        let met = screen.judge(Kind::Domain, &value(Kind::Domain, "b.example"), "");
        assert_eq!(
            met,
            Screened { lists: vec![0, 1, 2, 3, 4], is_suppressed: false, is_apex: true }
        );
        let met = screen.judge(Kind::Domain, &value(Kind::Domain, "a.b.example"), "");
        assert!(!met.is_apex && met.lists.len() == 5);
    }
}
