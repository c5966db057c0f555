package doctor

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
)

// maxSTUN bounds how many servers are asked.
const maxSTUN = 4

// mapping is this machine's address as a STUN server sees it (RFC 8489 §14.2).
type mapping struct{ server, seen netip.AddrPort }

// stun asks the servers, from one socket, how they see this machine.
func (v *visit) stun(ctx context.Context) Result {
	servers := v.stunServers(ctx)
	if len(servers) == 0 {
		return Result{Outcome: Skipped, Text: "the relay names no server that answers STUN over UDP"}
	}
	var lc net.ListenConfig
	network := "udp4"
	if servers[0].Addr().Is6() {
		network = "udp6"
	}
	conn, err := lc.ListenPacket(ctx, network, ":0")
	if err != nil {
		return bad("", "%s", plain(err))
	}
	c, err := newTURNClient(ctx, conn, "", server{})
	if err != nil {
		return bad("", "%s", plain(err))
	}
	defer c.close()
	seen := c.ask(servers)
	if len(seen) == 0 {
		return bad("this network drops UDP, or the servers are down; video can only come through TURN over tcp or tls",
			"no answer over UDP from %s", several(len(servers), "server"))
	}
	local, _ := netip.ParseAddrPort(conn.LocalAddr().String())
	return natKind(seen, local.Port(), ownAddresses())
}

// stunServers resolves the servers, of one family and each once.
func (v *visit) stunServers(ctx context.Context) []netip.AddrPort {
	var found []netip.AddrPort
	for _, s := range v.servers {
		if !s.overUDP() || len(found) == maxSTUN {
			continue
		}
		addresses, err := v.lookup(ctx, s.Host)
		if err != nil {
			continue // the check of this server says it
		}
		for _, ip := range addresses {
			at := netip.AddrPortFrom(ip.Unmap(), uint16(s.Port)) //nolint:gosec // a port has 16 bits
			if len(found) > 0 && (at.Addr().Is4() != found[0].Addr().Is4() || slices.Contains(found, at)) {
				continue
			}
			found = append(found, at)
			break
		}
	}
	return found
}

// ask asks all servers at the same time and returns what those saw that answer.
func (c *turnClient) ask(servers []netip.AddrPort) []mapping {
	answers := make([]mapping, len(servers))
	var asking sync.WaitGroup
	for i, at := range servers {
		asking.Go(func() {
			address, err := c.SendBindingRequestTo(net.UDPAddrFromAddrPort(at))
			if seen, ok := address.(*net.UDPAddr); err == nil && ok {
				answers[i] = mapping{at, seen.AddrPort()}
			}
		})
	}
	asking.Wait()
	return slices.DeleteFunc(answers, func(m mapping) bool { return !m.seen.IsValid() })
}

// natKind says what the answers tell of the NAT in between (RFC 4787 §4.1), as far as
// two servers can.
func natKind(seen []mapping, port uint16, own []netip.Addr) Result {
	first := netip.AddrPortFrom(seen[0].seen.Addr().Unmap(), seen[0].seen.Port())
	if slices.Contains(own, first.Addr()) && first.Port() == port {
		return good("this machine is seen as %s: no NAT in between", first.Addr())
	}
	for _, m := range seen[1:] {
		if m.seen != seen[0].seen {
			return good("public address %s; the NAT shows each server another port (symmetric)", first.Addr()).
				advise("a direct path is unlikely from this network; video will go through TURN")
		}
	}
	if len(seen) == 1 {
		return good("public address %s, behind a NAT; one server alone cannot tell its kind", first.Addr())
	}
	return good("public address %s, behind a NAT that shows all servers the same port: direct paths are likely", first.Addr())
}

// ownAddresses are this machine's.
func ownAddresses() []netip.Addr {
	interfaces, _ := net.InterfaceAddrs()
	var own []netip.Addr
	for _, a := range interfaces {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			own = append(own, prefix.Addr())
		}
	}
	return own
}
