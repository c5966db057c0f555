package record

import (
	"errors"
	"os"
	"sync"
)

// file keeps the first failure for the recorder to see, and reports none to the
// libraries that write: one of them would wait for ever after it.
type file struct {
	to *os.File

	mu     sync.Mutex
	failed error
	closed bool
}

func (f *file) note(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed == nil {
		f.failed = err
	}
}

func (f *file) failure() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

func (f *file) Write(p []byte) (int, error) {
	if f.failure() == nil {
		_, err := f.to.Write(p)
		f.note(err)
	}
	return len(p), nil
}

// WriteAt fills in what was left free, for which a full disk has room.
func (f *file) WriteAt(p []byte, offset int64) (int, error) {
	_, err := f.to.WriteAt(p, offset)
	f.note(err)
	return len(p), nil
}

// Close closes the file; a second time does nothing.
func (f *file) Close() error {
	f.mu.Lock()
	closed := f.closed
	f.closed = true
	f.mu.Unlock()
	if closed {
		return nil
	}
	return errors.Join(f.to.Sync(), f.to.Close())
}
