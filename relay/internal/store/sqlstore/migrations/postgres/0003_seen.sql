ALTER TABLE devices ADD COLUMN seen_at BIGINT; -- unix seconds, when its last socket ended; NULL: never any
