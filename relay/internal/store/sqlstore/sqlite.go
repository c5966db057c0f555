package sqlstore

import (
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite" // has the database driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"wimz.dev/live/relay/internal/config"
)

// sqliteEngine says what is SQLite's own.
func sqliteEngine() engine {
	return engine{
		name:       "sqlite",
		version:    "PRAGMA user_version",
		setVersion: "PRAGMA user_version = %d", // it takes no parameters
	}
}

// openSQLite opens the file, or makes it, readable by its owner only.
//
// All access goes through one connection: SQLite has one writer anyway, and more
// connections only fail against each other under concurrent read-then-write.
// Other processes, such as the command line beside a running relay, may use the
// same file; they wait for each other for a few seconds (busy_timeout).
func openSQLite(database config.DatabaseURL) (*DB, error) {
	dsn, err := prepare(database)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return &DB{db: db, engine: sqliteEngine()}, nil
}

// isBusy reports whether somebody else held a lock for too long.
func isBusy(err error) bool {
	broken, ok := errors.AsType[*sqlite.Error](err)
	return ok && broken.Code()&0xff == sqlite3.SQLITE_BUSY // without what extends the code
}

// prepare makes the file, so that it never exists with wider permissions, and
// returns the data source name. SQLite gives its -wal and -shm files the mode of
// the database.
func prepare(database config.DatabaseURL) (string, error) {
	// synchronous(FULL): what was answered is on the disk. NORMAL survives kill -9 as
	// well, but a power cut takes the last changes back: an account that its owner
	// has seen made, or a logout. A change then takes 1 ms instead of 0.2 (measured on
	// an SSD, other disks take 20); see [signatures] for a thousand robots that come.
	options := url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
	}
	path, err := database.Path()
	if err != nil {
		return "", err
	}
	if path == config.MemoryDatabase {
		return "file::memory:?" + options.Encode(), nil
	}
	if err := create(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return fileURI(path, options)
}

// create makes an empty file, or returns [fs.ErrExist]. It leaves a file that is
// there alone: to close one would release the locks that SQLite, elsewhere in this
// process, holds on it.
func create(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	return file.Close()
}

// fileURI names a file to SQLite, whatever characters its path has.
func fileURI(path string, options url.Values) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: options.Encode()}).String(), nil
}
