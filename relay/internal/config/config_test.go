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

	"wimz.dev/live/relay/internal/limit"
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
		LimitMode: LimitsOn, Limits: defaultLimits,
	}
	if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
		t.Errorf("got %#v\nwant %#v", got, want)
	}
	got.JWTSecret = hush
	if err := got.Validate(); err != nil {
		t.Errorf("with a secret the defaults are valid, got %v", err)
	}
}

var defaultLimits = Limits{
	Quotas: Quotas{
		ConnectionBytes: limit.Rate{Burst: 4_000_000, Every: 2 * time.Microsecond},
		SocketMessages:  limit.Rate{Burst: 300, Every: 10 * time.Millisecond}, UserMessages: limit.Rate{Burst: 900, Every: time.Second / 300},
		UserRequests: limit.Rate{Burst: 20, Every: time.Second / 2}, UserCredentials: limit.Rate{Burst: 20, Every: time.Second},
		AddressLogins: limit.Rate{Burst: 60, Every: time.Second}, AccountLogins: limit.Rate{Burst: 20, Every: 5 * time.Second},
		SocketTraffic: limit.Rate{Burst: 200, Every: 10 * time.Millisecond},
		GuesserLogins: limit.Rate{Burst: 10, Every: 30 * time.Second},
		UserPairings:  limit.Rate{Burst: 10, Every: 30 * time.Second}, Pairings: limit.Rate{Burst: 100, Every: time.Second / 5},
		LoginsWaiting: 64, UserSockets: 32, UserSessions: 32, DeviceSessions: 16, Candidates: 200,
	},
	Bounds: Bounds{
		LoginsAtOnce: 2, Connections: 10_000, FrameBytes: 64 << 10, BodyBytes: 8 << 10, HeaderBytes: 16 << 10,
		HeaderTime: 5 * time.Second, RequestTime: 10 * time.Second, IdleTime: time.Minute,
	},
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
		"TLS_CERT_FILE": "c.pem", "TLS_KEY_FILE": "k.pem", "TRUSTED_PROXIES": "10.0.0.0/8, ::1",
		"LIMITS": "off", "LIMIT_CONNECTION_BYTES": "20+1/s", "LIMIT_SOCKET_MESSAGES": "1+1/s", "LIMIT_USER_MESSAGES": "2+1/s", "LIMIT_USER_REQUESTS": "3+1/s",
		"LIMIT_USER_CREDENTIALS": "4+1/s", "LIMIT_ADDRESS_LOGINS": "5+1/m", "LIMIT_ACCOUNT_LOGINS": "6+1/h",
		"LIMIT_GUESSER_LOGINS": "23+1/s", "LIMIT_SOCKET_TRAFFIC": "24+1/s", "LIMIT_USER_PAIRINGS": "21+1/s", "LIMIT_PAIRINGS": "22+1/s", "LIMIT_LOGINS_WAITING": "7", "LIMIT_USER_SOCKETS": "8", "LIMIT_USER_SESSIONS": "9", "LIMIT_DEVICE_SESSIONS": "10",
		"LIMIT_CANDIDATES": "11", "LIMIT_LOGINS_AT_ONCE": "12", "LIMIT_CONNECTIONS": "13", "LIMIT_FRAME_BYTES": "14",
		"LIMIT_BODY_BYTES": "15", "LIMIT_HEADER_BYTES": "16", "LIMIT_HEADER_TIME": "17", "LIMIT_REQUEST_TIME": "18s", "LIMIT_IDLE_TIME": "19m",
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
		TLSCertFile: "c.pem", TLSKeyFile: "k.pem", TrustedProxies: []string{"10.0.0.0/8", "::1"},
		LimitMode: LimitsOff, Limits: Limits{
			Quotas: Quotas{
				ConnectionBytes: limit.Rate{Burst: 20, Every: time.Second},
				SocketMessages:  limit.Rate{Burst: 1, Every: time.Second}, UserMessages: limit.Rate{Burst: 2, Every: time.Second},
				UserRequests: limit.Rate{Burst: 3, Every: time.Second}, UserCredentials: limit.Rate{Burst: 4, Every: time.Second},
				AddressLogins: limit.Rate{Burst: 5, Every: time.Minute}, AccountLogins: limit.Rate{Burst: 6, Every: time.Hour},
				SocketTraffic: limit.Rate{Burst: 24, Every: time.Second},
				GuesserLogins: limit.Rate{Burst: 23, Every: time.Second},
				UserPairings:  limit.Rate{Burst: 21, Every: time.Second}, Pairings: limit.Rate{Burst: 22, Every: time.Second},
				LoginsWaiting: 7, UserSockets: 8, UserSessions: 9, DeviceSessions: 10, Candidates: 11,
			},
			Bounds: Bounds{
				LoginsAtOnce: 12, Connections: 13, FrameBytes: 14, BodyBytes: 15, HeaderBytes: 16,
				HeaderTime: 17 * time.Second, RequestTime: 18 * time.Second, IdleTime: 19 * time.Minute,
			},
		},
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
		{"origin with wildcard", func(c *Config) { c.AllowedOrigins = []string{"https://*.example.com"} }, "ALLOWED_ORIGINS: "},
		{"no origin", func(c *Config) { c.AllowedOrigins = []string{"null"} }, "ALLOWED_ORIGINS: "},
		{"origin with the usual port", func(c *Config) { c.AllowedOrigins = []string{"https://[::1]:443"} }, `ALLOWED_ORIGINS: "https://[::1]:443" has the port that browsers leave out: write https://[::1]`},
		{"certificate without key", func(c *Config) { c.TLSCertFile = "c" }, "TLS_KEY_FILE: is not set"},
		{"key without certificate", func(c *Config) { c.TLSKeyFile = "k" }, "TLS_CERT_FILE: is not set"},
		{"proxy by name", func(c *Config) { c.TrustedProxies = []string{"localhost"} }, "TRUSTED_PROXIES: "},
		{"proxy with port", func(c *Config) { c.TrustedProxies = []string{"127.0.0.1:80"} }, "TRUSTED_PROXIES: "},
		{"everybody is a proxy", func(c *Config) { c.TrustedProxies = []string{"10.0.0.0/8", "::/0"} }, "TRUSTED_PROXIES: ::/0 is everybody"},
		{"mapped proxy", func(c *Config) { c.TrustedProxies = []string{"::ffff:10.0.0.0/104"} }, "TRUSTED_PROXIES: "},
		{"no candidates", func(c *Config) { c.Candidates = 0 }, "LIMIT_CANDIDATES: is 0: choose a number from 1 to 1000000"},
		{"frames above the contract's", func(c *Config) { c.FrameBytes = 65537 }, "LIMIT_FRAME_BYTES: is 65537"},
		{"frames too small for an offer", func(c *Config) { c.FrameBytes = 1000 }, "LIMIT_FRAME_BYTES: is 1000"},
		{"request before its header", func(c *Config) { c.RequestTime = c.HeaderTime - 1 }, "LIMIT_REQUEST_TIME: is 4.999999999s: choose a time from 5s"},
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
	c := Config{TURNRequired: true, Listen: "x", AllowedOrigins: []string{"*", "**"}, Limits: defaultLimits}
	if n := strings.Count(c.Validate().Error(), "\n") + 1; n != 9 {
		t.Errorf("got %d problems: %v", n, c.Validate())
	}
}

func TestProxies(t *testing.T) {
	c := Config{TrustedProxies: []string{"127.0.0.1", "10.1.2.3/8", "::1", "2001:db8::/32", "::ffff:192.0.2.1"}}
	networks, err := c.Proxies()
	if want := "[127.0.0.1/32 10.1.2.3/8 ::1/128 2001:db8::/32 192.0.2.1/32]"; fmt.Sprint(networks) != want || err != nil {
		t.Errorf("got %v, %v", networks, err)
	}
}

func TestLimitsInForce(t *testing.T) {
	c := Default()
	if c.LimitsInForce() != c.Limits {
		t.Error("the limits are not in force")
	}
	c.LimitMode = LimitsOff
	if got := c.LimitsInForce(); got.Quotas != (Quotas{}) || got.Bounds != c.Bounds {
		t.Errorf("off: %+v", got)
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
