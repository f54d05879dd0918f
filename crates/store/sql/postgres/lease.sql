-- Who works on what. Leases are compared by the database's clock on purpose: the clocks of several machines
-- differ, so a time that a program passed would be wrong for the others.

-- name: sole_take
-- Takes the whole workspace for this session, so that no other program works on it.
SELECT pg_try_advisory_lock(hashtextextended('relance ' || current_schema(), 0));

-- name: share_take
-- Takes part in sharing the workspace for this session; refused while one program has the whole.
SELECT pg_try_advisory_lock_shared(hashtextextended('relance ' || current_schema(), 0));

-- name: sole_fence
-- The generation of keys; the session itself holds the workspace.
SELECT generation, since FROM seen_generation;

-- name: node_fence
-- The generation of keys, if this node still is what it was. Until the batch ends nobody can take over from
-- it. $1 name, $2 epoch.
SELECT s.generation, s.since FROM node n CROSS JOIN seen_generation s
WHERE n.name = $1 AND n.epoch = $2 FOR SHARE OF n;

-- name: node_lock
-- Nodes come and go one at a time.
LOCK TABLE node IN SHARE ROW EXCLUSIVE MODE;

-- name: node_dead
-- Nodes whose time has passed and which are not in the middle of a batch.
-- tidy:allow(sql-files): the one clock that all nodes share
SELECT name FROM node WHERE expires_at < clock_timestamp() AND name <> $1 FOR UPDATE SKIP LOCKED;

-- name: node_remove
-- Takes the right to commit from nodes. $1 names.
DELETE FROM node WHERE name = ANY ($1::text[]);

-- name: lease_free_of
-- Partitions of nodes belong to nobody. $1 names.
UPDATE lease SET node = NULL, epoch = NULL WHERE node = ANY ($1::text[]);

-- name: node_shards
-- Shards in use.
SELECT shard FROM node WHERE name <> $1;

-- name: node_join
-- A node begins, or begins anew: whatever ran under its name before may commit no longer. Its partitions stay
-- its own. $1 name, $2 shard, $3 milliseconds to live, $4 the configuration that it goes by.
INSERT INTO node (name, epoch, shard, configured, expires_at)
-- tidy:allow(sql-files): the one clock that all nodes share
VALUES ($1, nextval('node_epoch'), $2, $4, clock_timestamp() + $3::bigint * interval '1 millisecond')
ON CONFLICT (name) DO UPDATE
SET epoch = excluded.epoch, configured = excluded.configured, expires_at = excluded.expires_at
RETURNING epoch, shard;

-- name: lease_adopt
-- Partitions that a node held before it began anew. $1 name, $2 epoch.
UPDATE lease SET epoch = $2 WHERE node = $1;

-- name: node_renew
-- A node lives on. $1 name, $2 epoch, $3 milliseconds to live, $4 the configuration that it goes by.
-- tidy:allow(sql-files): the one clock that all nodes share
UPDATE node SET expires_at = clock_timestamp() + $3::bigint * interval '1 millisecond', configured = $4
WHERE name = $1 AND epoch = $2;

-- name: node_count
-- Nodes that live.
-- tidy:allow(sql-files): the one clock that all nodes share
SELECT count(*) FROM node WHERE expires_at >= clock_timestamp();

-- name: lease_held
-- Partitions of a node. $1 name, $2 epoch.
SELECT part FROM lease WHERE node = $1 AND epoch = $2 ORDER BY part;

-- name: lease_give
-- Gives partitions back. $1 name, $2 partitions.
UPDATE lease SET node = NULL, epoch = NULL WHERE node = $1 AND part = ANY ($2::smallint[]);

-- name: lease_take
-- Takes partitions that belong to nobody and that no other node needs. $1 name, $2 epoch, $3 how many.
UPDATE lease SET node = $1, epoch = $2
WHERE part IN (
    SELECT l.part FROM lease l
    WHERE l.node IS NULL
      AND (l.wanted IS NULL OR l.wanted = $1 OR NOT EXISTS (SELECT FROM node n WHERE n.name = l.wanted))
    ORDER BY l.part LIMIT $3 FOR UPDATE
);

-- name: lease_want
-- Asks for partitions beside the fair share; of two that ask, the first by name gets it. $1 name, $2 partitions.
UPDATE lease l SET wanted = $1
WHERE l.part = ANY ($2::smallint[]) AND l.node IS DISTINCT FROM $1
  AND (l.wanted IS NULL OR l.wanted > $1 OR NOT EXISTS (SELECT FROM node n WHERE n.name = l.wanted));

-- name: lease_take_wanted
-- Takes what was asked for and is free. $1 name, $2 epoch.
UPDATE lease SET node = $1, epoch = $2 WHERE node IS NULL AND wanted = $1;

-- name: lease_got
-- What a node has it does not ask for. $1 name.
UPDATE lease SET wanted = NULL WHERE wanted = $1 AND node = $1;

-- name: lease_give_wanted
-- Gives back what other nodes ask for. $1 name, $2 whether all of it; else only what those ask for that come
-- before by name.
UPDATE lease l SET node = NULL, epoch = NULL
WHERE l.node = $1 AND l.wanted <> $1 AND ($2 OR l.wanted < $1)
  AND EXISTS (SELECT FROM node n WHERE n.name = l.wanted);

-- name: news
-- What nodes tell each other of, and whether something waits for partitions. $1 partitions.
SELECT configuration, mailboxes,
       EXISTS (SELECT FROM intake i WHERE i.part = ANY ($1::smallint[]) AND i.kind > 0)
FROM news;

-- name: news_add
-- Something changed. $1 of the configuration: 1 or 0, $2 of the mailboxes.
UPDATE news SET configuration = configuration + $1, mailboxes = mailboxes + $2
RETURNING configuration, mailboxes;

-- name: node_configured
-- The least configuration that a node goes by which may still commit.
SELECT min(configured) FROM node;

-- name: intake_put
-- Hands over. $1 partitions, $2 kinds, $3 contacts, $4 bodies.
INSERT INTO intake (part, kind, contact_id, body)
SELECT k.* FROM unnest($1::smallint[], $2::smallint[], $3::bigint[], $4::text[])
     AS k (part, kind, contact_id, body);

-- name: intake_take
-- Takes what waits for partitions, the oldest. $1 partitions, $2 limit.
DELETE FROM intake i USING (
    SELECT k.part, k.seq FROM intake k
    WHERE k.part = ANY ($1::smallint[]) AND k.kind > 0 ORDER BY k.seq LIMIT $2
) old
WHERE i.part = old.part AND i.seq = old.seq
RETURNING i.seq, i.part, i.kind, i.contact_id, i.body;

-- name: orphaned_list
-- Messages in flight of partitions whose sender is gone. $1 partitions.
SELECT t.contact_id, t.hash, t.body, t.sender FROM touchpoint t
WHERE t.slot = 3 AND t.part = ANY ($1::smallint[])
  AND NOT EXISTS (SELECT FROM node n WHERE n.name || ':' || n.epoch = t.sender)
ORDER BY t.contact_id, t.hash;

-- name: node_leave
-- A node ends. $1 name, $2 epoch.
DELETE FROM node WHERE name = $1 AND epoch = $2;
