-- Contacts and segments at a million.

-- Segments by a small number that stands for them in other tables. Without a text it is a list that nobody
-- has defined. n: its members.
CREATE TABLE segment (
    number     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    updated_at INTEGER NOT NULL,
    n          INTEGER NOT NULL DEFAULT 0,
    text       TEXT
) STRICT;

-- How a contact stands to a segment: a row for each member, and for each whom time alone lets come in.
CREATE TABLE member (
    segment    INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    is_member  INTEGER NOT NULL,
    due_at     INTEGER,
    PRIMARY KEY (segment, contact_id)
) STRICT, WITHOUT ROWID;

INSERT INTO segment (id, updated_at)
SELECT DISTINCT one.value, 0 FROM contact, json_each(contact.body, '$.segments') AS one;

INSERT INTO member (segment, contact_id, is_member)
SELECT segment.number, contact.contact_id, 1
FROM contact, json_each(contact.body, '$.segments') AS one JOIN segment ON segment.id = one.value
ORDER BY segment.number, contact.contact_id;

UPDATE segment SET n = (SELECT count(*) FROM member WHERE member.segment = segment.number);

UPDATE contact SET body = json_remove(body, '$.segments') WHERE body ->> '$.segments' IS NOT NULL;

-- The log a second time, without properties: one row for each 65,536 events, by the last of them. names says
-- which names occur and where their events stand in columns (columns.rs). Written by the store as the log
-- grows; the log of an older file is caught up a little with each commit.
CREATE TABLE event_seal (
    last_id INTEGER PRIMARY KEY,
    names   BLOB NOT NULL,
    columns BLOB NOT NULL
) STRICT;

-- Merges of contacts, by the one that was absorbed. body: names of runs and messages, old and new; undo and
-- moved: what it takes to undo it, for a day.
CREATE TABLE merged (
    contact_id  INTEGER PRIMARY KEY,
    survivor_id INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    body        TEXT NOT NULL,
    undo        TEXT,
    moved       TEXT
) STRICT;

CREATE INDEX merged_undo ON merged (at) WHERE undo IS NOT NULL;

-- Contacts that may be one, for a person to look at; contact_id is the smaller.
CREATE TABLE doubt (
    contact_id INTEGER NOT NULL,
    other_id   INTEGER NOT NULL,
    why        TEXT NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (contact_id, other_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX doubt_by_other ON doubt (other_id);

-- Consent, suppression, erasure.

-- Every answer that a contact ever gave of a channel or topic (about: channel:email, topic:news), for proof.
CREATE TABLE consent_log (
    contact_id INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    about      TEXT NOT NULL,
    answer     TEXT NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (contact_id, at, about, answer)
) STRICT, WITHOUT ROWID;

-- Addresses that must not be written to, whoever has them. kind: email, domain, phone; value: the address, or
-- sha256: and 64 digits.
CREATE TABLE suppression (
    kind   TEXT NOT NULL,
    value  TEXT NOT NULL,
    reason TEXT NOT NULL,
    at     INTEGER NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

INSERT INTO suppression (kind, value, reason, at, source)
SELECT 'email', lower(trim(body ->> '$.traits.email')), body ->> '$.suppressed.email', 0, 'migration'
FROM contact
WHERE body ->> '$.suppressed.email' IN ('hard_bounce', 'complaint') AND body ->> '$.traits.email' LIKE '%_@_%'
ON CONFLICT (kind, value) DO NOTHING;

-- Whom an erasure removed: keyed hashes of their names, so that no import brings them back.
CREATE TABLE erased (
    hash TEXT PRIMARY KEY,
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX thread_by_contact ON thread (contact_id);

-- Accounts: companies that contacts share. name: their trait in lower case, for search; revision: how often it
-- changed; settled: the revision that every contact has heard of.
CREATE TABLE account (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    revision INTEGER NOT NULL,
    settled  INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    body     TEXT NOT NULL
) STRICT;

CREATE INDEX account_by_name ON account (name, id);

-- Who belongs to an account; no contact to two.
CREATE TABLE account_contact (
    account_id TEXT NOT NULL,
    contact_id INTEGER NOT NULL,
    PRIMARY KEY (account_id, contact_id)
) STRICT, WITHOUT ROWID;

-- Accounts of which contacts are being told: the last one that was, the last one of this pass, and up to whom
-- all must be told once more.
CREATE TABLE account_telling (
    account_id TEXT PRIMARY KEY,
    revision   INTEGER NOT NULL,
    after_id   INTEGER NOT NULL,
    until_id   INTEGER NOT NULL,
    again_id   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
