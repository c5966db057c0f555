package sqlstore

import (
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"wimz.dev/live/relay/internal/config"
)

const (
	// connectTime bounds the way to one host, unless the URL does (connect_timeout):
	// half of [patience], so that the second of two hosts gets its chance.
	connectTime = patience / 2
	// poolSize bounds the connections of one relay. Queries take milliseconds, so
	// these carry thousands in a second; a server has 100 connections by default,
	// for all relays and everybody else.
	poolSize = 10
	// connectionLife and idleLife let the pool forget servers that are no more,
	// after a failover, and shrink when little is going on.
	connectionLife = 30 * time.Minute
	idleLife       = 5 * time.Minute
)

// turn makes the changes of all relays take turns, as SQLite does: of two that
// check before they set, the second sees what the first has done, and a line of
// the log of revocations never appears after a later one, which readers who go by
// its number would miss. The lock ends with the transaction, and the server ends
// that when a relay is cut off in the middle of it: nobody is held up for ever.
const turn = `SELECT set_config('statement_timeout', $1, true),
	set_config('idle_in_transaction_session_timeout', $1, true),
	pg_advisory_xact_lock(1464421722)` // "WIMZ": any number, the same for all relays

// openPostgres makes a pool; it connects when there is something to ask.
func openPostgres(database config.DatabaseURL) (*DB, error) {
	cfg, err := pgx.ParseConfig(database.Reveal())
	if err != nil {
		// Not wrapped: it may hold what looks like no password.
		return nil, errors.New("not a URL that PostgreSQL knows: look at the options behind the ?")
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTime
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(poolSize)
	db.SetMaxIdleConns(poolSize)
	db.SetConnMaxLifetime(connectionLife)
	db.SetConnMaxIdleTime(idleLife)
	return &DB{db: db, engine: postgresEngine()}, nil
}

// postgresEngine says what is PostgreSQL's own.
func postgresEngine() engine {
	return engine{
		name:       "postgres",
		turn:       turn,
		versions:   "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY)",
		version:    "SELECT COALESCE(MAX(version), 0) FROM schema_versions",
		setVersion: "INSERT INTO schema_versions (version) VALUES (%d)",
	}
}
