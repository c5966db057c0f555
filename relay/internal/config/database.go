package config

import (
	"errors"
	"strings"
)

// MemoryDatabase is the path that stands for a database which is gone when the
// process ends.
const MemoryDatabase = ":memory:"

// DatabasePath returns the path of the SQLite file that DatabaseURL names, or
// [MemoryDatabase]. The forms are sqlite:///absolute/path, sqlite://:memory: and
// a plain path. The error does not repeat the URL: it may hold a password.
func (c *Config) DatabasePath() (string, error) {
	path, isURL := strings.CutPrefix(c.DatabaseURL, "sqlite://")
	scheme, _, hasScheme := strings.Cut(path, "://")
	switch {
	case !isURL && hasScheme && strings.HasPrefix(scheme, "postgres"):
		return "", errors.New("DATABASE_URL: PostgreSQL is not supported yet: use sqlite:///path/wimz.db")
	case hasScheme:
		return "", errors.New("DATABASE_URL: only SQLite is supported: use sqlite:///path/wimz.db")
	case strings.ContainsAny(path, "?#"):
		return "", errors.New("DATABASE_URL: takes no options: remove what follows ? or #")
	case path == "" || strings.HasSuffix(path, "/"):
		return "", errors.New("DATABASE_URL: names no file: use sqlite:///path/wimz.db")
	}
	if isURL && strings.HasPrefix(path, "/./") {
		path = path[1:] // sqlite:///./wimz.db is what other programs call a relative path
	}
	return path, nil
}
