-- Journeys whole: how runs come to a version, journeys that stand still, where runs stand, ways of splits;
-- and where each day of the log begins.

-- How runs on older versions come to this one (relance_wire::stored); null is `pin`: they do not.
ALTER TABLE journey ADD COLUMN moves TEXT;

CREATE TABLE journey_paused (
    journey TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- The way of a split that a run went.
ALTER TABLE ledger ADD COLUMN variant TEXT;

-- Where a run stands; null when it has no steps to come.
ALTER TABLE enrollment ADD COLUMN step TEXT;

UPDATE enrollment
SET step = coalesce(body ->> '$.state.waiting.step', body ->> '$.state.listening.step',
                    body ->> '$.state.sending.step')
WHERE is_live = 1;

-- For sweeps over the contacts that run a journey. Written when a run begins and ends, not at its steps.
CREATE INDEX enrollment_of_journey ON enrollment (journey, contact_id, number) WHERE is_live = 1;

-- How many live runs stand at a step of a version.
CREATE TABLE standing (
    journey TEXT NOT NULL,
    version INTEGER NOT NULL,
    step    TEXT NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (journey, version, step)
) STRICT, WITHOUT ROWID;

INSERT INTO standing (journey, version, step, n)
SELECT journey, version, step, count(*) FROM enrollment
WHERE is_live = 1 AND step IS NOT NULL
GROUP BY journey, version, step;

-- The first event in the log that happened on a UTC day, counted from 1970-01-01: history from a moment on
-- is read from the first event of that day or a later one.
CREATE TABLE event_day (
    day      INTEGER PRIMARY KEY,
    event_id INTEGER NOT NULL
) STRICT;

INSERT INTO event_day (day, event_id)
SELECT day, min(event_id)
FROM (SELECT event_id, CAST(strftime('%s', substr(body ->> '$.at', 1, 10)) AS INTEGER) / 86400 AS day
      FROM event)
WHERE day >= 0
GROUP BY day;

-- Whose an object is: what is told of it to one contact may end runs of another.
CREATE INDEX object_by_subject ON object (kind, id, contact_id);
