//! What is known: values looked up in numbers, facets of searches, counts, false positives.

use super::talk::text;
use crate::exchange::api::search::query_of;
use crate::exchange::api::target::asked;
use crate::exchange::http::{Failure, Reply};
use crate::exchange::pulses::{IndicatorDraft, Invalid, Type, normalise};
use crate::exchange::site::{Answer, Call};
use crate::exchange::storage::LabelKind;
use serde_json::{Map, Value, json};

/// The most values of a lookup.
const MAX_LOOKUP: usize = 1000;

/// The names of a facet.
const FACET: usize = 20;

/// The types that a bare value may be, in the order of trial.
pub(super) const GUESSED: [Type; 11] = [
    Type::IPv4,
    Type::IPv6,
    Type::Cidr,
    Type::Url,
    Type::Email,
    Type::Md5,
    Type::Sha1,
    Type::Sha256,
    Type::Cve,
    Type::Domain,
    Type::Hostname,
];

/// `POST /lookup`: `{"values": ["…"]}`.
pub(super) fn lookup(call: &Call<'_>) -> Answer {
    let body = call.json()?;
    let values = match body.get("values") {
        Some(Value::Array(values)) if values.len() <= MAX_LOOKUP => values,
        _ => {
            let message = format!("expected a list of at most {MAX_LOOKUP} texts");
            return Err(Invalid::of("values", message).into());
        }
    };
    let viewer = call.caller.viewer;
    let rows = call.read(|view| {
        let mut rows = Vec::new();
        for value in values {
            let text = value.as_str().unwrap_or_default();
            let mut types = Vec::new();
            let mut count = 0;
            for (kind, norm) in GUESSED.iter().filter_map(|of| normalise(*of, text).ok()) {
                let of_type = view.count_hits(viewer, (kind, &norm))?;
                if of_type > 0 {
                    types.push(kind.name());
                    count += of_type;
                }
            }
            rows.push(json!({"value": text, "pulses": count, "types": types}));
        }
        Ok(rows)
    })?;
    Ok(Reply::json(&json!({"results": rows})))
}

/// `GET /search/facets`: the most frequent names among the pulses of a search.
pub(super) fn facets(call: &Call<'_>) -> Answer {
    let query = query_of(call)?;
    let viewer = call.caller.viewer;
    let facets = call.read(|view| {
        let mut facets = Map::new();
        for (kind, name) in LabelKind::ALL {
            let found = view.facet(viewer, &query, kind, FACET)?;
            let rows: Vec<Value> =
                found.iter().map(|of| json!({"name": of.name, "count": of.count})).collect();
            facets.insert(name.to_string(), json!(rows));
        }
        facets.insert("count".into(), json!(view.count(viewer, &query)?));
        Ok(facets)
    })?;
    Ok(Reply::json(&Value::Object(facets)))
}

/// `GET /stats`.
pub(super) fn statistics(call: &Call<'_>) -> Answer {
    let viewer = call.caller.viewer;
    let counts = call.read(|view| view.statistics(viewer))?;
    let types: Map<String, Value> =
        counts.indicators.iter().map(|(kind, count)| (kind.name().into(), json!(count))).collect();
    let days: Vec<Value> = counts
        .days
        .iter()
        .map(|(day, count)| {
            let time = crate::engine::indicator::Timestamp(day * 86_400_000_000);
            json!({"day": crate::exchange::pulses::naive(time).get(..10), "pulses": count})
        })
        .collect();
    Ok(Reply::json(&json!({
        "pulses": counts.pulses, "indicators": types, "users": counts.accounts, "days": days,
    })))
}

/// The value of the path: `{slug}/{value*}`, with an action at its end.
fn valued(call: &Call<'_>, action: &str) -> Result<IndicatorDraft, Failure> {
    let raw = call.param("value");
    let end = format!("/{action}");
    let raw = raw.split_once('?').map_or(raw, |(raw, query)| {
        // A question mark that belongs to the value is followed by the action.
        if query.trim_end_matches('/').ends_with(&end) { call.param("value") } else { raw }
    });
    let raw = raw.trim_end_matches('/').strip_suffix(&end).ok_or_else(Failure::not_found)?;
    let value = asked(raw).value;
    let mut why = None;
    for kind in Type::of_slug(call.param("slug")) {
        match IndicatorDraft::new(kind, &value) {
            Ok(draft) => return Ok(draft),
            Err(message) => why = why.or(Some(message)),
        }
    }
    Err(why.map_or_else(Failure::not_found, Failure::bad_request))
}

/// `POST /indicators/{slug}/{value}/false_positive`: `{"reason": "…"}`; or `…/vote`:
/// `{"vote": 1}`.
pub(super) fn act(call: &Call<'_>) -> Answer {
    match valued(call, "vote") {
        Ok(draft) => vote(call, draft),
        Err(failure) if failure.status == 404 => false_positive(call),
        Err(failure) => Err(failure),
    }
}

/// `POST /indicators/{slug}/{value}/vote`.
fn vote(call: &Call<'_>, draft: IndicatorDraft) -> Answer {
    let user = call.user()?;
    let vote = super::votes::vote_of(&call.json()?)?;
    let votes = call.write(move |writes| writes.vote_value(user, &draft, vote))?;
    Ok(Reply::json(&super::votes::shown(votes)))
}

/// `GET /indicators/{slug}/{value}/votes`: votes on a value that some visible pulse has.
pub(super) fn votes(call: &Call<'_>) -> Answer {
    let draft = valued(call, "votes")?;
    let viewer = call.caller.viewer;
    let of = (draft.kind, draft.norm.as_str());
    let votes = call.read(|view| match view.count_hits(viewer, of)? {
        0 => Ok(None),
        _ => Ok(Some(view.value_votes(viewer, of)?)),
    })?;
    Ok(Reply::json(&super::votes::shown(votes.ok_or_else(Failure::not_found)?)))
}

fn false_positive(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let draft = valued(call, "false_positive")?;
    let reason = text(&call.json()?, "reason", 512)?;
    let viewer = call.caller.viewer;
    let is_known = call.read(|view| view.count_hits(viewer, (draft.kind, &draft.norm)))? > 0;
    if !is_known {
        return Err(Failure::not_found());
    }
    let number = call.write(move |writes| writes.report_value(user, &draft, &reason))?;
    Ok(Reply::json(&json!({"id": number, "status": "pending"})).status(201))
}
