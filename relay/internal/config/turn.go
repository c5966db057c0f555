package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/pion/stun/v3"
)

// TURNProvider says where the TURN credentials of sessions come from.
type TURNProvider string

// The providers there are.
const (
	TURNCloudflare TURNProvider = "cloudflare" // Cloudflare's TURN key API
	TURNCoturn     TURNProvider = "coturn"     // a secret shared with the TURN server
	TURNStatic     TURNProvider = "static"     // a fixed username and password
	TURNNone       TURNProvider = "none"       // no TURN
)

// UnmarshalText accepts the providers there are and nothing else.
func (p *TURNProvider) UnmarshalText(text []byte) error {
	return choose(p, text, TURNCloudflare, TURNCoturn, TURNStatic, TURNNone)
}

// Provider returns what TURNProvider says or, where it says nothing, Cloudflare
// if there is a key and none if there is not.
func (c *Config) Provider() TURNProvider {
	switch {
	case c.TURNProvider != "":
		return c.TURNProvider
	case c.TURNKeyID != "":
		return TURNCloudflare
	default:
		return TURNNone
	}
}

// blockedPort is refused by browsers: it is DNS.
const blockedPort = 53

// checkTURN looks at the settings of the provider in use only, so that others
// may stay in place. TURN settings without any provider are a mistake.
func (c *Config) checkTURN() error {
	switch c.Provider() {
	case TURNCloudflare:
		return errors.Join(c.checkTURNKey(), c.checkTURNBaseURL())
	case TURNCoturn:
		return errors.Join(c.checkTURNURLs(),
			required("TURN_SECRET", string(c.TURNSecret), "copy static-auth-secret from turnserver.conf"))
	case TURNStatic:
		return errors.Join(c.checkTURNURLs(),
			required("TURN_USERNAME", c.TURNUsername, "set the name that the TURN server knows"),
			required("TURN_PASSWORD", string(c.TURNPassword), "set the password that belongs to TURN_USERNAME"))
	default:
		return errors.Join(c.checkNoTURN(), c.checkTURNBaseURL())
	}
}

func (c *Config) checkNoTURN() error {
	switch {
	case c.TURNProvider == "" && c.TURNAPIToken != "":
		return errors.New("CLOUDFLARE_TURN_KEY_ID: is not set, but CLOUDFLARE_TURN_API_TOKEN is: set both, or neither for STUN only")
	case c.TURNProvider == "" && (len(c.TURNURLs) > 0 || c.TURNSecret != "" || c.TURNUsername != "" || c.TURNPassword != ""):
		return errors.New("TURN_PROVIDER: is not set, but settings of a TURN server are: set TURN_PROVIDER=coturn for a shared secret, or static for a fixed password")
	case c.TURNRequired:
		return errors.New("TURN_REQUIRED: there is no TURN provider: set CLOUDFLARE_TURN_KEY_ID and CLOUDFLARE_TURN_API_TOKEN, or another TURN_PROVIDER, or TURN_REQUIRED=false")
	default:
		return nil
	}
}

func (c *Config) checkTURNKey() error {
	switch {
	case c.TURNKeyID == "":
		return errors.New("CLOUDFLARE_TURN_KEY_ID: is not set, but TURN_PROVIDER is cloudflare: create a TURN key in the Cloudflare dashboard")
	case c.TURNAPIToken == "":
		return errors.New("CLOUDFLARE_TURN_API_TOKEN: is not set, but CLOUDFLARE_TURN_KEY_ID is: set both, or neither for STUN only")
	case strings.ContainsAny(c.TURNKeyID, "/?#% "):
		return errors.New("CLOUDFLARE_TURN_KEY_ID: is not the identifier of a key: copy it from the Cloudflare dashboard, without a URL")
	default:
		return nil
	}
}

func (c *Config) checkTURNBaseURL() error {
	u, err := url.Parse(c.TURNBaseURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		// The URL is not repeated: it may hold a password.
		return errors.New("CLOUDFLARE_TURN_BASE_URL: is not a plain http or https URL: use for example https://rtc.live.cloudflare.com")
	}
	return nil
}

// checkTURNURLs repeats no URL: one may hold a password.
func (c *Config) checkTURNURLs() error {
	var problems []error
	relays := false
	for i, text := range c.TURNURLs {
		uri, err := stun.ParseURI(text)
		switch {
		case err != nil || strings.Contains(text, "@"):
			problems = append(problems, fmt.Errorf("TURN_URLS: no. %d is not a TURN or STUN URL: write turn:HOST:PORT?transport=udp, the same with tcp, turns:HOST:PORT?transport=tcp or stun:HOST:PORT", i+1))
		case uri.Port == blockedPort:
			problems = append(problems, fmt.Errorf("TURN_URLS: no. %d has port 53, which browsers refuse: use another, for example 3478", i+1))
		}
		relays = relays || strings.HasPrefix(text, "turn")
	}
	if !relays {
		problems = append(problems, errors.New("TURN_URLS: names no TURN server: set for example turn:turn.example.com:3478?transport=udp"))
	}
	return errors.Join(problems...)
}

func required(name, value, help string) error {
	if value == "" {
		return fmt.Errorf("%s: is not set: %s", name, help)
	}
	return nil
}
