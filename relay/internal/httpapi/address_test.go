package httpapi

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// behind returns an API that trusts some networks.
func behind(networks ...string) *API {
	a := &API{}
	for _, network := range networks {
		a.cfg.Proxies = append(a.cfg.Proxies, netip.MustParsePrefix(network))
	}
	return a
}

func request(from string, forwarded ...string) *http.Request {
	return &http.Request{RemoteAddr: from, Header: http.Header{"X-Forwarded-For": forwarded}}
}

// TestClient: who may be believed is, from the connection to the left, and
// nobody beyond.
func TestClient(t *testing.T) {
	proxied := behind("10.0.0.0/8", "2001:db8:1::/48", "127.0.0.1/32")
	for _, c := range []struct {
		name      string
		from      string
		forwarded []string
		want      string
	}{
		{"direct", "192.0.2.1:99", nil, "192.0.2.1"},
		{"direct and lying", "192.0.2.1:99", []string{"203.0.113.9"}, "192.0.2.1"},
		{"direct and lying of a proxy", "192.0.2.1:99", []string{"203.0.113.9, 10.0.0.1"}, "192.0.2.1"},
		{"one proxy", "10.0.0.1:99", []string{"203.0.113.9"}, "203.0.113.9"},
		{"a proxy by itself", "10.0.0.1:99", nil, "10.0.0.1"},
		{"an empty header", "10.0.0.1:99", []string{""}, "10.0.0.1"},
		{"two proxies", "10.0.0.1:99", []string{"203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"spoofed to the left", "10.0.0.1:99", []string{"127.0.0.1, 198.51.100.1, 203.0.113.9"}, "203.0.113.9"},
		{"spoofed as a proxy", "10.0.0.1:99", []string{"10.0.0.7, 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"header twice", "10.0.0.1:99", []string{"198.51.100.1", "203.0.113.9"}, "203.0.113.9"},
		{"header twice, proxy last", "10.0.0.1:99", []string{"198.51.100.1, 203.0.113.9", "10.0.0.3"}, "203.0.113.9"},
		{"proxies only", "10.0.0.1:99", []string{"10.0.0.3,10.0.0.2"}, "10.0.0.3"},
		{"port", "10.0.0.1:99", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		{"IPv6", "[2001:db8:1::5]:99", []string{"2001:db8:2::9"}, "2001:db8:2::9"},
		{"IPv6 in brackets", "10.0.0.1:99", []string{"[2001:db8:2::9]"}, "2001:db8:2::9"},
		{"IPv6 with port", "10.0.0.1:99", []string{"[2001:db8:2::9]:443, [2001:db8:1::6]:80"}, "2001:db8:2::9"},
		{"IPv6 with zone", "[fe80::1%eth0]:99", nil, "fe80::1"},
		{"proxy as a mapped address", "[::ffff:10.0.0.1]:99", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"unknown", "10.0.0.1:99", []string{"203.0.113.9, unknown"}, "10.0.0.1"},
		{"hidden", "10.0.0.1:99", []string{"_hidden, 10.0.0.2"}, "10.0.0.2"},
		{"empty hop", "10.0.0.1:99", []string{"203.0.113.9,,10.0.0.2"}, "10.0.0.2"},
		{"a name", "10.0.0.1:99", []string{"localhost"}, "10.0.0.1"},
		{"script", "10.0.0.1:99", []string{"<script>\n"}, "10.0.0.1"},
		{"no address", "@", []string{"203.0.113.9"}, "invalid IP"},
	} {
		if got := proxied.client(request(c.from, c.forwarded...)).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if got := behind().client(request("192.0.2.1:99", c.forwarded...)).String(); got != "192.0.2.1" {
			t.Errorf("%s, without proxies: %s", c.name, got)
		}
	}
}

// TestClientKey: one who has a whole network of IPv6 addresses is one client.
func TestClientKey(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.1:99": "192.0.2.1", "[::ffff:192.0.2.1]:99": "192.0.2.1",
		"[2001:db8:2:3:4::1]:99": "2001:db8:2:3::/64", "[2001:db8:2:3::]:99": "2001:db8:2:3::/64",
	} {
		if got := behind().clientKey(request(from)); got != want {
			t.Errorf("%s: %s, want %s", from, got, want)
		}
	}
}

func FuzzClient(f *testing.F) {
	f.Add("10.0.0.1:99", "203.0.113.9, 10.0.0.2")
	f.Add("[::ffff:10.0.0.1]:99", "[2001:db8::1%eth0]:80,,unknown")
	a := behind("10.0.0.0/8")
	f.Fuzz(func(t *testing.T, from, forwarded string) {
		r := request(from, forwarded)
		client := a.client(r)
		direct, _ := parseHop(from)
		if !a.trusts(direct) && client != direct {
			t.Errorf("%s passes for %s", from, client)
		}
		if client.IsValid() && client != direct && !strings.Contains(forwarded, ".") && !strings.Contains(forwarded, ":") {
			t.Errorf("%s comes from nowhere", client)
		}
		if key := a.clientKey(r); len(key) > 50 {
			t.Errorf("a key of %d bytes", len(key))
		}
	})
}
