package e2e

import (
	"bytes"
	"compress/flate"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/gobwas/ws"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
)

// protocolError is the close code of RFC 6455 §7.4.1 for broken framing.
const protocolError = 1002

// abuse is what somebody sends, and how the relay takes it.
type abuse struct {
	what string
	send []byte
	told []wire.Code // errors, in their order
	code int         // 0: the socket stays
}

// fragments are a client's text message in so many frames.
func fragments(payload string, frames int) []byte {
	var out []byte
	op, size := ws.OpText, (len(payload)+frames-1)/frames
	for i := range frames {
		part := payload[min(i*size, len(payload)):min((i+1)*size, len(payload))]
		out = append(out, harness.Frame(op, i == frames-1, []byte(part))...)
		op = ws.OpContinuation
	}
	return out
}

// header is a frame's header alone, with a mask of zeros.
func header(h ws.Header) []byte {
	h.Masked = true
	return ws.MustCompileFrame(ws.Frame{Header: h})
}

func deflated(s string) []byte {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	Expect(err).NotTo(HaveOccurred())
	_, err = io.WriteString(w, s)
	Expect(err).NotTo(HaveOccurred())
	Expect(w.Flush()).To(Succeed())
	return out.Bytes()
}

// abuses follow the chapters of the Autobahn test suite.
func abuses() []abuse {
	const ping = `{"type":"ping"}`
	tooLarge := strings.Repeat(" ", wire.MaxFrame+1)
	compressed := deflated(ping)
	return []abuse{
		{what: "a message in its fifteen bytes", send: fragments(ping, len(ping))},
		{what: "a message with ten thousand empty frames in it", send: fragments(ping, 10_000)},
		{what: "a ping between two fragments", send: bytes.Join([][]byte{
			harness.Frame(ws.OpText, false, []byte(ping[:3])), harness.Frame(ws.OpPing, true, nil),
			harness.Frame(ws.OpContinuation, true, []byte(ping[3:])),
		}, nil)},
		{what: "the largest message", send: fragments(ping+strings.Repeat(" ", wire.MaxFrame-len(ping)), 1)},
		{what: "invalid UTF-8", send: fragments("{\"type\":\"\xc0\xaf\"}", 1), told: []wire.Code{wire.CodeBadMessage}},
		{what: "UTF-8 that is cut off", send: fragments("{\"type\":\"\xe2\x82", 2), told: []wire.Code{wire.CodeBadMessage}},
		{what: "no JSON", send: fragments("hello", 1), told: []wire.Code{wire.CodeBadMessage}},
		{what: "a binary frame", send: harness.Frame(ws.OpBinary, true, []byte(ping)), told: []wire.Code{wire.CodeBadMessage}},
		{what: "an answer to no ping", send: harness.Frame(ws.OpPong, true, []byte("unasked"))},

		{what: "a message one byte too large", send: fragments(tooLarge, 1), told: []wire.Code{wire.CodeTooLarge}, code: int(wire.CloseTooLarge)},
		{what: "the same in small fragments", send: fragments(tooLarge, 1000), told: []wire.Code{wire.CodeTooLarge}, code: int(wire.CloseTooLarge)},
		{
			what: "a length that is no length", send: append([]byte{0x81, 0xff}, bytes.Repeat([]byte{0xff}, 12)...),
			told: []wire.Code{wire.CodeTooLarge}, code: int(wire.CloseTooLarge),
		},
		{
			what: "the promise of 2^60 bytes", send: append(header(ws.Header{Fin: true, OpCode: ws.OpText, Length: 1 << 60}), tooLarge...),
			told: []wire.Code{wire.CodeTooLarge}, code: int(wire.CloseTooLarge),
		},

		{what: "no mask", send: ws.MustCompileFrame(ws.NewTextFrame([]byte(ping))), code: protocolError},
		{what: "reserved bit 2", send: header(ws.Header{Fin: true, Rsv: ws.Rsv(false, true, false), OpCode: ws.OpText}), code: protocolError},
		{what: "reserved bit 3", send: header(ws.Header{Fin: true, Rsv: ws.Rsv(false, false, true), OpCode: ws.OpPing}), code: protocolError},
		{what: "compression that was not agreed on", send: append(header(ws.Header{
			Fin: true, Rsv: ws.Rsv(true, false, false), OpCode: ws.OpText, Length: int64(len(compressed)),
		}), compressed...), code: protocolError},
		{what: "a reserved kind of data", send: harness.Frame(3, true, nil), code: protocolError},
		{what: "a reserved kind of control", send: harness.Frame(0xb, true, nil), code: protocolError},
		{what: "a ping of 126 bytes", send: harness.Frame(ws.OpPing, true, make([]byte, 126)), code: protocolError},
		{what: "a ping in fragments", send: harness.Frame(ws.OpPing, false, nil), code: protocolError},
		{what: "a continuation of nothing", send: harness.Frame(ws.OpContinuation, true, []byte(ping)), code: protocolError},
		{what: "a message within a message", send: append(harness.Frame(ws.OpText, false, []byte(ping)), fragments(ping, 1)...), code: protocolError},
		{what: "a close code that may not be sent", send: harness.Frame(ws.OpClose, true, []byte{1005 >> 8, 1005 & 0xff}), code: protocolError},
		{what: "a reason that is not UTF-8", send: harness.Frame(ws.OpClose, true, []byte{1000 >> 8, 1000 & 0xff, 0xff}), code: protocolError},
	}
}

// bystanders are an app and a robot in a session of their own.
type bystanders struct {
	*stage
	app, robot *harness.Peer
	id         wire.SessionID
	apps       int // sockets of apps, and goroutines, before anything happened
	goroutines int
}

func withBystanders(ctx SpecContext, b harness.Backend, o harness.Options) *bystanders {
	GinkgoHelper()
	s := &bystanders{stage: empty(ctx, b, o)}
	s.robot, s.app = s.puppet(ctx), s.stage.app(ctx, s.owner)
	s.id = answered(ctx, s.app, s.robot)
	stats, err := s.RelayStats(ctx, s.owner)
	Expect(err).NotTo(HaveOccurred())
	s.apps, s.goroutines = stats.Apps, stats.Goroutines
	return s
}

// talk says that the session goes on, and returns how long a candidate takes to
// the robot and another back.
func (s *bystanders) talk(ctx SpecContext) time.Duration {
	GinkgoHelper()
	candidate := wire.Message{Type: wire.TypeICE, SessionID: s.id, Candidate: &wire.Candidate{Candidate: "candidate:1 1 udp 1 203.0.113.1 9 typ host"}}
	began := time.Now()
	Expect(s.app.Send(candidate)).To(Succeed())
	_, err := s.robot.Next(ctx, wire.TypeICE)
	Expect(err).NotTo(HaveOccurred())
	Expect(s.robot.Send(candidate)).To(Succeed())
	_, err = s.app.Next(ctx, wire.TypeICE)
	Expect(err).NotTo(HaveOccurred())
	return time.Since(began)
}

// expectAlone says that nothing is left of anybody else.
func (s *bystanders) expectAlone(ctx SpecContext) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		stats, err := s.RelayStats(ctx, s.owner)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(stats.Apps).To(Equal(s.apps), "apps")
		g.Expect(stats.Goroutines).To(BeNumerically("<=", s.goroutines), "goroutines of the relay")
	}).Should(Succeed())
}

var _ = everywhere("Somebody who abuses the relay's sockets", func(b harness.Backend) {
	It("is told what is wrong, and ends at most their own", func(ctx SpecContext) {
		s := withBystanders(ctx, b, harness.Options{})
		attacker := s.user(ctx, "attacker@example.com")
		for _, a := range abuses() {
			By(a.what)
			r, err := s.UpgradeRaw(ctx, attacker)
			Expect(err).NotTo(HaveOccurred())
			_, err = r.Write(a.send)
			Expect(err).NotTo(HaveOccurred())
			told, code, err := r.Barrier()
			Expect(err).NotTo(HaveOccurred())
			Expect(code).To(Equal(a.code), "close code")
			var codes []wire.Code
			for _, m := range told {
				if m.Type == wire.TypeError {
					codes = append(codes, m.Code)
				}
			}
			Expect(codes).To(Equal(a.told))
			Expect(r.Close()).To(Succeed())
			s.talk(ctx)
		}
		s.expectAlone(ctx)
	}, SpecTimeout(specTime))

	It("has every question answered, however many come at once", func(ctx SpecContext) {
		const questions = 5000
		s := empty(ctx, b, harness.Options{NoLimits: true})
		r, err := s.UpgradeRaw(ctx, s.owner)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(r.Close)
		_, err = r.Write(bytes.Repeat(fragments(`{"type":"webrtc_resume","session_id":"a"}`, 1), questions))
		Expect(err).NotTo(HaveOccurred())
		told, code, err := r.Barrier()
		Expect(err).NotTo(HaveOccurred())
		Expect(code).To(BeZero(), "close code")
		Expect(told).To(HaveLen(questions + 1)) // and how its robot is
	}, SpecTimeout(specTime))

	It("keeps nobody else waiting, however much they send", func(ctx SpecContext) {
		s := withBystanders(ctx, b, harness.Options{})
		attacker := s.user(ctx, "attacker@example.com")
		const message = `{"type":"webrtc_ice","session_id":"a","candidate":{}}`
		var floods sync.WaitGroup
		var sockets []*harness.RawSocket
		for _, said := range []struct{ first, again []byte }{
			{again: harness.Frame(ws.OpPing, true, []byte("ping"))},
			{again: fragments(message, 1)},
			{again: fragments(message, len(message))},
			{again: fragments("no JSON", 1)},
			{first: harness.Frame(ws.OpText, false, nil), again: harness.Frame(ws.OpContinuation, false, nil)}, // without an end
		} {
			r, err := s.UpgradeRaw(ctx, attacker)
			Expect(err).NotTo(HaveOccurred())
			_, err = r.Write(said.first)
			Expect(err).NotTo(HaveOccurred())
			sockets = append(sockets, r)
			flood := bytes.Repeat(said.again, 1+4096/len(said.again))
			floods.Go(func() {
				for {
					if _, err := r.Write(flood); err != nil {
						return
					}
				}
			})
		}
		slowest := time.Duration(0)
		for range 60 { // well within what a session may say
			slowest = max(slowest, s.talk(ctx))
			Consistently(ctx.Done()).WithTimeout(50 * time.Millisecond).ShouldNot(BeClosed())
		}
		AddReportEntry("slowest way there and back", slowest)
		Expect(slowest).To(BeNumerically("<", 2*time.Second))
		By("going away")
		for _, r := range sockets {
			r.Vanish()
		}
		floods.Wait()
		s.expectAlone(ctx)
	}, SpecTimeout(specTime))

	It("cannot hold a connection by being slow", func(ctx SpecContext) {
		s := withBystanders(ctx, b, harness.Options{RequestTime: 500 * time.Millisecond})
		attacker := s.user(ctx, "attacker@example.com")
		upgrade := harness.AppUpgrade(attacker)
		login := "POST /api/auth/login HTTP/1.1\r\nHost: relay\r\nContent-Length: 1000\r\n\r\n"
		var slow []*harness.RawSocket
		var drips sync.WaitGroup
		for range 5 {
			for _, said := range []string{"", upgrade[:40], upgrade[:len(upgrade)-2] + "X-Slow: ", login} {
				r, err := s.DialRaw(ctx)
				Expect(err).NotTo(HaveOccurred())
				slow = append(slow, r)
				drips.Go(func() {
					_, err := io.WriteString(r, said)
					for ; err == nil; _, err = io.WriteString(r, "x") {
						select {
						case <-time.After(50 * time.Millisecond):
						case <-ctx.Done():
							return
						}
					}
				})
			}
		}
		// Half open: in the middle of a frame they are never heard of again.
		var silent []*harness.RawSocket
		for range 10 {
			r, err := s.UpgradeRaw(ctx, attacker)
			Expect(err).NotTo(HaveOccurred())
			_, err = r.Write(fragments(`{"type":"ping"}`, 1)[:9])
			Expect(err).NotTo(HaveOccurred())
			silent = append(silent, r)
		}
		began := time.Now()
		for _, r := range slow {
			_, _ = io.Copy(io.Discard, r) // a reset is an end, too
			Expect(time.Since(began)).To(BeNumerically("<", 5*time.Second), "how long the relay puts up with it")
		}
		drips.Wait()
		s.talk(ctx)
		stats, err := s.RelayStats(ctx, s.owner)
		Expect(err).NotTo(HaveOccurred())
		Expect(stats.Apps).To(Equal(s.apps + len(silent)))
		for _, r := range silent {
			r.Vanish()
		}
		for _, r := range slow {
			_ = r.Close()
		}
		s.expectAlone(ctx)
	}, SpecTimeout(specTime))
})
