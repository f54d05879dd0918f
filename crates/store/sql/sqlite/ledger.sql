-- name: ledger_head_get
-- The newest line of a contact (run 0) or of a run. ?1 contact, ?2 run.
SELECT last_id FROM ledger_head WHERE contact_id = ?1 AND run = ?2;

-- name: ledger_head_put
-- Moves the beginning of a chain. ?1 contact, ?2 run, ?3 line.
INSERT INTO ledger_head (contact_id, run, last_id) VALUES (?1, ?2, ?3)
ON CONFLICT (contact_id, run) DO UPDATE SET last_id = excluded.last_id;

-- name: ledger_append
-- Adds a line. ?1 contact, ?2 the line before it, ?3 that of the run, ?4 at, ?5 what, ?6 reason,
-- ?7 journey, ?8 run, ?9 step, ?10 touchpoint, ?11 channel, ?12 template, ?13 until_at, ?14 detail,
-- ?15 variant.
INSERT INTO ledger (contact_id, previous_id, previous_of_run, at, what, reason, journey, run, step,
                    touchpoint, channel, template, until_at, detail, variant)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15);

-- name: counter_add
-- Counts what happened. ?1 journey, ?2 day, ?3 step, ?4 what, ?5 reason, ?6 how often.
INSERT INTO counter (journey, day, step, what, reason, n) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (journey, day, step, what, reason) DO UPDATE SET n = n + excluded.n;

-- name: total_add
-- Changes a total. ?1 name, ?2 by how much.
INSERT INTO total (name, n) VALUES (?1, ?2)
ON CONFLICT (name) DO UPDATE SET n = n + excluded.n;

-- name: live_run_add
-- Changes how many live runs stand on a version. ?1 journey, ?2 version, ?3 by how much.
INSERT INTO live_run (journey, version, n) VALUES (?1, ?2, ?3)
ON CONFLICT (journey, version) DO UPDATE SET n = n + excluded.n;

-- name: standing_add
-- Changes how many live runs stand at a step. ?1 journey, ?2 version, ?3 step, ?4 by how much.
INSERT INTO standing (journey, version, step, n) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (journey, version, step) DO UPDATE SET n = n + excluded.n;
