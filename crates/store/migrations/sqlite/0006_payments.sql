-- Money that came to the bank, and which documents it was put to.

-- state: see core's payment; booked: days since 1970; amount: in ten-thousandths, less than nothing where a bank took
-- it back; mark: by what the same payer is known again, or nothing; revision: from 1, each change adds one.
CREATE TABLE payment (
    id       TEXT PRIMARY KEY,
    state    INTEGER NOT NULL,
    booked   INTEGER NOT NULL,
    amount   INTEGER NOT NULL,
    mark     TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body     TEXT NOT NULL
) STRICT;

CREATE INDEX payment_by_day ON payment (booked, id);
CREATE INDEX payment_by_state ON payment (state, booked, id);
CREATE INDEX payment_by_amount ON payment (amount, booked, id);
CREATE INDEX payment_by_mark ON payment (mark, booked, id) WHERE mark <> '';

CREATE TABLE payment_share (
    payment_id  TEXT NOT NULL,
    contact_id  INTEGER NOT NULL,
    document_id TEXT NOT NULL,
    amount      INTEGER NOT NULL,
    PRIMARY KEY (payment_id, contact_id, document_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX payment_share_of_contact ON payment_share (contact_id, payment_id);

-- Invoices by their number as payers write it: without signs and zeroes before it, and of letters that Cyrillic and
-- Latin share the Latin one.
CREATE INDEX document_by_number_key ON document (
    ltrim(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(number, ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), '№', ''), '#', ''), '\', ''), 'а', 'a'), 'в', 'b'), 'е', 'e'), 'к', 'k'), 'м', 'm'), 'н', 'h'), 'о', 'o'), 'р', 'p'), 'с', 'c'), 'т', 't'), 'у', 'y'), 'х', 'x'), '0')
) WHERE kind = 'invoice';
