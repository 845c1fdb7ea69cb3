-- Times are microseconds since 1970, flags 0 or 1, lists JSON: what SQLite and PostgreSQL share.

CREATE TABLE state (name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL DEFAULT '',
    password TEXT,
    role INTEGER NOT NULL,
    created INTEGER NOT NULL,
    suspended INTEGER NOT NULL DEFAULT 0,
    -- When its subscriptions or groups last changed.
    marked INTEGER NOT NULL,
    accepted_edits INTEGER NOT NULL DEFAULT 0,
    bio TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE api_key (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    scopes INTEGER NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER
) STRICT;
CREATE INDEX api_key_account ON api_key (account);

CREATE TABLE link (
    digest BLOB PRIMARY KEY NOT NULL,
    account INTEGER NOT NULL REFERENCES account (id),
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE team (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    public INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE member (
    team INTEGER NOT NULL REFERENCES team (id),
    account INTEGER NOT NULL REFERENCES account (id),
    rank INTEGER NOT NULL,
    PRIMARY KEY (team, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_account ON member (account, team);

CREATE TABLE pulse (
    id INTEGER PRIMARY KEY,
    name_id TEXT NOT NULL UNIQUE,
    author INTEGER NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    public INTEGER NOT NULL,
    tlp INTEGER NOT NULL,
    adversary TEXT NOT NULL,
    lists TEXT NOT NULL,
    cloned_from TEXT,
    from_api INTEGER NOT NULL,
    -- Only its author sees it: held for a moderator (1), or its author is suspended (2).
    held INTEGER NOT NULL DEFAULT 0,
    -- A tombstone, whose content is gone.
    deleted INTEGER NOT NULL DEFAULT 0,
    subscribers INTEGER NOT NULL DEFAULT 0,
    comments INTEGER NOT NULL DEFAULT 0,
    exports INTEGER NOT NULL DEFAULT 0,
    upvotes INTEGER NOT NULL DEFAULT 0,
    downvotes INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX pulse_author ON pulse (author, modified);
CREATE INDEX pulse_created ON pulse (created);

CREATE TABLE pulse_team (
    pulse INTEGER NOT NULL REFERENCES pulse (id),
    team INTEGER NOT NULL REFERENCES team (id),
    place INTEGER NOT NULL,
    PRIMARY KEY (pulse, team)
) STRICT, WITHOUT ROWID;
CREATE INDEX pulse_team_team ON pulse_team (team, pulse);

-- Who may see a pulse by name, whatever its TLP.
CREATE TABLE pulse_reader (
    pulse INTEGER NOT NULL REFERENCES pulse (id),
    account INTEGER NOT NULL REFERENCES account (id),
    PRIMARY KEY (pulse, account)
) STRICT, WITHOUT ROWID;

-- Names of families, actors, tags, countries and so on, for facets and relations.
CREATE TABLE label (
    kind INTEGER NOT NULL,
    folded TEXT NOT NULL,
    pulse INTEGER NOT NULL REFERENCES pulse (id),
    PRIMARY KEY (kind, folded, pulse)
) STRICT, WITHOUT ROWID;
CREATE INDEX label_pulse ON label (pulse);

CREATE TABLE value (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    norm TEXT NOT NULL,
    -- The host with its labels reversed.
    host TEXT,
    UNIQUE (norm, kind)
) STRICT;
CREATE INDEX value_host ON value (host) WHERE host IS NOT NULL;

CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    pulse INTEGER NOT NULL REFERENCES pulse (id),
    value INTEGER NOT NULL REFERENCES value (id),
    -- As written, if that is not the normalised form.
    display TEXT,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    expiration INTEGER,
    -- 0 active, 1 inactive, 2 removed.
    state INTEGER NOT NULL,
    -- 0 no, 1 on a warning list, 2 accepted as a false positive.
    suppressed INTEGER NOT NULL,
    role TEXT,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (pulse, value)
) STRICT;
CREATE INDEX entry_value ON entry (value);
CREATE INDEX entry_changed ON entry (changed);
CREATE INDEX entry_removed ON entry (changed) WHERE state = 2;

CREATE TABLE revision (
    pulse INTEGER NOT NULL REFERENCES pulse (id),
    number INTEGER NOT NULL,
    account INTEGER NOT NULL,
    created INTEGER NOT NULL,
    patch TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (pulse, number)
) STRICT, WITHOUT ROWID;

-- 1 subscribed, -1 unsubscribed although its author or group is subscribed.
CREATE TABLE subscription (
    account INTEGER NOT NULL REFERENCES account (id),
    pulse INTEGER NOT NULL REFERENCES pulse (id),
    state INTEGER NOT NULL,
    PRIMARY KEY (account, pulse)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscription_pulse ON subscription (pulse, account);

-- 1 subscribed, 2 followed.
CREATE TABLE author_link (
    account INTEGER NOT NULL REFERENCES account (id),
    author INTEGER NOT NULL REFERENCES account (id),
    kind INTEGER NOT NULL,
    PRIMARY KEY (account, author, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX author_link_author ON author_link (author, kind, account);

-- The last thing that happened between an account and a pulse (1), user (2) or group (3).
CREATE TABLE happening (
    account INTEGER NOT NULL REFERENCES account (id),
    kind INTEGER NOT NULL,
    object INTEGER NOT NULL,
    is_subscribe INTEGER NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (account, kind, object)
) STRICT, WITHOUT ROWID;
CREATE INDEX happening_created ON happening (account, created);

CREATE TABLE comment (
    id INTEGER PRIMARY KEY,
    pulse INTEGER NOT NULL REFERENCES pulse (id),
    account INTEGER NOT NULL REFERENCES account (id),
    created INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX comment_pulse ON comment (pulse, id);

CREATE TABLE vote (
    pulse INTEGER NOT NULL REFERENCES pulse (id),
    account INTEGER NOT NULL REFERENCES account (id),
    vote INTEGER NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (pulse, account)
) STRICT, WITHOUT ROWID;

-- 0 pending, 1 accepted, 2 rejected.
CREATE TABLE suggestion (
    id INTEGER PRIMARY KEY,
    pulse INTEGER NOT NULL REFERENCES pulse (id),
    account INTEGER NOT NULL REFERENCES account (id),
    created INTEGER NOT NULL,
    patch TEXT NOT NULL,
    reason TEXT NOT NULL,
    state INTEGER NOT NULL,
    decided INTEGER
) STRICT;
CREATE INDEX suggestion_pulse ON suggestion (pulse, id);

-- Reports of pulses (by moderators' queue) and of false positives (by value).
CREATE TABLE report (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    pulse INTEGER REFERENCES pulse (id),
    value INTEGER REFERENCES value (id),
    created INTEGER NOT NULL,
    reason TEXT NOT NULL,
    state INTEGER NOT NULL,
    decided INTEGER
) STRICT;
CREATE INDEX report_value ON report (value) WHERE value IS NOT NULL;
CREATE INDEX report_state ON report (state, id);

CREATE TABLE sighting (
    value INTEGER NOT NULL REFERENCES value (id),
    account INTEGER NOT NULL REFERENCES account (id),
    day INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (value, account, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert (
    account INTEGER NOT NULL REFERENCES account (id),
    name_id TEXT NOT NULL,
    created INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (account, name_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_created ON alert (account, created);

CREATE TABLE notice (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    created INTEGER NOT NULL,
    kind TEXT NOT NULL,
    pulse INTEGER,
    text TEXT NOT NULL,
    seen INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX notice_account ON notice (account, id);

-- URLs (1) and files (2) that somebody submitted: recorded, never fetched or run.
CREATE TABLE submission (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    tlp INTEGER NOT NULL,
    created INTEGER NOT NULL,
    UNIQUE (account, kind, digest, name)
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    created INTEGER NOT NULL,
    account INTEGER,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

CREATE VIRTUAL TABLE words USING fts5 (
    name, labels, text,
    content = '', contentless_delete = 1,
    tokenize = "unicode61 remove_diacritics 2"
);
CREATE INDEX pulse_deleted ON pulse (modified) WHERE deleted = 1;
