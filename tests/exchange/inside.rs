//! A site in this process, for tests that ask thousands of questions.

use hyper::HeaderMap;
use serde_json::Value;
use std::path::Path;
use wiresift::exchange::accounts::{GroupId, Rank, Role, Scopes, Secret, UserId};
use wiresift::exchange::http::{Method, Request};
use wiresift::exchange::serve;
use wiresift::exchange::site::{Quotas, Settings, Site, Warnings};
use wiresift::exchange::storage::{NewAccount, Place, Storage};

/// A site and its directory.
pub struct Inside {
    pub site: Site,
    _directory: tempfile::TempDir,
}

/// An answer, read to its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    pub status: u16,
    pub body: String,
    headers: Vec<(&'static str, String)>,
}

impl Told {
    /// A header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(of, _)| *of == name).map(|(_, value)| value.as_str())
    }

    /// All header fields.
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Inside {
    /// A new site without limits.
    pub fn new(change: impl FnOnce(&mut Settings)) -> Inside {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings {
            per_key: 0,
            per_address: 0,
            writes_per_key: 0,
            logins_per_address: 0,
            logins_per_account: 0,
            quotas: Quotas { pulses: 0, indicators: 0, days: 0 },
            ..Settings::default()
        };
        change(&mut settings);
        let storage = open(directory.path(), &settings.house);
        let site = serve::site(storage, settings, Warnings::default());
        Inside { site, _directory: directory }
    }

    /// Creates an account with a key.
    pub fn account(&self, name: &str, role: Role) -> (UserId, String) {
        let secret = Secret::new().unwrap();
        let (prefix, digest) = (secret.prefix().to_string(), secret.digest());
        let new = NewAccount { name: name.into(), email: String::new(), role, password: None };
        let user = self.site.storage.write(move |writes| {
            let user = writes.create_account(&new)?;
            writes.add_key(user, ("test", Scopes::ALL), (&prefix, &digest))?;
            Ok(user)
        });
        (user.unwrap(), secret.text().to_string())
    }

    /// A key of an account that there is.
    pub fn key_of(&self, name: &str) -> String {
        let secret = Secret::new().unwrap();
        let (prefix, digest) = (secret.prefix().to_string(), secret.digest());
        let name = name.to_string();
        let added = self.site.storage.write(move |writes| {
            let user = writes.account(&name)?;
            writes.add_key(user, ("test", Scopes::ALL), (&prefix, &digest)).map(|_| ())
        });
        added.unwrap();
        secret.text().to_string()
    }

    /// Creates a group with an owner and members.
    pub fn group(&self, name: &str, owner: UserId, members: &[(UserId, Rank)]) -> GroupId {
        let (name, members) = (name.to_string(), members.to_vec());
        let group = self.site.storage.write(move |writes| {
            let group = writes.create_group(owner, (&name, ""), (false, None))?;
            for (user, rank) in members {
                writes.set_member(group, user, Some(rank))?;
            }
            Ok(group)
        });
        group.unwrap()
    }

    /// Sends a request with a key.
    pub fn ask(&self, method: Method, target: &str, key: &str, body: &str) -> Told {
        let key = [("x-otx-api-key", key.to_string())];
        self.ask_with(method, target, if key[0].1.is_empty() { &[] } else { &key }, body)
    }

    /// Sends a request with header fields. The body is JSON, unless they say otherwise.
    pub fn ask_with(
        &self,
        method: Method,
        target: &str,
        fields: &[(&'static str, String)],
        body: &str,
    ) -> Told {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        headers.entry("content-type").or_insert("application/json".parse().unwrap());
        let request = Request {
            method,
            target: target.to_string(),
            headers,
            body: body.as_bytes().to_vec(),
            peer: [127, 0, 0, 1].into(),
        };
        let reply = self.site.answer(&request);
        let (status, headers) = (reply.status, reply.headers.clone());
        let body = String::from_utf8_lossy(&reply.into_bytes().unwrap()).into_owned();
        Told { status, body, headers }
    }

    /// `GET`.
    pub fn get(&self, target: &str, key: &str) -> Told {
        self.ask(Method::Get, target, key, "")
    }

    /// Runs a statement that no route has.
    pub fn execute(&self, sql: &str) {
        let directory = self.site.storage.directory();
        #[cfg(feature = "postgres")]
        if crate::harness::postgres::execute(directory, sql) {
            return;
        }
        let database = rusqlite::Connection::open(Storage::file(directory)).unwrap();
        database.execute_batch(sql).unwrap();
    }

    /// Creates a pulse, and returns its id.
    #[track_caller]
    pub fn create(&self, key: &str, body: &Value) -> String {
        let told = self.ask(Method::Post, "/api/v1/pulses/create", key, &body.to_string());
        assert_eq!(told.status, 201, "{}", told.body);
        told.json()["id"].as_str().unwrap().to_string()
    }
}

fn open(directory: &Path, house: &str) -> Storage {
    serve::start(place(directory), house).unwrap().storage
}

/// The storage of a directory: in a file, or wherever tests are to keep theirs.
pub fn place(directory: &Path) -> Place {
    #[cfg(feature = "postgres")]
    if let Some(url) = crate::harness::postgres::database_of(directory) {
        return Place::with_database(directory, &url, None).unwrap();
    }
    Place::new(directory)
}
