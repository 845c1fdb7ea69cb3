//! Groups, and what their members may do.

use super::UserId;
use crate::engine::indicator::Timestamp;

/// The number of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub i64);

/// What a member of a group may do in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Rank {
    /// Reads.
    Read = 0,
    /// Shares pulses with it, too.
    Post = 1,
    /// Adds and removes members, too.
    Admin = 2,
    /// Deletes it, too.
    Owner = 3,
}

impl Rank {
    /// Every rank.
    pub const ALL: [Rank; 4] = [Rank::Read, Rank::Post, Rank::Admin, Rank::Owner];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Rank::Read => "read",
            Rank::Post => "post",
            Rank::Admin => "admin",
            Rank::Owner => "owner",
        }
    }

    /// The rank with this name.
    pub fn from_name(name: &str) -> Option<Rank> {
        Rank::ALL.into_iter().find(|rank| rank.name() == name)
    }

    /// The rank with this number in the database.
    pub fn from_number(number: i64) -> Rank {
        Rank::ALL.into_iter().find(|rank| *rank as i64 == number).unwrap_or(Rank::Read)
    }
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its number.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Whether everybody with an account may know of it.
    pub is_public: bool,
    /// Since when.
    pub created: Timestamp,
    /// The viewer's rank, if it is a member.
    pub rank: Option<Rank>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub rank: Rank,
}
