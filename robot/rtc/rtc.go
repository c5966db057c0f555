// Package rtc sets pion up the way both ends of a session need it: which
// codecs are offered, how lost packets are repaired, which interfaces are
// gathered and how long ICE waits for a better path.
package rtc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/wire"
)

// How long ICE (RFC 8445) waits, from the answer on, before it takes a pair that
// a better one might follow. pion's own values add two seconds to every call
// through TURN; with these a direct path still wins wherever there is one.
// Peer-reflexive candidates wait too: a TURN server's are taken for such until
// the app's own word about them comes. And TURN waits for longer than it takes
// until a lost request to its server is repeated, 200 ms: for that time pion does
// nothing else.
const (
	reflexiveWait = 100 * time.Millisecond
	relayWait     = 240 * time.Millisecond
)

// maxChecks bounds the checks of one pair, so that they go on for as long as a
// session waits for a path. pion's own bound is reached within two seconds.
const maxChecks = 100

// nacksPerPacket bounds how often one lost packet is asked for again
// (RFC 4585 §6.2.1). Without a bound a congested link carries little else.
const nacksPerPacket = 4

// Options differ between the two ends and between networks.
type Options struct {
	// Codecs in order of preference: "h264", "vp8". None means both.
	Codecs []string
	// Loopback gathers 127.0.0.1 and ::1 as well; LoopbackAlone does so while there
	// is no other interface. See [LoopbackRelay].
	Loopback, LoopbackAlone bool
	// Measure, if not nil, adds the interceptors that measure the way of what is
	// sent. They come first, next to the network, and REMB is offered.
	Measure func(*interceptor.Registry) error
	Log     *slog.Logger
}

// CloseTime is how long an orderly end may take before the network is cut: the
// other side is told meanwhile.
const CloseTime = time.Second

// NewAPI returns a pion API for one peer connection. With the end of life its
// network ends: sockets are closed and dials given up, so that closing the
// connection, which waits for them, does not take long.
func NewAPI(life context.Context, o Options) (*webrtc.API, error) {
	media := &webrtc.MediaEngine{}
	if err := registerCodecs(media, o.Codecs); err != nil {
		return nil, err
	}
	registry := &interceptor.Registry{}
	if o.Measure != nil {
		if err := errors.Join(o.Measure(registry), registerREMB(media)); err != nil {
			return nil, err
		}
	}
	interceptors := []webrtc.InterceptorOption{
		webrtc.WithNackGeneratorOptions(nack.GeneratorMaxNacksPerPacket(nacksPerPacket)),
	}
	if o.Log != nil {
		interceptors = append(interceptors, webrtc.WithInterceptorLoggerFactory(NewLoggerFactory(o.Log)))
	}
	err := webrtc.RegisterDefaultInterceptorsWithOptions(media, registry, interceptors...)
	if err != nil {
		return nil, fmt.Errorf("register interceptors: %w", err)
	}
	machine, err := newNetwork(life)
	if err != nil {
		return nil, fmt.Errorf("look at the network: %w", err)
	}
	machine.loopbackAlone = o.LoopbackAlone
	engine := settings(o)
	engine.SetNet(machine)
	return webrtc.NewAPI(
		webrtc.WithMediaEngine(media),
		webrtc.WithInterceptorRegistry(registry),
		webrtc.WithSettingEngine(engine),
	), nil
}

func settings(o Options) webrtc.SettingEngine {
	var s webrtc.SettingEngine
	s.SetPrflxAcceptanceMinWait(reflexiveWait)
	s.SetSrflxAcceptanceMinWait(reflexiveWait)
	s.SetRelayAcceptanceMinWait(relayWait)
	s.SetICEMaxBindingRequests(maxChecks)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetInterfaceFilter(useInterface)
	s.SetIPFilter(useIP)
	s.SetIncludeLoopbackCandidate(o.Loopback || o.LoopbackAlone)
	if o.Log != nil {
		s.LoggerFactory = NewLoggerFactory(o.Log)
	}
	return s
}

// useInterface leaves out the bridges of containers and virtual machines:
// nobody outside can reach them, and each one makes gathering slower.
func useInterface(name string) bool {
	for _, prefix := range []string{"docker", "br-", "veth", "virbr", "cni", "flannel"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return true
}

// useIP leaves out IPv6 link-local addresses, which need a zone to be of use.
func useIP(ip net.IP) bool {
	return ip.To4() != nil || !ip.IsLinkLocalUnicast()
}

// LoopbackRelay reports whether a relay URL points at this machine. Both ends
// are then on it too, and may have no other interface than loopback.
func LoopbackRelay(relayURL string) bool {
	u, err := url.Parse(relayURL)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// ICEServers converts the wire's list into pion's. URLs of port 53 are left
// out: networks capture that port, and browsers refuse it.
func ICEServers(list wire.ICEServers) []webrtc.ICEServer {
	servers := make([]webrtc.ICEServer, 0, len(list.Servers))
	for _, s := range list.Servers {
		var urls []string
		for _, u := range s.URLs {
			if host, _, _ := strings.Cut(u, "?"); !strings.HasSuffix(host, ":53") {
				urls = append(urls, u)
			}
		}
		if len(urls) > 0 {
			servers = append(servers, webrtc.ICEServer{URLs: urls, Username: s.Username, Credential: s.Credential})
		}
	}
	return servers
}
