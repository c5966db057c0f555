package encode_test

import (
	"image"
	"sync"
	"testing"
	"time"

	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/testpattern"
	"wimz.dev/live/simapp/decode"
)

const fps = 15

// codecs are what every test runs on.
var codecs = []encode.Codec{encode.H264, encode.VP8}

// camera delivers the test picture, one frame per Read and no faster than it is
// read; its clock is the frame count.
type camera struct {
	painter *testpattern.Painter
	picture *image.YCbCr
	next    testpattern.Stamp
	before  func() // called at the start of each Read, if set
	during  func() // called when the encoder gives the picture back, if set
}

// painters are shared, by size: making one is slow.
var painters sync.Map

func newCamera(w, h int) *camera {
	size := image.Pt(w, h)
	shared, ok := painters.Load(size)
	if !ok {
		shared, _ = painters.LoadOrStore(size, testpattern.NewPainter(w, h))
	}
	painter, _ := shared.(*testpattern.Painter)
	return &camera{
		painter: painter,
		picture: image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420),
		next:    testpattern.Stamp{Captured: time.Unix(1_750_000_000, 0).UTC()},
	}
}

func (c *camera) Read() (image.Image, func(), error) {
	if c.before != nil {
		c.before()
	}
	c.painter.Draw(c.picture, c.next)
	c.next.Number++
	c.next.Captured = c.next.Captured.Add(time.Second / fps).Truncate(time.Microsecond)
	release := func() {}
	if c.during != nil {
		release = c.during
	}
	return c.picture, release, nil
}

func settings(c encode.Codec, w, h, kbps int) encode.Settings {
	return encode.Settings{Codec: c, Width: w, Height: h, FPS: fps, BitrateKbps: kbps}
}

func open(t testing.TB, source *camera, s encode.Settings) *encode.Encoder {
	t.Helper()
	encoder, err := encode.New(source, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = encoder.Close() })
	return encoder
}

// read returns the next access unit, in memory of its own.
func read(t testing.TB, e *encode.Encoder) []byte {
	t.Helper()
	data, release, err := e.Read()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	return append([]byte(nil), data...)
}

// sizes encodes n frames and returns their sizes in bytes.
func sizes(t testing.TB, e *encode.Encoder, n int) []int {
	t.Helper()
	all := make([]int, n)
	for i := range all {
		all[i] = len(read(t, e))
	}
	return all
}

func sum(all []int) int {
	total := 0
	for _, n := range all {
		total += n
	}
	return total
}

// kbps is the bit rate of frames of the given sizes.
func kbps(all []int) float64 {
	return float64(sum(all)) * 8 * fps / float64(len(all)) / 1000
}

func newDecoder(t testing.TB, c encode.Codec) *decode.Decoder {
	t.Helper()
	decoder, err := decode.New(string(c))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(decoder.Close)
	return decoder
}

func decoded(t testing.TB, d *decode.Decoder, unit []byte) *image.YCbCr {
	t.Helper()
	picture, err := d.Decode(unit)
	if err != nil {
		t.Fatal(err)
	}
	if picture == nil {
		t.Fatal("no picture came out")
	}
	return picture
}
