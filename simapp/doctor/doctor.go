// Package doctor looks for what stands between this machine and a robot's
// picture: the relay's name, its ports and its certificate, the login, the robots,
// the TURN server, and at last a real viewing. Each check says in plain words what
// it saw, and what to do if that is bad.
package doctor

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net"
	"slices"
	"time"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// How long a check, those of STUN and of the picture, and all of them together may take.
const (
	checkTime = 5 * time.Second
	stunTime  = 3 * time.Second
	videoTime = 15 * time.Second
	wholeTime = 45 * time.Second
)

// Config says what is looked at.
type Config struct {
	// RelayURL is the relay's address: ws, wss, http or https, host and port.
	RelayURL string
	// Login returns the token of whoever asks.
	Login func(context.Context) (token string, err error)
	// Device is the robot that is meant; empty: any of the account.
	Device wire.DeviceID
	// Video asks for a real viewing at the end.
	Video bool
	// Advise says what to do about an error, or nothing. It may be nil.
	Advise func(error) string
	// Done is called with each result as soon as it is there. It may be nil.
	Done func(Result)
	Log  *slog.Logger

	roots    *x509.CertPool // whose certificates are good; nil: the system's
	resolver *net.Resolver  // nil: the system's
	patience time.Duration  // of a check; 0: checkTime
}

// Outcome is how a check ended.
type Outcome string

// The outcomes.
const (
	OK      Outcome = "ok"
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped"
)

// Result is what one check saw. It holds no secret.
type Result struct {
	// Check is its name: "address", "dns", "tcp", "tls", "health", "ready", "clock",
	// "login", "robots", "socket", "credentials", "stun", "turn udp", "turn tcp",
	// "turn tls" (one for each URL) or "video".
	Check   string  `json:"check"`
	Outcome Outcome `json:"outcome"`
	// Text says what was seen, Advice what to do about it; there is advice on some
	// good results as well.
	Text   string  `json:"text"`
	Advice string  `json:"advice,omitempty"`
	TookMS float64 `json:"took_ms"`
	// Video is what the viewing measured until the first picture.
	Video *simapp.Report `json:"video,omitempty"`
}

// Run makes all checks, one after the other, and returns what they saw. What rests
// on a check that has failed is skipped and says so. It takes 45 seconds at most; if
// ctx ends before, the rest is missing.
func Run(ctx context.Context, cfg Config) []Result {
	v := &visit{Config: cfg, end: time.Now().Add(wholeTime), causes: map[string]string{}}
	defer v.hangUp()
	for _, c := range []check{
		{name: "address", look: v.address},
		{name: "dns", needs: []string{"address"}, look: v.dns},
		{name: "tcp", needs: []string{"dns"}, look: v.tcp},
		{name: "tls", needs: []string{"tcp"}, look: v.tls},
		{name: "health", needs: []string{"tls"}, look: v.health},
		{name: "ready", needs: []string{"health"}, look: v.ready},
		{name: "clock", needs: []string{"health"}, look: v.clock},
		{name: "login", needs: []string{"health"}, look: v.login},
		{name: "robots", needs: []string{"login"}, look: v.robots},
		{name: "socket", needs: []string{"login"}, look: v.socket},
		{name: "credentials", needs: []string{"login"}, look: v.credentials},
		{name: "stun", needs: []string{"credentials"}, limit: stunTime, look: v.stun},
	} {
		v.do(ctx, c)
	}
	for _, c := range v.turns() {
		v.do(ctx, c)
	}
	if cfg.Video {
		v.do(ctx, check{name: "video", needs: []string{"socket", "robots"}, limit: videoTime, look: v.video})
	}
	return v.results
}

// Healthy reports whether nothing has failed.
func Healthy(results []Result) bool {
	return !slices.ContainsFunc(results, func(r Result) bool { return r.Outcome == Failed })
}
