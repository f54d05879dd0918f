-- Documents sorted in every way, of one state, from one place on; and of one owner. Lists of several states or
-- owners are merged by whoever reads. ?1 state, ?2 ?3 behind this value and place, ?4 limit (?5 owner).

-- name: document_by_issued_up
-- The next documents of a state, rising by issued.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_issued
WHERE state = ?1 AND (issued, place) > (?2, ?3) ORDER BY issued, place LIMIT ?4;

-- name: document_by_issued_down
-- The next documents of a state, falling by issued.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_issued
WHERE state = ?1 AND (issued, place) < (?2, ?3) ORDER BY issued DESC, place DESC LIMIT ?4;

-- name: document_by_due_up
-- The next documents of a state, rising by due.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_due
WHERE state = ?1 AND (due, place) > (?2, ?3) ORDER BY due, place LIMIT ?4;

-- name: document_by_due_down
-- The next documents of a state, falling by due.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_due
WHERE state = ?1 AND (due, place) < (?2, ?3) ORDER BY due DESC, place DESC LIMIT ?4;

-- name: document_by_amount_up
-- The next documents of a state, rising by amount.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_amount
WHERE state = ?1 AND (amount, place) > (?2, ?3) ORDER BY amount, place LIMIT ?4;

-- name: document_by_amount_down
-- The next documents of a state, falling by amount.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_amount
WHERE state = ?1 AND (amount, place) < (?2, ?3) ORDER BY amount DESC, place DESC LIMIT ?4;

-- name: document_by_updated_up
-- The next documents of a state, rising by updated.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_updated
WHERE state = ?1 AND (updated_at, place) > (?2, ?3) ORDER BY updated_at, place LIMIT ?4;

-- name: document_by_updated_down
-- The next documents of a state, falling by updated.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_updated
WHERE state = ?1 AND (updated_at, place) < (?2, ?3) ORDER BY updated_at DESC, place DESC LIMIT ?4;

-- name: document_by_number_up
-- The next documents of a state, rising by number.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_number
WHERE state = ?1 AND (number, place) > (?2, ?3) ORDER BY number, place LIMIT ?4;

-- name: document_by_number_down
-- The next documents of a state, falling by number.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_number
WHERE state = ?1 AND (number, place) < (?2, ?3) ORDER BY number DESC, place DESC LIMIT ?4;

-- name: document_by_client_up
-- The next documents of a state, rising by client.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_client
WHERE state = ?1 AND (client, place) > (?2, ?3) ORDER BY client, place LIMIT ?4;

-- name: document_by_client_down
-- The next documents of a state, falling by client.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_client
WHERE state = ?1 AND (client, place) < (?2, ?3) ORDER BY client DESC, place DESC LIMIT ?4;

-- name: document_by_owner_up
-- The next documents of a state, rising by owner.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_owner
WHERE state = ?1 AND (owner, place) > (?2, ?3) ORDER BY owner, place LIMIT ?4;

-- name: document_by_owner_down
-- The next documents of a state, falling by owner.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_owner
WHERE state = ?1 AND (owner, place) < (?2, ?3) ORDER BY owner DESC, place DESC LIMIT ?4;

-- name: document_of_owner_by_issued_up
-- The next documents of an owner and a state, rising by issued.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_of_owner_by_issued
WHERE owner = ?5 AND state = ?1 AND (issued, place) > (?2, ?3)
ORDER BY issued, place LIMIT ?4;

-- name: document_of_owner_by_issued_down
-- The next documents of an owner and a state, falling by issued.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_of_owner_by_issued
WHERE owner = ?5 AND state = ?1 AND (issued, place) < (?2, ?3)
ORDER BY issued DESC, place DESC LIMIT ?4;

-- name: document_of_owner_by_due_up
-- The next documents of an owner and a state, rising by due.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_of_owner_by_due
WHERE owner = ?5 AND state = ?1 AND (due, place) > (?2, ?3)
ORDER BY due, place LIMIT ?4;

-- name: document_of_owner_by_due_down
-- The next documents of an owner and a state, falling by due.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_of_owner_by_due
WHERE owner = ?5 AND state = ?1 AND (due, place) < (?2, ?3)
ORDER BY due DESC, place DESC LIMIT ?4;

-- name: document_of_owner_by_amount_up
-- The next documents of an owner and a state, rising by amount.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_of_owner_by_amount
WHERE owner = ?5 AND state = ?1 AND (amount, place) > (?2, ?3)
ORDER BY amount, place LIMIT ?4;

-- name: document_of_owner_by_amount_down
-- The next documents of an owner and a state, falling by amount.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_of_owner_by_amount
WHERE owner = ?5 AND state = ?1 AND (amount, place) < (?2, ?3)
ORDER BY amount DESC, place DESC LIMIT ?4;

-- name: document_of_owner_by_updated_up
-- The next documents of an owner and a state, rising by updated.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_of_owner_by_updated
WHERE owner = ?5 AND state = ?1 AND (updated_at, place) > (?2, ?3)
ORDER BY updated_at, place LIMIT ?4;

-- name: document_of_owner_by_updated_down
-- The next documents of an owner and a state, falling by updated.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_of_owner_by_updated
WHERE owner = ?5 AND state = ?1 AND (updated_at, place) < (?2, ?3)
ORDER BY updated_at DESC, place DESC LIMIT ?4;

-- name: document_by_next_up
-- The next documents of a state, rising by when something is next.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_next
WHERE state = ?1 AND (next_at, place) > (?2, ?3) ORDER BY next_at, place LIMIT ?4;

-- name: document_by_next_down
-- The next documents of a state, falling by when something is next.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_next
WHERE state = ?1 AND (next_at, place) < (?2, ?3) ORDER BY next_at DESC, place DESC LIMIT ?4;

-- name: document_of_owner_by_next_up
-- The next documents of an owner and a state, rising by when something is next.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_of_owner_by_next
WHERE owner = ?5 AND state = ?1 AND (next_at, place) > (?2, ?3)
ORDER BY next_at, place LIMIT ?4;

-- name: document_of_owner_by_next_down
-- The next documents of an owner and a state, falling by when something is next.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_of_owner_by_next
WHERE owner = ?5 AND state = ?1 AND (next_at, place) < (?2, ?3)
ORDER BY next_at DESC, place DESC LIMIT ?4;

-- name: document_numbered
-- Documents of a state whose number begins so. ?1 state, ?2 from, ?3 before, ?4 limit.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document INDEXED BY document_by_number
WHERE state = ?1 AND number >= ?2 AND number < ?3 ORDER BY number, place LIMIT ?4;

-- name: document_of_contact_page
-- Documents of a contact. ?1 contact, ?2 after this id, ?3 limit.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document WHERE contact_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3;

-- name: document_one
-- ?1 contact, ?2 id.
SELECT contact_id, id, place, state, owner, kind, currency, issued, due, amount, updated_at, number, client,
       next_at, reminders, reminded, held_out, answered, paid, followed
FROM document WHERE contact_id = ?1 AND id = ?2;

-- name: document_sum_all
-- How many documents there are and what they amount to. ?1 limit.
SELECT owner, state, kind, currency, n, units, parts FROM document_sum WHERE n <> 0 LIMIT ?1;

-- name: document_sum_of
-- The same of an owner. ?1 owner, ?2 limit.
SELECT owner, state, kind, currency, n, units, parts FROM document_sum WHERE owner = ?1 AND n <> 0 LIMIT ?2;

-- name: registry_behind
-- A row while there are contacts that are still to be brought over.
SELECT 1 FROM mark WHERE name = 'registry' AND n > 0;

-- name: quarter_all
-- What happened in quarters of an hour. ?1 the first, ?2 the last.
SELECT quarter, what, n FROM quarter_count WHERE quarter BETWEEN ?1 AND ?2;

-- name: profile_one
-- What lists know of a contact. ?1 contact.
SELECT owner, name, words FROM profile WHERE contact_id = ?1;

-- name: profile_by_name_up
-- Contacts that have a name, by name. ?1 ?2 behind this name and contact, ?3 limit.
SELECT contact_id, owner, name FROM profile INDEXED BY profile_by_name
WHERE (name, contact_id) > (?1, ?2) ORDER BY name, contact_id LIMIT ?3;

-- name: profile_by_name_down
-- ?1 ?2 before this name and contact, ?3 limit.
SELECT contact_id, owner, name FROM profile INDEXED BY profile_by_name
WHERE (name, contact_id) < (?1, ?2) ORDER BY name DESC, contact_id DESC LIMIT ?3;

-- name: profile_of_owner_by_name_up
-- ?1 ?2 behind this name and contact, ?3 limit, ?4 owner.
SELECT contact_id, owner, name FROM profile INDEXED BY profile_by_owner_name
WHERE owner = ?4 AND owner <> '' AND (name, contact_id) > (?1, ?2) ORDER BY name, contact_id LIMIT ?3;

-- name: profile_of_owner_by_name_down
-- ?1 ?2 before this name and contact, ?3 limit, ?4 owner.
SELECT contact_id, owner, name FROM profile INDEXED BY profile_by_owner_name
WHERE owner = ?4 AND owner <> '' AND (name, contact_id) < (?1, ?2)
ORDER BY name DESC, contact_id DESC LIMIT ?3;

-- name: profile_of_owner_up
-- Contacts of an owner, the oldest first. ?1 owner, ?2 after this contact, ?3 limit.
SELECT contact_id, owner, name FROM profile INDEXED BY profile_by_owner
WHERE owner = ?1 AND owner <> '' AND contact_id > ?2 ORDER BY contact_id LIMIT ?3;

-- name: profile_of_owner_down
-- The newest first. ?1 owner, ?2 before this contact, ?3 limit.
SELECT contact_id, owner, name FROM profile INDEXED BY profile_by_owner
WHERE owner = ?1 AND owner <> '' AND contact_id < ?2 ORDER BY contact_id DESC LIMIT ?3;

-- name: contact_up
-- Contacts, the oldest first. ?1 after this contact, ?2 limit.
SELECT contact_id FROM contact WHERE contact_id > ?1 ORDER BY contact_id LIMIT ?2;

-- name: contact_down
-- Contacts, the newest first. ?1 before this contact, ?2 limit.
SELECT contact_id FROM contact WHERE contact_id < ?1 ORDER BY contact_id DESC LIMIT ?2;

-- name: name_word_range
-- Contacts by a word of their names. ?1 ?2 behind this word and contact, ?3 before this word, ?4 limit.
SELECT word, contact_id FROM name_word
WHERE (word, contact_id) > (?1, ?2) AND word < ?3 ORDER BY word, contact_id LIMIT ?4;

-- name: member_up
-- Records of a segment, the oldest contact first. ?1 number, ?2 after this contact, ?3 limit.
SELECT contact_id, is_member FROM member WHERE segment = ?1 AND contact_id > ?2 ORDER BY contact_id LIMIT ?3;

-- name: member_down
-- The newest contact first. ?1 number, ?2 before this contact, ?3 limit.
SELECT contact_id, is_member FROM member WHERE segment = ?1 AND contact_id < ?2
ORDER BY contact_id DESC LIMIT ?3;

-- name: member_one
-- How a contact stands to a segment. ?1 contact, ?2 number.
SELECT is_member FROM member WHERE contact_id = ?1 AND segment = ?2;

-- name: event_seen
-- When a contact was last heard of, as far as the beginnings of its chains are written. ?1 contact.
SELECT max(last_at) FROM event_head WHERE contact_id = ?1;

-- name: task_one
-- ?1 contact, ?2 hash.
SELECT contact_id, hash, state_at, body, assignee, state, due_at, done_at, done_by FROM task
WHERE contact_id = ?1 AND hash = ?2;

-- name: task_list
-- Tasks of a contact. ?1 contact, ?2 after this hash, ?3 limit.
SELECT contact_id, hash, state_at, body, assignee, state, due_at, done_at, done_by FROM task
WHERE contact_id = ?1 AND hash > ?2 ORDER BY hash LIMIT ?3;

-- name: task_newest
-- Tasks, the newest first. ?1 ?2 ?3 before this moment, contact and hash, ?4 limit.
SELECT contact_id, hash, created_at, body, assignee, state, due_at, done_at, done_by FROM task
WHERE (created_at, contact_id, hash) < (?1, ?2, ?3)
ORDER BY created_at DESC, contact_id DESC, hash DESC LIMIT ?4;

-- name: task_by_state_up
-- ?1 state, ?2 ?3 ?4 behind this moment, contact and hash, ?5 limit.
SELECT contact_id, hash, state_at, body, assignee, state, due_at, done_at, done_by FROM task INDEXED BY task_by_state
WHERE state = ?1 AND (state_at, contact_id, hash) > (?2, ?3, ?4)
ORDER BY state_at, contact_id, hash LIMIT ?5;

-- name: task_by_state_down
-- ?1 state, ?2 ?3 ?4 behind this moment, contact and hash, ?5 limit.
SELECT contact_id, hash, state_at, body, assignee, state, due_at, done_at, done_by FROM task INDEXED BY task_by_state
WHERE state = ?1 AND (state_at, contact_id, hash) < (?2, ?3, ?4)
ORDER BY state_at DESC, contact_id DESC, hash DESC LIMIT ?5;

-- name: task_of_assignee_up
-- ?1 state, ?2 ?3 ?4 behind this moment, contact and hash, ?5 limit, ?6 assignee.
SELECT contact_id, hash, state_at, body, assignee, state, due_at, done_at, done_by FROM task INDEXED BY task_of_assignee
WHERE assignee = ?6 AND state = ?1 AND (state_at, contact_id, hash) > (?2, ?3, ?4)
ORDER BY state_at, contact_id, hash LIMIT ?5;

-- name: task_of_assignee_down
-- ?1 state, ?2 ?3 ?4 behind this moment, contact and hash, ?5 limit, ?6 assignee.
SELECT contact_id, hash, state_at, body, assignee, state, due_at, done_at, done_by FROM task INDEXED BY task_of_assignee
WHERE assignee = ?6 AND state = ?1 AND (state_at, contact_id, hash) < (?2, ?3, ?4)
ORDER BY state_at DESC, contact_id DESC, hash DESC LIMIT ?5;

-- name: feed_all
-- What happened to anybody, the last written first. ?1 before this place, ?2 limit.
SELECT feed_id, at, contact_id, what, is_line, ref FROM feed WHERE feed_id < ?1 ORDER BY feed_id DESC LIMIT ?2;

-- name: feed_of_owner
-- What happened to contacts of an owner. ?1 owner, ?2 before this place, ?3 limit.
SELECT feed_id, at, contact_id, what, is_line, ref FROM feed INDEXED BY feed_of_owner
WHERE owner = ?1 AND owner <> '' AND feed_id < ?2 ORDER BY feed_id DESC LIMIT ?3;

-- name: feed_since
-- When what happened to contacts of an owner. ?1 owner, ?2 since this moment, ?3 limit.
SELECT at, what FROM feed INDEXED BY feed_of_owner
WHERE owner = ?1 AND owner <> '' AND at >= ?2 ORDER BY feed_id DESC LIMIT ?3;

-- name: ledger_one
-- One line. ?1 contact, ?2 line.
SELECT ledger_id, previous_id, contact_id, at, what, reason, journey, run, step, touchpoint,
       channel, template, until_at, detail, variant
FROM ledger WHERE ledger_id = ?2 AND contact_id = ?1;

-- name: event_one
-- One event. ?1 contact, ?2 event.
SELECT body FROM event WHERE event_id = ?2 AND contact_id = ?1;

-- name: event_name_all
-- Names of events, by name. ?1 after this name, ?2 limit.
SELECT name, n FROM event_name WHERE name > ?1 ORDER BY name LIMIT ?2;

-- name: object_kind_next
-- The kind of objects that comes after another. ?1 kind.
SELECT min(kind) FROM object WHERE kind > ?1;
