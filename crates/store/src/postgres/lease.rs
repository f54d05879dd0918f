//! Who works on which partitions, and how a program that lost them is kept from committing.
//!
//! Alone, a program holds the workspace by a lock of its session: the database lets go of it when the session
//! ends, and every batch runs in that session. Sharing, a program is a *node*: a row with an epoch. Each batch
//! takes a share of that row first, so whoever takes over must wait for it to end or find it gone; taking over
//! removes the row, and from then on no batch of the old epoch begins. Partitions say whose they are. All
//! moments are the database's.
//!
//! What concerns a contact of another node waits in the table `intake` for whoever holds its partition; what
//! all nodes must hear of is a number in `news`.

use std::time::Duration;

use relance_core::ids::MailboxId;
use relance_engine::ports::StoreError;
use relance_engine::sharing::{Announced, Handed, Held, News, Orphaned, Sharing};
use relance_wire::stored::{input_text, read_input};

use super::PostgresStore;
use super::contacts::{limit_column, touchpoint};
use super::due::part_column;
use super::error::PgLocated;
use super::ids::PARTITIONS;
use super::session::{Ask, Param};
use super::workspace::contact_id;
use crate::sqlite::column::contact_key;

/// Shards: more nodes than this share none and are refused.
const SHARDS_MAX: i16 = 1_024;

/// Heartbeats in the time of a lease.
const BEATS_PER_LEASE: u32 = 4;
/// The configuration of a node that has not read it yet.
const NOT_CONFIGURED: i64 = -1;

/// A program among several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Its name: the same after a restart, so that it goes on with what it held. Of two programs with one
    /// name the older may commit no longer.
    pub name: String,
    /// How long it lives without a heartbeat. Three heartbeats should fit.
    pub ttl: Duration,
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
    /// The configuration that this program goes by, as it said last.
    configured: i64,
}

impl Standing {
    pub(super) fn new(lease: Option<Lease>) -> Self {
        Self {
            lease,
            epoch: None,
            shard: 0,
            told: vec![false; PARTITIONS],
            configured: NOT_CONFIGURED,
        }
    }
}

impl Standing {
    /// As who messages are sent: a name is the same after a restart, an epoch is not.
    pub(super) fn sender(&self) -> Option<String> {
        let name = &self.lease.as_ref()?.name;
        Some(format!("{name}:{}", self.epoch?))
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

    /// [`beat`](Sharing::beat) by the configuration that it went by before. Alone, a program holds everything.
    pub fn heartbeat(&mut self) -> Result<Held, StoreError> {
        self.live_on(self.standing.configured, &[])
    }

    fn live_on(&mut self, configuration: i64, wanted: &[u8]) -> Result<Held, StoreError> {
        if self.batch.is_begun {
            return Err(StoreError::Failed(
                "a heartbeat comes between batches".to_owned(),
            ));
        }
        self.renew_if_lost()?;
        self.standing.configured = configuration;
        let (held, configured) = match self.standing.lease.clone() {
            None => (vec![true; PARTITIONS], configuration),
            Some(lease) => {
                let outcome = self.beat_once(&lease, wanted);
                if outcome.is_err() {
                    // At worst there is nothing to roll back.
                    let _ = self.session.run("ROLLBACK");
                }
                outcome?
            }
        };
        let held = self.hold(held);
        Ok(Held { configured, ..held })
    }

    /// Gives everything back. Called when the program ends.
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

    /// One heartbeat of a node; gives the partitions that it holds, and the least configuration of a node.
    fn beat_once(&mut self, lease: &Lease, wanted: &[u8]) -> Result<(Vec<bool>, i64), StoreError> {
        let name = &lease.name;
        let configuration = self.standing.configured;
        let ttl = i64::try_from(lease.ttl.as_millis()).unwrap_or(i64::MAX);
        let sql = self.sql.clone();
        self.session.run("BEGIN")?;
        self.session.one(sql.node_lock, Vec::new())?;
        let lives = match self.standing.epoch {
            Some(epoch) => {
                self.session
                    .one(sql.node_renew, vec![name, &epoch, &ttl, &configuration])?
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
        let wanted: Vec<i16> = wanted.iter().map(|part| i16::from(*part)).collect();
        if !wanted.is_empty() {
            self.session.one(sql.lease_want, vec![name, &wanted])?;
        }
        // Of several that need what others hold, the first by name gets all of it, so each comes to its turn.
        let gives_all = wanted.is_empty();
        self.session
            .one(sql.lease_give_wanted, vec![name, &gives_all])?;
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
        let answers = self.session.ask(&[
            Ask::new(sql.lease_take_wanted, vec![name, &epoch]),
            Ask::new(sql.lease_got, vec![name]),
            Ask::new(sql.lease_held, vec![name, &epoch]),
            Ask::new(sql.node_configured, Vec::new()),
        ])?;
        self.session.run("COMMIT")?;
        let [_, _, held, configured] = answers.as_slice() else {
            return Err(StoreError::Failed(
                "a heartbeat was not answered".to_owned(),
            ));
        };
        let configured: Option<i64> = match configured.rows.first() {
            Some(row) => row.try_get(0).at("node", "configured")?,
            None => None,
        };
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
        Ok((all, configured.unwrap_or(NOT_CONFIGURED)))
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
        let answer = self.session.one(
            self.sql.node_join,
            vec![name, &shard, &ttl, &self.standing.configured],
        )?;
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
            self.is_brought_over = false;
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
            configured: NOT_CONFIGURED,
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
        Some(self.parts_held())
    }

    fn parts_held(&self) -> Vec<i16> {
        self.held_parts().into_iter().map(part_column).collect()
    }
}

impl PostgresStore {
    fn put_intake(&mut self, handed: &[Handed], kind: Option<i16>) -> Result<(), StoreError> {
        let (mut parts, mut kinds, mut contacts, mut bodies) = (vec![], vec![], vec![], vec![]);
        for one in handed {
            parts.push(i16::from(one.part()));
            match one {
                Handed::Input(contact, input) => {
                    kinds.push(kind.unwrap_or(INPUT));
                    contacts.push(Some(contact_key(*contact)));
                    bodies.push(input_text(input).at("intake", contact)?);
                }
                Handed::Sync(mailbox) => {
                    kinds.push(kind.unwrap_or(SYNC));
                    contacts.push(None);
                    bodies.push(mailbox.as_str().to_owned());
                }
            }
        }
        self.one(
            self.sql.intake_put,
            vec![&parts, &kinds, &contacts, &bodies],
        )
        .map(drop)
    }
}

/// What lies in `intake`: see the schema.
const SET_ASIDE: i16 = 0;
const INPUT: i16 = 1;
const SYNC: i16 = 2;

impl Sharing for PostgresStore {
    fn holds(&self, part: u8) -> bool {
        self.held[usize::from(part)]
    }

    fn beat_every(&self) -> Duration {
        let lease = self.standing.lease.as_ref();
        lease.map_or(Duration::MAX, |lease| lease.ttl / BEATS_PER_LEASE)
    }

    fn beat(&mut self, configuration: i64, wanted: &[u8]) -> Result<Held, StoreError> {
        self.live_on(configuration, wanted)
    }

    fn news(&mut self) -> Result<News, StoreError> {
        let parts = self.parts_held();
        let answer = self.one(self.sql.news, vec![&parts])?;
        match answer.rows.first() {
            Some(row) => Ok(News {
                configuration: row.try_get(0).at("news", "")?,
                mailboxes: row.try_get(1).at("news", "")?,
                handed: row.try_get(2).at("intake", "")?,
            }),
            None => Err(super::error::unreadable("news", "", "its row is gone")),
        }
    }

    fn announce(&mut self, what: Announced) -> Result<News, StoreError> {
        let (configuration, mailboxes) = (i64::from(what.configuration), i64::from(what.mailboxes));
        let answer = self.one(self.sql.news_add, vec![&configuration, &mailboxes])?;
        match answer.rows.first() {
            Some(row) => Ok(News {
                configuration: row.try_get(0).at("news", "")?,
                mailboxes: row.try_get(1).at("news", "")?,
                handed: false,
            }),
            None => Err(super::error::unreadable("news", "", "its row is gone")),
        }
    }

    fn hand_over(&mut self, handed: &[Handed]) -> Result<(), StoreError> {
        self.put_intake(handed, None)
    }

    fn set_aside(&mut self, handed: &[Handed]) -> Result<(), StoreError> {
        self.put_intake(handed, Some(SET_ASIDE))
    }

    fn take_in(&mut self, limit: usize) -> Result<Vec<Handed>, StoreError> {
        let (parts, limit) = (self.parts_held(), limit_column(limit));
        let answer = self.one(self.sql.intake_take, vec![&parts, &limit])?;
        let mut taken = Vec::with_capacity(answer.rows.len());
        for row in &answer.rows {
            let seq: i64 = row.try_get(0).at("intake", "")?;
            let kind: i16 = row.try_get(2).at("intake", seq)?;
            let body: &str = row.try_get(4).at("intake", seq)?;
            if kind == SYNC {
                taken.push((seq, Handed::Sync(MailboxId::from(body))));
                continue;
            }
            let contact = contact_id(row, 3).at("intake", seq)?;
            match read_input(body) {
                Ok(input) => taken.push((seq, Handed::Input(contact, input))),
                // Of a newer program, most likely: it must not stop those behind it, nor be lost.
                Err(problem) => {
                    tracing::error!(%contact, %problem, "what another node handed over cannot be read; it is set aside");
                    let part: i16 = row.try_get(1).at("intake", seq)?;
                    let key = contact_key(contact);
                    let (parts, kinds, contacts, bodies) =
                        ([part], [SET_ASIDE], [Some(key)], [body]);
                    let params: [Param<'_>; 4] = [
                        &parts.as_slice(),
                        &kinds.as_slice(),
                        &contacts.as_slice(),
                        &bodies.as_slice(),
                    ];
                    self.one(self.sql.intake_put, params.to_vec())?;
                }
            }
        }
        taken.sort_by_key(|(seq, _)| *seq);
        Ok(taken.into_iter().map(|(_, handed)| handed).collect())
    }

    fn orphaned(&mut self) -> Result<Vec<Orphaned>, StoreError> {
        let parts = self.parts_held();
        let answer = self.one(self.sql.orphaned_list, vec![&parts])?;
        let own = self.standing.lease.as_ref().map(|lease| &*lease.name);
        let orphaned = |row: &tokio_postgres::Row| {
            let touchpoint = touchpoint(row)?;
            let sender: Option<&str> = row.try_get(3).at("touchpoint", touchpoint.id)?;
            let name = sender.and_then(|sender| sender.rsplit_once(':'));
            Ok(Orphaned {
                was_own: name.is_some_and(|(name, _)| Some(name) == own),
                touchpoint,
            })
        };
        answer.rows.iter().map(orphaned).collect()
    }

    fn leave(&mut self) -> Result<(), StoreError> {
        // The store's own.
        Self::leave(self)
    }
}
