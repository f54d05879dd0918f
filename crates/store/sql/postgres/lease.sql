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
-- its own. $1 name, $2 shard, $3 milliseconds to live.
INSERT INTO node (name, epoch, shard, expires_at)
-- tidy:allow(sql-files): the one clock that all nodes share
VALUES ($1, nextval('node_epoch'), $2, clock_timestamp() + $3::bigint * interval '1 millisecond')
ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, expires_at = excluded.expires_at
RETURNING epoch, shard;

-- name: lease_adopt
-- Partitions that a node held before it began anew. $1 name, $2 epoch.
UPDATE lease SET epoch = $2 WHERE node = $1;

-- name: node_renew
-- A node lives on. $1 name, $2 epoch, $3 milliseconds to live.
-- tidy:allow(sql-files): the one clock that all nodes share
UPDATE node SET expires_at = clock_timestamp() + $3::bigint * interval '1 millisecond'
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
-- Takes partitions that belong to nobody. $1 name, $2 epoch, $3 how many.
UPDATE lease SET node = $1, epoch = $2
WHERE part IN (SELECT part FROM lease WHERE node IS NULL ORDER BY part LIMIT $3 FOR UPDATE);

-- name: node_leave
-- A node ends. $1 name, $2 epoch.
DELETE FROM node WHERE name = $1 AND epoch = $2;
