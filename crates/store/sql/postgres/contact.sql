-- name: contact_block
-- Takes blocks of ids for new contacts. $1 how many.
SELECT nextval('contact_block') FROM generate_series(1, $1::bigint);

-- name: contact_insert
-- Creates contacts. $1 ids, $2 the body of a new one.
INSERT INTO contact (part, contact_id, body)
SELECT (k.id % 256)::smallint, k.id, $2 FROM unnest($1::bigint[]) AS k (id);

-- name: contact_put
-- Replaces contacts' bodies. $1 contacts, $2 bodies.
INSERT INTO contact (part, contact_id, body)
SELECT (k.id % 256)::smallint, k.id, k.body FROM unnest($1::bigint[], $2::text[]) AS k (id, body)
ON CONFLICT (part, contact_id) DO UPDATE SET body = excluded.body;

-- name: contact_get
-- Contacts. $1 contacts.
SELECT c.contact_id, c.body
FROM unnest($1::bigint[]) AS k (id)
JOIN contact c ON c.part = (k.id % 256)::smallint AND c.contact_id = k.id;

-- name: contact_next
-- Contacts in order of id. $1 after this contact, $2 limit.
SELECT contact_id FROM contact
WHERE contact_id > $1
ORDER BY contact_id LIMIT $2;

-- name: contact_scan
-- Contacts in order of id, with what is known of them. $1 after this contact, $2 limit.
SELECT contact_id, body FROM contact
WHERE contact_id > $1
ORDER BY contact_id LIMIT $2;

-- name: identity_get
-- Whose identities are. $1 kinds, $2 values. The first column says which of them.
SELECT k.n, i.contact_id
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (kind, value, n)
JOIN identity i ON i.kind = k.kind AND i.value = k.value;

-- name: identity_bind
-- Binds identities that are not bound; a bound one stays as it is, and the count falls short of what was
-- given. $1 kinds, $2 values, $3 contacts.
INSERT INTO identity (kind, value, contact_id)
SELECT k.kind, k.value, k.id
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS k (kind, value, id)
ON CONFLICT (kind, value) DO NOTHING;

-- name: domain_add
-- Notes that contacts have addresses at domains. $1 domains, $2 contacts.
INSERT INTO email_domain (domain, contact_id)
SELECT k.domain, k.id FROM unnest($1::text[], $2::bigint[]) AS k (domain, id)
ON CONFLICT (domain, contact_id) DO NOTHING;

-- name: object_contacts
-- Contacts that have an object, in order of id. $1 kind, $2 id, $3 limit.
SELECT contact_id FROM object WHERE kind = $1 AND id = $2 ORDER BY contact_id LIMIT $3;

-- name: domain_contacts
-- Contacts with an address at a domain, in order of id. $1 domain, $2 limit.
SELECT contact_id FROM email_domain WHERE domain = $1 ORDER BY contact_id LIMIT $2;
