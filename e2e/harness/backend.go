package harness

import (
	"context"
	"io"
	"log/slog"
	"os"
	"syscall"
	"time"

	"wimz.dev/live/fakecloudflare"
)

// Backend starts programs. A program is up when its method returns.
type Backend interface {
	// String names the backend in the titles of specs.
	String() string
	Relay(ctx context.Context, s RelaySettings, log io.Writer) (*Program, error)
	Robot(ctx context.Context, s RobotSettings, log io.Writer) (*Program, error)
	Cloudflare(ctx context.Context, s CloudflareSettings, log io.Writer) (*Program, error)
}

// RelaySettings are what specs vary of a relay.
type RelaySettings struct {
	Listen        string // HOST:PORT
	DatabaseURL   string
	JWTSecret     string
	CloudflareURL string // empty: no TURN
	TURNRequired  bool
	Closed        bool // to registration
	Grace         time.Duration
	TTL           time.Duration // of TURN credentials
	Linger        time.Duration // how long those nobody uses are kept
	NoLimits      bool          // LIMITS=off
	RequestTime   time.Duration // for a request, and for its header; 0: the default
	LogLevel      slog.Level
}

// RobotSettings point at a robot's configuration.
type RobotSettings struct {
	ConfigFile string
	LogLevel   slog.Level
}

// CloudflareSettings configure the fake TURN key API.
type CloudflareSettings struct {
	TURN    *TURN
	OwnTURN bool // a TURN server of its own instead, that knows what was revoked
}

// The one TURN key of the fake API.
const (
	keyID    = "e2e-key"
	apiToken = "e2e-api-token"
)

// fake is the configuration of the fake API for a TURN server.
func (s CloudflareSettings) fake() fakecloudflare.Config {
	c := fakecloudflare.Config{KeyID: keyID, APIToken: apiToken, TURNSecret: s.TURN.Secret}
	if !s.OwnTURN {
		c.ICEURLs = s.TURN.URLs
	}
	return c
}

// Program is a running program.
type Program struct {
	// Addr is the HOST:PORT of its HTTP face.
	Addr string
	// Admin is that of a relay's admin listener.
	Admin string
	ended <-chan struct{}
	// stop asks it to end and waits; the error says that it did not end
	// cleanly.
	stop    func() error
	process *os.Process  // nil in process
	kill    func() error // likewise
}

// Done is closed when the program has ended, asked to or not.
func (p *Program) Done() <-chan struct{} { return p.ended }

// Stop ends the program and waits for it. Further calls do nothing.
func (p *Program) Stop() error {
	if p == nil || p.stop == nil {
		return nil
	}
	stop := p.stop
	p.stop = nil // an error is reported once
	return stop()
}

// Kill ends the program as kill -9 does: it has no time for anything. Only binaries
// can be killed.
func (p *Program) Kill() error {
	p.stop = nil // there is nothing left to stop
	return p.kill()
}

// Freeze stops the program in the middle of whatever it does, until it is thawed. Only
// binaries can be frozen.
func (p *Program) Freeze() error { return p.process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen program go on.
func (p *Program) Thaw() error { return p.process.Signal(syscall.SIGCONT) }

// URL returns the address of a path on the program.
func (p *Program) URL(path string) string { return "http://" + p.Addr + path }
