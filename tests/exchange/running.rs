//! A running exchange, with accounts and pulses.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use wiresift::engine::indicator::Timestamp;
use wiresift::exchange::accounts::{Role, Scopes, Secret, UserId};
use wiresift::exchange::pulses::{Draft, Patch, PulseId};
use wiresift::exchange::serve;
use wiresift::exchange::site::{Settings, Site, Warnings};
use wiresift::exchange::storage::{NewAccount, Storage};

/// An exchange on loopback. It ends when it is dropped.
pub struct Running {
    pub url: String,
    /// The same storage, for tests that need no HTTP to write.
    storage: Arc<Storage>,
    accounts: BTreeMap<String, (UserId, String)>,
    stop: serve::Stop,
    thread: Option<JoinHandle<()>>,
    _dir: tempfile::TempDir,
}

impl Running {
    /// Starts one with these accounts. Nothing is limited.
    pub fn start(names: &[&str]) -> Running {
        Running::with(names, |_| {})
    }

    /// The same, with other settings.
    pub fn with(names: &[&str], change: impl FnOnce(&mut Settings)) -> Running {
        let dir = tempfile::tempdir().unwrap();
        let storage = serve::start(super::inside::place(dir.path()), "house").unwrap().storage;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut settings = Settings {
            base: url.clone(),
            per_key: 0,
            per_address: 0,
            writes_per_key: 0,
            test_routes: true,
            ..Settings::default()
        };
        change(&mut settings);
        let accounts = names.iter().map(|name| (name.to_string(), account(&storage, name)));
        let accounts = accounts.collect();
        let site: Site = serve::site(storage, settings, Warnings::new(&[]));
        let storage = Arc::clone(&site.storage);
        let stop: serve::Stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let run = move || {
            let options = serve::Options { listener, tls: None, metrics: None, sources: None };
            serve::run(site, options, &stopping).unwrap();
        };
        let thread = std::thread::Builder::new().name("exchange".into()).spawn(run).unwrap();
        Running { url, storage, accounts, stop, thread: Some(thread), _dir: dir }
    }

    /// The storage.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// The key of an account.
    pub fn key(&self, name: &str) -> &str {
        &self.accounts[name].1
    }

    /// A key of an account with other scopes.
    pub fn add_key(&self, name: &str, scopes: Scopes) -> String {
        let user = self.accounts[name].0;
        add_key(&self.storage, user, scopes)
    }

    /// Creates a pulse.
    pub fn create(&self, name: &str, body: &serde_json::Value) -> PulseId {
        let draft = Draft::from_json(body, Timestamp(0)).unwrap();
        let user = self.accounts[name].0;
        self.storage
            .write(move |writes| writes.create_pulse(user, &draft, (true, None)))
            .unwrap()
            .id
    }

    /// Changes a pulse.
    pub fn patch(&self, name: &str, id: PulseId, body: &serde_json::Value) {
        let patch = Patch::from_json(body, Timestamp(0)).unwrap();
        let user = self.accounts[name].0;
        let change = move |writes: &wiresift::exchange::storage::Writes<'_>| {
            writes.patch_pulse(user, &id, &patch).map(|_| ())
        };
        self.storage.write(change).unwrap();
    }

    /// A file, which must be there.
    pub fn fetch(&self, name: &str, target: &str) -> Vec<u8> {
        let (status, _, body) = self.get(target, &[("X-OTX-API-KEY", self.key(name))]);
        assert_eq!(status, 200, "{target}: {}", String::from_utf8_lossy(&body));
        body
    }

    /// An answer: status, header fields with names in lower case, body.
    pub fn get(
        &self,
        target: &str,
        headers: &[(&str, &str)],
    ) -> (u16, BTreeMap<String, String>, Vec<u8>) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut request = agent.get(format!("{}{target}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.call().unwrap();
        let status = response.status().as_u16();
        let fields = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_string(), value.to_str().unwrap().to_string()));
        let fields = fields.collect();
        let body = response.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
        (status, fields, body)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn account(storage: &Storage, name: &str) -> (UserId, String) {
    let new =
        NewAccount { name: name.into(), email: String::new(), role: Role::Trusted, password: None };
    let user = storage.write(move |writes| writes.create_account(&new)).unwrap();
    (user, add_key(storage, user, Scopes::ALL))
}

fn add_key(storage: &Storage, user: UserId, scopes: Scopes) -> String {
    let secret = Secret::new().unwrap();
    let (prefix, digest) = (secret.prefix().to_string(), secret.digest());
    storage
        .write(move |writes| writes.add_key(user, ("test", scopes), (&prefix, &digest)))
        .unwrap();
    secret.text().to_string()
}
