//! Pulses that are nearly the same as another, by similarity hashes.

use super::statements::{Param, all};
use super::writer::Writes;
use crate::exchange::accounts::UserId;
use crate::exchange::pulses::{Likeness, PulseId};
use crate::exchange::storage::Outcome;

/// How long a pulse is compared with new ones: 30 days, in microseconds.
const MEMORY: i64 = 30 * 86_400_000_000;

/// Pulses with an equal part that are compared, of each part.
const CANDIDATES: i64 = 100;

/// Pulses of others, or of the same author, that one is like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alike {
    /// Of others.
    pub others: Vec<PulseId>,
    /// Of the same author.
    pub own: Vec<PulseId>,
}

impl Writes<'_> {
    /// Notes the similarity hash of a public pulse. Answers the recent ones that are like it.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn note_likeness(&self, user: UserId, pulse: i64, of: &Likeness) -> Outcome<Alike> {
        self.forget_likeness(pulse)?;
        let mut alike = Alike::default();
        let (from, parts) = (self.now.0 - MEMORY, of.parts());
        for part in &parts {
            let sql = "SELECT l.hashes, l.author, p.name_id FROM likeness_part k \
                       JOIN likeness l ON l.pulse = k.pulse JOIN pulse p ON p.id = l.pulse \
                       WHERE k.part = :part AND l.created > :from AND p.deleted = 0 \
                       ORDER BY k.pulse DESC LIMIT :most";
            let params: [Param<'_>; 3] =
                [(":part", part), (":from", &from), (":most", &CANDIDATES)];
            let found = all(self.connection, sql, &params, |row| {
                Ok((row.get::<Vec<u8>>(0)?, row.get::<i64>(1)?, row.get::<String>(2)?))
            })?;
            for (hashes, author, id) in found {
                let is_like = Likeness::from_bytes(&hashes).is_some_and(|it| of.is_like(&it));
                let Some(id) = PulseId::parse(&id).filter(|_| is_like) else { continue };
                let list = if author == user.0 { &mut alike.own } else { &mut alike.others };
                if !list.contains(&id) {
                    list.push(id);
                }
            }
        }
        let hashes = of.bytes();
        let hashes = hashes.as_slice();
        let params: [Param<'_>; 4] =
            [(":pulse", &pulse), (":me", &user.0), (":now", &self.now.0), (":hashes", &hashes)];
        self.run(
            "INSERT INTO likeness (pulse, author, created, hashes) \
             VALUES (:pulse, :me, :now, :hashes)",
            &params,
        )?;
        for part in &parts {
            let params: [Param<'_>; 2] = [(":pulse", &pulse), (":part", part)];
            let sql = "INSERT INTO likeness_part (part, pulse) VALUES (:part, :pulse) \
                       ON CONFLICT (part, pulse) DO NOTHING";
            self.run(sql, &params)?;
        }
        Ok(alike)
    }

    /// Hides a pulse until a moderator has looked at it, because it is like others.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn hold_alike(&self, user: UserId, pulse: i64, alike: &Alike) -> Outcome<()> {
        let ids = alike.others.iter().chain(&alike.own).take(5).map(ToString::to_string);
        let why = format!("nearly the same as {}", ids.collect::<Vec<_>>().join(", "));
        self.hold(pulse, user, &why)
    }

    /// Forgets the similarity hash of a pulse.
    pub(super) fn forget_likeness(&self, pulse: i64) -> Outcome<()> {
        let params: [Param<'_>; 1] = [(":pulse", &pulse)];
        self.run("DELETE FROM likeness_part WHERE pulse = :pulse", &params)?;
        self.run("DELETE FROM likeness WHERE pulse = :pulse", &params)?;
        Ok(())
    }

    /// Forgets similarity hashes of pulses that are not compared any more.
    pub(super) fn purge_likeness(&self) -> Outcome<()> {
        let from = self.now.0 - MEMORY;
        let params: [Param<'_>; 1] = [(":from", &from)];
        self.run(
            "DELETE FROM likeness_part WHERE pulse IN (SELECT pulse FROM likeness \
             WHERE created < :from)",
            &params,
        )?;
        self.run("DELETE FROM likeness WHERE created < :from", &params)?;
        Ok(())
    }
}
