//! From the indicators of a feed to pulses.
//!
//! What belongs to a collection of the feed (a pulse of another exchange, an event, a bundle)
//! becomes a pulse that keeps its identifier, name, TLP and references; everything else becomes
//! one pulse with the name of the source. Texts of others are cleaned, not refused.

use crate::engine::error::Result;
use crate::engine::indicator::{Context, Indicator, Role, Tlp};
use crate::exchange::import::type_of;
use crate::exchange::pulses::{
    IndicatorDraft, Lists, MAX_DESCRIPTION, MAX_LIST, MAX_NAME, MAX_REFERENCE, MAX_TAG, MIN_NAME,
    Type, clean_line, clean_text,
};
use crate::intel::config::{Origin, Subscription};
use crate::intel::store::Normal;
use std::collections::{BTreeMap, HashMap};

/// The most characters of an indicator's title.
const MAX_TITLE: usize = 512;

/// A pulse of a source.
#[derive(Debug)]
pub(super) struct Collected {
    /// Its name.
    pub(super) name: String,
    /// Where it is from.
    pub(super) description: String,
    /// Its TLP.
    pub(super) tlp: Tlp,
    /// The actor.
    pub(super) adversary: String,
    /// Its lists.
    pub(super) lists: Lists,
    /// Its indicators, each once.
    pub(super) indicators: Vec<IndicatorDraft>,
    known: HashMap<(Type, String), usize>,
}

/// The pulses of a source, by their identifiers there.
#[derive(Debug, Default)]
pub(super) struct Collection {
    /// The pulses.
    pub(super) pulses: BTreeMap<String, Collected>,
    /// Indicators that pulses cannot have.
    pub(super) skipped: u64,
    /// Indicators that others may not see.
    pub(super) restricted: u64,
}

/// Reads what was accepted of a feed.
///
/// # Errors
///
/// It is damaged.
pub(super) fn collect(feed: &Subscription, normal: &Normal) -> Result<Collection> {
    let mut all = Collection::default();
    normal.each(|indicator| all.add(feed, &indicator))?;
    for pulse in all.pulses.values_mut() {
        pulse.known = HashMap::new();
    }
    Ok(all)
}

impl Collection {
    fn add(&mut self, feed: &Subscription, indicator: &Indicator) {
        let context = &*indicator.context;
        if context.role == Role::Allow || context.inactive {
            self.skipped += 1;
            return;
        }
        let tlp = context.tlp.unwrap_or(Tlp::Green);
        if tlp > Tlp::Green {
            // It was shared with the operator, who is not everybody.
            self.restricted += 1;
            return;
        }
        let draft = type_of(indicator)
            .and_then(|of| IndicatorDraft::new(of, &indicator.value.to_string()).ok());
        let Some(mut draft) = draft else {
            self.skipped += 1;
            return;
        };
        draft.title = line(context.name.as_deref().unwrap_or(""), MAX_TITLE);
        draft.description = prose(context.description.as_deref().unwrap_or(""));
        // What is on the list is meant for as long as it is there.
        draft.expiry = context.valid_until.into();
        let key = context.collection_id.as_deref().or(context.collection.as_deref());
        let pulse = self.pulses.entry(key.unwrap_or("").to_string());
        let pulse = pulse.or_insert_with(|| Collected::new(feed, context, tlp));
        pulse.tlp = pulse.tlp.max(tlp);
        pulse.say(context);
        let at = pulse.indicators.len();
        if *pulse.known.entry((draft.kind, draft.norm.clone())).or_insert(at) == at {
            pulse.indicators.push(draft);
        }
    }
}

impl Collected {
    fn new(feed: &Subscription, context: &Context<'_>, tlp: Tlp) -> Collected {
        let name = line(context.collection.as_deref().unwrap_or(&feed.name), MAX_NAME);
        let name = match name.chars().count() {
            0..MIN_NAME => line(&format!("Pulse {name}"), MAX_NAME),
            _ => name,
        };
        let mut description = format!("Imported from the source “{}”", feed.name);
        let mut lists = Lists::default();
        if let Origin::Url(_) = &feed.origin {
            push(&mut lists.references, &feed.origin.shown(), MAX_REFERENCE);
        }
        if let Some(id) = &context.collection_id {
            description.push_str(&format!(", where its identifier is {}", line(id, MAX_TITLE)));
        }
        description.push('.');
        Collected {
            name,
            description,
            tlp,
            adversary: String::new(),
            lists,
            indicators: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// Takes over what an indicator says about all of its pulse.
    fn say(&mut self, context: &Context<'_>) {
        for (list, names, most) in [
            (&mut self.lists.references, &context.references, MAX_REFERENCE),
            (&mut self.lists.tags, &context.tags, MAX_TAG),
            (&mut self.lists.malware_families, &context.malware, MAX_TAG),
            (&mut self.lists.attack_ids, &context.attack, MAX_TAG),
        ] {
            names.iter().for_each(|name| push(list, name, most));
        }
        if self.adversary.is_empty()
            && let Some(name) = context.adversary.first()
        {
            self.adversary = line(name, MAX_TITLE);
        }
    }
}

/// Adds a name to a list that has room for it.
fn push(list: &mut Vec<String>, name: &str, most: usize) {
    let name = line(name, most);
    if !name.is_empty() && list.len() < MAX_LIST && !list.contains(&name) {
        list.push(name);
    }
}

/// One line of at most so many characters, without what may not be in names.
fn line(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let clean: String = clean_text(&words.join(" ")).chars().take(most).collect();
    clean_line(&clean).unwrap_or_default()
}

/// A text of several lines.
fn prose(text: &str) -> String {
    let mut text = clean_text(text);
    let mut end = text.len().min(MAX_DESCRIPTION);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_are_cleaned() {
        assert_eq!(line("a\u{202e}b\n c\u{0}  d", 64), "ab c d");
        assert_eq!(line(&"é".repeat(100), 64).chars().count(), 64);
        assert_eq!(line("a\tb ", 2), "a");
        let mut list = Vec::new();
        for name in ["x", " x ", "", "\u{200b}", "y"] {
            push(&mut list, name, 64);
        }
        assert_eq!(list, ["x", "y"]);
        assert_eq!(prose(&"ö".repeat(MAX_DESCRIPTION)).len(), MAX_DESCRIPTION);
    }
}
