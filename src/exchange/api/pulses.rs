//! One pulse: read, written, subscribed to.

use super::feeds::{bare_pulses, paged, text_of};
use super::listed::as_text;
use super::pages::{Envelope, Page};
use super::render::{Shape, indicator, pulse, pulse_with};
use crate::engine::indicator::Timestamp;
use crate::exchange::http::{Failure, Reply};
use crate::exchange::pulses::{
    Draft, IndicatorDraft, Invalid, Likeness, Patch, Pulse, Type, clean_line,
};
use crate::exchange::site::{Answer, Call};
use crate::exchange::storage::{
    Denied, IndicatorQuery, LabelKind, PulseQuery, Selection, Which, Writes,
};
use serde_json::{Value, json};

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Failure {
        Denied::Invalid(invalid).into()
    }
}

/// The pulse of the path, as the caller sees it.
pub(super) fn found(call: &Call<'_>) -> Result<Pulse, Failure> {
    let (viewer, id) = (call.caller.viewer, call.pulse_id()?);
    call.read(|view| view.pulse(viewer, &id))?.ok_or_else(Failure::not_found)
}

/// `GET /pulses/{id}`.
pub(super) fn details(call: &Call<'_>) -> Answer {
    let (viewer, id) = (call.caller.viewer, call.pulse_id()?);
    let pulse = call.read(|view| view.pulse(viewer, &id))?.ok_or_else(Failure::not_found)?;
    note_sensitive(call, &pulse);
    let text = text_of(&call.site.storage, &call.site.kept, (&pulse, Which::Active))?;
    let text = pulse_with(&pulse, &text, viewer, Shape::Details);
    Ok(Reply::new(200, "application/json", text))
}

/// Reads of pulses that few may see are recorded.
pub(super) fn note_sensitive(call: &Call<'_>, pulse: &Pulse) {
    let is_own = call.caller.viewer.user() == Some(pulse.author.id);
    if pulse.tlp > crate::engine::indicator::Tlp::Green && !is_own {
        let (user, id) = (call.caller.viewer.user(), pulse.id.to_string());
        call.site.storage.post(move |writes| writes.audit(user, "pulse.read", &id, ""));
    }
}

/// `GET /pulses/{id}/indicators`.
pub(super) fn indicators(call: &Call<'_>) -> Answer {
    let (viewer, id) = (call.caller.viewer, call.pulse_id()?);
    let page = Page::of(call, 100, 10_000);
    let query = call.query();
    let has_inactive = query.flag("include_inactive");
    let is_descending = query.get("sort") == Some("-created");
    let found = call.read(|view| {
        let Some(pulse) = view.pulse(viewer, &id)? else { return Ok(None) };
        let which = if has_inactive { Which::Inactive } else { Which::Active };
        let query = IndicatorQuery { which, is_descending, ..IndicatorQuery::default() };
        let count = view.count_indicators(pulse.key, &query)?;
        let paged = IndicatorQuery { limit: Some(page.limit), offset: page.offset, ..query };
        let indicators = view.indicators(pulse.key, &paged)?;
        Ok(Some((count, indicators, pulse)))
    })?;
    let (count, found, pulse) = found.ok_or_else(Failure::not_found)?;
    note_sensitive(call, &pulse);
    let rows: Vec<Value> = found.iter().map(indicator).collect();
    let envelope = Envelope::of(call, page, (count, rows.len()), None);
    Ok(Reply::json(&envelope.with(rows)))
}

/// Marks indicators that are on warning lists.
pub(super) fn flag(call: &Call<'_>, drafts: &mut [IndicatorDraft]) {
    for draft in drafts {
        draft.is_flagged = !call.site.warnings.of(draft).is_empty();
    }
}

/// The quota that applies to the caller: pulses and indicators a day.
pub(super) struct Quota {
    pulses: u64,
    indicators: u64,
}

impl Quota {
    pub(super) fn of(call: &Call<'_>, now: Timestamp) -> Option<Quota> {
        let quotas = call.settings().quotas;
        let is_new = quotas.is_new(call.caller.role, call.caller.since, now);
        is_new.then_some(Quota { pulses: quotas.pulses, indicators: quotas.indicators })
    }

    /// Refuses a change that would publish more than the quota leaves.
    pub(super) fn check(
        &self,
        writes: &Writes<'_>,
        user: crate::exchange::accounts::UserId,
        (pulses, indicators): (u64, u64),
    ) -> Result<(), Denied> {
        let (had_pulses, had_indicators) = writes.view().published_today(user)?;
        let over = |had: u64, new: u64, most: u64| most > 0 && new > 0 && had + new > most;
        let refuse = |what: &str, most: u64| {
            Err(Denied::Quota(format!("new accounts publish at most {most} {what} a day"), 3600))
        };
        if over(had_pulses, pulses, self.pulses) {
            return refuse("pulses", self.pulses);
        }
        if over(had_indicators, indicators, self.indicators) {
            return refuse("indicators", self.indicators);
        }
        Ok(())
    }
}

/// `POST /pulses/create`.
pub(super) fn create(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let now = crate::clock::now();
    let body = call.json()?;
    let mut draft = Draft::from_json(&body, now)?;
    flag(call, &mut draft.indicators);
    super::privacy::check(&body, &draft)?;
    let likeness = likeness_of(&draft);
    let quota = Quota::of(call, now);
    let viewer = call.caller.viewer;
    let groups: Vec<i64> = draft.groups.iter().map(|group| group.0).collect();
    // The writer has no time for texts: others wait for it.
    let (pulse, indicators) = call.write(move |writes| {
        if let Some(quota) = &quota {
            quota.check(writes, user, (1, draft.indicators.len() as u64))?;
        }
        let (mut pulse, indicators) = writes.create_pulse_with(user, draft, (true, None))?;
        if let Some(likeness) = likeness {
            let alike = writes.note_likeness(user, pulse.key, &likeness)?;
            let is_spam = !alike.others.is_empty() || alike.own.len() >= 2;
            if quota.is_some() && is_spam {
                writes.hold_alike(user, pulse.key, &alike)?;
                pulse.is_held = true;
            }
        }
        Ok((pulse, indicators))
    })?;
    let mut text = pulse_with(&pulse, &as_text(&indicators), viewer, Shape::Details);
    text.pop();
    text.push_str(&format!(",\"group_ids\":{}}}", json!(groups)));
    Ok(Reply::new(201, "application/json", text))
}

/// The similarity hash of a draft that others would see.
fn likeness_of(draft: &Draft) -> Option<Likeness> {
    let texts = [draft.name.as_str(), draft.description.as_str()];
    draft.is_public.then(|| Likeness::of(&texts, &draft.indicators)).flatten()
}

/// `PATCH /pulses/{id}`.
pub(super) fn patch(call: &Call<'_>) -> Answer {
    let (user, id, viewer) = (call.user()?, call.pulse_id()?, call.caller.viewer);
    let now = crate::clock::now();
    let body = call.json()?;
    let mut patch = Patch::from_json(&body, now)?;
    flag(call, &mut patch.add);
    super::privacy::check_patch(call, &body, &id, &patch)?;
    let quota = Quota::of(call, now);
    let (pulse, indicators) = call.write(move |writes| {
        if let Some(quota) = quota {
            quota.check(writes, user, (0, patch.add.len() as u64))?;
        }
        let pulse = writes.patch_pulse(user, &id, &patch)?;
        let indicators = writes.view().indicators(pulse.key, &IndicatorQuery::default())?;
        Ok((pulse, indicators))
    })?;
    let text = pulse_with(&pulse, &as_text(&indicators), viewer, Shape::Details);
    Ok(Reply::new(200, "application/json", text))
}

/// `GET /pulses/{id}/delete`.
pub(super) fn delete(call: &Call<'_>) -> Answer {
    let (user, id) = (call.user()?, call.pulse_id()?);
    call.write(move |writes| writes.delete_pulse(user, &id))?;
    Ok(Reply::json(&json!({"status": format!("Pulse removed: {id}")})))
}

/// `/pulses/{id}/subscribe` and `/unsubscribe`.
pub(super) fn subscribe(call: &Call<'_>) -> Answer {
    change_subscription(call, true)
}

/// See [`subscribe`].
pub(super) fn unsubscribe(call: &Call<'_>) -> Answer {
    change_subscription(call, false)
}

fn change_subscription(call: &Call<'_>, is_subscribe: bool) -> Answer {
    let (user, id) = (call.user()?, call.pulse_id()?);
    let count = call.write(move |writes| writes.subscribe(user, &id, is_subscribe))?;
    let status = if is_subscribe { "subscribed" } else { "unsubscribed" };
    Ok(Reply::json(&json!({"status": status, "subscriber_count": count})))
}

/// `POST /pulses/{id}/clone`.
pub(super) fn clone(call: &Call<'_>) -> Answer {
    let (user, id, viewer) = (call.user()?, call.pulse_id()?, call.caller.viewer);
    let body = call.json()?;
    let name = match body.get("name") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => {
            Some(clean_line(name).map_err(|why| Invalid::of("name", why))?)
        }
        Some(_) => return Err(Invalid::of("name", "expected a text").into()),
    };
    if let Some(name) = &name {
        // The same rules as for a new one.
        Draft::from_json(&json!({"name": name}), crate::clock::now())?;
    }
    let quota = Quota::of(call, crate::clock::now());
    let copy = call.write(move |writes| {
        if let Some(quota) = quota {
            let view = writes.view();
            let copied = match view.pulse(viewer, &id)? {
                Some(pulse) => view.count_indicators(pulse.key, &IndicatorQuery::default())?,
                None => 0,
            };
            quota.check(writes, user, (1, copied))?;
        }
        writes.clone_pulse(user, &id, name)
    })?;
    Ok(Reply::json(&json!({"id": copy.id.to_string(), "detail": "clone successful."})))
}

/// `POST /pulses/indicators/validate`.
pub(super) fn validate(call: &Call<'_>) -> Answer {
    let body = call.json()?;
    let draft = IndicatorDraft::from_json(&body, crate::clock::now())
        .map_err(|why| Invalid::of("indicator", why))?;
    let Value::Object(mut echo) = body else {
        return Err(Failure::bad_request("expected a JSON object"));
    };
    let warnings: Vec<Value> = call
        .site
        .warnings
        .of(&draft)
        .into_iter()
        .map(|of| json!({"source": of.source, "name": of.name, "message": of.message}))
        .collect();
    echo.insert("type".into(), json!(draft.kind.name()));
    echo.insert("status".into(), json!("success"));
    echo.insert("message".into(), json!(""));
    echo.insert("validation".into(), json!(warnings));
    Ok(Reply::json(&Value::Object(echo)))
}

/// `GET /pulses/indicators/types`.
pub(super) fn types(_: &Call<'_>) -> Answer {
    let types: Vec<Value> = Type::ALL
        .iter()
        .map(|of| json!({"name": of.name(), "description": of.about(), "slug": of.slug()}))
        .collect();
    Ok(Reply::json(&json!({"detail": types})))
}

/// `GET /pulses/{id}/related`.
pub(super) fn related(call: &Call<'_>) -> Answer {
    let pulse = found(call)?;
    related_to(call, &pulse)
}

fn related_to(call: &Call<'_>, pulse: &Pulse) -> Answer {
    let page = Page::of(call, 20, 50);
    let viewer = call.caller.viewer;
    let (count, pulses) = call.read(|view| {
        let keys = view.related(viewer, pulse.key, 500)?;
        let mut pulses = Vec::new();
        for key in page.slice(&keys) {
            pulses.extend(view.pulses(viewer, &PulseQuery::of(Selection::Pulse(*key)))?);
        }
        Ok((keys.len() as u64, pulses))
    })?;
    let rows = bare_pulses(call, pulses)?;
    let envelope = Envelope::of(call, page, (count, rows.len()), None);
    Ok(Reply::json(&envelope.with(rows)))
}

/// `GET /pulses/related`.
pub(super) fn related_by(call: &Call<'_>) -> Answer {
    let query = call.query();
    if let Some(id) = query.get("pulse_id") {
        let id = crate::exchange::pulses::PulseId::parse(id).ok_or_else(Failure::not_found)?;
        let viewer = call.caller.viewer;
        let pulse = call.read(|view| view.pulse(viewer, &id))?.ok_or_else(Failure::not_found)?;
        return related_to(call, &pulse);
    }
    let mut labels = Vec::new();
    for (name, kind) in [("malware_family", LabelKind::Family), ("adversary", LabelKind::Adversary)]
    {
        labels.extend(query.get(name).map(|name| (kind, name.to_string())));
    }
    if labels.is_empty() {
        let expected = "expected “pulse_id”, “malware_family” or “adversary”";
        return Err(Failure::bad_request(expected));
    }
    let page = Page::of(call, 20, 50);
    let query = PulseQuery { labels, ..PulseQuery::default() };
    list(call, &query, page)
}

/// A page of a query, without indicators.
pub(super) fn list(call: &Call<'_>, query: &PulseQuery, page: Page) -> Answer {
    let viewer = call.caller.viewer;
    let paged = paged(query.clone(), page);
    let (count, pulses) = call.read(|view| view.page(viewer, query, &paged))?;
    let rows = bare_pulses(call, pulses)?;
    let envelope = Envelope::of(call, page, (count, rows.len()), None);
    Ok(Reply::json(&envelope.with(rows)))
}

/// A pulse alone, without its indicators.
pub(super) fn shown(call: &Call<'_>, of: Pulse) -> Answer {
    let viewer = call.caller.viewer;
    let of = call.read(|view| view.completed(of))?;
    Ok(Reply::json(&pulse(&of, viewer, Shape::Details)))
}
