-- Statements that were taken in, and what keeps two imports of the same moment from using one invoice twice. See the
-- twin for files.
CREATE TABLE statement (
    id   text COLLATE "C" PRIMARY KEY,
    at   bigint NOT NULL,
    body text NOT NULL
);

CREATE INDEX statement_by_at ON statement (at, id);

ALTER TABLE payment ADD COLUMN statement text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX payment_of_statement ON payment (statement, booked, id) WHERE statement <> '';

CREATE INDEX payment_share_of_document ON payment_share (document_id);

CREATE TABLE payment_book (
    one      smallint PRIMARY KEY CHECK (one = 1),
    revision bigint NOT NULL
);

ALTER TABLE document ADD COLUMN followed bigint NOT NULL DEFAULT 0;
