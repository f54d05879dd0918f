-- name: thread_put
-- Remembers a message of a thread. ?1 Message-ID, ?2 contact, ?3 subject's kind, ?4 its id.
INSERT INTO thread (message_id, contact_id, subject_kind, subject_id) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (message_id, contact_id, subject_kind, subject_id) DO NOTHING;

-- name: thread_find
-- The threads that a message belongs to. ?1 Message-ID, ?2 limit.
SELECT contact_id, subject_kind, subject_id FROM thread WHERE message_id = ?1
ORDER BY contact_id, subject_kind, subject_id LIMIT ?2;

-- name: seen_append
-- Remembers the keys of a batch. ?1 generation, ?2 when, ?3 keys.
INSERT INTO seen (generation, seen_at, keys) VALUES (?1, ?2, ?3);

-- name: seen_forget
-- Forgets the generations before one. ?1 generation.
DELETE FROM seen WHERE generation < ?1;

-- name: seen_load
-- Everything remembered, in order.
SELECT generation, seen_at, keys FROM seen ORDER BY seen_id;

-- name: journey_get
-- The text of a version. ?1 journey, ?2 version.
SELECT text FROM journey WHERE journey = ?1 AND version = ?2;

-- name: journey_put
-- Adds a version, or changes whether it is current and how runs come to it.
-- ?1 journey, ?2 version, ?3 is_current, ?4 now, ?5 text, ?6 moves.
INSERT INTO journey (journey, version, is_current, published_at, text, moves) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (journey, version) DO UPDATE SET is_current = excluded.is_current, moves = excluded.moves;

-- name: journey_retire_others
-- Leaves no other version current. ?1 journey, ?2 version.
UPDATE journey SET is_current = 0 WHERE journey = ?1 AND version <> ?2 AND is_current = 1;

-- name: journey_retire
-- Leaves a version not current. ?1 journey, ?2 version.
UPDATE journey SET is_current = 0 WHERE journey = ?1 AND version = ?2;

-- name: journey_wanted
-- Versions that new runs begin on, and all versions of journeys with live runs.
SELECT j.journey, j.version, j.is_current, j.moves, j.text FROM journey j
WHERE j.is_current = 1
   OR EXISTS (SELECT 1 FROM live_run r WHERE r.journey = j.journey AND r.n > 0)
ORDER BY j.journey, j.version;

-- name: journey_versions
-- Every version of a journey, oldest first. ?1 journey.
SELECT journey, version, is_current, moves, text FROM journey WHERE journey = ?1 ORDER BY version;

-- name: journey_pause
-- Lets a journey stand still. ?1 journey.
INSERT INTO journey_paused (journey) VALUES (?1) ON CONFLICT (journey) DO NOTHING;

-- name: journey_go_on
-- Lets a journey go on. ?1 journey.
DELETE FROM journey_paused WHERE journey = ?1;

-- name: journey_paused_list
-- Journeys that stand still.
SELECT journey FROM journey_paused ORDER BY journey;

-- name: mailbox_list
-- What is known of the watched mailboxes.
SELECT mailbox, synced_at, cursors FROM mailbox ORDER BY mailbox;

-- name: mailbox_put
-- Remembers the state of a mailbox. ?1 mailbox, ?2 synced_at, ?3 cursors.
INSERT INTO mailbox (mailbox, synced_at, cursors) VALUES (?1, ?2, ?3)
ON CONFLICT (mailbox) DO UPDATE SET synced_at = excluded.synced_at, cursors = excluded.cursors;

-- name: asset_list
-- All texts of a sort, by name. ?1 kind.
SELECT name, body FROM asset WHERE kind = ?1 ORDER BY name;

-- name: asset_put
-- Puts or replaces a text. ?1 kind, ?2 name, ?3 now, ?4 body.
INSERT INTO asset (kind, name, updated_at, body) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (kind, name) DO UPDATE SET updated_at = excluded.updated_at, body = excluded.body;

-- name: asset_drop
-- Removes a text, if there is one. ?1 kind, ?2 name.
DELETE FROM asset WHERE kind = ?1 AND name = ?2;

-- name: audit_put
-- Notes who changed what. ?1 at, ?2 hash, ?3 who, ?4 action, ?5 object, ?6 detail.
INSERT INTO audit (at, hash, who, action, object, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (at, hash) DO NOTHING;

-- name: audit_forget
-- Forgets lines of before a moment. ?1 moment.
DELETE FROM audit WHERE at < ?1;
