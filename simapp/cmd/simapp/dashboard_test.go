package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// watched is a viewer with all there is to show.
func watched() view {
	ttff, lost := 52.0, 1
	latency := 11.0
	v := view{
		Viewer: 1, State: "live",
		Report: simapp.Report{
			Codec: "h264", Frames: 30, FPS: 15, TTFF: &ttff, BitrateKbps: 1500,
			Phases: map[simapp.Phase]float64{
				simapp.PhaseCredentials: 10, simapp.PhaseOffer: 25, simapp.PhaseGathered: 26, simapp.PhaseFrame: 52,
			},
			Latency: &simapp.Latency{P50: 11, P95: 15}, Lost: &lost, Repeated: &lost, StampErrors: &lost,
			Pair: &simapp.Pair{Local: "relay", Remote: "host", Protocol: "tls"},
		},
		Quality: &simapp.Quality{Tier: "high", Resolution: "1280x720", LossPct: 0.5, RTTMillis: 12, Bars: 3, Mode: "auto"},
		curves:  &curves{},
	}
	start := time.Now()
	for i := range 4 {
		v.curves.add(simapp.Totals{Pictures: i * 15, Bytes: int64(i) * 187500, Latency: &latency}, start.Add(time.Duration(i)*time.Second))
	}
	return v
}

func TestWords(t *testing.T) {
	v := watched()
	for _, want := range []string{"30 pictures", "after 52 ms", "15.0 fps", "11 ms", "1 lost", "TURN server, tls"} {
		if got := summary("wimz_1", v); !strings.Contains(got, want) {
			t.Errorf("summary lacks %q:\n%s", want, got)
		}
	}
	if got := line(61*time.Second, v); !strings.HasPrefix(got, "01:01  live  30 pictures") {
		t.Error(got)
	}
	v.Latency, v.Freezes = nil, 1
	if got := summary("wimz_1", v); !strings.Contains(got, "frozen once;") {
		t.Error(got)
	}
	if got := summary("wimz_1", v); !strings.Contains(got, "unknown") {
		t.Error(got)
	}
	if got := summary("wimz_1", view{}); !strings.Contains(got, "no picture") {
		t.Error(got)
	}
	for pair, want := range map[simapp.Pair]string{
		{Local: "host", Remote: "prflx", Protocol: "udp"}: "direct",
		{Local: "host", Remote: "relay", Protocol: "udp"}: "the robot's TURN",
	} {
		if got := path(pair); !strings.Contains(got, want) {
			t.Errorf("%v: %s", pair, got)
		}
	}
	for want, age := range map[string]time.Duration{"live": time.Second, "no picture for 3 s": 3 * time.Second} {
		if got := state(v.Report, age); got != want {
			t.Errorf("%s old: %s", age, got)
		}
	}
	if got := state(simapp.Report{}, math.MaxInt64); got != "waiting for the robot's offer" {
		t.Error(got)
	}
}

func TestDashboardOfOneViewer(t *testing.T) {
	v := watched()
	want := []string{
		"  wimz_1  00:03  live",
		"  pictures   " + strings.Repeat(" ", 29) + "███  15 a second, 15.0 on the whole",
		"  bit rate   " + strings.Repeat(" ", 29) + "███  1500 kbit/s, 1500 on the whole",
		"  latency    " + strings.Repeat(" ", 29) + "███  11 ms, 95 % below 15 ms",
		"  so far     30, 1 lost, 1 repeated, 1 unreadable, frozen 0 times",
		"  start      52 ms: relay 10, offer 15, picture 27",
		"  path       through our TURN server, tls",
		"  link       ▂▄▆· high quality (auto), 1280x720, 0.5 % lost, round trip 12 ms",
	}
	// The clock begins with the command.
	if got := dashboard("wimz_1", 3*time.Second, []view{v}, 80); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, width := range []int{1, 20, 44, 45, 300} {
		for _, l := range dashboard("wimz_1", 0, []view{v}, width)[1:4] {
			if n := utf8.RuneCountInString(l); width > 80 && n > 13+curveLen+40 {
				t.Errorf("%d columns of %d: %q", n, width, l)
			}
		}
	}
	waiting := view{Viewer: 1, State: "connecting", curves: &curves{}}
	if got := dashboard("wimz_1", 0, []view{waiting}, 80); !slices.Equal(got, []string{"  wimz_1  00:00  connecting"}) {
		t.Errorf("%q", got)
	}
}

func TestAllIsReadOnTheUsualTerminal(t *testing.T) {
	v := watched()
	v.Phases = map[simapp.Phase]float64{
		simapp.PhaseCredentials: 10, simapp.PhaseOffer: 25, simapp.PhaseConnected: 126,
		simapp.PhaseSecured: 150, simapp.PhasePacket: 270, simapp.PhaseFrame: 290,
	}
	for _, line := range append(dashboard("wimz_abc123", time.Hour, []view{v}, 80), keysHelp) {
		if n := utf8.RuneCountInString(line); n > 80 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

func TestDashboardOfSeveralViewers(t *testing.T) {
	refusal := &simapp.RelayError{Code: wire.CodeViewerLimit, Text: "no"}
	views := []view{watched(), {Viewer: 2, State: ending(refusal), err: refusal, curves: &curves{}}}
	got := strings.Join(dashboard("wimz_1", 0, views, 80), "\n")
	for _, want := range []string{"2 viewers\n", "\n  1  live               ███ fps 15  1500 kbit/s  11 ms  ▂▄▆·\n", "\n  2  refused: the robot has as many viewers as it allows"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
}

func TestCurve(t *testing.T) {
	var c curve
	if c.draw(3) != "   " || !math.IsNaN(c.last()) {
		t.Errorf("nothing is drawn as %q", c.draw(3))
	}
	for _, v := range []float64{0, 7, math.NaN(), 14} {
		c.add(v)
	}
	if got := c.draw(6); got != "  ▁▅ █" {
		t.Errorf("%q", got)
	}
	if got := c.draw(2); got != " █" {
		t.Errorf("%q", got)
	}
	for range 2 * curveLen {
		c.add(0)
	}
	if len(c) != curveLen || c.draw(2) != "▁▁" {
		t.Errorf("%d values, %q", len(c), c.draw(2))
	}
	var all curves
	start, latency := time.Now(), 5.0
	all.add(simapp.Totals{}, start)
	all.add(simapp.Totals{Pictures: 30, Bytes: 1000, Latency: &latency}, start.Add(2*time.Second))
	all.add(simapp.Totals{Pictures: 30, Bytes: 1000, Latency: &latency}, start.Add(3*time.Second))
	if !slices.Equal(all.fps, curve{15, 0}) || !slices.Equal(all.kbps, curve{4, 0}) ||
		all.latency[0] != 5 || !math.IsNaN(all.latency[1]) {
		t.Errorf("%+v", all)
	}
}

func TestScreenWithoutATerminal(t *testing.T) {
	var out bytes.Buffer
	a := &app{stdout: &out}
	refused := view{Viewer: 2, State: "ended: no", Error: "no", err: errors.New("no"), curves: &curves{}}
	lines := newScreen(a, "wimz_1")
	lines.start = time.Now().Add(-time.Second)
	if err := errors.Join(lines.show([]view{watched(), refused}, ""), lines.report([]view{watched()})); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.HasPrefix(got, "viewer 1: 00:01  live  30 pictures") ||
		!strings.Contains(got, "\nviewer 2: 00:01  ended: no\nwimz_1: 30 pictures, the first") || strings.Contains(got, "\x1b") {
		t.Errorf("%s", got)
	}
	out.Reset()
	asJSON := newScreen(a, "wimz_1")
	asJSON.json = true
	if err := errors.Join(asJSON.show([]view{watched()}, ""), asJSON.report([]view{watched(), refused})); err != nil {
		t.Fatal(err)
	}
	all := strings.Split(strings.TrimSpace(out.String()), "\n")
	var last struct {
		Viewer int
		Frames int
		State  string
		Error  string
	}
	if err := json.Unmarshal([]byte(all[1]), &last); err != nil || last.Frames != 30 || last.State != "live" {
		t.Errorf("%v\n%s", err, out.String())
	}
	if err := json.Unmarshal([]byte(all[2]), &last); err != nil || len(all) != 3 || last.Viewer != 2 || last.Error != "no" {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestOnlyTerminalsThatCanBeAreDrawnOn(t *testing.T) {
	other, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = errors.Join(other.Close(), terminal.Close()) }()
	for kind, want := range map[string]bool{"xterm": true, "dumb": false} {
		t.Setenv("TERM", kind)
		if got := newDisplay(terminal, &held{}); (got != nil) != want {
			t.Errorf("TERM=%s: %v", kind, got)
		}
	}
	if newDisplay(&bytes.Buffer{}, &held{}) != nil {
		t.Error("a buffer is drawn on")
	}
}

func TestNothingCanBeShownIsAnError(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		s := newScreen(&app{stdout: failing{}}, "wimz_1")
		s.json = asJSON
		s.start = time.Now().Add(-time.Second)
		if s.show([]view{watched()}, "") == nil {
			t.Errorf("JSON %v: it goes on", asJSON)
		}
	}
}

// failing is what nobody reads any more.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestLogIsHeldWhileTheTerminalIsTaken(t *testing.T) {
	var out bytes.Buffer
	h := &held{to: &out}
	_, _ = h.Write([]byte("a"))
	h.hold()
	_, _ = h.Write([]byte("b"))
	_, _ = h.Write(make([]byte, maxHeld))
	if out.String() != "a" {
		t.Errorf("%q", out.String())
	}
	h.release()
	_, _ = h.Write([]byte("c"))
	if out.String() != "abc" {
		t.Errorf("%q", out.String())
	}
}
