//go:build linux

package networks

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
)

// site is a private network behind a router.
type site struct {
	router harness.Netns
	prefix string // of its /24 network, such as 10.0.0
	hosts  int
}

// rules are what a router does beside routing. The zero value is the ordinary
// router: its NAT keeps the source port whatever the destination
// (endpoint-independent mapping, RFC 4787 §4.1), and what comes in unasked is
// dropped.
type rules struct {
	symmetric bool   // each destination sees another random port
	firewall  string // for what leaves, in the words of nft(8)
}

// Firewalls.
var (
	cloudOnly = fmt.Sprintf(`oifname "wan" ip daddr != { %s, %s } reject with icmp net-unreachable`, relayIP, turnIP)
	noUDP     = `oifname "wan" meta l4proto udp drop`
	httpsOnly = `oifname "wan" tcp dport != 443 drop; ` + noUDP
)

// ruleset is a router's, for nft(8). It has two counters. direct: RTP and RTCP
// packets that come straight from another site, dropped or not; their first two
// bits are 10 (RFC 7983 §7). leaving: UDP packets to the internet that are as
// large as only media is, to whom and in whatever.
const ruleset = `table ip router {
	counter direct { }
	counter leaving { }
	chain arriving {
		type filter hook prerouting priority raw
		iifname "wan" ip saddr != { ` + relayIP + `, ` + turnIP + ` } udp length > 8 @th,64,2 2 counter name direct
	}
	chain input {
		type filter hook input priority filter
		iifname "wan" ct state new drop
	}
	chain forward {
		type filter hook forward priority filter
		iifname "wan" ct state new drop
		%s
	}
	chain departing {
		type filter hook postrouting priority filter
		oifname "wan" udp length > 500 counter name leaving
	}
	chain mapping {
		type nat hook postrouting priority srcnat
		oifname "wan" masquerade %s
	}
}`

// newSite makes a network whose router has the address ip on the internet.
func newSite(ctx SpecContext, name, ip, prefix string, r rules) *site {
	GinkgoHelper()
	s := &site{router: machine(ctx, name), prefix: prefix, hosts: 1}
	goOnline(ctx, s.router, "wan", ip, name)
	DeferCleanup(func(ctx SpecContext) error { return s.router.IP(ctx, "link delete wan") })
	Expect(s.router.IP(ctx, "link add switch up type bridge")).To(Succeed())
	Expect(s.router.IP(ctx, "addr add %s.1/24 dev switch", prefix)).To(Succeed())
	Expect(s.router.Sysctl("net/ipv4/ip_forward", "1")).To(Succeed())
	mapping := ""
	if r.symmetric {
		mapping = "fully-random"
	}
	_, err := s.router.Nft(ctx, fmt.Sprintf(ruleset, r.firewall, mapping))
	Expect(err).NotTo(HaveOccurred())
	return s
}

// join gives a machine an interface in the network, and its only route.
func (s *site) join(ctx SpecContext, m harness.Netns, name string) {
	GinkgoHelper()
	address, port := s.next()
	plug(ctx, m, name, address, s.router, port)
	Expect(m.IP(ctx, "route add default via %s.1", s.prefix)).To(Succeed())
}

// joinByRadio does the same with frames that are late, and some of them lost.
func (s *site) joinByRadio(ctx SpecContext, m harness.Netns, name string, delay time.Duration, loss float64) {
	GinkgoHelper()
	address, port := s.next()
	cable, err := harness.NewCable(m, s.router, name, port, delay, loss)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cable.Cut)
	connect(ctx, m, name, address, s.router, port)
	Expect(m.IP(ctx, "route add default via %s.1", s.prefix)).To(Succeed())
}

// pull pulls the cable of the machine that joined last, until it is put back.
func (s *site) pull(ctx SpecContext) (putBack func()) {
	GinkgoHelper()
	set := func(state string) {
		GinkgoHelper()
		Expect(s.router.IP(ctx, "link set port%d %s", s.hosts, state)).To(Succeed())
	}
	set("down")
	return func() { GinkgoHelper(); set("up") }
}

// next returns a host's address in the network, and its port of the switch.
func (s *site) next() (address, port string) {
	s.hosts++
	return fmt.Sprintf("%s.%d/24", s.prefix, s.hosts), fmt.Sprintf("port%d", s.hosts)
}

// direct counts the media packets that came from another site, not by TURN.
func (s *site) direct(ctx SpecContext) int { return s.counter(ctx, "direct") }

// leaving counts the media packets that left the site, by TURN or not.
func (s *site) leaving(ctx SpecContext) int { return s.counter(ctx, "leaving") }

func (s *site) counter(ctx SpecContext, name string) int {
	GinkgoHelper()
	text, err := s.router.Nft(ctx, "list counter ip router "+name)
	Expect(err).NotTo(HaveOccurred())
	found := regexp.MustCompile(`packets (\d+)`).FindStringSubmatch(text)
	Expect(found).To(HaveLen(2))
	n, err := strconv.Atoi(found[1])
	Expect(err).NotTo(HaveOccurred())
	return n
}
