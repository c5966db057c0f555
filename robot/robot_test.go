package robot

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/internal/camera"
	"wimz.dev/live/robot/internal/config"
	"wimz.dev/live/robot/internal/peer"
	"wimz.dev/live/robot/internal/stream"
	"wimz.dev/live/robot/rtc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// rig is a robot whose relay is the test.
type rig struct {
	*Robot
	t      *testing.T
	sent   chan wire.Message
	down   atomic.Bool
	passed []wire.Message
	gate   atomic.Pointer[chan struct{}] // holds offers back while it is open
	stop   context.CancelFunc
	ended  chan error
}

// Run implements relay.
func (g *rig) Run(ctx context.Context) error {
	g.connected()
	<-ctx.Done()
	g.down.Store(true)
	return nil
}

// Send implements relay.
func (g *rig) Send(m wire.Message) error {
	if g.down.Load() {
		return client.ErrOffline
	}
	if gate := g.gate.Load(); gate != nil && m.Type == wire.TypeOffer {
		<-*gate
	}
	g.sent <- m
	return nil
}

func start(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Cloud.RelayURL = "ws://127.0.0.1:1"
	cfg.Cloud.DeviceID, cfg.Cloud.DeviceSecret = "wimz_1", "hunter2"
	cfg.WebRTC.Video = config.Video{Width: 320, Height: 192, FPS: 30, BitrateKbps: 300}
	if change != nil {
		change(&cfg)
	}
	r, err := New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	g := &rig{Robot: r, t: t, sent: make(chan wire.Message, 1000), stop: stop, ended: make(chan error, 1)}
	if cfg.Cloud.Enabled {
		r.relay = g
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.ended <- r.Run(ctx)
	}()
	t.Cleanup(func() { stop(); <-done })
	return g
}

// await returns the next message that is meant; the others wait for their turn.
func (g *rig) await(what string, meant func(wire.Message) bool) wire.Message {
	g.t.Helper()
	if i := slices.IndexFunc(g.passed, meant); i >= 0 {
		m := g.passed[i]
		g.passed = slices.Delete(g.passed, i, i+1)
		return m
	}
	for {
		select {
		case m := <-g.sent:
			if meant(m) {
				return m
			}
			g.passed = append(g.passed, m)
		case <-time.After(patience):
			g.t.Fatalf("no %s", what)
		}
	}
}

func (g *rig) awaitType(want wire.Type, id wire.SessionID) wire.Message {
	g.t.Helper()
	return g.await(fmt.Sprintf("%s of %q", want, id), func(m wire.Message) bool {
		return m.Type == want && m.SessionID == id
	})
}

func (g *rig) request(id wire.SessionID) {
	g.message(wire.Message{Type: wire.TypeRequest, SessionID: id, ICEServers: &wire.ICEServers{}})
}

// viewer is an app: it has got an offer and made an answer.
type viewer struct {
	pc     *webrtc.PeerConnection
	answer string // with all candidates
	tracks chan *webrtc.TrackRemote
}

func (g *rig) newViewer(id wire.SessionID) *viewer {
	g.t.Helper()
	api, err := rtc.NewAPI(g.t.Context(), rtc.Options{Loopback: true})
	if err != nil {
		g.t.Fatal(err)
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = pc.GracefulClose() })
	v := &viewer{pc: pc, tracks: make(chan *webrtc.TrackRemote, 1)}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { v.tracks <- track })
	gathered := webrtc.GatheringCompletePromise(pc)
	offer := g.awaitType(wire.TypeOffer, id)
	if err = pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer.SDP.SDP}); err != nil {
		g.t.Fatal(err)
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		g.t.Fatal(err)
	}
	if err = pc.SetLocalDescription(answer); err != nil {
		g.t.Fatal(err)
	}
	<-gathered
	v.answer = pc.LocalDescription().SDP
	return v
}

func (g *rig) answer(id wire.SessionID, sdp string) {
	g.message(wire.Message{
		Type: wire.TypeAnswer, SessionID: id, SDP: &wire.SessionDescription{Type: "answer", SDP: sdp},
	})
}

// watch is a whole viewing: request, answer, candidates, track.
func (g *rig) watch(id wire.SessionID) *webrtc.TrackRemote {
	g.t.Helper()
	g.request(id)
	v := g.newViewer(id)
	g.answer(id, v.answer)
	g.message(wire.Message{Type: wire.TypeICE, SessionID: id, Candidate: &wire.Candidate{}})
	select {
	case track := <-v.tracks:
		return track
	case <-time.After(patience):
		g.t.Fatal("no track")
		return nil
	}
}

func mustFlow(t *testing.T, track *webrtc.TrackRemote) {
	t.Helper()
	if err := track.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if _, _, err := track.ReadRTP(); err != nil {
			t.Fatal(err)
		}
	}
}

func connectedIn(m wire.Message, id wire.SessionID) bool {
	return slices.Contains(m.Sessions, wire.SessionReport{SessionID: id, Connected: true})
}

func TestTwoViewersAndNoThird(t *testing.T) {
	g := start(t, nil)
	one, two := g.watch("s1"), g.watch("s2")
	g.request("s3")
	m := g.awaitType(wire.TypeRobotError, "s3")
	if m.Code != wire.CodeViewerLimit || m.Error != "All 2 viewer places are taken" {
		t.Errorf("said %q, %q", m.Code, m.Error)
	}
	mustFlow(t, one)
	mustFlow(t, two)
	s := g.Stats()
	if s.Relay != "connected" || len(s.Sessions) != 2 || s.PeerConnections != 2 || s.Encoders != 1 || s.Goroutines == 0 ||
		s.Sessions[0] != (SessionStats{"s1", peer.Connected, "h264"}) {
		t.Errorf("stats: %+v", s)
	}

	// The request that supersedes a session follows its close at once.
	g.message(wire.Message{Type: wire.TypeClose, SessionID: "s1"})
	three := g.watch("s3")
	mustFlow(t, two)
	mustFlow(t, three)

	g.stop()
	if err := <-g.ended; err != nil {
		t.Error(err)
	}
	for _, id := range []wire.SessionID{"s2", "s3"} {
		if m := g.awaitType(wire.TypeClose, id); m.Reason != wire.ReasonRobotLeft {
			t.Errorf("%s was closed because of %q", id, m.Reason)
		}
	}
	if s := g.Stats(); len(s.Sessions)+s.PeerConnections+s.Encoders != 0 {
		t.Errorf("left over: %+v", s)
	}
}

func TestRelayIsToldOfSessions(t *testing.T) {
	g := start(t, nil)
	isHello := func(m wire.Message) bool { return m.Type == wire.TypeHello }
	if m := g.await("hello", isHello); len(m.Sessions) != 0 {
		t.Errorf("first hello has %+v", m.Sessions)
	}
	track := g.watch("s1")
	g.await("heartbeat with the session", func(m wire.Message) bool {
		return m.Type == wire.TypeHeartbeat && connectedIn(m, "s1")
	})
	// The socket was lost and came back; media did not care.
	g.connected()
	if m := g.await("hello", isHello); !connectedIn(m, "s1") {
		t.Errorf("second hello has %+v", m.Sessions)
	}
	mustFlow(t, track)
}

// TestTicketsAreHandedBack: with the newest one a restarted relay knows the session
// again.
func TestTicketsAreHandedBack(t *testing.T) {
	g := start(t, nil)
	isHello := func(m wire.Message) bool { return m.Type == wire.TypeHello }
	if m := g.await("hello", isHello); m.Sessions == nil {
		t.Error("the list of no sessions is none at all")
	}
	for _, m := range []wire.Message{
		{Type: wire.TypeRequest, Ticket: "first"},
		{Type: wire.TypeCredentials, Ticket: "second"},
		{Type: wire.TypeCredentials}, // of a relay that gives none
	} {
		want := cmp.Or(m.Ticket, "second")
		m.SessionID, m.ICEServers = "s1", &wire.ICEServers{}
		g.message(m)
		g.connected()
		if m := g.await("hello", isHello); len(m.Sessions) != 1 || m.Sessions[0].Ticket != want {
			t.Errorf("reported %s, want the ticket %s", wire.Encode(m), string(want))
		}
	}
}

// TestCandidatesAreRepeatedWhenTheRelayIsBack has an app that has answered but
// knows no way to the robot yet.
func TestCandidatesAreRepeatedWhenTheRelayIsBack(t *testing.T) {
	g := start(t, nil)
	g.request("s1")
	g.request("s1") // repeated by the relay: no second session
	v := g.newViewer("s1")
	g.answer("s1", regexp.MustCompile(`a=candidate.*\r\n`).ReplaceAllString(v.answer, ""))
	end := func(m wire.Message) bool { return m.Type == wire.TypeICE && m.Candidate.Candidate == "" }
	g.await("end of candidates", end)
	g.connected()
	g.await("end of candidates again", end)
	if s := g.Stats(); len(s.Sessions) != 1 || s.PeerConnections != 1 {
		t.Errorf("stats: %+v", s)
	}
}

// TestCommandsOfTheRelay: what cannot be carried out is answered, and a lost relay
// lets go of the wheel.
func TestCommandsOfTheRelay(t *testing.T) {
	g := start(t, nil)
	g.message(wire.Message{Type: wire.TypeCommand, Command: "set_mode", Data: wire.Raw(`{"mode":"idle"}`)})
	got := g.awaitType("command_ack", "")
	const want = `{"type":"command_ack","command":"set_mode","error":"The robot has no way to its software: ` +
		`control.socket is not set","code":"NO_SOFTWARE","success":false}`
	if text := string(wire.Encode(got)); text != want || !got.IsEvent() {
		t.Errorf("said %s", text)
	}

	path := filepath.Join(t.TempDir(), "control.sock")
	g = start(t, func(c *Config) { c.Control.Socket = path })
	program, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = program.Close() }()
	lines := bufio.NewScanner(program)
	expect := func(part string) {
		t.Helper()
		if !lines.Scan() || !strings.Contains(lines.Text(), part) {
			t.Errorf("read %q, %v; want %s", lines.Text(), lines.Err(), part)
		}
	}
	expect("has connected")
	g.message(wire.Message{Type: wire.TypeCommand, Command: "motor", Data: wire.Raw(`{"left":1,"right":0.5}`)})
	expect(`"motor","data":{"left":1,"right":0.5},"from":"relay"`)
	expect("no motor frame for 500 ms")
	g.message(wire.Message{Type: wire.TypeCommand, Command: "motor", Data: wire.Raw(`{"left":1,"right":0.5}`)})
	g.disconnected(client.ErrOffline)
	for lines.Scan() && strings.Contains(lines.Text(), `"motor"`) { // it may have been too late to take it back
		continue
	}
	if !strings.Contains(lines.Text(), "the relay is lost") {
		t.Errorf("read %q, %v", lines.Text(), lines.Err())
	}
	if _, err = program.Write([]byte(`{"event":"bark"}` + "\n")); err != nil {
		t.Fatal(err)
	}
	g.await("bark", func(m wire.Message) bool { return m.Event == "bark" })
	if s := g.Stats().Control; !s.Connected {
		t.Errorf("stats: %+v", s)
	}
	g.stop()
	expect("program ends")
	if lines.Scan() {
		t.Errorf("read %q after the end", lines.Text())
	}
}

func TestUnknownSessionsAreIgnored(t *testing.T) {
	g := start(t, nil)
	for _, m := range []wire.Message{
		{Type: wire.TypeAnswer, SDP: &wire.SessionDescription{Type: "answer", SDP: "x"}},
		{Type: wire.TypeICE, Candidate: &wire.Candidate{}},
		{Type: wire.TypeClose},
		{Type: wire.TypeError, Code: wire.CodeSessionUnknown, Text: "unknown"},
		{Type: "something_new"},
	} {
		m.SessionID = "nobody"
		g.message(m)
	}
	g.stop()
	if err := <-g.ended; err != nil {
		t.Error(err)
	}
	for len(g.sent) > 0 {
		if m := <-g.sent; m.SessionID != "" {
			t.Errorf("said %v", m)
		}
	}
}

func TestFailedSessionFreesItsPlace(t *testing.T) {
	g := start(t, func(c *Config) { c.WebRTC.MaxConnections = 1 })
	g.request("s1")
	g.awaitType(wire.TypeOffer, "s1")
	g.answer("s1", "x")
	g.awaitType(wire.TypeRobotError, "s1")
	mustFlow(t, g.watch("s2"))
}

func TestSwitchedOff(t *testing.T) {
	g := start(t, func(c *Config) { c.WebRTC.Enabled = false })
	g.request("s1")
	if m := g.awaitType(wire.TypeRobotError, "s1"); !strings.Contains(m.Error, "switched off") {
		t.Errorf("said %q", m.Error)
	}
	alone := start(t, func(c *Config) { *c = DefaultConfig(); c.Cloud.Enabled = false })
	if s := alone.Stats(); s.Relay != "disabled" {
		t.Errorf("relay is %q", s.Relay)
	}
	alone.stop()
	if err := <-alone.ended; err != nil {
		t.Error(err)
	}
}

func TestStatusServer(t *testing.T) {
	g := start(t, nil)
	transport := &http.Transport{DisableKeepAlives: true}
	get := func(method, path string) (int, map[string]any) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, method, "http://"+g.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		var body map[string]any
		_ = json.NewDecoder(response.Body).Decode(&body)
		return response.StatusCode, body
	}
	if code, body := get(http.MethodGet, "/health"); code != http.StatusOK || body["status"] != "ok" {
		t.Errorf("health: %d %v", code, body)
	}
	code, body := get(http.MethodGet, "/status")
	if sessions, ok := body["sessions"].([]any); code != http.StatusOK || !ok || len(sessions) != 0 || body["peer_connections"] != 0.0 {
		t.Errorf("status: %d %v", code, body)
	}
	if text := fmt.Sprint(body); strings.Contains(text, "hunter2") {
		t.Errorf("status tells a secret: %s", text)
	}
	if code, _ := get(http.MethodPost, "/status"); code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", code)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"bad configuration": {func(c *Config) { c.WebRTC.MaxConnections = 3 }, "max_connections"},
		"socket in use": {func(c *Config) {
			c.Control.Socket = filepath.Join(t.TempDir(), "control.sock")
			start(t, func(other *Config) { *other = *c; other.Control.Socket = c.Control.Socket })
		}, "in use"},
		"address in use": {func(c *Config) { c.Status.Listen = start(t, nil).Addr().String() }, "listen"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.Cloud.Enabled = false
			c.change(&cfg)
			if _, err := New(cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestEveryConfiguredCameraExists keeps the two lists equal.
func TestEveryConfiguredCameraExists(t *testing.T) {
	for _, name := range config.Sources() {
		c := config.Default().Camera
		c.Source = name
		if _, err := camera.New(c, nil, slog.New(slog.DiscardHandler)); err != nil && !strings.Contains(err.Error(), "this build has no") {
			t.Error(err)
		}
	}
}

func TestRealClientDialsAndGivesUpCleanly(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Cloud.RelayURL = "ws://127.0.0.1:1" // nobody is there
	cfg.Cloud.DeviceID, cfg.Cloud.DeviceSecret = "wimz_1", "s"
	r, err := New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := r.relay.(*client.Client); !ok {
		t.Errorf("relay is a %T", r.relay)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := r.Run(ctx); err != nil {
		t.Error(err)
	}
}

// pulled is a camera whose cable is pulled, and put back.
type pulled struct {
	camera.Source
	out atomic.Bool
}

func (p *pulled) Open(ctx context.Context, f camera.Format) (camera.Reader, error) {
	if p.out.Load() {
		return nil, errors.New(`no "camera"`)
	}
	r, err := p.Source.Open(ctx, f)
	return pulledReader{r, p}, err
}

type pulledReader struct {
	camera.Reader
	camera *pulled
}

func (r pulledReader) Read() (camera.Frame, error) {
	if r.camera.out.Load() {
		return camera.Frame{}, errors.New(`no "camera"`)
	}
	return r.Reader.Read()
}

func TestAppsAreToldOfTheCamera(t *testing.T) {
	g := start(t, nil)
	cam := &pulled{Source: camera.FromDriver(&camera.Synthetic{})}
	settings := stream.Settings{Format: camera.Format{Width: 320, Height: 192, FPS: 30}, BitrateKbps: 300, OnCamera: g.cameraIs}
	g.stream.Close()
	g.stream = stream.New(cam, settings, slog.New(slog.DiscardHandler))
	g.request("s1")
	track := g.watch("s1")
	for _, c := range []struct {
		out  bool
		want string
	}{
		{true, `"status":"lost","detail":"no \"camera\""`}, {false, `"status":"ok","detail":""`},
	} {
		cam.out.Store(c.out)
		m := g.awaitType("camera_status_changed", "")
		if !m.IsEvent() || string(m.Fields) != c.want {
			t.Errorf("got %s, want %s", m.Fields, c.want)
		}
		mustFlow(t, track)
	}

	// What happens while the relay is away is said once, when it is back.
	g.down.Store(true)
	cam.out.Store(true)
	news := func() string {
		g.mu.Lock()
		defer g.mu.Unlock()
		return string(g.cameraNews.Fields)
	}
	for !strings.Contains(news(), "lost") {
		if _, _, err := track.ReadRTP(); err != nil {
			t.Fatal(err)
		}
	}
	for g.passed = nil; len(g.sent) > 0; {
		<-g.sent
	}
	g.down.Store(false)
	g.connected()
	if m := g.awaitType("camera_status_changed", ""); string(m.Fields) != news() {
		t.Errorf("told %s of a camera that is %s", m.Fields, news())
	}
}
