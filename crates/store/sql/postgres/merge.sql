-- name: identity_list
-- Names of a contact. $1 contact, $2 limit.
SELECT kind, value FROM identity WHERE contact_id = $1 ORDER BY kind, value LIMIT $2;

-- name: identity_move
-- All names of a contact become another's. $1 whose they are, $2 whose they were.
UPDATE identity SET contact_id = $1 WHERE contact_id = $2;

-- name: identity_return
-- Names go back, those that are still where they went. $1 kinds, $2 values, $3 whose they are again, $4 whose
-- they were.
UPDATE identity i SET contact_id = $3 FROM unnest($1::text[], $2::text[]) AS k (kind, value)
WHERE i.kind = k.kind AND i.value = k.value AND i.contact_id = $4;

-- name: domain_drop
-- A contact has no address at domains any more. $1 domains, $2 contact.
DELETE FROM email_domain WHERE domain = ANY ($1::text[]) AND contact_id = $2;

-- name: object_keys
-- Objects of a contact. $1 contact, $2 limit.
SELECT kind, id FROM object WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1
ORDER BY kind, id LIMIT $2;

-- name: object_move
-- Gives a contact the objects of another that it has not. $1 who gets them, $2 whose they are.
INSERT INTO object (part, contact_id, kind, id, updated_at, body)
SELECT ($1::bigint % 256)::smallint, $1, kind, id, updated_at, body FROM object
WHERE part = ($2::bigint % 256)::smallint AND contact_id = $2
ON CONFLICT (part, contact_id, kind, id) DO NOTHING;

-- name: object_copy
-- Gives a contact some objects of another. $1 who gets them, $2 whose they are, $3 kinds, $4 ids.
INSERT INTO object (part, contact_id, kind, id, updated_at, body)
SELECT ($1::bigint % 256)::smallint, $1, o.kind, o.id, o.updated_at, o.body
FROM unnest($3::text[], $4::text[]) AS k (kind, id)
JOIN object o ON o.part = ($2::bigint % 256)::smallint AND o.contact_id = $2 AND o.kind = k.kind AND o.id = k.id
ON CONFLICT (part, contact_id, kind, id) DO NOTHING;

-- name: object_drop_all
-- Takes all objects from a contact. $1 contact.
DELETE FROM object WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1;

-- name: entry_move
-- Gives a contact the entries of another; of two the later counts. $1 who gets them, $2 whose they are.
INSERT INTO entry (part, contact_id, journey, subject_kind, subject_id, last_at)
SELECT ($1::bigint % 256)::smallint, $1, journey, subject_kind, subject_id, last_at FROM entry
WHERE part = ($2::bigint % 256)::smallint AND contact_id = $2
ON CONFLICT (part, contact_id, journey, subject_kind, subject_id) DO UPDATE
SET last_at = greatest(entry.last_at, excluded.last_at);

-- name: member_lists
-- Lists that nobody has defined and a contact is in. $1 contact.
SELECT s.number FROM member m JOIN segment s ON s.number = m.segment
WHERE m.part = ($1::bigint % 256)::smallint AND m.contact_id = $1 AND s.text IS NULL AND m.is_member;

-- name: merged_put
-- Keeps a merge. $1 absorbed, $2 survivor, $3 at, $4 body, $5 undo, $6 moved.
INSERT INTO merged (part, contact_id, survivor_id, at, body, undo, moved)
VALUES (($1::bigint % 256)::smallint, $1, $2, $3, $4, $5, $6)
ON CONFLICT (part, contact_id) DO UPDATE
SET survivor_id = excluded.survivor_id, at = excluded.at, body = excluded.body, undo = excluded.undo,
    moved = excluded.moved;

-- name: merged_get
-- The merge by which a contact was absorbed. $1 absorbed.
SELECT survivor_id, at, body, undo, moved FROM merged
WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1;

-- name: merged_drop
-- Forgets a merge. $1 absorbed.
DELETE FROM merged WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1;

-- name: merged_settle
-- Forgets what it takes to undo merges before a moment; those that another node works on are left to it.
-- $1 moment.
UPDATE merged SET undo = NULL, moved = NULL
WHERE (part, contact_id) IN (SELECT part, contact_id FROM merged WHERE undo IS NOT NULL AND at < $1
                             FOR UPDATE SKIP LOCKED);

-- name: doubt_put
-- Two contacts may be one. $1 first, $2 second, $3 why, $4 at, $5 most of one contact.
INSERT INTO doubt (contact_id, other_id, why, at)
SELECT $1, $2, $3, $4
WHERE (SELECT count(*) FROM doubt WHERE contact_id = $1) < $5
  AND (SELECT count(*) FROM doubt WHERE other_id = $2) < $5
ON CONFLICT (contact_id, other_id) DO NOTHING;

-- name: doubt_drop
-- Nothing is in doubt about a contact; says how many were. $1 contact.
DELETE FROM doubt WHERE contact_id = $1 OR other_id = $1;
