//! Texts that follow from a pulse and are asked for again and again.
//!
//! A pulse of a well-known author goes to all of its subscribers. What its indicators look like
//! follows from the pulse and its last change, which no other state of any pulse shares, until
//! one of them expires. So the text is made once, and nobody has to say that it is outdated; that
//! holds for several servers on one database, too.

use crate::engine::indicator::Timestamp;
use crate::exchange::pulses::Type;
use crate::exchange::storage::Which;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// The most bytes of all texts that are kept: what a server of 256 MiB can spare.
const MAX_BYTES: usize = 48 << 20;

/// The key of a pulse, its last change, and which of its indicators.
type State = (i64, Timestamp, Which);

/// The indicators of a pulse as text.
#[derive(Debug, Default)]
pub struct Listed {
    /// The text.
    pub text: String,
    /// How many active ones of each type it has.
    pub counts: Vec<(Type, u64)>,
    /// When the first of them expires.
    pub until: Option<Timestamp>,
}

/// Texts that are kept, the oldest of which go first.
#[derive(Debug, Default)]
pub struct Kept {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    texts: HashMap<State, Arc<Listed>>,
    /// In the order in which they came.
    order: VecDeque<State>,
    bytes: usize,
}

impl Kept {
    /// The text of a pulse, made by `make` if it isn't there or not good any more at `now`.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub fn get<E>(
        &self,
        state: (i64, Timestamp, Which),
        now: Timestamp,
        make: impl FnOnce() -> Result<Listed, E>,
    ) -> Result<Arc<Listed>, E> {
        let lock = || self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let is_good = |of: &&Arc<Listed>| of.until.is_none_or(|until| now < until);
        if let Some(text) = lock().texts.get(&state).filter(is_good) {
            return Ok(Arc::clone(text));
        }
        let text = Arc::new(make()?);
        lock().put(state, Arc::clone(&text));
        Ok(text)
    }
}

impl Inner {
    fn put(&mut self, state: State, text: Arc<Listed>) {
        let bytes = text.text.len();
        // One that would push out most of the others is made again.
        if bytes > MAX_BYTES / 8 {
            return;
        }
        self.bytes += bytes;
        match self.texts.insert(state, text) {
            Some(old) => self.bytes -= old.text.len(),
            None => self.order.push_back(state),
        }
        while self.bytes > MAX_BYTES {
            let Some(oldest) = self.order.pop_front() else { return };
            if let Some(old) = self.texts.remove(&oldest) {
                self.bytes -= old.text.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(bytes: usize, until: Option<i64>) -> Listed {
        Listed { text: "x".repeat(bytes), until: until.map(Timestamp), ..Listed::default() }
    }

    #[test]
    fn made_once_until_something_expires() {
        let kept = Kept::default();
        let get = |state, now, make: &dyn Fn() -> Listed| {
            kept.get((1, Timestamp(state), Which::Active), Timestamp(now), || Ok::<_, ()>(make()))
                .unwrap()
        };
        let never = || panic!("it is there");
        assert_eq!(get(1, 5, &|| listed(3, Some(10))).text.len(), 3);
        assert_eq!(get(1, 9, &never).text.len(), 3);
        assert_eq!(get(1, 10, &|| listed(4, None)).text.len(), 4);
        assert_eq!(get(1, 11, &never).text.len(), 4);
        assert_eq!(get(2, 11, &|| listed(5, None)).text.len(), 5);
        assert_eq!(kept.inner.lock().unwrap().bytes, 9);
    }

    #[test]
    fn the_oldest_go_first() {
        let kept = Kept::default();
        for state in 0..20 {
            kept.get((1, Timestamp(state), Which::Active), Timestamp(0), || {
                Ok::<_, ()>(listed(5 << 20, None))
            })
            .unwrap();
        }
        let inner = kept.inner.lock().unwrap();
        assert!(inner.bytes <= MAX_BYTES && inner.texts.len() == inner.order.len());
        assert!(inner.texts.contains_key(&(1, Timestamp(19), Which::Active)));
        assert!(!inner.texts.contains_key(&(1, Timestamp(0), Which::Active)));
    }
}
