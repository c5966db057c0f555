package hub

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/wire"
)

// TestRemembered: the store is asked once a second, and at once when this relay
// has changed what it says.
func TestRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, r, asked := hubOn(bus.NewMemory()), remembered{}, 0
		ask := func() ([]wire.DeviceID, error) {
			asked++
			return []wire.DeviceID{wire.DeviceID(fmt.Sprint(asked))}, nil
		}
		for _, step := range []struct {
			what   string
			before func()
			want   wire.DeviceID
		}{
			{"first", func() {}, "1"},
			{"again", func() {}, "1"},
			{"a moment later", func() { time.Sleep(rememberTime / 2) }, "1"}, //nolint:forbidigo // the time of the bubble
			{"later", func() { time.Sleep(rememberTime / 2) }, "2"},          //nolint:forbidigo // likewise
			{"paired", func() { h.OwnerChanged(t.Context(), "3") }, "3"},
			{"again", func() {}, "3"},
		} {
			step.before()
			if got, err := r.get(h, ask); got[0] != step.want || err != nil {
				t.Errorf("%s: %s, %v, want %s", step.what, got, err, step.want)
			}
		}
	})
}

// TestRememberedWhileItChanges: what was asked for just before a robot is
// unpaired is not believed after it.
func TestRememberedWhileItChanges(t *testing.T) {
	h, r := hubOn(bus.NewMemory()), remembered{}
	got, _ := r.get(h, func() ([]wire.DeviceID, error) {
		h.OwnerChanged(t.Context(), "robot")
		return []wire.DeviceID{"robot"}, nil
	})
	if len(got) != 1 {
		t.Fatalf("got %q", got)
	}
	if got, _ = r.get(h, func() ([]wire.DeviceID, error) { return nil, nil }); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}

// TestRememberedFailure: a store that fails is left alone for a while.
func TestRememberedFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, r, down := hubOn(bus.NewMemory()), remembered{}, errors.New("down")
		fails := func() ([]wire.DeviceID, error) { return nil, down }
		works := func() ([]wire.DeviceID, error) { return []wire.DeviceID{"robot"}, nil }
		if _, err := r.get(h, fails); !errors.Is(err, down) {
			t.Errorf("got %v", err)
		}
		if _, err := r.get(h, works); !errors.Is(err, down) {
			t.Errorf("asked again at once: %v", err)
		}
		time.Sleep(rememberTime) //nolint:forbidigo // the time of the bubble
		if got, err := r.get(h, works); len(got) != 1 || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	})
}
