//! The routes by which sensors report.

use crate::exchange::accounts::Scope;
use crate::exchange::http::{Failure, Method, Reply};
use crate::exchange::pulses::{IndicatorDraft, Invalid, Type, naive_micros, parse_time};
use crate::exchange::site::{Answer, Call, Family, Needs, Route};
use serde_json::{Value, json};

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

/// `POST /sightings`: `{"type": "domain", "indicator": "…", "day": "2026-11-30", "count": 5}`.
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
        let day = day.0.div_euclid(86_400_000_000);
        let today = now.0 / 86_400_000_000;
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
    call.write(move |writes| {
        for (draft, seen) in &known {
            writes.add_sighting(user, draft, *seen)?;
        }
        Ok(())
    })?;
    Ok(Reply::json(&json!({"counted": counted})))
}
