package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

const hush = "hush-hush-hush-hush-hush-hush-hush-hush"

// load reads a configuration as a program does.
func load(t *testing.T, args []string, env map[string]string) (Config, error) {
	t.Helper()
	var flags Flags
	parser, err := kong.New(&flags, Options()...)
	if err != nil {
		t.Fatal(err)
	}
	OwnEnvironment(parser)
	parsed, err := parser.Parse(args)
	if err != nil {
		t.Fatal(err)
	}
	return flags.Complete(parsed, env)
}

func TestDefault(t *testing.T) {
	t.Setenv("PORT", "1") // must not be looked at
	got := Default()
	want := Config{
		Host: "0.0.0.0", Port: 8000, Registration: RegistrationOpen, AdminListen: "127.0.0.1:9464", DatabaseURL: "wimz.db", TURNBaseURL: "https://rtc.live.cloudflare.com",
		TURNCredentialTTL: time.Hour, TURNRevokeLinger: time.Minute, SessionGrace: time.Minute,
		PairingCodeTTL: 10 * time.Minute, DeviceStaticSignatures: true, LogFormat: LogText,
	}
	if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
		t.Errorf("got %#v\nwant %#v", got, want)
	}
	got.JWTSecret = hush
	if err := got.Validate(); err != nil {
		t.Errorf("with a secret the defaults are valid, got %v", err)
	}
}

func TestEveryVariableIsRead(t *testing.T) {
	env := map[string]string{
		"HOST": "::1", "PORT": " 9 ", "PUBLIC_URL": "https://r", "PAIRING_CODE_TTL": "11m", "JWT_SECRET": hush, "REGISTRATION": "closed", "DATABASE_URL": "x.db",
		"ADMIN_LISTEN":           "off",
		"CLOUDFLARE_TURN_KEY_ID": "key", "CLOUDFLARE_TURN_API_TOKEN": hush,
		"CLOUDFLARE_TURN_BASE_URL": "http://127.0.0.1:1", "TURN_REQUIRED": "yes",
		"TURN_PROVIDER": "static", "TURN_URLS": "turn:a:1?transport=udp, stun:b,", "TURN_SECRET": hush,
		"TURN_USERNAME": "wimz", "TURN_PASSWORD": hush,
		"TURN_CREDENTIAL_TTL": "3601", "TURN_REVOKE_LINGER": "1s", "SESSION_GRACE": "2m",
		"DEVICE_STATIC_SIGNATURES": "false", "ALLOWED_ORIGINS": "http://a, capacitor://localhost,",
		"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json",
	}
	if got := slices.Sorted(maps.Keys(env)); !slices.Equal(got, slices.Sorted(slices.Values(Names()))) {
		t.Fatalf("the known variables are %v", Names())
	}
	c, err := load(t, nil, env)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []*Secret{&c.JWTSecret, &c.TURNAPIToken, &c.TURNSecret, &c.TURNPassword} {
		if secret.Reveal() != hush {
			t.Error("a secret was not read")
		}
		*secret = ""
	}
	want := Config{
		Host: "::1", Port: 9, PublicURL: "https://r", Registration: RegistrationClosed, PairingCodeTTL: 11 * time.Minute, DatabaseURL: "x.db", TURNKeyID: "key", TURNBaseURL: "http://127.0.0.1:1",
		AdminListen:  "off",
		TURNProvider: TURNStatic, TURNURLs: []string{"turn:a:1?transport=udp", "stun:b"}, TURNUsername: "wimz",
		TURNRequired: true, TURNCredentialTTL: 3601 * time.Second, TURNRevokeLinger: time.Second,
		SessionGrace: 2 * time.Minute, AllowedOrigins: []string{"http://a", "capacitor://localhost"},
		LogLevel: slog.LevelDebug, LogFormat: LogJSON,
	}
	if fmt.Sprintf("%#v", c) != fmt.Sprintf("%#v", want) {
		t.Errorf("got %#v\nwant %#v", c, want)
	}
	if c.Addr() != "[::1]:9" {
		t.Errorf("Addr is %q", c.Addr())
	}
}

func TestPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "some.env")
	write(t, file, "HOST=from-file\nPORT=1\nSESSION_GRACE=5s\nLOG_LEVEL=\n")
	env, err := Environment([]string{"PORT=2", "SESSION_GRACE=6s", "HOST=", "PATH=/bin"}, file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := load(t, []string{"--session-grace=7s", "--no-device-static-signatures", "--listen=:1"}, env)
	if err != nil {
		t.Fatal(err)
	}
	if c.Host != "from-file" || c.Port != 2 || c.SessionGrace != 7*time.Second || c.DeviceStaticSignatures {
		t.Errorf("got %+v", c)
	}
	if c.Addr() != ":1" {
		t.Errorf("--listen does not override: %q", c.Addr())
	}
}

func TestCompleteCollectsProblems(t *testing.T) {
	_, err := load(t, nil, map[string]string{
		"PORT": "70000", "SESSION_GRACE": "soon", "LOG_LEVEL": "loud", "LOG_FORMAT": "xml", "TURN_REQUIRED": "perhaps", "TURN_PROVIDER": "twilio", "REGISTRATION": "Open",
	})
	for _, name := range []string{"PORT: ", "SESSION_GRACE: ", "LOG_LEVEL: ", "LOG_FORMAT: ", "TURN_REQUIRED: ", "TURN_PROVIDER: ", "REGISTRATION: ", "debug, info, warn or error", "60 or 60s"} {
		if !strings.Contains(fmt.Sprint(err), name) {
			t.Errorf("%q is not in:\n%v", name, err)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(*Config)
		want  string // what the error names; empty: valid
	}{
		{"ttl shortest", func(c *Config) { c.TURNCredentialTTL = 10 * time.Second }, ""},
		{"ttl longest", func(c *Config) { c.TURNCredentialTTL = 172800 * time.Second }, ""},
		{"no grace", func(c *Config) { c.SessionGrace = 0 }, ""},
		{"complete TURN", func(c *Config) { c.TURNKeyID, c.TURNAPIToken, c.TURNRequired = "k", hush, true }, ""},
		{"origins", func(c *Config) { c.AllowedOrigins = []string{"https://a.b:8443", "http://[::1]:3000"} }, ""},

		{"no secret", func(c *Config) { c.JWTSecret = "" }, "JWT_SECRET: is not set: make one with `openssl rand -hex 32`"},
		{"short secret", func(c *Config) { c.JWTSecret = Secret(hush[:31]) }, "JWT_SECRET: secret 1 of 1 has 31 characters"},
		{"short old secret", func(c *Config) { c.JWTSecret = Secret(hush + ", " + hush[:31]) }, "JWT_SECRET: secret 2 of 2 has 31 characters"},
		{"only commas", func(c *Config) { c.JWTSecret = ", ," }, "JWT_SECRET: is not set"},
		{"two secrets", func(c *Config) { c.JWTSecret = Secret(hush + " ," + hush + ",") }, ""},
		{"key without token", func(c *Config) { c.TURNKeyID = "k" }, "CLOUDFLARE_TURN_API_TOKEN: is not set"},
		{"token without key", func(c *Config) { c.TURNAPIToken = hush }, "CLOUDFLARE_TURN_KEY_ID: is not set"},
		{"TURN servers, no provider", func(c *Config) { c.TURNURLs = []string{"turn:a:1"} }, "TURN_PROVIDER: is not set"},
		{"TURN secret, no provider", func(c *Config) { c.TURNSecret = hush }, "TURN_PROVIDER: is not set"},
		{"TURN required", func(c *Config) { c.TURNRequired = true }, "TURN_REQUIRED: "},
		{"key is a URL", func(c *Config) { c.TURNKeyID, c.TURNAPIToken = "http://x/y", hush }, "CLOUDFLARE_TURN_KEY_ID: "},
		{"base URL", func(c *Config) { c.TURNBaseURL = "ftp://x" }, "CLOUDFLARE_TURN_BASE_URL: "},
		{"base URL with password", func(c *Config) { c.TURNBaseURL = "http://u:" + hush + "@x" }, "CLOUDFLARE_TURN_BASE_URL: "},
		{"ttl", func(c *Config) { c.TURNCredentialTTL = 9 * time.Second }, "TURN_CREDENTIAL_TTL: is 9s"},
		{"long ttl", func(c *Config) { c.TURNCredentialTTL = 172801 * time.Second }, "TURN_CREDENTIAL_TTL: "},
		{"linger", func(c *Config) { c.TURNRevokeLinger = -1 }, "TURN_REVOKE_LINGER: "},
		{"grace", func(c *Config) { c.SessionGrace = 2 * time.Hour }, "SESSION_GRACE: "},
		{"pairing", func(c *Config) { c.PairingCodeTTL = 0 }, "PAIRING_CODE_TTL: is 0s"},
		{"public URL", func(c *Config) { c.PublicURL = "https://u:" + hush + "@h" }, "PUBLIC_URL: is not the address"},
		{"host with port", func(c *Config) { c.Host = "localhost:80" }, "HOST: "},
		{"listen", func(c *Config) { c.Listen = "localhost" }, "--listen: "},
		{"admin off", func(c *Config) { c.AdminListen = "off" }, ""},
		{"admin", func(c *Config) { c.AdminListen = "9464" }, "ADMIN_LISTEN: "},
		{"listen port", func(c *Config) { c.Listen = "localhost:http" }, "--listen: "},
		{"any origin", func(c *Config) { c.AllowedOrigins = []string{"*"} }, "ALLOWED_ORIGINS: "},
		{"origin with path", func(c *Config) { c.AllowedOrigins = []string{"https://a/"} }, "ALLOWED_ORIGINS: "},
		{"origin in capitals", func(c *Config) { c.AllowedOrigins = []string{"https://A"} }, "ALLOWED_ORIGINS: "},
		{"postgres", func(c *Config) { c.DatabaseURL = "postgres://u:" + hush + "@h/d?sslmode=disable" }, ""},
		{"postgres without a database", func(c *Config) { c.DatabaseURL = "postgres://u:" + hush + "@h" }, "DATABASE_URL: use postgres://"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := Default()
			c.JWTSecret = hush
			tc.spoil(&c)
			err := c.Validate()
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("got %v", err)
			case tc.want != "" && !strings.HasPrefix(fmt.Sprint(err), tc.want):
				t.Errorf("got %v, want %q", err, tc.want)
			case strings.Contains(fmt.Sprint(err), hush[:9]):
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

func TestValidateReportsEverything(t *testing.T) {
	c := Config{TURNRequired: true, Listen: "x", AllowedOrigins: []string{"*", "**"}}
	if n := strings.Count(c.Validate().Error(), "\n") + 1; n != 9 {
		t.Errorf("got %d problems: %v", n, c.Validate())
	}
}

func TestPublicSocketURL(t *testing.T) {
	for url, want := range map[string]string{
		"": "", "https://r.example.com": "wss://r.example.com", "wss://r:8443/": "wss://r:8443",
		"http://127.0.0.1:8000": "ws://127.0.0.1:8000", "ws://[::1]:9": "ws://[::1]:9",
		"r.example.com": "bad", "ftp://r": "bad", "https://": "bad", "https://u@r": "bad", ":": "bad",
		"https://r/api": "bad", "https://r?x": "bad", "https://r#x": "bad",
	} {
		c := Config{PublicURL: url}
		if got, err := c.PublicSocketURL(); (err != nil) != (want == "bad") || (err == nil && got != want) {
			t.Errorf("%q: got %q, %v, want %q", url, got, err, want)
		}
	}
}

func TestSecretNeverShows(t *testing.T) {
	s := Secret(hush)
	holder := struct{ A Secret }{s}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("text", "secret", s, "in", holder, "pointer", &holder)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "secret", s, "in", holder)
	encoded, err := json.Marshal(holder)
	shown := log.String() + string(encoded) + s.String() + s.GoString() + fmt.Sprint(errors.Join(err))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%20s"} {
		shown += fmt.Sprintf(verb, s) + fmt.Sprintf(verb, holder) + fmt.Sprintf(verb, &s)
	}
	if strings.Contains(shown, hush) || strings.Contains(shown, fmt.Sprintf("%x", hush)) || !strings.Contains(shown, mask) {
		t.Errorf("a secret shows: %s", shown)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
