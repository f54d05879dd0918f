-- name: profile_get
-- What lists know of a contact. ?1 contact.
SELECT owner, name, words FROM profile WHERE contact_id = ?1;

-- name: registry_page
-- Contacts that are still to be brought over, the last first. ?1 before this contact, ?2 limit.
SELECT contact_id, body FROM contact WHERE contact_id < ?1 ORDER BY contact_id DESC LIMIT ?2;

-- name: profile_put
-- ?1 contact, ?2 owner, ?3 name, ?4 words.
INSERT INTO profile (contact_id, owner, name, words) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (contact_id) DO UPDATE SET owner = excluded.owner, name = excluded.name, words = excluded.words;

-- name: profile_drop
-- ?1 contact.
DELETE FROM profile WHERE contact_id = ?1;

-- name: word_put
-- ?1 word, ?2 contact.
INSERT INTO name_word (word, contact_id) VALUES (?1, ?2) ON CONFLICT (word, contact_id) DO NOTHING;

-- name: word_drop
-- ?1 word, ?2 contact.
DELETE FROM name_word WHERE word = ?1 AND contact_id = ?2;

-- name: document_put
-- Writes a document's columns, and those that follow from its contact. ?1 contact, ?2 id, ?3 state, ?4 own owner,
-- ?5 mailbox, ?6 kind, ?7 currency, ?8 issued, ?9 due, ?10 amount, ?11 updated_at, ?12 number, ?13 answered, ?14 paid.
INSERT INTO document (contact_id, id, state, owner, own, mailbox, kind, currency, issued, due, amount, updated_at,
                      number, client, answered, paid)
VALUES (?1, ?2, ?3,
        CASE WHEN ?4 <> '' THEN ?4
             ELSE coalesce(nullif((SELECT owner FROM profile WHERE contact_id = ?1), ''), ?5) END,
        ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, coalesce((SELECT name FROM profile WHERE contact_id = ?1), ''),
        ?13, ?14)
ON CONFLICT (contact_id, id) DO UPDATE
SET state = excluded.state, owner = excluded.owner, own = excluded.own, mailbox = excluded.mailbox,
    kind = excluded.kind, currency = excluded.currency, issued = excluded.issued, due = excluded.due,
    amount = excluded.amount, updated_at = excluded.updated_at, number = excluded.number, client = excluded.client,
    answered = excluded.answered, paid = excluded.paid;

-- name: document_follow
-- A contact got another owner or name. ?1 contact, ?2 owner, ?3 name.
UPDATE document
SET owner = CASE WHEN own <> '' THEN own WHEN ?2 <> '' THEN ?2 ELSE mailbox END, client = ?3
WHERE contact_id = ?1;

-- name: document_bodies
-- Documents of a contact as objects. ?1 contact.
SELECT id, body FROM object WHERE contact_id = ?1 AND kind = 'document';

-- name: task_follow
-- A contact got another owner: so did tasks that are nobody else's. ?1 contact, ?2 owner.
UPDATE task SET assignee = ?2 WHERE contact_id = ?1 AND body ->> '$.assignee' IS NULL;

-- name: task_change
-- A task was done, or is open again. ?1 contact, ?2 hash, ?3 state, ?4 done at, ?5 by whom, ?6 another moment by which
-- it is due.
UPDATE task
SET state = ?3, done_at = ?4, done_by = ?5, due_at = coalesce(?6, due_at),
    state_at = coalesce(?4, ?6, due_at, 9223372036854775807)
WHERE contact_id = ?1 AND hash = ?2;

-- name: task_face
-- Writes the columns of a task that has none. ?1 contact, ?2 hash, ?3 assignee, ?4 due at.
UPDATE task SET assignee = ?3, due_at = ?4, state_at = coalesce(?4, 9223372036854775807)
WHERE contact_id = ?1 AND hash = ?2 AND state = 1 AND due_at IS NULL;

-- name: task_bodies
-- Tasks of a contact. ?1 contact.
SELECT hash, body FROM task WHERE contact_id = ?1;

-- name: quarter_add
-- Counts what happened in a quarter of an hour. ?1 quarter, ?2 what, ?3 how often.
INSERT INTO quarter_count (quarter, what, n) VALUES (?1, ?2, ?3)
ON CONFLICT (quarter, what) DO UPDATE SET n = n + excluded.n;

-- name: quarter_drop
-- Forgets quarters before one. ?1 quarter.
DELETE FROM quarter_count WHERE quarter < ?1;

-- name: doing_put
-- What a run or message has to do with a document. ?1 contact, ?2 document, ?3 what, ?4 source, ?5 at.
INSERT INTO document_doing (contact_id, id, what, source, at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (contact_id, id, what, source) DO UPDATE SET at = excluded.at;

-- name: doing_drop
-- ?1 contact, ?2 document, ?3 what, ?4 source.
DELETE FROM document_doing WHERE contact_id = ?1 AND id = ?2 AND what = ?3 AND source = ?4;

-- name: doing_move
-- What was done about documents of a contact goes with them to another. ?1 who gets them, ?2 whose they are.
INSERT INTO document_doing (contact_id, id, what, source, at)
SELECT ?1, id, what, source, at FROM document_doing WHERE contact_id = ?2 AND what IN (3, 4, 5)
ON CONFLICT (contact_id, id, what, source) DO NOTHING;

-- name: doing_follow
-- Writes what follows from these into the document's columns. ?1 contact, ?2 document.
UPDATE document SET (next_at, reminders, reminded, held_out, followed) = (
    SELECT coalesce(min(CASE WHEN w.what IN (1, 2) THEN w.at END), 9223372036854775806),
           count(CASE WHEN w.what = 3 AND w.at <= document.paid THEN 1 END),
           coalesce(max(CASE WHEN w.what = 3 AND w.at <= document.paid THEN w.at END), -9223372036854775808),
           coalesce(max(w.what = 4), 0),
           coalesce(max(CASE WHEN w.what = 5 THEN w.at END), 0)
    FROM document_doing w WHERE w.contact_id = document.contact_id AND w.id = document.id)
WHERE contact_id = ?1 AND id = ?2;

-- name: doing_forget
-- ?1 contact.
DELETE FROM document_doing WHERE contact_id = ?1;

-- name: run_bodies
-- Runs of a contact. ?1 contact.
SELECT number, body FROM enrollment WHERE contact_id = ?1;

-- name: message_bodies
-- Messages of a contact. ?1 contact.
SELECT hash, body FROM touchpoint WHERE contact_id = ?1;

-- name: feed_add
-- Notes what happened; what comes in masses only where the contact has an owner.
-- ?1 at, ?2 contact, ?3 what, ?4 whether it is a line, ?5 line or event, ?6 owner if the contact has none, ?7 whether always.
INSERT INTO feed (at, contact_id, owner, what, is_line, ref)
SELECT ?1, ?2, coalesce(nullif((SELECT owner FROM profile WHERE contact_id = ?2), ''), ?6), ?3, ?4, ?5
WHERE ?7 OR coalesce((SELECT owner FROM profile WHERE contact_id = ?2), '') <> '';

-- name: feed_drop
-- Forgets what is old, among the first that there are. ?1 before this moment, ?2 how many are looked at.
DELETE FROM feed WHERE at < ?1 AND feed_id IN (SELECT feed_id FROM feed ORDER BY feed_id LIMIT ?2);

-- name: event_name_add
-- Counts events of a name; of a new one only while there are few. ?1 name, ?2 how many, ?3 the most names.
INSERT INTO event_name (name, n) SELECT ?1, ?2
WHERE EXISTS (SELECT 1 FROM event_name WHERE name = ?1)
   OR NOT EXISTS (SELECT 1 FROM event_name LIMIT 1 OFFSET ?3 - 1)
ON CONFLICT (name) DO UPDATE SET n = n + excluded.n;
