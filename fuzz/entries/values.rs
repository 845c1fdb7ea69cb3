//! Values of feeds and logs passed through the normalisers.

use std::sync::Arc;
use wiresift::engine::indicator::{
    Context, Indicator, Kind, Scope, domain, email, guess, refang, url,
};

/// Normal forms are fixed points, for every kind; refanging is, too.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let text = &*text;

    let refanged = refang::refang(text);
    assert_eq!(refang::refang(&refanged), refanged, "refang({text:?})");

    if let Ok(name) = domain::normalise(text) {
        assert_eq!(domain::normalise(&name).as_deref(), Ok(&*name), "domain {text:?}");
        domain::public_suffix(&name);
    }
    if let Ok(address) = email::normalise(text) {
        assert_eq!(email::normalise(&address).as_deref(), Ok(&*address), "email {text:?}");
    }
    if let Ok(parsed) = url::parse(text) {
        assert_url(text, &parsed);
    }
    if let Ok(path) = url::parse_path(text) {
        assert_eq!(url::parse_path(&path).as_deref(), Ok(&*path), "path {text:?}");
    }
    let _ = guess::guess(text, Scope::Subtree);
    let context = Arc::new(Context::default());
    for &kind in Kind::ALL {
        let Ok(one) = Indicator::new(kind, text, Scope::Exact, Arc::clone(&context)) else {
            continue;
        };
        let normal = one.value.to_string();
        let again = Indicator::new(one.kind, &normal, one.scope, Arc::clone(&context));
        let again = again.unwrap_or_else(|why| panic!("{kind} {text:?} -> {normal:?}: {why:?}"));
        assert_eq!(again.value, one.value, "{kind} {text:?} -> {normal:?}");
    }
}

fn assert_url(text: &str, parsed: &url::Url) {
    let normal = parsed.to_string();
    let again = url::parse(&normal).unwrap_or_else(|why| panic!("{text:?} -> {normal:?}: {why:?}"));
    assert_eq!(again.to_string(), normal, "url {text:?}");
    assert_eq!(again.key(), parsed.key(), "url {text:?}");
    assert_eq!(again.host(), parsed.host(), "url {text:?}");
    assert_eq!(url::split_canonical(&normal), (parsed.scheme(), parsed.key()), "url {text:?}");
    assert!(parsed.path_and_query().starts_with('/'), "url {text:?} -> {normal:?}");
    assert!(parsed.path_start() <= parsed.path_end() && parsed.path_end() <= parsed.key().len());
}
