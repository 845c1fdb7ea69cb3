//! Accounts: users, groups, keys and passwords. Nothing here does I/O but drawing random bytes.
//!
//! Of keys, links and sessions only digests are stored, so that a stolen database opens nothing.

mod group;
mod key;
mod names;
mod password;
mod user;

pub use group::{Group, GroupId, Member, Rank};
pub use key::{Key, Scope, Scopes, Secret, random_bytes};
pub use names::{check_group_name, check_user_name};
pub use password::{MIN_PASSWORD, check_password, hash_password, verify_password};
pub use user::{Role, User, UserId, Viewer};
