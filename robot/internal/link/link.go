// Package link measures the way to one viewer: what it carries, what it loses and
// how much waits on it. It sees every packet that leaves, and what the app says of
// them. There are three kinds of that, and an app may know any of them:
//
//   - transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01),
//     which tells when each packet came;
//   - receiver reports (RFC 3550 §6.4.2), which tell a loss and a round trip;
//   - REMB (draft-alvestrand-rmcat-remb-03), the most that the app wants.
//
// What is made of it is decided in package quality.
package link

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/rtpfb"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"golang.org/x/time/rate"

	"wimz.dev/live/robot/internal/quality"
)

const bitsPerKbit = 1000

const (
	repairPart  = 4        // of what is sent may at most be repairs, to begin with
	repairBurst = 16 << 10 // bytes at once: a lost frame
)

// Link is the way to one viewer. Its methods may be called from any goroutine.
type Link struct {
	logs    logging.LoggerFactory
	repairs *rate.Limiter // in bytes

	mu    sync.Mutex
	video uint32 // the SSRC; 0: not known yet
	meter meter
	limit limit
}

// New returns a link over which video of a bit rate is sent, in kilobits a second.
func New(kbps int, logs logging.LoggerFactory) *Link {
	return &Link{logs: logs, repairs: rate.NewLimiter(rate.Limit(kbps*bitsPerKbit/8/repairPart), repairBurst)}
}

// AddTo lets the link see the packets of one connection. It must be the first to
// be added to the registry: nearest to the network.
func (l *Link) AddTo(registry *interceptor.Registry) error {
	feedback, err := rtpfb.NewInterceptor(rtpfb.WithLoggerFactory(l.logs))
	if err != nil {
		return fmt.Errorf("transport-wide feedback: %w", err)
	}
	numbers, err := twcc.NewHeaderExtensionInterceptor()
	if err != nil {
		return fmt.Errorf("transport-wide sequence numbers: %w", err)
	}
	registry.Add(&tap{link: l})
	registry.Add(feedback)
	registry.Add(numbers)
	return nil
}

// Feedback takes in what came with an RTCP packet.
func (l *Link) Feedback(a interceptor.Attributes, now time.Time) {
	report, ok := a.Get(rtpfb.CCFBAttributesKey).(rtpfb.Report)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	packets := slices.DeleteFunc(report.PacketReports, func(p rtpfb.PacketReport) bool { return p.SSRC != l.video })
	l.meter.report(packets, now)
}

// Received takes in what a receiver report says of the video.
func (l *Link) Received(r rtcp.ReceptionReport, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.SSRC == l.video {
		l.meter.received(r, now)
	}
}

// Limited takes in the most that the app wants of all that is sent to it.
func (l *Link) Limited(r *rtcp.ReceiverEstimatedMaximumBitrate, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Contains(r.SSRCs, l.video) {
		l.limit.set(r.Bitrate, now)
	}
}

// SetRepairs bounds what repairs may cost, in kilobits a second: what is asked for
// again. 0 lets none through. When all of the link is needed to get over a jam,
// repairs of what is old by now would keep it up.
func (l *Link) SetRepairs(kbps int) {
	burst := repairBurst
	if kbps == 0 {
		burst = 0
	}
	l.repairs.SetBurst(burst)
	l.repairs.SetLimit(rate.Limit(kbps * bitsPerKbit / 8))
}

// Moved forgets what was measured, but for the round trip: the packets take another
// path from now on, and what was lost with the one before says nothing of it.
func (l *Link) Moved() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.meter = meter{rtt: l.meter.rtt}
}

// State returns the state of the link.
func (l *Link) State(now time.Time) quality.Link {
	l.mu.Lock()
	defer l.mu.Unlock()
	return quality.Link{
		Limit:     l.limit.kbps(now),
		Delivered: l.meter.delivered(now),
		Arriving:  l.meter.arriving(),
		Loss:      l.meter.loss,
		Queue:     l.meter.queue(now),
		Heard:     l.meter.heard,
	}
}

// RTT returns the round trip as it was reported last, 0 before that.
func (l *Link) RTT() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.meter.rtt
}
