-- name: consent_add
-- Remembers answers; the same one twice is one. $1 contacts, $2 at, $3 about, $4 answers, $5 bodies.
INSERT INTO consent_log (part, contact_id, at, about, answer, body)
SELECT (k.contact_id % 256)::smallint, k.*
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[])
     AS k (contact_id, at, about, answer, body)
ON CONFLICT (part, contact_id, at, about, answer) DO NOTHING;

-- name: suppression_put
-- Puts entries on the list; those that are there stay. $1 kinds, $2 values, $3 reasons, $4 at, $5 sources.
INSERT INTO suppression (kind, value, reason, at, source)
SELECT k.* FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[])
     AS k (kind, value, reason, at, source)
ON CONFLICT (kind, value) DO NOTHING;

-- name: suppression_drop
-- Takes entries off the list. $1 kinds, $2 values.
DELETE FROM suppression s USING unnest($1::text[], $2::text[]) AS k (kind, value)
WHERE s.kind = k.kind AND s.value = k.value;

-- name: suppression_get
-- Why addresses are on the list. $1 kinds, $2 values. The first column says which of them.
SELECT k.n, s.reason FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (kind, value, n)
JOIN suppression s ON s.kind = k.kind AND s.value = k.value;

-- name: erased_add
-- Remembers whom an erasure removed. $1 hashes, $2 at.
INSERT INTO erased (hash, at) SELECT k.hash, $2 FROM unnest($1::text[]) AS k (hash)
ON CONFLICT (hash) DO NOTHING;

-- name: erased_any
-- Whether anybody was ever erased.
SELECT 1 FROM erased LIMIT 1;

-- name: erased_get
-- Those of some names that an erasure removed. $1 hashes.
SELECT hash FROM erased WHERE hash = ANY ($1::text[]);

-- name: erased_drop
-- Lets somebody be known again. $1 hash.
DELETE FROM erased WHERE hash = $1;

-- name: forget_identities
-- Names of a contact. $1 contact, $2 limit.
SELECT kind, value FROM identity WHERE contact_id = $1 LIMIT $2;

-- name: forget_identity
-- $1 kinds, $2 values, $3 contact.
DELETE FROM identity i USING unnest($1::text[], $2::text[]) AS k (kind, value)
WHERE i.kind = k.kind AND i.value = k.value AND i.contact_id = $3;

-- name: forget_touchpoints
-- Removes messages of a contact. $1 contact, $2 limit.
DELETE FROM touchpoint WHERE (part, contact_id, hash) IN
    (SELECT part, contact_id, hash FROM touchpoint
     WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 LIMIT $2)
RETURNING hash, slot, slot_at, state;

-- name: forget_enrollments
-- Removes runs of a contact. $1 contact, $2 limit.
DELETE FROM enrollment WHERE (part, contact_id, number) IN
    (SELECT part, contact_id, number FROM enrollment
     WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 LIMIT $2)
RETURNING number, is_live, journey, version, step, body;

-- name: forget_watches
-- Removes what is awaited of a contact. $1 contact.
DELETE FROM watch WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 RETURNING body;

-- name: forget_members
-- Forgets how a contact stands to every segment. $1 contact.
WITH gone AS (
    DELETE FROM member WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1
    RETURNING segment, is_member, due_at
)
SELECT s.id, gone.segment, gone.is_member, gone.due_at FROM gone JOIN segment s ON s.number = gone.segment;

-- name: forget_entries
-- $1 contact, $2 limit.
DELETE FROM entry WHERE (part, contact_id, journey, subject_kind, subject_id) IN
    (SELECT part, contact_id, journey, subject_kind, subject_id FROM entry
     WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 LIMIT $2);

-- name: forget_objects
-- $1 contact, $2 limit.
DELETE FROM object WHERE (part, contact_id, kind, id) IN
    (SELECT part, contact_id, kind, id FROM object
     WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 LIMIT $2);

-- name: forget_tasks
-- $1 contact, $2 limit.
DELETE FROM task WHERE (part, contact_id, hash) IN
    (SELECT part, contact_id, hash FROM task
     WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 LIMIT $2);

-- name: forget_consents
-- $1 contact, $2 limit.
DELETE FROM consent_log WHERE (part, contact_id, at, about, answer) IN
    (SELECT part, contact_id, at, about, answer FROM consent_log
     WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 LIMIT $2);

-- name: forget_threads
-- $1 contact, $2 limit.
DELETE FROM thread WHERE (message_id, contact_id, subject_kind, subject_id) IN
    (SELECT message_id, contact_id, subject_kind, subject_id FROM thread WHERE contact_id = $1 LIMIT $2);

-- name: forget_merges
-- What is kept of merges in which a contact had a part. $1 contact.
DELETE FROM merged WHERE (part = ($1::bigint % 256)::smallint AND contact_id = $1) OR survivor_id = $1;

-- name: forget_events
-- Removes events of a contact along their chains, the newest of each name first; gives the names with the
-- event before the last removed. $1 contact, $2 limit.
WITH RECURSIVE chain (name, event_id, previous_id) AS (
    SELECT h.name, e.event_id, e.previous_id
    FROM event_head h JOIN event e ON e.part = h.part AND e.event_id = h.last_id
    WHERE h.part = ($1::bigint % 256)::smallint AND h.contact_id = $1
    UNION ALL
    SELECT c.name, e.event_id, e.previous_id
    FROM chain c JOIN event e ON e.part = ($1::bigint % 256)::smallint AND e.event_id = c.previous_id
), few AS (
    SELECT name, event_id, previous_id FROM chain LIMIT $2
), gone AS (
    DELETE FROM event WHERE part = ($1::bigint % 256)::smallint AND event_id IN (SELECT event_id FROM few)
)
SELECT name, event_id, previous_id FROM few;

-- name: forget_heads
-- Chains of a contact begin elsewhere. $1 contact, $2 names, $3 events.
UPDATE event_head h SET last_id = k.last_id FROM unnest($2::text[], $3::bigint[]) AS k (name, last_id)
WHERE h.part = ($1::bigint % 256)::smallint AND h.contact_id = $1 AND h.name = k.name;

-- name: forget_heads_dropped
-- Chains of a contact are gone. $1 contact, $2 names, null for all of them.
DELETE FROM event_head WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1
  AND ($2::text[] IS NULL OR name = ANY ($2));

-- name: forget_lines
-- Removes lines of a contact, the newest first. $1 contact, $2 limit.
DELETE FROM ledger WHERE (part, contact_id, ledger_id) IN
    (SELECT part, contact_id, ledger_id FROM ledger
     WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 ORDER BY ledger_id DESC LIMIT $2);

-- name: forget_contact
-- What stays: the number, so that no other contact gets it. $1 contact, $2 body.
UPDATE contact SET body = $2
WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 AND body <> $2;
