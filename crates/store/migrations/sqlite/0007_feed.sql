-- What happened as one list, what comes next about each document and what was done about it, names of events. Older
-- files: the registry is brought over once more (see 0005), a list of what happened begins now.

INSERT INTO mark (name, n) SELECT 'registry', max(contact_id) + 1 FROM contact HAVING count(*) > 0
ON CONFLICT (name) DO UPDATE SET n = excluded.n;

-- What happened, in order of writing, for some weeks. owner: whose the contact was then, or nothing; ref: the line of
-- the ledger (is_line) or the event.
CREATE TABLE feed (
    feed_id    INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    owner      TEXT NOT NULL,
    what       TEXT NOT NULL,
    is_line    INTEGER NOT NULL,
    ref        INTEGER NOT NULL
) STRICT;

CREATE INDEX feed_of_owner ON feed (owner, feed_id) WHERE owner <> '';

-- What runs and messages have to do with a document. what: 1 a run waits, until at; 2 a message waits, until at; 3 a
-- message left, on the day at; 4 a run of the control group. source: the run's number or the message's hash.
CREATE TABLE document_doing (
    contact_id INTEGER NOT NULL,
    id         TEXT NOT NULL,
    what       INTEGER NOT NULL,
    source     INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (contact_id, id, what, source)
) STRICT, WITHOUT ROWID;

-- next_at: when something is next (9223372036854775806: nothing is); reminders: messages about it that left before it was
-- paid, reminded: the day of the last (-9223372036854775808: none), held_out: a run kept silent; answered; paid: on which
-- day (2147483647: not, 2147483646: nobody knows when).
ALTER TABLE document ADD COLUMN next_at INTEGER NOT NULL DEFAULT 9223372036854775806;
ALTER TABLE document ADD COLUMN reminders INTEGER NOT NULL DEFAULT 0;
ALTER TABLE document ADD COLUMN reminded INTEGER NOT NULL DEFAULT (-9223372036854775808);
ALTER TABLE document ADD COLUMN held_out INTEGER NOT NULL DEFAULT 0;
ALTER TABLE document ADD COLUMN answered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE document ADD COLUMN paid INTEGER NOT NULL DEFAULT 2147483647;

CREATE INDEX document_by_next ON document (state, next_at, place);
CREATE INDEX document_of_owner_by_next ON document (owner, state, next_at, place);

CREATE TRIGGER document_gone AFTER DELETE ON document
BEGIN
    DELETE FROM document_doing WHERE contact_id = old.contact_id AND id = old.id;
END;

-- Names that events had, with how often since they are counted; a thousand of them.
CREATE TABLE event_name (
    name TEXT PRIMARY KEY,
    n    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO event_name (name, n)
SELECT DISTINCT name, 0 FROM (SELECT name FROM event_head LIMIT 500000) LIMIT 1000;
