-- name: segment_list
-- Segments that are defined, by id.
SELECT id, text FROM segment WHERE text IS NOT NULL ORDER BY id;

-- name: segment_number
-- Numbers of segments. $1 ids.
SELECT id, number FROM segment WHERE id = ANY ($1::text[]);

-- name: segment_add
-- Gives segments numbers. $1 ids.
INSERT INTO segment (id, updated_at) SELECT k.id, 0 FROM unnest($1::text[]) AS k (id)
ON CONFLICT (id) DO NOTHING;

-- name: segment_define
-- Puts or takes away a definition. $1 number, $2 moment, $3 text or null.
UPDATE segment SET updated_at = $2, text = $3 WHERE number = $1;

-- name: member_get
-- How contacts stand to segments. $1 contacts, $2 numbers. The first column says which of them.
SELECT k.n, m.is_member, m.due_at
FROM unnest($1::bigint[], $2::integer[]) WITH ORDINALITY AS k (contact_id, segment, n)
JOIN member m ON m.part = (k.contact_id % 256)::smallint AND m.contact_id = k.contact_id
             AND m.segment = k.segment;

-- name: member_put
-- $1 contacts, $2 numbers, $3 whether they are members, $4 when time alone may change that, or null.
INSERT INTO member (part, contact_id, segment, is_member, due_at)
SELECT (k.contact_id % 256)::smallint, k.*
FROM unnest($1::bigint[], $2::integer[], $3::boolean[], $4::bigint[])
     AS k (contact_id, segment, is_member, due_at)
ON CONFLICT (part, contact_id, segment) DO UPDATE
SET is_member = excluded.is_member, due_at = excluded.due_at;

-- name: member_drop
-- $1 contacts, $2 numbers.
DELETE FROM member m USING unnest($1::bigint[], $2::integer[]) AS k (contact_id, segment)
WHERE m.part = (k.contact_id % 256)::smallint AND m.contact_id = k.contact_id AND m.segment = k.segment;

-- name: member_next
-- Records of a segment in order of contact.
-- $1 number, $2 after this contact, $3 limit.
SELECT contact_id, is_member, due_at FROM member
WHERE segment = $1 AND contact_id > $2
ORDER BY contact_id LIMIT $3;
