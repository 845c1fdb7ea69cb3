//! Accounts: users, groups, keys, sessions, passwords and what somebody is worth. Nothing here does I/O but drawing random bytes.
//!
//! Of keys, links and sessions only digests are stored, so that a stolen database opens nothing.

mod breached;
mod group;
mod key;
mod names;
mod password;
mod puzzle;
mod reputation;
mod session;
mod totp;
mod user;

pub use group::{Group, GroupId, Member, Rank};
pub use key::{Key, Scope, Scopes, Secret, random_bytes};
pub use names::{check_group_name, check_user_name};
pub use password::{
    MAX_PASSWORD, MIN_PASSWORD, check_password, hash_password, is_outdated, verify_password,
};
pub use puzzle::{PUZZLE_BITS, PUZZLE_LIFE, Puzzles, is_solved};
pub use reputation::{Reputation, SAMPLE, weight};
pub use session::{SESSION_IDLE, SESSION_LIFE, Session, form_token, is_form_token};
pub use totp::{RECOVERY_CODES, TotpSecret, recovery_codes, recovery_digest};
pub use user::{Role, User, UserId, Viewer};
