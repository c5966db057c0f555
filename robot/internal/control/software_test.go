package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
)

// patience bounds what a test waits for; nothing that goes right takes so long.
const patience = 20 * time.Second

// house is a wheel whose software listens on a socket.
type house struct {
	*Wheel
	t    *testing.T
	path string
	stop func()

	mu     sync.Mutex
	events []wire.Message
	fault  error // of the relay
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, path: filepath.Join(t.TempDir(), "control.sock")}
	ctx, cancel := context.WithCancel(t.Context())
	software, err := Listen(ctx, h.path, h.event, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h.Wheel = NewWheel(software)
	var serving sync.WaitGroup
	serving.Go(func() { software.Serve(ctx) })
	h.stop = sync.OnceFunc(func() { h.Close(); cancel(); serving.Wait() })
	t.Cleanup(h.stop)
	return h
}

func (h *house) event(m wire.Message) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fault == nil {
		h.events = append(h.events, m)
	}
	return h.fault
}

// reader is a program on the socket.
type reader struct {
	*net.UnixConn
	t     *testing.T
	lines *bufio.Scanner
}

const helloLine = `{"command":"stop","from":"robot","reason":"the robot's software has connected"}`

// connect returns a program that has read its first line.
func (h *house) connect() *reader {
	h.t.Helper()
	return h.connectTo(helloLine)
}

func (h *house) connectTo(first string) *reader {
	h.t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: h.path, Net: "unix"})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close() })
	if err = conn.SetDeadline(time.Now().Add(patience)); err != nil {
		h.t.Fatal(err)
	}
	r := &reader{conn, h.t, bufio.NewScanner(conn)}
	r.expect(first)
	return r
}

func (r *reader) expect(want ...string) {
	r.t.Helper()
	for _, line := range want {
		if !r.lines.Scan() || r.lines.Text() != line {
			r.t.Fatalf("read %q, %v; want %q", r.lines.Text(), r.lines.Err(), line)
		}
	}
}

func (r *reader) expectEnd() {
	r.t.Helper()
	if r.lines.Scan() || r.lines.Err() != nil {
		r.t.Fatalf("read %q, %v; want the end", r.lines.Text(), r.lines.Err())
	}
}

func (r *reader) write(lines string) {
	r.t.Helper()
	if _, err := io.WriteString(r, lines); err != nil {
		r.t.Fatal(err)
	}
}

func (h *house) until(what string, holds func() bool) {
	h.t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(ms) { //nolint:forbidigo // polling
		if time.Now().After(end) {
			h.t.Fatalf("waited in vain until %s", what)
		}
	}
}

func TestCommandsAreRead(t *testing.T) {
	h := newHouse(t)
	if info, err := os.Stat(h.path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket: %v, %v", info, err)
	}
	r := h.connect()
	d := h.Driver(FromViewer, func(a Ack) { t.Errorf("told %+v", a) })
	d.Command("set_mode", []byte(`{"mode":"idle"}`))
	r.expect(`{"command":"set_mode","data":{"mode":"idle"},"from":"viewer"}`)
	d.Drive(ahead)
	r.expect(aheadLine)
	r.expect(deadLine)
	h.stop()
	r.expect(`{"command":"stop","from":"robot","reason":"the robot's program ends"}`)
	r.expectEnd()
	if _, err := os.Stat(h.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}

func TestTheNewestProgramCounts(t *testing.T) {
	h := newHouse(t)
	first := h.connect()
	second := h.connect()
	first.expectEnd()
	d := h.Driver(FromViewer, func(Ack) {})
	d.Stop(Stop)
	second.expect(stopLine)
	_ = second.Close()
	h.until("it is noticed", func() bool { return !h.software.Stats().Connected })
	third := h.connect()
	d.Stop(EmergencyStop)
	third.expect(alarmLine)
}

func TestEventsAreSent(t *testing.T) {
	h := newHouse(t)
	r := h.connect()
	r.write(`{"event":"bark","data":{"dogs":["Elsa"]}}` + "\n\n" + `{"type":"battery","level":78}` + "\r\n")
	h.until("both have come", func() bool { return h.software.Stats().EventsSent == 2 })
	want := []string{`{"event":"bark","data":{"dogs":["Elsa"]}}`, `{"type":"battery","level":78}`}
	for i, m := range h.events {
		if got := string(wire.Encode(m)); got != want[i] {
			t.Errorf("sent %s, want %s", got, want[i])
		}
	}
	for _, c := range []struct{ line, want string }{
		{`battery`, `{"error":"a message is a JSON object"}`},
		{`{"type":"webrtc_close","session_id":"s1"}`, `{"error":"it is no event; see robot/control/README.md"}`},
		{`{"type":"hello"}`, `{"error":"it is no event; see robot/control/README.md"}`},
		{`{"type":"nonsense"}`, `{"error":"it is no event; see robot/control/README.md"}`},
		{`{"type":"webrtc_offer"}`, `{"error":"webrtc_offer: lacks a field"}`},
	} {
		r.write(c.line + "\n")
		r.expect(c.want)
	}
	h.mu.Lock()
	h.fault = client.ErrOffline
	h.mu.Unlock()
	r.write(want[0] + "\n")
	r.expect(`{"error":"not connected to the relay"}`)
	if s := h.software.Stats(); s.EventsDropped != 6 || s.EventsSent != 2 || len(h.events) != 2 {
		t.Errorf("stats: %+v, events: %v", s, h.events)
	}
}

func TestEventsAreBounded(t *testing.T) {
	h := newHouse(t)
	r := h.connect()
	r.write(strings.Repeat(`{"event":"bark"}`+"\n", 2*eventsAtOnce))
	r.expect(`{"error":"too many events at once"}`)
	h.until("all are read", func() bool {
		s := h.software.Stats()
		return s.EventsSent+s.EventsDropped == 2*eventsAtOnce
	})
	if s := h.software.Stats(); s.EventsSent < eventsAtOnce || s.EventsDropped == 0 {
		t.Errorf("stats: %+v", s)
	}
	// A line without end is the end of the connection.
	_, _ = io.WriteString(r, `{"event":"`+strings.Repeat("x", 2*maxLine))
	h.until("it has ended", func() bool { return !h.software.Stats().Connected })
}

// TestAProgramThatDoesNotRead: what it gets in the end is the stop, and before it no
// more than the system holds. Commands are bounded, and none is lost in silence.
func TestAProgramThatDoesNotRead(t *testing.T) {
	h := newHouse(t)
	r := h.connect()
	var mu sync.Mutex
	codes := map[wire.Code]int{}
	d := h.Driver(FromRelay, func(a Ack) {
		mu.Lock()
		defer mu.Unlock()
		codes[a.Code]++
	})
	const commands, size = 200, 1000
	data := fmt.Appendf(nil, `{"x":%q}`, strings.Repeat("x", size))
	for range commands {
		d.Drive(ahead)
		d.Command("set_mode", data)
	}
	d.Stop(EmergencyStop)
	h.until("it is disconnected", func() bool { return !h.software.Stats().Connected })
	var read []string
	for r.lines.Scan() {
		read = append(read, r.lines.Text())
	}
	if n := len(read); n > 20 {
		t.Errorf("the system held %d lines", n)
	}
	alarm := strings.Replace(alarmLine, "viewer", "relay", 1)
	if slices.Contains(read, alarm) {
		h.connectTo(helloLine)
	} else {
		h.connectTo(alarm)
	}
	mu.Lock()
	defer mu.Unlock()
	if codes[CodeBusy] == 0 || codes[CodeBusy]+codes[CodeNoSoftware] < commands-20 {
		t.Errorf("told %v", codes)
	}
}

// TestStopJumpsTheQueue: whatever waits, the stop is written next, and once.
func TestStopJumpsTheQueue(t *testing.T) {
	b := newBench(t)
	d := b.hand(FromRelay)
	for range 2 * maxOrders {
		d.Command("set_mode", nil)
	}
	d.Drive(ahead)
	b.Driver(FromViewer, nil).Stop(EmergencyStop)
	b.Driver(FromViewer, nil).Stop(Stop) // weakens nothing
	got := b.said()
	if len(got) != 1+maxOrders || got[0] != alarmLine || slices.Contains(got[1:], alarmLine) {
		t.Errorf("the software reads\n%s", strings.Join(got, "\n"))
	}
	if codes := d.told(); len(codes) != maxOrders+1 || codes[0] != CodeBusy || codes[maxOrders] != CodeStopped {
		t.Errorf("told %v", codes)
	}
}

// TestAlarmOutlivesItsConnection: an emergency stop that waits, or is being written,
// when the connection ends is the first that the next one reads.
func TestAlarmOutlivesItsConnection(t *testing.T) {
	for name, took := range map[string]func(*program){
		"waits":         func(*program) {},
		"being written": func(p *program) { _, _, _ = p.outbox.next(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.Driver(FromViewer, nil).Stop(EmergencyStop)
			took(b.program)
			b.software.forget(b.program)
			for _, want := range []string{alarmLine, helloLine} { // once
				b.program = newProgram(nil)
				b.program.outbox.putStop(hello)
				b.software.replace(b.program)
				b.expect(want)
			}

			b.Driver(FromViewer, nil).Stop(EmergencyStop)
			replaced := b.program
			took(replaced)
			b.connect()
			b.software.forget(replaced)
			b.expect(alarmLine)
		})
	}
}

// TestNoKindStarves: motor frames and other commands take turns.
func TestNoKindStarves(t *testing.T) {
	b := newBench(t)
	d := b.hand(FromViewer)
	for range 3 {
		d.Command("set_mode", nil)
	}
	for range 3 {
		d.Drive(ahead)
		lines, _, _ := b.program.outbox.next(nil)
		if want := aheadLine + "\n" + `{"command":"set_mode","from":"viewer"}` + "\n"; string(lines) != want {
			t.Errorf("the software reads %s", lines)
		}
	}
}

func TestTheSocketIsTaken(t *testing.T) {
	h := newHouse(t)
	if _, err := Listen(t.Context(), h.path, nil, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
}
