package feedwire_test

import (
	"encoding/hex"
	"image"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/robot/internal/camera/internal/feedwire"
)

var hd = image.Pt(1280, 720)

func header(t *testing.T, text string) *[feedwire.HeaderLen]byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(b) != feedwire.HeaderLen {
		t.Fatalf("%s: %d bytes, %v", text, len(b), err)
	}
	return (*[feedwire.HeaderLen]byte)(b)
}

// TestDocumentedExample parses what README.md has as an example.
func TestDocumentedExample(t *testing.T) {
	text, err := os.ReadFile("../../../../camera/feed/README.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile(`(?m)^ {4}(57 49 4d 5a [0-9a-f ]+)$`).FindSubmatch(text)
	if example == nil {
		t.Fatal("there is no example")
	}
	h, err := feedwire.Parse(header(t, string(example[1])), hd, 100)
	want := feedwire.Header{Format: feedwire.BGR24, Size: hd, Detections: 77, Captured: 3600*time.Second + 250*time.Millisecond}
	if err != nil || h != want {
		t.Errorf("got %+v, %v", h, err)
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]struct {
		header feedwire.Header
		length int
	}{
		"57494d5a 01 00 0000 0000 0000 64000000 0000000000000000": {feedwire.Header{Detections: 100}, 0},
		"57494d5a 01 01 0005 d002 0000 00000000 0100000000000000": {
			feedwire.Header{Format: feedwire.BGR24, Size: hd, Captured: time.Microsecond}, 1280 * 720 * 3,
		},
		"57494d5a 01 02 0005 d002 0000 00000000 0000000000000000": {
			feedwire.Header{Format: feedwire.I420, Size: hd}, 1280 * 720 * 3 / 2,
		},
	} {
		h, err := feedwire.Parse(header(t, text), hd, 100)
		if err != nil || h != want.header || h.PictureLen() != want.length {
			t.Errorf("%s: %+v, %v; %d bytes", text, h, err, h.PictureLen())
		}
	}
	for text, want := range map[string]string{
		"00494d5a 01 01 0005 d002 0000 00000000 0000000000000000": "does not begin with WIMZ",
		"57494d5a 02 01 0005 d002 0000 00000000 0000000000000000": "version is 2; use 1",
		"57494d5a 01 03 0005 d002 0000 00000000 0000000000000000": "format is 3",
		"57494d5a 01 01 8002 e001 0000 00000000 0000000000000000": "size is 640x480; send 1280x720",
		"57494d5a 01 02 0000 0000 0000 00000000 0000000000000000": "size is 0x0; send 1280x720",
		"57494d5a 01 00 0005 d002 0000 00000000 0000000000000000": "use 0x0 for no picture",
		"57494d5a 01 01 0005 d002 0100 00000000 0000000000000000": "10 and 11",
		"57494d5a 01 01 0005 d002 0000 65000000 0000000000000000": "101 bytes of detections; send at most 100",
		"57494d5a 01 01 0005 d002 0000 ffffffff 0000000000000000": "4294967295 bytes",
		"57494d5a 01 01 0005 d002 0000 00000000 ffffffffffffffff": "time.monotonic_ns() // 1000",
	} {
		if h, err := feedwire.Parse(header(t, text), hd, 100); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v; want %q", text, h, err, want)
		}
	}
}

func TestAge(t *testing.T) {
	const now = time.Hour
	for captured, want := range map[time.Duration]time.Duration{
		0: 0, now: 0, now - 40*time.Millisecond: 40 * time.Millisecond, now + time.Second: 0, now - time.Minute: time.Minute,
		now + time.Second + 1: -1, now - time.Minute - 1: -1, 1 << 62: -1, 1: -1,
	} {
		got, err := feedwire.Header{Captured: captured}.Age(now)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("captured at %v: %v, %v; want %v", captured, got, err, want)
		}
	}
}

// FuzzParse looks for panics and for what passes although it is out of bounds.
func FuzzParse(f *testing.F) {
	f.Add([]byte("WIMZ\x01\x02\x40\x01\xc0\x00\x00\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) != feedwire.HeaderLen {
			return
		}
		h, err := feedwire.Parse((*[feedwire.HeaderLen]byte)(data), hd, 100)
		if err == nil && (h.PictureLen() > 1280*720*3 || h.Detections < 0 || h.Detections > 100 || h.Captured < 0) {
			t.Errorf("passed: %+v", h)
		}
	})
}
