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

-- name: event_heads_of
-- Where the chains of a contact's events begin, as far as they are written. ?1 contact.
SELECT last_id FROM event_head WHERE contact_id = ?1;

-- name: event_mark
-- Up to which event the beginnings are written.
SELECT n FROM mark WHERE name = 'event_head';

-- name: event_tail_of
-- Events of a contact behind the mark. ?1 event, ?2 contact.
SELECT event_id FROM event WHERE event_id > ?1 AND contact_id = ?2;

-- name: event_one
-- One event. ?1 event.
SELECT contact_id, previous_id, body FROM event WHERE event_id = ?1;

-- name: ledger_head
-- The newest line of a contact (run 0) or of a run. ?1 contact, ?2 run.
SELECT last_id FROM ledger_head WHERE contact_id = ?1 AND run = ?2;

-- name: ledger_line
-- One line, with the two before it. ?1 line.
SELECT previous_id, previous_of_run, contact_id, at, what, reason, journey, run, step, touchpoint,
       channel, template, until_at, detail, variant
FROM ledger WHERE ledger_id = ?1;

-- name: ledger_newest
-- Places of the newest lines of all contacts before a place. ?1 place, ?2 how many.
SELECT ledger_id FROM ledger WHERE ledger_id < ?1 ORDER BY ledger_id DESC LIMIT ?2;

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
