//! What strangers send to the exchange before they are known: cookies, tokens, origins, forms,
//! puzzles, appeals, multipart forms. No answer is a failure of the server, and nobody gets in.
//!
//! The first line is a cookie, the second a token, the third an origin; what follows is the body.

#[cfg(feature = "exchange")]
pub use of_exchange::run;

/// Without the exchange there is nothing to ask.
#[cfg(not(feature = "exchange"))]
pub fn run(_: &[u8]) {}

#[cfg(feature = "exchange")]
mod of_exchange {
    use std::sync::LazyLock;
    use wiresift::exchange::http::{Method, Request};
    use wiresift::exchange::serve;
    use wiresift::exchange::site::{Settings, SignUp, Site, Warnings};

    /// A site where everybody may read, and sign up.
    static SITE: LazyLock<(Site, tempfile::TempDir)> = LazyLock::new(|| {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings {
            per_key: 0,
            per_address: 0,
            writes_per_key: 0,
            logins_per_address: 0,
            logins_per_account: 0,
            anonymous_read: true,
            sign_up: SignUp::Open,
            ..Settings::default()
        };
        let started = serve::start(directory.path(), &settings.house).unwrap();
        (serve::site(started.storage, settings, Warnings::default()), directory)
    });

    /// Any bytes as a request of a stranger.
    pub fn run(bytes: &[u8]) {
        let mut parts = bytes.splitn(4, |byte| *byte == b'\n');
        let mut headers = hyper::HeaderMap::new();
        for name in ["cookie", "x-csrf-token", "origin"] {
            let value = parts.next().unwrap_or_default();
            if let Ok(value) = hyper::header::HeaderValue::from_bytes(value) {
                headers.insert(name, value);
            }
        }
        let body = parts.next().unwrap_or_default();
        for kind in ["application/json", "application/x-www-form-urlencoded"] {
            headers.insert("content-type", kind.parse().unwrap());
            for (method, target) in [
                (Method::Get, "/api/v2/session"),
                (Method::Post, "/api/v2/sign-up"),
                (Method::Post, "/api/v2/appeals"),
                (Method::Post, "/api/v2/logout"),
                (Method::Post, "/join/00"),
                (Method::Post, "/welcome/00"),
            ] {
                let request = Request {
                    method,
                    target: target.into(),
                    headers: headers.clone(),
                    body: body.to_vec(),
                    peer: [127, 0, 0, 1].into(),
                };
                let head = Request { body: Vec::new(), ..request.clone() };
                if let Ok(most) = SITE.0.body_limit(&head) {
                    assert!(most <= 64 << 10, "{target}");
                }
                let reply = SITE.0.answer(&request);
                assert!(matches!(reply.status, 202 | 400..=499), "{target}: {}", reply.status);
            }
        }
    }
}
