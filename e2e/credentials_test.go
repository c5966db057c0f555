package e2e

import (
	"log/slog"
	"net"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	pionturn "github.com/pion/turn/v5"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/rtc"
	"wimz.dev/live/simapp"
)

var _ = everywhere("A TURN credential", func(b harness.Backend) {
	It("opens the TURN server, and no more once its session has ended", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{OwnTURN: true})
		told := make(chan wire.ICEServers, 1)
		phone, err := s.Dial(ctx, s.owner, func(m wire.Message) {
			if m.Type == wire.TypeCredentials {
				told <- *m.ICEServers
			}
		})
		Expect(err).NotTo(HaveOccurred())
		viewing, err := phone.Watch(ctx, simapp.Options{Device: robotID, RelayOnly: true})
		Expect(err).NotTo(HaveOccurred())
		Expect(viewing.WaitFrames(ctx, 5)).To(Succeed())
		servers := <-told
		Expect(allocate(servers)).To(Succeed())
		viewing.Close()
		Eventually(allocate).WithArguments(servers).Should(MatchError(ContainSubstring("Allocate error response")))
	}, SpecTimeout(specTime))

	It("opens the TURN server when an app asks for it outside of any session", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		s.lossy = true // it is the app's until it expires
		servers, err := s.NewCredentials(ctx, s.owner)
		Expect(err).NotTo(HaveOccurred())
		Expect(allocate(servers)).To(Succeed())
	}, SpecTimeout(specTime))
})

// allocate gets a relayed address (RFC 8656 §7) from the first TURN server that
// is named for UDP, and frees it.
func allocate(servers wire.ICEServers) error {
	address, server := firstUDP(servers)
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // nothing was promised to anybody
	client, err := pionturn.NewClient(&pionturn.ClientConfig{
		TURNServerAddr: address, Username: server.Username, Password: server.Credential, Conn: conn,
		LoggerFactory: rtc.NewLoggerFactory(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return err
	}
	defer client.Close()
	if err = client.Listen(); err != nil {
		return err
	}
	relayed, err := client.Allocate()
	if err != nil {
		return err
	}
	return relayed.Close()
}

func firstUDP(servers wire.ICEServers) (address string, server wire.ICEServer) {
	for _, server = range servers.Servers {
		for _, url := range server.URLs {
			rest, plain := strings.CutPrefix(url, "turn:")
			if found, udp := strings.CutSuffix(rest, "?transport=udp"); plain && udp {
				return found, server
			}
		}
	}
	return "", wire.ICEServer{}
}
