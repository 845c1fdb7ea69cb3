//! Requests to the API of the exchange, over a storage that keeps what earlier ones wrote: bodies
//! of creations and changes, raw request targets, and searches. No answer is a failure of the
//! server, every answer of the API is JSON, and what was stored can be read again.

#[cfg(feature = "exchange")]
pub use of_exchange::{bodies, searches, targets};

/// Without the exchange there is nothing to ask.
#[cfg(not(feature = "exchange"))]
pub fn bodies(_: &[u8]) {}

/// Without the exchange there is nothing to ask.
#[cfg(not(feature = "exchange"))]
pub fn searches(_: &[u8]) {}

/// Without the exchange there is nothing to ask.
#[cfg(not(feature = "exchange"))]
pub fn targets(_: &[u8]) {}

#[cfg(feature = "exchange")]
mod of_exchange {
    use serde_json::Value;
    use std::sync::LazyLock;
    use wiresift::exchange::accounts::{Role, Scopes, Secret};
    use wiresift::exchange::http::{Method, Request};
    use wiresift::exchange::serve;
    use wiresift::exchange::site::{Quotas, Settings, Site, Warnings};
    use wiresift::exchange::storage::NewAccount;

    /// A site, the key of its user, and one of its pulses.
    struct Scene {
        site: Site,
        key: String,
        pulse: String,
        _directory: tempfile::TempDir,
    }

    static SCENE: LazyLock<Scene> = LazyLock::new(|| {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings {
            per_key: 0,
            per_address: 0,
            writes_per_key: 0,
            quotas: Quotas { pulses: 0, indicators: 0, days: 0 },
            ..Settings::default()
        };
        let started = serve::start(directory.path(), &settings.house).unwrap();
        let secret = Secret::new().unwrap();
        let (prefix, digest) = (secret.prefix().to_string(), secret.digest());
        let new = NewAccount {
            name: "alice".into(),
            email: String::new(),
            role: Role::Member,
            password: None,
        };
        let write = started.storage.write(move |writes| {
            let user = writes.create_account(&new)?;
            writes.add_key(user, ("fuzz", Scopes::ALL), (&prefix, &digest))
        });
        write.unwrap();
        let site = serve::site(started.storage, settings, Warnings::default());
        let key = secret.text().to_string();
        let mut scene = Scene { site, key, pulse: String::new(), _directory: directory };
        let body = br#"{"name": "First pulse", "indicators": [{"indicator": "a.example", "type": "domain"}]}"#;
        let (_, made) = scene.ask(Method::Post, "/api/v1/pulses/create", body);
        let made: Value = serde_json::from_str(&made).unwrap();
        scene.pulse = made["id"].as_str().unwrap().to_string();
        scene
    });

    impl Scene {
        /// The status and the body of an answer.
        fn ask(&self, method: Method, target: &str, body: &[u8]) -> (u16, String) {
            let mut headers = hyper::HeaderMap::new();
            headers.insert("x-otx-api-key", self.key.parse().unwrap());
            let request = Request {
                method,
                target: target.to_string(),
                headers,
                body: body.to_vec(),
                peer: [127, 0, 0, 1].into(),
            };
            let reply = self.site.answer(&request);
            let status = reply.status;
            let is_json = reply.headers.iter().any(|(_, value)| value == "application/json");
            let body = String::from_utf8_lossy(&reply.into_bytes().unwrap()).into_owned();
            assert!(status < 500, "{} {target}: {body}", method.name());
            if is_json {
                let parsed: Result<Value, _> = serde_json::from_str(&body);
                assert!(parsed.is_ok(), "{} {target}: {body}", method.name());
            }
            (status, body)
        }
    }

    /// Any bytes as the body of a creation and of a change.
    pub fn bodies(bytes: &[u8]) {
        let scene = &*SCENE;
        let (status, body) = scene.ask(Method::Post, "/api/v1/pulses/create", bytes);
        if status == 201 {
            let made: Value = serde_json::from_str(&body).unwrap();
            let id = made["id"].as_str().unwrap();
            let (status, body) = scene.ask(Method::Get, &format!("/api/v1/pulses/{id}"), b"");
            let read: Value = serde_json::from_str(&body).unwrap();
            assert_eq!((status, &read["name"]), (200, &made["name"]));
            let name = read["name"].as_str().unwrap();
            assert!(!name.chars().any(char::is_control), "{name:?}");
            scene.ask(Method::Get, &format!("/api/v1/pulses/{id}/delete"), b"");
        }
        scene.ask(Method::Patch, &format!("/api/v1/pulses/{}", scene.pulse), bytes);
    }

    /// Any bytes as a request target: those that hyper would pass on.
    pub fn targets(bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let target: String =
            text.chars().filter(|c| c.is_ascii_graphic() && *c != '#').take(4096).collect();
        let scene = &*SCENE;
        for target in [
            target.clone(),
            format!("/{target}"),
            format!("/api/v1/indicators/url/{target}"),
            format!("/api/v1/pulses/subscribed?{target}"),
        ] {
            // One path ends the pulse that bodies are sent to.
            if !target.contains(&scene.pulse) {
                scene.ask(Method::Get, &target, b"");
            }
        }
    }

    /// Any bytes as the words of a search, and as the name of a label.
    pub fn searches(bytes: &[u8]) {
        let mut words = String::new();
        for byte in bytes.iter().take(1024) {
            words.push_str(&format!("%{byte:02X}"));
        }
        let scene = &*SCENE;
        for target in [
            format!("/api/v1/search/pulses?q={words}&sort=-modified"),
            format!("/api/v1/search/pulses?q={words}"),
            format!("/api/v1/search/users?q={words}"),
            format!("/api/v1/pulses/related?adversary={words}"),
            format!("/api/v2/search/facets?tag={words}&q={words}"),
        ] {
            scene.ask(Method::Get, &target, b"");
        }
    }
}
