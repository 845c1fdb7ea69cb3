//! What tables have in common, whatever their format: rows, headings, and the roles
//! of columns.

pub(super) mod columns;
pub(super) mod headings;
pub(super) mod joint;
pub(super) mod layout;
pub(super) mod nets;
pub(super) mod roles;
pub(super) mod rows;
pub(super) mod sampling;
