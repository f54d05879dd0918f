-- One workspace. Moments are nanoseconds since 1970 in UTC; hashes are 64 bits kept as signed integers.
-- Bodies are JSON texts with a version of their own (relance_wire::stored).
-- Keys begin with the contact, so that what is read together lies together; what waits for a moment
-- begins with that moment. No index over a log is written while the log grows (decision 0003).

CREATE TABLE contact (
    contact_id INTEGER PRIMARY KEY,
    body       TEXT NOT NULL
) STRICT;

CREATE TABLE identity (
    kind       TEXT NOT NULL,
    value      TEXT NOT NULL,
    contact_id INTEGER NOT NULL REFERENCES contact (contact_id),
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

CREATE INDEX identity_by_contact ON identity (contact_id);

CREATE TABLE email_domain (
    domain     TEXT NOT NULL,
    contact_id INTEGER NOT NULL REFERENCES contact (contact_id),
    PRIMARY KEY (domain, contact_id)
) STRICT, WITHOUT ROWID;

-- The log, in order of arrival. previous_id is the event before it of the same contact and name.
CREATE TABLE event (
    event_id    INTEGER PRIMARY KEY,
    contact_id  INTEGER NOT NULL,
    previous_id INTEGER,
    body        TEXT NOT NULL
) STRICT;

-- Where the chain of a contact's events of one name begins, and the latest moment among them.
-- Written in sweeps: right for every event up to the mark 'event_head', the rest is read from the log.
CREATE TABLE event_head (
    contact_id INTEGER NOT NULL,
    name       TEXT NOT NULL,
    last_id    INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    PRIMARY KEY (contact_id, name)
) STRICT, WITHOUT ROWID;

-- How far something that follows a log has come.
CREATE TABLE mark (
    name TEXT PRIMARY KEY,
    n    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE enrollment (
    contact_id INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    is_live    INTEGER NOT NULL,
    journey    TEXT NOT NULL,
    version    INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (contact_id, number)
) STRICT, WITHOUT ROWID;

-- A contact's past runs cost its next event nothing.
CREATE INDEX enrollment_live ON enrollment (contact_id, number) WHERE is_live = 1;

CREATE TABLE entry (
    contact_id   INTEGER NOT NULL,
    journey      TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id   TEXT NOT NULL,
    last_at      INTEGER NOT NULL,
    PRIMARY KEY (contact_id, journey, subject_kind, subject_id)
) STRICT, WITHOUT ROWID;

-- state: see state.rs of relance-store; slot: 0 nowhere, 1 outbox, 2 timer, 3 in flight.
CREATE TABLE touchpoint (
    contact_id INTEGER NOT NULL,
    hash       INTEGER NOT NULL,
    slot       INTEGER NOT NULL,
    slot_at    INTEGER NOT NULL,
    state      INTEGER NOT NULL,
    state_at   INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (contact_id, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX touchpoint_open ON touchpoint (contact_id, hash) WHERE slot > 0;

-- Lists for pages. Queued and sending ones pass too quickly to be worth an index.
CREATE INDEX touchpoint_by_state ON touchpoint (state, state_at, contact_id, hash)
    WHERE state NOT IN (1, 4);

CREATE TABLE outbox (
    ready_at   INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    hash       INTEGER NOT NULL,
    PRIMARY KEY (ready_at, contact_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE in_flight (
    contact_id INTEGER NOT NULL,
    hash       INTEGER NOT NULL,
    PRIMARY KEY (contact_id, hash)
) STRICT, WITHOUT ROWID;

-- kind: 1 enrollment (its number), 2 touchpoint (its hash), 3 watch (its hash).
CREATE TABLE timer (
    due_at     INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    target     INTEGER NOT NULL,
    PRIMARY KEY (due_at, contact_id, kind, target)
) STRICT, WITHOUT ROWID;

CREATE TABLE watch (
    contact_id INTEGER NOT NULL,
    hash       INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (contact_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE object (
    contact_id INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    id         TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (contact_id, kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX object_by_time ON object (kind, updated_at, contact_id, id);

CREATE TABLE task (
    contact_id INTEGER NOT NULL,
    hash       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (contact_id, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX task_by_time ON task (created_at, contact_id, hash);

-- The why ledger, in order of writing, with two chains: of the contact, and of the run.
CREATE TABLE ledger (
    ledger_id       INTEGER PRIMARY KEY,
    contact_id      INTEGER NOT NULL,
    previous_id     INTEGER,
    previous_of_run INTEGER,
    at              INTEGER NOT NULL,
    what            TEXT NOT NULL,
    reason          TEXT,
    journey         TEXT,
    run             INTEGER,
    step            TEXT,
    touchpoint      INTEGER,
    channel         TEXT,
    template        TEXT,
    until_at        INTEGER,
    detail          TEXT
) STRICT;

-- run 0 is the contact as a whole: runs are counted from 1.
CREATE TABLE ledger_head (
    contact_id INTEGER NOT NULL,
    run        INTEGER NOT NULL,
    last_id    INTEGER NOT NULL,
    PRIMARY KEY (contact_id, run)
) STRICT, WITHOUT ROWID;

-- What pages show is counted when it happens. day: days since 1970-01-01 in UTC.
CREATE TABLE counter (
    journey TEXT NOT NULL,
    day     INTEGER NOT NULL,
    step    TEXT NOT NULL,
    what    TEXT NOT NULL,
    reason  TEXT NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (journey, day, step, what, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE total (
    name TEXT PRIMARY KEY,
    n    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE thread (
    message_id   TEXT NOT NULL,
    contact_id   INTEGER NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id   TEXT NOT NULL,
    PRIMARY KEY (message_id, contact_id, subject_kind, subject_id)
) STRICT, WITHOUT ROWID;

-- Keys of arrivals, eight bytes each, one row a batch; held in memory while the store is open.
CREATE TABLE seen (
    seen_id    INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    keys       BLOB NOT NULL
) STRICT;

CREATE TABLE journey (
    journey      TEXT NOT NULL,
    version      INTEGER NOT NULL,
    is_current   INTEGER NOT NULL,
    published_at INTEGER NOT NULL,
    text         TEXT NOT NULL,
    PRIMARY KEY (journey, version)
) STRICT, WITHOUT ROWID;

-- How many live runs stand on a version: a version without any need not be loaded.
CREATE TABLE live_run (
    journey TEXT NOT NULL,
    version INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (journey, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE mailbox (
    mailbox   TEXT PRIMARY KEY,
    synced_at INTEGER,
    cursors   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Texts that live in the workspace: templates, keys, settings.
CREATE TABLE asset (
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
