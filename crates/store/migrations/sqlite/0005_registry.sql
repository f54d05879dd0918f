-- Lists at a million rows: what pages sort, filter and search by, in columns of their own. Rows of an older file
-- are brought over by the store, some with each commit, from the last contact down (mark 'registry': before which contact it goes on).

INSERT INTO mark (name, n) SELECT 'registry', max(contact_id) + 1 FROM contact HAVING count(*) > 0;

-- What lists of contacts go by. Of whom nothing is known there is no row. owner: address in lower case, or
-- nothing; name: in lower case; words: those by whose beginning the contact is found, parted by spaces.
CREATE TABLE profile (
    contact_id INTEGER PRIMARY KEY,
    owner      TEXT NOT NULL,
    name       TEXT NOT NULL,
    words      TEXT NOT NULL
) STRICT;

CREATE INDEX profile_by_name ON profile (name, contact_id);

CREATE INDEX profile_by_owner ON profile (owner, contact_id) WHERE owner <> '';

CREATE INDEX profile_by_owner_name ON profile (owner, name, contact_id) WHERE owner <> '';

CREATE TABLE name_word (
    word       TEXT NOT NULL,
    contact_id INTEGER NOT NULL,
    PRIMARY KEY (word, contact_id)
) STRICT, WITHOUT ROWID;

-- Documents as lists go by them. state: see registry.rs; own: the owner that the document itself names, mailbox:
-- from where it was sent; owner: what follows from these and the contact's. issued, due: days since 1970 (due
-- 2147483647: none); amount: in ten-thousandths (-9223372036854775808: none); client: the contact's name.
-- place tells rows apart that are sorted alike.
CREATE TABLE document (
    place      INTEGER PRIMARY KEY,
    contact_id INTEGER NOT NULL,
    id         TEXT NOT NULL,
    state      INTEGER NOT NULL,
    owner      TEXT NOT NULL,
    own        TEXT NOT NULL,
    mailbox    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    currency   TEXT NOT NULL,
    issued     INTEGER NOT NULL,
    due        INTEGER NOT NULL,
    amount     INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    number     TEXT NOT NULL,
    client     TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX document_of_contact ON document (contact_id, id);

-- A list of several states, or of several owners, is merged from as many walks.
CREATE INDEX document_by_issued ON document (state, issued, place);
CREATE INDEX document_by_due ON document (state, due, place);
CREATE INDEX document_by_amount ON document (state, amount, place);
CREATE INDEX document_by_updated ON document (state, updated_at, place);
CREATE INDEX document_by_number ON document (state, number, place);
CREATE INDEX document_by_client ON document (state, client, place);
CREATE INDEX document_by_owner ON document (state, owner, place);
CREATE INDEX document_of_owner_by_issued ON document (owner, state, issued, place);
CREATE INDEX document_of_owner_by_due ON document (owner, state, due, place);
CREATE INDEX document_of_owner_by_amount ON document (owner, state, amount, place);
CREATE INDEX document_of_owner_by_updated ON document (owner, state, updated_at, place);

-- What pages show is counted when it happens. units and parts: the sum of amounts, and ten-thousandths beside.
CREATE TABLE document_sum (
    owner    TEXT NOT NULL,
    state    INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    currency TEXT NOT NULL,
    n        INTEGER NOT NULL,
    units    INTEGER NOT NULL,
    parts    INTEGER NOT NULL,
    PRIMARY KEY (owner, state, kind, currency)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER document_came AFTER INSERT ON document
BEGIN
    INSERT INTO document_sum (owner, state, kind, currency, n, units, parts)
    VALUES (new.owner, new.state, new.kind, new.currency, 1,
            CASE WHEN new.amount = -9223372036854775808 THEN 0 ELSE new.amount / 10000 END,
            CASE WHEN new.amount = -9223372036854775808 THEN 0 ELSE new.amount % 10000 END)
    ON CONFLICT (owner, state, kind, currency) DO UPDATE
    SET n = n + 1, units = units + excluded.units, parts = parts + excluded.parts;
END;

CREATE TRIGGER document_went AFTER DELETE ON document
BEGIN
    UPDATE document_sum
    SET n = n - 1,
        units = units - CASE WHEN old.amount = -9223372036854775808 THEN 0 ELSE old.amount / 10000 END,
        parts = parts - CASE WHEN old.amount = -9223372036854775808 THEN 0 ELSE old.amount % 10000 END
    WHERE owner = old.owner AND state = old.state AND kind = old.kind AND currency = old.currency;
END;

CREATE TRIGGER document_changed AFTER UPDATE OF owner, state, kind, currency, amount ON document
WHEN old.owner <> new.owner OR old.state <> new.state OR old.kind <> new.kind
     OR old.currency <> new.currency OR old.amount <> new.amount
BEGIN
    UPDATE document_sum
    SET n = n - 1,
        units = units - CASE WHEN old.amount = -9223372036854775808 THEN 0 ELSE old.amount / 10000 END,
        parts = parts - CASE WHEN old.amount = -9223372036854775808 THEN 0 ELSE old.amount % 10000 END
    WHERE owner = old.owner AND state = old.state AND kind = old.kind AND currency = old.currency;
    INSERT INTO document_sum (owner, state, kind, currency, n, units, parts)
    VALUES (new.owner, new.state, new.kind, new.currency, 1,
            CASE WHEN new.amount = -9223372036854775808 THEN 0 ELSE new.amount / 10000 END,
            CASE WHEN new.amount = -9223372036854775808 THEN 0 ELSE new.amount % 10000 END)
    ON CONFLICT (owner, state, kind, currency) DO UPDATE
    SET n = n + 1, units = units + excluded.units, parts = parts + excluded.parts;
END;

-- A document goes with its object, whoever removes that: an erasure, a merge.
CREATE TRIGGER object_went AFTER DELETE ON object WHEN old.kind = 'document'
BEGIN
    DELETE FROM document WHERE contact_id = old.contact_id AND id = old.id;
END;

-- Tasks that are done, and until when those are due that are not. state: 1 open, 2 done; state_at: when it is due
-- (9223372036854775807: some time), or when it was done; assignee: whose it is, also where that is the owner.
ALTER TABLE task ADD COLUMN assignee TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN state INTEGER NOT NULL DEFAULT 1;
ALTER TABLE task ADD COLUMN state_at INTEGER NOT NULL DEFAULT 9223372036854775807;
ALTER TABLE task ADD COLUMN due_at INTEGER;
ALTER TABLE task ADD COLUMN done_at INTEGER;
ALTER TABLE task ADD COLUMN done_by TEXT;

CREATE INDEX task_by_state ON task (state, state_at, contact_id, hash);
CREATE INDEX task_of_assignee ON task (assignee, state, state_at, contact_id, hash);

-- What happened in each quarter of an hour since 1970 in UTC, of which every zone's day is made. Kept for some weeks.
CREATE TABLE quarter_count (
    quarter INTEGER NOT NULL,
    what    TEXT NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (quarter, what)
) STRICT, WITHOUT ROWID;
