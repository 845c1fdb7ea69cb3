//! A document store in memory, and a clock that does not wait: walks without a store.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;
use wiresift::engine::indicator::Timestamp;
use wiresift::intel::feed::client::DocumentStore;
use wiresift::intel::feed::fetch::Clock;
use wiresift::{Error, Result};

/// What is durable, and what is not yet.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub documents: BTreeMap<String, Vec<u8>>,
    cursor: Option<String>,
    durable: BTreeMap<String, Vec<u8>>,
    /// After this many changes every call fails, as if the power was cut.
    pub changes_left: Option<usize>,
}

impl Memory {
    /// What is left after a crash: of the changes after the last cursor, all or nothing.
    pub fn after_crash(&self, all: bool) -> Memory {
        let documents = if all { &self.documents } else { &self.durable };
        Memory {
            documents: documents.clone(),
            durable: documents.clone(),
            cursor: self.cursor.clone(),
            changes_left: None,
        }
    }

    fn change(&mut self) -> Result<()> {
        match &mut self.changes_left {
            Some(0) => Err(Error::usage("the plug was pulled")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl DocumentStore for Memory {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.change()?;
        self.documents.insert(name.into(), bytes.into());
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<()> {
        self.change()?;
        self.documents.remove(name);
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>> {
        Ok(self.documents.keys().cloned().collect())
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.documents.get(name).cloned())
    }

    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    fn set_cursor(&mut self, cursor: &str) -> Result<()> {
        self.change()?;
        self.cursor = Some(cursor.into());
        self.durable = self.documents.clone();
        Ok(())
    }
}

/// A clock that only advances by sleeping.
pub struct StillClock {
    now: Mutex<Timestamp>,
    slept: Mutex<Vec<Duration>>,
}

impl StillClock {
    pub fn at(time: &str) -> StillClock {
        StillClock { now: Mutex::new(Timestamp::parse(time).unwrap()), slept: Mutex::default() }
    }

    pub fn pass(&self, time: Duration) {
        self.now.lock().unwrap().0 += i64::try_from(time.as_micros()).unwrap();
    }

    /// The sleeps since the last call.
    pub fn slept(&self) -> Vec<Duration> {
        std::mem::take(&mut self.slept.lock().unwrap())
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn sleep(&self, time: Duration) -> Result<()> {
        self.slept.lock().unwrap().push(time);
        self.pass(time);
        Ok(())
    }
}
