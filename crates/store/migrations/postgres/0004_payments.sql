-- Money that came to the bank, and which documents it was put to. See the twin for files.
CREATE TABLE payment (
    id       text COLLATE "C" PRIMARY KEY,
    state    smallint NOT NULL,
    booked   bigint NOT NULL,
    amount   bigint NOT NULL,
    mark     text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    body     text NOT NULL
);

CREATE INDEX payment_by_day ON payment (booked, id);
CREATE INDEX payment_by_state ON payment (state, booked, id);
CREATE INDEX payment_by_amount ON payment (amount, booked, id);
CREATE INDEX payment_by_mark ON payment (mark, booked, id) WHERE mark <> '';

CREATE TABLE payment_share (
    payment_id  text COLLATE "C" NOT NULL,
    contact_id  bigint NOT NULL,
    document_id text COLLATE "C" NOT NULL,
    amount      bigint NOT NULL,
    PRIMARY KEY (payment_id, contact_id, document_id)
);

CREATE INDEX payment_share_of_contact ON payment_share (contact_id, payment_id);

CREATE INDEX document_by_number_key ON document ((
    ltrim(translate(number, 'авекмнорстух -/._№#\', 'abekmhopctyx'), '0')
)) WHERE kind = 'invoice';
