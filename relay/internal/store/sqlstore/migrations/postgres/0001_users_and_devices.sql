-- Text is compared and sorted by its bytes (COLLATE "C"), as SQLite does.
CREATE TABLE users (
    id            TEXT COLLATE "C" PRIMARY KEY,
    email         TEXT COLLATE "C" NOT NULL UNIQUE CHECK (email = lower(email)),
    password_hash TEXT   NOT NULL,
    created_at    BIGINT NOT NULL -- unix seconds
);

CREATE TABLE devices (
    id         TEXT COLLATE "C" PRIMARY KEY,
    secret     TEXT   NOT NULL, -- as it is: an HMAC is checked with the key itself
    owner      TEXT COLLATE "C" REFERENCES users (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL, -- unix seconds
    signed_at  BIGINT           -- newest accepted timestamp, unix seconds; NULL: never any
);

CREATE INDEX devices_by_owner ON devices (owner, id);
