-- Statements that were taken in, and what keeps two imports of the same moment from using one invoice twice.

-- at: nanoseconds since 1970.
CREATE TABLE statement (
    id   TEXT PRIMARY KEY,
    at   INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX statement_by_at ON statement (at, id);

-- With which statement a payment came; nothing of those from before there were statements.
ALTER TABLE payment ADD COLUMN statement TEXT NOT NULL DEFAULT '';
CREATE INDEX payment_of_statement ON payment (statement, booked, id) WHERE statement <> '';

CREATE INDEX payment_share_of_document ON payment_share (document_id);

-- One row: how often payments were changed. Whoever changes some says at which number it looked; when another one did
-- since, it looks anew.
CREATE TABLE payment_book (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL
) STRICT;

-- followed: a hash of the journey that a run about the document is of, in the control group or not (0: none).
ALTER TABLE document ADD COLUMN followed INTEGER NOT NULL DEFAULT 0;
