-- name: timer_arm
-- Sets a timer; the same one twice is one. ?1 due_at, ?2 contact, ?3 kind, ?4 target.
INSERT INTO timer (due_at, contact_id, kind, target) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (due_at, contact_id, kind, target) DO NOTHING;

-- name: timer_disarm
-- Takes a timer back, if it is set. ?1 due_at, ?2 contact, ?3 kind, ?4 target.
DELETE FROM timer WHERE due_at = ?1 AND contact_id = ?2 AND kind = ?3 AND target = ?4;

-- name: timer_due
-- Timers due, earliest first. ?1 now, ?2 limit.
SELECT due_at, contact_id, kind, target FROM timer WHERE due_at <= ?1
ORDER BY due_at, contact_id, kind, target LIMIT ?2;

-- name: timer_next
-- The earliest timer.
SELECT min(due_at) FROM timer;

-- name: outbox_put
-- Puts a message into the outbox. ?1 ready_at, ?2 contact, ?3 hash.
INSERT INTO outbox (ready_at, contact_id, hash) VALUES (?1, ?2, ?3)
ON CONFLICT (ready_at, contact_id, hash) DO NOTHING;

-- name: outbox_drop
-- Takes a message out of the outbox. ?1 ready_at, ?2 contact, ?3 hash.
DELETE FROM outbox WHERE ready_at = ?1 AND contact_id = ?2 AND hash = ?3;

-- name: outbox_ready
-- Messages whose moment has come, earliest first. ?1 now, ?2 limit.
SELECT contact_id, hash FROM outbox WHERE ready_at <= ?1
ORDER BY ready_at, contact_id, hash LIMIT ?2;

-- name: outbox_next
-- The earliest message.
SELECT min(ready_at) FROM outbox;

-- name: in_flight_put
-- Notes a message as in flight. ?1 contact, ?2 hash.
INSERT INTO in_flight (contact_id, hash) VALUES (?1, ?2)
ON CONFLICT (contact_id, hash) DO NOTHING;

-- name: in_flight_drop
-- A message is in flight no longer. ?1 contact, ?2 hash.
DELETE FROM in_flight WHERE contact_id = ?1 AND hash = ?2;

-- name: in_flight_list
-- All messages in flight.
SELECT t.contact_id, t.hash, t.body
FROM in_flight f JOIN touchpoint t ON t.contact_id = f.contact_id AND t.hash = f.hash
ORDER BY f.contact_id, f.hash;
