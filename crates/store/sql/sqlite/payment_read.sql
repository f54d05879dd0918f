-- Payments as pages and the matching read them.

-- name: payment_newest
-- Payments, the last booked first, before a day and id.
-- ?1 day, ?2 id, ?3 limit.
SELECT id, body FROM payment
WHERE (booked, id) < (?1, ?2)
ORDER BY booked DESC, id DESC LIMIT ?3;

-- name: payment_of_state
-- The same of one state.
-- ?1 state, ?2 day, ?3 id, ?4 limit.
SELECT id, body FROM payment
WHERE state = ?1 AND (booked, id) < (?2, ?3)
ORDER BY booked DESC, id DESC LIMIT ?4;

-- name: payment_one
-- One payment.
-- ?1 id.
SELECT id, body FROM payment WHERE id = ?1;

-- name: payment_known
-- Which of some payments are known, at which revision; of those that nothing is done about, what they say.
-- ?1 their ids, as a JSON list.
SELECT id, revision, CASE WHEN state = 6 THEN body END FROM payment WHERE id IN (SELECT value FROM json_each(?1));

-- name: payment_count
-- How many are in a state, up to a limit.
-- ?1 state, ?2 limit.
SELECT count(*) FROM (SELECT 1 FROM payment WHERE state = ?1 LIMIT ?2) AS few;

-- name: payment_of_amount
-- Payments of a sum, the last booked first, not after a day: what a return may take back.
-- ?1 amount, ?2 day, ?3 limit.
SELECT id, body FROM payment WHERE amount = ?1 AND booked <= ?2
ORDER BY booked DESC, id DESC LIMIT ?3;

-- name: payment_by_mark
-- The last payments of a payer.
-- ?1 mark, ?2 limit.
SELECT id, body FROM payment WHERE mark = ?1 AND mark <> ''
ORDER BY booked DESC, id DESC LIMIT ?2;

-- name: invoice_of_number
-- Invoices of these numbers, written without signs and zeroes before them, whatever their state.
-- ?1 numbers, as a JSON list, ?2 limit.
SELECT contact_id, id FROM document
WHERE kind = 'invoice' AND ltrim(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(number, ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), '№', ''), '#', ''), '\', ''), 'а', 'a'), 'в', 'b'), 'е', 'e'), 'к', 'k'), 'м', 'm'), 'н', 'h'), 'о', 'o'), 'р', 'p'), 'с', 'c'), 'т', 't'), 'у', 'y'), 'х', 'x'), '0') IN (SELECT value FROM json_each(?1))
ORDER BY issued DESC LIMIT ?2;

-- name: invoice_of_amount
-- Invoices in a state of an amount.
-- ?1 state, ?2 amount, ?3 limit.
SELECT contact_id, id FROM document
WHERE state = ?1 AND amount = ?2 AND kind = 'invoice'
ORDER BY place DESC LIMIT ?3;

-- name: contact_of_word
-- Contacts with a word in their names.
-- ?1 word, ?2 limit.
SELECT contact_id FROM name_word WHERE word = ?1 ORDER BY contact_id LIMIT ?2;

-- name: payment_book_get
-- How often payments were changed.
SELECT revision FROM payment_book WHERE one = 1;

-- name: payment_share_sums
-- How much payments were put to documents.
-- ?1 ids of documents, as a JSON list.
SELECT document_id, sum(amount) FROM payment_share WHERE document_id IN (SELECT value FROM json_each(?1)) GROUP BY document_id;

-- name: payment_of_statement
-- Payments of a statement, the last booked first, before a day and id.
-- ?1 statement, ?2 day, ?3 id, ?4 limit.
SELECT id, body FROM payment
WHERE statement = ?1 AND statement <> '' AND (booked, id) < (?2, ?3)
ORDER BY booked DESC, id DESC LIMIT ?4;

-- name: statement_newest
-- Statements, the last taken in first, before a moment and id.
-- ?1 moment, ?2 id, ?3 limit.
SELECT id, at, body FROM statement
WHERE (at, id) < (?1, ?2)
ORDER BY at DESC, id DESC LIMIT ?3;

-- name: statement_of_ids
-- Some statements.
-- ?1 their ids, as a JSON list.
SELECT id, at, body FROM statement WHERE id IN (SELECT value FROM json_each(?1));
