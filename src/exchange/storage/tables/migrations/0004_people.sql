-- Sessions of people who logged in; of each the digest of its secret.
CREATE TABLE session (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    digest BLOB NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
) STRICT;
CREATE INDEX session_account ON session (account);

CREATE TABLE second_factor (
    account INTEGER PRIMARY KEY NOT NULL REFERENCES account (id),
    secret BLOB NOT NULL,
    -- Whether a code was given once; before that, nobody is asked for one.
    confirmed INTEGER NOT NULL DEFAULT 0,
    -- The time step of the last code that was used: each is good once.
    step INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE recovery_code (
    account INTEGER NOT NULL REFERENCES account (id),
    digest BLOB NOT NULL,
    PRIMARY KEY (account, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE invitation (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    digest BLOB NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    -- Who took it.
    guest INTEGER REFERENCES account (id)
) STRICT;
CREATE INDEX invitation_account ON invitation (account, id);

-- Who says that an indicator on a warning list is meant: its author, and somebody trusted.
CREATE TABLE confirmation (
    entry INTEGER NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    account INTEGER NOT NULL REFERENCES account (id),
    created INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (entry, account)
) STRICT, WITHOUT ROWID;

-- Votes count by what their accounts were worth when they voted, in thousandths.
ALTER TABLE vote ADD COLUMN weight INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pulse ADD COLUMN score INTEGER NOT NULL DEFAULT 0;
CREATE TABLE value_vote (
    value INTEGER NOT NULL REFERENCES value (id),
    account INTEGER NOT NULL REFERENCES account (id),
    vote INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (value, account)
) STRICT, WITHOUT ROWID;

-- What the last indicators of an author were worth, and when that was counted.
CREATE TABLE reputation (
    account INTEGER PRIMARY KEY NOT NULL REFERENCES account (id),
    computed INTEGER NOT NULL,
    indicators INTEGER NOT NULL,
    corroborated INTEGER NOT NULL,
    false_positives INTEGER NOT NULL
) STRICT;

-- The lowest TLP that the copy of somebody else's pulse may have; 0 for none.
ALTER TABLE pulse ADD COLUMN bound INTEGER NOT NULL DEFAULT 0;

-- Digests of the same file, in both directions: as a pulse says, or a submission (pulse 0).
CREATE TABLE sibling (
    value INTEGER NOT NULL REFERENCES value (id),
    other INTEGER NOT NULL REFERENCES value (id),
    pulse INTEGER NOT NULL,
    account INTEGER NOT NULL REFERENCES account (id),
    PRIMARY KEY (value, other, pulse, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX sibling_pulse ON sibling (pulse);

-- Similarity hashes of public pulses, whole and in parts by which like ones are found.
CREATE TABLE likeness (
    pulse INTEGER PRIMARY KEY NOT NULL,
    author INTEGER NOT NULL,
    created INTEGER NOT NULL,
    hashes BLOB NOT NULL
) STRICT;
CREATE TABLE likeness_part (
    part INTEGER NOT NULL,
    pulse INTEGER NOT NULL,
    PRIMARY KEY (part, pulse)
) STRICT, WITHOUT ROWID;
CREATE INDEX likeness_part_pulse ON likeness_part (pulse);

-- What people say who are blocked by a value, with an account or without. 0 pending, 1 accepted,
-- 2 rejected.
CREATE TABLE appeal (
    id INTEGER PRIMARY KEY,
    value INTEGER NOT NULL REFERENCES value (id),
    account INTEGER REFERENCES account (id),
    contact TEXT NOT NULL,
    reason TEXT NOT NULL,
    created INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    decided INTEGER
) STRICT;
CREATE INDEX appeal_state ON appeal (state, id);
CREATE INDEX appeal_value ON appeal (value);

-- Pulses that few may see: their reads are recorded.
CREATE INDEX pulse_sensitive ON pulse (tlp) WHERE tlp > 2;

-- Who may join a group, as a member of which rank. The pulses of a group are in the feeds of its
-- members, so nobody becomes one without saying so.
CREATE TABLE member_invitation (
    team INTEGER NOT NULL REFERENCES team (id),
    account INTEGER NOT NULL REFERENCES account (id),
    rank INTEGER NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (team, account)
) STRICT, WITHOUT ROWID;
