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
		return "", fmt.Errorf("no folder for the login: %w", err)
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
		return kept{}, fmt.Errorf("%s is damaged; remove it and log in again", name)
	}
	return k, nil
}

// write replaces the kept login as a whole: a reader sees the old one or the new.
func (k kept) write() error {
	name, err := keptFile()
	if err != nil {
		return err
	}
	if err = k.replace(name); err != nil {
		return fmt.Errorf("keep the login: %w", err)
	}
	return nil
}

func (k kept) replace(name string) error {
	data, err := json.Marshal(k)
	if err != nil {
		return err
	}
	folder := filepath.Dir(name)
	if err = os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err = os.Chmod(folder, 0o700); err != nil { //nolint:gosec // G302: a folder
		return err
	}
	partial, err := os.CreateTemp(folder, ".login-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = partial.Write(append(data, '\n'))
	err = errors.Join(err, partial.Sync(), partial.Close())
	if err == nil {
		err = os.Rename(partial.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(partial.Name()))
	}
	return nil
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
