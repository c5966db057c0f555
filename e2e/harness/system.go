package harness

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// Options are what specs vary of a system.
type Options struct {
	Listen       string        // of the relay; 127.0.0.1:0 if empty
	Grace        time.Duration // how long the relay waits for lost sockets; 1 min if 0
	TURNRequired bool
	TURN         *TURN         // required: whose credentials are handed out
	NoTURN       bool          // the relay has no TURN provider
	OwnTURN      bool          // the provider runs a TURN server that knows what was revoked
	TTL          time.Duration // of credentials; 1 h if 0
	Linger       time.Duration // how long the relay keeps credentials that nobody uses
	NoLimits     bool          // as for load tests
	RequestTime  time.Duration // what the relay gives a client for a request; its default if 0
	Hostile      bool          // clients break the contract on purpose
	DatabaseURL  string        // of the relay; a file of its own if empty
	Log          io.Writer
	LogLevel     slog.Level
}

// System is a relay with its TURN provider, and robots.
type System struct {
	Relay      *Program
	Cloudflare *Program
	Robots     map[wire.DeviceID]*Program

	backend  Backend
	tap      *Tap
	cli      Binaries // the relay's command line adds devices
	settings RelaySettings
	log      io.Writer
	dir      string
	phones   []*simapp.Phone
}

// User is an account of the relay.
type User struct {
	Email    string
	Password string
	Token    string
}

// Start brings a relay and its provider up.
func Start(ctx context.Context, b Backend, cli Binaries, o Options) (*System, error) {
	dir, err := os.MkdirTemp("", "wimz-system")
	if err != nil {
		return nil, err
	}
	s := &System{backend: b, cli: cli, log: o.Log, dir: dir, Robots: map[wire.DeviceID]*Program{}}
	s.settings = RelaySettings{
		Listen: "127.0.0.1:0", DatabaseURL: cmp.Or(o.DatabaseURL, filepath.Join(dir, "relay.db")),
		JWTSecret: rand.Text() + rand.Text(), TURNRequired: o.TURNRequired,
		Grace: cmp.Or(o.Grace, time.Minute), TTL: cmp.Or(o.TTL, time.Hour),
		Linger: o.Linger, NoLimits: o.NoLimits, RequestTime: o.RequestTime, LogLevel: o.LogLevel,
	}
	s.Cloudflare, err = b.Cloudflare(ctx, CloudflareSettings{TURN: o.TURN, OwnTURN: o.OwnTURN}, o.Log)
	if err == nil {
		if !o.NoTURN {
			s.settings.CloudflareURL = s.Cloudflare.URL("")
		}
		s.Relay, err = b.Relay(ctx, s.settings, o.Log)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	s.settings.Listen = s.Relay.Addr // where it will be again after a restart
	s.tap, err = startTap(ctx, cmp.Or(o.Listen, "127.0.0.1:0"), o.Hostile, func() string { return s.settings.Listen })
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Stop ends everything, robots first, and removes what was written.
func (s *System) Stop() error {
	s.HangUp()
	var errs []error
	for _, robot := range s.Robots {
		errs = append(errs, robot.Stop())
	}
	errs = append(errs, s.Relay.Stop(), s.Cloudflare.Stop(), s.tap.Close(), os.RemoveAll(s.dir))
	return errors.Join(errs...)
}

// HangUp closes every phone.
func (s *System) HangUp() {
	for _, phone := range s.phones {
		phone.Close()
	}
	s.phones = nil
}

// StartRelay starts a stopped relay again where it was.
func (s *System) StartRelay(ctx context.Context) (err error) {
	s.Relay, err = s.backend.Relay(ctx, s.settings, s.log)
	return err
}

// RelayURL is where apps and robots connect: to the tap before the relay.
func (s *System) RelayURL() string { return "ws://" + s.tap.listener.Addr().String() }

// Forget lets the relay lose every connection from an address, as it does by itself
// when it has heard nothing for 45 seconds.
func (s *System) Forget(ip string) { s.tap.forget(ip) }

// AddUser registers an account and logs it in.
func (s *System) AddUser(ctx context.Context, email string) (User, error) {
	u, err := s.Register(ctx, email)
	if err == nil {
		u.Token, err = simapp.Login(ctx, s.RelayURL(), u.Email, u.Password)
	}
	return u, err
}

// Register makes an account, which is not logged in.
func (s *System) Register(ctx context.Context, email string) (User, error) {
	u := User{Email: email, Password: rand.Text()}
	return u, s.Post(ctx, "", "/api/auth/register", map[string]string{"email": u.Email, "password": u.Password}, nil)
}

// AddDevice adds a robot for its owner, as an operator does, and returns the path
// of its configuration. The zero User is nobody: the robot is to be paired.
func (s *System) AddDevice(ctx context.Context, id wire.DeviceID, owner User) (configFile string, err error) {
	args := []string{"device", "add", string(id)}
	if owner.Email != "" {
		args = append(args, "--owner", owner.Email)
	}
	return s.robotConfig(ctx, string(id), args...)
}

// AddSecret gives a robot a second secret and returns the path of the
// configuration that has it.
func (s *System) AddSecret(ctx context.Context, id wire.DeviceID) (configFile string, err error) {
	return s.robotConfig(ctx, string(id)+"-rotated", "device", "secret", "add", string(id))
}

// robotConfig keeps the configuration that a command prints.
func (s *System) robotConfig(ctx context.Context, name string, args ...string) (configFile string, err error) {
	text, err := s.Operate(ctx, append(args, "--relay-url", s.RelayURL())...)
	if err != nil {
		return "", err
	}
	configFile = filepath.Join(s.dir, name+".yaml")
	return configFile, os.WriteFile(configFile, []byte(text), 0o600)
}

// Secrets are what no log may show.
func (s *System) Secrets() []string {
	return append(strings.Split(s.settings.JWTSecret, ","), apiToken)
}

// PairingCode returns the code that a robot shows.
func (s *System) PairingCode(ctx context.Context, configFile string) (string, error) {
	text, err := output(exec.CommandContext(ctx, s.cli.path("robot"), "pair", "--config", configFile))
	if err != nil {
		return "", err
	}
	code := regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}`).FindString(text)
	if code == "" {
		return "", fmt.Errorf("robot pair shows no code: %s", text)
	}
	return code, nil
}

// RotateSecret lets the next relay sign tokens with another secret; the one before
// still verifies.
func (s *System) RotateSecret() {
	s.settings.JWTSecret = rand.Text() + rand.Text() + "," + s.settings.JWTSecret
}

// ForgetOldSecret leaves the next relay with the newest secret only.
func (s *System) ForgetOldSecret() {
	s.settings.JWTSecret, _, _ = strings.Cut(s.settings.JWTSecret, ",")
}

// CloseRegistration lets the next relay take no more accounts.
func (s *System) CloseRegistration() { s.settings.Closed = true }

// Operate runs a command of the relay's binary on the system's database, as an
// operator does beside the running relay, and returns what it prints.
func (s *System) Operate(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, s.cli.path("relay"), args...)
	command.Env = append(os.Environ(), s.settings.database()...)
	command.Dir = s.dir
	return output(command)
}

// StartRobot starts a robot and returns when the relay has it online. The zero
// User is nobody.
func (s *System) StartRobot(ctx context.Context, id wire.DeviceID, configFile string, owner User) error {
	robot, err := s.backend.Robot(ctx, RobotSettings{ConfigFile: configFile, LogLevel: s.settings.LogLevel}, s.log)
	if err != nil {
		return err
	}
	s.Robots[id] = robot
	if owner == (User{}) {
		return until(ctx, string(id)+" is connected", func() (bool, error) {
			status, err := s.RobotStatus(ctx, id)
			return status.Relay == "connected", err
		})
	}
	return s.AwaitOnline(ctx, id, owner)
}

// AwaitOnline returns when the relay has the robot online.
func (s *System) AwaitOnline(ctx context.Context, id wire.DeviceID, owner User) error {
	return until(ctx, string(id)+" is online", func() (bool, error) {
		devices, err := simapp.Devices(ctx, s.RelayURL(), owner.Token)
		return slices.Contains(devices, simapp.DeviceStatus{DeviceID: id, Online: true}), err
	})
}

// Dial connects a phone that is closed with the system.
func (s *System) Dial(ctx context.Context, user User, onMessage func(wire.Message)) (*simapp.Phone, error) {
	phone, err := simapp.Dial(ctx, simapp.Config{
		RelayURL: s.RelayURL(), Token: user.Token, OnMessage: onMessage,
		Log: logger(s.log, "simapp", s.settings.LogLevel),
	})
	if err == nil {
		s.phones = append(s.phones, phone)
	}
	return phone, err
}

// until asks again and again whether something holds; the last error, if any,
// says why it does not.
func until(ctx context.Context, what string, holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		ok, err := holds()
		if ok {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("waited in vain until %s", what), err)
		}
	}
}

// Preferred returns an address, or a free port where it is taken.
func Preferred(address string) string {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "127.0.0.1:0"
	}
	_ = listener.Close()
	return address
}
