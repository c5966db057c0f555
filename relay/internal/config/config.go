package config

import (
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/alecthomas/kong"
)

// Config is everything an operator can set. The zero value is not useful: start
// with [Default] or a parsed command line. A Config is read only once a relay
// has been made with it.
type Config struct {
	// Host and Port are where the relay listens; port 0 lets the system choose.
	Host string `env:"HOST" default:"0.0.0.0" help:"Address to listen on. Only this machine: 127.0.0.1."`
	Port uint16 `env:"PORT" default:"8000" help:"Port to listen on, 0 to 65535. 0 takes a free one."`
	// Listen is HOST:PORT and overrides the two above when it is not empty.
	Listen string `placeholder:"HOST:PORT" help:"Overrides --host and --port."`
	// TLSCertFile and TLSKeyFile, both or neither, make the relay speak TLS.
	TLSCertFile string `name:"tls-cert-file" env:"TLS_CERT_FILE" placeholder:"FILE" help:"Certificate chain (PEM) to speak TLS with. Without one a proxy in front of the relay does."`
	TLSKeyFile  string `name:"tls-key-file" env:"TLS_KEY_FILE" placeholder:"FILE" help:"Private key (PEM) of the certificate."`
	// TrustedProxies may say whom they connect for; see [Config.Proxies].
	TrustedProxies []string `env:"TRUSTED_PROXIES" placeholder:"NET" help:"Proxies whose X-Forwarded-For is believed, separated by commas: 127.0.0.1,10.0.0.0/8."`

	// PublicURL is where robots and apps reach the relay; see [Config.PublicSocketURL].
	PublicURL string `name:"public-url" env:"PUBLIC_URL" placeholder:"URL" help:"Where robots and apps reach the relay: https://relay.example.com. Default: the host that a request names."`

	// AdminListen is where metrics, profiles and health are served, to everybody
	// who reaches it. Empty or "off": nowhere.
	AdminListen string `env:"ADMIN_LISTEN" default:"127.0.0.1:9464" placeholder:"HOST:PORT" help:"Where metrics (/metrics), profiles and health are served without a password, or off."`

	// JWTSecret signs the tokens of apps (HS256), at least 32 characters. It may be
	// several, separated by commas: the first signs, all verify; see [Secret.Parts].
	JWTSecret Secret `kong:"-" env:"JWT_SECRET" help:"Secret that signs the tokens of apps, at least 32 characters; or several, separated by commas: the first signs, all verify. No default."`
	// Registration says who may make an account.
	Registration Registration `env:"REGISTRATION" default:"open" placeholder:"WHO" help:"Who may make an account: open (anybody) or closed (only the operator, with relay user add)."`
	// DatabaseURL says where accounts and devices are kept; see its type for the forms.
	DatabaseURL DatabaseURL `env:"DATABASE_URL" default:"wimz.db" placeholder:"URL" help:"Where accounts and devices are kept: postgres://user:password@host:5432/database, sqlite:///path/wimz.db, sqlite://:memory:, or the path of a file. Default: wimz.db in the working directory."`

	// TURNProvider is where TURN credentials come from; see [Config.Provider].
	TURNProvider TURNProvider `name:"turn-provider" env:"TURN_PROVIDER" placeholder:"NAME" help:"Where TURN credentials come from: cloudflare, coturn (a shared secret), static (a fixed password) or none (STUN only). Default: cloudflare if there is a key, else none."`
	// TURNKeyID and TURNAPIToken name a Cloudflare TURN key and the token that
	// may use it.
	TURNKeyID    string `name:"cloudflare-turn-key-id" env:"CLOUDFLARE_TURN_KEY_ID" placeholder:"ID" help:"Identifier of the Cloudflare TURN key."`
	TURNAPIToken Secret `kong:"-" env:"CLOUDFLARE_TURN_API_TOKEN" help:"Token that belongs to the Cloudflare TURN key. No default."`
	// TURNBaseURL is where the TURN key API is reached.
	TURNBaseURL string `name:"cloudflare-turn-base-url" env:"CLOUDFLARE_TURN_BASE_URL" default:"https://rtc.live.cloudflare.com" placeholder:"URL" help:"Where the Cloudflare TURN API is reached, http or https."`
	// TURNURLs are the servers of coturn and static (RFC 7064, RFC 7065).
	TURNURLs []string `name:"turn-urls" env:"TURN_URLS" placeholder:"URL" help:"Servers of the providers coturn and static, separated by commas: turn:turn.example.com:3478?transport=udp."`
	// TURNSecret is shared with coturn, as its static-auth-secret.
	TURNSecret Secret `kong:"-" env:"TURN_SECRET" help:"Secret shared with coturn, its static-auth-secret. No default."`
	// TURNUsername and TURNPassword are those of the provider static.
	TURNUsername string `name:"turn-username" env:"TURN_USERNAME" placeholder:"NAME" help:"Username of the provider static."`
	TURNPassword Secret `kong:"-" env:"TURN_PASSWORD" help:"Password of the provider static. No default."`
	// TURNRequired refuses a session when no TURN credentials can be had,
	// instead of offering STUN only.
	TURNRequired bool `env:"TURN_REQUIRED" help:"Refuse a session for which there is no TURN server: true or false."`
	// TURNCredentialTTL is how long the credentials of a session live.
	TURNCredentialTTL time.Duration `env:"TURN_CREDENTIAL_TTL" default:"1h" type:"seconds" placeholder:"TIME" help:"Life of TURN credentials, 10 to 172800 seconds (3600 or 1h)."`
	// TURNRevokeLinger is how long after a session's end its credentials are
	// revoked at the provider.
	TURNRevokeLinger time.Duration `env:"TURN_REVOKE_LINGER" default:"60s" type:"seconds" placeholder:"TIME" help:"How long after the end of a session its TURN credentials are revoked, 0 to 1h."`

	// SessionGrace is how long a session waits for a party that lost its socket.
	SessionGrace time.Duration `env:"SESSION_GRACE" default:"60s" type:"seconds" placeholder:"TIME" help:"How long a session waits for a lost socket to come back, 0 to 1h (60 or 60s)."`
	// DeviceStaticSignatures admits devices that sign no timestamp.
	DeviceStaticSignatures bool `env:"DEVICE_STATIC_SIGNATURES" default:"true" negatable:"" help:"Admit robots that sign no timestamp: true or false."`
	// PairingCodeTTL is how long the code that a robot shows can be used.
	PairingCodeTTL time.Duration `env:"PAIRING_CODE_TTL" default:"10m" type:"seconds" placeholder:"TIME" help:"How long a robot's pairing code can be used, 1 second to 1h (600 or 10m)."`
	// AllowedOrigins lists the web pages whose scripts may connect.
	AllowedOrigins []string `env:"ALLOWED_ORIGINS" placeholder:"ORIGIN" help:"Web origins that may connect, separated by commas: https://app.example.com. Programs without an Origin header always may."`

	// LimitMode says whether Quotas hold; see [Config.LimitsInForce].
	LimitMode LimitMode `name:"limits" env:"LIMITS" default:"on" placeholder:"MODE" help:"on, or off for load tests: then no LIMIT that counts holds, only those of size and time."`
	Limits    `embed:""`

	// LogLevel and LogFormat shape the log on standard error.
	LogLevel  slog.Level `env:"LOG_LEVEL" default:"info" placeholder:"LEVEL" help:"Least severe level to log: debug, info, warn or error."`
	LogFormat LogFormat  `env:"LOG_FORMAT" default:"text" placeholder:"FORMAT" help:"Form of the log: text or json."`
}

// Flags is a [Config] as part of a command line, without its methods: kong would
// take Validate for its own and call it before the environment has been read.
type Flags Config

// Default returns the configuration with every default applied and nothing read
// from the environment. It holds no secret, so [Config.Validate] refuses it until
// JWTSecret is set.
func Default() Config {
	var flags Flags
	parser, err := kong.New(&flags, Options()...)
	if err == nil {
		OwnEnvironment(parser)
		_, err = parser.Parse(nil)
	}
	if err != nil {
		panic("config: " + err.Error()) // a struct tag above is wrong
	}
	return Config(flags)
}

// Addr returns the HOST:PORT to listen on.
func (c *Config) Addr() string {
	if c.Listen != "" {
		return c.Listen
	}
	return net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
}

// AdminAddr returns the HOST:PORT of the admin listener, empty if there is none.
func (c *Config) AdminAddr() string {
	if c.AdminListen == "off" {
		return ""
	}
	return c.AdminListen
}

// LocalAddr returns the HOST:PORT at which this machine reaches the relay, or
// nothing if its port is not fixed.
func (c *Config) LocalAddr() string {
	host, port, err := net.SplitHostPort(c.Addr())
	if err != nil || port == "0" {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// TLS reports whether the relay itself speaks TLS.
func (c *Config) TLS() bool { return c.TLSCertFile != "" }
