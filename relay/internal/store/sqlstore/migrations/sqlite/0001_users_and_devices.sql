CREATE TABLE users (
    id            TEXT    PRIMARY KEY,
    email         TEXT    NOT NULL UNIQUE CHECK (email = lower(email)),
    password_hash TEXT    NOT NULL,
    created_at    INTEGER NOT NULL -- unix seconds
) STRICT;

CREATE TABLE devices (
    id         TEXT    PRIMARY KEY,
    secret     TEXT    NOT NULL, -- as it is: an HMAC is checked with the key itself
    owner      TEXT    REFERENCES users (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL, -- unix seconds
    signed_at  INTEGER           -- newest accepted timestamp, unix seconds; NULL: never any
) STRICT;

CREATE INDEX devices_by_owner ON devices (owner, id);
