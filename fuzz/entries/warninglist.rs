//! Any bytes as a warning list and as an allow list: what is read can be used, and values that
//! are on it are found.

use std::sync::Arc;
use wiresift::engine::compile::{Compiler, Effect, Options, Screen};
use wiresift::engine::indicator::{
    Context, Indicator, Kind, Reason, Scope, Value, WarningEntry, WarningList,
};
use wiresift::intel::feed::{self, Collected, read_warninglist};

pub fn run(bytes: &[u8]) {
    let mut allowed = Collected::default();
    let options = feed::Options { allow: true, ..feed::Options::of_feed("fuzz") };
    // It may not be a list; reading must return.
    let _ = feed::read(bytes, &options, &mut allowed);
    let Ok(list) = read_warninglist(bytes, "fuzz") else { return };
    for entry in list.entries.iter().take(64) {
        assert_found(&list, entry);
    }
}

/// An indicator that equals an entry is excluded, if the list covers its kind.
fn assert_found(list: &WarningList, entry: &WarningEntry) {
    let (kind, text) = match entry {
        WarningEntry::Net(net) => (Kind::Net, net.to_string()),
        WarningEntry::Below(name) => (Kind::Domain, name.to_string()),
        WarningEntry::Whole(Value::Text(text)) => (Kind::Filename, text.to_string()),
        _ => return,
    };
    let context = Arc::new(Context::of_feed("feed"));
    let Ok(indicator) = Indicator::new(kind, &text, Scope::Exact, context) else { return };
    let is_itself = match entry {
        WarningEntry::Whole(value) => *value == indicator.value,
        _ => true,
    };
    if !is_itself || !list.is_about(indicator.kind) {
        return;
    }
    let screen = Screen::new([(list.clone(), Effect::Suppress, Vec::new())]);
    let options = Options::default().wide(true).suffixes(true);
    let mut compiler = Compiler::with_screen(options, screen);
    assert_eq!(compiler.add(indicator), Some(Reason::Listed), "{entry:?}");
}
