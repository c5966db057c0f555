package camera_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/config"
	"wimz.dev/live/robot/internal/detect"
)

// feed is a camera that waits for a sender.
type feed struct {
	*testing.T
	camera.Source
	board  detect.Board
	socket string
}

func newFeed(t *testing.T) *feed {
	t.Helper()
	t.Parallel()
	f := &feed{T: t, socket: filepath.Join(t.TempDir(), "s")}
	c := config.Camera{Source: "feed", Feed: config.Feed{Socket: f.socket}}
	var err error
	if f.Source, err = camera.New(c, &f.board, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- camera.Serve(ctx, f.Source, small) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(f.socket); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket is left: %v", err)
		}
	})
	return f
}

func (f *feed) open() camera.Reader {
	f.Helper()
	r, err := f.Open(f.Context(), small)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = r.Close() })
	return r
}

// program is one that sends.
type program struct {
	*testing.T
	net.Conn
	lines *bufio.Scanner
}

// dial connects when the robot listens, and hears what it wants.
func (f *feed) dial() *program {
	f.Helper()
	var dialer net.Dialer
	for begin := time.Now(); ; {
		conn, err := dialer.DialContext(f.Context(), "unix", f.socket)
		if err == nil {
			f.Cleanup(func() { _ = conn.Close() })
			p := &program{f.T, conn, bufio.NewScanner(conn)}
			p.hears(`{"fps":15,"height":192,"version":1,"width":320}`)
			return p
		}
		if time.Since(begin) > patience {
			f.Fatal(err)
		}
	}
}

func (p *program) hears(words string) {
	p.Helper()
	_ = p.SetReadDeadline(time.Now().Add(patience))
	if !p.lines.Scan() || !strings.Contains(p.lines.Text(), words) {
		p.Fatalf("heard %q, %v; want %q", p.lines.Text(), p.lines.Err(), words)
	}
}

func (p *program) isHungUp() {
	p.Helper()
	_ = p.SetReadDeadline(time.Now().Add(patience))
	if p.lines.Scan() || errors.Is(p.lines.Err(), os.ErrDeadlineExceeded) {
		p.Fatalf("heard %q, %v", p.lines.Text(), p.lines.Err())
	}
}

// message is a header with what follows.
func message(format byte, captured int64, detections string, picture []byte) []byte {
	b := []byte{'W', 'I', 'M', 'Z', 1, format, 0, 0, 0, 0, 0, 0}
	if format != 0 {
		binary.LittleEndian.PutUint16(b[6:], uint16(small.Width))
		binary.LittleEndian.PutUint16(b[8:], uint16(small.Height))
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(detections)))
	b = binary.LittleEndian.AppendUint64(b, uint64(captured))
	return append(append(b, detections...), picture...)
}

func (p *program) sends(b []byte) {
	p.Helper()
	if _, err := p.Write(b); err != nil {
		p.Fatal(err)
	}
}

// picture is one of a single value in all its bytes.
func picture(format byte, value byte) []byte {
	return bytes.Repeat([]byte{value}, small.Width*small.Height*3/int(format))
}

func micros(t *testing.T) int64 {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		t.Fatal(err)
	}
	return now.Nano() / 1000
}

func TestFeed(t *testing.T) {
	f := newFeed(t)
	p, r := f.dial(), f.open()
	if info, err := os.Stat(f.socket); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("socket: %v, %v", info, err)
	}
	for _, c := range []struct{ format, value, luma, chroma byte }{
		{2, 77, 77, 77}, {1, 200, 200, 128}, {2, 0, 0, 0}, {1, 255, 255, 128},
	} {
		begin := time.Now()
		p.sends(message(c.format, micros(t)-100_000, `{"mode":"m","objects":[{"box":[0,0,1,1]}]}`, picture(c.format, c.value)))
		frame, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		img := frame.Image
		if img.Y[0] != c.luma || img.Y[len(img.Y)-1] != c.luma || img.Cb[0] != c.chroma || img.Cr[len(img.Cr)-1] != c.chroma {
			t.Errorf("%+v: luma %d, chroma %d", c, img.Y[0], img.Cb[0])
		}
		age := begin.Sub(frame.Captured)
		if set := f.board.Newest(); age > 101*time.Millisecond || age < 100*time.Millisecond-time.Since(begin) ||
			set.At != frame.Captured || set.Mode != "m" || len(set.Objects) != 1 {
			t.Errorf("captured %v before it was sent, detections of %v", age, set.At)
		}
		frame.Release()
		begin = begin.Add(time.Second / 15)
		<-time.After(time.Until(begin)) // as often as is asked for
	}
}

func TestFeedTakesDetectionsWhileItIsClosed(t *testing.T) {
	f := newFeed(t)
	p := f.dial()
	p.sends(message(2, 0, "", picture(2, 1))) // thrown away
	p.sends(message(0, 0, `{"age_ms":"x"}`, nil))
	p.hears(`"error":"the line is not a JSON object`)
	p.sends(message(0, 0, `{"mode":"closed"}`, nil))
	p.sends(message(0, 0, `[]`, nil)) // answered when what was before has been taken
	p.hears(`"error"`)
	if set := f.board.Newest(); set.Mode != "closed" || time.Since(set.At) > patience {
		t.Errorf("got %+v", set)
	}
}

func TestFeedRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		message []byte
		want    string
	}{
		"other bytes":    {[]byte(strings.Repeat("GET / HTTP/1.1\r\n", 2)), "does not begin with WIMZ"},
		"another size":   {append([]byte{'W', 'I', 'M', 'Z', 1, 1, 2}, make([]byte, 17)...), "size is 2x0; send 320x192"},
		"the wall clock": {message(2, time.Now().UnixMicro(), "", nil), "captured is no time of CLOCK_MONOTONIC"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFeed(t)
			camera.SetSilence(f.Source, 100*time.Millisecond)
			p := f.dial()
			p.sends(c.message)
			p.hears(c.want)
			if !strings.Contains(p.lines.Text(), `"fatal":true`) {
				t.Errorf("heard %s", p.lines.Text())
			}
			p.isHungUp()
			if _, err := f.open().Read(); err == nil || !strings.Contains(err.Error(), "was refused: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Read: %v", err)
			}
		})
	}
}

func TestNewerSenderReplacesTheOlder(t *testing.T) {
	f := newFeed(t)
	r := f.open()
	older := f.dial()
	older.sends(message(2, 0, "", picture(2, 1))[:1000]) // in the middle of a picture
	newer := f.dial()
	older.hears(`"error":"a newer sender has connected","fatal":true`)
	older.isHungUp()
	newer.sends(message(2, 0, "", picture(2, 2)))
	if frame, err := r.Read(); err != nil || frame.Image.Y[0] != 2 {
		t.Errorf("got %v, %v", frame.Image, err)
	}
}

func TestFeedThatIsSilent(t *testing.T) {
	f := newFeed(t)
	camera.SetSilence(f.Source, 100*time.Millisecond)
	r := f.open()
	if _, err := r.Read(); err == nil || !strings.Contains(err.Error(), "no program sends pictures to "+f.socket) {
		t.Errorf("without a sender: %v", err)
	}
	_ = r.Close()
	f.dial()
	again := f.open()
	if _, err := again.Read(); err == nil || !strings.Contains(err.Error(), "sends no pictures") {
		t.Errorf("with a silent sender: %v", err)
	}
	if _, err := f.Open(t.Context(), small); err == nil {
		t.Error("opened twice")
	}
	if err := errors.Join(again.Close(), again.Close()); err != nil {
		t.Error(err)
	}
	if _, err := again.Read(); !errors.Is(err, io.EOF) {
		t.Errorf("Read after Close: %v", err)
	}
}

// TestSenderThatComesBack ends in the middle of a picture and is made anew.
func TestSenderThatComesBack(t *testing.T) {
	f := newFeed(t)
	r := f.open()
	first := f.dial()
	first.sends(message(1, 0, "", picture(1, 1))[:100_000])
	_ = first.Close()
	f.dial().sends(message(1, 0, "", picture(1, 3)))
	if frame, err := r.Read(); err != nil || frame.Image.Y[0] != 3 {
		t.Errorf("got %v, %v", frame.Image, err)
	}
}

func TestFeedNeedsItsSocket(t *testing.T) {
	c := config.Camera{Source: "feed", Feed: config.Feed{Socket: "/no/such/dir/s"}}
	source, err := camera.New(c, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err = camera.Serve(t.Context(), source, small); err == nil || !strings.Contains(err.Error(), "see camera.feed.socket") {
		t.Errorf("got %v", err)
	}
}

func TestPace(t *testing.T) {
	for rate, want := range map[int]int{15: 45, 10: 30, 30: 45, 20: 45, 25: 45, 60: 45, 14: 42} {
		due, begin, shown := camera.NewPace(15), time.Now(), 0
		for i := range 3 * rate {
			jitter := time.Duration(i%3-1) * 5 * time.Millisecond
			if due(begin.Add(time.Duration(i)*time.Second/time.Duration(rate) + jitter)) {
				shown++
			}
		}
		if shown < want-1 || shown > want+1 {
			t.Errorf("of %d a second, %d were shown in three seconds, want %d", rate, shown, want)
		}
	}
	due, begin := camera.NewPace(15), time.Now()
	for _, at := range []time.Duration{0, time.Hour, time.Second} { // it goes on after any jump
		if !due(begin.Add(at)) {
			t.Errorf("nothing at %v", at)
		}
	}
}

// BenchmarkFeed is what a picture of 720p costs, in BGR.
func BenchmarkFeed(b *testing.B) {
	dir := b.TempDir()
	source, err := camera.New(config.Camera{Source: "feed", Feed: config.Feed{Socket: dir + "/s"}}, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	hd := camera.Format{Width: 1280, Height: 720, FPS: 60}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- camera.Serve(ctx, source, hd) }()
	var conn net.Conn
	for conn == nil {
		conn, _ = (&net.Dialer{}).DialContext(ctx, "unix", dir+"/s")
	}
	r, err := source.Open(ctx, hd)
	if err != nil {
		b.Fatal(err)
	}
	one := append([]byte("WIMZ\x01\x01\x00\x05\xd0\x02"), make([]byte, 14+1280*720*3)...)
	now, err := camera.Monotonic()
	if err != nil {
		b.Fatal(err)
	}
	captured := uint64(now.Microseconds()) - 50e6
	b.ReportAllocs()
	for b.Loop() {
		captured += 16_667
		binary.LittleEndian.PutUint64(one[16:], captured)
		if _, err = conn.Write(one); err != nil {
			b.Fatal(err)
		}
		frame, err := r.Read()
		if err != nil {
			b.Fatal(err)
		}
		frame.Release()
	}
	cancel()
	if err := errors.Join(<-ended, r.Close(), conn.Close()); err != nil {
		b.Fatal(err)
	}
}
