//! What to do, in sentences for readers who decide and do not read charts.

use crate::sensor::bench::report::{Action, Advice, Group, Interval, Report};
use crate::sensor::bench::text::{at_most, number, percent};

/// The most names in a sentence.
const MAX_NAMES: usize = 6;

/// A decision that the numbers suggest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decision {
    /// What it is, in a word or two.
    pub(super) title: String,
    /// Why, with numbers.
    pub(super) text: String,
    /// Its class in the style sheet, which gives it a colour and a sign.
    pub(super) class: &'static str,
}

/// The decisions, the one with most gain first.
pub(super) fn decisions(report: &Report) -> Vec<Decision> {
    let of = |action: Action| report.advice.iter().filter(move |advice| advice.action == action);
    let mut all = Vec::new();
    all.extend(of(Action::None).map(|advice| Decision {
        title: "Do not drop anything yet".into(),
        text: sentence(&advice.text),
        class: "wait",
    }));
    let groups = |action| -> Vec<&Group> {
        let names = of(action).filter_map(|advice| advice.group.as_deref());
        names.filter_map(|name| report.groups.iter().find(|group| group.name == name)).collect()
    };
    all.extend(drops(report, &groups(Action::Drop)));
    all.extend(suppressions(report, &of(Action::Suppress).collect::<Vec<_>>()));
    for (action, title, class) in
        [(Action::Refresh, "Refresh or drop", "refresh"), (Action::Narrow, "Narrow", "narrow")]
    {
        let advice: Vec<&Advice> = of(action).collect();
        if !advice.is_empty() {
            let names = names(advice.iter().filter_map(|it| it.group.as_deref()));
            let text = advice.iter().take(MAX_NAMES).map(|advice| sentence(&advice.text));
            let text = text.collect::<Vec<_>>().join(" ");
            all.push(Decision { title: format!("{title} {names}"), text, class });
        }
    }
    all.extend(keeps(&groups(Action::Keep)));
    all
}

/// Feeds that can go. They are tried one after the other, so all of them can.
fn drops(report: &Report, groups: &[&Group]) -> Option<Decision> {
    if groups.is_empty() {
        return None;
    }
    let mut text = match groups {
        [_] => "No event is lost without it, in this corpus.".to_string(),
        _ => "No event is lost without all of them, in this corpus.".to_string(),
    };
    let stands_in = |group: &&Group| {
        let steps = report.drop_order.iter().flatten();
        steps.into_iter().any(|step| step.is_dropped && step.after.contains(&group.name))
    };
    if report.groups.iter().any(|group| stands_in(&group)) {
        text += " Some stand in for others that go, too: the feeds that are left have all of it.";
    }
    let cost = |group: &&Group| {
        let cost = group.cost.as_ref()?;
        cost.ns_per_mib.filter(|_| cost.below_noise == Some(false)).map(|cost| cost.median)
    };
    let ns: f64 = groups.iter().filter_map(cost).sum();
    let set = report.cost.as_ref().filter(|cost| !cost.unreliable).and_then(|cost| cost.ns_per_mib);
    let bytes = groups.iter().filter_map(|group| group.cost.as_ref()?.bytes_marginal);
    let bytes: i64 = bytes.sum();
    if bytes > 0 {
        text += &format!(" That makes the database at least {} smaller", size(bytes as u64));
        match set {
            Some(set) if ns > 0.0 => {
                text += &format!(" and scans about {:.1}% faster.", ns / set.median * 100.0);
            }
            Some(_) => text += "; scans would not get measurably faster.",
            None => text += ".",
        }
    }
    let title = format!("Drop {}", names(groups.iter().map(|group| &*group.name)));
    Some(Decision { title, text, class: "drop" })
}

fn suppressions(report: &Report, advice: &[&Advice]) -> Option<Decision> {
    if advice.is_empty() {
        return None;
    }
    let alerts: u64 = advice.iter().map(|advice| advice.gain).sum();
    let all = report.set.alerts.unwrap_or(0);
    let values = names(advice.iter().filter_map(|advice| advice.value.as_deref()));
    let text = format!(
        "{} alerts, {} of all, are about {}. Much of the network reaches {}, or a list of known good values \
         has {}: look at one before you suppress all. With --suppress, compile takes a list of them.",
        count(alerts),
        percent_of(alerts, all),
        plural(advice.len(), "this value", "these values"),
        plural(advice.len(), "it", "them"),
        plural(advice.len(), "it", "them"),
    );
    Some(Decision { title: format!("Suppress {values}"), text, class: "suppress" })
}

fn keeps(groups: &[&Group]) -> Option<Decision> {
    if groups.is_empty() {
        return None;
    }
    let own: u64 = groups.iter().filter_map(|group| group.events_exclusive).sum();
    let text = match own {
        0 => "What they contain is in no other feed, though nothing of it was seen in this corpus."
            .into(),
        own => format!("{} events would be lost without them.", count(own)),
    };
    let title = format!("Keep {}", names(groups.iter().map(|group| &*group.name)));
    Some(Decision { title, text, class: "keep" })
}

/// What people should know before they believe the page.
pub(super) fn caveats(report: &Report) -> Vec<String> {
    let mut all: Vec<String> = report.notes.iter().map(|note| sentence(note)).collect();
    if let Some(cost) = &report.cost
        && let (Some(set), Some(aa)) = (cost.ns_per_mib, cost.aa)
    {
        let share = |ns: f64| ns / set.median * 100.0;
        let (differ, least) = (share(aa.median.abs()), share((aa.high - aa.low) / 2.0));
        all.push(if cost.unreliable {
            format!("The cost of feeds is not measurable here: the set and its own copy differ by {differ:.1}%.")
        } else {
            format!(
                "Costs below {least:.1}% of the time are not told from noise here: so far do the set and its \
                 own copy differ. Feeds share structure, so sizes do not add up."
            )
        });
    }
    if report.corpus.is_some() {
        all.push("A flag is not a verdict, and a corpus shows what was in it: a quiet month says little.".into());
    }
    all
}

/// Names in a sentence.
fn names<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names.len().min(MAX_NAMES);
    let rest = names.len() - shown;
    let shown = &names[..shown];
    match (shown, rest) {
        (shown, 1..) => format!("{} and {rest} more", shown.join(", ")),
        ([head @ .., last], 0) if !head.is_empty() => format!("{} and {last}", head.join(", ")),
        (shown, _) => shown.join(", "),
    }
}

fn plural(count: usize, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

/// A text as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str().trim_end_matches('.'))
}

/// A number with its thousands apart.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share of counts in percent.
pub(super) fn percent_of(part: u64, whole: u64) -> String {
    match crate::sensor::bench::chance::share(part, whole) {
        Some(share) => percent(Some(share)) + "%",
        None => "–".into(),
    }
}

/// A size in the largest unit that leaves a number above 1.
pub(super) fn size(bytes: u64) -> String {
    match bytes as f64 {
        bytes if bytes >= 1e9 => format!("{:.1} GB", bytes / 1e9),
        bytes if bytes >= 1e6 => format!("{:.1} MB", bytes / 1e6),
        bytes if bytes >= 1e3 => format!("{:.1} kB", bytes / 1e3),
        bytes => format!("{bytes} B"),
    }
}

/// A cost with its interval.
pub(super) fn interval(ns: Option<Interval>, below_noise: Option<bool>) -> String {
    let Some(ns) = ns else { return "–".into() };
    match below_noise {
        Some(true) => at_most(ns),
        _ => format!("{} ({} to {})", number(ns.median), number(ns.low), number(ns.high)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_read_well() {
        assert_eq!([0, 999, 1000, 1_305_244].map(count), ["0", "999", "1,000", "1,305,244"]);
        assert_eq!([12, 43_200_000].map(size), ["12 B", "43.2 MB"]);
        let of =
            |count: usize| names(["a", "b", "c", "d", "e", "f", "g", "h"][..count].iter().copied());
        assert_eq!([of(1), of(2), of(3)], ["a", "a and b", "a, b and c"]);
        assert_eq!(of(8), "a, b, c, d, e, f and 2 more");
        assert_eq!(sentence("no ledger"), "No ledger.");
    }
}
