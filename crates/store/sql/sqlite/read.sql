-- name: contact_page
-- Contacts, the newest first. ?1 before this contact, ?2 limit.
SELECT contact_id, body FROM contact WHERE contact_id < ?1 ORDER BY contact_id DESC LIMIT ?2;

-- name: contact_one
-- One contact. ?1 contact.
SELECT contact_id, body FROM contact WHERE contact_id = ?1;

-- name: contact_of_identity
-- Whose an identity is. ?1 kind, ?2 value.
SELECT contact_id FROM identity WHERE kind = ?1 AND value = ?2;

-- name: identity_page
-- Identities of a contact. ?1 contact, ?2 limit.
SELECT kind, value FROM identity WHERE contact_id = ?1 ORDER BY kind, value LIMIT ?2;

-- name: enrollment_page
-- Runs of a contact, the newest first. ?1 contact, ?2 before this number, ?3 limit.
SELECT contact_id, number, body FROM enrollment WHERE contact_id = ?1 AND number < ?2
ORDER BY number DESC LIMIT ?3;

-- name: enrollment_one
-- One run. ?1 contact, ?2 number.
SELECT contact_id, number, body FROM enrollment WHERE contact_id = ?1 AND number = ?2;

-- name: touchpoint_soonest
-- Messages in a state that ends at a moment, the soonest first.
-- ?1 state, ?2 ?3 ?4 after this moment, contact and hash, ?5 limit.
SELECT contact_id, hash, state_at, body FROM touchpoint
WHERE state = ?1 AND state NOT IN (1, 4) AND (state_at, contact_id, hash) > (?2, ?3, ?4)
ORDER BY state_at, contact_id, hash LIMIT ?5;

-- name: touchpoint_newest
-- Messages settled in a way, the latest first.
-- ?1 state, ?2 ?3 ?4 before this moment, contact and hash, ?5 limit.
SELECT contact_id, hash, state_at, body FROM touchpoint
WHERE state = ?1 AND state NOT IN (1, 4) AND (state_at, contact_id, hash) < (?2, ?3, ?4)
ORDER BY state_at DESC, contact_id DESC, hash DESC LIMIT ?5;

-- name: touchpoint_one
-- One message. ?1 contact, ?2 hash.
SELECT contact_id, hash, state_at, body FROM touchpoint WHERE contact_id = ?1 AND hash = ?2;

-- name: touchpoint_of_contact
-- Messages of a contact, in order of their keys. ?1 contact, ?2 after this hash, ?3 limit.
SELECT contact_id, hash, state_at, body FROM touchpoint WHERE contact_id = ?1 AND hash > ?2
ORDER BY hash LIMIT ?3;

-- name: thread_of_mail
-- What a mail is about. ?1 Message-ID, ?2 limit.
SELECT contact_id, subject_kind, subject_id FROM thread WHERE message_id = ?1
ORDER BY contact_id, subject_kind, subject_id LIMIT ?2;

-- name: object_page
-- Objects of a kind, the last changed first.
-- ?1 kind, ?2 ?3 ?4 before this moment, contact and id, ?5 limit.
SELECT contact_id, kind, id, updated_at, body FROM object
WHERE kind = ?1 AND (updated_at, contact_id, id) < (?2, ?3, ?4)
ORDER BY updated_at DESC, contact_id DESC, id DESC LIMIT ?5;

-- name: object_one
-- One object. ?1 contact, ?2 kind, ?3 id.
SELECT contact_id, kind, id, updated_at, body FROM object
WHERE contact_id = ?1 AND kind = ?2 AND id = ?3;

-- name: object_of_contact
-- Objects of a contact, by kind and id. ?1 contact, ?2 ?3 after this kind and id, ?4 limit.
SELECT contact_id, kind, id, updated_at, body FROM object
WHERE contact_id = ?1 AND (kind, id) > (?2, ?3)
ORDER BY kind, id LIMIT ?4;

-- name: task_page
-- Tasks, the newest first. ?1 ?2 ?3 before this moment, contact and hash, ?4 limit.
SELECT contact_id, hash, created_at, body FROM task
WHERE (created_at, contact_id, hash) < (?1, ?2, ?3)
ORDER BY created_at DESC, contact_id DESC, hash DESC LIMIT ?4;

-- name: task_of_contact
-- Tasks of a contact, in order of their keys. ?1 contact, ?2 after this hash, ?3 limit.
SELECT contact_id, hash, created_at, body FROM task WHERE contact_id = ?1 AND hash > ?2
ORDER BY hash LIMIT ?3;

-- name: event_of_contact
-- Events of a contact, the last to arrive first: along the chains from their beginnings, as far as those are
-- written, and from the events behind the mark. An event that is gone, or another's, has no body.
-- ?1 contact, ?2 from this event, ?3 before this one, ?4 limit.
WITH RECURSIVE walk (event_id) AS (
    SELECT event_id FROM (
        SELECT last_id AS event_id FROM event_head WHERE contact_id = ?1 AND last_id >= ?2
        UNION ALL
        SELECT event_id FROM event
        WHERE event_id > coalesce((SELECT n FROM mark WHERE name = 'event_head'), 0)
          AND contact_id = ?1 AND event_id >= ?2
    )
    UNION
    SELECT e.previous_id FROM walk CROSS JOIN event e ON e.event_id = walk.event_id
    WHERE e.previous_id >= ?2
    ORDER BY 1 DESC
)
SELECT walk.event_id, e.previous_id, e.body
FROM walk LEFT JOIN event e ON e.event_id = walk.event_id AND e.contact_id = ?1
WHERE walk.event_id < ?3 LIMIT ?4;

-- name: ledger_of_contact
-- Lines of a contact along their chain, the newest first. A line that is gone, or another's, ends it.
-- ?1 contact, ?2 from this line on (null: from the newest), ?3 limit.
WITH RECURSIVE walk AS (
    SELECT ledger_id, previous_id, contact_id, at, what, reason, journey, run, step, touchpoint,
           channel, template, until_at, detail, variant
    FROM ledger
    WHERE contact_id = ?1 AND ledger_id =
          coalesce(?2, (SELECT last_id FROM ledger_head WHERE contact_id = ?1 AND run = 0))
    UNION ALL
    SELECT l.ledger_id, l.previous_id, l.contact_id, l.at, l.what, l.reason, l.journey, l.run, l.step,
           l.touchpoint, l.channel, l.template, l.until_at, l.detail, l.variant
    FROM walk CROSS JOIN ledger l ON l.ledger_id = walk.previous_id AND l.contact_id = ?1
    LIMIT ?3
)
SELECT ledger_id, previous_id, contact_id, at, what, reason, journey, run, step, touchpoint,
       channel, template, until_at, detail, variant
FROM walk;

-- name: ledger_of_run
-- Lines of a run along their chain, the newest first. A line that is gone, or another's, ends it.
-- ?1 contact, ?2 run, ?3 from this line on (null: from the newest), ?4 limit.
WITH RECURSIVE walk AS (
    SELECT ledger_id, previous_of_run, contact_id, at, what, reason, journey, run, step, touchpoint,
           channel, template, until_at, detail, variant
    FROM ledger
    WHERE contact_id = ?1 AND run = ?2 AND ledger_id =
          coalesce(?3, (SELECT last_id FROM ledger_head WHERE contact_id = ?1 AND run = ?2))
    UNION ALL
    SELECT l.ledger_id, l.previous_of_run, l.contact_id, l.at, l.what, l.reason, l.journey, l.run, l.step,
           l.touchpoint, l.channel, l.template, l.until_at, l.detail, l.variant
    FROM walk CROSS JOIN ledger l
         ON l.ledger_id = walk.previous_of_run AND l.contact_id = ?1 AND l.run = ?2
    LIMIT ?4
)
SELECT ledger_id, previous_of_run, contact_id, at, what, reason, journey, run, step, touchpoint,
       channel, template, until_at, detail, variant
FROM walk;

-- name: ledger_newest
-- The newest lines of all contacts before a place. ?1 place, ?2 how many.
SELECT ledger_id, previous_id, contact_id, at, what, reason, journey, run, step, touchpoint,
       channel, template, until_at, detail, variant
FROM ledger WHERE ledger_id < ?1 ORDER BY ledger_id DESC LIMIT ?2;

-- name: counter_days
-- What was counted of a journey on some days. ?1 journey, ?2 first day, ?3 last day.
SELECT day, step, what, reason, n FROM counter
WHERE journey = ?1 AND day BETWEEN ?2 AND ?3
ORDER BY day, step, what, reason;

-- name: total_all
-- All totals.
SELECT name, n FROM total;

-- name: journey_all
-- Every version of every journey, with its live runs.
SELECT j.journey, j.version, j.is_current, j.published_at, j.text, coalesce(r.n, 0), j.moves
FROM journey j LEFT JOIN live_run r ON r.journey = j.journey AND r.version = j.version
ORDER BY j.journey, j.version;

-- name: journey_versions_of
-- Every version of a journey, oldest first. ?1 journey.
SELECT journey, version, is_current, moves, text FROM journey WHERE journey = ?1 ORDER BY version;

-- name: journey_paused_all
-- Journeys that stand still.
SELECT journey FROM journey_paused ORDER BY journey;

-- name: standing_of
-- Live runs of a journey by version and step. ?1 journey.
SELECT version, step, n FROM standing WHERE journey = ?1 AND n > 0 ORDER BY version, step;

-- name: asset_all
-- All texts of a sort, by name. ?1 kind.
SELECT name, updated_at, body FROM asset WHERE kind = ?1 ORDER BY name;

-- name: history_from
-- The first event of a day or a later one. ?1 day.
SELECT min(event_id) FROM event_day WHERE day >= ?1;

-- name: history_last
-- The last event of the log.
SELECT max(event_id) FROM event;

-- name: history_walk
-- Events of the log, contact after contact, each one's in order of arrival. Sorted beside the file, in
-- temporary ones: no index over the log is kept for this. ?1 ?2 first and last event.
SELECT contact_id, event_id, body FROM event WHERE event_id BETWEEN ?1 AND ?2
ORDER BY contact_id, event_id;

-- name: mailbox_all
-- What is known of the watched mailboxes.
SELECT mailbox, synced_at, cursors FROM mailbox ORDER BY mailbox;

-- name: overdue_timers
-- Timers due, the first first, with the journey of those that belong to a run. ?1 now, ?2 limit.
SELECT t.due_at, e.journey
FROM timer t LEFT JOIN enrollment e
     ON t.kind = 1 AND e.contact_id = t.contact_id AND e.number = t.target
WHERE t.due_at <= ?1 ORDER BY t.due_at, t.contact_id, t.kind, t.target LIMIT ?2;

-- name: overdue_timer_last
-- The last timer due. ?1 now.
SELECT max(due_at) FROM timer WHERE due_at <= ?1;

-- name: overdue_messages
-- Messages whose moment has come, the first first, with their journeys. ?1 now, ?2 limit.
SELECT o.ready_at, t.body ->> '$.journey'
FROM outbox o JOIN touchpoint t ON t.contact_id = o.contact_id AND t.hash = o.hash
WHERE o.ready_at <= ?1 ORDER BY o.ready_at, o.contact_id, o.hash LIMIT ?2;

-- name: overdue_message_last
-- The last message whose moment has come. ?1 now.
SELECT max(ready_at) FROM outbox WHERE ready_at <= ?1;

-- name: database_identity
-- A file is told by itself.
SELECT NULL;

-- name: nodes_beside
-- Programs that work on the workspace beside one. A file has none. ?1 name.
SELECT 0 WHERE ?1 IS NOT NULL;

-- name: segment_all
-- Segments by id. A removed one, or a list that nobody defined, has no text.
SELECT id, text, n, updated_at, number FROM segment ORDER BY id;

-- name: segment_one
-- One segment. ?1 id.
SELECT id, text, n, updated_at, number FROM segment WHERE id = ?1;

-- name: member_edge
-- The last of so many records of a segment; none when there are fewer.
-- ?1 number, ?2 after this contact, ?3 how many records.
SELECT contact_id FROM member WHERE segment = ?1 AND contact_id > ?2
ORDER BY contact_id LIMIT 1 OFFSET ?3 - 1;

-- name: member_page
-- Members of a segment, in order, among so many records. They come as they are walked, and the walk ends
-- with the last that is asked for. ?1 number, ?2 after this contact, ?3 how many records, ?4 limit.
SELECT m.contact_id, c.body
FROM (SELECT contact_id, is_member FROM member WHERE segment = ?1 AND contact_id > ?2
      ORDER BY contact_id LIMIT ?3) AS m
     CROSS JOIN contact c ON c.contact_id = m.contact_id
WHERE m.is_member = 1 LIMIT ?4;

-- name: member_of_contact
-- How a contact stands to all segments that have a record of it, by id. ?1 contact.
SELECT s.id, m.is_member, m.due_at
FROM segment s CROSS JOIN member m ON m.segment = s.number AND m.contact_id = ?1
ORDER BY s.id;

-- name: member_of_numbers
-- How a contact stands to some segments. ?1 contact, ?2 their numbers.
SELECT m.segment, m.is_member, m.due_at
FROM json_each(?2) AS wanted CROSS JOIN member m ON m.segment = wanted.value AND m.contact_id = ?1;

-- name: identity_range
-- Names of a kind, in order. ?1 kind, ?2 from this one on, ?3 before this one, ?4 limit.
SELECT value, contact_id FROM identity WHERE kind = ?1 AND value >= ?2 AND value < ?3
ORDER BY value LIMIT ?4;

-- name: contact_from
-- Contacts in order of id. ?1 from this contact on, ?2 limit.
SELECT contact_id, body FROM contact WHERE contact_id >= ?1 ORDER BY contact_id LIMIT ?2;

-- name: event_tail
-- Events that are not yet noted where chains begin.
SELECT contact_id, event_id FROM event
WHERE event_id > coalesce((SELECT n FROM mark WHERE name = 'event_head'), 0) ORDER BY event_id;

-- name: event_heads
-- Where the chains of a contact begin, one for each name. ?1 contact.
SELECT name, last_id FROM event_head WHERE contact_id = ?1;

-- name: event_chains
-- Events along the chains of some names, the last to arrive first.
-- ?1 contact, ?2 events that they may begin with, ?3 the names as a JSON list, ?4 limit.
WITH RECURSIVE walk (event_id) AS (
    SELECT e.event_id FROM json_each(?2) AS begin CROSS JOIN event e ON e.event_id = begin.value
    WHERE e.contact_id = ?1 AND e.body ->> '$.name' IN (SELECT value FROM json_each(?3))
    UNION
    SELECT e.previous_id FROM walk CROSS JOIN event e ON e.event_id = walk.event_id
    WHERE e.previous_id IS NOT NULL
    ORDER BY 1 DESC
)
SELECT walk.event_id, e.body
FROM walk CROSS JOIN event e ON e.event_id = walk.event_id AND e.contact_id = ?1 LIMIT ?4;

-- name: consent_page
-- Answers of a contact, the first first. ?1 contact, ?2 ?3 ?4 after this moment, about and answer, ?5 limit.
SELECT at, about, body, answer FROM consent_log
WHERE contact_id = ?1 AND (at, about, answer) > (?2, ?3, ?4)
ORDER BY at, about, answer LIMIT ?5;

-- name: suppression_page
-- The list of suppressions, in order. ?1 ?2 after this kind and value, ?3 limit.
SELECT kind, value, reason, at, source FROM suppression WHERE (kind, value) > (?1, ?2)
ORDER BY kind, value LIMIT ?3;

-- name: suppression_one
-- One entry. ?1 kind, ?2 value.
SELECT kind, value, reason, at, source FROM suppression WHERE kind = ?1 AND value = ?2;

-- name: erased_page
-- Whom erasures removed. ?1 after this hash, ?2 limit.
SELECT hash FROM erased WHERE hash > ?1 ORDER BY hash LIMIT ?2;

-- name: doubt_page
-- Contacts that may be one, in order. ?1 ?2 after this pair, ?3 limit.
SELECT contact_id, other_id, why, at FROM doubt WHERE (contact_id, other_id) > (?1, ?2)
ORDER BY contact_id, other_id LIMIT ?3;

-- name: merged_one
-- The merge by which a contact was absorbed. ?1 absorbed.
SELECT survivor_id, at, body, undo IS NOT NULL FROM merged WHERE contact_id = ?1;

-- name: event_name_contacts
-- Contacts with a chain of a name, in order of partition (always 0) and id.
-- ?1 name, ?2 partition, ?3 after this contact, ?4 limit.
SELECT 0, contact_id FROM event_head WHERE name = ?1 AND ?2 = 0 AND contact_id > ?3
ORDER BY contact_id LIMIT ?4;

-- name: account_page
-- Accounts in order of id. ?1 after this one, ?2 limit.
SELECT id, revision, settled, first_at, last_at, body FROM account WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: account_by_id
-- Accounts whose id begins with a text, in order of id. ?1 from this id, ?2 before this one, ?3 after this one, ?4 limit.
SELECT id, revision, settled, first_at, last_at, body, name FROM account WHERE id >= ?1 AND id < ?2 AND id > ?3 ORDER BY id LIMIT ?4;

-- name: account_by_name
-- Accounts whose name begins with a text, in order of name and id. ?1 ?2 after this name and id, ?3 before this
-- name, ?4 limit.
SELECT id, revision, settled, first_at, last_at, body, name FROM account WHERE (name, id) > (?1, ?2) AND name < ?3 ORDER BY name, id LIMIT ?4;

-- name: account_one
-- One account. ?1 account.
SELECT id, revision, settled, first_at, last_at, body FROM account WHERE id = ?1;

-- name: account_list
-- Accounts of a list. ?1 their ids as a JSON list.
SELECT id, revision, settled, first_at, last_at, body FROM account WHERE id IN (SELECT value FROM json_each(?1));

-- name: account_contact_page
-- Contacts of an account in order of id. ?1 account, ?2 after this contact, ?3 limit.
SELECT c.contact_id, c.body FROM account_contact a JOIN contact c ON c.contact_id = a.contact_id
WHERE a.account_id = ?1 AND a.contact_id > ?2 ORDER BY a.contact_id LIMIT ?3;

-- name: asset_one
-- One text. ?1 kind, ?2 name.
SELECT name, updated_at, body FROM asset WHERE kind = ?1 AND name = ?2;

-- name: audit_newest
-- Who changed what, the newest first. ?1 ?2 before this moment and hash, ?3 not before this moment, ?4 the beginning of
-- the action, ?5 limit.
SELECT at, hash, who, action, object, detail FROM audit
WHERE (at, hash) < (?1, ?2) AND at >= ?3 AND substr(action, 1, length(?4)) = ?4
ORDER BY at DESC, hash DESC LIMIT ?5;

-- name: audit_of_who
-- What somebody changed, the newest first. ?1 who, ?2 ?3 before this moment and hash, ?4 not before this moment, ?5 the
-- beginning of the action, ?6 limit.
SELECT at, hash, who, action, object, detail FROM audit
WHERE who = ?1 AND (at, hash) < (?2, ?3) AND at >= ?4 AND substr(action, 1, length(?5)) = ?5
ORDER BY at DESC, hash DESC LIMIT ?6;

-- name: audit_of_object
-- Who changed something, the newest first. ?1 object, ?2 ?3 before this moment and hash, ?4 not before this moment, ?5 the
-- beginning of the action, ?6 limit, ?7 who, or nothing for everyone.
SELECT at, hash, who, action, object, detail FROM audit
WHERE object = ?1 AND (?7 = '' OR who = ?7) AND (at, hash) < (?2, ?3) AND at >= ?4 AND substr(action, 1, length(?5)) = ?5
ORDER BY at DESC, hash DESC LIMIT ?6;
