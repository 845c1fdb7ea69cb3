//! What is known about one value, by sections; and all values as one list.
//!
//! There is no data of others here: sections that OTX fills from elsewhere are the empty shells
//! that its clients expect.

use super::pages::{Envelope, Page};
use super::render::{Shape, pulse};
use super::target::{Asked, SECTIONS, asked, asked_after};
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::Viewer;
use crate::exchange::http::{Failure, Reply};
use crate::exchange::pulses::{Pulse, Type, naive, normalise, reversed_host};
use crate::exchange::site::{Answer, Call};
use crate::exchange::storage::{PulseQuery, Selection, ValueHit, View};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Pulses of an answer about a value.
const PULSES: usize = 50;

/// `GET /indicators/{slug}/{value*}`.
pub(super) fn section(call: &Call<'_>) -> Answer {
    let asked = asked(call.param("value"));
    answer(call, &Type::of_slug(call.param("slug")), &asked)
}

/// `GET /otxapi/indicator/{slug}/{section}/{value*}`.
pub(super) fn keyless(call: &Call<'_>) -> Answer {
    let kinds = match call.param("slug") {
        "ip" => vec![Type::IPv4, Type::IPv6],
        slug => Type::of_slug(slug),
    };
    let asked = asked_after(call.param("section"), call.param("value"));
    answer(call, &kinds, &asked.ok_or_else(Failure::not_found)?)
}

fn answer(call: &Call<'_>, kinds: &[Type], asked: &Asked) -> Answer {
    if kinds.is_empty() {
        return Err(Failure::not_found());
    }
    let mut why = String::new();
    let found = kinds.iter().find_map(|kind| match normalise(*kind, &asked.value) {
        Ok(found) => Some(found),
        Err(message) => {
            if why.is_empty() {
                why = message;
            }
            None
        }
    });
    let (kind, norm) = found.ok_or_else(|| Failure::bad_request(why))?;
    let body = match asked.section {
        "geo" => geo(kind, &norm),
        "reputation" => json!({"reputation": null}),
        "malware" => json!({"data": [], "size": 0, "count": 0}),
        "passive_dns" => json!({"passive_dns": [], "count": 0}),
        "http_scans" => json!({"data": []}),
        "analysis" => json!({"analysis": null, "malware": {}, "page_type": "generic"}),
        "url_list" => url_list(call, (kind, &norm), asked)?,
        _ => general(call, (kind, &norm))?,
    };
    Ok(Reply::json(&body))
}

/// The members about the place of an address: present, and null.
fn geo(kind: Type, norm: &str) -> Value {
    let mut body = json!({
        "asn": null, "city": null, "city_data": false, "region": null, "country_code": null,
        "country_name": null, "continent_code": null, "latitude": null, "longitude": null,
    });
    if matches!(kind, Type::IPv4 | Type::IPv6) {
        body["indicator"] = json!(norm);
    }
    body
}

/// The URLs below a host.
fn url_list(call: &Call<'_>, (kind, norm): (Type, &str), asked: &Asked) -> Result<Value, Failure> {
    let limit = asked.limit.unwrap_or(10).clamp(1, 500);
    let number = asked.page.unwrap_or(1).clamp(1, 1 << 20);
    let viewer = call.caller.viewer;
    let host = reversed_host(kind, norm);
    let mut found = match host {
        None => Vec::new(),
        // One more, to know whether there is another page.
        Some(host) => {
            let range = (limit + 1, (number - 1).saturating_mul(limit));
            call.read(|view| view.urls_below(viewer, &host, range))?
        }
    };
    let has_next = found.len() > limit;
    found.truncate(limit);
    let rows: Vec<Value> = found.iter().map(|hit| url_row(hit, norm)).collect();
    let shown = rows.len();
    Ok(json!({
        "url_list": rows, "page_num": number, "limit": limit, "paged": true,
        "has_next": has_next, "full_size": (number - 1) * limit + shown,
        "actual_size": (number - 1) * limit + shown,
    }))
}

fn url_row(hit: &ValueHit, domain: &str) -> Value {
    let url = &hit.indicator.norm;
    let host = crate::engine::indicator::url::parse(url).map(|url| url.host().to_string());
    json!({
        "url": hit.indicator.value, "domain": domain, "hostname": host.unwrap_or_default(),
        "date": naive(hit.indicator.created), "httpcode": 0, "result": {},
    })
}

/// What is stored about a value.
struct Known {
    count: u64,
    hits: Vec<ValueHit>,
    siblings: Vec<Value>,
    pulses: Vec<Pulse>,
    reports: Vec<(Timestamp, Option<Timestamp>, bool)>,
}

/// What a viewer may know about a value: of the digest of a file, about its other digests, too.
fn known(
    view: &View<'_>,
    viewer: Viewer,
    (kind, norm): (Type, &str),
) -> crate::engine::error::Result<Known> {
    let values = view.siblings(viewer, (kind, norm))?;
    let mut known = Known {
        count: 0,
        hits: Vec::new(),
        siblings: Vec::new(),
        pulses: Vec::new(),
        reports: view.false_positives((kind, norm))?,
    };
    let mut seen = BTreeSet::new();
    for (of, norm) in &values {
        let hits = view.hits(viewer, (*of, norm), PULSES)?;
        let is_first = known.siblings.is_empty() && (*of, norm.as_str()) == (kind, norm);
        let before = seen.len();
        for hit in &hits {
            if !seen.insert(hit.pulse) || known.pulses.len() >= PULSES {
                continue;
            }
            let query = PulseQuery::of(Selection::Pulse(hit.pulse));
            for pulse in view.pulses(viewer, &query)? {
                known.pulses.push(view.completed(pulse)?);
            }
        }
        // Of more pulses than are looked at, only their number is known.
        known.count += match is_first || hits.len() >= PULSES {
            true => view.count_hits(viewer, (*of, norm))?,
            false => (seen.len() - before) as u64,
        };
        known.hits.extend(hits);
        known.siblings.push(json!({"type": of.name(), "indicator": norm}));
    }
    known.siblings.remove(0);
    if known.hits.is_empty() {
        // That somebody decided about it tells of a pulse that is hidden.
        known.reports.clear();
    }
    Ok(known)
}

/// Everything about a value.
fn general(call: &Call<'_>, (kind, norm): (Type, &str)) -> Result<Value, Failure> {
    let viewer = call.caller.viewer;
    let Known { count, hits, siblings, pulses, reports } =
        call.read(|view| known(view, viewer, (kind, norm)))?;
    let validation: Vec<Value> = call
        .site
        .warnings
        .about(kind, norm)
        .into_iter()
        .map(|of| json!({"source": of.source, "name": of.name, "message": of.message}))
        .collect();
    let false_positive: Vec<Value> = reports
        .into_iter()
        .map(|(reported, decided, is_accepted)| {
            json!({
                "assessment": if is_accepted { "accepted" } else { "rejected" },
                "assessment_date": decided.map(naive),
                "report_date": naive(reported),
            })
        })
        .collect();
    let mut body = geo(kind, norm);
    let members = json!({
        "indicator": hits.first().map_or(norm, |hit| &hit.indicator.value),
        "type": shown_type(kind),
        "type_title": kind.name(),
        "base_indicator": base_indicator(hits.first()),
        "pulse_info": pulse_info(count, &pulses, viewer),
        "validation": validation,
        "false_positive": false_positive,
        "siblings": siblings,
        "sections": SECTIONS,
        "whois": "",
        "alexa": "",
        "reputation": 0,
    });
    if let (Value::Object(body), Value::Object(members)) = (&mut body, members) {
        body.extend(members);
    }
    if kind == Type::Url {
        let host = crate::engine::indicator::url::parse(norm).map(|url| url.host().to_string());
        let host = host.unwrap_or_default();
        let is_address = crate::engine::indicator::address::ip_of(host.as_bytes()).is_some();
        let domain = psl::domain_str(&host).filter(|_| !is_address);
        body["domain"] = json!(domain.unwrap_or(&host));
        body["hostname"] = json!(host);
    }
    Ok(body)
}

/// The type as answers about values have it: of files only the digest.
fn shown_type(kind: Type) -> &'static str {
    match kind {
        Type::Md5 => "md5",
        Type::Sha1 => "sha1",
        Type::Sha256 => "sha256",
        Type::Url => "url",
        kind => kind.name(),
    }
}

fn base_indicator(hit: Option<&ValueHit>) -> Value {
    let Some(hit) = hit else { return json!({}) };
    json!({
        "id": hit.indicator.id,
        "indicator": hit.indicator.value,
        "type": hit.indicator.kind.name(),
        "title": "",
        "description": "",
        "content": "",
        "access_type": "public",
        "access_reason": "",
    })
}

fn pulse_info(count: u64, pulses: &[Pulse], viewer: Viewer) -> Value {
    let mut references = BTreeSet::new();
    let (mut families, mut actors, mut industries) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for pulse in pulses {
        references.extend(&pulse.lists.references);
        families.extend(&pulse.lists.malware_families);
        industries.extend(&pulse.lists.industries);
        actors.extend((!pulse.adversary.is_empty()).then_some(&pulse.adversary));
    }
    let rows: Vec<Value> = pulses.iter().map(|of| pulse(of, viewer, Shape::Related)).collect();
    json!({
        "count": count,
        "pulses": rows,
        "references": references,
        "related": {
            "alienvault": {"adversary": [], "malware_families": [], "industries": []},
            "other": {"adversary": actors, "malware_families": families, "industries": industries},
        },
    })
}

/// `GET /indicators/export`.
pub(super) fn export(call: &Call<'_>) -> Answer {
    let query = call.query();
    let mut kinds = Vec::new();
    for name in query.get("types").unwrap_or_default().split(',').filter(|name| !name.is_empty()) {
        let unknown = || Failure::bad_request("types: unknown type of indicators");
        kinds.push(Type::from_name(name).ok_or_else(unknown)?);
    }
    let since = call.time(&["modified_since"])?;
    let page = Page::of(call, 1000, 10_000);
    let viewer = call.caller.viewer;
    let selection = Selection::Subscribed;
    let (count, hits) = call.read(|view| {
        let count = view.count_values(viewer, selection, (&kinds, since))?;
        Ok((count, view.values(viewer, selection, (&kinds, since), page.range())?))
    })?;
    if call.request.header("accept").is_some_and(|accept| accept.contains("text/csv")) {
        return Ok(Reply::new(200, "text/csv; charset=utf-8", csv(&hits)));
    }
    let rows: Vec<Value> = hits
        .iter()
        .map(|hit| {
            let of = &hit.indicator;
            json!({
                "id": of.id, "indicator": of.value, "type": of.kind.name(), "title": of.title,
                "description": of.description, "content": of.content,
            })
        })
        .collect();
    let envelope = Envelope::of(call, page, (count, rows.len()), None);
    Ok(Reply::json(&envelope.with(rows)))
}

/// Values as CSV (RFC 4180).
fn csv(hits: &[ValueHit]) -> String {
    let mut text = String::from("Indicator type,Indicator,Description\r\n");
    for hit in hits {
        let of = &hit.indicator;
        for (at, field) in [of.kind.name(), &of.value, &of.description].into_iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            // A program for tables would take these for formulas.
            let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
            if is_formula || field.contains([',', '"', '\n', '\r']) {
                let mark = if is_formula { "'" } else { "" };
                text.push_str(&format!("\"{mark}{}\"", field.replace('"', "\"\"")));
            } else {
                text.push_str(field);
            }
        }
        text.push_str("\r\n");
    }
    text
}
