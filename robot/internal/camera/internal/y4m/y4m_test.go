package y4m_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"wimz.dev/live/robot/internal/camera/internal/y4m"
)

func TestHeaders(t *testing.T) {
	for line, want := range map[string]y4m.Header{
		"YUV4MPEG2 W4 H2": {Width: 4, Height: 2},
		"YUV4MPEG2 H2 W4 F30000:1001 Ip A1:1 C420mpeg2 ":  {Width: 4, Height: 2, FPS: 30000.0 / 1001},
		"YUV4MPEG2 W4 H2 F0:0 C420jpeg XCOLORRANGE=FULL":  {Width: 4, Height: 2, FullRange: true},
		"YUV4MPEG2 W4 H2 F15:1 XYSCSS=420JPEG C420 XNOTE": {Width: 4, Height: 2, FPS: 15},
	} {
		r, err := y4m.NewReader(strings.NewReader(line + "\n"))
		if err != nil || r.Header != want {
			t.Errorf("%s: %+v, %v", line, r, err)
		}
	}
	for line, want := range map[string]string{
		"":                               "first line: EOF",
		"YUV4MPEG2":                      "first line: unexpected EOF",
		"\n":                             "no YUV4MPEG2",
		"YUV4MPEG3 W4 H2\n":              "no YUV4MPEG2",
		"YUV4MPEG2 W4\n":                 "4x0",
		"YUV4MPEG2 W4 H3\n":              "4x3; both must be even",
		"YUV4MPEG2 W-4 H2\n":             "-4x2",
		"YUV4MPEG2 W4098 H2\n":           "at most 4096",
		"YUV4MPEG2 Wx H2\n":              `"Wx"`,
		"YUV4MPEG2 W4 H2 F15\n":          `"F15"`,
		"YUV4MPEG2 W4 H2 F-15:1\n":       `"F-15:1"`,
		"YUV4MPEG2 W4 H2 C444\n":         "only 4:2:0",
		"YUV4MPEG2 W4 H2 C420p10\n":      "only 4:2:0",
		strings.Repeat("YUV4MPEG2", 200): "more than 1024 bytes",
	} {
		if r, err := y4m.NewReader(strings.NewReader(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %+v, %v; want %q", line, r, err, want)
		}
	}
}

func TestPictures(t *testing.T) {
	const header = "YUV4MPEG2 W4 H2 F15:1\n"
	for text, want := range map[string]struct {
		pictures string
		end      error
	}{
		"":                    {"", io.EOF},
		"FRAME\nabcdefghijkl": {"abcdefghijkl", io.EOF},
		"FRAME Ip\nabcdefghijklFRAME\nABCDEF\nHIJKL": {"abcdefghijklABCDEF\nHIJKL", io.EOF},
		"FRAME\nabcdefghijklFRAME\nABC":              {"abcdefghijkl", io.ErrUnexpectedEOF},
		"FRAME\nabcdefghijklFRAME\n":                 {"abcdefghijkl", io.ErrUnexpectedEOF},
		"FRAME\nabcdefghijklFRA":                     {"abcdefghijkl", io.ErrUnexpectedEOF},
	} {
		r, err := y4m.NewReader(iotest.OneByteReader(strings.NewReader(header + text)))
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		planes := make([]byte, r.Size())
		for err = r.Next(planes); err == nil; err = r.Next(planes) {
			got.Write(planes)
		}
		if got.String() != want.pictures || !errors.Is(err, want.end) {
			t.Errorf("%q: %q, %v", text, got.String(), err)
		}
	}
	r, err := y4m.NewReader(strings.NewReader(header + "FRAMES\nabcdefghijkl"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Next(make([]byte, 12)); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v", err)
	}
}

// FuzzReader looks for panics, and for pictures that are larger than they may be.
func FuzzReader(f *testing.F) {
	f.Add("YUV4MPEG2 W4 H2 F30000:1001 C420 XCOLORRANGE=FULL\nFRAME\nabcdefghijklFRAME x\nabc")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := y4m.NewReader(strings.NewReader(text))
		if err != nil {
			return
		}
		if r.Size() <= 0 || r.Size() > 4096*4096*3/2 || !(r.FPS >= 0) {
			t.Fatalf("passed: %+v", r.Header)
		}
		planes := make([]byte, r.Size())
		for r.Next(planes) == nil {
		}
	})
}
