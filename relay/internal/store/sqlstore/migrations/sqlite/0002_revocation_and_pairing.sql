ALTER TABLE users ADD COLUMN disabled    INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1));
ALTER TABLE users ADD COLUMN tokens_from INTEGER; -- unix seconds, tokens issued before are void; NULL: none

ALTER TABLE devices ADD COLUMN old_secret TEXT NOT NULL DEFAULT ''; -- verifies as well; '': none

CREATE TABLE revoked_tokens (
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token      TEXT    NOT NULL, -- jti
    expires_at INTEGER NOT NULL, -- unix seconds; useless from then on
    PRIMARY KEY (user_id, token)
) STRICT, WITHOUT ROWID;

CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (expires_at);

CREATE TABLE pairings (
    device     TEXT    PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    code_hash  BLOB    NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL -- unix seconds
) STRICT;

-- A log that names users and devices which may be gone. AUTOINCREMENT: a number is
-- never used twice, also when the newest line has been purged.
CREATE TABLE revocations (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    TEXT    NOT NULL,
    token      TEXT    NOT NULL, -- '': none
    device     TEXT    NOT NULL, -- '': none
    created_at INTEGER NOT NULL  -- unix seconds
) STRICT;

CREATE INDEX revocations_by_age ON revocations (created_at);
