// Package link measures the way to one viewer: what it carries, what it loses and
// how much waits on it. It sees every packet that leaves and every transport-wide
// feedback that comes back (draft-holmer-rmcat-transport-wide-cc-extensions-01).
//
// The estimate is that of Google congestion control
// (draft-ietf-rmcat-gcc-02), which by itself grows by 8 % a second at most, and
// less near a rate at which it once was wrong. Who knows better may set it with
// [Link.SetEstimate].
package link

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/cc"
	"github.com/pion/interceptor/pkg/rtpfb"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"golang.org/x/time/rate"

	"wimz.dev/live/robot/internal/quality"
)

// Link is the way to one viewer. Its methods may be called from any goroutine.
type Link struct {
	estimator *estimator

	mu    sync.Mutex
	meter meter
}

// New returns a link that is thought to carry a bit rate, in kilobits a second.
func New(kbps int, logs logging.LoggerFactory) *Link {
	return &Link{estimator: newEstimator(kbps*bitsPerKbit, logs)}
}

const bitsPerKbit = 1000

// AddTo lets the link see the packets of one connection. It must be the first to
// be added to the registry: nearest to the network.
func (l *Link) AddTo(registry *interceptor.Registry) error {
	congestion, err := cc.NewInterceptor(func() (cc.BandwidthEstimator, error) { return l.estimator, l.estimator.start() })
	if err != nil {
		return fmt.Errorf("congestion control: %w", err)
	}
	feedback, err := rtpfb.NewInterceptor(rtpfb.WithLoggerFactory(l.estimator.logs))
	if err != nil {
		return fmt.Errorf("transport-wide feedback: %w", err)
	}
	numbers, err := twcc.NewHeaderExtensionInterceptor()
	if err != nil {
		return fmt.Errorf("transport-wide sequence numbers: %w", err)
	}
	registry.Add(congestion)
	registry.Add(feedback)
	registry.Add(numbers)
	return nil
}

// Sent says that packets are about to leave.
func (l *Link) Sent(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.meter.sent(now)
}

// Feedback takes in what came with an RTCP packet.
func (l *Link) Feedback(a interceptor.Attributes, now time.Time) {
	report, ok := a.Get(rtpfb.CCFBAttributesKey).(rtpfb.Report)
	if !ok {
		return
	}
	video := l.estimator.ssrc()
	packets := slices.DeleteFunc(report.PacketReports, func(p rtpfb.PacketReport) bool { return p.SSRC != video })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.meter.report(packets, now)
}

// Received takes in what a receiver report says of the video.
func (l *Link) Received(r rtcp.ReceptionReport, now time.Time) {
	if r.SSRC != l.estimator.ssrc() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.meter.received(r, now)
}

// SetRepairs bounds what repairs may cost, in kilobits a second: what is asked for
// again. 0 lets none through. When all of the link is needed to get over a jam,
// repairs of what is old by now would keep it up.
func (l *Link) SetRepairs(kbps int) {
	burst := repairBurst
	if kbps == 0 {
		burst = 0
	}
	l.estimator.repairs.SetBurst(burst)
	l.estimator.repairs.SetLimit(rate.Limit(kbps * bitsPerKbit / 8))
}

// SetEstimate sets the estimate, from which it goes on by itself.
func (l *Link) SetEstimate(kbps int) { l.estimator.reset(kbps * bitsPerKbit) }

// State returns the state of the link.
func (l *Link) State(now time.Time) quality.Link {
	l.mu.Lock()
	defer l.mu.Unlock()
	return quality.Link{
		Estimate:  l.estimator.GetTargetBitrate() / bitsPerKbit,
		Delivered: l.meter.delivered(now),
		Arriving:  l.meter.arriving(),
		Loss:      l.meter.loss,
		Queue:     l.meter.queue(now),
	}
}

// RTT returns the round trip as it was reported last, 0 before that.
func (l *Link) RTT() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.meter.rtt
}
