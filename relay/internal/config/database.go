package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
)

// MemoryDatabase is the path that stands for a database which is gone when the
// process ends.
const MemoryDatabase = ":memory:"

// DatabaseURL says where accounts and devices are kept:
//
//	sqlite:///absolute/path, sqlite://:memory:, a plain path   a SQLite file
//	postgres://user:password@host:5432/database?sslmode=…      PostgreSQL, with libpq's options
//
// It shows neither a password nor options, in every way of printing, logging or
// encoding it. [DatabaseURL.Reveal] is the only way to them.
type DatabaseURL string

// PostgreSQL reports whether it names a PostgreSQL database; else it is a file.
func (u DatabaseURL) PostgreSQL() bool {
	return strings.HasPrefix(string(u), "postgres://") || strings.HasPrefix(string(u), "postgresql://")
}

// Check returns what is wrong with the URL as far as its form shows. The error
// does not repeat it.
func (u DatabaseURL) Check() error {
	if !u.PostgreSQL() {
		_, err := u.Path()
		return err
	}
	if u.public() == "" {
		return errors.New("DATABASE_URL: use postgres://user:password@host:5432/database, with special characters of the password as %XX")
	}
	return nil
}

// Path returns the path of the SQLite file, or [MemoryDatabase].
func (u DatabaseURL) Path() (string, error) {
	path, ok := u.file()
	switch {
	case !ok:
		return "", errors.New("DATABASE_URL: use sqlite:///path/wimz.db or postgres://user:password@host:5432/database")
	case strings.ContainsAny(path, "?#"):
		return "", errors.New("DATABASE_URL: SQLite takes no options: remove what follows ? or #")
	case path == "" || strings.HasSuffix(path, "/"):
		return "", errors.New("DATABASE_URL: names no file: use sqlite:///path/wimz.db")
	}
	if strings.HasPrefix(string(u), "sqlite:///./") {
		path = path[1:] // is what other programs call a relative path
	}
	return path, nil
}

// file returns the name of a file, unless it is another URL, or libpq's other form,
// host=… password=….
func (u DatabaseURL) file() (path string, ok bool) {
	path, isURL := strings.CutPrefix(string(u), "sqlite://")
	return path, !strings.Contains(path, "://") && (isURL || !strings.Contains(path, "="))
}

// public returns the URL of a database server without password and options, or
// nothing if it is malformed. So is what could be read in two ways: half a password
// with an unescaped / or # in it would pass for a host or a database.
func (u DatabaseURL) public() string {
	parsed, err := url.Parse(string(u))
	address, _, _ := strings.Cut(string(u), "?")
	if err != nil || parsed.Scheme == "" || len(parsed.Path) < 2 || strings.Contains(parsed.Path[1:], "/") ||
		strings.Contains(address, "#") || strings.Count(address, "@") > 1 {
		return ""
	}
	shown := url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: parsed.Path}
	if name := parsed.User.Username(); name != "" {
		shown.User = url.User(name)
	}
	return shown.String()
}

// Reveal returns the whole URL. The caller keeps it out of logs and errors.
func (u DatabaseURL) Reveal() string { return string(u) }

// String returns the URL without password and options; "***" if it is malformed.
func (u DatabaseURL) String() string {
	if _, ok := u.file(); ok {
		return string(u)
	}
	if public := u.public(); public != "" {
		return public
	}
	return mask
}

// Format writes String's text for every verb.
func (u DatabaseURL) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, u.String()) }

// LogValue returns String's text.
func (u DatabaseURL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// MarshalText returns String's text, for JSON, YAML and other encoders.
func (u DatabaseURL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }
