-- Who changed what: a line for each change that a person or a program with a token made. hash: of the rest, so that
-- the same line at the same moment is one. detail: a JSON object, or nothing.
CREATE TABLE audit (
    at     INTEGER NOT NULL,
    hash   INTEGER NOT NULL,
    who    TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (at, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_by_who ON audit (who, at, hash);
CREATE INDEX audit_by_object ON audit (object, at, hash);
