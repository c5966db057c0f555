package harness

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"wimz.dev/live/relay/wire"
)

// CopyDevice registers more robots like one that is there, with the same secret
// and owner: for fleets that the command line would take too long to register.
func (s *System) CopyDevice(ctx context.Context, id wire.DeviceID, copies []wire.DeviceID) error {
	tx, end, err := s.lockDatabase(ctx)
	if err != nil {
		return err
	}
	return errors.Join(copyDevice(ctx, tx, id, copies), tx.Commit(), end())
}

// LockStore keeps the relay from writing into its database until unlock is called.
func (s *System) LockStore(ctx context.Context) (unlock func() error, err error) {
	tx, end, err := s.lockDatabase(ctx)
	if err != nil {
		return nil, err
	}
	return func() error { return errors.Join(tx.Rollback(), end()) }, nil
}

// lockDatabase begins a transaction beside the relay, which writes nothing until
// the transaction ends. end is called after that.
func (s *System) lockDatabase(ctx context.Context) (tx *sql.Tx, end func() error, err error) {
	db, err := sql.Open("sqlite", "file:"+s.settings.DatabaseURL+"?_txlock=immediate&_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, nil, err
	}
	if tx, err = db.BeginTx(context.WithoutCancel(ctx), nil); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return tx, db.Close, nil
}

// copyDevice copies the row as it is, but for its name: it knows nothing else of
// what the relay keeps of a robot.
func copyDevice(ctx context.Context, tx *sql.Tx, id wire.DeviceID, copies []wire.DeviceID) error {
	columns, row, err := readRow(ctx, tx, "SELECT * FROM devices WHERE id = ?", id)
	if err != nil {
		return err
	}
	name := slices.Index(columns, "id")
	insert := fmt.Sprintf("INSERT INTO devices (%s) VALUES (?%s)",
		strings.Join(columns, ", "), strings.Repeat(", ?", len(columns)-1))
	for _, twin := range copies {
		row[name] = string(twin)
		if _, err := tx.ExecContext(ctx, insert, row...); err != nil {
			return err
		}
	}
	return nil
}

// readRow returns the one row that a query finds.
func readRow(ctx context.Context, tx *sql.Tx, query string, args ...any) (columns []string, row []any, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close() //nolint:errcheck // Err says what matters
	if columns, err = rows.Columns(); err != nil {
		return nil, nil, err
	}
	if !rows.Next() {
		return nil, nil, errors.Join(errors.New("no such row"), rows.Err())
	}
	row = make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	return columns, row, rows.Scan(into...)
}
