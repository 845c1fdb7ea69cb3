-- Reports of sensors whose counts were added, so that one that is sent twice is added once.
CREATE TABLE received (
    account INTEGER NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX received_created ON received (created);

-- Tokens that each download one export of one pulse.
CREATE TABLE export_token (
    digest BLOB PRIMARY KEY NOT NULL,
    account INTEGER NOT NULL REFERENCES account (id),
    pulse INTEGER NOT NULL REFERENCES pulse (id),
    format TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX export_token_pulse ON export_token (pulse);

-- Accounts whose pulses come from a source of the operator, by the name of the source.
CREATE TABLE source (
    name TEXT PRIMARY KEY NOT NULL,
    account INTEGER NOT NULL UNIQUE REFERENCES account (id),
    -- What of it became pulses: the identity of the accepted set.
    imported TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- The second half of a pulse's identifier, which is a part of those of its objects.
CREATE INDEX pulse_end ON pulse (SUBSTR(name_id, 13));
