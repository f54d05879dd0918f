-- name: contact_last
-- The last contact made.
SELECT max(contact_id) FROM contact;

-- name: contact_put
-- Replaces a contact's body. ?1 contact, ?2 body.
INSERT INTO contact (contact_id, body) VALUES (?1, ?2)
ON CONFLICT (contact_id) DO UPDATE SET body = excluded.body;

-- name: contact_get
-- One contact. ?1 contact.
SELECT body FROM contact WHERE contact_id = ?1;

-- name: contact_next
-- Contacts in order of id. ?1 after this contact, ?2 limit.
SELECT contact_id FROM contact WHERE contact_id > ?1 ORDER BY contact_id LIMIT ?2;

-- name: identity_get
-- Whose an identity is. ?1 kind, ?2 value.
SELECT contact_id FROM identity WHERE kind = ?1 AND value = ?2;

-- name: identity_bind
-- Binds an identity that is not bound; a bound one stays as it is. ?1 kind, ?2 value, ?3 contact.
INSERT INTO identity (kind, value, contact_id) VALUES (?1, ?2, ?3)
ON CONFLICT (kind, value) DO NOTHING;

-- name: domain_add
-- Notes that a contact has an address at a domain. ?1 domain, ?2 contact.
INSERT INTO email_domain (domain, contact_id) VALUES (?1, ?2)
ON CONFLICT (domain, contact_id) DO NOTHING;

-- name: object_contacts
-- Contacts that have an object, in order of id. ?1 kind, ?2 id, ?3 limit.
SELECT contact_id FROM object WHERE kind = ?1 AND id = ?2 ORDER BY contact_id LIMIT ?3;

-- name: domain_contacts
-- Contacts with an address at a domain, in order of id. ?1 domain, ?2 limit.
SELECT contact_id FROM email_domain WHERE domain = ?1 ORDER BY contact_id LIMIT ?2;

-- name: contact_range
-- Contacts in order of id. ?1 after this contact, ?2 up to this one, ?3 limit.
SELECT contact_id, body FROM contact
WHERE contact_id > ?1 AND contact_id <= ?2 ORDER BY contact_id LIMIT ?3;
