//! A double of OTX DirectConnect, with the behaviour described in section 1 of the matching
//! specification. `sdk.rs` checks it with the official SDK.

use crate::harness::server::{Asked, Reply, Server};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use wiresift::engine::indicator::Timestamp;

/// The accepted key.
pub const KEY: &str = "0123456789abcdef-otx-key-0123456789abcdef";

/// Called before each response; its own response replaces that.
type Hook = dyn FnMut(&mut Account, &Asked) -> Option<Reply> + Send;

/// The contents of an account.
pub struct Account {
    /// The server's clock.
    pub now: Timestamp,
    /// Existing pulses, with all their indicators.
    pub pulses: Vec<Value>,
    /// Subscribed pulses.
    pub subscribed: BTreeSet<String>,
    /// Subscribed authors.
    pub authors: BTreeSet<String>,
    pub events: Vec<Value>,
    /// Lists of pulses truncate pulses with more indicators.
    pub inline: usize,
    /// Called before each response: it may change the account, or fail.
    pub hook: Option<Box<Hook>>,
}

/// The double.
pub struct Double {
    pub server: Server,
    account: Arc<Mutex<Account>>,
}

impl Double {
    pub fn start(now: &str, pulses: Vec<Value>) -> Double {
        let subscribed = pulses.iter().map(id).collect();
        let account = Arc::new(Mutex::new(Account {
            now: Timestamp::parse(now).unwrap(),
            pulses,
            subscribed,
            authors: BTreeSet::new(),
            events: Vec::new(),
            inline: usize::MAX,
            hook: None,
        }));
        let shared = Arc::clone(&account);
        let server = Server::start(move |asked| shared.lock().unwrap().answer(asked));
        Double { server, account }
    }

    pub fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap()
    }

    /// Sets what is called before each response.
    pub fn hook(&self, hook: impl FnMut(&mut Account, &Asked) -> Option<Reply> + Send + 'static) {
        self.account().hook = Some(Box::new(hook));
    }
}

/// The identifier of a pulse.
pub fn id(pulse: &Value) -> String {
    pulse["id"].as_str().unwrap().to_string()
}

/// Pulse number `number`, modified at `modified`, with some indicators.
pub fn pulse(number: usize, modified: &str, indicators: usize) -> Value {
    let indicators: Vec<Value> = (0..indicators).map(|at| indicator(number, at)).collect();
    json!({
        "id": format!("{number:024x}"), "name": format!("Pulse {number}"), "description": "",
        "author_name": format!("author{}", number % 7), "created": modified, "modified": modified,
        "revision": 1, "tlp": "green", "public": 1, "adversary": "", "tags": ["t"],
        "references": [], "targeted_countries": [], "industries": [], "malware_families": [],
        "attack_ids": [], "extract_source": [], "indicators": indicators, "more_indicators": false,
    })
}

/// Indicator number `at` of a pulse.
pub fn indicator(pulse: usize, at: usize) -> Value {
    json!({
        "id": pulse * 100_000 + at, "indicator": format!("h{at}.p{pulse}.example"),
        "type": "hostname", "created": "2026-01-01T00:00:00", "content": "", "title": "",
        "description": "", "expiration": null, "is_active": 1, "role": null,
    })
}

fn naive(time: Timestamp) -> String {
    time.to_string().trim_end_matches('Z').to_string()
}

fn time(value: &Value) -> Timestamp {
    Timestamp::parse(value.as_str().unwrap()).unwrap()
}

impl Account {
    pub fn pulse_mut(&mut self, wanted: &str) -> &mut Value {
        self.pulses.iter_mut().find(|pulse| id(pulse) == wanted).unwrap()
    }

    /// Changes a pulse, now.
    pub fn modify(&mut self, wanted: &str, change: impl FnOnce(&mut Value)) {
        let now = naive(self.now);
        let pulse = self.pulse_mut(wanted);
        change(pulse);
        pulse["modified"] = json!(now);
        pulse["revision"] = json!(pulse["revision"].as_u64().unwrap() + 1);
    }

    /// Deletes a pulse, now.
    pub fn delete(&mut self, wanted: &str) {
        self.pulses.retain(|pulse| id(pulse) != wanted);
        self.subscribed.remove(wanted);
        self.happens("delete", "pulse", wanted);
    }

    /// Adds an event with the current time.
    pub fn happens(&mut self, action: &str, object: &str, object_id: &str) {
        let event = json!({
            "id": self.events.len() + 1, "action": action, "object_type": object,
            "object_id": object_id, "created": naive(self.now),
        });
        self.events.push(event);
    }

    pub fn pass(&mut self, time: Duration) {
        self.now.0 += i64::try_from(time.as_micros()).unwrap();
    }

    fn is_in_feed(&self, pulse: &Value) -> bool {
        self.subscribed.contains(&id(pulse))
            || self.authors.contains(pulse["author_name"].as_str().unwrap())
    }

    fn answer(&mut self, asked: &Asked) -> Reply {
        if let Some(mut hook) = self.hook.take() {
            let reply = hook(self, asked);
            self.hook.get_or_insert(hook);
            if let Some(reply) = reply {
                return reply;
            }
        }
        if asked.header("x-otx-api-key") != Some(KEY) {
            return fails(403, "Authentication required");
        }
        let Some(path) = asked.path().strip_prefix("/api/v1/") else { return fails(404, "no") };
        let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        match (asked.method.as_str(), &parts[..]) {
            ("GET", ["pulses", "subscribed"]) => self.subscribed(asked),
            ("GET", ["pulses", "events"]) => self.events(asked),
            ("GET", ["pulses", wanted, rest @ ..]) => self.about(asked, wanted, rest),
            ("GET", ["users", name, action @ ("subscribe" | "unsubscribe")]) => {
                if *action == "subscribe" {
                    self.authors.insert(name.to_string());
                } else {
                    self.authors.remove(*name);
                }
                self.happens(action, "user", name);
                Reply::json(r#"{"status":"ok"}"#)
            }
            _ => fails(404, "there is no such route"),
        }
    }

    fn subscribed(&self, asked: &Asked) -> Reply {
        let since = asked.query("modified_since").map(|text| Timestamp::parse(&text).unwrap());
        let author = asked.query("author_name");
        let mut pulses: Vec<&Value> = self
            .pulses
            .iter()
            .filter(|pulse| self.is_in_feed(pulse))
            .filter(|pulse| since.is_none_or(|since| time(&pulse["modified"]) >= since))
            .filter(|pulse| author.as_deref().is_none_or(|author| pulse["author_name"] == author))
            .collect();
        pulses.sort_by_key(|pulse| (std::cmp::Reverse(time(&pulse["modified"])), id(pulse)));
        let cut = |pulse: &&Value| {
            let all = pulse["indicators"].as_array().unwrap();
            let mut pulse = (*pulse).clone();
            if all.len() > self.inline {
                pulse["indicators"] = json!(all[..self.inline]);
                pulse["more_indicators"] = json!(true);
            }
            pulse
        };
        page(asked, &pulses, 20, cut)
    }

    fn events(&self, asked: &Asked) -> Reply {
        let since = asked.query("since").map(|text| Timestamp::parse(&text).unwrap());
        // The oldest first: the SDK applies them in order.
        let events: Vec<&Value> = self
            .events
            .iter()
            .filter(|event| since.is_none_or(|since| time(&event["created"]) >= since))
            .collect();
        page(asked, &events, 20, |event| (*event).clone())
    }

    fn about(&mut self, asked: &Asked, wanted: &str, rest: &[&str]) -> Reply {
        if wanted.len() != 24 || !wanted.bytes().all(|b| b.is_ascii_hexdigit()) {
            return fails(400, "malformed identifier");
        }
        let Some(at) = self.pulses.iter().position(|pulse| id(pulse) == wanted) else {
            return fails(404, "no such pulse");
        };
        match rest {
            [] => {
                let mut pulse = self.pulses[at].clone();
                pulse["TLP"] = pulse["tlp"].take();
                pulse["is_subscribing"] = json!(self.subscribed.contains(wanted));
                Reply::json(pulse.to_string())
            }
            ["indicators"] => {
                let inactive = asked.query("include_inactive").as_deref() == Some("1");
                let all = self.pulses[at]["indicators"].as_array().unwrap();
                let shown = |indicator: &&Value| inactive || indicator["is_active"] != 0;
                let shown: Vec<&Value> = all.iter().filter(shown).collect();
                page(asked, &shown, 100, |indicator| (*indicator).clone())
            }
            ["subscribe"] => {
                self.subscribed.insert(wanted.to_string());
                self.happens("subscribe", "pulse", wanted);
                Reply::json(r#"{"status":"subscribed"}"#)
            }
            ["unsubscribe"] => {
                self.subscribed.remove(wanted);
                self.happens("unsubscribe", "pulse", wanted);
                Reply::json(r#"{"status":"unsubscribed"}"#)
            }
            ["delete"] => {
                self.delete(wanted);
                Reply::json(r#"{"status":"success"}"#)
            }
            _ => fails(404, "there is no such route"),
        }
    }
}

fn fails(status: u16, detail: &str) -> Reply {
    let body = json!({ "detail": detail }).to_string();
    Reply::new(status, &[("Content-Type", "application/json")], body)
}

/// One page of some values.
fn page(asked: &Asked, all: &[&Value], limit: usize, show: impl Fn(&&Value) -> Value) -> Reply {
    let number = |name: &str| asked.query(name).and_then(|text| text.parse::<usize>().ok());
    let limit = number("limit").unwrap_or(limit).clamp(1, 9999);
    let page = number("page").unwrap_or(1).max(1);
    let first = (page - 1) * limit;
    let shown: Vec<Value> = all.iter().skip(first).take(limit).map(show).collect();
    let link = |page: usize| {
        let query = asked.target.split_once('?').map_or("", |(_, query)| query);
        let others = query.split('&').filter(|pair| !pair.starts_with("page="));
        let others: Vec<&str> = others.filter(|pair| !pair.is_empty()).collect();
        format!("{}?{}&page={page}", asked.path(), others.join("&"))
    };
    let next = (first + limit < all.len()).then(|| link(page + 1));
    let previous = (page > 1).then(|| link(page - 1));
    let body = json!({
        "count": all.len(), "next": next, "previous": previous, "results": shown,
        "prefetch_pulse_ids": false, "t": 0, "t2": 0.1, "t3": 0.2,
    });
    Reply::json(body.to_string())
}
