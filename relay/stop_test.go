package relay

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestDrain: the steps come one after the other, and none holds up the end for
// ever, whether it obeys its context or not.
func TestDrain(t *testing.T) {
	obedient := func(ctx context.Context) error {
		<-ctx.Done()
		return errors.New("broken off")
	}
	for name, c := range map[string]struct {
		middle func(context.Context) error
		took   time.Duration
		want   string
		taken  []string
	}{
		"all is well": {func(context.Context) error { return nil }, 0, "", []string{"first", "last"}},
		"a failure": {
			func(context.Context) error { return errors.New("full disk") }, 0,
			"end the middle: full disk",
			[]string{"first", "last"},
		},
		"one takes long": {obedient, drainTime, "end the middle: broken off", []string{"first", "last"}},
		"one hangs":      {nil, hangTime, "the middle did not end in time", []string{"first"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				defer close(release)
				if c.middle == nil {
					c.middle = func(context.Context) error { <-release; return nil }
				}
				var taken []string
				take := func(what string) step {
					return step{what, func(context.Context) error { taken = append(taken, what); return nil }}
				}
				began := time.Now()
				err := drain(t.Context(), take("first"), step{"middle", c.middle}, take("last"))
				if took := time.Since(began); took != c.took {
					t.Errorf("took %s, want %s", took, c.took)
				}
				if (err == nil) != (c.want == "") || err != nil && err.Error() != c.want {
					t.Errorf("got %v, want %q", err, c.want)
				}
				if !slices.Equal(taken, c.taken) {
					t.Errorf("steps taken: %v", taken)
				}
			})
		})
	}
}
