package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const day = 24 * time.Hour

// certify makes a certificate that signs itself, and a pool that trusts it. names are
// hosts; 127.0.0.1 is one unless there are others.
func certify(t *testing.T, begins, ends time.Duration, names ...string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: names, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(begins), NotAfter: time.Now().Add(ends),
	}
	if len(names) == 0 {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestCertificates(t *testing.T) {
	for name, c := range map[string]struct {
		begins, ends time.Duration
		names        []string
		strange      bool // nobody trusts it
		want         Outcome
		text, advice string
	}{
		"a good one":         {-day, 90*day + time.Hour, nil, false, OK, "TLS 1.3, the certificate is good for 90 days", ""},
		"one that ends soon": {-day, 5*day + time.Hour, nil, false, OK, "good for 5 days", "renew"},
		"an expired one":     {-9 * day, -3*day - time.Hour, nil, false, Failed, "the certificate expired 3 days ago", "renew"},
		"one from tomorrow":  {30 * time.Hour, 9 * day, nil, false, Failed, "not good yet, in 29 hours", "clock"},
		"that of another":    {-day, 90 * day, []string{"other.example.com"}, false, Failed, "for other.example.com, not for 127.0.0.1", "the name"},
		"a self-signed one":  {-day, 90 * day, nil, true, Failed, "signed by nobody this machine trusts", "chain"},
	} {
		t.Run(name, func(t *testing.T) {
			certificate, pool := certify(t, c.begins, c.ends, c.names...)
			if c.strange {
				pool = x509.NewCertPool()
			}
			server := httptest.NewUnstartedServer(relay{})
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
			server.StartTLS()
			defer server.Close()
			results := Run(t.Context(), Config{
				RelayURL: strings.Replace(server.URL, "https", "wss", 1), roots: pool,
				Login: func(context.Context) (string, error) { return "", errors.New("nobody") },
			})
			got := of(results, "tls")
			if got.Outcome != c.want || !strings.Contains(got.Text, c.text) || !strings.Contains(got.Advice, c.advice) || c.advice == "" && got.Advice != "" {
				t.Errorf("%+v", got)
			}
			if health := of(results, "health"); (health.Outcome == OK) != (c.want == OK) {
				t.Errorf("%+v", health)
			}
		})
	}
}
