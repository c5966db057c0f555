package record

import (
	"os"
	"syscall"
)

// Fill gives the recorder a full disk before it has written anything.
func Fill(r *Recorder) (err error) {
	_ = r.file.to.Close()
	r.file.to, err = os.OpenFile("/dev/full", os.O_WRONLY, 0)
	return err
}

// Cut makes a recorder's disk full from here on.
func Cut(r *Recorder) { r.file.note(syscall.ENOSPC) }
