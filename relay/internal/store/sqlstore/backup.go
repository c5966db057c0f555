package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"modernc.org/sqlite"

	"wimz.dev/live/relay/internal/config"
)

// Errors of [Backup] and [Restore] that have a remedy.
var (
	// ErrNoFile says that the database is not kept in a file.
	ErrNoFile = errors.New("the database is not a file")
	// ErrInUse says that a process has the database open.
	ErrInUse = errors.New("the database is in use")
)

// Backup writes the database as it is at one moment into a new file, readable by
// its owner only; others read and write on meanwhile. It returns [fs.ErrExist] if
// the file is there and [ErrNoFile] if the database is none. It leaves the schema
// as it is: the relay that uses it may be an older one.
func Backup(ctx context.Context, database config.DatabaseURL, file string) (err error) {
	path, err := filePath(database)
	if err != nil {
		return err
	}
	if err = create(file); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file))
		}
	}()
	into, err := fileURI(file, nil)
	if err != nil {
		return err
	}
	options := url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(5000)", "synchronous(FULL)"}}
	return onFile(ctx, path, options, func(conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, "VACUUM INTO ?", into)
		return err
	})
}

// Restore puts a file that Backup has written in the place of the database. An
// existing database is replaced only by force, or else it returns [fs.ErrExist];
// it returns [ErrInUse] while a process has it open, and [ErrNoFile] if the
// database is none. When it fails, or is killed, the database is as it was.
//
// It goes through SQLite, not through the file system: the log that lies beside a
// database would be replayed into whatever file takes its name.
func Restore(ctx context.Context, database config.DatabaseURL, file string, force bool) error {
	path, err := filePath(database)
	if err != nil {
		return err
	}
	readOnly := url.Values{"mode": {"ro"}}
	source, err := fileURI(file, readOnly)
	if err != nil {
		return err
	}
	if err = onFile(ctx, file, readOnly, func(conn *sql.Conn) error { return sound(ctx, conn) }); err != nil {
		return fmt.Errorf("%s is not a sound backup: %w", file, err)
	}
	created := create(path)
	if created != nil && (!force || !errors.Is(created, fs.ErrExist)) {
		return created
	}
	// To leave the mode WAL takes a lock that nobody else can have, and keeps it.
	options := url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(0)", "locking_mode(EXCLUSIVE)", "journal_mode(DELETE)"}}
	err = onFile(ctx, path, options, func(conn *sql.Conn) error {
		return conn.Raw(func(driver any) error { return pour(source, driver) })
	})
	if isBusy(err) {
		err = ErrInUse
	}
	if err != nil && created == nil {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// pour replaces what the connection is to with the source, in one transaction.
func pour(source string, driver any) error {
	to, ok := driver.(interface {
		NewRestore(sourceURI string) (*sqlite.Backup, error)
	})
	if !ok {
		return errors.ErrUnsupported
	}
	transfer, err := to.NewRestore(source)
	if err != nil {
		return err
	}
	_, err = transfer.Step(-1) // all pages
	return errors.Join(err, transfer.Finish())
}

// sound returns what is wrong with a database that is to be restored.
func sound(ctx context.Context, conn *sql.Conn) error {
	report, err := value[string](conn.QueryRowContext(ctx, "PRAGMA integrity_check(1)"))
	if err != nil {
		return err
	}
	if report != "ok" {
		return errors.New(report)
	}
	lite := sqliteEngine()
	version, err := value[int](conn.QueryRowContext(ctx, lite.version))
	if err != nil {
		return err
	}
	files, err := lite.files()
	if err != nil {
		return err
	}
	if version < 1 || version > len(files) {
		return fmt.Errorf("its schema has version %d, this relay knows 1 to %d", version, len(files))
	}
	_, err = conn.ExecContext(ctx, "SELECT 1 FROM users, devices LIMIT 1")
	return err
}

// filePath returns the path of the file that holds the database.
func filePath(database config.DatabaseURL) (string, error) {
	if err := database.Check(); err != nil {
		return "", err
	}
	path, err := database.Path()
	if err != nil || path == config.MemoryDatabase {
		return "", ErrNoFile
	}
	return path, nil
}

// onFile runs do on a connection of its own, without bringing the schema up to date.
func onFile(ctx context.Context, path string, options url.Values, do func(*sql.Conn) error) error {
	source, err := fileURI(path, options)
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", source)
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		err = errors.Join(do(conn), conn.Close())
	}
	return errors.Join(err, db.Close())
}
