package control

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/relay/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ms = time.Millisecond

// bench is a wheel whose software reads nothing until it is asked to.
type bench struct {
	*Wheel
	t       *testing.T
	program *program
}

func newBench(t *testing.T) *bench {
	software := &Software{log: slog.New(slog.DiscardHandler)}
	b := &bench{Wheel: NewWheel(software), t: t}
	b.connect()
	t.Cleanup(b.Close)
	return b
}

// connect is what happens when a program connects.
func (b *bench) connect() {
	b.program = newProgram(nil)
	b.software.current = b.program
}

// said returns what the software would read now.
func (b *bench) said() []string {
	var all []byte
	for {
		lines, _, _ := b.program.outbox.next(nil)
		if len(lines) == 0 {
			return strings.FieldsFunc(string(all), func(r rune) bool { return r == '\n' })
		}
		all = append(all, lines...)
	}
}

func (b *bench) expect(want ...string) {
	b.t.Helper()
	if got := b.said(); !slices.Equal(got, want) {
		b.t.Errorf("the software reads\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// hand is a driver and what it is told.
type hand struct {
	*Driver
	acks []Ack
}

func (b *bench) hand(from Origin) *hand {
	h := &hand{}
	h.Driver = b.Driver(from, func(a Ack) { h.acks = append(h.acks, a) })
	return h
}

// told takes the codes of what the driver was told.
func (h *hand) told() (codes []wire.Code) {
	for _, a := range h.acks {
		codes = append(codes, a.Code)
	}
	h.acks = nil
	return codes
}

var (
	ahead = Speed{1, 1}
	back  = Speed{-1, -0.5}
)

const (
	aheadLine = `{"command":"motor","data":{"left":1,"right":1},"from":"viewer"}`
	backLine  = `{"command":"motor","data":{"left":-1,"right":-0.5},"from":"viewer"}`
	stopLine  = `{"command":"stop","from":"viewer"}`
	alarmLine = `{"command":"emergency_stop","from":"viewer"}`
	overLine  = `{"command":"stop","from":"robot","reason":"another viewer takes over"}`
	deadLine  = `{"command":"stop","from":"robot","reason":"no motor frame for 500 ms"}`
	goneLine  = `{"command":"stop","from":"robot","reason":"gone"}`
)

// drive keeps driving for a while, with a frame every 50 ms.
func (h *hand) drive(s Speed, d time.Duration) {
	for range d / (50 * ms) {
		h.Drive(s)
		time.Sleep(50 * ms) //nolint:forbidigo // the bubble's clock
	}
}

func wait(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // the bubble's clock
	synctest.Wait()
}

func TestSilenceStopsTheRobot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		a := b.hand(FromViewer)
		a.drive(ahead, 2*time.Second)
		b.expect(aheadLine) // the newest frame is all that waits
		wait(449 * ms)
		b.expect()
		wait(2 * ms)
		b.expect(deadLine)
		wait(time.Hour)
		b.expect() // once
		a.Drive(back)
		b.expect(backLine)
		a.Drive(Speed{}) // a hand that holds still drives
		wait(400 * ms)
		a.Drive(Speed{})
		wait(400 * ms)
		b.expect(strings.ReplaceAll(aheadLine, "1", "0"))
		if len(a.told()) > 0 {
			t.Error("told something")
		}
	})
}

func TestEveryWayToStop(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(b *bench, a, other *hand)
		want string
	}{
		"stop":                       {func(_ *bench, a, _ *hand) { a.Stop(Stop) }, stopLine},
		"emergency stop":             {func(_ *bench, a, _ *hand) { a.Stop(EmergencyStop) }, alarmLine},
		"another's stop":             {func(_ *bench, _, other *hand) { other.Stop(Stop) }, stopLine},
		"another's emergency stop":   {func(_ *bench, _, other *hand) { other.Stop(EmergencyStop) }, alarmLine},
		"the connection interrupted": {func(_ *bench, a, _ *hand) { a.Release("gone") }, goneLine},
		"the session ended":          {func(_ *bench, a, _ *hand) { a.Leave("gone") }, goneLine},
		"the program ended": {
			func(b *bench, _, _ *hand) { b.Close() },
			`{"command":"stop","from":"robot","reason":"the robot's program ends"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				a, other := b.hand(FromViewer), b.hand(FromViewer)
				a.drive(ahead, 300*ms)
				c.end(b, a, other)
				b.expect(c.want) // and not the motor frame that waited
				wait(time.Hour)
				b.expect() // the dead man's switch has nothing to do
			})
		})
	}
}

func TestNobodyDrivesAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		a, other := b.hand(FromViewer), b.hand(FromViewer)
		a.Leave("gone")
		a.Drive(ahead)
		a.Stop(Stop)
		b.expect()
		other.Drive(back)
		other.Release("gone")
		b.expect(goneLine)
		wait(200 * ms)
		other.Drive(back) // it was interrupted, and is back
		b.expect(backLine)
		b.Close()
		b.said()
		other.Drive(back)
		other.Stop(Stop)
		b.expect()
	})
}

func TestWhoBeginsTakesTheWheel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		a, other := b.hand(FromViewer), b.hand(FromViewer)
		a.drive(ahead, 300*ms)
		b.said()
		other.Drive(Speed{}) // a joystick at rest
		b.expect()
		other.Drive(back)
		b.expect(overLine, backLine)
		if codes := a.told(); !slices.Equal(codes, []wire.Code{CodeTakenOver}) {
			t.Errorf("told %v", codes)
		}
		for range 60 { // three seconds of both
			a.Drive(ahead)
			other.Drive(back)
			b.expect(backLine)
			wait(50 * ms)
		}
		if n := len(a.told()); n != 2 && n != 3 {
			t.Errorf("told %d times in three seconds", n)
		}
		wait(500 * ms) // both let go
		b.expect(deadLine)
		a.Drive(ahead)
		b.expect(aheadLine)
		other.Drive(back)
		b.expect(overLine, backLine)
		a.Drive(Speed{}) // to let go it is enough to hold still
		a.Drive(ahead)
		b.expect(overLine, aheadLine)
		other.Stop(Stop) // or to stop
		wait(settle)
		b.expect(stopLine)
		other.Drive(back)
		b.expect(backLine)
		if len(other.told()) == 0 {
			t.Error("the second was not told")
		}
	})
}

func TestWhoWasStoppedMustLetGo(t *testing.T) {
	for name, c := range map[string]struct {
		stop func(a, other *hand)
		line string
	}{
		"by another":       {func(_, other *hand) { other.Stop(Stop) }, stopLine},
		"by another alarm": {func(_, other *hand) { other.Stop(EmergencyStop) }, alarmLine},
		"by its own alarm": {func(a, _ *hand) { a.Stop(EmergencyStop) }, alarmLine},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				a, other := b.hand(FromViewer), b.hand(FromViewer)
				a.drive(ahead, 300*ms)
				c.stop(a, other)
				b.expect(c.line)
				a.drive(ahead, 3*time.Second)
				b.expect()
				if !slices.Contains(a.told(), CodeStopped) {
					t.Error("not told why")
				}
				wait(500 * ms)
				a.Drive(ahead)
				b.expect(aheadLine)
			})
		})
	}
}

// TestLateFrameAfterAStop: the channel is unordered.
func TestLateFrameAfterAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		a := b.hand(FromViewer)
		a.drive(ahead, 300*ms)
		a.Stop(Stop)
		a.Drive(ahead)
		b.expect(stopLine)
		wait(settle)
		a.Drive(back)
		b.expect(backLine)
	})
}

// TestRestartedSoftware: a drive does not go on by itself.
func TestRestartedSoftware(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, gap := range []bool{false, true} {
			b := newBench(t)
			a := b.hand(FromViewer)
			a.drive(ahead, 300*ms)
			want := CodeStopped
			if gap {
				want = CodeNoSoftware
				b.software.current = nil
				a.drive(ahead, 300*ms)
			}
			b.connect()
			a.drive(ahead, 300*ms)
			b.expect()
			if codes := a.told(); !slices.Equal(codes, []wire.Code{want}) {
				t.Errorf("told %v", codes)
			}
			wait(500 * ms)
			a.Drive(ahead)
			b.expect(aheadLine)
		}
	})
}

func TestTheRelayDrivesByTheSameRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		a, apps := b.hand(FromViewer), b.hand(FromRelay)
		apps.Command("motor", []byte(`{"left":1,"right":1}`))
		b.expect(strings.Replace(aheadLine, "viewer", "relay", 1))
		wait(501 * ms)
		b.expect(deadLine)
		a.Drive(ahead)
		apps.Command("motor", []byte(`{"left":-1,"right":-0.5}`))
		b.expect(overLine, strings.Replace(backLine, "viewer", "relay", 1))
		apps.Command("emergency_stop", nil)
		b.expect(strings.Replace(alarmLine, "viewer", "relay", 1))
		for _, data := range []string{"", "{}", `{"left":1}`, `{"left":2,"right":0}`, `{"left":"1","right":"1"}`} {
			apps.Command("motor", []byte(data))
		}
		b.expect()
		if codes := apps.told(); !slices.Equal(codes, []wire.Code{wire.CodeBadMessage}) {
			t.Errorf("told %v", codes)
		}
		apps.Command("set_mode", []byte(`{"mode":"idle"}`))
		apps.Command("dispense_treat", nil)
		b.expect(`{"command":"set_mode","data":{"mode":"idle"},"from":"relay"}`, `{"command":"dispense_treat","from":"relay"}`)
	})
}

func TestNothingListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.software.current = nil
		a := b.hand(FromRelay)
		a.Command("set_mode", nil)
		a.Stop(EmergencyStop)
		a.drive(ahead, 2*time.Second)
		if len(a.acks) != 4 { // one each, and the motor frames one a second
			t.Errorf("told %+v", a.acks)
		}
		for _, ack := range a.acks {
			if ack.Code != CodeNoSoftware || ack.Error == "" || ack.Success || ack.Type != "command_ack" {
				t.Errorf("told %+v", ack)
			}
		}
	})
}

// TestClockJumps: a clock that is set, by hours even, moves nothing. Of time that has
// passed only the monotonic clock is asked, which is part of what time.Now returns.
func TestClockJumps(t *testing.T) {
	b := newBench(t)
	d := b.hand(FromViewer)
	d.Drive(ahead)
	d.Stop(Stop)
	for _, at := range []time.Time{d.drove, d.stopped} {
		if !strings.Contains(at.String(), " m=") { // see [time.Time.String]
			t.Errorf("%v is on the wall clock alone", at)
		}
	}
}

func BenchmarkDrive(b *testing.B) {
	software := &Software{current: newProgram(nil)}
	wheel := NewWheel(software)
	defer wheel.Close()
	d := wheel.Driver(FromViewer, func(Ack) {})
	var line []byte
	for b.Loop() {
		d.Drive(ahead)
		line, _, _ = software.current.outbox.next(line[:0])
	}
}
