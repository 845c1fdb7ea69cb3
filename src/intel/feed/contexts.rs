//! What contexts are made from: text that has a meaning, labels, and the contexts of earlier lines.

use crate::engine::indicator::Context;
use crate::engine::progress::bound;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// A context shared by many indicators.
pub(super) type Shared = Arc<Context<'static>>;

/// Contexts by the text they were made from, so that lines with the same text share
/// one.
pub(super) struct Contexts {
    last: Option<(String, Shared)>,
    known: HashMap<String, Shared>,
}

impl Contexts {
    /// At this size the map starts over. A table with a description in each line
    /// has as many contexts as lines, and the map would only cost memory.
    const MAX: usize = 1 << 16;

    pub(super) fn new() -> Self {
        Contexts { last: None, known: HashMap::new() }
    }

    /// Returns the context for `key`, creating it if it is new.
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
        // The previous line filled it.
        &self.last.get_or_insert_with(|| (String::new(), Arc::default())).1
    }
}

/// Text for a context to own; `None` if it is blank or a placeholder.
pub(super) fn owned(text: &str) -> Option<Cow<'static, str>> {
    let text = text.trim();
    (!is_nothing(text)).then(|| Cow::Owned(text.to_string()))
}

/// Placeholders that feeds write if they have nothing to say.
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

/// The maximum number of labels (links, families…) of one kind in a context. More are of no use to
/// a reader, and in a hostile feed each one would be slower to add than the last.
const MAX_LABELS: usize = bound(512, 4);

/// Adds a label unless it is there already or the list is full.
pub(super) fn push_once(list: &mut Vec<Cow<'static, str>>, text: &str) {
    if list.len() < MAX_LABELS
        && let Some(text) = owned(text)
        && !list.contains(&text)
    {
        list.push(text);
    }
}
