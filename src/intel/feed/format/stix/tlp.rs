//! Markings of the Traffic Light Protocol: by their well-known identifiers, and by
//! a marking's definition. Identifiers are compared in full, because look-alikes
//! exist.

use crate::engine::indicator::Tlp;
use crate::intel::feed::json::{self, Object};

/// The identifiers of STIX 2.1, section 7.2.1 (TLP 1.0), and of the extension for
/// TLP 2.0.
const IDS: &[(&str, Tlp)] = &[
    ("613f2e26-407d-48c7-9eca-b8e91df99dc9", Tlp::Clear),
    ("34098fce-860f-48ae-8e50-ebd3cc5e41da", Tlp::Green),
    ("f88d31f6-486f-44da-b317-01333bde0b82", Tlp::Amber),
    ("5e57c739-391a-4eb3-b6be-7d15ca92d5ed", Tlp::Red),
    ("94868c89-83c2-464b-929b-a1a8aa3c8487", Tlp::Clear),
    ("bab4a63c-aed9-4cf5-a766-dfca5abac2bb", Tlp::Green),
    ("55d920b0-5e8b-4f79-9ee9-91f868d9b421", Tlp::Amber),
    ("939a9414-2ddd-4d32-a0cd-375ea402b003", Tlp::AmberStrict),
    ("e828b379-4e03-4974-9ac4-e53a884c97c1", Tlp::Red),
];

/// The extension that defines TLP 2 markings.
const TLP2: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// The level of a well-known marking.
pub(super) fn of_id(id: &str) -> Option<Tlp> {
    let uuid = id.strip_prefix("marking-definition--")?;
    IDS.iter().find(|(known, _)| *known == uuid).map(|(_, tlp)| *tlp)
}

/// The level in a marking's definition.
pub(super) fn of_marking(marking: &Object) -> Option<Tlp> {
    let definition = marking.get("definition").and_then(|d| d.get("tlp")).and_then(|t| t.as_str());
    let extension = || {
        let extension = marking.get("extensions")?.get(TLP2)?.as_object()?;
        json::text(extension, "tlp_2_0").and_then(|level| Tlp::from_name(&level))
    };
    definition.and_then(Tlp::from_name).or_else(extension).or_else(|| {
        json::text(marking, "name")
            .filter(|n| n.starts_with("TLP:"))
            .and_then(|n| Tlp::from_name(&n))
    })
}
