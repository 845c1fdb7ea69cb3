//! Users, and what of a user decides what it sees.

use crate::engine::indicator::Timestamp;

/// The number of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(pub i64);

/// What a user may do besides what everybody may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Role {
    /// Writes within quotas.
    Member = 0,
    /// Writes without quotas, and confirms indicators of others.
    Trusted = 1,
    /// Decides reports, holds and false positives.
    Moderator = 2,
    /// Everything.
    Admin = 3,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 4] = [Role::Member, Role::Trusted, Role::Moderator, Role::Admin];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Member => "member",
            Role::Trusted => "trusted",
            Role::Moderator => "moderator",
            Role::Admin => "admin",
        }
    }

    /// The role with this name.
    pub fn from_name(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The role with this number in the database.
    pub fn from_number(number: i64) -> Role {
        Role::ALL.into_iter().find(|role| *role as i64 == number).unwrap_or(Role::Member)
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// Its number.
    pub id: UserId,
    /// Its name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Since when.
    pub created: Timestamp,
    /// Whether it may log in and call. What a suspended user published is hidden.
    pub is_suspended: bool,
    /// Pulses that the viewer may see.
    pub pulses: u64,
    /// Active indicators in them.
    pub indicators: u64,
    /// Subscribers.
    pub subscribers: u64,
    /// Followers.
    pub followers: u64,
    /// Whether the viewer is subscribed to it.
    pub is_subscribed: bool,
    /// Whether the viewer follows it.
    pub is_followed: bool,
}

/// Who looks: the only thing that visibility depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Viewer {
    /// A user.
    User(UserId),
    /// Somebody without an account, on a server that lets everybody read clear pulses.
    Anonymous,
    /// Somebody without an account, on a server that does not.
    Nobody,
}

impl Viewer {
    /// The user, if there is one.
    pub fn user(self) -> Option<UserId> {
        match self {
            Viewer::User(user) => Some(user),
            Viewer::Anonymous | Viewer::Nobody => None,
        }
    }
}
