-- name: enrollment_put
-- Writes runs; gives back what the counts of live runs knew of them.
-- $1 contacts, $2 numbers, $3 versions, $4 steps, $5 bodies, $6 is_live, $7 journeys.
WITH new AS (
    SELECT (k.contact_id % 256)::smallint AS part, k.*
    FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::text[], $5::text[], $6::boolean[], $7::text[])
         AS k (contact_id, number, version, step, body, is_live, journey)
), old AS (
    SELECT e.is_live, e.journey, e.version, e.step
    FROM new k JOIN enrollment e
         ON e.part = k.part AND e.contact_id = k.contact_id AND e.number = k.number
), put AS (
    INSERT INTO enrollment (part, contact_id, number, version, step, body, is_live, journey)
    SELECT part, contact_id, number, version, step, body, is_live, journey FROM new
    ON CONFLICT (part, contact_id, number) DO UPDATE
    SET is_live = excluded.is_live, journey = excluded.journey, version = excluded.version,
        step = excluded.step, body = excluded.body
)
SELECT is_live, journey, version, step FROM old;

-- name: enrollment_running
-- Contacts with a live run of a journey, in order of id.
-- $1 journey, $2 after this contact, $3 limit.
SELECT DISTINCT contact_id FROM enrollment
WHERE journey = $1 AND is_live AND contact_id > $2
ORDER BY contact_id LIMIT $3;

-- name: enrollment_live
-- Live runs of contacts, oldest first; past ones are not looked at. $1 contacts.
SELECT e.contact_id, e.number, e.body
FROM unnest($1::bigint[]) AS k (id)
JOIN enrollment e ON e.part = (k.id % 256)::smallint AND e.contact_id = k.id AND e.is_live
ORDER BY e.contact_id, e.number;

-- name: entry_put
-- Remembers when contacts last entered journeys about subjects.
-- $1 contacts, $2 journeys, $3 subjects' kinds, $4 their ids (both empty without one), $5 when.
INSERT INTO entry (part, contact_id, journey, subject_kind, subject_id, last_at)
SELECT (k.contact_id % 256)::smallint, k.*
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[])
     AS k (contact_id, journey, subject_kind, subject_id, last_at)
ON CONFLICT (part, contact_id, journey, subject_kind, subject_id) DO UPDATE SET last_at = excluded.last_at;

-- name: entry_list
-- Entries of contacts into journeys, the latest first. $1 contacts, $2 journeys, $3 limit for each.
-- The first column says which of them.
SELECT k.n, e.subject_kind, e.subject_id, e.last_at
FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS k (contact_id, journey, n)
CROSS JOIN LATERAL (
    SELECT e.subject_kind, e.subject_id, e.last_at FROM entry e
    WHERE e.part = (k.contact_id % 256)::smallint AND e.contact_id = k.contact_id AND e.journey = k.journey
    ORDER BY e.last_at DESC LIMIT $3
) e;

-- name: touchpoint_put
-- Writes messages; gives back where they were kept before.
-- $1 contacts, $2 hashes, $3 slots, $4 slot_at, $5 states, $6 state_at, $7 bodies, $8 this node. What
-- another node has in flight stays its own.
WITH new AS (
    SELECT (k.contact_id % 256)::smallint AS part, k.*
    FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::smallint[], $6::bigint[],
                $7::text[])
         AS k (contact_id, hash, slot, slot_at, state, state_at, body)
), old AS (
    SELECT t.contact_id, t.slot, t.slot_at, t.state
    FROM new k JOIN touchpoint t ON t.part = k.part AND t.contact_id = k.contact_id AND t.hash = k.hash
), put AS (
    INSERT INTO touchpoint (part, contact_id, hash, slot, slot_at, state, state_at, body, sender)
    SELECT part, contact_id, hash, slot, slot_at, state, state_at, body, CASE slot WHEN 3 THEN $8::text END
    FROM new
    ON CONFLICT (part, contact_id, hash) DO UPDATE
    SET slot = excluded.slot, slot_at = excluded.slot_at, state = excluded.state,
        state_at = excluded.state_at, body = excluded.body,
        sender = CASE WHEN excluded.slot = 3 AND touchpoint.slot = 3 AND excluded.state_at = touchpoint.state_at
                      THEN touchpoint.sender ELSE excluded.sender END
)
SELECT contact_id, slot, slot_at, state FROM old;

-- name: touchpoint_open
-- Open messages of contacts; settled ones are not looked at. $1 contacts.
SELECT t.contact_id, t.hash, t.body
FROM unnest($1::bigint[]) AS k (id)
JOIN touchpoint t ON t.part = (k.id % 256)::smallint AND t.contact_id = k.id AND t.slot > 0
ORDER BY t.contact_id, t.hash;

-- name: touchpoint_waiting
-- Contacts with open messages, part by part as the index has them. $1 after this contact (-1: from the beginning),
-- $2 limit.
SELECT contact_id FROM (
    SELECT DISTINCT part, contact_id FROM touchpoint
    WHERE slot > 0 AND (part, contact_id) > ((GREATEST($1::bigint, 0) % 256)::smallint, $1::bigint)
    ORDER BY part, contact_id LIMIT $2
) AS page ORDER BY part, contact_id;

-- name: watch_put
-- Writes awaited activity. $1 contacts, $2 hashes, $3 bodies.
INSERT INTO watch (part, contact_id, hash, body)
SELECT (k.contact_id % 256)::smallint, k.*
FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS k (contact_id, hash, body)
ON CONFLICT (part, contact_id, hash) DO UPDATE SET body = excluded.body;

-- name: watch_drop
-- Forgets awaited activity. $1 contacts, $2 hashes.
DELETE FROM watch w USING unnest($1::bigint[], $2::bigint[]) AS k (contact_id, hash)
WHERE w.part = (k.contact_id % 256)::smallint AND w.contact_id = k.contact_id AND w.hash = k.hash;

-- name: watch_list
-- Awaited activity of contacts. $1 contacts.
SELECT w.contact_id, w.body
FROM unnest($1::bigint[]) AS k (id)
JOIN watch w ON w.part = (k.id % 256)::smallint AND w.contact_id = k.id
ORDER BY w.contact_id, w.hash;

-- name: object_put
-- Writes objects. $1 contacts, $2 kinds, $3 ids, $4 updated_at, $5 bodies.
INSERT INTO object (part, contact_id, kind, id, updated_at, body)
SELECT (k.contact_id % 256)::smallint, k.*
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[])
     AS k (contact_id, kind, id, updated_at, body)
ON CONFLICT (part, contact_id, kind, id) DO UPDATE SET updated_at = excluded.updated_at, body = excluded.body;

-- name: object_get
-- Objects of contacts. $1 contacts, $2 kinds, $3 ids. The first column says which of them.
SELECT k.n, o.body
FROM unnest($1::bigint[], $2::text[], $3::text[]) WITH ORDINALITY AS k (contact_id, kind, id, n)
JOIN object o ON o.part = (k.contact_id % 256)::smallint AND o.contact_id = k.contact_id
             AND o.kind = k.kind AND o.id = k.id;

-- name: object_list
-- Objects of contacts of kinds, the last changed first. $1 contacts, $2 kinds, $3 limit for each.
-- The first column says which of them.
SELECT k.n, o.id, o.body
FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS k (contact_id, kind, n)
CROSS JOIN LATERAL (
    SELECT o.id, o.body FROM object o
    WHERE o.part = (k.contact_id % 256)::smallint AND o.contact_id = k.contact_id AND o.kind = k.kind
    ORDER BY o.updated_at DESC, o.id LIMIT $3
) o;

-- name: task_put
-- Writes tasks; the same one twice is one. $1 contacts, $2 hashes, $3 created_at, $4 bodies, $5 assignees (nothing:
-- the contact's owner), $6 due at.
INSERT INTO task (part, contact_id, hash, created_at, body, assignee, due_at, state_at)
SELECT (k.contact_id % 256)::smallint, k.contact_id, k.hash, k.created_at, k.body,
       CASE WHEN k.assignee <> '' THEN k.assignee ELSE coalesce(p.owner, '') END,
       k.due_at, coalesce(k.due_at, 9223372036854775807)
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[])
     AS k (contact_id, hash, created_at, body, assignee, due_at)
LEFT JOIN profile p ON p.part = (k.contact_id % 256)::smallint AND p.contact_id = k.contact_id
ON CONFLICT (part, contact_id, hash) DO NOTHING;
