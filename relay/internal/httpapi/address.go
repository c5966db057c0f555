package httpapi

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// client is the address of who sent a request. Behind trusted proxies that is
// the last of X-Forwarded-For that is none of theirs; what stands before it may
// have been written by anybody. It is not valid if the connection has none.
func (a *API) client(r *http.Request) netip.Addr {
	client, _ := parseHop(r.RemoteAddr)
	rest := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	for a.trusts(client) {
		at := strings.LastIndexByte(rest, ',')
		before, ok := parseHop(strings.TrimSpace(rest[at+1:]))
		if !ok {
			break
		}
		client, rest = before, rest[:max(at, 0)]
	}
	return client
}

// clientKey is what one client is limited by: its address or, of an IPv6
// address, the network: a client has 64 bits of them for itself (RFC 6177).
func (a *API) clientKey(r *http.Request) string {
	client := a.client(r)
	if client.Is6() {
		network, _ := client.Prefix(64) // there are that many bits
		return network.String()
	}
	return client.String()
}

func (a *API) trusts(proxy netip.Addr) bool {
	return slices.ContainsFunc(a.cfg.Proxies, func(network netip.Prefix) bool { return network.Contains(proxy) })
}

// parseHop reads an address with or without a port (RFC 7239 §6 has the forms).
func parseHop(text string) (address netip.Addr, ok bool) {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().Unmap().WithZone(""), true
	}
	address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return address.Unmap().WithZone(""), err == nil
}
