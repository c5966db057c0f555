package camera_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/robot/internal/camera"
)

var errLoose = errors.New("the cable is loose")

// loose is a camera that is lost a while after it was opened, or never opens.
type loose struct {
	lives  time.Duration // 0: Open fails
	opened []time.Duration
	begin  time.Time
	end    error
}

func (l *loose) Open(context.Context, camera.Format) (camera.Reader, error) {
	l.opened = append(l.opened, time.Since(l.begin))
	if l.lives == 0 {
		return nil, errLoose
	}
	return l, nil
}

func (l *loose) Read() (camera.Frame, error) {
	<-time.After(l.lives)
	return camera.Frame{}, l.end
}

func (l *loose) Close() error { return nil }

func TestPatience(t *testing.T) {
	for name, c := range map[string]struct {
		lives time.Duration
		end   error
		want  string // when it is opened
	}{
		"never opens":       {0, errLoose, "[0s 0s 1s 3s 7s 15s 23s]"},
		"lost soon":         {time.Second, errLoose, "[0s 1s 3s 6s 11s 20s 29s]"},
		"lost now and then": {time.Minute, errLoose, "[0s 1m0s 2m0s 3m0s 4m0s 5m0s 6m0s]"},
		"closed":            {time.Second, io.EOF, "[0s 1s 2s 3s 4s 5s 6s]"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &loose{lives: c.lives, end: c.end, begin: time.Now()}
				source := camera.Patient(l)
				for range 7 {
					if r, err := source.Open(t.Context(), small); err == nil {
						_, _ = r.Read()
					}
				}
				if got := fmt.Sprint(l.opened); got != c.want {
					t.Errorf("opened at %s, want %s", got, c.want)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		source := camera.Patient(&loose{begin: time.Now()})
		for range 2 {
			_, _ = source.Open(ctx, small)
		}
		if _, err := source.Open(ctx, small); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it did not give up: %v", err)
		}
	})
}

// slow is a camera that is never ready in time.
type slow struct{ opened int }

func (s *slow) Open(ctx context.Context, _ camera.Format) (camera.Reader, error) {
	s.opened++
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestPatienceWithViewersWhoLeave: that nobody waited for it is no failure of a camera.
func TestPatienceWithViewersWhoLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{}
		source := camera.Patient(s)
		for range 5 {
			ctx, leave := context.WithTimeout(t.Context(), time.Millisecond)
			_, _ = source.Open(ctx, small)
			leave()
		}
		if s.opened != 5 {
			t.Errorf("it was opened for %d of 5 viewers", s.opened)
		}
	})
}
