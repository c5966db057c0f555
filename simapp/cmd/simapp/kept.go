package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// kept is the login that simapp login keeps for the other commands, in the folder
// of the user's settings. Nobody else may read it.
type kept struct {
	Relay string `json:"relay"`
	Email string `json:"email"`
	Token string `json:"token"`
}

func keptFile() (string, error) {
	folder, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, "simapp", "login.json"), nil
}

// readKept returns the kept login; the zero value if there is none.
func readKept() (kept, error) {
	var k kept
	name, err := keptFile()
	if err != nil {
		return k, nil //nolint:nilerr // without a home there is no login either
	}
	data, err := os.ReadFile(name) //nolint:gosec // G304: in the user's own folder
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return k, fmt.Errorf("read the login: %w", err)
	}
	if json.Unmarshal(data, &k) != nil || k.Relay == "" || k.Token == "" {
		return kept{}, fmt.Errorf("%s is damaged; log in again: simapp login --relay URL", name)
	}
	return k, nil
}

// write replaces the kept login as a whole: a reader sees the old one or the new.
func (k kept) write() error {
	partial, name, err := openPartial()
	if err != nil {
		return err
	}
	err = json.NewEncoder(partial).Encode(k)
	err = errors.Join(err, partial.Sync(), partial.Close())
	if err == nil {
		err = os.Rename(partial.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("keep the login: %w", errors.Join(err, os.Remove(partial.Name())))
	}
	return nil
}

// canKeep fails if a login cannot be kept, before there is one.
func canKeep() error {
	partial, _, err := openPartial()
	if err != nil {
		return err
	}
	return errors.Join(partial.Close(), os.Remove(partial.Name()))
}

// openPartial opens what is to become the file of the kept login, beside it.
func openPartial() (partial *os.File, name string, err error) {
	if name, err = keptFile(); err == nil {
		err = os.MkdirAll(filepath.Dir(name), 0o700)
	}
	if err == nil {
		err = os.Chmod(filepath.Dir(name), 0o700) //nolint:gosec // G302: a folder
	}
	if err == nil {
		partial, err = os.CreateTemp(filepath.Dir(name), ".login-*") // with mode 0600
	}
	if err != nil {
		return nil, "", fmt.Errorf("the login cannot be kept: %w; set XDG_CONFIG_HOME to a folder that you can write to", err)
	}
	return partial, name, nil
}

// removeKept forgets the login. That there is none is no error.
func removeKept() error {
	name, err := keptFile()
	if err != nil {
		return err
	}
	if err = os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget the login: %w", err)
	}
	return nil
}

// isFor reports whether the login is one at a relay, by any of its addresses.
func (k kept) isFor(relay string) bool {
	plain := func(address string) string {
		return strings.Replace(strings.ToLower(strings.TrimRight(address, "/")), "http", "ws", 1)
	}
	return plain(k.Relay) == plain(relay)
}

// life says what is left of the token, and how long all of it was. A token that
// does not say lasts for ever as far as this side knows.
func (k kept) life(now time.Time) (left, whole time.Duration, known bool) {
	var claims jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(k.Token, &claims); err != nil || claims.ExpiresAt == nil {
		return 0, 0, false
	}
	left = claims.ExpiresAt.Sub(now)
	if claims.IssuedAt != nil {
		whole = claims.ExpiresAt.Sub(claims.IssuedAt.Time)
	}
	return left, whole, true
}
