//go:build linux

package networks

import (
	"context"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
)

// What is on the internet of this suite, 198.51.100.0/24 (RFC 5737). This
// process is on it too, at the relay's address.
const (
	relayIP      = "198.51.100.10"
	relayAddress = relayIP + ":443" // as firewalls like it
	turnIP       = "198.51.100.20"
	awayIP       = "198.51.100.102" // of the router of who is away
	backboneIP   = "198.51.100.1"   // where packets to anywhere else vanish
	here         = harness.Netns("")
)

var (
	wan      harness.Netns // the internet: a switch, and a backbone that leads nowhere
	coturn   *harness.Coturn
	programs harness.Binaries
)

// internet makes what all specs share: the internet, and coturn on it.
func internet(ctx SpecContext, dir string) {
	GinkgoHelper()
	Expect(here.IP(ctx, "link set lo up")).To(Succeed())
	wan = machine(ctx, "wan")
	Expect(wan.IP(ctx, "link add switch up type bridge")).To(Succeed())
	Expect(wan.IP(ctx, "addr add %s/24 dev switch", backboneIP)).To(Succeed())
	goOnline(ctx, here, "eth0", relayIP, "relay")

	var err error
	coturn, err = harness.StartCoturn(ctx, "turn", turnIP, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(coturn.Stop)
	goOnline(ctx, coturn.Netns, "eth0", turnIP, "turn")
	Expect(coturn.Await(ctx)).To(Succeed())
	programs = harness.Binaries{Dir: dir, Env: []string{"SSL_CERT_FILE=" + coturn.CertFile}}
}

// goOnline puts a machine on the internet.
func goOnline(ctx SpecContext, m harness.Netns, name, ip, port string) {
	GinkgoHelper()
	plug(ctx, m, name, ip+"/24", wan, port)
	Expect(m.IP(ctx, "route add default via %s", backboneIP)).To(Succeed())
}

// machine makes a namespace that ends with the spec or suite.
func machine(ctx SpecContext, name string) harness.Netns {
	GinkgoHelper()
	m, err := harness.NewNetns(ctx, name)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(m.Delete)
	return m
}

// plug puts a cable between a machine's new interface, with an address, and a
// port of a network's switch.
func plug(ctx SpecContext, m harness.Netns, name, address string, network harness.Netns, port string) {
	GinkgoHelper()
	if m == here {
		Expect(m.IP(ctx, "link add %s type veth peer name %s netns %s", name, port, network)).To(Succeed())
	} else {
		Expect(here.IP(ctx, "link add %s netns %s type veth peer name %s netns %s", name, m, port, network)).To(Succeed())
	}
	connect(ctx, m, name, address, network, port)
}

// connect puts the two ends of a cable into operation.
func connect(ctx SpecContext, m harness.Netns, name, address string, network harness.Netns, port string) {
	GinkgoHelper()
	Expect(network.IP(ctx, "link set %s master switch up", port)).To(Succeed())
	Expect(m.IP(ctx, "addr add %s dev %s", address, name)).To(Succeed())
	Expect(m.IP(ctx, "link set %s up", name)).To(Succeed())
}

// silence lets every packet that reaches a machine vanish, until it is undone.
func silence(ctx SpecContext, m harness.Netns) (undo func()) {
	GinkgoHelper()
	_, err := m.Nft(ctx, `table ip silence {
		chain everything {
			type filter hook prerouting priority -400
			drop
		}
	}`)
	Expect(err).NotTo(HaveOccurred())
	return sync.OnceFunc(func() {
		GinkgoHelper()
		_, err := m.Nft(context.WithoutCancel(ctx), "delete table ip silence")
		Expect(err).NotTo(HaveOccurred())
	})
}
