package stream_test

import (
	"context"
	"errors"
	"image"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/internal/quality"
	"wimz.dev/live/robot/internal/stream"
	"wimz.dev/live/robot/testpattern"
)

// moody is a synthetic camera that can be made to stall, to lag and to break.
type moody struct {
	camera.Source

	mu      sync.Mutex
	opening time.Duration
	stalled chan struct{} // not nil: Read waits for it
	lag     time.Duration // how old its pictures are
	broken  error         // of Open and Read
}

func (m *moody) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

func (m *moody) mood() (stalled chan struct{}, lag time.Duration, broken error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stalled, m.lag, m.broken
}

func (m *moody) Open(ctx context.Context, f camera.Format) (camera.Reader, error) {
	if _, _, broken := m.mood(); broken != nil {
		return nil, broken
	}
	select {
	case <-time.After(m.opening):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r, err := m.Source.Open(ctx, f)
	return &moodyReader{Reader: r, camera: m, closed: make(chan struct{})}, err
}

type moodyReader struct {
	camera.Reader
	camera *moody
	closed chan struct{}
	once   sync.Once
}

func (r *moodyReader) Read() (camera.Frame, error) {
	stalled, lag, broken := r.camera.mood()
	if broken != nil {
		return camera.Frame{}, broken
	}
	if stalled != nil {
		select {
		case <-stalled:
		case <-r.closed:
			return camera.Frame{}, io.EOF
		}
	}
	frame, err := r.Reader.Read()
	frame.Captured = frame.Captured.Add(-lag)
	return frame, err
}

func (r *moodyReader) Close() error {
	r.once.Do(func() { close(r.closed) })
	return r.Reader.Close()
}

// sight is what one viewer sees: "live" for a stamped picture, "stand" for a
// placeholder, each with its time.
type sight struct {
	what string
	at   time.Time
	key  bool
}

func inMood(t *testing.T, m *moody, f func(t *testing.T, look func() sight, states func() []stream.CameraState)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m.Source = camera.FromDriver(&camera.Synthetic{})
		var mu sync.Mutex
		var states []stream.CameraState
		with := settings
		with.OnCamera = func(status stream.CameraStatus) {
			mu.Lock()
			defer mu.Unlock()
			states = append(states, status.State)
		}
		s := stream.New(m, with, slog.New(slog.DiscardHandler))
		defer s.Close()
		sub, eye := subscribe(t, s, encode.H264), newEye(t, encode.H264)
		look := func() sight {
			u := next(t, sub)
			if age := time.Since(u.Captured); age > 500*time.Millisecond {
				t.Errorf("a picture %v old", age)
			}
			if _, err := testpattern.Read(eye.see(t, u)); err != nil {
				return sight{"stand", u.Captured, u.Key}
			}
			return sight{"live", u.Captured, u.Key}
		}
		f(t, look, func() []stream.CameraState {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(states)
		})
	})
}

// until looks until there is what is meant, and returns how long that took.
func until(t *testing.T, look func() sight, what string) time.Duration {
	t.Helper()
	begin := time.Now()
	for range 100 {
		if look().what == what {
			return time.Since(begin)
		}
	}
	t.Fatalf("not %s", what)
	return 0
}

func expectStates(t *testing.T, got []stream.CameraState, want ...stream.CameraState) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("the apps were told %v, want %v", got, want)
	}
}

func TestSlowCameraBuffers(t *testing.T) {
	inMood(t, &moody{opening: 2 * time.Second}, func(t *testing.T, look func() sight, states func() []stream.CameraState) {
		begin := time.Now()
		first := look()
		if took := time.Since(begin); first.what != "stand" || !first.key || took > 600*time.Millisecond {
			t.Errorf("first came %+v after %v", first, took)
		}
		expectStates(t, states(), stream.CameraBuffering)
		n, last := 1, first.at
		for s := look(); s.what == "stand"; s = look() {
			if apart := s.at.Sub(last); apart < 200*time.Millisecond || apart > 500*time.Millisecond {
				t.Errorf("placeholders are %v apart", apart)
			}
			n, last = n+1, s.at
		}
		if took := time.Since(begin); n < 4 || took < 2*time.Second || took > 2100*time.Millisecond {
			t.Errorf("live after %d placeholders and %v", n, took)
		}
		expectStates(t, states(), stream.CameraBuffering, stream.CameraOK)
	})
}

func TestStalledCamera(t *testing.T) {
	m := &moody{}
	inMood(t, m, func(t *testing.T, look func() sight, states func() []stream.CameraState) {
		for range 5 {
			if look().what != "live" {
				t.Fatal("no live picture")
			}
		}
		expectStates(t, states())
		goOn := make(chan struct{})
		m.set(func() { m.stalled = goOn })
		if took := until(t, look, "stand"); took < 400*time.Millisecond || took > 700*time.Millisecond {
			t.Errorf("the last picture stayed for %v", took)
		}
		m.set(func() { m.stalled = nil })
		close(goOn)
		if took := until(t, look, "live"); took > 300*time.Millisecond {
			t.Errorf("live again after %v", took)
		}
		expectStates(t, states(), stream.CameraBuffering, stream.CameraOK)
	})
}

// TestLaggingCamera has a camera whose pictures come, at full rate, but too old,
// and then old but not too old.
func TestLaggingCamera(t *testing.T) {
	m := &moody{}
	inMood(t, m, func(t *testing.T, look func() sight, states func() []stream.CameraState) {
		look()
		m.set(func() { m.lag = 600 * time.Millisecond })
		until(t, look, "stand")
		for range 5 {
			if look().what != "stand" {
				t.Error("an old picture is shown as live")
			}
		}
		m.set(func() { m.lag = 300 * time.Millisecond })
		until(t, look, "live")
		last := look()
		for range 20 {
			s := look()
			if s.what != "live" || !s.at.After(last.at) {
				t.Errorf("%s, %v after the one before", s.what, s.at.Sub(last.at))
			}
			last = s
		}
		expectStates(t, states(), stream.CameraBuffering, stream.CameraOK)
	})
}

func TestLostCameraIsOpenedAgain(t *testing.T) {
	m := &moody{}
	inMood(t, m, func(t *testing.T, look func() sight, states func() []stream.CameraState) {
		look()
		m.set(func() { m.broken = errors.New("cable pulled") })
		until(t, look, "stand")
		for range 10 {
			if look().what != "stand" {
				t.Error("a live picture of a camera that is lost")
			}
		}
		m.set(func() { m.broken = nil })
		if took := until(t, look, "live"); took > 1200*time.Millisecond {
			t.Errorf("live again after %v", took)
		}
		expectStates(t, states(), stream.CameraLost, stream.CameraOK)
	})
}

func TestCameraLingers(t *testing.T) {
	with := settings
	with.Linger = 3 * time.Second
	inBubbleOf(t, with, func(t *testing.T, s *stream.Stream, cam *counting) {
		watch := func() {
			sub := subscribeTo(t, s, stream.Rendition{Codec: encode.H264, Tier: quality.High})
			next(t, sub)
			sub.Close()
			synctest.Wait()
		}
		expect := func(opened, closed int32) {
			t.Helper()
			synctest.Wait()
			if cam.opened.Load() != opened || cam.closed.Load() != closed {
				t.Errorf("opened %d times, closed %d times", cam.opened.Load(), cam.closed.Load())
			}
		}
		watch()
		<-time.After(2900 * time.Millisecond)
		expect(1, 0)
		watch()
		<-time.After(2900 * time.Millisecond)
		expect(1, 0)
		<-time.After(200 * time.Millisecond)
		expect(1, 1)
		watch()
		expect(2, 1)
	})
}

// timekeeper notes how long ago each placeholder says that the last picture was.
type timekeeper struct {
	marker

	said chan time.Duration
}

func (k *timekeeper) Placeholder(img *image.YCbCr, words string, since time.Duration) {
	k.marker.Placeholder(img, words, since)
	k.said <- since
}

// TestLastPicture: a camera that has given none yet has no last picture.
func TestLastPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stall := make(chan struct{})
		m := &moody{Source: camera.FromDriver(&camera.Synthetic{}), stalled: stall}
		k := &timekeeper{said: make(chan time.Duration, 100)}
		with := settings
		with.Painter = k
		s := stream.New(m, with, slog.New(slog.DiscardHandler))
		defer s.Close()
		sub := subscribe(t, s, encode.H264)
		next(t, sub)
		if since := <-k.said; since >= 0 {
			t.Errorf("before the first picture the last one was %v ago", since)
		}
		m.set(func() { m.stalled = nil })
		close(stall)
		for len(k.said) > 0 {
			<-k.said
		}
		for range 5 {
			next(t, sub)
		}
		m.set(func() { m.stalled = make(chan struct{}) })
		for since := range k.said {
			if next(t, sub); since >= 500*time.Millisecond && since < time.Second {
				break
			} else if since >= time.Second {
				t.Fatalf("the last picture was %v ago", since)
			}
		}
	})
}
