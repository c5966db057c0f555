package config

import (
	"errors"
	"net/url"
	"strings"
)

// errPublicURL repeats no URL: it may hold a password.
var errPublicURL = errors.New("PUBLIC_URL: is not the address of a relay: use for example https://relay.example.com, without a path")

// PublicSocketURL returns the ws:// or wss:// address that PUBLIC_URL names, or
// nothing if it is not set.
func (c *Config) PublicSocketURL() (string, error) {
	if c.PublicURL == "" {
		return "", nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", errPublicURL
	}
	switch u.Scheme {
	case "http", "ws":
		return "ws://" + u.Host, nil
	case "https", "wss":
		return "wss://" + u.Host, nil
	default:
		return "", errPublicURL
	}
}
