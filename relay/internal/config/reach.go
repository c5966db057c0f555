package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Proxies returns the networks of TrustedProxies. An address without a length
// stands for itself.
func (c *Config) Proxies() ([]netip.Prefix, error) {
	var networks []netip.Prefix
	var problems []error
	for _, text := range c.TrustedProxies {
		network, err := netip.ParsePrefix(text)
		if address, single := netip.ParseAddr(text); single == nil {
			network, err = address.Unmap().Prefix(address.Unmap().BitLen())
		}
		switch {
		case err != nil || network.Addr().Is4In6():
			problems = append(problems, fmt.Errorf("TRUSTED_PROXIES: %q is not an address or network: write for example 127.0.0.1 or 10.0.0.0/8", text))
		case network.Bits() == 0:
			problems = append(problems, fmt.Errorf("TRUSTED_PROXIES: %s is everybody, and everybody could then pass for somebody else: name your proxies only", text))
		}
		networks = append(networks, network)
	}
	return networks, errors.Join(problems...)
}

func (c *Config) checkTLS() error {
	switch {
	case c.TLSCertFile != "" && c.TLSKeyFile == "":
		return errors.New("TLS_KEY_FILE: is not set, but TLS_CERT_FILE is: set both, or neither behind a proxy that speaks TLS")
	case c.TLSCertFile == "" && c.TLSKeyFile != "":
		return errors.New("TLS_CERT_FILE: is not set, but TLS_KEY_FILE is: set both, or neither behind a proxy that speaks TLS")
	default:
		return nil
	}
}

// checkOrigins lets only origins pass that a browser can send (RFC 6454 §6.1):
// they are compared as they are, and one that never matches misleads.
func (c *Config) checkOrigins() error {
	var problems []error
	for _, origin := range c.AllowedOrigins {
		u, err := url.Parse(origin)
		switch {
		case err != nil || u.Host == "" || origin != strings.ToLower(u.Scheme+"://"+u.Host):
			problems = append(problems, fmt.Errorf("ALLOWED_ORIGINS: %q is not an origin: write scheme://host or scheme://host:port in lower case, for example https://app.example.com", origin))
		case strings.Contains(origin, "*"):
			problems = append(problems, fmt.Errorf("ALLOWED_ORIGINS: %q has a wildcard: name each origin", origin))
		case u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80":
			problems = append(problems, fmt.Errorf("ALLOWED_ORIGINS: %q has the port that browsers leave out: write %s", origin, strings.TrimSuffix(origin, ":"+u.Port())))
		}
	}
	return errors.Join(problems...)
}
