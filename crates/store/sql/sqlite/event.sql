-- name: event_head_get
-- Where the chain of a contact's events of a name begins. ?1 contact, ?2 name.
SELECT last_id FROM event_head WHERE contact_id = ?1 AND name = ?2;

-- name: event_head_put
-- Moves the beginning of the chain. ?1 contact, ?2 name, ?3 event, ?4 its moment.
INSERT INTO event_head (contact_id, name, last_id, last_at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (contact_id, name) DO UPDATE
SET last_id = excluded.last_id, last_at = max(last_at, excluded.last_at);

-- name: event_append
-- Adds an event to the log. ?1 contact, ?2 the event before it of the same name, ?3 body.
INSERT INTO event (contact_id, previous_id, body) VALUES (?1, ?2, ?3);

-- name: event_day_put
-- Notes the first event of a day in the log. ?1 day, ?2 event.
INSERT INTO event_day (day, event_id) VALUES (?1, ?2) ON CONFLICT (day) DO NOTHING;

-- name: event_get
-- One event and the one before it of the same contact and name. ?1 event.
SELECT previous_id, body FROM event WHERE event_id = ?1;

-- name: event_last_at
-- The latest moment of any event of a contact. ?1 contact.
SELECT max(last_at) FROM event_head WHERE contact_id = ?1;

-- name: event_after
-- The log after an event, in order. ?1 event.
SELECT event_id, contact_id, body FROM event WHERE event_id > ?1 ORDER BY event_id;

-- name: event_between
-- The log from one event to another, in order. ?1 the first, ?2 the last.
SELECT event_id, body FROM event WHERE event_id BETWEEN ?1 AND ?2 ORDER BY event_id;

-- name: mark_get
-- How far something has come. ?1 name.
SELECT n FROM mark WHERE name = ?1;

-- name: mark_put
-- Something has come further. ?1 name, ?2 how far.
INSERT INTO mark (name, n) VALUES (?1, ?2)
ON CONFLICT (name) DO UPDATE SET n = excluded.n;

-- name: seal_put
-- Writes the columns of some events. ?1 the last of them, ?2 names, ?3 columns (see columns.rs).
INSERT INTO event_seal (last_id, names, columns) VALUES (?1, ?2, ?3);

-- name: seal_replace
-- Writes the columns of some events anew. ?1 the last of them, ?2 names, ?3 columns.
UPDATE event_seal SET names = ?2, columns = ?3 WHERE last_id = ?1;

-- name: seal_next
-- The seal that holds the event after one. ?1 event.
SELECT last_id, names, columns FROM event_seal WHERE last_id > ?1 ORDER BY last_id LIMIT 1;

-- name: seal_last
-- The last event that is sealed.
SELECT last_id FROM event_seal ORDER BY last_id DESC LIMIT 1;
