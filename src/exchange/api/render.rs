//! Pulses, indicators and users as clients of OTX read them.
//!
//! Lists have 0 and 1 where details have false and true, and names of malware families are texts
//! everywhere but in the pages of indicators: clients depend on it.

use crate::engine::indicator::Tlp;
use crate::exchange::accounts::{User, Viewer};
use crate::exchange::pulses::{Indicator, Pulse, State, naive, naive_micros};
use crate::exchange::site::Listed;
use serde_json::{Map, Value, json};

/// Where a pulse is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// In a list.
    List,
    /// Alone.
    Details,
    /// On the page of an indicator.
    Related,
}

/// The TLP by the names that clients know.
pub(super) fn tlp(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "white",
        Tlp::Green => "green",
        Tlp::Amber | Tlp::AmberStrict => "amber",
        Tlp::Red => "red",
    }
}

/// A pulse without its indicators.
pub(super) fn pulse(pulse: &Pulse, viewer: Viewer, shape: Shape) -> Value {
    let counts = &pulse.counts;
    let is_author = viewer.user() == Some(pulse.author.id);
    let mut tags = pulse.lists.tags.clone();
    if pulse.tlp == Tlp::AmberStrict {
        tags.push("tlp:amber+strict".into());
    }
    let kinds: Map<String, Value> =
        counts.indicators.iter().map(|(kind, count)| (kind.name().into(), json!(count))).collect();
    let groups: Vec<Value> =
        pulse.groups.iter().map(|group| json!({"id": group.id.0, "name": group.name})).collect();
    let tlp = tlp(pulse.tlp);
    let mut value = json!({
        "id": pulse.id.to_string(),
        "name": pulse.name,
        "description": pulse.description,
        "author_name": pulse.author.name,
        "author": {
            "username": pulse.author.name,
            "id": pulse.author.id.0.to_string(),
            "avatar_url": "",
            "is_subscribed": pulse.is_subscribed_to_author,
            "is_following": pulse.is_following_author,
        },
        "created": naive_micros(pulse.created),
        "modified": naive_micros(pulse.modified),
        "revision": pulse.revision,
        "public": u8::from(pulse.is_public),
        "tlp": tlp,
        "TLP": tlp,
        "adversary": pulse.adversary,
        "tags": tags,
        "references": pulse.lists.references,
        "targeted_countries": pulse.lists.targeted_countries,
        "industries": pulse.lists.industries,
        "malware_families": pulse.lists.malware_families,
        "attack_ids": pulse.lists.attack_ids,
        "extract_source": pulse.lists.extract_source,
        "more_indicators": false,
        "groups": groups,
        "cloned_from": pulse.cloned_from.map(|id| id.to_string()),
        "pulse_source": if pulse.is_from_api { "api" } else { "web" },
        "is_author": is_author,
        "is_subscribing": pulse.is_subscribing,
        "in_group": !pulse.groups.is_empty(),
        "locked": pulse.is_held,
        "vote": pulse.vote,
        "modified_text": "",
        "is_modified": pulse.revision > 1,
        "indicator_count": counts.total(),
        "indicator_type_counts": kinds,
        "subscriber_count": counts.subscribers,
        "follower_count": counts.followers,
        "comment_count": counts.comments,
        "export_count": counts.exports,
        "upvotes_count": counts.upvotes,
        "downvotes_count": counts.downvotes,
        "votes_count": counts.upvotes + counts.downvotes,
        "validator_count": 0,
    });
    adapt(&mut value, pulse, shape);
    value
}

/// Changes what differs between lists and other places.
fn adapt(value: &mut Value, pulse: &Pulse, shape: Shape) {
    match shape {
        Shape::List => {}
        Shape::Details => value["public"] = json!(pulse.is_public),
        Shape::Related => {
            let families = pulse.lists.malware_families.iter();
            value["malware_families"] = families
                .map(|name| json!({"id": name, "display_name": name, "target": null}))
                .collect();
            let attacks = pulse.lists.attack_ids.iter();
            value["attack_ids"] =
                attacks.map(|id| json!({"id": id, "name": id, "display_name": id})).collect();
        }
    }
}

/// An indicator as JSON.
pub(super) fn indicator(indicator: &Indicator) -> Value {
    let mut members = json!({
        "id": indicator.id,
        "indicator": indicator.value,
        "type": indicator.kind.name(),
        "created": naive(indicator.created),
        "content": indicator.content,
        "title": indicator.title,
        "description": indicator.description,
        "expiration": indicator.expiration.map(naive),
        "is_active": u8::from(indicator.state == State::Active),
        "role": indicator.role,
    });
    if indicator.is_suppressed {
        members["is_flagged"] = json!(true);
    }
    members
}

/// A pulse with its indicators, as text. What is counted about them is counted there.
pub(super) fn pulse_with(of: &Pulse, listed: &Listed, viewer: Viewer, shape: Shape) -> String {
    let mut of = of.clone();
    of.counts.indicators = listed.counts.clone();
    let mut text = pulse(&of, viewer, shape).to_string();
    text.pop();
    text.reserve(listed.text.len() + 32);
    text.push_str(",\"indicators\":");
    text.push_str(&listed.text);
    text.push('}');
    text
}

/// A user.
pub(super) fn user(user: &User, viewer: Viewer, is_detailed: bool) -> Value {
    let mut value = json!({
        "username": user.name,
        "user_id": user.id.0,
        "member_since": naive(user.created),
        "avatar_url": "",
        "pulse_count": user.pulses,
        "indicator_count": user.indicators,
        "subscriber_count": user.subscribers,
        "follower_count": user.followers,
        "award_count": 0,
        "accepted_edits_count": 0,
        "is_subscribed": user.is_subscribed,
        "is_following": user.is_followed,
    });
    if is_detailed {
        value["request_user_is_me"] = json!(viewer.user() == Some(user.id));
        value["request_user_is_following"] = json!(user.is_followed);
        value["request_user_is_subscribed"] = json!(user.is_subscribed);
    }
    value
}
