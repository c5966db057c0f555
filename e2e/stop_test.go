package e2e

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/fakecloudflare"
	"wimz.dev/live/relay/wire"
)

// signed is what a robot's request for a socket says of it.
func signed(id wire.DeviceID, config string) http.Header {
	GinkgoHelper()
	secret, err := harness.DeviceSecret(config)
	Expect(err).NotTo(HaveOccurred())
	now := time.Now()
	return http.Header{
		"X-Device-Id": {string(id)}, "X-Timestamp": {strconv.FormatInt(now.Unix(), 10)},
		"X-Signature": {wire.Sign(secret, id, now)},
	}
}

// deaf connects as a robot that reads only what it must.
func (s *stage) deaf(ctx SpecContext, id wire.DeviceID) *websocket.Conn {
	GinkgoHelper()
	config, err := s.AddDevice(ctx, id, s.owner)
	Expect(err).NotTo(HaveOccurred())
	dialer := websocket.Dialer{NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, refused := (&net.Dialer{}).DialContext(ctx, network, address)
		if tcp, ok := conn.(*net.TCPConn); ok {
			return conn, tcp.SetReadBuffer(4 << 10)
		}
		return conn, refused
	}}
	socket, response, err := dialer.DialContext(ctx, "ws://"+s.Relay.Addr+"/ws/device", signed(id, config))
	Expect(err).NotTo(HaveOccurred())
	Expect(response.Body.Close()).To(Succeed())
	DeferCleanup(socket.Close)
	Expect(s.AwaitOnline(ctx, id, s.owner)).To(Succeed())
	Expect(socket.SetReadDeadline(time.Now().Add(specTime))).To(Succeed())
	return socket
}

// overfill lets apps send the robot more than its socket takes, but not so many
// messages that the relay gives it up. Each sends no more than may come at once.
func (s *stage) overfill(ctx SpecContext, id wire.DeviceID, robot *websocket.Conn) {
	GinkgoHelper()
	answers := map[*harness.Peer]wire.Message{}
	for range 2 {
		app := s.app(ctx, s.owner)
		request(app, id)
		var asked wire.Message
		Expect(robot.ReadJSON(&asked)).To(Succeed())
		Expect(robot.WriteJSON(wire.Message{Type: wire.TypeOffer, SessionID: asked.SessionID, SDP: sdp("offer")})).To(Succeed())
		_, err := app.Next(ctx, wire.TypeOffer)
		Expect(err).NotTo(HaveOccurred())
		answers[app] = wire.Message{Type: wire.TypeAnswer, SessionID: asked.SessionID, SDP: &wire.SessionDescription{
			Type: "answer", SDP: strings.Repeat("x", 60<<10),
		}}
	}
	for app, answer := range answers {
		for range 60 {
			Expect(app.Send(answer)).To(Succeed())
		}
		Expect(app.Barrier(ctx)).To(BeEmpty())
	}
}

// knock asks for a robot's socket and does not wait for the answer.
func (s *stage) knock(ctx SpecContext) {
	GinkgoHelper()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Relay.Addr)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(conn.Close)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Relay.URL("/ws/device"), http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	request.Header = signed(robotID, s.configFile)
	Expect(request.Write(conn)).To(Succeed())
}

var _ = Describe("A relay that is told to stop", func() {
	It("says when to come back, and ends within 10 s, whatever hangs", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		s.lossy = true // its sessions go on
		app, robot := s.app(ctx, s.owner), s.puppet(ctx)
		offered(ctx, app, robot)

		By("having a robot that does not read")
		s.overfill(ctx, "deaf", s.deaf(ctx, "deaf"))
		By("having a TURN provider that does not answer")
		s.another(ctx, "second", s.owner)
		Expect(s.SetFault(ctx, fakecloudflare.Fault{Hang: true})).To(Succeed())
		request(s.app(ctx, s.owner), "second")
		By("having a store that does not answer")
		unlock, err := s.LockStore(ctx)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(unlock)
		s.knock(ctx)

		begin := time.Now()
		Expect(s.Relay.Stop()).To(Succeed())
		Expect(time.Since(begin)).To(BeNumerically("<", 10*time.Second))
		for _, peer := range []*harness.Peer{app, robot} {
			Expect(peer.Down).To(Receive(MatchError(ContainSubstring("1001"))))
		}
	}, SpecTimeout(specTime))

	It("revokes what nobody uses, although somebody sends it a request for ever", func(ctx SpecContext) {
		s := empty(ctx, &binaries, harness.Options{})
		app, robot := s.app(ctx, s.owner), s.puppet(ctx)
		Expect(app.Send(wire.Message{Type: wire.TypeClose, SessionID: offered(ctx, app, robot)})).To(Succeed())
		_, err := robot.Next(ctx, wire.TypeClose)
		Expect(err).NotTo(HaveOccurred())
		slow, err := s.DialRaw(ctx)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(slow.Close)
		_, err = slow.Write([]byte("POST /api/auth/login HTTP/1.1\r\nHost: relay\r\nContent-Length: 1000\r\n\r\n{"))
		Expect(err).NotTo(HaveOccurred())
		Expect(s.Relay.Stop()).To(Succeed())
		Expect(s.LiveCredentials(ctx)).To(BeZero())
	}, SpecTimeout(specTime))
})
