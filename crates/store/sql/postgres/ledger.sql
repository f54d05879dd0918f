-- name: ledger_block
-- Takes blocks of ids for lines. $1 how many.
SELECT nextval('ledger_block') FROM generate_series(1, $1::bigint);

-- name: ledger_append
-- Adds lines. $1 ids, $2 contacts, $3 at, $4 what, $5 reasons, $6 journeys, $7 runs, $8 steps, $9 touchpoints,
-- $10 channels, $11 templates, $12 until_at, $13 details, $14 variants.
INSERT INTO ledger (part, ledger_id, contact_id, at, what, reason, journey, run, step, touchpoint,
                    channel, template, until_at, detail, variant)
SELECT (k.contact_id % 256)::smallint, k.*
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::integer[],
            $8::text[], $9::bigint[], $10::text[], $11::text[], $12::bigint[], $13::text[], $14::text[])
     AS k (ledger_id, contact_id, at, what, reason, journey, run, step, touchpoint,
           channel, template, until_at, detail, variant);

-- name: counter_add
-- Counts what happened. $1 shard, $2 journeys, $3 days, $4 steps, $5 what, $6 reasons, $7 how often.
INSERT INTO counter (shard, journey, day, step, what, reason, n)
SELECT $1, k.*
FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[])
     AS k (journey, day, step, what, reason, n)
ON CONFLICT (journey, day, step, what, reason, shard) DO UPDATE SET n = counter.n + excluded.n;

-- name: total_add
-- Changes totals. $1 shard, $2 names, $3 by how much.
INSERT INTO total (shard, name, n)
SELECT $1, k.* FROM unnest($2::text[], $3::bigint[]) AS k (name, n)
ON CONFLICT (name, shard) DO UPDATE SET n = total.n + excluded.n;

-- name: live_run_add
-- Changes how many live runs stand on versions. $1 shard, $2 journeys, $3 versions, $4 by how much.
INSERT INTO live_run (shard, journey, version, n)
SELECT $1, k.* FROM unnest($2::text[], $3::integer[], $4::bigint[]) AS k (journey, version, n)
ON CONFLICT (journey, version, shard) DO UPDATE SET n = live_run.n + excluded.n;

-- name: standing_add
-- Changes how many live runs stand at steps. $1 shard, $2 journeys, $3 versions, $4 steps, $5 by how much.
INSERT INTO standing (shard, journey, version, step, n)
SELECT $1, k.*
FROM unnest($2::text[], $3::integer[], $4::text[], $5::bigint[]) AS k (journey, version, step, n)
ON CONFLICT (journey, version, step, shard) DO UPDATE SET n = standing.n + excluded.n;

-- name: segment_count
-- Members came in or left. $1 shard, $2 numbers, $3 how many.
INSERT INTO segment_count (shard, segment, n)
SELECT $1, k.* FROM unnest($2::integer[], $3::bigint[]) AS k (segment, n)
ON CONFLICT (segment, shard) DO UPDATE SET n = segment_count.n + excluded.n;
