-- Payments as the writer keeps them.

-- name: payment_put
-- Puts a payment, unless what is known of it is as new.
-- $1 id, $2 state, $3 booked, $4 amount, $5 mark, $6 revision, $7 body, $8 statement.
INSERT INTO payment (id, state, booked, amount, mark, revision, body, statement)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE
SET state = excluded.state, booked = excluded.booked, amount = excluded.amount, mark = excluded.mark,
    revision = excluded.revision, body = excluded.body, statement = excluded.statement
WHERE payment.revision < excluded.revision;

-- name: payment_share_drop
-- Takes away what a payment was put to.
-- $1 payment.
DELETE FROM payment_share WHERE payment_id = $1;

-- name: payment_share_put
-- A payment is put to documents.
-- $1 payment, $2 contacts, $3 documents, $4 amounts.
INSERT INTO payment_share (payment_id, contact_id, document_id, amount)
SELECT $1, contact_id, document_id, sum(amount)::bigint
FROM unnest($2::bigint[], $3::text[], $4::bigint[]) AS came (contact_id, document_id, amount)
GROUP BY contact_id, document_id;

-- name: forget_payments
-- Payments that were put to documents of a contact.
-- $1 contact, $2 limit.
SELECT DISTINCT p.id, p.body FROM payment_share s JOIN payment p ON p.id = s.payment_id
WHERE s.contact_id = $1 ORDER BY p.id LIMIT $2;

-- name: forget_payment
-- Overwrites what a payment says; the payer is known by nothing any more.
-- $1 id, $2 body.
UPDATE payment SET mark = '', body = $2 WHERE id = $1;

-- name: forget_payment_share
-- Takes away that a payment was put to documents of a contact.
-- $1 payment, $2 contact.
DELETE FROM payment_share WHERE payment_id = $1 AND contact_id = $2;

-- name: payment_book_turn
-- Payments are changed by whoever looked at them at this number, and nobody did since.
-- $1 the number.
INSERT INTO payment_book (one, revision) VALUES (1, $1::bigint + 1)
ON CONFLICT (one) DO UPDATE SET revision = excluded.revision WHERE payment_book.revision = $1;

-- name: statement_put
-- Puts a statement, or what is known of it now.
-- $1 id, $2 at, $3 body.
INSERT INTO statement (id, at, body) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET at = excluded.at, body = excluded.body;
