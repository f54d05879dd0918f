-- name: account_lock
-- Nobody else tells of these accounts until the batch ends; in the order given. $1 accounts.
SELECT pg_advisory_xact_lock(hashtextextended(k.id, 4711)) FROM unnest($1::text[]) AS k (id);

-- name: account_get
-- Accounts. $1 accounts.
SELECT id, revision, settled, first_at, last_at, body FROM account WHERE id = ANY ($1::text[]);

-- name: account_put
-- Puts or replaces accounts. $1 accounts, $2 names, $3 revisions, $4 settled, $5 first seen, $6 last seen, $7 bodies.
INSERT INTO account (id, name, revision, settled, first_at, last_at, body)
SELECT k.* FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[])
     AS k (id, name, revision, settled, first_at, last_at, body)
ON CONFLICT (id) DO UPDATE
SET name = excluded.name, revision = excluded.revision, settled = greatest(account.settled, excluded.settled),
    first_at = least(account.first_at, excluded.first_at), last_at = excluded.last_at, body = excluded.body;

-- name: account_join
-- Contacts belong to accounts. $1 contacts, $2 accounts.
INSERT INTO account_contact (part, contact_id, account_id)
SELECT (k.contact % 256)::smallint, k.contact, k.account FROM unnest($1::bigint[], $2::text[]) AS k (contact, account)
ON CONFLICT (part, contact_id) DO UPDATE SET account_id = excluded.account_id;

-- name: account_leave
-- Contacts belong to no account. $1 contacts.
DELETE FROM account_contact a USING unnest($1::bigint[]) AS k (contact)
WHERE a.part = (k.contact % 256)::smallint AND a.contact_id = k.contact;

-- name: account_contacts
-- Contacts of an account in order of id. $1 account, $2 after this contact, $3 limit.
SELECT contact_id FROM account_contact WHERE account_id = $1 AND contact_id > $2 ORDER BY contact_id LIMIT $3;

-- name: telling_begin
-- Contacts must hear of changes, if there are others than the one that told it. Who was told of an earlier one
-- is told once more. $1 accounts, $2 contacts that told, $3 revisions, $4 a number behind all contacts.
INSERT INTO account_telling (account_id, revision, after_id, until_id, again_id)
SELECT k.account, k.revision, 0, $4::bigint, 0
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS k (account, contact, revision)
WHERE EXISTS (SELECT 1 FROM account_contact a WHERE a.account_id = k.account AND a.contact_id <> k.contact)
ON CONFLICT (account_id) DO UPDATE
SET revision = excluded.revision, until_id = excluded.until_id, again_id = account_telling.after_id;

-- name: telling_list
-- Accounts of which contacts are being told. $1 limit.
SELECT account_id, revision, after_id, until_id, again_id FROM account_telling ORDER BY account_id LIMIT $1;

-- name: telling_put
-- How far telling came, unless the account changed since. $1 account, $2 revision, $3 after, $4 until, $5 again.
UPDATE account_telling SET after_id = $3, until_id = $4, again_id = $5 WHERE account_id = $1 AND revision = $2;

-- name: telling_settle
-- Every contact heard of a revision, unless there is a newer one to tell. $1 account, $2 revision.
UPDATE account SET settled = $2
WHERE id = $1 AND settled < $2
  AND EXISTS (SELECT 1 FROM account_telling WHERE account_id = $1 AND revision = $2);

-- name: telling_end
-- $1 account, $2 revision.
DELETE FROM account_telling WHERE account_id = $1 AND revision = $2;
