-- name: identity_list
-- Names of a contact. ?1 contact, ?2 limit.
SELECT kind, value FROM identity WHERE contact_id = ?1 ORDER BY kind, value LIMIT ?2;

-- name: identity_move
-- All names of a contact become another's. ?1 whose they are, ?2 whose they were.
UPDATE identity SET contact_id = ?1 WHERE contact_id = ?2;

-- name: identity_return
-- A name goes back, if it is still where it went. ?1 kind, ?2 value, ?3 whose it is again, ?4 whose it was.
UPDATE identity SET contact_id = ?3 WHERE kind = ?1 AND value = ?2 AND contact_id = ?4;

-- name: domain_drop
-- A contact has no address at a domain any more. ?1 domain, ?2 contact.
DELETE FROM email_domain WHERE domain = ?1 AND contact_id = ?2;

-- name: object_keys
-- Objects of a contact. ?1 contact, ?2 limit.
SELECT kind, id FROM object WHERE contact_id = ?1 ORDER BY kind, id LIMIT ?2;

-- name: object_move
-- Gives a contact the objects of another that it has not. ?1 who gets them, ?2 whose they are.
INSERT INTO object (contact_id, kind, id, updated_at, body)
SELECT ?1, kind, id, updated_at, body FROM object WHERE contact_id = ?2
ON CONFLICT (contact_id, kind, id) DO NOTHING;

-- name: object_copy
-- Gives a contact one object of another. ?1 who gets it, ?2 whose it is, ?3 kind, ?4 id.
INSERT INTO object (contact_id, kind, id, updated_at, body)
SELECT ?1, kind, id, updated_at, body FROM object WHERE contact_id = ?2 AND kind = ?3 AND id = ?4
ON CONFLICT (contact_id, kind, id) DO NOTHING;

-- name: object_drop_all
-- Takes all objects from a contact. ?1 contact.
DELETE FROM object WHERE contact_id = ?1;

-- name: entry_move
-- Gives a contact the entries of another; of two the later counts. ?1 who gets them, ?2 whose they are.
INSERT INTO entry (contact_id, journey, subject_kind, subject_id, last_at)
SELECT ?1, journey, subject_kind, subject_id, last_at FROM entry WHERE contact_id = ?2
ON CONFLICT (contact_id, journey, subject_kind, subject_id) DO UPDATE
SET last_at = max(last_at, excluded.last_at);

-- name: member_lists
-- Lists that nobody has defined and a contact is in. ?1 contact.
SELECT s.number FROM segment s CROSS JOIN member m ON m.segment = s.number AND m.contact_id = ?1
WHERE s.text IS NULL AND m.is_member = 1;

-- name: merged_put
-- Keeps a merge. ?1 absorbed, ?2 survivor, ?3 at, ?4 body, ?5 undo, ?6 moved.
INSERT INTO merged (contact_id, survivor_id, at, body, undo, moved) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (contact_id) DO UPDATE
SET survivor_id = excluded.survivor_id, at = excluded.at, body = excluded.body, undo = excluded.undo,
    moved = excluded.moved;

-- name: merged_get
-- The merge by which a contact was absorbed. ?1 absorbed.
SELECT survivor_id, at, body, undo, moved FROM merged WHERE contact_id = ?1;

-- name: merged_drop
-- Forgets a merge. ?1 absorbed.
DELETE FROM merged WHERE contact_id = ?1;

-- name: merged_settle
-- Forgets what it takes to undo merges before a moment. ?1 moment.
UPDATE merged SET undo = NULL, moved = NULL WHERE undo IS NOT NULL AND at < ?1;

-- name: doubt_put
-- Two contacts may be one. ?1 first, ?2 second, ?3 why, ?4 at, ?5 most of one contact.
INSERT INTO doubt (contact_id, other_id, why, at)
SELECT ?1, ?2, ?3, ?4
WHERE (SELECT count(1) FROM doubt WHERE contact_id = ?1) < ?5
  AND (SELECT count(1) FROM doubt WHERE other_id = ?2) < ?5
ON CONFLICT (contact_id, other_id) DO NOTHING;

-- name: doubt_drop
-- Nothing is in doubt about a contact. ?1 contact.
DELETE FROM doubt WHERE contact_id = ?1 OR other_id = ?1;
