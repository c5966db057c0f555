package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Announce writes the address a program listens on into its ready file, so that
// a reader sees all of it or no file. remove takes the file away again: a stale
// one misleads. Without a name it does nothing.
func Announce(name, address string) (remove func(), err error) {
	if name == "" {
		return func() {}, nil
	}
	partial, err := os.CreateTemp(filepath.Dir(name), ".ready-*")
	if err != nil {
		return nil, fmt.Errorf("cannot write the ready file: %w", err)
	}
	_, err = partial.WriteString(address)
	err = errors.Join(err, partial.Close())
	if err == nil {
		err = os.Rename(partial.Name(), name)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot write the ready file: %w", err), os.Remove(partial.Name()))
	}
	return func() { _ = os.Remove(name) }, nil
}
