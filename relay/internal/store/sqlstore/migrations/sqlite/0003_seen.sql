ALTER TABLE devices ADD COLUMN seen_at INTEGER; -- unix seconds, when its last socket ended; NULL: never any
