-- name: consent_add
-- Remembers an answer; the same one twice is one. ?1 contact, ?2 at, ?3 about, ?4 answer, ?5 body.
INSERT INTO consent_log (contact_id, at, about, answer, body) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (contact_id, at, about, answer) DO NOTHING;

-- name: suppression_put
-- Puts an entry on the list; one that is there stays. ?1 kind, ?2 value, ?3 reason, ?4 at, ?5 source.
INSERT INTO suppression (kind, value, reason, at, source) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (kind, value) DO NOTHING;

-- name: suppression_drop
-- Takes an entry off the list. ?1 kind, ?2 value.
DELETE FROM suppression WHERE kind = ?1 AND value = ?2;

-- name: suppression_get
-- Why an address is on the list. ?1 kind, ?2 value.
SELECT reason FROM suppression WHERE kind = ?1 AND value = ?2;

-- name: erased_add
-- Remembers whom an erasure removed. ?1 hash, ?2 at.
INSERT INTO erased (hash, at) VALUES (?1, ?2) ON CONFLICT (hash) DO NOTHING;

-- name: erased_any
-- Whether anybody was ever erased.
SELECT 1 FROM erased LIMIT 1;

-- name: erased_get
-- Whether an erasure removed a name. ?1 hash.
SELECT 1 FROM erased WHERE hash = ?1;

-- name: erased_drop
-- Lets somebody be known again. ?1 hash.
DELETE FROM erased WHERE hash = ?1;

-- name: forget_identities
-- Names of a contact. ?1 contact, ?2 limit.
SELECT kind, value FROM identity WHERE contact_id = ?1 LIMIT ?2;

-- name: forget_identity
-- ?1 kind, ?2 value.
DELETE FROM identity WHERE kind = ?1 AND value = ?2;

-- name: forget_domains
-- Looks through the whole table: an erasure is rare, and no index is kept for it. ?1 contact.
DELETE FROM email_domain WHERE contact_id = ?1;

-- name: forget_touchpoints
-- Messages of a contact. ?1 contact, ?2 limit.
SELECT hash, slot, slot_at, state FROM touchpoint WHERE contact_id = ?1 LIMIT ?2;

-- name: forget_touchpoint
-- ?1 contact, ?2 hash.
DELETE FROM touchpoint WHERE contact_id = ?1 AND hash = ?2;

-- name: forget_enrollments
-- Runs of a contact. ?1 contact, ?2 limit.
SELECT number, is_live, journey, version, step, body FROM enrollment WHERE contact_id = ?1 LIMIT ?2;

-- name: forget_enrollment
-- ?1 contact, ?2 number.
DELETE FROM enrollment WHERE contact_id = ?1 AND number = ?2;

-- name: forget_watches
-- ?1 contact.
DELETE FROM watch WHERE contact_id = ?1;

-- name: forget_entries
-- ?1 contact, ?2 limit.
DELETE FROM entry WHERE (contact_id, journey, subject_kind, subject_id) IN
    (SELECT contact_id, journey, subject_kind, subject_id FROM entry WHERE contact_id = ?1 LIMIT ?2);

-- name: forget_objects
-- ?1 contact, ?2 limit.
DELETE FROM object WHERE (contact_id, kind, id) IN
    (SELECT contact_id, kind, id FROM object WHERE contact_id = ?1 LIMIT ?2);

-- name: forget_tasks
-- ?1 contact, ?2 limit.
DELETE FROM task WHERE (contact_id, hash) IN (SELECT contact_id, hash FROM task WHERE contact_id = ?1 LIMIT ?2);

-- name: forget_consents
-- ?1 contact, ?2 limit.
DELETE FROM consent_log WHERE (contact_id, at, about, answer) IN
    (SELECT contact_id, at, about, answer FROM consent_log WHERE contact_id = ?1 LIMIT ?2);

-- name: forget_threads
-- ?1 contact, ?2 limit.
DELETE FROM thread WHERE (message_id, contact_id, subject_kind, subject_id) IN
    (SELECT message_id, contact_id, subject_kind, subject_id FROM thread WHERE contact_id = ?1 LIMIT ?2);

-- name: forget_members
-- How a contact stands to every segment. ?1 contact.
SELECT segment.id, member.is_member, member.due_at
FROM segment CROSS JOIN member ON member.segment = segment.number AND member.contact_id = ?1;

-- name: forget_contact
-- What stays: the number, so that no other contact gets it. ?1 contact, ?2 body.
UPDATE contact SET body = ?2 WHERE contact_id = ?1 AND body <> ?2;

-- name: forget_event_heads
-- Beginnings of the chains of a contact's events. ?1 contact.
SELECT name, last_id FROM event_head WHERE contact_id = ?1;

-- name: forget_event_head
-- ?1 contact, ?2 name.
DELETE FROM event_head WHERE contact_id = ?1 AND name = ?2;

-- name: forget_event
-- Leaves an empty event of nobody in its place: its number must not be given again. ?1 event, ?2 contact,
-- ?3 body.
UPDATE event SET contact_id = 0, previous_id = NULL, body = ?3 WHERE event_id = ?1 AND contact_id = ?2;

-- name: forget_lines
-- Lines of a contact along their chain, the newest first. ?1 contact, ?2 limit.
WITH RECURSIVE walk AS (
    SELECT ledger_id, previous_id FROM ledger
    WHERE contact_id = ?1
      AND ledger_id = (SELECT last_id FROM ledger_head WHERE contact_id = ?1 AND run = 0)
    UNION ALL
    SELECT l.ledger_id, l.previous_id
    FROM walk CROSS JOIN ledger l ON l.ledger_id = walk.previous_id AND l.contact_id = ?1
    LIMIT ?2
)
SELECT ledger_id, previous_id FROM walk;

-- name: forget_line
-- ?1 line.
DELETE FROM ledger WHERE ledger_id = ?1;

-- name: forget_ledger_heads
-- ?1 contact.
DELETE FROM ledger_head WHERE contact_id = ?1;

-- name: forget_merges
-- What is kept of merges in which a contact had a part. ?1 contact.
DELETE FROM merged WHERE contact_id = ?1 OR survivor_id = ?1;

-- name: forget_doubts
-- ?1 contact.
DELETE FROM doubt WHERE contact_id = ?1 OR other_id = ?1;
