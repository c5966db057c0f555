package link

import (
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/gcc"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"golang.org/x/time/rate"
)

// maxBits bounds the estimate, in bits a second: nothing here sends as much.
const maxBits = 20_000_000

const (
	repairPart  = 4        // of what is sent may at most be repairs
	repairBurst = 16 << 10 // bytes at once: a lost frame
)

// estimator is pion's congestion control, of which a new one takes over when the
// estimate is set: it has no other way. It implements cc.BandwidthEstimator.
type estimator struct {
	logs    logging.LoggerFactory
	repairs *rate.Limiter // in bytes

	mu      sync.Mutex
	initial int // bits a second
	gcc     *gcc.SendSideBWE
	out     interceptor.RTPWriter // through gcc
	info    *interceptor.StreamInfo
	writer  interceptor.RTPWriter // to the network
}

func newEstimator(bits int, logs logging.LoggerFactory) *estimator {
	return &estimator{initial: bits, logs: logs, repairs: rate.NewLimiter(rate.Limit(bits/8/repairPart), repairBurst)}
}

// start makes the first congestion control.
func (e *estimator) start() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.startLocked()
}

func (e *estimator) startLocked() (err error) {
	e.gcc, err = gcc.NewSendSideBWE(
		gcc.SendSideBWEInitialBitrate(min(e.initial, maxBits)),
		gcc.SendSideBWEMaxBitrate(maxBits),
		// Without a pacer a frame leaves at once. The leaky one has no bound.
		gcc.SendSideBWEPacer(gcc.NewNoOpPacer()),
		gcc.WithLoggerFactory(e.logs),
	)
	if err == nil && e.info != nil {
		e.out = e.gcc.AddStream(e.info, e.writer)
	}
	return err
}

// reset begins anew with an estimate. If that fails the old one goes on.
func (e *estimator) reset(bits int) {
	e.mu.Lock()
	old := e.gcc
	if old == nil {
		e.mu.Unlock()
		return
	}
	e.initial = bits
	if e.startLocked() != nil {
		e.gcc, old = old, nil
	}
	e.mu.Unlock()
	if old != nil {
		_ = old.Close()
	}
}

// AddStream implements cc.BandwidthEstimator. There is one stream. What repairs
// it goes out unseen: receivers like pion's say of each repair that it was lost.
func (e *estimator) AddStream(info *interceptor.StreamInfo, writer interceptor.RTPWriter) interceptor.RTPWriter {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.info, e.writer = info, writer
	e.out = e.gcc.AddStream(info, writer)
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		if h.SSRC != info.SSRC {
			if !e.repairs.AllowN(time.Now(), len(payload)) {
				return len(payload), nil // as if it were lost again
			}
			return writer.Write(h, payload, a)
		}
		e.mu.Lock()
		out := e.out
		e.mu.Unlock()
		return out.Write(h, payload, a)
	})
}

// ssrc returns that of the video.
func (e *estimator) ssrc() uint32 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.info == nil {
		return 0
	}
	return e.info.SSRC
}

// WriteRTCP implements cc.BandwidthEstimator. It returns no error: the reader of
// RTCP, which would end with one, has more to read.
func (e *estimator) WriteRTCP(packets []rtcp.Packet, a interceptor.Attributes) error {
	if g := e.current(); g != nil {
		_ = g.WriteRTCP(packets, a)
	}
	return nil
}

// GetTargetBitrate implements cc.BandwidthEstimator.
func (e *estimator) GetTargetBitrate() int {
	if g := e.current(); g != nil {
		return g.GetTargetBitrate()
	}
	return e.initial
}

// OnTargetBitrateChange implements cc.BandwidthEstimator; nobody calls it.
func (*estimator) OnTargetBitrateChange(func(bitrate int)) {}

// GetStats implements cc.BandwidthEstimator.
func (e *estimator) GetStats() map[string]any { return e.current().GetStats() }

// Close implements cc.BandwidthEstimator.
func (e *estimator) Close() error {
	e.mu.Lock()
	g := e.gcc
	e.gcc = nil
	e.mu.Unlock()
	if g == nil {
		return nil
	}
	return g.Close()
}

func (e *estimator) current() *gcc.SendSideBWE {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.gcc
}
