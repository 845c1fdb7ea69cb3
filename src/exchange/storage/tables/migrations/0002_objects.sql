-- A key of this server, for signatures of positions.
CREATE TABLE signing_key (id INTEGER PRIMARY KEY, key BLOB NOT NULL) STRICT;

-- API roots of TAXII besides that of pulses.
CREATE TABLE api_root (name TEXT PRIMARY KEY NOT NULL, title TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Objects that clients of TAXII added to collections, as they came.
CREATE TABLE shelf (
    id INTEGER PRIMARY KEY,
    root TEXT NOT NULL,
    name_id TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    alias TEXT,
    -- Whose it is; nobody else sees it. NULL: everybody's.
    account INTEGER REFERENCES account (id),
    readable INTEGER NOT NULL,
    writable INTEGER NOT NULL,
    media TEXT NOT NULL,
    UNIQUE (root, name_id)
) STRICT;

CREATE TABLE object (
    id INTEGER PRIMARY KEY,
    shelf INTEGER NOT NULL REFERENCES shelf (id),
    added INTEGER NOT NULL,
    name_id TEXT NOT NULL,
    version TEXT NOT NULL,
    -- 20 or 21.
    spec INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (shelf, added)
) STRICT;
CREATE INDEX object_name ON object (shelf, name_id);

-- What became of what they added, for a day.
CREATE TABLE addition (
    name_id TEXT PRIMARY KEY NOT NULL,
    root TEXT NOT NULL,
    account INTEGER,
    created INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX addition_created ON addition (created);
