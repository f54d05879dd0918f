-- name: profile_put
-- Writes what lists know of contacts, where that changed, with the words they are found by; documents and tasks follow
-- their contact. $1 contacts, $2 owners, $3 names, $4 words.
WITH given AS (
    SELECT (k.contact_id % 256)::smallint AS part, k.*
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS k (contact_id, owner, name, words)
),
changed AS (
    SELECT k.* FROM given k LEFT JOIN profile p ON p.part = k.part AND p.contact_id = k.contact_id
    WHERE (coalesce(p.owner, ''), coalesce(p.name, ''), coalesce(p.words, '')) <> (k.owner, k.name, k.words)
),
gone AS (
    DELETE FROM profile p USING changed k
    WHERE p.part = k.part AND p.contact_id = k.contact_id AND k.owner = '' AND k.name = ''
),
put AS (
    INSERT INTO profile (part, contact_id, owner, name, words)
    SELECT part, contact_id, owner, name, words FROM changed WHERE owner <> '' OR name <> ''
    ON CONFLICT (part, contact_id) DO UPDATE
    SET owner = excluded.owner, name = excluded.name, words = excluded.words
),
worn AS (
    DELETE FROM name_word w USING changed k
    WHERE w.part = k.part AND w.contact_id = k.contact_id AND w.word <> ALL (string_to_array(k.words, ' '))
),
named AS (
    INSERT INTO name_word (part, contact_id, word)
    SELECT k.part, k.contact_id, one.word
    FROM changed k CROSS JOIN LATERAL unnest(string_to_array(k.words, ' ')) AS one (word)
    WHERE one.word <> ''
    ON CONFLICT (part, contact_id, word) DO NOTHING
),
owned AS (
    UPDATE task t SET assignee = k.owner FROM changed k
    WHERE t.part = k.part AND t.contact_id = k.contact_id AND t.body::jsonb ->> 'assignee' IS NULL
)
UPDATE document d
SET owner = CASE WHEN d.own <> '' THEN d.own WHEN k.owner <> '' THEN k.owner ELSE d.mailbox END, client = k.name
FROM changed k WHERE d.part = k.part AND d.contact_id = k.contact_id;

-- name: document_put
-- Writes documents' columns, and those that follow from their contacts. $1 contacts, $2 ids, $3 states, $4 own owners,
-- $5 mailboxes, $6 kinds, $7 currencies, $8 issued, $9 due, $10 amounts, $11 updated_at, $12 numbers, $13 answered, $14 paid.
INSERT INTO document (part, contact_id, id, state, owner, own, mailbox, kind, currency, issued, due, amount, updated_at,
                      number, client, answered, paid)
SELECT (k.contact_id % 256)::smallint, k.contact_id, k.id, k.state,
       CASE WHEN k.own <> '' THEN k.own WHEN coalesce(p.owner, '') <> '' THEN p.owner ELSE k.mailbox END,
       k.own, k.mailbox, k.kind, k.currency, k.issued, k.due, k.amount, k.updated_at, k.number, coalesce(p.name, ''),
       k.answered, k.paid
FROM unnest($1::bigint[], $2::text[], $3::smallint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
            $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::boolean[], $14::bigint[])
     AS k (contact_id, id, state, own, mailbox, kind, currency, issued, due, amount, updated_at, number, answered,
           paid)
LEFT JOIN profile p ON p.part = (k.contact_id % 256)::smallint AND p.contact_id = k.contact_id
ON CONFLICT (part, contact_id, id) DO UPDATE
SET state = excluded.state, owner = excluded.owner, own = excluded.own, mailbox = excluded.mailbox,
    kind = excluded.kind, currency = excluded.currency, issued = excluded.issued, due = excluded.due,
    amount = excluded.amount, updated_at = excluded.updated_at, number = excluded.number, client = excluded.client,
    answered = excluded.answered, paid = excluded.paid;

-- name: document_bodies
-- Documents of contacts as objects. $1 contacts.
SELECT o.contact_id, o.id, o.body FROM unnest($1::bigint[]) AS k (contact_id)
JOIN object o ON o.part = (k.contact_id % 256)::smallint AND o.contact_id = k.contact_id AND o.kind = 'document';

-- name: task_change
-- Tasks were done, or are open again. $1 contacts, $2 hashes, $3 states, $4 done at, $5 by whom, $6 other moments by
-- which they are due.
UPDATE task t
SET state = k.state, done_at = k.done_at, done_by = k.done_by, due_at = coalesce(k.due_at, t.due_at),
    state_at = coalesce(k.done_at, k.due_at, t.due_at, 9223372036854775807)
FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::text[], $6::bigint[])
     AS k (contact_id, hash, state, done_at, done_by, due_at)
WHERE t.part = (k.contact_id % 256)::smallint AND t.contact_id = k.contact_id AND t.hash = k.hash;

-- name: task_face
-- Writes the columns of tasks that have none. $1 contacts, $2 hashes, $3 assignees, $4 due at.
UPDATE task t
SET assignee = CASE WHEN k.assignee <> '' THEN k.assignee ELSE coalesce(
        (SELECT p.owner FROM profile p WHERE p.part = t.part AND p.contact_id = t.contact_id), '') END,
    due_at = k.due_at, state_at = coalesce(k.due_at, 9223372036854775807)
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[]) AS k (contact_id, hash, assignee, due_at)
WHERE t.part = (k.contact_id % 256)::smallint AND t.contact_id = k.contact_id AND t.hash = k.hash
  AND t.state = 1 AND t.due_at IS NULL;

-- name: task_bodies
-- Tasks of contacts. $1 contacts.
SELECT t.contact_id, t.hash, t.body FROM unnest($1::bigint[]) AS k (contact_id)
JOIN task t ON t.part = (k.contact_id % 256)::smallint AND t.contact_id = k.contact_id;

-- name: registry_next
-- A partition of these whose contacts are still to be brought over. $1 partitions (null: all).
SELECT part, after_id FROM registry_left WHERE $1::smallint[] IS NULL OR part = ANY ($1) LIMIT 1;

-- name: registry_page
-- Contacts of a partition in order. $1 partition, $2 after this contact, $3 limit.
SELECT contact_id, body FROM contact WHERE part = $1 AND contact_id > $2 ORDER BY contact_id LIMIT $3;

-- name: registry_put
-- How far a partition is brought over. $1 partition, $2 contact.
UPDATE registry_left SET after_id = $2 WHERE part = $1;

-- name: registry_drop
-- A partition is brought over. $1 partition.
DELETE FROM registry_left WHERE part = $1;

-- name: quarter_add
-- Counts what happened in quarters of an hour. $1 shard, $2 quarters, $3 what, $4 how often.
INSERT INTO quarter_count (quarter, what, shard, n)
SELECT k.quarter, k.what, $1, k.n FROM unnest($2::bigint[], $3::text[], $4::bigint[]) AS k (quarter, what, n)
ON CONFLICT (quarter, what, shard) DO UPDATE SET n = quarter_count.n + excluded.n;

-- name: quarter_drop
-- Forgets quarters before one. $1 quarter.
DELETE FROM quarter_count WHERE quarter < $1;

-- name: doing_put
-- What runs and messages have to do with documents. $1 contacts, $2 documents, $3 what, $4 sources, $5 at.
INSERT INTO document_doing (part, contact_id, id, what, source, at)
SELECT (k.contact_id % 256)::smallint, k.contact_id, k.id, k.what, k.source, k.at
FROM unnest($1::bigint[], $2::text[], $3::smallint[], $4::bigint[], $5::bigint[]) AS k (contact_id, id, what, source, at)
ON CONFLICT (part, contact_id, id, what, source) DO UPDATE SET at = excluded.at;

-- name: doing_drop
-- $1 contacts, $2 documents, $3 what, $4 sources.
DELETE FROM document_doing d
USING unnest($1::bigint[], $2::text[], $3::smallint[], $4::bigint[]) AS k (contact_id, id, what, source)
WHERE d.part = (k.contact_id % 256)::smallint AND d.contact_id = k.contact_id AND d.id = k.id AND d.what = k.what
  AND d.source = k.source;

-- name: doing_move
-- What was done about documents of a contact goes with them to another. $1 who gets them, $2 whose they are.
INSERT INTO document_doing (part, contact_id, id, what, source, at)
SELECT ($1::bigint % 256)::smallint, $1, id, what, source, at FROM document_doing
WHERE part = ($2::bigint % 256)::smallint AND contact_id = $2 AND what IN (3, 4, 5)
ON CONFLICT (part, contact_id, id, what, source) DO NOTHING;

-- name: doing_follow
-- Writes what follows from these into the documents' columns. $1 contacts, $2 documents.
UPDATE document d SET (next_at, reminders, reminded, held_out, followed) = (
    SELECT coalesce(min(w.at) FILTER (WHERE w.what IN (1, 2)), 9223372036854775806),
           count(*) FILTER (WHERE w.what = 3 AND w.at <= d.paid),
           coalesce(max(w.at) FILTER (WHERE w.what = 3 AND w.at <= d.paid), -9223372036854775808),
           coalesce(bool_or(w.what = 4), false),
           coalesce(max(w.at) FILTER (WHERE w.what = 5), 0)
    FROM document_doing w WHERE w.part = d.part AND w.contact_id = d.contact_id AND w.id = d.id)
FROM (SELECT DISTINCT contact_id, id FROM unnest($1::bigint[], $2::text[]) AS k (contact_id, id)) AS k
WHERE d.part = (k.contact_id % 256)::smallint AND d.contact_id = k.contact_id AND d.id = k.id;

-- name: doing_forget
-- $1 contact.
DELETE FROM document_doing WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1;

-- name: run_bodies
-- Runs of contacts that have documents. $1 contacts.
SELECT e.contact_id, e.number, e.body FROM unnest($1::bigint[]) AS k (contact_id)
JOIN enrollment e ON e.part = (k.contact_id % 256)::smallint AND e.contact_id = k.contact_id;

-- name: message_bodies
-- Messages of contacts that have documents. $1 contacts.
SELECT t.contact_id, t.hash, t.body FROM unnest($1::bigint[]) AS k (contact_id)
JOIN touchpoint t ON t.part = (k.contact_id % 256)::smallint AND t.contact_id = k.contact_id;

-- name: feed_add
-- Notes what happened; what comes in masses only where the contact has an owner.
-- $1 at, $2 contacts, $3 what, $4 whether they are lines, $5 lines or events, $6 owners if the contact has none,
-- $7 whether always.
INSERT INTO feed (at, contact_id, owner, what, is_line, ref)
SELECT k.at, k.contact_id, coalesce(nullif(p.owner, ''), k.owner), k.what, k.is_line, k.ref
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::boolean[], $5::bigint[], $6::text[], $7::boolean[])
     WITH ORDINALITY AS k (at, contact_id, what, is_line, ref, owner, always, number)
LEFT JOIN profile p ON p.part = (k.contact_id % 256)::smallint AND p.contact_id = k.contact_id
WHERE k.always OR coalesce(p.owner, '') <> '' ORDER BY k.number;

-- name: feed_drop
-- Forgets what is old, among the first that there are. $1 before this moment, $2 how many are looked at.
DELETE FROM feed WHERE at < $1 AND feed_id IN (SELECT feed_id FROM feed ORDER BY feed_id LIMIT $2);

-- name: event_name_add
-- Counts events of names; of new ones only while there are few. $1 shard, $2 names, $3 how many, $4 the most names.
INSERT INTO event_name (name, shard, n)
SELECT k.name, $1, k.n FROM unnest($2::text[], $3::bigint[]) AS k (name, n)
WHERE EXISTS (SELECT FROM event_name e WHERE e.name = k.name)
   OR NOT EXISTS (SELECT FROM event_name LIMIT 1 OFFSET $4::bigint - 1)
ORDER BY k.name
ON CONFLICT (name, shard) DO UPDATE SET n = event_name.n + excluded.n;
