-- name: contact_page
-- Contacts, the newest first. $1 before this contact, $2 limit.
SELECT contact_id, body FROM contact WHERE contact_id < $1 ORDER BY contact_id DESC LIMIT $2;

-- name: contact_one
-- One contact. $1 contact.
SELECT contact_id, body FROM contact WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1;

-- name: contact_of_identity
-- Whose an identity is. $1 kind, $2 value.
SELECT contact_id FROM identity WHERE kind = $1 AND value = $2;

-- name: identity_page
-- Identities of a contact. $1 contact, $2 limit.
SELECT kind, value FROM identity WHERE contact_id = $1 ORDER BY kind, value LIMIT $2;

-- name: enrollment_page
-- Runs of a contact, the newest first. $1 contact, $2 before this number, $3 limit.
SELECT contact_id, number, body FROM enrollment
WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 AND number < $2::bigint
ORDER BY number DESC LIMIT $3;

-- name: enrollment_one
-- One run. $1 contact, $2 number.
SELECT contact_id, number, body FROM enrollment
WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 AND number = $2::bigint;

-- name: touchpoint_soonest
-- Messages in a state that ends at a moment, the soonest first.
-- $1 state, $2 $3 $4 after this moment, contact and hash, $5 limit.
SELECT contact_id, hash, state_at, body FROM touchpoint
WHERE state = $1 AND state NOT IN (1, 4) AND (state_at, contact_id, hash) > ($2, $3, $4)
ORDER BY state_at, contact_id, hash LIMIT $5;

-- name: touchpoint_newest
-- Messages settled in a way, the latest first.
-- $1 state, $2 $3 $4 before this moment, contact and hash, $5 limit.
SELECT contact_id, hash, state_at, body FROM touchpoint
WHERE state = $1 AND state NOT IN (1, 4) AND (state_at, contact_id, hash) < ($2, $3, $4)
ORDER BY state_at DESC, contact_id DESC, hash DESC LIMIT $5;

-- name: touchpoint_one
-- One message. $1 contact, $2 hash.
SELECT contact_id, hash, state_at, body FROM touchpoint
WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 AND hash = $2;

-- name: touchpoint_of_contact
-- Messages of a contact, in order of their keys. $1 contact, $2 after this hash, $3 limit.
SELECT contact_id, hash, state_at, body FROM touchpoint
WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 AND hash > $2
ORDER BY hash LIMIT $3;

-- name: thread_of_mail
-- What a mail is about. $1 Message-ID, $2 limit.
SELECT contact_id, subject_kind, subject_id FROM thread WHERE message_id = $1
ORDER BY contact_id, subject_kind, subject_id LIMIT $2;

-- name: object_page
-- Objects of a kind, the last changed first.
-- $1 kind, $2 $3 $4 before this moment, contact and id, $5 limit.
SELECT contact_id, kind, id, updated_at, body FROM object
WHERE kind = $1 AND (updated_at, contact_id, id) < ($2, $3, $4)
ORDER BY updated_at DESC, contact_id DESC, id DESC LIMIT $5;

-- name: object_one
-- One object. $1 contact, $2 kind, $3 id.
SELECT contact_id, kind, id, updated_at, body FROM object
WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 AND kind = $2 AND id = $3;

-- name: object_of_contact
-- Objects of a contact, by kind and id. $1 contact, $2 $3 after this kind and id, $4 limit.
SELECT contact_id, kind, id, updated_at, body FROM object
WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 AND (kind, id) > ($2, $3)
ORDER BY kind, id LIMIT $4;

-- name: task_page
-- Tasks, the newest first. $1 $2 $3 before this moment, contact and hash, $4 limit.
SELECT contact_id, hash, created_at, body FROM task
WHERE (created_at, contact_id, hash) < ($1, $2, $3)
ORDER BY created_at DESC, contact_id DESC, hash DESC LIMIT $4;

-- name: task_of_contact
-- Tasks of a contact, in order of their keys. $1 contact, $2 after this hash, $3 limit.
SELECT contact_id, hash, created_at, body FROM task
WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 AND hash > $2
ORDER BY hash LIMIT $3;

-- name: event_of_contact
-- Events of a contact, the last to arrive first: along the chains from their beginnings. Each step takes the
-- last of the events that are open and opens the one before it; there are as many open ones as names. An
-- event that is gone, or another's, has no body. Evaluated as far as rows are fetched.
-- $1 contact, $2 from this event, $3 before this one, $4 limit.
WITH RECURSIVE walk (event_id, previous_id, body, open) AS (
    SELECT NULL::bigint, NULL::bigint, NULL::text,
           (SELECT array_agg(last_id ORDER BY last_id DESC) FROM event_head
            WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1)
    UNION ALL
    SELECT w.open[1], e.previous_id, e.body,
           (SELECT array_agg(one.id ORDER BY one.id DESC)
            FROM unnest(w.open[2:] || e.previous_id) AS one (id) WHERE one.id IS NOT NULL)
    FROM walk w LEFT JOIN event e
         ON e.part = ($1::bigint % 256)::smallint AND e.event_id = w.open[1] AND e.contact_id = $1
    WHERE w.open[1] >= $2
)
SELECT event_id, previous_id, body FROM walk WHERE event_id < $3 LIMIT $4;

-- name: ledger_of_contact
-- Lines of a contact, the newest first. There is no chain: previous is null.
-- $1 contact, $2 from this line on (null: from the newest), $3 limit.
SELECT ledger_id, NULL::bigint, contact_id, at, what, reason, journey, run, step, touchpoint,
       channel, template, until_at, detail, variant
FROM ledger
WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1
  AND ledger_id <= coalesce($2, 9223372036854775807)
ORDER BY ledger_id DESC LIMIT $3;

-- name: ledger_of_run
-- Lines of a run, the newest first, found among those of the contact. There is no chain: previous is null.
-- $1 contact, $2 run, $3 from this line on (null: from the newest), $4 limit.
SELECT ledger_id, NULL::bigint, contact_id, at, what, reason, journey, run, step, touchpoint,
       channel, template, until_at, detail, variant
FROM ledger
WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 AND run = $2::bigint
  AND ledger_id <= coalesce($3, 9223372036854775807)
ORDER BY ledger_id DESC LIMIT $4;

-- name: ledger_newest
-- The newest lines of all contacts before a place. $1 place, $2 how many.
SELECT ledger_id, NULL::bigint, contact_id, at, what, reason, journey, run, step, touchpoint,
       channel, template, until_at, detail, variant
FROM ledger WHERE ledger_id < $1 ORDER BY ledger_id DESC LIMIT $2;

-- name: counter_days
-- What was counted of a journey on some days. $1 journey, $2 first day, $3 last day.
SELECT day, step, what, reason, sum(n)::bigint FROM counter
WHERE journey = $1 AND day BETWEEN $2 AND $3
GROUP BY day, step, what, reason ORDER BY day, step, what, reason;

-- name: total_all
-- All totals.
SELECT name, sum(n)::bigint FROM total GROUP BY name;

-- name: journey_all
-- Every version of every journey, with its live runs.
SELECT j.journey, j.version, j.is_current, j.published_at, j.text, coalesce(r.n, 0), j.moves
FROM journey j LEFT JOIN LATERAL (
    SELECT sum(n)::bigint AS n FROM live_run WHERE journey = j.journey AND version = j.version
) r ON true
ORDER BY j.journey, j.version;

-- name: journey_versions_of
-- Every version of a journey, oldest first. $1 journey.
SELECT journey, version, is_current, moves, text FROM journey WHERE journey = $1 ORDER BY version;

-- name: journey_paused_all
-- Journeys that stand still.
SELECT journey FROM journey_paused ORDER BY journey;

-- name: standing_of
-- Live runs of a journey by version and step. $1 journey.
SELECT version, step, sum(n)::bigint FROM standing WHERE journey = $1
GROUP BY version, step HAVING sum(n) > 0 ORDER BY version, step;

-- name: asset_all
-- All texts of a sort, by name. $1 kind.
SELECT name, updated_at, body FROM asset WHERE kind = $1 ORDER BY name;

-- name: history_from
-- The first event of a day or a later one. $1 day.
SELECT min(event_id) FROM event_day WHERE day >= $1;

-- name: history_last
-- The last event of the log, of all partitions.
SELECT max(last.event_id)
FROM generate_series(0, 255) AS p (part)
     CROSS JOIN LATERAL (SELECT max(event_id) AS event_id FROM event WHERE part = p.part::smallint) AS last;

-- name: history_walk
-- Events of the log, contact after contact, each one's in order of arrival. Sorted by the server: no index
-- over the log is kept for this. $1 $2 first and last event.
SELECT contact_id, event_id, body FROM event WHERE event_id BETWEEN $1 AND $2
ORDER BY contact_id, event_id;

-- name: mailbox_all
-- What is known of the watched mailboxes.
SELECT mailbox, synced_at, cursors FROM mailbox ORDER BY mailbox;

-- name: overdue_timers
-- Timers due, the first first, with the journey of those that belong to a run. $1 now, $2 limit.
SELECT t.due_at, e.journey
FROM (SELECT due.* FROM generate_series(0, 255) AS p (part) CROSS JOIN LATERAL (
          SELECT part, due_at, contact_id, kind, target FROM timer
          WHERE part = p.part::smallint AND due_at <= $1
          ORDER BY due_at, contact_id, kind, target LIMIT $2) AS due
      ORDER BY due.due_at, due.contact_id, due.kind, due.target LIMIT $2) AS t
     LEFT JOIN enrollment e
     ON t.kind = 1 AND e.part = t.part AND e.contact_id = t.contact_id AND e.number = t.target
ORDER BY t.due_at, t.contact_id, t.kind, t.target;

-- name: overdue_timer_last
-- The last timer due. $1 now.
SELECT max(last.due_at)
FROM generate_series(0, 255) AS p (part) CROSS JOIN LATERAL (
    SELECT max(due_at) AS due_at FROM timer WHERE part = p.part::smallint AND due_at <= $1) AS last;

-- name: overdue_messages
-- Messages whose moment has come, the first first, with their journeys. $1 now, $2 limit.
SELECT o.slot_at, o.body::json ->> 'journey'
FROM generate_series(0, 255) AS p (part) CROSS JOIN LATERAL (
    SELECT slot_at, contact_id, hash, body FROM touchpoint
    WHERE part = p.part::smallint AND slot = 1 AND slot_at <= $1
    ORDER BY slot_at, contact_id, hash LIMIT $2) AS o
ORDER BY o.slot_at, o.contact_id, o.hash LIMIT $2;

-- name: overdue_message_last
-- The last message whose moment has come. $1 now.
SELECT max(last.slot_at)
FROM generate_series(0, 255) AS p (part) CROSS JOIN LATERAL (
    SELECT max(slot_at) AS slot_at FROM touchpoint
    WHERE part = p.part::smallint AND slot = 1 AND slot_at <= $1) AS last;

-- name: database_identity
-- What tells this schema from a copy of it: the cluster, the database, the schema. A dump that is restored
-- becomes another schema; a replica that takes over has the same.
SELECT c.system_identifier || '/' || d.oid || '/' || n.oid
FROM pg_control_system() AS c, pg_database AS d, pg_namespace AS n
WHERE d.datname = current_database() AND n.nspname = current_schema();

-- name: nodes_beside
-- Nodes that live beside one, by the database's clock as in lease.sql. $1 name.
-- tidy:allow(sql-files): the one clock that all nodes share
SELECT count(*) FROM node WHERE expires_at >= clock_timestamp() AND name <> $1;

-- name: segment_all
-- Segments by id. A removed one, or a list that nobody defined, has no text.
SELECT s.id, s.text, coalesce(c.n, 0), s.updated_at, s.number::bigint
FROM segment s LEFT JOIN (SELECT segment, sum(n)::bigint AS n FROM segment_count GROUP BY segment) c
     ON c.segment = s.number
ORDER BY s.id;

-- name: segment_one
-- One segment. $1 id.
SELECT id, text, coalesce((SELECT sum(n)::bigint FROM segment_count WHERE segment = number), 0), updated_at,
       number::bigint
FROM segment WHERE id = $1;

-- name: member_edge
-- The last of so many records of a segment; none when there are fewer.
-- $1 number, $2 after this contact, $3 how many records.
SELECT contact_id FROM member WHERE segment = $1::bigint AND contact_id > $2
ORDER BY contact_id LIMIT 1 OFFSET $3::bigint - 1;

-- name: member_page
-- Members of a segment, in order, among so many records.
-- $1 number, $2 after this contact, $3 how many records, $4 limit.
SELECT m.contact_id, c.body
FROM (SELECT contact_id, is_member FROM member WHERE segment = $1::bigint AND contact_id > $2
      ORDER BY contact_id LIMIT $3) AS m
     JOIN contact c ON c.part = (m.contact_id % 256)::smallint AND c.contact_id = m.contact_id
WHERE m.is_member
ORDER BY m.contact_id LIMIT $4;

-- name: member_of_contact
-- How a contact stands to all segments that have a record of it, by id. $1 contact.
SELECT s.id, m.is_member, m.due_at FROM member m JOIN segment s ON s.number = m.segment
WHERE m.part = ($1::bigint % 256)::smallint AND m.contact_id = $1
ORDER BY s.id;

-- name: member_of_numbers
-- How a contact stands to some segments. $1 contact, $2 their numbers.
SELECT segment::bigint, is_member, due_at FROM member
WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 AND segment = ANY ($2::bigint[]);

-- name: identity_range
-- Names of a kind, in order. $1 kind, $2 from this one on, $3 before this one, $4 limit.
SELECT value, contact_id FROM identity WHERE kind = $1 AND value >= $2 AND value < $3
ORDER BY value LIMIT $4;

-- name: contact_from
-- Contacts in order of id. $1 from this contact on, $2 limit.
SELECT contact_id, body FROM contact WHERE contact_id >= $1 ORDER BY contact_id LIMIT $2;

-- name: event_tail
-- Events that are not yet noted where chains begin: there are none.
SELECT contact_id, event_id FROM event WHERE false;

-- name: event_heads
-- Where the chains of a contact begin, one for each name. $1 contact.
SELECT name, last_id FROM event_head WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1;

-- name: event_chains
-- Events along the chains of some names, the last to arrive first.
-- $1 contact, $2 events that they may begin with, $3 the names as a JSON list, $4 limit.
WITH RECURSIVE walk (event_id, previous_id, body) AS (
    SELECT e.event_id, e.previous_id, e.body FROM event e
    WHERE e.part = ($1::bigint % 256)::smallint AND e.event_id = ANY ($2::bigint[]) AND e.contact_id = $1
      AND e.body::jsonb ->> 'name' IN (SELECT jsonb_array_elements_text($3::text::jsonb))
    UNION
    SELECT e.event_id, e.previous_id, e.body FROM walk w
    JOIN event e ON e.part = ($1::bigint % 256)::smallint AND e.event_id = w.previous_id AND e.contact_id = $1
)
SELECT event_id, body FROM walk ORDER BY event_id DESC LIMIT $4;

-- name: consent_page
-- Answers of a contact, the first first. $1 contact, $2 $3 $4 after this moment, about and answer, $5 limit.
SELECT at, about, body, answer FROM consent_log
WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1 AND (at, about, answer) > ($2, $3, $4)
ORDER BY at, about, answer LIMIT $5;

-- name: suppression_page
-- The list of suppressions, in order. $1 $2 after this kind and value, $3 limit.
SELECT kind, value, reason, at, source FROM suppression WHERE (kind, value) > ($1, $2)
ORDER BY kind, value LIMIT $3;

-- name: suppression_one
-- One entry. $1 kind, $2 value.
SELECT kind, value, reason, at, source FROM suppression WHERE kind = $1 AND value = $2;

-- name: erased_page
-- Whom erasures removed. $1 after this hash, $2 limit.
SELECT hash FROM erased WHERE hash > $1 ORDER BY hash LIMIT $2;

-- name: doubt_page
-- Contacts that may be one, in order. $1 $2 after this pair, $3 limit.
SELECT contact_id, other_id, why, at FROM doubt WHERE (contact_id, other_id) > ($1::bigint, $2::bigint)
ORDER BY contact_id, other_id LIMIT $3;

-- name: merged_one
-- The merge by which a contact was absorbed. $1 absorbed.
SELECT survivor_id, at, body, undo IS NOT NULL FROM merged
WHERE part = ($1::bigint % 256)::smallint AND contact_id = $1;

-- name: event_name_contacts
-- Contacts with a chain of a name, in order of partition and id.
-- $1 name, $2 partition, $3 after this contact, $4 limit.
SELECT part, contact_id FROM event_head
WHERE (part, contact_id) > ($2::smallint, $3::bigint) AND name = $1
ORDER BY part, contact_id LIMIT $4;

-- name: account_page
-- Accounts in order of id. $1 after this one, $2 limit.
SELECT id, revision, settled, first_at, last_at, body FROM account WHERE id > $1 ORDER BY id LIMIT $2;

-- name: account_by_id
-- Accounts whose id begins with a text, in order of id. $1 from this id, $2 before this one, $3 after this one, $4 limit.
SELECT id, revision, settled, first_at, last_at, body, name FROM account WHERE id >= $1 AND id < $2 AND id > $3 ORDER BY id LIMIT $4;

-- name: account_by_name
-- Accounts whose name begins with a text, in order of name and id. $1 $2 after this name and id, $3 before this
-- name, $4 limit.
SELECT id, revision, settled, first_at, last_at, body, name FROM account WHERE (name, id) > ($1, $2) AND name < $3 ORDER BY name, id LIMIT $4;

-- name: account_one
-- One account. $1 account.
SELECT id, revision, settled, first_at, last_at, body FROM account WHERE id = $1;

-- name: account_list
-- Accounts of a list. $1 their ids as a JSON list.
SELECT id, revision, settled, first_at, last_at, body FROM account WHERE id IN (SELECT jsonb_array_elements_text($1::text::jsonb));

-- name: account_contact_page
-- Contacts of an account in order of id. $1 account, $2 after this contact, $3 limit.
SELECT c.contact_id, c.body
FROM account_contact a JOIN contact c ON c.part = a.part AND c.contact_id = a.contact_id
WHERE a.account_id = $1 AND a.contact_id > $2 ORDER BY a.contact_id LIMIT $3;

-- name: asset_one
-- One text. $1 kind, $2 name.
SELECT name, updated_at, body FROM asset WHERE kind = $1 AND name = $2;

-- name: audit_newest
-- Who changed what, the newest first. $1 $2 before this moment and hash, $3 not before this moment, $4 the beginning of
-- the action, $5 limit.
SELECT at, hash, who, action, object, detail FROM audit
WHERE (at, hash) < ($1, $2) AND at >= $3 AND starts_with(action, $4)
ORDER BY at DESC, hash DESC LIMIT $5;

-- name: audit_of_who
-- What somebody changed, the newest first. $1 who, $2 $3 before this moment and hash, $4 not before this moment, $5 the
-- beginning of the action, $6 limit.
SELECT at, hash, who, action, object, detail FROM audit
WHERE who = $1 AND (at, hash) < ($2, $3) AND at >= $4 AND starts_with(action, $5)
ORDER BY at DESC, hash DESC LIMIT $6;

-- name: audit_of_object
-- Who changed something, the newest first. $1 object, $2 $3 before this moment and hash, $4 not before this moment, $5 the
-- beginning of the action, $6 limit, $7 who, or nothing for everyone.
SELECT at, hash, who, action, object, detail FROM audit
WHERE object = $1 AND ($7 = '' OR who = $7) AND (at, hash) < ($2, $3) AND at >= $4 AND starts_with(action, $5)
ORDER BY at DESC, hash DESC LIMIT $6;
