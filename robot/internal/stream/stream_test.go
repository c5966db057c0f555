package stream_test

import (
	"context"
	"errors"
	"image"
	"io"
	"log/slog"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"go.uber.org/goleak"

	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/internal/quality"
	"wimz.dev/live/robot/internal/stream"
	"wimz.dev/live/robot/testpattern"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var settings = stream.Settings{Format: camera.Format{Width: 320, Height: 192, FPS: 15}, BitrateKbps: 300}

const frameTime = time.Second / 15

// inBubble runs a test with the synthetic camera and the real encoders, on a
// clock that moves when nobody has anything to do.
func inBubble(t *testing.T, f func(t *testing.T, s *stream.Stream, cam *counting)) {
	t.Helper()
	inBubbleOf(t, settings, f)
}

func inBubbleOf(t *testing.T, settings stream.Settings, f func(t *testing.T, s *stream.Stream, cam *counting)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cam := &counting{Source: camera.FromDriver(&camera.Synthetic{})}
		s := stream.New(cam, settings, slog.New(slog.DiscardHandler))
		defer s.Close()
		f(t, s, cam)
	})
}

// counting counts how often a camera is open.
type counting struct {
	camera.Source
	opened, closed, overlaps atomic.Int32
	fail                     atomic.Bool   // the next Read
	closing                  time.Duration // how long Close takes
}

func (c *counting) Open(ctx context.Context, f camera.Format) (camera.Reader, error) {
	r, err := c.Source.Open(ctx, f)
	if err != nil {
		return nil, err
	}
	if c.opened.Add(1) > c.closed.Load()+1 {
		c.overlaps.Add(1)
	}
	return &countingReader{Reader: r, camera: c, shut: make(chan struct{})}, nil
}

type countingReader struct {
	camera.Reader
	camera *counting
	gone   atomic.Bool
	shut   chan struct{}
}

func (r *countingReader) Read() (camera.Frame, error) {
	if r.camera.fail.Swap(false) {
		return camera.Frame{}, errors.New("cable pulled")
	}
	return r.Reader.Read()
}

func (r *countingReader) Close() error {
	if r.gone.Swap(true) {
		<-r.shut
		return nil
	}
	defer close(r.shut)
	err := r.Reader.Close()
	<-time.After(r.camera.closing)
	r.camera.closed.Add(1)
	return err
}

func subscribe(t *testing.T, s *stream.Stream, codec encode.Codec) *stream.Subscription {
	t.Helper()
	return subscribeTo(t, s, stream.Rendition{Codec: codec, Tier: quality.High})
}

func subscribeTo(t *testing.T, s *stream.Stream, r stream.Rendition) *stream.Subscription {
	t.Helper()
	sub, err := s.Subscribe(r)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func next(t *testing.T, sub *stream.Subscription) stream.Unit {
	t.Helper()
	u, err := sub.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestUnits(t *testing.T) {
	for codec, depacketizer := range map[encode.Codec]rtp.Depacketizer{
		encode.H264: &codecs.H264Packet{}, encode.VP8: &codecs.VP8Packet{},
	} {
		t.Run(string(codec), func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *stream.Stream, _ *counting) {
				sub := subscribe(t, s, codec)
				var last time.Time
				for i := range 20 {
					u := next(t, sub)
					var unit []byte
					for _, p := range u.Payloads {
						if len(p) > 1150 {
							t.Fatalf("payload of %d bytes", len(p))
						}
						part, err := depacketizer.Unmarshal(p)
						if err != nil {
							t.Fatal(err)
						}
						unit = append(unit, part...)
					}
					if u.Key != (i == 0) || encode.IsKeyFrame(codec, unit) != u.Key {
						t.Errorf("unit %d: key is %v, the bytes say %v", i, u.Key, encode.IsKeyFrame(codec, unit))
					}
					if i > 0 && u.Captured.Sub(last).Round(time.Millisecond) != frameTime.Round(time.Millisecond) {
						t.Errorf("unit %d: %v after the one before", i, u.Captured.Sub(last))
					}
					last = u.Captured
				}
			})
		})
	}
}

func TestViewersShareOneEncoder(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stream.Stream, cam *counting) {
		one, two := subscribe(t, s, encode.H264), subscribe(t, s, encode.H264)
		first := next(t, one)
		for u := next(t, two); !u.Captured.Equal(first.Captured); first = next(t, one) {
			if u.Captured.Before(first.Captured) {
				u = next(t, two)
			}
		}
		for range 5 {
			a, b := next(t, one), next(t, two)
			if &a.Payloads[0][0] != &b.Payloads[0][0] {
				t.Fatal("packetised twice")
			}
		}
		three := subscribe(t, s, encode.VP8)
		next(t, three)
		if n := s.Encoders(); n != 2 {
			t.Errorf("%d encoders for two codecs", n)
		}
		one.Close()
		next(t, two)
		two.Close()
		two.Close()
		if n := s.Encoders(); n != 1 {
			t.Errorf("%d encoders after the last H264 viewer", n)
		}
		three.Close()
		synctest.Wait()
		if s.Encoders() != 0 || cam.opened.Load() != 1 || cam.closed.Load() != 1 {
			t.Errorf("%d encoders, camera opened %d times and closed %d times",
				s.Encoders(), cam.opened.Load(), cam.closed.Load())
		}
	})
}

func TestJoiningViewerStartsWithAKeyFrame(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stream.Stream, _ *counting) {
		one, two := subscribe(t, s, encode.H264), subscribe(t, s, encode.H264)
		for range 10 {
			next(t, one)
		}
		synctest.Wait() // until the last one has been offered to both
		asked := time.Now()
		u := next(t, two)
		if waited := time.Since(asked); !u.Key || waited > frameTime+time.Millisecond {
			t.Errorf("after %v came a unit with key %v", waited, u.Key)
		}
		if two.Dropped() != 0 {
			t.Errorf("%d units dropped", two.Dropped())
		}
	})
}

func TestKeyFrameRequestsAreDeferred(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stream.Stream, _ *counting) {
		sub := subscribe(t, s, encode.H264)
		if !next(t, sub).Key {
			t.Fatal("the first is no key frame")
		}
		sub.RequestKeyFrame() // 66 ms later is too early, 133 ms is not
		for i, want := range []bool{false, true, false, false} {
			if got := next(t, sub).Key; got != want {
				t.Errorf("unit %d: key is %v", i+1, got)
			}
		}
	})
}

func TestSlowViewerHurtsOnlyItself(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stream.Stream, _ *counting) {
		quick, slow := subscribe(t, s, encode.VP8), subscribe(t, s, encode.VP8)
		next(t, quick)
		next(t, slow)
		missed := quick.Dropped()
		var last time.Time
		for i := range 45 {
			u := next(t, quick)
			if i > 0 && u.Captured.Sub(last) > frameTime+time.Millisecond {
				t.Errorf("the quick viewer missed a frame before %v", u.Captured)
			}
			last = u.Captured
		}
		if quick.Dropped() != missed || slow.Dropped() == 0 {
			t.Errorf("dropped: quick %d, slow %d", quick.Dropped(), slow.Dropped())
		}
		u := next(t, slow)
		if !u.Key || last.Sub(u.Captured) > 9*frameTime {
			t.Errorf("the slow viewer goes on with key %v, %v old", u.Key, last.Sub(u.Captured))
		}
	})
}

func TestHoldKeepsTheCamera(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stream.Stream, cam *counting) {
		release := s.Hold()
		sub := subscribe(t, s, encode.H264)
		next(t, sub)
		sub.Close()
		synctest.Wait()
		if cam.closed.Load() != 0 {
			t.Error("the camera was closed while held")
		}
		release()
		release()
		synctest.Wait()
		if cam.closed.Load() != 1 {
			t.Error("the camera was not closed")
		}
		next(t, subscribe(t, s, encode.H264))
		if cam.opened.Load() != 2 {
			t.Errorf("opened %d times", cam.opened.Load())
		}
	})
}

// TestCameraIsNeverOpenedTwice has a camera that takes its time to close, and a
// viewer who comes meanwhile.
func TestCameraIsNeverOpenedTwice(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stream.Stream, cam *counting) {
		cam.closing = 300 * time.Millisecond
		for range 3 {
			sub := subscribe(t, s, encode.H264)
			next(t, sub)
			sub.Close()
		}
		if cam.opened.Load() != 3 || cam.overlaps.Load() != 0 {
			t.Errorf("opened %d times, %d of them while open", cam.opened.Load(), cam.overlaps.Load())
		}
	})
}

func TestNextEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*stream.Stream, *stream.Subscription, context.CancelCauseFunc)
		want error
	}{
		"stream closed": {func(s *stream.Stream, _ *stream.Subscription, _ context.CancelCauseFunc) { s.Close() }, stream.ErrClosed},
		"viewer left":   {func(_ *stream.Stream, v *stream.Subscription, _ context.CancelCauseFunc) { v.Close() }, stream.ErrClosed},
		"context":       {func(_ *stream.Stream, _ *stream.Subscription, f context.CancelCauseFunc) { f(errLeft) }, errLeft},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *stream.Stream, _ *counting) {
				sub := subscribe(t, s, encode.H264)
				next(t, sub)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				ended := make(chan error)
				go func() {
					_, err := sub.Next(ctx)
					ended <- err
				}()
				synctest.Wait()
				c.end(s, sub, cancel)
				if err := <-ended; !errors.Is(err, c.want) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

var errLeft = errors.New("left")

func TestClosedStream(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stream.Stream, cam *counting) {
		s.Close()
		s.Close()
		s.Hold()()
		if _, err := s.Subscribe(stream.Rendition{Codec: encode.H264, Tier: quality.High}); !errors.Is(err, stream.ErrClosed) {
			t.Errorf("got %v", err)
		}
		if cam.opened.Load() != 0 {
			t.Error("the camera was opened")
		}
	})
	s := stream.New(nil, settings, slog.New(slog.DiscardHandler))
	defer s.Close()
	if _, err := s.Subscribe(stream.Rendition{Codec: "av1"}); err == nil {
		t.Error("subscribed to a codec that does not exist")
	}
}

// narrow is a camera whose pictures are not what it was asked for.
type narrow struct{}

func (narrow) Open(context.Context, camera.Format) (camera.Reader, error) { return narrow{}, nil }
func (narrow) Close() error                                               { return nil }

func (narrow) Read() (camera.Frame, error) {
	img := image.NewYCbCr(image.Rect(0, 0, 16, 16), image.YCbCrSubsampleRatio420)
	return camera.Frame{Image: img, Captured: time.Now(), Release: func() {}}, nil
}

func TestBrokenEncoderEndsItsViewers(t *testing.T) {
	s := stream.New(narrow{}, settings, slog.New(slog.DiscardHandler))
	defer s.Close()
	sub := subscribe(t, s, encode.H264)
	if _, err := sub.Next(t.Context()); err == nil || errors.Is(err, stream.ErrClosed) {
		t.Errorf("got %v", err)
	}
	sub.Close()
	if n := s.Encoders(); n != 0 {
		t.Errorf("%d encoders are left", n)
	}
}

// BenchmarkFanOut is what one 720p frame costs from the camera's hands to all
// viewers' hands, of the processor's time too; painting it is not counted in.
func BenchmarkFanOut(b *testing.B) {
	format := camera.Format{Width: 1280, Height: 720, FPS: 15}
	high, low := quality.High, quality.Low
	for name, tiers := range map[string][]quality.Tier{
		"one": {high}, "two": {high, high}, "two-different": {high, low},
	} {
		b.Run(name, func(b *testing.B) {
			frames := newLoop(b, format)
			s := stream.New(frames, stream.Settings{Format: format, BitrateKbps: 1500}, slog.New(slog.DiscardHandler))
			defer s.Close()
			subs := make([]*stream.Subscription, len(tiers))
			for i, tier := range tiers {
				var err error
				if subs[i], err = s.Subscribe(stream.Rendition{Codec: encode.H264, Tier: tier}); err != nil {
					b.Fatal(err)
				}
			}
			for _, sub := range subs { // the encoders are warm then
				for range 15 {
					_, _ = sub.Next(b.Context())
				}
			}
			b.ReportAllocs()
			before, shot := processorTime(b), frames.n.Load()
			for b.Loop() {
				for _, sub := range subs {
					if _, err := sub.Next(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(frames.n.Load()-shot), "cpu-µs/frame")
		})
	}
}

// processorTime is what this process has had so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// loop is a camera that shows a second of pictures over and over, each as soon
// as the one before has been released.
type loop struct {
	pictures []*image.YCbCr
	ready    chan struct{}
	closed   chan struct{}
	n        atomic.Int64
}

func newLoop(b *testing.B, f camera.Format) *loop {
	b.Helper()
	l := &loop{ready: make(chan struct{}, 1), closed: make(chan struct{})}
	l.ready <- struct{}{}
	painter := testpattern.NewPainter(f.Width, f.Height)
	for i := range f.FPS {
		img := image.NewYCbCr(image.Rect(0, 0, f.Width, f.Height), image.YCbCrSubsampleRatio420)
		at := time.Unix(0, 0).Add(time.Duration(i) * time.Second / time.Duration(f.FPS))
		painter.Draw(img, testpattern.Stamp{Number: uint32(i), Captured: at})
		l.pictures = append(l.pictures, img)
	}
	return l
}

func (l *loop) Open(context.Context, camera.Format) (camera.Reader, error) { return l, nil }

func (l *loop) Read() (camera.Frame, error) {
	select {
	case <-l.ready:
		n := int(l.n.Add(1))
		return camera.Frame{
			Image: l.pictures[n%len(l.pictures)], Captured: time.Now(),
			Release: func() { l.ready <- struct{}{} },
		}, nil
	case <-l.closed:
		return camera.Frame{}, io.EOF
	}
}

func (l *loop) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}
