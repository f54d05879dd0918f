-- name: segment_list
-- Segments that are defined, by id.
SELECT id, text FROM segment WHERE text IS NOT NULL ORDER BY id;

-- name: segment_number
-- The number of a segment. ?1 id.
SELECT number FROM segment WHERE id = ?1;

-- name: segment_add
-- Gives a segment a number. ?1 id, ?2 moment.
INSERT INTO segment (id, updated_at) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING;

-- name: segment_define
-- Puts or takes away a definition. ?1 number, ?2 moment, ?3 text or null.
UPDATE segment SET updated_at = ?2, text = ?3 WHERE number = ?1;

-- name: segment_count
-- Members came in or left. ?1 number, ?2 how many.
UPDATE segment SET n = n + ?2 WHERE number = ?1;

-- name: member_get
-- How a contact stands to a segment. ?1 number, ?2 contact.
SELECT is_member, due_at FROM member WHERE segment = ?1 AND contact_id = ?2;

-- name: member_put
-- ?1 number, ?2 contact, ?3 whether it is a member, ?4 when time alone may change that, or null.
INSERT INTO member (segment, contact_id, is_member, due_at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (segment, contact_id) DO UPDATE SET is_member = excluded.is_member, due_at = excluded.due_at;

-- name: member_drop
-- ?1 number, ?2 contact.
DELETE FROM member WHERE segment = ?1 AND contact_id = ?2;

-- name: member_next
-- Records of a segment in order of contact. ?1 number, ?2 after this contact, ?3 limit.
SELECT contact_id, is_member, due_at FROM member
WHERE segment = ?1 AND contact_id > ?2 ORDER BY contact_id LIMIT ?3;

-- name: member_range
-- Records of a segment, of some contacts in their order. ?1 number, ?2 after this contact, ?3 up to this one.
SELECT contact_id, is_member, due_at FROM member
WHERE segment = ?1 AND contact_id > ?2 AND contact_id <= ?3 ORDER BY contact_id;
