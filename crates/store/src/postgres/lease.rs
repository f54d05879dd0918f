//! Who works on which partitions, and how a program that lost them is kept from committing.
//!
//! Alone, a program holds the workspace by a lock of its session: the database lets go of it when the session
//! ends, and every batch runs in that session. Sharing, a program is a *node*: a row with an epoch. Each batch
//! takes a share of that row first, so whoever takes over must wait for it to end or find it gone; taking over
//! removes the row, and from then on no batch of the old epoch begins. Partitions say whose they are. All
//! moments are the database's.
//!
//! **Absent:** arrivals for partitions of others (they are the caller's to hand on).

use std::time::Duration;

use relance_engine::ports::StoreError;

use super::PostgresStore;
use super::due::part_column;
use super::error::PgLocated;
use super::ids::PARTITIONS;
use super::session::Ask;

/// Shards: more nodes than this share none and are refused.
const SHARDS_MAX: i16 = 1_024;

/// A program among several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Its name: the same after a restart, so that it goes on with what it held. Of two programs with one
    /// name the older may commit no longer.
    pub name: String,
    /// How long it lives without a heartbeat. Three heartbeats should fit.
    pub ttl: Duration,
}

/// Partitions after a heartbeat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Held now, in order.
    pub parts: Vec<u8>,
    /// Held now and not at the last heartbeat.
    pub gained: Vec<u8>,
    /// Held at the last heartbeat and not now.
    pub lost: Vec<u8>,
}

/// What this program is in the database.
#[derive(Debug)]
pub(super) struct Standing {
    /// None where it works alone.
    pub(super) lease: Option<Lease>,
    /// The right to commit, while sharing.
    pub(super) epoch: Option<i64>,
    /// Whose rows of counts it writes.
    pub(super) shard: i16,
    /// What the last heartbeat told.
    told: Vec<bool>,
}

impl Standing {
    pub(super) fn new(lease: Option<Lease>) -> Self {
        Self {
            lease,
            epoch: None,
            shard: 0,
            told: vec![false; PARTITIONS],
        }
    }
}

impl PostgresStore {
    /// The statement that a batch begins with: it gives a row while the program may commit.
    pub(super) fn fence(&self) -> (&'static str, Option<(String, i64)>) {
        match &self.standing.lease {
            None => (self.sql.sole_fence, None),
            Some(lease) => {
                // Without an epoch no row answers.
                let epoch = self.standing.epoch.unwrap_or(-1);
                (self.sql.node_fence, Some((lease.name.clone(), epoch)))
            }
        }
    }

    /// Another program has what this one held.
    pub(super) fn lose_all(&mut self) -> StoreError {
        self.standing.epoch = None;
        self.held.fill(false);
        self.forget_cached();
        let name = self.standing.lease.as_ref().map_or("", |lease| &lease.name);
        StoreError::Fenced(format!("another node took over from {name:?}"))
    }

    /// Takes the session's lock: the whole workspace, or a part in sharing it. `false` when others stand in
    /// the way.
    pub(super) fn take_lock(&mut self) -> Result<bool, StoreError> {
        let sql = match self.standing.lease {
            None => self.sql.sole_take,
            Some(_) => self.sql.share_take,
        };
        let answer = self.session.one(sql, Vec::new())?;
        match answer.rows.first() {
            Some(row) => row.try_get(0).at("lock", ""),
            None => Ok(false),
        }
    }

    /// Lives on, takes a fair share of the partitions and gives back what is beyond it. Called between
    /// batches, at least three times within the lease's time. Alone, a program holds everything.
    pub fn heartbeat(&mut self) -> Result<Held, StoreError> {
        if self.batch.is_begun {
            return Err(StoreError::Failed(
                "a heartbeat comes between batches".to_owned(),
            ));
        }
        self.renew_if_lost()?;
        let held = match self.standing.lease.clone() {
            None => vec![true; PARTITIONS],
            Some(lease) => {
                let outcome = self.beat(&lease);
                if outcome.is_err() {
                    // At worst there is nothing to roll back.
                    let _ = self.session.run("ROLLBACK");
                }
                outcome?
            }
        };
        Ok(self.hold(held))
    }

    /// Gives everything back: others need not wait until the lease is over. Called when the program ends.
    pub fn leave(&mut self) -> Result<(), StoreError> {
        if let (Some(lease), Some(epoch)) = (self.standing.lease.clone(), self.standing.epoch) {
            self.renew_if_lost()?;
            let names = vec![lease.name.as_str()];
            self.session.run("BEGIN")?;
            let outcome = self.session.ask(&[
                Ask::new(self.sql.node_lock, Vec::new()),
                Ask::new(self.sql.node_leave, vec![&lease.name, &epoch]),
            ]);
            let left = outcome.and_then(|answers| {
                if answers.last().is_some_and(|answer| answer.changed > 0) {
                    self.session.one(self.sql.lease_free_of, vec![&names])?;
                }
                self.session.run("COMMIT")
            });
            if left.is_err() {
                let _ = self.session.run("ROLLBACK");
            }
            self.standing.epoch = None;
            self.hold(vec![false; PARTITIONS]);
            return left;
        }
        Ok(())
    }

    /// One heartbeat of a node; gives the partitions that it holds.
    fn beat(&mut self, lease: &Lease) -> Result<Vec<bool>, StoreError> {
        let name = &lease.name;
        let ttl = i64::try_from(lease.ttl.as_millis()).unwrap_or(i64::MAX);
        let sql = self.sql.clone();
        self.session.run("BEGIN")?;
        self.session.one(sql.node_lock, Vec::new())?;
        let lives = match self.standing.epoch {
            Some(epoch) => {
                self.session
                    .one(sql.node_renew, vec![name, &epoch, &ttl])?
                    .changed
                    > 0
            }
            None => false,
        };
        let (epoch, shard) = match self.standing.epoch {
            Some(epoch) if lives => (epoch, self.standing.shard),
            Some(_) | None => self.join(name, ttl)?,
        };
        let dead = self.session.one(sql.node_dead, vec![name])?;
        if !dead.rows.is_empty() {
            let mut names: Vec<&str> = Vec::new();
            for row in &dead.rows {
                names.push(row.try_get(0).at("node", "")?);
            }
            tracing::warn!(nodes = ?names, "nodes are gone; their partitions are free");
            self.session.ask(&[
                Ask::new(sql.node_remove, vec![&names]),
                Ask::new(sql.lease_free_of, vec![&names]),
            ])?;
        }
        let mut answers = self.session.ask(&[
            Ask::new(sql.node_count, Vec::new()),
            Ask::new(sql.lease_held, vec![name, &epoch]),
        ])?;
        let held = answers.pop().unwrap_or_default();
        let nodes: i64 = match answers.first().and_then(|answer| answer.rows.first()) {
            Some(row) => row.try_get(0).at("node", "count")?,
            None => 1,
        };
        let share = PARTITIONS.div_ceil(usize::try_from(nodes).unwrap_or(1).max(1));
        let mut parts: Vec<i16> = Vec::new();
        for row in &held.rows {
            parts.push(row.try_get(0).at("lease", name)?);
        }
        if parts.len() > share {
            let surplus: Vec<i16> = parts.split_off(share);
            self.session.one(sql.lease_give, vec![name, &surplus])?;
        } else if parts.len() < share {
            let more = i64::try_from(share - parts.len()).unwrap_or(0);
            self.session
                .one(sql.lease_take, vec![name, &epoch, &more])?;
        }
        let held = self.session.one(sql.lease_held, vec![name, &epoch])?;
        self.session.run("COMMIT")?;
        self.standing.epoch = Some(epoch);
        self.standing.shard = shard;
        let mut all = vec![false; PARTITIONS];
        for row in &held.rows {
            let part: i16 = row.try_get(0).at("lease", name)?;
            if let Some(held) = usize::try_from(part)
                .ok()
                .and_then(|part| all.get_mut(part))
            {
                *held = true;
            }
        }
        Ok(all)
    }

    /// Becomes a node, with the least shard that is free.
    fn join(&mut self, name: &String, ttl: i64) -> Result<(i64, i16), StoreError> {
        let answer = self.session.one(self.sql.node_shards, vec![name])?;
        let mut used = std::collections::BTreeSet::new();
        for row in &answer.rows {
            used.insert(row.try_get::<_, i16>(0).at("node", "shard")?);
        }
        let shard = (0..SHARDS_MAX).find(|shard| !used.contains(shard));
        let shard = shard.ok_or_else(|| {
            StoreError::Failed(format!("{SHARDS_MAX} nodes share this workspace already"))
        })?;
        let answer = self
            .session
            .one(self.sql.node_join, vec![name, &shard, &ttl])?;
        let row = answer.rows.first();
        let row = row.ok_or_else(|| StoreError::Failed("the node could not join".to_owned()))?;
        let epoch: i64 = row.try_get(0).at("node", name)?;
        let shard: i16 = row.try_get(1).at("node", name)?;
        self.session.one(self.sql.lease_adopt, vec![name, &epoch])?;
        Ok((epoch, shard))
    }

    /// Holds these partitions from now on; says what changed since it last said so.
    pub(super) fn hold(&mut self, held: Vec<bool>) -> Held {
        let mut gained_any = false;
        for (part, (before, now)) in self.held.iter().zip(&held).enumerate() {
            if before != now {
                self.quiet.forget_part(part);
                self.timers.forget(part);
                self.outbox.forget(part);
                gained_any |= *now;
            }
        }
        if self.held != held {
            self.contact_ids.clear();
        }
        if gained_any {
            // Whoever held them gave numbers to their rows; later ones must be higher.
            self.event_ids.clear();
            self.line_ids.clear();
        }
        self.held = held;
        let told = std::mem::replace(&mut self.standing.told, self.held.clone());
        let those = |which: &dyn Fn(usize) -> bool| -> Vec<u8> {
            let parts = (0..PARTITIONS).filter(|part| which(*part));
            parts.filter_map(|part| u8::try_from(part).ok()).collect()
        };
        Held {
            parts: those(&|part| self.held[part]),
            gained: those(&|part| self.held[part] && !told[part]),
            lost: those(&|part| !self.held[part] && told[part]),
        }
    }

    /// The partitions held, in order.
    pub(super) fn held_parts(&self) -> Vec<usize> {
        (0..PARTITIONS).filter(|part| self.held[*part]).collect()
    }

    /// The partitions held as a column; null for all of them.
    pub(super) fn parts_column(&self) -> Option<Vec<i16>> {
        if self.held.iter().all(|held| *held) {
            return None;
        }
        Some(self.held_parts().into_iter().map(part_column).collect())
    }
}
