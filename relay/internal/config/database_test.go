package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestDatabasePath(t *testing.T) {
	for url, want := range map[DatabaseURL]string{
		"sqlite:///var/lib/wimz.db": "/var/lib/wimz.db", "sqlite://:memory:": MemoryDatabase,
		"sqlite://wimz.db": "wimz.db", "sqlite:///./wimz.db": "./wimz.db",
		"wimz.db": "wimz.db", "/a/b c%.db": "/a/b c%.db",
		"": "", "sqlite://": "", "sqlite:///dir/": "", "x.db?mode=ro": "", "mysql://h/d": "",
		"host=h dbname=d": "", "sqlite:///var/lib/a=b.db": "/var/lib/a=b.db",
		"postgresql://u:p@h/d": "", "sqlite://postgres://h": "",
	} {
		got, err := url.Path()
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", url, got, err, want)
		}
	}
}

// TestDatabaseURLShows shows what can be shown without doubt, and no more.
func TestDatabaseURLShows(t *testing.T) {
	const plain = "postgres://u@h:5432/d"
	for url, want := range map[DatabaseURL]string{
		"wimz.db": "wimz.db", "sqlite:///a/b.db": "sqlite:///a/b.db",
		plain:                                plain,
		"postgres://u:" + hush + "@h:5432/d": plain,
		"postgres://u@h:5432/d?sslmode=disable&password=" + hush: plain,
		"postgresql:///d?host=/run/pg&user=u":                    "postgresql:///d",
		"mysql://u:" + hush + "@h/d":                             "mysql://u@h/d",
		"sqlite://postgres://u:" + hush + "@h/d":                 mask,
		"host=h user=u password=" + hush + " dbname=d":           mask, // not a file of that name
		// Malformed: the password has a character that must be escaped.
		"postgres://u:1/" + hush + "@h/d": mask, "postgres://u:1#" + hush + "@h/d": mask,
		"postgres://u:/1#" + hush + "@h/d": mask,
		"postgres://u:1?" + hush + "@h/d":  mask, "postgres://u:1@" + hush + "@h/d": mask,
		"postgres://u:%" + hush + "@h/d": mask, "postgres://u:" + hush + "\n@h/d": mask,
	} {
		holder := struct{ A DatabaseURL }{url}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("text", "url", url, "in", holder)
		encoded, err := json.Marshal(holder)
		shown := log.String() + string(encoded) + fmt.Sprint(err, holder) + fmt.Sprintf("%q %x %#v %d", url, url, holder, url)
		if url.String() != want || strings.Contains(shown, hush) || strings.Contains(shown, fmt.Sprintf("%x", hush)) {
			t.Errorf("want %q, got %q and %s", want, url, shown)
		}
		if err := url.Check(); url.PostgreSQL() && (err == nil) != (want != mask) {
			t.Errorf("%v: %v", want, err)
		}
	}
}
