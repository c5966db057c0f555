package stream_test

import (
	"context"
	"image"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/internal/quality"
	"wimz.dev/live/robot/internal/stream"
	"wimz.dev/live/robot/testpattern"
	"wimz.dev/live/simapp/decode"
)

// eye decodes what a subscription gets.
type eye struct {
	decoder *decode.Decoder
	joiner  rtp.Depacketizer
}

func newEye(t testing.TB, codec encode.Codec) *eye {
	t.Helper()
	decoder, err := decode.New(string(codec))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(decoder.Close)
	e := &eye{decoder, &codecs.H264Packet{}}
	if codec == encode.VP8 {
		e.joiner = &codecs.VP8Packet{}
	}
	return e
}

// see returns the picture of a unit, valid until the next call.
func (e *eye) see(t testing.TB, u stream.Unit) *image.YCbCr {
	t.Helper()
	var data []byte
	for _, p := range u.Payloads {
		part, err := e.joiner.Unmarshal(p)
		if err != nil {
			t.Fatal(err)
		}
		data = append(data, part...)
	}
	picture, err := e.decoder.Decode(data)
	if err != nil || picture == nil {
		t.Fatalf("the unit of %v does not decode: %v", u.Captured, err)
	}
	return picture
}

// TestMoveShowsEveryPicture takes a viewer up and down the ladder: the size
// changes at a key frame, one decoder follows, and each of the camera's pictures
// comes, in order. Where the renditions meet one may come in both.
func TestMoveShowsEveryPicture(t *testing.T) {
	for _, codec := range []encode.Codec{encode.H264, encode.VP8} {
		t.Run(string(codec), func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *stream.Stream, _ *counting) {
				sub, eye := subscribe(t, s, codec), newEye(t, codec)
				var number uint32
				var last time.Time
				show := func() (size image.Point) {
					u := next(t, sub)
					picture := eye.see(t, u)
					stamp, err := testpattern.Read(picture)
					if err != nil {
						t.Fatal(err)
					}
					met := u.Key && stamp.Number == number
					if number > 0 && stamp.Number != number+1 && !met || !u.Captured.After(last) {
						t.Errorf("picture %d follows %d, %v later", stamp.Number, number, u.Captured.Sub(last))
					}
					number, last = stamp.Number, u.Captured
					return picture.Rect.Max
				}
				show()
				for _, tier := range []quality.Tier{quality.Low, quality.High, quality.Medium, quality.Low} {
					move(t, sub, stream.Rendition{Codec: codec, Tier: tier})
					for n := 0; show() != s.Ladder()[tier].Size; n++ {
						if n > 5 {
							t.Fatalf("still not %v", tier)
						}
					}
					show()
				}
				synctest.Wait()
				if n := s.Encoders(); n != 1 {
					t.Errorf("%d encoders for one viewer", n)
				}
			})
		})
	}
}

func move(t *testing.T, sub *stream.Subscription, r stream.Rendition) {
	t.Helper()
	if err := sub.Move(r); err != nil {
		t.Fatal(err)
	}
}

func TestEncodersRunWhileSomebodyWatches(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stream.Stream, _ *counting) {
		high := stream.Rendition{Codec: encode.H264, Tier: quality.High}
		low := stream.Rendition{Codec: encode.H264, Tier: quality.Low}
		expect := func(what string, want int) {
			t.Helper()
			synctest.Wait()
			if n := s.Encoders(); n != want {
				t.Errorf("%s: %d encoders, want %d", what, n, want)
			}
		}
		one, two := subscribeTo(t, s, high), subscribeTo(t, s, low)
		next(t, one)
		next(t, two)
		expect("two different viewers", 2)
		move(t, two, high)
		expect("on the way", 2)
		move(t, two, low)
		for range 3 {
			if next(t, two); two.Rendition() != low {
				t.Error("the viewer has changed its mind")
			}
		}
		move(t, two, high)
		for range 3 {
			next(t, two)
		}
		expect("two equal viewers", 1)
		move(t, one, low)
		one.Close()
		expect("left on the way", 1)
		two.Close()
		expect("nobody", 0)
	})
}

// marker draws one white corner, and counts.
type marker struct{ draws, placeholders atomic.Int32 }

func (m *marker) Draw(img *image.YCbCr, _ time.Time) {
	m.draws.Add(1)
	fillCorner(img, 235)
}

func (m *marker) Placeholder(img *image.YCbCr, _ string, _ time.Duration) {
	m.placeholders.Add(1)
	for i := range img.Y {
		img.Y[i] = 90
	}
}

func fillCorner(img *image.YCbCr, luma byte) {
	for y := range img.Rect.Dy() / 4 {
		for x := range img.Rect.Dx() / 4 {
			img.Y[y*img.YStride+x] = luma
		}
	}
}

func corner(img *image.YCbCr) byte { return img.Y[img.Rect.Dy()/8*img.YStride+img.Rect.Dx()/8] }

// TestOverlayForSomeOnly has viewers with and without the overlay, in two sizes.
func TestOverlayForSomeOnly(t *testing.T) {
	m := &marker{}
	with := settings
	with.Painter = m
	inBubbleOf(t, with, func(t *testing.T, s *stream.Stream, _ *counting) {
		type watcher struct {
			*stream.Subscription
			*eye
			overlay bool
		}
		var watchers []watcher
		for _, overlay := range []bool{true, false} {
			for _, tier := range []quality.Tier{quality.High, quality.Low} {
				sub := subscribeTo(t, s, stream.Rendition{Codec: encode.H264, Tier: tier, Overlay: overlay})
				watchers = append(watchers, watcher{sub, newEye(t, encode.H264), overlay})
			}
		}
		for range 5 {
			for _, w := range watchers {
				if luma := corner(w.see(t, next(t, w.Subscription))); (luma > 220) != w.overlay {
					t.Errorf("%v: the corner has luma %d", w.Rendition(), luma)
				}
			}
		}
		for _, w := range watchers[:2] {
			w.Close()
		}
		synctest.Wait()
		before := m.draws.Load()
		if before == 0 || before > 10 {
			t.Errorf("drawn %d times for 5 pictures", before)
		}
		for range 5 {
			next(t, watchers[2].Subscription)
		}
		if n := m.draws.Load() - before; n > 0 {
			t.Errorf("drawn %d times for nobody", n)
		}
	})
}

// TestPause: who pauses alone goes on with a key frame; with all of them the
// encoder rests, and goes on where it was.
func TestPause(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stream.Stream, _ *counting) {
		one, two := subscribe(t, s, encode.H264), subscribe(t, s, encode.H264)
		waits := func(sub *stream.Subscription) bool {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := sub.Next(ctx)
			return err != nil
		}
		next(t, one)
		next(t, two)
		synctest.Wait()
		one.Pause(true)
		for range 15 {
			next(t, two)
		}
		for range 2 { // what was on its way
			if u := next(t, two); u.Key {
				t.Error("a key frame for nobody")
			}
		}
		if !waits(one) {
			t.Error("who pauses gets something")
		}
		one.Pause(false)
		if u := next(t, one); !u.Key {
			t.Error("it goes on with what cannot be decoded")
		}
		two.Close()
		synctest.Wait()
		last := next(t, one)
		one.Pause(true)
		synctest.Wait()
		for n := 0; !waits(one); n++ { // what was on its way
			if n > 2 {
				t.Fatal("who pauses gets more and more")
			}
		}
		one.Pause(false)
		if u := next(t, one); u.Key || u.Captured.Sub(last.Captured) < time.Second {
			t.Errorf("it goes on with key %v, %v later", u.Key, u.Captured.Sub(last.Captured))
		}
	})
}
