-- What bare SQLite does beside the program: the same rows, no rules; and what the benchmarks look up in its database.

-- name: pragmas
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -65536;
PRAGMA wal_autocheckpoint = 4000;

-- name: begin
BEGIN IMMEDIATE;

-- name: commit
COMMIT;

-- name: intake
CREATE TABLE event (event_id INTEGER PRIMARY KEY, contact_id INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE contact (contact_id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;

-- name: contact_put
INSERT INTO contact (contact_id, body) VALUES (?1, ?2)
ON CONFLICT (contact_id) DO UPDATE SET body = excluded.body;

-- name: event_add
INSERT INTO event (contact_id, body) VALUES (?1, ?2);

-- name: runs
CREATE TABLE timer (due_at INTEGER NOT NULL, contact_id INTEGER NOT NULL,
                    PRIMARY KEY (due_at, contact_id)) STRICT, WITHOUT ROWID;
CREATE TABLE enrollment (contact_id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE ledger (ledger_id INTEGER PRIMARY KEY, contact_id INTEGER NOT NULL, what TEXT NOT NULL) STRICT;

-- name: timer_add
INSERT INTO timer (due_at, contact_id) VALUES (?1, ?2);

-- name: batch
CREATE TABLE event (event_id INTEGER PRIMARY KEY, contact_id INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE contact (contact_id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE timer (due_at INTEGER NOT NULL, contact_id INTEGER NOT NULL,
                    PRIMARY KEY (due_at, contact_id)) STRICT, WITHOUT ROWID;
CREATE TABLE enrollment (contact_id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE entry (contact_id INTEGER NOT NULL, journey TEXT NOT NULL, at INTEGER NOT NULL,
                    PRIMARY KEY (contact_id, journey)) STRICT, WITHOUT ROWID;
CREATE TABLE ledger (ledger_id INTEGER PRIMARY KEY, contact_id INTEGER NOT NULL, what TEXT NOT NULL) STRICT;
CREATE TABLE outbox (ready_at INTEGER NOT NULL, contact_id INTEGER NOT NULL, body TEXT NOT NULL,
                     PRIMARY KEY (ready_at, contact_id)) STRICT, WITHOUT ROWID;

-- name: entry_put
INSERT INTO entry (contact_id, journey, at) VALUES (?1, ?2, ?3)
ON CONFLICT (contact_id, journey) DO UPDATE SET at = excluded.at;

-- name: outbox_add
INSERT INTO outbox (ready_at, contact_id, body) VALUES (?1, ?2, ?3);

-- name: run_put
INSERT INTO enrollment (contact_id, body) VALUES (?1, ?2)
ON CONFLICT (contact_id) DO UPDATE SET body = excluded.body;

-- name: timer_due
SELECT due_at, contact_id FROM timer WHERE due_at <= ?1 ORDER BY due_at, contact_id LIMIT ?2;

-- name: timer_drop
DELETE FROM timer WHERE due_at = ?1 AND contact_id = ?2;

-- name: line_add
INSERT INTO ledger (contact_id, what) VALUES (?1, ?2);

-- name: mailboxes_read
SELECT count(*) FROM mailbox WHERE synced_at > ?1;

-- name: line_last
SELECT coalesce(max(ledger_id), 0) FROM ledger;

-- name: lines_after
SELECT ledger_id, contact_id, what FROM ledger WHERE ledger_id > ?1 ORDER BY ledger_id;

-- name: runs_live
SELECT sum(n) FROM live_run WHERE journey = 'offer' AND ?1 = 0;

-- name: contact_of
SELECT contact_id FROM identity WHERE value = ?1
