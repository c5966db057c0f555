package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// soon is when a certificate should have been renewed.
const soon = 14 * 24 * time.Hour

// tls looks at the relay's certificate.
func (v *visit) tls(ctx context.Context) Result {
	switch {
	case !v.at.secure:
		return Result{Outcome: Skipped, Text: "the relay is spoken with in the clear; use wss:// outside of your own network"}
	case v.at.proxied:
		return Result{Outcome: Skipped, Text: "the proxy is in between"}
	}
	conn, err := v.dialTLS(ctx, v.at.name, net.JoinHostPort(v.at.host, v.at.port))
	if err != nil {
		if text, advice := certificateFault(err); text != "" {
			return bad(advice, "%s", text)
		}
		return bad("check that the relay, or the proxy before it, speaks TLS on this port", "no TLS: %s", plain(err))
	}
	defer conn.Close() //nolint:errcheck // nothing was said
	state := conn.ConnectionState()
	r := good("%s", tls.VersionName(state.Version))
	left := time.Until(state.PeerCertificates[0].NotAfter)
	r.Text += fmt.Sprintf(", the certificate is good for %s", span(left))
	if left < soon {
		r.Advice = "renew the relay's certificate; it should have happened by itself"
	}
	return r
}

func (v *visit) dialTLS(ctx context.Context, name, address string) (*tls.Conn, error) {
	dialer := tls.Dialer{NetDialer: v.dialer(), Config: v.tlsConfig(name)}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	secured, ok := conn.(*tls.Conn)
	if !ok {
		return nil, errors.Join(errors.New("no TLS"), conn.Close())
	}
	return secured, nil
}

func (v *visit) tlsConfig(name string) *tls.Config {
	return &tls.Config{ServerName: name, RootCAs: v.roots, MinVersion: tls.VersionTLS12}
}

// certificateFault says what is wrong with a certificate, if the error is about one.
func certificateFault(err error) (text, advice string) {
	if wrong, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Sprintf("the certificate is for %s, not for %s", names(wrong.Certificate), printable(wrong.Host)),
			"use the name in the certificate, or get a certificate for this one"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		const advice = "renew the certificate, or set the clock of this machine if that is wrong"
		if begins := invalid.Cert.NotBefore; time.Now().Before(begins) {
			return fmt.Sprintf("the certificate is not good yet, in %s only", span(time.Until(begins))), advice
		}
		return fmt.Sprintf("the certificate expired %s ago", span(time.Since(invalid.Cert.NotAfter))), advice
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the certificate is signed by nobody this machine trusts",
			"get a certificate from a public authority, send its whole chain, or add yours to this machine's (SSL_CERT_FILE)"
	}
	if refused, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the certificate is not good: " + printable(refused.Err.Error()), "get a certificate from a public authority"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "what answers there does not speak TLS", "use ws:// if the relay has no TLS, or check the port"
	}
	return "", ""
}

// names are whom a certificate is for.
func names(c *x509.Certificate) string {
	all := c.DNSNames
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return "nobody"
	}
	return printable(strings.Join(all, ", "))
}

// span says how long something is, roughly.
func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	default:
		return fmt.Sprintf("%d seconds", int(d.Seconds()))
	}
}
