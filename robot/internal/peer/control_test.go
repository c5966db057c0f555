package peer_test

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/internal/control"
	"wimz.dev/live/robot/internal/peer"
	"wimz.dev/live/robot/rtc"
)

// software is a program that reads what a wheel tells it.
type software struct {
	t     *testing.T
	lines chan string
}

// newSoftware returns a wheel, and the software that follows it.
func newSoftware(t *testing.T) (*control.Wheel, *software) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "control.sock")
	ctx, stop := context.WithCancel(t.Context())
	server, err := control.Listen(ctx, path, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	wheel, s := control.NewWheel(server), &software{t, make(chan string, 1000)}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { server.Serve(ctx) })
	running.Go(func() {
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			s.lines <- lines.Text()
		}
	})
	t.Cleanup(func() {
		wheel.Close()
		stop()
		running.Wait()
		_ = conn.Close()
	})
	s.await(`"stop"`)
	return wheel, s
}

// await reads up to the line that holds the part, and returns it.
func (s *software) await(part string) string {
	s.t.Helper()
	for {
		select {
		case line := <-s.lines:
			if strings.Contains(line, part) {
				return line
			}
		case <-time.After(patience):
			s.t.Fatalf("no %s", part)
		}
	}
}

// channel returns the viewer's open control channel, and what is said on it.
func (v *viewer) channel(t *testing.T) (*webrtc.DataChannel, <-chan string) {
	t.Helper()
	channel, opened, said := <-v.control, make(chan struct{}), make(chan string, 100)
	channel.OnMessage(func(m webrtc.DataChannelMessage) { said <- string(m.Data) })
	channel.OnOpen(func() { close(opened) })
	<-opened
	return channel, said
}

const motor = `{"command":"motor","left":0.5,"right":-0.5}`

func TestDrivingEndsWithTheWayToTheDriver(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(o *session, v *viewer, channel *webrtc.DataChannel)
		want string
	}{
		"stop": {func(_ *session, _ *viewer, channel *webrtc.DataChannel) {
			_ = channel.SendText(`{"command":"stop"}`)
		}, `"from":"viewer"`},
		"the channel closed": {func(_ *session, _ *viewer, channel *webrtc.DataChannel) { _ = channel.Close() }, "channel is closed"},
		"the app left":       {func(_ *session, v *viewer, _ *webrtc.DataChannel) { _ = v.pc.Close() }, `"from":"robot"`},
		"the relay's close":  {func(o *session, _ *viewer, _ *webrtc.DataChannel) { o.Close() }, "driver has gone"},
		"the robot's end":    {func(o *session, _ *viewer, _ *webrtc.DataChannel) { o.stop() }, "driver has gone"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			for range 3 { // on a machine that stalls the dead man's switch may be first
				got = stopAfter(t, c.end)
				if strings.Contains(got, c.want) {
					return
				}
			}
			t.Errorf("the software reads %s", got)
		})
	}
}

// stopAfter returns the stop that ends a drive.
func stopAfter(t *testing.T, end func(o *session, v *viewer, channel *webrtc.DataChannel)) string {
	t.Helper()
	wheel, s := newSoftware(t)
	o := startDriver(t, wheel, newStream(t), peer.Timing{}, api)
	v, _ := connect(t, o)
	channel, said := v.channel(t)
	if err := channel.SendText(motor); err != nil {
		t.Fatal(err)
	}
	const line = `{"command":"motor","data":{"left":0.5,"right":-0.5},"from":"viewer"}`
	if got := s.await(`"motor"`); got != line {
		t.Errorf("the software reads %s", got)
	}
	end(o, v, channel)
	got := s.await(`"stop"`)
	if len(said) > 0 {
		t.Errorf("the app is told %s", <-said)
	}
	return got
}

func api(life context.Context) (*webrtc.API, error) {
	return rtc.NewAPI(life, rtc.Options{Loopback: true})
}

// TestClosedSessionDoesNotDrive: what is on its way when a session is closed moves
// nothing.
func TestClosedSessionDoesNotDrive(t *testing.T) {
	wheel, s := newSoftware(t)
	o := startDriver(t, wheel, newStream(t), peer.Timing{}, api)
	v, _ := connect(t, o)
	channel, _ := v.channel(t)
	driving := make(chan struct{})
	go func() {
		defer close(driving)
		frames := time.NewTicker(time.Millisecond)
		defer frames.Stop()
		for range frames.C {
			if channel.SendText(motor) != nil || v.pc.ConnectionState() != webrtc.PeerConnectionStateConnected {
				return
			}
		}
	}()
	s.await(`"motor"`)
	o.Close()
	_ = o.awaitEnd(t)
	s.await(`"stop"`)
	_ = v.pc.Close()
	<-driving
	wheel.Close()
	select {
	case line := <-s.lines:
		if !strings.Contains(line, "program ends") {
			t.Errorf("read %s after the end", line)
		}
	case <-time.After(patience):
		t.Error("no stop at the end")
	}
}

func TestRefusalsAreSaidOnTheChannel(t *testing.T) {
	o := startSession(t, newStream(t), peer.Timing{}) // without software
	v, _ := connect(t, o)
	channel, said := v.channel(t)
	for _, c := range [][2]string{
		{motor, `"command":"motor","success":false,"code":"NO_SOFTWARE"`},
		{`{"command":"stop"}`, `"command":"stop","success":false,"code":"NO_SOFTWARE"`},
		{`{"command":"set_overlay"}`, `"command":"set_overlay","success":false,"code":"BAD_MESSAGE"`},
		{`{"command":"set_video_quality"}`, `"code":"BAD_MESSAGE"`},
	} {
		frame, want := c[0], c[1]
		if err := channel.SendText(frame); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-said:
			if !strings.HasPrefix(got, `{"type":"command_ack"`) || !strings.Contains(got, want) {
				t.Errorf("%s is answered with %s", frame, got)
			}
		case <-time.After(patience):
			t.Fatalf("%s is not answered", frame)
		}
	}
}

// TestPanicEndsOneSession: the other goes on, and nothing is left of the first.
func TestPanicEndsOneSession(t *testing.T) {
	wheel, s := newSoftware(t)
	video := newStream(t)
	unlucky, lucky := startDriver(t, wheel, video, peer.Timing{}, api), startDriver(t, wheel, video, peer.Timing{}, api)
	v, _ := connect(t, unlucky)
	_, track := connect(t, lucky)
	channel, _ := v.channel(t)
	if err := channel.SendText(motor); err != nil {
		t.Fatal(err)
	}
	s.await(`"motor"`)
	unlucky.broken.Store(true)
	unlucky.Renew(wire.ICEServers{}) // it gathers anew, and sends candidates
	if err := unlucky.awaitEnd(t); err == nil || strings.Contains(err.Error(), "planted") {
		t.Errorf("ended with %v", err)
	}
	s.await(`"stop"`)
	if m := unlucky.await(t, wire.TypeRobotError); m.Code != wire.CodeInternal || strings.Contains(m.Error, "planted") {
		t.Errorf("the app is told %q, %q", m.Code, m.Error)
	}
	r := &receiver{track: track}
	for range 10 {
		r.next(t)
	}
}
