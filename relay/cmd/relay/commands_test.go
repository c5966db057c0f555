package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/relay/internal/auth"
	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store/sqlstore"
	"wimz.dev/live/relay/wire"
)

type robotVideo struct {
	Width, Height, FPS int
	BitrateKbps        int `yaml:"bitrate_kbps"`
}

// robotConfig is what a robot reads.
type robotConfig struct {
	Cloud struct {
		Enabled        bool
		RelayURL       string        `yaml:"relay_url"`
		DeviceID       wire.DeviceID `yaml:"device_id"`
		DeviceSecret   string        `yaml:"device_secret"`
		ReconnectDelay int           `yaml:"reconnect_delay"`
	}
	WebRTC struct {
		Enabled        bool
		Video          robotVideo
		MaxConnections int `yaml:"max_connections"`
	} `yaml:"webrtc"`
}

func (s *shell) addRobot(id string, args ...string) robotConfig {
	s.t.Helper()
	text := s.must("", append([]string{"device", "add", id, "--owner=ann@example.com"}, args...)...)
	var c robotConfig
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		s.t.Fatalf("%v in\n%s", err, text)
	}
	return c
}

// TestFromEmptyToAuthenticated goes the way of the first steps in the help: what
// the commands print must let a robot and an app in.
func TestFromEmptyToAuthenticated(t *testing.T) {
	ctx := t.Context()
	s := newShell(t, "JWT_SECRET="+testSecret)
	s.must("correct horse\r\n", "user", "add", "ann@example.com", "--password-stdin")
	robot := s.addRobot("wimz_abc123")
	token := s.must("", "token", "ann@example.com")

	db, err := sqlstore.Open(ctx, config.DatabaseURL(filepath.Join(s.dir, "test.db")))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ann, err := auth.NewAccounts(db, auth.NewPasswords(1, 0), time.Now).Login(ctx, "ann@example.com", "correct horse")
	if err != nil {
		t.Error(err, auth.Cause(err))
	}
	claims, err := auth.NewTokens(testSecret, auth.TokenLifetime, time.Now).Verify(strings.TrimSuffix(token, "\n"))
	if err != nil || claims.UserID != ann.ID {
		t.Errorf("the token says %+v, %v (%s)", claims, err, auth.Cause(err))
	}
	signature := config.Secret(wire.Sign(robot.Cloud.DeviceSecret, robot.Cloud.DeviceID, time.Time{}))
	creds := auth.DeviceCredentials{DeviceID: robot.Cloud.DeviceID, Signature: signature}
	if id, err := auth.NewDevices(db, true, time.Now).Authenticate(ctx, creds); err != nil || id != "wimz_abc123" {
		t.Errorf("the robot is %q, %v (%s)", id, err, auth.Cause(err))
	}
}

func TestRobotConfig(t *testing.T) {
	s := newShell(t)
	s.must("correct horse", "user", "add", "ann@example.com", "--password-stdin")
	for id, tc := range map[string]struct {
		args []string
		want string
	}{
		"default":  {nil, "ws://localhost:8000"},
		"host":     {[]string{"--host=192.0.2.7", "--port=9"}, "ws://192.0.2.7:9"},
		"ipv6":     {[]string{"--listen=[::]:9"}, "ws://localhost:9"},
		"loopback": {[]string{"--listen=[::1]:9"}, "ws://[::1]:9"},
		"flag":     {[]string{"--relay-url=wss://relay.example.com/x"}, "wss://relay.example.com/x"},
	} {
		c := s.addRobot(id, tc.args...)
		if c.Cloud.RelayURL != tc.want || string(c.Cloud.DeviceID) != id || len(c.Cloud.DeviceSecret) != 64 ||
			!c.Cloud.Enabled || !c.WebRTC.Enabled || c.Cloud.ReconnectDelay != 5 || c.WebRTC.MaxConnections != 2 || (c.WebRTC.Video != robotVideo{1280, 720, 15, 1500}) {
			t.Errorf("%s: got %+v", id, c)
		}
	}
}

func TestDeviceList(t *testing.T) {
	s := newShell(t)
	s.must("correct horse", "user", "add", "ann@example.com", "--password-stdin")
	first, second := s.addRobot("b"), s.addRobot("a")
	got := s.must("", "device", "list")
	lines := strings.Split(got, "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "ID") || !strings.HasPrefix(lines[1], "a   ann@example.com") || !strings.HasSuffix(lines[2], "  never") {
		t.Errorf("got:\n%s", got)
	}
	if strings.Contains(got, first.Cloud.DeviceSecret) || strings.Contains(got, second.Cloud.DeviceSecret) {
		t.Error("a secret shows")
	}
}

// TestRobotOfNobody: a robot is added without an owner, given away and taken back.
func TestRobotOfNobody(t *testing.T) {
	s := newShell(t, "PUBLIC_URL=https://relay.example.com")
	s.must("correct horse", "user", "add", "ann@example.com", "--password-stdin")
	var robot robotConfig
	text := s.must("", "device", "add", "wimz_1")
	if err := yaml.Unmarshal([]byte(text), &robot); err != nil || robot.Cloud.RelayURL != "wss://relay.example.com" {
		t.Errorf("%v in\n%s", err, text)
	}
	if !strings.Contains(text, "# Nobody owns this robot yet: robot pair ") {
		t.Errorf("what to do is not in:\n%s", text)
	}
	for _, step := range []struct{ command, says, lists string }{
		{"", "", "(not paired)  1"},
		{"transfer wimz_1 --to Ann@example.com", "robot wimz_1 is now owned by ann@example.com\n", "ann@example.com  1"},
		{"transfer wimz_1 --to-nobody", "robot wimz_1 is now nobody's, and can be paired\n", "(not paired)  1"},
		{"remove wimz_1", "removed robot wimz_1\n", ""},
	} {
		if step.command != "" {
			if got := s.must("", append([]string{"device"}, strings.Fields(step.command)...)...); got != step.says {
				t.Errorf("%s says %q", step.command, got)
			}
		}
		list := s.must("", "device", "list")
		if strings.Contains(list, "wimz_1") != (step.lists != "") || !strings.Contains(list, step.lists) {
			t.Errorf("after %q %q is not in:\n%s", step.command, step.lists, list)
		}
	}
}

// TestSecretRotation: both secrets let the robot in until the older is dropped.
func TestSecretRotation(t *testing.T) {
	ctx := t.Context()
	s := newShell(t)
	s.must("correct horse", "user", "add", "ann@example.com", "--password-stdin")
	older := s.addRobot("wimz_1").Cloud.DeviceSecret
	var fresh robotConfig
	text := s.must("", "device", "secret", "add", "wimz_1", "--relay-url=wss://relay.example.com")
	if err := yaml.Unmarshal([]byte(text), &fresh); err != nil || fresh.Cloud.DeviceID != "wimz_1" || fresh.Cloud.RelayURL != "wss://relay.example.com" || strings.Contains(text, "Nobody owns") {
		t.Fatalf("%v in\n%s", err, text)
	}
	newer := fresh.Cloud.DeviceSecret
	admitted := func(secret string) bool {
		db, err := sqlstore.Open(ctx, config.DatabaseURL(filepath.Join(s.dir, "test.db")))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		creds := auth.DeviceCredentials{DeviceID: "wimz_1", Signature: config.Secret(wire.Sign(secret, "wimz_1", time.Time{}))}
		_, err = auth.NewDevices(db, true, time.Now).Authenticate(ctx, creds)
		return err == nil
	}
	if newer == older || !admitted(older) || !admitted(newer) {
		t.Error("one of the two secrets does not do")
	}
	status, stdout, stderr := s.run("", "device", "secret", "add", "wimz_1")
	if status != cli.ExitFailed || stdout != "" || !strings.Contains(stderr, "has two secrets already") || !admitted(older) {
		t.Errorf("a third: status %d, %q", status, stderr)
	}
	if list := s.must("", "device", "list"); !strings.Contains(list, "ann@example.com  2 ") {
		t.Errorf("got:\n%s", list)
	}
	for range 2 { // the second time nothing is left to drop
		if got := s.must("", "device", "secret", "drop", "wimz_1"); got != "robot wimz_1 has one secret now\n" {
			t.Errorf("drop says %q", got)
		}
		if admitted(older) || !admitted(newer) {
			t.Error("the older secret still does, or the newer does not")
		}
	}
}

func TestPasswordPrompt(t *testing.T) {
	broken := errors.New("terminal gone")
	for _, tc := range []struct {
		name    string
		answers []string
		want    string // the error; empty: none
	}{
		{"twice the same", []string{"correct horse", "correct horse"}, ""},
		{"different", []string{"correct horse", "battery staple"}, "the two passwords differ"},
		{"first fails", nil, broken.Error()},
		{"second fails", []string{"correct horse"}, broken.Error()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var prompts []string
			a := &app{cfg: config.Default(), stdout: new(bytes.Buffer), ask: func(_ context.Context, prompt string) (string, error) {
				prompts = append(prompts, prompt)
				if len(prompts) > len(tc.answers) {
					return "", broken
				}
				return tc.answers[len(prompts)-1], nil
			}}
			a.cfg.DatabaseURL = "sqlite://:memory:"
			err := (&userAddCmd{Email: "ann@example.com"}).Run(t.Context(), a)
			if (err == nil) != (tc.want == "") || (err != nil && !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if prompts[0] != "Password: " {
				t.Errorf("asked %q", prompts)
			}
		})
	}
}

func FuzzFirstLine(f *testing.F) {
	f.Add("secret\r\nrest")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		line, err := firstLine(strings.NewReader(text))
		if err != nil || strings.Contains(line, "\n") || !strings.HasPrefix(text, line) || len(line) > auth.MaxPassword+2 {
			t.Errorf("%q gives %q, %v", text, line, err)
		}
	})
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
