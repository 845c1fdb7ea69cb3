//! What contexts are made from: text that says something, labels, and those of the lines before.

use crate::engine::indicator::Context;
use crate::engine::progress::bound;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// A context that many indicators share.
pub(super) type Shared = Arc<Context<'static>>;

/// Contexts by the text that they were made from, so that lines which say the
/// same share one.
pub(super) struct Contexts {
    last: Option<(String, Shared)>,
    known: HashMap<String, Shared>,
}

impl Contexts {
    /// Beyond this many the map starts over: a table with a description in each
    /// line has as many contexts as lines, and the map would only cost memory.
    const MAX: usize = 1 << 16;

    pub(super) fn new() -> Self {
        Contexts { last: None, known: HashMap::new() }
    }

    /// The context of `key`, made when it is new.
    pub(super) fn get(&mut self, key: &str, make: impl FnOnce() -> Context<'static>) -> &Shared {
        let hit = self.last.as_ref().is_some_and(|(last, _)| last == key);
        if !hit {
            let shared = match self.known.get(key) {
                Some(shared) => Arc::clone(shared),
                None => {
                    if self.known.len() >= Self::MAX {
                        self.known.clear();
                    }
                    let shared = Arc::new(make());
                    self.known.insert(key.to_string(), Arc::clone(&shared));
                    shared
                }
            };
            self.last = Some((key.to_string(), shared));
        }
        // The line above filled it.
        &self.last.get_or_insert_with(|| (String::new(), Arc::default())).1
    }
}

/// Text that a context owns; nothing when it is blank or a mark for nothing.
pub(super) fn owned(text: &str) -> Option<Cow<'static, str>> {
    let text = text.trim();
    (!is_nothing(text)).then(|| Cow::Owned(text.to_string()))
}

/// The marks that feeds write where they have nothing to say.
pub(super) fn is_nothing(text: &str) -> bool {
    text.len() <= 7
        && matches!(
            text,
            "" | "-"
                | "None"
                | "none"
                | "NONE"
                | "n/a"
                | "N/A"
                | "null"
                | "NULL"
                | "nan"
                | "unknown"
        )
}

/// The most labels (links, families…) of one kind that a context keeps; nobody
/// reads more, and a hostile feed must not make each new one dearer.
const MAX_LABELS: usize = bound(512, 4);

/// Adds a label, once, while there is room.
pub(super) fn push_once(list: &mut Vec<Cow<'static, str>>, text: &str) {
    if list.len() < MAX_LABELS
        && let Some(text) = owned(text)
        && !list.contains(&text)
    {
        list.push(text);
    }
}
