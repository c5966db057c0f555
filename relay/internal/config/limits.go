package config

import (
	"errors"
	"fmt"
	"time"

	"wimz.dev/live/relay/internal/limit"
	"wimz.dev/live/relay/wire"
)

// Limits hold clients to what the relay can carry for all of them. Each is far
// above what phones and robots do.
type Limits struct {
	Quotas `embed:"" prefix:"limit-"`
	Bounds `embed:"" prefix:"limit-"`
}

// Quotas say how often and how many. LIMITS=off lifts them: a load test does in
// a second, as one user, what users do in a day. A zero is no limit.
type Quotas struct {
	// Ten times what a hundred messages a second have. What is cheaper for
	// senders than for us, such as frames of a few bytes, costs us little at
	// this pace.
	ConnectionBytes limit.Rate `env:"LIMIT_CONNECTION_BYTES" default:"4000000+500000/s" placeholder:"RATE" help:"Bytes read from one connection. Who sends more has to wait."`
	// A session takes some 30 messages of each side, most of them candidates in
	// its first second.
	SocketMessages limit.Rate `env:"LIMIT_SOCKET_MESSAGES" default:"300+100/s" placeholder:"RATE" help:"Messages of one socket: 300+100/s is 300 at once and 100 more every second."`
	// A stick is sampled 20 to 50 times a second, and a phone that was held up for
	// two seconds sends what has gathered at once; what is older is stale anyway.
	SocketTraffic limit.Rate `env:"LIMIT_SOCKET_TRAFFIC" default:"200+100/s" placeholder:"RATE" help:"Commands or events of one socket, beside its messages."`
	// A user has a phone or two in use at a time.
	UserMessages limit.Rate `env:"LIMIT_USER_MESSAGES" default:"900+300/s" placeholder:"RATE" help:"Messages of all apps of one user, and as many commands beside."`
	// A request makes a session, wakes a robot and may ask the TURN provider.
	UserRequests limit.Rate `env:"LIMIT_USER_REQUESTS" default:"20+2/s" placeholder:"RATE" help:"Requests for a session of one user."`
	// A session brings its own TURN credentials; these are for apps that fetch them
	// beside. A token lasts a day.
	UserCredentials limit.Rate `env:"LIMIT_USER_CREDENTIALS" default:"20+1/s" placeholder:"RATE" help:"Fresh tokens, and TURN credentials outside of sessions, for one user."`
	// A household or an office shares an address; a machine that guesses
	// passwords has 3,600 an hour, for all accounts together.
	AddressLogins limit.Rate `env:"LIMIT_ADDRESS_LOGINS" default:"60+1/s" placeholder:"RATE" help:"Logins and registrations from one address."`
	// A person mistypes a few times; so few are no good for guessing.
	GuesserLogins limit.Rate `env:"LIMIT_GUESSER_LOGINS" default:"10+2/m" placeholder:"RATE" help:"Logins to one account from one address that has not succeeded before."`
	// 17,000 guesses a day at one account, from wherever, find no password that
	// is not among the commonest.
	AccountLogins limit.Rate `env:"LIMIT_ACCOUNT_LOGINS" default:"20+12/m" placeholder:"RATE" help:"Logins to one account."`
	// A person types a code once or twice; relay/internal/httpapi/pairing.go says
	// what these two are worth against guessing.
	UserPairings limit.Rate `env:"LIMIT_USER_PAIRINGS" default:"10+2/m" placeholder:"RATE" help:"Pairing codes that one user may try."`
	Pairings     limit.Rate `env:"LIMIT_PAIRINGS" default:"100+5/s" placeholder:"RATE" help:"Pairing codes that all users together may try."`
	// Under a second's worth of hashing on one core; who comes later is told to.
	LoginsWaiting int `env:"LIMIT_LOGINS_WAITING" default:"64" placeholder:"N" help:"Logins that may wait for others to be checked."`

	// Phones, browsers and dead sockets that nobody has noticed yet.
	UserSockets int `env:"LIMIT_USER_SOCKETS" default:"32" placeholder:"N" help:"Apps that one user may have connected. One more closes the oldest."`
	// A wall of robots on a few screens.
	UserSessions int `env:"LIMIT_USER_SESSIONS" default:"32" placeholder:"N" help:"Sessions that one user may have."`
	// The robot has its own, smaller number of viewers, and its own answer to
	// one too many. This only keeps requests from piling up on it. Sessions of
	// lost phones count until their grace time is over.
	DeviceSessions int `env:"LIMIT_DEVICE_SESSIONS" default:"16" placeholder:"N" help:"Sessions with one robot. Should be above what robots take."`
	// A browser with many networks and TURN servers has about 50.
	Candidates int `env:"LIMIT_CANDIDATES" default:"200" placeholder:"N" help:"ICE candidates of each side of a session, for one offer."`
}

// Bounds say how large and how long, and how much of the machine. They always
// hold.
type Bounds struct {
	// A hash takes a core for about 20 ms and 19 MiB: logins must not eat the
	// machine that carries the signaling.
	LoginsAtOnce int `env:"LIMIT_LOGINS_AT_ONCE" default:"2" placeholder:"N" help:"Passwords that are checked at the same time, 19 MiB each."`
	// A socket takes about 70 KB: these are 700 MB. Systemd and Docker allow more
	// open files than that.
	Connections int `env:"LIMIT_CONNECTIONS" default:"10000" placeholder:"N" help:"Connections at the same time. Others wait."`

	// The contract's. An SDP with every codec and candidate has about 10 KiB.
	FrameBytes int `env:"LIMIT_FRAME_BYTES" default:"65536" placeholder:"BYTES" help:"Size of a message, 16384 to 65536 bytes."`
	// An e-mail address and a password.
	BodyBytes int `env:"LIMIT_BODY_BYTES" default:"8192" placeholder:"BYTES" help:"Size of a request's body."`
	// A token of at most 4 KiB, what proxies add, and a browser's own headers.
	HeaderBytes int `env:"LIMIT_HEADER_BYTES" default:"16384" placeholder:"BYTES" help:"Size of a request's header."`

	// A packet or two, also over a bad mobile network. The TLS handshake has
	// the same time.
	HeaderTime time.Duration `env:"LIMIT_HEADER_TIME" default:"5s" type:"seconds" placeholder:"TIME" help:"Time to send a request's header."`
	// 8 KiB at less than a kilobyte per second.
	RequestTime time.Duration `env:"LIMIT_REQUEST_TIME" default:"10s" type:"seconds" placeholder:"TIME" help:"Time to send a whole request."`
	// An app that polls does so more often; proxies keep their connections.
	IdleTime time.Duration `env:"LIMIT_IDLE_TIME" default:"60s" type:"seconds" placeholder:"TIME" help:"Time between two requests of a connection."`
}

// LimitMode says whether quotas hold.
type LimitMode string

// The modes there are.
const (
	LimitsOn  LimitMode = "on"
	LimitsOff LimitMode = "off"
)

// UnmarshalText accepts the modes there are and nothing else.
func (m *LimitMode) UnmarshalText(text []byte) error { return choose(m, text, LimitsOn, LimitsOff) }

// LimitsInForce returns the limits, without their quotas if those are lifted.
func (c *Config) LimitsInForce() Limits {
	if c.LimitMode == LimitsOff {
		return Limits{Bounds: c.Bounds}
	}
	return c.Limits
}

func (c *Config) checkLimits() error {
	const many = 1_000_000
	var problems []error
	for _, n := range []struct {
		name               string
		value, least, most int
	}{
		{"LIMIT_LOGINS_WAITING", c.LoginsWaiting, 1, many},
		{"LIMIT_USER_SOCKETS", c.UserSockets, 1, many},
		{"LIMIT_USER_SESSIONS", c.UserSessions, 1, many},
		{"LIMIT_DEVICE_SESSIONS", c.DeviceSessions, 1, many},
		{"LIMIT_CANDIDATES", c.Candidates, 1, many},
		{"LIMIT_LOGINS_AT_ONCE", c.LoginsAtOnce, 1, 1000},
		{"LIMIT_CONNECTIONS", c.Connections, 1, many},
		{"LIMIT_FRAME_BYTES", c.FrameBytes, wire.MaxFrame / 4, wire.MaxFrame},
		{"LIMIT_BODY_BYTES", c.BodyBytes, 2048, 1 << 20},
		{"LIMIT_HEADER_BYTES", c.HeaderBytes, 8 << 10, 1 << 20},
	} {
		if n.value < n.least || n.value > n.most {
			problems = append(problems, fmt.Errorf("%s: is %d: choose a number from %d to %d", n.name, n.value, n.least, n.most))
		}
	}
	return errors.Join(append(problems,
		within("LIMIT_HEADER_TIME", c.HeaderTime, 100*time.Millisecond, time.Minute),
		within("LIMIT_REQUEST_TIME", c.RequestTime, c.HeaderTime, 10*time.Minute),
		within("LIMIT_IDLE_TIME", c.IdleTime, time.Second, time.Hour),
	)...)
}
