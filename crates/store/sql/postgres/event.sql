-- name: event_block
-- Takes blocks of ids for events. $1 how many.
SELECT nextval('event_block') FROM generate_series(1, $1::bigint);

-- name: event_append
-- Adds events to the log. The event before the first of a contact and name in the batch is the beginning of
-- its chain until then. $1 ids, $2 contacts, $3 names, $4 events before them in the batch (null for the
-- first), $5 bodies.
INSERT INTO event (part, event_id, contact_id, previous_id, body)
SELECT k.part, k.id, k.contact_id, coalesce(k.previous_id, h.last_id), k.body
FROM (SELECT (k.contact_id % 256)::smallint AS part, k.*
      FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[])
           AS k (id, contact_id, name, previous_id, body)) k
LEFT JOIN event_head h
     ON k.previous_id IS NULL AND h.part = k.part AND h.contact_id = k.contact_id AND h.name = k.name;

-- name: event_head_put
-- Moves beginnings of chains. $1 contacts, $2 names, $3 events, $4 moments of activity.
INSERT INTO event_head (part, contact_id, name, last_id, last_at)
SELECT (k.contact_id % 256)::smallint, k.contact_id, k.name, k.last_id, k.last_at
FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[]) AS k (contact_id, name, last_id, last_at)
ON CONFLICT (part, contact_id, name) DO UPDATE
SET last_id = excluded.last_id, last_at = greatest(event_head.last_at, excluded.last_at);

-- name: event_day_put
-- Notes the first events of days in the log. $1 days, $2 events.
INSERT INTO event_day (day, event_id)
SELECT k.day, k.event_id FROM unnest($1::bigint[], $2::bigint[]) AS k (day, event_id)
ON CONFLICT (day) DO UPDATE SET event_id = least(event_day.event_id, excluded.event_id);

-- name: event_history
-- Events along chains from their beginnings, newest first. $1 contacts, $2 names, $3 limit for each.
-- The first column says which of them.
WITH RECURSIVE chain (n, depth, part, previous_id, body) AS (
    SELECT k.n, 1, e.part, e.previous_id, e.body
    FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS k (contact_id, name, n)
    JOIN event_head h ON h.part = (k.contact_id % 256)::smallint AND h.contact_id = k.contact_id
                     AND h.name = k.name
    JOIN event e ON e.part = h.part AND e.event_id = h.last_id
    UNION ALL
    SELECT c.n, c.depth + 1, e.part, e.previous_id, e.body
    FROM chain c JOIN event e ON e.part = c.part AND e.event_id = c.previous_id
    WHERE c.depth < $3
)
SELECT n, body FROM chain ORDER BY n, depth;

-- name: event_last_at
-- The latest activity of contacts. $1 contacts. The first column says which of them.
SELECT k.n, max(h.last_at)
FROM unnest($1::bigint[]) WITH ORDINALITY AS k (id, n)
JOIN event_head h ON h.part = (k.id % 256)::smallint AND h.contact_id = k.id
GROUP BY k.n;
