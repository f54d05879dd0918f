-- name: timer_arm
-- Sets timers; the same one twice is one. $1 due_at, $2 contacts, $3 kinds, $4 targets.
INSERT INTO timer (part, due_at, contact_id, kind, target)
SELECT (k.contact_id % 256)::smallint, k.*
FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[]) AS k (due_at, contact_id, kind, target)
ON CONFLICT (part, due_at, contact_id, kind, target) DO NOTHING;

-- name: timer_disarm
-- Takes timers back, if they are set. $1 due_at, $2 contacts, $3 kinds, $4 targets.
DELETE FROM timer t
USING unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[]) AS k (due_at, contact_id, kind, target)
WHERE t.part = (k.contact_id % 256)::smallint AND t.due_at = k.due_at AND t.contact_id = k.contact_id
  AND t.kind = k.kind AND t.target = k.target;

-- name: timer_due
-- Timers due in partitions, each after a place, earliest first.
-- $1 partitions, $2 $3 $4 $5 the place in each: moment, contact, kind, target; $6 now, $7 limit for each.
SELECT k.part, t.due_at, t.contact_id, t.kind, t.target
FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::smallint[], $5::bigint[])
     AS k (part, due_at, contact_id, kind, target)
CROSS JOIN LATERAL (
    SELECT t.due_at, t.contact_id, t.kind, t.target FROM timer t
    WHERE t.part = k.part AND t.due_at <= $6
      AND (t.due_at, t.contact_id, t.kind, t.target) > (k.due_at, k.contact_id, k.kind, k.target)
    ORDER BY t.due_at, t.contact_id, t.kind, t.target LIMIT $7
) t;

-- name: timer_next
-- The earliest timer of partitions. $1 partitions.
SELECT k.part, t.due_at
FROM unnest($1::smallint[]) AS k (part)
CROSS JOIN LATERAL (SELECT t.due_at FROM timer t WHERE t.part = k.part ORDER BY t.due_at LIMIT 1) t;

-- name: outbox_ready
-- Messages whose moment has come in partitions, each after a place, earliest first. Parameters and columns as
-- of timer_due; the target is the message's hash.
SELECT k.part, t.slot_at, t.contact_id, 0::smallint, t.hash
FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::smallint[], $5::bigint[])
     AS k (part, ready_at, contact_id, kind, hash)
CROSS JOIN LATERAL (
    SELECT t.slot_at, t.contact_id, t.hash FROM touchpoint t
    WHERE t.part = k.part AND t.slot = 1 AND t.slot_at <= $6
      AND (t.slot_at, t.contact_id, t.hash) > (k.ready_at, k.contact_id, k.hash)
    ORDER BY t.slot_at, t.contact_id, t.hash LIMIT $7
) t;

-- name: outbox_next
-- The earliest message of partitions. $1 partitions.
SELECT k.part, t.slot_at
FROM unnest($1::smallint[]) AS k (part)
CROSS JOIN LATERAL (
    SELECT t.slot_at FROM touchpoint t WHERE t.part = k.part AND t.slot = 1 ORDER BY t.slot_at LIMIT 1
) t;

-- name: in_flight_list
-- All messages in flight of partitions. $1 partitions, null for all.
SELECT contact_id, hash, body FROM touchpoint
WHERE slot = 3 AND ($1::smallint[] IS NULL OR part = ANY ($1))
ORDER BY contact_id, hash;
