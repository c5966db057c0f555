package simapp

import (
	"context"
	"image"
	"log/slog"
	"slices"
	"testing"
	"time"

	"wimz.dev/live/robot/testpattern"
	"wimz.dev/live/simapp/decode"
	"wimz.dev/live/simapp/internal/assemble"
)

// decoding starts a stream's decoding goroutine without a connection. It
// returns the numbers of the pictures that come out.
func decoding(t *testing.T, o Options) (*stream, <-chan uint32) {
	t.Helper()
	decoder, err := decode.New("h264")
	if err != nil {
		t.Fatal(err)
	}
	shown := make(chan uint32, 100)
	v := &Viewing{
		log: slog.New(slog.DiscardHandler), inbox: make(chan func(), inboxLen),
		phases: make(map[Phase]float64), changed: make(chan struct{}), asked: time.Now(),
		opts: o,
	}
	v.opts.OnPicture = func(picture *image.YCbCr) {
		if stamp, err := testpattern.Read(picture); err == nil {
			shown <- stamp.Number
		}
	}
	v.life, v.end = context.WithCancelCause(t.Context())
	s := &stream{
		viewing: v, codec: "h264", decoder: decoder, keys: newKeyRequester(func() {}),
		units: make(chan assemble.Unit, unitsLen),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.decode(v.life)
	}()
	t.Cleanup(func() {
		v.end(ErrClosed)
		<-ended
	})
	return s, shown
}

// unit codes the picture with a number.
func unit(e *rawH264, number uint32, key, afterLoss bool) assemble.Unit {
	img := image.NewYCbCr(image.Rect(0, 0, 160, 96), image.YCbCrSubsampleRatio420)
	testpattern.NewPainter(160, 96).Draw(img, testpattern.Stamp{Number: number, Captured: time.Now()})
	return assemble.Unit{Data: e.encode(img, key), Key: key, AfterLoss: afterLoss}
}

func TestDecodingGoesOnWithAKeyFrame(t *testing.T) {
	handed := make(chan Coded, 10)
	s, shown := decoding(t, Options{OnCoded: func(c Coded) { handed <- c }})
	var e rawH264
	for _, u := range []assemble.Unit{
		unit(&e, 1, false, false), // joined in the middle
		unit(&e, 2, true, false),
		unit(&e, 3, false, false),
		unit(&e, 4, false, true), // something is missing before it
		unit(&e, 5, false, false),
	} {
		s.units <- u
	}
	if got := []uint32{<-shown, <-shown}; !slices.Equal(got, []uint32{2, 3}) {
		t.Errorf("shown %v, want 2 and 3", got)
	}
	<-s.keys.waiting // a key frame is asked for
	s.units <- unit(&e, 6, true, false)
	s.units <- assemble.Unit{Data: []byte{0, 0, 0, 1, 0x65, 0xff}} // damaged
	s.units <- unit(&e, 8, false, false)
	s.units <- unit(&e, 9, true, true)
	if got := []uint32{<-shown, <-shown}; !slices.Equal(got, []uint32{6, 9}) {
		t.Errorf("shown %v, want 6 and 9", got)
	}
	for i, key := range []bool{true, false, true, true} { // 2, 3, 6 and 9
		if c := <-handed; c.Key != key || c.Codec != "h264" || c.Size != image.Pt(160, 96) || len(c.Data) == 0 {
			t.Errorf("handed on as number %d: key %v, %s, %v, %d bytes", i, c.Key, c.Codec, c.Size, len(c.Data))
		}
	}
}

func TestSlowDecoderDropsUpToTheNextKeyFrame(t *testing.T) {
	s := &stream{units: make(chan assemble.Unit, unitsLen)}
	for i := range unitsLen + 1 {
		s.queue(assemble.Unit{Timestamp: uint32(i)})
	}
	if len(s.units) != 1 {
		t.Fatalf("%d units wait", len(s.units))
	}
	if u := <-s.units; u.Timestamp != unitsLen || !u.AfterLoss {
		t.Errorf("what is left is %+v", u)
	}
}
