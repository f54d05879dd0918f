-- Who changed what: a line for each change that a person or a program with a token made. hash: of the rest, so that
-- the same line at the same moment is one. detail: a JSON object, or nothing.
CREATE TABLE audit (
    at     bigint NOT NULL,
    hash   bigint NOT NULL,
    who    text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    object text COLLATE "C" NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (at, hash)
);

CREATE INDEX audit_by_who ON audit (who, at, hash);
CREATE INDEX audit_by_object ON audit (object, at, hash);
