-- One workspace, which is one schema. Moments are nanoseconds since 1970 in UTC; hashes are 64 bits kept as
-- signed integers. Bodies are JSON texts with a version of their own (relance_wire::stored).
--
-- Every table about one contact begins its key with the contact's partition (part = contact_id % 256), by
-- which nodes share the work and a database may be distributed. Directories (identity, email_domain, thread,
-- seen) are keyed by what is asked.
--
-- For whoever reads: counts (counter, total, live_run, standing, segment_count) have a row for each shard,
-- which is a node's own, so that nodes do not wait for each other. What is counted is the sum over shards;
-- a single shard's number may be below zero. The outbox and what is in flight are no tables but partial
-- indexes of touchpoint (slot = 1, slot = 3). event_head is always right: there is no mark. The ledger has
-- no chains but an index by contact. Texts compare by bytes (COLLATE "C"), as in SQLite.

CREATE SEQUENCE contact_block MINVALUE 0 START 0;
CREATE SEQUENCE event_block MINVALUE 0 START 0;
CREATE SEQUENCE ledger_block MINVALUE 0 START 0;
CREATE SEQUENCE node_epoch;

CREATE TABLE contact (
    part       smallint NOT NULL,
    contact_id bigint NOT NULL,
    body       text NOT NULL,
    PRIMARY KEY (part, contact_id)
) WITH (fillfactor = 85);

-- Ids are given in order: new entries go to its end.
CREATE INDEX contact_in_order ON contact (contact_id);

CREATE TABLE identity (
    kind       text COLLATE "C" NOT NULL,
    value      text COLLATE "C" NOT NULL,
    contact_id bigint NOT NULL,
    PRIMARY KEY (kind, value)
);

CREATE INDEX identity_by_contact ON identity (contact_id);

CREATE TABLE email_domain (
    domain     text COLLATE "C" NOT NULL,
    contact_id bigint NOT NULL,
    PRIMARY KEY (domain, contact_id)
);

-- The log. previous_id is the event before it of the same contact and name. A node gives ids in order of
-- arrival; of one contact they are in order of arrival on all nodes together.
CREATE TABLE event (
    part        smallint NOT NULL,
    event_id    bigint NOT NULL,
    contact_id  bigint NOT NULL,
    previous_id bigint,
    body        text NOT NULL,
    PRIMARY KEY (part, event_id)
);

-- Where the chain of a contact's events of one name begins, and the latest activity among them.
CREATE TABLE event_head (
    part       smallint NOT NULL,
    contact_id bigint NOT NULL,
    name       text COLLATE "C" NOT NULL,
    last_id    bigint NOT NULL,
    last_at    bigint NOT NULL,
    PRIMARY KEY (part, contact_id, name)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- The first event in the log that happened on a UTC day, counted from 1970-01-01.
CREATE TABLE event_day (
    day      bigint PRIMARY KEY,
    event_id bigint NOT NULL
);

CREATE TABLE enrollment (
    part       smallint NOT NULL,
    contact_id bigint NOT NULL,
    number     integer NOT NULL,
    is_live    boolean NOT NULL,
    journey    text COLLATE "C" NOT NULL,
    version    integer NOT NULL,
    step       text COLLATE "C",
    body       text NOT NULL,
    PRIMARY KEY (part, contact_id, number)
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05);

-- A contact's past runs cost its next event nothing.
CREATE INDEX enrollment_live ON enrollment (part, contact_id, number) WHERE is_live;

-- For sweeps over the contacts that run a journey. Written when a run begins and ends, not at its steps.
CREATE INDEX enrollment_of_journey ON enrollment (journey, contact_id) WHERE is_live;

CREATE TABLE entry (
    part         smallint NOT NULL,
    contact_id   bigint NOT NULL,
    journey      text COLLATE "C" NOT NULL,
    subject_kind text COLLATE "C" NOT NULL,
    subject_id   text COLLATE "C" NOT NULL,
    last_at      bigint NOT NULL,
    PRIMARY KEY (part, contact_id, journey, subject_kind, subject_id)
) WITH (fillfactor = 85);

-- state: see state.rs of relance-store; slot: 0 nowhere, 1 outbox, 2 timer, 3 in flight; sender: the node that
-- has it in flight, as name:epoch.
CREATE TABLE touchpoint (
    part       smallint NOT NULL,
    contact_id bigint NOT NULL,
    hash       bigint NOT NULL,
    slot       smallint NOT NULL,
    slot_at    bigint NOT NULL,
    state      smallint NOT NULL,
    state_at   bigint NOT NULL,
    body       text NOT NULL,
    sender     text COLLATE "C",
    PRIMARY KEY (part, contact_id, hash)
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX touchpoint_open ON touchpoint (part, contact_id, hash) WHERE slot > 0;

CREATE INDEX touchpoint_outbox ON touchpoint (part, slot_at, contact_id, hash) WHERE slot = 1;

CREATE INDEX touchpoint_in_flight ON touchpoint (part, contact_id, hash) WHERE slot = 3;

-- Lists for pages. Queued and sending ones pass too quickly to be worth an index.
CREATE INDEX touchpoint_by_state ON touchpoint (state, state_at, contact_id, hash)
    WHERE state NOT IN (1, 4);

-- kind: 1 enrollment (its number), 2 touchpoint (its hash), 3 watch (its hash), 4 segment (its hash).
CREATE TABLE timer (
    part       smallint NOT NULL,
    due_at     bigint NOT NULL,
    contact_id bigint NOT NULL,
    kind       smallint NOT NULL,
    target     bigint NOT NULL,
    PRIMARY KEY (part, due_at, contact_id, kind, target)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE watch (
    part       smallint NOT NULL,
    contact_id bigint NOT NULL,
    hash       bigint NOT NULL,
    body       text NOT NULL,
    PRIMARY KEY (part, contact_id, hash)
);

CREATE TABLE object (
    part       smallint NOT NULL,
    contact_id bigint NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    updated_at bigint NOT NULL,
    body       text NOT NULL,
    PRIMARY KEY (part, contact_id, kind, id)
) WITH (fillfactor = 85);

CREATE INDEX object_by_time ON object (kind, updated_at, contact_id, id);

-- Whose an object is: what is told of it to one contact may end runs of another.
CREATE INDEX object_by_subject ON object (kind, id, contact_id);

CREATE TABLE task (
    part       smallint NOT NULL,
    contact_id bigint NOT NULL,
    hash       bigint NOT NULL,
    created_at bigint NOT NULL,
    body       text NOT NULL,
    PRIMARY KEY (part, contact_id, hash)
);

CREATE INDEX task_by_time ON task (created_at, contact_id, hash);

-- The why ledger.
CREATE TABLE ledger (
    part       smallint NOT NULL,
    contact_id bigint NOT NULL,
    ledger_id  bigint NOT NULL,
    at         bigint NOT NULL,
    what       text COLLATE "C" NOT NULL,
    reason     text COLLATE "C",
    journey    text COLLATE "C",
    run        integer,
    step       text COLLATE "C",
    touchpoint bigint,
    channel    text COLLATE "C",
    template   text COLLATE "C",
    until_at   bigint,
    detail     text,
    variant    text COLLATE "C",
    PRIMARY KEY (part, contact_id, ledger_id)
);

CREATE INDEX ledger_in_order ON ledger (ledger_id);

-- What pages show is counted when it happens. day: days since 1970-01-01 in UTC.
CREATE TABLE counter (
    journey text COLLATE "C" NOT NULL,
    day     bigint NOT NULL,
    step    text COLLATE "C" NOT NULL,
    what    text COLLATE "C" NOT NULL,
    reason  text COLLATE "C" NOT NULL,
    shard   smallint NOT NULL,
    n       bigint NOT NULL,
    PRIMARY KEY (journey, day, step, what, reason, shard)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1);

CREATE TABLE total (
    name  text COLLATE "C" NOT NULL,
    shard smallint NOT NULL,
    n     bigint NOT NULL,
    PRIMARY KEY (name, shard)
) WITH (fillfactor = 20);

-- How many live runs stand on a version: a version without any need not be loaded.
CREATE TABLE live_run (
    journey text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    shard   smallint NOT NULL,
    n       bigint NOT NULL,
    PRIMARY KEY (journey, version, shard)
) WITH (fillfactor = 30);

-- How many live runs stand at a step of a version.
CREATE TABLE standing (
    journey text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    step    text COLLATE "C" NOT NULL,
    shard   smallint NOT NULL,
    n       bigint NOT NULL,
    PRIMARY KEY (journey, version, step, shard)
) WITH (fillfactor = 30);

CREATE TABLE thread (
    message_id   text COLLATE "C" NOT NULL,
    contact_id   bigint NOT NULL,
    subject_kind text COLLATE "C" NOT NULL,
    subject_id   text COLLATE "C" NOT NULL,
    PRIMARY KEY (message_id, contact_id, subject_kind, subject_id)
);

-- Keys of arrivals. A generation lives in slot generation % 3: one is written, the one before it is read, the
-- third is emptied when the next begins.
CREATE TABLE seen (
    slot smallint NOT NULL,
    key  bigint NOT NULL,
    PRIMARY KEY (key, slot)
) PARTITION BY LIST (slot);

CREATE TABLE seen_0 PARTITION OF seen FOR VALUES IN (0) WITH (autovacuum_enabled = false);
CREATE TABLE seen_1 PARTITION OF seen FOR VALUES IN (1) WITH (autovacuum_enabled = false);
CREATE TABLE seen_2 PARTITION OF seen FOR VALUES IN (2) WITH (autovacuum_enabled = false);

-- One row. since: when the generation began, null until it has a key.
CREATE TABLE seen_generation (
    is_only    boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    generation bigint NOT NULL,
    since      bigint
);

INSERT INTO seen_generation (generation) VALUES (0);

CREATE TABLE journey (
    journey      text COLLATE "C" NOT NULL,
    version      integer NOT NULL,
    is_current   boolean NOT NULL,
    published_at bigint NOT NULL,
    text         text NOT NULL,
    moves        text,
    PRIMARY KEY (journey, version)
);

CREATE TABLE journey_paused (
    journey text COLLATE "C" PRIMARY KEY
);

CREATE TABLE mailbox (
    mailbox   text COLLATE "C" PRIMARY KEY,
    synced_at bigint,
    cursors   text NOT NULL
);

-- Texts that live in the workspace: templates, keys, settings.
CREATE TABLE asset (
    kind       text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL,
    updated_at bigint NOT NULL,
    body       text NOT NULL,
    PRIMARY KEY (kind, name)
);

-- Segments by a small number that stands for them in other tables. Without a text it is a list that nobody
-- has defined.
CREATE TABLE segment (
    number     integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    id         text COLLATE "C" NOT NULL UNIQUE,
    updated_at bigint NOT NULL,
    text       text
);

-- Members of segments.
CREATE TABLE segment_count (
    segment integer NOT NULL,
    shard   smallint NOT NULL,
    n       bigint NOT NULL,
    PRIMARY KEY (segment, shard)
) WITH (fillfactor = 30);

-- How a contact stands to a segment: a row for each member, and for each whom time alone lets come in.
CREATE TABLE member (
    part       smallint NOT NULL,
    contact_id bigint NOT NULL,
    segment    integer NOT NULL,
    is_member  boolean NOT NULL,
    due_at     bigint,
    PRIMARY KEY (part, contact_id, segment)
) WITH (fillfactor = 85);

CREATE INDEX member_of_segment ON member (segment, contact_id);

-- Programs that share the work. configured: the configuration of the news that it goes by. A node is alive while its moment has not passed, by the database's clock;
-- whoever takes over from one that is not removes its row, and with it the node's right to commit.
CREATE TABLE node (
    name       text COLLATE "C" PRIMARY KEY,
    epoch      bigint NOT NULL,
    shard      smallint NOT NULL UNIQUE,
    configured bigint NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 20);

-- Whose a partition is, and under which epoch of that node it was taken; and who needs it beside its share.
CREATE TABLE lease (
    part   smallint PRIMARY KEY,
    node   text COLLATE "C",
    epoch  bigint,
    wanted text COLLATE "C"
) WITH (fillfactor = 50);

INSERT INTO lease (part) SELECT generate_series(0, 255);

-- What nodes tell each other of: one row, numbers that rise with each change.
CREATE TABLE news (
    is_only       boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    configuration bigint NOT NULL DEFAULT 0,
    mailboxes     bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

INSERT INTO news DEFAULT VALUES;

-- What nodes hand to whoever holds a partition. kind: 1 an input of a contact, 2 a mailbox to read now, 0 what
-- could not be read and waits for a newer program.
CREATE TABLE intake (
    part       smallint NOT NULL,
    seq        bigint GENERATED ALWAYS AS IDENTITY,
    kind       smallint NOT NULL,
    contact_id bigint,
    body       text NOT NULL,
    PRIMARY KEY (part, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- Every answer that a contact ever gave of a channel or topic (about: channel:email, topic:news), for proof.
CREATE TABLE consent_log (
    part       smallint NOT NULL,
    contact_id bigint NOT NULL,
    at         bigint NOT NULL,
    about      text COLLATE "C" NOT NULL,
    answer     text COLLATE "C" NOT NULL,
    body       text NOT NULL,
    PRIMARY KEY (part, contact_id, at, about, answer)
);

-- Addresses that must not be written to, whoever has them. kind: email, domain, phone; value: the address, or
-- sha256: and 64 digits.
CREATE TABLE suppression (
    kind   text COLLATE "C" NOT NULL,
    value  text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    at     bigint NOT NULL,
    source text NOT NULL,
    PRIMARY KEY (kind, value)
);

-- Whom an erasure removed: keyed hashes of their names, so that no import brings them back.
CREATE TABLE erased (
    hash text COLLATE "C" PRIMARY KEY,
    at   bigint NOT NULL
);

CREATE INDEX thread_by_contact ON thread (contact_id);

-- Merges of contacts, by the one that was absorbed. body: names of runs and messages, old and new; undo and
-- moved: what it takes to undo it, for a day.
CREATE TABLE merged (
    part        smallint NOT NULL,
    contact_id  bigint NOT NULL,
    survivor_id bigint NOT NULL,
    at          bigint NOT NULL,
    body        text NOT NULL,
    undo        text,
    moved       text,
    PRIMARY KEY (part, contact_id)
);

CREATE INDEX merged_undo ON merged (at) WHERE undo IS NOT NULL;

CREATE INDEX merged_by_survivor ON merged (survivor_id);

-- Contacts that may be one, for a person to look at; contact_id is the smaller.
CREATE TABLE doubt (
    contact_id bigint NOT NULL,
    other_id   bigint NOT NULL,
    why        text COLLATE "C" NOT NULL,
    at         bigint NOT NULL,
    PRIMARY KEY (contact_id, other_id)
);

CREATE INDEX doubt_by_other ON doubt (other_id);

-- Accounts: companies that contacts share; contacts of all partitions have the same row. name: their trait in lower
-- case, for search; revision: how often it changed; settled: the revision that every contact has heard of.
CREATE TABLE account (
    id       text COLLATE "C" PRIMARY KEY,
    name     text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    settled  bigint NOT NULL,
    first_at bigint NOT NULL,
    last_at  bigint NOT NULL,
    body     text NOT NULL
) WITH (fillfactor = 85);

CREATE INDEX account_by_name ON account (name, id);

-- Who belongs to an account; no contact to two.
CREATE TABLE account_contact (
    part       smallint NOT NULL,
    contact_id bigint NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (part, contact_id)
);

CREATE INDEX account_contact_in_order ON account_contact (account_id, contact_id);

-- Accounts of which contacts are being told: the last one that was, the last one of this pass, and up to whom
-- all must be told once more.
CREATE TABLE account_telling (
    account_id text COLLATE "C" PRIMARY KEY,
    revision   bigint NOT NULL,
    after_id   bigint NOT NULL,
    until_id   bigint NOT NULL,
    again_id   bigint NOT NULL
);
