ALTER TABLE users ADD COLUMN disabled    BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN tokens_from BIGINT; -- unix seconds, tokens issued before are void; NULL: none

ALTER TABLE devices ADD COLUMN old_secret TEXT NOT NULL DEFAULT ''; -- verifies as well; '': none

CREATE TABLE revoked_tokens (
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token      TEXT COLLATE "C" NOT NULL, -- jti
    expires_at BIGINT NOT NULL, -- unix seconds; useless from then on
    PRIMARY KEY (user_id, token)
);

CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (expires_at);

CREATE TABLE pairings (
    device     TEXT COLLATE "C" PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    code_hash  BYTEA  NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL -- unix seconds
);

-- A log that names users and devices which may be gone.
CREATE TABLE revocations (
    seq        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    TEXT   NOT NULL,
    token      TEXT   NOT NULL, -- '': none
    device     TEXT   NOT NULL, -- '': none
    created_at BIGINT NOT NULL  -- unix seconds
);

CREATE INDEX revocations_by_age ON revocations (created_at);
