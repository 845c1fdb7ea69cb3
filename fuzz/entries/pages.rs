//! Pages of the exchange for anything that somebody asks for or types: no answer is a failure of
//! the server, and what is typed never becomes a script.
//!
//! The first line is what is searched for, the second the languages of the browser; what follows is
//! the text of a new pulse.

#[cfg(feature = "exchange")]
pub use of_exchange::run;

/// Without the exchange there is nothing to ask.
#[cfg(not(feature = "exchange"))]
pub fn run(_: &[u8]) {}

#[cfg(feature = "exchange")]
mod of_exchange {
    use std::sync::LazyLock;
    use wiresift::exchange::accounts::{Role, Scopes, Secret};
    use wiresift::exchange::http::{Method, Request, encode};
    use wiresift::exchange::serve;
    use wiresift::exchange::site::{Settings, Site, Warnings};
    use wiresift::exchange::storage::NewAccount;

    /// A site with the key of a member.
    static SITE: LazyLock<(Site, String, tempfile::TempDir)> = LazyLock::new(|| {
        let directory = tempfile::tempdir().unwrap();
        let settings =
            Settings { per_key: 0, per_address: 0, writes_per_key: 0, ..Settings::default() };
        let started = serve::start(directory.path(), &settings.house).unwrap();
        serve::fill(&started.storage).unwrap();
        let secret = Secret::new().unwrap();
        let (prefix, digest) = (secret.prefix().to_string(), secret.digest());
        let new = NewAccount {
            name: "alice".into(),
            email: String::new(),
            role: Role::Member,
            password: None,
        };
        let made = started.storage.write(move |writes| {
            let user = writes.create_account(&new)?;
            writes.add_key(user, ("fuzz", Scopes::ALL), (&prefix, &digest)).map(|_| ())
        });
        made.unwrap();
        let site = serve::site(started.storage, settings, Warnings::default());
        (site, secret.text().to_string(), directory)
    });

    /// Any bytes as requests for pages.
    pub fn run(bytes: &[u8]) {
        let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
        let mut next = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
        let (asked, languages, text) = (next(), next(), next());
        let mut headers = hyper::HeaderMap::new();
        headers.insert("x-otx-api-key", SITE.1.parse().unwrap());
        headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        if let Ok(value) = hyper::header::HeaderValue::from_str(&languages) {
            headers.insert("accept-language", value);
        }
        let (asked, text) = (encode(&asked), encode(&text));
        for (method, target, body) in [
            (Method::Get, format!("/search?q={asked}"), String::new()),
            (Method::Get, format!("/browse?q={asked}&tag={asked}&from={asked}"), String::new()),
            (Method::Get, format!("/indicator/domain/{asked}"), String::new()),
            (Method::Get, format!("/indicator/url/{asked}"), String::new()),
            (
                Method::Post,
                "/new".to_string(),
                format!("do=check&name={asked}&description={text}&values={text}&tlp={asked}"),
            ),
        ] {
            let peer = [127, 0, 0, 1].into();
            let body = body.into_bytes();
            let request = Request { method, target, headers: headers.clone(), body, peer };
            let reply = SITE.0.answer(&request);
            assert!(reply.status < 500, "{}: {}", request.target, reply.status);
            let page = String::from_utf8(reply.into_bytes().unwrap()).unwrap();
            let scripts = page.matches("<script").count();
            assert!(scripts == page.matches("<script src=\"/assets/").count(), "{page}");
        }
    }
}
