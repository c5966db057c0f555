package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/fakecloudflare/turnserver"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

var _ = everywhere("A TURN credential", func(b harness.Backend) {
	It("opens the TURN server, and no more once its session has ended", func(ctx SpecContext) {
		s := ready(ctx, b, harness.Options{OwnTURN: true})
		phone, told := s.listening(ctx)
		viewing, err := phone.Watch(ctx, simapp.Options{Device: robotID, RelayOnly: true})
		Expect(err).NotTo(HaveOccurred())
		Expect(viewing.WaitFrames(ctx, 5)).To(Succeed())
		servers := *(<-told).ICEServers
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

// allocate tries the credential of the TURN servers, which come last.
func allocate(servers wire.ICEServers) error {
	server := servers.Servers[len(servers.Servers)-1]
	return turnserver.Allocate(server.URLs, server.Username, server.Credential)
}
