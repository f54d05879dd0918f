-- name: enrollment_before
-- What the counts of live runs know of a run. ?1 contact, ?2 number.
SELECT is_live, journey, version, step FROM enrollment WHERE contact_id = ?1 AND number = ?2;

-- name: enrollment_put
-- Writes a run. ?1 contact, ?2 number, ?3 version, ?4 step, ?5 body, ?6 is_live, ?7 journey.
INSERT INTO enrollment (contact_id, number, version, step, body, is_live, journey)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (contact_id, number) DO UPDATE
SET is_live = excluded.is_live, journey = excluded.journey, version = excluded.version,
    step = excluded.step, body = excluded.body;

-- name: enrollment_step
-- Writes a run of which no index changes: it is as live as it was, and of the same journey.
-- ?1 contact, ?2 number, ?3 version, ?4 step, ?5 body.
UPDATE enrollment SET version = ?3, step = ?4, body = ?5 WHERE contact_id = ?1 AND number = ?2;

-- name: enrollment_running
-- Contacts with a live run of a journey, in order of id. ?1 journey, ?2 after this contact, ?3 limit.
SELECT DISTINCT contact_id FROM enrollment INDEXED BY enrollment_of_journey
WHERE journey = ?1 AND is_live = 1 AND contact_id > ?2 ORDER BY contact_id LIMIT ?3;

-- name: enrollment_live
-- Live runs of a contact, oldest first; past ones are not looked at. ?1 contact.
SELECT number, body FROM enrollment INDEXED BY enrollment_live
WHERE contact_id = ?1 AND is_live = 1 ORDER BY number;

-- name: entry_put
-- Remembers when a contact last entered a journey about a subject.
-- ?1 contact, ?2 journey, ?3 subject's kind, ?4 its id (both empty without one), ?5 when.
INSERT INTO entry (contact_id, journey, subject_kind, subject_id, last_at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (contact_id, journey, subject_kind, subject_id) DO UPDATE SET last_at = excluded.last_at;

-- name: entry_list
-- Entries of a contact into a journey, the latest first. ?1 contact, ?2 journey, ?3 limit.
SELECT subject_kind, subject_id, last_at FROM entry WHERE contact_id = ?1 AND journey = ?2
ORDER BY last_at DESC LIMIT ?3;

-- name: touchpoint_before
-- Where a message is kept now. ?1 contact, ?2 hash.
SELECT slot, slot_at, state FROM touchpoint WHERE contact_id = ?1 AND hash = ?2;

-- name: touchpoint_put
-- Writes a message. ?1 contact, ?2 hash, ?3 slot, ?4 slot_at, ?5 state, ?6 state_at, ?7 body.
INSERT INTO touchpoint (contact_id, hash, slot, slot_at, state, state_at, body)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (contact_id, hash) DO UPDATE
SET slot = excluded.slot, slot_at = excluded.slot_at, state = excluded.state,
    state_at = excluded.state_at, body = excluded.body;

-- name: touchpoint_open
-- Open messages of a contact; settled ones are not looked at. ?1 contact.
SELECT hash, body FROM touchpoint INDEXED BY touchpoint_open
WHERE contact_id = ?1 AND slot > 0 ORDER BY hash;

-- name: touchpoint_waiting
-- Contacts with open messages, in order of id. ?1 after this contact, ?2 limit.
SELECT DISTINCT contact_id FROM touchpoint INDEXED BY touchpoint_open
WHERE slot > 0 AND contact_id > ?1 ORDER BY contact_id LIMIT ?2;

-- name: watch_put
-- Writes awaited activity. ?1 contact, ?2 hash, ?3 body.
INSERT INTO watch (contact_id, hash, body) VALUES (?1, ?2, ?3)
ON CONFLICT (contact_id, hash) DO UPDATE SET body = excluded.body;

-- name: watch_drop
-- Forgets awaited activity. ?1 contact, ?2 hash.
DELETE FROM watch WHERE contact_id = ?1 AND hash = ?2;

-- name: watch_list
-- Awaited activity of a contact. ?1 contact.
SELECT hash, body FROM watch WHERE contact_id = ?1 ORDER BY hash;

-- name: object_put
-- Writes an object. ?1 contact, ?2 kind, ?3 id, ?4 updated_at, ?5 body.
INSERT INTO object (contact_id, kind, id, updated_at, body) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (contact_id, kind, id) DO UPDATE SET updated_at = excluded.updated_at, body = excluded.body;

-- name: object_get
-- One object. ?1 contact, ?2 kind, ?3 id.
SELECT body FROM object WHERE contact_id = ?1 AND kind = ?2 AND id = ?3;

-- name: object_list
-- Objects of a contact of one kind, the last changed first. ?1 contact, ?2 kind, ?3 limit.
SELECT id, body FROM object WHERE contact_id = ?1 AND kind = ?2
ORDER BY updated_at DESC, id LIMIT ?3;

-- name: task_put
-- Writes a task; the same one twice is one. ?1 contact, ?2 hash, ?3 created_at, ?4 body, ?5 assignee (nothing: the
-- contact's owner), ?6 due at.
INSERT INTO task (contact_id, hash, created_at, body, assignee, due_at, state_at)
SELECT ?1, ?2, ?3, ?4,
       CASE WHEN ?5 <> '' THEN ?5 ELSE coalesce((SELECT owner FROM profile WHERE contact_id = ?1), '') END,
       ?6, coalesce(?6, 9223372036854775807)
WHERE true
ON CONFLICT (contact_id, hash) DO NOTHING;
