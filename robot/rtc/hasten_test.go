package rtc

import (
	"net"
	"testing"
	"time"

	"github.com/pion/stun/v3"
	"github.com/pion/webrtc/v4"
)

// TestHasten: a connection that is hastened checks its pairs at once and not at
// pion's pace, and what it is told for that is paired with nothing.
func TestHasten(t *testing.T) {
	pc, silent := searching(t)
	const checks, pace = 10, 200 * time.Millisecond
	begun := time.Now()
	packet := make([]byte, 1500)
	for n := 1; n <= checks; n++ {
		must(t, Hasten(pc, n))
		length, err := silent.Read(packet)
		if err != nil || !stun.IsMessage(packet[:length]) {
			t.Fatalf("%d bytes that are no check: %v", length, err)
		}
	}
	if took := time.Since(begun); took > checks*pace*3/4 {
		t.Errorf("%d checks took %s", checks, took)
	}
	pairs := 0
	for _, s := range pc.GetStats() {
		if _, ok := s.(webrtc.ICECandidatePairStats); ok {
			pairs++
		}
	}
	if pairs != 1 {
		t.Errorf("%d candidate pairs", pairs)
	}
}

// searching returns a connection that checks a pair with somebody who does not
// answer.
func searching(t *testing.T) (*webrtc.PeerConnection, net.Conn) {
	t.Helper()
	silent, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	must(t, silent.SetReadDeadline(time.Now().Add(20*time.Second)))

	offerer, answerer := connection(t), connection(t)
	_, err = offerer.CreateDataChannel("any", nil)
	must(t, err)
	offer, err := offerer.CreateOffer(nil)
	must(t, err)
	must(t, offerer.SetLocalDescription(offer))
	must(t, answerer.SetRemoteDescription(offer))
	answer, err := answerer.CreateAnswer(nil)
	must(t, err)
	must(t, offerer.SetRemoteDescription(answer))
	must(t, offerer.AddICECandidate(webrtc.ICECandidateInit{
		Candidate: "candidate:1 1 udp 1 127.0.0.1 " + port(silent) + " typ host",
	}))
	return offerer, silent
}

func port(c net.PacketConn) string {
	_, port, _ := net.SplitHostPort(c.LocalAddr().String())
	return port
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// connection returns one that knows no interface but loopback.
func connection(t *testing.T) *webrtc.PeerConnection {
	t.Helper()
	engine := settings(Options{Loopback: true})
	engine.SetIPFilter(net.IP.IsLoopback)
	engine.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(engine)).NewPeerConnection(webrtc.Configuration{})
	must(t, err)
	t.Cleanup(func() { _ = pc.GracefulClose() })
	return pc
}

func TestDirect(t *testing.T) {
	for line, want := range map[string]bool{
		"": false,
		"candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host":                                                 true,
		"candidate:1 1 udp 1694498815 192.0.2.1 5000 typ srflx raddr 0.0.0.0 rport 0":                          true,
		"candidate:1 1 udp 1862270975 192.0.2.1 5000 typ prflx":                                                true,
		"candidate:1 1 udp 16777215 192.0.2.1 5000 typ relay raddr 192.0.2.9 rport 5":                          false,
		"v=0\r\na=candidate:1 1 udp 1 192.0.2.1 5 typ relay\r\na=candidate:2 1 udp 2 192.0.2.1 5 typ host\r\n": true,
	} {
		if got := Direct(line); got != want {
			t.Errorf("%q: %t", line, got)
		}
	}
}
