package config

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// minJWTSecret is the shortest secret in characters: HS256 wants a key of at
// least 256 bits (RFC 7518 §3.2), and 32 characters are the least that can hold it.
const minJWTSecret = 32

// Validate returns every problem that keeps a relay from serving with this
// configuration, joined, each a line that says what to do; nil if there is none.
func (c *Config) Validate() error {
	_, public := c.PublicSocketURL()
	_, proxies := c.Proxies()
	return errors.Join(
		c.checkAddr(),
		c.checkTLS(),
		proxies,
		public,
		c.checkAdmin(),
		c.CheckJWTSecret(),
		c.DatabaseURL.Check(),
		c.checkTURN(),
		within("TURN_CREDENTIAL_TTL", c.TURNCredentialTTL, 10*time.Second, 48*time.Hour),
		within("TURN_REVOKE_LINGER", c.TURNRevokeLinger, 0, time.Hour),
		within("SESSION_GRACE", c.SessionGrace, 0, time.Hour),
		within("PAIRING_CODE_TTL", c.PairingCodeTTL, time.Second, time.Hour),
		c.checkOrigins(),
		c.checkLimits(),
	)
}

// CheckJWTSecret returns what is wrong with the secrets alone, for commands that
// make tokens and need nothing else.
func (c *Config) CheckJWTSecret() error {
	secrets := c.JWTSecret.Parts()
	if len(secrets) == 0 {
		return errors.New("JWT_SECRET: is not set: make one with `openssl rand -hex 32` and put it in .env or the environment")
	}
	for i, secret := range secrets {
		if n := len(secret.Reveal()); n < minJWTSecret {
			return fmt.Errorf("JWT_SECRET: secret %d of %d has %d characters, at least %d are needed: make one with `openssl rand -hex 32`",
				i+1, len(secrets), n, minJWTSecret)
		}
	}
	return nil
}

func (c *Config) checkAddr() error {
	if c.Listen == "" {
		if strings.Contains(c.Host, ":") && net.ParseIP(c.Host) == nil {
			return errors.New("HOST: is an address without a port: set the port with PORT")
		}
		return nil
	}
	return checkHostPort("--listen", c.Listen, "127.0.0.1:8000 or :8000")
}

func (c *Config) checkAdmin() error {
	if c.AdminAddr() == "" {
		return nil
	}
	return checkHostPort("ADMIN_LISTEN", c.AdminListen, "127.0.0.1:9464, or off")
}

func checkHostPort(name, address, example string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%s: is not HOST:PORT: use for example %s", name, example)
	}
	return nil
}

func within(name string, d, least, most time.Duration) error {
	if d < least || d > most {
		return fmt.Errorf("%s: is %v: choose a time from %v to %v", name, d, least, most)
	}
	return nil
}
