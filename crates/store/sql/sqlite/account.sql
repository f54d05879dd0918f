-- name: account_get
-- One account. ?1 account.
SELECT revision, settled, first_at, last_at, body FROM account WHERE id = ?1;

-- name: account_put
-- Puts or replaces an account. ?1 account, ?2 name, ?3 revision, ?4 settled, ?5 first seen, ?6 last seen, ?7 body.
INSERT INTO account (id, name, revision, settled, first_at, last_at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (id) DO UPDATE
SET name = excluded.name, revision = excluded.revision, settled = max(settled, excluded.settled),
    first_at = min(first_at, excluded.first_at), last_at = excluded.last_at, body = excluded.body;

-- name: account_join
-- A contact belongs to an account. ?1 account, ?2 contact.
INSERT INTO account_contact (account_id, contact_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: account_leave
-- A contact belongs to an account no longer. ?1 account, ?2 contact.
DELETE FROM account_contact WHERE account_id = ?1 AND contact_id = ?2;

-- name: account_contacts
-- Contacts of an account in order of id. ?1 account, ?2 after this contact, ?3 limit.
SELECT contact_id FROM account_contact WHERE account_id = ?1 AND contact_id > ?2 ORDER BY contact_id LIMIT ?3;

-- name: telling_begin
-- Contacts must hear of a change, if there are others than the one that told it. Who was told of an earlier one
-- is told once more. ?1 account, ?2 contact that told, ?3 revision, ?4 a number behind all contacts.
INSERT INTO account_telling (account_id, revision, after_id, until_id, again_id)
SELECT ?1, ?3, 0, ?4, 0
WHERE EXISTS (SELECT 1 FROM account_contact WHERE account_id = ?1 AND contact_id <> ?2)
ON CONFLICT (account_id) DO UPDATE
SET revision = excluded.revision, until_id = excluded.until_id, again_id = after_id;

-- name: telling_list
-- Accounts of which contacts are being told. ?1 limit.
SELECT account_id, revision, after_id, until_id, again_id FROM account_telling ORDER BY account_id LIMIT ?1;

-- name: telling_put
-- How far telling came, unless the account changed since. ?1 account, ?2 revision, ?3 after, ?4 until, ?5 again.
UPDATE account_telling SET after_id = ?3, until_id = ?4, again_id = ?5 WHERE account_id = ?1 AND revision = ?2;

-- name: telling_settle
-- Every contact heard of a revision, unless there is a newer one to tell. ?1 account, ?2 revision.
UPDATE account SET settled = ?2
WHERE id = ?1 AND settled < ?2
  AND EXISTS (SELECT 1 FROM account_telling WHERE account_id = ?1 AND revision = ?2);

-- name: telling_end
-- ?1 account, ?2 revision.
DELETE FROM account_telling WHERE account_id = ?1 AND revision = ?2;
