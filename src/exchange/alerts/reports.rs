//! The routes by which sensors report.

use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::Scope;
use crate::exchange::http::{Failure, Method, Reply};
use crate::exchange::pulses::{IndicatorDraft, Invalid, Type, naive, naive_micros, parse_time};
use crate::exchange::site::{Answer, Call, Family, Needs, Route};
use serde_json::{Value, json};

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

/// The most records of a report.
const MAX: usize = 10_000;

/// The most bytes of an alert.
const MAX_ALERT: usize = 256 << 10;

const REPORT: Needs = Needs::Key(Scope::Report);

/// The routes of sensors.
pub const ROUTES: &[Route] = &[
    Route {
        methods: &[Method::Post],
        path: "api/v2/alerts",
        needs: REPORT,
        family: Family::Api,
        summary: "Stores alerts of a sensor, each id once",
        handler: add_alerts,
    },
    Route {
        methods: &[Method::Get],
        path: "api/v2/alerts",
        needs: Needs::Key(Scope::Read),
        family: Family::Api,
        summary: "The alerts of the caller's sensors",
        handler: alerts,
    },
    Route {
        methods: &[Method::Post],
        path: "api/v2/sightings",
        needs: REPORT,
        family: Family::Api,
        summary: "Counts of sightings by indicator and day",
        handler: add_sightings,
    },
    Route {
        methods: &[Method::Get],
        path: "api/v2/sightings",
        needs: Needs::Key(Scope::Read),
        family: Family::Api,
        summary: "How often all sensors saw an indicator, and on which day last",
        handler: sightings,
    },
];

/// The records of a body: JSON lines, or one JSON array.
fn records(call: &Call<'_>) -> Result<Vec<Value>, Failure> {
    let body = &call.request.body;
    let is_array = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let records = match is_array {
        true => match call.json()? {
            Value::Array(records) => records,
            _ => Vec::new(),
        },
        false => {
            let lines = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
            let records: Result<Vec<Value>, _> = lines.take(MAX + 1).collect();
            records
                .map_err(|error| Failure::bad_request(format!("a record is not JSON: {error}")))?
        }
    };
    if records.len() > MAX {
        return Err(Failure::bad_request(format!("at most {MAX} records are allowed")));
    }
    Ok(records)
}

/// `POST /alerts`.
fn add_alerts(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let mut rows = Vec::new();
    for (at, record) in records(call)?.into_iter().enumerate() {
        let id = record.get("id").or_else(|| record.get("event_id")).and_then(Value::as_str);
        let id = id.filter(|id| !id.is_empty() && id.len() <= 128);
        let id =
            id.ok_or_else(|| Failure::from(Invalid::of(&format!("[{at}].id"), "expected a text")));
        let (id, body) = (id?.to_string(), record.to_string());
        if body.len() > MAX_ALERT {
            let message = format!("at most {MAX_ALERT} bytes are allowed");
            return Err(Invalid::of(&format!("[{at}]"), message).into());
        }
        rows.push((id, body));
    }
    let received = rows.len();
    let added = call.write(move |writes| {
        let mut added = 0;
        for (id, body) in &rows {
            added += usize::from(writes.add_alert(user, id, body)?);
        }
        Ok(added)
    })?;
    Ok(Reply::json(&json!({"received": received, "added": added})))
}

/// `GET /alerts`.
fn alerts(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let query = call.query();
    let positive = |name: &str| query.number(name).and_then(|it| usize::try_from(it).ok());
    let limit = positive("limit").unwrap_or(50).clamp(1, 1000);
    let offset = (positive("page").unwrap_or(1).clamp(1, 1 << 20) - 1) * limit;
    let rows = call.read(|view| view.alerts(user, (limit, offset)))?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|of| {
            let body: Value = serde_json::from_str(&of.body).unwrap_or_default();
            json!({"received": naive_micros(of.created), "alert": body})
        })
        .collect();
    Ok(Reply::json(&json!({"results": rows})))
}

/// `GET /sightings?type=domain&indicator=…`: what all accounts counted, of a value that the caller
/// sees in a pulse.
fn sightings(call: &Call<'_>) -> Answer {
    let query = call.query();
    let kind = Type::from_name(query.get("type").unwrap_or(""));
    let kind = kind.ok_or_else(|| Failure::from(Invalid::of("type", "unknown type")))?;
    let draft = IndicatorDraft::new(kind, query.get("indicator").unwrap_or(""))
        .map_err(|why| Failure::from(Invalid::of("indicator", why)))?;
    let viewer = call.caller.viewer;
    let found = call.read(|view| {
        let value = (draft.kind, &*draft.norm);
        match view.count_hits(viewer, value)? {
            0 => Ok(None),
            _ => view.sightings(value).map(Some),
        }
    })?;
    let (count, last) = found.ok_or_else(Failure::not_found)?;
    let last = last.map(|day| naive(Timestamp(day * DAY)));
    Ok(Reply::json(&json!({
        "type": draft.kind.name(), "indicator": draft.norm, "count": count,
        "last": last.as_deref().and_then(|day| day.get(..10)),
    })))
}

/// The name of a request that counts once, however often it is sent.
fn once(call: &Call<'_>) -> Result<Option<String>, Failure> {
    let Some(name) = call.request.header("idempotency-key").map(str::trim) else { return Ok(None) };
    let is_name =
        !name.is_empty() && name.len() <= 128 && name.bytes().all(|b| b.is_ascii_graphic());
    match is_name {
        true => Ok(Some(name.to_string())),
        false => {
            Err(Failure::bad_request("Idempotency-Key: expected 1 to 128 characters of ASCII"))
        }
    }
}

/// `POST /sightings`: `{"type": "domain", "indicator": "…", "day": "2026-11-30", "count": 5}`.
/// With the header `Idempotency-Key` the counts are added, once for each key; without it the
/// higher of two counts of a day stays.
fn add_sightings(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let now = crate::clock::now();
    let viewer = call.caller.viewer;
    let mut rows = Vec::new();
    for (at, record) in records(call)?.into_iter().enumerate() {
        let wrong = |message: String| Failure::from(Invalid::of(&format!("[{at}]"), message));
        let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
        let kind = Type::from_name(text("type")).ok_or_else(|| wrong("unknown type".into()))?;
        let draft = IndicatorDraft::new(kind, text("indicator")).map_err(wrong)?;
        let day = parse_time(text("day"), now).map_err(wrong)?.unwrap_or(now);
        let day = day.0.div_euclid(DAY);
        let today = now.0 / DAY;
        if !(today - 90..=today + 1).contains(&day) {
            return Err(wrong("the day is not one of the last 90".into()));
        }
        let count = record.get("count").and_then(Value::as_u64).unwrap_or(1);
        rows.push((draft, (day, u32::try_from(count).unwrap_or(u32::MAX))));
    }
    // Only values that somebody shares are counted: others are nobody's business.
    let known = call.read(|view| {
        let mut known = Vec::new();
        for (draft, seen) in rows {
            if view.count_hits(viewer, (draft.kind, &draft.norm))? > 0 {
                known.push((draft, seen));
            }
        }
        Ok(known)
    })?;
    let counted = known.len();
    let once = once(call)?;
    call.write(move |writes| {
        match &once {
            // A report that was received before is answered as it was then.
            Some(name) if !writes.receive(user, name)? => {}
            Some(_) => {
                for (draft, seen) in &known {
                    writes.count_sighting(user, draft, *seen)?;
                }
            }
            None => {
                for (draft, seen) in &known {
                    writes.add_sighting(user, draft, *seen)?;
                }
            }
        }
        Ok(())
    })?;
    Ok(Reply::json(&json!({"counted": counted})))
}
