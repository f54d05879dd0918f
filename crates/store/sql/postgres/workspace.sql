-- name: thread_put
-- Remembers messages of threads. $1 Message-IDs, $2 contacts, $3 subjects' kinds, $4 their ids.
INSERT INTO thread (message_id, contact_id, subject_kind, subject_id)
SELECT k.* FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[])
     AS k (message_id, contact_id, subject_kind, subject_id)
ON CONFLICT (message_id, contact_id, subject_kind, subject_id) DO NOTHING;

-- name: thread_find
-- The threads that messages belong to. $1 Message-IDs, $2 limit for each. The first column says which.
SELECT k.n, t.contact_id, t.subject_kind, t.subject_id
FROM unnest($1::text[]) WITH ORDINALITY AS k (message_id, n)
CROSS JOIN LATERAL (
    SELECT t.contact_id, t.subject_kind, t.subject_id FROM thread t WHERE t.message_id = k.message_id
    ORDER BY t.contact_id, t.subject_kind, t.subject_id LIMIT $2
) t
ORDER BY k.n, t.contact_id, t.subject_kind, t.subject_id;

-- name: seen_append
-- Remembers keys that are not known; gives those back. $1 slot, $2 slot of the generation before, $3 keys,
-- sorted and each once.
INSERT INTO seen (slot, key)
SELECT $1, k.key FROM unnest($3::bigint[]) AS k (key)
WHERE NOT EXISTS (SELECT FROM seen s WHERE s.slot = $2 AND s.key = k.key)
ON CONFLICT (key, slot) DO NOTHING
RETURNING key;

-- name: seen_begin
-- A generation has its first key. $1 now.
UPDATE seen_generation SET since = $1 WHERE since IS NULL;

-- name: seen_bytes
-- The size of a slot. $1 slot.
SELECT pg_relation_size(format('seen_%s', $1::smallint)::regclass);

-- name: seen_lock
-- Begins the end of a generation, which one node does. $1 generation.
SELECT generation FROM seen_generation WHERE generation = $1 FOR UPDATE;

-- name: seen_next
-- The next generation begins.
UPDATE seen_generation SET generation = generation + 1, since = NULL;

-- name: seen_empty_0
-- Forgets the keys of slot 0 at once: a generation is too large to delete row by row.
TRUNCATE seen_0;

-- name: seen_empty_1
-- Forgets the keys of slot 1 at once, as seen_empty_0.
TRUNCATE seen_1;

-- name: seen_empty_2
-- Forgets the keys of slot 2 at once, as seen_empty_0.
TRUNCATE seen_2;

-- name: journey_get
-- The text of a version. $1 journey, $2 version.
SELECT text FROM journey WHERE journey = $1 AND version = $2;

-- name: journey_put
-- Adds a version, or changes whether it is current and how runs come to it.
-- $1 journey, $2 version, $3 is_current, $4 now, $5 text, $6 moves.
INSERT INTO journey (journey, version, is_current, published_at, text, moves) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (journey, version) DO UPDATE SET is_current = excluded.is_current, moves = excluded.moves;

-- name: journey_retire_others
-- Leaves no other version current. $1 journey, $2 version.
UPDATE journey SET is_current = false WHERE journey = $1 AND version <> $2 AND is_current;

-- name: journey_retire
-- Leaves a version not current. $1 journey, $2 version.
UPDATE journey SET is_current = false WHERE journey = $1 AND version = $2;

-- name: journey_wanted
-- Versions that new runs begin on, and all versions of journeys with live runs.
SELECT j.journey, j.version, j.is_current, j.moves, j.text FROM journey j
WHERE j.is_current
   OR EXISTS (SELECT FROM live_run r WHERE r.journey = j.journey GROUP BY r.version HAVING sum(r.n) > 0)
ORDER BY j.journey, j.version;

-- name: journey_versions
-- Every version of a journey, oldest first. $1 journey.
SELECT journey, version, is_current, moves, text FROM journey WHERE journey = $1 ORDER BY version;

-- name: journey_pause
-- Lets a journey stand still. $1 journey.
INSERT INTO journey_paused (journey) VALUES ($1) ON CONFLICT (journey) DO NOTHING;

-- name: journey_go_on
-- Lets a journey go on. $1 journey.
DELETE FROM journey_paused WHERE journey = $1;

-- name: journey_paused_list
-- Journeys that stand still.
SELECT journey FROM journey_paused ORDER BY journey;

-- name: mailbox_list
-- What is known of the watched mailboxes.
SELECT mailbox, synced_at, cursors FROM mailbox ORDER BY mailbox;

-- name: mailbox_put
-- Remembers the state of a mailbox. $1 mailbox, $2 synced_at, $3 cursors.
INSERT INTO mailbox (mailbox, synced_at, cursors) VALUES ($1, $2, $3)
ON CONFLICT (mailbox) DO UPDATE SET synced_at = excluded.synced_at, cursors = excluded.cursors;

-- name: asset_list
-- All texts of a sort, by name. $1 kind.
SELECT name, body FROM asset WHERE kind = $1 ORDER BY name;

-- name: asset_put
-- Puts or replaces a text. $1 kind, $2 name, $3 now, $4 body.
INSERT INTO asset (kind, name, updated_at, body) VALUES ($1, $2, $3, $4)
ON CONFLICT (kind, name) DO UPDATE SET updated_at = excluded.updated_at, body = excluded.body;

-- name: asset_drop
-- Removes a text, if there is one. $1 kind, $2 name.
DELETE FROM asset WHERE kind = $1 AND name = $2;

-- name: audit_put
-- Notes who changed what. $1 at, $2 hash, $3 who, $4 action, $5 object, $6 detail.
INSERT INTO audit (at, hash, who, action, object, detail) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (at, hash) DO NOTHING;

-- name: audit_forget
-- Forgets lines of before a moment. $1 moment.
DELETE FROM audit WHERE at < $1;
