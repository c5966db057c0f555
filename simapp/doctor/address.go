package doctor

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"wimz.dev/live/relay/client"
)

// relayAddress is where the relay is.
type relayAddress struct {
	name    string // of the relay's host
	secure  bool   // it is spoken with over TLS
	base    url.URL
	proxied bool
	// The first host on the way: the relay's own, or the proxy's.
	host, port string
}

// address reads the relay's address.
func (v *visit) address(ctx context.Context) Result {
	nobody := client.App(func() string { return "" })
	if _, err := client.New(client.Config{URL: v.RelayURL, Identity: nobody}); err != nil {
		return bad("", "%s", plain(err))
	}
	u, err := url.Parse(v.RelayURL)
	if err != nil || u.Hostname() == "" {
		return bad("use wss://HOST, or ws://HOST:PORT for a relay without TLS", "the relay's address names no host")
	}
	v.at = relayAddress{name: u.Hostname(), secure: u.Scheme == "wss" || u.Scheme == "https"}
	v.at.base = url.URL{Scheme: "http", Host: u.Host}
	v.at.host, v.at.port = hostAndPort(u, "80")
	if v.at.secure {
		v.at.base.Scheme = "https"
		v.at.host, v.at.port = hostAndPort(u, "443")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.at.base.String(), nil)
	if err != nil {
		return bad("", "%s", plain(err))
	}
	if proxy, err := http.ProxyFromEnvironment(request); err == nil && proxy != nil {
		v.at.proxied = true
		v.at.host, v.at.port = hostAndPort(proxy, "80")
		return good("%s, through the proxy %s", printable(u.Host), printable(proxy.Host)).
			advise("the environment (HTTP_PROXY, HTTPS_PROXY) asks for the proxy; it must let WebSockets pass")
	}
	return good("%s", printable(u.Host))
}

func hostAndPort(u *url.URL, usual string) (host, port string) {
	if port = u.Port(); port == "" {
		port = usual
	}
	return u.Hostname(), port
}

// dns looks the host's name up.
func (v *visit) dns(ctx context.Context) Result {
	if _, err := netip.ParseAddr(v.at.host); err == nil {
		return good("%s is an address; there is nothing to look up", v.at.host)
	}
	found, err := v.lookup(ctx, v.at.host)
	if err != nil {
		return bad("check how the relay's name is spelled, and this machine's name server", "%s", plain(err))
	}
	texts := make([]string, 0, len(found))
	for _, ip := range found {
		texts = append(texts, ip.Unmap().String())
	}
	slices.Sort(texts)
	return good("%s is %s", printable(v.at.host), strings.Join(texts[:min(len(texts), 4)], ", "))
}

func (v *visit) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	resolver := v.resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	return resolver.LookupNetIP(ctx, "ip", host)
}

func (v *visit) dialer() *net.Dialer { return &net.Dialer{Resolver: v.resolver} }

// tcp connects and hangs up.
func (v *visit) tcp(ctx context.Context) Result {
	conn, err := v.dialer().DialContext(ctx, "tcp", net.JoinHostPort(v.at.host, v.at.port))
	switch {
	case err == nil:
		_ = conn.Close()
		return good("port %s is open", v.at.port)
	case timedOut(err):
		return bad("a firewall drops what goes there; check the port, and the relay's and this network's firewall",
			"port %s does not answer", v.at.port)
	default:
		return bad("check that the relay runs, and that the port is the one it listens on", "port %s: %s", v.at.port, plain(err))
	}
}
