//! Who sees which pulses: the one predicate, and what is in whose feed.
//!
//! Every statement of this room that answers anything about pulses to anybody contains
//! [`visible`]. It is written for the pulse `p` (or another alias), the account `:me` and the
//! widest TLP `:open` that public pulses may have for this viewer.

use crate::engine::indicator::Tlp;
use crate::exchange::accounts::Viewer;
use crate::exchange::storage::Selection;

/// What `:me` and `:open` are for a viewer.
pub(super) fn parameters(viewer: Viewer) -> (i64, i64) {
    match viewer {
        Viewer::User(user) => (user.0, Tlp::Green as i64),
        Viewer::Anonymous => (-1, Tlp::Clear as i64),
        Viewer::Nobody => (-1, 0),
    }
}

/// Whether the account `me` sees the pulse `p`: its own always; unless it is held, public ones up
/// to TLP green, those of its groups up to TLP amber+strict, and those that name it.
pub(super) fn visible_to(p: &str, me: &str, open: &str) -> String {
    format!("({p}.deleted = 0 AND {})", visible_when_alive(p, me, open))
}

/// The same, for a pulse that may be deleted: whether the account has seen it.
pub(super) fn visible_when_alive(p: &str, me: &str, open: &str) -> String {
    format!(
        "({p}.author = {me} OR {p}.held = 0 AND ({p}.public = 1 AND {p}.tlp <= {open} \
         OR {p}.tlp <= 4 AND EXISTS (SELECT 1 FROM pulse_team vt JOIN member vm \
         ON vm.team = vt.team WHERE vt.pulse = {p}.id AND vm.account = {me}) \
         OR EXISTS (SELECT 1 FROM pulse_reader vr WHERE vr.pulse = {p}.id AND vr.account = {me})))"
    )
}

/// Whether the viewer `:me` sees the pulse `p`.
pub(super) fn visible(p: &str) -> String {
    visible_to(p, ":me", ":open")
}

/// Whether the pulse `p` is in the feed of the account `me`, if it is visible.
pub(super) fn in_feed(p: &str, me: &str) -> String {
    format!(
        "(({p}.author = {me} \
         OR EXISTS (SELECT 1 FROM subscription fs WHERE fs.account = {me} AND fs.pulse = {p}.id \
         AND fs.state = 1) \
         OR EXISTS (SELECT 1 FROM author_link fa WHERE fa.account = {me} \
         AND fa.author = {p}.author AND fa.kind = 1) \
         OR EXISTS (SELECT 1 FROM pulse_team ft JOIN member fm ON fm.team = ft.team \
         WHERE ft.pulse = {p}.id AND fm.account = {me})) \
         AND NOT EXISTS (SELECT 1 FROM subscription fu WHERE fu.account = {me} \
         AND fu.pulse = {p}.id AND fu.state = -1))"
    )
}

/// The condition of a selection. `:selected` is its number, if it has one.
pub(super) fn selected(selection: Selection) -> String {
    match selection {
        Selection::Subscribed => in_feed("p", ":me"),
        Selection::Activity => format!(
            "({} OR EXISTS (SELECT 1 FROM author_link fl WHERE fl.account = :me \
             AND fl.author = p.author AND fl.kind = 2))",
            in_feed("p", ":me")
        ),
        Selection::Own => "p.author = :me".into(),
        Selection::Author(_) => "p.author = :selected".into(),
        Selection::Group(_) => "EXISTS (SELECT 1 FROM pulse_team st JOIN member sm \
             ON sm.team = st.team WHERE st.pulse = p.id AND st.team = :selected \
             AND sm.account = :me)"
            .into(),
        Selection::Pulse(_) => "p.id = :selected".into(),
        Selection::Public => "p.public = 1 AND p.tlp <= 2 AND p.held = 0".into(),
        Selection::Everything => "TRUE".into(),
    }
}

/// The number of a selection.
pub(super) fn selected_number(selection: Selection) -> i64 {
    match selection {
        Selection::Author(user) => user.0,
        Selection::Group(group) => group.0,
        Selection::Pulse(key) => key,
        _ => 0,
    }
}
