package main

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"strings"
	"sync"
	"time"

	"wimz.dev/live/simapp"
	"wimz.dev/live/simapp/record"
)

// keeper writes what the user wants to keep of a video.
type keeper struct {
	snapshot *snapshot // nil if none is wanted

	mu       sync.Mutex
	name     string           // of the recording
	recorder *record.Recorder // nil if none is wanted
	failed   error            // of the recording, which has ended then
}

// openKeeper makes the files that are named.
func openKeeper(recording, snapshot string) (*keeper, error) {
	k := &keeper{name: recording}
	var err error
	if snapshot != "" {
		if k.snapshot, err = openSnapshot(snapshot); err != nil {
			return nil, err
		}
	}
	if recording != "" {
		if k.recorder, err = record.Create(recording); err != nil {
			return nil, errors.Join(err, k.closeSnapshot())
		}
	}
	return k, nil
}

// picture is what to do with each picture, nil if nothing.
func (k *keeper) picture() func(*image.YCbCr) {
	if k.snapshot == nil {
		return nil
	}
	return k.snapshot.keep
}

// coded is what to do with each picture as it came, nil if nothing.
func (k *keeper) coded() func(simapp.Coded) {
	if k.recorder == nil {
		return nil
	}
	return func(p simapp.Coded) {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.failed == nil {
			k.failed = k.recorder.Add(p)
		}
	}
}

// words says how the recording does, empty if there is none.
func (k *keeper) words() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.recorder == nil:
		return ""
	case k.failed != nil:
		return fmt.Sprintf("%s has ended: %v", k.name, k.failed)
	default:
		return fmt.Sprintf("%s: %s", k.name, recorded(k.recorder.Summary()))
	}
}

// close ends the recording, writes the snapshot, and says what there is.
func (k *keeper) close(a *app) error {
	return errors.Join(k.closeRecording(a), k.closeSnapshot())
}

func (k *keeper) closeRecording(a *app) error {
	if k.recorder == nil {
		return nil
	}
	summary, err := k.recorder.Close()
	if summary.Pictures > 0 {
		_, _ = fmt.Fprintf(a.stderr, "simapp: recorded %s: %s\n", k.name, recorded(summary))
	}
	return cmp.Or(k.failed, err)
}

func (k *keeper) closeSnapshot() error {
	if k.snapshot == nil {
		return nil
	}
	return k.snapshot.close()
}

// recorded describes a recording.
func recorded(s record.Summary) string {
	words := []string{fmt.Sprintf("%d pictures", s.Pictures), s.Duration.Round(100 * time.Millisecond).String()}
	sizes := make([]string, len(s.Sizes))
	for i, size := range s.Sizes {
		sizes[i] = fmt.Sprintf("%dx%d", size.X, size.Y)
	}
	words = append(words, strings.Join(sizes, ", then "))
	return strings.Join(words, ", ")
}
